//! Signatures whose algorithms are bent: weak ones, symmetric ones, none, and transforms that hash something else than what is read. Where the
//! mathematics can hold, it does: the genuine key has signed exactly what is sent.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs::Signer as _;

use super::kit::{
    DS, ENVELOPED, EXCLUSIVE, Scene, Signing, Vector, harmless, on_response, part, replaced, transforms,
};

const INVALID: &[&str] = &["provider.signature_invalid"];
const ALGORITHM: &[&str] = &["provider.signature_algorithm"];
const MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";
const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const XSLT: &str = "http://www.w3.org/TR/1999/REC-xslt-19991116";
const XPATH: &str = "http://www.w3.org/TR/1999/REC-xpath-19991116";

/// Signed by the genuine key, and said to be by another algorithm.
fn named(scene: &Scene<'_>, method: &str) -> Vec<u8> {
    scene.bent(|signing| signing.method.0 = method.to_owned())
}

/// A MAC over SignedInfo, under what everybody knows.
fn mac(scene: &Scene<'_>, method: &str, algorithm: hmac::Algorithm, secret: Vec<u8>) -> Vec<u8> {
    scene.bent(|signing| {
        signing.method.0 = method.to_owned();
        signing.seal = Some(Box::new(move |octets| {
            hmac::sign(&hmac::Key::new(algorithm, &secret), octets).as_ref().to_vec()
        }));
    })
}

fn published(scene: &Scene<'_>) -> Vec<u8> {
    scene.federation.granvik.public_key().spki_der().to_vec()
}

fn transformed(scene: &Scene<'_>, all: String) -> Vec<u8> {
    scene.bent(|signing| signing.transforms = all)
}

fn sealed(scene: &Scene<'_>, seal: impl Fn(&[u8]) -> Vec<u8> + 'static) -> Vec<u8> {
    scene.bent(|signing| signing.seal = Some(Box::new(seal)))
}

/// What the genuine key says to SignedInfo, changed.
fn resealed(scene: &Scene<'_>, change: fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let key = scene.federation.granvik.key();
    scene.bent(|signing| {
        signing.seal = Some(Box::new(move |octets| change(key.sign(octets).expect("signed"))))
    })
}

fn canonical(scene: &Scene<'_>, algorithm: &str, inside: &str) -> Vec<u8> {
    scene.bent(|signing| signing.canonicalization = (algorithm.to_owned(), inside.to_owned()))
}

/// The signed message with a part of it replaced afterwards.
fn then(scene: &Scene<'_>, from: &str, to: &str) -> Vec<u8> {
    replaced(&scene.response(&scene.text()), from, to).into()
}

/// The order of P-256, and so a value that no signature has.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// `r || s` as ASN.1, which is not what XML signatures hold.
fn as_der(raw: &[u8]) -> Vec<u8> {
    let mut inside = Vec::new();
    for half in raw.chunks(raw.len() / 2) {
        let mut number: Vec<u8> = half.iter().copied().skip_while(|octet| *octet == 0).collect();
        if number.first().is_none_or(|first| *first >= 0x80) {
            number.insert(0, 0);
        }
        inside.extend([2, u8::try_from(number.len()).expect("short")]);
        inside.extend(number);
    }
    [vec![0x30, u8::try_from(inside.len()).expect("short")], inside].concat()
}

