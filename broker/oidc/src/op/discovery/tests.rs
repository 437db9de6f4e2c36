//! The document, to its rules, and read by another implementation.

use openidconnect::core::{CoreClientAuthMethod, CoreJsonWebKeySet, CoreProviderMetadata};
use serde_json::{Map, Value, json};

use crate::op::scene::{ISSUER, Scene};

fn document() -> Map<String, Value> {
    serde_json::from_str(&Scene::genuine().op().discovery_document()).expect("JSON")
}

#[test]
fn everything_that_the_swedish_profile_5_2_and_discovery_3_require_is_there() {
    let document = document();
    for required in [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "scopes_supported",
        "response_types_supported",
        "acr_values_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "claims_supported",
        "claims_parameter_supported",
        "request_parameter_supported",
        "code_challenge_methods_supported",
    ] {
        assert!(document.contains_key(required), "{required}");
    }
    assert_eq!(document["issuer"], json!(ISSUER));
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256", "ES256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], json!(true));
}

#[test]
fn nothing_is_promised_that_is_not_done() {
    let document = document();
    for (name, value) in &document {
        let text = value.to_string();
        for never in ["none", "HS256", "plain", "implicit", "fragment", "refresh_token", "offline_access"] {
            let prompt = name == "prompt_values_supported" && never == "none";
            assert!(prompt || !text.contains(&format!("\"{never}\"")), "{name}: {never}");
        }
    }
    assert_eq!(document["request_parameter_supported"], json!(false));
    assert_eq!(document["request_uri_parameter_supported"], json!(false));
    assert_eq!(document["https://id.oidc.se/disco/userMessageSupportedMimeTypes"], json!(["text/plain"]));
    assert_eq!(document["https://id.oidc.se/disco/originalClientTokenSupported"], json!(false));
    assert_eq!(document["ui_locales_supported"], json!(["sv", "en"]));
}

#[test]
fn another_implementation_reads_the_document_and_the_keys() {
    let scene = Scene::genuine();
    let read: CoreProviderMetadata =
        serde_json::from_str(&scene.op().discovery_document()).expect("provider metadata");
    assert_eq!(read.issuer().as_str(), ISSUER);
    assert!(
        read.token_endpoint_auth_methods_supported()
            .is_some_and(|methods| methods.contains(&CoreClientAuthMethod::PrivateKeyJwt))
    );
    let keys: CoreJsonWebKeySet = serde_json::from_str(&scene.op().jwks_document()).expect("keys");
    assert_eq!(keys.keys().len(), 2);
}

#[test]
fn the_keys_are_public_and_named() {
    let keys: Value = serde_json::from_str(&Scene::genuine().op().jwks_document()).expect("JSON");
    for key in keys["keys"].as_array().expect("keys") {
        assert!(key["kid"].is_string() && key["use"] == json!("sig") && key["alg"].is_string());
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
    }
}
