//! Signatures in any shape, and the scissors that go with them. What [`Signing::by`] gives is what the broker's own signer would write; a vector bends it.
//! Neighbour: `kit.rs` judges what comes of it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs::{DigestAlgorithm, PrivateKey, Signer as _};
use certs_xml::{Canonicalization, Document, Limits, canonicalize};

pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// The octets of a signature, for those that are to be signed.
pub(crate) type Seal<'k> = Box<dyn Fn(&[u8]) -> Vec<u8> + 'k>;

/// How a signature is made. What [`Signing::by`] gives is what the broker's own signer would write.
pub(crate) struct Signing<'k> {
    key: &'k PrivateKey,
    /// `Algorithm` of CanonicalizationMethod, and what stands inside it.
    pub(crate) canonicalization: (String, String),
    /// `Algorithm` of SignatureMethod, and what stands inside it.
    pub(crate) method: (String, String),
    /// The attributes of Reference; `None`: to the element that is signed.
    pub(crate) reference: Option<String>,
    /// The element Transforms, whole; may be empty.
    pub(crate) transforms: String,
    /// `Algorithm` of DigestMethod.
    pub(crate) digest_method: String,
    /// Text of DigestValue in place of the right one.
    pub(crate) digest: Option<String>,
    /// Further elements after the one Reference.
    pub(crate) more: String,
    /// Elements after SignatureValue.
    pub(crate) after: String,
    /// What gives the octets of SignatureValue for those of SignedInfo, in place of the key.
    pub(crate) seal: Option<Seal<'k>>,
}

/// A Transforms element of these algorithms.
pub(crate) fn transforms(algorithms: &[&str]) -> String {
    let all: String =
        algorithms.iter().map(|uri| format!("<ds:Transform Algorithm=\"{uri}\"></ds:Transform>")).collect();
    format!("<ds:Transforms>{all}</ds:Transforms>")
}

impl<'k> Signing<'k> {
    /// By that key, as it should be.
    pub(crate) fn by(key: &'k PrivateKey) -> Self {
        Self {
            key,
            canonicalization: (EXCLUSIVE.to_owned(), String::new()),
            method: (key.algorithm().xml_uri().expect("an XML algorithm").to_owned(), String::new()),
            reference: None,
            transforms: transforms(&[ENVELOPED, EXCLUSIVE]),
            digest_method: DigestAlgorithm::Sha256.xml_uri().to_owned(),
            digest: None,
            more: String::new(),
            after: String::new(),
            seal: None,
        }
    }

    /// The Signature over the element of `document` that has this ID, whose own signature must not be there.
    pub(crate) fn over(&self, document: &str, id: &str) -> String {
        let read =
            Document::read(document.as_bytes(), Limits::message()).expect("readable before it is bent");
        let element = read.elements().find(|element| element.attribute("ID") == Some(id)).expect("the ID");
        let octets = canonicalize(element, &Canonicalization::exclusive(), None).expect("in bounds");
        self.of_octets(&octets, id)
    }

    /// The Signature over octets.
    pub(crate) fn of_octets(&self, octets: &[u8], id: &str) -> String {
        let (signed_info, value) = self.sealed(octets, id);
        format!(
            "<ds:Signature xmlns:ds=\"{DS}\">{signed_info}<ds:SignatureValue>{}</ds:SignatureValue>{}</ds:Signature>",
            STANDARD.encode(value),
            self.after
        )
    }

    /// SignedInfo in canonical form, and its signature.
    pub(crate) fn sealed(&self, octets: &[u8], id: &str) -> (String, Vec<u8>) {
        let algorithm = DigestAlgorithm::from_xml_uri(&self.digest_method).unwrap_or(DigestAlgorithm::Sha256);
        let digest = self.digest.clone().unwrap_or_else(|| STANDARD.encode(algorithm.digest(octets)));
        let reference = self.reference.clone().unwrap_or_else(|| format!(" URI=\"#{id}\""));
        let Self { transforms, digest_method, more, .. } = self;
        let (canonical, canonical_inside) = &self.canonicalization;
        let (method, method_inside) = &self.method;
        let signed_info = format!(
            "<ds:SignedInfo xmlns:ds=\"{DS}\">\
             <ds:CanonicalizationMethod Algorithm=\"{canonical}\">{canonical_inside}</ds:CanonicalizationMethod>\
             <ds:SignatureMethod Algorithm=\"{method}\">{method_inside}</ds:SignatureMethod>\
             <ds:Reference{reference}>{transforms}<ds:DigestMethod Algorithm=\"{digest_method}\"></ds:DigestMethod>\
             <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>{more}</ds:SignedInfo>"
        );
        let value = match &self.seal {
            Some(seal) => seal(signed_info.as_bytes()),
            None => self.key.sign(signed_info.as_bytes()).expect("signed"),
        };
        (signed_info, value)
    }

    /// `document` with the Signature in its place.
    pub(crate) fn on(&self, document: &str, id: &str) -> String {
        placed(document, id, &self.over(document, id))
    }
}

/// `document` with `signature` right after the Issuer of the element that has this ID.
pub(crate) fn placed(document: &str, id: &str, signature: &str) -> String {
    let end = "</saml:Issuer>";
    let from = document.find(&format!(" ID=\"{id}\"")).expect("the ID");
    let at = from + document[from..].find(end).expect("an Issuer") + end.len();
    format!("{}{signature}{}", &document[..at], &document[at..])
}

/// `text` with the first `from` replaced, which must be there.
pub(crate) fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1)
}

/// `text` with the last `from` replaced, which must be there.
pub(crate) fn last_replaced(text: &str, from: &str, to: &str) -> String {
    let at = text.rfind(from).unwrap_or_else(|| panic!("{from} is not in {text}"));
    format!("{}{to}{}", &text[..at], &text[at + from.len()..])
}

/// The part of `text` from `start` through `end`.
pub(crate) fn part(text: &str, start: &str, end: &str) -> String {
    part_of(text, start, end).unwrap_or_else(|| panic!("{start} to {end} is not in {text}"))
}

/// The same, where it may not be there.
pub(crate) fn part_of(text: &str, start: &str, end: &str) -> Option<String> {
    let from = text.find(start)?;
    let through = from + text[from..].find(end)? + end.len();
    Some(text[from..through].to_owned())
}
