//! A set of keys for one purpose, and their rollover: published before use, active, retired but still published.
//!
//! Keys that rotate (those of the OpenID provider) lie in the shared store, so they are wrapped: sealed under a key derived
//! from the nodes' secret, which is not in the store (design decisions 6 and 11). The seal covers the keyring's name and
//! version, so that a writer to the store can neither swap two keyrings nor bring an old one back under a new version.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    algorithm::SignatureAlgorithm,
    jwk::{Jwk, JwkSet},
    mac::{Secret, push_length_prefixed},
    private_key::PrivateKey,
    public_key::KeyError,
    signer::Signer as _,
};

/// The first octet of a wrapped keyring: which way it is wrapped.
const WRAPPING: u8 = 1;
const LABEL: &str = "keyring wrapping";

/// Where a key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Peers may see it; it does not sign yet, so that everybody has fetched it when it does.
    Published,
    /// It signs.
    Active,
    /// It signs no more; peers may still hold what it signed.
    Retired,
}

/// A key and where it stands.
#[derive(Debug, Clone)]
pub struct KeyringEntry {
    /// The key.
    pub signer: Arc<PrivateKey>,
    /// Where it stands.
    pub state: KeyState,
    /// Since when, in whole seconds.
    pub since: SystemTime,
}

/// The keys of one purpose.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    keys: Vec<KeyringEntry>,
}

impl Keyring {
    /// A keyring without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The keys, oldest first.
    pub fn keys(&self) -> &[KeyringEntry] {
        &self.keys
    }

    /// Adds a key that peers may see from now on.
    ///
    /// # Errors
    /// When a key of that name is there already.
    pub fn publish(&mut self, signer: Arc<PrivateKey>, now: SystemTime) -> Result<(), KeyringRefused> {
        if self.keys.iter().any(|entry| entry.signer.key_id() == signer.key_id()) {
            return Err(KeyringRefused::SameName);
        }
        self.keys.push(KeyringEntry { signer, state: KeyState::Published, since: now });
        Ok(())
    }

    /// Makes a published key the one that signs; the one that signed with the same algorithm retires.
    ///
    /// # Errors
    /// When there is no published key of that name: a retired key never comes back.
    pub fn activate(&mut self, key_id: &str, now: SystemTime) -> Result<(), KeyringRefused> {
        let chosen = self
            .keys
            .iter()
            .position(|entry| entry.signer.key_id() == key_id && entry.state == KeyState::Published)
            .ok_or(KeyringRefused::NotPublished)?;
        let algorithm = self.keys.get(chosen).map(|entry| entry.signer.algorithm());
        for (index, entry) in self.keys.iter_mut().enumerate() {
            if index == chosen {
                entry.state = KeyState::Active;
                entry.since = now;
            } else if entry.state == KeyState::Active && Some(entry.signer.algorithm()) == algorithm {
                entry.state = KeyState::Retired;
                entry.since = now;
            }
        }
        Ok(())
    }

    /// Forgets the keys that retired at `before` or earlier.
    pub fn forget_retired(&mut self, before: SystemTime) {
        self.keys.retain(|entry| entry.state != KeyState::Retired || entry.since > before);
    }

    /// The key that signs with `algorithm`.
    pub fn active(&self, algorithm: SignatureAlgorithm) -> Option<&Arc<PrivateKey>> {
        self.keys
            .iter()
            .find(|entry| entry.state == KeyState::Active && entry.signer.algorithm() == algorithm)
            .map(|entry| &entry.signer)
    }

    /// What peers may see: every key, whatever its state, so that a signature can be checked before, during and after a
    /// rollover.
    pub fn published(&self) -> JwkSet {
        JwkSet::new(self.keys.iter().map(|entry| Jwk::of(entry.signer.as_ref())).collect())
    }

    /// The keyring sealed under the nodes' secret, for the store. `name` and `version` are part of the seal.
    ///
    /// # Errors
    /// When a key cannot be encoded or the system has no random numbers.
    pub fn wrap(&self, node_secret: &Secret, name: &str, version: u64) -> Result<Vec<u8>, KeyringRefused> {
        let entries = self.keys.iter().map(WrittenEntry::of).collect::<Result<Vec<_>, _>>()?;
        let mut sealed = Zeroizing::new(serde_json::to_vec(&entries).map_err(|_| KeyringRefused::Malformed)?);
        let nonce = wrapping_key(node_secret)?
            .seal_in_place_append_tag(Aad::from(associated_data(name, version)), &mut *sealed)
            .map_err(|_| KeyringRefused::NotSealed)?;
        let mut wrapped = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        wrapped.push(WRAPPING);
        wrapped.extend_from_slice(nonce.as_ref());
        wrapped.extend_from_slice(&sealed);
        Ok(wrapped)
    }

