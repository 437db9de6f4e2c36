//! An invitation: a link that opens the door for operators once. The secret in it is shown once; a keyed hash of it is kept.

use broker_core::{moment::Timestamp, organisation::OrganisationNumber};
use serde::{Deserialize, Serialize};

use super::Right;
use crate::secret_hash::SecretHash;

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// Its name, which is no secret.
    pub id: String,
    /// For whom its holder speaks.
    pub organisation: OrganisationNumber,
    /// Who is invited.
    pub holder: String,
    /// What the holder may do.
    pub right: Right,
    /// What is kept of the secret.
    pub secret_hash: SecretHash,
    /// When it was issued.
    pub at: Timestamp,
    /// When it ends, used or not.
    pub expires: Timestamp,
    /// When it was used, if it was. It is not used twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// What it is for, in the operator's words; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub purpose: String,
}
