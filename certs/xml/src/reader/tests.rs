//! One test for each rule of the pre-scan and the reader: the refusal beside what is just inside the rule.

use crate::{Document, Limits, Position, XmlFault, XmlRefused, prescan};

fn read(source: &str) -> Result<Document, XmlRefused> {
    Document::read(source.as_bytes(), Limits::message())
}

/// The rule that refuses `source`, and where.
fn refused(source: impl AsRef<[u8]>) -> (&'static str, u32, u32) {
    let refused = Document::read(source.as_ref(), Limits::message()).expect_err("must be refused");
    (refused.rule(), refused.position.line, refused.position.column)
}

#[test]
fn a_document_type_is_refused_wherever_it_stands() {
    assert_eq!(refused("<!DOCTYPE r [<!ENTITY e 'x'>]><r>&e;</r>"), ("xml.doctype", 1, 1));
    assert_eq!(refused("<?xml version='1.0'?>\n <!doctype r><r/>"), ("xml.doctype", 2, 2));
    assert!(read("<r><!-- <!DOCTYPE r> --><![CDATA[<!DOCTYPE r>]]></r>").is_ok());
}

#[test]
fn a_processing_instruction_is_refused() {
    assert_eq!(refused("<?xml-stylesheet href='x'?><r/>"), ("xml.processing_instruction", 1, 1));
    assert_eq!(refused("<r><?php x?></r>"), ("xml.processing_instruction", 1, 4));
    assert_eq!(refused("<r><?xml version='1.0'?></r>"), ("xml.processing_instruction", 1, 4));
    assert_eq!(refused(" <?xml version='1.0'?><r/>"), ("xml.processing_instruction", 1, 2));
    assert!(read("<?xml version='1.0' encoding='utf-8' standalone=\"yes\" ?><r/>").is_ok());
}

#[test]
fn the_declaration_says_version_1_0_in_utf_8() {
    assert_eq!(refused("<?xml version='1.1'?><r/>").0, "xml.declaration");
    assert_eq!(refused("<?xml encoding='UTF-8'?><r/>").0, "xml.declaration");
    for wrong in [
        "version='1.0' version='1.0'",
        "version='1.0'>",
        "version='1.0'/",
        "version='1.0' x",
        "",
        "version='1.0' x='y'",
    ] {
        assert_eq!(refused(format!("<?xml {wrong}?><r/>")).0, "xml.declaration", "{wrong}");
    }
    assert_eq!(refused("<?xml version='1.0' encoding='ISO-8859-1'?><r/>").0, "xml.utf8");
    assert!(read("\u{FEFF}<?xml version=\"1.0\"?><r/>").is_ok());
}

#[test]
fn octets_that_are_not_utf_8_are_refused_at_their_place() {
    assert_eq!(refused(b"<r>\n\xC3\xA5\xFF</r>"), ("xml.utf8", 2, 2));
    assert_eq!(refused(b"\xFF\xFE<\0r\0/\0>\0").0, "xml.utf8");
}

#[test]
fn characters_that_xml_forbids_are_refused() {
    assert_eq!(refused("<r>\u{0}</r>"), ("xml.character", 1, 4));
    assert_eq!(refused("<r a='\u{1F}'/>").0, "xml.character");
    assert_eq!(refused("<r>\u{FFFF}</r>").0, "xml.character");
    assert_eq!(refused("<r>&#0;</r>").0, "xml.character");
    assert!(read("<r>\t\n\r\u{FFFD}\u{F8FF}</r>").is_ok());
}

#[test]
fn size_is_bounded() {
    let exactly = |octets: usize| format!("<r>{}</r>", "x".repeat(octets - 7));
    assert!(read(&exactly(256 * 1024)).is_ok());
    assert_eq!(refused(exactly(256 * 1024 + 1)).0, "xml.size");
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "<r>".repeat(depth), "</r>".repeat(depth));
    assert!(read(&nested(64)).is_ok());
    assert_eq!(refused(nested(65)), ("xml.depth", 1, 64 * 3 + 1));
    let empty = |depth: usize| format!("{}<r/>{}", "<r>".repeat(depth - 1), "</r>".repeat(depth - 1));
    assert!(read(&empty(64)).is_ok());
    assert_eq!(refused(empty(65)).0, "xml.depth");
}

