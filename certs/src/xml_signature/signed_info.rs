//! `ds:SignedInfo`, read strictly: what the profile does not name is refused, not skipped.
//!
//! Neighbour: `xml_signature.rs` reads it twice, as it came (to learn its canonical form) and then from the signed octets.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs_xml::{
    Attribute, Canonicalization, Element,
    canonical::{EXCLUSIVE_URI, INCLUSIVE_URI},
    namespace::{DS, EC, XML},
};

use super::refused::{SignatureRefused, shortened};
use crate::{AlgorithmPolicy, DigestAlgorithm, SignatureAlgorithm};

/// XML Signature 1.1, section 6.6.4.
pub(super) const ENVELOPED_URI: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// Real prefix lists name `xs` and perhaps `xsi`.
const LONGEST_PREFIX_LIST: usize = 64;

/// What this signature may use.
#[derive(Clone, Copy)]
pub(super) struct Permitted {
    pub(super) policy: AlgorithmPolicy,
    /// The outermost element of metadata: also an empty reference, and inclusive canonical form.
    pub(super) whole_document: bool,
}

/// What `SignedInfo` says.
pub(super) struct SignedInfo {
    pub(super) canonicalization: Canonicalization,
    pub(super) algorithm: SignatureAlgorithm,
    /// The reference as written, `#` included.
    pub(super) reference: String,
    pub(super) transform: Canonicalization,
    pub(super) digest_algorithm: DigestAlgorithm,
    pub(super) digest: Vec<u8>,
}

impl SignedInfo {
    /// XML Signature 1.1, section 4.4: canonicalization method, signature method, and here exactly one reference.
    pub(super) fn read(element: Element<'_>, permitted: Permitted) -> Result<Self, SignatureRefused> {
        only_elements(element)?;
        // Inclusive form hands the `xml:` attributes of the metadata down to SignedInfo (Canonical XML 1.0, section 2.4).
        let inherited =
            |attribute: &Attribute<'_>| permitted.whole_document && attribute.namespace() == XML.uri();
        only_these(element.attributes().filter(|attribute| !inherited(attribute)), &["Id"])?;
        let mut children = element.children();
        let method = next(&mut children, "CanonicalizationMethod")?;
        let canonicalization = canonical_form(method, permitted, |uri| {
            SignatureRefused::CanonicalizationMethod(shortened(uri))
        })?;
        let algorithm = signature_method(next(&mut children, "SignatureMethod")?, permitted)?;
        let references = element.children_named(DS.uri(), "Reference").count();
        if references != 1 {
            return Err(SignatureRefused::ReferenceCount { count: references });
        }
        let reference = next(&mut children, "Reference")?;
        if children.next().is_some() {
            return Err(SignatureRefused::unknown("SignedInfo"));
        }
        only_elements(reference)?;
        only_attributes(reference, &["Id", "URI"])?;
        let mut children = reference.children();
        let transform = transforms(next(&mut children, "Transforms")?, permitted)?;
        let digest_algorithm = digest_method(next(&mut children, "DigestMethod")?, permitted)?;
        let digest = next(&mut children, "DigestValue")?;
        only_attributes(digest, &[])?;
        if children.next().is_some() {
            return Err(SignatureRefused::unknown("Reference"));
        }
        Ok(Self {
            canonicalization,
            algorithm,
            // XML Signature 1.1, section 4.4.3.1: without a URI the application would have to know; we never do.
            reference: reference.attribute("URI").ok_or(SignatureRefused::ReferenceElsewhere)?.to_owned(),
            transform,
            digest_algorithm,
            digest: binary(digest)?,
        })
    }
}

/// Exactly enveloped-signature and then a canonical form (SAML 2.0 core, section 5.4.4).
fn transforms(element: Element<'_>, permitted: Permitted) -> Result<Canonicalization, SignatureRefused> {
    only_elements(element)?;
    only_attributes(element, &[])?;
    let transforms: Vec<_> = element.children().collect();
    let [enveloped, canonical] = transforms.as_slice() else { return Err(SignatureRefused::Transforms) };
    if [enveloped, canonical].into_iter().any(|transform| !transform.is(DS.uri(), "Transform"))
        || enveloped.attribute("Algorithm") != Some(ENVELOPED_URI)
    {
        return Err(SignatureRefused::Transforms);
    }
    only_attributes(*enveloped, &["Algorithm"])?;
    empty(*enveloped, "Transform")?;
    canonical_form(*canonical, permitted, |_| SignatureRefused::Transforms)
}

