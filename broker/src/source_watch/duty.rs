//! Which node asks which source, and when next. One head for all sources, changed by compare-and-set: whoever asks writes until when it will have
//! asked, and writes that anew while it does. A node that dies is thus followed by another within [`LEASE`] seconds. Two that ask at once would
//! only do the same work twice: the head of the sources decides.

use std::collections::BTreeMap;

use broker_core::{
    moment::Timestamp,
    port::{HeadMoved, Store},
};
use certs::mac::MacKey;
use serde::{Deserialize, Serialize};

/// The head's name in the store.
const HEAD: &str = "source-duty";
/// Seconds for which a node that asks is left alone.
pub(super) const LEASE: i64 = 15;
/// How often another node may be faster before this one waits for its next look.
const ATTEMPTS: usize = 10;
/// The longest time to the next question that is believed, in seconds: who writes to the store by hand must not stop all questions.
const LONGEST: i64 = 86_400;

/// How it stands with one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Duty {
    /// The node that asks.
    pub(crate) holder: String,
    /// Until when it has the duty.
    pub(crate) until: i64,
    /// When to ask next.
    pub(crate) next: i64,
    /// The settings under which it was last asked.
    pub(crate) settings: String,
    /// When it was last asked and answered well.
    pub(crate) checked: i64,
    /// How many times in a row it went wrong since.
    pub(crate) failures: u32,
    /// What went wrong.
    pub(crate) problem: String,
}

/// The head, read and changed.
pub(crate) struct Duties {
    mac: MacKey,
    node: String,
}

impl Duties {
    pub(super) fn new(mac: MacKey, node: [u8; 8]) -> Self {
        Self { mac, node: node.iter().map(|octet| format!("{octet:02x}")).collect() }
    }

    /// How it stands with each source.
    ///
    /// # Errors
    /// A sentence for the log, when the store is away.
    pub(crate) async fn read(&self, store: &dyn Store) -> Result<BTreeMap<String, Duty>, String> {
        Ok(self.standing(store).await?.1)
    }

    async fn standing(&self, store: &dyn Store) -> Result<(Option<Vec<u8>>, BTreeMap<String, Duty>), String> {
        let head = store.head(HEAD).await.map_err(|error| error.to_string())?;
        let duties = match head.as_deref().map(|octets| self.opened(octets)) {
            None => BTreeMap::new(),
            Some(Some(duties)) => duties,
            Some(None) => {
                tracing::warn!(
                    "who asks which source was written by somebody without the key: it is begun anew"
                );
                BTreeMap::new()
            }
        };
        Ok((head, duties))
    }

    /// Takes the duty for a source, if it is due under these settings and nobody else has it. With `at_once` it is due in any case.
    ///
    /// # Errors
    /// A sentence for the log, when the store is away.
    pub(super) async fn take(
        &self,
        store: &dyn Store,
        source: &str,
        settings: &str,
        now: Timestamp,
        at_once: bool,
    ) -> Result<bool, String> {
        for _ in 0..ATTEMPTS {
            let (head, mut duties) = self.standing(store).await?;
            let duty = duties.entry(source.to_owned()).or_default();
            let is_held = duty.holder != self.node && duty.until > now.0 && duty.until <= now.0 + LEASE;
            let is_due = duty.next <= now.0 || duty.next > now.0 + LONGEST || duty.settings != settings;
            if is_held || !(is_due || at_once) {
                return Ok(false);
            }
            duty.holder.clone_from(&self.node);
            duty.until = now.0 + LEASE;
            if self.moved(store, head, &duties).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Changes the duty of a source, if this node still has it.
    ///
    /// # Errors
    /// A sentence for the log, when the store is away.
    pub(super) async fn change(
        &self,
        store: &dyn Store,
        source: &str,
        change: impl Fn(&mut Duty),
    ) -> Result<(), String> {
        for _ in 0..ATTEMPTS {
            let (head, mut duties) = self.standing(store).await?;
            let Some(duty) = duties.get_mut(source).filter(|duty| duty.holder == self.node) else {
                return Ok(());
            };
            change(duty);
            if self.moved(store, head, &duties).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn moved(
        &self,
        store: &dyn Store,
        from: Option<Vec<u8>>,
        duties: &BTreeMap<String, Duty>,
    ) -> Result<bool, String> {
        let body = serde_json::to_vec(duties).map_err(|error| error.to_string())?;
        let mut octets = self.mac.mac(&body).to_vec();
        octets.extend_from_slice(&body);
        let moved =
            store.move_head(HEAD, from.as_deref(), &octets).await.map_err(|error| error.to_string())?;
        Ok(moved == HeadMoved::Moved)
    }

    fn opened(&self, octets: &[u8]) -> Option<BTreeMap<String, Duty>> {
        let (mac, body) = octets.split_at_checked(certs::mac::MAC_OCTETS)?;
        self.mac.verify(body, mac).ok()?;
        serde_json::from_slice(body).ok()
    }
}
