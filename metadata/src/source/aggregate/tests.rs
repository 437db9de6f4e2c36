//! One test for each rule of a document; that signatures are judged rightly, `certs` tests.

use std::path::PathBuf;

use certs::{PrivateKey, Signer as _, xml_signature::sign_enveloped};
use certs_xml::{NewElement, canonicalize, namespace::DS};

use super::*;
use crate::saml::MetadataFile;

const NOW: Timestamp = Timestamp(1_790_000_000);

fn corpus(name: &str) -> Option<Vec<u8>> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/metadata").join(name);
    let octets = std::fs::read(file).ok();
    if octets.is_none() {
        eprintln!("SKIPPED: ../shared/corpora is not here, so {name} was not read");
    }
    octets
}

/// What is read of a document, proven.
fn read(
    octets: &[u8],
    keys: &[PublicKey],
    limits: &AggregateLimits,
    now: Timestamp,
) -> Result<(Aggregate, Vec<AggregateEntity>), Refused> {
    let mut unproven = Vec::new();
    let aggregate = read_aggregate(octets, keys, limits, now, |entity| {
        unproven.push(entity);
        Ok(())
    })?;
    let entities = unproven.into_iter().map(|entity| aggregate.prove(entity).expect("of this run")).collect();
    Ok((aggregate, entities))
}

/// The keys in a document's own signature, if it has one: whoever trusts them trusts anybody. For old files whose publisher is gone.
fn enclosed(octets: &[u8]) -> Vec<PublicKey> {
    let document = Document::read(octets, Limits::metadata(octets.len())).expect("reads");
    let signature = document.root().child(DS.uri(), "Signature");
    let info = signature.and_then(|signature| signature.child(DS.uri(), "KeyInfo"));
    info.map(crate::saml::key::certificates)
        .unwrap_or_default()
        .iter()
        .filter_map(|der| PublicKey::from_certificate_der_any_size(der.value.as_ref().ok()?).ok())
        .collect()
}

#[test]
fn a_real_aggregate_reads_as_it_does_in_memory() {
    let Some(octets) = corpus("wayf-edugain-metadata.xml") else { return };
    let keys = enclosed(&octets);
    let now = Timestamp::from_rfc3339("2019-07-18T00:00:00Z").expect("a time");
    let (aggregate, entities) = read(&octets, &keys, &AggregateLimits::default(), now).expect("verifies");
    assert_eq!(aggregate.entities, 77);
    assert_eq!((aggregate.left_out, aggregate.publisher.as_deref()), (0, Some("http://www.wayf.dk")));
    assert_eq!(aggregate.cache_duration, Some(6 * 3_600));
    assert_eq!(aggregate.creation_instant, Timestamp::from_rfc3339("2019-07-17T08:10:04Z"));
    let whole = MetadataFile::read(&octets, octets.len()).expect("reads");
    let alone: Vec<_> = whole
        .entities()
        .map(|entity| canonicalize(entity, &certs_xml::Canonicalization::exclusive(), None).expect("small"))
        .collect();
    assert_eq!(entities.len(), alone.len());
    for (entity, (alone, element)) in entities.iter().zip(alone.iter().zip(whole.entities())) {
        assert_eq!(&entity.octets, alone, "{}", entity.entity_id);
        assert_eq!(Some(entity.entity_id.as_str()), element.attribute("entityID"));
        assert_eq!(entity.place, element.position());
        assert_eq!(entity.is_identity_provider, element.child(MD.uri(), "IDPSSODescriptor").is_some());
        assert_eq!(entity.is_service_provider, element.child(MD.uri(), "SPSSODescriptor").is_some());
        assert_eq!(entity.valid_until, aggregate.valid_until);
    }
    let late = Timestamp::from_rfc3339("2019-07-24T08:10:04Z").expect("a time");
    let refused = read(&octets, &keys, &AggregateLimits::default(), late).expect_err("expired");
    assert_eq!(refused.rule(), "aggregate.expired");
    let other = [PrivateKey::generate_p256().expect("generated").public_key().clone()];
    let refused = read(&octets, &other, &AggregateLimits::default(), now).expect_err("another's key");
    assert_eq!(refused.rule(), "signature.key");
}

/// A publisher who signs what it is given.
struct Publisher {
    key: PrivateKey,
    trust: Vec<PublicKey>,
}

impl Publisher {
    fn new() -> Self {
        let key = PrivateKey::generate_p256().expect("generated");
        let trust = vec![key.public_key().clone()];
        Self { key, trust }
    }

    fn signed(&self, root: NewElement) -> Vec<u8> {
        sign_enveloped(root, &self.key).expect("signed").to_canonical().expect("written")
    }

    fn read(
        &self,
        root: NewElement,
        limits: &AggregateLimits,
    ) -> Result<(Aggregate, Vec<AggregateEntity>), Refused> {
        read(&self.signed(root), &self.trust, limits, NOW)
    }

    fn rule(&self, root: NewElement) -> &'static str {
        self.read(root, &AggregateLimits::default()).map_or_else(|refused| refused.rule(), |_| "accepted")
    }
}

