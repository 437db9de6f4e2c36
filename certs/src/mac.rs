//! Secrets that are nothing but octets: message authentication (HMAC, RFC 2104) and keys derived by purpose (HKDF, RFC 5869).

use std::fmt;

use aws_lc_rs::{
    hkdf, hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

/// The octets of a [`Secret`].
pub const SECRET_OCTETS: usize = 32;

/// 32 random octets from which keys are derived. Never shown, never copied by accident, wiped when dropped.
#[derive(ZeroizeOnDrop)]
pub struct Secret {
    octets: [u8; SECRET_OCTETS],
}

impl Secret {
    /// Makes a new one from the system's random numbers.
    ///
    /// # Errors
    /// When the system has none.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut secret = Self { octets: [0; SECRET_OCTETS] };
        SystemRandom::new().fill(&mut secret.octets).map_err(|_| NoRandomness)?;
        Ok(secret)
    }

    /// A secret that lay elsewhere.
    pub fn from_octets(mut octets: [u8; SECRET_OCTETS]) -> Self {
        let secret = Self { octets };
        octets.zeroize();
        secret
    }

    /// Reads what [`Secret::to_base64`] wrote; white space around it is ignored. `None` when it is anything else.
    pub fn from_base64(text: &str) -> Option<Self> {
        let decoded = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
        let octets = <[u8; SECRET_OCTETS]>::try_from(decoded.as_slice()).ok()?;
        Some(Self::from_octets(octets))
    }

    /// The secret as base64, to be written where only its owner reads; wiped when dropped.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.octets))
    }

    /// The secret itself, for a derivation that lies elsewhere.
    pub fn expose(&self) -> &[u8; SECRET_OCTETS] {
        &self.octets
    }

    /// A secret for one purpose. Two labels, or two contexts under one label, give independent secrets, and none of them
    /// tells anything about this one (HKDF-SHA-256; `info` is the length-prefixed label and context).
    pub fn derive(&self, label: &str, context: &[&[u8]]) -> Self {
        let mut derived = Self { octets: [0; SECRET_OCTETS] };
        let mut info = Vec::new();
        push_length_prefixed(&mut info, label.as_bytes());
        for part in context {
            push_length_prefixed(&mut info, part);
        }
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"sparvidd")
            .extract(&self.octets)
            .expand(&[&info], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut derived.octets))
            .expect("32 octets are fewer than the 8160 that HKDF-SHA-256 can give");
        derived
    }

    /// A key for authenticating messages of one purpose.
    pub fn mac_key(&self, label: &str) -> MacKey {
        MacKey::new(&self.derive(label, &[]))
    }

    /// What can be shown of the secret, for comparing it between nodes: a derivation of its own, 128 bits, hexadecimal.
    pub fn fingerprint(&self) -> String {
        let derived = self.derive("fingerprint", &[]);
        derived.octets.iter().take(16).map(|octet| format!("{octet:02x}")).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

/// Compares in constant time.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.octets.ct_eq(&other.octets).into()
    }
}

impl Eq for Secret {}

/// A key for HMAC-SHA-256.
pub struct MacKey {
    key: hmac::Key,
}

/// The octets of an HMAC-SHA-256.
pub const MAC_OCTETS: usize = 32;

impl MacKey {
    /// The key that is this secret.
    pub fn new(secret: &Secret) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &secret.octets) }
    }

    /// The authentication code of a message.
    pub fn mac(&self, message: &[u8]) -> [u8; MAC_OCTETS] {
        fixed(hmac::sign(&self.key, message))
    }

    /// The authentication code of several values, each with its length before it: `["ab", "c"]` and `["a", "bc"]` differ.
    pub fn mac_parts(&self, parts: &[&[u8]]) -> [u8; MAC_OCTETS] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&length_octets(part));
            context.update(part);
        }
        fixed(context.sign())
    }

    /// Whether `mac` is the code of `message`, in constant time.
    ///
    /// # Errors
    /// When it is not.
    pub fn verify(&self, message: &[u8], mac: &[u8]) -> Result<(), BadMac> {
        hmac::verify(&self.key, message, mac).map_err(|_| BadMac)
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MacKey(..)")
    }
}

