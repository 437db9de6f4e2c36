//! Proposals in the store: submitted, approved, declined, withdrawn and published, by whoever may. The same for a local command, the API and the door
//! for operators; [`metadata::desk`] has the rules, this has the calls to the store.
//!
//! Nothing that was judged earlier is believed when something is published: rules, organisation records, who owns an entry and what the guard holds
//! are looked at anew, against what is live at that moment.

use std::collections::{BTreeMap, HashMap};

use broker_core::{
    moment::Timestamp,
    port::{Store, StoreError},
};
use certs::mac::MacKey;
use metadata::{
    Registry,
    addition::check_again,
    desk::{Actor, Awaiting, Desk, DeskRefused, HeldFor, Proposal, ShownReport, Wanted},
    key_use::KeyUse,
    lint::Report,
    revision::{
        Change, Entry, EntryChange, EntryId, Manifest,
        difference::{self, Sentence},
        document_name, guard,
    },
};

use crate::{
    desk::{DeskFailed, DeskFile},
    journal::{JournalFailed, Patience},
    prune,
    registry_edit::{ATTEMPTS, Changes, EditFailed, Live, RegistryFile, Signed},
};

/// What proposals are handled with.
#[derive(Clone, Copy)]
pub(crate) struct Office<'a> {
    /// The store.
    pub(crate) store: &'a dyn Store,
    /// The registry in it.
    pub(crate) registry: &'a RegistryFile,
    /// The desk in it.
    pub(crate) desk: &'a DeskFile,
    /// What client secrets are hashed with.
    pub(crate) client_secrets: &'a MacKey,
    /// The time.
    pub(crate) clock: fn() -> Timestamp,
}

