//! What a change changes, and why it is held, in words.

use metadata::{
    desk::{HeldFor, ShownFinding, ShownWords},
    lint::{Report, Tongue},
    revision::{Change, EntryId, difference::Sentence},
};

use crate::page::{EntryView, HoldView};

/// What changes, entry by entry.
pub(super) fn described(words: &[(EntryId, Vec<Sentence>)], tongue: Tongue) -> Vec<EntryView> {
    let said = |sentence: &Sentence| match tongue {
        Tongue::Swedish => sentence.sv.clone(),
        Tongue::English => sentence.en.clone(),
    };
    words
        .iter()
        .map(|(id, sentences)| EntryView { id: name_of(id), sentences: sentences.iter().map(said).collect() })
        .collect()
}

/// Which entry a change is about; `None`: no entry.
pub(super) fn entry_of(change: &Change) -> Option<EntryId> {
    match change {
        Change::AddMetadata { id, .. } | Change::Remove { id } => Some(id.clone()),
        Change::AddOrganisation { number, .. } => Some(EntryId::Organisation(number.clone())),
        Change::Suspend { .. } | Change::Resume { .. } | Change::Connection { .. } => None,
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
