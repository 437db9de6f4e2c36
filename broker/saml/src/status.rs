//! Status codes (SAML Core 3.2.2.2): what a provider's refusal means to the login, and what a failure of ours is called in SAML.
//!
//! Both maps are exhaustive and have no wildcard arm. Neighbours: `sp/check/response.rs` reads a Status, `idp/response.rs` writes one.

use broker_core::failure::FailureCode;
use certs_xml::{Element, namespace::SAMLP};

/// The only permissible top-level codes (SAML Core 3.2.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TopLevel {
    /// It went well.
    Success,
    /// The requester's fault.
    Requester,
    /// The responder's fault.
    Responder,
    /// Not this version of SAML.
    VersionMismatch,
}

macro_rules! second_levels {
    ($($variant:ident, $uri:literal, $failure:ident;)*) => {
        /// Second-level codes that we know, SAML's own and those of the Swedish eID framework (SC-REG 3.1.4).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum SecondLevel {
            $(#[doc = concat!("`", $uri, "`")] $variant,)*
        }

        impl SecondLevel {
            /// Every code that we know.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its URI.
            #[must_use]
            pub fn uri(self) -> &'static str {
                match self { $(Self::$variant => $uri,)* }
            }

            /// What it means to the login when a provider says it.
            #[must_use]
            pub fn failure(self) -> FailureCode {
                match self { $(Self::$variant => FailureCode::$failure,)* }
            }
        }
    };
}

second_levels! {
    AuthnFailed, "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed", ProviderDenied;
    InvalidAttrNameOrValue, "urn:oasis:names:tc:SAML:2.0:status:InvalidAttrNameOrValue", ProviderRequestRefused;
    InvalidNameIdPolicy, "urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy", ProviderRequestRefused;
    NoAuthnContext, "urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext", ProviderNoAuthnContext;
    NoAvailableIdp, "urn:oasis:names:tc:SAML:2.0:status:NoAvailableIDP", ProviderOtherStatus;
    NoPassive, "urn:oasis:names:tc:SAML:2.0:status:NoPassive", ProviderNoPassive;
    NoSupportedIdp, "urn:oasis:names:tc:SAML:2.0:status:NoSupportedIDP", ProviderOtherStatus;
    PartialLogout, "urn:oasis:names:tc:SAML:2.0:status:PartialLogout", ProviderOtherStatus;
    ProxyCountExceeded, "urn:oasis:names:tc:SAML:2.0:status:ProxyCountExceeded", ProviderRequestRefused;
    RequestDenied, "urn:oasis:names:tc:SAML:2.0:status:RequestDenied", ProviderDenied;
    RequestUnsupported, "urn:oasis:names:tc:SAML:2.0:status:RequestUnsupported", ProviderRequestRefused;
    RequestVersionDeprecated, "urn:oasis:names:tc:SAML:2.0:status:RequestVersionDeprecated", ProviderRequestRefused;
    RequestVersionTooHigh, "urn:oasis:names:tc:SAML:2.0:status:RequestVersionTooHigh", ProviderRequestRefused;
    RequestVersionTooLow, "urn:oasis:names:tc:SAML:2.0:status:RequestVersionTooLow", ProviderRequestRefused;
    ResourceNotRecognized, "urn:oasis:names:tc:SAML:2.0:status:ResourceNotRecognized", ProviderRequestRefused;
    TooManyResponses, "urn:oasis:names:tc:SAML:2.0:status:TooManyResponses", ProviderOtherStatus;
    UnknownAttrProfile, "urn:oasis:names:tc:SAML:2.0:status:UnknownAttrProfile", ProviderRequestRefused;
    UnknownPrincipal, "urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal", ProviderUnknownPrincipal;
    UnsupportedBinding, "urn:oasis:names:tc:SAML:2.0:status:UnsupportedBinding", ProviderRequestRefused;
    Cancel, "http://id.elegnamnden.se/status/1.0/cancel", ProviderCancelled;
    Fraud, "http://id.elegnamnden.se/status/1.0/fraud", ProviderFraud;
    PossibleFraud, "http://id.elegnamnden.se/status/1.0/possibleFraud", ProviderFraud;
}

impl SecondLevel {
    /// The code of that URI.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.uri() == uri)
    }
}

impl TopLevel {
    /// Every code.
    pub const ALL: [Self; 4] = [Self::Success, Self::Requester, Self::Responder, Self::VersionMismatch];

