//! A signed document with many entities, verified and taken apart (SAML Metadata 2.3.1; FEDINTEROP IIP-MD02 to MD04).
//!
//! Nothing that `each` was given may be used before [`read_aggregate`] returned without an error.

use std::io::Read;

use broker_core::moment::Timestamp;
use certs::{
    AlgorithmPolicy, PublicKey,
    xml_signature::{self, Profile, SignatureRefused},
};
use certs_xml::{
    Canonicalization, Document, Element, Limits, canonicalize,
    namespace::{MD, MDRPI},
};

/// What bounds a document.
#[derive(Debug, Clone, Copy)]
pub struct AggregateLimits {
    /// Octets of all of it.
    pub octets: usize,
    /// How far ahead its validUntil may lie, in seconds.
    pub max_validity_seconds: i64,
    /// Whether it must have one.
    pub require_valid_until: bool,
}

/// One entity, as it stands in the document.
#[derive(Debug, Clone)]
pub struct AggregateEntity {
    /// The entity ID.
    pub entity_id: String,
    /// Its `EntityDescriptor` as a document of its own, in canonical form.
    pub octets: Vec<u8>,
    /// Whether it has a role that signs people in.
    pub is_identity_provider: bool,
}

/// What was said of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// The thumbprint of the key that signed it, in hexadecimal.
    pub key: String,
    /// Until when it may be used.
    pub valid_until: Option<Timestamp>,
    /// How long it should be kept before asking again, in seconds.
    pub cache_duration: Option<i64>,
    /// When it was made.
    pub creation_instant: Option<Timestamp>,
    /// Who published it.
    pub publisher: Option<String>,
    /// How many entities it has.
    pub entities: u64,
}

impl Aggregate {
    /// When it was made, and until when it may be used.
    #[must_use]
    pub fn times(&self) -> super::Times {
        super::Times { creation_instant: self.creation_instant, valid_until: self.valid_until }
    }
}

/// Why a document is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It cannot be read at all.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is no metadata.
    #[error("it is no SAML metadata: it begins with {0}")]
    NotMetadata(String),
    /// Its signature does not hold.
    #[error("its signature is refused: {0}")]
    Signature(#[from] SignatureRefused),
    /// It has no validUntil.
    #[error("it has no validUntil")]
    NoValidUntil,
    /// A time that is none.
    #[error("{0:?} is not a time")]
    Time(String),
    /// It has expired.
    #[error("it was valid until {0}")]
    Expired(Timestamp),
    /// It claims to be good for too long.
    #[error("it claims to be valid until {0}, further ahead than max_validity_seconds")]
    TooDistant(Timestamp),
    /// An entity in it without a name, or twice.
    #[error("the entity {0:?} has no name of its own in it")]
    Entity(String),
}

