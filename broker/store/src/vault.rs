//! Typed, sealed records over any store: what the process uses to remember a login between two requests.
//!
//! Each verb is one call of the port, and so one round trip (two while a former node secret is still accepted and nothing stands under the
//! present one). Nothing here retries: a store does, with the same attempt id, where it knows that an answer was lost.
//!
//! Neighbours: [`crate::record`] seals; [`broker_core::port`] stores.

use std::{fmt, sync::Arc, time::Duration};

use broker_core::{
    moment::{Moment, Timestamp},
    port::{AttemptId, Finish, Finished as StoreFinished, Once, Put, Store, StoreError, Taken},
};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    keyspace::MAX_LIFETIME_SECONDS,
    record::{self, Handle, MarkKind, NodeSecret, Part, Place, Unopened},
};

/// Why a verb failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VaultError {
    /// The store does not answer, or not as it should. Nothing is known of the verb's effect: fail closed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What stands there was not written by a node at this place. Treat it as absent; it is logged as tampering here already.
    #[error("a record in the store was not written by a node at this place")]
    Corrupt,
    /// The value is too large to be a record, or cannot be written.
    #[error("the value cannot be a record: {0}")]
    Unfit(String),
    /// Something stands already where a new record should. It does not happen with fresh handles.
    #[error("something stands already where a new record should")]
    Occupied,
}

/// What stood where something was read or taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T, S> {
    /// The record.
    Live(T),
    /// It was taken before; what was left in its place.
    Spent(S),
    /// Nothing, or nothing any more.
    Absent,
}

/// How ending one step and beginning the next went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished<T, S> {
    /// All of it happened; the record that was taken.
    Done(T),
    /// Nothing happened: the step had ended before; what was left in its place.
    Spent(S),
    /// Nothing happened: there is no such step.
    Absent,
    /// Nothing happened: the message was used before.
    Replayed,
}

/// A record on its way into the store.
pub struct NewRecord<'a> {
    place: Place<'a>,
    plain: Zeroizing<Vec<u8>>,
    expires: Timestamp,
}

impl<'a> NewRecord<'a> {
    /// Writes `value` for `place`, until `expires` and at most a day.
    ///
    /// # Errors
    /// [`VaultError::Unfit`] when the value cannot be written or is larger than [`record::MAX_PLAIN`].
    pub fn new<T: Serialize>(place: Place<'a>, value: &T, expires: Timestamp) -> Result<Self, VaultError> {
        Ok(Self { place, plain: write(value)?, expires })
    }
}

impl fmt::Debug for NewRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewRecord")
            .field("place", &self.place)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// A message that may be used once.
#[derive(Clone, Copy)]
pub struct Mark<'a> {
    /// What kind of message.
    pub kind: MarkKind,
    /// Its name among its kind. Where a name is unique per issuer only, the issuer is part of it: [`mark_name`].
    pub name: &'a [u8],
    /// Until when a second use is refused: at least as long as the message would be accepted, and at most a day.
    pub until: Timestamp,
}

impl fmt::Debug for Mark<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mark").field("kind", &self.kind).field("until", &self.until).finish_non_exhaustive()
    }
}

/// Joins the parts of a mark's name, each length-prefixed, so that no two lists of parts make the same name.
#[must_use]
pub fn mark_name(parts: &[&str]) -> Vec<u8> {
    let mut name = Vec::new();
    for part in parts {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part.as_bytes());
    }
    name
}

/// Sealed records in a store.
#[derive(Clone)]
pub struct Vault {
    store: Arc<dyn Store>,
    /// The present secret first; then those that are still accepted.
    secrets: Arc<[NodeSecret]>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("secrets", &self.secrets).finish_non_exhaustive()
    }
}

