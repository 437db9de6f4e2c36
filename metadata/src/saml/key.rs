//! Keys in metadata. A certificate is a container for a key and no more (SAML Metadata Interoperability Profile 2.6.1; Sweden
//! Connect deployment profile 2.1.1.2): nobody is refused because one has expired.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs::{KeyError, PublicKey, certificate::Certificate};
use certs_xml::{
    Element,
    namespace::{DS, MD},
};

use crate::saml::{Placed, trimmed};

/// What a key is for (SAML Metadata 2.4.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// Signatures.
    Signing,
    /// Encryption.
    Encryption,
    /// Not said: both.
    Both,
}

/// One `KeyDescriptor`'s key.
#[derive(Debug, Clone)]
pub struct DeclaredKey {
    /// What for.
    pub usage: KeyUse,
    /// The certificate that it came in, where it came in one that can be read.
    pub certificate: Option<Certificate>,
    /// The key, or why it cannot be used.
    pub key: Result<PublicKey, KeyError>,
}

impl DeclaredKey {
    /// Whether signatures may be made with it.
    #[must_use]
    pub fn signs(&self) -> bool {
        self.usage != KeyUse::Encryption
    }
}

/// Every key of a role. A `KeyDescriptor` may hold several certificates; each is a key of its own.
pub(crate) fn keys(role: Element<'_>) -> Vec<Placed<DeclaredKey>> {
    role.children_named(MD.uri(), "KeyDescriptor").flat_map(placed).collect()
}

/// The keys of one `KeyDescriptor`.
pub(crate) fn of_descriptor(descriptor: Element<'_>) -> Vec<DeclaredKey> {
    placed(descriptor).into_iter().map(|key| key.value).collect()
}

fn placed(descriptor: Element<'_>) -> Vec<Placed<DeclaredKey>> {
    let mut keys = Vec::new();
    let usage = match descriptor.attribute("use") {
        Some("signing") => KeyUse::Signing,
        Some("encryption") => KeyUse::Encryption,
        _ => KeyUse::Both,
    };
    let Some(info) = descriptor.child(DS.uri(), "KeyInfo") else {
        return keys;
    };
    for der in certificates(info) {
        let declared = match der.value {
            Ok(der) => {
                let certificate = Certificate::from_der(&der).ok();
                DeclaredKey { usage, certificate, key: PublicKey::from_certificate_der(&der) }
            }
            Err(error) => DeclaredKey { usage, certificate: None, key: Err(error) },
        };
        keys.push(Placed::new(declared, der.place));
    }
    for value in info.children_named(DS.uri(), "KeyValue") {
        if let Some(rsa) = value.child(DS.uri(), "RSAKeyValue") {
            keys.push(Placed::new(
                DeclaredKey { usage, certificate: None, key: rsa_key(rsa) },
                value.position(),
            ));
        }
    }
    if keys.is_empty() {
        let declared = DeclaredKey { usage, certificate: None, key: Err(KeyError::UnknownKind) };
        keys.push(Placed::new(declared, descriptor.position()));
    }
    keys
}

/// The certificates of a `KeyInfo`, DER, in order.
pub(crate) fn certificates(info: Element<'_>) -> Vec<Placed<Result<Vec<u8>, KeyError>>> {
    info.children_named(DS.uri(), "X509Data")
        .flat_map(|data| data.children_named(DS.uri(), "X509Certificate").collect::<Vec<_>>())
        .map(|certificate| {
            Placed::new(
                certificate.text().and_then(base64).ok_or(KeyError::Malformed),
                certificate.position(),
            )
        })
        .collect()
}

fn rsa_key(value: Element<'_>) -> Result<PublicKey, KeyError> {
    let part =
        |name| value.child(DS.uri(), name).and_then(trimmed).and_then(base64).ok_or(KeyError::Malformed);
    let (modulus, exponent) = (part("Modulus")?, part("Exponent")?);
    let zeros = modulus.iter().take_while(|octet| **octet == 0).count();
    PublicKey::from_rsa_components(modulus.get(zeros..).unwrap_or_default(), &exponent)
}

/// Base64 with white space anywhere, as xs:base64Binary allows; a PEM frame around it is a common slip and unambiguous.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let inner = text
        .strip_prefix("-----BEGIN CERTIFICATE-----")
        .and_then(|rest| rest.trim_end().strip_suffix("-----END CERTIFICATE-----"))
        .unwrap_or(text);
    let dense: String = inner.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    if dense.is_empty() { None } else { STANDARD.decode(dense).ok() }
}
