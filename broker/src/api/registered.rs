//! What is registered of the organisation, and the revisions that changed it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::UNIX_EPOCH,
};

use axum::response::Response;
use broker_core::{identifier::ProviderId, moment::Timestamp, suspension::KeyFingerprint};
use metadata::{
    Registry,
    key_use::KeyUse,
    lint::Report,
    revision::{Entry, EntryId, Record},
    saml::{IdentityProvider, MOST_OCTETS, MetadataFile, key::KeyUse as Purpose},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    answer::{Finding, Person, by_language},
    discreet::Others,
    problem::{Kind, Problem},
    serve::{Call, json, versioned},
};
use crate::heavy_work::Lane;

/// More revisions than these are not listed, and not looked through.
const MOST_LISTED: usize = 100;
const MOST_LOOKED_AT: usize = 1000;

/// What is registered of the organisation.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Registered {
    /// The number of the revision that is live.
    revision: u64,
    /// By their names.
    entries: Vec<RegisteredEntry>,
}

/// One that is registered.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RegisteredEntry {
    /// The entity ID or `client_id`.
    id: String,
    /// What it is.
    kind: EntryKind,
    /// What people know it by, by language.
    name: BTreeMap<String, String>,
    /// The SHA-256 of its document: the ETag of it, without the quotation marks.
    document: String,
    /// Whether it takes part in logins.
    state: EntryState,
    /// Why its document does not pass any more, of one that is withheld.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    findings: Vec<Finding>,
    /// What subject identifiers of a provider's people are made from; pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_source: Option<String>,
    /// How a relying party proves who it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    authentication: Option<String>,
    /// Until when the document says that it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    valid_until: Option<String>,
    /// A provider's keys.
    keys: Vec<RegisteredKey>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum EntryKind {
    /// A SAML identity provider.
    SamlProvider,
    /// An OpenID Connect relying party.
    OidcClient,
}

/// Whether an entry takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum EntryState {
    /// It does.
    Live,
    /// The federation operator has suspended it, its organisation, or every key of it.
    Suspended,
    /// Its document no longer passes: it takes no part until a new one is published.
    Withheld,
}

