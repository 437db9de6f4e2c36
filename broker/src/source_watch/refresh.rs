//! One source asked: fetched into a file, verified and taken apart, its new briefs kept, the head of the sources moved last, and what nothing names
//! any more forgotten. Whatever goes wrong on the way leaves what was there.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use broker_core::{
    moment::Timestamp,
    port::{HeadMoved, Store},
};
use metadata::{
    revision::{Head, document_name},
    source::{
        Counts, Difference, Held, Index, Member, Members, Read, Reading, SourceKind,
        aggregate::{Aggregate, AggregateEntity, AggregateLimits, Unproven, read_aggregate},
        may_follow,
    },
};

use super::{HEAD, Known, Source, Sources};
use crate::{
    moment,
    outbound::{Conditions, Downloaded, Wanted},
};

/// What metadata is called in HTTP (Metadata Query Protocol for SAML 3.1).
pub(super) const MEDIA_TYPE: &str = "application/samlmetadata+xml";
/// For a document to arrive.
const WITHIN: Duration = Duration::from_secs(300);
/// Redirects that are followed (IIP-MD02).
const REDIRECTS: usize = 5;
/// Documents that are kept, or forgotten, at once.
const BATCH: usize = 256;
/// How often another node may be faster.
const ATTEMPTS: usize = 10;

/// How far it is, for whoever watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is being fetched.
    Fetching,
    /// That many entities have been read.
    Read(u64),
    /// The signature holds. That many documents of so many are kept.
    Kept(u64, u64),
}

/// Who is told.
pub(crate) type Watcher = Arc<dyn Fn(Progress) + Send + Sync>;

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The source has what it had.
    Unchanged {
        /// How long it wants to be left alone.
        cache_duration: Option<i64>,
    },
    /// It was read.
    Read {
        /// What was met.
        counts: Counts,
        /// What is other than before.
        difference: Difference,
        /// How long it wants to be left alone.
        cache_duration: Option<i64>,
    },
}

impl Outcome {
    /// How long the source wants to be left alone, in seconds.
    pub(crate) fn cache_duration(&self) -> Option<i64> {
        match self {
            Self::Unchanged { cache_duration } | Self::Read { cache_duration, .. } => *cache_duration,
        }
    }
}

/// A document that arrived.
struct Arrived {
    path: PathBuf,
    /// It is ours, and goes when it has been read.
    staged: bool,
    etag: Option<String>,
    last_modified: Option<String>,
}

