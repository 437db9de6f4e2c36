//! The page of a failure: what happened in a sentence, what to do in another, and a first button that continues. And the HTTP map: one of
//! the three maps from failure to wire.

use broker_core::{
    failure::{FailureCode, Family},
    identifier::{Language, Reference},
    moment::Timestamp,
    organisation::SupportContact,
};
use minijinja::{Error, Value, context};

use super::{Argument, Html, Pages, Reader, clean, content_policy::ContentPolicy, mail_address, web_address};

/// What the page says. What is not known yet is `None`, and the page then speaks of "the service" and "your organisation".
#[derive(Debug, Clone)]
pub(crate) struct ErrorView<'a> {
    /// What failed; the page shows [`page_code`] of it.
    pub(crate) code: FailureCode,
    /// What finds it in the log.
    pub(crate) reference: &'a Reference,
    /// The service's name.
    pub(crate) relying_party: Option<&'a str>,
    /// The person's organisation.
    pub(crate) organisation: Option<&'a str>,
    /// Where that organisation's staff turn for help.
    pub(crate) support: Option<&'a SupportContact>,
    /// The organisation that was chosen, where another was proven.
    pub(crate) chosen: Option<&'a str>,
    /// Where the same request goes on as `organisation`: the first button, when the person belongs to another than the chosen one.
    pub(crate) onward: Option<&'a str>,
    /// Where the first button leads: a new start of the same login, or the service's own start page.
    pub(crate) restart: Option<&'a str>,
    /// That way ends this login at the service, which is told what failed, instead of starting a new one.
    pub(crate) answers: bool,
    /// When.
    pub(crate) at: Timestamp,
}

impl Pages {
    /// The page of a failure, to be sent with [`http_status`].
    pub(crate) fn error(&self, language: &Language, view: &ErrorView<'_>) -> Html {
        self.render("error.html", language, ContentPolicy::Quiet, self.error_content(language, view))
    }

    pub(super) fn try_error(&self, language: &Language, view: &ErrorView<'_>) -> Result<Html, Error> {
        self.try_render("error.html", language, ContentPolicy::Quiet, self.error_content(language, view))
    }

    fn error_content(&self, language: &Language, view: &ErrorView<'_>) -> Value {
        let code = page_code(view.code);
        let unnamed_service = self.text(language, "unnamed-service", &[]);
        let unnamed_organisation = self.text(language, "unnamed-organisation", &[]);
        let service = view.relying_party.map_or_else(|| unnamed_service.clone(), clean);
        let organisation = view.organisation.map_or_else(|| unnamed_organisation.clone(), clean);
        let chosen =
            view.chosen.map_or_else(|| self.text(language, "unnamed-other-organisation", &[]), clean);
        let arguments = [
            ("service", Argument::Text(&service)),
            ("organisation", Argument::Text(&organisation)),
            ("chosen", Argument::Text(&chosen)),
        ];
        let text = |reader| {
            let text = self.texts.failure(language, code, reader, &arguments);
            let unnamed = text.starts_with(&unnamed_service) || text.starts_with(&unnamed_organisation);
            if unnamed { capitalised(&text) } else { text }
        };
        let restart = view.restart.and_then(web_address);
        let button = match restart {
            Some(href) if !view.answers && continues(code) == Continues::Again => {
                context! { href, text => self.text(language, "error-again", &[]) }
            }
            Some(href) => {
                context! { href, text => self.text(language, "error-return", &[("service", Argument::Text(&service))]) }
            }
            None => context! { href => "/", text => self.text(language, "error-start", &[]) },
        };
        let onward = view.onward.and_then(web_address).map(|href| {
            let named = [("organisation", Argument::Text(organisation.as_str()))];
            context! { href, text => self.text(language, "error-continue-as", &named) }
        });
        // The way on comes first, and the way back stays beside it.
        let (button, second) = match onward {
            Some(onward) => (onward, Some(button)),
            None => (button, None),
        };
        context! {
            second,
            title => text(Reader::EmployeeTitle),
            what => text(Reader::EmployeeWhat),
            next => text(Reader::EmployeeNext),
            calm => is_calm(code),
            button,
            organisation => organisation.as_str(),
            support => view.support.map(contacts).filter(|ways| !ways.is_empty()),
            reference => view.reference.as_str(),
            code => code.as_str(),
            machine_time => view.at.to_rfc3339(),
            time => self.texts.time(language, view.at),
        }
    }
}

/// What a page's first button offers when it leads to a new start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Continues {
    /// Trying again may well succeed.
    Again,
    /// Trying again would end here again: back to the service.
    Back,
}

fn continues(code: FailureCode) -> Continues {
    match code {
        FailureCode::NoticeDeclined | FailureCode::AssuranceTooLow | FailureCode::ProviderUnknown => {
            Continues::Again
        }
        FailureCode::LoginUsed
        | FailureCode::Unsolicited
        | FailureCode::ProviderNoPassive
        | FailureCode::PageUnknown => Continues::Back,
        _ => match code.family() {
            Family::RelyingParty | Family::Policy => Continues::Back,
            Family::ProviderRefused
            | Family::ProviderMisbehaved
            | Family::ProviderUnreachable
            | Family::Browser
            | Family::Broker => Continues::Again,
        },
    }
}

