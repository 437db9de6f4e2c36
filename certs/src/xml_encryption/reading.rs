//! `EncryptedData` and `EncryptedKey` taken apart (XML Encryption 1.1, section 3). Nothing here touches a private key.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs_xml::{
    Element,
    namespace::{DS, XENC, XENC11},
};

use super::{
    BlockCipher, DecryptionRefused, KeyTransport,
    algorithm::{OAEP_MGF1P_URI, OAEP_URI, digest_of, mask_digest_of},
};
use crate::DigestAlgorithm;

/// SAML 2.0 core, section 2.2.4: the `Type`, where there is one, is this.
pub(super) const ELEMENT_TYPE: &str = "http://www.w3.org/2001/04/xmlenc#Element";
/// A peer encrypts to one key of ours, or to two during a rollover; each is a private-key operation for each of our keys.
pub(super) const MOST_KEYS: usize = 4;
/// OAEP labels are hardly ever used.
const LONGEST_LABEL: usize = 256;

/// A content key, wrapped for somebody.
pub(super) struct WrappedKey {
    pub(super) transport: KeyTransport,
    pub(super) label: Vec<u8>,
    pub(super) octets: Vec<u8>,
}

/// A ciphertext with the keys that may open it: at least one.
pub(super) struct Encrypted {
    pub(super) cipher: BlockCipher,
    pub(super) octets: Vec<u8>,
    pub(super) keys: Vec<WrappedKey>,
}

impl Encrypted {
    /// SAML 2.0 core, section 2.2.4: one `EncryptedData`, then any number of `EncryptedKey`, and nothing else. Keys inside the
    /// `KeyInfo` come first; a `RetrievalMethod` there can only point to one beside it, and those are all tried.
    pub(super) fn read(holder: Element<'_>) -> Result<Self, DecryptionRefused> {
        let name = "EncryptedData";
        let mut children = holder.children();
        let data = children.next().filter(|first| first.is(XENC.uri(), name) && holder.has_only_elements());
        let data = data.ok_or(DecryptionRefused::Structure(name))?;
        let mut keys: Vec<Element<'_>> = Vec::new();
        for info in data.children_named(DS.uri(), "KeyInfo") {
            keys.extend(info.children_named(XENC.uri(), "EncryptedKey").take(MOST_KEYS + 1));
        }
        for beside in children {
            if !beside.is(XENC.uri(), "EncryptedKey") {
                return Err(DecryptionRefused::Structure(name));
            }
            keys.push(beside);
            if keys.len() > MOST_KEYS {
                break;
            }
        }
        if keys.len() > MOST_KEYS {
            return Err(DecryptionRefused::TooManyKeys { limit: MOST_KEYS });
        }
        if data.attribute("Type").is_some_and(|written| written != ELEMENT_TYPE) {
            return Err(DecryptionRefused::Structure(name));
        }
        let uri = algorithm(data, name)?.1;
        let cipher = BlockCipher::from_xml_uri(uri).ok_or_else(|| not_accepted(uri))?;
        Ok(Self { cipher, octets: cipher_value(data, name)?, keys: wrapped_keys(&keys)? })
    }
}

