//! Rules about the envelope: the Response itself. An unsigned Response is held to them too: it can fail a login, never carry one.

use broker_core::failure::FailureCode;
use certs_xml::{Element, namespace::SAML};

use super::{ABSENT, Clock, LET_PASS, Outcome, request_id, signature::is_in_advice};
use crate::message::{Response, is_encrypted_assertion, is_response, text_of};

/// `entity`: the format of an Issuer that is an entity ID, and the only one here (SAML Profiles 4.1.4.2).
const ENTITY_FORMAT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";

pub(in crate::sp) fn element(root: Element<'_>) -> Outcome {
    Outcome::of(
        is_response(root),
        FailureCode::MessageMalformed,
        "samlp:Response",
        format!("{} in the namespace {:?}", root.local_name(), root.namespace()),
    )
}

pub(in crate::sp) fn version(version: Option<&str>) -> Outcome {
    Outcome::of(version == Some("2.0"), FailureCode::VersionUnsupported, "2.0", version.unwrap_or(ABSENT))
}

/// `may_be_absent` is for an inspection alone.
pub(in crate::sp) fn in_response_to(found: Option<&str>, sent: &str, may_be_absent: bool) -> Outcome {
    if found.is_none() && may_be_absent {
        return Outcome::not_applicable(LET_PASS);
    }
    let code = if found.is_none() { FailureCode::Unsolicited } else { FailureCode::InResponseToMismatch };
    Outcome::of(found == Some(sent), code, request_id(sent), request_id(found.unwrap_or(ABSENT)))
}

/// The Issuer of a Response may be left out unless the Response is signed (SAML Profiles 4.1.4.2).
pub(in crate::sp) fn issuer(response: &Response<'_>, provider: &str, is_signed: bool) -> Outcome {
    match response.issuer {
        None if !is_signed => Outcome::not_applicable(ABSENT),
        found => issuer_is(found, provider),
    }
}

/// The Issuer, of which there is one, is the provider that this login was sent to: octet by octet, in the format of entity IDs.
pub(super) fn issuer_is(issuer: Option<Element<'_>>, provider: &str) -> Outcome {
    let format_fits =
        |issuer: Element<'_>| issuer.attribute("Format").is_none_or(|format| format == ENTITY_FORMAT);
    let is_one = issuer
        .and_then(Element::parent)
        .is_none_or(|parent| parent.children_named(SAML.uri(), "Issuer").nth(1).is_none());
    let text = issuer.and_then(text_of);
    Outcome::of(
        text == Some(provider) && issuer.is_some_and(format_fits) && is_one,
        FailureCode::IssuerMismatch,
        provider.to_owned(),
        if is_one { text.unwrap_or(ABSENT) } else { "more than one" },
    )
}

pub(in crate::sp) fn destination(response: &Response<'_>, acs_url: &str, is_signed: bool) -> Outcome {
    match response.destination {
        None | Some("") if !is_signed => Outcome::not_applicable(ABSENT),
        found => Outcome::of(
            found == Some(acs_url),
            FailureCode::DestinationMismatch,
            acs_url.to_owned(),
            found.unwrap_or(ABSENT),
        ),
    }
}

pub(in crate::sp) fn issue_instant(response: &Response<'_>, clock: Clock) -> Outcome {
    clock.made_just_now(response.issue_instant)
}

pub(in crate::sp) fn status(response: &Response<'_>) -> Outcome {
    let Some(status) = &response.status else {
        return Outcome::of(false, FailureCode::MessageMalformed, "Success", "no readable Status");
    };
    let failure = status.failure();
    let code = failure.unwrap_or(FailureCode::ProviderOtherStatus);
    Outcome::of(failure.is_none(), code, "Success", status.codes().join(" / "))
}

/// Exactly one assertion, in the open or encrypted, directly inside, and none hidden elsewhere: a second one anywhere is how wrapping
/// attacks begin.
pub(in crate::sp) fn assertion_count(response: &Response<'_>) -> Outcome {
    let is_one =
        |element: Element<'_>| element.is(SAML.uri(), "Assertion") || is_encrypted_assertion(element);
    let anywhere =
        response.element.subtree().filter(|element| is_one(*element) && !is_in_advice(*element)).count();
    let (direct, encrypted) = (response.assertions().count(), response.encrypted_assertions().count());
    Outcome::of(
        direct + encrypted == 1 && anywhere == 1,
        FailureCode::AssertionCount,
        "one assertion",
        format!("{direct} and {encrypted} encrypted directly inside, {anywhere} in all"),
    )
}
