//! A token: who may use the API, for which organisation, with which right. The secret is shown once; a keyed hash of it is kept.

use broker_core::{moment::Timestamp, organisation::OrganisationNumber};
use serde::{Deserialize, Serialize};

use crate::secret_hash::SecretHash;

/// What somebody may do for an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Make proposals, and withdraw one's own.
    Propose,
    /// Also approve, decline and publish proposals of others. Nobody publishes alone.
    Publish,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its name, which is no secret.
    pub id: String,
    /// For whom it speaks.
    pub organisation: OrganisationNumber,
    /// What it may do.
    pub right: Right,
    /// Whose it is.
    pub holder: String,
    /// What the holder calls it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// What is kept of the secret.
    pub secret_hash: SecretHash,
    /// When it was issued.
    pub at: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was revoked, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
}

impl Token {
    /// Whether it still opens anything.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }
}