impl Vault {
    /// Records in `store`, sealed under `present`. Records under `former` secrets are still found: keep a former secret for a day after the last
    /// node stopped writing under it, and let every node know the new one as former before the first node writes under it.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, present: NodeSecret, former: Vec<NodeSecret>) -> Self {
        Self { store, secrets: std::iter::once(present).chain(former).collect() }
    }

    /// The store beneath, for heads, contents and health.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// A fresh handle.
    #[must_use]
    pub fn new_handle(&self, moment: Moment<'_>) -> Handle {
        Handle::new(moment)
    }

    /// Puts one record where nothing stands.
    ///
    /// # Errors
    /// [`VaultError`]; [`VaultError::Unfit`] when it has expired already.
    pub async fn put<T: Serialize>(
        &self,
        moment: Moment<'_>,
        place: Place<'_>,
        value: &T,
        expires: Timestamp,
    ) -> Result<(), VaultError> {
        self.put_all(moment, &[NewRecord::new(place, value, expires)?]).await
    }

    /// Puts records where nothing stands, all or none.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn put_all(&self, moment: Moment<'_>, records: &[NewRecord<'_>]) -> Result<(), VaultError> {
        let puts = self.seal_all(moment, records)?;
        if self.store.put(&puts, attempt(moment)).await? { Ok(()) } else { Err(VaultError::Occupied) }
    }

    /// Reads without taking. `T` is the record's type, `S` that of what taking leaves in its place.
    ///
    /// # Errors
    /// [`VaultError::Store`] and [`VaultError::Corrupt`].
    pub async fn read<T: DeserializeOwned, S: DeserializeOwned>(
        &self,
        moment: Moment<'_>,
        place: Place<'_>,
    ) -> Result<Found<T, S>, VaultError> {
        for secret in self.secrets.iter() {
            match self.store.read(&place.store_key(secret)).await? {
                Taken::Absent => {}
                there => return opened(moment.now, secret, &place, there),
            }
        }
        Ok(Found::Absent)
    }

    /// Takes the record, once over all nodes, and leaves `tombstone` until it would have expired. The tombstone holds no identity: it is what the
    /// same browser is shown when it posts again.
    ///
    /// # Errors
    /// [`VaultError`]. After [`VaultError::Corrupt`] the place is spent.
    pub async fn take<T: DeserializeOwned, S: Serialize + DeserializeOwned>(
        &self,
        moment: Moment<'_>,
        place: Place<'_>,
        tombstone: &S,
    ) -> Result<Found<T, S>, VaultError> {
        let tombstone = write(tombstone)?;
        let attempt = attempt(moment);
        for secret in self.secrets.iter() {
            let sealed = seal_tombstone(moment, secret, &place, &tombstone)?;
            match self.store.take(&place.store_key(secret), &sealed, attempt).await? {
                Taken::Absent => {}
                there => return opened(moment.now, secret, &place, there),
            }
        }
        Ok(Found::Absent)
    }

    /// Ends one step and begins the next, at once or not at all: takes the record at `place`, leaves `tombstone`, sets `mark`, puts `records`.
    ///
    /// # Errors
    /// [`VaultError`]. After [`VaultError::Corrupt`], and after [`Finished::Absent`] for a record whose time is over by this node's clock alone, the
    /// step is spent and the next one stands, unreachable, until it expires.
    pub async fn finish<T: DeserializeOwned, S: Serialize + DeserializeOwned>(
        &self,
        moment: Moment<'_>,
        place: Place<'_>,
        tombstone: &S,
        mark: Option<Mark<'_>>,
        records: &[NewRecord<'_>],
    ) -> Result<Finished<T, S>, VaultError> {
        let tombstone = write(tombstone)?;
        let attempt = attempt(moment);
        let put = self.seal_all(moment, records)?;
        let mut once = None;
        if let (Some(mark), Some(present)) = (mark, self.secrets.first()) {
            // A node that still writes under a former secret looks for the mark there. This is apart from the rest of the step, so a login that is
            // no longer there costs the message its use: that fails closed, and only while secrets rotate.
            for former in self.secrets.iter().skip(1) {
                if !self.store.insert_once(&once_mark(moment.now, former, mark)?, attempt).await? {
                    return Ok(Finished::Replayed);
                }
            }
            once = Some(once_mark(moment.now, present, mark)?);
        }
        for secret in self.secrets.iter() {
            let finish = Finish {
                take: place.store_key(secret),
                tombstone: seal_tombstone(moment, secret, &place, &tombstone)?,
                once: once.clone(),
                put: put.clone(),
            };
            let there = match self.store.finish(&finish, attempt).await? {
                StoreFinished::Absent => continue,
                StoreFinished::Replayed => return Ok(Finished::Replayed),
                StoreFinished::Done(octets) => Taken::Value(octets),
                StoreFinished::Spent(octets) => Taken::Spent(octets),
            };
            return Ok(match opened(moment.now, secret, &place, there)? {
                Found::Live(value) => Finished::Done(value),
                Found::Spent(left) => Finished::Spent(left),
                Found::Absent => Finished::Absent,
            });
        }
        Ok(Finished::Absent)
    }

    /// Marks a message as used. `true` exactly once over all nodes; a message whose time is over is never fresh.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn insert_once(&self, moment: Moment<'_>, mark: Mark<'_>) -> Result<bool, VaultError> {
        if mark.until <= moment.now {
            return Ok(false);
        }
        let attempt = attempt(moment);
        // Former secrets first: a node that knows only those decides there.
        for secret in self.secrets.iter().rev() {
            if !self.store.insert_once(&once_mark(moment.now, secret, mark)?, attempt).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Forgets a record. Forgetting nothing is not an error.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn forget(&self, place: Place<'_>) -> Result<(), VaultError> {
        for secret in self.secrets.iter() {
            self.store.forget(&place.store_key(secret)).await?;
        }
        Ok(())
    }

    fn seal_all(&self, moment: Moment<'_>, records: &[NewRecord<'_>]) -> Result<Vec<Put>, VaultError> {
        let Some(present) = self.secrets.first() else {
            return Err(VaultError::Unfit("there is no node secret".to_owned()));
        };
        records
            .iter()
            .map(|new| {
                let value = record::seal(moment, present, &new.place, Part::Value, &new.plain, new.expires)
                    .map_err(|record::TooLarge| too_large())?;
                Ok(Put {
                    key: new.place.store_key(present),
                    value,
                    lifetime: lifetime(moment.now, new.expires)?,
                })
            })
            .collect()
    }
}