impl Drop for Arrived {
    fn drop(&mut self) {
        if self.staged {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What is to stand in the index for a source, after what is known now; the name of the members is filled in.
pub(super) type Make<'a> = dyn Fn(&Known) -> Result<(Held, Members), String> + Send + Sync + 'a;

impl Sources {
    /// Asks a source, and takes over what it says.
    ///
    /// # Errors
    /// A sentence for the log and the operator; what was held is held.
    pub(crate) async fn refresh(
        &self,
        source: &Arc<Source>,
        store: &dyn Store,
        watcher: &Watcher,
    ) -> Result<Outcome, String> {
        let _ = self.follow(store).await?;
        if source.settings.kind == SourceKind::Mdq {
            return self.refresh_looked_up(source, store).await;
        }
        let known = self.known();
        let settings = source.settings.fingerprint();
        let held = known.index.sources.get(source.name());
        // What was read under other settings, or by a key that is the source's no more, is read anew.
        let good = held.filter(|held| {
            held.settings == settings && held.key.as_ref().is_some_and(|key| source.thumbprints.contains(key))
        });
        watcher(Progress::Fetching);
        let Some(arrived) = self.fetched(source, good).await? else {
            let until = good.and_then(|held| held.valid_until);
            if let Some(until) = until.filter(|until| *until <= moment::now()) {
                return Err(format!("it has nothing newer than what was valid until {until}"));
            }
            return Ok(Outcome::Unchanged { cache_duration: good.and_then(|held| held.cache_duration) });
        };
        let before = good.and_then(|_| known.members.get(source.name()).cloned()).unwrap_or_default();
        let _one = self.reading.acquire().await.map_err(|error| error.to_string())?;
        let (read, aggregate) = {
            let (source, held, watcher) = (Arc::clone(source), held.cloned(), Arc::clone(watcher));
            let path = arrived.path.clone();
            let reading = move || read_file(&path, &source, &before, held.as_ref(), moment::now(), &watcher);
            tokio::task::spawn_blocking(reading).await.map_err(|error| error.to_string())??
        };
        let (counts, difference) = (read.counts.clone(), read.difference);
        let held = Held {
            members: String::new(),
            settings,
            key: Some(aggregate.key),
            publisher: aggregate.publisher,
            creation_instant: aggregate.creation_instant,
            valid_until: aggregate.valid_until,
            cache_duration: aggregate.cache_duration,
            at: moment::now(),
            etag: arrived.etag.clone(),
            last_modified: arrived.last_modified.clone(),
            counts: counts.clone(),
        };
        let members = read.members;
        let make = |known: &Known| {
            if let Some(theirs) = known.index.sources.get(source.name()) {
                may_follow(theirs.times(), held.times()).map_err(|error| error.to_string())?;
            }
            Ok((held.clone(), members.clone()))
        };
        self.take_over(source, read.documents, &make, store, watcher).await?;
        Ok(Outcome::Read { counts, difference, cache_duration: aggregate.cache_duration })
    }

    /// Fetches a source and verifies it, and takes nothing over.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(crate) async fn try_out(&self, source: &Arc<Source>) -> Result<(), String> {
        let Some(arrived) = self.fetched(source, None).await? else { return Ok(()) };
        let source = Arc::clone(source);
        let reading = move || {
            let watcher: Watcher = Arc::new(|_| {});
            read_file(&arrived.path, &source, &Members::default(), None, moment::now(), &watcher).map(drop)
        };
        tokio::task::spawn_blocking(reading).await.map_err(|error| error.to_string())?
    }

    /// The document of a source in a file; `None`: it is what it was.
    async fn fetched(&self, source: &Source, held: Option<&Held>) -> Result<Option<Arrived>, String> {
        let address = source.settings.addresses().next().ok_or("it has no address")?;
        if let Some(path) = address.strip_prefix("file:") {
            return local(Path::new(path), held);
        }
        let outbound = self.outbound.as_ref().ok_or("there is no way out")?;
        std::fs::create_dir_all(&self.directory)
            .map_err(|error| format!("{} cannot be made: {error}", self.directory.display()))?;
        let path = self.directory.join(format!("{}.{}.fetched", source.name(), std::process::id()));
        let unwritten = |error: std::io::Error| format!("{} cannot be written: {error}", path.display());
        let mut file = std::io::BufWriter::new(File::create(&path).map_err(unwritten)?);
        let mut arrived = Arrived { path: path.clone(), staged: true, etag: None, last_modified: None };
        let wanted = Wanted {
            url: address,
            accept: MEDIA_TYPE,
            largest: source.settings.largest(),
            redirects: REDIRECTS,
            within: WITHIN,
        };
        let conditions = Conditions {
            etag: held.and_then(|held| held.etag.as_deref()),
            last_modified: held.and_then(|held| held.last_modified.as_deref()),
        };
        let came =
            outbound.download(wanted, conditions, &mut file).await.map_err(|error| error.to_string())?;
        match came {
            Downloaded::NotModified if held.is_some() => Ok(None),
            Downloaded::NotModified => Err(format!("{address} says that nothing changed, and was not asked")),
            Downloaded::Absent => Err(format!("{address} has nothing (404)")),
            Downloaded::Body { etag, last_modified } => {
                (arrived.etag, arrived.last_modified) = (etag, last_modified);
                Ok(Some(arrived))
            }
        }
    }

    /// Puts what a source has into the store, and moves the head of the sources if nobody else has in between.
    ///
    /// # Errors
    /// A sentence for the log; what was held is held.
    pub(super) async fn take_over(
        &self,
        source: &Source,
        documents: BTreeMap<String, Vec<u8>>,
        make: &Make<'_>,
        store: &dyn Store,
        watcher: &Watcher,
    ) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        let mut fresh = documents;
        let mut unkept: Vec<String> = fresh.keys().cloned().collect();
        for _ in 0..ATTEMPTS {
            let known = self.known();
            let (mut held, members) = make(&known)?;
            let list = members.to_document().map_err(|error| error.to_string())?;
            held.members = document_name(&list);
            let mut pins = (*known.pins).clone();
            pins.pin(members.entries.keys(), source.settings.vouches.subject_source);
            let pins = pins.to_document().map_err(|error| error.to_string())?;
            let mut index = if known.head.is_some() { known.index.clone() } else { Index::new() };
            index.pins = Some(document_name(&pins));
            let members_name = held.members.clone();
            index.sources.insert(source.name().to_owned(), held);
            let document = index.to_document().map_err(|error| error.to_string())?;
            let head = Head {
                number: known.number + 1,
                manifest: document_name(&document),
                record: None,
                at: moment::now(),
            };
            let own = [members_name, document_name(&pins), head.manifest.clone()];
            unkept.extend(own.iter().cloned());
            fresh.extend(own.into_iter().zip([list, pins, document]));
            // A note of an attempt in which others were faster stays, and is swept: what was put may be what they rely on.
            let noted = self.noted(&unkept, store).await?;
            self.kept(&unkept, &fresh, store, watcher).await?;
            unkept.clear();
            let sealed = head.seal(&self.mac);
            let moved = store.move_head(HEAD, known.head.as_deref(), &sealed).await;
            let moved = moved.map_err(|error| error.to_string())? == HeadMoved::Moved;
            let _ = self.followed(store, &fresh).await?;
            if moved {
                self.forget(&known, store).await;
                if let Some(noted) = noted {
                    // It has happened. An entry that stays is swept later, and what is live is not.
                    let _ = self.journal.settle(store, noted, moment::now()).await;
                }
                return Ok(());
            }
        }
        Err("other nodes changed the sources again and again".to_owned())
    }

    /// Puts documents into the store.
    async fn kept(
        &self,
        names: &[String],
        documents: &BTreeMap<String, Vec<u8>>,
        store: &dyn Store,
        watcher: &Watcher,
    ) -> Result<(), String> {
        let total = u64::try_from(names.len()).unwrap_or(u64::MAX);
        let mut kept = 0;
        for batch in names.chunks(BATCH) {
            let batch: Vec<Vec<u8>> = batch.iter().filter_map(|name| documents.get(name)).cloned().collect();
            store.keep(&batch).await.map_err(|error| error.to_string())?;
            kept += u64::try_from(batch.len()).unwrap_or(u64::MAX);
            watcher(Progress::Kept(kept, total));
        }
        Ok(())
    }

    /// Forgets what `before` named and nothing names any more. What is not forgotten today costs room, not truth.
    async fn forget(&self, before: &Known, store: &dyn Store) {
        let after = self.known().names();
        let gone: Vec<String> = before.names().difference(&after).cloned().collect();
        for batch in gone.chunks(BATCH) {
            if let Err(error) = store.discard(batch).await {
                tracing::warn!(%error, "what no source names any more could not be forgotten");
                return;
            }
        }
    }
}

/// A file of this machine.
fn local(path: &Path, held: Option<&Held>) -> Result<Option<Arrived>, String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let about = std::fs::metadata(path).map_err(unreadable)?;
    let changed = about.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let mark = changed.map(|since| format!("{}.{} {}", since.as_secs(), since.subsec_nanos(), about.len()));
    if mark.is_some() && held.is_some_and(|held| held.last_modified == mark) {
        return Ok(None);
    }
    Ok(Some(Arrived { path: path.to_owned(), staged: false, etag: None, last_modified: mark }))
}

