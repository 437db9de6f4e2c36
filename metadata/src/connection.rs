//! Which relying parties employers let their people reach: what stands in the manifest, with when and by whom, and what is seen of it.
//!
//! | file | what |
//! |---|---|
//! | `connection.rs` | what stands in the manifest, and how one decision changes it |
//! | `connection/view.rs` | a connection as an employer sees it: what is asked, what leaves, what is new |
//! | `connection/export.rs` | the same as a record of processing |
//!
//! Neighbours: `broker_core::connection` has the order of who decides; `revision` keeps this beside the entries, under the same authentication.

pub mod export;
pub mod view;

use std::collections::{BTreeMap, BTreeSet};

use broker_core::{
    attribute::AttributeName,
    connection::{self, Category, Terms},
    identifier::RelyingPartyId,
    moment::Timestamp,
    organisation::OrganisationNumber,
};
use serde::{Deserialize, Serialize};

use crate::{
    Registry,
    revision::{Entry, EntryId, Manifest},
};

/// Something that was decided, with when and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// What.
    pub terms: Terms,
    /// When.
    pub at: Timestamp,
    /// By whom: sealed, in base 64, since what lies in the store names nobody in readable form.
    pub by: String,
    /// The legal basis that the employer named (GDPR article 6), where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
}

/// What holds where an employer has not agreed about a relying party by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// For relying parties of a category.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<Category, Decided>,
    /// For all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<Decided>,
}

impl Defaults {
    fn is_empty(&self) -> bool {
        self.all.is_none() && self.categories.is_empty()
    }

    fn for_login(&self) -> connection::Defaults {
        connection::Defaults {
            categories: self.categories.iter().map(|(name, one)| (name.clone(), one.terms.clone())).collect(),
            all: self.all.as_ref().map(|one| one.terms.clone()),
        }
    }

    fn set(&mut self, category: Option<&Category>, decided: Option<Decided>) {
        match (category, decided) {
            (None, decided) => self.all = decided,
            (Some(category), Some(decided)) => {
                self.categories.insert(category.clone(), decided);
            }
            (Some(category), None) => {
                self.categories.remove(category);
            }
        }
    }
}

/// Every connection that somebody has decided about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connections {
    /// By employer and relying party.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub agreements: BTreeMap<OrganisationNumber, BTreeMap<RelyingPartyId, Decided>>,
    /// Each employer's own defaults.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub defaults: BTreeMap<OrganisationNumber, Defaults>,
    /// The federation's defaults.
    #[serde(default, skip_serializing_if = "Defaults::is_empty")]
    pub federation: Defaults,
    /// The agreement category of each relying party that has one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<RelyingPartyId, Category>,
    /// What each relying party that has changed since it joined might be told before: who has agreed to nothing by name lets no more leave.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub before: BTreeMap<RelyingPartyId, BTreeSet<AttributeName>>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case", deny_unknown_fields)]
pub enum Decision {
    /// About one connection; nothing decided: the defaults hold again.
    Agree {
        /// Whose people.
        employer: OrganisationNumber,
        /// To where.
        relying_party: RelyingPartyId,
        /// What.
        decided: Option<Decided>,
    },
    /// About all connections of a kind that nobody has decided about by name.
    Default {
        /// Whose people; `None`: those of all who have no default of their own.
        employer: Option<OrganisationNumber>,
        /// Relying parties of which category; `None`: those that no other default is about.
        category: Option<Category>,
        /// What; nothing: the next default holds.
        decided: Option<Decided>,
    },
    /// What kind of relying party it is.
    Category {
        /// Which.
        relying_party: RelyingPartyId,
        /// What kind.
        category: Option<Category>,
    },
}

impl Connections {
    /// Whether nobody has decided anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What the login asks for.
    #[must_use]
    pub fn for_login(&self) -> connection::Connections {
        let terms = |all: &BTreeMap<RelyingPartyId, Decided>| {
            all.iter().map(|(id, one)| (id.clone(), one.terms.clone())).collect()
        };
        connection::Connections {
            agreements: self.agreements.iter().map(|(number, all)| (number.clone(), terms(all))).collect(),
            defaults: self.defaults.iter().map(|(number, own)| (number.clone(), own.for_login())).collect(),
            federation: self.federation.for_login(),
            categories: self.categories.clone(),
            before: self.before.clone(),
        }
    }

    /// Makes a decision.
    pub(crate) fn decide(&mut self, decision: Decision) {
        match decision {
            Decision::Agree { employer, relying_party, decided: Some(decided) } => {
                self.agreements.entry(employer).or_default().insert(relying_party, decided);
            }
            Decision::Agree { employer, relying_party, decided: None } => {
                let left = self.agreements.get_mut(&employer).is_some_and(|all| {
                    all.remove(&relying_party);
                    all.is_empty()
                });
                if left {
                    self.agreements.remove(&employer);
                }
            }
            Decision::Default { employer: None, category, decided } => {
                self.federation.set(category.as_ref(), decided);
            }
            Decision::Default { employer: Some(employer), category, decided } => {
                let own = self.defaults.entry(employer.clone()).or_default();
                own.set(category.as_ref(), decided);
                if own.is_empty() {
                    self.defaults.remove(&employer);
                }
            }
            Decision::Category { relying_party, category: Some(category) } => {
                self.categories.insert(relying_party, category);
            }
            Decision::Category { relying_party, category: None } => {
                self.categories.remove(&relying_party);
            }
        }
    }
}

/// Writes down what relying parties might be told until now, of those that `after` changes, or whose organisation's record it changes: once, so
/// that whoever grows little by little gains nothing either.
pub fn remember_before(registry: &Registry, after: &mut Manifest) {
    let before = registry.manifest();
    let differs = |id: &EntryId| before.entries.get(id) != after.entries.get(id);
    let changed: Vec<RelyingPartyId> = before
        .entries
        .iter()
        .filter_map(|(id, entry)| match (id, entry) {
            (EntryId::OidcClient(client), Entry::OidcClient { settings, .. }) => {
                let record = EntryId::Organisation(settings.organisation.clone());
                (differs(id) || differs(&record)).then(|| client.clone())
            }
            _ => None,
        })
        .collect();
    for id in changed {
        if let Some(known) = registry.oidc_client(&id) {
            after.connections.before.entry(id).or_insert_with(|| known.policy.entitled.clone());
        }
    }
}

#[cfg(test)]
mod tests;
