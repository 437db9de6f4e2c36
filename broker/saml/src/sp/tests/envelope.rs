//! Rules about the Response itself, each broken alone.

use broker_core::failure::FailureCode as F;

use super::*;
use crate::idp::response::ErrorToIssue;
use crate::status::{SecondLevel, TopLevel};

/// The start tag's part that only the Response has.
const RESPONSE_TAG: &str = "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"";
const FIRST_ISSUER: &str = "<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">";

#[test]
fn the_root_is_a_response() {
    let case = Case::genuine();
    assert_eq!(
        case.broken("samlp:Response", "samlp:ArtifactResponse"),
        Some((CheckId::ResponseElement, F::MessageMalformed))
    );
    assert_eq!(
        case.broken("urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.0:protocol"),
        Some((CheckId::ResponseElement, F::MessageMalformed))
    );
}

#[test]
fn a_document_type_is_refused() {
    let case = Case::genuine();
    let xml = format!("<!DOCTYPE r [<!ENTITY a 'b'>]>{}", case.written("", ""));
    assert_eq!(broken_rule(&case.run_xml(&xml)), Some((CheckId::Readable, F::MessageMalformed)));
}

#[test]
fn a_message_over_the_size_is_refused() {
    let case = Case::genuine();
    let xml = format!("{}{}", case.written("", ""), " ".repeat(256 * 1024));
    assert_eq!(broken_rule(&case.run_xml(&xml)), Some((CheckId::Readable, F::MessageMalformed)));
}

#[test]
fn the_response_is_version_2_0() {
    let written = |version: &str| format!("Version=\"{version}\"><saml:Issuer xmlns");
    for version in ["1.1", "2.1", ""] {
        breaks(&written("2.0"), &written(version), CheckId::ResponseVersion, F::VersionUnsupported);
    }
}

#[test]
fn the_response_answers_our_request() {
    let written = |id: &str| format!("InResponseTo=\"{id}\" IssueInstant");
    let own = written(&format!("_{HANDLE}"));
    breaks(&own, &written("_other"), CheckId::InResponseTo, F::InResponseToMismatch);
    breaks(&own, &written(HANDLE), CheckId::InResponseTo, F::InResponseToMismatch);
    breaks(&own, "IssueInstant", CheckId::InResponseTo, F::Unsolicited);
}

#[test]
fn no_cause_says_the_handle_of_a_login() {
    let another = "QW5vdGhlciBsb2dpbidzIGhhbmRsZQ";
    for signed in [Signed::Response, Signed::Assertion] {
        let case = Case::genuine().signed(signed);
        for part in ["InResponseTo=\"_{} IssueInstant", "InResponseTo=\"_{} NotOnOrAfter"] {
            let written = |handle: &str| part.replace("{}", &format!("{handle}\""));
            let run = case.run_xml(&case.written(&written(HANDLE), &written(another)));
            let failure = run.result.as_ref().expect_err("it answers something else");
            assert_eq!(failure.code, F::InResponseToMismatch);
            assert!(failure.cause.contains(&format!("_{}…", &another[..8])), "{failure}");
            let said = format!("{failure} {:?}", run.steps);
            assert!(!said.contains(HANDLE) && !said.contains(another), "{said}");
        }
    }
}

#[test]
fn the_issuer_of_the_response_is_the_provider_of_this_login() {
    let issuer = |name: &str| format!("{FIRST_ISSUER}{name}</saml:Issuer>");
    breaks(&issuer(IDP), &issuer("https://idp.evil.example"), CheckId::ResponseIssuer, F::IssuerMismatch);
    breaks(&issuer(IDP), &issuer(&IDP.to_uppercase()), CheckId::ResponseIssuer, F::IssuerMismatch);
    breaks(&issuer(IDP), &issuer(""), CheckId::ResponseIssuer, F::IssuerMismatch);
    let format = "<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" Format=\"urn:x\">";
    breaks(FIRST_ISSUER, format, CheckId::ResponseIssuer, F::IssuerMismatch);
    accepts(&issuer(IDP), &issuer(&format!("\n  {IDP}\n")));
}

#[test]
fn an_unsigned_response_may_leave_its_issuer_out_and_a_signed_one_may_not() {
    let issuer = format!("{FIRST_ISSUER}{IDP}</saml:Issuer>");
    // Without the first Issuer the namespace is declared on the assertion, where the writer puts it anyway.
    let unsigned = Case::genuine().signed(Signed::Assertion);
    let xml = unsigned.written("", "").replacen(&issuer, "", 1);
    assert_eq!(broken_rule(&unsigned.run_xml(&xml)), None);
    let signed = Case::genuine().signed(Signed::Response);
    let bare = unsigned.issue.response(unsigned.issue.assertion()).to_canonical().expect("writable");
    let bare = String::from_utf8(bare).expect("UTF-8").replacen(&issuer, "", 1);
    let xml = sign_text(&bare, &*KEY);
    assert_eq!(broken_rule(&signed.run_xml(&xml)), Some((CheckId::ResponseIssuer, F::IssuerMismatch)));
}

