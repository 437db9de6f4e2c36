//! What a refresh put before it was killed is named by nothing. It is written down first ([`crate::journal`], in a head of its own), and whoever asks
//! a source later forgets it.

use std::collections::{BTreeMap, BTreeSet};

use broker_core::{moment::Timestamp, port::Store};

use super::Sources;
use crate::{
    journal::{Journal, JournalFailed, Noted, Patience, PendingEntry},
    moment,
};

/// What is written down for so many seconds was interrupted: between the note and the head lies only the putting.
const INTERRUPTED_SECONDS: i64 = 3_600;
/// Documents that are forgotten at once.
const BATCH: usize = 256;

impl Sources {
    /// Writes down what is about to be kept. `None`: the journal is not to be believed, and nobody sweeps by it either; what is left then costs room.
    ///
    /// # Errors
    /// A sentence for the log: nothing may be kept now.
    pub(super) async fn noted(&self, names: &[String], store: &dyn Store) -> Result<Option<Noted>, String> {
        match self.journal.note(store, names, Patience::Usual, moment::now()).await {
            Ok(noted) => Ok(Some(noted)),
            Err(error @ JournalFailed::Unauthenticated(_)) => {
                tracing::error!(%error, "a source is taken over without an entry in the journal");
                Ok(None)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Forgets what interrupted refreshes put, unless something names it now.
    ///
    /// # Errors
    /// When the store is away, or the journal is refused; then it costs room.
    pub(super) async fn sweep(&self, store: &dyn Store, clock: fn() -> Timestamp) -> Result<usize, String> {
        let began = clock();
        let is_over = |entry: &PendingEntry| began.since(entry.at) > INTERRUPTED_SECONDS;
        let said = |error: JournalFailed| error.to_string();
        if !self.journal.entries(store).await.map_err(said)?.iter().any(is_over) {
            return Ok(0);
        }
        let _turn = self.turn.lock().await;
        let entries = self.journal.begin_sweep(store, began).await.map_err(said)?;
        let swept = self.swept(&entries, is_over, store, (began, clock)).await;
        let ended = if swept.is_ok() {
            entries.iter().filter(|one| is_over(one)).cloned().collect()
        } else {
            Vec::new()
        };
        self.journal.end_sweep(store, began, &ended).await.map_err(said)?;
        swept
    }

    async fn swept(
        &self,
        entries: &[PendingEntry],
        is_over: impl Fn(&PendingEntry) -> bool,
        store: &dyn Store,
        (began, clock): (Timestamp, fn() -> Timestamp),
    ) -> Result<usize, String> {
        // Read after nobody writes any more: what a refresh made live until then is known.
        let _ = self.followed(store, &BTreeMap::new()).await?;
        let mut stays = self.known().names();
        let mut goes = BTreeSet::new();
        for entry in entries {
            let names = Journal::names(store, entry).await.map_err(|error| error.to_string())?;
            if is_over(entry) {
                goes.extend(names.unwrap_or_default())
            } else {
                stays.extend(names.unwrap_or_default())
            }
        }
        let names: Vec<String> = goes.difference(&stays).cloned().collect();
        for batch in names.chunks(BATCH) {
            if clock() >= Journal::sweep_ends(began) || clock() < began {
                return Err(
                    "the store is slow; what interrupted refreshes left is forgotten later".to_owned()
                );
            }
            store.discard(batch).await.map_err(|error| error.to_string())?;
        }
        Ok(names.len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use broker_core::{moment::Timestamp, port::Store};
    use broker_store::embedded;
    use metadata::revision::document_name;

    use super::INTERRUPTED_SECONDS;
    use crate::source_watch::Sources;

    static LATER: AtomicI64 = AtomicI64::new(0);

    fn clock() -> Timestamp {
        crate::moment::now().plus(LATER.load(Ordering::Acquire))
    }

    async fn is_kept(store: &dyn Store, octets: &[u8]) -> bool {
        store.kept(&[document_name(octets)]).await.expect("an answer")[0].is_some()
    }

    #[tokio::test]
    async fn what_an_interrupted_refresh_put_is_forgotten_after_an_hour_unless_it_is_being_put_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, _socket) =
            embedded::open_for_serve(&folder.path().join("registry.redb"), embedded::machine_clock())
                .expect("a store");
        let sources = Sources::none(folder.path().to_owned());
        let (own, shared) = (b"nobody's".to_vec(), b"somebody's".to_vec());
        let names = [document_name(&own), document_name(&shared)];
        // Killed after it put them.
        let _ = sources.noted(&names, &*store).await.expect("noted");
        store.keep(&[own.clone(), shared.clone()]).await.expect("kept");
        assert_eq!(sources.sweep(&*store, clock).await, Ok(0));
        assert!(is_kept(&*store, &own).await, "it could still be under way");

        LATER.store(INTERRUPTED_SECONDS + 2, Ordering::Release);
        // Another puts one of them now.
        let later =
            sources.journal.note(&*store, &names[1..], crate::journal::Patience::Usual, clock()).await;
        assert_eq!(sources.sweep(&*store, clock).await, Ok(1));
        assert!(!is_kept(&*store, &own).await && is_kept(&*store, &shared).await);
        sources.journal.settle(&*store, later.expect("noted"), clock()).await.expect("settled");
        assert_eq!(sources.sweep(&*store, clock).await, Ok(0), "nothing is left to do");
        assert!(sources.journal.entries(&*store).await.expect("entries").is_empty());
    }
}
