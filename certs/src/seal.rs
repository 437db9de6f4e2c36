//! Documents that nobody else may read or write, though they lie where others can: AES-256-GCM (NIST SP 800-38D) under a key that is derived
//! for one purpose.
//!
//! The octets: form (1) | nonce (12, random) | sealed octets and tag. The form and the purpose are associated data. What a document is named by,
//! and that it is the newest, is for whoever names it to say: a head under a MAC.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use crate::mac::{Secret, push_length_prefixed};

/// The form of the octets that this build writes and reads.
const FORM: u8 = 1;

/// Seals documents of one purpose.
pub struct SealKey {
    key: RandomizedNonceKey,
    associated: Vec<u8>,
}

impl SealKey {
    /// The key for one purpose: two labels give independent keys, and what is sealed for one opens for no other.
    ///
    /// # Errors
    /// Never in practice: every derived secret is a key.
    pub fn new(secret: &Secret, label: &str) -> Result<Self, NotSealed> {
        let mut associated = vec![FORM];
        push_length_prefixed(&mut associated, label.as_bytes());
        let derived = secret.derive("sealed document", &[label.as_bytes()]);
        let key = RandomizedNonceKey::new(&AES_256_GCM, derived.expose()).map_err(|_| NotSealed)?;
        Ok(Self { key, associated })
    }

    /// Seals a document. The same one sealed twice gives other octets, and so another name.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, NotSealed> {
        let mut sealed = plain.to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(&self.associated), &mut sealed)
            .map_err(|_| NotSealed)?;
        let mut octets = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        octets.push(FORM);
        octets.extend_from_slice(nonce.as_ref());
        octets.extend_from_slice(&sealed);
        Ok(octets)
    }

    /// Opens what [`SealKey::seal`] made under the same secret and label. Wiped when dropped.
    ///
    /// # Errors
    /// When it was not: written by hand, altered, or of another purpose.
    pub fn open(&self, octets: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOurs> {
        let rest = octets.strip_prefix(&[FORM]).ok_or(NotOurs)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or(NotOurs)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotOurs)?;
        let mut opened = Zeroizing::new(sealed.to_vec());
        let length = self
            .key
            .open_in_place(nonce, Aad::from(&self.associated), &mut opened)
            .map_err(|_| NotOurs)?
            .len();
        opened.truncate(length);
        Ok(opened)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealKey(..)")
    }
}

/// It could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the document could not be sealed")]
pub struct NotSealed;

/// The seal does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the seal does not hold: somebody without the keys wrote it, or nodes have different keys")]
pub struct NotOurs;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(octet: u8, label: &str) -> SealKey {
        SealKey::new(&Secret::from_octets([octet; 32]), label).expect("a key")
    }

    #[test]
    fn what_is_sealed_opens_for_its_key_and_purpose_alone() {
        let sealed = key(1, "desk").seal(b"plain").expect("sealed");
        assert_eq!(key(1, "desk").open(&sealed).expect("opens").as_slice(), b"plain");
        assert_eq!(key(2, "desk").open(&sealed).map(drop), Err(NotOurs));
        assert_eq!(key(1, "revision").open(&sealed).map(drop), Err(NotOurs));
        assert!(!sealed.windows(5).any(|five| five == b"plain"), "nothing of it can be read");
        assert_ne!(key(1, "desk").seal(b"plain").expect("sealed"), sealed);
    }

    #[test]
    fn any_octet_changed_or_cut_opens_nothing() {
        let key = key(1, "desk");
        let sealed = key.seal(b"plain").expect("sealed");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(&changed).map(drop), Err(NotOurs), "octet {at}");
            assert_eq!(key.open(&sealed[..at]).map(drop), Err(NotOurs), "{at} octets");
        }
        assert_eq!(format!("{key:?}"), "SealKey(..)");
    }
}
