//! Rules about when an assertion holds, for whom, and what may be done with it: Conditions (SAML Core 2.5).

use broker_core::{failure::FailureCode, moment::Timestamp, result::PassingOn};
use certs_xml::{Element, namespace::SAML};

use super::{ABSENT, Clock, LET_PASS, Outcome};
use crate::message::{Assertion, text_of, trimmed};

pub(in crate::sp) fn conditions<'d>(assertion: &Assertion<'d>) -> (Outcome, Option<Element<'d>>) {
    let conditions = assertion.conditions();
    let found = if conditions.is_some() { "one" } else { "none, or more than one" };
    // Without conditions there is no AudienceRestriction, which a bearer assertion must carry (SAML Profiles 4.1.4.2).
    (Outcome::of(conditions.is_some(), FailureCode::AudienceMismatch, "one Conditions", found), conditions)
}

pub(in crate::sp) fn not_before(conditions: Element<'_>, clock: Clock) -> Outcome {
    clock.not_before(conditions.attribute("NotBefore"))
}

pub(in crate::sp) fn not_on_or_after(conditions: Element<'_>, clock: Clock) -> Outcome {
    clock.not_on_or_after(conditions.attribute("NotOnOrAfter"))
}

/// The validity begins before it ends. The skew that each end is forgiven would otherwise let an interval through that never was.
pub(in crate::sp) fn interval(conditions: Element<'_>) -> Outcome {
    let end = |name| conditions.attribute(name).and_then(Timestamp::from_rfc3339);
    let (Some(start), Some(end)) = (end("NotBefore"), end("NotOnOrAfter")) else {
        return Outcome::not_applicable("no two ends");
    };
    Outcome::of(
        start < end,
        FailureCode::MessageMalformed,
        "NotBefore earlier than NotOnOrAfter",
        format!("{start} to {end}"),
    )
}

/// SAML Core 2.5.1: a condition that is not understood makes the assertion's validity indeterminate, and so unusable. An extension
/// by `xsi:type` is a saml:Condition and refused here.
pub(in crate::sp) fn known(conditions: Element<'_>) -> Outcome {
    const KNOWN: [&str; 3] = ["AudienceRestriction", "OneTimeUse", "ProxyRestriction"];
    let unknown = conditions
        .children()
        .find(|child| child.namespace() != SAML.uri() || !KNOWN.contains(&child.local_name()));
    let found = unknown
        .map_or("no others".to_owned(), |child| format!("{} of {:?}", child.local_name(), child.namespace()));
    Outcome::of(
        unknown.is_none(),
        FailureCode::ConditionUnknown,
        "AudienceRestriction, OneTimeUse or ProxyRestriction",
        found,
    )
}

/// SAML Core 2.5.1.4: the audiences of one restriction are alternatives, several restrictions must all hold.
/// `may_be_absent` is for an inspection alone.
pub(in crate::sp) fn audience(conditions: Element<'_>, entity_id: &str, may_be_absent: bool) -> Outcome {
    let restrictions: Vec<Vec<&str>> = conditions
        .children_named(SAML.uri(), "AudienceRestriction")
        .map(|restriction| restriction.children_named(SAML.uri(), "Audience").filter_map(text_of).collect())
        .collect();
    if restrictions.is_empty() && may_be_absent {
        return Outcome::not_applicable(LET_PASS);
    }
    let holds =
        !restrictions.is_empty() && restrictions.iter().all(|audiences| audiences.contains(&entity_id));
    let found =
        restrictions.iter().map(|audiences| audiences.join(" or ")).collect::<Vec<_>>().join(", and ");
    let found = if found.is_empty() { ABSENT.to_owned() } else { found };
    Outcome::of(holds, FailureCode::AudienceMismatch, entity_id.to_owned(), found)
}

/// SAML Core 2.5.1.5. We keep OneTimeUse always, whether or not it is said: the assertion leaves a mark when its login ends, no second login
/// begins from it, and nothing of it is kept beyond the code and the access token that it led to.
pub(in crate::sp) fn one_time_use(conditions: Element<'_>) -> Outcome {
    let count = conditions.children_named(SAML.uri(), "OneTimeUse").count();
    if count == 0 {
        return Outcome::not_applicable(ABSENT);
    }
    Outcome::of(count == 1, FailureCode::MessageMalformed, "one at most", count.to_string())
}

/// SAML Core 2.5.1.6. We always pass on, so a Count of 0 forbids the login. Whether the relying party is among the audiences is for the
/// release to see, which knows it.
pub(in crate::sp) fn proxy_restriction(conditions: Element<'_>) -> (Outcome, PassingOn) {
    let mut restrictions = conditions.children_named(SAML.uri(), "ProxyRestriction");
    let Some(restriction) = restrictions.next() else {
        return (Outcome::not_applicable(ABSENT), PassingOn::default());
    };
    let more = restrictions.count();
    let written = restriction.attribute("Count");
    let count = written.map(|count| trimmed(count).parse::<u32>());
    let audiences: Vec<_> = restriction.children_named(SAML.uri(), "Audience").collect();
    let outcome = Outcome::of(
        more == 0 && !matches!(count, Some(Ok(0) | Err(_))),
        FailureCode::ProxyRestricted,
        "one ProxyRestriction, without a Count or with one above 0",
        format!("{}, Count {}, {} audiences", more + 1, written.unwrap_or("open"), audiences.len()),
    );
    // An audience that cannot be read allows nobody.
    let audiences = (!audiences.is_empty())
        .then(|| audiences.into_iter().filter_map(text_of).map(str::to_owned).collect());
    (outcome, PassingOn { hops_left: count.and_then(Result::ok), audiences })
}
