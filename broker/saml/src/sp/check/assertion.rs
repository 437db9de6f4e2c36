//! Rules about the assertion's own frame.

use broker_core::{attribute::AttributeName, failure::FailureCode};
use certs_xml::namespace::SAML;

use super::{ABSENT, Clock, Outcome, response::issuer_is, signature::is_in_advice};
use crate::message::Assertion;

/// The longest identifier that is kept until an assertion expires, in octets.
const LONGEST_ID: usize = 1024;

pub(in crate::sp) fn identifier(assertion: &Assertion<'_>) -> Outcome {
    let holds = assertion.id.is_some_and(|id| id.len() <= LONGEST_ID);
    Outcome::of(holds, FailureCode::MessageMalformed, "an ID", assertion.id.unwrap_or(ABSENT))
}

pub(in crate::sp) fn issuer(assertion: &Assertion<'_>, provider: &str) -> Outcome {
    issuer_is(assertion.issuer(), provider)
}

pub(in crate::sp) fn issue_instant(assertion: &Assertion<'_>, clock: Clock) -> Outcome {
    clock.made_just_now(assertion.issue_instant)
}

/// SC-DP 6.1: the whole assertion is encrypted, or nothing of it. A part that we do not read could be the one that matters.
pub(in crate::sp) fn encrypted_parts(assertion: &Assertion<'_>) -> Outcome {
    const PARTS: [&str; 2] = ["EncryptedID", "EncryptedAttribute"];
    let part = assertion.element.subtree().find(|element| {
        element.namespace() == SAML.uri() && PARTS.contains(&element.local_name()) && !is_in_advice(*element)
    });
    let found = part.map_or("neither".to_owned(), |part| {
        let parent = part.parent().map_or(ABSENT, |parent| parent.local_name());
        format!("{} in {parent}", part.local_name())
    });
    Outcome::of(part.is_none(), FailureCode::EncryptedPart, "no EncryptedID and no EncryptedAttribute", found)
}

pub(in crate::sp) fn attribute_statements(assertion: &Assertion<'_>) -> Outcome {
    let count = assertion.attribute_statements().count();
    Outcome::of(count <= 1, FailureCode::MessageMalformed, "at most one", count.to_string())
}

pub(in crate::sp) fn attribute_names(ambiguous: Option<AttributeName>) -> Outcome {
    let found = ambiguous.map_or_else(|| "no two that differ".to_owned(), |name| format!("{name} differs"));
    Outcome::of(ambiguous.is_none(), FailureCode::MessageMalformed, "the same values under each name", found)
}
