//! What expires, in memory: records, tombstones and marks, with the same rules as the scripts of [`crate::redis`].
//!
//! One lock over one map: a verb touches a few entries, and several entries must change together. Each verb that writes also clears a bounded number
//! of entries whose time is over, so memory follows the logins in flight without a task of its own.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use broker_core::port::{AttemptId, Finish, Finished, Once, Put, StoreError, StoreKey, Taken};

use super::Clock;
use crate::limit::{check_lifetime, check_puts, check_value, occupied};

/// Entries whose time is over that one writing verb clears at most: more than it adds, so that the map shrinks under load.
const SWEPT_AT_ONCE: usize = 16;
/// Octets of values in memory at most; beyond it the store is full, and says so.
const MAX_OCTETS: usize = 1024 * 1024 * 1024;
/// What an entry costs besides its value, roughly.
const OVERHEAD: usize = 256;

/// What stands under a key.
enum Standing {
    /// A value, and the attempt that put it.
    Value { value: Vec<u8>, put: AttemptId },
    /// A tombstone, the attempt that put the value, and for the attempt that took it, the value again.
    Spent { tombstone: Vec<u8>, put: AttemptId, taken: AttemptId, value: Vec<u8> },
    /// A mark, and the attempt that set it.
    Mark { set: AttemptId },
}

impl Standing {
    fn octets(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Value { value, .. } => value.len(),
                Self::Spent { tombstone, value, .. } => tombstone.len() + value.len(),
                Self::Mark { .. } => 0,
            }
    }
}

struct Entry {
    standing: Standing,
    expires: Duration,
}

#[derive(Default)]
struct Shelf {
    entries: HashMap<String, Entry>,
    /// When each entry's time is over, soonest first. An entry that was forgotten or replaced leaves a line here that finds nothing of its time.
    ends: BinaryHeap<Reverse<(Duration, String)>>,
    octets: usize,
}

impl Shelf {
    fn live(&self, key: &str, now: Duration) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| entry.expires > now)
    }

    fn set(&mut self, key: &str, standing: Standing, expires: Duration) {
        self.octets += standing.octets();
        let before = self.entries.insert(key.to_owned(), Entry { standing, expires });
        if let Some(before) = &before {
            self.octets -= before.standing.octets();
        }
        if before.is_none_or(|before| before.expires != expires) {
            self.ends.push(Reverse((expires, key.to_owned())));
        }
    }

    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.octets -= entry.standing.octets();
        }
    }

    fn sweep(&mut self, now: Duration) {
        for _ in 0..SWEPT_AT_ONCE {
            match self.ends.peek() {
                Some(Reverse((ends, _))) if *ends <= now => {}
                _ => return,
            }
            if let Some(Reverse((ends, key))) = self.ends.pop()
                && self.entries.get(&key).is_some_and(|entry| entry.expires == ends)
            {
                self.remove(&key);
            }
        }
    }

    /// Whether the puts may happen, must not, or did already in this attempt.
    fn fits(&self, puts: &[Put], attempt: AttemptId, now: Duration) -> Fits {
        let mut again = 0;
        for (index, put) in puts.iter().enumerate() {
            match self.live(&put.key.0, now).map(|entry| &entry.standing) {
                Some(Standing::Value { put, .. } | Standing::Spent { put, .. }) if *put == attempt => {
                    again += 1
                }
                Some(_) => return Fits::Occupied,
                None if puts.iter().take(index).any(|other| other.key == put.key) => return Fits::Occupied,
                None => {}
            }
        }
        match again {
            0 => Fits::Free,
            all if all == puts.len() => Fits::Again,
            _ => Fits::Occupied,
        }
    }

    fn put(&mut self, puts: &[Put], attempt: AttemptId, now: Duration) {
        for put in puts {
            let standing = Standing::Value { value: put.value.clone(), put: attempt };
            self.set(&put.key.0, standing, now.saturating_add(put.lifetime));
        }
    }

    fn room(&self, puts: &[Put]) -> Result<(), StoreError> {
        let more: usize = puts.iter().map(|put| put.value.len().saturating_add(OVERHEAD)).sum();
        if self.octets.saturating_add(more) > MAX_OCTETS {
            return Err(StoreError::Away("the embedded store's memory is full".to_owned()));
        }
        Ok(())
    }
}

enum Fits {
    Free,
    Again,
    Occupied,
}

/// The map and its clock.
pub(super) struct Expiring {
    clock: Clock,
    shelf: Mutex<Shelf>,
}