#[test]
fn the_destination_is_our_address() {
    let destination = |url: &str| format!("Destination=\"{url}\"");
    for wrong in
        ["https://evil.example/acs", "https://broker.example/saml/acs/", "https://BROKER.example/saml/acs"]
    {
        breaks(&destination(ACS), &destination(wrong), CheckId::Destination, F::DestinationMismatch);
    }
}

#[test]
fn a_signed_response_has_a_destination_and_an_unsigned_one_may_not() {
    let destination = format!(" Destination=\"{ACS}\"");
    let case = Case::genuine();
    assert_eq!(case.broken(&destination, ""), Some((CheckId::Destination, F::DestinationMismatch)));
    let case = Case::genuine().signed(Signed::Assertion);
    assert_eq!(case.broken(&destination, ""), None);
}

#[test]
fn the_response_was_made_just_now() {
    let instant =
        |offset: i64| format!("IssueInstant=\"{}\" Version=\"2.0\"><saml:Issuer xmlns", NOW.plus(offset));
    // Now is NOW + 2; the lifetime is 300 s and the skew 60 s.
    breaks(&instant(0), &instant(63), CheckId::ResponseIssueInstant, F::NotYetValid);
    accepts(&instant(0), &instant(62));
    breaks(&instant(0), &instant(2 - 360), CheckId::ResponseIssueInstant, F::Expired);
    accepts(&instant(0), &instant(3 - 360));
    let unreadable = "IssueInstant=\"today\" Version=\"2.0\"><saml:Issuer xmlns";
    breaks(&instant(0), unreadable, CheckId::ResponseIssueInstant, F::MessageMalformed);
}

#[test]
fn a_status_other_than_success_fails_even_with_an_assertion() {
    let code = |code: &str| format!("<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:{code}\">");
    breaks(&code("Success"), &code("Responder"), CheckId::Status, F::ProviderOtherStatus);
    breaks(&code("Success"), &code("AuthnFailed"), CheckId::Status, F::ProviderDenied);
    let status = format!("<samlp:Status>{}</samlp:StatusCode></samlp:Status>", code("Success"));
    breaks(&status, "", CheckId::Status, F::MessageMalformed);
    breaks(&status, &status.repeat(2), CheckId::Status, F::MessageMalformed);
}

#[test]
fn an_error_says_what_happened_signed_or_not() {
    let case = Case::genuine();
    let error = |second_level| ErrorToIssue {
        issuer: IDP.into(),
        response_id: "_r".into(),
        issued_at: NOW,
        acs_url: ACS.into(),
        in_response_to: format!("_{HANDLE}"),
        top_level: TopLevel::Responder,
        second_level,
    };
    for (second_level, code) in [
        (Some(SecondLevel::Cancel), F::ProviderCancelled),
        (Some(SecondLevel::NoAuthnContext), F::ProviderNoAuthnContext),
        (Some(SecondLevel::PossibleFraud), F::ProviderFraud),
        (None, F::ProviderOtherStatus),
    ] {
        let signed = String::from_utf8(error(second_level).issue(&*KEY).expect("signed")).expect("UTF-8");
        assert_eq!(broken_rule(&case.run_xml(&signed)), Some((CheckId::Status, code)));
        let start = signed.find("<ds:Signature").expect("signed");
        let end = signed.find("</ds:Signature>").expect("signed") + "</ds:Signature>".len();
        let unsigned = format!("{}{}", &signed[..start], &signed[end..]);
        assert_eq!(broken_rule(&case.run_xml(&unsigned)), Some((CheckId::Status, code)));
    }
    let foreign = String::from_utf8(error(None).issue(&*OTHER_KEY).expect("signed")).expect("UTF-8");
    assert_eq!(broken_rule(&case.run_xml(&foreign)), Some((CheckId::ResponseSignature, F::SignatureInvalid)));
}

#[test]
fn there_is_exactly_one_assertion() {
    let case = Case::genuine();
    let bare = String::from_utf8(case.issue.assertion().to_canonical().expect("writable")).expect("UTF-8");
    let another = bare.replace("_assertion1", "_assertion2");
    assert_eq!(
        case.broken("</samlp:Response>", &format!("{another}</samlp:Response>")),
        Some((CheckId::AssertionCount, F::AssertionCount))
    );
    assert_eq!(case.broken(&bare, ""), Some((CheckId::AssertionCount, F::AssertionCount)));
}

#[test]
fn unknown_attributes_and_extensions_are_ignored() {
    let consent = "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" Consent=\"urn:x\"";
    accepts(RESPONSE_TAG, consent);
    accepts(
        "<samlp:Status>",
        "<samlp:Extensions><x:y xmlns:x=\"urn:x\"></x:y></samlp:Extensions><samlp:Status>",
    );
}
