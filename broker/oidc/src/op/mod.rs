//! The OpenID Provider: what we play towards relying parties (OpenID Connect Core 1.0, the Swedish OpenID Connect Profile 1.0).
//!
//! ```text
//! GET|POST authorize -> authorization_request -> (login) -> grant -> answer (code)
//! POST token         -> token_request -> used once? -> token (ID token, access grant)
//! GET|POST userinfo  -> userinfo
//! ```
//!
//! | path | what |
//! |---|---|
//! | `parameters.rs` | query and form: each parameter at most once |
//! | `authorization_request.rs` | the request, up to the neutral `AuthenticationRequest` |
//! | `claims_parameter.rs` | the `claims` parameter, and where each claim goes |
//! | `hint.rs` | `login_hint` and `id_token_hint` |
//! | `user_message.rs` | what the relying party says to the person |
//! | `unique.rs` | JSON objects without a name that stands twice |
//! | `carried.rs` | what crosses the provider trip |
//! | `answer.rs` | the code or the error, back through the browser |
//! | `grant.rs` | what a code and an access token stand for, while they lie in the store |
//! | `token_request.rs`, `client_assertion.rs` | who redeems a code, proven |
//! | `token.rs` | PKCE, the ID token, the token response |
//! | `userinfo.rs` | the userinfo response |
//! | `discovery.rs` | the discovery document and our keys |
//!
//! The edge makes the handles (codes, access tokens), keeps grants under them, takes each code exactly once, and marks each client
//! assertion as used. Neighbour to come: `rp/`, with the same file names.

pub mod carried;
pub mod discovery;
pub mod grant;
pub mod token;
pub mod token_request;
pub mod userinfo;

mod answer;
mod authorization_request;
mod claims_parameter;
mod client_assertion;
mod hint;
mod parameters;
#[cfg(test)]
mod scene;
mod unique;
mod user_message;

use broker_core::{
    assurance::Assurance,
    failure::Failure,
    moment::Moment,
    release::ReleasedIdentity,
    request::AuthenticationRequest,
    role::{Downstream, Inbound, Outbound, Outcome, Refusal, ReturnTo},
};
use certs::{keyring::Keyring, mac::MacKey};
use metadata::registry::Registry;

use crate::claims::ClaimNames;

/// How far a relying party's clock may be from ours, in seconds.
pub(crate) const SKEW_SECONDS: i64 = 60;

/// What the operator has set.
#[derive(Debug, Clone)]
pub struct OpSettings {
    /// The issuer, exactly as relying parties compare it.
    pub issuer: String,
    /// Absolute URL.
    pub authorization_endpoint: String,
    /// Absolute URL.
    pub token_endpoint: String,
    /// Absolute URL.
    pub userinfo_endpoint: String,
    /// Absolute URL.
    pub jwks_uri: String,
    /// Where a developer reads on, if anywhere.
    pub service_documentation: Option<String>,
    /// The levels that can leave, best first: what the registered providers assert, through the output map.
    pub acr_values: Vec<Assurance>,
    /// The languages that the person's pages are in, best known first (BCP 47).
    pub ui_locales: Vec<String>,
    /// Claim names that the federation chose.
    pub claim_names: ClaimNames,
}

/// The OpenID Provider, on one snapshot of the registry.
#[derive(Clone, Copy)]
pub struct OidcOp<'a> {
    /// What the operator has set.
    pub settings: &'a OpSettings,
    /// Who the relying parties are.
    pub registry: &'a Registry,
    /// What ID tokens are signed with.
    pub keyring: &'a Keyring,
    /// What the hashes of client secrets are keyed with.
    pub client_secrets: &'a MacKey,
}

impl OidcOp<'_> {
    /// Whether the relying party asked that the person be shown the notice (`prompt=consent`), also when they have seen it before.
    #[must_use]
    pub fn notice_asked(return_to: &ReturnTo) -> bool {
        carried::Carried::recall(return_to).is_some_and(|carried| carried.notice_asked)
    }
}

impl Downstream for OidcOp<'_> {
    fn receive(
        &self,
        message: &Inbound,
        _moment: Moment<'_>,
    ) -> Result<(AuthenticationRequest, ReturnTo), Box<Refusal>> {
        authorization_request::receive(self, message)
    }

    fn missing(&self, return_to: &ReturnTo, identity: &ReleasedIdentity) -> Vec<String> {
        let names = &self.settings.claim_names;
        // An answer to a request that is not ours is refused when it is made.
        let carried = carried::Carried::recall(return_to).unwrap_or_default();
        carried.placement.missing(identity, names)
    }

    fn answer(
        &self,
        return_to: &ReturnTo,
        outcome: Outcome<'_>,
        grant: Option<&str>,
        _moment: Moment<'_>,
    ) -> Result<Outbound, Failure> {
        answer::answer(self, return_to, outcome, grant)
    }
}
