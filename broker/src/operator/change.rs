//! What a change changes, and why it is held, in words.

use std::collections::HashMap;

use broker_core::port::StoreError;
use metadata::{
    Registry,
    desk::{HeldFor, ShownFinding, ShownWords},
    key_use::KeyUse,
    lint::{Report, Tongue},
    revision::{Change, Entry, EntryId, difference, guard},
};

use crate::{
    page::{EntryView, HoldView},
    wiring::Node,
};

/// Documents by their names.
pub(super) type Documents = HashMap<String, Vec<u8>>;

/// The documents that a change is described and judged by: those that are registered, and those that it brings, where `brought` has not got them.
pub(super) async fn documents(
    node: &Node,
    registry: &Registry,
    changes: &[Change],
    brought: Documents,
) -> Result<Documents, StoreError> {
    let mut documents = brought;
    let names: Vec<String> = guard::needed(registry, changes)
        .into_iter()
        .chain(changes.iter().filter_map(|change| {
            let entry = registry.manifest().entries.get(&entry_of(change)?)?;
            Some(entry.document().to_owned())
        }))
        .filter(|name| !documents.contains_key(name))
        .collect();
    for batch in names.chunks(64) {
        let found = node.vault.store().kept(batch).await?;
        documents.extend(batch.iter().cloned().zip(found).filter_map(|(name, found)| Some((name, found?))));
    }
    Ok(documents)
}

/// What changes, entry by entry.
pub(super) fn described(
    registry: &Registry,
    changes: &[Change],
    documents: &Documents,
    seen: &KeyUse,
    tongue: Tongue,
) -> Vec<EntryView> {
    let with_document =
        |entry: &Entry| documents.get(entry.document()).map(|octets| (entry.clone(), octets.clone()));
    changes
        .iter()
        .filter_map(|change| {
            let id = entry_of(change)?;
            let before = registry.manifest().entries.get(&id).and_then(with_document);
            let after = match change {
                Change::AddMetadata { entry, .. } => with_document(entry),
                _ => None,
            };
            let pair = |version: &'_ Option<(Entry, Vec<u8>)>| {
                version.as_ref().map(|(entry, octets)| (entry.clone(), octets.clone()))
            };
            let (before, after) = (pair(&before), pair(&after));
            let sentences = difference::describe(
                &id,
                before.as_ref().map(|(entry, octets)| (entry, octets.as_slice())),
                after.as_ref().map(|(entry, octets)| (entry, octets.as_slice())),
                seen,
            );
            let said = sentences.into_iter().map(|sentence| match tongue {
                Tongue::Swedish => sentence.sv,
                Tongue::English => sentence.en,
            });
            Some(EntryView { id: name_of(&id), sentences: said.collect() })
        })
        .collect()
}

/// Which entry a change is about; `None`: no entry.
pub(super) fn entry_of(change: &Change) -> Option<EntryId> {
    match change {
        Change::AddMetadata { id, .. } | Change::Remove { id } => Some(id.clone()),
        Change::AddOrganisation { number, .. } => Some(EntryId::Organisation(number.clone())),
        Change::Suspend { .. } | Change::Resume { .. } => None,
    }
}

/// The name within the kind, as people know it.
pub(super) fn name_of(id: &EntryId) -> String {
    match id {
        EntryId::Organisation(number) => number.to_string(),
        EntryId::SamlProvider(provider) => provider.to_string(),
        EntryId::OidcClient(client) => client.to_string(),
    }
}

/// Why a change would be held.
pub(super) fn holds(report: &Report, tongue: Tongue) -> Vec<HoldView> {
    report
        .findings
        .iter()
        .map(|finding| HoldView {
            what: finding.what(tongue),
            why: finding.why(tongue),
            fix: finding.fix(tongue),
        })
        .collect()
}

/// Why a proposal is held, as it was shown.
pub(super) fn shown_holds(holds: &[HeldFor], tongue: Tongue) -> Vec<HoldView> {
    holds
        .iter()
        .map(|hold| {
            let words = words(&hold.0, tongue);
            HoldView { what: words.what.clone(), why: words.why.clone(), fix: words.fix.clone() }
        })
        .collect()
}

/// A finding's words as they were.
pub(super) fn words(finding: &ShownFinding, tongue: Tongue) -> &ShownWords {
    match tongue {
        Tongue::Swedish => &finding.sv,
        Tongue::English => &finding.en,
    }
}
