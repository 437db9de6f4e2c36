//! A private key that opens what peers encrypt to us, parsed once.
//!
//! It signs nothing: a key that did both could be made to sign by whoever can make it decrypt. Neighbours: `xml_encryption` uses it,
//! `key_directory` keeps two of them during a rollover.

use std::fmt;

use aws_lc_rs::{
    rand::{SecureRandom as _, SystemRandom},
    rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use zeroize::Zeroizing;

use crate::{
    private_key::PrivateKey,
    public_key::{KeyError, KeyKind, PublicKey},
    signer::Signer as _,
    xml_encryption::KeyTransport,
};

/// An RSA key that unwraps content keys. Never shown: its `Debug` names the public half only.
pub struct DecryptionKey {
    key: OaepPrivateDecryptingKey,
    public_key: PublicKey,
    certificate: Option<Vec<u8>>,
}

impl DecryptionKey {
    /// The key that decrypts what was encrypted to the public half of `key`; its certificate goes along.
    ///
    /// # Errors
    /// [`KeyError::UnknownKind`] for a key that is not RSA: nobody encrypts to it (SC-DP section 8 knows RSA-OAEP alone).
    pub fn from_private_key(key: &PrivateKey) -> Result<Self, KeyError> {
        let KeyKind::Rsa { .. } = key.public_key().kind() else { return Err(KeyError::UnknownKind) };
        let pkcs8 = key.to_pkcs8_der()?;
        let decrypting = PrivateDecryptingKey::from_pkcs8(&pkcs8).map_err(|_| KeyError::Malformed)?;
        Ok(Self {
            key: OaepPrivateDecryptingKey::new(decrypting).map_err(|_| KeyError::Malformed)?,
            public_key: key.public_key().clone(),
            certificate: key.certificate_der().map(<[u8]>::to_vec),
        })
    }

    /// Reads the first section of a PEM text, which must be `PRIVATE KEY` (RFC 7468 section 10). The octets are wiped.
    ///
    /// # Errors
    /// When it is no such text, or as [`DecryptionKey::from_private_key`].
    pub fn from_pkcs8_pem(octets: Vec<u8>) -> Result<Self, KeyError> {
        let octets = Zeroizing::new(octets);
        let text = std::str::from_utf8(&octets).map_err(|_| KeyError::Malformed)?;
        Self::from_private_key(&PrivateKey::from_pkcs8_pem_any_kind(text)?)
    }

    /// What peers encrypt to.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The certificate that it is published in, DER, where it has one.
    pub fn certificate_der(&self) -> Option<&[u8]> {
        self.certificate.as_deref()
    }

    /// The content key of `length` octets that `wrapped` holds. Where it does not unwrap, or to another length, a random key comes back
    /// in its place: whoever calls goes on and finds out only by the content, as with any wrong key, so that neither an answer nor the
    /// time it takes tells whether the padding held (XML Encryption 1.1, section 6.1.2). `None` only when the system has no random
    /// numbers.
    pub(crate) fn unwrap_key(
        &self,
        transport: KeyTransport,
        label: &[u8],
        wrapped: &[u8],
        length: usize,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut random = Zeroizing::new(vec![0; length]);
        SystemRandom::new().fill(&mut random).ok()?;
        let mut room = Zeroizing::new(vec![0; self.key.min_output_size()]);
        let label = (!label.is_empty()).then_some(label);
        match self.key.decrypt(transport.implementation(), wrapped, &mut room, label) {
            Ok(unwrapped) if unwrapped.len() == length => random.copy_from_slice(unwrapped),
            _ => {}
        }
        Some(random)
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DecryptionKey").field("public_key", &self.public_key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_nobody_can_encrypt_to_is_refused() {
        let key = PrivateKey::generate_p256().expect("a key");
        assert_eq!(DecryptionKey::from_private_key(&key).err(), Some(KeyError::UnknownKind));
    }

    #[test]
    fn debug_names_the_public_half_only() {
        let key = PrivateKey::generate_rsa(2048, crate::SignatureAlgorithm::RsaSha256).expect("a key");
        let shown = format!("{:?}", DecryptionKey::from_private_key(&key).expect("RSA"));
        assert_eq!(shown, format!("DecryptionKey {{ public_key: {:?}, .. }}", key.public_key()));
    }

    #[test]
    fn what_does_not_unwrap_gives_another_key_each_time_and_no_error() {
        let key = PrivateKey::generate_rsa(2048, crate::SignatureAlgorithm::RsaSha256).expect("a key");
        let key = DecryptionKey::from_private_key(&key).expect("RSA");
        let mut seen = Vec::new();
        for wrapped in [vec![], vec![0; 255], vec![0; 256], vec![1; 256], vec![0xFF; 256], vec![1; 4096]] {
            let random =
                key.unwrap_key(KeyTransport::OaepMgf1p, b"", &wrapped, 32).expect("random numbers").to_vec();
            assert_eq!(random.len(), 32);
            assert!(!seen.contains(&random));
            seen.push(random);
        }
    }
}
