//! The rollover guard: which changes are held for a second approval, since they would keep people from signing in.
//!
//! It compares what is registered with what would be, goes by when keys were last seen in use, and finds breaches of the rules in
//! `lint::guard`. An empty report: nothing is held. A key that is suspended does not count: whoever marks a key compromised has decided
//! already, and the change that takes it out is not to wait.
//!
//! Neighbours: `difference` says the same change in words; `key_use` knows what is in use; local commands, the API and the page ask when a change
//! is submitted, approved and published.

use std::{collections::BTreeSet, sync::Arc};

use broker_core::{
    assurance::{Assurance, OutputMap},
    identifier::ProviderId,
    moment::Timestamp,
    organisation::{Organisation, OrganisationNumber},
    suspension::KeyFingerprint,
};

use super::{
    Change, Entry, EntryId,
    difference::{hour, read_provider},
};
use crate::{
    Registry,
    key_use::KeyUse,
    lint::{Finding, Place, Report, guard as rule},
    peer::SamlBinding,
    saml::{self, IdentityProvider},
    settings::ProviderSettings,
};

/// A validity that ends earlier by less than this is not held, in seconds.
const SHORTENED_SECONDS: i64 = 86_400;
/// One that ends within this is held, unless it is longer than before.
const SOON_SECONDS: i64 = 7 * 86_400;

/// The names of the documents that [`judge`] needs for these changes: those registered and those that would be.
#[must_use]
pub fn needed(registry: &Registry, changes: &[Change]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let entries = &registry.manifest().entries;
    for change in changes {
        match change {
            Change::AddMetadata { id, entry } => {
                names.insert(entry.document().to_owned());
                names.extend(entries.get(id).map(|known| known.document().to_owned()));
                // A provider that is new may be an old one under another name.
                if let (EntryId::SamlProvider(_), false) = (id, entries.contains_key(id)) {
                    names.extend(
                        providers_of(registry, entry.organisation()).map(|(_, e)| e.document().to_owned()),
                    );
                }
            }
            Change::AddOrganisation { number, document, .. } => {
                names.insert(document.clone());
                names.extend(providers_of(registry, Some(number)).map(|(_, e)| e.document().to_owned()));
            }
            Change::Remove { .. }
            | Change::Suspend { .. }
            | Change::Resume { .. }
            | Change::Connection { .. } => {}
        }
    }
    names
}

/// The registered providers of an organisation.
fn providers_of<'r>(
    registry: &'r Registry,
    organisation: Option<&'r OrganisationNumber>,
) -> impl Iterator<Item = (&'r ProviderId, &'r Entry)> {
    registry.manifest().entries.iter().filter_map(move |(id, entry)| match id {
        EntryId::SamlProvider(provider) if entry.organisation() == organisation => Some((provider, entry)),
        _ => None,
    })
}

/// Judges changes that are to be made together. `documents` finds those that [`needed`] names; `seen` says when keys were last in use. Empty:
/// nothing is held.
pub fn judge<'a>(
    registry: &Registry,
    changes: &[Change],
    documents: &'a dyn Fn(&str) -> Option<&'a [u8]>,
    seen: &KeyUse,
    now: Timestamp,
) -> Report {
    let guard = Guard { registry, changes, documents, seen, now };
    let mut report = Report::new();
    for change in changes {
        let mut found = Report::new();
        let about = match change {
            Change::AddMetadata { id: EntryId::SamlProvider(id), entry } => {
                guard.renewed(id, entry, &mut found);
                id.to_string()
            }
            Change::Remove { id: EntryId::SamlProvider(id) } => {
                guard.removed(id, &mut found);
                id.to_string()
            }
            Change::AddOrganisation { number, document, .. } => {
                guard.record(number, document, &mut found);
                number.to_string()
            }
            _ => continue,
        };
        report.add_about(&about, found);
    }
    report
}

struct Guard<'g, 'a> {
    registry: &'g Registry,
    changes: &'g [Change],
    documents: &'a dyn Fn(&str) -> Option<&'a [u8]>,
    seen: &'g KeyUse,
    now: Timestamp,
}

