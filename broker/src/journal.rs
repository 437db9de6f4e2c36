//! The journal: contents that somebody is about to put into the store, written down before the first of them is there. What an interrupted
//! publication left is found by it and swept a day later ([`crate::prune`]).
//!
//! It is one head, `pending`: a MAC and JSON. Refreshes of sources have one of their own, `source-pending`, and sweep it themselves
//! ([`crate::source_watch`]). Each entry names a content that is the list of the names; the list is kept after the entry stands, so
//! an entry without its list means that nothing else was put either. While somebody sweeps, nobody writes: what is about to be discarded could else
//! be what another just relies on.

use std::time::Duration;

use broker_core::{
    moment::Timestamp,
    port::{HeadMoved, Store, StoreError},
};
use certs::{
    key_directory::KeyDirectory,
    mac::{MAC_OCTETS, MacKey},
};
use metadata::revision::document_name;
use serde::{Deserialize, Serialize};

/// The head's name in the store, for publications.
const PUBLICATIONS: &str = "pending";
/// The same, for what refreshes of sources put.
const REFRESHES: &str = "source-pending";
/// Entries at once. One is a publication under way, or one that was interrupted less than a day ago.
const MOST: usize = 400;
/// Seconds after which whoever swept is taken to have ended without saying so.
const LEASE_SECONDS: i64 = 60;
/// How often, and how long apart, a change is tried while somebody else sweeps or is faster.
const ATTEMPTS: u32 = 100;
const ATTEMPTS_IN_HASTE: u32 = 10;
const PAUSE: Duration = Duration::from_millis(50);

/// What is about to be put, as the head has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pending {
    /// Since when somebody sweeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sweeping: Option<Timestamp>,
    /// Publications under way, or interrupted.
    entries: Vec<PendingEntry>,
}

/// One publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PendingEntry {
    /// When it began.
    pub(crate) at: Timestamp,
    /// The name of the content that is the list of names.
    pub(crate) list: String,
}

/// Why the journal was not written.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum JournalFailed {
    /// Nobody can say.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Somebody without the keys wrote it. This is an alarm.
    #[error(
        "the journal of what is being put (head \"{0}\") is refused: somebody without the registry key wrote it"
    )]
    Unauthenticated(&'static str),
    /// Too many publications were interrupted.
    #[error("{MOST} publications were begun and not ended within a day: run `sparvidd revision prune`")]
    Full,
    /// Somebody sweeps for too long.
    #[error("the store is being swept; nothing was changed. Try again in a minute.")]
    Busy,
}

/// The journal of whoever has the keys.
pub(crate) struct Journal {
    mac: MacKey,
    head: &'static str,
}

/// How long to wait while somebody sweeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Five seconds.
    Usual,
    /// Half a second: a suspension is not to wait.
    Little,
}

/// A publication that is written down.
#[must_use]
pub(crate) struct Noted {
    entry: PendingEntry,
}

impl Journal {
    /// The journal of publications, with the key for it.
    pub(crate) fn new(keys: &KeyDirectory) -> Self {
        Self { mac: keys.registry_secret().mac_key("pending head"), head: PUBLICATIONS }
    }

    /// The journal of refreshes, with the key for it.
    pub(crate) fn of_refreshes(mac: MacKey) -> Self {
        Self { mac, head: REFRESHES }
    }

    /// What was noted and not settled.
    ///
    /// # Errors
    /// [`JournalFailed`].
    pub(crate) async fn entries(&self, store: &dyn Store) -> Result<Vec<PendingEntry>, JournalFailed> {
        Ok(self.read(store).await?.1.entries)
    }

    /// Writes down what is about to be kept. Nothing of it is to be kept before this returns.
    ///
    /// # Errors
    /// [`JournalFailed`]; then nothing was put.
    pub(crate) async fn note(
        &self,
        store: &dyn Store,
        names: &[String],
        patience: Patience,
        now: Timestamp,
    ) -> Result<Noted, JournalFailed> {
        // The moment is in the list, so that two publications of the same contents have an entry each.
        let list = serde_json::to_vec(&(now, std::process::id(), names)).unwrap_or_default();
        let entry = PendingEntry { at: now, list: document_name(&list) };
        self.change(store, patience, now, |pending| {
            if pending.entries.len() >= MOST {
                return Err(JournalFailed::Full);
            }
            pending.entries.push(entry.clone());
            Ok(())
        })
        .await?;
        store.keep(&[list]).await?;
        Ok(Noted { entry })
    }