/// Why something did not happen. Nothing has changed then, unless the store went away at that moment.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProposalFailed {
    /// It may not.
    #[error(transparent)]
    Refused(#[from] DeskRefused),
    /// The rules of today refuse it.
    #[error("the rules refuse it")]
    Rules(Report),
    /// The desk cannot be read or changed.
    #[error(transparent)]
    Desk(#[from] DeskFailed),
    /// The registry cannot be read or changed.
    #[error(transparent)]
    Registry(#[from] EditFailed),
    /// What is about to be put cannot be written down.
    #[error(transparent)]
    Journal(#[from] JournalFailed),
    /// Nobody can say.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A document of it is gone.
    #[error("the document {0} of the proposal is not in the store any more: submit it again")]
    DocumentGone(String),
}

/// What changes are judged by.
pub(crate) struct Grounds {
    documents: HashMap<String, Vec<u8>>,
    /// When keys were last in use.
    pub(crate) seen: KeyUse,
}

impl Grounds {
    /// A document by its name.
    pub(crate) fn document(&self, name: &str) -> Option<&[u8]> {
        self.documents.get(name).map(Vec::as_slice)
    }
}

/// What a person is to see of a proposal before they decide.
pub(crate) struct Judged {
    /// The proposal.
    pub(crate) proposal: Proposal,
    /// What the rules say of it now.
    pub(crate) report: Report,
    /// Why it is held, now.
    pub(crate) holds: Report,
    /// What it still needs.
    pub(crate) awaiting: Awaiting,
    /// Whether what it would change is still what it was.
    pub(crate) is_fresh: bool,
    /// What becomes of each entry, in words.
    pub(crate) words: Vec<(EntryId, Vec<Sentence>)>,
}

impl Office<'_> {
    /// Puts a proposal on the desk: its documents first. `is_draft`: its author keeps it for now.
    ///
    /// # Errors
    /// [`ProposalFailed`].
    pub(crate) async fn propose(
        self,
        live: &Live,
        wanted: Wanted,
        documents: Vec<Vec<u8>>,
        is_draft: bool,
    ) -> Result<u64, ProposalFailed> {
        let now = (self.clock)();
        let names: Vec<String> = documents.iter().map(|octets| document_name(octets)).collect();
        let noted = self.registry.journal.note(self.store, &names, Patience::Usual, now).await?;
        self.store.keep(&documents).await?;
        let manifest = live.registry.manifest();
        let id = self
            .desk
            .change(self.store, now, |desk| {
                let wanted = wanted.clone();
                let put = if is_draft {
                    desk.draft(wanted, manifest, now)
                } else {
                    desk.propose(wanted, manifest, now)
                };
                put.map_err(ProposalFailed::from)
            })
            .await?;
        // It lies there, whatever becomes of the entry in the journal: that one is swept later. What was refused is, too.
        let _ = self.registry.journal.settle(self.store, noted, now).await;
        Ok(id)
    }

    /// A proposal as it is to be judged now, by the rules and the guard of now.
    ///
    /// # Errors
    /// [`ProposalFailed`].
    pub(crate) async fn judged(self, live: &Live, id: u64) -> Result<Judged, ProposalFailed> {
        let desk = self.desk.read(self.store).await?;
        let proposal = desk.proposals.get(&id).cloned().ok_or(DeskRefused::Unknown(id))?;
        let brought = if proposal.is_open() { self.documents(&proposal).await? } else { HashMap::new() };
        // Of one that is closed, what was kept with it is to be read; there is nothing to judge any more.
        let changes = if proposal.is_open() { proposal.changes.as_slice() } else { &[] };
        let grounds = self.grounds(&live.registry, changes, brought).await?;
        let (report, holds) = self.judge(&live.registry, changes, &grounds)?;
        let words = words(live.registry.manifest(), changes, &grounds);
        let awaiting = proposal.awaiting(&held(&holds));
        let is_fresh = proposal.is_fresh(live.registry.manifest());
        Ok(Judged { proposal, report, holds, awaiting, is_fresh, words })
    }

    /// Somebody else than the author approves. What the rules refuse by now is not approved.
    ///
    /// # Errors
    /// [`ProposalFailed`].
    pub(crate) async fn approve(self, live: &Live, id: u64, by: &Actor) -> Result<Awaiting, ProposalFailed> {
        let judged = self.judged(live, id).await?;
        if judged.report.has_errors() {
            return Err(ProposalFailed::Rules(judged.report));
        }
        let (holds, now) = (held(&judged.holds), (self.clock)());
        self.desk
            .change(self.store, now, |desk| {
                let manifest = live.registry.manifest();
                desk.approve(id, by, &holds, manifest, now).map_err(ProposalFailed::from)
            })
            .await
    }

    /// Somebody else says no.
    ///
    /// # Errors
    /// [`ProposalFailed`].
    pub(crate) async fn decline(self, id: u64, by: &Actor, reason: &str) -> Result<(), ProposalFailed> {
        let now = (self.clock)();
        self.desk
            .change(self.store, now, |desk| desk.decline(id, by, reason, now).map_err(ProposalFailed::from))
            .await
    }

    /// Its author takes it back.
    ///
    /// # Errors
    /// [`ProposalFailed`].
    pub(crate) async fn withdraw(self, id: u64, by: &Actor) -> Result<(), ProposalFailed> {
        let now = (self.clock)();
        self.desk
            .change(self.store, now, |desk| desk.withdraw(id, by, now).map_err(ProposalFailed::from))
            .await
    }

    /// Publishes a proposal that has the approvals that it needs, or that the federation operator publishes alone. Returns the revision.
    ///
    /// # Errors
    /// [`ProposalFailed`].
    pub(crate) async fn publish(
        self,
        live: &mut Live,
        id: u64,
        by: &Actor,
        despite_hold: Option<&str>,
        note: &str,
    ) -> Result<u64, ProposalFailed> {
        // What was published before it was told, or overtaken, is closed first.
        reconcile(self, live).await?;
        let desk: Desk = self.desk.read(self.store).await?;
        let proposal = desk.proposals.get(&id).cloned().ok_or(DeskRefused::Unknown(id))?;
        let contents = self.documents(&proposal).await?;
        let mut was_held = false;
        let signed = Signed {
            note: if note.is_empty() { proposal.note.clone() } else { note.to_owned() },
            approvals: proposal.approvals.clone(),
            proposal: Some(id),
            ..Signed::by(by.clone(), "")
        };
        let mut revision = None;
        for _ in 0..ATTEMPTS {
            self.registry.refresh(self.store, live, self.clock).await?;
            let grounds = self.grounds(&live.registry, &proposal.changes, contents.clone()).await?;
            let (report, holds) = self.judge(&live.registry, &proposal.changes, &grounds)?;
            let holds = held(&holds);
            was_held = !holds.is_empty();
            desk.may_publish(id, by, &holds, despite_hold, live.registry.manifest())?;
            if report.has_errors() {
                return Err(ProposalFailed::Rules(report));
            }
            let changes = Changes {
                documents: contents.values().cloned().collect(),
                list: proposal.changes.clone(),
                despite_hold: despite_hold.filter(|_| was_held).map(str::to_owned),
            };
            revision = self.registry.attempt(self.store, live, changes, &signed, self.clock).await?;
            if revision.is_some() {
                break;
            }
        }
        let revision = revision.ok_or(EditFailed::Busy)?;
        let now = (self.clock)();
        let reason = despite_hold.filter(|_| was_held);
        let told = self
            .desk
            .change(self.store, now, |desk| {
                desk.published(id, by, revision, reason, now).map_err(ProposalFailed::from)
            })
            .await;
        // It is live. Where the desk could not be told, the next command or publication tells it, by the record.
        if let Err(error) = told {
            tracing::warn!(%error, "the desk could not be told of a publication yet");
        }
        if let Err(error) = reconcile(self, live).await {
            tracing::warn!(%error, "proposals that this revision overtakes could not be closed");
        }
        prune::after(revision, self.store, self.registry, self.desk, self.clock).await;
        Ok(revision)
    }

    /// What is needed to judge changes against a registry: the documents of both sides, and when keys were last in use.
    ///
    /// # Errors
    /// When the store is away.
    pub(crate) async fn grounds(
        self,
        registry: &Registry,
        changes: &[Change],
        brought: HashMap<String, Vec<u8>>,
    ) -> Result<Grounds, ProposalFailed> {
        let names = guard::needed(registry, changes).into_iter().filter(|name| !brought.contains_key(name));
        let mut documents = self.registry.documents(self.store, names).await?;
        documents.extend(brought);
        Ok(Grounds { documents, seen: self.registry.key_use(self.store).await? })
    }

    /// What the rules and the guard say of changes, against a registry.
    ///
    /// # Errors
    /// When a document that the changes bring is not among the grounds.
    pub(crate) fn judge(
        self,
        registry: &Registry,
        changes: &[Change],
        grounds: &Grounds,
    ) -> Result<(Report, Report), ProposalFailed> {
        let now = (self.clock)();
        let whole = |name: &str| grounds.documents.get(name).cloned();
        let report = check_again(changes, &whole, self.client_secrets, registry, now)
            .map_err(ProposalFailed::DocumentGone)?;
        let find = |name: &str| grounds.documents.get(name).map(Vec::as_slice);
        Ok((report, guard::judge(registry, changes, &find, &grounds.seen, now)))
    }

    /// The documents that a proposal brings.
    async fn documents(self, proposal: &Proposal) -> Result<HashMap<String, Vec<u8>>, ProposalFailed> {
        let documents = self.registry.documents(self.store, proposal.documents.iter().cloned()).await?;
        match proposal.documents.iter().find(|name| !documents.contains_key(*name)) {
            Some(gone) => Err(ProposalFailed::DocumentGone(gone.clone())),
            None => Ok(documents),
        }
    }
}

/// What changes do to what is live, in words, by the entry.
pub(crate) fn words(live: &Manifest, changes: &[Change], grounds: &Grounds) -> Vec<(EntryId, Vec<Sentence>)> {
    let after = changes.iter().try_fold(live.clone(), |manifest, change| manifest.with(change.clone()));
    let after = after.unwrap_or_else(|_| live.clone());
    EntryChange::between(live, &after)
        .into_iter()
        .map(|change| {
            let told = told(&change, &|name| grounds.document(name), &grounds.seen);
            (change.id, told)
        })
        .collect()
}

/// What becomes of one entry, in words.
pub(crate) fn told<'a>(
    change: &EntryChange,
    document: &dyn Fn(&str) -> Option<&'a [u8]>,
    seen: &KeyUse,
) -> Vec<Sentence> {
    let side = |entry: &Option<Entry>| {
        entry.as_ref().map(|entry| (entry.clone(), document(entry.document()).unwrap_or_default()))
    };
    let (before, after) = (side(&change.before), side(&change.after));
    difference::describe(
        &change.id,
        before.as_ref().map(|(entry, octets)| (entry, *octets)),
        after.as_ref().map(|(entry, octets)| (entry, *octets)),
        seen,
    )
}

/// Holds as the desk keeps them.
pub(crate) fn held(holds: &Report) -> Vec<HeldFor> {
    ShownReport::of(holds).findings.into_iter().map(HeldFor).collect()
}

/// Closes proposals whose entries are not any more what they were: as published where the history says that they were, else as superseded.
///
/// # Errors
/// [`ProposalFailed`].
pub(crate) async fn reconcile(office: Office<'_>, live: &Live) -> Result<(), ProposalFailed> {
    let manifest = live.registry.manifest();
    let desk = office.desk.read(office.store).await?;
    let stale = desk.stale(manifest);
    let Some(oldest) = stale.iter().filter_map(|id| desk.proposals.get(id)).map(|one| one.base).min() else {
        return Ok(());
    };
    let mut published = BTreeMap::new();
    office
        .registry
        .history(office.store, live.head.as_ref(), |record| {
            if let Some(proposal) = record.proposal {
                published.insert(proposal, record.number);
            }
            record.number > oldest.saturating_add(1)
        })
        .await?;
    let now = (office.clock)();
    office
        .desk
        .change(office.store, now, |desk| {
            desk.supersede(manifest, live.registry.number(), &published, now);
            Ok::<(), ProposalFailed>(())
        })
        .await
}
