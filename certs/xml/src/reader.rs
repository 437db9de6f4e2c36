//! Octets to a [`Document`]: quick-xml finds the pieces, this file refuses what it would let pass.
//!
//! Refused here: undeclared and misused prefixes, an attribute twice (also by its resolved name), entities but the five,
//! names that are none, identifiers used twice. Neighbours: `prescan.rs` has bounded the input, `tag.rs` takes tags apart.

use std::{
    collections::{HashMap, HashSet},
    sync::OnceLock,
};

use memchr::{memchr, memmem};
use quick_xml::{Reader, events::Event};

use crate::{
    characters::{is_space, split_qualified},
    document::{
        AttributeRecord, DECODED, Declaration, Document, ElementRecord, NO_NAMESPACE, NO_PREFIX,
        NamespaceIndex, Node, PrefixIndex, Span, XML_PREFIX,
    },
    escape::{is_plain_attribute, is_plain_text, read_attribute_value, read_reference, read_text},
    limits::Limits,
    namespace::{XML, XMLNS_URI},
    piece::Scope,
    prescan::{text_of, text_of_piece},
    refused::{XmlFault, XmlRefused, saturated},
    tag::{Piece, TagScanner, declared_prefix},
};

type Fault = (XmlFault, usize);

impl Document {
    /// Reads a document after the pre-scan with the same `limits`.
    ///
    /// # Errors
    /// The first fault, with its place: see [`XmlFault`].
    pub fn read(octets: &[u8], limits: Limits) -> Result<Self, XmlRefused> {
        let text = text_of(octets, limits)?;
        Builder::new(text).document()
    }

    /// Reads what stands between two tags of a larger document, where `scope` is in force: text, comments and whole elements. They become
    /// the content of [`Document::root`], an element without a name that stands for all around them. Places count from the piece's start.
    ///
    /// # Errors
    /// As [`Document::read`]; an XML declaration is refused here.
    pub fn read_piece(octets: &[u8], scope: &Scope, limits: Limits) -> Result<Self, XmlRefused> {
        let text = text_of_piece(octets, limits)?;
        let mut builder = Builder::new(text);
        builder.enter(scope);
        builder.document()
    }
}

/// Each distinct string once, by index. Documents know a handful, which are found by looking at each; hostile ones know many, and those
/// are found by a map that is made for them.
struct Interned {
    list: Vec<String>,
    by_name: HashMap<String, u32>,
}

/// Up to so many strings are looked at one by one.
const HANDFUL: usize = 16;

impl Interned {
    fn with(first: &[&str]) -> Self {
        let mut interned = Self { list: Vec::new(), by_name: HashMap::new() };
        for name in first {
            interned.index(name);
        }
        interned
    }

    fn known(&self, name: &str) -> Option<u32> {
        if self.list.len() > HANDFUL {
            return self.by_name.get(name).copied();
        }
        self.list.iter().position(|known| known == name).map(saturated)
    }

    fn index(&mut self, name: &str) -> u32 {
        if let Some(index) = self.known(name) {
            return index;
        }
        let index = saturated(self.list.len());
        self.list.push(name.to_owned());
        if self.list.len() > HANDFUL {
            if self.by_name.is_empty() {
                self.by_name.extend(self.list.iter().cloned().zip(0..));
            } else {
                self.by_name.insert(name.to_owned(), index);
            }
        }
        index
    }
}

struct Builder<'s> {
    source: &'s str,
    decoded: String,
    nodes: Vec<Node>,
    elements: Vec<ElementRecord>,
    attributes: Vec<AttributeRecord>,
    declarations: Vec<Declaration>,
    namespaces: Interned,
    prefixes: Interned,
    /// What each prefix means now, by prefix index; `None` where it is not declared.
    bound: Vec<Option<NamespaceIndex>>,
    /// What to put back when an element ends: how many of its ancestors' bindings it covered.
    covered: Vec<(PrefixIndex, Option<NamespaceIndex>)>,
    /// The open elements: record, and the length of `covered` when it began.
    open: Vec<(u32, usize)>,
    identifiers: HashSet<String>,
    /// Whether the last node is text that the next piece of text continues.
    in_text: bool,
}

