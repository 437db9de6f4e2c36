//! Client authentication: each method, each way to get it wrong.

use broker_core::{failure::FailureCode, moment::Timestamp, role::Inbound, suspension::Suspensions};
use certs::{PrivateKey, SignatureAlgorithm, Signer, jws};
use metadata::peer::ClientAuthentication;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{TokenRefused, TokenRequest};
use crate::op::{
    client_assertion::ASSERTION_TYPE,
    scene::{
        CLIENT_KEY, EC, ISSUER, NOW, RSA, SECRET, Scene, TOKEN_ENDPOINT, at, basic, token_form, token_message,
    },
};

fn ask(scene: &Scene, message: &Inbound) -> Result<TokenRequest, TokenRefused> {
    scene.op().token_request(message, at(NOW))
}

fn form(more: &[(&str, &str)]) -> Inbound {
    Inbound { form: Some(token_form(more)), ..Inbound::default() }
}

fn with_header(header: &str) -> Inbound {
    Inbound { authorization: Some(header.into()), ..token_message() }
}

fn error(refused: &TokenRefused) -> String {
    let body: Value = serde_json::from_str(&refused.body).expect("JSON");
    body["error"].as_str().expect("an error").to_owned()
}

#[test]
fn each_registered_method_is_taken() {
    let scene = Scene::genuine();
    let basic = ask(&scene, &token_message()).expect("basic");
    assert!(basic.once().is_none());
    assert_eq!(basic.marked(true).expect("nothing to mark").client().id().as_str(), "tidbok");
    let post = ask(&scene, &form(&[("client_id", "journal"), ("client_secret", SECRET)])).expect("post");
    assert_eq!(post.marked(false).expect("nothing to mark").client().id().as_str(), "journal");
    let assertion = ask(&scene, &asserting(&claims())).expect("assertion");
    assert!(assertion.once().is_some());
    let request = assertion.marked(true).expect("first");
    assert_eq!((request.client().id().as_str(), request.code()), ("vardplan", "the-code"));
}

/// RFC 6749 2.3.1: both halves are form-encoded, so a colon in a client_id is no separator.
#[test]
fn basic_credentials_are_decoded_as_a_form() {
    let scene = Scene::genuine();
    assert!(ask(&scene, &with_header(&basic("tidbok", SECRET))).is_ok());
    assert!(ask(&scene, &with_header(&basic("tidbok", SECRET).replacen("Basic", "bAsIc", 1))).is_ok());
    let raw = "Basic dGlkYm9rOmEgc2VjcmV0OiB3aXRoICUgYW5kICs="; // the secret without its encoding
    assert_eq!(error(&ask(&scene, &with_header(raw)).expect_err("raw")), "invalid_client");
}

#[test]
fn wrong_or_unreadable_credentials_are_a_401_with_a_challenge() {
    let scene = Scene::genuine();
    for header in [
        basic("tidbok", "wrong"),
        basic("tidbok", ""),
        basic("nobody", SECRET),
        basic("journal", SECRET), // registered with client_secret_post
        basic("vardplan", SECRET),
        "Basic".into(),
        "Basic !!!".into(),
        "Basic dGlkYm9r".into(), // no colon
        "Bearer token".into(),
        String::new(),
    ] {
        let refused = ask(&scene, &with_header(&header)).expect_err(&header);
        assert_eq!((refused.status, error(&refused).as_str()), (401, "invalid_client"), "{header}");
        assert!(refused.www_authenticate.is_some_and(|value| value.starts_with("Basic ")), "{header}");
    }
}

#[test]
fn an_unknown_relying_party_and_a_wrong_secret_look_alike() {
    let scene = Scene::genuine();
    let unknown = ask(&scene, &with_header(&basic("nobody", SECRET))).expect_err("unknown");
    let wrong = ask(&scene, &with_header(&basic("tidbok", "wrong"))).expect_err("wrong");
    assert_eq!(
        (unknown.status, unknown.body, unknown.www_authenticate),
        (wrong.status, wrong.body, wrong.www_authenticate)
    );
}

#[test]
fn only_the_registered_method_is_taken() {
    let scene = Scene::genuine();
    for more in [
        vec![("client_id", "tidbok"), ("client_secret", SECRET)],
        vec![("client_id", "vardplan"), ("client_secret", SECRET)],
        vec![("client_id", "tidbok")],
        vec![],
        vec![("client_id", "journal"), ("client_secret", "wrong")],
        vec![("client_id", "journal"), ("client_secret", "")],
        vec![("client_secret", SECRET)],
    ] {
        let refused = ask(&scene, &form(&more)).expect_err("refused");
        assert_eq!((refused.status, error(&refused).as_str()), (401, "invalid_client"), "{more:?}");
        assert_eq!(refused.www_authenticate, None);
    }
}

