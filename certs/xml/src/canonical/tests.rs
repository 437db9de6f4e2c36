//! Vectors of our own, one for each thing that canonical forms get wrong.

use proptest::prelude::*;

use super::*;
use crate::Limits;

fn canonical(source: &str, path: &[&str], method: &Canonicalization) -> String {
    let document = Document::read(source.as_bytes(), Limits::message()).unwrap();
    let element = path.iter().fold(document.root(), |element, name| {
        element.children().find(|child| child.local_name() == *name).unwrap()
    });
    String::from_utf8(canonicalize(element, method, None).unwrap()).unwrap()
}

fn exclusive(source: &str, path: &[&str]) -> String {
    canonical(source, path, &Canonicalization::exclusive())
}

fn with_prefixes(source: &str, path: &[&str], prefixes: &[&str]) -> String {
    let inclusive_prefixes = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
    canonical(source, path, &Canonicalization::Exclusive { inclusive_prefixes })
}

fn inclusive(source: &str, path: &[&str]) -> String {
    canonical(source, path, &Canonicalization::Inclusive)
}

#[test]
fn an_unused_namespace_is_left_out_and_a_used_one_moves_to_its_user() {
    let source = r#"<r xmlns:a="urn:a" xmlns:b="urn:b"><a:x><a:y/></a:x><a:z b:q="1"/></r>"#;
    assert_eq!(
        exclusive(source, &[]),
        r#"<r><a:x xmlns:a="urn:a"><a:y></a:y></a:x><a:z xmlns:a="urn:a" xmlns:b="urn:b" b:q="1"></a:z></r>"#
    );
    assert_eq!(exclusive(source, &["x", "y"]), r#"<a:y xmlns:a="urn:a"></a:y>"#);
}

#[test]
fn a_namespace_is_declared_again_where_its_prefix_changed_meaning() {
    let source = r#"<a:r xmlns:a="urn:1"><a:x xmlns:a="urn:2"><a:y xmlns:a="urn:1"/></a:x><a:z/></a:r>"#;
    assert_eq!(
        exclusive(source, &[]),
        r#"<a:r xmlns:a="urn:1"><a:x xmlns:a="urn:2"><a:y xmlns:a="urn:1"></a:y></a:x><a:z></a:z></a:r>"#
    );
}

#[test]
fn the_default_namespace_is_undeclared_only_where_octets_around_declare_one() {
    let source = r#"<r xmlns="urn:d"><x xmlns=""><y/></x></r>"#;
    assert_eq!(exclusive(source, &[]), r#"<r xmlns="urn:d"><x xmlns=""><y></y></x></r>"#);
    assert_eq!(exclusive(source, &["x"]), "<x><y></y></x>");
    assert_eq!(inclusive(source, &[]), r#"<r xmlns="urn:d"><x xmlns=""><y></y></x></r>"#);
    assert_eq!(inclusive(source, &["x"]), "<x><y></y></x>");
}

#[test]
fn exclusive_form_undeclares_a_default_across_a_prefixed_element() {
    // `p:m` does not use the default, so its undeclaration shows first at `y`.
    let source = r#"<r xmlns="urn:d" xmlns:p="urn:p"><p:m xmlns=""><y/></p:m></r>"#;
    assert_eq!(exclusive(source, &[]), r#"<r xmlns="urn:d"><p:m xmlns:p="urn:p"><y xmlns=""></y></p:m></r>"#);
    assert_eq!(inclusive(source, &[]), r#"<r xmlns="urn:d" xmlns:p="urn:p"><p:m xmlns=""><y></y></p:m></r>"#);
}

#[test]
fn the_prefix_list_carries_what_is_in_scope_used_or_not() {
    let source =
        r#"<r xmlns="urn:d" xmlns:xs="urn:xs" xmlns:u="urn:u"><x:v xmlns:x="urn:x" t="xs:string"/></r>"#;
    assert_eq!(exclusive(source, &["v"]), r#"<x:v xmlns:x="urn:x" t="xs:string"></x:v>"#);
    assert_eq!(
        with_prefixes(source, &["v"], &["xs", "unknown"]),
        r#"<x:v xmlns:x="urn:x" xmlns:xs="urn:xs" t="xs:string"></x:v>"#
    );
    assert_eq!(
        with_prefixes(source, &["v"], &["#default"]),
        r#"<x:v xmlns="urn:d" xmlns:x="urn:x" t="xs:string"></x:v>"#
    );
}

#[test]
fn a_listed_prefix_is_declared_where_it_is_declared_and_not_repeated() {
    let source = r#"<r xmlns:p="urn:1"><a xmlns:p="urn:1"/><b xmlns:p="urn:2"><c xmlns:p="urn:2"/></b></r>"#;
    assert_eq!(
        with_prefixes(source, &[], &["p"]),
        r#"<r xmlns:p="urn:1"><a></a><b xmlns:p="urn:2"><c></c></b></r>"#
    );
    assert_eq!(exclusive(source, &[]), "<r><a></a><b><c></c></b></r>");
}

#[test]
fn attributes_are_sorted_by_namespace_name_then_local_name() {
    let source =
        r#"<r xmlns:a="urn:z" xmlns:z="urn:a" z:b="1" a:a="2" b="3" a="4" z:a="5" xml:lang="sv" å="6"/>"#;
    assert_eq!(
        exclusive(source, &[]),
        concat!(
            r#"<r xmlns:a="urn:z" xmlns:z="urn:a" a="4" b="3" å="6" xml:lang="sv""#,
            r#" z:a="5" z:b="1" a:a="2"></r>"#
        )
    );
}

#[test]
fn declarations_are_sorted_by_prefix_with_the_default_first() {
    let source = r#"<r xmlns:b="urn:1" xmlns:a="urn:2" xmlns="urn:3" b:x="" a:x=""/>"#;
    assert_eq!(
        exclusive(source, &[]),
        r#"<r xmlns="urn:3" xmlns:a="urn:2" xmlns:b="urn:1" b:x="" a:x=""></r>"#
    );
}

#[test]
fn xml_attributes_are_inherited_in_inclusive_form_only() {
    let source = r#"<r xml:lang="sv" xml:space="preserve"><m xml:lang="en"><x a="1"/></m></r>"#;
    assert_eq!(exclusive(source, &["m", "x"]), r#"<x a="1"></x>"#);
    assert_eq!(inclusive(source, &["m", "x"]), r#"<x a="1" xml:lang="en" xml:space="preserve"></x>"#);
    assert_eq!(inclusive(source, &["m"]), r#"<m xml:lang="en" xml:space="preserve"><x a="1"></x></m>"#);
}

#[test]
fn the_prefix_xml_is_never_declared() {
    let source = r#"<r xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:lang="sv"/>"#;
    assert_eq!(exclusive(source, &[]), r#"<r xml:lang="sv"></r>"#);
    assert_eq!(inclusive(source, &[]), r#"<r xml:lang="sv"></r>"#);
}

#[test]
fn inclusive_form_keeps_every_namespace_in_scope_once() {
    let source = r#"<r xmlns:a="urn:a" xmlns:b="urn:b"><x xmlns:a="urn:a" xmlns:c="urn:c"><b:y/></x></r>"#;
    assert_eq!(
        inclusive(source, &[]),
        r#"<r xmlns:a="urn:a" xmlns:b="urn:b"><x xmlns:c="urn:c"><b:y></b:y></x></r>"#
    );
    assert_eq!(
        inclusive(source, &["x"]),
        r#"<x xmlns:a="urn:a" xmlns:b="urn:b" xmlns:c="urn:c"><b:y></b:y></x>"#
    );
}

#[test]
fn line_ends_and_white_space_are_escaped_as_the_form_says() {
    let source = "<r a=\"x\r\ny\tz&#13;&#10;&#9;\">one\r\ntwo\rthree&#13;&#10;&#9;</r>";
    assert_eq!(exclusive(source, &[]), "<r a=\"x y z&#xD;&#xA;&#x9;\">one\ntwo\nthree&#xD;\n\t</r>");
}

#[test]
fn references_character_data_and_quotes_become_one_form() {
    let source = "<r a='\"&apos;&gt;'>&quot;<![CDATA[<&>]]>&#x26;&#229;</r>";
    assert_eq!(exclusive(source, &[]), "<r a=\"&quot;'>\">\"&lt;&amp;&gt;&amp;å</r>");
}

#[test]
fn comments_vanish_and_do_not_cut_text() {
    let source = "<!-- a --><r>user@example.org<!-- b -->.evil.example</r><!-- c -->";
    assert_eq!(exclusive(source, &[]), "<r>user@example.org.evil.example</r>");
}

#[test]
fn the_declaration_and_the_space_around_the_root_vanish() {
    assert_eq!(
        exclusive("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<r>\n <x/>\n</r>\n", &[]),
        "<r>\n <x></x>\n</r>"
    );
}

#[test]
fn the_omitted_child_alone_is_left_out_with_the_text_around_it_kept() {
    let source = "<r> <s><t/></s>\n<s><t/></s></r>";
    let document = Document::read(source.as_bytes(), Limits::message()).unwrap();
    let omitted = document.root().children().next();
    let octets = canonicalize(document.root(), &Canonicalization::exclusive(), omitted).unwrap();
    assert_eq!(String::from_utf8(octets).unwrap(), "<r> \n<s><t></t></s></r>");
}

#[test]
fn a_form_that_grows_out_of_proportion_is_refused() {
    let name = "u".repeat(20_000);
    let children = "<p:a/>".repeat(1_000);
    let source = format!("<r xmlns:p=\"urn:{name}\">{children}</r>");
    let document = Document::read(source.as_bytes(), Limits::message()).unwrap();
    let refused = canonicalize(document.root(), &Canonicalization::exclusive(), None);
    assert_eq!(refused, Err(CannotCanonicalize { limit: source.len() * 8 + 16 * 1024 }));
    assert!(canonicalize(document.root(), &Canonicalization::Inclusive, None).is_ok());
}

/// Documents with nested and shadowed namespaces, awkward values, comments and character data.
fn some_document() -> impl Strategy<Value = String> {
    let prefix = prop::sample::select(vec!["", "a:", "b:", "c:"]);
    let declarations = prop::collection::btree_map(
        prop::sample::select(vec!["xmlns", "xmlns:a", "xmlns:b", "xmlns:c"]),
        prop::sample::select(vec!["urn:1", "urn:2", "urn:3&amp;å"]),
        0..4,
    );
    let attributes = prop::collection::btree_map(
        prop::sample::select(vec!["x", "y", "a:x", "b:x", "xml:lang"]),
        prop::sample::select(vec!["", "1", "&#13;&#10;", " \t ", "'&quot;&lt;", "åäö"]),
        0..4,
    );
    let content = prop::sample::select(vec![
        "",
        "text",
        "\r\n",
        "&#13;",
        "<!--c-->",
        "a<!--c-->b",
        "<![CDATA[<&>]]>",
        "]]&gt;",
        "&lt;å&#x1F642;",
    ]);
    let start = (prefix, declarations, attributes, content);
    let leaf = start.clone().prop_map(|start| element(start, &[]));
    let nested = leaf.prop_recursive(4, 24, 3, move |inner| {
        (start.clone(), prop::collection::vec(inner, 0..3))
            .prop_map(|(start, children)| element(start, &children))
    });
    nested.prop_map(|inner| format!("<root xmlns:a='urn:1' xmlns:b='urn:4' xmlns:c='urn:5'>{inner}</root>"))
}

type Start<'v> = (
    &'v str,
    std::collections::BTreeMap<&'v str, &'v str>,
    std::collections::BTreeMap<&'v str, &'v str>,
    &'v str,
);

fn element((prefix, declarations, attributes, content): Start<'_>, children: &[String]) -> String {
    let write = |map: std::collections::BTreeMap<&str, &str>| -> String {
        map.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect()
    };
    let (declarations, attributes) = (write(declarations), write(attributes));
    format!("<{prefix}e{declarations}{attributes}>{content}{}{content}</{prefix}e>", children.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Canonical octets read as a document whose canonical octets are the same.
    #[test]
    fn canonical_form_is_its_own_canonical_form(source in some_document()) {
        // Two prefixes for one name can make an attribute stand twice; those documents are refused, rightly.
        let Ok(document) = Document::read(source.as_bytes(), Limits::message()) else { return Ok(()) };
        for method in [
            Canonicalization::exclusive(),
            Canonicalization::Exclusive { inclusive_prefixes: vec!["a".into(), "#default".into()] },
            Canonicalization::Inclusive,
        ] {
            for part in document.elements() {
                let once = canonicalize(part, &method, None).unwrap();
                let again = Document::read(&once, Limits::message()).unwrap();
                let twice = canonicalize(again.root(), &method, None).unwrap();
                prop_assert_eq!(String::from_utf8(once).unwrap(), String::from_utf8(twice).unwrap());
                prop_assert_eq!(part.subtree().count(), again.elements().count());
                for (before, after) in part.subtree().zip(again.elements()) {
                    prop_assert_eq!(before.namespace(), after.namespace());
                    prop_assert_eq!(before.local_name(), after.local_name());
                    prop_assert_eq!(before.text(), after.text());
                }
            }
        }
    }

    /// Whatever the octets, reading ends with a document or a refusal.
    #[test]
    fn no_input_panics(octets in prop::collection::vec(prop::sample::select(b"<>/!?-[]&;#x=\"' ab:CDATxmlns\r\n\xC3\xA5".to_vec()), 0..120)) {
        if let Ok(document) = Document::read(&octets, Limits::message()) {
            prop_assert!(canonicalize(document.root(), &Canonicalization::exclusive(), None).is_ok());
        }
    }
}