fn until(seconds: i64) -> String {
    NOW.plus(seconds).to_rfc3339()
}

fn group() -> NewElement {
    NewElement::new(MD, "EntitiesDescriptor").with_attribute("ID", "_a")
}

fn root() -> NewElement {
    group().with_attribute("validUntil", until(1_000))
}

fn entity(id: &str) -> NewElement {
    NewElement::new(MD, "EntityDescriptor")
        .with_attribute("entityID", id)
        .with_child(NewElement::new(MD, "IDPSSODescriptor"))
}

#[test]
fn a_document_says_until_when_it_may_be_used() {
    let publisher = Publisher::new();
    assert_eq!(publisher.rule(root().with_child(entity("e"))), "accepted");
    assert_eq!(publisher.rule(group().with_child(entity("e"))), "aggregate.valid_until_missing");
    let lenient = AggregateLimits { require_valid_until: false, ..AggregateLimits::default() };
    let (aggregate, _) = publisher.read(group().with_child(entity("e")), &lenient).expect("it need not say");
    assert_eq!(aggregate.valid_until, None);
    for (attribute, text, rule) in [
        ("validUntil", until(0), "aggregate.expired"),
        ("validUntil", until(1), "accepted"),
        ("validUntil", until(28 * 86_400), "accepted"),
        ("validUntil", until(28 * 86_400 + 1), "aggregate.valid_until_distant"),
        ("validUntil", "2030".to_owned(), "aggregate.time"),
        ("cacheDuration", "6 hours".to_owned(), "aggregate.time"),
        ("cacheDuration", "PT6H".to_owned(), "accepted"),
    ] {
        assert_eq!(
            publisher.rule(root().with_attribute(attribute, text.as_str())),
            rule,
            "{attribute} {text}"
        );
    }
    // A local group that cannot be read is no better than the whole.
    let nested = NewElement::new(MD, "EntitiesDescriptor")
        .with_attribute("validUntil", "soon")
        .with_child(entity("e"));
    assert_eq!(publisher.rule(root().with_child(nested)), "aggregate.time");
}