/// Whether nothing is wrong: the person changed their mind, or only needs to begin again. Such a page wears no sign of danger.
fn is_calm(code: FailureCode) -> bool {
    code.family() == Family::Browser
        || matches!(
            code,
            FailureCode::ProviderCancelled
                | FailureCode::ProviderNoPassive
                | FailureCode::NoticeDeclined
                | FailureCode::InteractionRequired
                | FailureCode::OrganisationNotChosen
                | FailureCode::Replayed
                | FailureCode::PageUnknown
        )
}

/// The ways to reach a help desk, each with a link where it is a plain one.
fn contacts(support: &SupportContact) -> Vec<Value> {
    let telephone = support.telephone.as_deref().map(|number| {
        let digits: String =
            number.chars().filter(|character| character.is_ascii_digit() || *character == '+').collect();
        context! { href => (!digits.is_empty()).then(|| format!("tel:{digits}")), text => clean(number) }
    });
    let email = support
        .email
        .as_deref()
        .map(|address| context! { href => mail_address(address), text => clean(address) });
    let url = support
        .url
        .as_deref()
        .and_then(web_address)
        .map(|address| context! { href => address, text => clean(address) });
    [telephone, email, url].into_iter().flatten().collect()
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// The code that a page shows: cryptographic failures look alike from outside (design decision 13), so that nobody learns from a page
/// how far a forged message came. The log has the cause.
#[must_use]
pub(crate) fn page_code(code: FailureCode) -> FailureCode {
    match code {
        FailureCode::SignatureMissing | FailureCode::SignatureAlgorithm | FailureCode::Undecryptable => {
            FailureCode::SignatureInvalid
        }
        other => other,
    }
}

/// The HTTP status of a failure's page: 4xx for what the browser brought with it, 503 for what may pass by waiting.
#[must_use]
pub(crate) fn http_status(code: FailureCode) -> u16 {
    use FailureCode as Code;
    match code {
        Code::RequestMalformed
        | Code::RelyingPartyUnknown
        | Code::ReturnAddressUnregistered
        | Code::ResponseTypeUnsupported
        | Code::ScopeInvalid
        | Code::PkceRequired
        | Code::RequestNotSupported
        | Code::CodeInvalid
        | Code::PkceMismatch
        | Code::GrantTypeUnsupported => 400,
        Code::RelyingPartyAuthenticationFailed | Code::TokenInvalid => 401,
        Code::RelyingPartySuspended => 403,
        Code::ProviderDenied
        | Code::ProviderCancelled
        | Code::ProviderNoPassive
        | Code::ProviderNoAuthnContext
        | Code::ProviderUnknownPrincipal
        | Code::ProviderFraud
        | Code::ProviderRequestRefused
        | Code::ProviderOtherStatus => 403,
        Code::MessageMalformed
        | Code::SignatureMissing
        | Code::SignatureInvalid
        | Code::SignatureAlgorithm
        | Code::IssuerMismatch
        | Code::DestinationMismatch
        | Code::RecipientMismatch
        | Code::InResponseToMismatch
        | Code::Unsolicited
        | Code::AudienceMismatch
        | Code::NotYetValid
        | Code::Expired
        | Code::SubjectConfirmation
        | Code::AuthnStatement
        | Code::ConditionUnknown
        | Code::AssertionCount
        | Code::Undecryptable
        | Code::EncryptedPart
        | Code::VersionUnsupported
        | Code::Replayed
        | Code::AssuranceNotAsked
        | Code::AuthenticationTooOld
        | Code::ProxyRestricted => 400,
        Code::ProviderUnusable | Code::ProviderUnreachable | Code::MetadataExpired => 503,
        Code::CookieMissing => 400,
        Code::LoginUnknown | Code::LoginUsed | Code::PageExpired => 410,
        Code::ProviderUnknown => 404,
        Code::ProviderNotAllowed
        | Code::ProviderSuspended
        | Code::OrganisationSuspended
        | Code::KeySuspended
        | Code::AttributeMissing
        | Code::AttributeOutsideAuthority
        | Code::AssuranceTooLow
        | Code::AssuranceAboveCeiling
        | Code::SubjectMissing
        | Code::SubjectMismatch
        | Code::OrganisationUnproven
        | Code::OrganisationNotChosen
        | Code::ConnectionClosed
        | Code::NoticeDeclined
        | Code::InteractionRequired => 403,
        Code::StoreAway | Code::RegistryStale | Code::Overloaded => 503,
        Code::RelyingPartyTooMany | Code::BrowserTooMany => 429,
        Code::PageUnknown => 404,
        Code::KeyMissing | Code::Internal => 500,
    }
}
