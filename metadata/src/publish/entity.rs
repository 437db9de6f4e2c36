//! An entity as we publish it: what was registered, under our signature and our dates.
//!
//! The entity is written anew from the octets that were registered, in canonical form. Left out are its own signature, the roles that nobody
//! judged when it was registered, keys that are suspended, and what an earlier publisher said about its document. Nothing else changes.
//!
//! Neighbours: `collection.rs` puts many of these into one document; the process decides who is live, and keeps what comes out.

use std::ops::Range;

use broker_core::moment::Timestamp;
use certs::{
    DigestAlgorithm, PublicKey, Signer,
    xml_signature::{CannotSign, digest_for, signature_over},
};
use certs_xml::{
    CannotCanonicalize, CannotWrite, Canonicalization, Document, Element, Limits, NewElement, XmlRefused,
    canonicalize, canonicalize_without,
    namespace::{DS, MD, MDRPI, XSI},
    stream::tag_length,
};

use crate::{
    lint::report::Report,
    saml::{self, valid_until},
};

/// On what terms we publish: the same for every entity of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Until when the documents may be used.
    pub valid_until: Timestamp,
    /// How long they should be kept before asking again, in seconds.
    pub cache_seconds: u32,
    /// When the round began (`mdrpi:PublicationInfo`).
    pub created: Timestamp,
    /// Who publishes: a URI (`mdrpi:PublicationInfo`).
    pub publisher: String,
    /// Which round it is (`mdrpi:PublicationInfo`).
    pub publication_id: String,
    /// Who registered the entities: a URI (`mdrpi:RegistrationInfo`). `None`: what stands in an entity stays.
    pub registration_authority: Option<String>,
}

/// The role of an entity that we vouch for; no other is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `IDPSSODescriptor`.
    IdentityProvider,
    /// `SPSSODescriptor`.
    ServiceProvider,
}

impl Role {
    fn element(self) -> &'static str {
        match self {
            Self::IdentityProvider => "IDPSSODescriptor",
            Self::ServiceProvider => "SPSSODescriptor",
        }
    }
}

/// An entity, signed by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedEntity {
    /// Its name, exactly as registered.
    pub entity_id: String,
    /// The role.
    pub role: Role,
    /// Until when it may be used: the shorter of ours and its own.
    pub valid_until: Timestamp,
    /// The document, UTF-8.
    pub octets: Vec<u8>,
    /// What of it is about the document and not about the entity, in ascending order: the signature, and who published it.
    pub about_document: [Range<usize>; 2],
}

impl PublishedEntity {
    /// The entity as it stands in a collection, where the collection is signed.
    #[must_use]
    pub fn unsigned(octets: &[u8], about_document: &[Range<usize>; 2]) -> Vec<u8> {
        let [signature, publication] = about_document;
        let parts = [0..signature.start, signature.end..publication.start, publication.end..octets.len()];
        parts.into_iter().filter_map(|part| octets.get(part)).flatten().copied().collect()
    }
}

