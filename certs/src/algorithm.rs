//! The signature and digest algorithms that exist for us, by their XML Signature and JOSE names.
//!
//! An algorithm outside these enums cannot be named, so it cannot be used: no MD5, no HMAC under a public-key name, no `none`.
//! Which of them a message may use is [`AlgorithmPolicy`] (XML) or an explicit list (`jws`).

use aws_lc_rs::digest;

/// A public-key signature algorithm, with the digest that is part of it.
///
/// ECDSA algorithms are bound to the curve that RFC 7518 section 3.4 pairs them with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-1: verification only, and only where a policy allows it by name.
    RsaSha1,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RsaSha384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaSha512,
    /// RSASSA-PSS with SHA-256 and MGF1 with SHA-256; JWS only.
    RsaPssSha256,
    /// RSASSA-PSS with SHA-384 and MGF1 with SHA-384; JWS only.
    RsaPssSha384,
    /// RSASSA-PSS with SHA-512 and MGF1 with SHA-512; JWS only.
    RsaPssSha512,
    /// ECDSA on P-256 with SHA-256.
    EcdsaSha256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaSha384,
    /// ECDSA on P-521 with SHA-512.
    EcdsaSha512,
}

impl SignatureAlgorithm {
    /// Every algorithm, strongest practice not implied by the order.
    pub const ALL: [Self; 10] = [
        Self::RsaSha1,
        Self::RsaSha256,
        Self::RsaSha384,
        Self::RsaSha512,
        Self::RsaPssSha256,
        Self::RsaPssSha384,
        Self::RsaPssSha512,
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
    ];

    /// The identifier in `ds:SignatureMethod` and in the redirect binding's `SigAlg` (RFC 9231 section 2.3, XML Signature
    /// section 6.4); `None` for what we use in JWS only.
    pub fn xml_uri(self) -> Option<&'static str> {
        match self {
            Self::RsaSha1 => Some("http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
            Self::RsaSha256 => Some("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
            Self::RsaSha384 => Some("http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"),
            Self::RsaSha512 => Some("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"),
            Self::EcdsaSha256 => Some("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"),
            Self::EcdsaSha384 => Some("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"),
            Self::EcdsaSha512 => Some("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"),
            Self::RsaPssSha256 | Self::RsaPssSha384 | Self::RsaPssSha512 => None,
        }
    }

    /// The algorithm that an XML identifier names, exactly as written; `None` for any other, HMAC included.
    pub fn from_xml_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.xml_uri() == Some(uri))
    }

    /// The `alg` value of a JWS header (RFC 7518 section 3.1); `None` for RSA with SHA-1, which JOSE never had.
    pub fn jws_name(self) -> Option<&'static str> {
        match self {
            Self::RsaSha1 => None,
            Self::RsaSha256 => Some("RS256"),
            Self::RsaSha384 => Some("RS384"),
            Self::RsaSha512 => Some("RS512"),
            Self::RsaPssSha256 => Some("PS256"),
            Self::RsaPssSha384 => Some("PS384"),
            Self::RsaPssSha512 => Some("PS512"),
            Self::EcdsaSha256 => Some("ES256"),
            Self::EcdsaSha384 => Some("ES384"),
            Self::EcdsaSha512 => Some("ES512"),
        }
    }

    /// The algorithm that an `alg` value names (case-sensitive, RFC 7515 section 4.1.1); `None` for `none`, HMAC and the rest.
    pub fn from_jws_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.jws_name() == Some(name))
    }

    /// Whether the digest inside is SHA-1.
    pub fn is_sha1(self) -> bool {
        self == Self::RsaSha1
    }

    /// Whether the key is an RSA key.
    pub fn is_rsa(self) -> bool {
        !matches!(self, Self::EcdsaSha256 | Self::EcdsaSha384 | Self::EcdsaSha512)
    }
}

