//! The record of a revision: who made it, when, why, and what it changed. Sealed, since it names people; named by the head, and naming the one
//! before it, so that the history is a chain that only whoever has the keys can write.

use std::collections::{BTreeMap, BTreeSet};

use broker_core::moment::Timestamp;
use certs::seal::{NotOurs, NotSealed, SealKey};
use serde::{Deserialize, Serialize};

use super::{Entry, EntryId, Head, Manifest, is_document_name};
use crate::desk::{Actor, Approval};

/// Label of the key that records are sealed with.
pub const SEAL_LABEL: &str = "revision";

/// What is written down of a revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The number of the revision.
    pub number: u64,
    /// The record before this. `None`: history begins here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Link>,
    /// The name of the manifest.
    pub manifest: String,
    /// When it was published.
    pub at: Timestamp,
    /// Who published it.
    pub author: Actor,
    /// Who approved it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// What they say of it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The proposal that it was, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<u64>,
    /// The revision that it brings back, whole or in part, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<u64>,
    /// Why it was published although it was held, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub despite_hold: Option<String>,
    /// What changed among the entries.
    pub changed: Vec<EntryChange>,
    /// Which other parts of the manifest changed, by their names.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub other: BTreeSet<String>,
}

/// A record by its place and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The number of the revision.
    pub number: u64,
    /// The name of the sealed record.
    pub record: String,
}

/// One entry before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryChange {
    /// Which.
    pub id: EntryId,
    /// `None`: it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Entry>,
    /// `None`: it is not there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Entry>,
}

impl Record {
    /// The record as it lies in the store.
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub fn seal(&self, key: &SealKey) -> Result<Vec<u8>, NotSealed> {
        key.seal(&serde_json::to_vec(self).map_err(|_| NotSealed)?)
    }

    /// Opens what [`Record::seal`] made, which `link` leads to.
    ///
    /// # Errors
    /// When it does not open, is no record, or is another's than the link says.
    pub fn open(octets: &[u8], key: &SealKey, link: &Link) -> Result<Self, RecordRefused> {
        let plain = key.open(octets)?;
        let record: Self =
            serde_json::from_slice(&plain).map_err(|fault| RecordRefused::Malformed(fault.to_string()))?;
        let names = std::iter::once(&record.manifest).chain(record.previous.iter().map(|link| &link.record));
        if !names.into_iter().all(|name| is_document_name(name)) {
            return Err(RecordRefused::Malformed("a name in it is none".to_owned()));
        }
        if record.number != link.number
            || record
                .previous
                .as_ref()
                .is_some_and(|before| before.number.checked_add(1) != Some(record.number))
        {
            return Err(RecordRefused::Elsewhere { expected: link.number, found: record.number });
        }
        Ok(record)
    }

    /// The names of the documents of entries before and after.
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        self.changed.iter().flat_map(|one| one.before.iter().chain(&one.after)).map(Entry::document)
    }
}

impl Head {
    /// Where the record of this revision is; `None`: it has none.
    #[must_use]
    pub fn link(&self) -> Option<Link> {
        self.record.as_ref().map(|record| Link { number: self.number, record: record.clone() })
    }
}

impl EntryChange {
    /// What turned `before` into `after`, by the names of entries.
    #[must_use]
    pub fn between(before: &Manifest, after: &Manifest) -> Vec<Self> {
        let mut ids: BTreeMap<&EntryId, (Option<&Entry>, Option<&Entry>)> = BTreeMap::new();
        for (id, entry) in &before.entries {
            ids.entry(id).or_default().0 = Some(entry);
        }
        for (id, entry) in &after.entries {
            ids.entry(id).or_default().1 = Some(entry);
        }
        ids.into_iter()
            .filter(|(_, (before, after))| before != after)
            .map(|(id, (before, after))| Self {
                id: id.clone(),
                before: before.cloned(),
                after: after.cloned(),
            })
            .collect()
    }
}

