//! What we play towards SAML identity providers: a service provider (SAML Profiles 4.1, Web Browser SSO).
//!
//! | file | what |
//! |---|---|
//! | `authn_request.rs` | the request: built, signed, put into a URL or a form |
//! | `user_message.rs` | what the relying party says to the person, for providers that show it |
//! | `response.rs` | the answer: the order in which it is taken apart |
//! | `check/` | the rules that the answer must keep, one function each |
//! | `inspect.rs` | the same on a message in a file, for an operator |
//! | `metadata.rs` | what we publish about ourselves |
//!
//! Sibling: `broker-oidc/rp`. Neighbours: `broker-core/role/upstream.rs` is the contract, `metadata` the registry, `certs` the keys.

pub mod authn_request;
pub mod check;
pub mod inspect;
pub mod metadata;
pub mod response;
#[cfg(test)]
pub(crate) mod tests;
mod user_message;

use std::sync::Arc;

use ::metadata::{Registry, SamlProvider};
use broker_core::{
    assurance::OutputMap,
    failure::{Failure, FailureCode},
    identifier::ProviderId,
    moment::Moment,
    request::AuthenticationRequest,
    role::{Begun, Completion, Fetched, Inbound, Upstream, upstream::Remembered},
    routing::Peers as _,
};
use certs::{AlgorithmPolicy, DecryptionKey, Signer, query_signature::MessageParameter};

pub use self::{
    authn_request::SentRequest,
    check::{Allowed, CheckId, CheckRun, CheckStep, Verdict},
    response::Expected,
};
use crate::binding::post;

/// How we present ourselves to providers, and how strict we are.
#[derive(Debug, Clone)]
pub struct SpSettings {
    /// Our entity ID: the Audience that assertions must name.
    pub entity_id: String,
    /// Where Responses are posted: the Destination and Recipient that they must name.
    pub acs_url: String,
    /// How much a provider's clock may differ from ours, in seconds; SC-DP 6.3.5 allows no more than 60.
    pub skew_seconds: i64,
    /// How old a Response or Assertion may be when it arrives, in seconds, skew not counted (SC-DP 6.3: IssueInstant).
    pub message_lifetime_seconds: i64,
    /// What we may say downstream of the levels that we are told; decides which levels we ask for.
    pub output_map: OutputMap,
    /// The Response itself must be signed (SC-DP 6.1); otherwise a signed Assertion alone will do (SAML Profiles 4.1.3.5).
    pub require_signed_response: bool,
    /// Tells providers which relying party asks (Scoping/RequesterID, SAML Core 3.4.1.2). Off: a provider need not know where its
    /// people go.
    pub names_requesters: bool,
    /// Which signature algorithms are accepted.
    pub algorithms: AlgorithmPolicy,
}

impl SpSettings {
    /// Settings of a broker that has not been reviewed: 60 s of skew, messages at most five minutes old, SHA-1 refused.
    #[must_use]
    pub fn new(entity_id: impl Into<String>, acs_url: impl Into<String>) -> Self {
        Self {
            entity_id: entity_id.into(),
            acs_url: acs_url.into(),
            skew_seconds: 60,
            message_lifetime_seconds: 300,
            output_map: OutputMap::new(false),
            require_signed_response: false,
            names_requesters: false,
            algorithms: AlgorithmPolicy::default(),
        }
    }
}

/// The role, over one snapshot of the registry.
#[derive(Clone, Copy)]
pub struct SamlSp<'a> {
    /// How we present ourselves.
    pub settings: &'a SpSettings,
    /// Who the providers are.
    pub registry: &'a Registry,
    /// What signs our requests.
    pub signer: &'a dyn Signer,
    /// What opens encrypted assertions: the published key first.
    pub decryption: &'a [DecryptionKey],
}

impl std::fmt::Debug for SamlSp<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SamlSp").field("entity_id", &self.settings.entity_id).finish_non_exhaustive()
    }
}

impl SamlSp<'_> {
    /// The provider, if it may be used now (SAML Metadata 2.3.2: nothing after validUntil).
    fn provider(&self, id: &ProviderId, moment: Moment<'_>) -> Result<&Arc<SamlProvider>, Failure> {
        let provider = self.registry.saml_provider(id).ok_or_else(|| {
            Failure::new(FailureCode::ProviderUnknown, format!("{id} is not a registered SAML provider"))
        })?;
        match provider.valid_until {
            Some(until) if until <= moment.now => Err(Failure::new(
                FailureCode::MetadataExpired,
                format!("{id}: metadata was valid until {until}"),
            )),
            _ => Ok(provider),
        }
    }
}

impl Upstream for SamlSp<'_> {
    fn begin(
        &self,
        request: &AuthenticationRequest,
        provider: &ProviderId,
        handle: &str,
        moment: Moment<'_>,
    ) -> Result<Begun, Failure> {
        let provider = self.provider(provider, moment)?;
        let relying_party = self.registry.relying_party(&request.relying_party);
        let profile = relying_party.map(|party| party.assurance_profile).unwrap_or_default();
        authn_request::begin(request, profile, provider, handle, self.settings, self.signer, moment)
    }

    fn handle(&self, message: &Inbound) -> Option<String> {
        let posted = post::decode(message.form.as_deref()?, MessageParameter::Response).ok()?;
        response::in_response_to(&posted.xml).as_deref().and_then(authn_request::handle_of).map(str::to_owned)
    }

    fn complete(
        &self,
        message: &Inbound,
        provider: &ProviderId,
        remembered: &Remembered,
        moment: Moment<'_>,
    ) -> Result<Completion, Failure> {
        let provider = self.provider(provider, moment)?;
        let sent = SentRequest::recall(remembered)?;
        let expected = Expected {
            provider,
            settings: self.settings,
            sent: &sent,
            decryption: self.decryption,
            now: moment.now,
        };
        let (result, once) = response::run_form(message.form.as_deref(), &expected).result?;
        Ok(Completion::Done { result: Box::new(result), once })
    }

    fn resume(
        &self,
        _fetched: &Fetched,
        _provider: &ProviderId,
        _continuation: &Remembered,
        _moment: Moment<'_>,
    ) -> Result<Completion, Failure> {
        // This role never answers `Fetch`: a POST carries the whole answer.
        Err(Failure::new(FailureCode::Internal, "a SAML answer has nothing to fetch"))
    }
}
