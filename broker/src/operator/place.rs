//! The place: what an organisation has registered, what is on its way, what its record allows. And the way out of it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use broker_core::{
    identifier::Language, moment::Timestamp, organisation::Organisation, suspension::KeyFingerprint,
};
use certs::{expiry, public_key::KeyKind};
use http::{HeaderMap, StatusCode, header};
use metadata::{
    Registry,
    desk::{Proposal, State as ProposalState},
    key_use::KeyUse,
    lint::Report,
    revision::{Entry, EntryId},
    saml::{IdentityProvider, MOST_OCTETS, MetadataFile, key::KeyUse as Usage},
};

use super::{
    change,
    visit::{self, Visit},
};
use crate::{
    desk::DeskFailed,
    moment,
    page::{
        BoundRow, KeyRow, OperatorMessage, OperatorPage, PlaceView, ProposalRow, ProviderCard, ServiceCard,
    },
    wiring::Node,
};

/// Decided proposals that are shown.
const MOST_CLOSED: usize = 10;
/// Days before a certificate's end from which something is to be done.
const URGENT_DAYS: i64 = 30;
/// Entries that are shown of each kind.
const MOST_ENTRIES: usize = 40;

/// GET `/operator`
pub(super) async fn show(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    let visit = match Visit::of(&node, &headers).await {
        Ok(visit) => visit,
        Err(instead) => return *instead,
    };
    let registry = node.registry.any();
    let organisation = &visit.invitation.organisation;
    let entries: Vec<(&EntryId, &Entry)> = registry
        .manifest()
        .entries
        .iter()
        .filter(|(_, entry)| entry.organisation() == Some(organisation))
        .collect();
    let store = &**node.vault.store();
    let names = entries.iter().map(|(_, entry)| entry.document().to_owned());
    let documents = node.edits.documents(store, names).await;
    let (documents, seen) = match (documents, node.edits.key_use(store).await) {
        (Ok(documents), Ok(seen)) => (documents, seen),
        (Err(error), _) => return *visit::away(&node, &visit.language, &error, true),
        // A place without that is better than none; the alarm is in the log.
        (Ok(documents), Err(error)) => {
            tracing::error!(%error, "when keys were used is not known");
            (documents, KeyUse::default())
        }
    };
    let providers = entries.iter().filter_map(|(id, entry)| {
        let EntryId::SamlProvider(provider) = id else { return None };
        let octets = documents.get(entry.document());
        Some(provider_card(&registry, provider, octets.map(Vec::as_slice), &seen, &visit))
    });
    let services = entries.iter().filter_map(|(id, _)| match id {
        EntryId::OidcClient(client) => Some(service_card(&registry, client, &visit.language)),
        _ => None,
    });
    let rows = |open: bool, most: usize| -> Vec<ProposalRow> {
        let own = visit.desk.proposals.values().rev();
        own.filter(|proposal| proposal.organisation == *organisation && proposal.is_open() == open)
            .take(most)
            .map(row)
            .collect()
    };
    let view = PlaceView {
        organisation: organisation_name(&node, &visit),
        number: organisation.to_string(),
        holder: visit.invitation.holder.clone(),
        expires: visit.invitation.expires,
        token: visit.token(&node),
        open: rows(true, usize::MAX),
        closed: rows(false, MOST_CLOSED),
        providers: providers.take(MOST_ENTRIES).collect(),
        services: services.take(MOST_ENTRIES).collect(),
        bounds: registry.organisation(organisation).map(|record| bounds(record)).unwrap_or_default(),
    };
    visit.page(&node, StatusCode::OK, OperatorPage::Place(&view))
}

/// POST `/operator/leave`
pub(super) async fn leave(State(node): State<Arc<Node>>, request: Request<Body>) -> Response {
    let (visit, _) = match visit::sent(&node, request).await {
        Ok(sent) => sent,
        Err(instead) => return *instead,
    };
    let id = &visit.invitation.id;
    let left = node.desk.change::<_, DeskFailed>(&**node.vault.store(), moment::now(), |desk| {
        if let Some(invitation) = desk.invitations.get_mut(id) {
            invitation.leave();
        }
        Ok(())
    });
    if let Err(failed) = left.await {
        return *visit::desk_away(&node, &visit.language, &failed);
    }
    tracing::info!(invitation = id, "a place was left");
    let mut response = *visit.message(&node, OperatorMessage::Left);
    if let Some(header) = visit::forgotten(&node) {
        response.headers_mut().append(header::SET_COOKIE, header);
    }
    response
}

/// What the organisation of a visit is called.
pub(super) fn organisation_name(node: &Node, visit: &Visit) -> String {
    let registry = node.registry.any();
    let number = &visit.invitation.organisation;
    let record = registry.organisation(number);
    let name = record.and_then(|record| record.name.best(std::slice::from_ref(&visit.language)));
    name.unwrap_or(number.as_str()).to_owned()
}

/// The name of a state in texts.
pub(super) fn state(state: &ProposalState) -> &'static str {
    match state {
        ProposalState::Draft => "draft",
        ProposalState::Validated => "validated",
        ProposalState::Approved => "approved",
        ProposalState::Published { .. } => "published",
        ProposalState::Superseded { .. } => "superseded",
        ProposalState::Withdrawn => "withdrawn",
        ProposalState::Declined { .. } => "declined",
    }
}

