//! What one sealed record is made of: its handle, its binding, its kind, and the octets that lie in the store.
//!
//! The key in the store and the key that seals are both derived by HKDF-SHA256 (RFC 5869) from the nodes' secret, the handle and the binding,
//! under separate labels. So the store knows no handle and no binding, a copy of the store opens nothing, and a handle without its binding names
//! another place, where nothing stands. What is sealed with AES-256-GCM (NIST SP 800-38D) is padded in steps of 1 KiB; the kind, the form, the
//! name of the nodes' key and the expiry are associated data. A value and the tombstone in its place are sealed under different keys.
//!
//! The octets: form (1) | length of the key's name (1) | the key's name | expiry, seconds, big endian (8) | nonce (12) | sealed octets and tag.
//!
//! Neighbours: [`crate::vault`] puts these into a store, [`crate::keyspace`] names the places.

use std::fmt;

use aws_lc_rs::{aead, hkdf};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::{
    moment::{Moment, Timestamp},
    port::StoreKey,
};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::keyspace;

/// The form of the octets that this build writes and reads.
const FORM: u8 = 1;
/// Sealed octets grow in steps of this, so that their length says little about what is in them.
const STEP: usize = 1024;
/// Octets of randomness in a handle: RFC 6749 section 10.10 asks that guessing a code or a token succeed with at most 2^-160.
const HANDLE_OCTETS: usize = 20;
/// The largest plain record, in octets, before padding.
pub const MAX_PLAIN: usize = 128 * 1024;

/// What a record is. Each kind has its own keys, so that a handle of one kind opens nothing of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// A login that waits for the employee to choose a provider.
    Choice,
    /// A login that waits for its provider's answer.
    Provider,
    /// A login that waits for the employee to read the notice.
    Notice,
    /// What an authorization code stands for.
    Code,
    /// What an access token stands for.
    AccessToken,
    /// Which relying party a provider trip belongs to: found without the browser's cookie, and resumes nothing.
    Origin,
    /// A file that an operator gave and has not handed in yet: what it is called, and where its parts are.
    GivenFile,
    /// A part of such a file.
    GivenPart,
    /// A test sign-in that waits for its provider's answer.
    Trial,
    /// What came of a test sign-in, to be shown once.
    TrialResult,
}

impl RecordKind {
    /// The octet that stands for the kind in keys and associated data. Never reused for another kind.
    const fn octet(self) -> u8 {
        match self {
            Self::Choice => 1,
            Self::Provider => 2,
            Self::Notice => 3,
            Self::Code => 4,
            Self::AccessToken => 5,
            Self::Origin => 6,
            Self::GivenFile => 7,
            Self::GivenPart => 8,
            Self::Trial => 9,
            Self::TrialResult => 10,
        }
    }
}

/// What is marked so that it is used once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MarkKind {
    /// A SAML assertion's ID, with its issuer (SAML Profiles 4.1.4.5).
    Assertion,
    /// The `jti` of a relying party's own assertion (RFC 7523 section 3, rule 7).
    ClientAssertion,
    /// The `jti` of a proof of possession (RFC 9449 section 11.1).
    Proof,
    /// The ID of any other message that may be answered once.
    Message,
}

impl MarkKind {
    const fn octet(self) -> u8 {
        match self {
            Self::Assertion => 1,
            Self::ClientAssertion => 2,
            Self::Proof => 3,
            Self::Message => 4,
        }
    }
}

/// What a handle is worth nothing without.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Binding<'a> {
    /// The browser's cookie for this login (front-channel hops).
    Cookie(&'a str),
    /// The relying party's `client_id` (codes).
    RelyingParty(&'a str),
    /// The thumbprint of the key that a token is bound to; empty for a bearer token.
    Key(&'a str),
    /// Nothing: for records that open nothing by themselves.
    Nothing,
}

impl<'a> Binding<'a> {
    const fn parts(self) -> (u8, &'a str) {
        match self {
            Self::Cookie(text) => (1, text),
            Self::RelyingParty(text) => (2, text),
            Self::Key(text) => (3, text),
            Self::Nothing => (4, ""),
        }
    }
}

impl fmt::Debug for Binding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cookie(_) => "Cookie(..)",
            Self::RelyingParty(_) => "RelyingParty(..)",
            Self::Key(_) => "Key(..)",
            Self::Nothing => "Nothing",
        })
    }
}

/// A random name that a browser, a code or a token carries: 160 bits as 27 characters of base64url. Whoever has it and its binding has the record,
/// so it is in no log.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Handle(String);