impl<'g> Guard<'g, '_> {
    fn read(&self, id: &ProviderId, document: &str) -> Option<IdentityProvider> {
        read_provider(id, (self.documents)(document)?)
    }

    fn known(&self, id: &ProviderId) -> Option<(&'g str, &'g ProviderSettings)> {
        match self.registry.manifest().entries.get(&EntryId::SamlProvider(id.clone())) {
            Some(Entry::SamlProvider { document, settings }) => Some((document, settings)),
            _ => None,
        }
    }

    /// The record of an organisation as it would be, or is.
    fn organisation(&self, number: &OrganisationNumber) -> Option<Organisation> {
        let new = self.changes.iter().rev().find_map(|change| match change {
            Change::AddOrganisation { number: changed, document, .. } if changed == number => {
                serde_json::from_slice((self.documents)(document)?).ok()
            }
            _ => None,
        });
        new.or_else(|| self.registry.organisation(number).map(|known| (**known).clone()))
    }

    /// What a provider may say in all, for every organisation that it speaks for, as it would be. One that it loses takes its scopes along.
    fn bounds(&self, settings: &ProviderSettings) -> Option<Organisation> {
        let others = settings.organisations.iter();
        let others: Option<Vec<_>> = others.map(|number| self.organisation(number).map(Arc::new)).collect();
        Some(saml::bounds(&self.organisation(&settings.organisation)?, &others?))
    }

    /// The same, as it is.
    fn bounds_before(&self, settings: &ProviderSettings) -> Option<Organisation> {
        let others = settings.organisations.iter();
        let others: Option<Vec<_>> =
            others.map(|number| self.registry.organisation(number).cloned()).collect();
        Some(saml::bounds(self.registry.organisation(&settings.organisation)?, &others?))
    }

    fn renewed(&self, id: &ProviderId, entry: &Entry, report: &mut Report) {
        let Entry::SamlProvider { document, settings } = entry else { return };
        let Some((known, before_settings)) = self.known(id) else {
            return self.joined(id, document, settings, report);
        };
        // The same document with other settings can lower levels or narrow scopes, and nothing else of this.
        let (Some(before), Some(after)) = (self.read(id, known), self.read(id, document)) else {
            report.add(Finding::new(&rule::NOT_COMPARABLE, Place::File).found(id.as_str()));
            return;
        };
        self.keys(id, &before, &after, report);
        self.validity(&before, &after, report);
        self.scopes(id, (&before, before_settings), (&after, settings), report);
        self.binding(id, &before, &after, report);
        if let (Some(old), Some(new)) = (self.bounds_before(before_settings), self.bounds(settings)) {
            let was = levels(&before, before_settings, &old);
            self.levels(id, &was, &levels(&after, settings, &new), after.role_place.into(), report);
        }
    }

    /// Keys that could verify a message, but for those that the operator has suspended.
    fn signing_keys(&self, provider: &IdentityProvider) -> BTreeSet<KeyFingerprint> {
        let suspended = self.registry.suspensions();
        let keys = provider.signing_keys();
        keys.iter()
            .map(|key| KeyFingerprint::new(*key.thumbprint().as_bytes()))
            .filter(|key| !suspended.keys.contains(key))
            .collect()
    }

    fn keys(
        &self,
        id: &ProviderId,
        before: &IdentityProvider,
        after: &IdentityProvider,
        report: &mut Report,
    ) {
        let (old, new) = (self.signing_keys(before), self.signing_keys(after));
        let lately: BTreeSet<_> =
            old.iter().copied().filter(|key| self.seen.is_lately(id, *key, self.now)).collect();
        let told = |keys: &BTreeSet<KeyFingerprint>| {
            let each = keys.iter().map(|key| match self.seen.last(id, *key) {
                Some(last) => format!("{} ({})", key.short(), last.to_rfc3339()),
                None => key.short(),
            });
            each.collect::<Vec<_>>().join(", ")
        };
        if !lately.is_empty() && lately.is_disjoint(&new) {
            report.add(Finding::new(&rule::ONLY_KEY_IN_USE_REMOVED, after.role_place).found(told(&lately)));
        } else if old.is_disjoint(&new) && old.iter().any(|key| self.seen.last(id, *key).is_some()) {
            report.add(Finding::new(&rule::NO_KEY_REMAINS, after.role_place).found(told(&old)));
        }
    }

    fn validity(&self, before: &IdentityProvider, after: &IdentityProvider, report: &mut Report) {
        let Some(until) = &after.valid_until else { return };
        let old = before.valid_until.as_ref().map(|until| until.value);
        let shortened = old.is_some_and(|old| old.since(until.value) > SHORTENED_SECONDS);
        let soon = until.value.since(self.now) < SOON_SECONDS;
        if shortened || soon && old.is_none_or(|old| until.value < old) {
            let old = old.map_or_else(|| "–".to_owned(), Timestamp::to_rfc3339);
            report.add(
                Finding::new(&rule::VALIDITY_SHORTENED, until.place)
                    .found(until.value.to_rfc3339())
                    .expected(old),
            );
        }
    }

    /// Scopes that a provider in use may assert before, and not after. One that no metadata names is not narrowed by it.
    fn scopes(
        &self,
        id: &ProviderId,
        (before, old): (&IdentityProvider, &ProviderSettings),
        (after, new): (&IdentityProvider, &ProviderSettings),
        report: &mut Report,
    ) {
        let (Some(old_record), Some(new_record)) = (self.bounds_before(old), self.bounds(new)) else {
            return;
        };
        let (was, is) = (scopes(before, old, &old_record), scopes(after, new, &new_record));
        let gone: Vec<&str> = was.difference(&is).map(String::as_str).collect();
        if !gone.is_empty() {
            let place = after.scopes.first().map_or(after.role_place, |scope| scope.place);
            report
                .add(Finding::new(&rule::SCOPE_CHANGED, place).found(gone.join(", ")).expected(id.as_str()));
        }
    }

    /// We ask over Redirect where a provider takes it, else over POST.
    fn binding(
        &self,
        id: &ProviderId,
        before: &IdentityProvider,
        after: &IdentityProvider,
        report: &mut Report,
    ) {
        let has = |provider: &IdentityProvider, binding: &SamlBinding| {
            provider.single_sign_on.iter().any(|endpoint| endpoint.value.binding == *binding)
        };
        let used =
            [SamlBinding::Redirect, SamlBinding::Post].into_iter().find(|binding| has(before, binding));
        if let Some(used) = used
            && !has(after, &used)
            && self.seen.was_used_lately(id, self.now)
        {
            let name = if used == SamlBinding::Redirect { "HTTP-Redirect" } else { "HTTP-POST" };
            report.add(Finding::new(&rule::BINDING_REMOVED, after.role_place).found(name));
        }
    }

    /// Levels that are lost, and that relying parties which may use the provider ask for.
    fn levels(
        &self,
        id: &ProviderId,
        was: &[Assurance],
        is: &[Assurance],
        place: Place,
        report: &mut Report,
    ) {
        let lost: Vec<&Assurance> = was.iter().filter(|level| !is.contains(level)).collect();
        if lost.is_empty() {
            return;
        }
        let maps = [OutputMap::new(true), OutputMap::new(false)];
        let mut parties = BTreeSet::new();
        let mut missed = BTreeSet::new();
        for client in self.registry.oidc_clients() {
            if client.policy.providers.as_ref().is_some_and(|only| !only.contains(id)) {
                continue;
            }
            let wanted: Vec<Assurance> =
                client.default_acr_values.iter().map(|level| Assurance::new(level.as_str())).collect();
            let mut enough = wanted.clone();
            enough.extend(maps.iter().flat_map(|map| map.asking(&wanted, client.policy.assurance_profile)));
            // Still well served by a level that stays.
            if enough.iter().any(|level| is.contains(level)) {
                continue;
            }
            let gone = lost.iter().filter(|level| enough.contains(level)).map(|level| level.as_str());
            for level in gone {
                missed.insert(level);
                parties.insert(client.client_id.as_str());
            }
        }
        if !missed.is_empty() {
            let join = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
            report.add(Finding::new(&rule::LEVEL_LOWERED, place).found(join(missed)).expected(join(parties)));
        }
    }

    fn removed(&self, id: &ProviderId, report: &mut Report) {
        let last = self.seen.of(id).map(|(_, last)| last).max();
        if self.known(id).is_some()
            && self.seen.was_used_lately(id, self.now)
            && let Some(last) = last
        {
            report.add(Finding::new(&rule::REMOVED_IN_USE, Place::File).found(hour(last).1));
        }
    }

    /// A provider that is new, and may be an old one of the same organisation under another name: one that goes in the same change, or one with a
    /// key and an address of the new one.
    fn joined(&self, id: &ProviderId, document: &str, settings: &ProviderSettings, report: &mut Report) {
        let new = self.read(id, document);
        let goes = |old: &ProviderId| {
            self.changes.iter().any(
                |change| matches!(change, Change::Remove { id: EntryId::SamlProvider(gone) } if gone == old),
            )
        };
        let same = |old: &ProviderId, entry: &Entry| {
            let (Some(new), Some(old)) = (&new, self.read(old, entry.document())) else { return false };
            let places = |provider: &IdentityProvider| -> BTreeSet<String> {
                provider.single_sign_on.iter().map(|endpoint| endpoint.value.location.clone()).collect()
            };
            !self.signing_keys(new).is_disjoint(&self.signing_keys(&old))
                && !places(new).is_disjoint(&places(&old))
        };
        let before = providers_of(self.registry, Some(&settings.organisation))
            .find(|(old, entry)| goes(old) || same(old, entry));
        if let Some((old, _)) = before {
            let place = new.map_or(Place::File, |new| new.place.into());
            report.add(
                Finding::new(&rule::IDENTIFIER_CHANGED, place).found(id.as_str()).expected(old.as_str()),
            );
        }
    }

    /// A record that takes a scope or a level from providers that are not in the change themselves.
    fn record(&self, number: &OrganisationNumber, document: &str, report: &mut Report) {
        let Some(known) = self.registry.organisation(number) else { return };
        let new: Option<Organisation> =
            (self.documents)(document).and_then(|octets| serde_json::from_slice(octets).ok());
        let Some(new) = new else {
            report.add(Finding::new(&rule::NOT_COMPARABLE, Place::File).found(number.as_str()));
            return;
        };
        let mut gone = BTreeSet::new();
        for (id, entry) in providers_of(self.registry, Some(number)) {
            let Entry::SamlProvider { document, settings } = entry else { continue };
            let changed = self.changes.iter().any(|change| {
                matches!(change, Change::AddMetadata { id: EntryId::SamlProvider(other), .. }
                    | Change::Remove { id: EntryId::SamlProvider(other) } if other == id)
            });
            if changed {
                continue;
            }
            let Some(provider) = self.read(id, document) else { continue };
            let (was, is) = (scopes(&provider, settings, known), scopes(&provider, settings, &new));
            gone.extend(was.difference(&is).cloned());
            let was = levels(&provider, settings, known);
            self.levels(id, &was, &levels(&provider, settings, &new), Place::File, report);
        }
        if !gone.is_empty() {
            let gone: Vec<String> = gone.into_iter().collect();
            report.add(
                Finding::new(&rule::SCOPE_CHANGED, Place::File)
                    .found(gone.join(", "))
                    .expected(number.as_str()),
            );
        }
    }
}

/// The scopes that a provider may assert: the record's, cut by what its document declares and by the operator.
fn scopes(
    provider: &IdentityProvider,
    settings: &ProviderSettings,
    organisation: &Organisation,
) -> BTreeSet<String> {
    let authority = saml::authority(provider, settings, organisation);
    let declared = provider.scopes.iter().filter(|scope| !scope.value.regexp).map(|scope| &scope.value.value);
    organisation
        .scopes
        .iter()
        .chain(declared)
        .filter_map(|scope| authority.scope(scope).map(str::to_owned))
        .collect()
}

/// The levels that a provider may assert.
fn levels(
    provider: &IdentityProvider,
    settings: &ProviderSettings,
    organisation: &Organisation,
) -> Vec<Assurance> {
    let authority = saml::authority(provider, settings, organisation);
    let declared = provider.assurance.iter().map(|level| Assurance::new(level.value.as_str()));
    declared.filter(|level| authority.covers(level)).collect()
}

#[cfg(test)]
mod tests;
