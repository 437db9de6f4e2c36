//! What a provider proved, in neither protocol's words.

use serde::{Deserialize, Serialize};

use crate::{
    assurance::Assurance, attribute::Attributes, identifier::ProviderId, moment::Timestamp,
    subject::SubjectCandidate,
};

/// One authentication, read out of a verified message. It exists only inside a `Verified` until the login takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationResult {
    /// Whose message it was: the registered provider whose key verified it.
    pub provider: ProviderId,
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
    /// Providers behind this one, outermost first (SAML AuthenticatingAuthority).
    pub authorities: Vec<String>,
}

/// Marks a message as used, on all nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeUse {
    /// What names the message: protocol, issuer and message identifier, length-prefixed by whoever made it.
    pub name: Vec<u8>,
    /// Until when a second use must be refused: its own expiry plus the skew allowed.
    pub until: Timestamp,
}
