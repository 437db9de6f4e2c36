//! A token request (`broker_oidc::op::token_request`), above all its client assertion (`certs::jws`).
//!
//! `f`: the form as it came. `h`: an Authorization header, a line end, and the form. `t`: the assertion as it came. `p`: a payload that
//! the relying party signs first. `j`: a header, a line end, and a payload that it signs first.

use std::{collections::HashSet, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::role::Inbound;
use broker_oidc::op::token_request::TokenRequest;
use certs::{Signer as _, jws};
use serde_json::Value;

use crate::{
    meant,
    scene::{ISSUER, KEYED, NOW, SCENE, SECRETIVE, TOKEN_ENDPOINT, moment},
    seeds,
};

/// The payloads that were signed for the corpus.
static SIGNED: LazyLock<HashSet<Vec<u8>>> =
    LazyLock::new(|| seeds::assertions().iter().filter_map(|token| payload(token)).collect());

/// What must hold of any input.
pub fn body(octets: &[u8]) {
    let Some((letter, rest)) = meant(octets, b"fhtpj") else { return };
    let split = || rest.iter().position(|octet| *octet == b'\n').map(|at| (&rest[..at], &rest[at + 1..]));
    match letter {
        b'f' => {
            ask(Inbound { form: Some(rest.to_vec()), ..Inbound::default() }, false);
        }
        b'h' => {
            if let Some((header, form)) = split()
                && let Ok(header) = std::str::from_utf8(header)
            {
                let authorization = Some(header.to_owned());
                ask(Inbound { form: Some(form.to_vec()), authorization, ..Inbound::default() }, false);
            }
        }
        b't' => {
            if let Ok(token) = std::str::from_utf8(rest) {
                ask(with_assertion(token), false);
            }
        }
        b'p' => {
            let token = jws::sign_compact(&SCENE.client_key, None, rest).expect("anything can be signed");
            ask(with_assertion(&token), true);
        }
        _ => {
            if let Some((header, payload)) = split() {
                let signed =
                    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
                let signature = SCENE.client_key.sign(signed.as_bytes()).expect("anything can be signed");
                let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
                ask(with_assertion(&token), true);
            }
        }
    }
}

/// A token request that is right in everything but, perhaps, its assertion.
pub(crate) fn with_assertion(token: &str) -> Inbound {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", "the-code")
        .append_pair("redirect_uri", &format!("{KEYED}/callback"))
        .append_pair("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .append_pair("client_assertion", token)
        .finish();
    Inbound { form: Some(form.into_bytes()), ..Inbound::default() }
}

fn ask(message: Inbound, is_signed_now: bool) {
    match SCENE.op().token_request(&message, moment()) {
        Ok(request) => let_in(&request, &message, is_signed_now),
        Err(refused) => {
            assert!([400, 401].contains(&refused.status), "a request of theirs is no fault of ours");
            let body: Value = serde_json::from_str(&refused.body).expect("an error is JSON");
            assert!(body["error"].is_string(), "RFC 6749 5.2: an error has a name");
        }
    }
}

/// Whoever is let in proved to be who they say, for us and for now: read with another reader than the broker's.
fn let_in(request: &TokenRequest, message: &Inbound, is_signed_now: bool) {
    let parameter = |name: &str| {
        let form = message.form.as_deref().unwrap_or_default();
        // RFC 6749 3.1: a parameter without a value counts as left out.
        let mut found =
            form_urlencoded::parse(form).filter(|(found, value)| found == name && !value.is_empty());
        found.next().map(|(_, value)| value.into_owned())
    };
    let client = request.client().id().as_str();
    let Some(assertion) = parameter("client_assertion") else {
        assert_eq!(client, SECRETIVE, "only that one has a secret");
        assert!(request.once().is_none(), "a secret is no message that could be played on");
        return;
    };
    assert_eq!(client, KEYED, "only that one has a key");
    let octets = payload(&assertion).expect("what was accepted has a payload");
    assert!(is_signed_now || SIGNED.contains(&octets), "an assertion is accepted that nobody signed");
    let claims: Value = serde_json::from_slice(&octets).expect("what was accepted is JSON");
    assert_eq!(claims["iss"], KEYED);
    assert_eq!(claims["sub"], KEYED);
    let ours = |audience: &Value| audience == ISSUER || audience == TOKEN_ENDPOINT;
    let audience = &claims["aud"];
    let all_ours = audience
        .as_array()
        .map_or_else(|| ours(audience), |several| !several.is_empty() && several.iter().all(ours));
    assert!(all_ours, "an assertion for somebody else is accepted");
    let expires = claims["exp"].as_f64().expect("exp is a number");
    let ahead = expires - NOW.0 as f64;
    assert!((-60.0..=661.0).contains(&ahead), "an assertion is accepted {ahead} s before it expires");
    let once = request.once().expect("an assertion is used once");
    let jti = claims["jti"].as_str().expect("jti is a text");
    assert!(!jti.is_empty() && once.name.ends_with(jti.as_bytes()), "the mark is of this assertion");
    assert!(once.until > NOW, "the mark outlives the assertion");
}

fn payload(token: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_get_to_the_end() {
        let let_in: Vec<bool> = seeds::assertions()
            .iter()
            .map(|token| SCENE.op().token_request(&with_assertion(token), moment()).is_ok())
            .collect();
        assert_eq!(let_in, [true, true, false], "the last names another audience as well");
    }
}
