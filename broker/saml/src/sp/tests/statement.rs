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
    let mut policy = provider_policy();
    policy.assurance.push(Assurance::new("http://id.elegnamnden.se/loa/1.0/loa2"));
    case.provider.policy = policy.into();
    assert_eq!(case.broken(&class(LOA3), &loa2), None, "nothing was asked for");
}

#[test]
fn the_level_is_one_that_the_provider_is_registered_for() {
    let mut case = Case::genuine();
    case.sent.asked.clear();
    let broken = |case: &Case, uri: &str| case.broken(&class(LOA3), &class(uri));
    let above = Some((CheckId::AuthnContextRegistered, F::AssuranceAboveCeiling));
    assert_eq!(case.broken("", ""), None);
    assert_eq!(broken(&case, "http://id.elegnamnden.se/loa/1.0/loa4"), above, "not registered");
    let mut policy = provider_policy();
    policy.assurance.push(Assurance::new("http://id.elegnamnden.se/loa/1.0/loa4"));
    case.provider.policy = policy.into();
    assert_eq!(
        broken(&case, "http://id.elegnamnden.se/loa/1.0/loa4"),
        above,
        "above the organisation's ceiling"
    );
    let password = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
    assert_eq!(broken(&case, password), None, "it proves no level, and leaves as none");
}

/// The genuine answer, authenticated `before` seconds before our request, which asked for `freshness`.
fn authenticated(before: i64, freshness: Freshness) -> Option<(CheckId, F)> {
    let mut case = Case::genuine();
    case.sent.freshness = freshness;
    case.issue.authenticated_at = case.sent.at.plus(-before);
    case.broken("", "")
}

#[test]
fn a_forced_authentication_came_after_our_request() {
    let too_old = Some((CheckId::Fresh, F::AuthenticationTooOld));
    let force = Freshness { force: true, max_age: None };
    assert_eq!(authenticated(8 * 3600, Freshness::default()), None, "nothing was asked for");
    assert_eq!(authenticated(-1, force), None);
    assert_eq!(authenticated(60, force), None, "a clock that is a minute behind");
    assert_eq!(authenticated(61, force), too_old);
    let max_age = Freshness { force: false, max_age: Some(300) };
    assert_eq!(authenticated(360, max_age), None);
    assert_eq!(authenticated(361, max_age), too_old);
}

fn with_authorities(names: &[&str]) -> String {
    let named: String = names
        .iter()
        .map(|name| format!("<saml:AuthenticatingAuthority>{name}</saml:AuthenticatingAuthority>"))
        .collect();
    class(LOA3) + &named
}

#[test]
fn a_loop_through_any_name_of_ours_is_refused() {
    let inner = "https://inner.example";
    breaks(&class(LOA3), &with_authorities(&[SP]), CheckId::Authorities, F::ProxyRestricted);
    breaks(&class(LOA3), &with_authorities(&[inner, SP]), CheckId::Authorities, F::ProxyRestricted);
    accepts(&class(LOA3), &with_authorities(&[inner]));
    let mut case = Case::genuine();
    case.settings.own_names.push(inner.to_owned());
    assert_eq!(
        case.broken(&class(LOA3), &with_authorities(&[inner])),
        Some((CheckId::Authorities, F::ProxyRestricted))
    );
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
fn authorities_are_few_short_and_readable() {
    let long = "x".repeat(1025);
    for names in [&["a"; 17][..], &[&long], &[""], &["<saml:X></saml:X>"]] {
        breaks(&class(LOA3), &with_authorities(names), CheckId::Authorities, F::MessageMalformed);
    }
    accepts(&class(LOA3), &with_authorities(&["a"; 16]));
}

#[test]
fn no_part_of_the_assertion_is_encrypted_by_itself() {
    let statement = "<saml:AttributeStatement>";
    let attribute = format!("{statement}<saml:EncryptedAttribute></saml:EncryptedAttribute>");
    breaks(statement, &attribute, CheckId::EncryptedParts, F::EncryptedPart);
    let name =
        "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">p1</saml:NameID>";
    breaks(name, "<saml:EncryptedID></saml:EncryptedID>", CheckId::EncryptedParts, F::EncryptedPart);
    let confirmation = "<saml:SubjectConfirmationData";
    let encrypted = format!("<saml:EncryptedID></saml:EncryptedID>{confirmation}");
    breaks(confirmation, &encrypted, CheckId::EncryptedParts, F::EncryptedPart);
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
