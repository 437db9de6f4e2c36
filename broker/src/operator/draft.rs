//! A provider as it stands in a proposal that nobody has published: for a test sign-in by its author, and for nothing else.
//!
//! Keys, addresses and texts can be tried. What bounds a provider, or says who its people are, cannot: until it is published the federation has not agreed
//! to it.

use std::{collections::HashMap, sync::Arc};

use broker_core::{
    failure::{Failure, FailureCode},
    identifier::ProviderId,
    moment::Timestamp,
};
use metadata::{
    Registry,
    desk::State,
    revision::{
        Change, EntryId, Manifest,
        difference::{Kind, Sentence},
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    proposals::{Judged, ProposalFailed},
    wiring::Node,
};

/// Which proposal, and which version of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Draft {
    /// Its number.
    pub(crate) proposal: u64,
    /// The document that it brings.
    pub(crate) document: String,
}

/// Why a proposal cannot be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTried {
    /// It is decided, or what it changes has changed since.
    Over,
    /// It is not about one provider that is registered already.
    NotOneProvider,
    /// It changes more than keys, addresses and texts.
    Bounds,
}

/// The provider that a proposal can be tried on.
pub(crate) fn tried(judged: &Judged) -> Result<(ProviderId, Draft), NotTried> {
    let proposal = &judged.proposal;
    let is_early = matches!(proposal.state, State::Draft | State::Validated | State::Approved);
    if !is_early || !judged.is_fresh || judged.report.has_errors() {
        return Err(NotTried::Over);
    }
    let ([Change::AddMetadata { id: EntryId::SamlProvider(provider), entry }], [(_, sentences)]) =
        (proposal.changes.as_slice(), judged.words.as_slice())
    else {
        return Err(NotTried::NotOneProvider);
    };
    if sentences.iter().any(|sentence| sentence.kind == Kind::Added) {
        return Err(NotTried::NotOneProvider);
    }
    if !sentences.iter().all(may_be_tried) {
        return Err(NotTried::Bounds);
    }
    Ok((provider.clone(), Draft { proposal: proposal.id, document: entry.document().to_owned() }))
}

/// Keys, endpoints and texts.
fn may_be_tried(sentence: &Sentence) -> bool {
    match sentence.kind {
        Kind::Nothing
        | Kind::KeyAdded
        | Kind::KeyRemoved
        | Kind::KeyPurpose
        | Kind::Certificate
        | Kind::Endpoint
        | Kind::Name
        | Kind::Presentation
        | Kind::Logo
        | Kind::Contact
        | Kind::ValidUntil => true,
        Kind::Added
        | Kind::Removed
        | Kind::Unreadable
        | Kind::Owner
        | Kind::Scope
        | Kind::NameIdFormat
        | Kind::Level
        | Kind::Category
        | Kind::Attribute
        | Kind::Signing
        | Kind::ReturnAddress
        | Kind::Authentication
        | Kind::Secret
        | Kind::AskedFor
        | Kind::Domain
        | Kind::Setting => false,
    }
}

/// A registry of that one provider as the proposal has it, with everything else of it as it is live: records, settings, suspensions. `None`: the proposal is not
/// any more what it was.
///
/// # Errors
/// When the store cannot say.
pub(crate) async fn registry(
    node: &Node,
    draft: &Draft,
    provider: &ProviderId,
    now: Timestamp,
) -> Result<Option<Arc<Registry>>, Failure> {
    let away = |error: &dyn std::fmt::Display| Failure::new(FailureCode::StoreAway, error.to_string());
    let store = &**node.vault.store();
    let known = Some(node.registry.any()).filter(|known| known.number() > 0);
    let live = node.edits.read(store, known, now).await.map_err(|error| away(&error))?;
    let judged = match node.office().judged(&live, draft.proposal).await {
        Ok(judged) => judged,
        Err(ProposalFailed::Refused(_) | ProposalFailed::DocumentGone(_)) => return Ok(None),
        Err(error) => return Err(away(&error)),
    };
    if tried(&judged).ok().as_ref() != Some(&(provider.clone(), draft.clone())) {
        return Ok(None);
    }
    let changed = judged
        .proposal
        .changes
        .iter()
        .try_fold(live.registry.manifest().clone(), |manifest, change| manifest.with(change.clone()));
    let Ok(changed) = changed else { return Ok(None) };
    let wanted = EntryId::SamlProvider(provider.clone());
    let manifest = Manifest {
        entries: changed
            .entries
            .into_iter()
            .filter(|(id, _)| *id == wanted || matches!(id, EntryId::Organisation(_)))
            .collect(),
        ..changed
    };
    let documents = node.edits.documents(store, std::iter::once(draft.document.clone())).await;
    let documents: HashMap<String, Vec<u8>> = documents.map_err(|error| away(&error))?;
    let find = |name: &str| documents.get(name).map(Vec::as_slice);
    let built = Registry::build(live.registry.number(), &manifest, &find, Some(&live.registry), now);
    Ok(built.ok().filter(|registry| registry.saml_provider(provider).is_some()).map(Arc::new))
}
