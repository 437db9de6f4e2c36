//! Pieces of a document that is too large to be held: read where they stood, and put into canonical form as if in one walk.
//!
//! The walk is the one of `canonical.rs`; only what is in force around a piece, and what the octets before it have declared, come
//! from outside. Neighbours: `stream.rs` cuts the pieces, `reader.rs` reads them, `certs::xml_signature::streaming` hashes them.

use std::ops::Range;

use crate::{
    canonical::{CannotCanonicalize, Canonicalization, Canonicalizer},
    document::{Document, Element, NO_NAMESPACE, NamespaceIndex, Node, PrefixIndex},
    namespace::XML,
    refused::saturated,
};

/// What is in force at a place of a document: namespaces, and the `xml:` attributes of all elements around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Prefix and namespace; the empty prefix is the default namespace.
    pub(crate) namespaces: Vec<(String, String)>,
    /// Names as written, `xml:` included, and values.
    pub(crate) xml_attributes: Vec<(String, String)>,
}

impl Scope {
    /// Inside canonical octets: what they have declared, and nothing else.
    #[must_use]
    pub fn declared(rendered: &Rendered) -> Self {
        Self { namespaces: rendered.0.clone(), xml_attributes: Vec::new() }
    }

    /// Outside of everything: nothing is in force.
    #[must_use]
    pub fn outside() -> Self {
        Self::default()
    }

    /// What is in force inside `element`.
    #[must_use]
    pub fn inside(element: Element<'_>) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut xml_attributes: Vec<(String, String)> = Vec::new();
        for holder in std::iter::successors(Some(element), |element| element.parent()) {
            for attribute in holder.attributes().filter(|attribute| attribute.namespace() == XML.uri()) {
                if !xml_attributes.iter().any(|(known, _)| known == attribute.qualified_name()) {
                    xml_attributes.push(owned((attribute.qualified_name(), attribute.value())));
                }
            }
        }
        Self { namespaces: element.namespaces_in_scope().into_iter().map(owned).collect(), xml_attributes }
    }
}

/// What the canonical octets written so far have declared, for those that follow inside the same elements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered(Vec<(String, String)>);

/// Stands for a namespace that the piece does not know: never equal to one that it does.
const ELSEWHERE: NamespaceIndex = NamespaceIndex::MAX;

/// The canonical octets of all that stands in `piece`, save `omitted`.
///
/// # Errors
/// As [`crate::canonicalize`].
pub fn canonicalize_content(
    piece: &Document,
    method: &Canonicalization,
    around: &Rendered,
    omitted: Option<Element<'_>>,
) -> Result<Vec<u8>, CannotCanonicalize> {
    let end = saturated(piece.nodes.len());
    // An element of another document is none of this one.
    let omitted = omitted
        .filter(|omitted| std::ptr::eq(omitted.document(), piece))
        .map(|omitted| Element { document: piece, record: omitted.record });
    let mut canonicalizer = inside(piece, method, around);
    canonicalizer.write(1, end, omitted)?;
    canonicalizer.close_until(end);
    Ok(canonicalizer.out)
}

/// The canonical octets of the start tag of `element`, whose content is still to come, and what is then declared for that content.
///
/// # Errors
/// As [`crate::canonicalize`].
pub fn canonicalize_opening(
    element: Element<'_>,
    method: &Canonicalization,
    around: &Rendered,
) -> Result<(Vec<u8>, Rendered), CannotCanonicalize> {
    let piece = element.document();
    let (first, _) = element.extent();
    let mut canonicalizer = inside(piece, method, around);
    canonicalizer.write(first, first + 1, None)?;
    let mut rendered: Vec<(String, String)> = Vec::new();
    for (prefix, &namespace) in piece.prefixes.iter().zip(&canonicalizer.rendered) {
        match namespace {
            NO_NAMESPACE => {}
            ELSEWHERE => rendered.extend(around.0.iter().filter(|(known, _)| known == prefix).cloned()),
            namespace => rendered.push((prefix.clone(), piece.namespace(namespace).to_owned())),
        }
    }
    Ok((canonicalizer.out, Rendered(rendered)))
}

