//! The other side of the same messages: an identity provider reads an AuthnRequest and writes a Response.
//!
//! | file | what |
//! |---|---|
//! | `authn_request.rs` | the request of a service provider, from both bindings, verified |
//! | `response.rs` | the answer: an assertion or an error, signed |
//!
//! The demonstration's identity providers, the load driver and the tests of `sp` sign in with these. Sibling: `broker-oidc/op`.

pub mod authn_request;
pub mod response;

pub use self::{
    authn_request::{AuthnRequest, ReceivedAuthnRequest},
    response::{AssertionToIssue, ErrorToIssue, NameIdToIssue, Signed},
};
