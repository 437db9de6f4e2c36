//! Canonical octets of a parsed element: Exclusive XML Canonicalization 1.0 and Canonical XML 1.0, both without comments.
//!
//! One walk over the arena, no recursion, linear in what it writes; what it writes is bounded, because exclusive form repeats
//! a namespace for every element that uses it and a hostile document could otherwise grow a thousandfold. Neighbours:
//! `document.rs`, `escape.rs`, and `certs::xml_signature`, which hashes the result.

use std::collections::HashSet;

use thiserror::Error;

use crate::{
    document::{
        Document, Element, ElementRecord, NO_NAMESPACE, NO_PREFIX, NamespaceIndex, Node, PrefixIndex,
        XML_PREFIX,
    },
    escape::{write_attribute_value, write_text},
};

/// Exclusive XML Canonicalization 1.0, without comments.
pub const EXCLUSIVE_URI: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// Canonical XML 1.0, without comments.
pub const INCLUSIVE_URI: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";

/// Which canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Canonicalization {
    /// Exclusive XML Canonicalization 1.0 without comments.
    Exclusive {
        /// `InclusiveNamespaces PrefixList`: prefixes that are carried along whether used or not; `#default` is the default
        /// namespace.
        inclusive_prefixes: Vec<String>,
    },
    /// Canonical XML 1.0 without comments: all namespaces in scope, and `xml:` attributes inherited by the outermost element.
    Inclusive,
}

impl Canonicalization {
    /// Exclusive form with an empty prefix list: what we write.
    #[must_use]
    pub const fn exclusive() -> Self {
        Self::Exclusive { inclusive_prefixes: Vec::new() }
    }
}

/// The canonical octets would be out of all proportion to the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the canonical form is larger than {limit} octets")]
pub struct CannotCanonicalize {
    /// The bound that was passed.
    pub limit: usize,
}

/// How much larger than its document a canonical form may be. Real responses reach 3, by `xsi:type` on every value.
const GROWTH: usize = 8;
/// About what an element or a text takes, to begin with room enough: a document may hold thousands of signed entities.
const OCTETS_OF_A_NODE: usize = 64;
/// What a small document may add on top.
const HEADROOM: usize = 16 * 1024;

/// The canonical octets of `element` with all inside, save the child `omitted` (the enveloped-signature transform of XML
/// Signature 1.1, section 6.6.4).
///
/// # Errors
/// [`CannotCanonicalize`] when they would pass eight times the document's size.
pub fn canonicalize(
    element: Element<'_>,
    method: &Canonicalization,
    omitted: Option<Element<'_>>,
) -> Result<Vec<u8>, CannotCanonicalize> {
    let (first, end) = element.extent();
    let mut canonicalizer = Canonicalizer::of(element.document(), method, end.saturating_sub(first));
    canonicalizer.write(first, end, omitted)?;
    canonicalizer.close_until(end);
    Ok(canonicalizer.out)
}

