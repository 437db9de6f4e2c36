//! What we sign verifies in both, and all three hash the same octets.

use certs::{
    query_signature::{MessageParameter, signed_query},
    xml_signature::{Profile, sign_enveloped},
};
use certs_xml::NewElement;
use samael::crypto::{CertificateDer, UrlVerifier};

use crate::{
    documents::{assertion, metadata, request, response},
    judges::{Party, parties},
};

fn agreed(party: &Party, tree: NewElement, profile: Profile) {
    let name = format!("{tree:?} by {:?}", party.key);
    let meant = tree.to_canonical().expect("it can be written");
    let signed = sign_enveloped(tree, &party.key).expect("it signs");
    let source = String::from_utf8(signed.to_canonical().expect("it can be written")).expect("UTF-8");
    let ours =
        party.ours(&source, profile).unwrap_or_else(|rule| panic!("{name}: we refuse our own: {rule}"));
    assert_eq!(ours.as_bytes(), meant, "{name}: what is read is what was meant");
    party.bergshamra(&source).unwrap_or_else(|error| panic!("{name}: bergshamra refuses: {error}"));
    let hashed = party.samael(&source).unwrap_or_else(|error| panic!("{name}: samael refuses: {error}"));
    assert_eq!(hashed, ours, "{name}: samael hashed other octets");
}

#[test]
fn messages_and_metadata_with_every_key() {
    for party in parties() {
        agreed(&party, request(), Profile::Message);
        agreed(&party, response(assertion("_assertion")), Profile::Message);
        agreed(&party, assertion("_alone"), Profile::Message);
        agreed(&party, metadata(), Profile::Metadata);
    }
}

#[test]
fn a_signed_assertion_inside_a_signed_response() {
    for party in parties() {
        let inner = sign_enveloped(assertion("_assertion"), &party.key).expect("it signs");
        agreed(&party, response(inner), Profile::Message);
    }
}

#[test]
fn a_changed_document_is_refused_by_all_three() {
    let party = parties().remove(0);
    let signed =
        sign_enveloped(metadata(), &party.key).expect("it signs").to_canonical().expect("it can be written");
    let source = String::from_utf8(signed).expect("UTF-8").replace("Härnösands", "Sundsvalls");
    assert_eq!(party.ours(&source, Profile::Metadata), Err("signature.digest".into()));
    assert!(party.bergshamra(&source).is_err());
    assert!(party.samael(&source).is_err());
}

#[test]
fn redirect_queries_with_rsa() {
    // samael knows this binding with SHA-256 alone, encodes anew as a form, and wants ECDSA as ASN.1.
    let party = parties().remove(0);
    for (parameter, relay_state) in [
        (MessageParameter::Request, Some("token-1._x")),
        (MessageParameter::Request, None),
        (MessageParameter::Response, None),
    ] {
        let query = signed_query(parameter, "fZJb+T8wEIX/Sg==", relay_state, &party.key).expect("it signs");
        let verifier =
            UrlVerifier::from_x509(&CertificateDer::from(party.certificate.clone())).expect("a certificate");
        let uri = format!("/sso?{query}");
        let verdict = match parameter {
            MessageParameter::Request => verifier.verify_percent_encoded_request_uri_string(&uri),
            MessageParameter::Response => verifier.verify_percent_encoded_response_uri_string(&uri),
        };
        assert!(verdict.expect("samael can judge it"), "{query}");
    }
}