impl Expiring {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, shelf: Mutex::default() }
    }

    /// The map, swept a little, and the time. No code that can panic runs under the lock between two changes that belong together, so a poisoned
    /// lock still guards a sound map.
    fn shelf(&self) -> (MutexGuard<'_, Shelf>, Duration) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.clock)();
        shelf.sweep(now);
        (shelf, now)
    }

    pub(super) fn put(&self, puts: &[Put], attempt: AttemptId) -> Result<bool, StoreError> {
        check_puts(puts)?;
        let (mut shelf, now) = self.shelf();
        match shelf.fits(puts, attempt, now) {
            Fits::Occupied => Ok(false),
            Fits::Again => Ok(true),
            Fits::Free => {
                shelf.room(puts)?;
                shelf.put(puts, attempt, now);
                Ok(true)
            }
        }
    }

    pub(super) fn read(&self, key: &StoreKey) -> Result<Taken, StoreError> {
        let (shelf, now) = self.shelf();
        Ok(match shelf.live(&key.0, now).map(|entry| &entry.standing) {
            Some(Standing::Value { value, .. }) => Taken::Value(value.clone()),
            Some(Standing::Spent { tombstone, .. }) => Taken::Spent(tombstone.clone()),
            Some(Standing::Mark { .. }) => return Err(a_mark()),
            None => Taken::Absent,
        })
    }

    pub(super) fn take(
        &self,
        key: &StoreKey,
        tombstone: &[u8],
        attempt: AttemptId,
    ) -> Result<Taken, StoreError> {
        check_value(tombstone)?;
        let (mut shelf, now) = self.shelf();
        let found = look(&shelf, key, attempt, now)?;
        if let Found::Fresh { value, put, expires } = found {
            let spent =
                Standing::Spent { tombstone: tombstone.to_vec(), put, taken: attempt, value: value.clone() };
            shelf.set(&key.0, spent, expires);
            return Ok(Taken::Value(value));
        }
        Ok(match found {
            Found::Fresh { value, .. } | Found::Again(value) => Taken::Value(value),
            Found::Spent(tombstone) => Taken::Spent(tombstone),
            Found::Absent => Taken::Absent,
        })
    }

    pub(super) fn insert_once(&self, once: &Once, attempt: AttemptId) -> Result<bool, StoreError> {
        check_lifetime(once.lifetime)?;
        let (mut shelf, now) = self.shelf();
        match shelf.live(&once.key.0, now).map(|entry| &entry.standing) {
            Some(Standing::Mark { set }) => Ok(*set == attempt),
            Some(_) => Ok(false),
            None => {
                shelf.room(&[])?;
                shelf.set(&once.key.0, Standing::Mark { set: attempt }, now.saturating_add(once.lifetime));
                Ok(true)
            }
        }
    }

    pub(super) fn finish(&self, finish: &Finish, attempt: AttemptId) -> Result<Finished, StoreError> {
        check_value(&finish.tombstone)?;
        check_puts(&finish.put)?;
        let (mut shelf, now) = self.shelf();
        let (value, put, expires) = match look(&shelf, &finish.take, attempt, now)? {
            Found::Fresh { value, put, expires } => (value, put, expires),
            Found::Again(value) => return Ok(Finished::Done(value)),
            Found::Spent(tombstone) => return Ok(Finished::Spent(tombstone)),
            Found::Absent => return Ok(Finished::Absent),
        };
        if let Some(once) = &finish.once {
            check_lifetime(once.lifetime)?;
            if shelf.live(&once.key.0, now).is_some() {
                return Ok(Finished::Replayed);
            }
        }
        if !matches!(shelf.fits(&finish.put, attempt, now), Fits::Free) {
            return Err(occupied());
        }
        shelf.room(&finish.put)?;
        let spent = Standing::Spent {
            tombstone: finish.tombstone.clone(),
            put,
            taken: attempt,
            value: value.clone(),
        };
        shelf.set(&finish.take.0, spent, expires);
        if let Some(once) = &finish.once {
            shelf.set(&once.key.0, Standing::Mark { set: attempt }, now.saturating_add(once.lifetime));
        }
        shelf.put(&finish.put, attempt, now);
        Ok(Finished::Done(value))
    }

    pub(super) fn forget(&self, key: &StoreKey) -> Result<(), StoreError> {
        let (mut shelf, _) = self.shelf();
        shelf.remove(&key.0);
        Ok(())
    }

    /// How many entries stand, those included whose time is over and that are not cleared yet.
    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).entries.len()
    }
}

enum Found {
    Fresh { value: Vec<u8>, put: AttemptId, expires: Duration },
    Again(Vec<u8>),
    Spent(Vec<u8>),
    Absent,
}

fn look(shelf: &Shelf, key: &StoreKey, attempt: AttemptId, now: Duration) -> Result<Found, StoreError> {
    let Some(entry) = shelf.live(&key.0, now) else { return Ok(Found::Absent) };
    Ok(match &entry.standing {
        Standing::Value { value, put } => {
            Found::Fresh { value: value.clone(), put: *put, expires: entry.expires }
        }
        Standing::Spent { value, taken, .. } if *taken == attempt => Found::Again(value.clone()),
        Standing::Spent { tombstone, .. } => Found::Spent(tombstone.clone()),
        Standing::Mark { .. } => return Err(a_mark()),
    })
}

fn a_mark() -> StoreError {
    StoreError::Unexpected("a mark stands where a record should".to_owned())
}
