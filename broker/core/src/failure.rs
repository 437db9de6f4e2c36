//! What can go wrong, by who must act. One stable dotted code each, used in page, log, metric and `docs/failures.md`.
//!
//! Exactly three maps lead to the wire, each exhaustive and without a wildcard arm: OIDC (`broker-oidc/error_code.rs`), SAML
//! (`broker-saml/status.rs`) and HTTP (`broker/src/page/error.rs`).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// The relying party asked wrongly.
    RelyingParty,
    /// The provider said no.
    ProviderRefused,
    /// The provider's message breaks a rule.
    ProviderMisbehaved,
    /// The provider cannot be reached or used.
    ProviderUnreachable,
    /// The browser lost its thread.
    Browser,
    /// A rule of the federation says no.
    Policy,
    /// We failed.
    Broker,
}

macro_rules! failures {
    ($($variant:ident, $family:ident, $code:literal, $doc:literal;)*) => {
        /// Everything that can end a login badly.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum FailureCode {
            $(#[doc = $doc] #[serde(rename = $code)] $variant,)*
        }

        impl FailureCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable dotted code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Who must act.
            #[must_use]
            pub fn family(self) -> Family {
                match self { $(Self::$variant => Family::$family,)* }
            }

            /// One English sentence: what it means, for the log and for `docs/failures.md`.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

failures! {
    RequestMalformed, RelyingParty, "relying_party.request_malformed", "The request breaks its protocol: a parameter is missing, repeated or unreadable.";
    RelyingPartyUnknown, RelyingParty, "relying_party.unknown", "Nobody is registered under the name that asks.";
    ReturnAddressUnregistered, RelyingParty, "relying_party.return_address_unregistered", "The return address is not one of the registered ones, octet by octet.";
    ResponseTypeUnsupported, RelyingParty, "relying_party.response_type_unsupported", "Only the authorization code flow is offered.";
    ScopeInvalid, RelyingParty, "relying_party.scope_invalid", "The scope `openid` is missing, or a scope is not registered for the relying party.";
    PkceRequired, RelyingParty, "relying_party.pkce_required", "The request carries no S256 code challenge.";
    RequestNotSupported, RelyingParty, "relying_party.request_not_supported", "The request asks for something that is not offered.";
    RelyingPartySuspended, RelyingParty, "relying_party.suspended", "The federation operator has suspended the relying party.";
    RelyingPartyAuthenticationFailed, RelyingParty, "relying_party.authentication_failed", "The relying party did not prove who it is at the token endpoint.";
    CodeInvalid, RelyingParty, "relying_party.code_invalid", "The code is unknown, expired, used, or was given to somebody else.";
    PkceMismatch, RelyingParty, "relying_party.pkce_mismatch", "The code verifier does not match the challenge.";
    GrantTypeUnsupported, RelyingParty, "relying_party.grant_type_unsupported", "Only authorization_code is exchanged.";
    TokenInvalid, RelyingParty, "relying_party.token_invalid", "The access token is unknown or expired.";
    RelyingPartyTooMany, RelyingParty, "relying_party.too_many", "The relying party asks more often than it may.";
    ProviderDenied, ProviderRefused, "provider.denied", "The provider says that the person was not authenticated.";
    ProviderCancelled, ProviderRefused, "provider.cancelled", "The person cancelled at the provider.";
    ProviderNoPassive, ProviderRefused, "provider.no_passive", "The provider cannot answer without showing something, and the relying party asked for silence.";
    ProviderNoAuthnContext, ProviderRefused, "provider.no_authn_context", "The provider cannot authenticate at a level that was asked for.";
    ProviderUnknownPrincipal, ProviderRefused, "provider.unknown_principal", "The provider does not know the person.";
    ProviderFraud, ProviderRefused, "provider.fraud", "The provider stopped the login as a suspected fraud.";
    ProviderRequestRefused, ProviderRefused, "provider.request_refused", "The provider says that our request was wrong.";
    ProviderOtherStatus, ProviderRefused, "provider.other_status", "The provider answered with another error.";
    MessageMalformed, ProviderMisbehaved, "provider.message_malformed", "The provider's message cannot be read.";
    SignatureMissing, ProviderMisbehaved, "provider.signature_missing", "The provider's message carries no signature where one must stand.";
    SignatureInvalid, ProviderMisbehaved, "provider.signature_invalid", "No registered key of the provider verifies the message.";
    SignatureAlgorithm, ProviderMisbehaved, "provider.signature_algorithm", "The message is signed with an algorithm that is not allowed.";
    IssuerMismatch, ProviderMisbehaved, "provider.issuer_mismatch", "The message is not from the provider that this login was sent to.";
    DestinationMismatch, ProviderMisbehaved, "provider.destination_mismatch", "The message was meant for another address.";
    RecipientMismatch, ProviderMisbehaved, "provider.recipient_mismatch", "The assertion was meant for another recipient.";
    InResponseToMismatch, ProviderMisbehaved, "provider.in_response_to_mismatch", "The message answers another request.";
    Unsolicited, ProviderMisbehaved, "provider.unsolicited", "The provider sent an answer that nobody asked for.";
    AudienceMismatch, ProviderMisbehaved, "provider.audience_mismatch", "The assertion was made for somebody else.";
    NotYetValid, ProviderMisbehaved, "provider.not_yet_valid", "The message is from the future: a clock is wrong.";
    Expired, ProviderMisbehaved, "provider.expired", "The message has expired, or a clock is wrong.";
    SubjectConfirmation, ProviderMisbehaved, "provider.subject_confirmation", "The assertion has no bearer confirmation that holds.";
    AuthnStatement, ProviderMisbehaved, "provider.authn_statement", "The assertion does not say exactly once how and when the person was authenticated.";
    ConditionUnknown, ProviderMisbehaved, "provider.condition_unknown", "The assertion carries a condition that the broker does not understand.";
    AssertionCount, ProviderMisbehaved, "provider.assertion_count", "The response does not carry exactly one readable assertion.";
    Undecryptable, ProviderMisbehaved, "provider.undecryptable", "The assertion cannot be decrypted with our keys.";
    EncryptedPart, ProviderMisbehaved, "provider.encrypted_part", "A part of the assertion is encrypted, where only the whole may be.";
    VersionUnsupported, ProviderMisbehaved, "provider.version_unsupported", "The message is not SAML 2.0.";
    Replayed, ProviderMisbehaved, "provider.replayed", "The message was used before.";
    AssuranceNotAsked, ProviderMisbehaved, "provider.assurance_not_asked", "The provider answered at a level that was not asked for.";
    AuthenticationTooOld, ProviderMisbehaved, "provider.authentication_too_old", "The person was to be authenticated anew and was not.";
    ProxyRestricted, ProviderMisbehaved, "provider.proxy_restricted", "The assertion may not be passed on.";
    ProviderUnusable, ProviderUnreachable, "provider.unusable", "The provider's metadata has no usable key or address.";
    ProviderUnreachable, ProviderUnreachable, "provider.unreachable", "The provider does not answer.";
    MetadataExpired, ProviderUnreachable, "provider.metadata_expired", "The provider's metadata has expired.";
    CookieMissing, Browser, "browser.cookie_missing", "The browser did not send the login's cookie.";
    LoginUnknown, Browser, "browser.login_unknown", "There is no such login: it expired, or it was started in another browser.";
    LoginUsed, Browser, "browser.login_used", "The login has already ended.";
    PageExpired, Browser, "browser.page_expired", "The page belongs to a step that is over.";
    BrowserTooMany, Browser, "browser.too_many", "The browser begins or tries more logins than a person does.";
    ProviderUnknown, Policy, "policy.provider_unknown", "The organisation asked for is not registered.";
    ProviderNotAllowed, Policy, "policy.provider_not_allowed", "The relying party does not take logins from that organisation.";
    ProviderSuspended, Policy, "policy.provider_suspended", "The federation operator has suspended the provider.";
    OrganisationSuspended, Policy, "policy.organisation_suspended", "The federation operator has suspended the organisation.";
    KeySuspended, Policy, "policy.key_suspended", "The federation operator has suspended the provider's key.";
    AttributeMissing, Policy, "policy.attribute_missing", "The provider did not send something that the relying party cannot do without.";
    AttributeOutsideAuthority, Policy, "policy.attribute_outside_authority", "The provider said something that its organisation may not answer for.";
    AssuranceTooLow, Policy, "policy.assurance_too_low", "The level is not one that the relying party takes.";
    AssuranceAboveCeiling, Policy, "policy.assurance_above_ceiling", "The provider claims a level that it is not registered for.";
    SubjectMissing, Policy, "policy.subject_missing", "The provider did not send what the subject identifier is made from.";
    SubjectMismatch, Policy, "policy.subject_mismatch", "Somebody else signed in than the relying party asked for.";
    OrganisationUnproven, Policy, "policy.organisation_unproven", "The assertion does not prove one of the provider's organisations.";
    OrganisationNotChosen, Policy, "policy.organisation_not_chosen", "The assertion proves another organisation than the one that was chosen.";
    ConnectionClosed, Policy, "policy.connection_closed", "The organisation does not let its people reach the relying party.";
    NoticeDeclined, Policy, "policy.notice_declined", "The person did not want to send what the relying party asked for.";
    InteractionRequired, Policy, "policy.interaction_required", "Something must be shown, and the relying party asked for silence.";
    StoreAway, Broker, "broker.store_away", "The shared store does not answer.";
    RegistryStale, Broker, "broker.registry_stale", "The node has not confirmed its registry lately.";
    KeyMissing, Broker, "broker.key_missing", "A key of ours is missing or refuses to sign.";
    Overloaded, Broker, "broker.overloaded", "Too much at once.";
    PageUnknown, Broker, "broker.page_unknown", "There is no such page.";
    Internal, Broker, "broker.internal", "A fault of ours.";
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One failure: the code, and for the log what was expected and what was there. The cause holds no personal data and no secret: entity
/// IDs, addresses, times, algorithm and element names, never values of attributes or identifiers of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {cause}")]
pub struct Failure {
    /// Which.
    pub code: FailureCode,
    /// For the log and the operators, in English.
    pub cause: String,
}

impl Failure {
    /// A failure with its cause.
    pub fn new(code: FailureCode, cause: impl Into<String>) -> Self {
        Self { code, cause: cause.into() }
    }
}

impl From<FailureCode> for Failure {
    fn from(code: FailureCode) -> Self {
        Self { code, cause: code.meaning().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::FailureCode;

    #[test]
    fn codes_are_unique_and_well_formed() {
        let codes: BTreeSet<_> = FailureCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), FailureCode::ALL.len());
        for code in codes {
            let (family, name) = code.split_once('.').expect("a dotted code");
            assert!(["relying_party", "provider", "browser", "policy", "broker"].contains(&family), "{code}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
        }
    }
}