impl<'s> Builder<'s> {
    fn new(source: &'s str) -> Self {
        let namespaces = Interned::with(&["", XML.uri()]);
        let prefixes = Interned::with(&["", XML.prefix()]);
        Self {
            source,
            decoded: String::new(),
            nodes: Vec::new(),
            elements: Vec::new(),
            attributes: Vec::new(),
            declarations: Vec::new(),
            namespaces,
            prefixes,
            bound: vec![Some(NO_NAMESPACE), Some(1)],
            covered: Vec::new(),
            open: Vec::new(),
            identifiers: HashSet::new(),
            in_text: false,
        }
    }

    /// Puts an element without a name around all that is read, with what `scope` has.
    fn enter(&mut self, scope: &Scope) {
        for (prefix, namespace) in &scope.namespaces {
            let declaration = Declaration {
                prefix: self.prefixes.index(prefix),
                namespace: self.namespaces.index(namespace),
            };
            let slot = declaration.prefix as usize;
            if slot >= self.bound.len() {
                self.bound.resize(slot + 1, None);
            }
            if let Some(bound) = self.bound.get_mut(slot) {
                *bound = Some(declaration.namespace);
            }
            self.declarations.push(declaration);
        }
        for (name, value) in &scope.xml_attributes {
            let mut span = |text: &str| {
                let start = self.decoded.len();
                self.decoded.push_str(text);
                Span { start: saturated(start) | DECODED, length: saturated(text.len()) }
            };
            let (name, value) = (span(name), span(value));
            // 1 is the namespace of `xml`, as `Builder::new` has it.
            let attribute = AttributeRecord { name, prefix: XML_PREFIX, namespace: 1, value, offset: 0 };
            self.attributes.push(attribute);
        }
        self.elements.push(ElementRecord {
            node: 0,
            parent: None,
            name: Span { start: 0, length: 0 },
            prefix: NO_PREFIX,
            namespace: NO_NAMESPACE,
            attributes: (0, saturated(self.attributes.len())),
            declarations: (0, saturated(self.declarations.len())),
            offset: 0,
            has_comment: false,
        });
        self.nodes.push(Node::Element { record: 0, end: 1 });
        self.open.push((0, 0));
    }

    fn document(mut self) -> Result<Document, XmlRefused> {
        self.read().map_err(|(fault, at)| XmlRefused::at(fault, self.source.as_bytes(), at))?;
        Ok(Document {
            source: self.source.to_owned(),
            decoded: self.decoded,
            nodes: self.nodes,
            elements: self.elements,
            attributes: self.attributes,
            declarations: self.declarations,
            namespaces: self.namespaces.list,
            prefixes: self.prefixes.list,
            line_starts: OnceLock::new(),
        })
    }

    fn read(&mut self) -> Result<(), Fault> {
        let around = self.open.len();
        let mut reader = Reader::from_str(self.source);
        reader.config_mut().check_comments = true;
        loop {
            let start = offset(reader.buffer_position());
            let event = reader.read_event();
            let end = offset(reader.buffer_position());
            match event.map_err(|error| (fault_of(&error), offset(reader.error_position())))? {
                Event::Start(_) => self.begin(start, end, false)?,
                Event::Empty(_) => self.begin(start, end, true)?,
                Event::End(_) => self.end(),
                Event::Text(_) => self.text(start, end)?,
                Event::CData(_) => self.character_data(start, end)?,
                Event::GeneralRef(_) => self.reference(start, end)?,
                Event::Comment(_) => {
                    if let Some(element) =
                        self.open.last().and_then(|&(record, _)| self.elements.get_mut(record as usize))
                    {
                        element.has_comment = true;
                    }
                }
                // The pre-scan has read it, and that it stands first.
                Event::Decl(_) if start == 0 && around == 0 => {}
                Event::Decl(_) | Event::PI(_) => return Err((XmlFault::ProcessingInstruction, start)),
                Event::DocType(_) => return Err((XmlFault::DocumentType, start)),
                Event::Eof => break,
            }
        }
        if self.open.len() != around {
            return Err((XmlFault::Unfinished("an element"), self.source.len()));
        }
        if around > 0 {
            self.end();
        }
        if self.elements.is_empty() {
            return Err((XmlFault::Malformed("no element"), self.source.len()));
        }
        Ok(())
    }

