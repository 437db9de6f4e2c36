//! Rules about Conditions and the assertion's frame, each broken alone.

use broker_core::{failure::FailureCode as F, result::PassingOn};

use super::*;

fn restriction(audiences: &[&str]) -> String {
    let audiences: String =
        audiences.iter().map(|name| format!("<saml:Audience>{name}</saml:Audience>")).collect();
    format!("<saml:AudienceRestriction>{audiences}</saml:AudienceRestriction>")
}

#[test]
fn the_assertion_is_version_2_0() {
    let written = |version: &str| format!("Version=\"{version}\"><saml:Issuer>");
    breaks(&written("2.0"), &written("1.1"), CheckId::AssertionVersion, F::VersionUnsupported);
}

#[test]
fn the_assertion_has_an_id() {
    let case = Case::genuine();
    assert_eq!(
        case.broken(" ID=\"_assertion1\"", ""),
        Some((CheckId::AssertionIdentifier, F::MessageMalformed))
    );
    assert_eq!(
        case.broken(" ID=\"_assertion1\"", " ID=\"\""),
        Some((CheckId::AssertionIdentifier, F::MessageMalformed))
    );
}

#[test]
fn there_is_one_issuer() {
    let issuer = format!("<saml:Issuer>{IDP}</saml:Issuer>");
    for second in [IDP, "https://idp.evil.example"] {
        let two = format!("{issuer}<saml:Issuer>{second}</saml:Issuer>");
        breaks(&issuer, &two, CheckId::AssertionIssuer, F::IssuerMismatch);
        let declared = format!("<saml:Issuer xmlns:saml=\"{}\">", certs_xml::namespace::SAML.uri());
        let own = format!("{declared}{IDP}</saml:Issuer>");
        let two = format!("{own}{declared}{second}</saml:Issuer>");
        breaks(&own, &two, CheckId::ResponseIssuer, F::IssuerMismatch);
    }
}

#[test]
fn the_issuer_of_the_assertion_is_the_provider_of_this_login() {
    let issuer = |name: &str| format!("<saml:Issuer>{name}</saml:Issuer>");
    breaks(&issuer(IDP), &issuer("https://idp.evil.example"), CheckId::AssertionIssuer, F::IssuerMismatch);
    let case = Case::genuine();
    assert_eq!(case.broken(&issuer(IDP), ""), Some((CheckId::AssertionIssuer, F::IssuerMismatch)));
}

#[test]
fn the_assertion_was_made_just_now() {
    let instant =
        |offset: i64| format!("IssueInstant=\"{}\" Version=\"2.0\"><saml:Issuer>", NOW.plus(offset));
    breaks(&instant(0), &instant(63), CheckId::AssertionIssueInstant, F::NotYetValid);
    accepts(&instant(0), &instant(62));
    breaks(&instant(0), &instant(2 - 360), CheckId::AssertionIssueInstant, F::Expired);
    accepts(&instant(0), &instant(3 - 360));
}

#[test]
fn there_is_one_conditions_element() {
    breaks(
        "<saml:Conditions ",
        "<saml:Conditions></saml:Conditions><saml:Conditions ",
        CheckId::Conditions,
        F::AudienceMismatch,
    );
    breaks("saml:Conditions", "saml:Advice", CheckId::Conditions, F::AudienceMismatch);
}

#[test]
fn not_before_has_passed() {
    let start = |offset: i64| format!("<saml:Conditions NotBefore=\"{}\"", NOW.plus(offset));
    breaks(&start(0), &start(63), CheckId::NotBefore, F::NotYetValid);
    accepts(&start(0), &start(62));
    accepts(&start(0), &start(-86_400));
    accepts(&start(0), "<saml:Conditions");
    breaks(&start(0), "<saml:Conditions NotBefore=\"\"", CheckId::NotBefore, F::MessageMalformed);
}

