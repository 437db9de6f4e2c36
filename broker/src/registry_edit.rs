//! How the registry changes, for local commands and inside a node that serves: read what is live, prepare the change, put documents first and
//! move the head last, if nobody moved it in between. What was live stays live whenever something is refused or interrupted.
//!
//! Each publication writes a record: who, when, what, and the record before ([`metadata::revision::Record`]).
//!
//! Neighbours: `journal.rs` knows what an interrupted publication left, `prune.rs` sweeps; `proposals.rs` publishes proposals through this.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::{
    moment::Timestamp,
    port::{HeadMoved, Store, StoreError},
};
use certs::{
    key_directory::KeyDirectory,
    mac::MacKey,
    seal::{NotSealed, SealKey},
};
use metadata::{
    Registry, connection,
    desk::{Actor, Approval},
    key_use::{self, KeyUse},
    revision::{
        BuildFailed, Change, ChangeRefused, EntryChange, Head, HeadRefused, Link, Manifest,
        ManifestUnreadable, Record, RecordRefused, SEAL_LABEL, document_name, other_changes,
    },
};

use crate::{
    journal::{Journal, JournalFailed, Patience},
    registry_watch::{self, HEAD, Unconfirmed},
    seen::Seen,
    wiring,
};

/// How often somebody else may be faster before we give up.
pub(crate) const ATTEMPTS: usize = 20;
/// More revisions than this are not walked through: a chain that is longer is not ours.
const LONGEST_HISTORY: usize = 100_000;

/// The registry as it lies in the store.
pub(crate) struct RegistryFile {
    mac: MacKey,
    record: SealKey,
    pub(crate) journal: Journal,
    seen: Seen,
    key_use: MacKey,
    directory: PathBuf,
}

/// What is live, as it was read.
#[derive(Default)]
pub(crate) struct Live {
    octets: Option<Vec<u8>>,
    /// The head; `None`: nothing was ever published.
    pub(crate) head: Option<Head>,
    /// The snapshot.
    pub(crate) registry: Arc<Registry>,
    is_fresh: bool,
}

/// What a change puts and moves.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Documents to keep.
    pub(crate) documents: Vec<Vec<u8>>,
    /// Changes of the manifest, in order.
    pub(crate) list: Vec<Change>,
    /// Why they are made although the guard holds them.
    pub(crate) despite_hold: Option<String>,
}

/// Who publishes, and what is written down beside.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    /// Who.
    pub(crate) by: Actor,
    /// What they say; may be empty.
    pub(crate) note: String,
    /// Who approved.
    pub(crate) approvals: Vec<Approval>,
    /// The proposal that is published.
    pub(crate) proposal: Option<u64>,
    /// The revision that is restored.
    pub(crate) restores: Option<u64>,
}

impl Signed {
    /// By somebody, with what they say.
    pub(crate) fn by(by: Actor, note: impl Into<String>) -> Self {
        Self { by, note: note.into(), approvals: Vec::new(), proposal: None, restores: None }
    }
}

