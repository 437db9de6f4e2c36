//! One entity looked up because a relying party named it (Metadata Query Protocol; IIP-MD01).
//!
//! Names come from strangers, so look-ups are budgeted for each source and each relying party, what is not there is remembered for a while, and many
//! who ask for one name ask once. Several responders are tried in order, two seconds all in all. The answer must be about the entity that was asked
//! for, and signed by a key of the source.

use std::{
    collections::{BTreeMap, HashMap},
    io::Write,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest;
use broker_core::{
    identifier::{ProviderId, RelyingPartyId},
    moment::Timestamp,
    port::Store,
};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use metadata::source::{Counts, Difference, Held, Member, Members, SourceKind, Times, may_follow};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::OnceCell;

use super::{
    Known, Outcome, Source, Sources,
    refresh::{MEDIA_TYPE, read_answer},
};
use crate::{
    moment,
    outbound::{Conditions, Downloaded, Wanted},
};

/// For all responders of all sources together, while a person waits.
const WITHIN: Duration = Duration::from_secs(2);
/// For one responder when nobody waits.
const PATIENT: Duration = Duration::from_secs(10);
/// One entity is no larger, in octets.
const LARGEST: usize = 1024 * 1024;
/// For how long a name that is not there is not asked for again, in seconds.
const ABSENT_SECONDS: i64 = 120;
/// How many such names are remembered.
const ABSENT_NAMES: usize = 10_000;
/// The most entities that one source may have by look-ups.
const MOST_MEMBERS: usize = 20_000;
/// How long after it expired an entity is forgotten, in seconds.
const FORGOTTEN: i64 = 86_400;
/// What stays as it is in a path (RFC 3986 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How a look-up ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LookedUp {
    /// A source has it now.
    Found,
    /// No source knows it, or none could be asked.
    Absent,
    /// Too many names were asked for.
    TooMany,
}

type Asked = Arc<OnceCell<bool>>;

/// What is counted and remembered of look-ups.
pub(super) struct LookUps {
    by_source: HashMap<String, DefaultDirectRateLimiter>,
    by_party: DefaultKeyedRateLimiter<RelyingPartyId>,
    absent: Mutex<HashMap<ProviderId, Timestamp>>,
    under_way: Mutex<HashMap<ProviderId, Asked>>,
}

impl LookUps {
    pub(super) fn new(list: &[Arc<Source>]) -> Self {
        let quota = |source: &Source| {
            Quota::per_minute(NonZeroU32::new(source.settings.look_ups_per_minute).unwrap_or(NonZeroU32::MIN))
        };
        let asked = list.iter().filter(|source| source.settings.kind == SourceKind::Mdq);
        // One relying party may use half of the smallest budget, so that it leaves something to the others.
        let least = asked.clone().map(|source| source.settings.look_ups_per_minute).min().unwrap_or(2);
        Self {
            by_source: asked
                .map(|source| (source.name().to_owned(), RateLimiter::direct(quota(source))))
                .collect(),
            by_party: RateLimiter::keyed(Quota::per_minute(
                NonZeroU32::new(least.div_ceil(2)).unwrap_or(NonZeroU32::MIN),
            )),
            absent: Mutex::default(),
            under_way: Mutex::default(),
        }
    }

    fn is_absent(&self, id: &ProviderId, now: Timestamp) -> bool {
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        absent.get(id).is_some_and(|until| *until > now)
    }

    fn remember_absent(&self, id: &ProviderId, now: Timestamp) {
        let mut absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        if absent.len() >= ABSENT_NAMES {
            absent.retain(|_, until| *until > now);
            if absent.len() >= ABSENT_NAMES {
                absent.clear();
            }
        }
        absent.insert(id.clone(), now.plus(ABSENT_SECONDS));
    }
}

impl Sources {
    /// Whether a source could know of a name that the registry does not have.
    pub(crate) fn answers_look_ups(&self) -> bool {
        self.list.iter().any(|source| source.settings.kind == SourceKind::Mdq)
    }

