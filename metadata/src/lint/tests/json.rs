//! The Swedish OpenID Connect profile.

use super::{Profile, breaks, judged, with};
use crate::lint::Tongue;

pub(super) const REGISTRATION: &str = r#"{
  "client_id": "https://journal.granvik.example",
  "client_name": "Journalen",
  "client_name#sv": "Journalen",
  "client_name#en": "The Journal",
  "organization_name": "Granviks kommun",
  "organization_identifier": "2120001355",
  "contacts": ["drift@granvik.example"],
  "client_uri": "https://journal.granvik.example/",
  "redirect_uris": ["https://journal.granvik.example/callback"],
  "response_types": ["code"],
  "grant_types": ["authorization_code"],
  "token_endpoint_auth_method": "private_key_jwt",
  "jwks": { "keys": [{ "kty": "EC", "crv": "P-256", "kid": "1",
    "x": "WKn-ZIGevcwGIyyrzFoZNBdaq9_TsqzGl96oc0CWuis", "y": "y77t-RvAHRKTsSGdIYUfweuOvwrvDD-Q3Hv5J0fSKbE" }] },
  "scope": "openid https://id.oidc.se/scope/naturalPersonOrgId"
}"#;

pub(super) const DISCOVERY: &str = r#"{
  "issuer": "https://op.granvik.example",
  "authorization_endpoint": "https://op.granvik.example/authorize",
  "token_endpoint": "https://op.granvik.example/token",
  "userinfo_endpoint": "https://op.granvik.example/userinfo",
  "jwks_uri": "https://op.granvik.example/jwks",
  "service_documentation": "https://op.granvik.example/docs",
  "scopes_supported": ["openid"],
  "response_types_supported": ["code"],
  "acr_values_supported": ["http://id.elegnamnden.se/loa/1.0/loa3"],
  "subject_types_supported": ["public", "pairwise"],
  "id_token_signing_alg_values_supported": ["RS256"],
  "token_endpoint_auth_methods_supported": ["private_key_jwt"],
  "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
  "claims_supported": ["sub"],
  "claims_parameter_supported": true,
  "request_parameter_supported": true,
  "code_challenge_methods_supported": ["S256"],
  "ui_locales_supported": ["sv", "en"]
}"#;

#[test]
fn a_registration_and_a_discovery_document_that_keep_every_rule() {
    for file in [REGISTRATION, DISCOVERY] {
        let report = judged(file, &Profile::ALL);
        assert!(report.findings.is_empty(), "{}", report.render("file", Tongue::English));
    }
}

#[test]
fn a_relying_party() {
    for (from, to, rule) in [
        ("  \"response_types\": [\"code\"],\n", "", "oidc.swedish.member_missing"),
        ("\"jwks\": {", "\"other\": {", "oidc.swedish.member_missing"),
        ("private_key_jwt", "client_secret_basic", "oidc.swedish.private_key_jwt"),
        ("client_name#en", "client_name#fi", "oidc.swedish.client_name_language"),
        ("drift@granvik.example", "drift", "oidc.swedish.contact"),
        ("\"client_uri\": \"https", "\"logo_uri\": \"http", "oidc.swedish.link_not_https"),
        ("\"2120001355\"", "\"212000-1355\"", "oidc.swedish.organization_identifier"),
        ("organization_name", "organization_other", "oidc.swedish.organization_name"),
    ] {
        breaks(&with(REGISTRATION, from, to), rule);
    }
}

#[test]
fn an_openid_provider() {
    for (from, to, rule) in [
        ("\"token_endpoint\"", "\"other\"", "oidc.discovery.member_missing"),
        ("\"userinfo_endpoint\"", "\"other\"", "oidc.discovery.swedish_member_missing"),
        ("\"RS256\", \"ES256\"", "\"RS256\"", "oidc.discovery.value_missing"),
        (
            "\"claims_parameter_supported\": true",
            "\"claims_parameter_supported\": false",
            "oidc.discovery.value_missing",
        ),
        (", \"pairwise\"", "", "oidc.discovery.value_recommended"),
        (
            "  \"service_documentation\": \"https://op.granvik.example/docs\",\n",
            "",
            "oidc.discovery.value_recommended",
        ),
        ("\"S256\"", "\"S256\", \"plain\"", "oidc.discovery.value_forbidden"),
        (
            "\"https://op.granvik.example/token\"",
            "\"http://op.granvik.example/token\"",
            "oidc.discovery.address",
        ),
        ("\"https://op.granvik.example\"", "\"https://op.granvik.example?a\"", "oidc.discovery.issuer"),
    ] {
        breaks(&with(DISCOVERY, from, to), rule);
    }
    assert!(judged("{\"issuer\": 1}", &[]).has("oidc.member.type"));
    assert!(judged("{\"issuer\": \"a\", \"issuer\": \"b\"}", &[]).has("oidc.file.json"));
}
