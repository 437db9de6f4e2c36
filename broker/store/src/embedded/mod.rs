//! The store of one machine: heads and contents in a file (redb), everything that expires in memory.
//!
//! A restart forgets logins in flight, which start again at their service; it forgets no peer. One process at a time can hold the file. While
//! `serve` holds it, local commands come in by the socket beside it ([`crate::admin_socket`]); [`open_for_command`] chooses by itself.
//!
//! Neighbours: `expiring.rs` is the part in memory; [`crate::keyspace`] has the caps.

mod expiring;

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use broker_core::port::{
    AttemptId, Finish, Finished, HeadMoved, Once, Pending, Put, Store, StoreError, StoreKey, Taken,
};
use redb::{Database, DatabaseError, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use crate::{
    admin_socket::{self, EmbeddedClient},
    keyspace,
    limit::{contents_as_named, refused},
};
use expiring::Expiring;

const HEADS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("heads");
const KEPT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("kept");
/// Memory for pages of the file. The registry is read once and then held in memory by its owner.
const CACHE_OCTETS: usize = 16 * 1024 * 1024;

/// Time since some beginning, never going back. What expires is measured by it.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The clock of the machine that the wall clock cannot move.
#[must_use]
pub fn machine_clock() -> Clock {
    let beginning = Instant::now();
    Arc::new(move || beginning.elapsed())
}

/// Why an embedded store cannot be opened. Each text says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is not there.
    #[error("the folder {} of the embedded store does not exist; make it with: mkdir -p {}", .0.display(), .0.display())]
    NoFolder(PathBuf),
    /// The file or its folder cannot be read and written.
    #[error("the embedded store {} cannot be opened: {reason}; the folder and the file must belong to the user that runs this command", path.display())]
    NotPermitted {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Another process holds the file.
    #[error("the embedded store {} is held by another process (a running `sparvidd serve`, or another command)", .0.display())]
    Held(PathBuf),
    /// Another process holds the file and its socket does not answer.
    #[error(
        "the embedded store {} is held by another process that does not answer at {}: {reason}; if it is `sparvidd serve`, run this as \
         the same user, or stop it and try again", path.display(), socket.display()
    )]
    NoAnswer {
        /// The file.
        path: PathBuf,
        /// Where the holder should answer.
        socket: PathBuf,
        /// What happened there.
        reason: String,
    },
    /// The socket beside the file cannot be made.
    #[error(
        "the socket {} for local commands cannot be made: {reason}; its folder must be writable, and its path at most 100 octets long", path.display()
    )]
    Socket {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The file is not one of ours, or damaged.
    #[error("{} is not a sound embedded store: {reason}; restore it from a backup, or name another file", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },
}

/// Where the process that holds the store at `path` answers local commands: `PATH.socket`.
#[must_use]
pub fn socket_path(path: &Path) -> PathBuf {
    let mut socket = path.as_os_str().to_owned();
    socket.push(".socket");
    socket.into()
}

/// The store of one machine.
pub struct EmbeddedStore {
    database: Arc<Database>,
    expiring: Expiring,
}

impl std::fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedStore").finish_non_exhaustive()
    }
}

impl EmbeddedStore {
    /// Opens the file at `path`, or makes it (readable by its owner alone). The whole file is checked: it is small, and a damaged one must not be
    /// found out later.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path, clock: Clock) -> Result<Self, OpenError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(OpenError::NoFolder(folder.to_owned()));
        }
        let not_permitted = |reason| OpenError::NotPermitted { path: path.to_owned(), reason };
        // Made here and not by redb, so that it never exists with wider permissions.
        fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(not_permitted)?;
        let damaged = |reason: String| OpenError::Damaged { path: path.to_owned(), reason };
        let database = Database::builder()
            .set_cache_size(CACHE_OCTETS)
            .set_check_integrity_on_open(true)
            .create(path)
            .map_err(|error| match error {
                DatabaseError::DatabaseAlreadyOpen => OpenError::Held(path.to_owned()),
                other => damaged(other.to_string()),
            })?;
        let store = Self { database: Arc::new(database), expiring: Expiring::new(clock) };
        store.make_tables().map_err(|error| damaged(error.to_string()))?;
        Ok(store)
    }

    fn make_tables(&self) -> Result<(), redb::Error> {
        let writing = self.database.begin_write()?;
        writing.open_table(HEADS)?;
        writing.open_table(KEPT)?;
        writing.commit()?;
        Ok(())
    }

    /// Runs what reads or writes the file where it may block.
    fn on_file<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error> + Send + 'static,
    ) -> Pending<'_, T> {
        let database = Arc::clone(&self.database);
        Box::pin(async move {
            match tokio::task::spawn_blocking(move || work(&database)).await {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(error)) => Err(StoreError::Away(format!("the embedded store's file: {error}"))),
                Err(error) => Err(StoreError::Away(format!("the embedded store's file: {error}"))),
            }
        })
    }
}

impl Store for EmbeddedStore {
    fn put<'a>(&'a self, puts: &'a [Put], attempt: AttemptId) -> Pending<'a, bool> {
        Box::pin(async move { self.expiring.put(puts, attempt) })
    }

    fn read<'a>(&'a self, key: &'a StoreKey) -> Pending<'a, Taken> {
        Box::pin(async move { self.expiring.read(key) })
    }