    /// Its URI.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::Success => "urn:oasis:names:tc:SAML:2.0:status:Success",
            Self::Requester => "urn:oasis:names:tc:SAML:2.0:status:Requester",
            Self::Responder => "urn:oasis:names:tc:SAML:2.0:status:Responder",
            Self::VersionMismatch => "urn:oasis:names:tc:SAML:2.0:status:VersionMismatch",
        }
    }

    /// What it means to the login when a provider says it and nothing else that we know.
    fn failure(self) -> Option<FailureCode> {
        match self {
            Self::Success => None,
            Self::Requester | Self::VersionMismatch => Some(FailureCode::ProviderRequestRefused),
            Self::Responder => Some(FailureCode::ProviderOtherStatus),
        }
    }
}

/// A Status as it came: the codes from the outermost inwards. StatusMessage is left unread: it is free text and may name a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status<'d>(Vec<&'d str>);

/// How deep nested codes are looked at; SAML knows two levels.
const DEEPEST: usize = 4;

impl<'d> Status<'d> {
    /// Reads the Status of a response; `None` where there is not exactly one with exactly one code.
    pub(crate) fn read(response: Element<'d>) -> Option<Self> {
        let mut inner = only(response, "Status")?;
        let mut codes = Vec::new();
        while let Some(code) = only(inner, "StatusCode") {
            codes.push(code.attribute("Value")?);
            if codes.len() == DEEPEST {
                break;
            }
            inner = code;
        }
        (!codes.is_empty()).then_some(Self(codes))
    }

    /// The codes, outermost first.
    #[must_use]
    pub fn codes(&self) -> &[&'d str] {
        &self.0
    }

    /// What the status means to the login; `None`: success.
    #[must_use]
    pub fn failure(&self) -> Option<FailureCode> {
        let top = self.0.first().and_then(|uri| TopLevel::ALL.into_iter().find(|top| top.uri() == *uri));
        if top == Some(TopLevel::Success) {
            return None;
        }
        // Some providers put a second-level code at the top; the meaning is the same.
        let known = self.0.iter().find_map(|uri| SecondLevel::from_uri(uri)).map(SecondLevel::failure);
        Some(known.or(top.and_then(TopLevel::failure)).unwrap_or(FailureCode::ProviderOtherStatus))
    }
}

fn only<'d>(parent: Element<'d>, name: &str) -> Option<Element<'d>> {
    let mut found = parent.children_named(SAMLP.uri(), name);
    found.next().filter(|_| found.next().is_none())
}

/// What a relying party is told of a failure: one of the three maps to the wire (`broker-core/failure.rs`).
#[must_use]
pub fn leaving(code: FailureCode) -> (TopLevel, Option<SecondLevel>) {
    use FailureCode as F;
    match code {
        F::RequestMalformed
        | F::RelyingPartyUnknown
        | F::ReturnAddressUnregistered
        | F::ResponseTypeUnsupported
        | F::ScopeInvalid
        | F::PkceRequired
        | F::RelyingPartyAuthenticationFailed
        | F::CodeInvalid
        | F::PkceMismatch
        | F::GrantTypeUnsupported
        | F::TokenInvalid
        | F::RelyingPartyTooMany => (TopLevel::Requester, None),
        F::RequestNotSupported => (TopLevel::Requester, Some(SecondLevel::RequestUnsupported)),
        F::RelyingPartySuspended
        | F::ProviderNotAllowed
        | F::ProviderSuspended
        | F::OrganisationSuspended
        | F::KeySuspended
        | F::AttributeMissing
        | F::AttributeOutsideAuthority
        | F::SubjectMissing
        | F::OrganisationUnproven
        | F::OrganisationNotChosen
        | F::ConnectionClosed
        | F::NoticeDeclined => (TopLevel::Responder, Some(SecondLevel::RequestDenied)),
        F::ProviderUnknown => (TopLevel::Responder, Some(SecondLevel::NoSupportedIdp)),
        F::ProviderDenied | F::AuthenticationTooOld => (TopLevel::Responder, Some(SecondLevel::AuthnFailed)),
        F::ProviderCancelled => (TopLevel::Responder, Some(SecondLevel::Cancel)),
        F::ProviderFraud => (TopLevel::Responder, Some(SecondLevel::Fraud)),
        F::ProviderNoPassive | F::InteractionRequired => (TopLevel::Responder, Some(SecondLevel::NoPassive)),
        F::ProviderNoAuthnContext | F::AssuranceTooLow | F::AssuranceAboveCeiling | F::AssuranceNotAsked => {
            (TopLevel::Requester, Some(SecondLevel::NoAuthnContext))
        }
        F::ProviderUnknownPrincipal | F::SubjectMismatch => {
            (TopLevel::Responder, Some(SecondLevel::UnknownPrincipal))
        }
        F::ProviderUnreachable | F::ProviderUnusable | F::MetadataExpired => {
            (TopLevel::Responder, Some(SecondLevel::NoAvailableIdp))
        }
        F::ProxyRestricted => (TopLevel::Responder, Some(SecondLevel::ProxyCountExceeded)),
        F::ProviderRequestRefused
        | F::ProviderOtherStatus
        | F::MessageMalformed
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
        | F::CookieMissing
        | F::LoginUnknown
        | F::LoginUsed
        | F::PageExpired
        | F::StoreAway
        | F::RegistryStale
        | F::KeyMissing
        | F::Overloaded
        | F::BrowserTooMany
        | F::PageUnknown
        | F::Internal => (TopLevel::Responder, None),
    }
}

