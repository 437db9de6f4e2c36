//! Failures as OAuth 2.0 and OpenID Connect error codes: the one map to this wire, exhaustive and without a wildcard arm.
//!
//! Codes: RFC 6749 4.1.2.1 and 5.2, RFC 6750 3.1, OpenID Connect Core 3.1.2.6, and `unmet_authentication_requirements` (OpenID Connect
//! Core Error Code unmet_authentication_requirements 1.0). At the authorization endpoint nothing else is sent (Swedish profile 2.3).
//!
//! A description is a fixed text. What was found, where, and who said it stays in the log.

use broker_core::failure::FailureCode;
use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($variant:ident, $code:literal, $at_authorization:literal, $doc:literal;)*) => {
        /// An error code on the wire.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ErrorCode {
            $(#[doc = $doc] #[serde(rename = $code)] $variant,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As it is written.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Whether it may leave through the browser (Swedish profile 2.3).
            #[must_use]
            pub fn is_for_authorization(self) -> bool {
                match self { $(Self::$variant => $at_authorization,)* }
            }

            /// What it means, for the relying party's developer.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

codes! {
    InvalidRequest, "invalid_request", true, "The request breaks its protocol.";
    UnauthorizedClient, "unauthorized_client", true, "The relying party may not ask this.";
    AccessDenied, "access_denied", true, "The person was not signed in to the relying party.";
    UnsupportedResponseType, "unsupported_response_type", true, "Only response_type=code is offered.";
    InvalidScope, "invalid_scope", true, "The scope openid is missing, or a scope is not registered for the relying party.";
    ServerError, "server_error", true, "The login could not be completed.";
    TemporarilyUnavailable, "temporarily_unavailable", true, "The login cannot be made right now; try again later.";
    InteractionRequired, "interaction_required", true, "Something must be shown to the person, and prompt=none forbids it.";
    LoginRequired, "login_required", true, "The person must sign in and prompt=none forbids it, or somebody else signed in than the request names.";
    RequestNotSupported, "request_not_supported", true, "Request Objects are not offered.";
    RequestUriNotSupported, "request_uri_not_supported", true, "Request Objects by reference are not offered.";
    RegistrationNotSupported, "registration_not_supported", true, "Registration within the request is not offered.";
    UnmetAuthenticationRequirements, "unmet_authentication_requirements", true, "The person cannot be authenticated as the request requires.";
    InvalidClient, "invalid_client", false, "The relying party did not prove who it is as registered.";
    InvalidGrant, "invalid_grant", false, "The code is unknown, expired, used, or was not given to this request.";
    UnsupportedGrantType, "unsupported_grant_type", false, "Only grant_type=authorization_code is offered.";
    InvalidToken, "invalid_token", false, "The access token is unknown or expired.";
}

/// What a relying party is told of a failure.
#[must_use]
pub fn of(code: FailureCode) -> ErrorCode {
    use ErrorCode as E;
    use FailureCode as F;
    match code {
        F::RequestMalformed | F::ReturnAddressUnregistered | F::PkceRequired | F::RequestNotSupported => {
            E::InvalidRequest
        }
        F::RelyingPartyUnknown | F::RelyingPartySuspended => E::UnauthorizedClient,
        F::ResponseTypeUnsupported => E::UnsupportedResponseType,
        F::ScopeInvalid => E::InvalidScope,
        F::RelyingPartyAuthenticationFailed => E::InvalidClient,
        F::CodeInvalid | F::PkceMismatch => E::InvalidGrant,
        F::GrantTypeUnsupported => E::UnsupportedGrantType,
        F::TokenInvalid => E::InvalidToken,
        F::ProviderDenied | F::ProviderCancelled | F::ProviderUnknownPrincipal | F::ProviderFraud => {
            E::AccessDenied
        }
        // OIDC Core 3.1.2.1 (id_token_hint): somebody else than was asked for is answered as nobody.
        F::ProviderNoPassive | F::SubjectMismatch => E::LoginRequired,
        F::ProviderNoAuthnContext | F::AssuranceNotAsked | F::AssuranceTooLow => {
            E::UnmetAuthenticationRequirements
        }
        F::ProviderRequestRefused | F::ProviderOtherStatus => E::ServerError,
        F::MessageMalformed
        | F::SignatureMissing
        | F::SignatureInvalid
        | F::SignatureAlgorithm
        | F::IssuerMismatch
        | F::DestinationMismatch
        | F::RecipientMismatch
        | F::InResponseToMismatch
        | F::Unsolicited
        | F::AudienceMismatch
        | F::NotYetValid
        | F::Expired
        | F::SubjectConfirmation
        | F::AuthnStatement
        | F::ConditionUnknown
        | F::AssertionCount
        | F::Undecryptable
        | F::EncryptedPart
        | F::VersionUnsupported
        | F::Replayed
        | F::AuthenticationTooOld
        | F::ProxyRestricted => E::ServerError,
        F::ProviderUnusable | F::ProviderUnreachable | F::MetadataExpired => E::TemporarilyUnavailable,
        // These end on a page; should one be answered after all, then the person was not signed in.
        F::CookieMissing | F::LoginUnknown | F::LoginUsed | F::PageExpired => E::AccessDenied,
        F::ProviderUnknown
        | F::ProviderNotAllowed
        | F::ProviderSuspended
        | F::OrganisationSuspended
        | F::KeySuspended
        | F::AttributeMissing
        | F::AttributeOutsideAuthority
        | F::AssuranceAboveCeiling
        | F::SubjectMissing
        | F::OrganisationUnproven
        | F::OrganisationNotChosen
        | F::ConnectionClosed
        | F::NoticeDeclined => E::AccessDenied,
        F::InteractionRequired => E::InteractionRequired,
        F::StoreAway | F::RegistryStale | F::Overloaded | F::RelyingPartyTooMany | F::BrowserTooMany => {
            E::TemporarilyUnavailable
        }
        F::KeyMissing | F::PageUnknown | F::Internal => E::ServerError,
    }
}

/// Like [`of`], for an answer through the browser: a code that belongs to the other endpoints becomes `server_error`.
#[must_use]
pub fn of_authorization(code: FailureCode) -> ErrorCode {
    let error = of(code);
    if error.is_for_authorization() { error } else { ErrorCode::ServerError }
}

#[cfg(test)]
mod tests {
    use broker_core::failure::{FailureCode, Family};

    use super::{ErrorCode, of, of_authorization};

    #[test]
    fn only_codes_of_the_swedish_profile_leave_through_the_browser() {
        for code in FailureCode::ALL {
            assert!(of_authorization(*code).is_for_authorization(), "{code}");
        }
    }

    #[test]
    fn what_a_provider_did_wrong_is_not_told() {
        for code in FailureCode::ALL.iter().filter(|code| code.family() == Family::ProviderMisbehaved) {
            assert!(
                [ErrorCode::ServerError, ErrorCode::UnmetAuthenticationRequirements].contains(&of(*code)),
                "{code}"
            );
        }
    }

    #[test]
    fn a_fraud_looks_like_any_refusal() {
        assert_eq!(of(FailureCode::ProviderFraud), of(FailureCode::ProviderDenied));
    }

    #[test]
    fn descriptions_use_the_characters_that_rfc_6749_4_1_2_1_allows() {
        for code in ErrorCode::ALL {
            assert!(
                code.meaning().bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
                "{}",
                code.as_str()
            );
        }
    }
}