/// The authentication code is not the message's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the authentication code does not hold")]
pub struct BadMac;

/// The system gave no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random numbers")]
pub struct NoRandomness;

/// Writes `part` with its length before it (8 octets, big-endian), so that no two lists of parts look alike.
pub(crate) fn push_length_prefixed(into: &mut Vec<u8>, part: &[u8]) {
    into.extend_from_slice(&length_octets(part));
    into.extend_from_slice(part);
}

fn length_octets(part: &[u8]) -> [u8; 8] {
    u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes()
}

fn fixed(tag: hmac::Tag) -> [u8; MAC_OCTETS] {
    let mut octets = [0; MAC_OCTETS];
    octets.copy_from_slice(tag.as_ref());
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(octet: u8) -> Secret {
        Secret::from_octets([octet; SECRET_OCTETS])
    }

    #[test]
    fn a_mac_holds_for_its_message_and_key_only() {
        let key = secret(1).mac_key("purpose");
        let mac = key.mac(b"message");
        assert_eq!(key.verify(b"message", &mac), Ok(()));
        assert_eq!(key.verify(b"massage", &mac), Err(BadMac));
        assert_eq!(key.verify(b"message", &mac[..31]), Err(BadMac));
        assert_eq!(secret(1).mac_key("other").verify(b"message", &mac), Err(BadMac));
        assert_eq!(secret(2).mac_key("purpose").verify(b"message", &mac), Err(BadMac));
    }

    #[test]
    fn hmac_is_the_one_of_rfc_4231() {
        // Test case 3: a key of 0xaa and data of 0xdd. The key there has 20 octets; HMAC pads it with zeros.
        let mut octets = [0; SECRET_OCTETS];
        octets[..20].fill(0xaa);
        let mac = MacKey::new(&Secret::from_octets(octets)).mac(&[0xdd; 50]);
        assert_eq!(mac[..8], [0x77, 0x3e, 0xa9, 0x1e, 0x36, 0x80, 0x0e, 0x46]);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let key = secret(1).mac_key("purpose");
        assert_ne!(key.mac_parts(&[b"ab", b"c"]), key.mac_parts(&[b"a", b"bc"]));
        assert_ne!(key.mac_parts(&[b"ab"]), key.mac_parts(&[b"ab", b""]));
        assert_eq!(key.mac_parts(&[b"ab", b"c"]), key.mac_parts(&[b"ab", b"c"]));
    }

    #[test]
    fn purposes_and_contexts_are_independent() {
        let root = secret(7);
        assert_eq!(root.derive("a", &[b"x"]), root.derive("a", &[b"x"]));
        assert_ne!(root.derive("a", &[b"x"]), root.derive("b", &[b"x"]));
        assert_ne!(root.derive("a", &[b"x"]), root.derive("a", &[b"y"]));
        assert_ne!(root.derive("ab", &[]), root.derive("a", &[b"b"]));
        assert_ne!(root.derive("a", &[]), root);
    }

    #[test]
    fn a_secret_survives_its_text_and_nothing_else_is_one() {
        let made = Secret::generate().expect("randomness");
        let text = made.to_base64();
        assert_eq!(Secret::from_base64(&format!("{}\n", text.as_str())), Some(made));
        assert_eq!(Secret::from_base64(""), None);
        assert_eq!(Secret::from_base64(&STANDARD.encode([1; 31])), None);
        assert_ne!(Secret::generate().expect("randomness"), Secret::generate().expect("randomness"));
    }

    #[test]
    fn nothing_shows_a_secret() {
        let shown = format!("{:?} {:?}", secret(0x41), secret(0x41).mac_key("purpose"));
        assert_eq!(shown, "Secret(..) MacKey(..)");
        assert!(!secret(0x41).fingerprint().contains("4141"));
    }
}
