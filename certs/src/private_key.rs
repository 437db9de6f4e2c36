//! A private key in this process's memory, parsed once: the [`Signer`] of a node without a hardware module.

use std::{fmt, time::SystemTime};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, RsaEncoding, RsaKeyPair},
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use zeroize::Zeroizing;

use crate::{
    algorithm::SignatureAlgorithm,
    jwk, pem,
    public_key::{KeyError, KeyKind, PublicKey},
    signer::{Signer, SigningFailed},
};

/// A private key that signs with one algorithm. Never shown: its `Debug` names the public half only.
pub struct PrivateKey {
    material: Material,
    algorithm: SignatureAlgorithm,
    public_key: PublicKey,
    key_id: String,
    certificate: Option<Vec<u8>>,
}

enum Material {
    Rsa { pair: Box<RsaKeyPair>, encoding: &'static dyn RsaEncoding },
    Ecdsa(Box<EcdsaKeyPair>),
}

impl PrivateKey {
    /// Reads a PKCS#8 key, DER (RFC 5208), to sign with `algorithm`. Its `kid` is its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// When it is none, is too small, or is a key that `algorithm` cannot use; RSA with SHA-1 is never signed with.
    pub fn from_pkcs8_der(pkcs8: &[u8], algorithm: SignatureAlgorithm) -> Result<Self, KeyError> {
        let (material, spki) = match key_use(algorithm)? {
            KeyUse::Rsa(encoding) => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| KeyError::Malformed)?;
                Self::rsa_parts(pair, encoding)?
            }
            KeyUse::Ecdsa(implementation) => {
                let pair =
                    EcdsaKeyPair::from_pkcs8(implementation, pkcs8).map_err(|_| KeyError::Malformed)?;
                Self::ecdsa_parts(pair)?
            }
        };
        Self::assemble(material, &spki, algorithm)
    }

    /// Reads the first section of a PEM text, which must be `PRIVATE KEY` (RFC 7468 section 10), to sign with `algorithm`.
    ///
    /// # Errors
    /// As [`PrivateKey::from_pkcs8_der`], and when the section is another.
    pub fn from_pkcs8_pem(pem: &str, algorithm: SignatureAlgorithm) -> Result<Self, KeyError> {
        let der = pem::pkcs8(pem)?;
        Self::from_pkcs8_der(der.secret_pkcs8_der(), algorithm)
    }

    /// Like [`PrivateKey::from_pkcs8_pem`], with the algorithm that goes with the kind of key: RSA with SHA-256
    /// (PKCS#1 v1.5), or ECDSA with the digest of its curve.
    ///
    /// # Errors
    /// As [`PrivateKey::from_pkcs8_pem`].
    pub fn from_pkcs8_pem_any_kind(pem: &str) -> Result<Self, KeyError> {
        use SignatureAlgorithm as A;
        let der = pem::pkcs8(pem)?;
        let mut last = KeyError::Malformed;
        for algorithm in [A::RsaSha256, A::EcdsaSha256, A::EcdsaSha384, A::EcdsaSha512] {
            match Self::from_pkcs8_der(der.secret_pkcs8_der(), algorithm) {
                Ok(key) => return Ok(key),
                // Another reader may still know the key; only a reason that names it is worth keeping.
                Err(KeyError::Malformed) => {}
                Err(named) => last = named,
            }
        }
        Err(last)
    }

    /// Makes an RSA key of 2048, 3072, 4096 or 8192 bits. Takes from tenths of a second upwards.
    ///
    /// # Errors
    /// For another length, or an algorithm that is not RSA's.
    pub fn generate_rsa(bits: u32, algorithm: SignatureAlgorithm) -> Result<Self, KeyError> {
        let KeyUse::Rsa(encoding) = key_use(algorithm)? else {
            return Err(KeyError::AlgorithmMismatch { kind: KeyKind::Rsa { bits }, algorithm });
        };
        let size = match bits {
            2048 => KeySize::Rsa2048,
            3072 => KeySize::Rsa3072,
            4096 => KeySize::Rsa4096,
            8192 => KeySize::Rsa8192,
            0..2048 => return Err(KeyError::RsaTooSmall { bits }),
            _ => return Err(KeyError::GenerationFailed),
        };
        let pair = RsaKeyPair::generate(size).map_err(|_| KeyError::GenerationFailed)?;
        let (material, spki) = Self::rsa_parts(pair, encoding)?;
        Self::assemble(material, &spki, algorithm)
    }

    /// Makes a P-256 key, which signs with ECDSA and SHA-256.
    ///
    /// # Errors
    /// When the system cannot.
    pub fn generate_p256() -> Result<Self, KeyError> {
        Self::generate_ecdsa(SignatureAlgorithm::EcdsaSha256)
    }

    /// Makes a P-384 key, which signs with ECDSA and SHA-384.
    ///
    /// # Errors
    /// When the system cannot.
    pub fn generate_p384() -> Result<Self, KeyError> {
        Self::generate_ecdsa(SignatureAlgorithm::EcdsaSha384)
    }

    /// Makes a P-521 key, which signs with ECDSA and SHA-512.
    ///
    /// # Errors
    /// When the system cannot.
    pub fn generate_p521() -> Result<Self, KeyError> {
        Self::generate_ecdsa(SignatureAlgorithm::EcdsaSha512)
    }

    /// The same key under another `kid`.
    #[must_use]
    pub fn with_key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = key_id.into();
        self
    }

    /// The same key with its certificate, DER.
    ///
    /// # Errors
    /// When the certificate is for another key.
    pub fn with_certificate(mut self, certificate: Vec<u8>) -> Result<Self, KeyError> {
        if PublicKey::from_certificate_der(&certificate)? != self.public_key {
            return Err(KeyError::CertificateMismatch);
        }
        self.certificate = Some(certificate);
        Ok(self)
    }

    /// The key as PKCS#8, DER; wiped when dropped.
    ///
    /// # Errors
    /// When the key cannot be encoded.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match &self.material {
            Material::Rsa { pair, .. } => {
                let der = AsDer::<Pkcs8V1Der<'_>>::as_der(pair.as_ref()).map_err(|_| KeyError::Malformed)?;
                Ok(Zeroizing::new(der.as_ref().to_vec()))
            }
            Material::Ecdsa(pair) => {
                let document = pair.to_pkcs8v1().map_err(|_| KeyError::Malformed)?;
                Ok(Zeroizing::new(document.as_ref().to_vec()))
            }
        }
    }

    /// The key as a PEM section `PRIVATE KEY`; wiped when dropped.
    ///
    /// # Errors
    /// When the key cannot be encoded.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        Ok(pem::section("PRIVATE KEY", &self.to_pkcs8_der()?))
    }

    /// A certificate for this key, signed by itself, DER: the envelope in which SAML metadata publishes it. `not_before` is
    /// cut to whole seconds; it lasts `days` days.
    ///
    /// # Errors
    /// When the name or the dates cannot be written into a certificate.
    pub fn self_signed_certificate(
        &self,
        common_name: &str,
        not_before: SystemTime,
        days: u32,
    ) -> Result<Vec<u8>, CertificateNotMade> {
        let algorithm = match self.public_key.kind() {
            KeyKind::Rsa { .. } => &rcgen::PKCS_RSA_SHA256,
            KeyKind::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            KeyKind::P384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            KeyKind::P521 => &rcgen::PKCS_ECDSA_P521_SHA512,
        };
        let pkcs8 = self.to_pkcs8_der().map_err(|_| CertificateNotMade)?;
        let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(
            &PrivatePkcs8KeyDer::from(pkcs8.as_slice()),
            algorithm,
        )
        .map_err(|_| CertificateNotMade)?;
        let lifetime = std::time::Duration::from_secs(u64::from(days) * 24 * 60 * 60);
        let not_after = not_before.checked_add(lifetime).ok_or(CertificateNotMade)?;
        let mut parameters = rcgen::CertificateParams::default();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, common_name);
        parameters.not_before = not_before.into();
        parameters.not_after = not_after.into();
        let certificate = parameters.self_signed(&pair).map_err(|_| CertificateNotMade)?;
        Ok(certificate.der().to_vec())
    }

    fn generate_ecdsa(algorithm: SignatureAlgorithm) -> Result<Self, KeyError> {
        let KeyUse::Ecdsa(implementation) = key_use(algorithm)? else {
            return Err(KeyError::GenerationFailed);
        };
        let pair = EcdsaKeyPair::generate(implementation).map_err(|_| KeyError::GenerationFailed)?;
        let (material, spki) = Self::ecdsa_parts(pair)?;
        Self::assemble(material, &spki, algorithm)
    }

    fn rsa_parts(
        pair: RsaKeyPair,
        encoding: &'static dyn RsaEncoding,
    ) -> Result<(Material, Vec<u8>), KeyError> {
        let spki = pair.public_key().as_der().map_err(|_| KeyError::Malformed)?.as_ref().to_vec();
        Ok((Material::Rsa { pair: Box::new(pair), encoding }, spki))
    }

    fn ecdsa_parts(pair: EcdsaKeyPair) -> Result<(Material, Vec<u8>), KeyError> {
        let spki = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(pair.public_key())
            .map_err(|_| KeyError::Malformed)?
            .as_ref()
            .to_vec();
        Ok((Material::Ecdsa(Box::new(pair)), spki))
    }

    fn assemble(material: Material, spki: &[u8], algorithm: SignatureAlgorithm) -> Result<Self, KeyError> {
        let public_key = PublicKey::from_spki_der(spki)?;
        if !public_key.supports(algorithm) {
            return Err(KeyError::AlgorithmMismatch { kind: public_key.kind(), algorithm });
        }
        let key_id = jwk::thumbprint(&public_key);
        Ok(Self { material, algorithm, public_key, key_id, certificate: None })
    }
}

