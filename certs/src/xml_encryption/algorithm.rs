//! The ciphers and key transports that exist for us, by their XML names; what is not named here cannot be used. No triple DES, no
//! PKCS#1 v1.5 key transport (SC-DP section 8; FEDINTEROP IIP-ALG04 to 06).

use aws_lc_rs::{
    aead,
    cipher::{AES_128, AES_192, AES_256, Algorithm},
    rsa::{
        OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
        OaepAlgorithm,
    },
};
use certs_xml::{
    Namespace, NewElement,
    namespace::{DS, XENC11},
};

use crate::DigestAlgorithm;

/// A cipher for content (XML Encryption 1.1, section 5.2), strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BlockCipher {
    /// AES-256 in Galois/counter mode.
    #[default]
    Aes256Gcm,
    /// AES-192 in Galois/counter mode.
    Aes192Gcm,
    /// AES-128 in Galois/counter mode.
    Aes128Gcm,
    /// AES-256 in cipher block chaining mode: no integrity.
    Aes256Cbc,
    /// AES-192 in cipher block chaining mode: no integrity.
    Aes192Cbc,
    /// AES-128 in cipher block chaining mode: no integrity.
    Aes128Cbc,
}

impl BlockCipher {
    /// Every cipher, in the order in which we would have them.
    pub const ALL: [Self; 6] = [
        Self::Aes256Gcm,
        Self::Aes192Gcm,
        Self::Aes128Gcm,
        Self::Aes256Cbc,
        Self::Aes192Cbc,
        Self::Aes128Cbc,
    ];

    /// The identifier in `EncryptionMethod`.
    #[must_use]
    pub fn xml_uri(self) -> &'static str {
        match self {
            Self::Aes256Gcm => "http://www.w3.org/2009/xmlenc11#aes256-gcm",
            Self::Aes192Gcm => "http://www.w3.org/2009/xmlenc11#aes192-gcm",
            Self::Aes128Gcm => "http://www.w3.org/2009/xmlenc11#aes128-gcm",
            Self::Aes256Cbc => "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
            Self::Aes192Cbc => "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
            Self::Aes128Cbc => "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
        }
    }

    /// The cipher that an identifier names, exactly as written; `None` for any other.
    #[must_use]
    pub fn from_xml_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.xml_uri() == uri)
    }

    /// Whether a change of the ciphertext shows.
    #[must_use]
    pub fn is_authenticated(self) -> bool {
        matches!(self, Self::Aes256Gcm | Self::Aes192Gcm | Self::Aes128Gcm)
    }

    /// The length of its keys, in octets.
    #[must_use]
    pub fn key_octets(self) -> usize {
        match self {
            Self::Aes256Gcm | Self::Aes256Cbc => 32,
            Self::Aes192Gcm | Self::Aes192Cbc => 24,
            Self::Aes128Gcm | Self::Aes128Cbc => 16,
        }
    }

    /// `EncryptionMethod` that names it: in `XENC` in a message, in `MD` in metadata (SAML Metadata 2.4.1.1).
    #[must_use]
    pub fn method(self, namespace: Namespace) -> NewElement {
        NewElement::new(namespace, "EncryptionMethod").with_attribute("Algorithm", self.xml_uri())
    }

    pub(super) fn gcm(self) -> Option<&'static aead::Algorithm> {
        match self {
            Self::Aes256Gcm => Some(&aead::AES_256_GCM),
            Self::Aes192Gcm => Some(&aead::AES_192_GCM),
            Self::Aes128Gcm => Some(&aead::AES_128_GCM),
            Self::Aes256Cbc | Self::Aes192Cbc | Self::Aes128Cbc => None,
        }
    }

    pub(super) fn cbc(self) -> Option<&'static Algorithm> {
        match self {
            Self::Aes256Cbc => Some(&AES_256),
            Self::Aes192Cbc => Some(&AES_192),
            Self::Aes128Cbc => Some(&AES_128),
            Self::Aes256Gcm | Self::Aes192Gcm | Self::Aes128Gcm => None,
        }
    }
}

/// `rsa-oaep-mgf1p`: the mask function is MGF1 with SHA-1, whatever the digest.
pub(super) const OAEP_MGF1P_URI: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
/// `rsa-oaep` of version 1.1: the mask function is named beside the digest.
pub(super) const OAEP_URI: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";

