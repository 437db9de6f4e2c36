//! One rule each, beside a request that passes.

use broker_core::{
    failure::FailureCode,
    request::{Freshness, RequestedAttribute},
    role::{Downstream as _, Inbound, Outbound, Outcome},
};
use proptest::prelude::*;

use super::super::{
    OidcOp,
    carried::Carried,
    scene::{ADDRESS, Asked, CHALLENGE, ISSUER, LOA3, NOW, NUMBER_SCOPE, ORG_ID_SCOPE, PROVIDER, Scene, at},
};
use broker_core::attribute::AttributeName;

#[test]
fn the_genuine_request_is_received_by_get_and_by_post() {
    let scene = Scene::genuine();
    for message in [Asked::genuine().by_get(), Asked::genuine().by_post()] {
        let (request, return_to) = scene.op().receive(&message, at(NOW)).expect("received");
        assert_eq!(request.relying_party.as_str(), "tidbok");
        assert_eq!(return_to.address(), ADDRESS);
        assert!(!request.passive && request.attributes.is_empty() && request.providers.is_empty());
        let carried = Carried::recall(&return_to).expect("carried");
        assert_eq!(carried.state.as_deref(), Some("a state&=%+"));
        assert_eq!(carried.code_challenge.as_deref(), Some(CHALLENGE));
    }
}

#[test]
fn a_return_address_matches_whole_or_the_error_is_a_page() {
    let scene = Scene::genuine();
    assert!(
        scene
            .receive(&Asked::genuine().with("redirect_uri", "https://tidbok.example/other?tenant=1"))
            .is_ok()
    );
    for trick in [
        "https://tidbok.example/callback/",
        "https://tidbok.example/Callback",
        "https://TIDBOK.example/callback",
        "HTTPS://tidbok.example/callback",
        "http://tidbok.example/callback",
        "https://tidbok.example:443/callback",
        "https://tidbok.example:8443/callback",
        "https://tidbok.example/callback?next=https://evil.example",
        "https://tidbok.example/callback#fragment",
        "https://tidbok.example/callback/../evil",
        "https://tidbok.example/%63allback",
        "https://tidbok.example/callback%00",
        "https://tidbok.example/callback ",
        " https://tidbok.example/callback",
        "https://tidbok.example@evil.example/callback",
        "https://evil.example/https://tidbok.example/callback",
        "https://tidbok.example.evil.example/callback",
        "https://tidbok.example/other",
        "https://tidbok.example/other?tenant=2",
        "https://tidbok.example/other?tenant=1&tenant=2",
        "javascript:alert(1)",
        "//tidbok.example/callback",
        "/callback",
        // Registered, but for somebody else.
        "https://journal.example/other?tenant=1",
    ] {
        let refusal = scene.receive(&Asked::genuine().with("redirect_uri", trick)).expect_err(trick);
        assert_eq!(refusal.failure.code, FailureCode::ReturnAddressUnregistered, "{trick}");
        assert!(refusal.return_to.is_none(), "{trick}");
    }
}

#[test]
fn without_a_known_relying_party_or_an_address_the_error_is_a_page() {
    let scene = Scene::genuine();
    for (asked, code) in [
        (Asked::genuine().with("client_id", "Tidbok"), FailureCode::RelyingPartyUnknown),
        (Asked::genuine().without("client_id"), FailureCode::RequestMalformed),
        (Asked::genuine().with("client_id", ""), FailureCode::RequestMalformed),
        (Asked::genuine().and("client_id", "tidbok"), FailureCode::RequestMalformed),
        (Asked::genuine().without("redirect_uri"), FailureCode::RequestMalformed),
        (Asked::genuine().and("redirect_uri", ADDRESS), FailureCode::RequestMalformed),
        (Asked::genuine().and("redirect_uri", "https://evil.example"), FailureCode::RequestMalformed),
    ] {
        let refusal = scene.receive(&asked).expect_err("refused");
        assert_eq!(refusal.failure.code, code);
        assert!(refusal.return_to.is_none());
    }
}

