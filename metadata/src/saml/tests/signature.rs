//! The signature of a file: looked at, but no ground for trust.

use std::time::SystemTime;

use certs::{PrivateKey, Signer as _, xml_signature::sign_enveloped};
use certs_xml::{NewElement, namespace::MD};

use super::*;

pub(crate) fn signed() -> String {
    signed_by().1
}

/// A signed entity, and the key that signed it.
pub(crate) fn signed_by() -> (certs::PublicKey, String) {
    let key = PrivateKey::generate_p256().expect("generated");
    let certificate = key.self_signed_certificate("signer", SystemTime::UNIX_EPOCH, 30_000).expect("made");
    let key = key.with_certificate(certificate).expect("its own");
    let entity = NewElement::new(MD, "EntityDescriptor")
        .with_attribute("ID", "_a")
        .with_attribute("entityID", "https://idp.granvik.example/saml")
        .with_child(NewElement::new(MD, "IDPSSODescriptor"));
    let octets = sign_enveloped(entity, &key).and_then(|entity| Ok(entity.to_canonical()?)).expect("signed");
    (key.public_key().clone(), String::from_utf8(octets).expect("UTF-8"))
}

#[test]
fn a_signature_that_holds_says_nothing() {
    let report = judged(&signed()).1;
    assert!(!report.has("saml.file.signature_broken") && !report.has("saml.file.signature_unchecked"));
}

#[test]
fn a_file_that_was_changed_after_signing_is_refused() {
    let changed = signed().replace("idp.granvik", "idq.granvik");
    assert!(judged(&changed).1.has("saml.file.signature_broken"));
}

#[test]
fn a_signature_without_its_certificate_is_only_noted() {
    let xml = signed();
    let (Some(start), Some(end)) = (xml.find("<ds:KeyInfo>"), xml.find("</ds:KeyInfo>")) else {
        panic!("no KeyInfo in {xml}")
    };
    let report = judged(&format!("{}{}", &xml[..start], &xml[end + "</ds:KeyInfo>".len()..])).1;
    assert!(report.has("saml.file.signature_unchecked") && !report.has("saml.file.signature_broken"));
}
