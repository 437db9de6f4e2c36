//! The streaming verifier against the one of whole documents: the same verdict, the same digest, the same octets.

use std::convert::Infallible;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs_xml::{
    canonical::{EXCLUSIVE_URI, INCLUSIVE_URI},
    namespace::MD,
};

use super::*;
use crate::{DigestAlgorithm, PrivateKey, Signer as _};

const GROUP: Group = Group { namespace: MD, local_name: "EntitiesDescriptor" };
const LIMITS: StreamLimits =
    StreamLimits { octets: 1 << 20, piece: 1 << 16, within: Limits::metadata(1 << 16) };

fn key() -> PrivateKey {
    PrivateKey::generate_p256().unwrap()
}

/// Numbers that look like chance and are the same at each run (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

/// How a document is signed.
#[derive(Clone)]
struct How {
    reference: &'static str,
    transform: Canonicalization,
    signed_info: Canonicalization,
}

impl How {
    fn exclusive(prefixes: &[&str]) -> Self {
        let inclusive_prefixes = prefixes.iter().map(|&prefix| prefix.to_owned()).collect();
        let method = Canonicalization::Exclusive { inclusive_prefixes };
        Self { reference: "#_root", transform: method, signed_info: Canonicalization::exclusive() }
    }

    fn all() -> [Self; 5] {
        let plain = Self::exclusive(&[]);
        [
            plain.clone(),
            Self { reference: "", ..plain.clone() },
            Self::exclusive(&["xs", "#default", "u"]),
            Self {
                transform: Canonicalization::Inclusive,
                signed_info: Canonicalization::Inclusive,
                ..plain.clone()
            },
            Self { signed_info: Canonicalization::Inclusive, ..plain },
        ]
    }
}

