//! What we play towards SAML identity providers: a service provider (SAML Profiles 4.1, Web Browser SSO).
//!
//! | file | what |
//! |---|---|
//! | `authn_request.rs` | the request: built, signed, put into a URL or a form |
//! | `user_message.rs` | what the relying party says to the person, for providers that show it |
//! | `response.rs` | the answer: the order in which it is taken apart |
//! | `check/` | the rules that the answer must keep, one function each |
//! | `inspect.rs` | the same on a message in a file, for an operator |
//! | `entity.rs` | our service providers, and which of them asks |
//! | `metadata.rs` | what we publish about each |
//!
//! Sibling: `broker-oidc/rp`. Neighbours: `broker-core/role/upstream.rs` is the contract, `metadata` the registry, `certs` the keys.

pub mod authn_request;
pub mod check;
pub mod entity;
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
use certs::{DecryptionKey, Signer, query_signature::MessageParameter};

pub use self::{
    authn_request::SentRequest,
    check::{Allowed, CheckId, CheckRun, CheckStep, Verdict},
    entity::{SpEntities, SpEntity},
    response::Expected,
};
use crate::binding::{BindingRefused, post};

/// One service provider: how it presents itself to providers, and how strict it is.
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
    /// Every name of ours: the entity IDs of all our service providers, and the issuer. None of them may stand behind a provider.
    pub own_names: Vec<String>,
}

impl SpSettings {
    /// Settings of a broker that has not been reviewed: 60 s of skew, messages at most five minutes old, SHA-1 refused.
    #[must_use]
    pub fn new(entity_id: impl Into<String>, acs_url: impl Into<String>) -> Self {
        let entity_id = entity_id.into();
        Self {
            own_names: vec![entity_id.clone()],
            entity_id,
            acs_url: acs_url.into(),
            skew_seconds: 60,
            message_lifetime_seconds: 300,
            output_map: OutputMap::new(false),
            require_signed_response: false,
        }
    }
}

/// The role, over one snapshot of the registry.
#[derive(Clone, Copy)]
pub struct SamlSp<'a> {
    /// Our service providers.
    pub entities: &'a SpEntities,
    /// Who the providers are.
    pub registry: &'a Registry,
    /// What signs our requests.
    pub signer: &'a dyn Signer,
    /// What opens encrypted assertions: the published key first.
    pub decryption: &'a [DecryptionKey],
}

impl std::fmt::Debug for SamlSp<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SamlSp")
            .field("entity_id", &self.entities.main().settings.entity_id)
            .finish_non_exhaustive()
    }
}

impl SamlSp<'_> {
    /// The provider, if it may be used now: with a key to verify by that is not suspended, and before validUntil (SAML Metadata 2.3.2).
    fn provider(&self, id: &ProviderId, moment: Moment<'_>) -> Result<&Arc<SamlProvider>, Failure> {
        let provider = self.registry.saml_provider(id).ok_or_else(|| {
            Failure::new(FailureCode::ProviderUnknown, format!("{id} is not a registered SAML provider"))
        })?;
        if provider.signing_keys.is_empty() && !provider.suspended_keys.is_empty() {
            return Err(Failure::new(
                FailureCode::KeySuspended,
                format!("{id}: every key in its metadata that could verify a signature is suspended"),
            ));
        }
        if provider.signing_keys.is_empty() {
            return Err(Failure::new(
                FailureCode::ProviderUnusable,
                format!("{id}: none of the keys in its metadata can be used to verify a signature"),
            ));
        }
        match provider.valid_until {
            Some(until) if until <= moment.now => Err(Failure::new(
                FailureCode::MetadataExpired,
                format!("{id}: metadata was valid until {until}"),
            )),
            _ => Ok(provider),
        }
    }
}

/// A trip's question, recalled for its answer.
struct Recalled<'a> {
    provider: &'a Arc<SamlProvider>,
    settings: &'a SpSettings,
    sent: SentRequest,
}

