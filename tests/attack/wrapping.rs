//! Signature wrapping: a genuine signature stays in the message, and the reader is led to something beside it. The numbers XSW1 to XSW8 are those of
//! SAML Raider; the rest are the places that later vulnerabilities used.

use super::kit::{
    DS, EVIL, GENUINE, Scene, Vector, harmless, on_assertion, on_response, part, placed, replaced,
};

const COUNT: &[&str] = &["provider.assertion_count"];
const INVALID: &[&str] = &["provider.signature_invalid"];
const MISSING: &[&str] = &["provider.signature_missing"];
const UNSOLICITED: &[&str] = &["provider.unsolicited"];
const MALFORMED: &[&str] = &["provider.message_malformed"];
const END: &str = "</saml:Assertion>";

/// A Response whose assertion is signed, taken apart.
struct Pieces {
    text: String,
    /// The assertion with its signature.
    signed: String,
    /// The assertion without it.
    bare: String,
    signature: String,
    /// Another assertion, for another person, with an ID of its own and not signed.
    evil: String,
}

fn pieces(scene: &Scene<'_>) -> Pieces {
    let text = scene.assertion(&scene.text());
    let signed = part(&text, "<saml:Assertion ", END);
    let signature = part(&signed, "<ds:Signature", "</ds:Signature>");
    let bare = replaced(&signed, &signature, "");
    let evil = replaced(&bare, &scene.answer.assertion_id, "_evil").replace(GENUINE, EVIL);
    Pieces { text, signed, bare, signature, evil }
}

impl Pieces {
    /// The message with something else where the assertion was.
    fn around(&self, instead: &str) -> Vec<u8> {
        replaced(&self.text, &self.signed, instead).into()
    }

    /// The evil assertion with something right after its Issuer.
    fn evil_with(&self, after_issuer: &str) -> String {
        placed(&self.evil, "_evil", after_issuer)
    }

    /// The signature with something before its end.
    fn signature_with(&self, inside: &str) -> String {
        replaced(&self.signature, "</ds:Signature>", &format!("{inside}</ds:Signature>"))
    }
}

/// A Response that is signed: its text, its signature, the Response without it, and another that says more.
fn responses(scene: &Scene<'_>) -> (String, String, String, String) {
    let text = scene.response(&scene.text());
    let signature = part(&text, "<ds:Signature", "</ds:Signature>");
    let bare = replaced(&text, &signature, "");
    let evil = replaced(&bare, &scene.answer.response_id, "_evil").replace(GENUINE, EVIL);
    let evil = replaced(&evil, &scene.answer.assertion_id, "_evil2");
    (text, signature, bare, evil)
}

fn in_extensions(text: &str, inside: &str) -> String {
    replaced(text, "<samlp:Status>", &format!("<samlp:Extensions>{inside}</samlp:Extensions><samlp:Status>"))
}

fn in_detail(text: &str, inside: &str) -> String {
    let detail = format!("<samlp:StatusDetail>{inside}</samlp:StatusDetail></samlp:Status>");
    replaced(text, "</samlp:Status>", &detail)
}

/// A signature by the genuine key over another element, put onto an assertion that the key never saw.
fn of_another(scene: &Scene<'_>) -> Vec<u8> {
    let pieces = pieces(scene);
    let other = "<x:Other xmlns:x=\"urn:x\" ID=\"_other\"></x:Other>";
    let signature = scene.signing().over(other, "_other");
    let text = in_extensions(&pieces.text, other);
    replaced(&text, &pieces.signed, &pieces.evil_with(&signature)).into()
}

fn referring(scene: &Scene<'_>, reference: &str) -> Vec<u8> {
    scene.bent(|signing| signing.reference = Some(reference.to_owned()))
}

