//! One test per rule of verification, each beside a token that passes.

use super::*;
use crate::private_key::PrivateKey;

const ES256: SignatureAlgorithm = SignatureAlgorithm::EcdsaSha256;
const RS256: SignatureAlgorithm = SignatureAlgorithm::RsaSha256;
const ANY_TYPE: Expectation<'_> = Expectation { algorithms: &[ES256], token_type: ExpectedType::Any };

fn key() -> PrivateKey {
    PrivateKey::generate_p256().expect("generated")
}

fn set(keys: &[&PrivateKey]) -> JwkSet {
    JwkSet::new(keys.iter().map(|key| Jwk::of(*key)).collect())
}

/// A token with this header, properly signed over it.
fn token(key: &PrivateKey, header: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(br#"{"sub":"a"}"#));
    let signature = key.sign(signed.as_bytes()).expect("signed");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn refusal(token: &str, keys: &JwkSet, expectation: Expectation<'_>) -> Option<JwsRefused> {
    verify_compact(token, keys, expectation).err()
}

#[test]
fn what_we_sign_verifies_and_tells_what_it_is() {
    let key = key();
    let token = sign_compact(&key, Some("at+jwt"), br#"{"sub":"a"}"#).expect("signed");
    let expectation = Expectation { algorithms: &[RS256, ES256], token_type: ExpectedType::Is("at+jwt") };
    let payload = verify_compact(&token, &set(&[&key]), expectation).expect("verified").into_value();
    assert_eq!(payload.octets(), br#"{"sub":"a"}"#);
    assert_eq!(payload.object().expect("an object")["sub"], "a");
    assert_eq!(payload.algorithm(), ES256);
    assert_eq!(payload.key(), key.public_key().thumbprint());
    assert_eq!(payload.key_id(), Some(key.key_id()));
    assert_eq!(payload.token_type(), Some("at+jwt"));
    assert_eq!(unverified_key_id(&token).as_deref(), Some(key.key_id()));
}

#[test]
fn a_changed_part_does_not_verify() {
    let key = key();
    let keys = set(&[&key]);
    let token = sign_compact(&key, None, br#"{"sub":"a"}"#).expect("signed");
    assert_eq!(refusal(&token, &keys, ANY_TYPE), None);
    let parts: Vec<_> = token.split('.').collect();
    let other = URL_SAFE_NO_PAD.encode(br#"{"sub":"b"}"#);
    let changed = format!("{}.{other}.{}", parts[0], parts[2]);
    assert_eq!(refusal(&changed, &keys, ANY_TYPE), Some(JwsRefused::Signature));
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    assert_eq!(refusal(&unsigned, &keys, ANY_TYPE), Some(JwsRefused::Signature));
}

#[test]
fn an_algorithm_outside_the_list_is_refused() {
    let key = key();
    let keys = set(&[&key]);
    let signed = sign_compact(&key, None, b"{}").expect("signed");
    assert_eq!(refusal(&signed, &keys, ANY_TYPE), None);
    let only_rsa = Expectation { algorithms: &[RS256], ..ANY_TYPE };
    assert_eq!(refusal(&signed, &keys, only_rsa), Some(JwsRefused::Algorithm));
    for name in ["none", "NONE", "HS256", "ES256K", "es256", ""] {
        let token = token(&key, &format!(r#"{{"alg":"{name}"}}"#));
        assert_eq!(refusal(&token, &keys, ANY_TYPE), Some(JwsRefused::Algorithm), "{name}");
    }
}

#[test]
fn a_public_key_is_never_a_mac_key() {
    let rsa = PrivateKey::generate_rsa(2048, RS256).expect("generated");
    let signed = format!("{}.e30", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#));
    let mac = aws_lc_rs::hmac::sign(
        &aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, rsa.public_key().spki_der()),
        signed.as_bytes(),
    );
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac));
    let all = Expectation { algorithms: &SignatureAlgorithm::ALL, ..ANY_TYPE };
    assert_eq!(refusal(&token, &set(&[&rsa]), all), Some(JwsRefused::Algorithm));
}

#[test]
fn a_key_bound_to_one_algorithm_verifies_no_other() {
    let rs256 = PrivateKey::generate_rsa(2048, RS256).expect("generated");
    let pkcs8 = rs256.to_pkcs8_der().expect("encoded");
    let ps256 = PrivateKey::from_pkcs8_der(&pkcs8, SignatureAlgorithm::RsaPssSha256).expect("read");
    let token = sign_compact(&ps256, None, b"{}").expect("signed");
    let all = Expectation { algorithms: &SignatureAlgorithm::ALL, ..ANY_TYPE };
    assert_eq!(refusal(&token, &set(&[&ps256]), all), None);
    assert_eq!(refusal(&token, &set(&[&rs256]), all), Some(JwsRefused::UnknownKey));
}

#[test]
fn a_token_that_names_its_key_gets_that_key_or_none() {
    let named = key().with_key_id("one");
    let other = key().with_key_id("two");
    let keys = set(&[&named, &other]);
    assert_eq!(refusal(&token(&named, r#"{"alg":"ES256","kid":"one"}"#), &keys, ANY_TYPE), None);
    assert_eq!(
        refusal(&token(&named, r#"{"alg":"ES256","kid":"two"}"#), &keys, ANY_TYPE),
        Some(JwsRefused::Signature)
    );
    assert_eq!(
        refusal(&token(&named, r#"{"alg":"ES256","kid":"three"}"#), &keys, ANY_TYPE),
        Some(JwsRefused::UnknownKey)
    );
}

#[test]
fn a_token_without_a_key_name_is_tried_with_a_few_keys_only() {
    let signing = key();
    let others: Vec<_> = (0..4).map(|_| key()).collect();
    let token = token(&signing, r#"{"alg":"ES256"}"#);
    let four = set(&[&others[0], &others[1], &others[2], &signing]);
    assert_eq!(refusal(&token, &four, ANY_TYPE), None);
    let five = set(&[&others[0], &others[1], &others[2], &others[3], &signing]);
    assert_eq!(refusal(&token, &five, ANY_TYPE), Some(JwsRefused::AmbiguousKey));
    assert_eq!(refusal(&token, &JwkSet::default(), ANY_TYPE), Some(JwsRefused::UnknownKey));
}

#[test]
fn a_key_in_the_header_is_not_looked_at() {
    let attacker = key();
    let header = format!(r#"{{"alg":"ES256","jwk":{}}}"#, Jwk::of(&attacker).to_json());
    let token = token(&attacker, &header);
    assert_eq!(refusal(&token, &set(&[&key()]), ANY_TYPE), Some(JwsRefused::Signature));
    assert_eq!(refusal(&token, &set(&[&attacker]), ANY_TYPE), None);
}

#[test]
fn the_type_must_be_the_expected_one() {
    let key = key();
    let keys = set(&[&key]);
    let with = |header: &str, token_type| {
        refusal(&token(&key, header), &keys, Expectation { token_type, ..ANY_TYPE })
    };
    let typed = r#"{"alg":"ES256","typ":"at+jwt"}"#;
    assert_eq!(with(typed, ExpectedType::Is("at+jwt")), None);
    assert_eq!(with(typed, ExpectedType::Is("application/AT+JWT")), None);
    assert_eq!(with(typed, ExpectedType::Is("JWT")), Some(JwsRefused::Type));
    assert_eq!(with(typed, ExpectedType::AbsentOr("JWT")), Some(JwsRefused::Type));
    assert_eq!(with(r#"{"alg":"ES256","typ":"jwt"}"#, ExpectedType::AbsentOr("JWT")), None);
    assert_eq!(with(r#"{"alg":"ES256"}"#, ExpectedType::AbsentOr("JWT")), None);
    assert_eq!(with(r#"{"alg":"ES256"}"#, ExpectedType::Is("at+jwt")), Some(JwsRefused::Type));
}

#[test]
fn a_critical_extension_is_refused() {
    let key = key();
    let keys = set(&[&key]);
    assert_eq!(refusal(&token(&key, r#"{"alg":"ES256","b65":false}"#), &keys, ANY_TYPE), None);
    for header in [
        r#"{"alg":"ES256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"ES256","crit":[]}"#,
        r#"{"alg":"ES256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"ES256","b64":false}"#,
    ] {
        assert_eq!(refusal(&token(&key, header), &keys, ANY_TYPE), Some(JwsRefused::Critical), "{header}");
    }
}

#[test]
fn a_header_member_twice_or_of_a_wrong_kind_is_refused() {
    let key = key();
    let keys = set(&[&key]);
    for header in [
        r#"{"alg":"ES256","alg":"ES256"}"#,
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":["ES256"]}"#,
        r#"{"alg":"ES256","kid":1}"#,
        r#"{"alg":"ES256","typ":null}"#,
        r#"{"kid":"a"}"#,
        r#"["ES256"]"#,
        "",
    ] {
        assert_eq!(refusal(&token(&key, header), &keys, ANY_TYPE), Some(JwsRefused::Header), "{header}");
    }
}

#[test]
fn only_three_parts_of_strict_base64url_are_a_token() {
    let key = key();
    let keys = set(&[&key]);
    let good = token(&key, r#"{"alg":"ES256"}"#);
    assert_eq!(refusal(&good, &keys, ANY_TYPE), None);
    let last = good.len() - 1;
    // 64 octets take 86 characters; the last carries four bits that must be zero.
    let loose = format!("{}{}", &good[..last], if good.ends_with('A') { 'B' } else { 'x' });
    for bad in [
        format!("{good}="),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{good}.e30"),
        format!(".{good}"),
        good.replacen('.', "", 1),
        good.replace('.', "+."),
        loose,
        String::new(),
        "..".to_owned(),
        format!("{good}{}", "A".repeat(LARGEST_TOKEN)),
    ] {
        let refused = refusal(&bad, &keys, ANY_TYPE);
        assert!(
            matches!(refused, Some(JwsRefused::Malformed | JwsRefused::Header)),
            "{refused:?}: {bad:.200}"
        );
    }
}

#[test]
fn a_payload_with_a_member_twice_is_no_object() {
    let key = key();
    let token = sign_compact(&key, None, br#"{"sub":"a","sub":"b"}"#).expect("signed");
    let payload = verify_compact(&token, &set(&[&key]), ANY_TYPE).expect("verified").into_value();
    assert_eq!(payload.object(), None);
}

proptest::proptest! {
    #[test]
    fn any_text_is_refused_without_panic(text in "[a-zA-Z0-9_.=-]{0,200}") {
        proptest::prop_assert!(verify_compact(&text, &JwkSet::default(), ANY_TYPE).is_err());
    }
}