/// Why an entity, or a collection of them, is not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotPublished {
    /// The entity is not in the document that it was registered with, or not in that role.
    #[error("the document has no such entity in that role")]
    NoSuchRole,
    /// Its dates are over, or are none.
    #[error("its validUntil has passed, or is none")]
    Expired,
    /// None of the keys of its role is left.
    #[error("all its keys are suspended, or it has none")]
    NoKey,
    /// What was written does not read.
    #[error("it does not read: {0}")]
    Unreadable(#[from] XmlRefused),
    /// It grows out of all proportion.
    #[error(transparent)]
    Canonical(#[from] CannotCanonicalize),
    /// A value of ours cannot be written.
    #[error(transparent)]
    Write(#[from] CannotWrite),
    /// The key does not sign.
    #[error(transparent)]
    Sign(#[from] CannotSign),
    /// The octets of another entity could not be had again, or the outcome not be kept.
    #[error("{0}")]
    Other(String),
}

/// Publishes one entity of a document of at most [`saml::MOST_OCTETS`] octets. `suspended` says which keys nobody may use.
///
/// # Errors
/// [`NotPublished`].
pub fn published(
    octets: &[u8],
    entity_id: &str,
    role: Role,
    suspended: &dyn Fn(&PublicKey) -> bool,
    terms: &Terms,
    signer: &dyn Signer,
) -> Result<PublishedEntity, NotPublished> {
    let document = Document::read(octets, Limits::metadata(saml::MOST_OCTETS))?;
    let element = document
        .elements()
        .find(|element| {
            element.is(MD.uri(), "EntityDescriptor") && element.attribute("entityID") == Some(entity_id)
        })
        .ok_or(NotPublished::NoSuchRole)?;
    let kept = element.child(MD.uri(), role.element()).ok_or(NotPublished::NoSuchRole)?;
    let valid_until = until(element, kept, terms)?;
    let omitted = omitted(element, kept, suspended, terms)?;
    let method = Canonicalization::Exclusive { inclusive_prefixes: prefixes_in_values(element) };
    let canonical = text(canonicalize_without(element, &method, &omitted)?);
    let (opening, rest) = opened(&canonical)?;
    let opening = dated(opening, valid_until, terms.cache_seconds)?;
    let (body, publication) = with_information(&canonical, rest, terms)?;
    let identifier = identifier([opening.as_str(), &body]);
    let opening = format!("{opening} ID=\"{identifier}\">");
    let unsigned = format!("{opening}{body}");
    let read = Document::read(unsigned.as_bytes(), Limits::metadata(unsigned.len()))?;
    let digest =
        digest_for(signer)?.digest(&canonicalize(read.root(), &Canonicalization::exclusive(), None)?);
    let signature = text(signature_over(&identifier, &digest, signer)?.to_canonical()?);
    let after = opening.len() + signature.len();
    Ok(PublishedEntity {
        entity_id: entity_id.to_owned(),
        role,
        valid_until,
        octets: format!("{opening}{signature}{body}").into_bytes(),
        about_document: [opening.len()..after, after + publication.start..after + publication.end],
    })
}

/// An `ID` that follows from what a document says: a new one when, and only when, that changes.
#[must_use]
pub fn identifier<'t>(parts: impl IntoIterator<Item = &'t str>) -> String {
    let mut hasher = DigestAlgorithm::Sha256.hasher();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(b"\n");
    }
    let digits: String = hasher.finish().iter().take(16).map(|octet| format!("{octet:02x}")).collect();
    format!("_{digits}")
}

/// `mdrpi:PublicationInfo` (SAML Metadata Registration and Publication 1.0, section 2.2).
pub(super) fn publication_info(terms: &Terms) -> NewElement {
    NewElement::new(MDRPI, "PublicationInfo")
        .with_attribute("publisher", terms.publisher.as_str())
        .with_attribute("creationInstant", terms.created.to_rfc3339())
        .with_attribute("publicationId", terms.publication_id.as_str())
}

/// The earliest of ours and of every validUntil in and around the role.
fn until(entity: Element<'_>, role: Element<'_>, terms: &Terms) -> Result<Timestamp, NotPublished> {
    let mut report = Report::new();
    let own = valid_until(role, &mut report);
    if !report.findings.is_empty() || !entity.has_only_elements() {
        return Err(NotPublished::Expired);
    }
    let until = own.map_or(terms.valid_until, |own| own.value.min(terms.valid_until));
    if until > terms.created { Ok(until) } else { Err(NotPublished::Expired) }
}

/// What of an entity is not published.
fn omitted<'d>(
    entity: Element<'d>,
    kept: Element<'d>,
    suspended: &dyn Fn(&PublicKey) -> bool,
    terms: &Terms,
) -> Result<Vec<Element<'d>>, NotPublished> {
    let mut omitted: Vec<Element<'d>> = entity
        .children()
        .filter(|child| {
            let is_role = child.namespace() == MD.uri() && child.local_name().ends_with("Descriptor");
            child.is(DS.uri(), "Signature") || (is_role && *child != kept)
        })
        .collect();
    // Signatures of a role: what they sign changes.
    omitted.extend(kept.children_named(DS.uri(), "Signature"));
    let mut signs = false;
    for descriptor in kept.children_named(MD.uri(), "KeyDescriptor") {
        let keys = saml::key::of_descriptor(descriptor);
        if keys.iter().any(|key| key.key.as_ref().is_ok_and(suspended)) {
            omitted.push(descriptor);
        } else {
            signs |= keys.iter().any(|key| key.signs() && key.key.is_ok());
        }
    }
    if !signs {
        return Err(NotPublished::NoKey);
    }
    let extensions = entity.children_named(MD.uri(), "Extensions").flat_map(Element::children);
    omitted.extend(extensions.filter(|extension| {
        extension.namespace() == MDRPI.uri()
            && match extension.local_name() {
                "RegistrationInfo" => terms.registration_authority.is_some(),
                "PublicationInfo" | "PublicationPath" => true,
                _ => false,
            }
    }));
    Ok(omitted)
}

