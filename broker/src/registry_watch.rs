//! The registry while serving: the head is looked at each second, and a new snapshot replaces the old one whole (design decision 7).
//!
//! A head that is not authenticated, or older than what this node has seen, is refused; the last good snapshot stays, also on this node's disk,
//! so that it can start alone. A node that has not confirmed the head for 30 s takes no new logins: it could miss a suspension.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use arc_swap::{ArcSwap, ArcSwapOption};
use broker_core::{
    failure::{Failure, FailureCode},
    moment::Timestamp,
    port::{Store, StoreError},
};
use certs::mac::MacKey;
use metadata::{
    Registry,
    revision::{Head, Manifest},
};

use crate::source_watch::Sources;

/// The head's name in the store.
pub(crate) const HEAD: &str = "registry";
/// Seconds without a confirmation after which no login begins.
const STALE_SECONDS: i64 = 30;
/// How far, in seconds, this machine's clock may be set back without every confirmation before it losing its worth.
const CLOCK_STEP: i64 = 5;
/// Documents that are asked for at once.
const BATCH: usize = 256;

/// Why the registry was not confirmed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Unconfirmed {
    /// Nobody can say.
    #[error("{0}")]
    Away(String),
    /// What lies in the store is not to be believed, or is gone: an alarm.
    #[error("{0}")]
    Alarm(String),
}

impl From<StoreError> for Unconfirmed {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Away(why) => Self::Away(why),
            StoreError::Unexpected(why) => Self::Alarm(why),
        }
    }
}

/// What this node knows of the registry.
pub(crate) struct RegistryWatch {
    mac: MacKey,
    directory: PathBuf,
    /// What is registered.
    registered: ArcSwap<Registry>,
    /// What is registered, joined by what the sources have.
    registry: ArcSwap<Registry>,
    sources: Arc<Sources>,
    /// Swaps by this node, one at a time.
    turn: tokio::sync::Mutex<()>,
    head: ArcSwapOption<Vec<u8>>,
    confirmed: AtomicI64,
}

impl RegistryWatch {
    /// With the last good snapshot of this node's disk, if there is one.
    pub(crate) fn new(mac: MacKey, state: PathBuf, sources: Arc<Sources>) -> Self {
        let watch = Self {
            mac,
            directory: state.join("registry"),
            registered: ArcSwap::from_pointee(Registry::default()),
            sources,
            turn: tokio::sync::Mutex::new(()),
            registry: ArcSwap::from_pointee(Registry::default()),
            head: ArcSwapOption::empty(),
            confirmed: AtomicI64::new(i64::MIN),
        };
        match watch.last_good() {
            Ok(Some((head, registry))) => {
                tracing::info!(
                    revision = registry.number(),
                    "the last good registry was read from this node's disk"
                );
                watch.publish(Arc::new(registry));
                watch.head.store(Some(Arc::new(head)));
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the last good registry on this node's disk is not used"),
        }
        watch
    }

    /// The snapshot, whatever its age: for documents and pages.
    pub(crate) fn any(&self) -> Arc<Registry> {
        self.registry.load_full()
    }

    /// The snapshot, for a login.
    ///
    /// # Errors
    /// When the head has not been confirmed lately.
    pub(crate) fn confirmed(&self, now: Timestamp) -> Result<Arc<Registry>, Failure> {
        let confirmed = self.confirmed.load(Ordering::Acquire);
        let age = now.0.saturating_sub(confirmed);
        // A clock that was set back would make an old confirmation look new.
        if !(-CLOCK_STEP..=STALE_SECONDS).contains(&age) {
            let cause = if confirmed == i64::MIN {
                "the registry has not been read yet".to_owned()
            } else {
                format!("the registry was last confirmed {age} s ago")
            };
            return Err(Failure::new(FailureCode::RegistryStale, cause));
        }
        Ok(self.any())
    }

    /// Looks at the head, and follows it.
    ///
    /// # Errors
    /// [`Unconfirmed`]; the snapshot stays as it was.
    pub(crate) async fn refresh(
        &self,
        store: &dyn Store,
        clock: fn() -> Timestamp,
    ) -> Result<(), Unconfirmed> {
        // Taken before the question: an answer that was long on its way confirms only the moment in which it was asked for.
        let asked = clock();
        let head = store.head(HEAD).await?;
        let _turn = self.turn.lock().await;
        let known = self.head.load_full();
        let Some(head) = head else {
            if known.is_some() {
                return Err(Unconfirmed::Alarm(
                    "the store has no registry, and this node has seen one: was it emptied?".to_owned(),
                ));
            }
            self.confirmed.store(asked.0, Ordering::Release);
            return Ok(());
        };
        if known.as_deref() == Some(&head) {
            self.confirmed.store(asked.0, Ordering::Release);
            return Ok(());
        }
        let refused = |error| Unconfirmed::Alarm(format!("the registry's head is refused: {error}"));
        let opened = Head::open(&head, &self.mac).map_err(refused)?;
        let previous = self.registered.load_full();
        if let Some(known) = known.as_deref() {
            let known = Head::open(known, &self.mac).map_err(refused)?;
            opened.follows(&known).map_err(refused)?;
        }
        let (manifest, contents) = fetch(store, &opened, &self.directory).await?;
        let number = opened.number;
        let built = tokio::task::spawn_blocking(move || {
            let registry = build(number, &manifest, &contents, Some(&previous), clock());
            registry.map(|registry| (registry, manifest, contents))
        });
        let (registry, manifest, contents) =
            built.await.map_err(|error| Unconfirmed::Away(error.to_string()))?.map_err(Unconfirmed::Alarm)?;
        let registered = Arc::new(registry);
        let joined = joined(&self.sources, &registered, self.any()).await.map_err(Unconfirmed::Away)?;
        self.registered.store(registered);
        self.registry.store(joined);
        self.head.store(Some(Arc::new(head.clone())));
        self.confirmed.store(asked.0, Ordering::Release);
        tracing::info!(revision = number, "the registry was read");
        if let Err(error) = keep(&self.directory, &head, &opened, &manifest, &contents) {
            tracing::warn!(%error, "the registry could not be kept on this node's disk");
        }
        Ok(())
    }

    /// Joins anew what is registered and what the sources have, after the sources have something else.
    ///
    /// # Errors
    /// A sentence for the log, when the work could not be done.
    pub(crate) async fn rejoin(&self) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        let registered = self.registered.load_full();
        self.registry.store(joined(&self.sources, &registered, self.any()).await?);
        Ok(())
    }

