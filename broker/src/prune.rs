//! What history, desk and journal need no more is taken away: revisions beyond the last 200 that are older than 400 days, with the manifests and
//! documents that only they had; proposals that have been closed for as long; and what interrupted publications left a day ago.
//!
//! Whatever is live, can be restored, lies on the desk or is just being put stays. While this runs nobody puts anything ([`crate::journal`]).

use std::collections::BTreeSet;

use broker_core::{
    moment::Timestamp,
    port::{Store, StoreError},
};
use metadata::revision::{Link, Record};

use crate::{
    desk::{DeskFailed, DeskFile},
    journal::{Journal, JournalFailed, Patience, PendingEntry},
    registry_edit::{EditFailed, RegistryFile},
};

/// So many of the last revisions are kept ...
pub(crate) const KEPT_REVISIONS: u64 = 200;
/// ... and all that are younger than so many days.
pub(crate) const KEPT_DAYS: i64 = 400;
/// What an interrupted publication put is kept for that many seconds: it could still be under way.
const INTERRUPTED_SECONDS: i64 = 86_400;
/// Contents that are discarded at once.
const BATCH: usize = 256;

/// What was taken away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Pruned {
    /// Revisions.
    pub(crate) revisions: usize,
    /// Closed proposals.
    pub(crate) proposals: usize,
    /// Interrupted publications.
    pub(crate) interrupted: usize,
    /// Contents of all of them.
    pub(crate) contents: usize,
}

