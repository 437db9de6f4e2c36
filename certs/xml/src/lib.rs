//! Hardened XML reading and canonical writing, shared by messages and metadata.
//!
//! | file | what it is for |
//! |---|---|
//! | `limits.rs`, `prescan.rs` | the linear look at the octets before anything is parsed |
//! | `reader.rs`, `document.rs` | octets to a small tree with resolved names and places |
//! | `context.rs` | octets cut out of a document, read with the namespaces of their place |
//! | `stream.rs`, `piece.rs` | a file of any size, taken apart as it is read, and its pieces put into canonical form |
//! | `canonical.rs` | a parsed element to exclusive (or inclusive) canonical octets |
//! | `tree.rs` | elements of our own, written in exclusive canonical form by construction |
//! | `namespace.rs` | every namespace that we write, with its prefix |
//! | `tag.rs`, `characters.rs`, `escape.rs` | the lexical rules that the others share |
//!
//! Neighbours: `certs::xml_signature` signs and verifies with this; `broker-saml` and `metadata` read and build documents with
//! it. Nothing here knows what SAML is beyond the namespace table.

pub mod canonical;
mod characters;
mod context;
mod document;
mod escape;
mod limits;
pub mod namespace;
pub mod piece;
mod prescan;
mod reader;
mod refused;
pub mod stream;
mod tag;
mod tree;

pub use canonical::{CannotCanonicalize, Canonicalization, canonicalize, canonicalize_without};
pub use document::{Attribute, Document, Element};
pub use limits::Limits;
pub use namespace::Namespace;
pub use piece::Scope;
pub use prescan::prescan;
pub use refused::{Position, XmlFault, XmlRefused};
pub use tree::{CannotWrite, NewElement};
