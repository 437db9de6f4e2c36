//! The loop: each source in a task of its own, asked when it is due by the node that has the duty.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{Outcome, Source, duty::LEASE, refresh::Watcher};
use crate::{moment, wiring::Node};

/// Between two looks at whether a source is due.
const LOOK: Duration = Duration::from_secs(1);

/// Keeps every source fresh until the node stops.
pub(crate) fn keep_fresh(node: &Arc<Node>, stop: &watch::Receiver<bool>) {
    for source in node.sources.all() {
        tokio::spawn(follow_one(Arc::clone(node), Arc::clone(source), stop.clone()));
    }
}

async fn follow_one(node: Arc<Node>, source: Arc<Source>, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stopped| *stopped) => return,
        }
        let asked = node.sources.ask_if_due(&source, &**node.vault.store(), false, &silent()).await;
        match asked {
            Ok(None) => {}
            Ok(Some(Outcome::Unchanged { .. })) => {
                tracing::info!(source = source.name(), "a source has nothing new")
            }
            Ok(Some(Outcome::Read { counts, difference, .. })) => {
                node.rejoin().await;
                tracing::info!(
                    source = source.name(),
                    entities = counts.entities,
                    members = counts.members,
                    new = difference.new,
                    changed = difference.changed,
                    gone = difference.gone,
                    "a source was read"
                );
            }
            Err(error) => {
                let held = node.sources.known().index.sources.get(source.name()).cloned();
                let until = held.and_then(|held| held.valid_until).map(|until| until.to_string());
                tracing::error!(
                    source = source.name(),
                    %error,
                    valid_until = until.unwrap_or_default(),
                    "a source could not be refreshed; what it had is used until it expires"
                );
            }
        }
    }
}

/// Nobody watches.
pub(crate) fn silent() -> Watcher {
    Arc::new(|_| {})
}

impl super::Sources {
    /// Asks a source if it is due, or at once, and this node has the duty. `None`: it is not due, or another node asks.
    ///
    /// # Errors
    /// A sentence for the log and the operator.
    pub(crate) async fn ask_if_due(
        &self,
        source: &Arc<Source>,
        store: &dyn broker_core::port::Store,
        at_once: bool,
        watcher: &Watcher,
    ) -> Result<Option<Outcome>, String> {
        let (name, settings) = (source.name(), source.settings.fingerprint());
        let now = moment::now();
        match self.duties.take(store, name, &settings, now, at_once).await {
            Ok(true) => {}
            // That the store is away is said elsewhere while serving.
            Err(error) if at_once => return Err(error),
            Ok(false) | Err(_) => return Ok(None),
        }
        let renewing = async {
            let mut ticks = tokio::time::interval(Duration::from_secs(u64::try_from(LEASE / 3).unwrap_or(5)));
            loop {
                let _ = ticks.tick().await;
                let until = moment::now().0 + LEASE;
                // A renewal that fails lets another node ask as well: the head decides.
                let _ = self.duties.change(store, name, |duty| duty.until = until).await;
            }
        };
        let outcome = tokio::select! {
            outcome = self.refresh(source, store, watcher) => outcome,
            () = renewing => return Ok(None),
        };
        let now = moment::now().0;
        let told = self.duties.change(store, name, |duty| {
            duty.until = 0;
            duty.settings.clone_from(&settings);
            match &outcome {
                Ok(outcome) => {
                    duty.next = now + source.settings.refresh_after(outcome.cache_duration());
                    duty.checked = now;
                    duty.failures = 0;
                    duty.problem.clear();
                }
                Err(error) => {
                    let [least, most] = source.settings.refresh_seconds.map(i64::from);
                    // Soon again, then less often: a source that is away is not stormed.
                    duty.next = now + (least << duty.failures.min(8)).clamp(least, most);
                    duty.failures = duty.failures.saturating_add(1);
                    duty.problem = error.chars().take(300).collect();
                }
            }
        });
        if let Err(error) = told.await {
            tracing::warn!(%error, source = name, "when to ask the source next could not be written down");
        }
        if outcome.is_ok()
            && let Err(error) = self.sweep(store, moment::now).await
        {
            tracing::warn!(%error, "what interrupted refreshes left could not be forgotten");
        }
        outcome.map(Some)
    }
}
