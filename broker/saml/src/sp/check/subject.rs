//! Rules about who may present the assertion: SubjectConfirmation (SAML Core 2.4.1, SAML Profiles 4.1.4.2).
//!
//! An assertion may carry several confirmations; one that holds is enough. Each rule keeps those that pass it and hands them to the
//! next; it is broken when none is left.

use broker_core::{failure::FailureCode, moment::Timestamp};
use certs_xml::{Element, namespace::SAML};

use super::{ABSENT, Clock, Outcome, request_id};
use crate::message::{Assertion, Confirmation, confirmations};

/// The bearer method (SAML Profiles 3.3).
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// One Subject, and in it at most one identifier followed by confirmations alone (SAML Core 2.4.1, schema).
pub(in crate::sp) fn subject(assertion: &Assertion<'_>) -> Outcome {
    const IDENTIFIERS: [&str; 3] = ["NameID", "BaseID", "EncryptedID"];
    let subject = assertion.subject();
    let in_order = |subject: Element<'_>| {
        let is = |child: &Element<'_>, names: &[&str]| {
            child.namespace() == SAML.uri() && names.contains(&child.local_name())
        };
        let mut children = subject.children().peekable();
        children.next_if(|child| is(child, &IDENTIFIERS));
        children.all(|child| is(&child, &["SubjectConfirmation"]))
    };
    let (holds, found) = match subject {
        None => (false, "none, or more than one"),
        Some(subject) if in_order(subject) => (true, "one"),
        Some(_) => (false, "one with its parts out of order"),
    };
    Outcome::of(holds, FailureCode::SubjectConfirmation, "one Subject", found)
}

/// The data of the bearer confirmations.
pub(in crate::sp) fn bearer<'d>(assertion: &Assertion<'d>) -> (Outcome, Vec<Element<'d>>) {
    let all: Vec<Confirmation<'d>> = assertion.subject().into_iter().flat_map(confirmations).collect();
    let data: Vec<_> = all
        .iter()
        .filter(|confirmation| confirmation.method == Some(BEARER))
        .filter_map(|confirmation| confirmation.data)
        .collect();
    let methods: Vec<_> = all.iter().map(|confirmation| confirmation.method.unwrap_or(ABSENT)).collect();
    let outcome = Outcome::of(
        !data.is_empty(),
        FailureCode::SubjectConfirmation,
        BEARER,
        found_in(methods.into_iter()),
    );
    (outcome, data)
}

pub(in crate::sp) fn recipient(data: &mut Vec<Element<'_>>, acs_url: &str) -> Outcome {
    let found = found_in(data.iter().map(|data| data.attribute("Recipient").unwrap_or(ABSENT)));
    data.retain(|data| data.attribute("Recipient") == Some(acs_url));
    Outcome::of(!data.is_empty(), FailureCode::RecipientMismatch, acs_url.to_owned(), found)
}

/// `may_be_absent` is for an inspection alone.
pub(in crate::sp) fn in_response_to(data: &mut Vec<Element<'_>>, sent: &str, may_be_absent: bool) -> Outcome {
    let found: Vec<_> =
        data.iter().map(|data| request_id(data.attribute("InResponseTo").unwrap_or(ABSENT))).collect();
    data.retain(|data| data.attribute("InResponseTo").map_or(may_be_absent, |found| found == sent));
    let found = found_in(found.iter().map(String::as_str));
    Outcome::of(!data.is_empty(), FailureCode::InResponseToMismatch, request_id(sent), found)
}

pub(in crate::sp) fn not_before(data: &mut Vec<Element<'_>>) -> Outcome {
    let found = found_in(data.iter().map(|data| data.attribute("NotBefore").unwrap_or(ABSENT)));
    data.retain(|data| data.attribute("NotBefore").is_none());
    Outcome::of(!data.is_empty(), FailureCode::SubjectConfirmation, "no NotBefore", found)
}

pub(in crate::sp) fn not_on_or_after(data: &mut Vec<Element<'_>>, clock: Clock) -> Outcome {
    let found = found_in(data.iter().map(|data| data.attribute("NotOnOrAfter").unwrap_or(ABSENT)));
    let is_dated = |data: &Element<'_>| end_of(*data).is_some();
    let code =
        if data.iter().any(is_dated) { FailureCode::Expired } else { FailureCode::SubjectConfirmation };
    data.retain(|data| end_of(*data).is_some_and(|end| clock.is_ahead(end)));
    let expected = format!("a time after {} (skew {} s)", clock.now, clock.skew);
    Outcome::of(!data.is_empty(), code, expected, found)
}

/// When a confirmation ends.
pub(in crate::sp) fn end_of(data: Element<'_>) -> Option<Timestamp> {
    data.attribute("NotOnOrAfter").and_then(Timestamp::from_rfc3339)
}

fn found_in<'d>(values: impl Iterator<Item = &'d str>) -> String {
    let joined = values.collect::<Vec<_>>().join(", ");
    if joined.is_empty() { ABSENT.to_owned() } else { joined }
}