    fn take<'a>(&'a self, key: &'a StoreKey, tombstone: &'a [u8], attempt: AttemptId) -> Pending<'a, Taken> {
        Box::pin(async move { self.expiring.take(key, tombstone, attempt) })
    }

    fn insert_once<'a>(&'a self, once: &'a Once, attempt: AttemptId) -> Pending<'a, bool> {
        Box::pin(async move { self.expiring.insert_once(once, attempt) })
    }

    fn finish<'a>(&'a self, finish: &'a Finish, attempt: AttemptId) -> Pending<'a, Finished> {
        Box::pin(async move { self.expiring.finish(finish, attempt) })
    }

    fn forget<'a>(&'a self, key: &'a StoreKey) -> Pending<'a, ()> {
        Box::pin(async move { self.expiring.forget(key) })
    }

    fn head<'a>(&'a self, name: &'a str) -> Pending<'a, Option<Vec<u8>>> {
        let Some(key) = keyspace::head(name) else { return refused("not a name of a head") };
        self.on_file(move |database| {
            let heads = database.begin_read()?.open_table(HEADS)?;
            Ok(heads.get(key.as_str())?.map(|head| head.value().to_vec()))
        })
    }

    fn move_head<'a>(
        &'a self,
        name: &'a str,
        expected: Option<&'a [u8]>,
        to: &'a [u8],
    ) -> Pending<'a, HeadMoved> {
        let Some(key) = keyspace::head(name) else { return refused("not a name of a head") };
        if to.len() > keyspace::MAX_HEAD {
            return refused("the head is too large");
        }
        let (expected, to) = (expected.map(<[u8]>::to_vec), to.to_vec());
        self.on_file(move |database| {
            // redb lets one writer in at a time, so nobody moves between the look and the step.
            let writing = database.begin_write()?;
            let mut heads = writing.open_table(HEADS)?;
            let standing = heads.get(key.as_str())?.map(|head| head.value().to_vec());
            if standing != expected {
                return Ok(HeadMoved::Conflict(standing));
            }
            heads.insert(key.as_str(), to.as_slice())?;
            drop(heads);
            writing.commit()?;
            Ok(HeadMoved::Moved)
        })
    }

    fn keep<'a>(&'a self, contents: &'a [Vec<u8>]) -> Pending<'a, ()> {
        if contents.iter().any(|content| content.len() > keyspace::MAX_CONTENT) {
            return refused("a content is too large");
        }
        let contents = contents.to_vec();
        self.on_file(move |database| {
            let writing = database.begin_write()?;
            let mut kept = writing.open_table(KEPT)?;
            for content in &contents {
                kept.insert(keyspace::content_name(content).as_str(), content.as_slice())?;
            }
            drop(kept);
            writing.commit()?;
            Ok(())
        })
    }

    fn kept<'a>(&'a self, names: &'a [String]) -> Pending<'a, Vec<Option<Vec<u8>>>> {
        if !names.iter().all(|name| keyspace::is_content_name(name)) {
            return refused("not a name of a content");
        }
        let names = names.to_vec();
        Box::pin(async move {
            let asked = names.clone();
            let found = self
                .on_file(move |database| {
                    let kept = database.begin_read()?.open_table(KEPT)?;
                    asked
                        .iter()
                        .map(|name| Ok(kept.get(name.as_str())?.map(|content| content.value().to_vec())))
                        .collect::<Result<Vec<_>, redb::Error>>()
                })
                .await?;
            contents_as_named(&names, found)
        })
    }

    fn discard<'a>(&'a self, names: &'a [String]) -> Pending<'a, ()> {
        if !names.iter().all(|name| keyspace::is_content_name(name)) {
            return refused("not a name of a content");
        }
        let names = names.to_vec();
        self.on_file(move |database| {
            let writing = database.begin_write()?;
            let mut kept = writing.open_table(KEPT)?;
            for name in &names {
                kept.remove(name.as_str())?;
            }
            drop(kept);
            writing.commit()?;
            Ok(())
        })
    }

    fn health(&self) -> Pending<'_, ()> {
        self.on_file(|database| {
            database.begin_read()?.open_table(HEADS)?;
            Ok(())
        })
    }
}

/// Opens the store at `path` for a command: the file itself, or, while a running `serve` holds it, its socket. Two commands at the same moment wait
/// for each other, at most two seconds.
///
/// # Errors
/// [`OpenError`].
pub async fn open_for_command(path: &Path) -> Result<Arc<dyn Store>, OpenError> {
    let socket = socket_path(path);
    let mut left = 40_u32;
    loop {
        let owned = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || EmbeddedStore::open(&owned, machine_clock())).await;
        let reason = match opened {
            Ok(Ok(store)) => return Ok(Arc::new(store)),
            Ok(Err(OpenError::Held(_))) => match EmbeddedClient::connect(&socket).await {
                Ok(client) => return Ok(Arc::new(client)),
                Err(error) => error.to_string(),
            },
            Ok(Err(other)) => return Err(other),
            Err(error) => error.to_string(),
        };
        if left == 0 {
            return Err(OpenError::NoAnswer { path: path.to_owned(), socket, reason });
        }
        left -= 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Opens the store at `path` for `serve`, and begins to answer local commands at its socket. Dropping the guard ends that.
///
/// # Errors
/// [`OpenError`].
pub fn open_for_serve(
    path: &Path,
    clock: Clock,
) -> Result<(Arc<EmbeddedStore>, admin_socket::AdminSocket), OpenError> {
    let store = Arc::new(EmbeddedStore::open(path, clock)?);
    let socket = socket_path(path);
    // Whoever holds the file is the only one who may answer here: a socket that lies here was left by a process that was killed.
    let admin = admin_socket::AdminSocket::start(&socket, Arc::clone(&store))
        .map_err(|reason| OpenError::Socket { path: socket, reason })?;
    Ok((store, admin))
}

#[cfg(test)]
mod tests;