    /// Looks for an entity that a relying party named.
    pub(crate) async fn look_up(
        &self,
        id: &ProviderId,
        asked_by: &RelyingPartyId,
        store: &dyn Store,
    ) -> LookedUp {
        let now = moment::now();
        let is_address = id.as_str().len() <= 1024 && id.as_str().contains(':');
        let known = self.known();
        if !is_address
            || known.members.values().any(|members| members.entries.contains_key(id))
            || self.look_ups.is_absent(id, now)
        {
            return LookedUp::Absent;
        }
        let cell = {
            let mut under_way = self.look_ups.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            if !under_way.contains_key(id) && self.look_ups.by_party.check_key(asked_by).is_err() {
                return LookedUp::TooMany;
            }
            Arc::clone(under_way.entry(id.clone()).or_default())
        };
        let looking = cell.get_or_init(|| async {
            let found = tokio::time::timeout(WITHIN, self.asked_for(id, store)).await.unwrap_or(false);
            if !found {
                self.look_ups.remember_absent(id, now);
            }
            found
        });
        let found = *looking.await;
        self.look_ups.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        if found { LookedUp::Found } else { LookedUp::Absent }
    }

    /// Asks every source that can be asked, in order of precedence.
    async fn asked_for(&self, id: &ProviderId, store: &dyn Store) -> bool {
        for source in self.list.iter().filter(|source| source.settings.kind == SourceKind::Mdq) {
            let budget = self.look_ups.by_source.get(source.name());
            if budget.is_some_and(|budget| budget.check().is_err()) {
                tracing::warn!(source = source.name(), "more names are asked for than look_ups_per_minute");
                continue;
            }
            match self.answer(source, id, WITHIN).await {
                Ok(Some((member, documents))) => match self.add(source, id, member, documents, store).await {
                    Ok(()) => return true,
                    Err(error) => {
                        tracing::error!(source = source.name(), %error, "what was found could not be kept")
                    }
                },
                Ok(None) => {}
                Err(error) => tracing::warn!(source = source.name(), %error, "a look-up failed"),
            }
        }
        false
    }

