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

    /// What was seen until now. To be taken before the store is asked for its head: while the answer is on its way another task of this process may
    /// see a newer one, and the answer is no older for that.
    pub(crate) fn until_now(&self) -> UntilNow {
        UntilNow(self.lock().clone())
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

/// The newest head that was seen before a question.
pub(crate) struct UntilNow(Option<Head>);

impl UntilNow {
    /// Whether there was one.
    pub(crate) fn is_any(&self) -> bool {
        self.0.is_some()
    }

    /// Whether a head may be followed: newer than what was seen, or the very same.
    ///
    /// # Errors
    /// When it is older, or another with the same number.
    pub(crate) fn check(&self, head: &Head) -> Result<(), HeadRefused> {
        self.0.as_ref().map_or(Ok(()), |seen| head.follows(seen))
    }
}

fn read(path: &Path, mac: &MacKey) -> Option<Head> {
    std::fs::read(path).ok().and_then(|octets| Head::open(&octets, mac).ok())
}

#[cfg(test)]
mod tests {
    use broker_core::moment::Timestamp;
    use certs::mac::Secret;
    use metadata::revision::Head;

    use super::Seen;

    #[test]
    fn an_answer_is_held_against_what_was_seen_before_the_question() {
        let mac = Secret::from_octets([1; 32]).mac_key("desk head");
        let folder = tempfile::tempdir().expect("a folder");
        let seen = Seen::at(folder.path().join("head"), &mac);
        let head = |number| Head { number, manifest: "0".repeat(64), at: Timestamp(1), record: None };
        let saw = |number| seen.saw(&head(number), &head(number).seal(&mac));
        assert!(!seen.until_now().is_any());
        saw(4);
        let asked = seen.until_now();
        saw(5);
        assert!(asked.check(&head(4)).is_ok(), "it was the newest when the question was put");
        assert!(asked.check(&head(3)).is_err());
        assert!(seen.until_now().check(&head(4)).is_err(), "asked for now, it was put back");
    }
}