    /// Opens what [`Keyring::wrap`] sealed under the same secret, name and version.
    ///
    /// # Errors
    /// When it was not: by whoever has no secret of the nodes, or under another name or version.
    pub fn unwrap(
        wrapped: &[u8],
        node_secret: &Secret,
        name: &str,
        version: u64,
    ) -> Result<Self, KeyringRefused> {
        let rest = wrapped.strip_prefix(&[WRAPPING]).ok_or(KeyringRefused::Malformed)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or(KeyringRefused::Malformed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyringRefused::Malformed)?;
        let mut opened = Zeroizing::new(sealed.to_vec());
        let plain = wrapping_key(node_secret)?
            .open_in_place(nonce, Aad::from(associated_data(name, version)), &mut opened)
            .map_err(|_| KeyringRefused::NotOurs)?;
        let entries: Vec<WrittenEntry> =
            serde_json::from_slice(plain).map_err(|_| KeyringRefused::Malformed)?;
        let keys = entries.iter().map(WrittenEntry::read).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { keys })
    }
}

/// Why a keyring did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringRefused {
    /// A key of that name is in the keyring already.
    #[error("a key of that name is in the keyring already")]
    SameName,
    /// There is no key of that name waiting to be used.
    #[error("no published key of that name is in the keyring")]
    NotPublished,
    /// The seal does not hold: other nodes' secret, other keyring, other version, or forged.
    #[error("the wrapped keyring does not open with this node's secret under this name and version")]
    NotOurs,
    /// It could not be sealed.
    #[error("the keyring could not be sealed")]
    NotSealed,
    /// It is no keyring.
    #[error("not a wrapped keyring")]
    Malformed,
    /// A key in it is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// An entry as it lies under the seal.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    pkcs8: String,
    #[zeroize(skip)]
    algorithm: String,
    #[zeroize(skip)]
    key_id: String,
    #[zeroize(skip)]
    state: KeyState,
    /// Seconds since 1970.
    #[zeroize(skip)]
    since: u64,
}

impl WrittenEntry {
    fn of(entry: &KeyringEntry) -> Result<Self, KeyringRefused> {
        let algorithm = entry.signer.algorithm().jws_name().ok_or(KeyringRefused::Malformed)?;
        let since =
            entry.since.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| KeyringRefused::Malformed)?;
        Ok(Self {
            pkcs8: STANDARD.encode(entry.signer.to_pkcs8_der()?.as_slice()),
            algorithm: algorithm.to_owned(),
            key_id: entry.signer.key_id().to_owned(),
            state: entry.state,
            since: since.as_secs(),
        })
    }

    fn read(&self) -> Result<KeyringEntry, KeyringRefused> {
        let algorithm =
            SignatureAlgorithm::from_jws_name(&self.algorithm).ok_or(KeyringRefused::Malformed)?;
        let pkcs8 = Zeroizing::new(STANDARD.decode(&self.pkcs8).map_err(|_| KeyringRefused::Malformed)?);
        let signer = PrivateKey::from_pkcs8_der(&pkcs8, algorithm)?.with_key_id(self.key_id.as_str());
        let since = SystemTime::UNIX_EPOCH
            .checked_add(Duration::from_secs(self.since))
            .ok_or(KeyringRefused::Malformed)?;
        Ok(KeyringEntry { signer: Arc::new(signer), state: self.state, since })
    }
}

fn wrapping_key(node_secret: &Secret) -> Result<RandomizedNonceKey, KeyringRefused> {
    RandomizedNonceKey::new(&AES_256_GCM, node_secret.derive(LABEL, &[]).expose())
        .map_err(|_| KeyringRefused::NotSealed)
}

fn associated_data(name: &str, version: u64) -> Vec<u8> {
    let mut data = vec![WRAPPING];
    push_length_prefixed(&mut data, name.as_bytes());
    data.extend_from_slice(&version.to_be_bytes());
    data
}

#[cfg(test)]
mod tests;
