//! A parsed document: an arena in document order, names resolved, places kept.
//!
//! Strings are spans of the source, or of a second buffer for what had to be decoded. Comments are gone, and the text on both
//! sides of one is a single text. Neighbours: `reader.rs` builds it, `canonical.rs` walks it, everybody else reads through
//! [`Element`].

use std::{fmt, sync::OnceLock};

use crate::refused::{Position, characters, saturated};

/// A piece of the source, or of the decoded text where the highest bit of `start` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) length: u32,
}

/// Marks a span of the decoded text. Documents are bounded to 1 GiB, so the bit is free.
pub(crate) const DECODED: u32 = 1 << 31;

/// An index into [`Document::namespaces`]; 0 is "no namespace".
pub(crate) type NamespaceIndex = u32;
/// An index into [`Document::prefixes`]; 0 is "no prefix".
pub(crate) type PrefixIndex = u32;

pub(crate) const NO_NAMESPACE: NamespaceIndex = 0;
pub(crate) const NO_PREFIX: PrefixIndex = 0;
/// The prefix `xml`, which is bound without being declared.
pub(crate) const XML_PREFIX: PrefixIndex = 1;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Node {
    Element { record: u32, end: u32 },
    Text(Span),
}

#[derive(Debug, Clone)]
pub(crate) struct ElementRecord {
    pub(crate) node: u32,
    pub(crate) parent: Option<u32>,
    /// As written, prefix included.
    pub(crate) name: Span,
    pub(crate) prefix: PrefixIndex,
    pub(crate) namespace: NamespaceIndex,
    pub(crate) attributes: (u32, u32),
    pub(crate) declarations: (u32, u32),
    pub(crate) offset: u32,
    pub(crate) has_comment: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct AttributeRecord {
    pub(crate) name: Span,
    pub(crate) prefix: PrefixIndex,
    pub(crate) namespace: NamespaceIndex,
    pub(crate) value: Span,
    pub(crate) offset: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Declaration {
    pub(crate) prefix: PrefixIndex,
    pub(crate) namespace: NamespaceIndex,
}

/// A whole document that passed the pre-scan and the reader. Read it from [`Document::root`].
pub struct Document {
    pub(crate) source: String,
    pub(crate) decoded: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) elements: Vec<ElementRecord>,
    pub(crate) attributes: Vec<AttributeRecord>,
    pub(crate) declarations: Vec<Declaration>,
    pub(crate) namespaces: Vec<String>,
    pub(crate) prefixes: Vec<String>,
    pub(crate) line_starts: OnceLock<Vec<u32>>,
}

impl fmt::Debug for Document {
    /// Says how large it is, never what it says: documents carry people's names and numbers.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Document")
            .field("octets", &self.source.len())
            .field("elements", &self.elements.len())
            .finish_non_exhaustive()
    }
}

impl Document {
    /// The outermost element.
    #[must_use]
    pub fn root(&self) -> Element<'_> {
        Element { document: self, record: 0 }
    }

    /// All elements in document order, the root first.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        (0..saturated(self.elements.len())).map(|record| Element { document: self, record })
    }

    /// The text that the document was read from, without a byte order mark.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn str(&self, span: Span) -> &str {
        let (text, start) = match span.start & DECODED {
            0 => (&self.source, span.start),
            _ => (&self.decoded, span.start & !DECODED),
        };
        let start = start as usize;
        text.get(start..start + span.length as usize).unwrap_or_default()
    }

    pub(crate) fn namespace(&self, index: NamespaceIndex) -> &str {
        self.namespaces.get(index as usize).map_or("", String::as_str)
    }

    pub(crate) fn prefix(&self, index: PrefixIndex) -> &str {
        self.prefixes.get(index as usize).map_or("", String::as_str)
    }

    fn position(&self, offset: u32) -> Position {
        let starts = self.line_starts.get_or_init(|| {
            let feeds = memchr::memchr_iter(b'\n', self.source.as_bytes()).map(|at| saturated(at + 1));
            std::iter::once(0).chain(feeds).collect()
        });
        let line = starts.partition_point(|&start| start <= offset);
        let start = line.checked_sub(1).and_then(|index| starts.get(index)).copied().unwrap_or(0);
        let before = self.source.as_bytes().get(start as usize..offset as usize).unwrap_or_default();
        Position { line: saturated(line), column: saturated(characters(before) + 1) }
    }
}

