//! What the registry is built from: content-addressed documents, a manifest that names them, and one authenticated head that names
//! the manifest (design decision 7). Pure functions; the process does the store's calls.
//!
//! | file | what |
//! |---|---|
//! | `head.rs` | the head: numbered, under a MAC whose key lies outside the store |
//! | `manifest.rs` | who is registered, with which document and settings; how that may change |
//! | `record.rs` | the sealed record of a revision: who, when, what changed; each names the one before |
//! | `suspension.rs` | what is suspended, by whom and why |
//! | `difference.rs`, `guard.rs` | what a change changes, in words; which changes are held for a second approval |
//! | `build.rs` | a manifest and its documents to a [`crate::Registry`], taking over what did not change |
//!
//! A writer to the store can thus deny service, but never add a peer, change a key, or bring back an old registry to a node that
//! has seen a newer one.

mod build;
pub mod difference;
pub mod guard;
mod head;
mod manifest;
mod record;
pub mod suspension;

use certs::DigestAlgorithm;

pub use build::{BuildFailed, Withheld};
pub use head::{Head, HeadRefused};
pub use manifest::{Change, ChangeRefused, Entry, EntryId, Manifest, ManifestUnreadable};
pub use record::{EntryChange, Link, Record, RecordRefused, SEAL_LABEL, other_changes};
pub use suspension::{Suspension, Target};

/// The name of a document: the SHA-256 of its octets, lower-case hexadecimal.
#[must_use]
pub fn document_name(octets: &[u8]) -> String {
    DigestAlgorithm::Sha256.digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Whether a text has the form of a document's name.
pub(crate) fn is_document_name(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests;
