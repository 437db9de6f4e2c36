//! Peers and trust: who the peers are, and why we believe it.
//!
//! Nothing here does I/O: octets and the time go in, values come out. The process reads files, asks the store and swaps snapshots.
//!
//! | module | what |
//! |---|---|
//! | [`peer`], [`secret_hash`] | a provider or a relying party, as its role needs it |
//! | [`registry`] | all of them: one immutable snapshot, swapped whole |
//! | [`revision`] | what the snapshot is built from: content-addressed documents under one authenticated head |
//! | [`desk`] | what lies between an author and the published registry: proposals, tokens, invitations |
//! | [`connection`] | which relying parties employers let their people reach |
//! | [`key_use`] | when each key of each provider last verified a message |
//! | [`settings`] | what the operator decided about a peer, beside what its document says |
//! | [`source`] | entities from aggregates that others publish |
//! | [`publish`] | what we say about ourselves |
//! | [`source`] | peers out of other federations' metadata: aggregates, MDQ, single addresses |
//! | [`addition`] | a file that an operator adds, read, judged and turned into changes |
//! | [`organisation`], [`logo`] | the record files of organisations, and their logos |
//! | [`saml`], [`oidc`] | the documents of each protocol, read with places |
//! | [`lint`] | one validator: rules with a severity, a place, what, why and a fix, in Swedish and English |
//!
//! Neighbours: `broker-core` and `certs` below; `broker-saml`, `broker-oidc` and `broker` above.

pub mod addition;
mod address;
pub mod connection;
pub mod desk;
mod international;
pub mod key_use;
pub mod lint;
pub mod logo;
pub mod oidc;
pub mod organisation;
pub mod peer;
pub mod publish;
pub mod registry;
pub mod revision;
pub mod saml;
pub mod secret_hash;
pub mod settings;
pub mod source;
mod words;

pub use peer::{
    ClientAuthentication, Contact, ContactKind, OidcClient, SamlBinding, SamlEndpoint, SamlProvider,
};
pub use registry::Registry;
pub use secret_hash::SecretHash;
