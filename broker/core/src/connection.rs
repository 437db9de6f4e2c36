//! Which relying parties an employer lets its people reach, and what each may be told of them.
//!
//! A connection is between an employer and a relying party. What holds for it is said in this order, the first that says anything decides:
//!
//! 1. the organisation's record, where it lists the only relying parties that there may be;
//! 2. the employer's own agreement about this relying party;
//! 3. the employer's default for the relying party's category, then its default for all;
//! 4. the federation's default for the category, then its default for all;
//! 5. else it is open.
//!
//! An agreement names the attributes agreed to. A default may; where it does not, or nothing is said, and the relying party's registration has
//! changed since it joined, what it asked for before is what may leave ([`Connections::before`]). So whoever asks for more gets what it got, until
//! somebody agrees to the new.
//!
//! Neighbours: `metadata` makes the [`Connections`] out of its manifest; `routing` and `release` ask, and so does `broker-oidc` when a code or an
//! access token is redeemed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    attribute::AttributeName,
    failure::{Failure, FailureCode},
    identifier::RelyingPartyId,
    organisation::{Organisation, OrganisationNumber},
};

/// The name of an agreement category: what kind of relying party it is, as the federation's agreements sort them. 1 to 64 lower-case letters,
/// digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Category(String);

impl Category {
    /// Reads one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        fits.then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Category {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Category {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
            .ok_or_else(|| format!("{text:?} is no category: 1 to 64 lower-case letters, digits and hyphens"))
    }
}

impl From<Category> for String {
    fn from(category: Category) -> Self {
        category.0
    }
}

/// What is agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Whether people may reach the relying party.
    pub open: bool,
    /// The most that may be told of them; `None`: what the relying party asked for before its registration last grew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeSet<AttributeName>>,
}

/// What holds where an employer has not agreed about a relying party by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// For relying parties of a category.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<Category, Terms>,
    /// For all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<Terms>,
}

impl Defaults {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_none() && self.categories.is_empty()
    }
}

/// Everything that is agreed, as the login asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connections {
    /// By employer and relying party.
    pub agreements: BTreeMap<OrganisationNumber, BTreeMap<RelyingPartyId, Terms>>,
    /// Each employer's own defaults.
    pub defaults: BTreeMap<OrganisationNumber, Defaults>,
    /// The federation's.
    pub federation: Defaults,
    /// The category of each relying party that has one.
    pub categories: BTreeMap<RelyingPartyId, Category>,
    /// What each relying party whose registration has changed might be told before it first did.
    pub before: BTreeMap<RelyingPartyId, BTreeSet<AttributeName>>,
}

/// Who decided about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// The organisation's record, which only the federation operator changes.
    Record,
    /// The employer, about this relying party.
    Agreement,
    /// The employer's default for the category.
    EmployerCategory,
    /// The employer's default for all.
    Employer,
    /// The federation's default for the category.
    FederationCategory,
    /// The federation's default for all.
    Federation,
    /// Nobody: it is open.
    Nobody,
}

/// What holds between one employer and one relying party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection<'c> {
    /// Whether people may reach it.
    pub open: bool,
    /// Who says so.
    pub by: DecidedBy,
    /// The most that may be told of them; `None`: what is registered.
    pub attributes: Option<&'c BTreeSet<AttributeName>>,
}

impl Connection<'_> {
    /// Whether an attribute may leave here.
    #[must_use]
    pub fn lets_leave(&self, name: AttributeName) -> bool {
        self.open && self.attributes.is_none_or(|agreed| agreed.contains(&name))
    }
}

impl Connections {
    /// What holds between an employer and a relying party.
    #[must_use]
    pub fn between(&self, employer: &Organisation, relying_party: &RelyingPartyId) -> Connection<'_> {
        let before = self.before.get(relying_party);
        if !employer.lets_reach(relying_party) {
            return Connection { open: false, by: DecidedBy::Record, attributes: before };
        }
        let category = self.categories.get(relying_party);
        let own = self.defaults.get(&employer.number);
        let agreement = self.agreements.get(&employer.number).and_then(|all| all.get(relying_party));
        let steps: [(DecidedBy, Option<&Terms>); 5] = [
            (DecidedBy::Agreement, agreement),
            (
                DecidedBy::EmployerCategory,
                own.zip(category).and_then(|(own, category)| own.categories.get(category)),
            ),
            (DecidedBy::Employer, own.and_then(|own| own.all.as_ref())),
            (
                DecidedBy::FederationCategory,
                category.and_then(|category| self.federation.categories.get(category)),
            ),
            (DecidedBy::Federation, self.federation.all.as_ref()),
        ];
        let decided = steps.into_iter().find_map(|(by, terms)| Some((by, terms?)));
        match decided {
            Some((by, terms)) => {
                Connection { open: terms.open, by, attributes: terms.attributes.as_ref().or(before) }
            }
            None => Connection { open: true, by: DecidedBy::Nobody, attributes: before },
        }
    }

    /// Whether the employer's people may reach the relying party.
    ///
    /// # Errors
    /// [`FailureCode::ConnectionClosed`], with who closed it.
    pub fn allow(&self, employer: &Organisation, relying_party: &RelyingPartyId) -> Result<(), Failure> {
        let found = self.between(employer, relying_party);
        if found.open {
            return Ok(());
        }
        let by = match found.by {
            DecidedBy::Record => "the organisation's record",
            DecidedBy::Agreement => "its own decision",
            DecidedBy::EmployerCategory | DecidedBy::Employer => "its own default",
            DecidedBy::FederationCategory | DecidedBy::Federation | DecidedBy::Nobody => {
                "the federation's default"
            }
        };
        Err(Failure::new(
            FailureCode::ConnectionClosed,
            format!("{} does not let its people reach {relying_party}: {by}", employer.number),
        ))
    }
}

#[cfg(test)]
mod tests;
