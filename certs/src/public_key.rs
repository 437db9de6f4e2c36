//! A peer's public key, parsed once and cheap to clone.
//!
//! A certificate is only the envelope that a key came in: trust comes from metadata, so neither its dates nor its issuer are
//! looked at here (SAML V2.0 Metadata Interoperability Profile section 2.6.1); `certificate` and `expiry` report on them.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    signature::{self, ParsedPublicKey, RsaPublicKeyComponents, VerificationAlgorithm},
};
use rustls_pki_types::pem::SectionKind;
use x509_parser::{
    asn1_rs::{Oid, oid},
    certificate::X509CertificateParser,
    nom::Parser as _,
    prelude::FromDer as _,
    public_key::PublicKey as SubjectKey,
    x509::SubjectPublicKeyInfo,
};

use crate::algorithm::SignatureAlgorithm;

/// RSA keys below this are refused (SC-DP section 8, NIST SP 800-131A).
pub const SMALLEST_RSA_BITS: u32 = 2048;
/// What old test documents are signed with; only [`PublicKey::from_certificate_der_any_size`] lets it in.
const SMALLEST_RSA_BITS_EVER: u32 = 1024;
/// RSA keys above this are refused: each verification would be a gift to whoever sends many.
pub const LARGEST_RSA_BITS: u32 = 8192;

const RSA_ENCRYPTION: Oid<'static> = oid!(1.2.840.113549.1.1.1);
const EC_PUBLIC_KEY: Oid<'static> = oid!(1.2.840.10045.2.1);
const CURVE_P256: Oid<'static> = oid!(1.2.840.10045.3.1.7);
const CURVE_P384: Oid<'static> = oid!(1.3.132.0.34);
const CURVE_P521: Oid<'static> = oid!(1.3.132.0.35);

/// A public key for verifying signatures.
#[derive(Clone)]
pub struct PublicKey {
    inner: Arc<Inner>,
}

struct Inner {
    kind: KeyKind,
    /// Re-encoded, so that one key has one thumbprint whatever envelope it came in.
    spki: Box<[u8]>,
    thumbprint: KeyThumbprint,
    /// One parsed key per algorithm, made at first use: a registry holds thousands of keys and most sign with one algorithm.
    parsed: Box<[(SignatureAlgorithm, OnceLock<Option<ParsedPublicKey>>)]>,
}

impl PublicKey {
    /// The key in an X.509 certificate, DER. The certificate's dates, issuer and signature are not looked at.
    ///
    /// # Errors
    /// When it is no certificate, or its key is of a kind or size that we do not use.
    pub fn from_certificate_der(certificate: &[u8]) -> Result<Self, KeyError> {
        Self::from_spki(certificate_spki(certificate)?, SMALLEST_RSA_BITS)
    }

    /// Like [`PublicKey::from_certificate_der`], but RSA keys from 1024 bits pass: for verifying archived documents, never
    /// for a live peer.
    ///
    /// # Errors
    /// As [`PublicKey::from_certificate_der`].
    pub fn from_certificate_der_any_size(certificate: &[u8]) -> Result<Self, KeyError> {
        Self::from_spki(certificate_spki(certificate)?, SMALLEST_RSA_BITS_EVER)
    }

    /// The key in a SubjectPublicKeyInfo, DER (RFC 5280 section 4.1.2.7).
    ///
    /// # Errors
    /// When it is none, or its key is of a kind or size that we do not use.
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, KeyError> {
        Self::from_spki(spki, SMALLEST_RSA_BITS)
    }

    /// Every key of a PEM text (RFC 7468): those in certificates, which are but envelopes, and bare public keys.
    ///
    /// # Errors
    /// When there is none, or one of a kind or size that we do not use.
    pub fn all_from_pem(text: &str) -> Result<Vec<Self>, KeyError> {
        crate::pem::public_keys(text)?
            .into_iter()
            .map(|(kind, der)| match kind {
                SectionKind::Certificate => Self::from_certificate_der(&der),
                _ => Self::from_spki_der(&der),
            })
            .collect()
    }