/// RFC 6749 2.3: not more than one method.
#[test]
fn two_methods_at_once_are_refused() {
    let scene = Scene::genuine();
    let header = Some(basic("tidbok", SECRET));
    for more in [
        vec![("client_secret", SECRET)],
        vec![("client_assertion", "x")],
        vec![("client_assertion_type", "x")],
    ] {
        let message =
            Inbound { authorization: header.clone(), form: Some(token_form(&more)), ..Inbound::default() };
        assert_eq!(error(&ask(&scene, &message).expect_err("two")), "invalid_request", "{more:?}");
    }
    let message = form(&[("client_id", "journal"), ("client_secret", SECRET), ("client_assertion", "x")]);
    assert_eq!(error(&ask(&scene, &message).expect_err("two")), "invalid_request");
}

#[test]
fn a_client_id_in_the_form_must_be_the_proven_one() {
    let scene = Scene::genuine();
    let with =
        |client_id: &str| Inbound { form: Some(token_form(&[("client_id", client_id)])), ..token_message() };
    assert!(ask(&scene, &with("tidbok")).is_ok());
    assert_eq!(error(&ask(&scene, &with("journal")).expect_err("other")), "invalid_client");
}

#[test]
fn a_suspended_relying_party_gets_nothing() {
    let relying_parties = ["tidbok".into()].into();
    let scene = Scene::genuine().under(Suspensions { relying_parties, ..Suspensions::default() });
    assert_eq!(error(&ask(&scene, &token_message()).expect_err("suspended")), "invalid_client");
}

#[test]
fn what_is_missing_repeated_or_not_offered_has_its_error() {
    let scene = Scene::genuine();
    let ask_text = |text: &str| {
        let form = Some(text.as_bytes().to_vec());
        error(&ask(&scene, &Inbound { form, ..token_message() }).expect_err(text))
    };
    assert_eq!(ask_text("grant_type=refresh_token&code=c"), "unsupported_grant_type");
    assert_eq!(ask_text("code=c"), "invalid_request");
    assert_eq!(ask_text("grant_type=authorization_code"), "invalid_request");
    assert_eq!(ask_text("grant_type=authorization_code&code=c&code=c"), "invalid_request");
    assert_eq!(ask_text("grant_type=authorization_code&code=%ff"), "invalid_request");
    let none = Inbound { form: None, ..token_message() };
    assert_eq!(error(&ask(&scene, &none).expect_err("no form")), "invalid_request");
    // What stands in the query is not looked at.
    let query = Inbound { query: Some("grant_type=authorization_code&code=c".into()), ..none };
    assert_eq!(error(&ask(&scene, &query).expect_err("no form")), "invalid_request");
}

fn claims() -> Value {
    json!({ "iss": "vardplan", "sub": "vardplan", "aud": ISSUER, "exp": NOW.0 + 60, "iat": NOW.0, "jti": "j-1" })
}

