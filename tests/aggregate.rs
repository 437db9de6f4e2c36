//! Aggregates of the generator, read while they come: all of them or none, whatever is done to them.

use certs::{PrivateKey, PublicKey, SignatureAlgorithm, Signer as _};
use certs_xml::{Document, Limits, namespace::MD};
use metadata::{
    saml::MetadataFile,
    source::aggregate::{Aggregate, AggregateEntity, AggregateLimits, Refused, read_aggregate},
};
use tests::{
    aggregate::{Numbers, Plan},
    chance,
};

struct Publisher {
    key: PrivateKey,
    trust: Vec<PublicKey>,
}

impl Publisher {
    fn new() -> Self {
        let key = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("a key");
        let trust = vec![key.public_key().clone()];
        Self { key, trust }
    }

    fn read(&self, octets: &[u8]) -> Result<(Aggregate, Vec<AggregateEntity>), Refused> {
        let mut unproven = Vec::new();
        let aggregate =
            read_aggregate(octets, &self.trust, &AggregateLimits::default(), chance::now(), |entity| {
                unproven.push(entity);
                Ok(())
            })?;
        let entities = unproven.into_iter().filter_map(|entity| aggregate.prove(entity)).collect();
        Ok((aggregate, entities))
    }
}

fn plan(seed: u64, entities: usize) -> Plan {
    Plan::of(seed, entities, chance::now())
}

#[test]
fn what_is_generated_is_what_is_read() {
    let publisher = Publisher::new();
    for group in [0, 3] {
        let plan = Plan { group, octets_of_each: 10_000, ..plan(5, 20) };
        let octets = plan.signed(&publisher.key);
        assert_eq!(octets.len() / 10_000, 20, "as large as asked for");
        let (aggregate, entities) = publisher.read(&octets).expect("it verifies");
        assert_eq!((aggregate.entities, aggregate.left_out), (20, 0));
        assert_eq!(aggregate.publisher.as_deref(), Some("https://federation.example"));
        assert_eq!(aggregate.creation_instant, Some(plan.made));
        for (number, entity) in entities.iter().enumerate() {
            assert_eq!(entity.entity_id, plan.entity_id(number));
            assert_eq!(entity.is_identity_provider, plan.is_identity_provider(number));
            assert_eq!(entity.is_service_provider, !plan.is_identity_provider(number));
            assert_eq!((entity.valid_until, entity.cache_duration), (plan.valid_until, Some(6 * 3_600)));
            let alone = Document::read(&entity.octets, Limits::metadata(1 << 20)).expect("it stands alone");
            assert!(alone.root().is(MD.uri(), "EntityDescriptor"));
        }
        let whole = MetadataFile::read(&octets, octets.len()).expect("the reader of whole files takes it");
        let places: Vec<_> = whole.entities().map(|entity| entity.position()).collect();
        assert_eq!(places, entities.iter().map(|entity| entity.place).collect::<Vec<_>>());
    }
}

