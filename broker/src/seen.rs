//! The newest head of a kind that this machine has seen, in memory and on its disk: what lets a command notice, too, that somebody put an old one
//! back.
//!
//! Neighbours: `desk.rs` and `registry_edit.rs`. A node that serves keeps the registry's own way (`registry_watch.rs`).

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use certs::mac::MacKey;
use metadata::revision::{Head, HeadRefused};

/// The newest head that was seen.
pub(crate) struct Seen {
    path: PathBuf,
    newest: Mutex<Option<Head>>,
}

impl Seen {
    /// What `path` remembers. A file that does not open counts as none: it can only ever have been there to refuse more.
    pub(crate) fn at(path: PathBuf, mac: &MacKey) -> Self {
        let newest = read(&path, mac);
        Self { path, newest: Mutex::new(newest) }
    }

    /// Also what another file remembers, such as the one that a node keeps.
    pub(crate) fn and(self, path: &Path, mac: &MacKey) -> Self {
        if let Some(other) = read(path, mac) {
            let mut newest = self.lock();
            if newest.as_ref().is_none_or(|known| known.number < other.number) {
                *newest = Some(other);
            }
        }
        self
    }

    /// The number of the newest; 0: none was seen.
    pub(crate) fn number(&self) -> u64 {
        self.lock().as_ref().map_or(0, |head| head.number)
    }

    /// Whether a head may be followed: newer than what was seen, or the very same.
    ///
    /// # Errors
    /// When it is older, or another with the same number.
    pub(crate) fn check(&self, head: &Head) -> Result<(), HeadRefused> {
        self.lock().as_ref().map_or(Ok(()), |seen| head.follows(seen))
    }

    /// Remembers a head. `octets` are the sealed ones.
    pub(crate) fn saw(&self, head: &Head, octets: &[u8]) {
        let mut newest = self.lock();
        if newest.as_ref().is_some_and(|known| known.number >= head.number) {
            return;
        }
        *newest = Some(head.clone());
        // A staging name of its own for each process: two commands may be here at once.
        let staged = self.path.with_extension(format!("{}.part", std::process::id()));
        let written = self
            .path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&staged, octets))
            .and_then(|()| std::fs::rename(&staged, &self.path));
        if let Err(error) = written {
            tracing::debug!(%error, "a head could not be remembered on this machine's disk");
        }
    }

    /// How to go on when the store was put back on purpose.
    pub(crate) fn remedy(&self) -> String {
        format!("If the store was restored from a backup on purpose, remove {} first.", self.path.display())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Head>> {
        // What a panicking holder left is whole: it is replaced in one step.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path, mac: &MacKey) -> Option<Head> {
    std::fs::read(path).ok().and_then(|octets| Head::open(&octets, mac).ok())
}
