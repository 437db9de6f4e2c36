//! All peers: one immutable snapshot, swapped whole (design decision 7).
//!
//! Neighbours: `revision` builds it out of a manifest; the process keeps the current one and hands it to the roles for one request
//! at a time, so that a request never sees two registries.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use broker_core::{
    connection::Connections,
    identifier::{ProviderId, RelyingPartyId},
    organisation::{LocalText, Organisation, OrganisationNumber},
    policy::{ProviderPolicy, RelyingPartyPolicy},
    routing::Peers,
    suspension::{KeyFingerprint, Suspensions},
};

use certs::PublicKey;

use crate::{
    peer::{OidcClient, SamlProvider},
    revision::{Manifest, Withheld},
    source::{Joined, Sourced},
};

/// A snapshot of who the peers are.
#[derive(Debug, Default)]
pub struct Registry {
    number: u64,
    organisations: BTreeMap<OrganisationNumber, Arc<Organisation>>,
    saml_providers: HashMap<ProviderId, Arc<SamlProvider>>,
    oidc_clients: HashMap<RelyingPartyId, Arc<OidcClient>>,
    by_name: Vec<Arc<ProviderPolicy>>,
    voices: Vec<Arc<ProviderPolicy>>,
    suspensions: Suspensions,
    connections: Arc<Connections>,
    manifest: Arc<Manifest>,
    withheld: Arc<[Withheld]>,
    joined: Arc<Joined>,
}

impl Registry {
    /// A snapshot of these peers, for tests and for parties that need no registry file. Of two peers with one name the last stays.
    #[must_use]
    pub fn from_peers(
        organisations: impl IntoIterator<Item = Arc<Organisation>>,
        saml_providers: impl IntoIterator<Item = Arc<SamlProvider>>,
        oidc_clients: impl IntoIterator<Item = Arc<OidcClient>>,
    ) -> Self {
        Self::assembled(0, Suspensions::default(), organisations, saml_providers, oidc_clients)
    }

    /// A snapshot of these peers, some of them suspended, for tests.
    #[must_use]
    pub fn with_suspensions(self, suspensions: Suspensions) -> Self {
        let built = Self::assembled(
            self.number,
            suspensions,
            self.organisations.into_values(),
            self.saml_providers.into_values(),
            self.oidc_clients.into_values(),
        );
        Self { connections: self.connections, manifest: self.manifest, withheld: self.withheld, ..built }
    }

    /// A numbered snapshot. Whatever a provider came from, keys that are suspended are taken out of its hands here.
    pub(crate) fn assembled(
        number: u64,
        suspensions: Suspensions,
        organisations: impl IntoIterator<Item = Arc<Organisation>>,
        saml_providers: impl IntoIterator<Item = Arc<SamlProvider>>,
        oidc_clients: impl IntoIterator<Item = Arc<OidcClient>>,
    ) -> Self {
        let saml_providers: HashMap<_, _> = saml_providers
            .into_iter()
            .map(|provider| (provider.policy.id.clone(), without_suspended_keys(provider, &suspensions)))
            .collect();
        let by_name = by_name(saml_providers.values().map(|provider| &provider.policy));
        let voices = self::by_name(saml_providers.values().flat_map(|provider| provider.policy.voices()));
        Self {
            number,
            organisations: organisations
                .into_iter()
                .map(|organisation| (organisation.number.clone(), organisation))
                .collect(),
            saml_providers,
            oidc_clients: oidc_clients.into_iter().map(|client| (client.client_id.clone(), client)).collect(),
            by_name,
            voices,
            suspensions,
            connections: Arc::default(),
            manifest: Arc::default(),
            withheld: Arc::from([]),
            joined: Arc::default(),
        }
    }

    /// This snapshot, joined by what the sources bring in place of what they brought before. What is registered wins.
    #[must_use]
    pub fn joined_by(&self, joined: Arc<Joined>) -> Self {
        let sourced = joined.providers.iter().filter(|(id, _)| !self.saml_providers.contains_key(*id));
        let all: Vec<_> = self
            .saml_providers
            .values()
            .map(|provider| &provider.policy)
            .chain(sourced.map(|(_, sourced)| &sourced.policy))
            .collect();
        Self {
            number: self.number,
            organisations: self.organisations.clone(),
            by_name: by_name(all.iter().copied()),
            voices: by_name(all.into_iter().flat_map(|policy| policy.voices())),
            saml_providers: self.saml_providers.clone(),
            oidc_clients: self.oidc_clients.clone(),
            suspensions: self.suspensions.clone(),
            connections: Arc::clone(&self.connections),
            manifest: Arc::clone(&self.manifest),
            withheld: Arc::clone(&self.withheld),
            joined,
        }
    }

    /// What the sources brought.
    #[must_use]
    pub fn joined(&self) -> &Arc<Joined> {
        &self.joined
    }

    /// The provider of that entity ID that a source brought; `None` for a registered one.
    #[must_use]
    pub fn sourced(&self, id: &ProviderId) -> Option<&Arc<Sourced>> {
        if self.saml_providers.contains_key(id) { None } else { self.joined.providers.get(id) }
    }

    /// Remembers what the snapshot was built from, so that the next one can take over what did not change.
    pub(crate) fn built_from(mut self, manifest: Manifest, withheld: Vec<Withheld>) -> Self {
        self.connections = Arc::new(manifest.connections.for_login());
        self.manifest = Arc::new(manifest);
        self.withheld = withheld.into();
        self
    }

