//! Keys as JSON: the specification's examples, and what a set may hold.

use super::*;
use crate::private_key::PrivateKey;

/// RFC 7638 section 3.1.
const RFC_7638_KEY: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;

/// RFC 7517 appendix A.1, first key.
const RFC_7517_EC_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}"#;

fn read(text: &str) -> Result<Jwk, JwkError> {
    let value: Value = serde_json::from_str(text).expect("JSON");
    Jwk::from_json(value.as_object().expect("an object"))
}

fn set(keys: &[&str]) -> Result<JwkSet, JwkError> {
    JwkSet::from_json(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes())
}

fn changed(text: &str, name: &str, value: Value) -> String {
    let mut key: Value = serde_json::from_str(text).expect("JSON");
    key[name] = value;
    key.to_string()
}

#[test]
fn the_thumbprint_is_the_one_of_rfc_7638() {
    let key = read(RFC_7638_KEY).expect("read");
    assert_eq!(thumbprint(key.public_key()), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(key.key_id(), Some("2011-04-29"));
}

#[test]
fn a_key_survives_its_json() {
    use SignatureAlgorithm as A;
    for key in [
        PrivateKey::generate_p256(),
        PrivateKey::generate_p384(),
        PrivateKey::generate_p521(),
        PrivateKey::generate_rsa(2048, A::RsaPssSha256),
    ] {
        let key = key.expect("generated");
        let published = Jwk::of(&key);
        let set = JwkSet::new(vec![published.clone()]);
        let read = JwkSet::from_json(set.to_json().to_string().as_bytes()).expect("read");
        assert_eq!(read.keys(), [published]);
        assert_eq!(read.keys()[0].key_id(), Some(thumbprint(key.public_key()).as_str()));
        assert!(read.keys()[0].permits(key.algorithm()));
    }
}

#[test]
fn a_published_key_has_public_members_only() {
    let published = Jwk::of(&PrivateKey::generate_p256().expect("generated")).to_json();
    let members = published.as_object().expect("an object");
    let mut names: Vec<_> = members.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
}

#[test]
fn alg_binds_a_key_to_one_algorithm() {
    let bound = read(RFC_7638_KEY).expect("read");
    assert!(bound.permits(SignatureAlgorithm::RsaSha256));
    assert!(!bound.permits(SignatureAlgorithm::RsaSha512));
    let mut free: Value = serde_json::from_str(RFC_7638_KEY).expect("JSON");
    free.as_object_mut().expect("an object").remove("alg");
    assert!(read(&free.to_string()).expect("read").permits(SignatureAlgorithm::RsaSha512));
    let other = read(&changed(RFC_7638_KEY, "alg", json!("RSA-OAEP"))).expect("read");
    assert!(SignatureAlgorithm::ALL.into_iter().all(|algorithm| !other.permits(algorithm)));
}

#[test]
fn a_key_for_encryption_checks_no_signature() {
    let encryption = read(RFC_7517_EC_KEY).expect("read");
    assert!(!encryption.permits(SignatureAlgorithm::EcdsaSha256));
    let signing = read(&changed(RFC_7517_EC_KEY, "use", json!("sig"))).expect("read");
    assert!(signing.permits(SignatureAlgorithm::EcdsaSha256));
    let by_operations = changed(&changed(RFC_7517_EC_KEY, "use", json!("sig")), "key_ops", json!(["sign"]));
    assert!(!read(&by_operations).expect("read").permits(SignatureAlgorithm::EcdsaSha256));
}

#[test]
fn a_private_key_refuses_the_whole_set_and_says_which_member() {
    assert_eq!(set(&[RFC_7638_KEY]).map(|set| set.keys().len()), Ok(1));
    let private = changed(RFC_7638_KEY, "d", json!("AQAB"));
    assert_eq!(set(&[RFC_7517_EC_KEY, &private]), Err(JwkError::Private { member: "d" }));
    let symmetric = r#"{"kty":"oct","k":"c2VjcmV0"}"#;
    assert_eq!(set(&[RFC_7638_KEY, symmetric]), Err(JwkError::Private { member: "k" }));
    let empty = changed(RFC_7638_KEY, "p", Value::Null);
    assert_eq!(set(&[&empty]), Err(JwkError::Private { member: "p" }));
}

#[test]
fn a_key_that_cannot_be_used_is_passed_over_with_its_reason() {
    let ed25519 = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let small = changed(RFC_7638_KEY, "n", json!(URL_SAFE_NO_PAD.encode([0xc1; 128])));
    let set = set(&[ed25519, RFC_7638_KEY, &small, "[]"]).expect("read");
    assert_eq!(set.keys().len(), 1);
    let reasons: Vec<_> = set.passed_over().iter().map(|key| (key.index, key.reason.clone())).collect();
    assert_eq!(
        reasons,
        [
            (0, JwkError::UnknownKind { name: "OKP".to_owned() }),
            (2, JwkError::Key(KeyError::RsaTooSmall { bits: 1024 })),
            (3, JwkError::NotAnObject),
        ]
    );
}

#[test]
fn coordinates_are_exactly_as_long_as_the_field() {
    let (x, _) = read(RFC_7517_EC_KEY).expect("read").public_key().ec_coordinates().expect("EC");
    let longer = [&[0][..], &x].concat();
    let changed = changed(RFC_7517_EC_KEY, "x", json!(URL_SAFE_NO_PAD.encode(longer)));
    assert_eq!(read(&changed), Err(JwkError::Member { name: "x" }));
}

#[test]
fn a_zero_octet_before_the_modulus_changes_nothing() {
    let key = read(RFC_7638_KEY).expect("read");
    let (modulus, _) = key.public_key().rsa_components().expect("RSA");
    let padded = changed(RFC_7638_KEY, "n", json!(URL_SAFE_NO_PAD.encode([&[0][..], &modulus].concat())));
    assert_eq!(read(&padded).as_ref().map(Jwk::public_key), Ok(key.public_key()));
}

#[test]
fn what_is_no_set_is_refused() {
    assert_eq!(JwkSet::from_json(b"[]"), Err(JwkError::NotAnObject));
    assert_eq!(JwkSet::from_json(b"{}"), Err(JwkError::Member { name: "keys" }));
    assert_eq!(JwkSet::from_json(br#"{"keys":[],"keys":[]}"#), Err(JwkError::NotAnObject));
    let twice = RFC_7638_KEY.replacen("\"kty\"", "\"kty\":\"EC\",\"kty\"", 1);
    assert_eq!(set(&[&twice]), Err(JwkError::NotAnObject));
    assert_eq!(set(&[RFC_7517_EC_KEY; MOST_KEYS + 1]), Err(JwkError::TooMany));
}
