//! Keys and signatures: the only crate that touches a private key or a signature.
//!
//! Everything here works on octets and values: no socket, no storage, no clock. Time comes in as a parameter. What leaves as
//! [`certs_proof::Verified`] was under a signature that held.
//!
//! | file | what |
//! |---|---|
//! | `algorithm` | the algorithms that we know, by their XML and JWS names; what is not named here does not exist |
//! | `public_key`, `certificate`, `jwk` | other people's keys, in the three forms they come in |
//! | `signer`, `private_key`, `keyring` | our own keys: the contract, keys in memory, and their rollover |
//! | `decryption_key` | our own keys that open what is encrypted to us |
//! | `key_directory` | what cannot be made again, in one directory |
//! | `jws` | compact JWS: signing and verifying |
//! | `xml_signature`, `query_signature` | XML signatures in one profile; the signed query of SAML Redirect |
//! | `xml_encryption` | XML encryption as SAML uses it, both ways |
//! | `mac` | HMAC and key derivation |
//! | `seal` | documents sealed for one purpose |
//! | `expiry` | how long a certificate lasts, and when to say so |
//! | `tls` | transport keys for the edge |
//! | `pem`, `unique_json` | two notations, read strictly |

pub mod algorithm;
pub mod certificate;
pub mod decryption_key;
pub mod expiry;
pub mod jwk;
pub mod jws;
pub mod key_directory;
pub mod keyring;
pub mod mac;
mod pem;
pub mod private_key;
pub mod public_key;
pub mod query_signature;
pub mod seal;
pub mod signer;
pub mod tls;
pub mod unique_json;
pub mod xml_encryption;
pub mod xml_signature;

pub use algorithm::{AlgorithmPolicy, DigestAlgorithm, Hasher, SignatureAlgorithm};
pub use decryption_key::DecryptionKey;
pub use jwk::{Jwk, JwkSet};
pub use key_directory::KeyDirectory;
pub use keyring::Keyring;
pub use mac::{MacKey, Secret};
pub use private_key::PrivateKey;
pub use public_key::{BadSignature, KeyError, KeyKind, KeyThumbprint, PublicKey};
pub use seal::SealKey;
pub use signer::{Signer, SigningFailed};