/// Reads a document: an `EntitiesDescriptor`, or a single `EntityDescriptor` (IIP-MD02).
///
/// # Errors
/// The first rule that it breaks.
pub fn read_aggregate(
    mut input: impl Read,
    trust: &[PublicKey],
    limits: &AggregateLimits,
    now: Timestamp,
    mut each: impl FnMut(AggregateEntity) -> Result<(), Refused>,
) -> Result<Aggregate, Refused> {
    let mut octets = Vec::new();
    let bound = u64::try_from(limits.octets).unwrap_or(u64::MAX).saturating_add(1);
    input.by_ref().take(bound).read_to_end(&mut octets).map_err(|error| Refused::Unreadable(error.to_string()))?;
    let unreadable = |error: &dyn std::fmt::Display| Refused::Unreadable(error.to_string());
    let document = Document::read(&octets, Limits::metadata(limits.octets)).map_err(|error| unreadable(&error))?;
    drop(octets);
    let signed = xml_signature::verify(document.root(), trust, &AlgorithmPolicy::default(), Profile::Metadata)?;
    drop(document);
    let signed = signed.into_value();
    let key = hexadecimal(signed.key().as_bytes());
    let document = signed.document().map_err(|error| unreadable(&error))?;
    let root = document.root();
    if !root.is(MD.uri(), "EntityDescriptor") && !root.is(MD.uri(), "EntitiesDescriptor") {
        return Err(Refused::NotMetadata(root.qualified_name().to_owned()));
    }
    let valid_until = time(root, "validUntil")?;
    judge_validity(valid_until, limits, now)?;
    let publication =
        root.child(MD.uri(), "Extensions").and_then(|extensions| extensions.child(MDRPI.uri(), "PublicationInfo"));
    let mut seen = std::collections::HashSet::new();
    let mut entities = 0;
    for entity in document.elements().filter(|element| {
        element.is(MD.uri(), "EntityDescriptor")
            && element.parent().is_none_or(|parent| parent.is(MD.uri(), "EntitiesDescriptor"))
    }) {
        let entity_id = entity.attribute("entityID").unwrap_or_default().to_owned();
        if entity_id.is_empty() || !seen.insert(entity_id.clone()) {
            return Err(Refused::Entity(entity_id));
        }
        let exclusive = Canonicalization::Exclusive { inclusive_prefixes: Vec::new() };
        let octets = canonicalize(entity, &exclusive, None).map_err(|_| Refused::Entity(entity_id.clone()))?;
        let is_identity_provider = entity.child(MD.uri(), "IDPSSODescriptor").is_some();
        entities += 1;
        each(AggregateEntity { entity_id, octets, is_identity_provider })?;
    }
    Ok(Aggregate {
        key,
        valid_until,
        cache_duration: root.attribute("cacheDuration").and_then(duration),
        creation_instant: publication.map(|info| time(info, "creationInstant")).transpose()?.flatten(),
        publisher: publication.and_then(|info| info.attribute("publisher")).map(str::to_owned),
        entities,
    })
}

fn judge_validity(until: Option<Timestamp>, limits: &AggregateLimits, now: Timestamp) -> Result<(), Refused> {
    match until {
        None if limits.require_valid_until => Err(Refused::NoValidUntil),
        Some(until) if until <= now => Err(Refused::Expired(until)),
        Some(until) if until.since(now) > limits.max_validity_seconds => Err(Refused::TooDistant(until)),
        _ => Ok(()),
    }
}

fn time(element: Element<'_>, name: &str) -> Result<Option<Timestamp>, Refused> {
    let Some(text) = element.attribute(name) else { return Ok(None) };
    Timestamp::from_rfc3339(text.trim()).map(Some).ok_or_else(|| Refused::Time(text.to_owned()))
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// xs:duration (XML Schema 2, 3.2.6) in seconds; a year is 365 days and a month 30. `None`: it is none, or negative.
fn duration(text: &str) -> Option<i64> {
    let (date, clock) = match text.trim().strip_prefix('P')?.split_once('T') {
        Some((date, clock)) => (date, Some(clock)),
        None => (text.trim().strip_prefix('P')?, None),
    };
    let mut seconds = 0_i64;
    let mut parts = 0;
    let mut read = |part: &str, units: &[(char, i64)]| -> Option<()> {
        let mut rest = part;
        let mut units = units.iter();
        while !rest.is_empty() {
            let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
            let (number, after) = rest.split_at(end);
            let letter = after.chars().next()?;
            let (_, worth) = units.find(|(unit, _)| *unit == letter)?;
            let whole: i64 = number.split('.').next()?.parse().ok()?;
            seconds = seconds.checked_add(whole.checked_mul(*worth)?)?;
            parts += 1;
            rest = after.get(1..)?;
        }
        Some(())
    };
    read(date, &[('Y', 365 * 86_400), ('M', 30 * 86_400), ('W', 7 * 86_400), ('D', 86_400)])?;
    read(clock.unwrap_or_default(), &[('H', 3_600), ('M', 60), ('S', 1)])?;
    (parts > 0).then_some(seconds)
}