fn method(name: &str, form: &Canonicalization) -> String {
    match form {
        Canonicalization::Inclusive => format!(r#"<ds:{name} Algorithm="{INCLUSIVE_URI}"/>"#),
        Canonicalization::Exclusive { inclusive_prefixes } if inclusive_prefixes.is_empty() => {
            format!(r#"<ds:{name} Algorithm="{EXCLUSIVE_URI}"/>"#)
        }
        Canonicalization::Exclusive { inclusive_prefixes } => format!(
            r#"<ds:{name} Algorithm="{EXCLUSIVE_URI}"><ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE_URI}" PrefixList="{}"/></ds:{name}>"#,
            inclusive_prefixes.join(" ")
        ),
    }
}

/// `template` with a signature where it says `{signature}`; digest and signature by the verifier of whole documents' own means.
fn signed(template: &str, how: &How, key: &PrivateKey) -> String {
    let signature = format!(
        r#"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>{}<ds:SignatureMethod
        Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/><ds:Reference URI="{}"><ds:Transforms><ds:Transform
        Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>{}</ds:Transforms><ds:DigestMethod
        Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>{{digest}}</ds:DigestValue></ds:Reference></ds:SignedInfo>
        <ds:SignatureValue>{{value}}</ds:SignatureValue></ds:Signature>"#,
        method("CanonicalizationMethod", &how.signed_info),
        how.reference,
        method("Transform", &how.transform),
    );
    let written = template.replacen("{signature}", &signature, 1);
    let canonical = |written: &str, of_root: bool| {
        let document = Document::read(written.as_bytes(), Limits::metadata(1 << 20)).unwrap();
        let root = document.root();
        let signature = root.child(DS.uri(), "Signature").unwrap();
        match of_root {
            true => canonicalize(root, &how.transform, Some(signature)).unwrap(),
            false => canonicalize(signature.child(DS.uri(), "SignedInfo").unwrap(), &how.signed_info, None)
                .unwrap(),
        }
    };
    let digest = STANDARD.encode(DigestAlgorithm::Sha256.digest(&canonical(&written, true)));
    let written = written.replacen("{digest}", &digest, 1);
    let value = STANDARD.encode(key.sign(&canonical(&written, false)).unwrap());
    written.replacen("{value}", &value, 1)
}

/// A document with all that canonical form knows: some of it no publisher would write.
fn document(chance: &mut Chance) -> String {
    const DECLARATIONS: &[&str] = &[
        "",
        " xmlns:u=\"urn:unused\"",
        " xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"",
        " xmlns=\"urn:d\"",
        " xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\"",
        " xmlns:m=\"urn:oasis:names:tc:SAML:2.0:metadata\"",
        "\n xmlns:a=\"urn:a\" a:z=\"1\"\tb='\"&gt;\n\t&#10;'",
        " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation='x y'",
        " xml:lang=\"sv\"",
    ];
    const TEXTS: &[&str] = &[
        "",
        "\n  ",
        "\r\n",
        " å &amp; ä\r",
        "<!-- > ö -->",
        "<![CDATA[<x>]]>",
        "&#13;",
        "\u{1F600}",
        "<!---->\n<!-- - -->",
    ];
    let mut xml = chance.one(&["", "\u{FEFF}", "<?xml version=\"1.0\"?>\n", "<!-- a --> "]).to_owned();
    xml += "<md:EntitiesDescriptor ID=\"_root\" xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\"";
    xml += chance.one(DECLARATIONS);
    xml += ">";
    xml += chance.one(TEXTS);
    xml += "{signature}";
    let mut open = 0;
    for number in 0..3 + chance.below(12) {
        xml += chance.one(TEXTS);
        match chance.below(8) {
            0 => {
                xml += &format!(
                    "<md:EntitiesDescriptor Name='g{number}'{}><md:Extensions/>",
                    chance.one(DECLARATIONS)
                );
                open += 1;
            }
            1 if open > 0 => {
                xml += "</md:EntitiesDescriptor >";
                open -= 1;
            }
            2 => xml += "<EntitiesDescriptor xmlns='urn:other'><y/>z</EntitiesDescriptor>",
            3 => xml += "<md:EntitiesDescriptor/>",
            4 => {
                xml += "<md:Extensions><x xmlns='urn:e'/><ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/></md:Extensions>"
            }
            _ => {
                xml += &format!(
                    "<md:EntityDescriptor{} entityID=\"https://{number}.example\">{}<md:R{}>{}</md:R><x{}>{}</x></md:EntityDescriptor>",
                    chance.one(DECLARATIONS),
                    chance.one(TEXTS),
                    chance.one(DECLARATIONS),
                    chance.one(TEXTS),
                    chance.one(DECLARATIONS),
                    chance.one(TEXTS),
                );
            }
        }
    }
    xml += &"</md:EntitiesDescriptor>".repeat(open);
    xml += chance.one(TEXTS);
    xml += "</md:EntitiesDescriptor>";
    xml += chance.one(&["", "\n", "\r\n<!-- the end -->"]);
    xml
}

/// Gives one octet at a time.
struct Single<'o>(&'o [u8]);

impl Read for Single<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (Some(room), Some((first, rest))) = (buffer.first_mut(), self.0.split_first()) else {
            return Ok(0);
        };
        *room = *first;
        self.0 = rest;
        Ok(1)
    }
}

/// What comes out: the digest, the children alone, and their places.
type Out = (Vec<u8>, Vec<Vec<u8>>, Vec<Position>);

fn streamed_from<R: Read>(input: R, keys: &[PublicKey], limits: StreamLimits) -> Result<Out, &'static str> {
    let (mut children, mut places) = (Vec::new(), Vec::new());
    let proof = verify(input, keys, &AlgorithmPolicy::default(), limits, GROUP, |part| {
        let place = match part.unproven() {
            Part::Child(child) => Some(child.place),
            _ => None,
        };
        children.push(part.map(|part| match part {
            Part::Child(child) => Some(child.octets),
            _ => None,
        }));
        places.extend(place);
        Ok::<_, Infallible>(())
    })
    .map_err(|refused| match refused {
        NotVerified::Input(_) => "input",
        NotVerified::Xml(refused) => refused.rule(),
        NotVerified::Signature(refused) => refused.rule(),
        NotVerified::Stopped(never) => match never {},
    })?;
    let children = children
        .into_iter()
        .filter_map(|child| proof.prove(child).expect("of this run").into_value())
        .collect();
    Ok((proof.digest().to_vec(), children, places))
}

fn streamed(octets: &[u8], key: &PrivateKey) -> Result<Out, &'static str> {
    streamed_from(octets, &[key.public_key().clone()], LIMITS)
}

