//! What we publish, signed: about ourselves, and about those who are registered with us.
//!
//! | file | what |
//! |---|---|
//! | `service_provider.rs` | our SAML service provider's `EntityDescriptor` |
//! | `element.rs` | the elements that entities of ours share |
//! | `entity.rs` | one entity, ours or registered, as MDQ answers with it |
//! | `collection.rs` | many entities in one document |
//!
//! Neighbours: `certs_xml` writes, `certs::xml_signature` signs; `broker-saml/sp/metadata.rs` fills in the settings; the process keeps and serves.

mod collection;
mod element;
mod entity;
mod service_provider;

pub use collection::{CollectionName, collection};
pub use entity::{NotPublished, PublishedEntity, Role, Terms, identifier, published};
pub use service_provider::{CannotPublish, RequestedAttribute, ServiceProvider, Validity, service_provider};

#[cfg(test)]
mod tests;