/// The canonical octets of the text that stands in `piece` before `element`, which is directly inside.
#[must_use]
pub fn canonicalize_text_before(piece: &Document, element: Element<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for node in piece
        .nodes
        .iter()
        .skip(1)
        .take_while(|node| !matches!(node, Node::Element { record, .. } if *record == element.record))
    {
        if let Node::Text(span) = node {
            crate::escape::write_text(piece.str(*span), &mut out);
        }
    }
    out
}

/// An element in exclusive canonical form, as a document of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alone {
    /// The octets. They declare on the outermost element what it uses.
    pub octets: Vec<u8>,
    /// The parts of them, in ascending order, that are not in the canonical form of the element in its place, since the octets around it
    /// declare the same.
    pub declared_around: Vec<Range<usize>>,
}

impl Alone {
    /// The canonical octets of the element in its place, part by part.
    pub fn in_place(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.declared_around.iter().map(|range| range.end));
        let ends = self.declared_around.iter().map(|range| range.start).chain([self.octets.len()]);
        starts.zip(ends).map(|(start, end)| self.octets.get(start..end).unwrap_or_default())
    }
}

/// Writes `element` once, for both places where it is wanted: alone, and inside octets that have declared `around`. `None` where the
/// two differ in more than what the outermost element declares.
///
/// # Errors
/// As [`crate::canonicalize`].
pub fn canonicalize_alone(
    element: Element<'_>,
    inclusive_prefixes: &[String],
    around: &Rendered,
) -> Result<Option<Alone>, CannotCanonicalize> {
    let document = element.document();
    let method = Canonicalization::Exclusive { inclusive_prefixes: inclusive_prefixes.to_vec() };
    let (first, end) = element.extent();
    let mut canonicalizer = Canonicalizer::of(document, &method, end.saturating_sub(first));
    canonicalizer.write(first, first + 1, None)?;
    let around = indexed(document, around);
    // What is declared around and not on the element itself would be declared further in by the one and not by the other.
    let declares = |(prefix, _): &(PrefixIndex, NamespaceIndex)| {
        canonicalizer.outermost.iter().any(|(known, ..)| known == prefix)
    };
    if !around.iter().all(declares) {
        return Ok(None);
    }
    let declared_around = std::mem::take(&mut canonicalizer.outermost)
        .into_iter()
        .filter(|(prefix, namespace, _)| around.contains(&(*prefix, *namespace)))
        .map(|(_, _, range)| range)
        .collect();
    canonicalizer.write(first + 1, end, None)?;
    canonicalizer.close_until(end);
    Ok(Some(Alone { octets: canonicalizer.out, declared_around }))
}

fn inside<'d, 'm>(
    piece: &'d Document,
    method: &'m Canonicalization,
    around: &Rendered,
) -> Canonicalizer<'d, 'm> {
    let mut canonicalizer = Canonicalizer::of(piece, method, saturated(piece.nodes.len()));
    canonicalizer.inside = true;
    for (prefix, namespace) in indexed(piece, around) {
        if let Some(rendered) = canonicalizer.rendered.get_mut(prefix as usize) {
            *rendered = namespace;
        }
    }
    canonicalizer
}

/// What is declared around, in the numbers of `document`. A prefix that it does not know is not used in it.
fn indexed(document: &Document, around: &Rendered) -> Vec<(PrefixIndex, NamespaceIndex)> {
    let index = |list: &[String], name: &str| list.iter().position(|known| known == name).map(saturated);
    around
        .0
        .iter()
        .filter_map(|(prefix, namespace)| {
            let prefix = index(&document.prefixes, prefix)?;
            Some((prefix, index(&document.namespaces, namespace).unwrap_or(ELSEWHERE)))
        })
        .collect()
}
