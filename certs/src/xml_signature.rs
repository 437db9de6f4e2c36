//! XML signatures: one narrow profile, and nothing is read but the octets that were hashed (design section 11).
//!
//! [`verify`] canonicalises the signed element, compares the digest, checks the signature over the canonical `SignedInfo`, and
//! gives those canonical octets. Typed messages are built from [`SignedElement::document`] alone, so a slip in our
//! canonicaliser could refuse a good message but never make us read something that the peer's key did not sign.
//!
//! The profile (SAML 2.0 core, section 5.4; XML Signature 1.1): the `Signature` is a direct child of the element that it
//! signs, with one `Reference` to that element, the transforms enveloped-signature and exclusive canonical form without
//! comments. `KeyInfo` is not looked at: keys come from metadata.
//!
//! | file | what |
//! |---|---|
//! | `signed_info.rs` | reads `SignedInfo`, refusing all that the profile does not name |
//! | `refused.rs` | one variant for each refusal |
//! | `sign.rs` | signs what we write |
//! | `streaming.rs` | verifies a metadata file of any size while it is read |
//!
//! Neighbours: `certs_xml` (documents and canonical form), `public_key` and `signer` (the keys).

use certs_proof::Verified;
use certs_xml::{
    Document, Element, Limits, XmlRefused, canonicalize,
    namespace::{DS, SAML},
};
use subtle::ConstantTimeEq as _;

use crate::{AlgorithmPolicy, KeyThumbprint, PublicKey, SignatureAlgorithm};

mod refused;
mod sign;
mod signed_info;
pub mod streaming;

pub use refused::SignatureRefused;
pub use sign::{CannotSign, digest_for, sign_enveloped, signature_over};
pub(crate) use signed_info::allowed_algorithm;
use signed_info::{Permitted, SignedInfo, binary};

/// What kind of document the signature is on; metadata in the wild needs a little more room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A protocol message or an assertion: exclusive canonical form, a reference to the element by its `ID`.
    Message,
    /// A metadata document: for its outermost element also an empty reference and inclusive canonical form.
    Metadata,
}

/// An element that a key signed: its canonical octets, without the signature.
#[derive(Clone)]
pub struct SignedElement {
    canonical: Vec<u8>,
    digest: Vec<u8>,
    algorithm: SignatureAlgorithm,
    key: KeyThumbprint,
}

impl SignedElement {
    /// The octets that were hashed. The element's own `Signature` is not in them.
    #[must_use]
    pub fn canonical(&self) -> &[u8] {
        &self.canonical
    }

    /// The algorithm of the signature.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The key that signed.
    #[must_use]
    pub fn key(&self) -> KeyThumbprint {
        self.key
    }

    /// Reads the octets that were hashed. Whoever wants to know what was signed reads this and not the document that came.
    ///
    /// # Errors
    /// When they do not read as a document. Canonical form of a document that was read does; a refusal here means a slip of
    /// ours, and is the safe answer to it.
    pub fn document(&self) -> Result<Document, XmlRefused> {
        Document::read(&self.canonical, canonical_limits(&self.canonical))
    }
}

