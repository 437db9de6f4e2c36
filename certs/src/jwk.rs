//! Public keys as JSON (RFC 7517, RFC 7518 section 6), single and in sets.
//!
//! Sets are read as RFC 7517 section 5 says: a key that we cannot use is passed over, and remembered with its reason so that
//! an operator can be told. A *private* key in a set refuses the whole set: its owner must hear of it at once.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::{
    algorithm::{DigestAlgorithm, SignatureAlgorithm},
    public_key::{KeyError, KeyKind, PublicKey},
    signer::Signer,
    unique_json,
};

/// More keys than this in one set are refused.
pub const MOST_KEYS: usize = 100;

/// The members that only private and symmetric keys have (RFC 7518 sections 6.2.2, 6.3.2 and 6.4).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// One public key, with what its owner said about its use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    key: PublicKey,
    key_id: Option<String>,
    /// `alg`: when given, the key is for this one alone, also when the name is not one of ours.
    algorithm: Option<String>,
    for_signatures: bool,
}

impl Jwk {
    /// The public half of a signer, as published: with `kid`, `alg` and `use`.
    pub fn of(signer: &dyn Signer) -> Self {
        Self {
            key: signer.public_key().clone(),
            key_id: Some(signer.key_id().to_owned()),
            algorithm: signer.algorithm().jws_name().map(str::to_owned),
            for_signatures: true,
        }
    }

    /// A key whose owner restricts nothing, named by its RFC 7638 thumbprint.
    pub fn from_public_key(key: PublicKey) -> Self {
        Self { key_id: Some(thumbprint(&key)), key, algorithm: None, for_signatures: true }
    }

    /// Reads one key.
    ///
    /// # Errors
    /// When it is not a public key that we can use; [`JwkError::Private`] when it is more than public.
    pub fn from_json(members: &Map<String, Value>) -> Result<Self, JwkError> {
        if let Some(member) = PRIVATE_MEMBERS.into_iter().find(|member| members.contains_key(*member)) {
            return Err(JwkError::Private { member });
        }
        let key = match required(members, "kty")? {
            "RSA" => {
                let modulus = octets(members, "n")?;
                let exponent = octets(members, "e")?;
                PublicKey::from_rsa_components(
                    without_leading_zeros(&modulus),
                    without_leading_zeros(&exponent),
                )
            }
            "EC" => {
                let kind = match required(members, "crv")? {
                    "P-256" => KeyKind::P256,
                    "P-384" => KeyKind::P384,
                    "P-521" => KeyKind::P521,
                    other => return Err(JwkError::UnknownKind { name: other.to_owned() }),
                };
                let mut point = vec![4];
                for coordinate in ["x", "y"] {
                    let value = octets(members, coordinate)?;
                    // RFC 7518 section 6.2.1.2: exactly as long as the curve's field, or the two could shift.
                    if Some(value.len()) != kind.coordinate_octets() {
                        return Err(JwkError::Member { name: coordinate });
                    }
                    point.extend_from_slice(&value);
                }
                PublicKey::from_ec_point(kind, &point)
            }
            other => return Err(JwkError::UnknownKind { name: other.to_owned() }),
        }?;
        // RFC 7517 sections 4.2 and 4.3: both may be given; then both must allow verifying.
        let by_use = optional(members, "use")?.is_none_or(|purpose| purpose == "sig");
        let by_operations = match members.get("key_ops") {
            None => true,
            Some(Value::Array(operations)) => operations.iter().any(|operation| operation == "verify"),
            Some(_) => return Err(JwkError::Member { name: "key_ops" }),
        };
        Ok(Self {
            key,
            key_id: optional(members, "kid")?.map(str::to_owned),
            algorithm: optional(members, "alg")?.map(str::to_owned),
            for_signatures: by_use && by_operations,
        })
    }

    /// The key as JSON, with `use`, `alg` and `kid`.
    pub fn to_json(&self) -> Value {
        let mut members = required_members(&self.key);
        members.insert("use".to_owned(), json!(if self.for_signatures { "sig" } else { "enc" }));
        if let Some(algorithm) = &self.algorithm {
            members.insert("alg".to_owned(), json!(algorithm));
        }
        if let Some(key_id) = &self.key_id {
            members.insert("kid".to_owned(), json!(key_id));
        }
        Value::Object(members)
    }

    /// The key itself.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Its name in the set (`kid`), where it has one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Whether a signature by `algorithm` may be checked with it: the key can, and `use`, `key_ops` and `alg` let it.
    pub fn permits(&self, algorithm: SignatureAlgorithm) -> bool {
        self.for_signatures
            && self.key.supports(algorithm)
            && self.algorithm.as_deref().is_none_or(|only| algorithm.jws_name() == Some(only))
    }
}

/// A peer's keys, or ours as published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JwkSet {
    keys: Vec<Jwk>,
    passed_over: Vec<PassedOver>,
}

/// A key in a set that we cannot use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// Its place in `keys`, from 0.
    pub index: usize,
    /// Why.
    pub reason: JwkError,
}

