//! What must hold of every document that is read at all, whatever it says.

use std::collections::HashSet;

use certs_xml::{Canonicalization, Document, Limits, canonicalize};

/// Canonical form is a fixed point: reading what was written and writing it again changes nothing.
pub(crate) fn writes_what_it_reads(document: &Document) {
    for form in [Canonicalization::exclusive(), Canonicalization::Inclusive] {
        let Ok(written) = canonicalize(document.root(), &form, None) else { continue };
        let limits = Limits { namespaces: 256, ..Limits::metadata(written.len()) };
        let again = Document::read(&written, limits).expect("canonical form reads");
        let rewritten = canonicalize(again.root(), &form, None).expect("no larger than before");
        assert!(rewritten == written, "canonical form changes when it is read and written again");
        let shape = |document: &Document| -> Vec<(String, String, usize)> {
            document
                .elements()
                .map(|element| {
                    (
                        element.namespace().to_owned(),
                        element.local_name().to_owned(),
                        element.attributes().count(),
                    )
                })
                .collect()
        };
        assert_eq!(shape(document), shape(&again), "elements change when they are written and read again");
    }
}

/// Every text and every attribute value of a document, as written and without white space at both ends.
pub(crate) fn values(document: &Document) -> HashSet<&str> {
    let mut values = HashSet::new();
    for element in document.elements() {
        let texts = element.text().into_iter().chain(element.attributes().map(|attribute| attribute.value()));
        for text in texts {
            values.insert(text);
            values.insert(text.trim_matches([' ', '\t', '\r', '\n']));
        }
    }
    values
}
