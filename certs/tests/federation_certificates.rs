//! The certificates of real federation metadata: each is read, or refused for a reason that has a name.
//!
//! The files lie outside the project, in `../shared/corpora/metadata`; without them the test says so and passes.

use std::{collections::BTreeMap, fs};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs::{KeyError, PublicKey, certificate::Certificate};

const METADATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora/metadata");

/// The texts between `X509Certificate` tags, white space removed: a reader for this test, not for metadata.
fn certificates(document: &str) -> Vec<Vec<u8>> {
    let opened = document.split("X509Certificate>").filter_map(|part| part.split_once("</"));
    let texts = opened.map(|(text, _)| text.split_whitespace().collect::<String>());
    texts.filter(|text| text.len() > 200).filter_map(|text| STANDARD.decode(text).ok()).collect()
}

#[test]
fn real_certificates_are_keys_or_named_refusals() {
    let Ok(entries) = fs::read_dir(METADATA) else {
        eprintln!("SKIPPED: no metadata at {METADATA}");
        return;
    };
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    let mut ends_before_it_begins = false;
    for entry in entries {
        let path = entry.expect("an entry").path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for der in certificates(&text) {
            let verdict = match PublicKey::from_certificate_der(&der) {
                Ok(key) => {
                    let certificate = Certificate::from_der(&der).expect("what holds a key is a certificate");
                    assert_eq!(certificate.public_key(), Ok(&key));
                    ends_before_it_begins |= certificate.not_before() > certificate.not_after();
                    key.kind().to_string()
                }
                Err(KeyError::RsaTooSmall { bits }) => {
                    assert_eq!(PublicKey::from_certificate_der_any_size(&der).is_ok(), bits >= 1024);
                    format!("RSA {bits}, too small")
                }
                Err(other) => panic!("{}: {other}", path.display()),
            };
            *counted.entry(verdict).or_default() += 1;
        }
    }
    assert!(counted.values().sum::<usize>() > 300, "{counted:?}");
    // One is made out from 2010 to 1983. Its key counts all the same: dates decide nothing.
    assert!(ends_before_it_begins);
}
