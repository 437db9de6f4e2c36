//! A document of a source to its members. An entity whose signed octets are those of the last time is not read again.

use std::collections::BTreeMap;

use broker_core::{identifier::ProviderId, moment::Timestamp};

use super::{
    Brief, Counts, Filtered, Held, Member, Members, NotNewer, SourceSettings,
    aggregate::{Aggregate, AggregateEntity, Unproven},
    judged::may_follow,
};
use crate::revision::document_name;

/// The reading of one document. Nothing of it counts before [`Reading::finish`].
#[derive(Debug)]
pub struct Reading<'a> {
    settings: &'a SourceSettings,
    before: &'a Members,
    now: Timestamp,
    met: Vec<Unproven<Met>>,
    filtered: Filtered,
    counts: Counts,
}

/// A member that was met.
#[derive(Debug)]
struct Met {
    id: ProviderId,
    member: Member,
    /// Its brief, where that is not kept yet.
    document: Option<Vec<u8>>,
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
            met: Vec::new(),
            filtered: Filtered::of(&settings.filters),
            counts: Counts::default(),
        }
    }

    /// Takes one entity.
    pub fn meet(&mut self, entity: Unproven<AggregateEntity>) {
        let met = entity.try_map(|entity| self.met(&entity).ok_or(()));
        self.met.extend(met);
    }

    /// What an entity is here; `None`: nothing.
    fn met(&mut self, entity: &AggregateEntity) -> Option<Met> {
        self.counts.entities += 1;
        if !entity.is_identity_provider {
            self.counts.other_roles += 1;
            return None;
        }
        let id = ProviderId::new(entity.entity_id.as_str());
        let seen = document_name(&entity.octets);
        let known = self.before.entries.get(&id);
        let (member, document) = match known.filter(|known| known.seen == seen) {
            Some(known) => (known.clone(), None),
            None => match Brief::read(&entity.octets, self.now) {
                Ok(brief) => {
                    if !self.filtered.keeps(&self.settings.filters, &brief) {
                        return None;
                    }
                    let document = brief.to_document();
                    let name = document_name(&document);
                    let is_kept = known.and_then(|known| known.brief.as_ref()) == Some(&name);
                    (member(seen, Some(name), Vec::new()), (!is_kept).then_some(document))
                }
                Err(unfit) => (member(seen, None, unfit.0), None),
            },
        };
        self.counts.unfit += u64::from(member.brief.is_none());
        Some(Met { id, member: Member { valid_until: entity.valid_until, ..member }, document })
    }

    /// What the document gave, now that it is known to be the publisher's, and if it is newer than what is held.
    ///
    /// # Errors
    /// When it is older.
    pub fn finish(mut self, aggregate: &Aggregate, held: Option<&Held>) -> Result<Read, NotNewer> {
        if let Some(held) = held {
            may_follow(held.times(), aggregate.times())?;
        }
        let mut read = Read {
            members: Members::default(),
            documents: BTreeMap::new(),
            counts: Counts::default(),
            difference: Difference::default(),
        };
        for met in self.met {
            let Some(Met { id, mut member, document }) = aggregate.prove(met) else { continue };
            // What holds for the whole document stands once, so that a document signed anew changes no member.
            member.valid_until = member.valid_until.filter(|until| aggregate.valid_until != Some(*until));
            match self.before.entries.get(&id) {
                None => read.difference.new += 1,
                Some(known) if known.brief != member.brief => read.difference.changed += 1,
                Some(_) => {}
            }
            if let (Some(name), Some(document)) = (&member.brief, document) {
                read.documents.insert(name.clone(), document);
            }
            read.members.entries.insert(id, member);
        }
        let gone = self.before.entries.keys().filter(|id| !read.members.entries.contains_key(*id)).count();
        read.difference.gone = u64::try_from(gone).unwrap_or(u64::MAX);
        self.counts.removed = self.filtered.0;
        self.counts.left_out = aggregate.left_out;
        self.counts.members = u64::try_from(read.members.entries.len()).unwrap_or(u64::MAX);
        read.counts = self.counts;
        Ok(read)
    }
}

fn member(seen: String, brief: Option<String>, unfit: Vec<String>) -> Member {
    Member { seen, brief, unfit, valid_until: None, refresh_at: None, creation_instant: None, key: None }
}
