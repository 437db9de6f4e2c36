//! What we publish of the federation: our own entities and the registered ones that are live, each signed by itself, and all of them in one
//! document (`metadata::publish`).
//!
//! Everything is signed before anybody asks: when the registry changes, when half of the validity has passed, and when something expires. What did
//! not change since the last round is kept. The work goes in small pieces through the pool that logins use, so that they come in between; a
//! request never signs. Only compressed octets are kept; who wants them plain has them inflated while they are sent.
//!
//! Rounds begin at multiples of half the validity, so that nodes with the same registry and an RSA key answer octet by octet the same.
//!
//! Neighbours: `endpoint/mdq.rs` answers with this; `registry_watch.rs` has the documents; `own_metadata.rs` those about ourselves.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write},
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use broker_core::{identifier::ProviderId, moment::Timestamp};
use bytes::Bytes;
use certs::DigestAlgorithm;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use metadata::{
    Registry, SamlProvider,
    publish::{
        CollectionName, NotPublished, PublishedEntity, Role, Terms, collection, identifier, published,
    },
    revision::{Entry, EntryId},
};

use crate::{config::PublishSection, heavy_work::Lane, moment, wiring::Node};

/// So many entities are signed in one piece of work.
const BATCH: usize = 8;
/// How long a round waits when logins need all there is.
const PATIENCE: Duration = Duration::from_millis(200);
/// So often, before it gives up until the next second.
const TRIES: usize = 300;

/// What is published now.
#[derive(Default)]
pub(crate) struct Feed {
    snapshot: ArcSwap<Snapshot>,
    under_way: AtomicBool,
}

/// One round's outcome.
#[derive(Default)]
pub(crate) struct Snapshot {
    /// By entity ID.
    entities: BTreeMap<String, Arc<Kept>>,
    /// Entity IDs by the SHA-1 that MDQ may ask by.
    by_digest: BTreeMap<String, String>,
    /// Everything; `None`: nothing, or not made yet.
    pub(crate) all: Option<Arc<Document>>,
    /// The identity providers alone.
    pub(crate) providers: Option<Arc<Document>>,
    /// Whether the round that made this is at its end: then what is not there does not exist.
    pub(crate) is_whole: bool,
    /// The revision and the round it was made for.
    made_for: Option<(u64, i64)>,
    /// When something in it expires.
    expires: Option<Timestamp>,
}

/// A signed document, compressed.
pub(crate) struct Document {
    /// gzip (RFC 1952).
    pub(crate) compressed: Bytes,
    /// Octets when inflated.
    pub(crate) length: u64,
    /// What names this very document: hexadecimal digits.
    pub(crate) tag: String,
    /// Until when it may be used.
    pub(crate) valid_until: Timestamp,
}

/// An entity and what it was made of.
struct Kept {
    made_of: String,
    role: Role,
    about_document: [Range<usize>; 2],
    document: Arc<Document>,
}

/// An entity that is to be published.
struct Wanted {
    entity_id: String,
    made_of: String,
    role: Role,
    from: From,
}

/// Where its octets are.
enum From {
    Here(Vec<u8>),
    Document(String),
}

impl Snapshot {
    /// The document of an entity, by its ID or by `{sha1}` and the digest of that (SAML MDQ, section 2.1).
    pub(crate) fn entity(&self, asked: &str, registry: &Registry, now: Timestamp) -> Option<Arc<Document>> {
        let entity_id = match asked.strip_prefix("{sha1}") {
            Some(digest) => self.by_digest.get(digest)?,
            None => asked,
        };
        let kept = self.entities.get(entity_id)?;
        // A suspension holds from the moment that this node knows of it, not from the next round.
        let is_live = kept.role == Role::ServiceProvider
            || registry
                .saml_provider(&ProviderId::new(entity_id))
                .is_some_and(|provider| is_live(registry, provider, now));
        (is_live && kept.document.valid_until > now).then(|| kept.document.clone())
    }
}