#[test]
fn what_a_group_says_goes_down_and_the_shorter_holds() {
    let nested = |seconds: i64, keep: &str| {
        NewElement::new(MD, "EntitiesDescriptor")
            .with_attribute("validUntil", until(seconds))
            .with_attribute("cacheDuration", keep)
    };
    let own = entity("own").with_attribute("validUntil", until(50)).with_attribute("cacheDuration", "PT5M");
    let long =
        entity("long").with_attribute("validUntil", until(9_999)).with_attribute("cacheDuration", "P9D");
    let document = root()
        .with_attribute("cacheDuration", "PT1H")
        .with_child(entity("flat"))
        .with_child(
            nested(500, "PT2H")
                .with_child(entity("in"))
                .with_child(nested(700, "PT10M").with_child(own).with_child(long)),
        )
        .with_child(entity("after"));
    let (aggregate, entities) =
        Publisher::new().read(document, &AggregateLimits::default()).expect("verifies");
    let found: Vec<_> = entities
        .iter()
        .map(|entity| {
            (
                entity.entity_id.as_str(),
                entity.valid_until.map(|until| until.since(NOW)),
                entity.cache_duration,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("flat", Some(1_000), Some(3_600)),
            ("in", Some(500), Some(3_600)),
            ("own", Some(50), Some(300)),
            ("long", Some(500), Some(600)),
            ("after", Some(1_000), Some(3_600)),
        ]
    );
    assert_eq!((aggregate.valid_until, aggregate.cache_duration), (Some(NOW.plus(1_000)), Some(3_600)));
}

#[test]
fn of_two_entities_with_one_name_the_first_has_it_and_the_second_is_told() {
    let second = NewElement::new(MD, "EntityDescriptor").with_attribute("entityID", "e");
    let document = root().with_child(entity("e")).with_child(second).with_child(entity("f"));
    let (aggregate, entities) =
        Publisher::new().read(document, &AggregateLimits::default()).expect("verifies");
    assert_eq!(entities.iter().map(|entity| entity.is_identity_provider).collect::<Vec<_>>(), [true, true]);
    let [told] = aggregate.told.as_slice() else { panic!("{:?}", aggregate.told) };
    assert_eq!((aggregate.entities, aggregate.left_out, told.entity_id.as_deref()), (2, 1, Some("e")));
    assert_eq!(told.why, WhyLeftOut::Repeated { first: entities[0].place });
}

#[test]
fn an_entity_that_cannot_be_used_is_left_out_and_the_others_are_not() {
    let document = root()
        .with_child(entity(""))
        .with_child(entity(&"å".repeat(1_025)))
        .with_child(NewElement::new(MD, "EntityDescriptor"))
        .with_child(entity("time").with_attribute("validUntil", "soon"))
        .with_child(entity(&"å".repeat(1_024)));
    let (aggregate, entities) =
        Publisher::new().read(document, &AggregateLimits::default()).expect("verifies");
    assert_eq!((entities.len(), aggregate.left_out), (1, 4));
    assert!(aggregate.told[..3].iter().all(|told| told.why == WhyLeftOut::NoEntityId));
    let time = WhyLeftOut::Time { attribute: "validUntil", written: "soon".into() };
    assert_eq!((&aggregate.told[3].why, aggregate.told[3].entity_id.as_deref()), (&time, Some("time")));
}

#[test]
fn bounds_on_octets_and_entities_hold() {
    let publisher = Publisher::new();
    let limits =
        AggregateLimits { entities: 2, entity_octets: 4_000, octets: 20_000, ..AggregateLimits::default() };
    let rule = |root: NewElement| {
        publisher.read(root, &limits).map_or_else(|refused| refused.rule(), |_| "accepted")
    };
    assert_eq!(rule(root().with_child(entity("a")).with_child(entity("b"))), "accepted");
    assert_eq!(
        rule(root().with_child(entity("a")).with_child(entity("b")).with_child(entity("c"))),
        "aggregate.entities"
    );
    assert_eq!(
        rule(
            root().with_child(entity("a").with_child(NewElement::new(MD, "x").with_text("x".repeat(4_000))))
        ),
        "xml.piece_size"
    );
    let text = |root: NewElement| root.with_text("x".repeat(3_000)).with_child(NewElement::new(MD, "x"));
    assert_eq!(rule((0..8).fold(root(), |root, _| text(root))), "xml.size");
}

#[test]
fn one_entity_alone_is_a_document_too() {
    let publisher = Publisher::new();
    let alone = entity("e").with_attribute("ID", "_e");
    assert_eq!(publisher.rule(alone.clone()), "aggregate.valid_until_missing");
    let publication = NewElement::new(MDRPI, "PublicationInfo")
        .with_attribute("creationInstant", until(-60))
        .with_attribute("publisher", "https://mdq.example");
    let alone = alone
        .with_attribute("validUntil", until(60))
        .with_child(NewElement::new(MD, "Extensions").with_child(publication));
    let (aggregate, entities) = publisher.read(alone, &AggregateLimits::default()).expect("verifies");
    assert_eq!((entities.len(), entities[0].valid_until), (1, Some(NOW.plus(60))));
    assert_eq!(aggregate.creation_instant, Some(NOW.plus(-60)));
    assert_eq!(aggregate.publisher.as_deref(), Some("https://mdq.example"));
    assert_eq!(
        publisher.rule(NewElement::new(MD, "Organization").with_attribute("ID", "_o")),
        "aggregate.kind"
    );
}

#[test]
fn what_came_of_another_document_is_not_given_up() {
    let publisher = Publisher::new();
    let mut kept = Vec::new();
    let octets = publisher.signed(root().with_child(entity("e")));
    let mut bent = octets.clone();
    let at = bent.len() - "</md:EntitiesDescriptor>".len() - 2;
    bent[at] ^= 1;
    let refused =
        read_aggregate(bent.as_slice(), &publisher.trust, &AggregateLimits::default(), NOW, |entity| {
            kept.push(entity);
            Ok(())
        });
    assert!(refused.is_err());
    let (aggregate, entities) =
        read(&octets, &publisher.trust, &AggregateLimits::default(), NOW).expect("verifies");
    assert_eq!(entities.len(), 1);
    assert!(kept.into_iter().all(|entity| aggregate.prove(entity).is_none()));
}

#[test]
fn whoever_takes_the_entities_can_stop() {
    let publisher = Publisher::new();
    let octets = publisher.signed(root().with_child(entity("e")));
    let stopped =
        read_aggregate(octets.as_slice(), &publisher.trust, &AggregateLimits::default(), NOW, |_| {
            Err(Refused::Stopped("no room".into()))
        });
    assert_eq!(stopped.expect_err("stopped").to_string(), "stopped: no room");
}

#[test]
fn every_file_of_the_corpus_has_its_verdict() {
    let strict = AggregateLimits::default();
    let lenient = AggregateLimits { require_valid_until: false, ..strict };
    let now = Timestamp::from_rfc3339("2019-07-18T00:00:00Z").expect("a time");
    for (name, limits, verdict) in [
        ("wayf-edugain-metadata.xml", strict, "accepted"),
        // It names SHA-1, and canonical form with comments.
        ("swamid-1.0.xml", lenient, "signature.sha1"),
        ("sveleg-fedtest.xml", lenient, "signature.place"),
        ("sveleg-fedtest-complex.xml", lenient, "signature.place"),
        ("sveleg-fedtest-badschema.xml", lenient, "signature.place"),
        ("adfs-v2-metadata.xml", strict, "aggregate.valid_until_missing"),
        ("adfs-v2-metadata.xml", lenient, "accepted"),
    ] {
        let Some(octets) = corpus(name) else { continue };
        let found = read(&octets, &enclosed(&octets), &limits, now);
        assert_eq!(found.map_or_else(|refused| refused.rule(), |_| "accepted"), verdict, "{name}");
    }
}
