//! A document of a source to its members. An entity whose signed octets are those of the last time is not read again.

use std::collections::BTreeMap;

use broker_core::{identifier::ProviderId, moment::Timestamp};

use super::{
    Brief, Counts, Filtered, Held, Member, Members, NotNewer, SourceSettings,
    aggregate::{Aggregate, AggregateEntity},
    judged::may_follow,
};
use crate::revision::document_name;

/// The reading of one document. Nothing of it counts before [`Reading::finish`].
#[derive(Debug)]
pub struct Reading<'a> {
    settings: &'a SourceSettings,
    before: &'a Members,
    now: Timestamp,
    members: Members,
    documents: BTreeMap<String, Vec<u8>>,
    filtered: Filtered,
    counts: Counts,
    difference: Difference,
}

/// What is other than before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Difference {
    /// Members that were not there.
    pub new: u64,
    /// Members whose brief is another.
    pub changed: u64,
    /// Members that are not there any more.
    pub gone: u64,
}

/// What a document gave.
#[derive(Debug)]
pub struct Read {
    /// Its members.
    pub members: Members,
    /// Briefs that were not kept before, by name.
    pub documents: BTreeMap<String, Vec<u8>>,
    /// What was met.
    pub counts: Counts,
    /// What is other than before.
    pub difference: Difference,
}

impl<'a> Reading<'a> {
    /// Begins with what the source has now. With `before` empty, everything is read.
    #[must_use]
    pub fn new(settings: &'a SourceSettings, before: &'a Members, now: Timestamp) -> Self {
        Self {
            settings,
            before,
            now,
            members: Members::default(),
            documents: BTreeMap::new(),
            filtered: Filtered::of(&settings.filters),
            counts: Counts::default(),
            difference: Difference::default(),
        }
    }

    /// Takes one entity.
    pub fn meet(&mut self, entity: &AggregateEntity) {
        self.counts.entities += 1;
        if !entity.is_identity_provider {
            self.counts.other_roles += 1;
            return;
        }
        let id = ProviderId::new(entity.entity_id.as_str());
        let seen = document_name(&entity.octets);
        let known = self.before.entries.get(&id);
        if let Some(known) = known.filter(|known| known.seen == seen) {
            self.counts.unfit += u64::from(known.brief.is_none());
            self.members.entries.insert(id, known.clone());
            return;
        }
        let member = match Brief::read(&entity.octets, self.now) {
            Ok(brief) => {
                if !self.filtered.keeps(&self.settings.filters, &brief) {
                    return;
                }
                let document = brief.to_document();
                let name = document_name(&document);
                if known.and_then(|known| known.brief.as_ref()) != Some(&name) {
                    self.documents.insert(name.clone(), document);
                }
                member(seen, Some(name), Vec::new())
            }
            Err(unfit) => {
                self.counts.unfit += 1;
                member(seen, None, unfit.0)
            }
        };
        match known {
            None => self.difference.new += 1,
            Some(known) if known.brief != member.brief => self.difference.changed += 1,
            Some(_) => {}
        }
        self.members.entries.insert(id, member);
    }

    /// What the document gave, now that it is known to be the publisher's, and newer than what is held.
    ///
    /// # Errors
    /// When it is older.
    pub fn finish(mut self, aggregate: &Aggregate, held: Option<&Held>) -> Result<Read, NotNewer> {
        if let Some(held) = held {
            may_follow(held.times(), aggregate.times())?;
        }
        self.counts.removed = self.filtered.0;
        self.counts.members = u64::try_from(self.members.entries.len()).unwrap_or(u64::MAX);
        let gone = self.before.entries.keys().filter(|id| !self.members.entries.contains_key(*id)).count();
        self.difference.gone = u64::try_from(gone).unwrap_or(u64::MAX);
        Ok(Read {
            members: self.members,
            documents: self.documents,
            counts: self.counts,
            difference: self.difference,
        })
    }
}

fn member(seen: String, brief: Option<String>, unfit: Vec<String>) -> Member {
    Member { seen, brief, unfit, valid_until: None, refresh_at: None, creation_instant: None, key: None }
}