impl JwkSet {
    /// A set of these keys.
    pub fn new(keys: Vec<Jwk>) -> Self {
        Self { keys, passed_over: Vec::new() }
    }

    /// Reads a set (RFC 7517 section 5).
    ///
    /// # Errors
    /// When it is none, holds more than [`MOST_KEYS`] keys, a member name twice, or any private or symmetric key. Keys that
    /// we merely cannot use do not refuse the set; they are in [`JwkSet::passed_over`].
    pub fn from_json(text: &[u8]) -> Result<Self, JwkError> {
        let members = unique_json::object(text).ok_or(JwkError::NotAnObject)?;
        Self::from_members(&members)
    }

    /// Like [`JwkSet::from_json`], from JSON that was read already, as in a client registration's `jwks`.
    ///
    /// # Errors
    /// As [`JwkSet::from_json`].
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, JwkError> {
        let Some(Value::Array(entries)) = members.get("keys") else {
            return Err(JwkError::Member { name: "keys" });
        };
        if entries.len() > MOST_KEYS {
            return Err(JwkError::TooMany);
        }
        let mut set = Self::default();
        for (index, entry) in entries.iter().enumerate() {
            let read = entry.as_object().ok_or(JwkError::NotAnObject).and_then(Jwk::from_json);
            match read {
                Ok(key) => set.keys.push(key),
                Err(private @ JwkError::Private { .. }) => return Err(private),
                Err(reason) => set.passed_over.push(PassedOver { index, reason }),
            }
        }
        Ok(set)
    }

    /// The set as JSON.
    pub fn to_json(&self) -> Value {
        json!({ "keys": self.keys.iter().map(Jwk::to_json).collect::<Vec<_>>() })
    }

    /// The keys that we can use.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// The keys that were in the text and that we cannot use, with reasons.
    pub fn passed_over(&self) -> &[PassedOver] {
        &self.passed_over
    }
}

/// The RFC 7638 thumbprint of a key, SHA-256, base64url: what our keys are called (`kid`) unless they are given a name.
pub fn thumbprint(key: &PublicKey) -> String {
    // Section 3.2: required members only, in lexicographic order, no white space. All values are plain base64url or names.
    let members = required_members(key);
    let mut ordered: Vec<_> = members.iter().collect();
    ordered.sort_by_key(|(name, _)| name.as_str());
    let pairs: Vec<String> = ordered.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let text = format!("{{{}}}", pairs.join(","));
    URL_SAFE_NO_PAD.encode(DigestAlgorithm::Sha256.digest(text.as_bytes()))
}

/// Why a key or a set of keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkError {
    /// Not a JSON object, or one in which a name occurs twice.
    #[error("not a JSON object with unique member names")]
    NotAnObject,
    /// A member is missing or has a wrong value.
    #[error("the member \"{name}\" is missing or malformed")]
    Member {
        /// Its name.
        name: &'static str,
    },
    /// A kind of key or curve that we do not use.
    #[error("keys of kind \"{name}\" are not used here (known are RSA and EC with P-256, P-384, P-521)")]
    UnknownKind {
        /// The `kty` or `crv`.
        name: String,
    },
    /// A private or symmetric key where public keys belong.
    #[error(
        "the member \"{member}\" belongs to a private or symmetric key: whoever has seen this file has the key. \
         Publish the public half only, and replace the key"
    )]
    Private {
        /// The member that gives it away.
        member: &'static str,
    },
    /// Too many keys in one set.
    #[error("more than {MOST_KEYS} keys in one set")]
    TooMany,
    /// The key is not acceptable as a key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

fn required<'m>(members: &'m Map<String, Value>, name: &'static str) -> Result<&'m str, JwkError> {
    optional(members, name)?.ok_or(JwkError::Member { name })
}

fn optional<'m>(members: &'m Map<String, Value>, name: &'static str) -> Result<Option<&'m str>, JwkError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(value)) => Ok(Some(value)),
        Some(_) => Err(JwkError::Member { name }),
    }
}

fn octets(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JwkError> {
    URL_SAFE_NO_PAD.decode(required(members, name)?).map_err(|_| JwkError::Member { name })
}

/// RFC 7518 section 6.3.1.1 forbids the zero octet that some libraries write in front of the modulus; it changes nothing, so
/// such keys are read all the same.
fn without_leading_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}

fn required_members(key: &PublicKey) -> Map<String, Value> {
    let mut members = Map::new();
    let mut insert = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    if let Some((modulus, exponent)) = key.rsa_components() {
        insert("kty", json!("RSA"));
        insert("n", json!(URL_SAFE_NO_PAD.encode(modulus)));
        insert("e", json!(URL_SAFE_NO_PAD.encode(exponent)));
    } else if let Some((x, y)) = key.ec_coordinates() {
        insert("kty", json!("EC"));
        insert("crv", json!(key.kind().to_string()));
        insert("x", json!(URL_SAFE_NO_PAD.encode(x)));
        insert("y", json!(URL_SAFE_NO_PAD.encode(y)));
    }
    members
}

#[cfg(test)]
mod tests;
