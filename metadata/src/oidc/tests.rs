//! A whole, correct relying party, and for each rule a change that breaks it alone.

use std::sync::Arc;

use broker_core::attribute::AttributeName;
use certs::{
    Jwk, JwkSet, PrivateKey, SignatureAlgorithm, Signer as _,
    mac::{MacKey, Secret},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{RegistrationFile, is_client_id, oidc_client};
use crate::{
    lint::{self, Place, Report, Tongue},
    peer::{ClientAuthentication, OidcClient},
    saml::tests::organisation,
    secret_hash::SecretHash,
    settings::{OidcProfile, RelyingPartySettings},
};

pub(crate) fn good() -> Value {
    let key = PrivateKey::generate_p256().expect("generated");
    json!({
        "client_id": "https://tidbok.granvik.example",
        "client_name#sv": "Tidboken",
        "client_name#en": "The time book",
        "redirect_uris": ["https://tidbok.granvik.example/callback"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": JwkSet::new(vec![Jwk::from_public_key(key.public_key().clone())]).to_json(),
        "scope": "openid https://id.oidc.se/scope/naturalPersonOrgId",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "contacts": ["drift@granvik.example"],
        "organization_identifier": "2120001355",
        "policy_uri": "https://granvik.example/personuppgifter",
        "client_uri": "https://tidbok.granvik.example/",
        "software_id": "not known to us, and passed over",
    })
}

fn judged(value: &Value) -> (Option<RegistrationFile>, Report) {
    let mut report = Report::new();
    let file = RegistrationFile::read(value.to_string().as_bytes(), &mut report);
    if let Some(file) = &file {
        report.findings.extend(lint::oidc::check(&file.registration, &organisation()).findings);
    }
    (file, report)
}

fn with(member: &str, value: Value) -> Value {
    let mut changed = good();
    changed[member] = value;
    changed
}

fn without(member: &str) -> Value {
    let mut changed = good();
    changed.as_object_mut().expect("an object").remove(member);
    changed
}

fn mac_key() -> MacKey {
    Secret::from_octets([7; 32]).mac_key("client secrets")
}

fn built(value: &Value, settings: &RelyingPartySettings) -> Option<OidcClient> {
    let (file, report) = judged(value);
    assert!(!report.has_errors(), "{}", report.render("rp.json", Tongue::English));
    oidc_client("tidbok", &file.expect("read").registration, settings, &Arc::new(organisation()))
}

fn settings() -> RelyingPartySettings {
    RelyingPartySettings::of(organisation().number)
}

#[test]
fn a_correct_relying_party_breaks_no_rule_and_is_read_whole() {
    let (_, report) = judged(&good());
    assert!(report.findings.is_empty(), "{}", report.render("rp.json", Tongue::English));
    let client = built(&good(), &settings()).expect("built");
    assert_eq!(client.policy.display_name.best(&[]), Some("Tidboken"));
    assert_eq!(client.policy.sector, "2120001355/tidbok.granvik.example");
    assert_eq!(client.policy.start_url.as_deref(), Some("https://tidbok.granvik.example/"));
    assert!(client.policy.entitled.contains(&AttributeName::OrgAffiliation));
    assert!(!client.policy.entitled.contains(&AttributeName::PersonalIdentityNumber));
    assert!(client.pkce_required && !client.accepts_token_endpoint_audience);
    assert_eq!(client.id_token_algorithm, SignatureAlgorithm::RsaSha256);
    assert_eq!(client.userinfo_algorithm, None);
    assert!(matches!(
        client.authentication,
        ClientAuthentication::PrivateKeyJwt { algorithm: Some(SignatureAlgorithm::EcdsaSha256), .. }
    ));
}

#[test]
fn each_rule_is_broken_by_its_own_change() {
    let redirect = |uri: &str| with("redirect_uris", json!([uri]));
    let private = json!({"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}]});
    for (changed, rule) in [
        (with("default_max_age", json!("3600")), "oidc.member.type"),
        (with("redirect_uris", json!("https://tidbok.granvik.example/")), "oidc.member.type"),
        (with("contacts", json!([1])), "oidc.member.type"),
        (with("request_object_signing_alg", json!("RS256")), "oidc.member.not_offered"),
        (with("dpop_bound_access_tokens", json!(true)), "oidc.member.not_offered"),
        (with("client_id", json!("a b")), "oidc.client_id.malformed"),
        (with("token_endpoint_auth_method", json!("none")), "oidc.authentication.method"),
        (with("id_token_signed_response_alg", json!("none")), "oidc.algorithm.not_offered"),
        (with("userinfo_signed_response_alg", json!("HS256")), "oidc.algorithm.not_offered"),
        (with("token_endpoint_auth_signing_alg", json!("HS256")), "oidc.algorithm.not_offered"),
        (with("token_endpoint_auth_signing_alg", json!("RS256")), "oidc.key.algorithm_mismatch"),
        (with("grant_types", json!(["implicit"])), "oidc.flow.code_missing"),
        (with("response_types", json!(["code", "token"])), "oidc.flow.not_offered"),
        (with("subject_type", json!("public")), "oidc.subject.pairwise_only"),
        (with("scope", json!("openid nonsense")), "oidc.scope.unknown"),
        (with("scope", json!("email")), "oidc.scope.openid_missing"),
        (with("scope", json!("openid email")), "oidc.scope.beyond_entitlement"),
        (without("contacts"), "oidc.contact.missing"),
        (without("jwks"), "oidc.key.missing"),
        (with("jwks", json!({"keys": []})), "oidc.key.missing"),
        (with("jwks", private), "oidc.key.private"),
        (with("jwks", json!({"keys": 1})), "oidc.key.unreadable"),
        (with("jwks", json!({"keys": [{"kty": "OKP"}]})), "oidc.key.passed_over"),
        (with("jwks_uri", json!("https://tidbok.granvik.example/jwks")), "oidc.key.by_reference"),
        (without("redirect_uris"), "oidc.redirect_uri.missing"),
        (redirect("/callback"), "oidc.redirect_uri.malformed"),
        (redirect("myapp://callback"), "oidc.redirect_uri.malformed"),
        (redirect("https://tidbok.granvik.example/#x"), "oidc.redirect_uri.fragment"),
        (redirect("https://*.granvik.example/"), "oidc.redirect_uri.wildcard"),
        (redirect("http://tidbok.granvik.example/"), "oidc.redirect_uri.plain_http"),
        (redirect("https://granvik.example.evil.example/"), "oidc.redirect_uri.outside_domains"),
        (redirect("http://localhost:3000/"), "oidc.redirect_uri.own_machine"),
        (
            with("redirect_uris", json!(["https://a.granvik.example/", "https://b.granvik.example/"])),
            "oidc.sector.ambiguous",
        ),
        (with("sector_identifier_uri", json!("https://evil.example/")), "oidc.sector.outside_domains"),
        (with("policy_uri", json!("javascript:alert(1)")), "oidc.link.malformed"),
        (with("policy_uri", json!("https://evil.example/")), "oidc.link.outside_domains"),
        (with("organization_identifier", json!("2021006883")), "oidc.organisation.differs"),
    ] {
        let (_, report) = judged(&changed);
        assert!(report.has(rule), "{rule}: {}", report.render("rp.json", Tongue::English));
    }
    let mut nameless = without("client_name#sv");
    nameless.as_object_mut().expect("an object").remove("client_name#en");
    assert!(judged(&nameless).1.has("oidc.name.missing"));
}

#[test]
fn a_name_twice_or_no_object_is_refused_with_its_line() {
    for (text, line) in
        [("{\n\"a\": 1,\n\"a\": 2}", 3), ("[]", 0), ("{", 1), ("{\"jwks\": {\"keys\": [], \"keys\": []}}", 1)]
    {
        let mut report = Report::new();
        assert!(RegistrationFile::read(text.as_bytes(), &mut report).is_none(), "{text}");
        assert!(report.has("oidc.file.json"));
        if line > 0 {
            assert!(matches!(report.findings[0].place, Place::At { line: at, .. } if at == line), "{text}");
        }
    }
}

#[test]
fn findings_have_the_json_pointer_of_what_they_are_about() {
    let changed = with("redirect_uris", json!(["https://tidbok.granvik.example/", "ftp://x"]));
    let (_, report) = judged(&changed);
    let finding = report.findings.iter().find(|finding| finding.rule.id == "oidc.redirect_uri.malformed");
    assert_eq!(finding.map(|finding| &finding.place), Some(&Place::Pointer("/redirect_uris/1".into())));
}

#[test]
fn a_silent_file_means_client_secret_basic_rs256_and_the_names_default() {
    let minimal = json!({"client_name": "Tidboken", "redirect_uris": ["https://tidbok.granvik.example/cb"]});
    assert!(built(&minimal, &settings()).is_none(), "no secret, no relying party");
    let hash = SecretHash::of(&mac_key(), "tidbok", "hemlig");
    let client = built(&minimal, &RelyingPartySettings { secret: Some(hash), ..settings() }).expect("built");
    match &client.authentication {
        ClientAuthentication::ClientSecretBasic(hash) => assert!(hash.verify(&mac_key(), "tidbok", "hemlig")),
        other => panic!("{other:?}"),
    }
    assert_eq!(client.id_token_algorithm, SignatureAlgorithm::RsaSha256);
    assert_eq!(client.policy.display_name.best(&[]), Some("Tidboken"));
    assert!(client.scopes.contains("openid") && client.scopes.contains("email"));
    assert!(!client.policy.entitled.contains(&AttributeName::Mail), "the organisation is not entitled to it");
}

#[test]
fn the_swedish_profile_signs_userinfo_and_takes_the_token_endpoint_as_audience() {
    let swedish = RelyingPartySettings { profile: OidcProfile::Swedish, ..settings() };
    let client = built(&good(), &swedish).expect("built");
    assert_eq!(client.userinfo_algorithm, Some(SignatureAlgorithm::RsaSha256));
    assert!(client.accepts_token_endpoint_audience);
}

#[test]
fn the_operators_list_of_attributes_is_cut_by_entitlement_too() {
    let listed = [AttributeName::DisplayName, AttributeName::PersonalIdentityNumber].into();
    let client =
        built(&good(), &RelyingPartySettings { attributes: Some(listed), ..settings() }).expect("built");
    assert_eq!(client.policy.entitled, [AttributeName::DisplayName].into());
}

#[test]
fn a_developers_own_machine_does_not_change_the_sector() {
    let uris = json!(["https://tidbok.granvik.example/callback", "http://localhost:3000/cb"]);
    let client = built(&with("redirect_uris", uris), &settings()).expect("built");
    assert_eq!(client.policy.sector, "2120001355/tidbok.granvik.example");
}

#[test]
fn what_is_kept_of_a_file_has_no_secret_in_it() {
    let mut changed = with("client_secret", json!("0123456789abcdefghijklmnopqrstuv"));
    changed["registration_access_token"] = json!("tokentokentoken");
    let (file, _) = judged(&changed);
    let file = file.expect("read");
    let kept = String::from_utf8(file.document()).expect("text");
    assert!(!kept.contains("0123456789") && !kept.contains("tokentoken") && kept.contains("software_id"));
    assert!(!format!("{file:?}").contains("0123456789"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "(?s).{0,200}") {
        let _ = RegistrationFile::read(text.as_bytes(), &mut Report::new());
    }

    #[test]
    fn no_kind_of_value_panics(member in 0_usize..15, kind in 0_usize..6) {
        let mut changed = good();
        let names: Vec<String> = changed.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default();
        let values = [json!(null), json!(1.5), json!("x"), json!([{"a": []}]), json!({"keys": [1]}), json!(true)];
        changed[&names[member]] = values[kind].clone();
        let _ = judged(&changed);
    }
}

#[test]
fn no_client_id_looks_like_a_subject_identifier() {
    let sub = "mzxw6ytboimzxw6ytboimzxw6ytboimzxw6ytboimzxw6ytboi2a";
    assert_eq!(sub.len(), 52);
    assert!(!is_client_id(sub) && !is_client_id(&sub.to_ascii_uppercase()));
    for genuine in [&sub[1..], "journal", "https://rp.example/with-as-many-characters-as-that-01"] {
        assert!(is_client_id(genuine), "{genuine}");
    }
}