impl Signer for PrivateKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn certificate_der(&self) -> Option<&[u8]> {
        self.certificate.as_deref()
    }

    fn key_id(&self) -> &str {
        &self.key_id
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let random = SystemRandom::new();
        match &self.material {
            Material::Rsa { pair, encoding } => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).map_err(|_| SigningFailed)?;
                Ok(signature)
            }
            Material::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| SigningFailed)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PrivateKey")
            .field("algorithm", &self.algorithm)
            .field("public_key", &self.public_key)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// A certificate could not be made: the name or the dates do not fit into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the certificate could not be made")]
pub struct CertificateNotMade;

enum KeyUse {
    Rsa(&'static dyn RsaEncoding),
    Ecdsa(&'static EcdsaSigningAlgorithm),
}

fn key_use(algorithm: SignatureAlgorithm) -> Result<KeyUse, KeyError> {
    use SignatureAlgorithm as A;
    Ok(match algorithm {
        // No key of ours signs with SHA-1, whatever a peer would accept.
        A::RsaSha1 => return Err(KeyError::NeverSignedWith { algorithm }),
        A::RsaSha256 => KeyUse::Rsa(&signature::RSA_PKCS1_SHA256),
        A::RsaSha384 => KeyUse::Rsa(&signature::RSA_PKCS1_SHA384),
        A::RsaSha512 => KeyUse::Rsa(&signature::RSA_PKCS1_SHA512),
        A::RsaPssSha256 => KeyUse::Rsa(&signature::RSA_PSS_SHA256),
        A::RsaPssSha384 => KeyUse::Rsa(&signature::RSA_PSS_SHA384),
        A::RsaPssSha512 => KeyUse::Rsa(&signature::RSA_PSS_SHA512),
        A::EcdsaSha256 => KeyUse::Ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        A::EcdsaSha384 => KeyUse::Ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        A::EcdsaSha512 => KeyUse::Ecdsa(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
    })
}

#[cfg(test)]
mod tests;