impl Handle {
    /// A fresh one.
    #[must_use]
    pub fn new(moment: Moment<'_>) -> Self {
        let mut octets = moment.random::<HANDLE_OCTETS>();
        let handle = Self(URL_SAFE_NO_PAD.encode(octets));
        octets.zeroize();
        handle
    }

    /// Reads what somebody sent. `None` when it is nothing that [`Handle::new`] makes: there is no such record then.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // 27 characters of base64 are 162 bits: the decoder refuses the two spare ones when set, so each handle has one spelling.
        let mut octets = [0; HANDLE_OCTETS];
        let read = (text.len() == 27).then(|| URL_SAFE_NO_PAD.decode_slice(text, &mut octets))?.ok()?;
        octets.zeroize();
        (read == HANDLE_OCTETS).then(|| Self(text.to_owned()))
    }

    /// The text to hand out.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle(..)")
    }
}

impl TryFrom<String> for Handle {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a handle")
    }
}

impl From<Handle> for String {
    fn from(handle: Handle) -> Self {
        handle.0
    }
}

/// The secret that all nodes share and the store never sees, with a name by which a rotation tells old from new.
pub struct NodeSecret {
    name: String,
    pseudorandom_key: hkdf::Prk,
}

/// Why a node secret cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NodeSecretError {
    /// The name is not 1 to 32 printable ASCII characters.
    #[error("the name of a node secret is 1 to 32 printable ASCII characters")]
    Name,
}

impl NodeSecret {
    /// Takes a secret of 32 random octets under a name of 1 to 32 printable ASCII characters.
    ///
    /// # Errors
    /// When the name is anything else.
    pub fn new(name: impl Into<String>, secret: [u8; 32]) -> Result<Self, NodeSecretError> {
        let (name, secret) = (name.into(), Zeroizing::new(secret));
        if !(1..=32).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NodeSecretError::Name);
        }
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"sparvidd node secret 1");
        Ok(Self { name, pseudorandom_key: salt.extract(secret.as_ref()) })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// 32 octets for `label` and `parts`. Each part is length-prefixed, so that no two lists of parts read the same.
    fn derive(&self, label: &str, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut info = Zeroizing::new(Vec::with_capacity(128));
        for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
            info.extend_from_slice(&(part.len() as u64).to_be_bytes());
            info.extend_from_slice(part);
        }
        let mut key = Zeroizing::new([0; 32]);
        self.pseudorandom_key
            .expand(&[info.as_slice()], hkdf::HKDF_SHA256)
            .and_then(|expanded| expanded.fill(key.as_mut()))
            .expect("HKDF-SHA256 expands to its own length of 32 octets for any info");
        key
    }

    /// Where the mark of a name stands. The name is guessable (a message's ID), so the key is a keyed function of it, never a plain hash.
    pub(crate) fn mark_key(&self, kind: MarkKind, name: &[u8]) -> StoreKey {
        keyspace::once(&URL_SAFE_NO_PAD.encode(self.derive("once", &[&[kind.octet()], name]).as_ref()))
    }
}

impl fmt::Debug for NodeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeSecret").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where a record stands: its kind, its handle, and what the handle is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// What stands there.
    pub kind: RecordKind,
    /// Its random name.
    pub handle: &'a Handle,
    /// What the handle is worth nothing without.
    pub binding: Binding<'a>,
}

impl Place<'_> {
    fn derive(&self, secret: &NodeSecret, label: &str) -> Zeroizing<[u8; 32]> {
        let (binding_kind, binding) = self.binding.parts();
        secret.derive(
            label,
            &[&[self.kind.octet()], self.handle.as_str().as_bytes(), &[binding_kind], binding.as_bytes()],
        )
    }

    /// The key in the store.
    pub(crate) fn store_key(&self, secret: &NodeSecret) -> StoreKey {
        keyspace::record(&URL_SAFE_NO_PAD.encode(self.derive(secret, "store key").as_ref()))
    }
}

/// Which of the two that can stand at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The record.
    Value,
    /// What is left when it was taken.
    Tombstone,
}

impl Part {
    const fn label(self) -> &'static str {
        match self {
            Self::Value => "sealing key",
            Self::Tombstone => "tombstone sealing key",
        }
    }

    const fn octet(self) -> u8 {
        match self {
            Self::Value => 1,
            Self::Tombstone => 2,
        }
    }
}

/// Why sealed octets did not open. The three are one to a visitor; they differ in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unopened {
    /// The octets are not what a node wrote at this place.
    Corrupt,
    /// They were genuine, and their time is over.
    Expired,
}

/// Why a plain record could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge;

