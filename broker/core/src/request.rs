//! What a relying party asks for, in neither protocol's words.

use serde::{Deserialize, Serialize};

use crate::{
    assurance::Assurance,
    attribute::AttributeName,
    identifier::{Language, ProviderId, RelyingPartyId},
};

/// One request to authenticate somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationRequest {
    /// Who asks.
    pub relying_party: RelyingPartyId,
    /// The only providers to choose among (SAML Scoping/IDPList, `https://id.oidc.se/param/authnProvider`); empty: any.
    pub providers: Vec<ProviderId>,
    /// Which levels are acceptable.
    pub assurance: RequestedAssurance,
    /// How fresh the authentication must be.
    pub freshness: Freshness,
    /// Nothing may be shown (IsPassive, prompt=none).
    pub passive: bool,
    /// What is wanted of the person.
    pub attributes: Vec<RequestedAttribute>,
    /// Languages that the relying party asks us to speak, best first.
    pub languages: Vec<Language>,
    /// Relying parties behind the one that asks, outermost first (SAML RequesterID, originalClientId).
    pub requesters: Vec<String>,
    /// Hops that a proxied request may still take (SAML ProxyCount); `None`: not limited.
    pub hops_left: Option<u32>,
}

/// The levels asked for, as they shall leave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedAssurance {
    /// Acceptable levels, best first; empty: whatever the provider gives.
    pub levels: Vec<Assurance>,
    /// A login without one of them fails; otherwise they are a wish (OIDC Core 5.5.1.1).
    pub essential: bool,
}

/// How fresh the authentication must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// The person is to be authenticated anew (ForceAuthn, prompt=login).
    pub force: bool,
    /// At most this many seconds ago (max_age).
    pub max_age: Option<u32>,
}

/// One attribute asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedAttribute {
    /// Which.
    pub name: AttributeName,
    /// The relying party says that it cannot do without.
    pub essential: bool,
}
