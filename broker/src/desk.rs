//! The desk in the store: one sealed document under a head of its own, changed by compare-and-set.
//!
//! A head that somebody without the keys wrote, that was copied from another head, or that is older than what this machine has seen is refused, and
//! so is a document that does not open. What was seen is remembered in the `state` folder, so that a command notices it too.
//!
//! Neighbours: [`metadata::desk`] says what lies on the desk and how it may change; [`crate::registry_watch`] follows the registry in the same way.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use arc_swap::ArcSwap;
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
    desk::{Desk, DeskUnreadable},
    revision::{Head, HeadRefused, document_name},
};

use crate::{
    journal::{Journal, JournalFailed, Patience},
    seen::Seen,
};

/// The head's name in the store.
const HEAD: &str = "desk";
/// Label of the MAC of its head.
const MAC: &str = "desk head";
/// Label of the seal of its document.
const SEAL: &str = "desk";
/// How often somebody else may be faster before we give up.
const ATTEMPTS: usize = 20;
/// Seconds without a confirmation after which nothing on it is believed any more: a token could have been revoked.
const STALE_SECONDS: i64 = 30;
/// How far, in seconds, this machine's clock may be set back without a confirmation losing its worth.
const CLOCK_STEP: i64 = 5;
/// The name of the file with the newest head that was seen, in the `state` folder.
const SEEN: &str = "desk.head";

/// Reads and changes the desk.
pub(crate) struct DeskFile {
    mac: MacKey,
    seal: SealKey,
    journal: Journal,
    seen: Seen,
    current: ArcSwap<(Option<Vec<u8>>, Desk)>,
    confirmed: AtomicI64,
    refreshing: tokio::sync::Mutex<()>,
}

/// Why the desk is not read or not changed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum DeskFailed {
    /// Nobody can say what lies on it.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Somebody without the keys has written to the store, or put something old back. This is an alarm.
    #[error("the desk's head is refused: {0}")]
    Head(#[from] HeadRefused),
    /// The store has not what the head names, or something else in its place. This is an alarm.
    #[error("the desk is refused: {0}")]
    Tampered(String),
    /// What is about to be put cannot be written down.
    #[error(transparent)]
    Journal(#[from] JournalFailed),
    /// It cannot be written.
    #[error("{0}")]
    NotWritten(String),
    /// It was not confirmed lately.
    #[error("the desk has not been confirmed for {STALE_SECONDS} s")]
    Stale,
    /// Others were faster, again and again.
    #[error("somebody else changed the desk again and again; nothing was changed. Try again.")]
    Busy,
}

impl DeskFailed {
    /// Whether somebody has meddled with the store: an alarm, and not a passing trouble.
    pub(crate) fn is_alarm(&self) -> bool {
        matches!(self, Self::Head(_) | Self::Tampered(_) | Self::Journal(JournalFailed::Unauthenticated(_)))
    }
}

impl From<NotSealed> for DeskFailed {
    fn from(error: NotSealed) -> Self {
        Self::NotWritten(error.to_string())
    }
}

impl From<DeskUnreadable> for DeskFailed {
    fn from(error: DeskUnreadable) -> Self {
        Self::NotWritten(error.to_string())
    }
}

/// The desk as a node has confirmed it.
pub(crate) struct Confirmed(Arc<(Option<Vec<u8>>, Desk)>);

impl std::ops::Deref for Confirmed {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.0.1
    }
}

/// What stands in the store.
struct Standing {
    octets: Option<Vec<u8>>,
    head: Option<Head>,
    desk: Desk,
}

impl DeskFile {
    /// The desk of whoever has these keys. `state` is this machine's own folder.
    ///
    /// # Errors
    /// Never in practice: see [`SealKey::new`].
    pub(crate) fn new(keys: &KeyDirectory, state: &Path) -> Result<Self, DeskFailed> {
        let mac = keys.registry_secret().mac_key(MAC);
        Ok(Self {
            seal: SealKey::new(keys.registry_secret(), SEAL)?,
            journal: Journal::new(keys),
            seen: Seen::at(state.join(SEEN), &mac),
            mac,
            current: ArcSwap::default(),
            confirmed: AtomicI64::new(i64::MIN),
            refreshing: tokio::sync::Mutex::default(),
        })
    }

    /// Looks at the head, and reads the desk when it has moved: for a node that serves, each second.
    ///
    /// # Errors
    /// [`DeskFailed`]; what was read before stays, and is not confirmed.
    pub(crate) async fn refresh(
        &self,
        store: &dyn Store,
        clock: fn() -> Timestamp,
    ) -> Result<(), DeskFailed> {
        // One at a time: a slow answer must not put an older desk back over a newer one.
        let _one = self.refreshing.lock().await;
        // Taken before the question, as the registry's.
        let (asked, seen) = (clock(), self.seen.until_now());
        let head = store.head(HEAD).await?;
        match &head {
            // The one that is known is held against what was seen as well: a change of this machine's own may have been newer.
            Some(octets) if self.current.load().0.as_ref() == Some(octets) => {
                seen.check(&Head::open(octets, &self.mac)?)?;
            }
            _ => {
                let standing = self.standing(store).await?;
                self.current.store(Arc::new((standing.octets, standing.desk)));
            }
        }
        self.confirmed.store(asked.0, Ordering::Release);
        Ok(())
    }

