//! What we say about ourselves, signed.
//!
//! | file | what |
//! |---|---|
//! | `service_provider.rs` | our SAML service provider's `EntityDescriptor` |
//! | `element.rs` | the elements that entities of ours share |
//!
//! Neighbours: `certs_xml` writes, `certs::xml_signature` signs; `broker-saml/sp/metadata.rs` fills in the settings.

mod element;
mod service_provider;

pub use service_provider::{CannotPublish, RequestedAttribute, ServiceProvider, Validity, service_provider};
