//! XML encryption as SAML uses it (SAML 2.0 core, section 6; XML Encryption 1.1): opening what is encrypted to us, and encrypting.
//!
//! **No oracle.** Which algorithms a message names may be said aloud; whatever goes wrong from the first private-key operation on is one
//! refusal, [`DecryptionRefused::Failed`], and takes the same steps: a content key that does not unwrap is replaced by a random one, the
//! content is deciphered with it all the same, and what comes out is read as XML before anything is refused.
//!
//! **CBC needs a signature around it.** It has no integrity of its own, so the function that deciphers CBC cannot be called without proof
//! that the very document which holds the ciphertext was signed ([`Enclosing::Signed`]); GCM may stand alone.
//!
//! | file | what |
//! |---|---|
//! | `algorithm.rs` | the ciphers and key transports that exist for us |
//! | `reading.rs` | takes `EncryptedData` and `EncryptedKey` apart |
//! | `block.rs` | the block ciphers |
//! | `encrypt.rs` | the other direction |
//! | `refused.rs` | one variant for each refusal that may be told apart |
//!
//! Neighbours: `decryption_key` (the private key), `xml_signature` (the proof), `certs_xml` (documents).

use certs_proof::Verified;
use certs_xml::{Document, Element, Limits, XmlFault};

use crate::{decryption_key::DecryptionKey, xml_signature::SignedElement};

mod algorithm;
mod block;
mod encrypt;
mod reading;
mod refused;

pub use algorithm::{BlockCipher, KeyTransport};
pub use encrypt::{CannotEncrypt, Encryption, encrypt};
use reading::Encrypted;
pub use refused::DecryptionRefused;

/// What vouches for a ciphertext.
#[derive(Debug, Clone, Copy)]
pub enum Enclosing<'s> {
    /// A signature over the whole document that holds it. The document must be the one that was signed, [`SignedElement::document`].
    Signed(&'s Verified<SignedElement>),
    /// Nothing: anybody can encrypt to us. Only a cipher with integrity of its own is opened.
    Unsigned,
}

/// Proof that a ciphertext lies in signed octets. Only [`Covered::by`] makes one.
#[derive(Clone, Copy)]
struct Covered(());

impl Covered {
    /// The octets compared are those that were hashed, not some that say the same.
    fn by(enclosing: Enclosing<'_>, holder: Element<'_>) -> Option<Self> {
        match enclosing {
            Enclosing::Signed(signed) => {
                (signed.value().canonical() == holder.document().source().as_bytes()).then_some(Self(()))
            }
            Enclosing::Unsigned => None,
        }
    }
}

/// What was encrypted, read as a document of its own.
#[derive(Debug)]
pub struct Decrypted {
    document: Document,
    /// Whether the element is the root, or inside one that carries the namespaces of the place where the ciphertext stood.
    in_context: bool,
    cipher: BlockCipher,
}

impl Decrypted {
    /// Whether a change of the ciphertext would have shown, whoever signed around it. Where it would not, what the plaintext says may be somebody
    /// else's ciphertext in pieces, put there by the signer; then how it is refused must not depend on it ([`BlockCipher::is_authenticated`]).
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.cipher.is_authenticated()
    }

    /// The one element that was encrypted.
    #[must_use]
    pub fn element(&self) -> Element<'_> {
        let root = self.document.root();
        // `only_element` has seen to it that there is one.
        if self.in_context { root.children().next().unwrap_or(root) } else { root }
    }

    fn read(octets: &[u8], holder: Element<'_>, cipher: BlockCipher, limits: Limits) -> Option<Self> {
        match Document::read(octets, limits) {
            Ok(document) => Some(Self { document, in_context: false, cipher }),
            // Prefixes of the elements around the ciphertext; no other fault is mended by its context.
            Err(refused) if matches!(refused.fault, XmlFault::UndeclaredPrefix(_)) => {
                let document = Document::read_in_context(octets, holder, limits).ok()?;
                let only_element = {
                    let root = document.root();
                    root.has_only_elements() && root.children().count() == 1
                };
                only_element.then_some(Self { document, in_context: true, cipher })
            }
            Err(_) => None,
        }
    }
}

/// Opens what `holder` carries: an `EncryptedData` with its `EncryptedKey`s inside or beside it, as in SAML's `EncryptedAssertion` (SAML
/// 2.0 core, section 2.3.4). Each wrapped key is tried with each of `keys`. `limits` bound the plaintext like any document.
///
/// # Errors
/// What is wrong with the form or the algorithms; everything else is [`DecryptionRefused::Failed`].
pub fn decrypt(
    holder: Element<'_>,
    keys: &[DecryptionKey],
    enclosing: Enclosing<'_>,
    limits: Limits,
) -> Result<Decrypted, DecryptionRefused> {
    let encrypted = Encrypted::read(holder)?;
    let covered = Covered::by(enclosing, holder);
    if !encrypted.cipher.is_authenticated() && covered.is_none() {
        return Err(DecryptionRefused::Unsigned(encrypted.cipher));
    }
    if keys.is_empty() {
        return Err(DecryptionRefused::NoKey);
    }
    for wrapped in &encrypted.keys {
        for key in keys {
            let length = encrypted.cipher.key_octets();
            let content_key = key
                .unwrap_key(wrapped.transport, &wrapped.label, &wrapped.octets, length)
                .ok_or(DecryptionRefused::Failed)?;
            let opened = match covered {
                Some(covered) if !encrypted.cipher.is_authenticated() => {
                    block::open_cbc(covered, encrypted.cipher, &content_key, &encrypted.octets)
                }
                _ => block::open_gcm(encrypted.cipher, &content_key, &encrypted.octets),
            };
            let Some(opened) = opened else { continue };
            // Read first, judged after: bad padding and bad XML end in the same place.
            let read = Decrypted::read(opened.octets(), holder, encrypted.cipher, limits);
            if let (Some(decrypted), true) = (read, opened.is_whole()) {
                return Ok(decrypted);
            }
        }
    }
    Err(DecryptionRefused::Failed)
}

#[cfg(test)]
mod tests;