/// An element of a [`Document`]; a cheap reference.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    pub(crate) document: &'d Document,
    pub(crate) record: u32,
}

impl PartialEq for Element<'_> {
    /// The same element of the same document, not an equal one.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.record == other.record
    }
}

impl Eq for Element<'_> {}

impl fmt::Debug for Element<'_> {
    /// The name and the place, never the content.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position();
        write!(formatter, "<{}> at {line}:{column}", self.qualified_name())
    }
}

impl<'d> Element<'d> {
    pub(crate) fn data(self) -> &'d ElementRecord {
        &self.document.elements[self.record as usize]
    }

    /// The document that this is an element of.
    #[must_use]
    pub fn document(self) -> &'d Document {
        self.document
    }

    /// The name of the namespace; empty for none.
    #[must_use]
    pub fn namespace(self) -> &'d str {
        self.document.namespace(self.data().namespace)
    }

    /// The name without its prefix.
    #[must_use]
    pub fn local_name(self) -> &'d str {
        let name = self.qualified_name();
        name.split_once(':').map_or(name, |(_, local)| local)
    }

    /// The name as written, prefix included: for reports, never for decisions.
    #[must_use]
    pub fn qualified_name(self) -> &'d str {
        self.document.str(self.data().name)
    }

    /// Whether this is the element `local_name` of the namespace that is called `namespace`.
    #[must_use]
    pub fn is(self, namespace: &str, local_name: &str) -> bool {
        self.local_name() == local_name && self.namespace() == namespace
    }

    /// The value of the attribute `local_name` in no namespace, which is what most attributes are.
    #[must_use]
    pub fn attribute(self, local_name: &str) -> Option<&'d str> {
        self.attribute_in("", local_name)
    }

    /// The value of the attribute `local_name` in `namespace`.
    #[must_use]
    pub fn attribute_in(self, namespace: &str, local_name: &str) -> Option<&'d str> {
        self.attributes()
            .find(|attribute| attribute.local_name() == local_name && attribute.namespace() == namespace)
            .map(Attribute::value)
    }

    /// All attributes as written, without the namespace declarations.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'d>> {
        let (start, end) = self.data().attributes;
        (start..end).map(move |record| Attribute { document: self.document, record })
    }

    /// The element that this one is directly in; `None` for the root.
    #[must_use]
    pub fn parent(self) -> Option<Element<'d>> {
        self.data().parent.map(|record| Element { document: self.document, record })
    }

    /// The elements directly inside, in order.
    pub fn children(self) -> impl Iterator<Item = Element<'d>> {
        let document = self.document;
        self.child_nodes().filter_map(move |node| match node {
            Node::Element { record, .. } => Some(Element { document, record }),
            Node::Text(_) => None,
        })
    }

    /// The children of one name, in order.
    pub fn children_named(self, namespace: &str, local_name: &str) -> impl Iterator<Item = Element<'d>> {
        self.children().filter(move |child| child.is(namespace, local_name))
    }

    /// The first child of that name. Where a second one would be a fault, ask [`Element::children_named`].
    #[must_use]
    pub fn child(self, namespace: &str, local_name: &str) -> Option<Element<'d>> {
        self.children_named(namespace, local_name).next()
    }

    /// The whole text of an element that holds nothing but text; `None` where there are elements inside. Comments never cut
    /// it short: what was on both sides of one is here, joined. Not trimmed.
    #[must_use]
    pub fn text(self) -> Option<&'d str> {
        let mut nodes = self.child_nodes();
        match (nodes.next(), nodes.next()) {
            (None, _) => Some(""),
            (Some(Node::Text(span)), None) => Some(self.document.str(span)),
            _ => None,
        }
    }

    /// Whether all text directly inside is white space, as it must be in elements that hold elements.
    #[must_use]
    pub fn has_only_elements(self) -> bool {
        self.child_nodes().all(|node| match node {
            Node::Element { .. } => true,
            Node::Text(span) => self.document.str(span).bytes().all(crate::characters::is_space),
        })
    }

    /// Whether a comment stands directly inside.
    #[must_use]
    pub fn has_comment(self) -> bool {
        self.data().has_comment
    }

    /// This element and all below it, in document order.
    pub fn subtree(self) -> impl Iterator<Item = Element<'d>> {
        let document = self.document;
        let (node, end) = self.extent();
        document.nodes.get(node as usize..end as usize).unwrap_or_default().iter().filter_map(move |node| {
            match node {
                Node::Element { record, .. } => Some(Element { document, record: *record }),
                Node::Text(_) => None,
            }
        })
    }

    /// Every prefix that is declared on this element or around it, with what it means here; the empty prefix is the default namespace.
    /// `xml` is not among them, nor is a default namespace that was undeclared.
    pub fn namespaces_in_scope(self) -> Vec<(&'d str, &'d str)> {
        let document = self.document;
        let mut seen: Vec<PrefixIndex> = Vec::new();
        let mut found = Vec::new();
        for element in std::iter::successors(Some(self), |element| element.parent()) {
            let (start, end) = element.data().declarations;
            for declaration in document.declarations.get(start as usize..end as usize).unwrap_or_default() {
                if seen.contains(&declaration.prefix) || declaration.prefix == XML_PREFIX {
                    continue;
                }
                seen.push(declaration.prefix);
                if declaration.namespace != NO_NAMESPACE {
                    found.push((
                        document.prefix(declaration.prefix),
                        document.namespace(declaration.namespace),
                    ));
                }
            }
        }
        found
    }

    /// Where the element begins, at its `<`.
    #[must_use]
    pub fn position(self) -> Position {
        self.document.position(self.data().offset)
    }

    /// Where the element begins in [`Document::source`], in octets, at its `<`.
    #[must_use]
    pub fn offset(self) -> usize {
        self.data().offset as usize
    }

    /// The node of this element and the node after its last descendant.
    pub(crate) fn extent(self) -> (u32, u32) {
        let node = self.data().node;
        match self.document.nodes.get(node as usize) {
            Some(Node::Element { end, .. }) => (node, *end),
            _ => (node, node + 1),
        }
    }

    fn child_nodes(self) -> impl Iterator<Item = Node> + 'd {
        let (node, end) = self.extent();
        let nodes = &self.document.nodes;
        let mut next = node + 1;
        std::iter::from_fn(move || {
            let node = *nodes.get(next as usize).filter(|_| next < end)?;
            next = match node {
                Node::Element { end, .. } => end,
                Node::Text(_) => next + 1,
            };
            Some(node)
        })
    }
}