/// The canonical form that `Algorithm` names, with its prefix list (Exclusive XML Canonicalization 1.0, section 4).
fn canonical_form(
    element: Element<'_>,
    permitted: Permitted,
    refuse: impl Fn(&str) -> SignatureRefused,
) -> Result<Canonicalization, SignatureRefused> {
    only_attributes(element, &["Algorithm"])?;
    match element.attribute("Algorithm").unwrap_or_default() {
        EXCLUSIVE_URI => Ok(Canonicalization::Exclusive { inclusive_prefixes: prefix_list(element)? }),
        INCLUSIVE_URI if permitted.whole_document => {
            empty(element, "CanonicalizationMethod")?;
            Ok(Canonicalization::Inclusive)
        }
        other => Err(refuse(other)),
    }
}

fn prefix_list(element: Element<'_>) -> Result<Vec<String>, SignatureRefused> {
    only_elements(element)?;
    let mut children = element.children();
    let list = match (children.next(), children.next()) {
        (None, _) => return Ok(Vec::new()),
        (Some(list), None) if list.is(EC.uri(), "InclusiveNamespaces") => list,
        _ => return Err(SignatureRefused::unknown("Transform")),
    };
    only_attributes(list, &["PrefixList"])?;
    empty(list, "InclusiveNamespaces")?;
    let prefixes: Vec<_> = list
        .attribute("PrefixList")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .take(LONGEST_PREFIX_LIST + 1)
        .map(str::to_owned)
        .collect();
    if prefixes.len() > LONGEST_PREFIX_LIST { Err(SignatureRefused::PrefixList) } else { Ok(prefixes) }
}

fn signature_method(
    element: Element<'_>,
    permitted: Permitted,
) -> Result<SignatureAlgorithm, SignatureRefused> {
    only_attributes(element, &["Algorithm"])?;
    empty(element, "SignatureMethod")?;
    allowed_algorithm(element.attribute("Algorithm").unwrap_or_default(), permitted.policy)
}

/// The signature algorithm of that name, if `policy` permits it.
pub(crate) fn allowed_algorithm(
    uri: &str,
    policy: AlgorithmPolicy,
) -> Result<SignatureAlgorithm, SignatureRefused> {
    let algorithm = SignatureAlgorithm::from_xml_uri(uri)
        .ok_or_else(|| SignatureRefused::SignatureMethod(shortened(uri)))?;
    if policy.permits_signature(algorithm) { Ok(algorithm) } else { Err(SignatureRefused::Sha1) }
}

fn digest_method(element: Element<'_>, permitted: Permitted) -> Result<DigestAlgorithm, SignatureRefused> {
    only_attributes(element, &["Algorithm"])?;
    empty(element, "DigestMethod")?;
    let uri = element.attribute("Algorithm").unwrap_or_default();
    let algorithm =
        DigestAlgorithm::from_xml_uri(uri).ok_or_else(|| SignatureRefused::DigestMethod(shortened(uri)))?;
    if permitted.policy.permits_digest(algorithm) { Ok(algorithm) } else { Err(SignatureRefused::Sha1) }
}

/// The next child, which must be the `ds:` element of that name.
pub(super) fn next<'d>(
    children: &mut impl Iterator<Item = Element<'d>>,
    local_name: &'static str,
) -> Result<Element<'d>, SignatureRefused> {
    children
        .next()
        .filter(|child| child.is(DS.uri(), local_name))
        .ok_or_else(|| SignatureRefused::unknown("Signature"))
}

/// Refuses text and comments beside elements.
pub(super) fn only_elements(element: Element<'_>) -> Result<(), SignatureRefused> {
    if element.has_comment() {
        return Err(SignatureRefused::Comment);
    }
    if element.has_only_elements() { Ok(()) } else { Err(SignatureRefused::unknown("Signature")) }
}

/// Refuses attributes that are not named here.
pub(super) fn only_attributes(element: Element<'_>, names: &[&str]) -> Result<(), SignatureRefused> {
    only_these(element.attributes(), names)
}

fn only_these<'d>(
    mut attributes: impl Iterator<Item = Attribute<'d>>,
    names: &[&str],
) -> Result<(), SignatureRefused> {
    let known = |attribute: Attribute<'_>| {
        attribute.namespace().is_empty() && names.contains(&attribute.local_name())
    };
    if attributes.all(known) { Ok(()) } else { Err(SignatureRefused::unknown("Signature")) }
}

/// Refuses anything inside but white space.
fn empty(element: Element<'_>, name: &'static str) -> Result<(), SignatureRefused> {
    only_elements(element)?;
    if element.children().next().is_some() { Err(SignatureRefused::unknown(name)) } else { Ok(()) }
}

/// A Base64 value; white space within is folded as XML Schema 1.0 part 2, section 3.2.16, allows, comments are not.
pub(super) fn binary(element: Element<'_>) -> Result<Vec<u8>, SignatureRefused> {
    if element.has_comment() {
        return Err(SignatureRefused::Comment);
    }
    let text = element.text().ok_or_else(|| SignatureRefused::unknown("Signature"))?;
    let folded: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    STANDARD.decode(folded).map_err(|_| SignatureRefused::NotBase64)
}
