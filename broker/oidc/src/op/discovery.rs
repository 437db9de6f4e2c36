//! What we say of ourselves: the discovery document (OpenID Connect Discovery 3, RFC 8414, RFC 9207, Swedish profile 5.2, Swedish request
//! parameters) and our public keys.
//!
//! Written directly as JSON, not through the `openidconnect` crate's types: those want every URL parsed again and carry fields that we
//! never send. The tests read the result back through that crate.

use certs::SignatureAlgorithm;
use serde_json::{Map, Value, json};

use crate::{
    claims::Claim,
    op::{OidcOp, client_assertion, user_message},
    scope::Scope,
};

impl OidcOp<'_> {
    /// The discovery document, JSON. A member is in it because the code behind it exists: Request Objects, for one, are said to be
    /// missing, although the Swedish profile (2.1.7) wants them.
    #[must_use]
    pub fn discovery_document(&self) -> String {
        let settings = self.settings;
        let signing = self.signing_algorithms();
        let mut claims: Vec<&str> = vec!["sub", "iss", "aud", "exp", "iat", "nonce", "at_hash"];
        claims.extend(Claim::ALL.iter().map(|claim| claim.name(&settings.claim_names)));
        let mut document = Map::new();
        let mut say = |name: &str, value: Value| document.insert(name.to_owned(), value);
        say("issuer", json!(settings.issuer));
        say("authorization_endpoint", json!(settings.authorization_endpoint));
        say("token_endpoint", json!(settings.token_endpoint));
        say("userinfo_endpoint", json!(settings.userinfo_endpoint));
        say("jwks_uri", json!(settings.jwks_uri));
        say("response_types_supported", json!(["code"]));
        say("response_modes_supported", json!(["query", "form_post"]));
        say("grant_types_supported", json!(["authorization_code"]));
        say("scopes_supported", json!(Scope::ALL.iter().map(|scope| scope.name()).collect::<Vec<_>>()));
        // Pairwise alone: two organisations cannot find out that they know the same person (design decision 10).
        say("subject_types_supported", json!(["pairwise"]));
        say("id_token_signing_alg_values_supported", json!(signing));
        say("userinfo_signing_alg_values_supported", json!(signing));
        say(
            "token_endpoint_auth_methods_supported",
            json!(["private_key_jwt", "client_secret_basic", "client_secret_post"]),
        );
        let assertion: Vec<_> =
            client_assertion::ALGORITHMS.iter().filter_map(|algorithm| algorithm.jws_name()).collect();
        say("token_endpoint_auth_signing_alg_values_supported", json!(assertion));
        say("acr_values_supported", json!(settings.acr_values));
        say("claim_types_supported", json!(["normal"]));
        say("claims_supported", json!(claims));
        say("claims_parameter_supported", json!(true));
        say("request_parameter_supported", json!(false));
        say("request_uri_parameter_supported", json!(false));
        say("require_request_uri_registration", json!(false));
        say("code_challenge_methods_supported", json!(["S256"]));
        say("authorization_response_iss_parameter_supported", json!(true));
        say("prompt_values_supported", json!(["none", "login", "consent", "select_account"]));
        say("ui_locales_supported", json!(settings.ui_locales));
        say("https://id.oidc.se/disco/authnProviderSupported", json!(true));
        say("https://id.oidc.se/disco/userMessageSupported", json!(true));
        say("https://id.oidc.se/disco/userMessageSupportedMimeTypes", json!([user_message::MIME_TYPE]));
        say("https://id.oidc.se/disco/originalClientIdSupported", json!(true));
        say("https://id.oidc.se/disco/originalClientTokenSupported", json!(false));
        if let Some(documentation) = &settings.service_documentation {
            say("service_documentation", json!(documentation));
        }
        Value::Object(document).to_string()
    }

    /// Our public keys, JSON: those that sign, those that will, and those whose signatures are still about (OIDC Core 10.1.1).
    #[must_use]
    pub fn jwks_document(&self) -> String {
        self.keyring.published().to_json().to_string()
    }

    /// What we can sign with now.
    fn signing_algorithms(&self) -> Vec<&'static str> {
        SignatureAlgorithm::ALL
            .into_iter()
            .filter(|algorithm| self.keyring.active(*algorithm).is_some())
            .filter_map(SignatureAlgorithm::jws_name)
            .collect()
    }
}

#[cfg(test)]
mod tests;