    fn begin(&mut self, start: usize, end: usize, empty: bool) -> Result<(), Fault> {
        if self.open.is_empty() && !self.elements.is_empty() {
            return Err((XmlFault::Malformed("a second outermost element"), start));
        }
        let (name, scanner) = TagScanner::begin(self.source, start + 1)?;
        let first_attribute = self.attributes.len();
        let first_declaration = self.declarations.len();
        let covered = self.covered.len();
        self.take_attributes(scanner, end, empty)?;
        // Namespaces in XML 1.0, section 6: a declaration counts for the element that carries it, so names come after.
        self.resolve_attributes(first_attribute)?;
        let (prefix, namespace) = self.resolve(name, start + 1, true)?;
        let record = saturated(self.elements.len());
        let node = saturated(self.nodes.len());
        self.elements.push(ElementRecord {
            node,
            parent: self.open.last().map(|&(parent, _)| parent),
            name: source_span(start + 1, name),
            prefix,
            namespace,
            attributes: (saturated(first_attribute), saturated(self.attributes.len())),
            declarations: (saturated(first_declaration), saturated(self.declarations.len())),
            offset: saturated(start),
            has_comment: false,
        });
        self.nodes.push(Node::Element { record, end: node + 1 });
        self.in_text = false;
        self.open.push((record, covered));
        if empty {
            self.end();
        }
        Ok(())
    }

    fn end(&mut self) {
        self.in_text = false;
        // quick-xml has matched the name of the end tag with the open element.
        let Some((record, covered)) = self.open.pop() else { return };
        let after = saturated(self.nodes.len());
        let node = self.elements.get(record as usize).map_or(0, |element| element.node);
        if let Some(Node::Element { end, .. }) = self.nodes.get_mut(node as usize) {
            *end = after;
        }
        for (prefix, before) in self.covered.drain(covered..).rev() {
            if let Some(bound) = self.bound.get_mut(prefix as usize) {
                *bound = before;
            }
        }
    }

    /// Takes the attributes in as written and the declarations into force.
    fn take_attributes(&mut self, mut scanner: TagScanner<'s>, end: usize, empty: bool) -> Result<(), Fault> {
        let first_declaration = self.declarations.len();
        loop {
            match scanner.piece()? {
                Piece::Attribute { name, name_at, value, value_at } => {
                    let value = self.attribute_value(value, value_at)?;
                    match declared_prefix(name) {
                        Some(prefix) => self.declare(prefix, name_at, value, first_declaration)?,
                        None => self.attributes.push(AttributeRecord {
                            name: source_span(name_at, name),
                            prefix: NO_PREFIX,
                            namespace: NO_NAMESPACE,
                            value,
                            offset: saturated(name_at),
                        }),
                    }
                }
                Piece::End { empty: ends_empty, next } if ends_empty == empty && next == end => return Ok(()),
                // The two readers of this file must agree about every tag.
                Piece::End { next, .. } => return Err((XmlFault::Malformed("an unclear tag"), next)),
            }
        }
    }

    fn attribute_value(&mut self, raw: &str, at: usize) -> Result<Span, Fault> {
        if is_plain_attribute(raw) {
            return Ok(source_span(at, raw));
        }
        let start = self.decoded.len();
        read_attribute_value(raw, &mut self.decoded).map_err(|(fault, within)| (fault, at + within))?;
        Ok(self.decoded_span(start))
    }

    fn declare(&mut self, prefix: &str, at: usize, value: Span, first: usize) -> Result<(), Fault> {
        let forbidden = |prefix: &str| (XmlFault::ForbiddenNamespace(format!("xmlns:{prefix}")), at);
        let uri = span_str(self.source, &self.decoded, value);
        if !prefix.is_empty() && split_qualified(prefix).is_none_or(|(before, _)| !before.is_empty()) {
            return Err((XmlFault::Malformed("a name that is none"), at));
        }
        // Namespaces in XML 1.0, section 3: `xml` and `xmlns` are reserved, a prefix cannot be undeclared.
        let reserved =
            uri == XMLNS_URI || prefix == "xmlns" || (prefix == XML.prefix()) != (uri == XML.uri());
        if reserved || (uri.is_empty() && !prefix.is_empty()) {
            return Err(forbidden(prefix));
        }
        let namespace = self.namespaces.index(uri);
        let prefix_index = self.prefixes.index(prefix);
        let earlier = self.declarations.get(first..).unwrap_or_default();
        if earlier.iter().any(|declaration| declaration.prefix == prefix_index) {
            return Err((XmlFault::DuplicateAttribute(format!("xmlns:{prefix}")), at));
        }
        self.declarations.push(Declaration { prefix: prefix_index, namespace });
        let slot = prefix_index as usize;
        if slot >= self.bound.len() {
            self.bound.resize(slot + 1, None);
        }
        if let Some(bound) = self.bound.get_mut(slot) {
            self.covered.push((prefix_index, *bound));
            *bound = Some(namespace);
        }
        Ok(())
    }

