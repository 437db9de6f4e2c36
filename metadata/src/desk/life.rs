//! What may happen to a proposal, by whom, and what is said when it may not.
//!
//! ```text
//! Draft -> Validated -> Approved -> Published
//!   |          |            |
//!   +----------+------------+--> Withdrawn (its author), Declined (somebody else), Superseded (something else is live)
//! ```
//!
//! One approval by another person is needed; where the guard holds it, two, by two other people, each of whom saw that hold. Nothing of an
//! approval is believed when it is published: it is judged anew against what is live then.

use std::collections::{BTreeMap, BTreeSet};

use broker_core::{moment::Timestamp, organisation::OrganisationNumber};

use super::{Actor, Approval, Desk, Event, Happened, HeldFor, Proposal, ShownReport, State};
use crate::revision::{Change, ChangeRefused, Entry, EntryId, Manifest};

/// Open proposals of one organisation, at most.
pub const MOST_OPEN_EACH: usize = 25;
/// Open proposals of all, at most.
pub const MOST_OPEN: usize = 500;
/// Closed proposals are kept for that many days ...
pub const KEPT_DAYS: i64 = 400;
/// ... or while they are among so many newest.
pub const KEPT_CLOSED: usize = 1000;

/// What somebody wants.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whose entries it changes.
    pub organisation: OrganisationNumber,
    /// Who wants it.
    pub author: Actor,
    /// The number of the revision that it was made against.
    pub base: u64,
    /// What it changes, in order.
    pub changes: Vec<Change>,
    /// The names of the documents that it brings.
    pub documents: Vec<String>,
    /// What was found.
    pub report: ShownReport,
    /// Why it needs a second approval.
    pub holds: Vec<HeldFor>,
    /// What the author says of it.
    pub note: String,
}

/// What a proposal still needs before it can be published.
#[derive(Debug, Clone, PartialEq)]
pub enum Awaiting {
    /// Nothing.
    Nothing,
    /// Somebody else than the author must approve.
    Approval,
    /// Two others must approve, each having seen these holds.
    SecondApproval {
        /// The holds that two people have not yet approved.
        holds: Vec<HeldFor>,
        /// How many more people at least.
        more: usize,
    },
}

/// A closed proposal's number and the documents that it had, when it is not kept any longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Its number.
    pub id: u64,
    /// Its documents.
    pub documents: Vec<String>,
}

/// Why something does not happen on the desk. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskRefused {
    /// There is none of that number.
    #[error("there is no proposal {0}")]
    Unknown(u64),
    /// It is closed, or not as far.
    #[error("proposal {id} {is}: it cannot be {wanted}")]
    WrongState {
        /// Its number.
        id: u64,
        /// Where it stands, in words.
        is: String,
        /// What was to happen.
        wanted: &'static str,
    },
    /// Nobody approves alone.
    #[error("proposal {0} is {1}'s own: another person must do this")]
    OwnProposal(u64, String),
    /// Only the author takes back.
    #[error("proposal {0} is somebody else's: only its author can withdraw it; others decline it")]
    NotAuthor(u64),
    /// Once is enough.
    #[error("{1} has approved proposal {0} already: another person must approve it as well")]
    ApprovedAlready(u64, String),
    /// It is not ready.
    #[error("proposal {0} is not approved by another person yet")]
    NotApproved(u64),
    /// It is held.
    #[error(
        "proposal {id} is held: {more} more of the people who approve it, other than its author, must have seen why"
    )]
    Held {
        /// Its number.
        id: u64,
        /// How many.
        more: usize,
    },
    /// What it would change has been changed.
    #[error("what proposal {0} would change is not as it was when it was made: submit it again")]
    Stale(u64),
    /// Nothing would be different.
    #[error("nothing would change: what is live is already so")]
    NothingChanges,
    /// It reaches beyond its organisation.
    #[error("{entry} is not an entry of the organisation {organisation}")]
    OtherOrganisation {
        /// What it would change.
        entry: EntryId,
        /// For whom it speaks.
        organisation: OrganisationNumber,
    },
    /// Records are the federation operator's.
    #[error("organisation records are changed by the federation operator alone")]
    Record,
    /// A suspension is not proposed.
    #[error("suspensions and connections are not proposed: who may decide about them does so at once")]
    Suspension,
    /// The manifest does not take it.
    #[error(transparent)]
    Change(#[from] ChangeRefused),
    /// There are too many.
    #[error("{0} open proposals are enough: publish, withdraw or decline some first")]
    TooMany(usize),
    /// A reason is needed.
    #[error("say why")]
    NoReason,
}

