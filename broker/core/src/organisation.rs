//! An organisation: who answers for peers. The record is set by the federation operator alone and bounds what the organisation's
//! metadata and assertions may claim (design decision 8).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    assurance::Assurance,
    attribute::AttributeName,
    identifier::{Language, RelyingPartyId},
};

/// Swedish organisation number: ten digits, no hyphen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrganisationNumber(String);

impl OrganisationNumber {
    /// Ten digits with a correct check digit (Luhn); a hyphen after the sixth is accepted on input.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = match text.split_once('-') {
            Some((head, tail)) if head.len() == 6 && tail.len() == 4 => [head, tail].concat(),
            Some(_) => return None,
            None => text.to_owned(),
        };
        if digits.len() != 10 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let sum: u32 = digits
            .bytes()
            .enumerate()
            .map(|(at, byte)| {
                let value = u32::from(byte - b'0') * if at % 2 == 0 { 2 } else { 1 };
                value / 10 + value % 10
            })
            .sum();
        sum.is_multiple_of(10).then_some(Self(digits))
    }

    /// The ten digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for OrganisationNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for OrganisationNumber {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| {
            format!("{text:?} is not an organisation number: ten digits with a correct check digit")
        })
    }
}

impl From<OrganisationNumber> for String {
    fn from(number: OrganisationNumber) -> Self {
        number.0
    }
}

/// A text in several languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LocalText(pub BTreeMap<Language, String>);

impl LocalText {
    /// The text in the first of `wanted` that there is one in, else Swedish, else English, else any.
    #[must_use]
    pub fn best(&self, wanted: &[Language]) -> Option<&str> {
        wanted
            .iter()
            .find_map(|language| self.0.get(language))
            .or_else(|| {
                ["sv", "en"]
                    .iter()
                    .filter_map(|tag| Language::from_tag(tag))
                    .find_map(|language| self.0.get(&language))
            })
            .or_else(|| self.0.values().next())
            .map(String::as_str)
    }

    /// Whether there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Where the organisation's own staff turn for help.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportContact {
    /// An address for mail, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A telephone number, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telephone: Option<String>,
    /// A web page, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Organisation number.
    pub number: OrganisationNumber,
    /// Registered names, per language.
    pub name: LocalText,
    /// Domains that are proven to be the organisation's, lower case. Entity IDs, endpoints and mail addresses lie within them.
    #[serde(default)]
    pub domains: BTreeSet<String>,
    /// Scopes (right of the last `@`) that it may assert in scoped attributes, besides its organisation number; lower case.
    #[serde(default)]
    pub scopes: BTreeSet<String>,
    /// HSA-id prefixes that it may assert, such as `SE2321000016-`; upper case.
    #[serde(default)]
    pub hsa_prefixes: BTreeSet<String>,
    /// The highest level that its providers may assert, at most one per vocabulary. None: its providers assert no level.
    #[serde(default)]
    pub ceiling: Vec<Assurance>,
    /// Attributes that its relying parties may be given.
    #[serde(default)]
    pub entitled: BTreeSet<AttributeName>,
    /// Identity-bearing attributes beyond scope, HSA-id and mail that its providers may assert, personal numbers above all.
    #[serde(default)]
    pub may_assert: BTreeSet<AttributeName>,
    /// Where its staff turn for help.
    #[serde(default)]
    pub support: SupportContact,
    /// Other words that people know it by; they find it in the choice of organisation.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub aliases: BTreeSet<String>,
    /// What the choice of organisation shows beside its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Logo>,
    /// The only relying parties that its people may reach; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relying_parties: Option<BTreeSet<RelyingPartyId>>,
}

/// A logo: a picture that we made ourselves of what the organisation gave (design decision 12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logo {
    /// The name of its octets, a PNG: their SHA-256 in lower-case hexadecimal.
    pub document: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

impl Organisation {
    /// A record that grants nothing and says nothing but the number.
    #[must_use]
    pub fn of(number: OrganisationNumber) -> Self {
        Self {
            number,
            name: LocalText::default(),
            domains: BTreeSet::new(),
            scopes: BTreeSet::new(),
            hsa_prefixes: BTreeSet::new(),
            ceiling: Vec::new(),
            entitled: BTreeSet::new(),
            may_assert: BTreeSet::new(),
            support: SupportContact::default(),
            aliases: BTreeSet::new(),
            logo: None,
            relying_parties: None,
        }
    }

    /// Whether its people may reach a relying party.
    #[must_use]
    pub fn lets_reach(&self, relying_party: &RelyingPartyId) -> bool {
        self.relying_parties.as_ref().is_none_or(|open| open.contains(relying_party))
    }

    /// Whether `host` is one of the organisation's domains or lies under one.
    #[must_use]
    pub fn owns_host(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.domains.iter().any(|domain| {
            host == *domain || host.strip_suffix(domain.as_str()).is_some_and(|front| front.ends_with('.'))
        })
    }

    /// Whether the right side of a scoped value may be asserted by this organisation's providers.
    #[must_use]
    pub fn owns_scope(&self, scope: &str) -> bool {
        // ASCII alone: Unicode's own folding makes the Kelvin sign a k, and somebody else's scope ours.
        scope == self.number.as_str() || self.scopes.contains(&scope.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::OrganisationNumber;

    #[test]
    fn an_organisation_number_has_ten_digits_and_a_check_digit() {
        assert_eq!(
            OrganisationNumber::parse("202100-6883").as_ref().map(OrganisationNumber::as_str),
            Some("2021006883")
        );
        assert_eq!(OrganisationNumber::parse("2021006884"), None);
        assert_eq!(OrganisationNumber::parse("20210-06883"), None);
        assert_eq!(OrganisationNumber::parse("202100688å"), None);
    }
}