    fn resolve_attributes(&mut self, first: usize) -> Result<(), Fault> {
        for index in first..self.attributes.len() {
            let Some(attribute) = self.attributes.get(index) else { break };
            let (name, at) = (span_str(self.source, "", attribute.name), attribute.offset as usize);
            let (prefix, namespace) = self.resolve(name, at, false)?;
            if let Some(attribute) = self.attributes.get_mut(index) {
                (attribute.prefix, attribute.namespace) = (prefix, namespace);
            }
        }
        let new = self.attributes.get(first..).unwrap_or_default();
        if let Some(twice) = given_twice(self.source, new) {
            let name = span_str(self.source, "", twice.name).to_owned();
            return Err((XmlFault::DuplicateAttribute(name), twice.offset as usize));
        }
        let mut identifier = None;
        for attribute in new {
            let local = local_name(span_str(self.source, "", attribute.name));
            let is_identifier = match attribute.namespace {
                NO_NAMESPACE => matches!(local, "ID" | "Id" | "id"),
                _ => attribute.prefix == XML_PREFIX && local == "id",
            };
            if is_identifier {
                let value = span_str(self.source, &self.decoded, attribute.value);
                // One element may say its own identifier in two ways; two elements may not share one.
                if identifier != Some(value) && !self.identifiers.insert(value.to_owned()) {
                    return Err((XmlFault::DuplicateId(value.to_owned()), attribute.offset as usize));
                }
                identifier = Some(value);
            }
        }
        Ok(())
    }

    /// What a written name means. Attributes without a prefix are in no namespace (Namespaces in XML 1.0, section 6.2).
    fn resolve(
        &self,
        name: &str,
        at: usize,
        is_element: bool,
    ) -> Result<(PrefixIndex, NamespaceIndex), Fault> {
        let (prefix, _) = split_qualified(name).ok_or((XmlFault::Malformed("a name that is none"), at))?;
        if prefix.is_empty() {
            let default = self.bound.first().copied().flatten().unwrap_or(NO_NAMESPACE);
            return Ok((NO_PREFIX, if is_element { default } else { NO_NAMESPACE }));
        }
        let index = self.prefixes.known(prefix);
        let namespace = index.and_then(|index| self.bound.get(index as usize).copied().flatten());
        match (index, namespace) {
            // An element named `xml:something` is reserved and means nothing to us.
            (Some(XML_PREFIX), Some(_)) if is_element => {
                Err((XmlFault::ForbiddenNamespace("xml".into()), at))
            }
            (Some(index), Some(namespace)) => Ok((index, namespace)),
            _ => Err((XmlFault::UndeclaredPrefix(prefix.to_owned()), at)),
        }
    }

    fn text(&mut self, start: usize, end: usize) -> Result<(), Fault> {
        let raw = self.source.get(start..end).unwrap_or_default();
        // XML 1.0, section 2.4.
        if let Some(at) = section_end(raw) {
            return Err((XmlFault::Malformed("']]>' in text"), start + at));
        }
        if self.open.is_empty() {
            return match raw.bytes().position(|octet| !is_space(octet)) {
                Some(at) => Err((XmlFault::Malformed("text outside the outermost element"), start + at)),
                None => Ok(()),
            };
        }
        self.push_plain(start, raw);
        Ok(())
    }

    fn character_data(&mut self, start: usize, end: usize) -> Result<(), Fault> {
        let (start, end) = (start + "<![CDATA[".len(), end.saturating_sub("]]>".len()));
        if self.open.is_empty() {
            return Err((XmlFault::Malformed("text outside the outermost element"), start));
        }
        self.push_plain(start, self.source.get(start..end).unwrap_or_default());
        Ok(())
    }

    fn reference(&mut self, start: usize, end: usize) -> Result<(), Fault> {
        if self.open.is_empty() {
            return Err((XmlFault::Malformed("text outside the outermost element"), start));
        }
        let name = self.source.get(start + 1..end.saturating_sub(1)).unwrap_or_default();
        self.continue_text(|decoded| read_reference(name, decoded)).map_err(|fault| (fault, start))
    }

