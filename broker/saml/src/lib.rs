//! Both SAML 2.0 roles of the broker: SP towards identity providers, IdP towards relying parties.
//!
//! | module | what |
//! |---|---|
//! | [`binding`] | messages in queries and forms (SAML Bindings 3.4, 3.5) |
//! | [`sp`] | towards identity providers: AuthnRequest out, Response in, our own metadata |
//! | [`idp`] | the other side of the same messages: AuthnRequest in, Response out |
//! | [`attributes`] | SAML attribute names, both ways |
//! | [`name_id`], [`authn_context`], [`status`] | the other small vocabularies, both ways |
//!
//! Everything is a function of octets, the registry and the moment: no socket, no store, no clock. Neighbours: `broker-core` gives
//! the two role traits and the neutral words, `metadata` says who the peers are, `certs` verifies and signs, `certs-xml` reads
//! and writes. `broker-oidc` is the sibling and is not known here.

pub mod attributes;
pub mod authn_context;
pub mod binding;
pub mod idp;
mod message;
pub mod name_id;
pub mod sp;
pub mod status;
