//! What a relying party asks for, in neither protocol's words.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    assurance::Assurance,
    attribute::AttributeName,
    identifier::{Language, ProviderId, RelyingPartyId},
    user_message::UserMessage,
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
    /// What is wanted of the person. A name may stand more than once, with other `values`: each row then holds by itself.
    pub attributes: Vec<RequestedAttribute>,
    /// Languages that the relying party asks us to speak, best first.
    pub languages: Vec<Language>,
    /// Relying parties behind the one that asks, outermost first (SAML RequesterID, originalClientId).
    pub requesters: Vec<String>,
    /// Hops that a proxied request may still take (SAML ProxyCount); `None`: not limited.
    pub hops_left: Option<u32>,
    /// What the relying party knows of whom it expects (OIDC login_hint). Routing may read a provider out of it; nobody else reads it.
    pub login_hint: Option<LoginHint>,
    /// Who the login must end with (OIDC id_token_hint, claims `sub`); `None`: anybody.
    pub expected_subject: Option<ExpectedSubject>,
    /// What the relying party wants to say to the person on the way. Never there when the request is passive.
    pub message: Option<UserMessage>,
}

impl AuthenticationRequest {
    /// The plainest request there is: anybody, from any provider, at any level, nothing said of them.
    #[must_use]
    pub fn new(relying_party: RelyingPartyId) -> Self {
        Self {
            relying_party,
            providers: Vec::new(),
            assurance: RequestedAssurance::default(),
            freshness: Freshness::default(),
            passive: false,
            attributes: Vec::new(),
            languages: Vec::new(),
            requesters: Vec::new(),
            hops_left: None,
            login_hint: None,
            expected_subject: None,
            message: None,
        }
    }
}

/// The levels asked for, as they shall leave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedAssurance {
    /// Acceptable levels, best first; empty: whatever the provider gives.
    pub levels: Vec<Assurance>,
    /// A login without one of them fails; otherwise they are a wish (OIDC Core 5.5.1.1).
    pub essential: bool,
    /// A login that ends with no level at all fails, whichever are wished for (OIDC Core 5.5.1: `acr` essential, without values).
    pub some: bool,
}

/// How fresh the authentication must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// The person is to be authenticated anew (ForceAuthn, prompt=login).
    pub force: bool,
    /// At most this many seconds ago (max_age).
    pub max_age: Option<u32>,
}

/// One attribute asked for. Debug leaves the values out: they are what somebody expects a person to be.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestedAttribute {
    /// Which.
    pub name: AttributeName,
    /// The relying party says that it cannot do without.
    pub essential: bool,
    /// An essential wish is met by this one too (Swedish claims 3.2: personal identity number or coordination number).
    pub or: Option<AttributeName>,
    /// Only these values will do, octet by octet (OIDC Core 5.5.1); empty: any.
    pub values: Vec<String>,
}

impl RequestedAttribute {
    /// A wish for an attribute, whatever its value.
    #[must_use]
    pub fn new(name: AttributeName, essential: bool) -> Self {
        Self { name, essential, or: None, values: Vec::new() }
    }

    /// Whether a value is one that this row takes.
    #[must_use]
    pub fn takes(&self, value: &str) -> bool {
        self.values.is_empty() || self.values.iter().any(|wanted| wanted == value)
    }
}

impl fmt::Debug for RequestedAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestedAttribute")
            .field("name", &self.name)
            .field("essential", &self.essential)
            .field("or", &self.or)
            .field("values", &self.values.len())
            .finish()
    }
}

/// A hint about who will sign in, as it came. It may be a name or a number of a person, so Debug leaves it out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoginHint(String);

impl LoginHint {
    /// Keeps the hint.
    pub fn new(received: impl Into<String>) -> Self {
        Self(received.into())
    }

    /// As it came. For comparing with what the registry knows, never for the log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LoginHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginHint(..)")
    }
}

/// The subject identifiers that a login may end with. Debug leaves them out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExpectedSubject(BTreeSet<String>);

impl ExpectedSubject {
    /// One of these; none of them when there are none.
    pub fn one_of(identifiers: impl IntoIterator<Item = String>) -> Self {
        Self(identifiers.into_iter().collect())
    }

    /// Those that both expect.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// Whether nobody at all will do.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is one of those who are expected.
    #[must_use]
    pub fn is_met_by(&self, identifier: &str) -> bool {
        self.0.contains(identifier)
    }
}

impl fmt::Debug for ExpectedSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExpectedSubject({} of them)", self.0.len())
    }
}
