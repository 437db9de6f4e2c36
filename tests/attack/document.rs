//! Documents that two readers take for two things: what stands between and around the values, encodings, declarations, names. Where it can be, the
//! signature is genuine and holds for a reader that takes the bait.

use tests::walk::Next;

use super::kit::{
    Bench, EVIL, Expected, GENUINE, Scenario, Scene, Vector, harmless, last_replaced, on_assertion,
    on_response, part, replaced,
};

const INVALID: &[&str] = &["provider.signature_invalid"];
const MALFORMED: &[&str] = &["provider.message_malformed"];
/// The root's start tag gives no request to answer, so the answer belongs to no login.
const UNREAD: &[&str] = &["provider.unsolicited", "provider.message_malformed"];
const ISSUER: &[&str] = &["provider.issuer_mismatch"];
const SUBJECT: &[&str] = &["policy.subject_missing", "policy.attribute_outside_authority"];

fn signed(scene: &Scene<'_>) -> String {
    scene.response(&scene.text())
}

/// The signed message with a part of it replaced afterwards.
fn then(scene: &Scene<'_>, from: &str, to: &str) -> Vec<u8> {
    replaced(&signed(scene), from, to).into()
}

/// Changed first, then signed by the genuine key.
fn before(scene: &Scene<'_>, from: &str, to: &str) -> Vec<u8> {
    scene.response(&replaced(&scene.text(), from, to)).into()
}

/// A subject of a longer domain, signed, cut in two by `between` on the way.
fn truncated(scene: &Scene<'_>, between: &str) -> Vec<u8> {
    let longer = scene.text().replace("asabergv0@granvik.localhost", "asabergv0@granvik.localhost.evil.se");
    let signed = scene.response(&longer);
    signed.replace("granvik.localhost.evil.se<", &format!("granvik.localhost{between}.evil.se<")).into()
}

fn with_type(doctype: &str, text: &str) -> Vec<u8> {
    format!("<?xml version=\"1.0\"?>{doctype}{text}").into()
}

