//! A proposal: a change that somebody wants, until it is live or not wanted any more.

use std::collections::{BTreeMap, BTreeSet};

use broker_core::{moment::Timestamp, organisation::OrganisationNumber};
use serde::{Deserialize, Serialize};

use super::{Actor, ShownFinding, ShownReport};
use crate::revision::{Change, EntryId};

/// A proposal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Its number, from 1, never used again.
    pub id: u64,
    /// Whose entries it changes.
    pub organisation: OrganisationNumber,
    /// Who wants it.
    pub author: Actor,
    /// When it was made.
    pub at: Timestamp,
    /// The number of the revision that it was made against.
    pub base: u64,
    /// What it changes, as that was in the base: a digest of each entry ([`crate::revision::Entry::digest`]); `None`: there was none.
    pub before: BTreeMap<EntryId, Option<String>>,
    /// Where it stands.
    pub state: State,
    /// What it changes, in order.
    pub changes: Vec<Change>,
    /// The names of the documents that it brings.
    pub documents: Vec<String>,
    /// What was found, as it was shown.
    pub report: ShownReport,
    /// Why it needs a second approval.
    pub holds: Vec<HeldFor>,
    /// Who has approved it.
    pub approvals: Vec<Approval>,
    /// What the author says of it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What has happened to it, the first first.
    pub history: Vec<Event>,
}

/// Where a proposal stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum State {
    /// Its author keeps it; nobody is asked yet.
    Draft,
    /// It passed the rules and waits for approval.
    Validated,
    /// It has the approvals that it needs.
    Approved,
    /// It is live.
    Published {
        /// As that revision.
        revision: u64,
    },
    /// What it would change is not any more what it was when it was made.
    Superseded {
        /// Since that revision.
        by: u64,
    },
    /// Its author took it back.
    Withdrawn,
    /// Somebody else said no.
    Declined {
        /// Why.
        reason: String,
    },
}

/// One reason to ask a second person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HeldFor(pub ShownFinding);

/// Somebody approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// The holds that stood then ([`HeldFor::key`]): it does not count for one that came later.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub despite: BTreeSet<String>,
}

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// By whom; `None`: by itself, because of something else that became live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    /// What.
    pub what: Happened,
}

/// What can happen to a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "happened", rename_all = "snake_case", deny_unknown_fields)]
pub enum Happened {
    /// It was made.
    Made,
    /// It was submitted and passed the rules.
    Validated,
    /// Somebody approved.
    Approved,
    /// It became live.
    Published {
        /// As that revision.
        revision: u64,
    },
    /// It was published although it was held.
    PublishedDespiteHold {
        /// Why, in the operator's words.
        reason: String,
    },
    /// Something else changed what it would change.
    Superseded {
        /// That revision.
        by: u64,
    },
    /// Its author took it back.
    Withdrawn,
    /// Somebody else said no.
    Declined {
        /// Why.
        reason: String,
    },
}

impl Proposal {
    /// Whether anything can still become of it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Draft | State::Validated | State::Approved)
    }

    /// The names of its documents.
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        self.documents.iter().map(String::as_str)
    }
}

impl HeldFor {
    /// What tells one hold from another: the rule, whom it is about, and what it found.
    #[must_use]
    pub fn key(&self) -> String {
        let rest = |name: &str| self.0.rest.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        format!("{} {} {}", self.0.rule, rest("about"), rest("found"))
    }
}
