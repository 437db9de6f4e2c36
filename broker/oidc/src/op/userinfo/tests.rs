//! The userinfo endpoint, one rule each.

use broker_core::{failure::FailureCode, role::Inbound, suspension::Suspensions};
use certs::SignatureAlgorithm;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{UserinfoBody, bearer_token};
use crate::op::{
    grant::AccessGrant,
    scene::{Asked, ISSUER, NOW, ORG_ID_SCOPE, Scene, at, opened},
};

fn access(scene: &Scene) -> AccessGrant {
    let grant = scene.grant(&Asked::genuine().with("scope", &format!("openid {ORG_ID_SCOPE}")));
    scene.op().exchange(&scene.redeemable(), &grant, "token", at(NOW)).expect("tokens").access
}

fn expected(access: &AccessGrant) -> Value {
    json!({
        "sub": access.subject,
        "name": "Anna Alm",
        "https://id.oidc.se/claim/orgName": "Granviks kommun",
        "https://id.oidc.se/claim/orgNumber": "2021006883",
        "https://id.oidc.se/claim/orgAffiliation": "aa01@2021006883",
    })
}

#[test]
fn plain_json_for_those_who_register_nothing_else() {
    let scene = Scene::genuine();
    let access = access(&scene);
    let answer = scene.op().userinfo(&access, at(NOW)).expect("an answer");
    assert_eq!(answer.content_type(), "application/json");
    assert_eq!(serde_json::from_str::<Value>(answer.body()).expect("JSON"), expected(&access));
}

#[test]
fn a_signed_answer_names_issuer_and_audience_and_is_no_id_token() {
    let scene =
        Scene::genuine().with(0, |client| client.userinfo_algorithm = Some(SignatureAlgorithm::EcdsaSha256));
    let access = access(&scene);
    let answer = scene.op().userinfo(&access, at(NOW)).expect("an answer");
    assert_eq!(answer.content_type(), "application/jwt");
    let UserinfoBody::Jwt(token) = answer else { panic!("a JWT") };
    let mut wanted = expected(&access);
    wanted["iss"] = json!(ISSUER);
    wanted["aud"] = json!("tidbok");
    wanted["iat"] = json!(NOW.0);
    let found = Value::Object(opened(scene.op(), &token, SignatureAlgorithm::EcdsaSha256));
    assert_eq!(found, wanted);
    assert!(found.get("exp").is_none() && found.get("nonce").is_none());
}

#[test]
fn an_access_token_expires() {
    let scene = Scene::genuine();
    let access = access(&scene);
    assert!(scene.op().userinfo(&access, at(NOW.plus(299))).is_ok());
    let refused = scene.op().userinfo(&access, at(NOW.plus(300))).expect_err("expired");
    assert_eq!((refused.status, refused.failure.code), (401, FailureCode::TokenInvalid));
    assert_eq!(refused.www_authenticate, Some("Bearer error=\"invalid_token\""));
}

#[test]
fn a_suspension_ends_what_an_access_token_opens() {
    let access = access(&Scene::genuine());
    for (what, suspensions) in Scene::ways() {
        let scene = Scene::genuine().under(suspensions);
        let refused = scene.op().userinfo(&access, at(NOW)).expect_err(what);
        assert_eq!((refused.status, refused.www_authenticate), (401, Some("Bearer error=\"invalid_token\"")));
        assert_ne!(refused.failure.code, FailureCode::TokenInvalid, "the log says what is suspended: {what}");
    }
    let elsewhere =
        Suspensions { providers: ["https://other.example".into()].into(), ..Suspensions::default() };
    assert!(Scene::genuine().under(elsewhere).op().userinfo(&access, at(NOW)).is_ok());
}

fn inbound(query: Option<&str>, form: Option<&str>, authorization: Option<&str>) -> Inbound {
    Inbound {
        query: query.map(str::to_owned),
        form: form.map(|form| form.as_bytes().to_vec()),
        authorization: authorization.map(str::to_owned),
        ..Inbound::default()
    }
}

#[test]
fn the_token_comes_in_the_header_or_the_form() {
    let read = |message: Inbound| bearer_token(&message);
    assert_eq!(read(inbound(None, None, Some("Bearer abc-._~+/="))).as_deref(), Ok("abc-._~+/="));
    assert_eq!(read(inbound(None, None, Some("bearer abc"))).as_deref(), Ok("abc"));
    assert_eq!(read(inbound(None, Some("access_token=abc"), None)).as_deref(), Ok("abc"));
    assert_eq!(read(inbound(Some("lang=sv"), None, Some("Bearer abc"))).as_deref(), Ok("abc"));
}

#[test]
fn a_token_elsewhere_twice_or_malformed_is_refused() {
    let long = format!("Bearer {}", "a".repeat(600));
    for (message, status, header) in [
        (inbound(None, None, None), 401, "Bearer"),
        (inbound(None, Some(""), None), 401, "Bearer"),
        (inbound(None, None, Some("Basic abc")), 401, "Bearer"),
        (inbound(None, None, Some("Bearer")), 401, "Bearer"),
        (inbound(None, None, Some("Bearer ")), 401, "Bearer error=\"invalid_token\""),
        (inbound(None, None, Some("Bearer a b")), 401, "Bearer error=\"invalid_token\""),
        (inbound(None, None, Some("Bearer å")), 401, "Bearer error=\"invalid_token\""),
        (inbound(None, None, Some(&long)), 401, "Bearer error=\"invalid_token\""),
        (inbound(Some("access_token=abc"), None, None), 400, "Bearer error=\"invalid_request\""),
        (
            inbound(Some("access_token=abc"), None, Some("Bearer abc")),
            400,
            "Bearer error=\"invalid_request\"",
        ),
        (
            inbound(None, Some("access_token=abc"), Some("Bearer abc")),
            400,
            "Bearer error=\"invalid_request\"",
        ),
        (inbound(None, Some("access_token=a&access_token=b"), None), 400, "Bearer error=\"invalid_request\""),
    ] {
        let refused = bearer_token(&message).expect_err("refused");
        assert_eq!((refused.status, refused.www_authenticate), (status, Some(header)), "{message:?}");
    }
}

proptest! {
    #[test]
    fn no_request_panics(
        header in proptest::option::of(".{0,60}"),
        form in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..100)),
        query in proptest::option::of(".{0,60}"),
    ) {
        let _ = bearer_token(&Inbound { query, form, authorization: header, ..Inbound::default() });
    }
}
