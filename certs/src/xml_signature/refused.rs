//! Why a signature was refused: one variant for each rule, each with a stable name for logs. Neighbour: `xml_signature.rs`.

use certs_xml::{CannotCanonicalize, XmlRefused};
use thiserror::Error;

use crate::SignatureAlgorithm;

/// A signature that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureRefused {
    /// The element carries no signature (or the query none).
    #[error("it is not signed")]
    NoSignature,
    /// More than one signature directly inside one element.
    #[error("it carries more than one signature")]
    SeveralSignatures,
    /// The signature stands neither first nor right after the issuer, where the schemas have it.
    #[error("the signature stands in the wrong place")]
    Misplaced,
    /// A file that is verified while it is read does not begin with its signature (SAML Metadata 2.3.1), so how to hash it is not known.
    #[error("the outermost element does not begin with a signature")]
    NotFirst,
    /// `ds:Object` inside the signature: a place to hide what was signed.
    #[error("the signature holds an Object")]
    Object,
    /// Something that the profile does not name, inside this element of the signature.
    #[error("<{within}> of the signature holds something that is not allowed there")]
    Unknown {
        /// The local name of the element that holds it, of those that the profile names.
        within: &'static str,
    },
    /// A comment inside a part of the signature that is read.
    #[error("the signature holds a comment")]
    Comment,
    /// `CanonicalizationMethod` is not exclusive canonical form without comments.
    #[error("the canonicalization method {0} is not allowed")]
    CanonicalizationMethod(String),
    /// `SignatureMethod` (or `SigAlg`) is not on the list: HMAC, MD5, and whatever is unknown.
    #[error("the signature algorithm {0} is not allowed")]
    SignatureMethod(String),
    /// `DigestMethod` is not on the list.
    #[error("the digest algorithm {0} is not allowed")]
    DigestMethod(String),
    /// SHA-1, as digest or inside the signature, without the policy that allows it.
    #[error("SHA-1 is not allowed")]
    Sha1,
    /// Not exactly one `Reference`.
    #[error("the signature has {count} references, not one")]
    ReferenceCount {
        /// How many there are.
        count: usize,
    },
    /// The reference is not to the element that carries the signature.
    #[error("the signature refers to something else than the element that carries it")]
    ReferenceElsewhere,
    /// The element has no `ID` to refer to.
    #[error("the signed element has no ID")]
    NoId,
    /// Not enveloped-signature and then exclusive canonical form without comments.
    #[error("the transforms are not enveloped-signature and exclusive canonical form")]
    Transforms,
    /// A prefix list longer than anybody needs.
    #[error("the list of inclusive namespaces is too long")]
    PrefixList,
    /// A digest or signature value that is not Base64.
    #[error("a value of the signature is not Base64")]
    NotBase64,
    /// None of the peer's keys can make signatures of this algorithm.
    #[error("no key of this peer makes {algorithm:?} signatures")]
    NoKey {
        /// The algorithm of the signature.
        algorithm: SignatureAlgorithm,
    },
    /// The signature is not by any of the peer's keys, or not over this.
    #[error("the signature is not by a key of this peer over these octets")]
    SignatureMismatch,
    /// The signature holds, but over other content.
    #[error("the content is not what was signed")]
    DigestMismatch,
    /// The canonical `SignedInfo` does not read as a document.
    #[error("the signed part of the signature cannot be read: {0}")]
    SignedInfoUnreadable(XmlRefused),
    /// `SignedInfo` says one thing as it came and another in canonical form.
    #[error("the signed part of the signature is ambiguous")]
    SignedInfoAmbiguous,
    /// The canonical form is out of proportion to the document.
    #[error(transparent)]
    TooLarge(#[from] CannotCanonicalize),
}

impl SignatureRefused {
    pub(super) fn unknown(within: &'static str) -> Self {
        Self::Unknown { within }
    }

    /// The stable name of the rule, for logs and reports.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::NoSignature => "signature.missing",
            Self::SeveralSignatures => "signature.count",
            Self::Misplaced | Self::NotFirst => "signature.place",
            Self::Object => "signature.object",
            Self::Unknown { .. } => "signature.content",
            Self::Comment => "signature.comment",
            Self::CanonicalizationMethod(_) => "signature.canonicalization",
            Self::SignatureMethod(_) => "signature.algorithm",
            Self::DigestMethod(_) => "signature.digest_algorithm",
            Self::Sha1 => "signature.sha1",
            Self::ReferenceCount { .. } => "signature.reference_count",
            Self::ReferenceElsewhere => "signature.reference_uri",
            Self::NoId => "signature.id",
            Self::Transforms => "signature.transforms",
            Self::PrefixList => "signature.prefix_list",
            Self::NotBase64 => "signature.base64",
            Self::NoKey { .. } => "signature.key",
            Self::SignatureMismatch => "signature.value",
            Self::DigestMismatch => "signature.digest",
            Self::SignedInfoUnreadable(_) | Self::SignedInfoAmbiguous => "signature.signed_info",
            Self::TooLarge(_) => "signature.size",
        }
    }
}

/// What a peer wrote, short enough for a log line.
pub(super) fn shortened(written: &str) -> String {
    written
        .chars()
        .take(120)
        .map(|character| if character.is_control() { '\u{FFFD}' } else { character })
        .collect()
}