impl Desk {
    /// Puts a proposal onto the desk as its author's draft. Nobody is asked yet.
    ///
    /// # Errors
    /// When it reaches beyond its organisation, changes nothing, or there are too many.
    pub fn draft(&mut self, wanted: Wanted, live: &Manifest, now: Timestamp) -> Result<u64, DeskRefused> {
        let mut after = live.clone();
        for change in &wanted.changes {
            within(change, &wanted, live)?;
            after = after.with(change.clone())?;
        }
        if after == *live {
            return Err(DeskRefused::NothingChanges);
        }
        let open = || self.proposals.values().filter(|proposal| proposal.is_open());
        if open().filter(|proposal| proposal.organisation == wanted.organisation).count() >= MOST_OPEN_EACH {
            return Err(DeskRefused::TooMany(MOST_OPEN_EACH));
        }
        if open().count() >= MOST_OPEN {
            return Err(DeskRefused::TooMany(MOST_OPEN));
        }
        self.next += 1;
        let id = self.next;
        let before = wanted.changes.iter().filter_map(Change::entry).map(|id| digest_in(live, id)).collect();
        self.proposals.insert(
            id,
            Proposal {
                id,
                organisation: wanted.organisation,
                at: now,
                base: wanted.base,
                before,
                state: State::Draft,
                changes: wanted.changes,
                documents: wanted.documents,
                report: wanted.report,
                holds: wanted.holds,
                approvals: Vec::new(),
                note: wanted.note,
                history: vec![Event { at: now, by: Some(wanted.author.clone()), what: Happened::Made }],
                author: wanted.author,
            },
        );
        Ok(id)
    }

    /// Puts a proposal that passed the rules onto the desk, and asks for its approval.
    ///
    /// # Errors
    /// As [`Desk::draft`].
    pub fn propose(&mut self, wanted: Wanted, live: &Manifest, now: Timestamp) -> Result<u64, DeskRefused> {
        let author = wanted.author.clone();
        let id = self.draft(wanted, live, now)?;
        self.submit(id, &author, live, now)?;
        Ok(id)
    }

    /// Its author asks for the approval of a draft. Whoever calls this has checked that it still passes the rules.
    ///
    /// # Errors
    /// When it is no draft, somebody else's, or what it would change has been changed.
    pub fn submit(
        &mut self,
        id: u64,
        by: &Actor,
        live: &Manifest,
        now: Timestamp,
    ) -> Result<(), DeskRefused> {
        let proposal = self.open(id, "submitted")?;
        if proposal.state != State::Draft {
            return Err(proposal.not("submitted"));
        }
        if !proposal.author.is_same_person(by) {
            return Err(DeskRefused::NotAuthor(id));
        }
        if !proposal.is_fresh(live) {
            return Err(DeskRefused::Stale(id));
        }
        proposal.happens(State::Validated, Some(by), Happened::Validated, now);
        Ok(())
    }

    /// Somebody else approves. `holds` is what the guard says now, and what the one who approves has been shown.
    ///
    /// # Errors
    /// When it is the author's own, was approved by the same person for the same holds, is a draft or closed, or stale.
    pub fn approve(
        &mut self,
        id: u64,
        by: &Actor,
        holds: &[HeldFor],
        live: &Manifest,
        now: Timestamp,
    ) -> Result<Awaiting, DeskRefused> {
        let proposal = self.open(id, "approved")?;
        if proposal.state == State::Draft {
            return Err(proposal.not("approved"));
        }
        if proposal.author.is_same_person(by) {
            return Err(DeskRefused::OwnProposal(id, by.name().to_owned()));
        }
        if !proposal.is_fresh(live) {
            return Err(DeskRefused::Stale(id));
        }
        let despite: BTreeSet<String> = holds.iter().map(HeldFor::key).collect();
        let former = proposal.approvals.iter().position(|approval| approval.by.is_same_person(by));
        if let Some(former) = former {
            // The same person may say it again only for what was not known then.
            if proposal.approvals.get(former).is_some_and(|approval| despite.is_subset(&approval.despite)) {
                return Err(DeskRefused::ApprovedAlready(id, by.name().to_owned()));
            }
            proposal.approvals.remove(former);
        }
        proposal.approvals.push(Approval { by: by.clone(), at: now, despite });
        proposal.holds = holds.to_vec();
        let awaiting = proposal.awaiting(holds);
        let state = if awaiting == Awaiting::Nothing { State::Approved } else { State::Validated };
        proposal.happens(state, Some(by), Happened::Approved, now);
        Ok(awaiting)
    }