/// Which parts of two manifests beside their entries differ, by the names of their members.
#[must_use]
pub fn other_changes(before: &Manifest, after: &Manifest) -> BTreeSet<String> {
    let members = |manifest: &Manifest| {
        let mut rest = manifest.clone();
        rest.entries.clear();
        match serde_json::to_value(rest) {
            Ok(serde_json::Value::Object(members)) => members,
            _ => serde_json::Map::new(),
        }
    };
    let (before, after) = (members(before), members(after));
    before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

/// Why a record is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordRefused {
    /// Whoever wrote it does not have the key.
    #[error("a record of the history is refused: {0}")]
    Unauthenticated(#[from] NotOurs),
    /// It opens and is no record of this version.
    #[error("a record of the history is in a form that this version does not know: {0}")]
    Malformed(String),
    /// It is another revision's.
    #[error("where the record of revision {expected} should be is that of revision {found}")]
    Elsewhere {
        /// Whose it should be.
        expected: u64,
        /// Whose it is.
        found: u64,
    },
}

#[cfg(test)]
mod tests {
    use broker_core::moment::Timestamp;
    use certs::{mac::Secret, seal::SealKey};

    use super::{Link, Record, RecordRefused, SEAL_LABEL};
    use crate::{
        desk::Actor,
        revision::{Head, document_name},
    };

    fn key(octet: u8, label: &str) -> SealKey {
        SealKey::new(&Secret::from_octets([octet; 32]), label).expect("a key")
    }

    fn record(number: u64) -> Record {
        Record {
            number,
            previous: Some(Link { number: number - 1, record: document_name(b"former") }),
            manifest: document_name(b"manifest"),
            at: Timestamp(1_800_000_000),
            author: Actor::Operator { name: "Anna".to_owned() },
            approvals: Vec::new(),
            note: "som avtalat".to_owned(),
            proposal: None,
            restores: None,
            despite_hold: None,
            changed: Vec::new(),
            other: std::collections::BTreeSet::new(),
        }
    }

    fn link(number: u64) -> Link {
        Link { number, record: document_name(b"sealed") }
    }

    #[test]
    fn a_record_opens_for_its_key_and_place_alone_and_names_nobody_in_the_store() {
        let sealed = record(7).seal(&key(1, SEAL_LABEL)).expect("sealed");
        assert_eq!(Record::open(&sealed, &key(1, SEAL_LABEL), &link(7)), Ok(record(7)));
        assert!(!String::from_utf8_lossy(&sealed).contains("Anna"));
        for other in [key(2, SEAL_LABEL), key(1, "desk")] {
            assert!(matches!(
                Record::open(&sealed, &other, &link(7)),
                Err(RecordRefused::Unauthenticated(_))
            ));
        }
        assert_eq!(
            Record::open(&sealed, &key(1, SEAL_LABEL), &link(8)),
            Err(RecordRefused::Elsewhere { expected: 8, found: 7 })
        );
    }

    #[test]
    fn a_record_that_skips_one_before_it_is_refused() {
        let odd =
            Record { previous: Some(Link { number: 5, record: document_name(b"former") }), ..record(7) };
        let sealed = odd.seal(&key(1, SEAL_LABEL)).expect("sealed");
        assert!(matches!(
            Record::open(&sealed, &key(1, SEAL_LABEL), &link(7)),
            Err(RecordRefused::Elsewhere { .. })
        ));
        let odd = Record { manifest: "../x".to_owned(), ..record(7) };
        let sealed = odd.seal(&key(1, SEAL_LABEL)).expect("sealed");
        assert!(matches!(
            Record::open(&sealed, &key(1, SEAL_LABEL), &link(7)),
            Err(RecordRefused::Malformed(_))
        ));
    }

    #[test]
    fn a_head_with_a_record_survives_being_sealed_and_one_without_is_of_form_1() {
        let mac = Secret::from_octets([1; 32]).mac_key("registry head");
        let head = Head {
            number: 7,
            manifest: document_name(b"manifest"),
            at: Timestamp(1),
            record: Some(document_name(b"record")),
        };
        let sealed = head.seal(&mac);
        assert!(sealed.starts_with(b"sparvidd registry head 2\n"));
        assert_eq!(Head::open(&sealed, &mac), Ok(head.clone()));
        let former = Head { record: None, ..head.clone() };
        assert!(former.seal(&mac).starts_with(b"sparvidd registry head 1\n"));
        assert_eq!(Head::open(&former.seal(&mac), &mac), Ok(former));
        let odd = Head { record: Some("x".to_owned()), ..head };
        assert!(Head::open(&odd.seal(&mac), &mac).is_err());
    }
}
