//! A client secret at rest: never the secret, and nothing that can be guessed at without the broker's own key.
//!
//! Neighbours: `settings` keeps it in an entry of the registry; `broker-oidc` verifies with it at the token endpoint.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use certs::mac::{MAC_OCTETS, MacKey};
use serde::{Deserialize, Serialize};

/// HMAC-SHA-256, under a key of the broker's, over the length-prefixed client_id and secret. Serialises as base64url.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretHash([u8; MAC_OCTETS]);

impl SecretHash {
    /// What is kept of `secret`, bound to the relying party that it is for.
    #[must_use]
    pub fn of(key: &MacKey, client_id: &str, secret: &str) -> Self {
        Self(key.mac(&message(client_id, secret)))
    }

    /// Whether `presented` is the secret, in constant time.
    #[must_use]
    pub fn verify(&self, key: &MacKey, client_id: &str, presented: &str) -> bool {
        key.verify(&message(client_id, presented), &self.0).is_ok()
    }
}

fn message(client_id: &str, secret: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(64 + client_id.len() + secret.len());
    for part in ["sparvidd client secret 1", client_id, secret] {
        octets.extend_from_slice(&(part.len() as u64).to_be_bytes());
        octets.extend_from_slice(part.as_bytes());
    }
    octets
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

impl From<SecretHash> for String {
    fn from(hash: SecretHash) -> Self {
        URL_SAFE_NO_PAD.encode(hash.0)
    }
}

impl TryFrom<String> for SecretHash {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|octets| octets.try_into().ok())
            .map(Self)
            .ok_or("a hash of a client secret is 32 octets, base64url")
    }
}

#[cfg(test)]
mod tests {
    use certs::mac::{MacKey, Secret};

    use super::SecretHash;

    fn key(octet: u8) -> MacKey {
        Secret::from_octets([octet; 32]).mac_key("client secrets")
    }

    #[test]
    fn a_secret_holds_for_its_relying_party_and_key_only() {
        let hash = SecretHash::of(&key(1), "tidbok", "correct horse");
        assert!(hash.verify(&key(1), "tidbok", "correct horse"));
        assert!(!hash.verify(&key(1), "tidbok", "correct hors"));
        assert!(!hash.verify(&key(1), "tidbo", "kcorrect horse"));
        assert!(!hash.verify(&key(1), "annan", "correct horse"));
        assert!(!hash.verify(&key(2), "tidbok", "correct horse"));
    }

    #[test]
    fn it_survives_being_written_and_shows_nothing() {
        let hash = SecretHash::of(&key(1), "tidbok", "correct horse");
        let text = serde_json::to_string(&hash).expect("serialises");
        assert_eq!(serde_json::from_str::<SecretHash>(&text).expect("reads"), hash);
        assert!(serde_json::from_str::<SecretHash>("\"AAAA\"").is_err());
        assert_eq!(format!("{hash:?}"), "SecretHash(..)");
    }
}
