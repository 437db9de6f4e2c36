//! What an X.509 certificate says, for reports and for warnings before it expires.
//!
//! Nothing here decides trust: that a peer's certificate has expired keeps nobody from signing in (see `public_key`).

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use x509_parser::{
    certificate::X509CertificateParser,
    nom::Parser as _,
    objects::{oid_registry, oid2sn},
    time::ASN1Time,
};

use crate::{
    algorithm::DigestAlgorithm,
    pem,
    public_key::{KeyError, PublicKey},
};

/// A certificate, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    subject: String,
    issuer: String,
    not_before: SystemTime,
    not_after: SystemTime,
    signature_algorithm: String,
    public_key: Result<PublicKey, KeyError>,
}

impl Certificate {
    /// Reads a certificate, DER. A key that we cannot use does not refuse the certificate: a report must be able to name it.
    ///
    /// # Errors
    /// When it is no certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let (rest, parsed) = X509CertificateParser::new()
            .with_deep_parse_extensions(false)
            .parse(der)
            .map_err(|_| KeyError::Malformed)?;
        if !rest.is_empty() {
            return Err(KeyError::Malformed);
        }
        let oid = &parsed.signature_algorithm.algorithm;
        Ok(Self {
            der: der.to_vec(),
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            not_before: moment(parsed.validity().not_before),
            not_after: moment(parsed.validity().not_after),
            signature_algorithm: oid2sn(oid, oid_registry())
                .map_or_else(|_| oid.to_id_string(), str::to_owned),
            public_key: PublicKey::from_certificate_der(der),
        })
    }

    /// Reads every `CERTIFICATE` section of a PEM text, in order.
    ///
    /// # Errors
    /// When there is none, or one is no certificate.
    pub fn all_from_pem(text: &str) -> Result<Vec<Self>, KeyError> {
        pem::certificates(text)?.iter().map(|der| Self::from_der(der)).collect()
    }

    /// The certificate itself, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as a PEM section.
    pub fn to_pem(&self) -> String {
        certificate_pem(&self.der)
    }

    /// Whose it says it is.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Who it says signed it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// From when it says it is valid.
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// The last second in which it says it is valid.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// The algorithm that it was signed with, by its short name where it has one, else its object identifier.
    pub fn signature_algorithm(&self) -> &str {
        &self.signature_algorithm
    }

    /// The key inside, or why it cannot be used.
    ///
    /// # Errors
    /// When it is of a kind or size that we do not use.
    pub fn public_key(&self) -> Result<&PublicKey, &KeyError> {
        self.public_key.as_ref()
    }

    /// The SHA-256 fingerprint of the whole certificate, as administrators compare it: upper-case pairs with colons.
    pub fn fingerprint(&self) -> String {
        let mut shown = String::new();
        for octet in DigestAlgorithm::Sha256.digest(&self.der) {
            let separator = if shown.is_empty() { "" } else { ":" };
            // Writing to a String cannot fail.
            let _ = write!(shown, "{separator}{octet:02X}");
        }
        shown
    }
}

/// A certificate, DER, as a PEM section.
pub fn certificate_pem(der: &[u8]) -> String {
    pem::section("CERTIFICATE", der).to_string()
}

/// Dates that no [`SystemTime`] can hold are cut to the epoch: such a certificate reads as expired long ago.
fn moment(time: ASN1Time) -> SystemTime {
    let seconds = Duration::from_secs(time.timestamp().unsigned_abs());
    let moment = if time.timestamp() < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(seconds)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(seconds)
    };
    moment.unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{private_key::PrivateKey, public_key::KeyKind, signer::Signer as _};

    #[test]
    fn a_certificate_tells_what_was_put_in() {
        let key = PrivateKey::generate_p256().expect("generated");
        let from = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let der = key.self_signed_certificate("Åmåls kommun", from, 90).expect("made");
        let certificate = Certificate::from_der(&der).expect("read");
        assert_eq!(certificate.subject(), "CN=Åmåls kommun");
        assert_eq!(certificate.issuer(), certificate.subject());
        assert_eq!(certificate.not_before(), from);
        assert_eq!(certificate.not_after(), from + Duration::from_secs(90 * 86_400));
        assert_eq!(certificate.public_key(), Ok(key.public_key()));
        assert_eq!(certificate.public_key().map(PublicKey::kind), Ok(KeyKind::P256));
        assert_eq!(certificate.signature_algorithm(), "ecdsa-with-SHA256");
        assert_eq!(certificate.fingerprint().len(), 32 * 3 - 1);
    }

    #[test]
    fn pem_and_der_are_one_certificate() {
        let key = PrivateKey::generate_p256().expect("generated");
        let der = key.self_signed_certificate("a", SystemTime::UNIX_EPOCH, 1).expect("made");
        let certificate = Certificate::from_der(&der).expect("read");
        let twice = format!("{}{}", certificate.to_pem(), certificate.to_pem());
        assert_eq!(Certificate::all_from_pem(&twice), Ok(vec![certificate.clone(), certificate]));
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let key = PrivateKey::generate_p256().expect("generated");
        let mut der = key.self_signed_certificate("a", SystemTime::UNIX_EPOCH, 1).expect("made");
        der.push(0);
        assert_eq!(Certificate::from_der(&der), Err(KeyError::Malformed));
        assert_eq!(Certificate::from_der(b""), Err(KeyError::Malformed));
        assert!(matches!(Certificate::all_from_pem("no"), Err(KeyError::Pem { .. })));
    }
}