#[test]
fn what_cannot_be_a_client_id_is_not_repeated_to_the_log() {
    let scene = Scene::genuine();
    for typed in ["Anna Alm 191212121212", "anna\u{e5}", &"1".repeat(257)] {
        let refusal = scene.receive(&Asked::genuine().with("client_id", typed)).expect_err(typed);
        assert_eq!(refusal.failure.code, FailureCode::RelyingPartyUnknown, "{typed}");
        assert!(!refusal.failure.cause.contains(typed) && refusal.relying_party.is_none(), "{typed}");
    }
    let refusal = scene.receive(&Asked::genuine().with("client_id", "Tidbok")).expect_err("misspelt");
    assert!(refusal.failure.cause.contains("\"Tidbok\""), "an operator finds the misspelt one");
}

#[test]
fn parameters_in_query_and_form_at_once_are_a_page() {
    let scene = Scene::genuine();
    let both = Inbound { form: Some(b"prompt=none".to_vec()), ..Asked::genuine().by_get() };
    let refusal = scene.op().receive(&both, at(NOW)).expect_err("refused");
    assert!(refusal.return_to.is_none());
}

/// What each broken parameter is answered with (RFC 6749 4.1.2.1, OIDC Core 3.1.2.6).
#[test]
fn an_addressable_error_has_its_code() {
    let scene = Scene::genuine();
    let g = Asked::genuine;
    let long = "x".repeat(2049);
    let cases: Vec<(Asked, &str)> = vec![
        (g().and("state", "two"), "invalid_request"),
        (g().and("nonce", "two"), "invalid_request"),
        (g().and("scope", "openid"), "invalid_request"),
        (g().and("unknown", "1").and("unknown", "1"), "invalid_request"),
        (g().with("state", &long), "invalid_request"),
        (g().with("state", "a\nb"), "invalid_request"),
        (g().with("nonce", &long), "invalid_request"),
        (g().without("response_type"), "invalid_request"),
        (g().with("response_type", "token"), "unsupported_response_type"),
        (g().with("response_type", "code id_token"), "unsupported_response_type"),
        (g().with("response_type", "id_token"), "unsupported_response_type"),
        (g().with("response_mode", "fragment"), "invalid_request"),
        (g().with("response_mode", "query.jwt"), "invalid_request"),
        (g().without("scope"), "invalid_scope"),
        (g().with("scope", "profile"), "invalid_scope"),
        (g().with("scope", "openid phone"), "invalid_scope"),
        (g().with("scope", "openid https://id.oidc.se/scope/sign"), "invalid_scope"),
        (g().without("code_challenge"), "invalid_request"),
        (g().without("code_challenge").without("code_challenge_method"), "invalid_request"),
        (g().without("code_challenge_method"), "invalid_request"),
        (g().with("code_challenge_method", "plain"), "invalid_request"),
        (g().with("code_challenge_method", "s256"), "invalid_request"),
        (g().with("code_challenge", "short"), "invalid_request"),
        (g().with("code_challenge", &CHALLENGE.replace('-', "+")), "invalid_request"),
        (g().with("prompt", "none login"), "invalid_request"),
        (g().with("prompt", "create"), "invalid_request"),
        (g().with("max_age", "-1"), "invalid_request"),
        (g().with("max_age", "99999999999"), "invalid_request"),
        (g().with("max_age", "soon"), "invalid_request"),
        (g().with("claims", "["), "invalid_request"),
        (g().with("claims", "[]"), "invalid_request"),
        (g().with("claims", r#"{"id_token":{"acr":null,"acr":{"essential":true}}}"#), "invalid_request"),
        (g().with("claims", r#"{"id_token":{"acr":{"values":[3]}}}"#), "invalid_request"),
        (g().with("claims", r#"{"id_token":{"sub":{"value":3}}}"#), "invalid_request"),
        (g().with("claims", r#"{"id_token":{"sub":{"values":[]}}}"#), "invalid_request"),
        (
            g().with("claims", r#"{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"value":"b"}}}"#),
            "invalid_request",
        ),
        (g().with("id_token_hint", "x"), "invalid_request"),
        (g().with("https://id.oidc.se/param/userMessage", "Hello"), "invalid_request"),
        (g().with("https://id.oidc.se/param/originalClientId", "två ord"), "invalid_request"),
        (g().with("https://id.oidc.se/param/originalClientId", &long), "invalid_request"),
        (g().with("request", "eyJ"), "request_not_supported"),
        (g().with("request_uri", "https://tidbok.example/r"), "request_uri_not_supported"),
        (g().with("registration", "{}"), "registration_not_supported"),
        (g().with("https://id.oidc.se/param/signRequest", "{}"), "invalid_request"),
        (g().with("ui_locales", &"sv ".repeat(40)), "invalid_request"),
    ];
    for (asked, error) in cases {
        assert_eq!(scene.error(&asked), error, "{}", asked.encoded());
    }
}

#[test]
fn unknown_scopes_and_unknown_or_empty_parameters_are_ignored() {
    let scene = Scene::genuine();
    let asked = Asked::genuine()
        .with("scope", "openid offline_access something")
        .with("display", "popup")
        .with("login_hint", "anna")
        .with("claims_locales", "sv")
        .with("https://id.oidc.se/param/originalClientToken", "x")
        .with("request", "");
    let (request, return_to) = scene.receive(&asked).expect("received");
    assert!(request.attributes.is_empty());
    assert_eq!(Carried::recall(&return_to).expect("carried").scopes, ["openid"]);
}

#[test]
fn an_error_comes_as_the_request_wanted_its_answer_with_its_state() {
    let scene = Scene::genuine();
    let asked = Asked::genuine().with("response_mode", "form_post").with("scope", "profile");
    let refusal = scene.receive(&asked).expect_err("refused");
    let return_to = refusal.return_to.expect("addressable");
    let answer =
        scene.op().answer(&return_to, Outcome::Failed(&refusal.failure), None, at(NOW)).expect("an answer");
    let Outbound::Post { action, fields } = answer else { panic!("a form") };
    assert_eq!(action, ADDRESS);
    assert!(fields.contains(&("state".into(), "a state&=%+".into())));
    assert!(fields.contains(&("iss".into(), ISSUER.into())));
}

#[test]
fn pkce_can_be_waived_for_a_relying_party_that_sends_a_nonce() {
    let scene = Scene::genuine().with(0, |client| client.pkce_required = false);
    let without = || Asked::genuine().without("code_challenge").without("code_challenge_method");
    assert!(scene.receive(&without()).is_ok());
    assert_eq!(scene.error(&without().without("nonce")), "invalid_request");
    assert_eq!(scene.error(&Asked::genuine().with("code_challenge_method", "plain")), "invalid_request");
    assert_eq!(scene.error(&Asked::genuine().without("code_challenge")), "invalid_request");
}

#[test]
fn prompt_and_max_age_say_how_fresh() {
    let scene = Scene::genuine();
    let fresh = |asked: Asked| {
        let (request, return_to) = scene.receive(&asked).expect("received");
        (request.freshness, request.passive, OidcOp::notice_asked(&return_to))
    };
    let g = Asked::genuine;
    let is = |force, max_age| Freshness { force, max_age };
    assert_eq!(fresh(g()), (is(false, None), false, false));
    assert_eq!(fresh(g().with("prompt", "login")), (is(true, None), false, false));
    assert_eq!(fresh(g().with("prompt", "select_account consent")), (is(true, None), false, true));
    assert_eq!(fresh(g().with("prompt", "none")), (is(false, None), true, false));
    assert_eq!(fresh(g().with("max_age", "60")), (is(false, Some(60)), false, false));
    assert_eq!(fresh(g().with("max_age", "0")), (is(true, Some(0)), false, false));
}

#[test]
fn registered_defaults_apply_when_the_request_is_silent() {
    let scene = Scene::genuine().with(0, |client| {
        client.default_max_age = Some(900);
        client.default_acr_values = vec![LOA3.into()];
    });
    let (request, _) = scene.receive(&Asked::genuine()).expect("received");
    assert_eq!(request.freshness.max_age, Some(900));
    assert_eq!(request.assurance.levels[0].as_str(), LOA3);
    assert!(!request.assurance.essential);
    let asked = Asked::genuine().with("max_age", "5").with("acr_values", "other");
    let (request, _) = scene.receive(&asked).expect("received");
    assert_eq!(request.freshness.max_age, Some(5));
    assert_eq!(request.assurance.levels[0].as_str(), "other");
}

#[test]
fn only_the_claims_parameter_makes_a_level_essential() {
    let scene = Scene::genuine();
    let essential = format!(r#"{{"id_token":{{"acr":{{"essential":true,"values":["{LOA3}"]}}}}}}"#);
    for (asked, wanted) in [
        (Asked::genuine().with("acr_values", LOA3), false),
        (Asked::genuine().with("claims", &essential), true),
        (Asked::genuine().with("claims", &essential).with("acr_values", "weaker"), true),
        (Asked::genuine().with("claims", &essential.replace("true", "false")), false),
    ] {
        let (request, _) = scene.receive(&asked).expect("received");
        assert_eq!(request.assurance.essential, wanted);
        assert_eq!(request.assurance.levels.len(), 1);
        assert_eq!(request.assurance.levels[0].as_str(), LOA3);
    }
}

#[test]
fn scopes_and_claims_become_attributes() {
    let scene = Scene::genuine();
    let asked = Asked::genuine()
        .with("scope", &format!("openid {ORG_ID_SCOPE} {NUMBER_SCOPE}"))
        .with("claims", r#"{"userinfo":{"employeeHsaId":{"essential":true},"unheard_of":null}}"#);
    let (request, _) = scene.receive(&asked).expect("received");
    let wanted = RequestedAttribute::new;
    let mut expected = vec![
        wanted(AttributeName::DisplayName, false),
        RequestedAttribute {
            or: Some(AttributeName::CoordinationNumber),
            ..wanted(AttributeName::PersonalIdentityNumber, true)
        },
        wanted(AttributeName::CoordinationNumber, false),
        wanted(AttributeName::OrganisationName, false),
        wanted(AttributeName::OrganisationNumber, false),
        wanted(AttributeName::OrgAffiliation, true),
        wanted(AttributeName::EmployeeHsaId, true),
    ];
    expected.sort_by_key(|attribute| attribute.name);
    assert_eq!(request.attributes, expected);
}

#[test]
fn the_provider_and_the_languages_can_be_named() {
    let scene = Scene::genuine();
    let asked = Asked::genuine()
        .with("https://id.oidc.se/param/authnProvider", PROVIDER)
        .with("ui_locales", "en-GB sv");
    let (request, _) = scene.receive(&asked).expect("received");
    assert_eq!(request.providers[0].as_str(), PROVIDER);
    assert_eq!(request.languages.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(), ["en", "sv"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_query_or_form_panics(octets in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,200}") {
        let scene = Scene::genuine();
        let _ = scene.op().receive(&Inbound { form: Some(octets), ..Inbound::default() }, at(NOW));
        let query = format!("{}&{text}", Asked::genuine().encoded());
        let _ = scene.op().receive(&Inbound { query: Some(query), ..Inbound::default() }, at(NOW));
        for name in ["claims", "prompt", "max_age", "ui_locales", "scope", "state", "acr_values"] {
            let _ = scene.receive(&Asked::genuine().with(name, &text));
        }
    }
}

#[test]
fn a_subject_can_be_asked_for_by_claims() {
    let scene = Scene::genuine();
    let expected = |claims: &str| {
        scene.receive(&Asked::genuine().with("claims", claims)).expect("received").0.expected_subject
    };
    let meets = |claims: &str, sub: &str| expected(claims).expect("somebody").is_met_by(sub);
    assert_eq!(
        expected(r#"{"id_token":{"sub":{"essential":true}}}"#),
        None,
        "sub without a value is always there"
    );
    for claims in [
        r#"{"id_token":{"sub":{"value":"a"}}}"#,
        r#"{"userinfo":{"sub":{"value":"a"}}}"#,
        r#"{"id_token":{"sub":{"values":["a"]}}}"#,
        r#"{"id_token":{"sub":{"values":["a","b"]}},"userinfo":{"sub":{"value":"a"}}}"#,
    ] {
        assert!(meets(claims, "a") && !meets(claims, "b") && !meets(claims, ""), "{claims}");
    }
}

#[test]
fn values_of_claims_travel_in_the_neutral_request_and_never_in_debug() {
    let scene = Scene::genuine();
    let asked = Asked::genuine().with(
        "claims",
        r#"{"id_token":{"https://id.oidc.se/claim/personalIdentityNumber":{"essential":true,"value":"191212121212"}}}"#,
    );
    let (request, return_to) = scene.receive(&asked).expect("received");
    assert_eq!(
        request.attributes,
        [RequestedAttribute {
            values: vec!["191212121212".into()],
            ..RequestedAttribute::new(AttributeName::PersonalIdentityNumber, true)
        }]
    );
    let carried = Carried::recall(&return_to).expect("carried");
    assert!(!format!("{request:?}{return_to:?}{carried:?}{:?}", carried.placement).contains("1912"));
}

#[test]
fn a_hint_names_no_provider_in_the_request_itself_and_select_account_takes_it_away() {
    let scene = Scene::genuine();
    let asked = Asked::genuine().with("login_hint", "anna@granvik.example");
    let (request, _) = scene.receive(&asked).expect("received");
    assert!(request.providers.is_empty());
    assert_eq!(request.login_hint.as_ref().map(|hint| hint.as_str()), Some("anna@granvik.example"));
    let (request, _) = scene.receive(&asked.with("prompt", "select_account")).expect("received");
    assert_eq!(request.login_hint, None);
    let long = Asked::genuine().with("login_hint", &"a".repeat(1025));
    assert_eq!(scene.receive(&long).expect("received").0.login_hint, None);
}

#[test]
fn a_message_is_carried_but_not_into_silence() {
    let scene = Scene::genuine();
    let message = r#"{"message#sv":"SGVq","mime_type":"text/plain"}"#;
    let asked = Asked::genuine().with("https://id.oidc.se/param/userMessage", message);
    let (request, _) = scene.receive(&asked).expect("received");
    assert_eq!(request.message.expect("a message").texts().count(), 1);
    let (request, _) = scene.receive(&asked.with("prompt", "none")).expect("received");
    assert_eq!(request.message, None);
}

#[test]
fn the_relying_party_behind_can_be_named() {
    let scene = Scene::genuine();
    let asked = Asked::genuine().with("https://id.oidc.se/param/originalClientId", "https://behind.example");
    assert_eq!(scene.receive(&asked).expect("received").0.requesters, ["https://behind.example"]);
}

/// OIDC Core 5.5.1: essential without values demands that there be a level, and leaves open which.
#[test]
fn an_essential_level_without_values_demands_some_level() {
    let scene = Scene::genuine();
    let asked = Asked::genuine().with("claims", r#"{"id_token":{"acr":{"essential":true}}}"#);
    let (request, _) = scene.receive(&asked).expect("received");
    assert!(request.assurance.levels.is_empty() && !request.assurance.essential && request.assurance.some);
    let (request, _) = scene.receive(&asked.with("acr_values", LOA3)).expect("received");
    assert_eq!(request.assurance.levels.len(), 1);
    assert!(!request.assurance.essential && request.assurance.some, "the wish beside it stays one");
    for no_demand in [r#"{"id_token":{"acr":null}}"#, r#"{"userinfo":{"acr":{"essential":true}}}"#, "{}"] {
        let asked = Asked::genuine().with("claims", no_demand);
        assert!(!scene.receive(&asked).expect("received").0.assurance.some, "{no_demand}");
    }
}