pub(crate) const VECTORS: &[Vector] = &[
    on_response(
        "XSW1: the signed Response inside the Signature of an evil one",
        "SAML Raider XSW1",
        INVALID,
        |scene| {
            let (_, signature, bare, evil) = responses(scene);
            let around = replaced(&signature, "</ds:Signature>", &format!("{bare}</ds:Signature>"));
            placed(&evil, "_evil", &around).into()
        },
    ),
    on_response(
        "XSW2: the signed Response beside its Signature in an evil one",
        "SAML Raider XSW2",
        INVALID,
        |scene| {
            let (_, signature, bare, evil) = responses(scene);
            placed(&evil, "_evil", &format!("{bare}{signature}")).into()
        },
    ),
    on_assertion("XSW3: an evil assertion before the signed one", "SAML Raider XSW3", COUNT, |scene| {
        let pieces = pieces(scene);
        pieces.around(&format!("{}{}", pieces.evil, pieces.signed))
    }),
    on_assertion("an evil assertion after the signed one", "CVE-2024-45409", COUNT, |scene| {
        let pieces = pieces(scene);
        pieces.around(&format!("{}{}", pieces.signed, pieces.evil))
    }),
    on_assertion("XSW4: the signed assertion inside an evil one", "SAML Raider XSW4", INVALID, |scene| {
        let pieces = pieces(scene);
        pieces.around(&replaced(&pieces.evil, END, &format!("{}{END}", pieces.signed)))
    }),
    on_assertion(
        "XSW5: the signature on an evil assertion, the signed one last",
        "SAML Raider XSW5",
        COUNT,
        |scene| {
            let pieces = pieces(scene);
            pieces.around(&format!("{}{}", pieces.evil_with(&pieces.signature), pieces.bare))
        },
    ),
    on_assertion(
        "XSW6: the signed assertion inside the Signature of an evil one",
        "SAML Raider XSW6",
        COUNT,
        |scene| {
            let pieces = pieces(scene);
            pieces.around(&pieces.evil_with(&pieces.signature_with(&pieces.bare)))
        },
    ),
    on_assertion("XSW7: an evil assertion in Extensions", "SAML Raider XSW7", COUNT, |scene| {
        let pieces = pieces(scene);
        in_extensions(&pieces.text, &pieces.evil).into()
    }),
    on_assertion(
        "XSW8: the signed assertion in the Object of an evil one",
        "SAML Raider XSW8",
        COUNT,
        |scene| {
            let pieces = pieces(scene);
            let object = format!("<ds:Object>{}</ds:Object>", pieces.bare);
            pieces.around(&pieces.evil_with(&pieces.signature_with(&object)))
        },
    ),
    on_assertion(
        "the signed assertion in Extensions, an evil one in its place",
        "CVE-2024-6800",
        INVALID,
        |scene| {
            let pieces = pieces(scene);
            let text = replaced(&pieces.text, &pieces.signed, &pieces.evil);
            in_extensions(&text, &pieces.signed).into()
        },
    ),
    on_assertion(
        "the signed assertion in StatusDetail, an evil one in its place",
        "CVE-2024-45409",
        INVALID,
        |scene| {
            let pieces = pieces(scene);
            let text = replaced(&pieces.text, &pieces.signed, &pieces.evil);
            in_detail(&text, &pieces.signed).into()
        },
    ),
    on_assertion("an evil assertion in StatusDetail", "CVE-2025-47949", COUNT, |scene| {
        let pieces = pieces(scene);
        in_detail(&pieces.text, &pieces.evil).into()
    }),
    on_assertion("the signed assertion in the Advice of an evil one", "SAML Core 2.6", MISSING, |scene| {
        let pieces = pieces(scene);
        let end = "</saml:Conditions>";
        let advice = format!("{end}<saml:Advice>{}</saml:Advice>", pieces.signed);
        pieces.around(&replaced(&pieces.evil, end, &advice))
    }),
    on_assertion(
        "the signed assertion in Advice, its signature copied onto the evil one",
        "SAML Core 2.6",
        INVALID,
        |scene| {
            let pieces = pieces(scene);
            let end = "</saml:Conditions>";
            let advice = format!("{end}<saml:Advice>{}</saml:Advice>", pieces.bare);
            let evil = pieces.evil_with(&pieces.signature);
            pieces.around(&replaced(&evil, end, &advice))
        },
    ),
    on_assertion(
        "the signed assertion within an attribute value",
        "wrapping by descendant",
        INVALID,
        |scene| {
            let pieces = pieces(scene);
            let end = "</saml:AttributeValue>";
            pieces.around(&replaced(&pieces.evil, end, &format!("{}{end}", pieces.signed)))
        },
    ),
    on_assertion(
        "the signed assertion in an element of another namespace",
        "wrapping by ancestor",
        INVALID,
        |scene| {
            let pieces = pieces(scene);
            pieces.around(&format!("{}<x:Box xmlns:x=\"urn:x\">{}</x:Box>", pieces.evil, pieces.signed))
        },
    ),
    on_assertion("the only assertion inside another element", "SAML Core 3.3.3", INVALID, |scene| {
        let pieces = pieces(scene);
        pieces.around(&format!("<x:Box xmlns:x=\"urn:x\">{}</x:Box>", pieces.signed))
    }),
    on_response("the signed Response inside an evil Response", "CVE-2025-54419", INVALID, |scene| {
        let (text, _, _, evil) = responses(scene);
        in_extensions(&evil, &text).into()
    }),
    on_response("the signed Response inside an envelope", "SAML Profiles 4.1.4", UNSOLICITED, |scene| {
        let (text, ..) = responses(scene);
        format!("<x:Envelope xmlns:x=\"urn:x\">{text}</x:Envelope>").into()
    }),
    on_assertion("the assertion without its Response", "SAML Profiles 4.1.4.2", UNSOLICITED, |scene| {
        pieces(scene).signed.into()
    }),
    on_assertion("nothing is signed", "ASVS 6.8.2", MISSING, |scene| scene.text().into()),
    on_assertion("an empty Signature before the genuine one", "CVE-2024-45409", INVALID, |scene| {
        let pieces = pieces(scene);
        let empty = format!("<ds:Signature xmlns:ds=\"{DS}\"/>");
        replaced(&pieces.text, &pieces.signature, &format!("{empty}{}", pieces.signature)).into()
    }),
    on_assertion("an empty Signature after the genuine one", "CVE-2024-45409", INVALID, |scene| {
        let pieces = pieces(scene);
        let empty = format!("<ds:Signature xmlns:ds=\"{DS}\"/>");
        replaced(&pieces.text, &pieces.signature, &format!("{}{empty}", pieces.signature)).into()
    }),
    on_assertion("the genuine Signature twice", "SAML Core 5.4.1", INVALID, |scene| {
        let pieces = pieces(scene);
        replaced(&pieces.text, &pieces.signature, &pieces.signature.repeat(2)).into()
    }),
    on_assertion(
        "an empty Signature on the Response, the assertion signed",
        "CVE-2025-25291",
        INVALID,
        |scene| {
            let pieces = pieces(scene);
            placed(&pieces.text, &scene.answer.response_id, &format!("<ds:Signature xmlns:ds=\"{DS}\"/>"))
                .into()
        },
    ),
    on_assertion("the assertion's Signature moved to the Response", "CVE-2024-6800", INVALID, |scene| {
        let pieces = pieces(scene);
        let bare = replaced(&pieces.text, &pieces.signature, "");
        placed(&bare, &scene.answer.response_id, &pieces.signature).into()
    }),
    on_response("the Response's Signature moved to the assertion", "SAML Core 5.4.2", INVALID, |scene| {
        let (_, signature, bare, _) = responses(scene);
        placed(&bare, &scene.answer.assertion_id, &signature).into()
    }),
    on_assertion("the Signature beside the assertion", "XML Signature 2.0, detached", INVALID, |scene| {
        let pieces = pieces(scene);
        pieces.around(&format!("{}{}", pieces.bare, pieces.signature))
    }),
    on_assertion("the Signature last in the assertion", "SAML Core 2.3.3, schema", INVALID, |scene| {
        let pieces = pieces(scene);
        pieces.around(&replaced(&pieces.bare, END, &format!("{}{END}", pieces.signature)))
    }),
    on_assertion("the Signature inside the Issuer", "SAML Core 2.3.3, schema", INVALID, |scene| {
        let pieces = pieces(scene);
        pieces.around(&replaced(
            &pieces.bare,
            "</saml:Issuer>",
            &format!("{}</saml:Issuer>", pieces.signature),
        ))
    }),
    on_assertion("the Signature inside the Subject", "SAML Core 2.3.3, schema", INVALID, |scene| {
        let pieces = pieces(scene);
        pieces.around(&replaced(
            &pieces.bare,
            "</saml:Subject>",
            &format!("{}</saml:Subject>", pieces.signature),
        ))
    }),
    on_assertion("the Signature of another element by the same key", "SAML Core 5.4.2", INVALID, of_another),
    on_response("Reference to another ID", "SAML Core 5.4.2", INVALID, |scene| {
        referring(scene, &format!(" URI=\"#{}\"", scene.answer.assertion_id))
    }),
    on_response("Reference to an ID that is not there", "SAML Core 5.4.2", INVALID, |scene| {
        referring(scene, " URI=\"#_gone\"")
    }),
    on_response("Reference with an empty URI: the whole document", "SAML Core 5.4.2", INVALID, |scene| {
        referring(scene, " URI=\"\"")
    }),
    on_response("Reference without a URI", "XML Signature 4.4.3.1", INVALID, |scene| referring(scene, "")),
    on_response("Reference by xpointer to the ID", "XML Signature 4.4.3.2", INVALID, |scene| {
        referring(scene, &format!(" URI=\"#xpointer(id('{}'))\"", scene.answer.response_id))
    }),
    on_response("Reference by xpointer to the root", "XML Signature 4.4.3.2", INVALID, |scene| {
        referring(scene, " URI=\"#xpointer(/)\"")
    }),
    on_response("Reference to a file elsewhere", "XML Signature 4.4.3.1, SSRF", INVALID, |scene| {
        referring(scene, " URI=\"http://127.0.0.1:9/x.xml\"")
    }),
    on_response("Reference to a file on the machine", "XML Signature 4.4.3.1", INVALID, |scene| {
        referring(scene, " URI=\"file:///etc/hostname\"")
    }),
    on_response("Reference to a Manifest", "XML Signature 5.1", INVALID, |scene| {
        let reference = format!(" Type=\"{DS}Manifest\" URI=\"#{}\"", scene.answer.response_id);
        referring(scene, &reference)
    }),
    on_response("two References", "SAML Core 5.4.2", INVALID, |scene| {
        let (_, signature, ..) = responses(scene);
        let more =
            part(&signature, "<ds:Reference ", "</ds:Reference>").replace(&scene.answer.response_id, "_evil");
        scene.bent(|signing| signing.more = more)
    }),
    on_response("no Reference", "CVE-2024-45409", INVALID, |scene| {
        let (text, signature, ..) = responses(scene);
        let reference = part(&signature, "<ds:Reference ", "</ds:Reference>");
        replaced(&text, &reference, "").into()
    }),
    on_assertion(
        "an evil assertion with the same ID",
        "XML 1.0, 3.3.1: IDs are unique",
        MALFORMED,
        |scene| {
            let pieces = pieces(scene);
            let evil = replaced(&pieces.evil, "_evil", &scene.answer.assertion_id);
            pieces.around(&format!("{evil}{}", pieces.signed))
        },
    ),
    on_assertion("an evil assertion with the same ID as xml:id", "xml:id 1.0", MALFORMED, |scene| {
        let pieces = pieces(scene);
        let evil =
            replaced(&pieces.evil, " ID=\"_evil\"", &format!(" xml:id=\"{}\"", scene.answer.assertion_id));
        pieces.around(&format!("{evil}{}", pieces.signed))
    }),
    on_assertion("another element with the same ID as Id", "CVE-2025-66567", MALFORMED, |scene| {
        let pieces = pieces(scene);
        let other = format!("<x:Box xmlns:x=\"urn:x\" Id=\"{}\"/>", scene.answer.assertion_id);
        in_extensions(&pieces.text, &other).into()
    }),
    on_response(
        "the Response and its assertion have one ID",
        "XML 1.0, 3.3.1: IDs are unique",
        MALFORMED,
        |scene| {
            let (text, ..) = responses(scene);
            replaced(&text, &scene.answer.assertion_id, &scene.answer.response_id).into()
        },
    ),
    on_response("the ID changed after signing", "SAML Core 5.4.2", INVALID, |scene| {
        let (text, ..) = responses(scene);
        replaced(&text, &scene.answer.response_id, "_another").into()
    }),
    on_response("one word changed after signing", "XML Signature 3.2.1", INVALID, |scene| {
        let (text, ..) = responses(scene);
        replaced(&text, GENUINE, EVIL).into()
    }),
    on_response(
        "an assertion of another version of SAML before the signed one",
        "namespace of SAML 1.1",
        INVALID,
        |scene| {
            let (text, ..) = responses(scene);
            let evil =
                "<old:Assertion xmlns:old=\"urn:oasis:names:tc:SAML:1.0:assertion\" AssertionID=\"_evil\"/>";
            replaced(&text, "<saml:Assertion ", &format!("{evil}<saml:Assertion ")).into()
        },
    ),
    harmless(
        "the signed assertion beside one of another version of SAML",
        "namespace of SAML 1.1",
        |scene| {
            let pieces = pieces(scene);
            let evil =
                "<old:Assertion xmlns:old=\"urn:oasis:names:tc:SAML:1.0:assertion\" AssertionID=\"_evil\"/>";
            pieces.around(&format!("{evil}{}", pieces.signed))
        },
    ),
    on_assertion("two signed assertions", "SC-DP 6.2: one assertion", COUNT, |scene| {
        let pieces = pieces(scene);
        let second = scene.with(|answer| answer.assertion_id = "_second".into());
        let second = scene.signing().on(&second, "_second");
        let second = part(&second, "<saml:Assertion ", END);
        pieces.around(&format!("{}{second}", pieces.signed))
    }),
    on_assertion("a good assertion, the Response's signature broken", "fail closed", INVALID, |scene| {
        let both = scene.response(&pieces(scene).text);
        replaced(&both, "Destination=\"", "Consent=\"urn:x\" Destination=\"").into()
    }),
    on_response(
        "a good Response, the signature of the assertion by another key",
        "SC-DP 6.3",
        INVALID,
        |scene| {
            let other = super::kit::Signing::by(scene.federation.fjorden.key());
            let text = other.on(&scene.text(), &scene.answer.assertion_id);
            scene.response(&text).into()
        },
    ),
];
