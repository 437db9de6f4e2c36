use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs::query_signature::{signed_query, unsigned_query};
use proptest::prelude::*;

use super::*;
use crate::sp::tests::KEY;

const XML: &str = "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_a\" \
    IssueInstant=\"2026-11-22T10:00:00Z\" Version=\"2.0\"><saml:Issuer \
    xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">https://sp.example</saml:Issuer></samlp:AuthnRequest>";

fn keys() -> Vec<PublicKey> {
    use certs::Signer as _;
    vec![KEY.public_key().clone()]
}

fn in_form(xml: &str) -> Inbound {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("SAMLRequest", &STANDARD.encode(xml))
        .finish();
    Inbound { form: Some(form.into_bytes()), ..Inbound::default() }
}

fn in_query(query: String) -> Inbound {
    Inbound { query: Some(query), ..Inbound::default() }
}

#[test]
fn an_unsigned_request_is_read_but_never_verified() {
    let deflated = redirect::deflate(XML.as_bytes()).unwrap();
    for message in [in_form(XML), in_query(unsigned_query(MessageParameter::Request, &deflated, None))] {
        let received = ReceivedAuthnRequest::read(&message).unwrap();
        assert!(!received.is_signed());
        assert_eq!(received.unverified().issuer, "https://sp.example");
        assert_eq!(
            received.verified(&keys(), &AlgorithmPolicy::default()).unwrap_err(),
            RequestRefused::Signature(SignatureRefused::NoSignature)
        );
    }
}

#[test]
fn a_changed_query_does_not_verify() {
    let deflated = redirect::deflate(XML.as_bytes()).unwrap();
    let query = signed_query(MessageParameter::Request, &deflated, Some("a"), &*KEY).unwrap();
    let verified = |query: String| {
        ReceivedAuthnRequest::read(&in_query(query))
            .unwrap()
            .verified(&keys(), &AlgorithmPolicy::default())
            .is_ok()
    };
    assert!(verified(query.clone()));
    assert!(!verified(query.replace("RelayState=a", "RelayState=b")));
}

#[test]
fn a_response_is_no_request() {
    let deflated = redirect::deflate(XML.as_bytes()).unwrap();
    let query = unsigned_query(MessageParameter::Response, &deflated, None);
    assert!(ReceivedAuthnRequest::read(&in_query(query)).is_err());
    let other = XML.replace("AuthnRequest", "LogoutRequest");
    assert_eq!(ReceivedAuthnRequest::read(&in_form(&other)).unwrap_err(), RequestRefused::NotAuthnRequest);
}

#[test]
fn parts_that_must_be_there_are() {
    for (from, to, part) in [
        ("ID=\"_a\"", "ID=\"\"", "ID"),
        ("https://sp.example", "", "Issuer"),
        ("10:00:00Z", "", "IssueInstant"),
        ("Version", "ForceAuthn=\"yes\" Version", "ForceAuthn"),
        ("Version", "AssertionConsumerServiceIndex=\"x\" Version", "AssertionConsumerServiceIndex"),
    ] {
        assert_eq!(
            ReceivedAuthnRequest::read(&in_form(&XML.replace(from, to))).unwrap_err(),
            RequestRefused::Part(part)
        );
    }
    let versions = XML.replace("\"2.0\"", "\"1.1\"");
    assert_eq!(ReceivedAuthnRequest::read(&in_form(&versions)).unwrap_err(), RequestRefused::NotAuthnRequest);
}

proptest! {
    #[test]
    fn no_input_panics(octets in proptest::collection::vec(any::<u8>(), 0..200), query in ".{0,200}") {
        let _ = ReceivedAuthnRequest::read(&Inbound { form: Some(octets), ..Inbound::default() });
        let _ = ReceivedAuthnRequest::read(&in_query(query.clone()));
        let _ = ReceivedAuthnRequest::read(&in_query(format!("SAMLRequest={query}")));
    }
}
