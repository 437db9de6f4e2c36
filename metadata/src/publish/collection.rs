//! Many entities in one signed document (SAML Metadata 2.3.1), written without ever lying in memory whole.
//!
//! Two walks over the entities: the first hashes them in the form that they have in their place, the second writes them. Whoever calls gives
//! them twice, and the same each time.

use std::io::Write;

use certs::{
    Signer,
    xml_signature::{digest_for, signature_over},
};
use certs_xml::{
    Canonicalization, Document, Limits, NewElement, Scope,
    namespace::MD,
    piece::{Rendered, canonicalize_content, canonicalize_opening},
};

use super::entity::{NotPublished, Terms, publication_info};

/// What a collection is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionName {
    /// `Name`: where it is published.
    pub name: String,
    /// `ID`, from [`super::identifier`] over what is in it.
    pub identifier: String,
}

/// Writes a collection of entities, each as [`super::PublishedEntity::unsigned`] gives it.
///
/// # Errors
/// [`NotPublished`]; what was written until then is worth nothing.
pub fn collection<I>(
    name: &CollectionName,
    terms: &Terms,
    entities: impl Fn() -> I,
    signer: &dyn Signer,
    out: &mut dyn Write,
) -> Result<(), NotPublished>
where
    I: Iterator<Item = Result<Vec<u8>, NotPublished>>,
{
    const CLOSING: &[u8] = b"</md:EntitiesDescriptor>";
    let method = Canonicalization::exclusive();
    let group = NewElement::new(MD, "EntitiesDescriptor")
        .with_attribute("ID", name.identifier.as_str())
        .with_attribute("Name", name.name.as_str())
        .with_attribute("cacheDuration", format!("PT{}S", terms.cache_seconds))
        .with_attribute("validUntil", terms.valid_until.to_rfc3339())
        .with_child(NewElement::new(MD, "Extensions").with_child(publication_info(terms)));
    let canonical = group.to_canonical()?;
    let read = Document::read(&canonical, Limits::metadata(canonical.len()))?;
    let (opening, rendered) = canonicalize_opening(read.root(), &method, &Rendered::default())?;
    let inner = canonical
        .strip_prefix(opening.as_slice())
        .and_then(|rest| rest.strip_suffix(CLOSING))
        .ok_or_else(|| NotPublished::Other("the collection is not in canonical form".to_owned()))?;
    let scope = Scope::declared(&rendered);
    let mut hasher = digest_for(signer)?.hasher();
    hasher.update(&opening);
    hasher.update(inner);
    for entity in entities() {
        let entity = entity?;
        let piece = Document::read_piece(&entity, &scope, Limits::metadata(entity.len()))?;
        hasher.update(&canonicalize_content(&piece, &method, &rendered, None)?);
    }
    hasher.update(CLOSING);
    let signature = signature_over(&name.identifier, &hasher.finish(), signer)?.to_canonical()?;
    let mut write =
        |octets: &[u8]| out.write_all(octets).map_err(|error| NotPublished::Other(error.to_string()));
    write(&opening)?;
    write(&signature)?;
    write(inner)?;
    for entity in entities() {
        write(&entity?)?;
    }
    write(CLOSING)
}
