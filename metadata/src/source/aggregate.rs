//! A signed document with many entities, verified and taken apart while it is read (SAML Metadata 2.3.1; FEDINTEROP IIP-MD02 to MD05).
//!
//! Nothing is held but one entity, and what is given out is [`Unproven`] until the whole document is known to be signed:
//! [`Aggregate::prove`] is the only way to have it as something that was. A signature is by one of the given keys or it is none (IIP-MD03).
//!
//! How long things hold: the document's own `validUntil` is judged against the source's settings (IIP-MD04), and what groups say goes down
//! to the entities in them, the shorter holds. It stands beside an entity's octets, not in them, so that an entity that did not change has
//! the same octets in tomorrow's document.
//!
//! Neighbours: `certs::xml_signature::streaming` verifies; the process fetches the document and keeps what comes out.

use std::{
    collections::HashSet,
    io::{self, Read},
};

use broker_core::moment::Timestamp;
pub use certs::xml_signature::streaming::Unproven;
use certs::{
    AlgorithmPolicy, PublicKey,
    xml_signature::{
        SignatureRefused,
        streaming::{self, Child, Group, NotVerified, Part, Proof},
    },
};
use certs_xml::{
    Document, Element, Limits, Position, XmlRefused,
    namespace::{MD, MDRPI},
    stream::StreamLimits,
};
use thiserror::Error;

use super::duration;

/// What bounds a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AggregateLimits {
    /// Octets of all of it.
    pub octets: u64,
    /// Octets of one entity.
    pub entity_octets: usize,
    /// Entities.
    pub entities: u64,
    /// How far ahead its validUntil may lie, in seconds.
    pub max_validity_seconds: i64,
    /// Whether it must have one. Only for sources that are trusted for something else as well.
    pub require_valid_until: bool,
}

impl Default for AggregateLimits {
    /// 256 MiB, 2 MiB for an entity, 100,000 entities, and 28 days ahead at most.
    fn default() -> Self {
        Self {
            octets: 256 * 1024 * 1024,
            entity_octets: 2 * 1024 * 1024,
            entities: 100_000,
            max_validity_seconds: 28 * 86_400,
            require_valid_until: true,
        }
    }
}

/// One entity, as it stands in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateEntity {
    /// The entity ID, exactly as written.
    pub entity_id: String,
    /// Its `EntityDescriptor` as a document of its own, in exclusive canonical form: what was signed, no more and no less.
    pub octets: Vec<u8>,
    /// It has an `IDPSSODescriptor`. Whether that speaks SAML 2.0, its octets say.
    pub is_identity_provider: bool,
    /// It has an `SPSSODescriptor`.
    pub is_service_provider: bool,
    /// The earliest of its own validUntil and those of the groups around it.
    pub valid_until: Option<Timestamp>,
    /// The shortest of its own cacheDuration and those of the groups around it, in seconds.
    pub cache_duration: Option<i64>,
    /// Where it begins in the document.
    pub place: Position,
}

/// An entity that was not given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it begins.
    pub place: Position,
    /// Its entity ID, if it has one.
    pub entity_id: Option<String>,
    /// Why.
    pub why: WhyLeftOut,
}

/// Why one entity was not given out, while the others were.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WhyLeftOut {
    /// SAML Metadata 2.3.2; SAML Core 8.3.6.
    #[error("it has no entityID of at most 1024 characters")]
    NoEntityId,
    /// An entity that came before has the same name. Neither is better than the other; the first has it, so that nobody can take a name
    /// over by coming later.
    #[error("another entity of that name stands at line {}, column {}", first.line, first.column)]
    Repeated {
        /// Where the first one stands.
        first: Position,
    },
    /// Its own validUntil or cacheDuration cannot be read, so nobody knows how long it holds.
    #[error("its {attribute} is {written:?}, which is none")]
    Time {
        /// The attribute.
        attribute: &'static str,
        /// What stands there, shortened.
        written: String,
    },
}

/// So many of those that were left out are told one by one.
const TOLD: usize = 100;