impl<'a> SamlSp<'a> {
    fn recall(
        &'a self,
        message: &Inbound,
        provider: &ProviderId,
        remembered: &Remembered,
        moment: Moment<'_>,
    ) -> Result<Recalled<'a>, Failure> {
        let provider = self.provider(provider, moment)?;
        let sent = SentRequest::recall(remembered)?;
        let entity = self.entities.of_entity_id(&sent.entity_id).ok_or_else(|| {
            Failure::new(
                FailureCode::LoginUnknown,
                format!("our service provider {} asked, and is not configured any more", sent.entity_id),
            )
        })?;
        // SC-DP 6.3.2: the answer came to the address that was asked for, not to that of another service provider of ours.
        if address_of(&entity.settings.acs_url) != message.path {
            return Err(Failure::new(
                FailureCode::DestinationMismatch,
                format!("asked by {}, and the answer came to the address of another", sent.entity_id),
            ));
        }
        Ok(Recalled { provider, settings: &entity.settings, sent })
    }

    fn expected<'r>(&'r self, recalled: &'r Recalled<'_>, moment: Moment<'_>) -> Expected<'r> {
        Expected {
            provider: recalled.provider,
            settings: recalled.settings,
            sent: &recalled.sent,
            decryption: self.decryption,
            now: moment.now,
        }
    }

    /// Holds the answer to a test sign-in against every check of a login, and tells each; with the names of attributes that no login reads.
    ///
    /// # Errors
    /// When no check is reached: the provider cannot be used, or the answer came to the address of another service provider of ours.
    pub fn tell(
        &self,
        message: &Inbound,
        provider: &ProviderId,
        remembered: &Remembered,
        moment: Moment<'_>,
    ) -> Result<(CheckRun, Vec<String>), Failure> {
        let recalled = self.recall(message, provider, remembered, moment)?;
        Ok(response::run_form_telling(message.form.as_deref(), &self.expected(&recalled, moment)))
    }
}

/// The path of one of our addresses.
fn address_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or("/")
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
        let entity = self.entities.choose(request, relying_party.as_deref(), provider)?;
        let profile = relying_party.map(|party| party.assurance_profile).unwrap_or_default();
        authn_request::begin(request, profile, provider, handle, &entity.settings, self.signer, moment)
    }

    fn handle(&self, message: &Inbound) -> Result<Option<String>, Failure> {
        let malformed =
            |refused: BindingRefused| Failure::new(FailureCode::MessageMalformed, refused.to_string());
        let form = message.form.as_deref().ok_or_else(|| malformed(BindingRefused::Nothing))?;
        // The beginning alone, where that is enough: the whole is decoded once it is known whose it is.
        let answers = match post::beginning(form, MessageParameter::Response) {
            Ok(xml) if response::is_enough(&xml) => response::in_response_to(&xml),
            _ => post::decode(form, MessageParameter::Response)
                .map_err(malformed)
                .and_then(|posted| response::in_response_to(&posted.xml)),
        };
        let named = answers.as_ref().ok().and_then(Option::as_deref).and_then(authn_request::handle_of);
        // Where the message itself does not lead to a login, what came beside it may: then the failure has a login that it belongs to.
        let travelled = named
            .map(str::to_owned)
            .or_else(|| post::relay_state(form).filter(|state| authn_request::is_handle(state)));
        match travelled {
            Some(handle) => Ok(Some(handle)),
            None => answers.map(|_| None),
        }
    }

    fn complete(
        &self,
        message: &Inbound,
        provider: &ProviderId,
        remembered: &Remembered,
        moment: Moment<'_>,
    ) -> Result<Completion, Failure> {
        let recalled = self.recall(message, provider, remembered, moment)?;
        let (sent, expected) = (&recalled.sent, self.expected(&recalled, moment));
        match response::run_form(message.form.as_deref(), &expected).result {
            Ok((result, once)) => Ok(Completion::Done { result: Box::new(result), once }),
            Err(refusal) if sent.may_refuse_the_wish(refusal.code) => Ok(Completion::WishRefused(refusal)),
            Err(failure) => Err(failure),
        }
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
