//! Other people's JWS vectors: every valid token verifies, every invalid one is refused. Project Wycheproof's, and the examples of
//! RFC 7515 and RFC 7520.
//!
//! The vectors lie outside the project, in `../shared/corpora/jose`; without them the tests say so and pass.

use std::{collections::BTreeMap, path::Path};

use certs::{
    JwkSet, SignatureAlgorithm,
    jwk::JwkError,
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
    let expected = [("invalid", 325), ("mislabelled", 4), ("symmetric", 40), ("valid", 32)];
    assert_eq!(counted, BTreeMap::from(expected), "what docs/corpora.md says");
}

const EXAMPLES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora/jose/rfc7515-7516-7520-vectors");

#[test]
fn the_examples_of_the_specifications_verify_with_the_public_half_of_their_keys() {
    if !Path::new(EXAMPLES).is_dir() {
        eprintln!("SKIPPED: no examples at {EXAMPLES}");
        return;
    }
    let read = |name: &str| std::fs::read_to_string(Path::new(EXAMPLES).join(name)).expect(name);
    let expectation = Expectation { algorithms: &SignatureAlgorithm::ALL, token_type: ExpectedType::Any };
    for (token, key, algorithm) in [
        ("rfc7515_A.2.jwsc", "rfc7515_A.2.jwk", SignatureAlgorithm::RsaSha256),
        ("rfc7515_A.3.jwsc", "rfc7515_A.3.jwk", SignatureAlgorithm::EcdsaSha256),
        ("rfc7515_A.4.jwsc", "rfc7515_A.4.jwk", SignatureAlgorithm::EcdsaSha512),
        ("rfc7520_4.1.jwsc", "rfc7520_3.4.jwk", SignatureAlgorithm::RsaSha256),
        ("rfc7520_4.2.jwsc", "rfc7520_3.4.jwk", SignatureAlgorithm::RsaPssSha384),
        ("rfc7520_4.3.jwsc", "rfc7520_3.2.jwk", SignatureAlgorithm::EcdsaSha512),
    ] {
        let mut key: Value = serde_json::from_str(&read(key)).expect("JSON");
        let set =
            |key: &Value| JwkSet::from_json(serde_json::json!({ "keys": [key] }).to_string().as_bytes());
        assert!(matches!(set(&key), Err(JwkError::Private { .. })), "{token}");
        let members = key.as_object_mut().expect("an object");
        members.retain(|name, _| !["d", "p", "q", "dp", "dq", "qi"].contains(&name.as_str()));
        let keys = set(&key).expect("a set of public keys");
        let verified = jws::verify_compact(read(token).trim(), &keys, expectation).expect(token);
        assert_eq!(verified.value().algorithm(), algorithm, "{token}");
        for other in ["rfc7515_A.1.jwsc", "rfc7515_A.5.jwsc", "rfc7520_4.4.jwsc"] {
            let refused = jws::verify_compact(read(other).trim(), &keys, expectation).err();
            assert_eq!(refused, Some(JwsRefused::Algorithm), "{other}: HMAC and none");
        }
    }
}
