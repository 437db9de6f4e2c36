//! What a source has: its members by entity ID, its validity and its counts; and the index over all sources, which the head `sources` names.
//! Every part is a content-addressed document, so that a refresh in which little changed writes little.

use std::collections::BTreeMap;

use broker_core::{identifier::ProviderId, moment::Timestamp, subject::SubjectSource};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::judged::Times;
use crate::revision::{document_name, is_document_name};

/// The version of these documents. Another one is not read, and the source is fetched anew.
const FORM: u32 = 1;

/// One entity of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The name of the octets that were signed: what has the same is not read again.
    pub seen: String,
    /// The name of its brief; `None`: it is [`Member::unfit`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brief: Option<String>,
    /// Why it cannot sign anybody in: ids of rules. It still holds its entity ID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfit: Vec<String>,
    /// Until when it may be used, where that is not said of the whole document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// For an answer of MDQ: when to ask again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_at: Option<Timestamp>,
    /// For an answer of MDQ: when the publisher made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_instant: Option<Timestamp>,
    /// For an answer of MDQ: which key signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// The entities of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// By entity ID.
    pub entries: BTreeMap<ProviderId, Member>,
}

/// How many entities a refresh met, and what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Entities in the document.
    pub entities: u64,
    /// Entities that could not be given out: without a name, with another's, or with times that are none.
    #[serde(default)]
    pub left_out: u64,
    /// Entities without a role that signs people in.
    pub other_roles: u64,
    /// What each step of the filters removed, in order.
    pub removed: Vec<u64>,
    /// Kept, and not fit to sign anybody in.
    pub unfit: u64,
    /// Kept.
    pub members: u64,
}

/// What one source has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// The name of its [`Members`].
    pub members: String,
    /// The fingerprint of the settings that it was read under.
    pub settings: String,
    /// The thumbprint of the key that signed it; none for MDQ, where each member has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Who published it (`mdrpi:PublicationInfo`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// When the publisher made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_instant: Option<Timestamp>,
    /// Until when it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// How long the publisher wants it to be kept before it is asked for again, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_duration: Option<i64>,
    /// When it was read.
    pub at: Timestamp,
    /// The responder's name for what it sent (RFC 9110 8.8.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// When the responder says that it changed (RFC 9110 8.8.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// What was met.
    pub counts: Counts,
}

impl Held {
    /// When it was made, and until when it may be used.
    #[must_use]
    pub fn times(&self) -> Times {
        Times { creation_instant: self.creation_instant, valid_until: self.valid_until }
    }

    /// Whether it is older than half of the time that it was good for: the refresh has failed for long.
    #[must_use]
    pub fn is_old(&self, now: Timestamp) -> bool {
        self.valid_until.is_some_and(|until| now.since(self.at) > until.since(self.at) / 2)
    }
}

/// What every source has; the head `sources` names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    form: u32,
    /// By the source's name.
    pub sources: BTreeMap<String, Held>,
    /// The name of the [`Pins`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pins: Option<String>,
}

/// What subject identifiers of each provider's people are made from, since it was first seen in any source. It outlives the provider's
/// absence, and its move to another source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pins(pub BTreeMap<ProviderId, SubjectSource>);

/// A document of this module cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what the sources have: {0}")]
pub struct Unreadable(String);

fn read<T: DeserializeOwned>(octets: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(octets).map_err(|fault| Unreadable(fault.to_string()))
}

fn written<T: Serialize>(value: &T) -> Result<Vec<u8>, Unreadable> {
    serde_json::to_vec(value).map_err(|fault| Unreadable(fault.to_string()))
}

impl Members {
    /// Reads what [`Members::to_document`] wrote.
    ///
    /// # Errors
    /// When it is of another form.
    pub fn from_document(octets: &[u8]) -> Result<Self, Unreadable> {
        let members: Self = read(octets)?;
        named_well(members.briefs())?;
        Ok(members)
    }

    /// As a document, always in the same order.
    ///
    /// # Errors
    /// Never in practice.
    pub fn to_document(&self) -> Result<Vec<u8>, Unreadable> {
        written(self)
    }

    /// The names of the briefs.
    pub fn briefs(&self) -> impl Iterator<Item = &str> {
        self.entries.values().filter_map(|member| member.brief.as_deref())
    }
}

impl Pins {
    /// Reads what [`Pins::to_document`] wrote.
    ///
    /// # Errors
    /// When it is of another form.
    pub fn from_document(octets: &[u8]) -> Result<Self, Unreadable> {
        read(octets)
    }

    /// As a document, always in the same order.
    ///
    /// # Errors
    /// Never in practice.
    pub fn to_document(&self) -> Result<Vec<u8>, Unreadable> {
        written(self)
    }

    /// Pins what has no pin yet.
    pub fn pin<'a>(&mut self, providers: impl IntoIterator<Item = &'a ProviderId>, source: SubjectSource) {
        for provider in providers {
            if !self.0.contains_key(provider) {
                self.0.insert(provider.clone(), source);
            }
        }
    }
}

impl Index {
    /// With nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self { form: FORM, ..Self::default() }
    }

    /// Reads what [`Index::to_document`] wrote.
    ///
    /// # Errors
    /// When it is of another form.
    pub fn from_document(octets: &[u8]) -> Result<Self, Unreadable> {
        let index: Self = read(octets)?;
        if index.form != FORM {
            return Err(Unreadable(format!("it is of form {}, and this version knows {FORM}", index.form)));
        }
        named_well(index.documents())?;
        Ok(index)
    }

    /// As a document, always in the same order.
    ///
    /// # Errors
    /// Never in practice.
    pub fn to_document(&self) -> Result<Vec<u8>, Unreadable> {
        written(self)
    }

    /// The name of [`Index::to_document`].
    ///
    /// # Errors
    /// As there.
    pub fn name(&self) -> Result<String, Unreadable> {
        Ok(document_name(&self.to_document()?))
    }

    /// The documents that it names itself; the briefs are named by the members.
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        self.sources.values().map(|held| held.members.as_str()).chain(self.pins.as_deref())
    }
}

fn named_well<'a>(mut names: impl Iterator<Item = &'a str>) -> Result<(), Unreadable> {
    match names.find(|name| !is_document_name(name)) {
        Some(name) => Err(Unreadable(format!("{name:?} names no document"))),
        None => Ok(()),
    }
}
