//! Peers and trust: who the peers are, and why we believe it.
//!
//! Nothing here does I/O: octets and the time go in, values come out. The process reads files, asks the store and swaps snapshots.
//!
//! | module | what |
//! |---|---|
//! | [`peer`], [`secret_hash`] | a provider or a relying party, as its role needs it |
//! | [`registry`] | all of them: one immutable snapshot, swapped whole |
//!
//! Neighbours: `broker-core` and `certs` below; `broker-saml`, `broker-oidc` and `broker` above.

pub mod peer;
pub mod registry;
pub mod secret_hash;

pub use peer::{
    ClientAuthentication, Contact, ContactKind, OidcClient, SamlBinding, SamlEndpoint, SamlProvider,
};
pub use registry::Registry;
pub use secret_hash::SecretHash;
