//! What a provider proved, in neither protocol's words.

use serde::{Deserialize, Serialize};

use crate::{
    assurance::Assurance, attribute::Attributes, identifier::ProviderId, moment::Timestamp,
    subject::SubjectCandidate, suspension::KeyFingerprint,
};

/// One authentication, read out of a verified message. It exists only inside a `Verified` until the login takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationResult {
    /// Whose message it was: the registered provider whose key verified it.
    pub provider: ProviderId,
    /// The key of the provider's that verified it, where one did.
    #[serde(default)]
    pub key: Option<KeyFingerprint>,
    /// Everything that a subject identifier could be made from.
    pub subjects: Vec<SubjectCandidate>,
    /// What was said of the person.
    pub attributes: Attributes,
    /// At which level, if the provider said.
    pub assurance: Option<Assurance>,
    /// When the person was authenticated: the original time, also on single sign-on.
    pub authenticated_at: Timestamp,
    /// The provider wants the session to end no later than this (SAML SessionNotOnOrAfter).
    pub session_ends: Option<Timestamp>,
    /// Who else took part, as the message names them (SAML AuthenticatingAuthority): by custom the one that authenticated comes first, and each
    /// proxy adds the provider that it asked at the end. The provider itself is not among them.
    pub authorities: Vec<String>,
    /// How far it may be passed on.
    #[serde(default)]
    pub passing_on: PassingOn,
}

/// How far a provider lets its word be passed on (SAML ProxyRestriction); by default without limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassingOn {
    /// How many times it may yet be passed on, our own time counted; `None`: not limited.
    pub hops_left: Option<u32>,
    /// The only relying parties that it may be passed on to, by entity ID or client_id; `None`: any.
    pub audiences: Option<Vec<String>>,
}

/// Marks a message as used, on all nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeUse {
    /// What names the message: protocol, issuer and message identifier, length-prefixed by whoever made it.
    pub name: Vec<u8>,
    /// Until when a second use must be refused: its own expiry plus the skew allowed.
    pub until: Timestamp,
}
