//! What an operator's file is taken for, and what a login's own run must never let pass.

use super::*;
use crate::sp::{
    Allowed,
    inspect::{Against, Captured, Inspection, inspect},
    response,
};

fn inspected(case: &Case, xml: &str, against: &Against, allowed: Allowed) -> Inspection {
    let captured = Captured::recognise(xml.as_bytes());
    inspect(&captured, &case.provider, &case.settings, against, allowed, &[], NOW)
}

#[test]
fn a_file_is_taken_for_what_it_is() {
    let form = |octets: &[u8]| match Captured::recognise(octets) {
        Captured::Form(form) => String::from_utf8(form).expect("UTF-8"),
        Captured::Xml(_) => panic!("XML"),
    };
    assert_eq!(Captured::recognise(b" \n<a/>"), Captured::Xml(b" \n<a/>".to_vec()), "as it is");
    assert_eq!(Captured::recognise(b"\xEF\xBB\xBF<a/>"), Captured::Xml(b"\xEF\xBB\xBF<a/>".to_vec()));
    assert_eq!(form(b"RelayState=<&SAMLResponse=YQ%3D%3D\n"), "RelayState=<&SAMLResponse=YQ%3D%3D");
    assert_eq!(form(b"YQ+/\r\nYQ==\n"), "SAMLResponse=YQ%2B/\r\nYQ==");
    assert_eq!(form(b"YQ%3D%3D"), "SAMLResponse=YQ%3D%3D");
    assert_eq!(form(b"a&RelayState=b"), "SAMLResponse=a%26RelayState=b", "nothing slips out of the field");
}

#[test]
fn an_inspection_runs_the_steps_of_a_login() {
    let case = Case::genuine();
    let against = Against {
        at: Some(case.now),
        acs_url: Some(ACS.to_owned()),
        audience: Some(SP.to_owned()),
        in_response_to: Some(case.sent.id.clone()),
        asked: case.sent.asked.clone(),
    };
    for (from, to) in [
        ("", ""),
        ("Version=\"2.0\"", "Version=\"2.1\""),
        (SP, "https://other.example"),
        (ACS, "https://other.example"),
        ("Anna", "Anne"),
    ] {
        let xml = case.written(from, to);
        let inspection = inspected(&case, &xml, &against, Allowed::default());
        assert_eq!(inspection.steps, case.run_xml(&xml).steps, "{from}");
        assert_eq!(inspection.taken, [], "{from}");
    }
}

#[test]
fn a_login_lets_nothing_pass_that_an_inspection_may() {
    let case = Case::genuine();
    let request = format!(" InResponseTo=\"_{HANDLE}\"");
    let audience =
        format!("<saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction>");
    let all = Allowed { unsolicited: true, no_audience: true, sha1: false };
    for (part, id, code) in [
        (request.as_str(), CheckId::InResponseTo, FailureCode::Unsolicited),
        (audience.as_str(), CheckId::Audience, FailureCode::AudienceMismatch),
    ] {
        let xml = case.written(part, "");
        assert_eq!(broken_rule(&case.run_xml(&xml)), Some((id, code)), "a login");
        let strict = inspected(&case, &xml, &Against::default(), Allowed::default());
        assert_eq!(strict.result.err().map(|failure| failure.code), Some(code), "an inspection by default");
        let inspection = inspected(&case, &xml, &Against::default(), all);
        assert!(inspection.result.is_ok(), "{id:?}");
        let step = inspection.steps.iter().find(|step| step.id == id).expect("its step");
        assert_eq!(
            (step.verdict, &*step.found),
            (Verdict::NotApplicable, "nothing; let pass in this inspection")
        );
    }
}

#[test]
fn what_stands_in_a_message_must_be_right_whatever_is_let_pass() {
    let case = Case::genuine();
    let all = Allowed { unsolicited: true, no_audience: true, sha1: false };
    let xml = case.written("", "");
    let another = |against| inspected(&case, &xml, &against, all).result.err().map(|failure| failure.code);
    let request = Against { in_response_to: Some("_another".to_owned()), ..Against::default() };
    assert_eq!(another(request), Some(FailureCode::InResponseToMismatch));
    let audience = Against { audience: Some("https://other.example".to_owned()), ..Against::default() };
    assert_eq!(another(audience), Some(FailureCode::AudienceMismatch));
}

#[test]
fn a_message_that_names_no_address_matches_none() {
    let case = Case::genuine().signed(Signed::Assertion);
    let unaddressed = |xml: &str| {
        let captured = Captured::recognise(xml.as_bytes());
        let against = Against { at: Some(case.now), ..Against::default() };
        inspect(&captured, &case.provider, &case.settings, &against, Allowed::default(), &[], NOW)
    };
    let no_address = case.issue.clone();
    let xml = {
        let mut empty = Case::genuine().signed(Signed::Assertion);
        empty.issue = AssertionToIssue { acs_url: String::new(), ..no_address };
        empty.written("", "")
    };
    let inspection = unaddressed(&xml);
    assert_eq!(inspection.acs_url, None);
    assert_eq!(inspection.result.err().map(|failure| failure.code), Some(FailureCode::RecipientMismatch));
}

#[test]
fn values_and_names_of_people_stay_out_of_debug_output() {
    let case = Case::genuine();
    let xml = case.written("", "");
    let inspection = inspected(&case, &xml, &Against::default(), Allowed::default());
    let seen = inspection.result.as_ref().expect("accepted");
    assert!(seen.attributes.iter().any(|attribute| attribute.values == ["Anna Ålm"]), "they are read");
    let shown = format!("{inspection:?} {:?} {:?}", seen.name_id, Captured::recognise(xml.as_bytes()));
    for value in ["Anna", "aa01", "p1\""] {
        assert!(!shown.contains(value), "{value}");
    }
}

#[test]
fn a_test_sign_in_runs_the_steps_of_a_login_and_names_what_no_login_reads() {
    let case = Case::genuine();
    let form = |xml: &str| {
        let posted = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, xml);
        let encoded = form_urlencoded::byte_serialize(posted.as_bytes()).collect::<String>();
        format!("SAMLResponse={encoded}").into_bytes()
    };
    let attribute = "<saml:AttributeStatement>";
    let unread = format!(
        "{attribute}<saml:Attribute Name=\"urn:unknown\"><saml:AttributeValue>x</saml:AttributeValue></saml:Attribute>"
    );
    for (from, to, told) in [
        ("", "", &[][..]),
        (SP, "https://other.example", &[]),
        ("Version=\"2.0\"", "Version=\"2.1\"", &[]),
        (attribute, unread.as_str(), &["urn:unknown"]),
    ] {
        let form = form(&case.written(from, to));
        let expected = case.expected();
        let (run, names) = response::run_form_telling(Some(&form), &expected);
        let login = response::run_form(Some(&form), &expected);
        assert_eq!(run.steps, login.steps, "{from}");
        assert_eq!(run.result.is_ok(), login.result.is_ok(), "{from}");
        assert_eq!(names, told, "{from}");
    }
}
