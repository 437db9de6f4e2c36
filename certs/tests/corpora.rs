//! The signatures of other projects' test messages, judged by our verifier with the certificates that belong to them.
//!
//! The messages are not part of this project. Where the folder `../shared/corpora` (beside the project) is absent, the tests
//! say so and pass. Only the signature is judged here; `broker-saml` judges the rest of a message.

use std::{io::Read as _, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs::{
    AlgorithmPolicy, PublicKey,
    xml_signature::{Profile, is_signed, verify},
};
use certs_xml::{
    Document, Element, Limits,
    namespace::{DS, MD, SAML},
};
use serde_json::Value;

fn corpora() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
    if folder.join("cases.json").is_file() {
        return Some(folder);
    }
    eprintln!("SKIPPED: ../shared/corpora is not here, so other projects' messages were not judged");
    None
}

fn text<'c>(case: &'c Value, name: &str) -> &'c str {
    case.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The message of a case, as octets of XML.
fn message(folder: &std::path::Path, case: &Value) -> Vec<u8> {
    let octets = std::fs::read(folder.join(text(case, "file"))).unwrap();
    if text(case, "encoding") != "base64" {
        return octets;
    }
    let folded: Vec<u8> = octets.into_iter().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let decoded = STANDARD.decode(&folded).unwrap_or(folded);
    // Some are kept as the redirect binding would send them.
    let mut inflated = Vec::new();
    let mut inflater = flate2::read::DeflateDecoder::new(decoded.as_slice()).take(1 << 20);
    if inflater.read_to_end(&mut inflated).is_ok() { inflated } else { decoded }
}

/// The key of a pinned certificate, whatever its size: old messages are signed with small keys.
fn key(folder: &std::path::Path, case: &Value) -> Option<PublicKey> {
    let pem = std::fs::read_to_string(folder.join(case.get("pin_cert")?.as_str()?)).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    PublicKey::from_certificate_der_any_size(&STANDARD.decode(body.trim()).unwrap()).ok()
}

/// What our verifier says: the documents that it would let anyone read, or the rule that refused.
fn judged(octets: &[u8], key: Option<&PublicKey>, policy: AlgorithmPolicy) -> Result<Vec<Document>, String> {
    let document = Document::read(octets, Limits::message()).map_err(|refused| refused.rule().to_owned())?;
    let keys: Vec<PublicKey> = key.into_iter().cloned().collect();
    let signed = |element: Element<'_>| {
        verify(element, &keys, &policy, Profile::Message)
            .map_err(|refused| refused.rule().to_owned())
            .map(|verified| verified.value().document().expect("canonical octets read as a document"))
    };
    // As a service provider reads it: the response where that is signed, else each of its assertions.
    if is_signed(document.root()) {
        return signed(document.root()).map(|document| vec![document]);
    }
    let assertions: Vec<_> = document.root().children_named(SAML.uri(), "Assertion").collect();
    if assertions.is_empty() {
        return Err("signature.missing".into());
    }
    assertions.into_iter().map(signed).collect()
}

#[test]
fn messages_of_other_projects_are_judged_as_they_should_be() {
    let Some(folder) = corpora() else { return };
    let cases: Vec<Value> =
        serde_json::from_slice(&std::fs::read(folder.join("cases.json")).unwrap()).unwrap();
    let (mut accepted, mut refused, mut by_sha1_alone, mut encrypted) = (0, 0, 0, 0);
    for case in &cases {
        let name = text(case, "id");
        let octets = message(&folder, case);
        let key = key(&folder, case);
        let verdict = judged(&octets, key.as_ref(), AlgorithmPolicy { allow_sha1: true });
        if verdict.is_ok()
            && let Err(rule) = judged(&octets, key.as_ref(), AlgorithmPolicy::default())
        {
            assert_eq!(rule, "signature.sha1", "{name}: the policy changes nothing else");
            by_sha1_alone += 1;
        }
        let confirmed = case.get("accept_confirmed_by").and_then(Value::as_u64).unwrap_or_default();
        match (text(case, "expect"), text(case, "cls"), &verdict) {
            // What is signed inside the encryption cannot be judged before it is opened.
            ("accept", _, Err(rule)) if rule == "signature.missing" => {
                let source = String::from_utf8_lossy(&octets);
                assert!(
                    source.contains("EncryptedAssertion") || !source.contains("SignatureValue"),
                    "{name}"
                );
                encrypted += 1;
            }
            ("accept", _, verdict) if confirmed >= 2 => assert_eq!(verdict.as_ref().err(), None, "{name}"),
            ("reject", "attack", Ok(_)) => panic!("{name} was accepted: {}", text(case, "why")),
            ("full-text", _, Ok(read)) => {
                let whole = |element: Element<'_>| {
                    matches!(element.text(), Some("support@onelogin.com" | "test@onelogin.com"))
                };
                assert!(read.iter().any(|document| document.elements().any(whole)), "{name} was cut short");
            }
            _ => {}
        }
        match verdict {
            Ok(_) => accepted += 1,
            Err(_) => refused += 1,
        }
    }
    eprintln!(
        "{accepted} accepted ({by_sha1_alone} with SHA-1), {refused} refused ({encrypted} for being encrypted)"
    );
    assert!(accepted > 60 && by_sha1_alone > 20 && refused > 60, "the corpus was really judged");
}

#[test]
fn metadata_of_real_federations_verifies_and_its_changed_twin_does_not() {
    let Some(folder) = corpora() else { return };
    for (file, expected) in [
        ("wayf-edugain-metadata.xml", Ok(77)),
        ("adfs-v2-metadata.xml", Ok(1)),
        // Signed over its comments too, which is outside the profile.
        ("swamid-1.0.xml", Err("signature.transforms")),
    ] {
        let octets = std::fs::read(folder.join("metadata").join(file)).unwrap();
        let limits = Limits::metadata(64 * 1024 * 1024);
        let document = Document::read(&octets, limits).unwrap();
        // The key that it names itself: this test is about canonical form, not about whom to trust.
        let named = document.elements().find(|element| element.is(DS.uri(), "X509Certificate")).unwrap();
        let folded: String = named.text().unwrap().split_whitespace().collect();
        let key = PublicKey::from_certificate_der_any_size(&STANDARD.decode(folded).unwrap()).unwrap();
        let verified = |document: &Document, allow_sha1| {
            verify(
                document.root(),
                std::slice::from_ref(&key),
                &AlgorithmPolicy { allow_sha1 },
                Profile::Metadata,
            )
            .map_err(|refused| refused.rule())
        };
        let entities = verified(&document, true).map(|signed| {
            let read = signed.value().document().expect("canonical octets read as a document");
            read.elements().filter(|element| element.is(MD.uri(), "EntityDescriptor")).count()
        });
        assert_eq!(entities, expected, "{file}");
        let Ok(_) = entities else {
            assert_eq!(verified(&document, false).err(), Some("signature.sha1"), "{file}");
            continue;
        };
        assert!(verified(&document, false).is_ok(), "{file}");
        let changed = String::from_utf8(octets).unwrap().replacen("entityID=\"", "entityID=\"x", 1);
        let changed = Document::read(changed.as_bytes(), limits).unwrap();
        assert_eq!(verified(&changed, false).err(), Some("signature.digest"), "{file}");
    }
}