    fn publish(&self, registered: Arc<Registry>) {
        let joined = self.sources.join(&registered, self.any().joined());
        self.registry.store(Arc::new(registered.joined_by(Arc::new(joined))));
        self.registered.store(registered);
    }

    /// A document of the registry, from this node's disk or from the store; `None`: neither has it, or the store is away.
    pub(crate) async fn document(&self, store: &dyn Store, name: &str) -> Option<Vec<u8>> {
        let (directory, wanted) = (self.directory.clone(), name.to_owned());
        let here = tokio::task::spawn_blocking(move || kept(&directory, &wanted)).await.ok().flatten();
        if here.is_some() {
            return here;
        }
        store.kept(&[name.to_owned()]).await.ok()?.into_iter().next().flatten()
    }

    fn last_good(&self) -> Result<Option<(Vec<u8>, Registry)>, String> {
        let Ok(head) = std::fs::read(self.directory.join("head")) else { return Ok(None) };
        let opened = Head::open(&head, &self.mac).map_err(|error| error.to_string())?;
        let read = |name: &str| kept(&self.directory, name);
        let manifest = read(&opened.manifest).ok_or("the list of documents is missing")?;
        let manifest = Manifest::from_document(&manifest).map_err(|error| error.to_string())?;
        let mut contents = HashMap::new();
        for name in manifest.documents() {
            contents.insert(
                name.to_owned(),
                read(name).ok_or_else(|| format!("the document {name} is missing"))?,
            );
        }
        let registry = build(opened.number, &manifest, &contents, None, crate::moment::now())?;
        Ok(Some((head, registry)))
    }
}

/// What is registered, joined by what the sources have, off the threads that serve.
async fn joined(
    sources: &Arc<Sources>,
    registered: &Arc<Registry>,
    before: Arc<Registry>,
) -> Result<Arc<Registry>, String> {
    if sources.all().is_empty() {
        return Ok(Arc::clone(registered));
    }
    let (sources, registered) = (Arc::clone(sources), Arc::clone(registered));
    let work = move || {
        let joined = sources.join(&registered, before.joined());
        Arc::new(registered.joined_by(Arc::new(joined)))
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())
}