/// Why the registry is not read or not changed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum EditFailed {
    /// Nobody can say what is live.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Somebody without the keys has written to the store, or put something old back. This is an alarm.
    #[error("the registry's head is refused: {0}. {1}")]
    Head(HeadRefused, String),
    /// What the head names is not there, or is something else. This is an alarm.
    #[error("the registry is refused: {0}")]
    Tampered(String),
    /// A record of the history is not what its name and place say. This is an alarm.
    #[error(transparent)]
    Record(#[from] RecordRefused),
    /// The manifest does not take it.
    #[error(transparent)]
    Change(#[from] ChangeRefused),
    /// What is about to be put cannot be written down.
    #[error(transparent)]
    Journal(#[from] JournalFailed),
    /// It cannot be written.
    #[error("{0}")]
    NotWritten(String),
    /// Others were faster, again and again.
    #[error("somebody else changed the registry again and again; nothing was changed. Try again.")]
    Busy,
}

impl EditFailed {
    /// Whether it was understood and is refused, rather than not possible now.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Change(_))
    }

    /// Whether somebody has meddled with the store: an alarm, and not a passing trouble.
    pub(crate) fn is_alarm(&self) -> bool {
        matches!(
            self,
            Self::Head(..)
                | Self::Tampered(_)
                | Self::Record(_)
                | Self::Journal(JournalFailed::Unauthenticated(_))
        )
    }
}

impl From<Unconfirmed> for EditFailed {
    fn from(error: Unconfirmed) -> Self {
        match error {
            Unconfirmed::Away(why) => Self::Store(StoreError::Away(why)),
            Unconfirmed::Alarm(why) => Self::Tampered(why),
        }
    }
}

impl From<NotSealed> for EditFailed {
    fn from(error: NotSealed) -> Self {
        Self::NotWritten(error.to_string())
    }
}

impl From<ManifestUnreadable> for EditFailed {
    fn from(error: ManifestUnreadable) -> Self {
        Self::NotWritten(error.to_string())
    }
}

/// The history, the newest first.
pub(crate) struct History {
    /// Where each is, and what it says.
    pub(crate) records: Vec<(Link, Record)>,
    /// Whether the oldest of them names one that is not there any more.
    pub(crate) is_cut: bool,
}

impl RegistryFile {
    /// The registry of whoever has these keys. `state` is this machine's own folder.
    ///
    /// # Errors
    /// Never in practice: see [`SealKey::new`].
    pub(crate) fn new(keys: &KeyDirectory, state: PathBuf) -> Result<Self, EditFailed> {
        let mac = wiring::registry_key(keys);
        let directory = state.join("registry");
        Ok(Self {
            record: SealKey::new(keys.registry_secret(), SEAL_LABEL)?,
            journal: Journal::new(keys),
            // What a node on this machine keeps counts too.
            seen: Seen::at(state.join("registry.head"), &mac).and(&directory.join("head"), &mac),
            key_use: wiring::key_use_key(keys),
            mac,
            directory,
        })
    }

    /// Reads what is live. `previous`: a snapshot from which unchanged peers are taken over, of whatever revision.
    ///
    /// # Errors
    /// [`EditFailed`].
    pub(crate) async fn read(
        &self,
        store: &dyn Store,
        previous: Option<Arc<Registry>>,
        now: Timestamp,
    ) -> Result<Live, EditFailed> {
        let Some((octets, head)) = self.head(store).await? else {
            return Ok(Live { octets: None, head: None, registry: Arc::default(), is_fresh: true });
        };
        let registry = self.build(store, &head, previous, now).await?;
        self.seen.saw(&head, &octets);
        Ok(Live { octets: Some(octets), head: Some(head), registry: Arc::new(registry), is_fresh: true })
    }

    /// The head that stands, if one does: as it lies there, and opened.
    ///
    /// # Errors
    /// When the store is away, or the head is not to be believed.
    pub(crate) async fn head(&self, store: &dyn Store) -> Result<Option<(Vec<u8>, Head)>, EditFailed> {
        let seen = self.seen.until_now();
        let Some(octets) = store.head(HEAD).await? else {
            if seen.is_any() {
                return Err(EditFailed::Tampered(format!(
                    "the store has none, and this machine has seen one: was it emptied? {}",
                    self.seen.remedy()
                )));
            }
            return Ok(None);
        };
        let head = Head::open(&octets, &self.mac).map_err(|error| EditFailed::Head(error, String::new()))?;
        seen.check(&head).map_err(|error| EditFailed::Head(error, self.seen.remedy()))?;
        Ok(Some((octets, head)))
    }

    async fn build(
        &self,
        store: &dyn Store,
        head: &Head,
        previous: Option<Arc<Registry>>,
        now: Timestamp,
    ) -> Result<Registry, EditFailed> {
        let number = head.number;
        if let Some(previous) = previous {
            let manifest = self.manifest(store, &head.manifest).await?;
            let known = &previous.manifest().entries;
            let changed = manifest.entries.iter().filter(|(id, entry)| known.get(*id) != Some(*entry));
            let names: Vec<String> = changed.map(|(_, entry)| entry.document().to_owned()).collect();
            let contents = self.documents(store, names).await?;
            let built = off_thread(move || {
                let find = |name: &str| contents.get(name).map(Vec::as_slice);
                Registry::build(number, &manifest, &find, Some(&previous), now)
            })
            .await?;
            match built {
                // A new record makes its organisation's peers anew: then all documents are asked for.
                Err(BuildFailed::DocumentMissing { .. }) => {}
                Ok(registry) => return Ok(registry),
                Err(error) => return Err(EditFailed::Tampered(error.to_string())),
            }
        }
        let (manifest, contents) = registry_watch::fetch(store, head, &self.directory).await?;
        off_thread(move || registry_watch::build(number, &manifest, &contents, None, now))
            .await?
            .map_err(EditFailed::Tampered)
    }

    /// When which key of which provider last verified a message: what the guard goes by. Where somebody has meddled with it
    /// nothing is published until a node has written it anew.
    ///
    /// # Errors
    /// When the store is away, or the notes are not to be believed.
    pub(crate) async fn key_use(&self, store: &dyn Store) -> Result<KeyUse, EditFailed> {
        let Some(octets) = store.head(key_use::HEAD).await? else { return Ok(KeyUse::default()) };
        KeyUse::open(&octets, &self.key_use).map_err(|error| EditFailed::Tampered(error.to_string()))
    }

    /// The octets of all of these names that are there.
    ///
    /// # Errors
    /// When the store is away, or has something else under one of the names.
    pub(crate) async fn documents(
        &self,
        store: &dyn Store,
        names: impl IntoIterator<Item = String>,
    ) -> Result<HashMap<String, Vec<u8>>, EditFailed> {
        let names: BTreeSet<String> = names.into_iter().collect();
        let names: Vec<String> = names.into_iter().collect();
        let mut contents = HashMap::new();
        for batch in names.chunks(256) {
            let found = match store.kept(batch).await {
                Err(StoreError::Unexpected(why)) => return Err(EditFailed::Tampered(why)),
                found => found?,
            };
            contents
                .extend(batch.iter().cloned().zip(found).filter_map(|(name, found)| Some((name, found?))));
        }
        Ok(contents)
    }

    /// A manifest by its name.
    ///
    /// # Errors
    /// When the store is away, or has lost it.
    pub(crate) async fn manifest(&self, store: &dyn Store, name: &str) -> Result<Manifest, EditFailed> {
        let octets = self.document(store, name).await?;
        Manifest::from_document(&octets).map_err(|error| EditFailed::Tampered(error.to_string()))
    }

    /// The octets under a name.
    ///
    /// # Errors
    /// When the store is away, or has lost it.
    pub(crate) async fn document(&self, store: &dyn Store, name: &str) -> Result<Vec<u8>, EditFailed> {
        let found = match store.kept(&[name.to_owned()]).await {
            // Something else lies under the name.
            Err(StoreError::Unexpected(why)) => return Err(EditFailed::Tampered(why)),
            found => found?,
        };
        let lost = || EditFailed::Tampered(format!("the store has lost the document {name}"));
        found.into_iter().next().flatten().ok_or_else(lost)
    }

    /// Makes `live` what is live now, where somebody else was faster or it could not be read after a publication.
    ///
    /// # Errors
    /// [`EditFailed`].
    pub(crate) async fn refresh(
        &self,
        store: &dyn Store,
        live: &mut Live,
        clock: fn() -> Timestamp,
    ) -> Result<(), EditFailed> {
        if !live.is_fresh {
            *live = self.read(store, Some(Arc::clone(&live.registry)), clock()).await?;
        }
        Ok(())
    }

    /// Makes changes that were prepared and judged against `live`. Returns the number of what is live then, or `None` when somebody else was faster:
    /// then [`RegistryFile::refresh`] it, and prepare and judge them anew, at most [`ATTEMPTS`] times. A change that changes nothing makes no
    /// revision.
    ///
    /// # Errors
    /// [`EditFailed`].
    pub(crate) async fn attempt(
        &self,
        store: &dyn Store,
        live: &mut Live,
        changes: Changes,
        signed: &Signed,
        clock: fn() -> Timestamp,
    ) -> Result<Option<u64>, EditFailed> {
        let before = live.registry.manifest();
        let mut manifest = before.clone();
        for change in &changes.list {
            manifest = manifest.with(change.clone())?;
        }
        if manifest == *before {
            return Ok(Some(live.registry.number()));
        }
        connection::remember_before(&live.registry, &mut manifest);
        live.is_fresh = false;
        let published = self.publish(store, live, &manifest, changes, signed, clock()).await?;
        // It is live. What cannot be read just now is read before the next change.
        if published.is_some()
            && let Err(error) = self.refresh(store, live, clock).await
        {
            tracing::warn!(%error, "the registry could not be read after a publication");
        }
        Ok(published)
    }

    /// Puts documents, record and manifest, and moves the head; `None`: somebody else was faster.
    async fn publish(
        &self,
        store: &dyn Store,
        live: &Live,
        manifest: &Manifest,
        changes: Changes,
        signed: &Signed,
        now: Timestamp,
    ) -> Result<Option<u64>, EditFailed> {
        let number = live.head.as_ref().map_or(0, |head| head.number) + 1;
        let before = live.registry.manifest();
        let document = manifest.to_document()?;
        let manifest_name = document_name(&document);
        let record = Record {
            number,
            previous: live.head.as_ref().and_then(Head::link),
            manifest: manifest_name.clone(),
            at: now,
            author: signed.by.clone(),
            approvals: signed.approvals.clone(),
            note: signed.note.clone(),
            proposal: signed.proposal,
            restores: signed.restores,
            despite_hold: changes.despite_hold,
            changed: EntryChange::between(before, manifest),
            other: other_changes(before, manifest),
        };
        let record = record.seal(&self.record)?;
        let head = Head { number, manifest: manifest_name, at: now, record: Some(document_name(&record)) };
        let (mut contents, urgent) = (changes.documents, changes.list);
        contents.push(record);
        contents.push(document);
        let names: Vec<String> = contents.iter().map(|content| document_name(content)).collect();
        // A suspension or a closed connection brings no document, and waits for nobody: what it leaves when it is interrupted is small, and nothing names it.
        let urgent = !urgent.is_empty() && urgent.iter().all(|change| change.entry().is_none());
        let patience = if urgent { Patience::Little } else { Patience::Usual };
        let noted = match self.journal.note(store, &names, patience, now).await {
            Ok(noted) => Some(noted),
            Err(JournalFailed::Store(away)) => return Err(away.into()),
            Err(error) if urgent => {
                tracing::warn!(%error, "a suspension or a connection is published without an entry in the journal");
                None
            }
            Err(error) => return Err(error.into()),
        };
        store.keep(&contents).await?;
        let sealed = head.seal(&self.mac);
        match store.move_head(HEAD, live.octets.as_deref(), &sealed).await? {
            HeadMoved::Moved => {
                self.seen.saw(&head, &sealed);
                // It has happened, whatever becomes of the entry in the journal: that one is swept later.
                if let Some(noted) = noted {
                    let _ = self.journal.settle(store, noted, now).await;
                }
                Ok(Some(number))
            }
            HeadMoved::Conflict(_) => Ok(None),
        }
    }

    /// Looks at the record of the newest revision, as a node does when the head has moved.
    ///
    /// # Errors
    /// When it is gone, or not to be believed.
    pub(crate) async fn check_newest(&self, store: &dyn Store) -> Result<(), EditFailed> {
        let Some((_, head)) = self.head(store).await? else { return Ok(()) };
        let history = self.history(store, Some(&head), |_| false).await?;
        if history.is_cut && history.records.is_empty() {
            let gone = format!("the record of revision {} is gone from the store", head.number);
            return Err(EditFailed::Tampered(gone));
        }
        Ok(())
    }

    /// Somebody's name as it may stand in what lies in the store: sealed, in base 64.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(crate) fn seal_name(&self, name: &str) -> Result<String, EditFailed> {
        Ok(STANDARD.encode(self.record.seal(name.as_bytes())?))
    }

    /// The name that [`RegistryFile::seal_name`] sealed; `None`: it is none of ours.
    pub(crate) fn open_name(&self, sealed: &str) -> Option<String> {
        let octets = self.record.open(&STANDARD.decode(sealed).ok()?).ok()?;
        String::from_utf8(octets.to_vec()).ok()
    }

    /// The records from the newest to the oldest that is there, as long as `goes_on` says so of each.
    ///
    /// # Errors
    /// When the store is away, or a record is not what its name and place say.
    pub(crate) async fn history(
        &self,
        store: &dyn Store,
        head: Option<&Head>,
        mut goes_on: impl FnMut(&Record) -> bool,
    ) -> Result<History, EditFailed> {
        let mut history = History { records: Vec::new(), is_cut: false };
        let mut link = head.and_then(Head::link);
        while let Some(at) = link {
            if history.records.len() >= LONGEST_HISTORY {
                return Err(EditFailed::Tampered("the history is longer than any can be".to_owned()));
            }
            let found = match store.kept(std::slice::from_ref(&at.record)).await {
                Err(StoreError::Unexpected(why)) => return Err(EditFailed::Tampered(why)),
                found => found?,
            };
            let Some(octets) = found.into_iter().next().flatten() else {
                history.is_cut = true;
                break;
            };
            let record = Record::open(&octets, &self.record, &at)?;
            if history.records.is_empty() && head.is_some_and(|head| head.manifest != record.manifest) {
                return Err(EditFailed::Tampered("the newest record is of another manifest".to_owned()));
            }
            link = record.previous.clone();
            let more = goes_on(&record);
            history.records.push((at, record));
            if !more {
                break;
            }
        }
        Ok(history)
    }
}

/// Runs what takes a while where it holds nobody up.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, EditFailed> {
    tokio::task::spawn_blocking(work).await.map_err(|error| EditFailed::NotWritten(error.to_string()))
}