/// The same by the verifier of whole documents.
fn whole(octets: &[u8], key: &PrivateKey) -> Result<Out, &'static str> {
    let document = Document::read(octets, Limits::metadata(1 << 20)).map_err(|refused| refused.rule())?;
    let keys = [key.public_key().clone()];
    let signed = super::super::verify(document.root(), &keys, &AlgorithmPolicy::default(), Profile::Metadata)
        .map_err(|refused| refused.rule())?
        .into_value();
    let read = signed.document().expect("canonical octets read");
    fn below(element: Element<'_>) -> Vec<Element<'_>> {
        let inside = |child| {
            if GROUP.is_of(child) && child.children().next().is_some() { below(child) } else { vec![child] }
        };
        element.children().flat_map(inside).collect()
    }
    let children = below(read.root())
        .into_iter()
        .map(|child| canonicalize(child, &Canonicalization::exclusive(), None).expect("small"));
    let places = below(document.root()).into_iter().filter(|child| !child.is(DS.uri(), "Signature"));
    Ok((signed.digest.clone(), children.collect(), places.map(Element::position).collect()))
}

#[test]
fn the_verdict_the_digest_and_the_octets_are_those_of_the_whole_document() {
    let key = key();
    for seed in 0..300 {
        let mut chance = Chance(seed);
        let template = document(&mut chance);
        for how in How::all() {
            let octets = signed(&template, &how, &key);
            let (digest, children, places) =
                whole(octets.as_bytes(), &key).unwrap_or_else(|rule| panic!("{rule}: {octets}"));
            let stream = streamed(octets.as_bytes(), &key).unwrap_or_else(|rule| panic!("{rule}: {octets}"));
            assert_eq!(stream.0, digest, "{octets}");
            assert_eq!(stream.2, places, "{octets}");
            // Where prefixes are carried along, what stands alone carries them, too.
            if how.transform == Canonicalization::exclusive() {
                assert_eq!(stream.1, children, "{octets}");
            }
            for alone in &stream.1 {
                let read = Document::read(alone, LIMITS.within).expect("it stands alone");
                assert!(!read.root().local_name().is_empty());
            }
        }
    }
}

#[test]
fn where_the_reads_end_changes_nothing() {
    let key = key();
    for seed in 0..20 {
        let octets = signed(&document(&mut Chance(seed)), &How::all()[(seed % 5) as usize], &key);
        let keys = [key.public_key().clone()];
        let single = streamed_from(Single(octets.as_bytes()), &keys, LIMITS);
        assert_eq!(single.expect("verifies"), streamed(octets.as_bytes(), &key).expect("verifies"));
    }
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let key = key();
    let octets = signed(&document(&mut Chance(7)), &How::exclusive(&[]), &key);
    let whole = octets.trim_end().strip_suffix("<!-- the end -->").unwrap_or(&octets).trim_end().len();
    for end in 0..whole {
        assert!(streamed(&octets.as_bytes()[..end], &key).is_err(), "{end} of {whole}");
    }
}

#[test]
fn one_octet_changed_is_refused_or_changes_nothing_that_was_signed() {
    let key = key();
    let octets = signed(&document(&mut Chance(11)), &How::exclusive(&[]), &key);
    let genuine = streamed(octets.as_bytes(), &key).expect("verifies");
    let mut refused = 0;
    for at in 0..octets.len() {
        let mut bent = octets.clone().into_bytes();
        bent[at] ^= 1 << (at % 7);
        match streamed(&bent, &key) {
            Err(_) => refused += 1,
            // White space in a tag or in a value in base64, and comments, are not in canonical form.
            Ok(read) => assert_eq!((read.0, read.1), (genuine.0.clone(), genuine.1.clone()), "octet {at}"),
        }
        let whole = whole(&bent, &key).is_ok();
        assert_eq!(streamed(&bent, &key).is_ok(), whole, "octet {at}");
    }
    assert!(refused * 10 > octets.len() * 9, "{refused} of {}", octets.len());
}

fn template(rest: &str) -> String {
    format!(
        "<EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" ID=\"_root\">{{signature}}{rest}</EntitiesDescriptor>"
    )
}

fn verdict(written: &str, key: &PrivateKey) -> Result<Vec<Vec<u8>>, &'static str> {
    streamed(written.as_bytes(), key).map(|(_, children, _)| children)
}