    /// What lay on the desk a moment ago, as [`DeskFile::refresh`] read it: for a node that serves, without asking the store.
    ///
    /// # Errors
    /// When it has not been confirmed for 30 s.
    pub(crate) fn confirmed(&self, now: Timestamp) -> Result<Confirmed, DeskFailed> {
        let confirmed = self.confirmed.load(Ordering::Acquire);
        // A clock that was set back would make an old confirmation look new.
        if (-CLOCK_STEP..=STALE_SECONDS).contains(&now.0.saturating_sub(confirmed)) {
            Ok(Confirmed(self.current.load_full()))
        } else {
            Err(DeskFailed::Stale)
        }
    }

    /// What lies on the desk now.
    ///
    /// # Errors
    /// [`DeskFailed`].
    pub(crate) async fn read(&self, store: &dyn Store) -> Result<Desk, DeskFailed> {
        Ok(self.standing(store).await?.desk)
    }

    /// The name of the sealed document that the head names now, if there is one: what a sweep must leave.
    ///
    /// # Errors
    /// [`DeskFailed`].
    pub(crate) async fn document(&self, store: &dyn Store) -> Result<Option<String>, DeskFailed> {
        Ok(self.standing(store).await?.head.map(|head| head.manifest))
    }

    /// Changes the desk: `work` is given what lies on it and may refuse; it is called anew on the new state when somebody else was faster.
    /// What it changed is in the store when this returns. A change that changes nothing is not written.
    ///
    /// # Errors
    /// What `work` refuses with, or [`DeskFailed`].
    pub(crate) async fn change<T, E: From<DeskFailed>>(
        &self,
        store: &dyn Store,
        now: Timestamp,
        mut work: impl FnMut(&mut Desk) -> Result<T, E>,
    ) -> Result<T, E> {
        for _ in 0..ATTEMPTS {
            let standing = self.standing(store).await?;
            let mut desk = standing.desk.clone();
            let told = work(&mut desk)?;
            if desk == standing.desk {
                return Ok(told);
            }
            if self.put(store, now, &standing, &desk).await? {
                return Ok(told);
            }
        }
        Err(DeskFailed::Busy.into())
    }

    async fn put(
        &self,
        store: &dyn Store,
        now: Timestamp,
        standing: &Standing,
        desk: &Desk,
    ) -> Result<bool, DeskFailed> {
        let document = self.seal.seal(&desk.to_document()?)?;
        let name = document_name(&document);
        let number = standing.head.as_ref().map_or(0, |head| head.number) + 1;
        let head = Head { number, manifest: name.clone(), at: now, record: None };
        let octets = head.seal(&self.mac);
        // What is put, and what is not needed any more when the head has moved: swept later if this is interrupted.
        let former = standing.head.as_ref().map(|head| head.manifest.clone());
        let names: Vec<String> = std::iter::once(name.clone()).chain(former.clone()).collect();
        let noted = self.journal.note(store, &names, Patience::Usual, now).await?;
        store.keep(&[document]).await?;
        let moved = store.move_head(HEAD, standing.octets.as_deref(), &octets).await?;
        let left_over = match moved {
            HeadMoved::Moved => {
                self.seen.saw(&head, &octets);
                former
            }
            // Sealed with a nonce of its own: nobody else can rely on it.
            HeadMoved::Conflict(_) => Some(name),
        };
        // It has happened, or not, whatever becomes of what is left over: that is swept later where the store is away now.
        let left_over: Vec<String> = left_over.into_iter().collect();
        if store.discard(&left_over).await.is_ok() {
            let _ = self.journal.settle(store, noted, now).await;
        }
        Ok(moved == HeadMoved::Moved)
    }

    async fn standing(&self, store: &dyn Store) -> Result<Standing, DeskFailed> {
        let mut missing = String::new();
        // Between the head and its document somebody may have moved on and discarded it: then the head is another one now.
        for _ in 0..ATTEMPTS {
            let seen = self.seen.until_now();
            let Some(octets) = store.head(HEAD).await? else {
                if seen.is_any() {
                    return Err(DeskFailed::Tampered(format!(
                        "the store has none, and this machine has seen one: was it emptied? {}",
                        self.seen.remedy()
                    )));
                }
                return Ok(Standing { octets: None, head: None, desk: Desk::default() });
            };
            let head = Head::open(&octets, &self.mac)?;
            seen.check(&head)?;
            if missing == head.manifest {
                break;
            }
            let found = match store.kept(std::slice::from_ref(&head.manifest)).await {
                // Something else lies under the name.
                Err(StoreError::Unexpected(why)) => return Err(DeskFailed::Tampered(why)),
                found => found?,
            };
            let Some(document) = found.into_iter().next().flatten() else {
                missing = head.manifest;
                continue;
            };
            let opened =
                self.seal.open(&document).map_err(|error| DeskFailed::Tampered(error.to_string()))?;
            let desk =
                Desk::from_document(&opened).map_err(|error| DeskFailed::Tampered(error.to_string()))?;
            self.seen.saw(&head, &octets);
            return Ok(Standing { octets: Some(octets), head: Some(head), desk });
        }
        Err(DeskFailed::Tampered(format!("the store has lost the document {missing}")))
    }
}
