//! Octets that were cut out of a document, read with the namespaces of the place where they stood.
//!
//! XML Encryption 1.1, section 4.3.3: what an `EncryptedData` holds is put in its place, so its prefixes may be declared around it.
//! Neighbour: `reader.rs`, which reads the result as any other document.

use crate::{Document, Element, Limits, XmlRefused, escape::write_attribute_value};

/// The element around what is read; it exists in no document that anybody sends.
const AROUND: &str = "in-context";

impl Document {
    /// Reads `octets` as if they stood inside `context`: the namespaces in force there are declared on an element of ours, the root,
    /// that is put around them. Nothing else of the context is carried over. Octets that end that element and begin another make a
    /// document with two outermost elements, which does not read.
    ///
    /// # Errors
    /// As [`Document::read`]; `limits` hold for the octets together with the element around them.
    pub fn read_in_context(octets: &[u8], context: Element<'_>, limits: Limits) -> Result<Self, XmlRefused> {
        let mut wrapped = Vec::with_capacity(octets.len() + 256);
        wrapped.push(b'<');
        wrapped.extend_from_slice(AROUND.as_bytes());
        for (prefix, namespace) in context.namespaces_in_scope() {
            wrapped.extend_from_slice(b" xmlns");
            if !prefix.is_empty() {
                wrapped.push(b':');
                wrapped.extend_from_slice(prefix.as_bytes());
            }
            wrapped.extend_from_slice(b"=\"");
            write_attribute_value(namespace, &mut wrapped);
            wrapped.push(b'"');
        }
        wrapped.push(b'>');
        wrapped.extend_from_slice(octets);
        wrapped.extend_from_slice(b"</");
        wrapped.extend_from_slice(AROUND.as_bytes());
        wrapped.push(b'>');
        Self::read(&wrapped, limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTER: &str =
        r#"<o xmlns="urn:d" xmlns:a="urn:a&amp;&quot;" xmlns:b="urn:b"><i xmlns:b="urn:nearer"/></o>"#;

    fn read(octets: &str) -> Result<Document, XmlRefused> {
        let outer = Document::read(OUTER.as_bytes(), Limits::message()).expect("reads");
        let inner = outer.root().children().next().expect("an element");
        Document::read_in_context(octets.as_bytes(), inner, Limits::message())
    }

    #[test]
    fn prefixes_mean_what_they_mean_in_the_context() {
        let document = read("<a:x><b:y/><z/></a:x>").expect("reads");
        let names: Vec<_> =
            document.elements().skip(1).map(|element| (element.namespace(), element.local_name())).collect();
        assert_eq!(names, [("urn:a&\"", "x"), ("urn:nearer", "y"), ("urn:d", "z")]);
    }

    #[test]
    fn a_prefix_that_is_not_declared_there_either_is_refused() {
        assert!(read("<c:x/>").is_err());
    }

    #[test]
    fn octets_cannot_leave_the_element_that_is_put_around_them() {
        assert!(read("</in-context><in-context>").is_err());
        assert!(read("<a:x/></in-context><in-context><a:y/>").is_err());
        assert!(read("<!DOCTYPE a><a:x/>").is_err());
        assert!(read("<?xml version=\"1.0\"?><a:x/>").is_err());
    }
}