    fn push_plain(&mut self, start: usize, raw: &str) {
        if raw.is_empty() {
            return;
        }
        if !self.in_text && is_plain_text(raw) {
            self.nodes.push(Node::Text(source_span(start, raw)));
            self.in_text = true;
            return;
        }
        let appended: Result<(), XmlFault> = self.continue_text(|decoded| {
            read_text(raw, decoded);
            Ok(())
        });
        debug_assert!(appended.is_ok(), "plain text always decodes");
    }

    /// Appends to the text that is open, or begins one. Nothing else writes to `decoded` while text is open but attributes
    /// of elements, and those close it; so the text that is open is always the last thing there.
    fn continue_text(
        &mut self,
        append: impl FnOnce(&mut String) -> Result<(), XmlFault>,
    ) -> Result<(), XmlFault> {
        let start = match self.nodes.last().filter(|_| self.in_text) {
            Some(Node::Text(span)) if span.start & DECODED != 0 => (span.start & !DECODED) as usize,
            Some(Node::Text(span)) => {
                let start = self.decoded.len();
                self.decoded.push_str(span_str(self.source, "", *span));
                self.nodes.pop();
                self.nodes.push(Node::Text(Span { start: 0, length: 0 }));
                start
            }
            _ => {
                self.nodes.push(Node::Text(Span { start: 0, length: 0 }));
                self.decoded.len()
            }
        };
        append(&mut self.decoded)?;
        let span = self.decoded_span(start);
        if let Some(Node::Text(text)) = self.nodes.last_mut() {
            *text = span;
        }
        self.in_text = true;
        Ok(())
    }

    fn decoded_span(&self, start: usize) -> Span {
        Span { start: saturated(start) | DECODED, length: saturated(self.decoded.len() - start) }
    }
}

/// Where `]]>` stands in text. Few texts have a bracket at all, so that is what is looked for.
fn section_end(raw: &str) -> Option<usize> {
    memchr(b']', raw.as_bytes()).and_then(|_| memmem::find(raw.as_bytes(), b"]]>"))
}

/// The first attribute whose resolved name an earlier one has (Namespaces in XML 1.0, section 6.3). In pairs where there are
/// few, which is nearly always; with a set where there are many, so that it stays linear.
fn given_twice<'a>(source: &str, attributes: &'a [AttributeRecord]) -> Option<&'a AttributeRecord> {
    const FEW: usize = 8;
    let name =
        |attribute: &AttributeRecord| (attribute.namespace, local_name(span_str(source, "", attribute.name)));
    if attributes.len() > FEW {
        let mut seen = HashSet::new();
        return attributes.iter().find(|attribute| !seen.insert(name(attribute)));
    }
    attributes.iter().enumerate().find_map(|(index, attribute)| {
        let earlier = attributes.get(..index).unwrap_or_default();
        earlier.iter().any(|other| name(other) == name(attribute)).then_some(attribute)
    })
}

fn local_name(name: &str) -> &str {
    name.bytes().position(|octet| octet == b':').map_or(name, |at| &name[at + 1..])
}

fn source_span(at: usize, text: &str) -> Span {
    Span { start: saturated(at), length: saturated(text.len()) }
}

fn span_str<'t>(source: &'t str, decoded: &'t str, span: Span) -> &'t str {
    let (text, start) =
        if span.start & DECODED == 0 { (source, span.start) } else { (decoded, span.start & !DECODED) };
    text.get(start as usize..start as usize + span.length as usize).unwrap_or_default()
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn fault_of(error: &quick_xml::Error) -> XmlFault {
    use quick_xml::errors::IllFormedError;
    match error {
        quick_xml::Error::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
            XmlFault::MismatchedEnd { expected: expected.clone(), found: found.clone() }
        }
        quick_xml::Error::IllFormed(IllFormedError::DoubleHyphenInComment) => {
            XmlFault::Malformed("'--' in a comment")
        }
        quick_xml::Error::IllFormed(IllFormedError::UnclosedReference) => {
            XmlFault::Malformed("an ampersand that begins no reference")
        }
        quick_xml::Error::Syntax(_) => XmlFault::Unfinished("markup"),
        _ => XmlFault::Malformed("markup that cannot be read"),
    }
}

#[cfg(test)]
mod tests;