/// A key in a provider's metadata.
#[derive(Debug, Serialize, JsonSchema)]
struct RegisteredKey {
    /// The SHA-256 of the public key.
    fingerprint: String,
    /// What for.
    purpose: KeyPurpose,
    /// Until when its certificate says that it is valid. Nobody is refused for it, and others may mind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    certificate_until: Option<String>,
    /// The hour in which it last verified a message here; absent: never, or not for a year.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    last_used: Option<String>,
    /// The federation operator has suspended it.
    suspended: bool,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum KeyPurpose {
    /// Signatures.
    Signing,
    /// Encryption.
    Encryption,
    /// Not said: both.
    Both,
}

/// GET `/v1/metadata`
pub(super) async fn list(call: Call) -> Result<Response, Problem> {
    let live = call.live().await?;
    let organisation = call.token()?.organisation.clone();
    let store = &**call.node.vault.store();
    let entries = &live.registry.manifest().entries;
    let own: Vec<(EntryId, Entry)> = entries
        .iter()
        .filter(|(_, entry)| entry.organisation() == Some(&organisation))
        .map(|(id, entry)| (id.clone(), entry.clone()))
        .collect();
    let names = own.iter().map(|(_, entry)| entry.document().to_owned());
    let documents = call.node.edits.documents(store, names).await?;
    let seen = call.node.edits.key_use(store).await?;
    let registry = live.registry.clone();
    let described = move || {
        let others = Others::than(&organisation, &registry);
        let of = |(id, entry): &(EntryId, Entry)| {
            let octets = documents.get(entry.document()).map(Vec::as_slice).unwrap_or_default();
            described(id, entry, octets, &registry, &seen, &others)
        };
        Registered { revision: registry.number(), entries: own.iter().filter_map(of).collect() }
    };
    let described = call.node.work.run(Lane::Beginning, described).await;
    Ok(json(200, &described.map_err(|failure| Kind::BUSY.because(failure.cause))?))
}

fn described(
    id: &EntryId,
    entry: &Entry,
    octets: &[u8],
    registry: &Registry,
    seen: &KeyUse,
    others: &Others,
) -> Option<RegisteredEntry> {
    let withheld = registry.withheld().iter().find(|withheld| withheld.id == *id);
    let text = String::from_utf8_lossy(octets);
    let findings = withheld.map(|withheld| Finding::all(&others.leave_out(withheld.report.clone(), &text)));
    let state = |is_suspended: bool| match (withheld, is_suspended) {
        (Some(_), _) => EntryState::Withheld,
        (None, true) => EntryState::Suspended,
        (None, false) => EntryState::Live,
    };
    let document = entry.document().to_owned();
    let findings = findings.unwrap_or_default();
    match (id, entry) {
        (EntryId::SamlProvider(id), Entry::SamlProvider { settings, .. }) => {
            let peer = registry.saml_provider(id);
            let is_suspended = peer.is_some_and(|peer| {
                registry
                    .suspensions()
                    .allow_provider(&peer.policy.id, &peer.policy.organisation.number)
                    .is_err()
                    || peer.signing_keys.is_empty()
            });
            let name = peer.map(|peer| by_language(&peer.policy.display_name));
            Some(RegisteredEntry {
                id: id.to_string(),
                kind: EntryKind::SamlProvider,
                name: name.unwrap_or_default(),
                document,
                state: state(is_suspended),
                findings,
                subject_source: Some(settings.subject_source.key().to_owned()),
                authentication: None,
                valid_until: peer.and_then(|peer| peer.valid_until).map(Timestamp::to_rfc3339),
                keys: keys(id, octets, registry, seen),
            })
        }
        (EntryId::OidcClient(id), Entry::OidcClient { .. }) => {
            let peer = registry.oidc_client(id);
            let is_suspended =
                peer.is_some_and(|peer| registry.suspensions().allow_relying_party(&peer.policy).is_err());
            let name = peer.map(|peer| by_language(&peer.policy.display_name));
            Some(RegisteredEntry {
                id: id.to_string(),
                kind: EntryKind::OidcClient,
                name: name.unwrap_or_default(),
                document,
                state: state(is_suspended),
                findings,
                subject_source: None,
                authentication: peer.map(|peer| peer.authentication.method().to_owned()),
                valid_until: None,
                keys: Vec::new(),
            })
        }
        _ => None,
    }
}

/// The keys in a provider's document, each once for each purpose, in its order.
fn keys(id: &ProviderId, octets: &[u8], registry: &Registry, seen: &KeyUse) -> Vec<RegisteredKey> {
    let Ok(file) = MetadataFile::read(octets, MOST_OCTETS) else { return Vec::new() };
    let read = file.entity(id.as_str()).and_then(|entity| IdentityProvider::read(entity, &mut Report::new()));
    let mut told = BTreeSet::new();
    let mut keys = Vec::new();
    for declared in read.iter().flat_map(|provider| &provider.keys).map(|key| &key.value) {
        let Ok(key) = &declared.key else { continue };
        let fingerprint = KeyFingerprint::new(*key.thumbprint().as_bytes());
        let purpose = match declared.usage {
            Purpose::Signing => KeyPurpose::Signing,
            Purpose::Encryption => KeyPurpose::Encryption,
            Purpose::Both => KeyPurpose::Both,
        };
        if !told.insert((fingerprint, purpose)) {
            continue;
        }
        let until = declared.certificate.as_ref().and_then(|certificate| {
            let seconds = certificate.not_after().duration_since(UNIX_EPOCH).ok()?.as_secs();
            Some(Timestamp(i64::try_from(seconds).ok()?).to_rfc3339())
        });
        let last_used = declared.signs().then(|| seen.last(id, fingerprint)).flatten();
        keys.push(RegisteredKey {
            fingerprint: fingerprint.to_string(),
            purpose,
            certificate_until: until,
            last_used: last_used.map(Timestamp::to_rfc3339),
            suspended: registry.suspensions().keys.contains(&fingerprint),
        });
    }
    keys
}

/// GET `/v1/metadata/{id}`
pub(super) async fn document(call: Call) -> Result<Response, Problem> {
    let live = call.live().await?;
    let (wanted, organisation) = (call.in_path("id"), &call.token()?.organisation);
    let found = live.registry.manifest().entries.iter().find_map(|(id, entry)| {
        let is_own = entry.organisation() == Some(organisation);
        match id {
            EntryId::SamlProvider(id) if is_own && id.as_str() == wanted => {
                Some((entry, "application/samlmetadata+xml"))
            }
            EntryId::OidcClient(id) if is_own && id.as_str() == wanted => Some((entry, "application/json")),
            _ => None,
        }
    });
    let (entry, content_type) = found.ok_or(Kind::NOT_FOUND)?;
    let name = entry.document();
    let octets = call.node.edits.document(&**call.node.vault.store(), name).await?;
    Ok(versioned(&call, &format!("\"{name}\""), content_type, octets))
}

/// The revisions that changed something of the organisation's.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Revisions {
    /// The newest first.
    revisions: Vec<Revision>,
}