    /// The RSA key of a modulus and a public exponent, big-endian without leading zeros (RFC 7518 section 6.3.1).
    ///
    /// # Errors
    /// When they do not make a key, or one of a size that we do not use.
    pub fn from_rsa_components(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let components = RsaPublicKeyComponents { n: modulus, e: exponent };
        let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(&components).map_err(|_| KeyError::Malformed)?;
        Self::from_spki(spki.as_ref(), SMALLEST_RSA_BITS)
    }

    /// The key that is the uncompressed point `04 || x || y` on the curve of `kind` (SEC 1 section 2.3.3).
    ///
    /// # Errors
    /// When `kind` is RSA, or the point does not lie on the curve.
    pub fn from_ec_point(kind: KeyKind, point: &[u8]) -> Result<Self, KeyError> {
        let algorithm = match kind {
            KeyKind::P256 => &signature::ECDSA_P256_SHA256_FIXED,
            KeyKind::P384 => &signature::ECDSA_P384_SHA384_FIXED,
            KeyKind::P521 => &signature::ECDSA_P521_SHA512_FIXED,
            KeyKind::Rsa { .. } => return Err(KeyError::Malformed),
        };
        let parsed = ParsedPublicKey::new(algorithm, point).map_err(|_| KeyError::Malformed)?;
        Self::from_parsed(kind, &parsed)
    }

    /// The fingerprint of the key itself: SHA-256 over its SubjectPublicKeyInfo.
    pub fn thumbprint(&self) -> KeyThumbprint {
        self.inner.thumbprint
    }

    /// The key as SubjectPublicKeyInfo, DER.
    pub fn spki_der(&self) -> &[u8] {
        &self.inner.spki
    }

    /// What kind of key it is.
    pub fn kind(&self) -> KeyKind {
        self.inner.kind
    }

    /// Whether a signature by `algorithm` can come from this key at all.
    pub fn supports(&self, algorithm: SignatureAlgorithm) -> bool {
        self.inner.parsed.iter().any(|(supported, _)| *supported == algorithm)
    }

    /// Checks that `signature` is one over `message` by this key. ECDSA signatures are `r || s` of fixed length.
    /// Whether the algorithm is *allowed* is the caller's question, to be asked before.
    ///
    /// # Errors
    /// When it is not, for whatever reason: callers must not tell the reasons apart (design decision 13).
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        let (_, slot) =
            self.inner.parsed.iter().find(|(supported, _)| *supported == algorithm).ok_or(BadSignature)?;
        let parsed = slot.get_or_init(|| parse(self.inner.kind, algorithm, &self.inner.spki));
        parsed.as_ref().ok_or(BadSignature)?.verify_sig(message, signature).map_err(|_| BadSignature)
    }

    /// Modulus and public exponent, big-endian without leading zeros; `None` for another kind of key.
    pub fn rsa_components(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (_, spki) = SubjectPublicKeyInfo::from_der(&self.inner.spki).ok()?;
        match spki.parsed().ok()? {
            SubjectKey::RSA(key) => Some((
                without_leading_zeros(key.modulus).to_vec(),
                without_leading_zeros(key.exponent).to_vec(),
            )),
            _ => None,
        }
    }

    /// The coordinates `x` and `y` of the point, each as long as the curve's field; `None` for another kind of key.
    pub fn ec_coordinates(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let length = self.inner.kind.coordinate_octets()?;
        let (_, spki) = SubjectPublicKeyInfo::from_der(&self.inner.spki).ok()?;
        let point = spki.subject_public_key.data.strip_prefix(&[4])?;
        if point.len() != 2 * length {
            return None;
        }
        let (x, y) = point.split_at_checked(length)?;
        Some((x.to_vec(), y.to_vec()))
    }

    fn from_spki(der: &[u8], smallest_rsa_bits: u32) -> Result<Self, KeyError> {
        let (rest, spki) = SubjectPublicKeyInfo::from_der(der).map_err(|_| KeyError::Malformed)?;
        if !rest.is_empty() {
            return Err(KeyError::Malformed);
        }
        let kind = kind_of(&spki)?;
        if let KeyKind::Rsa { bits } = kind {
            if bits < smallest_rsa_bits {
                return Err(KeyError::RsaTooSmall { bits });
            }
            if bits > LARGEST_RSA_BITS {
                return Err(KeyError::RsaTooLarge { bits });
            }
        }
        let parsed = parse(kind, kind.first_algorithm(), spki.raw).ok_or(KeyError::Malformed)?;
        Self::from_parsed(kind, &parsed)
    }

    fn from_parsed(kind: KeyKind, parsed: &ParsedPublicKey) -> Result<Self, KeyError> {
        let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(parsed).map_err(|_| KeyError::Malformed)?;
        let spki: Box<[u8]> = spki.as_ref().into();
        let thumbprint = KeyThumbprint::of(&spki);
        let slots = kind.algorithms().iter().map(|algorithm| (*algorithm, OnceLock::new())).collect();
        Ok(Self { inner: Arc::new(Inner { kind, spki, thumbprint, parsed: slots }) })
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PublicKey")
            .field("kind", &self.inner.kind)
            .field("thumbprint", &self.inner.thumbprint)
            .finish()
    }
}