/// The snapshot of a manifest.
///
/// # Errors
/// A sentence for the operator.
pub(crate) fn build(
    number: u64,
    manifest: &Manifest,
    contents: &HashMap<String, Vec<u8>>,
    previous: Option<&Registry>,
    now: Timestamp,
) -> Result<Registry, String> {
    let find = |name: &str| contents.get(name).map(Vec::as_slice);
    let registry =
        Registry::build(number, manifest, &find, previous, now).map_err(|error| error.to_string())?;
    for withheld in registry.withheld() {
        let rules: Vec<&str> = withheld.report.findings.iter().map(|finding| finding.rule.id).collect();
        tracing::warn!(id = %withheld.id, rules = rules.join(" "), "a registered document no longer passes, and its party takes no part");
    }
    Ok(registry)
}

/// The manifest of a head and its documents: from this node's disk where they are there, else from the store. Names are digests, so it does not
/// matter where octets come from.
pub(crate) async fn fetch(
    store: &dyn Store,
    head: &Head,
    directory: &Path,
) -> Result<(Manifest, HashMap<String, Vec<u8>>), Unconfirmed> {
    let manifest = one(store, directory, &head.manifest).await?;
    let manifest = Manifest::from_document(&manifest).map_err(|error| {
        Unconfirmed::Alarm(format!("the registry's list of documents is unreadable: {error}"))
    })?;
    let mut contents = HashMap::new();
    let mut missing = Vec::new();
    for name in manifest.documents() {
        match kept(directory, name) {
            Some(octets) => {
                contents.insert(name.to_owned(), octets);
            }
            None => missing.push(name.to_owned()),
        }
    }
    for batch in missing.chunks(BATCH) {
        let found = store.kept(batch).await?;
        for (name, octets) in batch.iter().zip(found) {
            contents.insert(name.clone(), octets.ok_or_else(|| lost(name))?);
        }
    }
    Ok((manifest, contents))
}

async fn one(store: &dyn Store, directory: &Path, name: &str) -> Result<Vec<u8>, Unconfirmed> {
    if let Some(octets) = kept(directory, name) {
        return Ok(octets);
    }
    let found = store.kept(&[name.to_owned()]).await?;
    found.into_iter().next().flatten().ok_or_else(|| lost(name))
}

fn lost(name: &str) -> Unconfirmed {
    Unconfirmed::Alarm(format!("the store has lost the document {name}"))
}

/// Reads a document of this node's disk, if it is there and whole.
fn kept(directory: &Path, name: &str) -> Option<Vec<u8>> {
    (name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(())?;
    let octets = std::fs::read(directory.join(name)).ok()?;
    (broker_store::keyspace::content_name(&octets) == name).then_some(octets)
}

/// Keeps a revision on this node's disk: documents first, the head last, so that an interruption leaves the former one.
fn keep(
    directory: &Path,
    head: &[u8],
    opened: &Head,
    manifest: &Manifest,
    contents: &HashMap<String, Vec<u8>>,
) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let write = |name: &str, octets: &[u8]| {
        let path = directory.join(name);
        if path.exists() && name != "head" {
            return Ok(());
        }
        let staged = directory.join(format!("{name}.part"));
        std::fs::write(&staged, octets)?;
        std::fs::rename(&staged, &path)
    };
    let document = manifest.to_document().map_err(std::io::Error::other)?;
    write(&opened.manifest, &document)?;
    for (name, octets) in contents {
        write(name, octets)?;
    }
    write("head", head)?;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name != "head" && name != opened.manifest && !contents.contains_key(name) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use broker_core::moment::Timestamp;
    use certs::mac::Secret;

    use super::{CLOCK_STEP, RegistryWatch, STALE_SECONDS};

    #[test]
    fn a_confirmation_holds_for_thirty_seconds_by_a_clock_that_goes_forward() {
        let key = Secret::from_octets([1; 32]).mac_key("registry head");
        let folder = tempfile::tempdir().expect("a folder");
        let watch = RegistryWatch::new(
            key,
            folder.path().to_owned(),
            crate::source_watch::Sources::none(folder.path().to_owned()),
        );
        let now = Timestamp(1_700_000_000);
        assert!(watch.confirmed(now).is_err(), "nothing was read yet");
        watch.confirmed.store(now.0, std::sync::atomic::Ordering::Release);
        for (later, holds) in [
            (0, true),
            (STALE_SECONDS, true),
            (STALE_SECONDS + 1, false),
            (-CLOCK_STEP, true),
            (-CLOCK_STEP - 1, false),
            (-86_400, false),
        ] {
            assert_eq!(watch.confirmed(now.plus(later)).is_ok(), holds, "{later} s later");
        }
    }
}
