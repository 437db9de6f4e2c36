//! Other federations' metadata while serving: each source is asked in turn by one node, what it has is followed by all (design decision 7).
//!
//! | file | what |
//! |---|---|
//! | `known.rs` | what this node knows of the sources: the authenticated head `sources`, followed each second, and kept on this node's disk |
//! | `refresh.rs` | one source asked: fetched, verified, read, kept; the head moved last |
//! | `duty.rs` | which node asks which source, and when next |
//! | `mdq.rs` | one entity looked up because somebody named it |
//! | `round.rs` | the loop |
//! | `sweep.rs` | what an interrupted refresh left in the store is found and forgotten |
//!
//! The old members stay until the new are whole. What is held is used until its own validUntil, and not after. Neighbours: `metadata::source` decides,
//! [`crate::registry_watch`] joins, [`crate::outbound`] fetches.

mod duty;
mod known;
mod mdq;
mod refresh;
mod round;
mod sweep;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwap;
use broker_core::moment::Timestamp;
use certs::{PublicKey, key_directory::KeyDirectory, mac::MacKey};
use metadata::{
    Registry,
    source::{InUse, Joined, Joining, SourceKind, SourceSettings},
};

use crate::{config::Config, journal::Journal, moment, outbound::Outbound};

pub(crate) use duty::Duties;
pub(crate) use known::{HEAD, Known};
pub(crate) use mdq::LookedUp;
pub(crate) use refresh::{Outcome, Progress};
pub(crate) use round::keep_fresh;

/// A source with its keys.
pub(crate) struct Source {
    /// What the operator decided.
    pub(crate) settings: SourceSettings,
    /// The keys that verify it, and nothing else.
    pub(crate) keys: Vec<PublicKey>,
    /// Their thumbprints.
    thumbprints: BTreeSet<String>,
}

impl Source {
    /// Reads the keys of a source.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(crate) fn new(settings: &SourceSettings) -> Result<Self, String> {
        let mut keys = Vec::new();
        for path in &settings.keys {
            let of = &settings.name;
            let text = std::fs::read_to_string(path).map_err(|error| {
                format!("the keys of the source {of}: {} cannot be read: {error}", path.display())
            })?;
            let found = PublicKey::all_from_pem(&text)
                .map_err(|error| format!("the keys of the source {of}: {}: {error}", path.display()))?;
            keys.extend(found);
        }
        let thumbprints = keys.iter().map(thumbprint).collect();
        Ok(Self { settings: settings.clone(), keys, thumbprints })
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }
}

fn thumbprint(key: &PublicKey) -> String {
    key.thumbprint().as_bytes().iter().map(|octet| format!("{octet:02x}")).collect()
}

/// All sources, in order of precedence.
pub(crate) struct Sources {
    list: Vec<Arc<Source>>,
    mac: MacKey,
    duties: Duties,
    /// What refreshes are about to put.
    journal: Journal,
    directory: PathBuf,
    keeps_copy: bool,
    known: ArcSwap<Known>,
    outbound: Option<Outbound>,
    /// Changes by this node, one at a time.
    turn: tokio::sync::Mutex<()>,
    /// Documents that are taken apart by this node, one at a time: that bounds the memory.
    reading: tokio::sync::Semaphore,
    alarmed: AtomicBool,
    look_ups: mdq::LookUps,
}