/// The canonical octets of `element` without those of `omitted` that stand in it: for what we publish anew. What is in an omitted element is
/// omitted with it; elements of other documents are none.
///
/// # Errors
/// As [`canonicalize`].
pub fn canonicalize_without(
    element: Element<'_>,
    method: &Canonicalization,
    omitted: &[Element<'_>],
) -> Result<Vec<u8>, CannotCanonicalize> {
    let (first, end) = element.extent();
    let mut canonicalizer = Canonicalizer::of(element.document(), method, end.saturating_sub(first));
    let own = omitted.iter().filter(|omitted| std::ptr::eq(omitted.document(), element.document()));
    let mut extents: Vec<(u32, u32)> = own.map(|omitted| omitted.extent()).collect();
    extents.sort_unstable();
    let mut next = first;
    for (start, after) in extents.into_iter().filter(|(start, after)| *start > first && *after <= end) {
        if start >= next {
            canonicalizer.write(next, start, None)?;
            next = after;
        }
    }
    canonicalizer.write(next, end, None)?;
    canonicalizer.close_until(end);
    Ok(canonicalizer.out)
}

/// Writes one element after the other and remembers what it has declared.
pub(crate) struct Canonicalizer<'d, 'm> {
    pub(crate) document: &'d Document,
    method: &'m Canonicalization,
    /// The prefixes of the list that this document knows, in ascending order.
    inclusive: Vec<PrefixIndex>,
    pub(crate) out: Vec<u8>,
    limit: usize,
    /// What each prefix was last declared as in the octets written, by prefix index; nothing is "no namespace".
    pub(crate) rendered: Vec<NamespaceIndex>,
    /// What to put back when an element closes.
    covered: Vec<(PrefixIndex, NamespaceIndex)>,
    /// The open elements: the node after each, its name, and the length of `covered` before it.
    pub(crate) open: Vec<(u32, &'d str, usize)>,
    /// Whether what is written stands inside canonical octets that were written before: then no element is the outermost.
    pub(crate) inside: bool,
    /// What the outermost element declared, each with its place in `out`.
    pub(crate) outermost: Vec<(PrefixIndex, NamespaceIndex, std::ops::Range<usize>)>,
    /// Scratch: the declarations of one element.
    declared: Vec<(PrefixIndex, NamespaceIndex)>,
}

impl<'d, 'm> Canonicalizer<'d, 'm> {
    /// One that will write about `nodes` nodes of `document`.
    pub(crate) fn of(document: &'d Document, method: &'m Canonicalization, nodes: u32) -> Self {
        let limit = document.source().len().saturating_mul(GROWTH).saturating_add(HEADROOM);
        let expected = (nodes as usize).saturating_mul(OCTETS_OF_A_NODE).min(document.source().len());
        Self::new(document, method, limit, expected)
    }

    /// Writes the nodes from `next` up to `end`; what is still open then stays open.
    pub(crate) fn write(
        &mut self,
        mut next: u32,
        end: u32,
        omitted: Option<Element<'d>>,
    ) -> Result<(), CannotCanonicalize> {
        let document = self.document;
        let omitted =
            omitted.filter(|omitted| std::ptr::eq(omitted.document(), document)).map(Element::extent);
        while let Some(node) = document.nodes.get(next as usize).filter(|_| next < end) {
            self.close_until(next);
            next = match *node {
                Node::Element { end: after, .. } if omitted == Some((next, after)) => after,
                Node::Element { record, end: after } => {
                    self.open(Element { document, record }, after)?;
                    next + 1
                }
                Node::Text(span) => {
                    self.text(document.str(span))?;
                    next + 1
                }
            };
        }
        Ok(())
    }

    fn new(document: &'d Document, method: &'m Canonicalization, limit: usize, expected: usize) -> Self {
        let listed: HashSet<&str> = match method {
            Canonicalization::Inclusive => HashSet::new(),
            Canonicalization::Exclusive { inclusive_prefixes } => inclusive_prefixes
                .iter()
                .map(|prefix| if prefix == "#default" { "" } else { prefix })
                .collect(),
        };
        let known = document.prefixes.iter().zip(0..);
        let inclusive =
            known.filter(|(prefix, _)| listed.contains(prefix.as_str())).map(|(_, index)| index).collect();
        Self {
            document,
            method,
            inclusive,
            out: Vec::with_capacity(expected),
            limit,
            rendered: vec![NO_NAMESPACE; document.prefixes.len()],
            covered: Vec::new(),
            open: Vec::new(),
            inside: false,
            outermost: Vec::new(),
            declared: Vec::new(),
        }
    }

    fn open(&mut self, element: Element<'d>, after: u32) -> Result<(), CannotCanonicalize> {
        let is_apex = self.open.is_empty() && !self.inside;
        let covered = self.covered.len();
        let data = element.data();
        self.out.push(b'<');
        self.out.extend_from_slice(element.qualified_name().as_bytes());
        self.namespaces(element, is_apex);
        self.attributes(element, data, is_apex);
        self.out.push(b'>');
        self.open.push((after, element.qualified_name(), covered));
        self.bounded()
    }

    fn text(&mut self, text: &str) -> Result<(), CannotCanonicalize> {
        write_text(text, &mut self.out);
        self.bounded()
    }

    /// Ends all open elements that have nothing at or after `node`.
    pub(crate) fn close_until(&mut self, node: u32) {
        while let Some(&(_, name, covered)) = self.open.last().filter(|&&(after, ..)| after <= node) {
            self.open.pop();
            self.out.extend_from_slice(b"</");
            self.out.extend_from_slice(name.as_bytes());
            self.out.push(b'>');
            for (prefix, before) in self.covered.drain(covered..).rev() {
                if let Some(rendered) = self.rendered.get_mut(prefix as usize) {
                    *rendered = before;
                }
            }
        }
    }

    fn bounded(&self) -> Result<(), CannotCanonicalize> {
        if self.out.len() > self.limit { Err(CannotCanonicalize { limit: self.limit }) } else { Ok(()) }
    }

    /// Declares what this element must declare: exclusive form the prefixes that it visibly uses (Exclusive XML
    /// Canonicalization 1.0, section 3), inclusive form all that are in scope (Canonical XML 1.0, section 2.3); either way
    /// only what the octets around it do not already say.
    fn namespaces(&mut self, element: Element<'d>, is_apex: bool) {
        let document = self.document;
        let data = element.data();
        let mut wanted = std::mem::take(&mut self.declared);
        wanted.clear();
        let own = document
            .declarations
            .get(data.declarations.0 as usize..data.declarations.1 as usize)
            .unwrap_or_default();
        let carried = |prefix: PrefixIndex| match self.method {
            Canonicalization::Inclusive => true,
            Canonicalization::Exclusive { .. } => self.inclusive.binary_search(&prefix).is_ok(),
        };
        let carries_any = *self.method == Canonicalization::Inclusive || !self.inclusive.is_empty();
        if is_apex && carries_any {
            in_scope(element, |prefix, namespace| {
                if carried(prefix) {
                    wanted.push((prefix, namespace));
                }
            });
        } else if carries_any {
            wanted
                .extend(own.iter().filter(|own| carried(own.prefix)).map(|own| (own.prefix, own.namespace)));
        }
        if matches!(self.method, Canonicalization::Exclusive { .. }) {
            wanted.push((data.prefix, data.namespace));
            let attributes = element.attributes().map(|attribute| attribute.data());
            wanted.extend(
                attributes
                    .filter(|attribute| attribute.prefix != NO_PREFIX)
                    .map(|attribute| (attribute.prefix, attribute.namespace)),
            );
        }
        wanted.retain(|&(prefix, namespace)| {
            prefix != XML_PREFIX && self.rendered.get(prefix as usize) != Some(&namespace)
        });
        if wanted.is_empty() {
            self.declared = wanted;
            return;
        }
        // The default namespace first, then by prefix (Canonical XML 1.0, section 2.2).
        wanted.sort_unstable_by(|a, b| document.prefix(a.0).cmp(document.prefix(b.0)));
        wanted.dedup();
        for &(prefix, namespace) in &wanted {
            let start = self.out.len();
            if prefix == NO_PREFIX {
                self.out.extend_from_slice(b" xmlns=\"");
            } else {
                self.out.extend_from_slice(b" xmlns:");
                self.out.extend_from_slice(document.prefix(prefix).as_bytes());
                self.out.extend_from_slice(b"=\"");
            }
            write_attribute_value(document.namespace(namespace), &mut self.out);
            self.out.push(b'"');
            if is_apex {
                self.outermost.push((prefix, namespace, start..self.out.len()));
            }
            if let Some(rendered) = self.rendered.get_mut(prefix as usize) {
                self.covered.push((prefix, *rendered));
                *rendered = namespace;
            }
        }
        self.declared = wanted;
    }

    /// Attributes sorted by the name of their namespace, then by their own; none first (Canonical XML 1.0, section 2.2).
    fn attributes(&mut self, element: Element<'d>, data: &ElementRecord, is_apex: bool) {
        let mut attributes: Vec<_> = element.attributes().collect();
        if is_apex && *self.method == Canonicalization::Inclusive {
            // Canonical XML 1.0, section 2.4: the outermost element inherits the `xml:` attributes of its ancestors.
            let mut ancestor = element.parent();
            while let Some(element) = ancestor {
                for inherited in
                    element.attributes().filter(|attribute| attribute.data().prefix == XML_PREFIX)
                {
                    let known =
                        |own: &crate::Attribute<'_>| own.qualified_name() == inherited.qualified_name();
                    if !attributes.iter().any(known) {
                        attributes.push(inherited);
                    }
                }
                ancestor = element.parent();
            }
        } else if data.attributes.0 == data.attributes.1 {
            return;
        }
        attributes.sort_by(|a, b| {
            // Nearly always both are in none.
            let by_namespace = if a.data().namespace == b.data().namespace {
                std::cmp::Ordering::Equal
            } else {
                a.namespace().cmp(b.namespace())
            };
            by_namespace.then_with(|| a.local_name().cmp(b.local_name()))
        });
        for attribute in attributes {
            self.out.push(b' ');
            self.out.extend_from_slice(attribute.qualified_name().as_bytes());
            self.out.extend_from_slice(b"=\"");
            write_attribute_value(attribute.value(), &mut self.out);
            self.out.push(b'"');
        }
    }
}

/// Every prefix declared on `element` or around it, with what it means there.
fn in_scope(element: Element<'_>, mut each: impl FnMut(PrefixIndex, NamespaceIndex)) {
    let document = element.document();
    let mut seen = vec![false; document.prefixes.len()];
    let mut around = Some(element);
    while let Some(element) = around {
        let (start, end) = element.data().declarations;
        for declaration in document.declarations.get(start as usize..end as usize).unwrap_or_default() {
            if let Some(seen) = seen.get_mut(declaration.prefix as usize).filter(|seen| !**seen) {
                *seen = true;
                each(declaration.prefix, declaration.namespace);
            }
        }
        around = element.parent();
    }
}

#[cfg(test)]
mod tests;