/// Two keys are equal when they are the same key, whatever envelope each came in.
impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.inner.thumbprint == other.inner.thumbprint
    }
}

impl Eq for PublicKey {}

/// The kinds of key that we use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA.
    Rsa {
        /// The length of the modulus in bits.
        bits: u32,
    },
    /// Elliptic curve P-256.
    P256,
    /// Elliptic curve P-384.
    P384,
    /// Elliptic curve P-521.
    P521,
}

impl KeyKind {
    /// The algorithms whose signatures such a key can make.
    pub fn algorithms(self) -> &'static [SignatureAlgorithm] {
        use SignatureAlgorithm as A;
        match self {
            Self::Rsa { .. } => &[
                A::RsaSha256,
                A::RsaSha384,
                A::RsaSha512,
                A::RsaPssSha256,
                A::RsaPssSha384,
                A::RsaPssSha512,
                A::RsaSha1,
            ],
            Self::P256 => &[A::EcdsaSha256],
            Self::P384 => &[A::EcdsaSha384],
            Self::P521 => &[A::EcdsaSha512],
        }
    }

    /// The octets of one coordinate; `None` for RSA.
    pub fn coordinate_octets(self) -> Option<usize> {
        match self {
            Self::Rsa { .. } => None,
            Self::P256 => Some(32),
            Self::P384 => Some(48),
            Self::P521 => Some(66),
        }
    }

    fn first_algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::Rsa { .. } => SignatureAlgorithm::RsaSha256,
            Self::P256 => SignatureAlgorithm::EcdsaSha256,
            Self::P384 => SignatureAlgorithm::EcdsaSha384,
            Self::P521 => SignatureAlgorithm::EcdsaSha512,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(formatter, "RSA {bits}"),
            Self::P256 => formatter.write_str("P-256"),
            Self::P384 => formatter.write_str("P-384"),
            Self::P521 => formatter.write_str("P-521"),
        }
    }
}

/// The SHA-256 of a key's SubjectPublicKeyInfo. Shown as lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyThumbprint([u8; 32]);

impl KeyThumbprint {
    fn of(spki: &[u8]) -> Self {
        let mut octets = [0; 32];
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, spki);
        octets.copy_from_slice(digest.as_ref());
        Self(octets)
    }

    /// The 32 octets.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for KeyThumbprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(formatter, "{octet:02x}"))
    }
}

impl fmt::Debug for KeyThumbprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyThumbprint({self})")
    }
}

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is not what it should be, or the key inside is broken.
    #[error("not a well-formed key or certificate")]
    Malformed,
    /// The key is of a kind that we do not use.
    #[error("a key of a kind that is not used here (known are RSA, P-256, P-384 and P-521)")]
    UnknownKind,
    /// The RSA key is too small to trust.
    #[error("an RSA key of {bits} bits; at least {SMALLEST_RSA_BITS} are needed")]
    RsaTooSmall {
        /// Its length in bits.
        bits: u32,
    },
    /// The RSA key is larger than anybody needs.
    #[error("an RSA key of {bits} bits; at most {LARGEST_RSA_BITS} are accepted")]
    RsaTooLarge {
        /// Its length in bits.
        bits: u32,
    },
    /// The key cannot make signatures of the algorithm that it is to be used with.
    #[error("a {kind} key cannot sign with {algorithm:?}")]
    AlgorithmMismatch {
        /// The kind of the key.
        kind: KeyKind,
        /// The algorithm asked for.
        algorithm: SignatureAlgorithm,
    },
    /// An algorithm that we verify in old documents but never sign with.
    #[error("nothing is signed with {algorithm:?} here")]
    NeverSignedWith {
        /// The algorithm asked for.
        algorithm: SignatureAlgorithm,
    },
    /// A certificate was joined to a private key that is not its own.
    #[error("the certificate is for another key")]
    CertificateMismatch,
    /// The PEM text does not hold what it should.
    #[error("expected a PEM section \"{expected}\"{}", found.map(|found| format!(", found \"{found}\"")).unwrap_or_default())]
    Pem {
        /// The section that was looked for.
        expected: &'static str,
        /// The first section found instead, where one was recognised.
        found: Option<&'static str>,
    },
    /// The system could not make a key.
    #[error("the key could not be generated")]
    GenerationFailed,
}

