//! Compact JSON Web Signatures (RFC 7515 section 7.1): signing with a [`Signer`], verifying against a [`JwkSet`].
//!
//! Keys come from the caller's set alone: `jwk`, `jku`, `x5c` and `x5u` in a header are not looked at. The rules follow
//! RFC 8725 (best current practices): algorithms by explicit list, one algorithm per key where the key says so, explicit types.
//! What the payload claims (times, audience, replay) is the business of whoever reads it, in `broker/oidc`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use certs_proof::Verified;
use serde_json::{Map, Value, json};

use crate::{
    algorithm::SignatureAlgorithm,
    jwk::{Jwk, JwkSet},
    public_key::KeyThumbprint,
    signer::{Signer, SigningFailed},
    unique_json,
};

/// Tokens longer than this are refused unread, in octets.
pub const LARGEST_TOKEN: usize = 256 * 1024;

/// How many keys are tried for a token that does not name its key.
const MOST_TRIED: usize = 4;

/// Signs `payload`. The header holds `alg`, `kid` and, where given, `typ`.
///
/// # Errors
/// When the signer does not answer, or its algorithm has no JWS name.
pub fn sign_compact(
    signer: &dyn Signer,
    token_type: Option<&str>,
    payload: &[u8],
) -> Result<String, SigningFailed> {
    let algorithm = signer.algorithm().jws_name().ok_or(SigningFailed)?;
    let header = match token_type {
        Some(token_type) => json!({ "alg": algorithm, "kid": signer.key_id(), "typ": token_type }),
        None => json!({ "alg": algorithm, "kid": signer.key_id() }),
    };
    let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = signer.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// What a token must be to be looked at.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'e> {
    /// The algorithms that may have signed it.
    pub algorithms: &'e [SignatureAlgorithm],
    /// The type that it must say it has.
    pub token_type: ExpectedType<'e>,
}

/// What the header's `typ` must be. Types compare without case, and `application/` in front changes nothing
/// (RFC 7515 section 4.1.9).
#[derive(Debug, Clone, Copy)]
pub enum ExpectedType<'e> {
    /// Exactly this one: what RFC 8725 section 3.11 wants of every new kind of token.
    Is(&'e str),
    /// This one or none: for ID tokens and client assertions, which are older than the advice.
    AbsentOr(&'e str),
    /// Whatever it says: only where the payload itself tells its kind.
    Any,
}

/// A payload that was signed, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwsPayload {
    payload: Vec<u8>,
    algorithm: SignatureAlgorithm,
    key: KeyThumbprint,
    key_id: Option<String>,
    token_type: Option<String>,
}

impl JwsPayload {
    /// The signed octets, decoded.
    pub fn octets(&self) -> &[u8] {
        &self.payload
    }

    /// The payload as a JSON object; `None` when it is none, or a member name in it occurs twice at any depth.
    pub fn object(&self) -> Option<Map<String, Value>> {
        unique_json::object(&self.payload)
    }

    /// The algorithm that signed it.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The key that signed it.
    pub fn key(&self) -> KeyThumbprint {
        self.key
    }

    /// The `kid` of the header, where it had one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The `typ` of the header, as written.
    pub fn token_type(&self) -> Option<&str> {
        self.token_type.as_deref()
    }
}

/// Verifies a compact JWS against a peer's keys.
///
/// # Errors
/// [`JwsRefused::UnknownKey`] when no key of the set fits, so that the caller may look for newer keys once; else the reason,
/// which is for logs and operators, never for the sender.
pub fn verify_compact(
    token: &str,
    keys: &JwkSet,
    expectation: Expectation<'_>,
) -> Result<Verified<JwsPayload>, JwsRefused> {
    let parts = Parts::split(token)?;
    let header = Header::read(parts.header)?;
    header.check_type(expectation.token_type)?;
    let algorithm = SignatureAlgorithm::from_jws_name(&header.algorithm)
        .filter(|algorithm| expectation.algorithms.contains(algorithm))
        .ok_or(JwsRefused::Algorithm)?;
    let signature = decode(parts.signature)?;
    let payload = decode(parts.payload)?;
    let candidates = candidates(keys, header.key_id.as_deref(), algorithm)?;
    let key = candidates
        .into_iter()
        .find(|key| key.public_key().verify(algorithm, parts.signed.as_bytes(), &signature).is_ok())
        .ok_or(JwsRefused::Signature)?;
    Ok(Verified::vouched_for_by_a_verifier(JwsPayload {
        payload,
        algorithm,
        key: key.public_key().thumbprint(),
        key_id: header.key_id,
        token_type: header.token_type,
    }))
}