#[cfg(test)]
mod tests {
    use certs_xml::{Document, Limits};

    use super::*;

    fn failure_of(inner: &str) -> Option<Option<FailureCode>> {
        let xml = format!("<p:R xmlns:p='urn:oasis:names:tc:SAML:2.0:protocol'>{inner}</p:R>");
        let document = Document::read(xml.as_bytes(), Limits::message()).expect("well-formed");
        Status::read(document.root()).map(|status| status.failure())
    }

    fn nested(top: &str, second: &str) -> String {
        format!(
            "<p:Status><p:StatusCode Value='{top}'><p:StatusCode Value='{second}'/></p:StatusCode></p:Status>"
        )
    }

    #[test]
    fn the_second_level_says_what_happened() {
        let responder = TopLevel::Responder.uri();
        for (second, expected) in [
            ("urn:oasis:names:tc:SAML:2.0:status:AuthnFailed", FailureCode::ProviderDenied),
            ("urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext", FailureCode::ProviderNoAuthnContext),
            ("urn:oasis:names:tc:SAML:2.0:status:NoPassive", FailureCode::ProviderNoPassive),
            ("urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal", FailureCode::ProviderUnknownPrincipal),
            ("http://id.elegnamnden.se/status/1.0/cancel", FailureCode::ProviderCancelled),
            ("http://id.elegnamnden.se/status/1.0/fraud", FailureCode::ProviderFraud),
            ("http://id.elegnamnden.se/status/1.0/possibleFraud", FailureCode::ProviderFraud),
            ("urn:example:own", FailureCode::ProviderOtherStatus),
        ] {
            assert_eq!(failure_of(&nested(responder, second)), Some(Some(expected)), "{second}");
        }
        assert_eq!(
            failure_of(&nested(TopLevel::Requester.uri(), "urn:example:own")),
            Some(Some(FailureCode::ProviderRequestRefused))
        );
    }

    #[test]
    fn success_is_success_and_nothing_else_is() {
        assert_eq!(
            failure_of(&format!("<p:Status><p:StatusCode Value='{}'/></p:Status>", TopLevel::Success.uri())),
            Some(None)
        );
        assert_eq!(
            failure_of(
                "<p:Status><p:StatusCode Value='urn:oasis:names:tc:SAML:2.0:status:success'/></p:Status>"
            ),
            Some(Some(FailureCode::ProviderOtherStatus))
        );
    }

    #[test]
    fn a_status_stands_once() {
        let success = format!("<p:Status><p:StatusCode Value='{}'/></p:Status>", TopLevel::Success.uri());
        assert_eq!(failure_of(&format!("{success}{success}")), None);
        assert_eq!(failure_of("<p:Status/>"), None);
        assert_eq!(failure_of("<p:Status><p:StatusCode/></p:Status>"), None);
        assert_eq!(failure_of(""), None);
    }

    #[test]
    fn no_failure_leaves_as_success() {
        for code in FailureCode::ALL {
            assert_ne!(leaving(*code).0, TopLevel::Success, "{code}");
        }
    }
}