impl Feed {
    /// What is published now.
    pub(crate) fn now(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Begins a round beside everything else, if one is due and none is under way.
    pub(crate) fn tend(node: &Arc<Node>) {
        let Some(section) = node.config.file.publish.as_ref().filter(|section| section.feed) else { return };
        let now = moment::now();
        let snapshot = node.feed.now();
        let due = (node.registry.any().number(), round_of(section, now));
        let expired = snapshot.expires.is_some_and(|expires| expires <= now);
        if snapshot.is_whole && snapshot.made_for == Some(due) && !expired {
            return;
        }
        if node.feed.under_way.swap(true, Ordering::AcqRel) {
            return;
        }
        let node = node.clone();
        tokio::spawn(async move {
            if let Err(error) = round(&node, now).await {
                tracing::error!(%error, "metadata could not be published; the next try is in a second");
            }
            node.feed.under_way.store(false, Ordering::Release);
        });
    }
}

/// The number of the round that a moment belongs to.
fn round_of(section: &PublishSection, now: Timestamp) -> i64 {
    now.0.div_euclid(section.validity_seconds() / 2)
}

/// Whether a provider may be asked now: only those are published.
fn is_live(registry: &Registry, provider: &SamlProvider, now: Timestamp) -> bool {
    let policy = &provider.policy;
    registry.suspensions().allow_provider(&policy.id, &policy.organisation.number).is_ok()
        && !provider.signing_keys.is_empty()
        && provider.valid_until.is_none_or(|until| until > now)
}

async fn round(node: &Arc<Node>, now: Timestamp) -> Result<(), String> {
    let Some(section) = node.config.file.publish.as_ref() else { return Ok(()) };
    let registry = node.registry.any();
    let round = round_of(section, now);
    let created = Timestamp(round.saturating_mul(section.validity_seconds() / 2));
    let terms = Terms {
        valid_until: created.plus(section.validity_seconds()),
        cache_seconds: section.cache_seconds,
        created,
        publisher: section.publisher.clone().unwrap_or_else(|| node.config.file.issuer.clone()),
        publication_id: format!("{}.{round}", registry.number()),
        registration_authority: section.registration_authority.clone(),
    };
    let wanted = wanted(node, &registry, round, now)?;
    let before = node.feed.now();
    let mut entities: BTreeMap<String, Arc<Kept>> = BTreeMap::new();
    let mut missing = Vec::new();
    for wanted in wanted {
        match before.entities.get(&wanted.entity_id).filter(|kept| kept.made_of == wanted.made_of) {
            Some(kept) => {
                entities.insert(wanted.entity_id, kept.clone());
            }
            None => missing.push(wanted),
        }
    }
    if before.entities.iter().any(|(id, kept)| entities.get(id).is_none_or(|now| !Arc::ptr_eq(now, kept))) {
        // Something is taken back: nothing that still has it goes out while the new documents are made.
        node.feed.snapshot.store(Arc::new(Snapshot::of(entities.clone())));
    }
    for batch in batches(missing) {
        for (entity_id, kept) in sign(node, batch, &terms).await? {
            entities.insert(entity_id, Arc::new(kept));
        }
    }
    let mut snapshot = Snapshot::of(entities);
    snapshot.all = collect(node, &snapshot, "/metadata/all.xml", &terms, |_| true).await?;
    let providers = |role| role == Role::IdentityProvider;
    snapshot.providers = collect(node, &snapshot, "/metadata/idps.xml", &terms, providers).await?;
    snapshot.is_whole = true;
    snapshot.made_for = Some((registry.number(), round));
    tracing::info!(
        entities = snapshot.entities.len(),
        revision = registry.number(),
        "metadata was published"
    );
    node.feed.snapshot.store(Arc::new(snapshot));
    Ok(())
}

/// What is to be published: what each is made of changes when, and only when, its document would.
fn wanted(node: &Node, registry: &Registry, round: i64, now: Timestamp) -> Result<Vec<Wanted>, String> {
    let mut wanted = Vec::new();
    for entity in node.service_providers() {
        let Some(octets) = node.own_metadata(&entity.name, moment::moment())? else { continue };
        wanted.push(Wanted {
            entity_id: entity.settings.entity_id.clone(),
            made_of: format!("{} {round}", metadata::revision::document_name(&octets)),
            role: Role::ServiceProvider,
            from: From::Here(octets),
        });
    }
    for provider in registry.saml_providers().filter(|provider| is_live(registry, provider, now)) {
        let id = &provider.policy.id;
        let entry = registry.manifest().entries.get(&EntryId::SamlProvider(id.clone()));
        let Some(document) = entry.map(Entry::document) else { continue };
        let without: Vec<String> =
            provider.suspended_keys.iter().map(|key| key.thumbprint().to_string()).collect();
        wanted.push(Wanted {
            entity_id: id.as_str().to_owned(),
            made_of: format!("{document} {round} {}", without.join(" ")),
            role: Role::IdentityProvider,
            from: From::Document(document.to_owned()),
        });
    }
    Ok(wanted)
}

fn batches(mut all: Vec<Wanted>) -> impl Iterator<Item = Vec<Wanted>> {
    std::iter::from_fn(move || {
        let rest = all.split_off(all.len().min(BATCH));
        let batch = std::mem::replace(&mut all, rest);
        (!batch.is_empty()).then_some(batch)
    })
}

/// Signs a few entities. One that cannot be published is told of and left out: it must not stop the others.
async fn sign(node: &Arc<Node>, batch: Vec<Wanted>, terms: &Terms) -> Result<Vec<(String, Kept)>, String> {
    let mut read = Vec::new();
    for wanted in batch {
        let octets = match &wanted.from {
            From::Here(octets) => octets.clone(),
            From::Document(name) => {
                let store = &**node.vault.store();
                node.registry.document(store, name).await.ok_or("a registered document cannot be read")?
            }
        };
        read.push((wanted, octets));
    }
    let read = Arc::new(read);
    let (signing, terms, registry) = (node.clone(), terms.clone(), node.registry.any());
    at_leisure(node, move || {
        let sign = |(wanted, octets): &(Wanted, Vec<u8>)| {
            let suspended = |key: &certs::PublicKey| {
                registry
                    .saml_provider(&ProviderId::new(wanted.entity_id.as_str()))
                    .is_some_and(|provider| provider.suspended_keys.contains(key))
            };
            let made = publish(&signing, wanted, octets, &suspended, &terms);
            match made {
                Ok(kept) => Some((wanted.entity_id.clone(), kept)),
                Err(error) => {
                    tracing::warn!(entity = wanted.entity_id, %error, "a registered entity is not published");
                    None
                }
            }
        };
        read.iter().filter_map(sign).collect()
    })
    .await
}

fn publish(
    node: &Node,
    wanted: &Wanted,
    octets: &[u8],
    suspended: &dyn Fn(&certs::PublicKey) -> bool,
    terms: &Terms,
) -> Result<Kept, NotPublished> {
    let signer = &**node.keys.metadata_signing();
    // The same on every node, whatever it has seen before.
    let publication_id = wanted.made_of.chars().filter(|letter| *letter != ' ').take(32).collect();
    let terms = Terms { publication_id, ..terms.clone() };
    let made = published(octets, &wanted.entity_id, wanted.role, suspended, &terms, signer)?;
    let mut out = Compressing::new();
    out.write_all(&made.octets).map_err(|error| NotPublished::Other(error.to_string()))?;
    Ok(Kept {
        made_of: wanted.made_of.clone(),
        role: wanted.role,
        about_document: made.about_document,
        document: Arc::new(out.finish(made.valid_until)?),
    })
}

/// Puts the entities of some roles into one document; `None`: there are none.
async fn collect(
    node: &Arc<Node>,
    snapshot: &Snapshot,
    path: &str,
    terms: &Terms,
    wanted: impl Fn(Role) -> bool,
) -> Result<Option<Arc<Document>>, String> {
    let chosen: Vec<Arc<Kept>> =
        snapshot.entities.values().filter(|kept| wanted(kept.role)).cloned().collect();
    if chosen.is_empty() {
        return Ok(None);
    }
    let address = node.config.at(path);
    let of = chosen.iter().map(|kept| kept.document.tag.as_str());
    let identifier = identifier([address.as_str(), &terms.publication_id].into_iter().chain(of));
    let name = CollectionName { name: address, identifier };
    let (terms, signing, chosen) = (terms.clone(), node.clone(), Arc::new(chosen));
    let made = at_leisure(node, move || {
        let mut out = Compressing::new();
        let entities = || chosen.iter().map(|kept| inflated(kept));
        let signer = &**signing.keys.metadata_signing();
        collection(&name, &terms, entities, signer, &mut out)?;
        // An entity that ends sooner says so itself, and the document is made again then.
        out.finish(terms.valid_until)
    })
    .await?;
    made.map(|document| Some(Arc::new(document))).map_err(|error| error.to_string())
}

fn inflated(kept: &Kept) -> Result<Vec<u8>, NotPublished> {
    let mut octets = Vec::new();
    GzDecoder::new(&*kept.document.compressed)
        .read_to_end(&mut octets)
        .map_err(|error| NotPublished::Other(error.to_string()))?;
    Ok(PublishedEntity::unsigned(&octets, &kept.about_document))
}

/// Runs a piece of work when logins leave room for it.
async fn at_leisure<T: Send + 'static>(
    node: &Arc<Node>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    // The pool gives work that it has no room for back as refused, and with it gone: so it is kept here until its turn has come.
    let work = Arc::new(std::sync::Mutex::new(Some(work)));
    for _ in 0..TRIES {
        let turn = work.clone();
        let run = move || {
            let work = turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            work.map(|work| work())
        };
        match node.work.run(Lane::Beginning, run).await {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => return Err("the work did not end".to_owned()),
            Err(_) => tokio::time::sleep(PATIENCE).await,
        }
    }
    Err("logins leave no room for it".to_owned())
}

