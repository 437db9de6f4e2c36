//! The store: octets under keys that reveal nothing. Every verb is atomic and one round trip.
//!
//! What the octets are and how they are sealed is `broker-store/record.rs`; this port never sees a plain value. One conformance suite
//! (`broker-store/conformance.rs`) runs against every implementation.

use std::{future::Future, pin::Pin, time::Duration};

/// What a verb returns: a future without a runtime.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A key: a prefix from `keyspace.rs` and octets that HKDF made, as text that Redis and redb both take.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreKey(pub String);

/// Names one attempt at a verb, so that a retry after a lost answer is not taken for a second use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttemptId(pub [u8; 16]);

/// Why a verb failed. Nothing is known of its effect: the caller fails closed, or retries with the same [`AttemptId`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The store does not answer, or not in time.
    #[error("the store is away: {0}")]
    Away(String),
    /// The store answered something that it should not.
    #[error("the store answered unexpectedly: {0}")]
    Unexpected(String),
}

/// A value to put where nothing stands.
#[derive(Debug, Clone)]
pub struct Put {
    /// Where.
    pub key: StoreKey,
    /// What, sealed.
    pub value: Vec<u8>,
    /// For how long.
    pub lifetime: Duration,
}

/// A mark that can be set once.
#[derive(Debug, Clone)]
pub struct Once {
    /// Where.
    pub key: StoreKey,
    /// For how long a second setting is refused.
    pub lifetime: Duration,
}

/// What stood where something was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// The value; a tombstone stands there now, with the remaining lifetime.
    Value(Vec<u8>),
    /// It was taken before; the tombstone that was left.
    Spent(Vec<u8>),
    /// Nothing, or nothing any more.
    Absent,
}

/// Ends one step and begins the next, at once or not at all.
#[derive(Debug, Clone)]
pub struct Finish {
    /// What is taken.
    pub take: StoreKey,
    /// What is left in its place until it would have expired.
    pub tombstone: Vec<u8>,
    /// A message's mark that must not stand yet.
    pub once: Option<Once>,
    /// What is put for the next step.
    pub put: Vec<Put>,
}

/// How a [`Finish`] went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// All of it happened; the value that was taken.
    Done(Vec<u8>),
    /// Nothing happened: the step had ended before; the tombstone.
    Spent(Vec<u8>),
    /// Nothing happened: there is no such step.
    Absent,
    /// Nothing happened: the mark stood already.
    Replayed,
}

/// How moving a head went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadMoved {
    /// It stands where it was told to.
    Moved,
    /// Somebody else was faster; what stands there now.
    Conflict(Option<Vec<u8>>),
}

/// The storage port.
pub trait Store: Send + Sync {
    /// Puts each value where nothing stands; all or none. `false`: something stood there (or a tombstone). The same attempt again is
    /// `true` again.
    fn put<'a>(&'a self, puts: &'a [Put], attempt: AttemptId) -> Pending<'a, bool>;

    /// Reads without taking. A tombstone is [`Taken::Spent`].
    fn read<'a>(&'a self, key: &'a StoreKey) -> Pending<'a, Taken>;

    /// Takes, and leaves `tombstone` for the remaining lifetime. The same attempt again is [`Taken::Value`] again.
    fn take<'a>(&'a self, key: &'a StoreKey, tombstone: &'a [u8], attempt: AttemptId) -> Pending<'a, Taken>;

    /// Sets a mark once. `true` exactly once over all nodes (and again for the same attempt).
    fn insert_once<'a>(&'a self, once: &'a Once, attempt: AttemptId) -> Pending<'a, bool>;

    /// Takes, marks and puts as one.
    fn finish<'a>(&'a self, finish: &'a Finish, attempt: AttemptId) -> Pending<'a, Finished>;

    /// Forgets a value (a token that is revoked). Forgetting nothing is not an error.
    fn forget<'a>(&'a self, key: &'a StoreKey) -> Pending<'a, ()>;

    /// Reads a named head (registry, key ring). Heads do not expire.
    fn head<'a>(&'a self, name: &'a str) -> Pending<'a, Option<Vec<u8>>>;

    /// Moves a head if it stands where the caller thinks.
    fn move_head<'a>(
        &'a self,
        name: &'a str,
        expected: Option<&'a [u8]>,
        to: &'a [u8],
    ) -> Pending<'a, HeadMoved>;

    /// Keeps octets under the name that their content gives them (lower-case hex SHA-256). Keeping the same twice is no error.
    /// Content does not expire.
    fn keep<'a>(&'a self, contents: &'a [Vec<u8>]) -> Pending<'a, ()>;

    /// Reads kept contents by name, in order; `None` where there is none.
    fn kept<'a>(&'a self, names: &'a [String]) -> Pending<'a, Vec<Option<Vec<u8>>>>;

    /// Forgets kept contents by name, all at once or batch by batch. Forgetting what is not there is no error. Only for what nothing
    /// names any more: a content that a head still leads to would be lost.
    fn discard<'a>(&'a self, names: &'a [String]) -> Pending<'a, ()>;

    /// Whether the store answers.
    fn health(&self) -> Pending<'_, ()>;
}