    /// What the responders of a source say of an entity; `None`: that they do not know it.
    async fn answer(
        &self,
        source: &Arc<Source>,
        id: &ProviderId,
        within: Duration,
    ) -> Result<Option<(Member, BTreeMap<String, Vec<u8>>)>, String> {
        let outbound = self.outbound.as_ref().ok_or("there is no way out")?;
        let name = if source.settings.by_sha1 {
            let sum = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, id.as_str().as_bytes());
            let digits: String = sum.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
            format!("%7Bsha1%7D{digits}")
        } else {
            utf8_percent_encode(id.as_str(), UNRESERVED).to_string()
        };
        // Absent is what all of them say: one that lags behind, or is away, does not speak for the others.
        let mut trouble = None;
        for base in source.settings.addresses() {
            let wanted = Wanted {
                url: &format!("{base}entities/{name}"),
                accept: MEDIA_TYPE,
                largest: LARGEST,
                redirects: 5,
                within,
            };
            let mut body = Vec::new();
            let to: &mut (dyn Write + Send) = &mut body;
            match outbound.download(wanted, Conditions::default(), to).await {
                Ok(Downloaded::Absent) => {}
                Ok(Downloaded::NotModified) => {
                    trouble = Some("it says that nothing changed, and was not asked".to_owned());
                }
                Ok(Downloaded::Body { .. }) => {
                    let (source, id) = (Arc::clone(source), id.clone());
                    let read = move || read_answer(&body, &source, id.as_str(), moment::now());
                    match tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())? {
                        Ok(read) => return Ok(Some(read)),
                        Err(error) => trouble = Some(error),
                    }
                }
                Err(error) => trouble = Some(error.to_string()),
            }
        }
        trouble.map_or(Ok(None), Err)
    }

    async fn add(
        &self,
        source: &Arc<Source>,
        id: &ProviderId,
        member: Member,
        documents: BTreeMap<String, Vec<u8>>,
        store: &dyn Store,
    ) -> Result<(), String> {
        let make = |known: &Known| {
            let mut members =
                known.members.get(source.name()).map(|members| (**members).clone()).unwrap_or_default();
            if members.entries.len() >= MOST_MEMBERS {
                return Err("the source has as many entities as are kept".to_owned());
            }
            put(&mut members, id, &member)?;
            Ok((looked_up(source, known, &members), members))
        };
        self.take_over(source, documents, &make, store, &super::round::silent()).await
    }

    /// Asks again for what was looked up and is due; forgets what is gone, and what has long expired.
    pub(super) async fn refresh_looked_up(
        &self,
        source: &Arc<Source>,
        store: &dyn Store,
    ) -> Result<Outcome, String> {
        let now = moment::now();
        let before = self.known().members.get(source.name()).cloned().unwrap_or_default();
        let mut renewed: BTreeMap<ProviderId, Option<Member>> = BTreeMap::new();
        let mut documents = BTreeMap::new();
        let mut trouble = None;
        for (id, member) in &before.entries {
            if member.valid_until.is_some_and(|until| now.since(until) > FORGOTTEN) {
                renewed.insert(id.clone(), None);
                continue;
            }
            if member.refresh_at.is_some_and(|at| at > now) {
                continue;
            }
            match self.answer(source, id, PATIENT).await {
                Ok(Some((member, more))) => {
                    documents.extend(more);
                    renewed.insert(id.clone(), Some(member));
                }
                Ok(None) => _ = renewed.insert(id.clone(), None),
                Err(error) => trouble = Some(format!("{id}: {error}")),
            }
        }
        let difference = Difference {
            new: 0,
            changed: count(renewed.iter().filter(|(id, member)| {
                member.as_ref().is_some_and(|member| {
                    before.entries.get(*id).is_none_or(|known| known.brief != member.brief)
                })
            })),
            gone: count(renewed.values().filter(|member| member.is_none())),
        };
        let renewals = renewed.len();
        let mut counts = Counts { members: count(before.entries.keys()), ..Counts::default() };
        if !renewed.is_empty() {
            let make = |known: &Known| {
                let mut members =
                    known.members.get(source.name()).map(|members| (**members).clone()).unwrap_or_default();
                for (id, member) in &renewed {
                    match member {
                        None => _ = members.entries.remove(id),
                        Some(member) => {
                            if let Err(error) = put(&mut members, id, member) {
                                tracing::warn!(source = source.name(), %id, %error, "an answer is refused");
                            }
                        }
                    }
                }
                Ok((looked_up(source, known, &members), members))
            };
            self.take_over(source, documents, &make, store, &super::round::silent()).await?;
            counts = self
                .known()
                .index
                .sources
                .get(source.name())
                .map(|held| held.counts.clone())
                .unwrap_or_default();
        }
        let cache_duration = Some(i64::from(source.settings.refresh_seconds[0]));
        match trouble {
            Some(trouble) => Err(trouble),
            None if renewals == 0 => Ok(Outcome::Unchanged { cache_duration }),
            None => Ok(Outcome::Read { counts, difference, cache_duration }),
        }
    }
}

fn count<T>(several: impl Iterator<Item = T>) -> u64 {
    u64::try_from(several.count()).unwrap_or(u64::MAX)
}

/// Puts a member in its place, unless it is older than the one there.
fn put(members: &mut Members, id: &ProviderId, member: &Member) -> Result<(), String> {
    let times = |member: &Member| Times {
        creation_instant: member.creation_instant,
        valid_until: member.valid_until,
    };
    if let Some(known) = members.entries.get(id) {
        may_follow(times(known), times(member)).map_err(|error| error.to_string())?;
    }
    members.entries.insert(id.clone(), member.clone());
    Ok(())
}

/// What stands in the index for a source whose entities were looked up one by one.
fn looked_up(source: &Source, known: &Known, members: &Members) -> Held {
    let counts = Counts {
        entities: count(members.entries.keys()),
        members: count(members.entries.keys()),
        unfit: count(members.entries.values().filter(|member| member.brief.is_none())),
        removed: vec![0; source.settings.filters.len()],
        ..Counts::default()
    };
    let before = known.index.sources.get(source.name());
    Held {
        members: String::new(),
        settings: source.settings.fingerprint(),
        key: None,
        publisher: before.and_then(|held| held.publisher.clone()),
        creation_instant: None,
        valid_until: None,
        cache_duration: None,
        at: moment::now(),
        etag: None,
        last_modified: None,
        counts,
    }
}
