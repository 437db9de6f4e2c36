//! Encrypting to a peer, in the one form that [`super::decrypt`] reads first: the wrapped key inside the `KeyInfo`.

use aws_lc_rs::{
    rand::{SecureRandom as _, SystemRandom},
    rsa::{OaepPublicEncryptingKey, PublicEncryptingKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs_xml::{
    NewElement,
    namespace::{DS, XENC},
};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{BlockCipher, KeyTransport, block, reading::ELEMENT_TYPE};
use crate::PublicKey;

/// How to encrypt. The default is AES-256-GCM under RSA-OAEP with SHA-1: SC-DP section 8 has it for a peer that declares GCM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Encryption {
    /// The cipher of the content.
    pub cipher: BlockCipher,
    /// How its key is wrapped.
    pub transport: KeyTransport,
}

/// Why nothing was encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CannotEncrypt {
    /// The peer's key is not RSA: nothing here encrypts to another kind.
    #[error("the key is not one that can be encrypted to")]
    Key,
    /// The system has no random numbers, or the library refused.
    #[error("the encryption failed")]
    Failed,
}

/// An `EncryptedData` that holds `plaintext`, the octets of one element in canonical form, for the owner of `recipient`.
///
/// # Errors
/// See [`CannotEncrypt`].
pub fn encrypt(
    plaintext: &[u8],
    recipient: &PublicKey,
    encryption: Encryption,
) -> Result<NewElement, CannotEncrypt> {
    let recipient = PublicEncryptingKey::from_der(recipient.spki_der()).map_err(|_| CannotEncrypt::Key)?;
    let recipient = OaepPublicEncryptingKey::new(recipient).map_err(|_| CannotEncrypt::Key)?;
    let mut key = Zeroizing::new(vec![0; encryption.cipher.key_octets()]);
    SystemRandom::new().fill(&mut key).map_err(|_| CannotEncrypt::Failed)?;
    let mut wrapped = vec![0; recipient.ciphertext_size()];
    let wrapped = recipient
        .encrypt(encryption.transport.implementation(), &key, &mut wrapped, None)
        .map_err(|_| CannotEncrypt::Failed)?;
    let sealed = block::seal(encryption.cipher, &key, plaintext).ok_or(CannotEncrypt::Failed)?;
    let encrypted_key = NewElement::new(XENC, "EncryptedKey")
        .with_child(encryption.transport.method(XENC))
        .with_child(cipher_data(wrapped));
    Ok(NewElement::new(XENC, "EncryptedData")
        .with_attribute("Type", ELEMENT_TYPE)
        .with_child(encryption.cipher.method(XENC))
        .with_child(NewElement::new(DS, "KeyInfo").with_child(encrypted_key))
        .with_child(cipher_data(&sealed)))
}

fn cipher_data(octets: &[u8]) -> NewElement {
    let value = NewElement::new(XENC, "CipherValue").with_text(STANDARD.encode(octets));
    NewElement::new(XENC, "CipherData").with_child(value)
}
