//! Elements of our own, written in exclusive canonical form by construction: what is signed is what is sent.
//!
//! Names and namespaces are fixed in code; only values vary. Neighbours: `namespace.rs` (the closed list of prefixes),
//! `escape.rs`, and `certs::xml_signature`, which inserts the signature.

use thiserror::Error;

use crate::{
    characters::is_allowed,
    escape::{write_attribute_value, write_text},
    namespace::{Namespace, XML},
};

/// A value holds a character that XML 1.0 cannot carry in any form (section 2.2), such as a null or an escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a value of <{element}> holds U+{:04X}, which XML cannot carry", u32::from(*character))]
pub struct CannotWrite {
    /// The local name of the element.
    pub element: &'static str,
    /// The character.
    pub character: char,
}

/// An element to be written. It owns its values; dropping it is all the cleaning there is.
#[derive(Clone, PartialEq, Eq)]
pub struct NewElement {
    namespace: Namespace,
    local_name: &'static str,
    attributes: Vec<(Option<Namespace>, &'static str, String)>,
    content: Vec<Content>,
}

#[derive(Clone, PartialEq, Eq)]
enum Content {
    Element(NewElement),
    Text(String),
}

impl std::fmt::Debug for NewElement {
    /// The name alone: values may be personal.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "<{}:{}>", self.namespace.prefix(), self.local_name)
    }
}

impl NewElement {
    /// An empty element.
    #[must_use]
    pub fn new(namespace: Namespace, local_name: &'static str) -> Self {
        Self { namespace, local_name, attributes: Vec::new(), content: Vec::new() }
    }