/// The revision that a proposal became.
pub(super) fn revision(state: &ProposalState) -> Option<u64> {
    match state {
        ProposalState::Published { revision } => Some(*revision),
        _ => None,
    }
}

fn row(proposal: &Proposal) -> ProposalRow {
    let mut about: Vec<String> =
        proposal.changes.iter().filter_map(change::entry_of).map(|id| change::name_of(&id)).collect();
    about.dedup();
    ProposalRow {
        number: proposal.id,
        about: about.join(", "),
        state: state(&proposal.state),
        revision: revision(&proposal.state),
        author: proposal.author.name().to_owned(),
        at: proposal.at,
    }
}

fn bounds(record: &Organisation) -> Vec<BoundRow> {
    let texts = |values: &std::collections::BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>();
    let mut rows = vec![
        BoundRow { what: "domains", allowed: texts(&record.domains) },
        BoundRow { what: "scopes", allowed: texts(&record.scopes) },
    ];
    if !record.hsa_prefixes.is_empty() {
        rows.push(BoundRow { what: "hsa", allowed: texts(&record.hsa_prefixes) });
    }
    let ceiling = record.ceiling.iter().map(|level| level.as_str().to_owned()).collect();
    rows.push(BoundRow { what: "ceiling", allowed: ceiling });
    rows
}

fn provider_card(
    registry: &Registry,
    id: &broker_core::identifier::ProviderId,
    octets: Option<&[u8]>,
    seen: &KeyUse,
    visit: &Visit,
) -> ProviderCard {
    let live = registry.saml_provider(id);
    let wanted = std::slice::from_ref(&visit.language);
    let name = live.and_then(|live| live.policy.display_name.best(wanted)).unwrap_or(id.as_str());
    let mut states = Vec::new();
    match live {
        None => states.push("withheld"),
        Some(live) => {
            if registry.suspensions().allow_provider(id, &live.policy.organisation.number).is_err() {
                states.push("suspended");
            }
            if live.signing_keys.is_empty() {
                states.push("no-key");
            }
            if live.policy.hidden {
                states.push("hidden");
            }
        }
    }
    let keys = octets.map(|octets| keys(octets, id, registry, seen)).unwrap_or_default();
    ProviderCard {
        name: name.to_owned(),
        id: id.to_string(),
        states,
        valid_until: live.and_then(|live| live.valid_until),
        keys,
    }
}

/// The keys of a provider's document.
fn keys(
    octets: &[u8],
    id: &broker_core::identifier::ProviderId,
    registry: &Registry,
    seen: &KeyUse,
) -> Vec<KeyRow> {
    let Ok(file) = MetadataFile::read(octets, MOST_OCTETS) else { return Vec::new() };
    let Some(provider) =
        file.entity(id.as_str()).and_then(|entity| IdentityProvider::read(entity, &mut Report::new()))
    else {
        return Vec::new();
    };
    let clock = moment::system_time();
    provider
        .keys
        .iter()
        .map(|placed| {
            let key = &placed.value;
            let fingerprint =
                key.key.as_ref().ok().map(|key| KeyFingerprint::new(*key.thumbprint().as_bytes()));
            let ends = key.certificate.as_ref().map(certs::certificate::Certificate::not_after);
            let days = ends.map_or(0, |ends| expiry::days_left(ends, clock));
            KeyRow {
                usage: match key.usage {
                    Usage::Signing => "signing",
                    Usage::Encryption => "encryption",
                    Usage::Both => "both",
                },
                kind: key.key.as_ref().map_or_else(ToString::to_string, |key| kind(key.kind())),
                fingerprint: fingerprint.as_ref().map(KeyFingerprint::short).unwrap_or_default(),
                expires: ends.map(timestamp),
                days,
                urgent: ends.is_some() && days <= URGENT_DAYS,
                signs: key.signs(),
                seen: fingerprint.and_then(|fingerprint| seen.last(id, fingerprint)),
                compromised: fingerprint
                    .is_some_and(|fingerprint| registry.suspensions().keys.contains(&fingerprint)),
            }
        })
        .collect()
}

fn timestamp(at: std::time::SystemTime) -> Timestamp {
    let since = at.duration_since(std::time::UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX)))
}

fn kind(kind: KeyKind) -> String {
    match kind {
        KeyKind::Rsa { bits } => format!("RSA {bits}"),
        KeyKind::P256 => "EC P-256".to_owned(),
        KeyKind::P384 => "EC P-384".to_owned(),
        KeyKind::P521 => "EC P-521".to_owned(),
    }
}

fn service_card(
    registry: &Registry,
    id: &broker_core::identifier::RelyingPartyId,
    language: &Language,
) -> ServiceCard {
    let live = registry.oidc_client(id);
    let name = live.and_then(|live| live.policy.display_name.best(std::slice::from_ref(language)));
    let mut states = Vec::new();
    match live {
        None => states.push("withheld"),
        Some(live) if registry.suspensions().allow_relying_party(&live.policy).is_err() => {
            states.push("suspended");
        }
        Some(_) => {}
    }
    ServiceCard {
        name: name.unwrap_or(id.as_str()).to_owned(),
        id: id.to_string(),
        states,
        method: live.map_or("client_secret_basic", |live| live.authentication.method()),
        addresses: live.map(|live| live.redirect_uris.clone()).unwrap_or_default(),
    }
}