#[test]
fn not_on_or_after_has_not_passed() {
    let written = |start: i64, end: i64| {
        let (start, end) = (NOW.plus(start), NOW.plus(end));
        format!("<saml:Conditions NotBefore=\"{start}\" NotOnOrAfter=\"{end}\"")
    };
    let own = written(0, 300);
    breaks(&own, &written(-300, -58), CheckId::NotOnOrAfter, F::Expired);
    accepts(&own, &written(-300, -57));
    breaks(&own, &written(0, 0), CheckId::Interval, F::MessageMalformed);
    breaks(&own, &written(30, -30), CheckId::Interval, F::MessageMalformed);
    let end = |offset: i64| format!("NotOnOrAfter=\"{}\"><saml:Aud", NOW.plus(offset));
    breaks(&end(300), "NotOnOrAfter=\"2026-01-01\"><saml:Aud", CheckId::NotOnOrAfter, F::MessageMalformed);
}

#[test]
fn an_unknown_condition_refuses() {
    let own = restriction(&[SP]);
    for unknown in [
        "<saml:Condition></saml:Condition>",
        "<x:AudienceRestriction xmlns:x=\"urn:x\"></x:AudienceRestriction>",
        "<saml:DoNotCacheCondition></saml:DoNotCacheCondition>",
    ] {
        breaks(&own, &format!("{own}{unknown}"), CheckId::KnownConditions, F::ConditionUnknown);
    }
    accepts(&own, &format!("{own}<saml:OneTimeUse></saml:OneTimeUse>"));
}

#[test]
fn every_audience_restriction_names_us() {
    let own = restriction(&[SP]);
    breaks(&own, &restriction(&["https://other.example"]), CheckId::Audience, F::AudienceMismatch);
    breaks(&own, &restriction(&[]), CheckId::Audience, F::AudienceMismatch);
    breaks(&own, "", CheckId::Audience, F::AudienceMismatch);
    breaks(
        &own,
        &format!("{own}{}", restriction(&["https://other.example"])),
        CheckId::Audience,
        F::AudienceMismatch,
    );
    breaks(&own, &restriction(&[&SP.to_uppercase()]), CheckId::Audience, F::AudienceMismatch);
    accepts(&own, &restriction(&["https://other.example", SP]));
    accepts(&own, &format!("{own}{own}"));
}

#[test]
fn one_time_use_is_said_once_at_most() {
    let own = restriction(&[SP]);
    let once = "<saml:OneTimeUse></saml:OneTimeUse>";
    accepts(&own, &format!("{own}{once}"));
    breaks(&own, &format!("{own}{once}{once}"), CheckId::OneTimeUse, F::MessageMalformed);
}

fn proxy(inner: &str) -> String {
    format!("{}<saml:ProxyRestriction{inner}</saml:ProxyRestriction>", restriction(&[SP]))
}

#[test]
fn an_assertion_that_may_not_be_passed_on_is_refused() {
    let own = restriction(&[SP]);
    for count in ["0", "-1", "x", "99999999999999999999"] {
        let with = proxy(&format!(" Count=\"{count}\">"));
        breaks(&own, &with, CheckId::ProxyRestriction, F::ProxyRestricted);
    }
    let two = format!("{}<saml:ProxyRestriction></saml:ProxyRestriction>", proxy(" Count=\"1\">"));
    breaks(&own, &two, CheckId::ProxyRestriction, F::ProxyRestricted);
    accepts(&own, &proxy(" Count=\"1\">"));
    accepts(&own, &proxy(">"));
}

#[test]
fn how_far_it_may_be_passed_on_is_kept() {
    let passing_on = |inner: &str| {
        let case = Case::genuine();
        let xml = case.written(&restriction(&[SP]), &proxy(inner));
        let (result, _) = case.run_xml(&xml).result.expect("accepted");
        result.into_value().passing_on
    };
    assert_eq!(passing_on(">"), PassingOn::default());
    assert_eq!(passing_on(" Count=\" 2 \">").hops_left, Some(2));
    let audiences =
        passing_on("><saml:Audience> a </saml:Audience><saml:Audience>b</saml:Audience>").audiences;
    assert_eq!(audiences, Some(vec!["a".to_owned(), "b".to_owned()]));
    let unreadable = passing_on("><saml:Audience><saml:X></saml:X></saml:Audience>").audiences;
    assert_eq!(unreadable, Some(vec![]), "what cannot be read allows nobody");
}
