//! Project Wycheproof's JWS vectors: every valid token verifies, every invalid one is refused.
//!
//! The vectors lie outside the project, in `../shared/corpora/jose`; without them the test says so and passes.

use std::{collections::BTreeMap, path::Path};

use certs::{
    JwkSet, SignatureAlgorithm,
    jws::{self, Expectation, ExpectedType, JwsRefused},
};
use serde_json::Value;

/// RFC 7520's figures 20 and 27, twice. The vectors label these keys with another algorithm than the token's ("PS256" for a
/// PS384 token, and "ES521", which does not exist), and call the tokens valid. We hold a key to its label (RFC 8725 section 3.1),
/// so they are refused as labelled; they verify once the label is right.
const MISLABELLED: [u64; 4] = [346, 347, 350, 351];

const VECTORS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora/jose/json_web_signature_test.json");

#[test]
fn every_valid_token_verifies_and_every_invalid_one_is_refused() {
    let Ok(text) = std::fs::read(Path::new(VECTORS)) else {
        eprintln!("SKIPPED: no vectors at {VECTORS}");
        return;
    };
    let vectors: Value = serde_json::from_slice(&text).expect("JSON");
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for group in vectors["testGroups"].as_array().expect("groups") {
        // Groups without a public key hold HMAC tokens; they run against an empty set and must all be refused.
        let keys = match group.get("public") {
            Some(public) => serde_json::json!({ "keys": [public] }),
            None => serde_json::json!({ "keys": [] }),
        };
        let keys = JwkSet::from_json(keys.to_string().as_bytes()).expect("a set of public keys");
        for case in group["tests"].as_array().expect("tests") {
            let number = case["tcId"].as_u64().expect("a number");
            let token = case["jws"].as_str().expect("a token");
            let expectation =
                Expectation { algorithms: &SignatureAlgorithm::ALL, token_type: ExpectedType::Any };
            let verdict = jws::verify_compact(token, &keys, expectation);
            let symmetric = group.get("public").is_none();
            if MISLABELLED.contains(&number) {
                assert_eq!(verdict.err(), Some(JwsRefused::UnknownKey), "{number}");
                let mut relabelled = group["public"].clone();
                relabelled["alg"] = if number % 2 == 0 { "PS384" } else { "ES512" }.into();
                let keys = serde_json::json!({ "keys": [relabelled] }).to_string();
                let keys = JwkSet::from_json(keys.as_bytes()).expect("a set of public keys");
                assert!(jws::verify_compact(token, &keys, expectation).is_ok(), "{number}");
                *counted.entry("mislabelled").or_default() += 1;
                continue;
            }
            let valid = !symmetric && case["result"] == "valid";
            *counted
                .entry(if valid {
                    "valid"
                } else if symmetric {
                    "symmetric"
                } else {
                    "invalid"
                })
                .or_default() += 1;
            if verdict.is_ok() != valid {
                wrong.push(format!(
                    "{} {} {}: {:?}",
                    case["tcId"],
                    group["comment"],
                    case["comment"],
                    verdict.err()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let total: usize = counted.values().sum();
    assert_eq!(vectors["numberOfTests"].as_u64(), u64::try_from(total).ok(), "{counted:?}");
    assert_eq!(counted.get("valid"), Some(&32), "{counted:?}");
}