#[test]
fn the_signature_comes_first() {
    let key = key();
    let good = signed(&template("<a/><b/>"), &How::exclusive(&[]), &key);
    assert_eq!(verdict(&good, &key).expect("verifies").len(), 2);
    let start = good.find("<ds:Signature ").unwrap();
    let end = good.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let (without, signature) = (format!("{}{}", &good[..start], &good[end..]), &good[start..end]);
    let late = without.replace("<b", &format!("{signature}<b"));
    assert_eq!(verdict(&late, &key), Err("signature.place"));
    assert_eq!(verdict(&without, &key), Err("signature.place"));
    assert_eq!(
        verdict(
            "<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' ID='_root'> </EntitiesDescriptor>",
            &key
        ),
        Err("signature.missing")
    );
    assert_eq!(
        verdict("<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' ID='_root'/>", &key),
        Err("signature.missing")
    );
}

#[test]
fn a_second_signature_of_the_file_is_refused_and_those_of_entities_are_content() {
    let key = key();
    let inner = "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/>";
    let twice = signed(&template(&format!("<a/>{inner}")), &How::exclusive(&[]), &key);
    assert_eq!(verdict(&twice, &key), Err("signature.count"));
    let content = signed(&template(&format!("<a>{inner}</a>")), &How::exclusive(&[]), &key);
    assert!(verdict(&content, &key).is_ok());
}

#[test]
fn nothing_else_has_the_identifier_of_the_outermost_element() {
    let key = key();
    let good = signed(&template("<a ID='_a'/><b ID='_b'/>"), &How::exclusive(&[]), &key);
    assert!(verdict(&good, &key).is_ok());
    for other in ["ID='_root'", "Id='_root'", "xml:id='&#95;root'"] {
        let content = format!("<g xmlns='urn:g'><h {other}/></g>");
        let bad = good.replace("</EntitiesDescriptor>", &format!("{content}</EntitiesDescriptor>"));
        assert_eq!(verdict(&bad, &key), Err("xml.id_twice"), "{other}");
    }
    // Two children may have the same: then it is only that something else was signed.
    assert_eq!(verdict(&good.replace("_b", "_a"), &key), Err("signature.digest"));
}

#[test]
fn sha_1_comments_and_other_keys_are_refused_by_name() {
    let key = key();
    let good = signed(&template("<a/>"), &How::exclusive(&[]), &key);
    let with_comments = good.replace(EXCLUSIVE_URI, "http://www.w3.org/2001/10/xml-exc-c14n#WithComments");
    assert_eq!(verdict(&with_comments, &key), Err("signature.canonicalization"));
    let sha1 =
        good.replace("xmlenc#sha256", "xmldsig#sha1").replace("2001/04/xmldsig#sha1", "2000/09/xmldsig#sha1");
    assert_eq!(verdict(&sha1, &key), Err("signature.sha1"));
    assert_eq!(verdict(&good, &self::key()), Err("signature.value"));
    assert_eq!(streamed_from(good.as_bytes(), &[], LIMITS).map(|_| ()), Err("signature.key"));
}

#[test]
fn bounds_hold_within_a_file_as_in_a_message() {
    let key = key();
    let bounded = |content: &str, limits: StreamLimits| {
        let written = signed(&template(content), &How::exclusive(&[]), &key);
        streamed_from(written.as_bytes(), &[key.public_key().clone()], limits).map(|_| ())
    };
    let small = StreamLimits { octets: 5_000, piece: 2_000, within: Limits { depth: 4, ..LIMITS.within } };
    let groups = |count: usize| {
        format!("{}<a/>{}", "<EntitiesDescriptor>".repeat(count), "</EntitiesDescriptor>".repeat(count))
    };
    assert_eq!(
        bounded(&groups(2), StreamLimits { within: Limits { depth: 6, ..LIMITS.within }, ..small }),
        Ok(())
    );
    assert_eq!(
        bounded(&groups(5), StreamLimits { within: Limits { depth: 6, ..LIMITS.within }, ..small }),
        Err("xml.depth")
    );
    let text = |length| format!("<a>{}</a>", "x".repeat(length));
    let deep = StreamLimits { within: LIMITS.within, ..small };
    assert_eq!(bounded(&text(1_900), deep), Ok(()));
    assert_eq!(bounded(&text(2_000), deep), Err("xml.piece_size"));
    assert_eq!(bounded(&format!("<!--{}-->", "x".repeat(2_000)), deep), Err("xml.piece_size"));
    assert_eq!(bounded(&" ".repeat(2_001), deep), Err("xml.piece_size"));
    assert_eq!(bounded(&text(900).repeat(2), deep), Ok(()));
    assert_eq!(bounded(&text(900).repeat(5), deep), Err("xml.size"));
}