#[test]
fn attributes_and_declarations_are_counted_apart() {
    let with = |attributes: usize, declarations: usize| {
        let attributes: String = (0..attributes).map(|number| format!(" a{number}='x>'")).collect();
        let declarations: String =
            (0..declarations).map(|number| format!(" xmlns:n{number}='urn:{number}'")).collect();
        format!("<r{attributes}{declarations}/>")
    };
    assert!(read(&with(64, 64)).is_ok());
    assert_eq!(refused(with(65, 0)).0, "xml.attribute_count");
    assert_eq!(refused(with(0, 65)).0, "xml.namespace_count");
}

#[test]
fn signatures_are_counted_under_any_prefix() {
    let with =
        |count: usize| format!("<r xmlns:d='urn:d'>{}</r>", "<d:Signature/><!--<Signature>-->".repeat(count));
    assert!(read(&with(4)).is_ok());
    assert_eq!(refused(with(5)).0, "xml.signature_count");
    assert!(prescan(with(5).as_bytes(), Limits::metadata(1 << 20)).is_ok());
}

#[test]
fn a_huge_element_is_refused_in_linear_time() {
    let attributes: String = (0..20_000).map(|number| format!(" a{number}=''")).collect();
    assert_eq!(refused(format!("<r{attributes}/>")).0, "xml.attribute_count");
}

#[test]
fn an_undeclared_prefix_is_refused_on_elements_and_attributes() {
    assert_eq!(refused("<r>\n<p:x/></r>"), ("xml.prefix", 2, 2));
    assert_eq!(refused("<r p:x=''/>").0, "xml.prefix");
    assert_eq!(refused("<r><x xmlns:p='urn:p'/><p:y/></r>").0, "xml.prefix");
    assert!(read("<p:r xmlns:p='urn:p' p:x='' xml:lang='sv'/>").is_ok());
}

#[test]
fn reserved_and_undeclaring_declarations_are_refused() {
    for wrong in [
        "<r xmlns:p=''/>",
        "<r xmlns:xmlns='urn:x'/>",
        "<r xmlns:xml='urn:x'/>",
        "<r xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        "<r xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "<r xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        "<xml:r/>",
    ] {
        assert_eq!(refused(wrong).0, "xml.namespace", "{wrong}");
    }
    assert_eq!(refused("<xmlns:r/>").0, "xml.prefix");
    assert!(read("<r xmlns='' xmlns:xml='http://www.w3.org/XML/1998/namespace'/>").is_ok());
}

#[test]
fn an_attribute_twice_is_refused_also_by_its_resolved_name() {
    assert_eq!(refused("<r a='1' a='2'/>"), ("xml.attribute_twice", 1, 10));
    assert_eq!(refused("<r xmlns:p='urn:x' xmlns:q='urn:x' p:a='1' q:a='2'/>").0, "xml.attribute_twice");
    assert_eq!(refused("<r xmlns:p='urn:x' xmlns:p='urn:x'/>").0, "xml.attribute_twice");
    assert_eq!(refused("<r xmlns='urn:x' xmlns='urn:x'/>").0, "xml.attribute_twice");
    assert!(read("<r xmlns='urn:x' xmlns:q='urn:x' a='1' q:a='2'/>").is_ok());
    let many: String = (0..20).map(|number| format!(" a{number}='x'")).collect();
    assert!(read(&format!("<r{many}/>")).is_ok());
    assert_eq!(refused(format!("<r{many} a7='y'/>")).0, "xml.attribute_twice");
}

#[test]
fn an_identifier_twice_is_refused_across_its_spellings() {
    for (first, second) in [("ID", "ID"), ("ID", "Id"), ("Id", "id"), ("ID", "xml:id")] {
        let source = format!("<r><x {first}='a'/>\n<y {second}='a'/></r>");
        assert_eq!(refused(source), ("xml.id_twice", 2, 4), "{first} {second}");
    }
    assert!(read("<r ID='a'><x ID='b'/><y entityID='a' xmlns:p='urn:p' p:ID='a'/></r>").is_ok());
}