/// An attribute of an [`Element`]; a cheap reference.
#[derive(Clone, Copy)]
pub struct Attribute<'d> {
    pub(crate) document: &'d Document,
    pub(crate) record: u32,
}

impl fmt::Debug for Attribute<'_> {
    /// The name and the place, never the value.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position();
        write!(formatter, "{} at {line}:{column}", self.qualified_name())
    }
}

impl<'d> Attribute<'d> {
    pub(crate) fn data(self) -> &'d AttributeRecord {
        &self.document.attributes[self.record as usize]
    }

    /// The name of the namespace; empty for none.
    #[must_use]
    pub fn namespace(self) -> &'d str {
        self.document.namespace(self.data().namespace)
    }

    /// The name without its prefix.
    #[must_use]
    pub fn local_name(self) -> &'d str {
        let name = self.qualified_name();
        name.split_once(':').map_or(name, |(_, local)| local)
    }

    /// The name as written, prefix included.
    #[must_use]
    pub fn qualified_name(self) -> &'d str {
        self.document.str(self.data().name)
    }

    /// The value, references resolved and white space normalised.
    #[must_use]
    pub fn value(self) -> &'d str {
        self.document.str(self.data().value)
    }

    /// Where its name begins.
    #[must_use]
    pub fn position(self) -> Position {
        self.document.position(self.data().offset)
    }
}
