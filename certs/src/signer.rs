//! The contract of a key that signs: in memory (`private_key`) or behind a hardware module.
//!
//! Signing is synchronous (design decision 4): a slow signer is called on a thread where waiting is allowed.

use std::sync::Arc;

use crate::{algorithm::SignatureAlgorithm, public_key::PublicKey};

/// A private key that signs with one algorithm.
pub trait Signer: Send + Sync {
    /// The algorithm of every signature that this signer makes.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// The certificate to publish in SAML metadata, DER, where the key has one.
    fn certificate_der(&self) -> Option<&[u8]>;

    /// The name of the key in a JWK set (`kid`).
    fn key_id(&self) -> &str;

    /// Signs `message` (the message itself, not its digest). ECDSA signatures are `r || s` of fixed length, as both
    /// RFC 7518 section 3.4 and XML Signature section 6.4.3 want them.
    ///
    /// # Errors
    /// When the key does not answer; nothing about the key is in the error.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed>;
}

impl<S: Signer + ?Sized> Signer for Arc<S> {
    fn algorithm(&self) -> SignatureAlgorithm {
        (**self).algorithm()
    }

    fn public_key(&self) -> &PublicKey {
        (**self).public_key()
    }

    fn certificate_der(&self) -> Option<&[u8]> {
        (**self).certificate_der()
    }

    fn key_id(&self) -> &str {
        (**self).key_id()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        (**self).sign(message)
    }
}

/// The key did not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signing key did not sign")]
pub struct SigningFailed;