impl Sources {
    /// The sources of a configuration, with what this node knew of them last.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(crate) fn new(config: &Config, keys: &KeyDirectory) -> Result<Self, String> {
        let settings = &config.file.source;
        let list =
            settings.iter().map(|one| Source::new(one).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        let outbound = if list.is_empty() { None } else { Some(Outbound::of(&config.file.outbound)?) };
        let mut name = [0; 8];
        moment::entropy().fill(&mut name);
        let sources = Self {
            mac: keys.registry_secret().mac_key("sources head"),
            duties: Duties::new(keys.registry_secret().mac_key("source duty"), name),
            journal: Journal::of_refreshes(keys.registry_secret().mac_key("source pending head")),
            directory: config.file.state.join("sources"),
            keeps_copy: true,
            known: ArcSwap::from_pointee(Known::default()),
            outbound,
            turn: tokio::sync::Mutex::new(()),
            reading: tokio::sync::Semaphore::new(1),
            alarmed: AtomicBool::new(false),
            look_ups: mdq::LookUps::new(&list),
            list,
        };
        if !sources.list.is_empty() {
            match Known::from_disk(&sources.directory, &sources.mac) {
                Ok(Some(known)) => sources.known.store(Arc::new(known)),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "what this node's disk has of the sources is not used");
                }
            }
        }
        Ok(sources)
    }

    /// None at all.
    #[cfg(test)]
    pub(crate) fn none(directory: PathBuf) -> Arc<Self> {
        let key = || certs::mac::Secret::from_octets([2; 32]).mac_key("sources head");
        Arc::new(Self {
            list: Vec::new(),
            mac: key(),
            duties: Duties::new(key(), [0; 8]),
            journal: Journal::of_refreshes(key()),
            directory,
            keeps_copy: false,
            known: ArcSwap::default(),
            outbound: None,
            turn: tokio::sync::Mutex::new(()),
            reading: tokio::sync::Semaphore::new(1),
            alarmed: AtomicBool::new(false),
            look_ups: mdq::LookUps::new(&[]),
        })
    }

    /// Lets this node's disk be: for a command beside a node.
    pub(crate) fn keep_no_copy(&mut self) {
        self.keeps_copy = false;
    }

    /// Each source, in order of precedence.
    pub(crate) fn all(&self) -> &[Arc<Source>] {
        &self.list
    }

    /// The source of that name.
    pub(crate) fn named(&self, name: &str) -> Option<&Arc<Source>> {
        self.list.iter().find(|source| source.name() == name)
    }

    /// Who asks which, and when.
    pub(crate) fn duties(&self) -> &Duties {
        &self.duties
    }

    /// What this node knows now.
    pub(crate) fn known(&self) -> Arc<Known> {
        self.known.load_full()
    }

    /// Whether somebody without the keys wrote to the store, or put something old back.
    pub(crate) fn is_alarmed(&self) -> bool {
        self.alarmed.load(Ordering::Acquire)
    }

    /// What the sources bring to what is registered.
    pub(crate) fn join(&self, registered: &Registry, before: &Joined) -> Joined {
        let known = self.known();
        let in_use: Vec<InUse<'_>> = self
            .list
            .iter()
            .filter_map(|source| {
                Some(InUse {
                    settings: &source.settings,
                    keys: &source.thumbprints,
                    held: known.index.sources.get(source.name())?,
                    members: known.members.get(source.name())?,
                })
            })
            .collect();
        let briefs = |name: &str| known.briefs.get(name).cloned();
        Joining { registered, sources: &in_use, pins: &known.pins, briefs: &briefs, before }.join()
    }

    /// How each source stands, for `/health`: `fresh`, `old` (it could not be refreshed for half of its validity), `expired` or `absent`.
    pub(crate) fn states(&self, now: Timestamp) -> BTreeMap<String, &'static str> {
        let known = self.known();
        let state = |source: &Source| match known.index.sources.get(source.name()) {
            None if source.settings.kind == SourceKind::Mdq => "fresh",
            None => "absent",
            Some(held) if held.valid_until.is_some_and(|until| until <= now) => "expired",
            Some(held) if held.is_old(now) => "old",
            Some(_) => "fresh",
        };
        self.list.iter().map(|source| (source.name().to_owned(), state(source))).collect()
    }

    /// Which sources could not be refreshed for half of their validity; `None`: none.
    pub(crate) fn old(&self, now: Timestamp) -> Option<String> {
        let states = self.states(now);
        let old: Vec<String> = states
            .iter()
            .filter(|(_, state)| matches!(**state, "old" | "expired"))
            .map(|(name, state)| format!("{name} is {state}"))
            .collect();
        (!old.is_empty()).then(|| old.join(", "))
    }
}