/// A digest algorithm of XML signatures and encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DigestAlgorithm {
    /// SHA-1: accepted only where a policy allows it by name.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl DigestAlgorithm {
    /// Every digest algorithm.
    pub const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The identifier in `ds:DigestMethod` (XML Encryption section 5.7, RFC 9231 section 2.1).
    pub fn xml_uri(self) -> &'static str {
        match self {
            Self::Sha1 => "http://www.w3.org/2000/09/xmldsig#sha1",
            Self::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
            Self::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
            Self::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
        }
    }

    /// The algorithm that an XML identifier names, exactly as written; `None` for any other.
    pub fn from_xml_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.xml_uri() == uri)
    }

    /// The digest of `octets`.
    pub fn digest(self, octets: &[u8]) -> Vec<u8> {
        digest::digest(self.implementation(), octets).as_ref().to_vec()
    }

    /// A digest fed piece by piece.
    pub fn hasher(self) -> Hasher {
        Hasher { context: digest::Context::new(self.implementation()) }
    }

    fn implementation(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// A digest under way, so that a large file never lies in memory whole.
#[derive(Clone)]
pub struct Hasher {
    context: digest::Context,
}

impl Hasher {
    /// Feeds the next octets.
    pub fn update(&mut self, octets: &[u8]) {
        self.context.update(octets);
    }

    /// The digest of everything fed.
    pub fn finish(self) -> Vec<u8> {
        self.context.finish().as_ref().to_vec()
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Hasher").finish_non_exhaustive()
    }
}

/// What a peer's XML signatures may use beyond the allow-list that the enums are. The default allows nothing weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlgorithmPolicy {
    /// Accept SHA-1 as digest and inside signatures: for archives and tests of old documents, never for a live federation.
    pub allow_sha1: bool,
}

impl AlgorithmPolicy {
    /// Whether a signature by `algorithm` may be looked at.
    pub fn permits_signature(self, algorithm: SignatureAlgorithm) -> bool {
        self.allow_sha1 || !algorithm.is_sha1()
    }

    /// Whether a reference digested by `algorithm` may be looked at.
    pub fn permits_digest(self, algorithm: DigestAlgorithm) -> bool {
        self.allow_sha1 || algorithm != DigestAlgorithm::Sha1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_algorithm() {
        for algorithm in SignatureAlgorithm::ALL {
            if let Some(uri) = algorithm.xml_uri() {
                assert_eq!(SignatureAlgorithm::from_xml_uri(uri), Some(algorithm));
            }
            if let Some(name) = algorithm.jws_name() {
                assert_eq!(SignatureAlgorithm::from_jws_name(name), Some(algorithm));
            }
            assert!(algorithm.xml_uri().is_some() || algorithm.jws_name().is_some());
        }
        for algorithm in DigestAlgorithm::ALL {
            assert_eq!(DigestAlgorithm::from_xml_uri(algorithm.xml_uri()), Some(algorithm));
        }
    }

    #[test]
    fn none_hmac_and_other_spellings_do_not_exist() {
        for name in ["none", "None", "HS256", "rs256", "RS256 ", "EdDSA", ""] {
            assert_eq!(SignatureAlgorithm::from_jws_name(name), None, "{name}");
        }
        for uri in
            ["http://www.w3.org/2000/09/xmldsig#hmac-sha1", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"]
        {
            assert_eq!(SignatureAlgorithm::from_xml_uri(uri), None, "{uri}");
        }
        assert_eq!(DigestAlgorithm::from_xml_uri("http://www.w3.org/2001/04/xmldsig-more#md5"), None);
    }

    #[test]
    fn the_default_policy_refuses_sha1_and_nothing_else() {
        let policy = AlgorithmPolicy::default();
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(policy.permits_signature(algorithm), algorithm != SignatureAlgorithm::RsaSha1);
        }
        assert!(!policy.permits_digest(DigestAlgorithm::Sha1));
        assert!(policy.permits_digest(DigestAlgorithm::Sha256));
        assert!(AlgorithmPolicy { allow_sha1: true }.permits_digest(DigestAlgorithm::Sha1));
    }

    #[test]
    fn pieces_digest_to_the_same_as_the_whole() {
        for algorithm in DigestAlgorithm::ALL {
            let mut hasher = algorithm.hasher();
            hasher.update(b"spar");
            hasher.update(b"vidd");
            assert_eq!(hasher.finish(), algorithm.digest(b"sparvidd"));
        }
    }
}