/// The keys that are wrapped in a way that we accept; those that are not are passed over as long as one is.
fn wrapped_keys(elements: &[Element<'_>]) -> Result<Vec<WrappedKey>, DecryptionRefused> {
    let mut refused = DecryptionRefused::Structure("EncryptedKey");
    let mut keys = Vec::new();
    for element in elements {
        match WrappedKey::read(*element) {
            Ok(key) => keys.push(key),
            Err(why) => refused = why,
        }
    }
    if keys.is_empty() { Err(refused) } else { Ok(keys) }
}

impl WrappedKey {
    fn read(element: Element<'_>) -> Result<Self, DecryptionRefused> {
        let name = "EncryptedKey";
        let (method, uri) = algorithm(element, name)?;
        let digest = named(method, DS.uri(), "DigestMethod", digest_of)?;
        let mask = named(method, XENC11.uri(), "MGF", mask_digest_of)?;
        // Both are SHA-1 where they are not said (XML Encryption 1.1, sections 5.5.2 and 5.5.3).
        let digest = digest.unwrap_or(DigestAlgorithm::Sha1);
        let mask = mask.unwrap_or(DigestAlgorithm::Sha1);
        let transport = match uri {
            OAEP_MGF1P_URI if (digest, mask) == (DigestAlgorithm::Sha1, DigestAlgorithm::Sha1) => {
                KeyTransport::OaepMgf1p
            }
            OAEP_URI if digest == mask => KeyTransport::Oaep(digest),
            OAEP_MGF1P_URI | OAEP_URI => {
                return Err(not_accepted(&format!("{uri} with {digest:?} and MGF1 with {mask:?}")));
            }
            _ => return Err(not_accepted(uri)),
        };
        let mut labels = method.children_named(XENC.uri(), "OAEPparams");
        let label = match (labels.next(), labels.next()) {
            (None, _) => Vec::new(),
            (Some(label), None) => binary(label, "OAEPparams")?,
            _ => return Err(DecryptionRefused::Structure("OAEPparams")),
        };
        if label.len() > LONGEST_LABEL {
            return Err(DecryptionRefused::Structure("OAEPparams"));
        }
        Ok(Self { transport, label, octets: cipher_value(element, name)? })
    }
}

/// The one `EncryptionMethod` and the algorithm that it names. XML Encryption lets it be left out for peers who have agreed; we have not.
fn algorithm<'d>(
    element: Element<'d>,
    name: &'static str,
) -> Result<(Element<'d>, &'d str), DecryptionRefused> {
    let mut methods = element.children_named(XENC.uri(), "EncryptionMethod");
    match (methods.next(), methods.next()) {
        (Some(method), None) => Ok((method, method.attribute("Algorithm").unwrap_or_default())),
        _ => Err(DecryptionRefused::Structure(name)),
    }
}

/// The digest that a child of `EncryptionMethod` names, where there is one.
fn named(
    method: Element<'_>,
    namespace: &str,
    name: &'static str,
    known: impl Fn(&str) -> Option<DigestAlgorithm>,
) -> Result<Option<DigestAlgorithm>, DecryptionRefused> {
    let mut found = method.children_named(namespace, name);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(element), None) => {
            let uri = element.attribute("Algorithm").unwrap_or_default();
            known(uri).map(Some).ok_or_else(|| not_accepted(uri))
        }
        _ => Err(DecryptionRefused::Structure(name)),
    }
}

/// The octets in `CipherData`, which must hold them itself.
fn cipher_value(element: Element<'_>, name: &'static str) -> Result<Vec<u8>, DecryptionRefused> {
    let mut data = element.children_named(XENC.uri(), "CipherData");
    let (Some(data), None) = (data.next(), data.next()) else {
        return Err(DecryptionRefused::Structure(name));
    };
    let mut values = data.children();
    match (values.next(), values.next()) {
        (Some(value), None) if value.is(XENC.uri(), "CipherValue") => binary(value, "CipherValue"),
        (Some(reference), None) if reference.is(XENC.uri(), "CipherReference") => {
            Err(DecryptionRefused::Reference)
        }
        _ => Err(DecryptionRefused::Structure("CipherData")),
    }
}

/// A Base64 value; white space within is folded (XML Schema 1.0 part 2, section 3.2.16), comments are not.
fn binary(element: Element<'_>, name: &'static str) -> Result<Vec<u8>, DecryptionRefused> {
    let text = element.text().filter(|_| !element.has_comment()).ok_or(DecryptionRefused::Structure(name))?;
    let folded: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    STANDARD.decode(folded).map_err(|_| DecryptionRefused::Structure(name))
}

fn not_accepted(uri: &str) -> DecryptionRefused {
    let shown = uri.chars().take(120);
    DecryptionRefused::Algorithm(
        shown.map(|character| if character.is_control() { '\u{FFFD}' } else { character }).collect(),
    )
}