/// What the document says of itself, once it is known to be signed.
#[derive(Debug)]
pub struct Aggregate {
    proof: Proof,
    /// The thumbprint of the key that signed it, in hexadecimal.
    pub key: String,
    /// The `ID` of the outermost element.
    pub id: Option<String>,
    /// Its `Name`.
    pub name: Option<String>,
    /// Until when it may be used.
    pub valid_until: Option<Timestamp>,
    /// How long it should be kept before asking again, in seconds.
    pub cache_duration: Option<i64>,
    /// When it was made (`mdrpi:PublicationInfo`).
    pub creation_instant: Option<Timestamp>,
    /// Who published it (`mdrpi:PublicationInfo`).
    pub publisher: Option<String>,
    /// How many entities were given out.
    pub entities: u64,
    /// How many were not.
    pub left_out: u64,
    /// The first hundred of those.
    pub told: Vec<LeftOut>,
}

impl Aggregate {
    /// When it was made, and until when it may be used.
    #[must_use]
    pub fn times(&self) -> super::Times {
        super::Times { creation_instant: self.creation_instant, valid_until: self.valid_until }
    }

    /// Gives up what was given out while this document was read; `None` for what came from another.
    #[must_use]
    pub fn prove<T>(&self, unproven: Unproven<T>) -> Option<T> {
        self.proof.prove(unproven).map(|verified| verified.into_value())
    }

    /// The digest that the publisher signed: the same for the same document.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        self.proof.digest()
    }
}

/// Why a document is not taken.
#[derive(Debug, Error)]
pub enum Refused {
    /// Reading failed.
    #[error("it cannot be read: {0}")]
    Input(io::Error),
    /// It is no document within the bounds.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] XmlRefused),
    /// It is no metadata.
    #[error("it is no SAML metadata: it begins with {0}")]
    NotMetadata(String),
    /// Its signature does not hold.
    #[error("its signature is refused: {0}")]
    Signature(#[from] SignatureRefused),
    /// It has no validUntil.
    #[error("it has no validUntil, so it could be replayed for ever")]
    NoValidUntil,
    /// A time or a duration of the document or of a group that is none.
    #[error("its {attribute} is {written:?}, which is none")]
    Time {
        /// The attribute.
        attribute: &'static str,
        /// What stands there, shortened.
        written: String,
    },
    /// It has expired.
    #[error("it was valid until {0}")]
    Expired(Timestamp),
    /// It claims to be good for too long.
    #[error("it claims to be valid until {until}, more than {most} seconds ahead")]
    TooDistant {
        /// What it claims.
        until: Timestamp,
        /// The bound that was passed.
        most: i64,
    },
    /// More entities than are taken.
    #[error("it has more than {0} entities")]
    TooManyEntities(u64),
    /// Whoever took the entities stopped.
    #[error("stopped: {0}")]
    Stopped(String),
}

impl Refused {
    /// The stable name of the rule, for logs and reports.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Input(_) => "aggregate.input",
            Self::Unreadable(fault) => fault.rule(),
            Self::Signature(refused) => refused.rule(),
            Self::NotMetadata(_) => "aggregate.kind",
            Self::NoValidUntil => "aggregate.valid_until_missing",
            Self::Time { .. } => "aggregate.time",
            Self::Expired(_) => "aggregate.expired",
            Self::TooDistant { .. } => "aggregate.valid_until_distant",
            Self::TooManyEntities(_) => "aggregate.entities",
            Self::Stopped(_) => "aggregate.stopped",
        }
    }
}

/// Reads a document to its end: an `EntitiesDescriptor` of any depth and size, or a single `EntityDescriptor` (IIP-MD02). Each entity goes
/// to `each` as it comes, when nobody can know yet whether it was signed; `each` may put it aside, and must do nothing else with it.
///
/// # Errors
/// The first rule that the document breaks. All that `each` was given is then worth nothing.
pub fn read_aggregate<R: Read>(
    input: R,
    trust: &[PublicKey],
    limits: &AggregateLimits,
    now: Timestamp,
    each: impl FnMut(Unproven<AggregateEntity>) -> Result<(), Refused>,
) -> Result<Aggregate, Refused> {
    let bounds = StreamLimits {
        octets: limits.octets,
        piece: limits.entity_octets,
        within: Limits::metadata(limits.entity_octets),
    };
    let group = Group { namespace: MD, local_name: "EntitiesDescriptor" };
    let mut taking = Taking {
        limits,
        now,
        each,
        groups: Vec::new(),
        outermost: None,
        publication: None,
        seen: HashSet::new(),
        entities: 0,
        left_out: 0,
        told: Vec::new(),
    };
    let proof =
        streaming::verify(input, trust, &AlgorithmPolicy::default(), bounds, group, |part| taking.take(part))
            .map_err(|refused| match refused {
                NotVerified::Input(error) => Refused::Input(error),
                NotVerified::Xml(fault) => Refused::Unreadable(fault),
                NotVerified::Signature(refused) => Refused::Signature(refused),
                NotVerified::Stopped(refused) => refused,
            })?;
    taking.end(proof)
}