/// A signed message in which an entity stands for a value that was signed in full: a reader that expands it finds the signature good.
fn expanded(scene: &Scene<'_>, declaration: &str) -> Vec<u8> {
    let text = replaced(&signed(scene), "asabergv0@granvik", "&e;@granvik");
    with_type(&format!("<!DOCTYPE r [{declaration}]>"), &text)
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

fn utf32(text: &str) -> Vec<u8> {
    std::iter::once('\u{feff}')
        .chain(text.chars())
        .flat_map(|character| (character as u32).to_le_bytes())
        .collect()
}

/// The signed message with octets in place of the person's name.
fn octets(scene: &Scene<'_>, instead: &[u8]) -> Vec<u8> {
    let text = signed(scene);
    let at = text.find(GENUINE).expect("her name");
    [&text.as_bytes()[..at], instead, &text.as_bytes()[at..]].concat()
}

const BEFORE_VALUE: &str = ">asabergv0@granvik.localhost<";

pub(crate) const VECTORS: &[Vector] = &[
    // Comments are not signed, so anybody can put one in; who reads a text only up to it takes her for somebody else.
    on_response("a comment cuts a signed subject short", "CVE-2017-11427, CVE-2018-0489", SUBJECT, |scene| {
        truncated(scene, "<!-- -->")
    }),
    on_response("CDATA cuts a signed subject short", "CVE-2017-11428", SUBJECT, |scene| {
        truncated(scene, "<![CDATA[]]>")
    }),
    on_response(
        "a processing instruction cuts a signed subject short",
        "CVE-2017-11429",
        MALFORMED,
        |scene| truncated(scene, "<?x?>"),
    ),
    on_response(
        "an element cuts a signed subject short",
        "CVE-2017-11430",
        &["policy.subject_missing"],
        |scene| {
            before(
                scene,
                ">asabergv0@granvik.localhost<",
                ">asabergv0@granvik.localhost<x:b xmlns:x=\"urn:x\"></x:b>.evil.se<",
            )
        },
    ),
    harmless("a comment in an attribute value", "CVE-2017-11427", |scene| {
        then(scene, GENUINE, "asa<!-- x -->bergv0@")
    }),
    harmless("a comment in NameID", "CVE-2017-11427", |scene| then(scene, ">nameid-", ">na<!-- x -->meid-")),
    harmless("a comment in the Issuers", "CVE-2017-11427", |scene| {
        signed(scene).replace("<saml:Issuer>https://idp", "<saml:Issuer>https://<!-- x -->idp").into()
    }),
    harmless("a comment in Audience", "CVE-2017-11427", |scene| {
        then(scene, "<saml:Audience>", "<saml:Audience><!-- x -->")
    }),
    harmless("comments around everything", "comments are not signed", |scene| {
        format!("<!-- a -->{}<!-- b -->", signed(scene)).into()
    }),
    on_response("a longer Issuer, cut by a comment", "CVE-2017-11427", ISSUER, |scene| {
        let longer = scene.with(|answer| answer.issuer.push_str(".evil.se"));
        scene.response(&longer).replace(".evil.se", "<!-- -->.evil.se").into()
    }),
    on_response(
        "a longer Audience, cut by a comment",
        "CVE-2017-11427",
        &["provider.audience_mismatch"],
        |scene| {
            let longer = scene.with(|answer| answer.audience.push_str(".evil.se"));
            replaced(&scene.response(&longer), ".evil.se</saml:Audience>", "<!-- -->.evil.se</saml:Audience>")
                .into()
        },
    ),
    harmless("CDATA in an attribute value", "XML 1.0, 2.7", |scene| {
        then(scene, GENUINE, "asa<![CDATA[bergv]]>0@")
    }),
    harmless("character references in an attribute value", "XML 1.0, 4.1", |scene| {
        then(scene, GENUINE, "&#97;sa&#x62;ergv0@")
    }),
    on_response("CDATA that hides an end tag", "parser differential", INVALID, |scene| {
        then(scene, GENUINE, &format!("{EVIL}<![CDATA[</saml:AttributeValue>]]>"))
    }),
    on_response("a processing instruction in a value", "CVE-2017-11428", MALFORMED, |scene| {
        then(scene, GENUINE, "<?x y?>asabergv0@")
    }),
    on_response("a style sheet before the Response", "XML Stylesheet PI", UNREAD, |scene| {
        format!("<?xml-stylesheet href=\"http://127.0.0.1:9/\"?>{}", signed(scene)).into()
    }),
    on_response("an empty DOCTYPE", "IIP-G03", UNREAD, |scene| with_type("<!DOCTYPE r>", &signed(scene))),
    on_response("an internal entity that expands to the signed value", "XXE", UNREAD, |scene| {
        expanded(scene, "<!ENTITY e \"asabergv0\">")
    }),
    on_response("an external entity on the machine", "XXE, ASVS 1.5.1", UNREAD, |scene| {
        expanded(scene, "<!ENTITY e SYSTEM \"file:///etc/hostname\">")
    }),
    on_response("an external entity on the network", "XXE, SSRF", UNREAD, |scene| {
        expanded(scene, "<!ENTITY e SYSTEM \"http://127.0.0.1:9/e\">")
    }),
    on_response("a parameter entity", "XXE out of band", UNREAD, |scene| {
        expanded(scene, "<!ENTITY % p SYSTEM \"http://127.0.0.1:9/p\"> %p;")
    }),
    on_response("a billion laughs", "entity expansion", UNREAD, |scene| {
        let mut all = "<!ENTITY e0 \"ha\">".to_owned();
        for depth in 1..30 {
            all.push_str(&format!("<!ENTITY e{depth} \"&e{0};&e{0};&e{0};\">", depth - 1));
        }
        expanded(scene, &format!("{all}<!ENTITY e \"&e29;\">"))
    }),
    on_response("attributes by default from a DTD", "XML 1.0, 3.3.2", UNREAD, |scene| {
        with_type("<!DOCTYPE r [<!ATTLIST saml:Assertion ID CDATA \"_evil\">]>", &signed(scene))
    }),
    on_response("a DOCTYPE after a comment of 20,000 octets", "late DOCTYPE", UNREAD, |scene| {
        let comment = format!("<!--{}-->", "a".repeat(20_000));
        with_type(&format!("{comment}<!DOCTYPE r>"), &signed(scene))
    }),
    on_response("an entity that nobody declared", "XML 1.0, 4.1", MALFORMED, |scene| {
        then(scene, GENUINE, "&evil;asabergv0@")
    }),
    on_response("UTF-16, little end first", "IIP-G03: UTF-8 alone", UNREAD, |scene| {
        utf16(&signed(scene), false)
    }),
    on_response("UTF-16, big end first", "IIP-G03: UTF-8 alone", UNREAD, |scene| utf16(&signed(scene), true)),
    on_response("UTF-32", "UTF-8 alone", UNREAD, |scene| utf32(&signed(scene))),
    on_response("UTF-7 by declaration", "UTF-8 alone", UNREAD, |scene| {
        format!("<?xml version=\"1.0\" encoding=\"UTF-7\"?>{}", signed(scene)).into()
    }),
    on_response("Latin-1 by declaration", "UTF-8 alone", UNREAD, |scene| {
        format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{}", signed(scene)).into()
    }),
    on_response("XML 1.1 by declaration", "XML 1.1 allows control characters", UNREAD, |scene| {
        format!("<?xml version=\"1.1\"?>{}", signed(scene)).into()
    }),
    harmless("UTF-8 by declaration, with a byte order mark", "XML 1.0, 4.3.3", |scene| {
        format!("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{}", signed(scene)).into()
    }),
    on_response("an overlong NUL", "RFC 3629 section 10", UNREAD, |scene| octets(scene, &[0xc0, 0x80])),
    on_response("an overlong less-than sign", "RFC 3629 section 10", UNREAD, |scene| {
        octets(scene, &[0xc0, 0xbc])
    }),
    on_response("half a surrogate pair in UTF-8", "RFC 3629 section 3", UNREAD, |scene| {
        octets(scene, &[0xed, 0xa0, 0x80])
    }),
    on_response("NUL in a value", "XML 1.0, 2.2", MALFORMED, |scene| octets(scene, &[0])),
    on_response("NUL by reference", "XML 1.0, 4.1", MALFORMED, |scene| octets(scene, b"&#0;")),
    on_response("a control character", "XML 1.0, 2.2", MALFORMED, |scene| octets(scene, &[8])),
    on_response("an attribute twice, the evil one first", "CVE-2025-25291", MALFORMED, |scene| {
        then(scene, "<saml:Assertion ", "<saml:Assertion ID=\"_evil\" ")
    }),
    on_response("InResponseTo twice on the Response", "XML 1.0, 3.1", UNREAD, |scene| {
        then(scene, "<samlp:Response ", "<samlp:Response InResponseTo=\"_other\" ")
    }),
    on_response(
        "an attribute twice by two prefixes of one namespace",
        "Namespaces 6.3",
        MALFORMED,
        |scene| {
            then(
                scene,
                "<samlp:Status>",
                "<samlp:Status xmlns:a=\"urn:x\" xmlns:b=\"urn:x\" a:c=\"1\" b:c=\"2\">",
            )
        },
    ),
    on_response("a prefix that nobody declared", "CVE-2025-66568", MALFORMED, |scene| {
        then(scene, "<saml:AttributeStatement>", "<saml:AttributeStatement><undeclared:x/>")
    }),
    on_response("an attribute with a prefix that nobody declared", "CVE-2025-66568", MALFORMED, |scene| {
        then(scene, "<samlp:Status>", "<samlp:Status undeclared:x=\"1\">")
    }),
    on_response("a prefix that is taken back", "Namespaces 1.0, section 5", MALFORMED, |scene| {
        then(scene, "<samlp:Status>", "<samlp:Status xmlns:saml=\"\">")
    }),
    on_response("the prefix xmlns declared", "Namespaces section 3", MALFORMED, |scene| {
        then(scene, "<samlp:Status>", "<samlp:Status xmlns:xmlns=\"urn:x\">")
    }),
    on_response("the prefix xml for another namespace", "Namespaces section 3", MALFORMED, |scene| {
        then(scene, "<samlp:Status>", "<samlp:Status xmlns:xml=\"urn:x\">")
    }),
    on_response(
        "the assertion's prefix for another namespace",
        "namespace confusion",
        &["provider.signature_invalid", "provider.assertion_count"],
        |scene| {
            let text = signed(scene);
            let start = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
            replaced(&text, start, "<saml:Assertion xmlns:saml=\"urn:evil\"").into()
        },
    ),
    on_assertion(
        "the assertion in a namespace that differs by a blank",
        "namespace confusion",
        &["provider.assertion_count", "provider.signature_invalid"],
        |scene| {
            let text = scene.text();
            let start = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
            let text = replaced(
                &text,
                start,
                "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion \"",
            );
            scene.assertion(&text).into()
        },
    ),
    on_response(
        "an evil assertion by a default namespace",
        "default namespace confusion",
        INVALID,
        |scene| {
            let evil = part(&scene.text(), "<saml:Assertion ", "</saml:Assertion>").replace(GENUINE, EVIL);
            let evil = evil
                .replace("xmlns:saml=", "xmlns=")
                .replace("saml:", "")
                .replace(&scene.answer.assertion_id, "_evil");
            replaced(&signed(scene), "<samlp:Status>", &format!("{evil}<samlp:Status>")).into()
        },
    ),
    on_response(
        "an evil assertion by a default namespace, signed with the rest",
        "two assertions under two prefixes",
        &["provider.assertion_count"],
        |scene| {
            let evil = part(&scene.text(), "<saml:Assertion ", "</saml:Assertion>").replace(GENUINE, EVIL);
            let evil = evil
                .replace("xmlns:saml=", "xmlns=")
                .replace("saml:", "")
                .replace(&scene.answer.assertion_id, "_evil");
            scene
                .response(&replaced(&scene.text(), "</samlp:Status>", &format!("</samlp:Status>{evil}")))
                .into()
        },
    ),
    on_response("the Response in lower case", "XML names have case", UNREAD, |scene| {
        signed(scene).replace("samlp:Response", "samlp:response").into()
    }),
    on_response(
        "the assertion in lower case, signed",
        "XML names have case",
        &["provider.assertion_count"],
        |scene| scene.response(&scene.text().replace("saml:Assertion", "saml:assertion")).into(),
    ),
    on_response("InResponseTo in lower case, signed", "XML names have case", UNREAD, |scene| {
        before(scene, " InResponseTo=", " inresponseto=")
    }),
    on_response("a value said to be nil, signed", "xsi:nil", SUBJECT, |scene| {
        let text = scene.text();
        let value = part(&text, "<saml:AttributeValue ", ">");
        let nil = replaced(&value, "<saml:AttributeValue ", "<saml:AttributeValue xsi:nil=\"true\" ");
        let subject = replaced(&text, "asabergv0@granvik.localhost", "");
        scene.response(&subject.replace(&value, &nil)).into()
    }),
    on_response("a value in base64 by its type, signed", "xsi:type", SUBJECT, |scene| {
        let text = scene.text().replace("xsi:type=\"xs:string\"", "xsi:type=\"xs:base64Binary\"");
        let encoded = "YXNhYmVyZ3YwQGdyYW52aWsubG9jYWxob3N0";
        scene.response(&replaced(&text, BEFORE_VALUE, &format!(">{encoded}<"))).into()
    }),
    on_response("the subject twice in one attribute, signed", "one value alone", SUBJECT, |scene| {
        let text = scene.text();
        let at = text.find(BEFORE_VALUE).expect("her subject");
        let from = text[..at].rfind("<saml:AttributeValue").expect("its start");
        let value = part(&text[from..], "<saml:AttributeValue", "</saml:AttributeValue>");
        let second = value.replace(GENUINE, EVIL);
        scene.response(&replaced(&text, &value, &format!("{second}{value}"))).into()
    }),
    on_response("two AttributeStatements, signed", "one statement alone", MALFORMED, |scene| {
        let text = scene.text();
        let statement = part(&text, "<saml:AttributeStatement", "</saml:AttributeStatement>");
        let evil = statement.replace(GENUINE, EVIL);
        scene.response(&replaced(&text, &statement, &format!("{evil}{statement}"))).into()
    }),
    on_response(
        "two Subjects, signed",
        "SAML Core 2.3.3, schema",
        &["provider.subject_confirmation"],
        |scene| {
            let text = scene.text();
            let subject = part(&text, "<saml:Subject>", "</saml:Subject>");
            scene.response(&replaced(&text, &subject, &subject.repeat(2))).into()
        },
    ),
    on_response(
        "two NameIDs, signed",
        "SAML Core 2.4.1, schema",
        &["provider.subject_confirmation"],
        |scene| {
            let text = scene.text();
            let name_id = part(&text, "<saml:NameID ", "</saml:NameID>");
            scene.response(&replaced(&text, &name_id, &name_id.repeat(2))).into()
        },
    ),
    on_response(
        "two AuthnStatements, signed",
        "one statement alone",
        &["provider.authn_statement"],
        |scene| {
            let text = scene.text();
            let statement = part(&text, "<saml:AuthnStatement ", "</saml:AuthnStatement>");
            scene.response(&replaced(&text, &statement, &statement.repeat(2))).into()
        },
    ),
    on_response(
        "the assertion of another version, signed",
        "SAML Core 2.3.3",
        &["provider.version_unsupported"],
        |scene| scene.response(&last_replaced(&scene.text(), "Version=\"2.0\"", "Version=\"1.1\"")).into(),
    ),
    on_response(
        "the Response of another version, signed",
        "SAML Core 3.2.2",
        &["provider.version_unsupported"],
        |scene| before(scene, "Version=\"2.0\"", "Version=\"2.0 \""),
    ),
    on_response("a second document after the first", "XML 1.0, 2.1", MALFORMED, |scene| {
        signed(scene).repeat(2).into()
    }),
    on_response("words after the document", "XML 1.0, 2.1", MALFORMED, |scene| {
        format!("{}evil", signed(scene)).into()
    }),
    on_response("words before the document", "XML 1.0, 2.1", UNREAD, |scene| {
        format!("evil{}", signed(scene)).into()
    }),
    on_response("an unfinished document", "XML 1.0, 2.1", MALFORMED, |scene| {
        let mut text = signed(scene);
        text.truncate(text.len() - 8);
        text.into()
    }),
    on_response("end tags in the wrong order", "XML 1.0, 3", MALFORMED, |scene| {
        then(scene, "</saml:Issuer>", "<a><b></a></b></saml:Issuer>")
    }),
    on_response("elements nested a thousand deep", "bounds", MALFORMED, |scene| {
        let deep = format!("{}{}", "<a>".repeat(1_000), "</a>".repeat(1_000));
        then(scene, "</samlp:Status>", &format!("</samlp:Status>{deep}"))
    }),
    on_response("20,000 attributes on one element", "bounds", UNREAD, |scene| {
        let many: String = (0..20_000).map(|number| format!(" a{number}=\"\"")).collect();
        then(scene, "<samlp:Status>", &format!("<samlp:Status{many}>"))
    }),
    on_response("a hundred namespaces on one element", "bounds", MALFORMED, |scene| {
        let many: String = (0..100).map(|number| format!(" xmlns:n{number}=\"urn:{number}\"")).collect();
        then(scene, "<samlp:Status>", &format!("<samlp:Status{many}>"))
    }),
    on_response("twenty Signatures", "bounds", MALFORMED, |scene| {
        let many = "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>".repeat(20);
        then(scene, "</samlp:Status>", &format!("</samlp:Status>{many}"))
    }),
    on_response("a message of 300 KB", "bounds, ASVS 5.2.1", UNREAD, |scene| {
        then(scene, "</samlp:Status>", &format!("</samlp:Status><!--{}-->", "a".repeat(300_000)))
    }),
    on_response("a name of 100,000 characters", "bounds", INVALID, |scene| {
        let name = "n".repeat(100_000);
        then(scene, "</samlp:Status>", &format!("</samlp:Status><{name}/>"))
    }),
];

pub(crate) const SCENARIOS: &[Scenario] = &[Scenario {
    name: "a longer level, cut by a comment",
    source: "CVE-2017-11427",
    run: |bench| Box::pin(longer_level(bench)),
}];

/// A level that nobody knows leaves as none. Cut at the comment it would be one that the provider is registered for.
async fn longer_level(bench: &Bench) {
    let mut walk = bench.at_provider().await;
    let scene = bench.scene(&walk);
    let longer = scene.with(|answer| answer.authn_context.push_str("-uncertified"));
    let cut = replaced(&scene.response(&longer), "-uncertified", "<!-- -->-uncertified");
    walk.next = Next::Assert(scene.asked.form(cut.as_bytes()));
    assert_eq!(walk.finish(bench.port()).await.id_token.get("acr"), None);
    let twin = bench.at_provider().await.finish(bench.port()).await;
    assert!(twin.id_token["acr"].as_str().is_some_and(|level| level.ends_with("loa3")));
}

/// A table without a twin of each kind would not be the table that the document shows.
#[test]
fn harmless_vectors_are_few_and_named() {
    let harmless = VECTORS.iter().filter(|vector| matches!(vector.expected, Expected::Whole)).count();
    assert_eq!(harmless, 8);
}
