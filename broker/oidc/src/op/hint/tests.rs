//! An ID token of ours as a hint, and everything that only looks like one.

use std::{sync::Arc, time::SystemTime};

use certs::{PrivateKey, SignatureAlgorithm, Signer as _, jws};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::id_token_hint;
use crate::op::scene::{Asked, CLIENT_KEY, EC, ISSUER, NOW, PROVIDER, RSA, Scene};

fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": ISSUER, "sub": "somebody", "aud": "tidbok", "exp": NOW.0 - 90_000, "iat": NOW.0 - 90_300, "auth_time": NOW.0 - 90_400,
    });
    claims.as_object().expect("an object").clone()
}

fn signed(key: &PrivateKey, claims: &Map<String, Value>) -> String {
    let payload = Value::Object(claims.clone()).to_string();
    jws::sign_compact(key, Some("JWT"), payload.as_bytes()).expect("signed")
}

fn is_hint(scene: &Scene, token: &str) -> bool {
    id_token_hint(&scene.op(), &scene.clients[0], token)
        .is_some_and(|hint| hint.subject.is_met_by("somebody"))
}

#[test]
fn an_id_token_of_ours_says_who_is_expected_also_after_it_expired() {
    let scene = Scene::genuine();
    assert!(is_hint(&scene, &signed(&RSA, &claims())));
    assert!(is_hint(&scene, &signed(&EC, &claims())));
}

#[test]
fn a_key_that_retired_still_vouches_for_its_tokens() {
    let old = Arc::new(PrivateKey::generate_p256().expect("a key"));
    let mut scene = Scene::genuine();
    let token = signed(&old, &claims());
    assert!(!is_hint(&scene, &token), "a key that was never ours");
    scene.keyring.publish(Arc::clone(&old), SystemTime::UNIX_EPOCH).expect("new");
    scene.keyring.activate(old.key_id(), SystemTime::UNIX_EPOCH).expect("published");
    let newer = Arc::new(PrivateKey::generate_p256().expect("a key"));
    scene.keyring.publish(Arc::clone(&newer), SystemTime::UNIX_EPOCH).expect("new");
    scene.keyring.activate(newer.key_id(), SystemTime::UNIX_EPOCH).expect("published");
    assert!(is_hint(&scene, &token));
}

#[test]
fn what_is_not_an_id_token_of_ours_for_this_relying_party_is_none() {
    let scene = Scene::genuine();
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims.insert(name.to_owned(), value);
        signed(&EC, &claims)
    };
    let without = |name: &str| {
        let mut claims = claims();
        claims.remove(name);
        signed(&EC, &claims)
    };
    let genuine = signed(&EC, &claims());
    let payload = Value::Object(claims()).to_string();
    let (front, signature) = genuine.rsplit_once('.').expect("three parts");
    for (what, token) in [
        ("another's key", signed(&CLIENT_KEY, &claims())),
        ("another issuer", with("iss", json!("https://other.example"))),
        ("another relying party", with("aud", json!("journal"))),
        ("several relying parties", with("aud", json!(["tidbok", "journal"]))),
        ("a userinfo answer: it does not end", without("exp")),
        ("a userinfo answer: no time", without("auth_time")),
        ("nobody", without("sub")),
        ("another type", jws::sign_compact(EC.as_ref(), Some("at+jwt"), payload.as_bytes()).expect("signed")),
        ("no type", jws::sign_compact(EC.as_ref(), None, payload.as_bytes()).expect("signed")),
        ("no signature", format!("{front}.")),
        ("half a signature", format!("{front}.{}", signature.split_at(20).0)),
        ("alg none", format!("eyJhbGciOiJub25lIn0.{}.", front.split_once('.').expect("two parts").1)),
        ("nothing", String::new()),
    ] {
        assert!(!is_hint(&scene, &token), "{what}");
    }
}

#[test]
fn the_token_of_a_login_leads_back_to_its_person_and_provider() {
    let scene = Scene::genuine();
    let asked =
        Asked::genuine().with("claims", r#"{"id_token":{"https://id.oidc.se/claim/authnProvider":null}}"#);
    let grant = scene.grant(&asked);
    let response = scene
        .op()
        .exchange(&scene.redeemable(), &grant, "access", crate::op::scene::at(NOW))
        .expect("redeemed");
    let body: Value = serde_json::from_str(&response.body).expect("JSON");
    let token = body["id_token"].as_str().expect("an ID token");
    let opened = crate::op::scene::opened(scene.op(), token, SignatureAlgorithm::RsaSha256);
    let again = Asked::genuine().with("id_token_hint", token).with("login_hint", "somewhere else");
    let (request, _) = scene.receive(&again).expect("received");
    let sub = opened["sub"].as_str().expect("a sub");
    assert!(request.expected_subject.expect("somebody").is_met_by(sub));
    assert_eq!(request.login_hint.expect("the provider").as_str(), PROVIDER);
    assert_eq!(
        scene.login(&again).state().identity().subject.as_str(),
        sub,
        "the same person is let through"
    );
    let both = format!(r#"{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}"#);
    assert!(scene.receive(&again.clone().with("claims", &both)).is_ok());
    let other = r#"{"id_token":{"sub":{"value":"another"}}}"#;
    assert_eq!(scene.error(&again.with("claims", other)), "invalid_request", "nobody is two people");
}

proptest! {
    #[test]
    fn no_text_panics(text in "[A-Za-z0-9_.=-]{0,120}") {
        let scene = Scene::genuine();
        prop_assert!(!is_hint(&scene, &text));
    }
}