fn attempt(moment: Moment<'_>) -> AttemptId {
    AttemptId(moment.random())
}

fn too_large() -> VaultError {
    VaultError::Unfit(format!("it is larger than {} octets", record::MAX_PLAIN))
}

fn write<T: Serialize>(value: &T) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    // Written into a buffer that seldom has to grow: what a growing buffer leaves behind is not wiped.
    let mut plain = Zeroizing::new(Vec::with_capacity(8 * 1024));
    // The error of serde_json says what kind of value failed, never the value.
    serde_json::to_writer(&mut *plain, value).map_err(|error| VaultError::Unfit(error.to_string()))?;
    if plain.len() > record::MAX_PLAIN {
        return Err(too_large());
    }
    Ok(plain)
}

fn lifetime(now: Timestamp, until: Timestamp) -> Result<Duration, VaultError> {
    match u64::try_from(until.since(now)) {
        Ok(seconds @ 1..) if until.since(now) <= MAX_LIFETIME_SECONDS => Ok(Duration::from_secs(seconds)),
        _ => Err(VaultError::Unfit(format!(
            "its lifetime is not between 1 and {MAX_LIFETIME_SECONDS} seconds"
        ))),
    }
}

fn once_mark(now: Timestamp, secret: &NodeSecret, mark: Mark<'_>) -> Result<Once, VaultError> {
    Ok(Once { key: secret.mark_key(mark.kind, mark.name), lifetime: lifetime(now, mark.until)? })
}

fn seal_tombstone(
    moment: Moment<'_>,
    secret: &NodeSecret,
    place: &Place<'_>,
    plain: &[u8],
) -> Result<Vec<u8>, VaultError> {
    // The store keeps it for what is left of the record's time, which is not known here: no record outlives this.
    let expires = moment.now.plus(MAX_LIFETIME_SECONDS);
    record::seal(moment, secret, place, Part::Tombstone, plain, expires)
        .map_err(|record::TooLarge| too_large())
}

fn opened<T: DeserializeOwned, S: DeserializeOwned>(
    now: Timestamp,
    secret: &NodeSecret,
    place: &Place<'_>,
    there: Taken,
) -> Result<Found<T, S>, VaultError> {
    match there {
        Taken::Value(octets) => {
            Ok(open(now, secret, place, Part::Value, &octets)?.map_or(Found::Absent, Found::Live))
        }
        Taken::Spent(octets) => {
            Ok(open(now, secret, place, Part::Tombstone, &octets)?.map_or(Found::Absent, Found::Spent))
        }
        Taken::Absent => Ok(Found::Absent),
    }
}

fn open<T: DeserializeOwned>(
    now: Timestamp,
    secret: &NodeSecret,
    place: &Place<'_>,
    part: Part,
    octets: &[u8],
) -> Result<Option<T>, VaultError> {
    match record::open(now, secret, place, part, octets) {
        Ok(plain) => match serde_json::from_slice(&plain) {
            Ok(value) => Ok(Some(value)),
            // Genuine, but of another version of the type: a rolling upgrade went too far. The record's content stays out of the log.
            Err(error) => {
                tracing::error!(
                    kind = ?place.kind, ?part, line = error.line(), column = error.column(),
                    "a sealed record does not have the shape that this version writes"
                );
                Err(VaultError::Corrupt)
            }
        },
        Err(Unopened::Expired) => Ok(None),
        Err(Unopened::Corrupt) => {
            tracing::error!(
                kind = ?place.kind, ?part,
                "tampering: octets in the store were not written by a node at this place"
            );
            Err(VaultError::Corrupt)
        }
    }
}

#[cfg(test)]
mod tests;
