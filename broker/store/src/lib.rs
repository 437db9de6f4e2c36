//! The storage port of `broker-core`, implemented twice, and the sealed records that lie in it.
//!
//! | module | what |
//! |---|---|
//! | [`keyspace`] | every kind of key: prefix, value, lifetime, hash tag |
//! | [`record`] | what one sealed record is made of: handle, binding, kind, octets |
//! | [`vault`] | typed records over any [`broker_core::port::Store`]: what the process uses |
//! | [`embedded`] | the store of one machine: a file for what lasts, memory for what expires |
//! | [`admin_socket`] | how a local command reaches the embedded store of a running process |
//! | [`redis`] | the store that several nodes share |
//! | `conformance` | one suite for every implementation (tests, or the feature `conformance`) |
//!
//! Neighbours: `broker-core` below (the port); the process above, which chooses an implementation and wraps it in a [`vault::Vault`].

pub mod admin_socket;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod embedded;
pub mod keyspace;
mod limit;
pub mod record;
pub mod redis;
pub mod vault;