/// How long something holds.
#[derive(Debug, Clone, Copy, Default)]
struct Validity {
    until: Option<Timestamp>,
    cache: Option<i64>,
}

impl Validity {
    /// What `element` says, cut by what holds around it.
    fn of(element: Element<'_>, around: Self) -> Result<Self, (&'static str, String)> {
        let own = |attribute: &'static str, read: fn(&str) -> Option<i64>| match element.attribute(attribute)
        {
            None => Ok(None),
            Some(text) => match read(text) {
                Some(read) => Ok(Some(read)),
                None => Err((attribute, text.chars().take(64).collect::<String>())),
            },
        };
        let until = own("validUntil", |text| Timestamp::from_rfc3339(text.trim()).map(|time| time.0))?;
        let cache = own("cacheDuration", duration::seconds)?;
        Ok(Self {
            until: until.map(Timestamp).into_iter().chain(around.until).min(),
            cache: cache.into_iter().chain(around.cache).min(),
        })
    }
}

/// What is known of the outermost element.
struct Outermost {
    id: Option<String>,
    name: Option<String>,
    validity: Validity,
}

/// Takes the parts of one document.
struct Taking<'l, F> {
    limits: &'l AggregateLimits,
    now: Timestamp,
    each: F,
    /// What holds in each group that has not ended.
    groups: Vec<Validity>,
    outermost: Option<Outermost>,
    publication: Option<(Option<Timestamp>, Option<String>)>,
    /// The names so far, each with its place.
    seen: HashSet<Seen>,
    entities: u64,
    left_out: u64,
    told: Vec<LeftOut>,
}

/// A name and where it first stood; equal when the names are.
struct Seen {
    entity_id: Box<str>,
    place: Position,
}

impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        self.entity_id == other.entity_id
    }
}

impl Eq for Seen {}

impl std::hash::Hash for Seen {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.entity_id.hash(state);
    }
}

impl std::borrow::Borrow<str> for Seen {
    fn borrow(&self) -> &str {
        &self.entity_id
    }
}

