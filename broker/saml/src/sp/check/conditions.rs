//! Rules about when an assertion holds, for whom, and what may be done with it: Conditions (SAML Core 2.5).

use broker_core::failure::FailureCode;
use certs_xml::{Element, namespace::SAML};

use super::{ABSENT, Clock, LET_PASS, Outcome};
use crate::message::{Assertion, text_of};

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

/// SAML Core 2.5.1: a condition that is not understood makes the assertion's validity indeterminate, and so unusable. An extension
/// by `xsi:type` is a saml:Condition and refused here. OneTimeUse is kept by the mark that each login leaves.
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

/// SAML Core 2.5.1.6. We always pass on, to a relying party that the provider does not know: a Count of 0 or a list of audiences
/// forbids that.
pub(in crate::sp) fn proxy_restriction(conditions: Element<'_>) -> Outcome {
    let restrictions: Vec<_> = conditions.children_named(SAML.uri(), "ProxyRestriction").collect();
    if restrictions.is_empty() {
        return Outcome::not_applicable(ABSENT);
    }
    let count =
        |restriction: &Element<'_>| restriction.attribute("Count").map(|count| count.trim().parse::<u64>());
    let allows = |restriction: &Element<'_>| {
        !matches!(count(restriction), Some(Ok(0) | Err(_)))
            && restriction.child(SAML.uri(), "Audience").is_none()
    };
    let found = restrictions
        .iter()
        .map(|restriction| {
            let audiences = restriction.children_named(SAML.uri(), "Audience").count();
            format!("Count {}, {audiences} audiences", restriction.attribute("Count").unwrap_or("open"))
        })
        .collect::<Vec<_>>()
        .join("; ");
    Outcome::of(
        restrictions.len() == 1 && allows(&restrictions[0]),
        FailureCode::ProxyRestricted,
        "one ProxyRestriction, with a Count above 0 and no audiences",
        found,
    )
}
