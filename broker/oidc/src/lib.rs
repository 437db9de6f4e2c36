//! Both OpenID Connect roles. Today: [`op`], the OpenID Provider that relying parties meet; the relying-party role towards upstream
//! providers comes beside it with the same file names.
//!
//! | module | what |
//! |---|---|
//! | [`op`] | authorization, token, userinfo, discovery: what we play towards relying parties |
//! | [`claims`] | attributes as claims, and back to what must be asked of a provider |
//! | [`scope`] | which claims a scope stands for, and where they are delivered |
//! | [`error_code`] | failures as OAuth and OpenID Connect error codes: one exhaustive map |
//!
//! No HTTP and no store: a message and the moment go in, a value comes out. Neighbours: `broker-core` (the login), `metadata` (who the
//! relying parties are), `certs` (keys and JWS) below; `broker` (the process) above.

pub mod claims;
pub mod error_code;
pub mod op;
pub mod scope;