/// Verifies a file and takes it apart.
fn read_file(
    path: &Path,
    source: &Source,
    before: &Members,
    held: Option<&Held>,
    now: Timestamp,
    watcher: &Watcher,
) -> Result<(Read, Aggregate), String> {
    let file = File::open(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let limits = limits(source);
    let mut reading = Reading::new(&source.settings, before, now);
    let mut read = 0;
    let each = |entity| {
        reading.meet(entity);
        read += 1;
        if read % 64 == 0 {
            watcher(Progress::Read(read));
        }
        Ok(())
    };
    let aggregate =
        read_aggregate(file, &source.keys, &limits, now, each).map_err(|error| error.to_string())?;
    watcher(Progress::Read(read));
    let read = reading.finish(&aggregate, held).map_err(|error| error.to_string())?;
    Ok((read, aggregate))
}

pub(super) fn limits(source: &Source) -> AggregateLimits {
    AggregateLimits {
        octets: u64::try_from(source.settings.largest()).unwrap_or(u64::MAX),
        max_validity_seconds: i64::from(source.settings.max_validity_seconds),
        require_valid_until: source.settings.require_valid_until,
        ..AggregateLimits::default()
    }
}

/// What is read of an answer about one entity.
pub(super) fn read_answer(
    octets: &[u8],
    source: &Source,
    wanted: &str,
    now: Timestamp,
) -> Result<(Member, BTreeMap<String, Vec<u8>>), String> {
    let before = Members::default();
    let mut reading = Reading::new(&source.settings, &before, now);
    let mut others = 0;
    let each = |entity: Unproven<AggregateEntity>| {
        if entity.unproven().entity_id == wanted {
            reading.meet(entity);
        } else {
            others += 1;
        }
        Ok(())
    };
    let limits = limits(source);
    let aggregate =
        read_aggregate(octets, &source.keys, &limits, now, each).map_err(|error| error.to_string())?;
    if others > 0 {
        return Err("the answer is about another entity than the one asked for".to_owned());
    }
    let read = reading.finish(&aggregate, None).map_err(|error| error.to_string())?;
    let member =
        read.members.entries.into_values().next().ok_or("the answer has nobody that signs people in")?;
    let refresh = source.settings.refresh_after(aggregate.cache_duration);
    Ok((
        Member {
            valid_until: [member.valid_until, aggregate.valid_until].into_iter().flatten().min(),
            refresh_at: Some(now.plus(refresh)),
            creation_instant: aggregate.creation_instant,
            key: Some(aggregate.key),
            ..member
        },
        read.documents,
    ))
}
