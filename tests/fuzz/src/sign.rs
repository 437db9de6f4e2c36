//! Signs whatever well-formed XML it is given, also what our own writer would never write.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs::{
    DigestAlgorithm, PublicKey, Signer,
    xml_encryption::{BlockCipher, Encryption, encrypt},
};
use certs_xml::{
    Canonicalization, Document, Element, Limits, NewElement, canonicalize,
    namespace::{DS, SAML},
};

/// Which elements are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    Root,
    Assertion,
    Both,
}

/// The document in exclusive canonical form with enveloped signatures put in; `None` when it does not read or has nothing to sign.
pub(crate) fn signed(xml: &[u8], signed: Signed, signer: &dyn Signer) -> Option<String> {
    let document = Document::read(xml, Limits::message()).ok()?;
    let mut text = canonical(document.root())?;
    if signed != Signed::Root {
        let assertion = document.root().child(SAML.uri(), "Assertion")?;
        let alone = canonical(assertion)?;
        // The assertion may lean on a prefix that an element around it writes; then it does not stand so in the whole.
        if text.matches(&alone).count() != 1 {
            return None;
        }
        text = text.replacen(&alone, &with_signature(assertion, &alone, signer)?, 1);
    }
    if signed == Signed::Assertion {
        return Some(text);
    }
    let document = Document::read(text.as_bytes(), Limits::message()).ok()?;
    with_signature(document.root(), &text, signer)
}

/// As [`signed`], with the assertion encrypted to `recipient` before the Response is signed; and what it was before that.
pub(crate) fn encrypted(
    xml: &[u8],
    how: Signed,
    signer: &dyn Signer,
    recipient: &PublicKey,
    cipher: BlockCipher,
) -> Option<(String, String)> {
    let clear = match how {
        Signed::Root => {
            let document = Document::read(xml, Limits::message()).ok()?;
            canonical(document.root())?
        }
        Signed::Assertion | Signed::Both => signed(xml, Signed::Assertion, signer)?,
    };
    let document = Document::read(clear.as_bytes(), Limits::message()).ok()?;
    let assertion = canonical(document.root().child(SAML.uri(), "Assertion")?)?;
    if clear.matches(&assertion).count() != 1 {
        return None;
    }
    let encryption = Encryption { cipher, ..Encryption::default() };
    let data = encrypt(assertion.as_bytes(), recipient, encryption).ok()?;
    let holder = NewElement::new(SAML, "EncryptedAssertion").with_child(data);
    let text = clear.replacen(&assertion, &String::from_utf8(holder.to_canonical().ok()?).ok()?, 1);
    if how == Signed::Assertion {
        return Some((text, clear));
    }
    let document = Document::read(text.as_bytes(), Limits::message()).ok()?;
    Some((with_signature(document.root(), &text, signer)?, clear))
}

fn canonical(element: Element<'_>) -> Option<String> {
    String::from_utf8(canonicalize(element, &Canonicalization::exclusive(), None).ok()?).ok()
}

/// The canonical `text` of `element`, with a signature after its Issuer where that comes first, else before everything.
fn with_signature(element: Element<'_>, text: &str, signer: &dyn Signer) -> Option<String> {
    let id = element.attribute("ID").unwrap_or("_missing");
    let tag = end_of_tag(text)?;
    let at = match element.children().next().filter(|first| first.is(SAML.uri(), "Issuer")) {
        Some(issuer) => {
            let end = format!("</{}>", issuer.qualified_name());
            text.get(tag..)?.find(&end)? + tag + end.len()
        }
        None => tag,
    };
    let signature = signature_over(id, text.as_bytes(), signer)?;
    Some(format!("{}{signature}{}", text.get(..at)?, text.get(at..)?))
}

/// Where the first tag ends; `>` may stand in a value.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quoted = false;
    let end = text.bytes().position(|octet| {
        quoted ^= octet == b'"';
        octet == b'>' && !quoted
    })?;
    Some(end + 1)
}

fn signature_over(id: &str, canonical: &[u8], signer: &dyn Signer) -> Option<String> {
    let digest = STANDARD.encode(DigestAlgorithm::Sha256.digest(canonical));
    let id = id.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let method = signer.algorithm().xml_uri()?;
    let exclusive = certs_xml::canonical::EXCLUSIVE_URI;
    let inner = format!(
        "<ds:CanonicalizationMethod Algorithm=\"{exclusive}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"{method}\"></ds:SignatureMethod><ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"{dsig}enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"{exclusive}\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"{sha256}\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>",
        dsig = DS.uri(),
        sha256 = DigestAlgorithm::Sha256.xml_uri(),
    );
    let namespace = format!("xmlns:ds=\"{}\"", DS.uri());
    let signed_info = format!("<ds:SignedInfo {namespace}>{inner}</ds:SignedInfo>");
    let value = STANDARD.encode(signer.sign(signed_info.as_bytes()).ok()?);
    Some(format!(
        "<ds:Signature {namespace}><ds:SignedInfo>{inner}</ds:SignedInfo>\
         <ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
    ))
}
