//! Rules about how and when the person was authenticated: AuthnStatement (SAML Core 2.7.2).

use broker_core::{assurance::Assurance, failure::FailureCode, moment::Timestamp};
use certs_xml::{Element, namespace::SAML};

use super::{ABSENT, Clock, Outcome};
use crate::{
    message::{Assertion, child_text, text_of},
    sp::authn_request::SentRequest,
};

pub(in crate::sp) fn statement<'d>(assertion: &Assertion<'d>) -> (Outcome, Option<Element<'d>>) {
    let mut statements = assertion.authn_statements();
    let first = statements.next();
    let count = usize::from(first.is_some()) + statements.count();
    let outcome =
        Outcome::of(count == 1, FailureCode::AuthnStatement, "one AuthnStatement", count.to_string());
    (outcome, first)
}

pub(in crate::sp) fn instant(statement: Element<'_>, clock: Clock) -> (Outcome, Option<Timestamp>) {
    let written = statement.attribute("AuthnInstant");
    let instant = written.and_then(Timestamp::from_rfc3339);
    let code = if instant.is_none() { FailureCode::AuthnStatement } else { FailureCode::NotYetValid };
    let expected = format!("a time not after {} (skew {} s)", clock.now, clock.skew);
    let holds = instant.is_some_and(|instant| clock.has_come(instant));
    (Outcome::of(holds, code, expected, written.unwrap_or(ABSENT)), instant)
}

pub(in crate::sp) fn session_end(statement: Element<'_>, clock: Clock) -> (Outcome, Option<Timestamp>) {
    let written = statement.attribute("SessionNotOnOrAfter");
    (clock.not_on_or_after(written), written.and_then(Timestamp::from_rfc3339))
}

/// The one AuthnContextClassRef, of the one AuthnContext.
pub(in crate::sp) fn context(statement: Element<'_>) -> (Outcome, Option<Assurance>) {
    let mut contexts = statement.children_named(SAML.uri(), "AuthnContext");
    let context = contexts.next().filter(|_| contexts.next().is_none());
    let class = context
        .and_then(|context| child_text(context, SAML.uri(), "AuthnContextClassRef"))
        .filter(|class| !class.is_empty());
    let outcome = Outcome::of(
        class.is_some(),
        FailureCode::AuthnStatement,
        "one AuthnContextClassRef",
        class.unwrap_or("none, or more than one"),
    );
    (outcome, class.map(Assurance::new))
}

pub(in crate::sp) fn context_asked(told: &Assurance, sent: &SentRequest) -> Outcome {
    if sent.asked.is_empty() || sent.wished {
        return Outcome::not_applicable("no level was demanded");
    }
    let expected = sent.asked.iter().map(Assurance::as_str).collect::<Vec<_>>().join(" or ");
    Outcome::of(sent.asked.contains(told), FailureCode::AssuranceNotAsked, expected, told.as_str())
}

/// Who authenticated the person for the provider, if somebody else did.
pub(in crate::sp) fn authorities(statement: Element<'_>, own_entity_id: &str) -> (Outcome, Vec<String>) {
    let authorities: Vec<String> = statement
        .children_named(SAML.uri(), "AuthnContext")
        .flat_map(|context| context.children_named(SAML.uri(), "AuthenticatingAuthority"))
        .filter_map(text_of)
        .map(str::to_owned)
        .collect();
    if authorities.is_empty() {
        return (Outcome::not_applicable(ABSENT), authorities);
    }
    let outcome = Outcome::of(
        !authorities.iter().any(|authority| authority == own_entity_id),
        FailureCode::ProxyRestricted,
        "others than us",
        authorities.join(", "),
    );
    (outcome, authorities)
}