    /// Somebody else says no.
    ///
    /// # Errors
    /// When it is a draft or closed, the author's own, or no reason is given.
    pub fn decline(&mut self, id: u64, by: &Actor, reason: &str, now: Timestamp) -> Result<(), DeskRefused> {
        let proposal = self.open(id, "declined")?;
        if proposal.state == State::Draft {
            return Err(proposal.not("declined"));
        }
        if proposal.author.is_same_person(by) {
            return Err(DeskRefused::OwnProposal(id, by.name().to_owned()));
        }
        let reason = reason.trim().to_owned();
        if reason.is_empty() {
            return Err(DeskRefused::NoReason);
        }
        let state = State::Declined { reason: reason.clone() };
        proposal.happens(state, Some(by), Happened::Declined { reason }, now);
        Ok(())
    }

    /// Its author takes it back.
    ///
    /// # Errors
    /// When it is closed, or somebody else's.
    pub fn withdraw(&mut self, id: u64, by: &Actor, now: Timestamp) -> Result<(), DeskRefused> {
        let proposal = self.open(id, "withdrawn")?;
        if !proposal.author.is_same_person(by) {
            return Err(DeskRefused::NotAuthor(id));
        }
        proposal.happens(State::Withdrawn, Some(by), Happened::Withdrawn, now);
        Ok(())
    }

    /// Whether `by` may publish it now: it is fresh, and has the approvals that it needs for `holds`, which the guard says now. The federation
    /// operator's local command may do it alone, and for a hold says why.
    ///
    /// # Errors
    /// What is lacking.
    pub fn may_publish(
        &self,
        id: u64,
        by: &Actor,
        holds: &[HeldFor],
        despite_hold: Option<&str>,
        live: &Manifest,
    ) -> Result<&Proposal, DeskRefused> {
        let proposal = self.proposals.get(&id).ok_or(DeskRefused::Unknown(id))?;
        if !proposal.is_open() || proposal.state == State::Draft {
            return Err(proposal.not("published"));
        }
        if !proposal.is_fresh(live) {
            return Err(DeskRefused::Stale(id));
        }
        let alone = matches!(by, Actor::Operator { .. });
        match proposal.awaiting(holds) {
            Awaiting::Nothing => Ok(proposal),
            Awaiting::Approval if alone => Ok(proposal),
            Awaiting::Approval => Err(DeskRefused::NotApproved(id)),
            Awaiting::SecondApproval { .. }
                if alone && despite_hold.is_some_and(|reason| !reason.trim().is_empty()) =>
            {
                Ok(proposal)
            }
            Awaiting::SecondApproval { more, .. } => Err(DeskRefused::Held { id, more }),
        }
    }

    /// It is live. Told by whoever moved the registry's head, and once only.
    ///
    /// # Errors
    /// When it was closed already.
    pub fn published(
        &mut self,
        id: u64,
        by: &Actor,
        revision: u64,
        despite_hold: Option<&str>,
        now: Timestamp,
    ) -> Result<(), DeskRefused> {
        let proposal = self.open(id, "published")?;
        if let Some(reason) = despite_hold {
            let what = Happened::PublishedDespiteHold { reason: reason.trim().to_owned() };
            proposal.happens(State::Published { revision }, Some(by), what, now);
        } else {
            proposal.happens(State::Published { revision }, Some(by), Happened::Published { revision }, now);
        }
        Ok(())
    }

    /// Open proposals whose entries are not any more what they were.
    #[must_use]
    pub fn stale(&self, live: &Manifest) -> Vec<u64> {
        let stale = |proposal: &&Proposal| proposal.is_open() && !proposal.is_fresh(live);
        self.proposals.values().filter(stale).map(|proposal| proposal.id).collect()
    }

    /// Closes those that are stale: as published, where `published` has the revision that they became (a publication that was interrupted before it
    /// told), else as superseded by the revision `number`.
    pub fn supersede(
        &mut self,
        live: &Manifest,
        number: u64,
        published: &BTreeMap<u64, u64>,
        now: Timestamp,
    ) {
        for id in self.stale(live) {
            let Some(proposal) = self.proposals.get_mut(&id) else { continue };
            match published.get(&id) {
                Some(revision) => {
                    let revision = *revision;
                    proposal.happens(
                        State::Published { revision },
                        None,
                        Happened::Published { revision },
                        now,
                    );
                }
                None => {
                    let what = Happened::Superseded { by: number };
                    proposal.happens(State::Superseded { by: number }, None, what, now);
                }
            }
        }
    }