#[test]
fn what_no_document_may_hold_is_refused_wherever_it_stands() {
    let key = key();
    let good = signed(&template("<a>{here}</a>{here}<b/>"), &How::exclusive(&[]), &key);
    assert!(verdict(&good, &key).is_ok());
    for (what, rule) in [
        ("<?pi x?>", "xml.processing_instruction"),
        ("<!DOCTYPE a>", "xml.doctype"),
        ("<!ELEMENT", "xml.well_formed"),
        ("\u{1}", "xml.character"),
        ("&nbsp;", "xml.entity"),
        ("]]>", "xml.well_formed"),
        ("</x>", "xml.end_tag"),
        ("<p:x/>", "xml.prefix"),
        ("<x a='1' a='2'/>", "xml.attribute_twice"),
        ("<!-- -- -->", "xml.well_formed"),
        ("<x a='<'/>", "xml.well_formed"),
        ("<", "xml.well_formed"),
    ] {
        for bad in [good.replacen("{here}", what, 1), good.replace("{here}<b", &format!("{what}<b"))] {
            let found = verdict(&bad, &key).expect_err(what);
            assert!(
                found == rule || (found.starts_with("xml.") && what == "</x>" || what == "<"),
                "{what}: {found}"
            );
        }
        assert!(verdict(&format!("{what}{good}"), &key).is_err(), "{what} before");
        assert!(verdict(&format!("{good}{what}"), &key).is_err(), "{what} after");
    }
    assert!(streamed(b"", &key).is_err());
    assert!(verdict(&format!("{good}x"), &key).is_err());
    assert!(verdict(&format!("{good}&#32;"), &key).is_err());
    let mut latin = good.replace("{here}", "").into_bytes();
    latin.insert(good.find("<a>").unwrap() + 3, 0xE5);
    assert_eq!(streamed(&latin, &key), Err("xml.utf8"));
}

#[test]
fn what_came_from_another_file_is_not_given_up() {
    let key = key();
    let octets = signed(&template("<a/>"), &How::exclusive(&[]), &key);
    let run = || {
        let mut parts = Vec::new();
        let proof = verify(
            octets.as_bytes(),
            &[key.public_key().clone()],
            &AlgorithmPolicy::default(),
            LIMITS,
            GROUP,
            |part| {
                parts.push(part);
                Ok::<_, Infallible>(())
            },
        );
        (proof.expect("verifies"), parts)
    };
    let ((first, parts), (second, others)) = (run(), run());
    assert!(parts.into_iter().all(|part| first.prove(part).is_some()));
    assert!(others.into_iter().all(|part| first.prove(part).is_none()));
    assert_ne!(second.octets(), 0);
}

#[test]
fn one_entity_alone_is_a_file_too() {
    let key = key();
    for how in How::all() {
        let template = "<?xml version='1.0'?><!-- one --><m:EntityDescriptor xmlns:m='urn:oasis:names:tc:SAML:2.0:metadata' ID='_root' xml:lang='sv'>{signature}<m:R/></m:EntityDescriptor>\n";
        let octets = signed(template, &how, &key);
        let (_, children, places) = streamed(octets.as_bytes(), &key).expect("verifies");
        assert_eq!((children.len(), places[0]), (1, Position { line: 1, column: 35 - 1 }));
        assert_eq!(verdict(&octets.replace("<m:R/>", "<m:S/>"), &key), Err("signature.digest"));
    }
}

#[test]
fn whoever_takes_the_parts_can_stop() {
    let key = key();
    let octets = signed(&template("<a/>"), &How::exclusive(&[]), &key);
    let stopped = verify(
        octets.as_bytes(),
        &[key.public_key().clone()],
        &AlgorithmPolicy::default(),
        LIMITS,
        GROUP,
        |_| Err("enough"),
    );
    assert!(matches!(stopped, Err(NotVerified::Stopped("enough"))));
}