fn changed(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

fn signed(signer: &dyn Signer, token_type: Option<&str>, claims: &Value) -> Inbound {
    let assertion = jws::sign_compact(signer, token_type, claims.to_string().as_bytes()).expect("signed");
    form(&[("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &assertion)])
}

fn asserting(claims: &Value) -> Inbound {
    signed(CLIENT_KEY.as_ref(), None, claims)
}

#[test]
fn an_assertion_with_each_permitted_variation_is_taken() {
    let scene = Scene::genuine();
    for claims in [
        claims(),
        without("iat"),
        changed("aud", json!([ISSUER])),
        changed("exp", json!(NOW.0 + 600)),
        changed("exp", json!(NOW.0 - 30)),
        changed("exp", json!(NOW.0 as f64 + 60.5)),
        changed("nbf", json!(NOW.0 + 60)),
        changed("iat", json!(NOW.0 + 60)),
    ] {
        assert!(ask(&scene, &asserting(&claims)).is_ok(), "{claims}");
    }
    for token_type in ["JWT", "jwt", "client-authentication+jwt"] {
        assert!(
            ask(&scene, &signed(CLIENT_KEY.as_ref(), Some(token_type), &claims())).is_ok(),
            "{token_type}"
        );
    }
}

/// RFC 7523 3, one rule each.
#[test]
fn an_assertion_that_breaks_one_rule_is_refused() {
    let scene = Scene::genuine();
    for claims in [
        changed("iss", json!("tidbok")),
        changed("sub", json!("tidbok")),
        without("iss"),
        without("sub"),
        without("aud"),
        changed("aud", json!("https://other.example")),
        changed("aud", json!(TOKEN_ENDPOINT)),
        changed("aud", json!(format!("{ISSUER}/"))),
        changed("aud", json!([])),
        changed("aud", json!([ISSUER, "https://other.example"])),
        changed("aud", json!({ "0": ISSUER })),
        without("exp"),
        changed("exp", json!("soon")),
        changed("exp", json!(NOW.0 - 61)),
        changed("exp", json!(NOW.0 + 700)),
        changed("exp", json!(1e300)),
        changed("nbf", json!(NOW.0 + 120)),
        changed("iat", json!(NOW.0 + 120)),
        changed("iat", json!("now")),
        without("jti"),
        changed("jti", json!("")),
        changed("jti", json!(7)),
        changed("jti", json!("x".repeat(300))),
    ] {
        let refused = ask(&scene, &asserting(&claims)).map(|_| claims.to_string()).expect_err("refused");
        assert_eq!((refused.status, error(&refused).as_str()), (401, "invalid_client"), "{claims}");
    }
}

#[test]
fn the_token_endpoint_is_an_audience_only_where_the_profile_says_so() {
    let scene = Scene::genuine().with(2, |client| client.accepts_token_endpoint_audience = true);
    assert!(ask(&scene, &asserting(&changed("aud", json!(TOKEN_ENDPOINT)))).is_ok());
    assert!(ask(&scene, &asserting(&changed("aud", json!("https://other.example/token")))).is_err());
}

#[test]
fn an_assertion_is_signed_by_a_registered_key_for_its_purpose() {
    let scene = Scene::genuine();
    let stranger = PrivateKey::generate_p256().expect("a key");
    let named = PrivateKey::generate_p256().expect("a key").with_key_id(CLIENT_KEY.key_id());
    for message in [
        signed(&stranger, None, &claims()),
        signed(&named, None, &claims()),
        signed(RSA.as_ref(), None, &claims()),
        signed(EC.as_ref(), None, &claims()), // our own ID-token key is no key of theirs
        signed(CLIENT_KEY.as_ref(), Some("logout+jwt"), &claims()),
        signed(CLIENT_KEY.as_ref(), Some("at+jwt"), &claims()),
    ] {
        assert_eq!(error(&ask(&scene, &message).expect_err("refused")), "invalid_client");
    }
}

#[test]
fn none_hmac_and_a_borrowed_public_key_do_not_sign() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
    let scene = Scene::genuine();
    let payload = B64.encode(claims().to_string());
    for (header, signature) in [
        (json!({ "alg": "none" }), String::new()),
        (json!({ "alg": "None" }), "AAAA".into()),
        (json!({ "alg": "HS256", "kid": CLIENT_KEY.key_id() }), B64.encode([0_u8; 32])),
        (json!({ "alg": "ES256", "kid": CLIENT_KEY.key_id() }), String::new()),
        (json!({ "alg": "ES256", "kid": CLIENT_KEY.key_id() }), B64.encode([0_u8; 64])),
        (json!({ "alg": "ES256", "crit": ["exp"] }), B64.encode([0_u8; 64])),
    ] {
        let token = format!("{}.{payload}.{signature}", B64.encode(header.to_string()));
        let message = form(&[("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &token)]);
        assert_eq!(error(&ask(&scene, &message).expect_err("refused")), "invalid_client", "{header}");
    }
}

#[test]
fn the_registered_algorithm_is_the_only_one() {
    let only = |algorithm| {
        Scene::genuine().with(2, move |client| {
            if let ClientAuthentication::PrivateKeyJwt { algorithm: registered, .. } =
                &mut client.authentication
            {
                *registered = Some(algorithm);
            }
        })
    };
    assert!(ask(&only(SignatureAlgorithm::EcdsaSha256), &asserting(&claims())).is_ok());
    assert!(ask(&only(SignatureAlgorithm::RsaSha256), &asserting(&claims())).is_err());
}

#[test]
fn another_assertion_type_is_refused() {
    let scene = Scene::genuine();
    let assertion =
        jws::sign_compact(CLIENT_KEY.as_ref(), None, claims().to_string().as_bytes()).expect("signed");
    let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    for more in [
        vec![("client_assertion_type", saml), ("client_assertion", assertion.as_str())],
        vec![("client_assertion", assertion.as_str())],
        vec![("client_assertion_type", ASSERTION_TYPE)],
    ] {
        assert_eq!(error(&ask(&scene, &form(&more)).expect_err("refused")), "invalid_client");
    }
}

#[test]
fn an_assertion_is_used_once_and_its_mark_is_its_own() {
    let scene = Scene::genuine();
    let request = |claims: &Value| ask(&scene, &asserting(claims)).expect("good");
    let mark = |claims: &Value| request(claims).once().cloned().expect("a mark");
    assert_eq!(mark(&claims()).until, Timestamp(NOW.0 + 120));
    assert_eq!(mark(&claims()).name, mark(&claims()).name);
    assert_ne!(mark(&claims()).name, mark(&changed("jti", json!("j-2"))).name);
    assert!(request(&claims()).marked(true).is_ok());
    assert_eq!(
        request(&claims()).marked(false).expect_err("used").failure.code,
        FailureCode::RelyingPartyAuthenticationFailed
    );
}

#[test]
fn debug_shows_neither_code_nor_verifier() {
    let shown = format!("{:?}", ask(&Scene::genuine(), &token_message()).expect("good"));
    assert!(!shown.contains("the-code") && !shown.contains("dBjft"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_form_header_or_assertion_panics(
        octets in proptest::collection::vec(any::<u8>(), 0..300),
        header in ".{0,80}",
        token in "[A-Za-z0-9_.-]{0,80}",
    ) {
        let scene = Scene::genuine();
        let _ = ask(&scene, &Inbound { form: Some(octets), authorization: Some(header.clone()), ..Inbound::default() });
        let _ = ask(&scene, &with_header(&format!("Basic {header}")));
        let _ = ask(&scene, &form(&[("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &token)]));
    }
}