fn associated_data(part: Part, kind: RecordKind, secret: &NodeSecret, expires: Timestamp) -> Vec<u8> {
    let name = secret.name.as_bytes();
    let mut data = Vec::with_capacity(64);
    data.extend_from_slice(b"sparvidd record");
    data.extend_from_slice(&[FORM, part.octet(), kind.octet()]);
    data.extend_from_slice(&(name.len() as u64).to_be_bytes());
    data.extend_from_slice(name);
    data.extend_from_slice(&expires.0.to_be_bytes());
    data
}

fn sealing_key(place: &Place<'_>, part: Part, secret: &NodeSecret) -> aead::LessSafeKey {
    let key = place.derive(secret, part.label());
    let key = aead::UnboundKey::new(&aead::AES_256_GCM, key.as_ref())
        .expect("the derived key has the 32 octets of AES-256");
    aead::LessSafeKey::new(key)
}

/// Seals `plain` for `place` until `expires`.
pub(crate) fn seal(
    moment: Moment<'_>,
    secret: &NodeSecret,
    place: &Place<'_>,
    part: Part,
    plain: &[u8],
    expires: Timestamp,
) -> Result<Vec<u8>, TooLarge> {
    if plain.len() > MAX_PLAIN {
        return Err(TooLarge);
    }
    let length = u32::try_from(plain.len()).map_err(|_| TooLarge)?;
    // Reserved whole, so that the plain text is never left behind by a reallocation; encryption in place overwrites it.
    let padded = (4 + plain.len()).next_multiple_of(STEP);
    let mut sealed = Vec::with_capacity(padded + aead::AES_256_GCM.tag_len());
    sealed.extend_from_slice(&length.to_be_bytes());
    sealed.extend_from_slice(plain);
    sealed.resize(padded, 0);

    let nonce = moment.random::<{ aead::NONCE_LEN }>();
    sealing_key(place, part, secret)
        .seal_in_place_append_tag(
            aead::Nonce::assume_unique_for_key(nonce),
            aead::Aad::from(associated_data(part, place.kind, secret, expires)),
            &mut sealed,
        )
        .map_err(|_| {
            sealed.zeroize();
            TooLarge
        })?;

    let name = secret.name.as_bytes();
    let mut octets = Vec::with_capacity(2 + name.len() + 8 + nonce.len() + sealed.len());
    // NodeSecret::new keeps names to 32 octets.
    octets.extend_from_slice(&[FORM, name.len() as u8]);
    octets.extend_from_slice(name);
    octets.extend_from_slice(&expires.0.to_be_bytes());
    octets.extend_from_slice(&nonce);
    octets.extend_from_slice(&sealed);
    Ok(octets)
}

/// Opens what lies at `place`, and holds it to its expiry.
pub(crate) fn open(
    now: Timestamp,
    secret: &NodeSecret,
    place: &Place<'_>,
    part: Part,
    octets: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Unopened> {
    let (name, expires, nonce, sealed) = split(octets).ok_or(Unopened::Corrupt)?;
    if name != secret.name.as_bytes() {
        return Err(Unopened::Corrupt);
    }
    let mut opened = Zeroizing::new(sealed.to_vec());
    let length = sealing_key(place, part, secret)
        .open_in_place(
            aead::Nonce::assume_unique_for_key(*nonce),
            aead::Aad::from(associated_data(part, place.kind, secret, expires)),
            &mut opened,
        )
        .map_err(|_| Unopened::Corrupt)?
        .len();
    opened.truncate(length);
    // Only octets that a node sealed say when they expire, so that the answer for altered octets is always the same.
    if expires <= now {
        return Err(Unopened::Expired);
    }
    let length: [u8; 4] = *opened.first_chunk().ok_or(Unopened::Corrupt)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| Unopened::Corrupt)?;
    let plain = opened.get(4..).and_then(|rest| rest.get(..length)).ok_or(Unopened::Corrupt)?;
    Ok(Zeroizing::new(plain.to_vec()))
}

type Parts<'a> = (&'a [u8], Timestamp, &'a [u8; aead::NONCE_LEN], &'a [u8]);

fn split(octets: &[u8]) -> Option<Parts<'_>> {
    let (&[FORM, length], rest) = octets.split_first_chunk::<2>()? else { return None };
    let (name, rest) = rest.split_at_checked(usize::from(length))?;
    let (expires, rest) = rest.split_first_chunk::<8>()?;
    let (nonce, sealed) = rest.split_first_chunk()?;
    Some((name, Timestamp(i64::from_be_bytes(*expires)), nonce, sealed))
}

#[cfg(test)]
mod tests;