/// The `kid` that a token names, unverified: for finding keys, nothing else.
pub fn unverified_key_id(token: &str) -> Option<String> {
    Header::read(Parts::split(token).ok()?.header).ok()?.key_id
}

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsRefused {
    /// Not three parts of base64url without padding, or too long.
    #[error("not a compact JWS")]
    Malformed,
    /// The header is not a JSON object with unique names and an `alg`.
    #[error("the JWS header is malformed")]
    Header,
    /// The header names an extension that must be understood, and none is.
    #[error("the JWS header has a critical extension")]
    Critical,
    /// The algorithm is not in the list.
    #[error("the JWS algorithm is not allowed here")]
    Algorithm,
    /// The token is of another type.
    #[error("the JWS is of another type")]
    Type,
    /// No key of the set fits `kid` and algorithm.
    #[error("no key of the set fits the JWS")]
    UnknownKey,
    /// The token does not name its key, and too many keys of the set would fit.
    #[error("the JWS does not name its key, and several fit")]
    AmbiguousKey,
    /// The signature does not hold.
    #[error("the JWS signature does not hold")]
    Signature,
}

struct Parts<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
    /// Header and payload with the dot between them: what was signed.
    signed: &'t str,
}

impl<'t> Parts<'t> {
    fn split(token: &'t str) -> Result<Self, JwsRefused> {
        if token.len() > LARGEST_TOKEN {
            return Err(JwsRefused::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwsRefused::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsRefused::Malformed)?;
        if payload.contains('.') {
            return Err(JwsRefused::Malformed);
        }
        Ok(Self { header, payload, signature, signed })
    }
}

struct Header {
    algorithm: String,
    key_id: Option<String>,
    token_type: Option<String>,
}

impl Header {
    fn read(encoded: &str) -> Result<Self, JwsRefused> {
        let mut members = unique_json::object(&decode(encoded)?).ok_or(JwsRefused::Header)?;
        // RFC 7515 section 4.1.11: what we do not understand refuses, and we understand no extension. RFC 7797's "b64" must
        // be listed there; alone it would change what was signed for some readers, so it refuses as well.
        if members.contains_key("crit") || members.contains_key("b64") {
            return Err(JwsRefused::Critical);
        }
        let mut text = |name: &str| match members.remove(name) {
            None => Ok(None),
            Some(Value::String(value)) => Ok(Some(value)),
            Some(_) => Err(JwsRefused::Header),
        };
        Ok(Self {
            algorithm: text("alg")?.ok_or(JwsRefused::Header)?,
            key_id: text("kid")?,
            token_type: text("typ")?,
        })
    }

    fn check_type(&self, expected: ExpectedType<'_>) -> Result<(), JwsRefused> {
        let held = match (expected, self.token_type.as_deref()) {
            (ExpectedType::Any, _) | (ExpectedType::AbsentOr(_), None) => true,
            (ExpectedType::Is(_), None) => false,
            (ExpectedType::Is(wanted) | ExpectedType::AbsentOr(wanted), Some(found)) => {
                short_type(wanted).eq_ignore_ascii_case(short_type(found))
            }
        };
        if held { Ok(()) } else { Err(JwsRefused::Type) }
    }
}

fn short_type(media_type: &str) -> &str {
    const PREFIX: &str = "application/";
    match media_type.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => media_type,
    }
}

/// The keys to try. A token that names its key gets that one or none: another key under the same roof is another key.
fn candidates<'k>(
    keys: &'k JwkSet,
    key_id: Option<&str>,
    algorithm: SignatureAlgorithm,
) -> Result<Vec<&'k Jwk>, JwsRefused> {
    let fitting: Vec<&Jwk> = keys
        .keys()
        .iter()
        .filter(|key| key_id.is_none() || key.key_id() == key_id)
        .filter(|key| key.permits(algorithm))
        .collect();
    if fitting.is_empty() {
        return Err(JwsRefused::UnknownKey);
    }
    if fitting.len() > MOST_TRIED {
        return Err(JwsRefused::AmbiguousKey);
    }
    Ok(fitting)
}

fn decode(part: &str) -> Result<Vec<u8>, JwsRefused> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsRefused::Malformed)
}

#[cfg(test)]
mod tests;