impl std::fmt::Debug for SignedElement {
    /// How it was signed, never what it says.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SignedElement")
            .field("octets", &self.canonical.len())
            .field("algorithm", &self.algorithm)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Canonical octets were bounded when they were written. Exclusive form can move declarations onto one element: one for each
/// attribute and its own, and in inclusive form all that are in scope.
fn canonical_limits(canonical: &[u8]) -> Limits {
    Limits { namespaces: 256, ..Limits::metadata(canonical.len()) }
}

/// Whether `element` carries a signature of its own, of whatever quality.
#[must_use]
pub fn is_signed(element: Element<'_>) -> bool {
    element.child(DS.uri(), "Signature").is_some()
}

/// Verifies the signature that `element` carries, with one of `keys`.
///
/// # Errors
/// One [`SignatureRefused`] for each rule of the profile. They are for the log and the operator; from outside all look alike
/// (design decision 13).
pub fn verify(
    element: Element<'_>,
    keys: &[PublicKey],
    policy: &AlgorithmPolicy,
    profile: Profile,
) -> Result<Verified<SignedElement>, SignatureRefused> {
    let signature = own_signature(element)?;
    let is_root = element.parent().is_none();
    let permitted = Permitted { policy: *policy, whole_document: profile == Profile::Metadata && is_root };
    let (signed, key) = authenticated(signature, keys, permitted)?;
    refers_to(&signed.reference, element.attribute("ID"), permitted)?;
    let canonical = canonicalize(element, &signed.transform, Some(signature))?;
    let digest = signed.digest_algorithm.digest(&canonical);
    if !bool::from(digest.ct_eq(&signed.digest)) {
        return Err(SignatureRefused::DigestMismatch);
    }
    Ok(Verified::vouched_for_by_a_verifier(SignedElement {
        canonical,
        digest,
        algorithm: signed.algorithm,
        key,
    }))
}

/// What `SignedInfo` of `signature` says, once one of `keys` is known to have signed it, and which.
fn authenticated(
    signature: Element<'_>,
    keys: &[PublicKey],
    permitted: Permitted,
) -> Result<(SignedInfo, KeyThumbprint), SignatureRefused> {
    let (signed_info, value) = parts(signature)?;
    // The octets of SignedInfo are found by what it says about itself; all else is read from those octets, once they are
    // known to be signed.
    let written = SignedInfo::read(signed_info, permitted)?;
    let octets = canonicalize(signed_info, &written.canonicalization, None)?;
    let key = keys_for(written.algorithm, keys)?
        .find(|key| key.verify(written.algorithm, &octets, &value).is_ok())
        .ok_or(SignatureRefused::SignatureMismatch)?;
    let signed =
        Document::read(&octets, canonical_limits(&octets)).map_err(SignatureRefused::SignedInfoUnreadable)?;
    let signed = SignedInfo::read(signed.root(), permitted)?;
    if signed.canonicalization != written.canonicalization || signed.algorithm != written.algorithm {
        return Err(SignatureRefused::SignedInfoAmbiguous);
    }
    Ok((signed, key.thumbprint()))
}

/// The one `Signature` directly inside `element`. SAML 2.0 core, section 5.4.1: at most one, and enveloped.
fn own_signature(element: Element<'_>) -> Result<Element<'_>, SignatureRefused> {
    let mut signatures = element.children_named(DS.uri(), "Signature");
    match (signatures.next(), signatures.next()) {
        (None, _) => Err(SignatureRefused::NoSignature),
        (Some(signature), None) if in_place(element, signature) => Ok(signature),
        (Some(_), None) => Err(SignatureRefused::Misplaced),
        (Some(_), Some(_)) => Err(SignatureRefused::SeveralSignatures),
    }
}

/// The schemas have it first in metadata (SAML 2.0 metadata, section 2.3.2) and in messages after the `Issuer`, if any (SAML
/// 2.0 core, sections 2.3.3, 3.2.1 and 3.2.2).
fn in_place(element: Element<'_>, signature: Element<'_>) -> bool {
    let mut before = element.children().take_while(|child| *child != signature);
    match (before.next(), before.next()) {
        (None, _) => true,
        (Some(issuer), None) => issuer.is(SAML.uri(), "Issuer"),
        _ => false,
    }
}

/// `SignedInfo`, `SignatureValue`, and perhaps `KeyInfo`, in this order and alone (XML Signature 1.1, section 4.1, without
/// `Object`, which SAML has no use for and attacks have).
fn parts(signature: Element<'_>) -> Result<(Element<'_>, Vec<u8>), SignatureRefused> {
    if signature.children_named(DS.uri(), "Object").next().is_some() {
        return Err(SignatureRefused::Object);
    }
    signed_info::only_elements(signature)?;
    signed_info::only_attributes(signature, &["Id"])?;
    let mut children = signature.children();
    let signed_info = signed_info::next(&mut children, "SignedInfo")?;
    let value = signed_info::next(&mut children, "SignatureValue")?;
    signed_info::only_attributes(value, &["Id"])?;
    match (children.next(), children.next()) {
        (None, _) => {}
        (Some(key_info), None) if key_info.is(DS.uri(), "KeyInfo") => {}
        _ => return Err(SignatureRefused::unknown("Signature")),
    }
    Ok((signed_info, binary(value)?))
}

fn keys_for(
    algorithm: SignatureAlgorithm,
    keys: &[PublicKey],
) -> Result<impl Iterator<Item = &PublicKey>, SignatureRefused> {
    let mut able = keys.iter().filter(move |key| key.supports(algorithm)).peekable();
    if able.peek().is_none() {
        return Err(SignatureRefused::NoKey { algorithm });
    }
    Ok(able)
}

/// SAML 2.0 core, section 5.4.2: the reference is to the element that carries the signature. That no other element has the
/// same identifier, the reader has seen to.
fn refers_to(
    reference: &str,
    identifier: Option<&str>,
    permitted: Permitted,
) -> Result<(), SignatureRefused> {
    if reference.is_empty() && permitted.whole_document {
        return Ok(());
    }
    match (identifier.filter(|identifier| !identifier.is_empty()), reference.strip_prefix('#')) {
        (None, _) => Err(SignatureRefused::NoId),
        (Some(identifier), Some(referred)) if identifier == referred => Ok(()),
        _ => Err(SignatureRefused::ReferenceElsewhere),
    }
}

#[cfg(test)]
mod tests;
