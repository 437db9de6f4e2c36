//! Who somebody is to a relying party, without a user database (design decision 10).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::identifier::ProviderId;

/// What a person's subject identifier is made from. Pinned per provider when it joins; there is no silent fall-back, and a personal
/// number is not on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectSource {
    /// `urn:oasis:names:tc:SAML:attribute:subject-id`.
    SubjectId,
    /// `urn:oasis:names:tc:SAML:attribute:pairwise-id`.
    PairwiseId,
    /// A persistent NameID.
    PersistentNameId,
    /// orgAffiliation, where the operator chose it.
    OrgAffiliation,
    /// The employee's HSA-id, where the operator chose it.
    EmployeeHsaId,
    /// The `sub` of an upstream OpenID provider.
    OidcSub,
}

impl SubjectSource {
    /// Every source.
    pub const ALL: &[Self] = &[
        Self::SubjectId,
        Self::PairwiseId,
        Self::PersistentNameId,
        Self::OrgAffiliation,
        Self::EmployeeHsaId,
        Self::OidcSub,
    ];

    /// The stable key used in configuration and derivation. Never change one: every subject identifier would change.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::SubjectId => "subject_id",
            Self::PairwiseId => "pairwise_id",
            Self::PersistentNameId => "persistent_name_id",
            Self::OrgAffiliation => "org_affiliation",
            Self::EmployeeHsaId => "employee_hsa_id",
            Self::OidcSub => "oidc_sub",
        }
    }

    /// The source of that key.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|source| source.key() == key)
    }

    /// Whether a provider makes the identifier for one service provider (SAML Core 8.3.7; SAML subject identifiers 1.0, 3.4): the same person
    /// has another one at the next.
    #[must_use]
    pub fn is_per_service_provider(self) -> bool {
        match self {
            Self::PairwiseId | Self::PersistentNameId => true,
            Self::SubjectId | Self::OrgAffiliation | Self::EmployeeHsaId | Self::OidcSub => false,
        }
    }

    /// The one spelling of a value, so that a person keeps their identifier when a provider changes case.
    ///
    /// subject-id and pairwise-id compare without case (SAML subject identifiers 1.0, 3.3.1), orgAffiliation is caseIgnoreMatch
    /// (Sweden Connect attributes 3.1), an HSA-id is upper case; a NameID and a sub are opaque and stay as they are. ASCII letters alone are folded:
    /// Unicode has letters that fold into others (the Kelvin sign into k), and two people must never become one.
    #[must_use]
    pub fn canonical(self, value: &str) -> String {
        match self {
            Self::SubjectId | Self::PairwiseId | Self::OrgAffiliation => value.trim().to_ascii_lowercase(),
            Self::EmployeeHsaId => value.trim().to_ascii_uppercase(),
            Self::PersistentNameId | Self::OidcSub => value.to_owned(),
        }
    }
}

/// A value that a provider gave and that a subject identifier may be made from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectCandidate {
    /// Where it stood.
    pub source: SubjectSource,
    /// The value, as the provider wrote it.
    pub value: String,
}

impl fmt::Debug for SubjectCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectCandidate").field("source", &self.source).finish_non_exhaustive()
    }
}

/// The `sub` or NameID that one sector sees of one person: 256 bits as lower-case base 32 without padding, so that it survives a
/// comparison that ignores case (FEDINTEROP IIP-IDP21).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectIdentifier(String);

impl SubjectIdentifier {
    /// As it leaves.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SubjectIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectIdentifier(..)")
    }
}

/// A pseudo-random function under the subject secret: HMAC-SHA-256 at the edge. The core never sees the secret.
pub trait SubjectSecret: Send + Sync {
    /// The function's value at `input`.
    fn pseudonym(&self, input: &[u8]) -> [u8; 32];
}

/// Derives the identifier of a person towards a sector: every part length-prefixed, so that no two inputs collide.
pub fn derive(
    secret: &dyn SubjectSecret,
    provider_namespace: &ProviderId,
    candidate: &SubjectCandidate,
    sector: &str,
) -> SubjectIdentifier {
    let canonical = candidate.source.canonical(&candidate.value);
    let parts =
        ["sparvidd subject 1", provider_namespace.as_str(), candidate.source.key(), &canonical, sector];
    let mut input = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        input.extend_from_slice(&(part.len() as u64).to_be_bytes());
        input.extend_from_slice(part.as_bytes());
    }
    SubjectIdentifier(base32(&secret.pseudonym(&input)))
}

fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        buffer = buffer << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(buffer >> bits & 31) as usize]));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(buffer << (5 - bits) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{SubjectCandidate, SubjectSecret, SubjectSource, base32, derive};
    use crate::identifier::ProviderId;

    struct Echo;
    impl SubjectSecret for Echo {
        fn pseudonym(&self, input: &[u8]) -> [u8; 32] {
            let mut folded = [0_u8; 32];
            for (at, byte) in input.iter().enumerate() {
                folded[at % 32] = folded[at % 32].wrapping_mul(31).wrapping_add(*byte);
            }
            folded
        }
    }

    fn of(provider: &str, source: SubjectSource, value: &str, sector: &str) -> super::SubjectIdentifier {
        derive(
            &Echo,
            &ProviderId::from(provider),
            &SubjectCandidate { source, value: value.to_owned() },
            sector,
        )
    }

    #[test]
    fn each_part_separates() {
        let base = of("p", SubjectSource::SubjectId, "a@b", "s");
        assert_ne!(base, of("q", SubjectSource::SubjectId, "a@b", "s"));
        assert_ne!(base, of("p", SubjectSource::PairwiseId, "a@b", "s"));
        assert_ne!(base, of("p", SubjectSource::SubjectId, "a@c", "s"));
        assert_ne!(base, of("p", SubjectSource::SubjectId, "a@b", "t"));
        assert_eq!(base, of("p", SubjectSource::SubjectId, "A@B", "s"));
    }

    #[test]
    fn a_letter_that_only_unicode_folds_is_another_person() {
        for (source, genuine, lookalike) in [
            (SubjectSource::SubjectId, "ken@granvik.example", "\u{212a}en@granvik.example"),
            (SubjectSource::EmployeeHsaId, "SE2021006883-S1", "SE2021006883-\u{17f}1"),
        ] {
            let of = |value| of("p", source, value, "s");
            assert_ne!(of(genuine), of(lookalike), "{lookalike}");
            assert_eq!(
                of(genuine),
                of(&genuine.to_ascii_uppercase()),
                "the genuine twin keeps its identifier"
            );
        }
    }

    #[test]
    fn base32_as_rfc_4648() {
        assert_eq!(base32(b"foobar"), "mzxw6ytboi");
        assert_eq!(base32(b"f"), "my");
    }

    #[test]
    fn debug_shows_no_value() {
        let candidate = SubjectCandidate { source: SubjectSource::SubjectId, value: "anna@granvik".into() };
        assert!(!format!("{candidate:?}").contains("anna"));
    }
}
