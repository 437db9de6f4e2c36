//! Rules about AuthnStatement and AttributeStatement, each broken alone.

use broker_core::failure::FailureCode as F;

use super::*;

fn class(uri: &str) -> String {
    format!("<saml:AuthnContextClassRef>{uri}</saml:AuthnContextClassRef>")
}

#[test]
fn there_is_exactly_one_authn_statement() {
    breaks(
        "<saml:AuthnStatement",
        "<saml:AuthnStatement></saml:AuthnStatement><saml:AuthnStatement",
        CheckId::AuthnStatement,
        F::AuthnStatement,
    );
    breaks("saml:AuthnStatement", "saml:AuthzDecisionStatement", CheckId::AuthnStatement, F::AuthnStatement);
}

#[test]
fn the_person_was_not_authenticated_in_the_future() {
    let instant = |offset: i64| format!("AuthnInstant=\"{}\" ", NOW.plus(offset));
    breaks(&instant(-5), &instant(63), CheckId::AuthnInstant, F::NotYetValid);
    accepts(&instant(-5), &instant(62));
    accepts(&instant(-5), &instant(-86_400));
    breaks(&instant(-5), "", CheckId::AuthnInstant, F::AuthnStatement);
    breaks(&instant(-5), "AuthnInstant=\"now\" ", CheckId::AuthnInstant, F::AuthnStatement);
}

#[test]
fn the_session_has_not_ended() {
    let index = "SessionIndex=\"s1\"";
    let end = |offset: i64| format!("{index} SessionNotOnOrAfter=\"{}\"", NOW.plus(offset));
    breaks(index, &end(-58), CheckId::SessionNotOnOrAfter, F::Expired);
    accepts(index, &end(-57));
    breaks(
        index,
        &format!("{index} SessionNotOnOrAfter=\"\""),
        CheckId::SessionNotOnOrAfter,
        F::MessageMalformed,
    );
}

#[test]
fn there_is_exactly_one_class_of_authentication() {
    let own = class(LOA3);
    breaks(&own, "", CheckId::AuthnContext, F::AuthnStatement);
    breaks(&own, &format!("{own}{own}"), CheckId::AuthnContext, F::AuthnStatement);
    breaks(&own, &class(""), CheckId::AuthnContext, F::AuthnStatement);
    breaks(
        "<saml:AuthnContext>",
        "<saml:AuthnContext></saml:AuthnContext><saml:AuthnContext>",
        CheckId::AuthnContext,
        F::AuthnStatement,
    );
}

#[test]
fn the_level_is_one_that_was_asked_for() {
    let loa2 = class("http://id.elegnamnden.se/loa/1.0/loa2");
    breaks(&class(LOA3), &loa2, CheckId::AuthnContextAsked, F::AssuranceNotAsked);
    let mut case = Case::genuine();
    case.sent.asked.clear();
    assert_eq!(case.broken(&class(LOA3), &loa2), None, "nothing was asked for");
}

#[test]
fn a_level_that_was_but_wished_for_fails_no_login() {
    let own = class("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport");
    let mut case = Case::genuine();
    case.sent.wished = true;
    assert_eq!(case.broken(&class(LOA3), &own), None);
    case.sent.wished = false;
    assert_eq!(
        case.broken(&class(LOA3), &own),
        Some((CheckId::AuthnContextAsked, F::AssuranceNotAsked)),
        "the same where it was demanded"
    );
}

#[test]
fn an_attribute_under_two_of_its_names_says_the_same_twice() {
    let hsa_id = |name: &str, value: &str| {
        format!(
            "<saml:Attribute Name=\"{name}\"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>"
        )
    };
    let both = |other: &str| {
        hsa_id("urn:oid:1.2.752.29.6.2.1", "SE2021006883-A1")
            + &hsa_id("http://sambi.se/attributes/1/employeeHsaId", other)
            + "</saml:AttributeStatement>"
    };
    accepts("</saml:AttributeStatement>", &both("SE2021006883-A1"));
    breaks(
        "</saml:AttributeStatement>",
        &both("SE2021006883-B2"),
        CheckId::AttributeNames,
        F::MessageMalformed,
    );
}

#[test]
fn a_loop_through_us_is_refused() {
    let authority = |name: &str| {
        format!("{}<saml:AuthenticatingAuthority>{name}</saml:AuthenticatingAuthority>", class(LOA3))
    };
    breaks(&class(LOA3), &authority(SP), CheckId::Authorities, F::ProxyRestricted);
    accepts(&class(LOA3), &authority("https://inner.example"));
}

#[test]
fn there_is_at_most_one_attribute_statement() {
    breaks(
        "</saml:AttributeStatement>",
        "</saml:AttributeStatement><saml:AttributeStatement></saml:AttributeStatement>",
        CheckId::AttributeStatement,
        F::MessageMalformed,
    );
    let mut case = Case::genuine();
    case.issue.attributes.clear();
    assert_eq!(case.broken("", ""), None);
}