impl Snapshot {
    fn of(entities: BTreeMap<String, Arc<Kept>>) -> Self {
        let by_digest = entities.keys().map(|id| (sha1(id), id.clone())).collect();
        let expires = entities.values().map(|kept| kept.document.valid_until).min();
        Self { entities, by_digest, expires, ..Self::default() }
    }
}

/// The transformed identifier of SAML MDQ, section 2.1: a name, and no security rests on it.
fn sha1(entity_id: &str) -> String {
    DigestAlgorithm::Sha1.digest(entity_id.as_bytes()).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Compresses and names what is written to it.
struct Compressing {
    out: GzEncoder<Vec<u8>>,
    hasher: certs::Hasher,
    length: u64,
}

impl Compressing {
    fn new() -> Self {
        Self {
            out: GzEncoder::new(Vec::new(), Compression::default()),
            hasher: DigestAlgorithm::Sha256.hasher(),
            length: 0,
        }
    }

    fn finish(self, valid_until: Timestamp) -> Result<Document, NotPublished> {
        let compressed = self.out.finish().map_err(|error| NotPublished::Other(error.to_string()))?;
        let tag = self.hasher.finish().iter().take(16).map(|octet| format!("{octet:02x}")).collect();
        Ok(Document { compressed: Bytes::from(compressed), length: self.length, tag, valid_until })
    }
}

impl Write for Compressing {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.out.write_all(octets)?;
        self.hasher.update(octets);
        self.length = self.length.saturating_add(octets.len() as u64);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::sha1;

    #[test]
    fn the_transformed_identifier_is_that_of_the_specification() {
        assert_eq!(sha1("http://example.org/service"), "11d72e8cf351eb6c75c721e838f469677ab41bdb");
    }
}
