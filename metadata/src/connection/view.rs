//! A connection as an employer sees it, the same for command line, API and page.

use std::collections::BTreeSet;

use broker_core::{
    attribute::AttributeName,
    connection::{Category, DecidedBy},
    identifier::RelyingPartyId,
    moment::Timestamp,
    organisation::{LocalText, Organisation},
};
use serde::Serialize;

use super::{Connections, Decided};
use crate::{Registry, peer::OidcClient};

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    /// To where.
    pub relying_party: RelyingPartyId,
    /// What people call it.
    pub name: LocalText,
    /// Whose it is.
    pub organisation: LocalText,
    /// What it asks for, in its own words: why.
    pub purpose: LocalText,
    /// Where its privacy notice is.
    pub privacy_url: Option<String>,
    /// Its agreement category.
    pub category: Option<Category>,
    /// Whether people may reach it.
    pub open: bool,
    /// Who decided.
    pub decided_by: DecidedBy,
    /// What it asks for, within what it is entitled to.
    pub asks: BTreeSet<AttributeName>,
    /// What may leave.
    pub leaves: BTreeSet<AttributeName>,
    /// What it asks for and the employer has not agreed to: `agree` lets it leave.
    pub pending: BTreeSet<AttributeName>,
    /// The levels that it asks for where it says nothing in a login.
    pub levels: Vec<String>,
    /// Since when, where somebody decided.
    pub since: Option<Timestamp>,
    /// By whom: still sealed.
    #[serde(skip)]
    pub sealed_by: Option<String>,
    /// The legal basis that the employer named.
    pub legal_basis: Option<String>,
}

/// The connection of an employer with one relying party; `None`: it is not registered.
#[must_use]
pub fn view(registry: &Registry, employer: &Organisation, relying_party: &RelyingPartyId) -> Option<View> {
    registry.oidc_client(relying_party).map(|client| seen(registry, employer, client))
}

/// All connections of an employer, by the relying party's identifier.
#[must_use]
pub fn views(registry: &Registry, employer: &Organisation) -> Vec<View> {
    let mut all: Vec<View> = registry.oidc_clients().map(|client| seen(registry, employer, client)).collect();
    all.sort_by(|one, other| one.relying_party.cmp(&other.relying_party));
    all
}

fn seen(registry: &Registry, employer: &Organisation, client: &OidcClient) -> View {
    let id = &client.client_id;
    let found = registry.connections().between(employer, id);
    let kept = &registry.manifest().connections;
    let decided = decided(kept, employer, id, found.by);
    let asks = client.policy.entitled.clone();
    let agreed = |name: &AttributeName| found.attributes.is_none_or(|agreed| agreed.contains(name));
    let (may, pending): (BTreeSet<_>, BTreeSet<_>) = asks.iter().copied().partition(agreed);
    View {
        relying_party: id.clone(),
        name: client.policy.display_name.clone(),
        organisation: client.policy.organisation.name.clone(),
        purpose: client.purpose.clone(),
        privacy_url: client.policy.privacy_url.clone(),
        category: kept.categories.get(id).cloned(),
        open: found.open,
        decided_by: found.by,
        leaves: if found.open { may } else { BTreeSet::new() },
        pending,
        asks,
        levels: client.default_acr_values.clone(),
        since: decided.map(|one| one.at),
        sealed_by: decided.map(|one| one.by.clone()),
        legal_basis: decided.and_then(|one| one.legal_basis.clone()),
    }
}

/// What was written down of a decision.
fn decided<'c>(
    kept: &'c Connections,
    employer: &Organisation,
    relying_party: &RelyingPartyId,
    by: DecidedBy,
) -> Option<&'c Decided> {
    let own = kept.defaults.get(&employer.number);
    let category = kept.categories.get(relying_party);
    match by {
        DecidedBy::Agreement => kept.agreements.get(&employer.number)?.get(relying_party),
        DecidedBy::EmployerCategory => own?.categories.get(category?),
        DecidedBy::Employer => own?.all.as_ref(),
        DecidedBy::FederationCategory => kept.federation.categories.get(category?),
        DecidedBy::Federation => kept.federation.all.as_ref(),
        DecidedBy::Record | DecidedBy::Nobody => None,
    }
}
