//! The broker from outside: everything around it is here, so that a test can say what happens and nothing else.
//!
//! | module | what |
//! |---|---|
//! | [`federation`] | keys, nodes, organisations, a provider and relying parties, registered by the program's own commands |
//! | [`walk`] | one login, request by request, each at the node of the test's choice |
//! | [`browser`] | a person's browser: cookies, forms, links, and nothing followed by itself |
//! | [`provider`] | a SAML identity provider that signs |
//! | [`relying_party`] | an OpenID Connect relying party that checks what it is given |
//! | [`person`] | who signs in, and which values must not be seen elsewhere |
//! | [`node`], [`redis`], [`program`] | processes: started on ports of their own, stopped by their own number |
//! | [`aggregate`] | signed aggregates of any size, as a federation publishes them |
//! | [`api`] | somebody with a token at the API, each answer held against its description |
//! | [`leak`] | looks for what must not be seen, in logs and in stores |
//! | [`wire`] | HTTP over connections to the loopback address that are kept |
//! | [`chance`] | the clock and the generator |
//!
//! A program that is missing fails the test with a sentence; nothing is skipped. The tests beside this crate and `load` use it.
#![expect(
    clippy::missing_panics_doc,
    reason = "a harness of tests: what goes wrong in it fails the test with a sentence"
)]

pub mod aggregate;
pub mod api;
pub mod browser;
pub mod chance;
pub mod federation;
pub mod leak;
pub mod node;
pub mod person;
pub mod program;
pub mod provider;
pub mod publisher;
pub mod redis;
pub mod relying_party;
pub mod walk;
pub mod wire;
