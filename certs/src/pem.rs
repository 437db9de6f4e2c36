//! PEM texts (RFC 7468): reading keys and certificates, and writing both.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::{
    PrivateKeyDer, PrivatePkcs8KeyDer,
    pem::{PemObject as _, SectionKind},
};
use zeroize::Zeroizing;

use crate::public_key::KeyError;

/// The key of the first private-key section, which must be `PRIVATE KEY` (RFC 7468 section 10).
pub(crate) fn pkcs8(pem: &str) -> Result<PrivatePkcs8KeyDer<'static>, KeyError> {
    const EXPECTED: &str = "PRIVATE KEY";
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
        Ok(PrivateKeyDer::Pkcs8(der)) => Ok(der),
        Ok(PrivateKeyDer::Pkcs1(_)) => {
            Err(KeyError::Pem { expected: EXPECTED, found: Some("RSA PRIVATE KEY") })
        }
        Ok(PrivateKeyDer::Sec1(_)) => {
            Err(KeyError::Pem { expected: EXPECTED, found: Some("EC PRIVATE KEY") })
        }
        Ok(_) | Err(_) => Err(KeyError::Pem { expected: EXPECTED, found: None }),
    }
}

/// One PEM section, lines of 64 (RFC 7468 section 2); wiped when dropped.
pub(crate) fn section(label: &str, der: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(der));
    // Room for everything at once, so that no half-written copy is left behind by growing.
    let mut pem =
        Zeroizing::new(String::with_capacity(encoded.len() + encoded.len() / 64 + 2 * label.len() + 64));
    pem.push_str("-----BEGIN ");
    pem.push_str(label);
    pem.push_str("-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END ");
    pem.push_str(label);
    pem.push_str("-----\n");
    pem
}

/// The DER of every `CERTIFICATE` section in a PEM text, in order; other sections are passed over.
pub(crate) fn certificates(pem: &str) -> Result<Vec<Vec<u8>>, KeyError> {
    let expected = KeyError::Pem { expected: "CERTIFICATE", found: None };
    let mut certificates = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes()) {
        let (kind, der) = section.map_err(|_| expected.clone())?;
        if kind == SectionKind::Certificate {
            certificates.push(der);
        }
    }
    if certificates.is_empty() { Err(expected) } else { Ok(certificates) }
}

/// The DER of every `CERTIFICATE` and `PUBLIC KEY` section in a PEM text, in order; a private key is refused.
pub(crate) fn public_keys(pem: &str) -> Result<Vec<(SectionKind, Vec<u8>)>, KeyError> {
    let expected = |found| KeyError::Pem { expected: "CERTIFICATE or PUBLIC KEY", found };
    let mut sections = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes()) {
        let (kind, der) = section.map_err(|_| expected(None))?;
        match kind {
            SectionKind::Certificate | SectionKind::PublicKey => sections.push((kind, der)),
            SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => {
                return Err(expected(Some("PRIVATE KEY")));
            }
            _ => {}
        }
    }
    if sections.is_empty() { Err(expected(None)) } else { Ok(sections) }
}