/// Prefixes that stand in values (`xsi:type="xs:string"`): canonical form would forget what they mean.
fn prefixes_in_values(entity: Element<'_>) -> Vec<String> {
    let mut prefixes: Vec<String> = entity
        .subtree()
        .filter_map(|element| element.attribute_in(XSI.uri(), "type"))
        .filter_map(|value| value.trim().split_once(':').map(|(prefix, _)| prefix.to_owned()))
        .collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    prefixes
}

/// The start tag of the outermost element and what comes after it.
fn opened(canonical: &str) -> Result<(&str, &str), NotPublished> {
    tag_length(canonical.as_bytes())
        .and_then(|length| canonical.split_at_checked(length))
        .ok_or_else(|| NotPublished::Other("the canonical form has no start tag".to_owned()))
}

/// A start tag in canonical form with our dates in place of what stood there, without `ID` and not closed yet.
fn dated(opening: &str, until: Timestamp, cache_seconds: u32) -> Result<String, NotPublished> {
    let malformed = || NotPublished::Other("the start tag is not in canonical form".to_owned());
    let inner = opening.strip_suffix('>').ok_or_else(malformed)?;
    let (name, mut rest) = inner.split_once(' ').ok_or_else(malformed)?;
    let mut dated = name.to_owned();
    // Canonical form: one space, the name, the value in double quotes, with none inside.
    while !rest.is_empty() {
        let (attribute, after) = rest.split_once("=\"").ok_or_else(malformed)?;
        let (value, after) = after.split_once('"').ok_or_else(malformed)?;
        if !["ID", "validUntil", "cacheDuration"].contains(&attribute) {
            dated.push_str(&format!(" {attribute}=\"{value}\""));
        }
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    dated.push_str(&format!(" cacheDuration=\"PT{cache_seconds}S\" validUntil=\"{}\"", until.to_rfc3339()));
    Ok(dated)
}

/// What comes after the start tag, with what we say about registration and publication; and where in it the latter stands.
fn with_information(
    canonical: &str,
    rest: &str,
    terms: &Terms,
) -> Result<(String, Range<usize>), NotPublished> {
    let publication = text(publication_info(terms).to_canonical()?);
    let registration = match &terms.registration_authority {
        Some(authority) => text(
            NewElement::new(MDRPI, "RegistrationInfo")
                .with_attribute("registrationAuthority", authority.as_str())
                .to_canonical()?,
        ),
        None => String::new(),
    };
    let read = Document::read(canonical.as_bytes(), Limits::metadata(canonical.len()))?;
    let before_rest = canonical.len() - rest.len();
    let inside = read.root().child(MD.uri(), "Extensions").and_then(|extensions| {
        let start = extensions.offset();
        let length = tag_length(canonical.as_bytes().get(start..)?)?;
        (start + length).checked_sub(before_rest)
    });
    let (before, open, after, close) = match inside.and_then(|at| rest.split_at_checked(at)) {
        Some((before, after)) => (before, String::new(), after, ""),
        None => ("", format!("<md:Extensions xmlns:md=\"{}\">", MD.uri()), rest, "</md:Extensions>"),
    };
    let start = before.len() + open.len();
    let body = format!("{before}{open}{publication}{registration}{close}{after}");
    Ok((body, start..start + publication.len()))
}

fn text(canonical: Vec<u8>) -> String {
    // Canonical form is UTF-8.
    String::from_utf8(canonical).unwrap_or_default()
}
