//! Why a ciphertext was not opened. Neighbour: `xml_encryption.rs`.

use thiserror::Error;

use super::BlockCipher;

/// A ciphertext that is not opened. Only what is written in the open in the message tells variants apart; nothing that a private key
/// did does.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecryptionRefused {
    /// Something is missing, there twice, or in the wrong place.
    #[error("<{0}> is not as XML encryption in SAML has it")]
    Structure(&'static str),
    /// The content is held elsewhere (`CipherReference`): nothing is fetched on a message's word.
    #[error("the ciphertext is a reference to somewhere else")]
    Reference,
    /// More wrapped keys than are ever tried.
    #[error("there are more than {limit} encrypted keys")]
    TooManyKeys {
        /// How many may be there.
        limit: usize,
    },
    /// A cipher, key transport, digest or mask function that is not accepted; refused before a private key is used.
    #[error("the encryption algorithm {0} is not accepted")]
    Algorithm(String),
    /// A cipher without integrity of its own, outside a verified signature.
    #[error("{0:?} is accepted inside a signed message only")]
    Unsigned(BlockCipher),
    /// We have no key to decrypt with.
    #[error("there is no decryption key")]
    NoKey,
    /// It does not open with our keys, or what comes out is nothing that reads. Which of them, nobody is told.
    #[error("it cannot be decrypted with our keys")]
    Failed,
}

impl DecryptionRefused {
    /// The stable name of the rule, for logs and reports.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Structure(_) | Self::Reference => "encryption.structure",
            Self::TooManyKeys { .. } => "encryption.key_count",
            Self::Algorithm(_) => "encryption.algorithm",
            Self::Unsigned(_) => "encryption.unsigned",
            Self::NoKey => "encryption.no_key",
            Self::Failed => "encryption.failed",
        }
    }
}
