//! What the choice of organisation is searched by: folded once for each snapshot of the registry and each language, and kept until the next snapshot.
//!
//! Neighbours: `page::search` folds and finds; `registry_watch` swaps snapshots; `endpoint::choice` asks.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use broker_core::{identifier::Language, policy::ProviderPolicy, routing::Peers};
use metadata::Registry;

use crate::page::{Index, SearchEntry};

/// The indexes of the snapshot that was asked for last.
#[derive(Default)]
pub(crate) struct ChoiceIndexes(Mutex<Built>);

#[derive(Default)]
struct Built {
    /// Of which snapshot. It is not kept alive for this; while this is here, nothing else has its address.
    registry: Weak<Registry>,
    by_language: HashMap<Language, Arc<Index>>,
}

impl ChoiceIndexes {
    /// The index of [`Peers::voices`] of this snapshot, in their order, with each voice's best name in `language` first.
    pub(crate) fn of(&self, registry: &Arc<Registry>, language: &Language) -> Arc<Index> {
        let is_this = |built: &Built| std::ptr::eq(built.registry.as_ptr(), Arc::as_ptr(registry));
        {
            let built = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = built.by_language.get(language).filter(|_| is_this(&built)) {
                return Arc::clone(known);
            }
        }
        // Nobody waits for it: two that ask at once make it twice.
        let index = Arc::new(Index::new(registry.voices().iter().map(|voice| entry(voice, language))));
        let mut built = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_this(&built) {
            *built = Built { registry: Arc::downgrade(registry), by_language: HashMap::new() };
        }
        built.by_language.insert(language.clone(), Arc::clone(&index));
        index
    }
}

/// What finds one provider, as it speaks for one organisation.
pub(crate) fn entry<'p>(voice: &'p ProviderPolicy, language: &Language) -> SearchEntry<'p> {
    let organisation = &voice.organisation;
    SearchEntry {
        names: voice
            .display_name
            .best(std::slice::from_ref(language))
            .into_iter()
            .chain(voice.display_name.0.values().map(String::as_str))
            .chain(organisation.name.0.values().map(String::as_str))
            .collect(),
        keywords: voice
            .keywords
            .iter()
            .chain(&organisation.aliases)
            .map(String::as_str)
            .chain([organisation.number.as_str()])
            .chain(organisation.domains.iter().map(String::as_str))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use broker_core::identifier::Language;
    use metadata::Registry;

    use super::ChoiceIndexes;

    #[test]
    fn an_index_is_made_once_for_each_snapshot_and_language() {
        let indexes = ChoiceIndexes::default();
        let language = |tag| Language::from_tag(tag).expect("a tag");
        let first = Arc::new(Registry::default());
        let sv = indexes.of(&first, &language("sv"));
        let en = indexes.of(&first, &language("en"));
        assert!(Arc::ptr_eq(&sv, &indexes.of(&first, &language("sv"))));
        assert!(Arc::ptr_eq(&en, &indexes.of(&first, &language("en"))));
        assert!(!Arc::ptr_eq(&sv, &en));
        let second = Arc::new(Registry::default());
        assert!(!Arc::ptr_eq(&sv, &indexes.of(&second, &language("sv"))), "another snapshot has another");
    }
}