    /// The namespace it is in.
    #[must_use]
    pub fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// Its name without prefix.
    #[must_use]
    pub fn local_name(&self) -> &'static str {
        self.local_name
    }

    /// Sets an attribute in no namespace, replacing what it was.
    #[must_use]
    pub fn with_attribute(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.set(None, name, value.into());
        self
    }

    /// Sets an attribute if there is a value.
    #[must_use]
    pub fn with_optional_attribute(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with_attribute(name, value),
            None => self,
        }
    }

    /// Sets an attribute in a namespace, such as `xml:lang`.
    #[must_use]
    pub fn with_attribute_in(
        mut self,
        namespace: Namespace,
        name: &'static str,
        value: impl Into<String>,
    ) -> Self {
        self.set(Some(namespace), name, value.into());
        self
    }

    /// Appends text.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.content.push(Content::Text(text.into()));
        self
    }

    /// Appends a child.
    #[must_use]
    pub fn with_child(mut self, child: NewElement) -> Self {
        self.push(child);
        self
    }

    /// Appends children, in order.
    #[must_use]
    pub fn with_children(mut self, children: impl IntoIterator<Item = NewElement>) -> Self {
        self.content.extend(children.into_iter().map(Content::Element));
        self
    }

    /// Appends a child.
    pub fn push(&mut self, child: NewElement) {
        self.content.push(Content::Element(child));
    }

    /// Puts `child` right after the first child element if that is `namespace` `local_name`, else before everything.
    pub fn insert_after_first(&mut self, namespace: Namespace, local_name: &str, child: NewElement) {
        let after = match self.content.first() {
            Some(Content::Element(first)) => first.namespace == namespace && first.local_name == local_name,
            _ => false,
        };
        self.content.insert(usize::from(after), Content::Element(child));
    }

    /// The value of an attribute in no namespace.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(namespace, own, _)| namespace.is_none() && *own == name)
            .map(|(_, _, value)| value.as_str())
    }

    /// The child elements, in order.
    pub fn children(&self) -> impl Iterator<Item = &NewElement> {
        self.content.iter().filter_map(|content| match content {
            Content::Element(element) => Some(element),
            Content::Text(_) => None,
        })
    }

    fn set(&mut self, namespace: Option<Namespace>, name: &'static str, value: String) {
        self.attributes.retain(|(own_namespace, own, _)| (*own_namespace, *own) != (namespace, name));
        self.attributes.push((namespace, name, value));
        // Canonical XML 1.0, section 2.2: by the name of the namespace, none first, then by the name.
        self.attributes.sort_by_key(|(namespace, name, _)| (namespace.map_or("", Namespace::uri), *name));
    }

    /// The element in exclusive canonical form, as a document of its own: UTF-8, no XML declaration.
    ///
    /// # Errors
    /// [`CannotWrite`] when a value holds a character that XML cannot carry.
    pub fn to_canonical(&self) -> Result<Vec<u8>, CannotWrite> {
        let mut out = Vec::with_capacity(2048);
        self.write(&mut Vec::new(), &mut out)?;
        Ok(out)
    }

    /// `declared` holds the namespaces that the elements around this one have declared.
    fn write(&self, declared: &mut Vec<Namespace>, out: &mut Vec<u8>) -> Result<(), CannotWrite> {
        let before = declared.len();
        out.push(b'<');
        self.write_name(out);
        let used = self.attributes.iter().filter_map(|(namespace, ..)| *namespace).chain([self.namespace]);
        for namespace in used {
            if namespace != XML && !declared.contains(&namespace) {
                declared.push(namespace);
            }
        }
        let new = declared.get_mut(before..).unwrap_or_default();
        new.sort_unstable_by_key(|namespace| namespace.prefix());
        for namespace in new {
            out.extend_from_slice(b" xmlns:");
            out.extend_from_slice(namespace.prefix().as_bytes());
            out.extend_from_slice(b"=\"");
            write_attribute_value(namespace.uri(), out);
            out.push(b'"');
        }
        for (namespace, name, value) in &self.attributes {
            self.check(value)?;
            out.push(b' ');
            if let Some(namespace) = namespace {
                out.extend_from_slice(namespace.prefix().as_bytes());
                out.push(b':');
            }
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"=\"");
            write_attribute_value(value, out);
            out.push(b'"');
        }
        out.push(b'>');
        for content in &self.content {
            match content {
                Content::Element(element) => element.write(declared, out)?,
                Content::Text(text) => {
                    self.check(text)?;
                    write_text(text, out);
                }
            }
        }
        declared.truncate(before);
        out.extend_from_slice(b"</");
        self.write_name(out);
        out.push(b'>');
        Ok(())
    }

    fn write_name(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.namespace.prefix().as_bytes());
        out.push(b':');
        out.extend_from_slice(self.local_name.as_bytes());
    }

    fn check(&self, value: &str) -> Result<(), CannotWrite> {
        match value.chars().find(|&character| !is_allowed(character)) {
            Some(character) => Err(CannotWrite { element: self.local_name, character }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Canonicalization, Document, Limits, canonicalize,
        namespace::{MD, MDUI, SAML, SAMLP, XSI},
    };

    fn written(element: &NewElement) -> String {
        String::from_utf8(element.to_canonical().unwrap()).unwrap()
    }

    #[test]
    fn namespaces_are_declared_where_first_used_and_again_after_their_scope() {
        let tree = NewElement::new(SAMLP, "Response")
            .with_child(NewElement::new(SAML, "Issuer").with_text("a"))
            .with_child(NewElement::new(SAML, "Assertion").with_child(NewElement::new(SAML, "Issuer")));
        assert_eq!(
            written(&tree),
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
             <saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">a</saml:Issuer>\
             <saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"><saml:Issuer></saml:Issuer>\
             </saml:Assertion></samlp:Response>"
        );
    }

    #[test]
    fn what_is_written_is_its_own_exclusive_canonical_form() {
        let tree = NewElement::new(MD, "EntityDescriptor")
            .with_attribute("validUntil", "2030")
            .with_attribute("ID", "_å\"<>&'\t\r\n")
            .with_attribute_in(XSI, "type", "x")
            .with_child(
                NewElement::new(MDUI, "DisplayName")
                    .with_attribute_in(XML, "lang", "sv")
                    .with_text(" <Härnösand> & \r\n\t\"co\" ]]> 🙂 "),
            );
        let octets = tree.to_canonical().unwrap();
        let document = Document::read(&octets, Limits::message()).unwrap();
        let again = canonicalize(document.root(), &Canonicalization::exclusive(), None).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), String::from_utf8(octets).unwrap());
        assert_eq!(document.root().attribute("ID"), Some("_å\"<>&'\t\r\n"));
        assert_eq!(
            document.root().child(MDUI.uri(), "DisplayName").and_then(|name| name.text()),
            Some(" <Härnösand> & \r\n\t\"co\" ]]> 🙂 ")
        );
    }

    #[test]
    fn a_value_that_xml_cannot_carry_is_refused() {
        let tree = NewElement::new(SAML, "AttributeValue").with_text("a\u{0}");
        assert_eq!(tree.to_canonical(), Err(CannotWrite { element: "AttributeValue", character: '\0' }));
        let tree = NewElement::new(SAML, "Attribute").with_attribute("Name", "\u{FFFE}");
        assert_eq!(tree.to_canonical(), Err(CannotWrite { element: "Attribute", character: '\u{FFFE}' }));
    }

    #[test]
    fn setting_an_attribute_again_replaces_it() {
        let tree = NewElement::new(SAML, "Assertion").with_attribute("ID", "a").with_attribute("ID", "b");
        assert_eq!(tree.attribute("ID"), Some("b"));
        assert!(written(&tree).ends_with(" ID=\"b\"></saml:Assertion>"));
    }
}