/// How a content key is wrapped (XML Encryption 1.1, section 5.5): RSA-OAEP.
///
/// The digest and the digest of the mask function are one and the same: that is what the cryptographic library offers. So
/// `rsa-oaep-mgf1p` goes with SHA-1 alone; with another digest it is refused by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KeyTransport {
    /// `rsa-oaep-mgf1p` with SHA-1: what every peer knows. OAEP does not rest on SHA-1 being free of collisions.
    #[default]
    OaepMgf1p,
    /// `rsa-oaep` of XML Encryption 1.1, with this digest also in the mask function.
    Oaep(DigestAlgorithm),
}

impl KeyTransport {
    /// Every key transport, in the order in which we publish them.
    pub const ALL: [Self; 5] = [
        Self::OaepMgf1p,
        Self::Oaep(DigestAlgorithm::Sha256),
        Self::Oaep(DigestAlgorithm::Sha384),
        Self::Oaep(DigestAlgorithm::Sha512),
        Self::Oaep(DigestAlgorithm::Sha1),
    ];

    /// The identifier in `EncryptionMethod`; the digests stand inside.
    #[must_use]
    pub fn xml_uri(self) -> &'static str {
        match self {
            Self::OaepMgf1p => OAEP_MGF1P_URI,
            Self::Oaep(_) => OAEP_URI,
        }
    }

    /// The digest of OAEP and of its mask function.
    #[must_use]
    pub fn digest(self) -> DigestAlgorithm {
        match self {
            Self::OaepMgf1p => DigestAlgorithm::Sha1,
            Self::Oaep(digest) => digest,
        }
    }

    /// `EncryptionMethod` that names it with its digests: in `XENC` in a message, in `MD` in metadata.
    #[must_use]
    pub fn method(self, namespace: Namespace) -> NewElement {
        let digest = NewElement::new(DS, "DigestMethod").with_attribute("Algorithm", self.digest().xml_uri());
        let method = NewElement::new(namespace, "EncryptionMethod")
            .with_attribute("Algorithm", self.xml_uri())
            .with_child(digest);
        match self {
            Self::OaepMgf1p => method,
            Self::Oaep(digest) => method
                .with_child(NewElement::new(XENC11, "MGF").with_attribute("Algorithm", mask_uri(digest))),
        }
    }

    pub(crate) fn implementation(self) -> &'static OaepAlgorithm {
        match self.digest() {
            DigestAlgorithm::Sha1 => &OAEP_SHA1_MGF1SHA1,
            DigestAlgorithm::Sha256 => &OAEP_SHA256_MGF1SHA256,
            DigestAlgorithm::Sha384 => &OAEP_SHA384_MGF1SHA384,
            DigestAlgorithm::Sha512 => &OAEP_SHA512_MGF1SHA512,
        }
    }
}

/// The digest of that name in a key transport. XML Encryption 1.1, section 5.8.3, has a second name for SHA-384.
pub(super) fn digest_of(uri: &str) -> Option<DigestAlgorithm> {
    match uri {
        "http://www.w3.org/2001/04/xmlenc#sha384" => Some(DigestAlgorithm::Sha384),
        _ => DigestAlgorithm::from_xml_uri(uri),
    }
}

/// The mask function MGF1 with `digest` (XML Encryption 1.1, section 5.5.2).
fn mask_uri(digest: DigestAlgorithm) -> &'static str {
    match digest {
        DigestAlgorithm::Sha1 => "http://www.w3.org/2009/xmlenc11#mgf1sha1",
        DigestAlgorithm::Sha256 => "http://www.w3.org/2009/xmlenc11#mgf1sha256",
        DigestAlgorithm::Sha384 => "http://www.w3.org/2009/xmlenc11#mgf1sha384",
        DigestAlgorithm::Sha512 => "http://www.w3.org/2009/xmlenc11#mgf1sha512",
    }
}

/// The digest of the mask function of that name.
pub(super) fn mask_digest_of(uri: &str) -> Option<DigestAlgorithm> {
    DigestAlgorithm::ALL.into_iter().find(|digest| mask_uri(*digest) == uri)
}