#[test]
fn the_same_seed_gives_the_same_federation() {
    let publisher = Publisher::new();
    let made = chance::now();
    let of = |seed| Plan::of(seed, 5, made).signed(&publisher.key);
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn an_entity_that_did_not_change_has_the_same_octets_in_the_next_aggregate() {
    let publisher = Publisher::new();
    let today = plan(3, 10);
    let tomorrow = Plan {
        made: today.made.plus(60),
        valid_until: Some(today.made.plus(86_400)),
        group: 4,
        ..today.clone()
    };
    let [first, second] =
        [today, tomorrow].map(|plan| publisher.read(&plan.signed(&publisher.key)).expect("verifies").1);
    let octets =
        |entities: Vec<AggregateEntity>| entities.into_iter().map(|entity| entity.octets).collect::<Vec<_>>();
    assert_eq!(octets(first), octets(second));
}

/// One change that a thief, a bad line or a careless person could make.
fn tampered(octets: &[u8], numbers: &mut Numbers) -> (&'static str, Vec<u8>) {
    // Everything up to here is signed by being named in what is signed, or not at all; what comes after, by its digest.
    let signature_end = find(octets, b"</ds:Signature>") + b"</ds:Signature>".len();
    let content = octets.len() - signature_end;
    let at = signature_end + numbers.below(content - b"</md:EntitiesDescriptor>\n".len());
    let mut bent = octets.to_vec();
    let starts: Vec<usize> = entity_starts(octets);
    let end_of = |start: usize| {
        start + find(&octets[start..], b"</md:EntityDescriptor>") + b"</md:EntityDescriptor>".len()
    };
    let one = starts[numbers.below(starts.len())];
    let other = starts[numbers.below(starts.len())];
    match numbers.below(10) {
        0 => {
            bent[at] ^= 1 << numbers.below(8);
            ("a bit turned", bent)
        }
        1 => {
            bent[at] = bent[at].wrapping_add(1 + u8::try_from(numbers.below(254)).unwrap_or(0));
            ("an octet changed", bent)
        }
        2 => {
            let length = 1 + numbers.below(2_000.min(octets.len() - at - 1));
            bent.drain(at..at + length);
            ("octets taken out", bent)
        }
        3 => {
            let copy = octets[at..(at + 1 + numbers.below(500)).min(octets.len())].to_vec();
            bent.splice(at..at, copy);
            ("octets doubled", bent)
        }
        4 => {
            let entity = octets[one..end_of(one)].to_vec();
            bent.splice(other..other, entity);
            ("an entity doubled", bent)
        }
        5 => {
            bent.drain(one..end_of(one));
            ("an entity taken out", bent)
        }
        6 if one != other => {
            let (first, second) = (one.min(other), one.max(other));
            let (a, b) = (octets[first..end_of(first)].to_vec(), octets[second..end_of(second)].to_vec());
            bent.splice(second..end_of(second), a);
            bent.splice(first..end_of(first), b);
            ("two entities exchanged", bent)
        }
        7 => {
            let start = find(octets, b"<ds:Signature ");
            let signature: Vec<u8> = bent.drain(start..signature_end).collect();
            let starts = entity_starts(&bent);
            let to = starts[numbers.below(starts.len())];
            bent.splice(to..to, signature);
            ("the signature moved", bent)
        }
        8 => {
            bent.truncate(at);
            ("cut off", bent)
        }
        _ => {
            let start = find(octets, b"<ds:Signature ");
            let signature = octets[start..signature_end].to_vec();
            let wrapped = [
                b"<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" ID=\"_outer\">"
                    .as_slice(),
                &signature,
                &octets[one..end_of(one)],
                &octets[find(octets, b"<md:EntitiesDescriptor")..],
                b"</md:EntitiesDescriptor>",
            ]
            .concat();
            ("wrapped by another", wrapped)
        }
    }
}

fn find(octets: &[u8], wanted: &[u8]) -> usize {
    octets.windows(wanted.len()).position(|window| window == wanted).expect("it is there")
}

fn entity_starts(octets: &[u8]) -> Vec<usize> {
    let wanted = b"<md:EntityDescriptor ";
    octets
        .windows(wanted.len())
        .enumerate()
        .filter(|(_, window)| window == wanted)
        .map(|(at, _)| at)
        .collect()
}

/// `TAMPERINGS=1000` is what is asked of it; each run does fewer, others each time a number is changed here.
#[test]
fn random_tamperings_are_all_refused() {
    let publisher = Publisher::new();
    let octets = Plan { octets_of_each: 8_000, ..plan(9, 12) }.signed(&publisher.key);
    publisher.read(&octets).expect("it is whole before");
    let count = std::env::var("TAMPERINGS").ok().and_then(|count| count.parse().ok()).unwrap_or(100);
    let mut numbers = Numbers::new(17);
    let mut kinds = std::collections::BTreeMap::<_, usize>::new();
    for number in 0..count {
        let (kind, bent) = tampered(&octets, &mut numbers);
        if bent == octets {
            continue;
        }
        assert!(publisher.read(&bent).is_err(), "{number}: {kind} is not seen");
        *kinds.entry(kind).or_default() += 1;
    }
    assert_eq!(kinds.len(), 10, "every kind is tried: {kinds:?}");
    eprintln!("{kinds:?}");
}

/// Every octet of a small aggregate, one at a time. Before the end of the signature some octets say nothing that is signed (white space in
/// tags and between lines of base64): such a change may pass, and then gives the same entities.
#[test]
fn every_octet_counts() {
    let publisher = Publisher::new();
    let octets = plan(2, 4).signed(&publisher.key);
    assert!(octets.len() > 25_000, "{}", octets.len());
    let genuine = publisher.read(&octets).expect("it is whole before").1;
    let signature_end = find(&octets, b"</ds:Signature>");
    let content = signature_end + b"</ds:Signature>".len();
    // Unoptimised, each reading takes milliseconds: then one of so many, all of them with EVERY_OCTET=1.
    let step = std::env::var("EVERY_OCTET").ok().and_then(|step| step.parse().ok()).unwrap_or(23);
    let mut passed = Vec::new();
    for at in (0..octets.len() - 1).step_by(step) {
        let mut bent = octets.clone();
        bent[at] ^= 1 << (at % 8);
        if let Ok((_, entities)) = publisher.read(&bent) {
            assert_eq!(entities, genuine, "octet {at}");
            assert!(!entities.is_empty());
            passed.push((at, octets[at], bent[at]));
        }
    }
    let in_content =
        passed.iter().filter(|(at, from, _)| *at >= content && !from.is_ascii_whitespace()).count();
    assert_eq!(in_content, 0, "{passed:?}");
    assert!(passed.len() < 30, "{passed:?}");
}