/// Why nothing, or not all, was taken away.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PruneFailed {
    /// The registry cannot be read.
    #[error(transparent)]
    Registry(#[from] EditFailed),
    /// The desk cannot be read or changed.
    #[error(transparent)]
    Desk(#[from] DeskFailed),
    /// Nobody else could be kept from writing.
    #[error(transparent)]
    Journal(#[from] JournalFailed),
    /// Nobody can say.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// It took too long.
    #[error("the store is slow; not all was taken away. Run `sparvidd revision prune` again.")]
    Slow,
}

/// After so many revisions a publication also takes away what is not needed.
const PRUNES_EACH: u64 = 50;

/// Now and then, after a publication: [`run`]. What goes wrong is no reason to say that the publication did.
pub(crate) async fn after(
    revision: u64,
    store: &dyn Store,
    registry: &RegistryFile,
    desk: &DeskFile,
    clock: fn() -> Timestamp,
) {
    if revision.is_multiple_of(PRUNES_EACH)
        && let Err(error) = run(store, registry, desk, clock).await
    {
        tracing::warn!(%error, "old revisions could not be taken away");
    }
}

/// Takes away what is not needed.
///
/// # Errors
/// [`PruneFailed`]; what is needed is there all the same.
pub(crate) async fn run(
    store: &dyn Store,
    registry: &RegistryFile,
    desk: &DeskFile,
    clock: fn() -> Timestamp,
) -> Result<Pruned, PruneFailed> {
    let proposals = closed(store, registry, desk, clock()).await?;
    let began = clock();
    let entries = registry.journal.begin_sweep(store, began).await?;
    let swept = sweep(store, registry, desk, &entries, began, clock).await;
    let ended = match &swept {
        Ok((_, gone)) => gone.clone(),
        Err(_) => Vec::new(),
    };
    registry.journal.end_sweep(store, began, &ended).await?;
    swept.map(|(pruned, _)| Pruned { proposals, ..pruned })
}

/// Proposals that have been closed for long leave the desk. Their documents are written down as pending, and go with the sweep of the next day.
async fn closed(
    store: &dyn Store,
    registry: &RegistryFile,
    desk: &DeskFile,
    now: Timestamp,
) -> Result<usize, PruneFailed> {
    let closed = desk.read(store).await?.prune(now);
    if closed.is_empty() {
        return Ok(0);
    }
    let documents: Vec<String> = closed.iter().flat_map(|one| one.documents.iter().cloned()).collect();
    // Never settled: that is what hands them to the sweep.
    let _ = registry.journal.note(store, &documents, Patience::Usual, now).await?;
    desk.change(store, now, |desk| Ok::<_, DeskFailed>(desk.prune(now).len()))
        .await
        .map_err(PruneFailed::from)
}

async fn sweep(
    store: &dyn Store,
    registry: &RegistryFile,
    desk: &DeskFile,
    entries: &[PendingEntry],
    began: Timestamp,
    clock: fn() -> Timestamp,
) -> Result<(Pruned, Vec<PendingEntry>), PruneFailed> {
    let head = registry.head(store).await?.map(|(_, head)| head);
    let history = registry.history(store, head.as_ref(), |_| true).await?;
    let newest = head.as_ref().map_or(0, |head| head.number);
    let (kept, past) = history.records.split_at(kept_of(&history.records, newest, began));

    // All that must stay.
    let mut stays: BTreeSet<String> = BTreeSet::new();
    if let Some(head) = &head {
        let manifest = registry.manifest(store, &head.manifest).await?;
        stays.extend(manifest.documents().map(str::to_owned));
        stays.insert(head.manifest.clone());
    }
    for (link, record) in kept {
        stays.insert(link.record.clone());
        stays.insert(record.manifest.clone());
        stays.extend(record.changed.iter().filter_map(|one| Some(one.after.as_ref()?.document().to_owned())));
    }
    // What was there before the oldest that is kept, and stayed for a while.
    if let Some((_, oldest)) = kept.last() {
        let manifest = registry.manifest(store, &oldest.manifest).await?;
        stays.extend(manifest.documents().map(str::to_owned));
    }
    let lying = desk.read(store).await?;
    stays.extend(lying.documents().map(str::to_owned));
    stays.extend(desk.document(store).await?);

    let mut goes: BTreeSet<String> = BTreeSet::new();
    let mut gone = Vec::new();
    for entry in entries {
        let names = Journal::names(store, entry).await?.unwrap_or_default();
        if began.since(entry.at) > INTERRUPTED_SECONDS {
            goes.extend(names);
            gone.push(entry.clone());
        } else {
            // Perhaps just being put.
            stays.extend(names);
        }
    }
    let former = kept.last().filter(|_| !past.is_empty());
    let before = former.iter().flat_map(|(_, oldest)| oldest.changed.iter());
    goes.extend(before.filter_map(|one| Some(one.before.as_ref()?.document().to_owned())));
    for (_, record) in past {
        goes.insert(record.manifest.clone());
        goes.extend(record.documents().map(str::to_owned));
    }
    let mut names: Vec<String> = goes.difference(&stays).cloned().collect();
    // Records last, the oldest first: an interruption leaves a chain that this finds again.
    names.extend(past.iter().rev().map(|(link, _)| link.record.clone()));
    let ends = Journal::sweep_ends(began);
    for batch in names.chunks(BATCH) {
        if clock() >= ends || clock() < began {
            return Err(PruneFailed::Slow);
        }
        store.discard(batch).await?;
    }
    let pruned =
        Pruned { revisions: past.len(), proposals: 0, interrupted: gone.len(), contents: names.len() };
    Ok((pruned, gone))
}

/// How many of the records, the newest first, are kept.
fn kept_of(records: &[(Link, Record)], newest: u64, now: Timestamp) -> usize {
    let oldest = now.plus(-KEPT_DAYS * 86_400);
    records
        .iter()
        .take_while(|(link, record)| {
            newest.saturating_sub(link.number) < KEPT_REVISIONS || record.at >= oldest
        })
        .count()
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        sync::atomic::{AtomicI64, Ordering},
    };

    use broker_core::{
        moment::Timestamp,
        organisation::{Organisation, OrganisationNumber},
        port::Store,
    };
    use broker_store::embedded;
    use certs::key_directory::{Creation, DEFAULT_CERTIFICATE_DAYS, KeyDirectory, SigningKeys};
    use metadata::{
        desk::Actor,
        revision::{Change, document_name},
    };

    use super::{INTERRUPTED_SECONDS, KEPT_DAYS, KEPT_REVISIONS, run};
    use crate::{
        desk::DeskFile,
        journal::Patience,
        registry_edit::{Changes, Live, RegistryFile, Signed},
    };

    const BEGAN: i64 = 1_800_000_000;
    static CLOCK: AtomicI64 = AtomicI64::new(BEGAN);

    fn clock() -> Timestamp {
        Timestamp(CLOCK.load(Ordering::Acquire))
    }

    /// A record of one organisation, another each time.
    fn record(version: u64) -> (OrganisationNumber, Vec<u8>) {
        let text = format!(
            "number = \"4120004249\"\nname = {{ sv = \"Granvik {version}\" }}\ndomains = [\"granvik.example\"]\n"
        );
        let record: Organisation = metadata::organisation::read(&text).0.expect("a record");
        (record.number.clone(), metadata::organisation::document(&record).expect("a document"))
    }

    async fn publish(store: &dyn Store, registry: &RegistryFile, live: &mut Live, version: u64) {
        let (number, document) = record(version);
        let list = vec![Change::AddOrganisation { number, document: document_name(&document), logo: None }];
        let changes = Changes { documents: vec![document], list, despite_hold: None };
        let signed = Signed::by(Actor::Operator { name: "Anna".to_owned() }, "");
        let made = registry.attempt(store, live, changes, &signed, clock).await;
        assert_eq!(made.map_err(|error| error.to_string()), Ok(Some(version)));
    }

    async fn is_kept(store: &dyn Store, octets: &[u8]) -> bool {
        store.kept(&[document_name(octets)]).await.expect("an answer")[0].is_some()
    }

    #[tokio::test]
    async fn what_is_old_and_interrupted_goes_and_what_can_be_restored_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys");
        let creation = Creation {
            name: "test",
            signing_keys: SigningKeys::P256,
            certificate_days: DEFAULT_CERTIFICATE_DAYS,
        };
        let keys = KeyDirectory::init(&path, creation, crate::moment::system_time()).expect("keys");
        let (store, _socket) =
            embedded::open_for_serve(&folder.path().join("registry.redb"), embedded::machine_clock())
                .expect("a store");
        let store = &*store;
        let registry = RegistryFile::new(&keys, folder.path().join("state")).expect("a registry");
        let desk = DeskFile::new(&keys, &folder.path().join("state")).expect("a desk");
        let mut live = registry.read(store, None, clock()).await.expect("nothing yet");
        let last = KEPT_REVISIONS + 5;
        for version in 1..=last {
            publish(store, &registry, &mut live, version).await;
        }
        // Somebody was killed: a document of their own, and one that is live.
        let (own, (_, shared)) = (b"nobody's".to_vec(), record(last));
        let names = [document_name(&own), document_name(&shared)];
        let _ = registry.journal.note(store, &names, Patience::Usual, clock()).await.expect("noted");
        store.keep(&[own.clone(), shared.clone()]).await.expect("kept");

        let pruned = run(store, &registry, &desk, clock).await.expect("pruned");
        assert_eq!((pruned.revisions, pruned.interrupted, pruned.contents), (0, 0, 0), "all are young");
        assert!(is_kept(store, &own).await, "it could still be under way");
        CLOCK.fetch_add(INTERRUPTED_SECONDS + 1, Ordering::AcqRel);
        let pruned = run(store, &registry, &desk, clock).await.expect("pruned");
        assert_eq!((pruned.revisions, pruned.interrupted, pruned.contents), (0, 1, 1));
        assert!(!is_kept(store, &own).await && is_kept(store, &shared).await);

        CLOCK.fetch_add(KEPT_DAYS * 86_400, Ordering::AcqRel);
        let pruned = run(store, &registry, &desk, clock).await.expect("pruned");
        assert_eq!((pruned.revisions, pruned.contents), (5, 15), "record, manifest and document of each");
        for version in 1..=last {
            let (_, document) = record(version);
            assert_eq!(is_kept(store, &document).await, version > 5, "{version}");
        }
        let head = registry.head(store).await.expect("a head").map(|(_, head)| head);
        let history = registry.history(store, head.as_ref(), |_| true).await.expect("a history");
        assert_eq!(history.records.len() as u64, KEPT_REVISIONS);
        assert!(history.is_cut);
        let manifests: BTreeSet<&str> =
            history.records.iter().map(|(_, record)| record.manifest.as_str()).collect();
        for name in manifests {
            let manifest = registry.manifest(store, name).await.expect("a manifest that can be restored");
            let documents: Vec<String> = manifest.documents().map(str::to_owned).collect();
            assert!(store.kept(&documents).await.expect("an answer").iter().all(Option::is_some));
        }
        let again = run(store, &registry, &desk, clock).await.expect("pruned");
        assert_eq!((again.revisions, again.contents), (0, 0), "nothing is left to do");
        publish(store, &registry, &mut live, last + 1).await;
    }
}