    /// Takes away closed proposals that are neither among the newest nor young any more.
    pub fn prune(&mut self, now: Timestamp) -> Vec<Closed> {
        let mut closed: Vec<(Timestamp, u64)> = self
            .proposals
            .values()
            .filter(|proposal| !proposal.is_open())
            .map(|proposal| (proposal.closed_at(), proposal.id))
            .collect();
        closed.sort_unstable_by(|one, other| other.cmp(one));
        let oldest = now.plus(-KEPT_DAYS * 86_400);
        let past = closed.iter().skip(KEPT_CLOSED).filter(|(at, _)| *at < oldest);
        past.filter_map(|(_, id)| self.proposals.remove(id))
            .map(|proposal| Closed { id: proposal.id, documents: proposal.documents })
            .collect()
    }

    fn open(&mut self, id: u64, wanted: &'static str) -> Result<&mut Proposal, DeskRefused> {
        let proposal = self.proposals.get_mut(&id).ok_or(DeskRefused::Unknown(id))?;
        if proposal.is_open() { Ok(proposal) } else { Err(proposal.not(wanted)) }
    }
}

impl Proposal {
    /// Whether what it would change is still what it was when it was made.
    #[must_use]
    pub fn is_fresh(&self, live: &Manifest) -> bool {
        self.before.iter().all(|(id, before)| live.entries.get(id).map(Entry::digest) == *before)
    }

    /// What it still needs, when the guard says `holds`.
    #[must_use]
    pub fn awaiting(&self, holds: &[HeldFor]) -> Awaiting {
        // The same person by two ways in has approved once.
        let mut people: Vec<&Approval> = Vec::new();
        for approval in &self.approvals {
            let counted = approval.by.is_same_person(&self.author)
                || people.iter().any(|other| other.by.is_same_person(&approval.by));
            if !counted {
                people.push(approval);
            }
        }
        if people.is_empty() && holds.is_empty() {
            return Awaiting::Approval;
        }
        let seen = |hold: &HeldFor| {
            let key = hold.key();
            people.iter().filter(|approval| approval.despite.contains(&key)).count()
        };
        let lacking: Vec<HeldFor> = holds.iter().filter(|hold| seen(hold) < 2).cloned().collect();
        if lacking.is_empty() {
            return Awaiting::Nothing;
        }
        let more = lacking.iter().map(|hold| 2 - seen(hold)).max().unwrap_or_default();
        Awaiting::SecondApproval { holds: lacking, more }
    }

    fn closed_at(&self) -> Timestamp {
        self.history.last().map_or(self.at, |event| event.at)
    }

    fn happens(&mut self, state: State, by: Option<&Actor>, what: Happened, now: Timestamp) {
        self.state = state;
        self.history.push(Event { at: now, by: by.cloned(), what });
    }

    fn not(&self, wanted: &'static str) -> DeskRefused {
        let is = match &self.state {
            State::Draft => "is a draft".to_owned(),
            State::Validated => "waits for approval".to_owned(),
            State::Approved => "is approved".to_owned(),
            State::Published { revision } => format!("is published as revision {revision}"),
            State::Superseded { by } => format!("is superseded by revision {by}"),
            State::Withdrawn => "is withdrawn".to_owned(),
            State::Declined { .. } => "is declined".to_owned(),
        };
        DeskRefused::WrongState { id: self.id, is, wanted }
    }
}

fn digest_in(live: &Manifest, id: EntryId) -> (EntryId, Option<String>) {
    let digest = live.entries.get(&id).map(Entry::digest);
    (id, digest)
}

/// What is proposed for an organisation changes entries of that organisation alone.
fn within(change: &Change, wanted: &Wanted, live: &Manifest) -> Result<(), DeskRefused> {
    let beyond = |id: &EntryId| DeskRefused::OtherOrganisation {
        entry: id.clone(),
        organisation: wanted.organisation.clone(),
    };
    // A suspension is one person's act, at once, and nothing that others could hold up. So is an employer's word about its connections.
    let Some(id) = change.entry() else { return Err(DeskRefused::Suspension) };
    let is_of = |entry: &Entry| entry.organisation() == Some(&wanted.organisation);
    match change {
        Change::AddOrganisation { .. } => return Err(DeskRefused::Record),
        Change::AddMetadata { entry, .. } if !is_of(entry) => return Err(beyond(&id)),
        Change::AddMetadata { .. }
        | Change::Remove { .. }
        | Change::Suspend { .. }
        | Change::Resume { .. }
        | Change::Connection { .. } => {}
    }
    match live.entries.get(&id) {
        Some(Entry::Organisation { .. }) => Err(DeskRefused::Record),
        Some(entry) if !is_of(entry) => Err(beyond(&id)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
