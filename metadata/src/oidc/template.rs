//! A registration file for who has none: what our tools write for a new relying party.

use serde_json::{Value, json};

/// What must be known to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning<'a> {
    /// What it shall be called here.
    pub client_id: &'a str,
    /// What people call it, in Swedish.
    pub name: &'a str,
    /// Where answers go.
    pub redirect_uri: &'a str,
    /// Its public keys (RFC 7517), for `private_key_jwt`; `None`: a secret is made when the file is added.
    pub jwks: Option<Value>,
}

/// A file that [`crate::addition::prepare`] takes. ES256 is written out: a silent file means RS256 (OIDC Registration 2), which costs
/// more and is no safer.
#[must_use]
pub fn template(beginning: &Beginning<'_>) -> Value {
    let mut file = json!({
        "client_id": beginning.client_id,
        "client_name": beginning.name,
        "client_name#sv": beginning.name,
        "redirect_uris": [beginning.redirect_uri],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "scope": "openid https://id.oidc.se/scope/naturalPersonOrgId",
        "id_token_signed_response_alg": "ES256",
        "subject_type": "pairwise",
        "token_endpoint_auth_method": "client_secret_basic",
    });
    if let (Some(jwks), Value::Object(members)) = (&beginning.jwks, &mut file) {
        members.insert("token_endpoint_auth_method".to_owned(), json!("private_key_jwt"));
        members.insert("jwks".to_owned(), jwks.clone());
    }
    file
}
