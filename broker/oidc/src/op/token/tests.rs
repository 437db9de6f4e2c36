//! Redemption rules, and the ID token to the letter.

use broker_core::{
    attribute::AttributeName, failure::FailureCode, identifier::RelyingPartyId, moment::Timestamp,
};
use certs::{SignatureAlgorithm, keyring::Keyring};
use openidconnect::{
    ClientId, IssuerUrl, Nonce,
    core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet},
};
use serde_json::{Map, Value, json};

use super::{TokenRefused, TokenResponse, expiry, left_half_hash};
use crate::op::{
    OidcOp,
    grant::Grant,
    scene::{
        ADDRESS, Asked, ISSUER, NOW, NUMBER_SCOPE, ORG_ID_SCOPE, PROVIDER, SECRET, Scene, UNCERTIFIED3,
        VERIFIER, at, basic, opened, token_form,
    },
};

const ACCESS_TOKEN: &str = "an-access-token";

fn exchange(scene: &Scene, grant: &Grant) -> Result<TokenResponse, TokenRefused> {
    scene.op().exchange(&scene.redeemable(), grant, ACCESS_TOKEN, at(NOW))
}

fn id_token(response: &TokenResponse) -> String {
    let body: Value = serde_json::from_str(&response.body).expect("JSON");
    body["id_token"].as_str().expect("an ID token").to_owned()
}

fn claims(scene: &Scene, asked: &Asked) -> Map<String, Value> {
    let response = exchange(scene, &scene.grant(asked)).expect("tokens");
    opened(scene.op(), &id_token(&response), SignatureAlgorithm::RsaSha256)
}

#[test]
fn the_response_has_what_rfc_6749_5_1_and_oidc_core_3_1_3_3_want() {
    let scene = Scene::genuine();
    let response = exchange(&scene, &scene.grant(&Asked::genuine())).expect("tokens");
    let mut body: Map<String, Value> = serde_json::from_str(&response.body).expect("JSON");
    assert!(body.remove("id_token").is_some());
    assert_eq!(
        Value::Object(body),
        json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "openid" })
    );
    assert_eq!(response.access.expires(), NOW.plus(300));
}

#[test]
fn the_id_token_to_the_letter() {
    let scene = Scene::genuine();
    let asked = Asked::genuine().with("scope", &format!("openid profile {ORG_ID_SCOPE}")).with(
        "claims",
        r#"{"id_token":{"https://id.oidc.se/claim/authnProvider":null,"given_name":null,"email":{"essential":true}}}"#,
    );
    let grant = scene.grant(&asked);
    let mut found = claims(&scene, &asked);
    assert_eq!(found.remove("sub"), Some(json!(grant.identity.subject.as_str())));
    assert_eq!(
        Value::Object(found),
        json!({
            "iss": ISSUER,
            "aud": "tidbok",
            "iat": 1_800_000_000,
            "exp": 1_800_000_300,
            "auth_time": 1_799_999_970,
            "nonce": "n-0S6",
            "acr": UNCERTIFIED3,
            "at_hash": left_half_hash(SignatureAlgorithm::RsaSha256, ACCESS_TOKEN),
            "given_name": "Anna",
            "https://id.oidc.se/claim/authnProvider": PROVIDER,
            "https://id.oidc.se/claim/orgAffiliation": "aa01@2021006883",
        }),
        "the address for mail is not among the entitled attributes, however essential"
    );
}

#[test]
fn openid_alone_says_nothing_of_the_person() {
    let scene = Scene::genuine();
    let found = claims(&scene, &Asked::genuine());
    let names: Vec<_> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["acr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sub"]);
    let response = exchange(&scene, &scene.grant(&Asked::genuine())).expect("tokens");
    assert!(response.access.claims.is_empty());
}

#[test]
fn what_is_not_asked_for_or_not_entitled_never_appears() {
    let scene = Scene::genuine().with(0, |client| {
        std::sync::Arc::make_mut(&mut client.policy).entitled.remove(&AttributeName::PersonalIdentityNumber);
    });
    let asked =
        Asked::genuine().with("scope", &format!("openid profile email {ORG_ID_SCOPE} {NUMBER_SCOPE}"));
    let response = exchange(&scene, &scene.grant(&asked)).expect("tokens");
    let stored = serde_json::to_string(&response.access).expect("JSON");
    let told = format!("{}{stored}", Value::Object(claims(&scene, &asked)));
    assert!(told.contains("aa01@2021006883") && told.contains("Anna Alm"));
    for never in ["191212121212", "anna@granvik.example", "personalIdentityNumber", "email"] {
        assert!(!told.contains(never), "{never}");
    }
}