#[test]
fn entities_beyond_the_five_are_refused() {
    assert_eq!(refused("<r>&nbsp;</r>"), ("xml.entity", 1, 4));
    assert_eq!(refused("<r a='&e;'/>").0, "xml.entity");
    assert_eq!(
        read("<r a='&amp;&lt;'>&gt;&quot;&apos;&#229;&#xE5;</r>").unwrap().root().text(),
        Some(">\"'åå")
    );
}

#[test]
fn text_is_joined_across_comments_references_and_character_data() {
    let document = read("<r>one<!-- x -->&amp;<![CDATA[<two>]]>\r\nthree<x/>four</r>").unwrap();
    assert_eq!(document.root().text(), None, "mixed content has no single text");
    let document = read("<r>one<!-- x -->&amp;<![CDATA[<two>]]>\r\nthree</r>").unwrap();
    assert_eq!(document.root().text(), Some("one&<two>\nthree"));
    assert!(document.root().has_comment());
    assert_eq!(read("<r><!-- x --></r>").unwrap().root().text(), Some(""));
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for wrong in [
        "",
        " ",
        "x",
        "<r>",
        "<r",
        "<r a>",
        "<r a=>",
        "<r a=x>",
        "<r a='x>",
        "<r a='x'b='y'/>",
        "<r a='<'/>",
        "<r/><r/>",
        "<r/>x",
        "x<r/>",
        "<r/>&amp;",
        "<![CDATA[x]]><r/>",
        "<r>]]></r>",
        "<r>&</r>",
        "<r>& </r>",
        "<r a='&'/>",
        "</r>",
        "<r></r></r>",
        "<r></s>",
        "<a><b></a></b>",
        "< r/>",
        "<r/ >",
        "<r><!-- a -- b --></r>",
        "<r><!-- a</r>",
        "<1/>",
        "<a:b:c/>",
        "<:a/>",
        "<r :a=''/>",
        "<r><![CDATA[</r>",
        "<r><!x></r>",
        "<r xmlns:a:b='urn:x'/>",
        "<r xmlns:='urn:x'/>",
        "<r>&#x;</r>",
        "<r></r",
        "<r></>",
        "<>",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
    for right in
        ["<r/>", "<r />", "<r></r >", "<r\na = 'x'\t/>", "<r><!----></r>", " <r/>\n<!-- x -->", "<r>]] ></r>"]
    {
        assert!(read(right).is_ok(), "{right}");
    }
    let fault = read("<a>\n</b>").unwrap_err().fault;
    assert_eq!(fault, XmlFault::MismatchedEnd { expected: "a".into(), found: "b".into() });
}

#[test]
fn names_resolve_and_navigation_follows_them() {
    let document =
        read("<p:r xmlns:p='urn:p' xmlns='urn:d' p:a='1' a='2'><x/><p:x>t</p:x><x><y/></x></p:r>").unwrap();
    let root = document.root();
    assert!(root.is("urn:p", "r") && root.parent().is_none());
    assert_eq!((root.attribute("a"), root.attribute_in("urn:p", "a")), (Some("2"), Some("1")));
    assert_eq!(root.children_named("urn:d", "x").count(), 2);
    assert_eq!(root.child("urn:p", "x").and_then(|x| x.text()), Some("t"));
    assert_eq!(root.children().map(|child| child.qualified_name()).collect::<Vec<_>>(), ["x", "p:x", "x"]);
    let last = root.children().last().unwrap();
    assert_eq!(last.children().next().and_then(|y| y.parent()), Some(last));
    assert_eq!(document.elements().count(), 5);
}

#[test]
fn places_count_lines_and_characters() {
    let document = read("<r>\n <å ä='1'\n  b='2'/>\n</r>").unwrap();
    let child = document.root().children().next().unwrap();
    assert_eq!(child.position(), Position { line: 2, column: 2 });
    let places: Vec<_> = child.attributes().map(|attribute| attribute.position()).collect();
    assert_eq!(places, [Position { line: 2, column: 5 }, Position { line: 3, column: 3 }]);
}

#[test]
fn debug_shows_no_content() {
    let document = read("<r person='191212121212'>secret</r>").unwrap();
    let shown =
        format!("{document:?} {:?} {:?}", document.root(), document.root().attributes().next().unwrap());
    assert!(!shown.contains("191212121212") && !shown.contains("secret"), "{shown}");
}
