//! Rules about how and when the person was authenticated: AuthnStatement (SAML Core 2.7.2).

use broker_core::{
    assurance::Assurance, failure::FailureCode, login::fresh_enough, moment::Timestamp,
    policy::ProviderPolicy, release::assurance::counts, request::Freshness,
};
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

/// A level is the provider's to give: registered for it, and under its organisation's ceiling. The release asks the same function.
pub(in crate::sp) fn context_registered(told: &Assurance, provider: &ProviderPolicy) -> Outcome {
    let registered = provider.assurance.iter().map(Assurance::as_str).collect::<Vec<_>>().join(" or ");
    match counts(told, provider) {
        Ok(true) => Outcome::of(true, FailureCode::AssuranceAboveCeiling, registered, told.as_str()),
        Ok(false) => Outcome::not_applicable(format!("{told}, which proves no level")),
        Err(failure) => Outcome::of(false, failure.code, registered, told.as_str()),
    }
}

/// The authentication is as new as was asked for. SAML asks with ForceAuthn and proves with AuthnInstant.
pub(in crate::sp) fn fresh(at: Timestamp, sent: &SentRequest) -> Outcome {
    let expected = match sent.freshness {
        Freshness { force: false, max_age: None } => {
            return Outcome::not_applicable("no freshness was asked for");
        }
        Freshness { force: true, .. } => format!("a time after our request of {}", sent.at),
        Freshness { force: false, max_age: Some(seconds) } => {
            format!("a time at most {seconds} s before our request of {}", sent.at)
        }
    };
    let fresh = fresh_enough(sent.freshness, sent.at, at);
    let code = fresh.as_ref().map_or_else(|failure| failure.code, |()| FailureCode::AuthenticationTooOld);
    Outcome::of(fresh.is_ok(), code, expected, at.to_rfc3339())
}

/// The longest chain of authorities that is read.
const MOST_AUTHORITIES: usize = 16;
/// The longest name of one, in octets (an entity ID: SAML Metadata 2.2.1).
const LONGEST_AUTHORITY: usize = 1024;

/// Who authenticated the person for the provider, if somebody else did. A name of ours among them is a loop.
pub(in crate::sp) fn authorities(statement: Element<'_>, own_names: &[String]) -> (Outcome, Vec<String>) {
    let elements: Vec<_> = statement
        .children_named(SAML.uri(), "AuthnContext")
        .flat_map(|context| context.children_named(SAML.uri(), "AuthenticatingAuthority"))
        .take(MOST_AUTHORITIES + 1)
        .collect();
    if elements.is_empty() {
        return (Outcome::not_applicable(ABSENT), Vec::new());
    }
    let authorities: Vec<String> = elements
        .iter()
        .filter_map(|element| text_of(*element))
        .filter(|name| (1..=LONGEST_AUTHORITY).contains(&name.len()))
        .map(str::to_owned)
        .collect();
    if authorities.len() != elements.len() || elements.len() > MOST_AUTHORITIES {
        let found = format!("{} readable of {}", authorities.len(), elements.len());
        let expected = "at most 16 names of at most 1024 octets";
        return (Outcome::of(false, FailureCode::MessageMalformed, expected, found), Vec::new());
    }
    let outcome = Outcome::of(
        !authorities.iter().any(|authority| own_names.contains(authority)),
        FailureCode::ProxyRestricted,
        "others than us",
        authorities.join(", "),
    );
    (outcome, authorities)
}