pub(crate) const VECTORS: &[Vector] = &[
    on_response("RSA with SHA-1", "IIP-ALG08", ALGORITHM, |scene| named(scene, &format!("{DS}rsa-sha1"))),
    on_response("ECDSA with SHA-1", "IIP-ALG08", ALGORITHM, |scene| {
        named(scene, &format!("{MORE}ecdsa-sha1"))
    }),
    on_response("DSA with SHA-1", "SC-DP 8", ALGORITHM, |scene| named(scene, &format!("{DS}dsa-sha1"))),
    on_response("RSA with MD5", "IIP-ALG08", ALGORITHM, |scene| named(scene, &format!("{MORE}rsa-md5"))),
    on_response("RSA-PSS, which is not in the profile for XML", "SC-DP 8", ALGORITHM, |scene| {
        named(scene, "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1")
    }),
    on_response("no signature algorithm", "algorithm none", ALGORITHM, |scene| named(scene, "")),
    on_response("the signature algorithm none", "algorithm none", ALGORITHM, |scene| named(scene, "none")),
    on_response(
        "the algorithm in another case",
        "RFC 9231: identifiers are compared exactly",
        ALGORITHM,
        |scene| named(scene, &format!("{MORE}ECDSA-SHA256")),
    ),
    on_response("RSA named, the key is on P-256", "key confusion", INVALID, |scene| {
        named(scene, &format!("{MORE}rsa-sha256"))
    }),
    on_response("ECDSA with another digest than was used", "key confusion", INVALID, |scene| {
        named(scene, &format!("{MORE}ecdsa-sha384"))
    }),
    on_response("HMAC with SHA-1 under the public key", "CVE-2016-10555 in XML", ALGORITHM, |scene| {
        mac(scene, &format!("{DS}hmac-sha1"), hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, published(scene))
    }),
    on_response("HMAC with SHA-256 under the public key", "CVE-2016-10555 in XML", ALGORITHM, |scene| {
        mac(scene, &format!("{MORE}hmac-sha256"), hmac::HMAC_SHA256, published(scene))
    }),
    on_response("HMAC under the empty key", "key confusion", ALGORITHM, |scene| {
        mac(scene, &format!("{MORE}hmac-sha256"), hmac::HMAC_SHA256, Vec::new())
    }),
    on_response("HMAC truncated to nothing", "CVE-2009-0217", INVALID, |scene| {
        scene.bent(|signing| {
            let length = "<ds:HMACOutputLength>0</ds:HMACOutputLength>".to_owned();
            signing.method = (format!("{MORE}hmac-sha256"), length);
            signing.seal = Some(Box::new(|_| Vec::new()));
        })
    }),
    on_response("an HMAC length within ECDSA", "CVE-2009-0217", INVALID, |scene| {
        scene.bent(|signing| signing.method.1 = "<ds:HMACOutputLength>1</ds:HMACOutputLength>".to_owned())
    }),
    on_response("an honest digest with SHA-1, signed by the genuine key", "IIP-ALG08", ALGORITHM, |scene| {
        scene.bent(|signing| signing.digest_method = format!("{DS}sha1"))
    }),
    on_response("the digest method MD5", "IIP-ALG08", ALGORITHM, |scene| {
        scene.bent(|signing| signing.digest_method = format!("{MORE}md5"))
    }),
    on_response("no digest method", "fail closed", ALGORITHM, |scene| {
        scene.bent(|signing| signing.digest_method = String::new())
    }),
    on_response(
        "an empty DigestValue",
        "CVE-2025-66567: canonical form fails and gives nothing",
        INVALID,
        |scene| scene.bent(|signing| signing.digest = Some(String::new())),
    ),
    on_response(
        "the digest of nothing",
        "CVE-2025-66567: canonical form fails and gives nothing",
        INVALID,
        |scene| {
            let nothing = certs::DigestAlgorithm::Sha256.digest(b"");
            scene.bent(|signing| signing.digest = Some(STANDARD.encode(nothing)))
        },
    ),
    on_response("a shortened DigestValue", "XML Signature 4.4.3.6", INVALID, |scene| {
        let (info, _) = scene.signing().sealed(b"x", "_x");
        let short = part(&info, "<ds:DigestValue>", "</ds:DigestValue>")[16..26].to_owned() + "==";
        scene.bent(|signing| signing.digest = Some(short))
    }),
    on_response("a comment in DigestValue", "CVE-2025-29775", INVALID, |scene| {
        then(scene, "<ds:DigestValue>", "<ds:DigestValue><!-- AAAA -->")
    }),
    on_response("two DigestValues", "CVE-2025-29775", INVALID, |scene| {
        then(scene, "</ds:DigestValue>", "</ds:DigestValue><ds:DigestValue>AAAA</ds:DigestValue>")
    }),
    on_response("SignedInfo twice, the genuine one first", "CVE-2025-29774", INVALID, |scene| {
        let signed = scene.response(&scene.text());
        let info = part(&signed, "<ds:SignedInfo", "</ds:SignedInfo>");
        replaced(
            &signed,
            &info,
            &format!("{info}{}", replaced(&info, "<ds:DigestValue>", "<ds:DigestValue>AAAA")),
        )
        .into()
    }),
    on_response("SignedInfo twice, the genuine one last", "CVE-2025-29774", INVALID, |scene| {
        let signed = scene.response(&scene.text());
        let info = part(&signed, "<ds:SignedInfo", "</ds:SignedInfo>");
        replaced(
            &signed,
            &info,
            &format!("{}{info}", replaced(&info, "<ds:DigestValue>", "<ds:DigestValue>AAAA")),
        )
        .into()
    }),
    on_response("a comment in SignedInfo", "CVE-2025-29775", INVALID, |scene| {
        then(scene, "<ds:SignatureMethod", "<!-- --><ds:SignatureMethod")
    }),
    on_response("SignedInfo of another namespace", "CVE-2025-25292", INVALID, |scene| {
        let signed = scene.response(&scene.text());
        let start = format!("<ds:SignedInfo xmlns:ds=\"{DS}\">");
        replaced(&signed, &start, "<ds:SignedInfo xmlns:ds=\"urn:x\">").into()
    }),
    on_response(
        "inclusive canonical form of SignedInfo",
        "SAML Core 5.4.3; one form alone",
        ALGORITHM,
        |scene| canonical(scene, INCLUSIVE, ""),
    ),
    on_response("canonical form with comments", "CVE-2025-25292", ALGORITHM, |scene| {
        canonical(scene, "http://www.w3.org/2001/10/xml-exc-c14n#WithComments", "")
    }),
    on_response("canonical form 1.1", "one form alone", ALGORITHM, |scene| {
        canonical(scene, "http://www.w3.org/2006/12/xml-c14n11", "")
    }),
    on_response("no canonical form", "fail closed", ALGORITHM, |scene| canonical(scene, "", "")),
    on_response("XSLT as canonical form", "XML Signature 8.1.1", ALGORITHM, |scene| {
        canonical(scene, XSLT, "")
    }),
    on_response("a style sheet within the canonical form", "XML Signature 8.1.1", INVALID, |scene| {
        canonical(
            scene,
            EXCLUSIVE,
            "<x:stylesheet xmlns:x=\"http://www.w3.org/1999/XSL/Transform\"></x:stylesheet>",
        )
    }),
    on_response("an XSLT transform", "CVE-2022-47966", INVALID, |scene| {
        let sheet =
            "<x:stylesheet xmlns:x=\"http://www.w3.org/1999/XSL/Transform\" version=\"1.0\"></x:stylesheet>";
        let all = transforms(&[ENVELOPED, EXCLUSIVE, XSLT]);
        let end = "</ds:Transform></ds:Transforms>";
        transformed(scene, replaced(&all, end, &format!("{sheet}{end}")))
    }),
    on_response("an XPath transform that takes away everything", "CVE-2024-45409", INVALID, |scene| {
        let all = transforms(&[ENVELOPED, XPATH, EXCLUSIVE]);
        let at = format!("\"{XPATH}\">");
        transformed(scene, replaced(&all, &at, &format!("{at}<ds:XPath>false()</ds:XPath>")))
    }),
    on_response("an XPath filter transform", "XML Signature XPath Filter 2.0", INVALID, |scene| {
        transformed(scene, transforms(&[ENVELOPED, "http://www.w3.org/2002/06/xmldsig-filter2"]))
    }),
    on_response("a base64 transform", "XML Signature 6.6.2", INVALID, |scene| {
        transformed(scene, transforms(&[ENVELOPED, &format!("{DS}base64")]))
    }),
    on_response("inclusive canonical form as transform", "SAML Core 5.4.4", INVALID, |scene| {
        transformed(scene, transforms(&[ENVELOPED, INCLUSIVE]))
    }),
    on_response(
        "exclusive canonical form with comments as transform",
        "SAML Core 5.4.4; comments are never read",
        INVALID,
        |scene| {
            transformed(
                scene,
                transforms(&[ENVELOPED, "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"]),
            )
        },
    ),
    on_response("no transforms", "SAML Core 5.4.4", INVALID, |scene| transformed(scene, String::new())),
    on_response("an empty list of transforms", "SAML Core 5.4.4", INVALID, |scene| {
        transformed(scene, transforms(&[]))
    }),
    on_response("enveloped alone", "SAML Core 5.4.4", INVALID, |scene| {
        transformed(scene, transforms(&[ENVELOPED]))
    }),
    on_response("canonical form alone", "SAML Core 5.4.4", INVALID, |scene| {
        transformed(scene, transforms(&[EXCLUSIVE]))
    }),
    on_response("the transforms in the other order", "SAML Core 5.4.4", INVALID, |scene| {
        transformed(scene, transforms(&[EXCLUSIVE, ENVELOPED]))
    }),
    on_response("canonical form twice", "double transform", INVALID, |scene| {
        transformed(scene, transforms(&[ENVELOPED, EXCLUSIVE, EXCLUSIVE]))
    }),
    on_response("enveloped twice", "double transform", INVALID, |scene| {
        transformed(scene, transforms(&[ENVELOPED, ENVELOPED, EXCLUSIVE]))
    }),
    on_response("two lists of transforms", "XML Signature 4.4.3, schema", INVALID, |scene| {
        transformed(scene, transforms(&[ENVELOPED, EXCLUSIVE]).repeat(2))
    }),
    on_response("a prefix list of a hundred names", "unbounded work", INVALID, |scene| {
        let names: Vec<String> = (0..100).map(|number| format!("p{number}")).collect();
        let list = format!(
            "<ec:InclusiveNamespaces xmlns:ec=\"{EXCLUSIVE}\" PrefixList=\"{}\"></ec:InclusiveNamespaces>",
            names.join(" ")
        );
        let end = "</ds:Transform></ds:Transforms>";
        transformed(scene, replaced(&transforms(&[ENVELOPED, EXCLUSIVE]), end, &format!("{list}{end}")))
    }),
    on_response("an empty SignatureValue", "CVE-2022-21449", INVALID, |scene| sealed(scene, |_| Vec::new())),
    on_response("r = s = 0", "CVE-2022-21449", INVALID, |scene| sealed(scene, |_| vec![0; 64])),
    on_response("r = s = the order of the curve", "CVE-2022-21449", INVALID, |scene| {
        sealed(scene, |_| ORDER.repeat(2))
    }),
    on_response("r = s = 1", "CVE-2022-21449", INVALID, |scene| {
        sealed(scene, |_| [vec![0; 31], vec![1], vec![0; 31], vec![1]].concat())
    }),
    on_response("a signature in ASN.1", "XML Signature 6.4.3: r and s side by side", INVALID, |scene| {
        resealed(scene, |raw| as_der(&raw))
    }),
    on_response(
        "a signature with zeros before r and s",
        "XML Signature 6.4.3: fixed length",
        INVALID,
        |scene| {
            resealed(scene, |raw| [vec![0; 2], raw[..32].to_vec(), vec![0; 2], raw[32..].to_vec()].concat())
        },
    ),
    on_response("a shortened signature", "XML Signature 6.4.3", INVALID, |scene| {
        resealed(scene, |raw| raw[..63].to_vec())
    }),
    on_response("a signature with octets after it", "XML Signature 6.4.3", INVALID, |scene| {
        resealed(scene, |raw| [raw, vec![0]].concat())
    }),
    on_response("one bit of the signature turned", "XML Signature 3.2.2", INVALID, |scene| {
        resealed(scene, |mut raw| {
            raw[40] ^= 1;
            raw
        })
    }),
    on_response("a SignatureValue that is not base64", "XML Signature 4.3", INVALID, |scene| {
        then(scene, "<ds:SignatureValue>", "<ds:SignatureValue>*")
    }),
    on_response("a comment in SignatureValue", "CVE-2025-29775", INVALID, |scene| {
        then(scene, "<ds:SignatureValue>", "<ds:SignatureValue><!-- -->")
    }),
    on_response("two SignatureValues", "XML Signature 4.2, schema", INVALID, |scene| {
        then(scene, "</ds:SignatureValue>", "</ds:SignatureValue><ds:SignatureValue>AAAA</ds:SignatureValue>")
    }),
    on_response("an Object in the Signature", "XML Signature 4.6", INVALID, |scene| {
        scene.bent(|signing| signing.after = "<ds:Object><x></x></ds:Object>".to_owned())
    }),
    harmless("white space in SignatureValue", "XML Schema 3.2.16: base64Binary", |scene| {
        then(scene, "<ds:SignatureValue>", "<ds:SignatureValue>\n ")
    }),
    harmless("the digest of SHA-512 beside a signature with SHA-256", "SC-DP 8", |scene| {
        scene.bent(|signing| signing.digest_method = "http://www.w3.org/2001/04/xmlenc#sha512".to_owned())
    }),
];

/// What [`Signing`] makes without being bent is what the broker's own signer makes: else every refusal here would prove nothing.
#[test]
fn an_unbent_signature_is_the_signers_own() {
    let key = certs::PrivateKey::generate_p256().expect("a key");
    let text = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_a\"><saml:Issuer>i</saml:Issuer></saml:Assertion>";
    let signed = Signing::by(&key).on(text, "_a");
    let document =
        certs_xml::Document::read(signed.as_bytes(), certs_xml::Limits::message()).expect("readable");
    let policy = certs::AlgorithmPolicy::default();
    let keys = [key.public_key().clone()];
    let verified =
        certs::xml_signature::verify(document.root(), &keys, &policy, certs::xml_signature::Profile::Message);
    assert_eq!(verified.expect("verified").value().canonical(), text.as_bytes());
}