/// The signature does not hold. Why, nobody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not hold")]
pub struct BadSignature;

fn certificate_spki(certificate: &[u8]) -> Result<&[u8], KeyError> {
    // Extensions are not ours to judge: a strange one must not keep a peer's key out.
    let (rest, parsed) = X509CertificateParser::new()
        .with_deep_parse_extensions(false)
        .parse(certificate)
        .map_err(|_| KeyError::Malformed)?;
    if !rest.is_empty() {
        return Err(KeyError::Malformed);
    }
    Ok(parsed.tbs_certificate.subject_pki.raw)
}

fn kind_of(spki: &SubjectPublicKeyInfo<'_>) -> Result<KeyKind, KeyError> {
    let algorithm = &spki.algorithm.algorithm;
    if *algorithm == RSA_ENCRYPTION {
        let SubjectKey::RSA(key) = spki.parsed().map_err(|_| KeyError::Malformed)? else {
            return Err(KeyError::Malformed);
        };
        let modulus = without_leading_zeros(key.modulus);
        let first = modulus.first().ok_or(KeyError::Malformed)?;
        let octets = u32::try_from(modulus.len()).map_err(|_| KeyError::Malformed)?;
        let bits = octets.checked_mul(8).ok_or(KeyError::Malformed)? - first.leading_zeros();
        return Ok(KeyKind::Rsa { bits });
    }
    if *algorithm == EC_PUBLIC_KEY {
        // Explicit curve parameters (no object identifier) are refused: they let a writer choose the generator.
        let curve = spki.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
        return match curve {
            Some(curve) if curve == CURVE_P256 => Ok(KeyKind::P256),
            Some(curve) if curve == CURVE_P384 => Ok(KeyKind::P384),
            Some(curve) if curve == CURVE_P521 => Ok(KeyKind::P521),
            _ => Err(KeyError::UnknownKind),
        };
    }
    Err(KeyError::UnknownKind)
}

fn parse(kind: KeyKind, algorithm: SignatureAlgorithm, spki: &[u8]) -> Option<ParsedPublicKey> {
    ParsedPublicKey::new(verification(kind, algorithm), spki).ok()
}

/// The implementation of `algorithm`. Keys below 2048 bits exist only where the caller asked for them by name.
fn verification(kind: KeyKind, algorithm: SignatureAlgorithm) -> &'static dyn VerificationAlgorithm {
    use SignatureAlgorithm as A;
    let old = matches!(kind, KeyKind::Rsa { bits } if bits < SMALLEST_RSA_BITS);
    match algorithm {
        A::RsaSha1 if old => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        A::RsaSha256 if old => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        A::RsaSha512 if old => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        A::RsaSha1 => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        A::RsaSha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        A::RsaSha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        A::RsaSha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        A::RsaPssSha256 => &signature::RSA_PSS_2048_8192_SHA256,
        A::RsaPssSha384 => &signature::RSA_PSS_2048_8192_SHA384,
        A::RsaPssSha512 => &signature::RSA_PSS_2048_8192_SHA512,
        A::EcdsaSha256 => &signature::ECDSA_P256_SHA256_FIXED,
        A::EcdsaSha384 => &signature::ECDSA_P384_SHA384_FIXED,
        A::EcdsaSha512 => &signature::ECDSA_P521_SHA512_FIXED,
    }
}

fn without_leading_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests;