#[test]
fn a_claim_asked_for_with_a_value_is_told_only_when_it_is_that() {
    let scene = Scene::genuine();
    let asked = |name: &str| {
        let claims = format!(r#"{{"id_token":{{"name":{{"value":"{name}"}}}}}}"#);
        self::claims(&scene, &Asked::genuine().with("claims", &claims)).remove("name")
    };
    assert_eq!(asked("Anna Alm"), Some(json!("Anna Alm")));
    assert_eq!(asked("Beda Berg"), None);
}

#[test]
fn no_nonce_and_no_level_leave_no_trace() {
    let scene = Scene::genuine();
    let mut grant = scene.grant(&Asked::genuine().without("nonce"));
    grant.identity.assurance = None;
    let found = opened(
        scene.op(),
        &id_token(&exchange(&scene, &grant).expect("tokens")),
        SignatureAlgorithm::RsaSha256,
    );
    assert!(!found.contains_key("nonce") && !found.contains_key("acr"));
    assert_eq!(found["auth_time"], json!(NOW.0 - 30));
}

#[test]
fn an_es256_relying_party_gets_es256_and_a_missing_key_is_our_fault() {
    let scene =
        Scene::genuine().with(0, |client| client.id_token_algorithm = SignatureAlgorithm::EcdsaSha256);
    let grant = scene.grant(&Asked::genuine());
    let token = id_token(&exchange(&scene, &grant).expect("tokens"));
    assert_eq!(opened(scene.op(), &token, SignatureAlgorithm::EcdsaSha256)["aud"], json!("tidbok"));
    let empty = Keyring::new();
    let op = OidcOp { keyring: &empty, ..scene.op() };
    let refused = op.exchange(&scene.redeemable(), &grant, ACCESS_TOKEN, at(NOW)).expect_err("no key");
    assert_eq!((refused.status, refused.failure.code), (500, FailureCode::KeyMissing));
    assert!(!refused.body.contains("key"));
}

/// The `openidconnect` crate, as a relying party would use it.
#[test]
fn another_implementation_takes_the_id_token() {
    for algorithm in [SignatureAlgorithm::RsaSha256, SignatureAlgorithm::EcdsaSha256] {
        let scene = Scene::genuine().with(0, |client| client.id_token_algorithm = algorithm);
        let response = exchange(&scene, &scene.grant(&Asked::genuine())).expect("tokens");
        let token: CoreIdToken = id_token(&response).parse().expect("an ID token");
        let keys: CoreJsonWebKeySet = serde_json::from_str(&scene.op().jwks_document()).expect("keys");
        let issuer = IssuerUrl::new(ISSUER.into()).expect("an issuer");
        let name = match algorithm {
            SignatureAlgorithm::RsaSha256 => {
                openidconnect::core::CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256
            }
            _ => openidconnect::core::CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        };
        let verifier = |client_id: &str| {
            CoreIdTokenVerifier::new_public_client(
                ClientId::new(client_id.into()),
                issuer.clone(),
                keys.clone(),
            )
            .set_allowed_algs([name.clone()])
            .set_time_fn(|| NOW.plus(1).to_rfc3339().parse().expect("a time"))
        };
        let nonce = Nonce::new("n-0S6".into());
        let tidbok = verifier("tidbok");
        assert!(token.claims(&tidbok, &nonce).is_ok());
        assert!(token.claims(&tidbok, &Nonce::new("other".into())).is_err());
        assert!(token.claims(&verifier("journal"), &nonce).is_err());
    }
}

#[test]
fn a_code_is_for_its_relying_party() {
    let scene = Scene::genuine();
    let mut grant = scene.grant(&Asked::genuine());
    assert!(exchange(&scene, &grant).is_ok());
    grant.client_id = RelyingPartyId::from("journal");
    assert_eq!(exchange(&scene, &grant).expect_err("another's").failure.code, FailureCode::CodeInvalid);
}

#[test]
fn a_suspension_ends_what_a_code_stands_for() {
    let grant = Scene::genuine().grant(&Asked::genuine());
    for (what, suspensions) in Scene::ways() {
        // Of the relying party itself its authentication speaks, before any code is looked at.
        if suspensions.relying_parties.is_empty() {
            let (proven, scene) = (Scene::genuine().redeemable(), Scene::genuine().under(suspensions));
            let refused = scene.op().exchange(&proven, &grant, ACCESS_TOKEN, at(NOW)).expect_err(what);
            assert!(
                refused.body.contains("\"invalid_grant\"") && refused.status == 400,
                "{what}: {}",
                refused.body
            );
            assert_ne!(
                refused.failure.code,
                FailureCode::CodeInvalid,
                "the log says what is suspended: {what}"
            );
        }
    }
    assert!(exchange(&Scene::genuine(), &grant).is_ok());
}

#[test]
fn a_code_lives_a_minute() {
    let scene = Scene::genuine();
    let grant = scene.grant(&Asked::genuine());
    let request = scene.redeemable();
    let at_second =
        |second| scene.op().exchange(&request, &grant, ACCESS_TOKEN, at(NOW.plus(second))).map(|_| ());
    assert!(at_second(0).is_ok() && at_second(59).is_ok());
    assert_eq!(at_second(60).expect_err("expired").failure.code, FailureCode::CodeInvalid);
    assert!(at_second(-61).is_err());
}

/// RFC 6749 4.1.3 and RFC 7636 4.6: each refusal reads `invalid_grant`, and the texts do not differ.
#[test]
fn a_code_needs_its_return_address_and_its_verifier() {
    let scene = Scene::genuine();
    let grant = scene.grant(&Asked::genuine());
    let with = |redirect_uri: Option<&str>, verifier: Option<&str>| {
        let mut form = String::from("grant_type=authorization_code&code=c");
        for (name, value) in [("redirect_uri", redirect_uri), ("code_verifier", verifier)] {
            if let Some(value) = value {
                form.push_str(&format!("&{name}={value}"));
            }
        }
        let message = broker_core::role::Inbound {
            form: Some(form.into_bytes()),
            authorization: Some(basic("tidbok", SECRET)),
            ..broker_core::role::Inbound::default()
        };
        let request =
            scene.op().token_request(&message, at(NOW)).expect("proven").marked(true).expect("first");
        scene.op().exchange(&request, &grant, ACCESS_TOKEN, at(NOW)).map(|_| ())
    };
    assert!(with(Some(ADDRESS), Some(VERIFIER)).is_ok());
    let mut bodies = std::collections::BTreeSet::new();
    for (redirect_uri, verifier) in [
        (None, Some(VERIFIER)),
        (Some("https://tidbok.example/other?tenant=1"), Some(VERIFIER)),
        (Some("https://tidbok.example/callback/"), Some(VERIFIER)),
        (Some(ADDRESS), None),
        (Some(ADDRESS), Some("")),
        (Some(ADDRESS), Some("short")),
        (Some(ADDRESS), Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")), // the challenge itself
        (Some(ADDRESS), Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK")), // one letter's case
    ] {
        let refused = with(redirect_uri, verifier).expect_err("refused");
        assert_eq!(refused.status, 400);
        assert!(refused.body.contains("invalid_grant"), "{redirect_uri:?} {verifier:?}");
        bodies.insert(refused.body);
    }
    assert_eq!(bodies.len(), 1);
}

/// RFC 9700 4.8.2: a verifier where the request had no challenge means that somebody took the challenge out.
#[test]
fn pkce_cannot_be_taken_out() {
    let scene = Scene::genuine().with(0, |client| client.pkce_required = false);
    let grant = scene.grant(&Asked::genuine().without("code_challenge").without("code_challenge_method"));
    assert_eq!(exchange(&scene, &grant).expect_err("downgrade").failure.code, FailureCode::PkceMismatch);
    let form = String::from_utf8(token_form(&[])).expect("text").replace("code_verifier", "ignored");
    let message = broker_core::role::Inbound {
        form: Some(form.into_bytes()),
        authorization: Some(basic("tidbok", SECRET)),
        ..broker_core::role::Inbound::default()
    };
    let request = scene.op().token_request(&message, at(NOW)).expect("proven").marked(true).expect("first");
    assert!(scene.op().exchange(&request, &grant, ACCESS_TOKEN, at(NOW)).is_ok());
}

#[test]
fn the_id_token_ends_with_the_providers_session_but_never_before_it_began() {
    assert_eq!(expiry(NOW, 300, None), Some(NOW.plus(300)));
    assert_eq!(expiry(NOW, 300, Some(NOW.plus(10))), Some(NOW.plus(10)));
    assert_eq!(expiry(NOW, 300, Some(NOW.plus(9_999))), Some(NOW.plus(300)));
    assert_eq!(expiry(NOW, 300, Some(NOW)), None);
    assert_eq!(expiry(NOW, 300, Some(Timestamp(0))), None);
    let scene = Scene::genuine();
    let mut grant = scene.grant(&Asked::genuine());
    grant.identity.session_ends = Some(NOW.plus(10));
    let response = exchange(&scene, &grant).expect("tokens");
    let body: Value = serde_json::from_str(&response.body).expect("JSON");
    assert_eq!(body["expires_in"], 10);
    assert_eq!(response.access.expires(), NOW.plus(10), "the access token ends with the session");
    let claims = opened(scene.op(), &id_token(&response), SignatureAlgorithm::RsaSha256);
    assert_eq!(claims["exp"], NOW.plus(10).0, "and so does the ID token");
    grant.identity.session_ends = Some(NOW);
    let refused = exchange(&scene, &grant).expect_err("refused");
    assert_eq!(refused.failure.code, FailureCode::CodeInvalid, "a session that is over gives no token");
}

/// OpenID Connect Core, appendix A.3: the access token and at_hash of its example.
#[test]
fn at_hash_as_in_the_specification() {
    assert_eq!(
        left_half_hash(SignatureAlgorithm::RsaSha256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
        "77QmUPtjPfzWtF2AnpK9RQ"
    );
}

#[test]
fn a_grant_survives_the_store_and_shows_nothing() {
    let scene = Scene::genuine();
    let grant = scene.grant(&Asked::genuine().with("scope", &format!("openid {ORG_ID_SCOPE}")));
    let stored = serde_json::to_vec(&grant).expect("JSON");
    assert_eq!(serde_json::from_slice::<Grant>(&stored).expect("a grant"), grant);
    let access = exchange(&scene, &grant).expect("tokens").access;
    let shown = format!("{grant:?}{access:?}{:?}", scene.redeemable());
    for secret in ["Anna", "aa01", "n-0S6", "a state", grant.identity.subject.as_str(), VERIFIER] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