/// One revision.
#[derive(Debug, Serialize, JsonSchema)]
struct Revision {
    /// Its number.
    number: u64,
    /// When it was published.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// Who published it.
    by: Person,
    /// The proposal that it was, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal: Option<u64>,
    /// The revision that it brings back, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    restores: Option<u64>,
    /// What it did to your organisation's entries and record. What it did to others is not told.
    changed: Vec<Changed>,
}

/// One entry of a revision.
#[derive(Debug, Serialize, JsonSchema)]
struct Changed {
    /// The kind, a colon, and the entity ID, `client_id` or organisation number.
    entry: String,
    /// What happened to it.
    what: WhatChanged,
    /// The SHA-256 of the document after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<String>,
}

/// What happened to an entry.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum WhatChanged {
    /// It is new.
    Added,
    /// It is another.
    Changed,
    /// It is gone.
    Removed,
}

/// GET `/v1/revisions`
pub(super) async fn revisions(call: Call) -> Result<Response, Problem> {
    let organisation = &call.token()?.organisation;
    let store = &**call.node.vault.store();
    let head = call.node.edits.head(store).await?.map(|(_, head)| head);
    let is_own = |change: &metadata::revision::EntryChange| {
        matches!(&change.id, EntryId::Organisation(number) if number == organisation)
            || [&change.before, &change.after]
                .into_iter()
                .flatten()
                .any(|entry| entry.organisation() == Some(organisation))
    };
    let (mut looked_at, mut found) = (0, 0);
    let goes_on = |record: &Record| {
        looked_at += 1;
        found += usize::from(record.changed.iter().any(is_own));
        looked_at < MOST_LOOKED_AT && found < MOST_LISTED
    };
    let history = call.node.edits.history(store, head.as_ref(), goes_on).await?;
    let told = history.records.iter().filter_map(|(_, record)| {
        let changed: Vec<Changed> = record.changed.iter().filter(|change| is_own(change)).map(told).collect();
        // A note may be about others as well, and is the operator's: the proposal has its own.
        (!changed.is_empty()).then(|| Revision {
            number: record.number,
            at: record.at.to_rfc3339(),
            by: (&record.author).into(),
            proposal: record.proposal,
            restores: record.restores,
            changed,
        })
    });
    Ok(json(200, &Revisions { revisions: told.collect() }))
}

fn told(change: &metadata::revision::EntryChange) -> Changed {
    let what = match (&change.before, &change.after) {
        (None, _) => WhatChanged::Added,
        (Some(_), Some(_)) => WhatChanged::Changed,
        (Some(_), None) => WhatChanged::Removed,
    };
    let document = change.after.as_ref().map(|entry| entry.document().to_owned());
    Changed { entry: change.id.to_string(), what, document }
}
