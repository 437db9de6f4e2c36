//! Rules about the assertion's own frame.

use broker_core::{attribute::AttributeName, failure::FailureCode};

use super::{ABSENT, Clock, Outcome, response::issuer_is};
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

pub(in crate::sp) fn attribute_statements(assertion: &Assertion<'_>) -> Outcome {
    let count = assertion.attribute_statements().count();
    Outcome::of(count <= 1, FailureCode::MessageMalformed, "at most one", count.to_string())
}

pub(in crate::sp) fn attribute_names(ambiguous: Option<AttributeName>) -> Outcome {
    let found = ambiguous.map_or_else(|| "no two that differ".to_owned(), |name| format!("{name} differs"));
    Outcome::of(ambiguous.is_none(), FailureCode::MessageMalformed, "the same values under each name", found)
}
