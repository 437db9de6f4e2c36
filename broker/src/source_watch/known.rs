//! What a node knows of the sources. The head `sources` is numbered and under a MAC, like the registry's: one that somebody without the key wrote,
//! or that is older than what was seen, is refused with an alarm, and what was known stays. A copy lies on this node's disk, one file for each source,
//! so that the node can start alone.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::Write as _,
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use broker_core::port::Store;
use certs::mac::MacKey;
use metadata::{
    revision::{Head, document_name},
    source::{Index, Members, Pins},
};

use super::Sources;

/// The head's name in the store.
pub(crate) const HEAD: &str = "sources";
/// Documents that are asked for at once.
const BATCH: usize = 256;

/// What all sources have.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The head as it stands in the store.
    pub(crate) head: Option<Vec<u8>>,
    /// Its number; 0: there is none yet.
    pub(crate) number: u64,
    /// What it names.
    pub(crate) index: Index,
    /// The members of each source.
    pub(crate) members: BTreeMap<String, Arc<Members>>,
    /// What subject identifiers are made from.
    pub(crate) pins: Arc<Pins>,
    /// The briefs of all members, by name.
    pub(crate) briefs: HashMap<String, Arc<[u8]>>,
}

impl Known {
    /// Every document that it needs in the store.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let index = self.index.name().ok().filter(|_| self.head.is_some());
        let documents = self.index.documents().map(str::to_owned);
        let briefs = self.members.values().flat_map(|members| members.briefs()).map(str::to_owned);
        index.into_iter().chain(documents).chain(briefs).collect()
    }

    /// What lies on this node's disk; `None`: nothing.
    ///
    /// # Errors
    /// A sentence for the log: it is not whole, or not authentic.
    pub(super) fn from_disk(directory: &Path, mac: &MacKey) -> Result<Option<Self>, String> {
        let Ok(head) = std::fs::read(directory.join("head")) else { return Ok(None) };
        let opened = Head::open(&head, mac).map_err(|error| error.to_string())?;
        let read =
            |name: &str| std::fs::read(directory.join(name)).map_err(|error| format!("{name}: {error}"));
        let index = read("index")?;
        if document_name(&index) != opened.manifest {
            return Err("the index is not the one that the head names".to_owned());
        }
        let index = Index::from_document(&index).map_err(|error| error.to_string())?;
        let pins = match &index.pins {
            None => Pins::default(),
            Some(name) => {
                let pins = read("pins")?;
                if document_name(&pins) != *name {
                    return Err("the pins are not those that the index names".to_owned());
                }
                Pins::from_document(&pins).map_err(|error| error.to_string())?
            }
        };
        let mut known =
            Self { head: Some(head), number: opened.number, pins: Arc::new(pins), ..Self::default() };
        for (name, held) in &index.sources {
            let file = read(&file_name(name, &held.members))?;
            let mut lines = file.split(|octet| *octet == b'\n');
            let members = lines.next().unwrap_or_default();
            if document_name(members) != held.members {
                return Err(format!("the members of {name} are not those that the index names"));
            }
            let members = Members::from_document(members).map_err(|error| error.to_string())?;
            for brief in lines.filter(|line| !line.is_empty()) {
                known.briefs.insert(document_name(brief), Arc::from(brief));
            }
            known.members.insert(name.clone(), Arc::new(members));
        }
        known.index = index;
        let mut briefs = known.members.values().flat_map(|members| members.briefs());
        if let Some(name) = briefs.find(|name| !known.briefs.contains_key(*name)) {
            return Err(format!("the brief {name} is missing"));
        }
        drop(briefs);
        Ok(Some(known))
    }

    /// Keeps it on this node's disk: the parts first, the head last, so that an interruption leaves the former one.
    fn keep(&self, directory: &Path) -> std::io::Result<()> {
        let Some(head) = &self.head else { return Ok(()) };
        std::fs::create_dir_all(directory)?;
        let mut files: BTreeSet<String> = ["head", "index", "pins"].map(str::to_owned).into();
        for (name, held) in &self.index.sources {
            let Some(members) = self.members.get(name) else { continue };
            let file = file_name(name, &held.members);
            if !directory.join(&file).exists() {
                let document = members.to_document().map_err(std::io::Error::other)?;
                let briefs = members.briefs().filter_map(|name| self.briefs.get(name)).map(AsRef::as_ref);
                staged(directory, &file, std::iter::once(document.as_slice()).chain(briefs))?;
            }
            files.insert(file);
        }
        // Between these the disk is not whole, and is not used by a node that starts then: it asks the store.
        let pins = self.pins.to_document().map_err(std::io::Error::other)?;
        staged(directory, "pins", std::iter::once(pins.as_slice()))?;
        let index = self.index.to_document().map_err(std::io::Error::other)?;
        staged(directory, "index", std::iter::once(index.as_slice()))?;
        staged(directory, "head", std::iter::once(head.as_slice()))?;
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(".members") && !files.contains(name) {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

fn file_name(source: &str, members: &str) -> String {
    format!("{source}-{}.members", members.get(..16).unwrap_or(members))
}

/// Writes parts, a line each when there are several, and puts the file in its place at once.
fn staged<'a>(directory: &Path, name: &str, parts: impl Iterator<Item = &'a [u8]>) -> std::io::Result<()> {
    let path = directory.join(format!("{name}.staged"));
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
    for (number, part) in parts.enumerate() {
        if number > 0 {
            file.write_all(b"\n")?;
        }
        file.write_all(part)?;
    }
    file.flush()?;
    drop(file);
    std::fs::rename(path, directory.join(name))
}

impl Sources {
    /// Looks at the head, and follows it. `true`: something is other than before.
    ///
    /// # Errors
    /// A sentence for the log; what was known stays.
    pub(crate) async fn follow(&self, store: &dyn Store) -> Result<bool, String> {
        if self.list.is_empty() {
            return Ok(false);
        }
        let _turn = self.turn.lock().await;
        self.followed(store, &BTreeMap::new()).await
    }

    /// The same, in this node's turn; `fresh` are documents that this node has just kept.
    pub(super) async fn followed(
        &self,
        store: &dyn Store,
        fresh: &BTreeMap<String, Vec<u8>>,
    ) -> Result<bool, String> {
        let known = self.known();
        let head = store.head(HEAD).await.map_err(|error| error.to_string())?;
        let alarm = |what: String| {
            self.alarmed.store(true, Ordering::Release);
            what
        };
        let Some(head) = head else {
            return if known.head.is_some() {
                Err(alarm(
                    "the store has nothing of the sources, and this node has seen some: was it emptied?"
                        .to_owned(),
                ))
            } else {
                Ok(false)
            };
        };
        if known.head.as_ref() == Some(&head) {
            self.alarmed.store(false, Ordering::Release);
            return Ok(false);
        }
        let refused = |error: metadata::revision::HeadRefused| {
            alarm(format!("the head of the sources is refused: {error}"))
        };
        let opened = Head::open(&head, &self.mac).map_err(refused)?;
        if let Some(seen) = &known.head {
            let seen = Head::open(seen, &self.mac).map_err(refused)?;
            opened.follows(&seen).map_err(refused)?;
        }
        let next = fetched(store, &known, &opened, head, fresh).await?;
        self.alarmed.store(false, Ordering::Release);
        let next = Arc::new(next);
        self.known.store(Arc::clone(&next));
        if !self.keeps_copy {
            return Ok(true);
        }
        let directory = self.directory.clone();
        let kept = tokio::task::spawn_blocking(move || next.keep(&directory)).await;
        if let Err(error) = kept.map_err(std::io::Error::other).and_then(|kept| kept) {
            tracing::warn!(%error, "what the sources have could not be kept on this node's disk");
        }
        Ok(true)
    }
}

/// What a head leads to. What did not change is taken over.
async fn fetched(
    store: &dyn Store,
    known: &Known,
    opened: &Head,
    head: Vec<u8>,
    fresh: &BTreeMap<String, Vec<u8>>,
) -> Result<Known, String> {
    let index = one(store, &opened.manifest, fresh).await?;
    let index = Index::from_document(&index).map_err(|error| error.to_string())?;
    let pins = match &index.pins {
        name if *name == known.index.pins => Arc::clone(&known.pins),
        None => Arc::default(),
        Some(name) => {
            Arc::new(Pins::from_document(&one(store, name, fresh).await?).map_err(|error| error.to_string())?)
        }
    };
    let mut next = Known { head: Some(head), number: opened.number, pins, ..Known::default() };
    let mut missing = Vec::new();
    for (name, held) in &index.sources {
        let same = known.index.sources.get(name).is_some_and(|before| before.members == held.members);
        let members = match known.members.get(name).filter(|_| same) {
            Some(members) => Arc::clone(members),
            None => {
                let document = one(store, &held.members, fresh).await?;
                Arc::new(Members::from_document(&document).map_err(|error| error.to_string())?)
            }
        };
        for brief in members.briefs() {
            match (known.briefs.get(brief), fresh.get(brief)) {
                (Some(octets), _) => _ = next.briefs.insert(brief.to_owned(), Arc::clone(octets)),
                (None, Some(octets)) => {
                    _ = next.briefs.insert(brief.to_owned(), Arc::from(octets.as_slice()))
                }
                (None, None) => missing.push(brief.to_owned()),
            }
        }
        next.members.insert(name.clone(), members);
    }
    for batch in missing.chunks(BATCH) {
        let found = store.kept(batch).await.map_err(|error| error.to_string())?;
        for (name, octets) in batch.iter().zip(found) {
            let octets = authentic(name, octets)?;
            next.briefs.insert(name.clone(), Arc::from(octets));
        }
    }
    next.index = index;
    Ok(next)
}

async fn one(store: &dyn Store, name: &str, fresh: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, String> {
    if let Some(octets) = fresh.get(name) {
        return Ok(octets.clone());
    }
    let found = store.kept(&[name.to_owned()]).await.map_err(|error| error.to_string())?;
    authentic(name, found.into_iter().next().flatten())
}

fn authentic(name: &str, octets: Option<Vec<u8>>) -> Result<Vec<u8>, String> {
    let octets = octets.ok_or_else(|| format!("the store has lost the document {name}"))?;
    if document_name(&octets) == name {
        Ok(octets)
    } else {
        Err(format!("the document {name} has been altered"))
    }
}
