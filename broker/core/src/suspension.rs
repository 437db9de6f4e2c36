//! What the federation operator has suspended, and what a login stands on that may be suspended while it is under way.
//!
//! Whatever is kept of a login carries its [`Grounds`], and is held against the [`Suspensions`] of the moment wherever it is taken up again:
//! so a suspension ends what is under way, too. Grounds hold no attribute of anybody.
//!
//! Neighbours: `metadata` makes the [`Suspensions`] out of its manifest; `routing` and `login` ask, and so does `broker-oidc` when a code or an
//! access token is redeemed.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    failure::{Failure, FailureCode},
    identifier::{ProviderId, RelyingPartyId},
    organisation::OrganisationNumber,
    policy::RelyingPartyPolicy,
};

/// The SHA-256 of a key's SubjectPublicKeyInfo: the same key is the same in every certificate. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyFingerprint([u8; 32]);

impl KeyFingerprint {
    /// The fingerprint that these octets are.
    #[must_use]
    pub const fn new(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// Reads 64 hexadecimal digits of either case, with or without colons or spaces between pairs.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u8> =
            text.bytes().filter(|byte| !matches!(byte, b':' | b' ')).take(65).collect::<Vec<_>>();
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return None;
        }
        let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let mut octets = [0; 32];
        for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
            *octet = value(*high)? << 4 | value(*low)?;
        }
        Some(Self(octets))
    }

    /// The first twelve digits: enough for people to tell the keys of one provider apart.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFingerprint({self})")
    }
}

impl TryFrom<String> for KeyFingerprint {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| {
            format!(
                "{text:?} is no fingerprint of a key: 64 hexadecimal digits, the SHA-256 of the public key"
            )
        })
    }
}

impl From<KeyFingerprint> for String {
    fn from(fingerprint: KeyFingerprint) -> Self {
        fingerprint.to_string()
    }
}

/// What a login stands on, on the provider's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// Whose word it is.
    pub provider: ProviderId,
    /// The organisation that answers for the word.
    pub organisation: OrganisationNumber,
    /// The key that verified it, where a key of the provider's did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyFingerprint>,
}

/// Everything that is suspended, as the login asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suspensions {
    /// Providers that take no login.
    pub providers: BTreeSet<ProviderId>,
    /// Relying parties that start none and are given nothing.
    pub relying_parties: BTreeSet<RelyingPartyId>,
    /// Organisations: their providers and relying parties, all of them.
    pub organisations: BTreeSet<OrganisationNumber>,
    /// Keys, whoever has them in metadata.
    pub keys: BTreeSet<KeyFingerprint>,
}

impl Suspensions {
    /// Whether nothing is suspended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a provider of this organisation may be asked, and be heard.
    ///
    /// # Errors
    /// [`FailureCode::ProviderSuspended`] or [`FailureCode::OrganisationSuspended`].
    pub fn allow_provider(
        &self,
        provider: &ProviderId,
        organisation: &OrganisationNumber,
    ) -> Result<(), Failure> {
        if self.providers.contains(provider) {
            return Err(Failure::new(FailureCode::ProviderSuspended, format!("{provider} is suspended")));
        }
        if self.organisations.contains(organisation) {
            return Err(Failure::new(
                FailureCode::OrganisationSuspended,
                format!("the organisation {organisation}, which answers for {provider}, is suspended"),
            ));
        }
        Ok(())
    }

    /// Whether a relying party may ask, and be given anything.
    ///
    /// # Errors
    /// [`FailureCode::RelyingPartySuspended`].
    pub fn allow_relying_party(&self, relying_party: &RelyingPartyPolicy) -> Result<(), Failure> {
        let (id, organisation) = (&relying_party.id, &relying_party.organisation.number);
        let cause = if self.relying_parties.contains(id) {
            format!("{id} is suspended")
        } else if self.organisations.contains(organisation) {
            format!("the organisation {organisation}, which answers for {id}, is suspended")
        } else {
            return Ok(());
        };
        Err(Failure::new(FailureCode::RelyingPartySuspended, cause))
    }

    /// Whether what stands on these grounds may still leave.
    ///
    /// # Errors
    /// Those of [`Suspensions::allow_provider`], and [`FailureCode::KeySuspended`].
    pub fn allow(&self, grounds: &Grounds) -> Result<(), Failure> {
        self.allow_provider(&grounds.provider, &grounds.organisation)?;
        match grounds.key {
            Some(key) if self.keys.contains(&key) => Err(Failure::new(
                FailureCode::KeySuspended,
                format!("the key {key} of {}, which verified the login, is suspended", grounds.provider),
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::KeyFingerprint;

    #[test]
    fn a_fingerprint_is_read_however_tools_write_it() {
        let plain = "0123456789abcdef".repeat(4);
        let read = KeyFingerprint::parse(&plain).expect("a fingerprint");
        assert_eq!(read.to_string(), plain);
        assert_eq!(read.short(), "0123456789ab");
        let colons: Vec<String> =
            plain.to_uppercase().chars().collect::<Vec<_>>().chunks(2).map(String::from_iter).collect();
        assert_eq!(KeyFingerprint::parse(&colons.join(":")), Some(read));
        for wrong in ["", &plain[1..], &format!("{plain}0"), &plain.replace('0', "g"), &"0".repeat(1000)] {
            assert_eq!(KeyFingerprint::parse(wrong), None, "{wrong}");
        }
    }
}