impl<F: FnMut(Unproven<AggregateEntity>) -> Result<(), Refused>> Taking<'_, F> {
    fn take(&mut self, part: Unproven<Part>) -> Result<(), Refused> {
        match part.unproven() {
            Part::Begin { group, .. } => {
                let Some(group) = group.root().children().next() else { return Ok(()) };
                let around = self.groups.last().copied().unwrap_or_default();
                let validity = Validity::of(group, around).map_err(time)?;
                if self.outermost.is_none() {
                    self.begin(group, validity)?;
                }
                self.groups.push(validity);
                Ok(())
            }
            Part::End => {
                self.groups.pop();
                Ok(())
            }
            Part::Child(child) => {
                let element = child.start_tag.root();
                if element.is(MD.uri(), "EntityDescriptor") {
                    return self.entity(part);
                }
                if self.groups.is_empty() {
                    return Err(Refused::NotMetadata(element.qualified_name().chars().take(64).collect()));
                }
                if self.groups.len() == 1 && element.is(MD.uri(), "Extensions") {
                    self.read_publication(child)?;
                }
                Ok(())
            }
        }
    }

    /// IIP-MD04. A document that is refused for its time is not read further; that its time may be forged changes nothing about that.
    fn begin(&mut self, element: Element<'_>, validity: Validity) -> Result<(), Refused> {
        let most = self.limits.max_validity_seconds;
        match validity.until {
            None if self.limits.require_valid_until => return Err(Refused::NoValidUntil),
            Some(until) if until <= self.now => return Err(Refused::Expired(until)),
            Some(until) if until.since(self.now) > most => return Err(Refused::TooDistant { until, most }),
            _ => {}
        }
        let owned = |name| element.attribute(name).map(str::to_owned);
        self.outermost = Some(Outermost { id: owned("ID"), name: owned("Name"), validity });
        Ok(())
    }

    /// SAML Metadata Registration and Publication 1.0, section 2.2: once, in the extensions of the outermost element.
    fn read_publication(&mut self, holder: &Child) -> Result<(), Refused> {
        let document = Document::read(&holder.octets, canonical(holder.octets.len()))?;
        let mut extensions = document.root();
        if let Some(inside) = extensions.child(MD.uri(), "Extensions") {
            extensions = inside;
        }
        let Some(info) = extensions.child(MDRPI.uri(), "PublicationInfo") else { return Ok(()) };
        let created = match info.attribute("creationInstant") {
            None => None,
            Some(text) => Some(
                Timestamp::from_rfc3339(text.trim())
                    .ok_or_else(|| time(("creationInstant", text.chars().take(64).collect())))?,
            ),
        };
        if self.publication.is_none() {
            self.publication = Some((created, info.attribute("publisher").map(str::to_owned)));
        }
        Ok(())
    }

    fn entity(&mut self, part: Unproven<Part>) -> Result<(), Refused> {
        let Part::Child(child) = part.unproven() else { return Ok(()) };
        let element = child.start_tag.root();
        let around = self.groups.last().copied();
        let validity = Validity::of(element, around.unwrap_or_default());
        if around.is_none() {
            self.begin(element, *validity.as_ref().map_err(|fault| time(fault.clone()))?)?;
            self.read_publication(child)?;
        }
        let place = child.place;
        let entity_id = element.attribute("entityID").filter(|id| is_entity_id(id)).map(str::to_owned);
        let (Some(entity_id), Ok(validity)) = (entity_id.clone(), &validity) else {
            let why = match validity {
                Err((attribute, written)) => WhyLeftOut::Time { attribute, written },
                Ok(_) => WhyLeftOut::NoEntityId,
            };
            self.leave_out(LeftOut { place, entity_id, why });
            return Ok(());
        };
        if let Some(first) = self.seen.get(entity_id.as_str()).map(|seen| seen.place) {
            let why = WhyLeftOut::Repeated { first };
            self.leave_out(LeftOut { place, entity_id: Some(entity_id), why });
            return Ok(());
        }
        if self.entities >= self.limits.entities {
            return Err(Refused::TooManyEntities(self.limits.entities));
        }
        self.seen.insert(Seen { entity_id: entity_id.as_str().into(), place });
        self.entities += 1;
        let has = |role: &str| child.inside.iter().any(|(uri, name)| uri == MD.uri() && name == role);
        let (is_identity_provider, is_service_provider) = (has("IDPSSODescriptor"), has("SPSSODescriptor"));
        let Validity { until: valid_until, cache: cache_duration } = *validity;
        (self.each)(part.map(|part| AggregateEntity {
            entity_id,
            octets: match part {
                Part::Child(child) => child.octets,
                Part::Begin { .. } | Part::End => Vec::new(),
            },
            is_identity_provider,
            is_service_provider,
            valid_until,
            cache_duration,
            place,
        }))
    }

    fn leave_out(&mut self, left_out: LeftOut) {
        self.left_out += 1;
        if self.told.len() < TOLD {
            self.told.push(left_out);
        }
    }

    fn end(self, proof: Proof) -> Result<Aggregate, Refused> {
        let Some(outermost) = self.outermost else {
            return Err(Refused::NotMetadata("nothing".to_owned()));
        };
        let (creation_instant, publisher) = self.publication.unwrap_or_default();
        Ok(Aggregate {
            key: proof.key().to_string(),
            id: outermost.id,
            name: outermost.name,
            valid_until: outermost.validity.until,
            cache_duration: outermost.validity.cache,
            creation_instant,
            publisher,
            entities: self.entities,
            left_out: self.left_out,
            told: self.told,
            proof,
        })
    }
}

fn time((attribute, written): (&'static str, String)) -> Refused {
    Refused::Time { attribute, written }
}

/// SAML Metadata 2.3.2: a URI of at most 1024 characters.
fn is_entity_id(id: &str) -> bool {
    !id.is_empty() && id.chars().count() <= 1024 && !id.chars().any(char::is_control)
}

/// What holds for canonical octets: they may declare more namespaces on one element than what they were made from.
fn canonical(octets: usize) -> Limits {
    Limits { namespaces: 256, ..Limits::metadata(octets) }
}

#[cfg(test)]
mod tests;
