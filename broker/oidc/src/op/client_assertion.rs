//! `private_key_jwt`: a relying party proves who it is with a signed assertion (RFC 7521 4.2, RFC 7523 3, OpenID Connect Core 9).
//!
//! Stricter than RFC 7523: `jti` is demanded, an assertion lives ten minutes at most, and every audience must be us. The audience is our
//! issuer, as one string (what the successor of RFC 7523 says, since an assertion made for another server's token endpoint could be
//! played on); relying parties of the Swedish profile may name our token endpoint instead (profile 3.1.1).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::{identifier::RelyingPartyId, moment::Timestamp, result::OneTimeUse};
use certs::{
    JwkSet, SignatureAlgorithm,
    jws::{self, Expectation, ExpectedType},
};
use metadata::peer::OidcClient;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::op::{OpSettings, SKEW_SECONDS};

/// The only assertion type (RFC 7523 2.2).
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far ahead an assertion may expire, in seconds.
const LONGEST_LIFETIME: i64 = 600;
const LONGEST_JTI: usize = 256;

/// What an assertion may be signed with, when the registration does not name one (Swedish profile 7).
pub(crate) const ALGORITHMS: [SignatureAlgorithm; 9] = [
    SignatureAlgorithm::RsaSha256,
    SignatureAlgorithm::EcdsaSha256,
    SignatureAlgorithm::RsaPssSha256,
    SignatureAlgorithm::RsaSha384,
    SignatureAlgorithm::RsaSha512,
    SignatureAlgorithm::RsaPssSha384,
    SignatureAlgorithm::RsaPssSha512,
    SignatureAlgorithm::EcdsaSha384,
    SignatureAlgorithm::EcdsaSha512,
];

/// Who the assertion says it is from, unproven: for finding the keys that it must be signed with, nothing else.
pub(crate) fn claimed_subject(assertion: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claimed {
        sub: String,
    }
    if assertion.len() > jws::LARGEST_TOKEN {
        return None;
    }
    let payload = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Claimed>(&payload).ok().map(|claimed| claimed.sub)
}

/// Checks an assertion. The error is for the log alone: the relying party hears `invalid_client`.
pub(crate) fn check(
    assertion: &str,
    client: &OidcClient,
    keys: &JwkSet,
    only: Option<SignatureAlgorithm>,
    settings: &OpSettings,
    now: Timestamp,
) -> Result<OneTimeUse, String> {
    let single = only.map(|algorithm| [algorithm]);
    let algorithms = single.as_ref().map_or(ALGORITHMS.as_slice(), |one| one.as_slice());
    let verified =
        jws::verify_compact(assertion, keys, Expectation { algorithms, token_type: ExpectedType::Any })
            .map_err(|refused| refused.to_string())?
            .into_value();
    // RFC 8725 3.11: a JWT made for another purpose is no assertion. Older relying parties write no type, or the plain one.
    let of_purpose = verified.token_type().is_none_or(|written| {
        ["jwt", "application/jwt", "client-authentication+jwt", "application/client-authentication+jwt"]
            .iter()
            .any(|fitting| written.eq_ignore_ascii_case(fitting))
    });
    if !of_purpose {
        return Err("the assertion is a JWT of another type".into());
    }
    let claims = verified.object().ok_or("the assertion is not one JSON object with unique names")?;
    for name in ["iss", "sub"] {
        if text(&claims, name)? != client.client_id.as_str() {
            return Err(format!("{name} of the assertion is not the client_id"));
        }
    }
    audience(&claims, client, settings)?;
    let expires = seconds(&claims, "exp")?.ok_or("the assertion has no exp")?;
    if expires.plus(SKEW_SECONDS) <= now {
        return Err("the assertion has expired".into());
    }
    if expires.since(now) > LONGEST_LIFETIME + SKEW_SECONDS {
        return Err(format!("the assertion expires more than {LONGEST_LIFETIME} s ahead"));
    }
    for name in ["iat", "nbf"] {
        if seconds(&claims, name)?.is_some_and(|time| time.since(now) > SKEW_SECONDS) {
            return Err(format!("{name} of the assertion is in the future"));
        }
    }
    let jti = text(&claims, "jti")?;
    if jti.is_empty() || jti.len() > LONGEST_JTI {
        return Err(format!("jti of the assertion is empty or longer than {LONGEST_JTI} octets"));
    }
    Ok(OneTimeUse { name: mark(&client.client_id, jti), until: expires.plus(SKEW_SECONDS) })
}

fn audience(claims: &Map<String, Value>, client: &OidcClient, settings: &OpSettings) -> Result<(), String> {
    let ours = |audience: &Value| {
        audience.as_str().is_some_and(|audience| {
            audience == settings.issuer
                || client.accepts_token_endpoint_audience && audience == settings.token_endpoint
        })
    };
    let held = match claims.get("aud") {
        Some(Value::Array(several)) => !several.is_empty() && several.iter().all(ours),
        Some(one) => ours(one),
        None => false,
    };
    if held { Ok(()) } else { Err("aud of the assertion is not the issuer alone".into()) }
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Result<&'c str, String> {
    claims.get(name).and_then(Value::as_str).ok_or_else(|| format!("the assertion has no {name}"))
}

/// RFC 7519 2: a NumericDate is a number of seconds, with or without a fraction.
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, String> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_i64()
            .or_else(|| value.as_f64().filter(|date| date.abs() < 1e15).map(|date| date.floor() as i64))
            .map(|date| Some(Timestamp(date)))
            .ok_or_else(|| format!("{name} of the assertion is not a time")),
    }
}

fn mark(client_id: &RelyingPartyId, jti: &str) -> Vec<u8> {
    let mut name = Vec::new();
    for part in ["oidc client assertion", client_id.as_str(), jti] {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part.as_bytes());
    }
    name
}
