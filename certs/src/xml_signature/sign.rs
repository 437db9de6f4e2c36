//! Signs elements of our own, in the one form that [`super::verify`] accepts.
//!
//! The tree writes exclusive canonical form by construction, so there is nothing to parse again. Neighbour: `certs_xml`'s
//! [`NewElement`].

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs_xml::{
    CannotWrite, NewElement,
    canonical::EXCLUSIVE_URI,
    namespace::{DS, SAML},
};
use thiserror::Error;

use super::signed_info::ENVELOPED_URI;
use crate::{DigestAlgorithm, SignatureAlgorithm, Signer, SigningFailed};

/// Why an element was not signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CannotSign {
    /// There is no `ID` attribute that a reference can name: a letter or `_`, then letters, digits, `_`, `-` or `.`.
    #[error("the element has no ID that a signature can refer to")]
    NoId,
    /// It carries a signature already.
    #[error("the element is signed already")]
    AlreadySigned,
    /// The signer's algorithm has no name in XML signatures, or is one that we do not sign with.
    #[error("{0:?} is not for XML signatures")]
    Algorithm(SignatureAlgorithm),
    /// A value cannot be written.
    #[error(transparent)]
    Value(#[from] CannotWrite),
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] SigningFailed),
}

/// Signs `element`, which must carry an `ID`: an enveloped signature right after `saml:Issuer` where that comes first (SAML 2.0
/// core, sections 2.3.3 and 3.2.1), else before everything (SAML 2.0 metadata, section 2.3.2). The certificate goes along
/// where the signer has one.
///
/// # Errors
/// See [`CannotSign`]; the element is given up with it.
pub fn sign_enveloped(mut element: NewElement, signer: &dyn Signer) -> Result<NewElement, CannotSign> {
    let digest_algorithm = digest_for(signer)?;
    let identifier =
        element.attribute("ID").filter(|identifier| is_identifier(identifier)).ok_or(CannotSign::NoId)?;
    if element.children().any(|child| child.namespace() == DS && child.local_name() == "Signature") {
        return Err(CannotSign::AlreadySigned);
    }
    let digest = digest_algorithm.digest(&element.to_canonical()?);
    let signature = signature_over(identifier, &digest, signer)?;
    element.insert_after_first(SAML, "Issuer", signature);
    Ok(element)
}

/// The digest that goes with the signatures of `signer`, for [`signature_over`].
///
/// # Errors
/// [`CannotSign::Algorithm`].
pub fn digest_for(signer: &dyn Signer) -> Result<DigestAlgorithm, CannotSign> {
    let algorithm = signer.algorithm();
    digest_beside(algorithm).ok_or(CannotSign::Algorithm(algorithm))
}

/// The `Signature` over an element whose exclusive canonical form has `digest`, made by [`digest_for`], and whose `ID` is `identifier`: for
/// documents that are too large to be held, or that others wrote. It goes in as a direct child.
///
/// # Errors
/// See [`CannotSign`].
pub fn signature_over(
    identifier: &str,
    digest: &[u8],
    signer: &dyn Signer,
) -> Result<NewElement, CannotSign> {
    let algorithm = signer.algorithm();
    let (Some(method), digest_algorithm) = (algorithm.xml_uri(), digest_for(signer)?) else {
        return Err(CannotSign::Algorithm(algorithm));
    };
    if !is_identifier(identifier) {
        return Err(CannotSign::NoId);
    }
    let transforms = [ENVELOPED_URI, EXCLUSIVE_URI].map(|uri| method_element("Transform", uri));
    let signed_info = NewElement::new(DS, "SignedInfo")
        .with_child(method_element("CanonicalizationMethod", EXCLUSIVE_URI))
        .with_child(method_element("SignatureMethod", method))
        .with_child(
            NewElement::new(DS, "Reference")
                .with_attribute("URI", format!("#{identifier}"))
                .with_child(NewElement::new(DS, "Transforms").with_children(transforms))
                .with_child(method_element("DigestMethod", digest_algorithm.xml_uri()))
                .with_child(NewElement::new(DS, "DigestValue").with_text(STANDARD.encode(digest))),
        );
    let value = signer.sign(&signed_info.to_canonical()?)?;
    let mut signature = NewElement::new(DS, "Signature")
        .with_child(signed_info)
        .with_child(NewElement::new(DS, "SignatureValue").with_text(STANDARD.encode(value)));
    if let Some(certificate) = signer.certificate_der() {
        let certificate = NewElement::new(DS, "X509Certificate").with_text(STANDARD.encode(certificate));
        let data = NewElement::new(DS, "X509Data").with_child(certificate);
        signature.push(NewElement::new(DS, "KeyInfo").with_child(data));
    }
    Ok(signature)
}

fn method_element(name: &'static str, uri: &'static str) -> NewElement {
    NewElement::new(DS, name).with_attribute("Algorithm", uri)
}

/// The digest as strong as the one inside the signature; `None` for what we do not sign with.
fn digest_beside(algorithm: SignatureAlgorithm) -> Option<DigestAlgorithm> {
    use SignatureAlgorithm as A;
    match algorithm {
        A::RsaSha256 | A::EcdsaSha256 => Some(DigestAlgorithm::Sha256),
        A::RsaSha384 | A::EcdsaSha384 => Some(DigestAlgorithm::Sha384),
        A::RsaSha512 | A::EcdsaSha512 => Some(DigestAlgorithm::Sha512),
        A::RsaSha1 | A::RsaPssSha256 | A::RsaPssSha384 | A::RsaPssSha512 => None,
    }
}

fn is_identifier(identifier: &str) -> bool {
    let mut octets = identifier.bytes();
    octets.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && octets.all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.'))
}
