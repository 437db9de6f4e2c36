//! Towards identity providers: SAML SP (`broker-saml/sp`) and OIDC RP (`broker-oidc/rp`).

use certs_proof::Verified;
use serde::{Deserialize, Serialize};

use crate::{
    failure::Failure,
    identifier::ProviderId,
    moment::Moment,
    request::AuthenticationRequest,
    result::{AuthenticationResult, OneTimeUse},
    role::endpoint::{Inbound, Outbound},
};

/// What a role must remember across the browser's trip; opaque to the core, which seals and returns it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Remembered(pub String);

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Remembered({} bytes)", self.0.len())
    }
}

/// The beginning of a provider trip.
#[derive(Debug, Clone)]
pub struct Begun {
    /// What the browser does.
    pub outbound: Outbound,
    /// What [`Upstream::complete`] will need.
    pub remembered: Remembered,
}

/// The end of a provider trip, or one more request before it.
#[derive(Debug)]
pub enum Completion {
    /// The provider proved somebody.
    Done {
        /// Who, how and when: only out of what was verified.
        result: Box<Verified<AuthenticationResult>>,
        /// The message's mark, taken in the same store operation that ends the login.
        once: OneTimeUse,
    },
    /// The provider says no to a request that named levels which were but a wish: [`crate::login::Login::ask_again`] decides. Nobody is proven, and
    /// the refusal need not be either.
    WishRefused(Failure),
    /// The edge must fetch something first (token, JWKS, userinfo), then call [`Upstream::resume`].
    Fetch(Fetch),
}

/// An HTTP request that the edge makes for a role, by the one egress client.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// Absolute URL.
    pub url: String,
    /// Form body of a POST; `None`: GET.
    pub form: Option<Vec<u8>>,
    /// Authorization header, if any.
    pub authorization: Option<String>,
    /// What the role must remember until the answer is there.
    pub continuation: Remembered,
}

/// The answer to a [`Fetch`].
#[derive(Debug, Clone)]
pub struct Fetched {
    /// HTTP status.
    pub status: u16,
    /// Content-Type header.
    pub content_type: String,
    /// Body, capped by the egress client.
    pub body: Vec<u8>,
}

/// What we play towards a provider.
pub trait Upstream {
    /// Builds the request to a provider. `handle` is unguessable, URL- and XML-ID-safe, names this hop, and must come back with the
    /// answer; it opens nothing without the browser's cookie.
    ///
    /// # Errors
    /// When the provider cannot be asked (no usable endpoint or key).
    fn begin(
        &self,
        request: &AuthenticationRequest,
        provider: &ProviderId,
        handle: &str,
        moment: Moment<'_>,
    ) -> Result<Begun, Failure>;

    /// The handle that the answer carries, read *before* anything is verified: it only says which login to look for. `None` when the
    /// message names none (an unsolicited answer).
    ///
    /// # Errors
    /// When what came is no answer at all.
    fn handle(&self, message: &Inbound) -> Result<Option<String>, Failure>;

    /// Checks the answer against what was remembered.
    ///
    /// # Errors
    /// The first rule that the answer breaks.
    fn complete(
        &self,
        message: &Inbound,
        provider: &ProviderId,
        remembered: &Remembered,
        moment: Moment<'_>,
    ) -> Result<Completion, Failure>;

    /// Goes on after a [`Completion::Fetch`].
    ///
    /// # Errors
    /// The first rule that the fetched answer breaks.
    fn resume(
        &self,
        fetched: &Fetched,
        provider: &ProviderId,
        continuation: &Remembered,
        moment: Moment<'_>,
    ) -> Result<Completion, Failure>;
}
