//! SAML metadata documents (SAML Metadata 2.0), read with places.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | a file: one entity, or a few within an `EntitiesDescriptor`; its signature |
//! | `entity.rs` | what an identity provider's `EntityDescriptor` says |
//! | `interface.rs`, `key.rs`, `contact.rs` | parts of that: names and logos, keys, people |
//! | `build.rs` | that, the operator's settings and the organisation's record, joined to a [`crate::SamlProvider`] |
//!
//! Neighbours: `certs_xml` reads the XML; `lint::saml` has the rules. Unknown extensions never block (FEDINTEROP IIP-MD05).

mod build;
mod contact;
pub mod entity;
pub mod interface;
pub mod key;

use certs::PublicKey;
use certs_xml::{
    Document, Element, Limits, Position,
    namespace::{DS, MD},
};

pub(crate) use build::authority;
pub use build::{bounds, saml_provider, unregistered_provider};
pub use entity::IdentityProvider;
pub(crate) use entity::{entity_attribute, role, valid_until};

use crate::lint::{
    report::{Finding, Place, Report},
    saml::document as rule,
};

/// The octets of the largest file that is taken by upload; aggregates come another way.
pub const MOST_OCTETS: usize = 4 * 1024 * 1024;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub place: Position,
}

impl<T> Placed<T> {
    pub(crate) fn new(value: T, place: Position) -> Self {
        Self { value, place }
    }
}

/// A file of SAML metadata that is well-formed and within limits.
#[derive(Debug)]
pub struct MetadataFile {
    document: Document,
}

impl MetadataFile {
    /// Reads a file of at most `most_octets` octets.
    ///
    /// # Errors
    /// A report with the one reason why it cannot be read at all.
    pub fn read(octets: &[u8], most_octets: usize) -> Result<Self, Report> {
        let refused = |finding| {
            let mut report = Report::new();
            report.add(finding);
            report
        };
        let document = Document::read(octets, Limits::metadata(most_octets)).map_err(|fault| {
            refused(
                Finding::new(rule::of_fault(&fault.fault), fault.position)
                    .found(fault.fault.to_string())
                    .expected(most_octets.to_string()),
            )
        })?;
        let root = document.root();
        if !root.is(MD.uri(), "EntityDescriptor") && !root.is(MD.uri(), "EntitiesDescriptor") {
            return Err(refused(
                Finding::new(&rule::NOT_METADATA, root.position()).found(root.qualified_name()),
            ));
        }
        Ok(Self { document })
    }

    /// The entities of the file, in order.
    pub fn entities(&self) -> impl Iterator<Item = Element<'_>> {
        self.document.elements().filter(|element| {
            element.is(MD.uri(), "EntityDescriptor")
                && element.parent().is_none_or(|parent| parent.is(MD.uri(), "EntitiesDescriptor"))
        })
    }

    /// The entity of that entity ID.
    #[must_use]
    pub fn entity(&self, entity_id: &str) -> Option<Element<'_>> {
        self.entities().find(|entity| entity.attribute("entityID") == Some(entity_id))
    }

    /// Looks at the signature of the whole file, if it has one, with the key that it brings along.
    ///
    /// It is no ground for trust: a local file is trusted because the operator added it. But a signature that does not hold
    /// says that the file changed after it was signed.
    pub fn check_signature(&self, report: &mut Report) {
        self.check_signature_by(None, report);
    }

    /// Looks at the signature of the whole file. With `keys` it must be by one of them.
    pub fn check_signature_by(&self, keys: Option<&[PublicKey]>, report: &mut Report) {
        let root = self.document.root();
        crate::lint::saml::file::check_signature(root, keys, &enclosed_keys(root), report);
    }

    /// The outermost element.
    #[must_use]
    pub fn root(&self) -> Element<'_> {
        self.document.root()
    }

    /// The start of the file, for findings about all of it.
    #[must_use]
    pub fn place(&self) -> Place {
        self.document.root().position().into()
    }
}

/// The keys in the certificates of the root's own signature.
fn enclosed_keys(root: Element<'_>) -> Vec<PublicKey> {
    root.child(DS.uri(), "Signature")
        .and_then(|signature| signature.child(DS.uri(), "KeyInfo"))
        .map(|info| {
            key::certificates(info)
                .iter()
                .filter_map(|der| {
                    der.value.as_ref().ok().and_then(|der| PublicKey::from_certificate_der_any_size(der).ok())
                })
                .collect()
        })
        .unwrap_or_default()
}

/// The text of an element, trimmed; `None` when it is empty or holds elements.
pub(crate) fn trimmed(element: Element<'_>) -> Option<&str> {
    element.text().map(str::trim).filter(|text| !text.is_empty())
}

/// xs:boolean (XML Schema 2, 3.2.2).
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests;