    /// What the snapshot was built from; empty for one from [`Registry::from_peers`].
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Peers that are registered but that this snapshot does not have, with reasons: for an alarm, and for the operator's list.
    #[must_use]
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }

    /// The same snapshot with these connections, for tests.
    #[must_use]
    pub fn with_connections(mut self, connections: Connections) -> Self {
        self.connections = Arc::new(connections);
        self
    }

    /// What employers agreed to.
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// What is suspended.
    #[must_use]
    pub fn suspensions(&self) -> &Suspensions {
        &self.suspensions
    }

    /// The number of the revision that this is; 0 when there is none yet.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The SAML identity provider of that entity ID, registered or out of a source.
    #[must_use]
    pub fn saml_provider(&self, id: &ProviderId) -> Option<&Arc<SamlProvider>> {
        let sourced = || self.joined.providers.get(id).and_then(|sourced| sourced.provider());
        self.saml_providers.get(id).or_else(sourced)
    }

    /// The OpenID Connect relying party of that client_id.
    #[must_use]
    pub fn oidc_client(&self, id: &RelyingPartyId) -> Option<&Arc<OidcClient>> {
        self.oidc_clients.get(id)
    }

    /// Every SAML identity provider that is registered, in no order.
    pub fn saml_providers(&self) -> impl Iterator<Item = &Arc<SamlProvider>> {
        self.saml_providers.values()
    }

    /// Every OpenID Connect relying party, in no order.
    pub fn oidc_clients(&self) -> impl Iterator<Item = &Arc<OidcClient>> {
        self.oidc_clients.values()
    }

    /// The record of an organisation.
    #[must_use]
    pub fn organisation(&self, number: &OrganisationNumber) -> Option<&Arc<Organisation>> {
        self.organisations.get(number)
    }

    /// Every organisation, by number.
    pub fn organisations(&self) -> impl Iterator<Item = &Arc<Organisation>> {
        self.organisations.values()
    }

    /// Every provider, by the Swedish order of its name.
    #[must_use]
    pub fn providers_by_name(&self) -> &[Arc<ProviderPolicy>] {
        &self.by_name
    }
}

impl Peers for Registry {
    fn provider(&self, id: &ProviderId) -> Option<Arc<ProviderPolicy>> {
        let registered = self.saml_providers.get(id).map(|provider| &provider.policy);
        let sourced = || self.joined.providers.get(id).map(|sourced| &sourced.policy);
        registered.or_else(sourced).cloned()
    }

    fn relying_party(&self, id: &RelyingPartyId) -> Option<Arc<RelyingPartyPolicy>> {
        self.oidc_clients.get(id).map(|client| Arc::clone(&client.policy))
    }

    fn voices(&self) -> &[Arc<ProviderPolicy>] {
        &self.voices
    }

    fn connections(&self) -> &Connections {
        &self.connections
    }

    fn suspensions(&self) -> &Suspensions {
        &self.suspensions
    }
}

/// The provider with its keys parted anew: those that may verify, and those that are suspended. Untouched where that changes nothing.
pub(crate) fn without_suspended_keys(
    provider: Arc<SamlProvider>,
    suspensions: &Suspensions,
) -> Arc<SamlProvider> {
    if suspensions.keys.is_empty() && provider.suspended_keys.is_empty() {
        return provider;
    }
    let is_suspended =
        |key: &PublicKey| suspensions.keys.contains(&KeyFingerprint::new(*key.thumbprint().as_bytes()));
    let as_it_should_be =
        !provider.signing_keys.iter().any(is_suspended) && provider.suspended_keys.iter().all(is_suspended);
    if as_it_should_be {
        return provider;
    }
    let mut parted = (*provider).clone();
    let all = parted.signing_keys.drain(..).chain(parted.suspended_keys.drain(..));
    (parted.suspended_keys, parted.signing_keys) =
        all.collect::<Vec<_>>().into_iter().partition(is_suspended);
    Arc::new(parted)
}

/// Policies in the Swedish order of their names.
fn by_name<'p>(policies: impl Iterator<Item = &'p Arc<ProviderPolicy>>) -> Vec<Arc<ProviderPolicy>> {
    let mut named: Vec<_> = policies.map(|policy| (sort_key(&policy.display_name), policy)).collect();
    named.sort_by(|(a, one), (b, other)| {
        let id = |policy: &ProviderPolicy| (policy.id.clone(), policy.organisation.number.clone());
        a.cmp(b).then_with(|| id(one).cmp(&id(other)))
    });
    named.into_iter().map(|(_, policy)| Arc::clone(policy)).collect()
}

/// What a name is sorted by: its Swedish form, case ignored, å ä ö after z in that order (not their order in Unicode).
fn sort_key(name: &LocalText) -> String {
    name.best(&[])
        .unwrap_or_default()
        .chars()
        .flat_map(char::to_lowercase)
        .map(|letter| match letter {
            'å' => '\u{7b}',
            'ä' | 'æ' => '\u{7c}',
            'ö' | 'ø' => '\u{7d}',
            'é' | 'è' => 'e',
            'ü' => 'y',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use broker_core::{identifier::Language, organisation::LocalText};

    use super::sort_key;

    fn name(text: &str) -> LocalText {
        LocalText(Language::from_tag("sv").into_iter().map(|language| (language, text.to_owned())).collect())
    }

    #[test]
    fn names_are_in_swedish_order() {
        let mut names = ["Örnvik", "ärla", "Åmål", "Zinkgruvan", "Älvsby", "abisko", "Borås"];
        names.sort_by_key(|text| sort_key(&name(text)));
        assert_eq!(names, ["abisko", "Borås", "Zinkgruvan", "Åmål", "Älvsby", "ärla", "Örnvik"]);
    }
}