    /// The publication is live, or nothing of it was put. One that somebody else overtook is not settled: what it put may be what the other relies
    /// on, and the sweep tells.
    ///
    /// # Errors
    /// [`JournalFailed`]: then it is swept later, and that is no harm.
    pub(crate) async fn settle(
        &self,
        store: &dyn Store,
        noted: Noted,
        now: Timestamp,
    ) -> Result<(), JournalFailed> {
        let entry = noted.entry;
        self.change(store, Patience::Usual, now, |pending| {
            // One of them: the same process may have noted the same names twice within a second.
            if let Some(at) = pending.entries.iter().position(|other| *other == entry) {
                pending.entries.remove(at);
            }
            Ok(())
        })
        .await?;
        store.discard(std::slice::from_ref(&entry.list)).await?;
        Ok(())
    }

    /// Begins a sweep: nobody notes anything until [`Journal::end_sweep`]. Returns the entries as they stand.
    ///
    /// # Errors
    /// [`JournalFailed`].
    pub(crate) async fn begin_sweep(
        &self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Vec<PendingEntry>, JournalFailed> {
        self.change(store, Patience::Usual, now, |pending| {
            pending.sweeping = Some(now);
            Ok(pending.entries.clone())
        })
        .await
    }

    /// Until when whoever began a sweep at `began` may discard: well before others go on.
    pub(crate) fn sweep_ends(began: Timestamp) -> Timestamp {
        began.plus(LEASE_SECONDS / 2)
    }

    /// Ends the sweep that began at `began`, and takes away the entries that were swept.
    ///
    /// # Errors
    /// [`JournalFailed`]; then others go on after a minute.
    pub(crate) async fn end_sweep(
        &self,
        store: &dyn Store,
        began: Timestamp,
        swept: &[PendingEntry],
    ) -> Result<(), JournalFailed> {
        for _ in 0..ATTEMPTS {
            let (octets, mut pending) = self.read(store).await?;
            if pending.sweeping != Some(began) {
                return Ok(());
            }
            pending.sweeping = None;
            pending.entries.retain(|entry| !swept.contains(entry));
            if self.moved(store, octets.as_deref(), &pending).await? {
                let lists: Vec<String> = swept.iter().map(|entry| entry.list.clone()).collect();
                return Ok(store.discard(&lists).await?);
            }
        }
        Err(JournalFailed::Busy)
    }

    /// The names that an entry's list has; `None`: the list was never kept, and so nothing else was.
    ///
    /// # Errors
    /// When the store is away.
    pub(crate) async fn names(
        store: &dyn Store,
        entry: &PendingEntry,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let list = store.kept(std::slice::from_ref(&entry.list)).await?.pop().flatten();
        let read = |list: Vec<u8>| serde_json::from_slice::<(Timestamp, u32, Vec<String>)>(&list).ok();
        Ok(list.and_then(read).map(|(_, _, names)| names))
    }

    async fn change<T>(
        &self,
        store: &dyn Store,
        patience: Patience,
        now: Timestamp,
        mut work: impl FnMut(&mut Pending) -> Result<T, JournalFailed>,
    ) -> Result<T, JournalFailed> {
        let attempts = match patience {
            Patience::Usual => ATTEMPTS,
            Patience::Little => ATTEMPTS_IN_HASTE,
        };
        for _ in 0..attempts {
            let (octets, mut pending) = self.read(store).await?;
            let swept = pending.sweeping.is_some_and(|since| now.since(since).abs() < LEASE_SECONDS);
            if !swept {
                pending.sweeping = None;
                let told = work(&mut pending)?;
                if self.moved(store, octets.as_deref(), &pending).await? {
                    return Ok(told);
                }
                continue;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(JournalFailed::Busy)
    }

    async fn read(&self, store: &dyn Store) -> Result<(Option<Vec<u8>>, Pending), JournalFailed> {
        let Some(octets) = store.head(self.head).await? else { return Ok((None, Pending::default())) };
        let (mac, body) =
            octets.split_at_checked(MAC_OCTETS).ok_or(JournalFailed::Unauthenticated(self.head))?;
        self.mac.verify(body, mac).map_err(|_| JournalFailed::Unauthenticated(self.head))?;
        let pending = serde_json::from_slice(body).map_err(|_| JournalFailed::Unauthenticated(self.head))?;
        Ok((Some(octets), pending))
    }

    async fn moved(
        &self,
        store: &dyn Store,
        from: Option<&[u8]>,
        to: &Pending,
    ) -> Result<bool, JournalFailed> {
        let body = serde_json::to_vec(to).unwrap_or_default();
        let mut octets = self.mac.mac(&body).to_vec();
        octets.extend_from_slice(&body);
        Ok(store.move_head(self.head, from, &octets).await? == HeadMoved::Moved)
    }
}
