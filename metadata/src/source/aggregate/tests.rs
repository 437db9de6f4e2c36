//! One test for each rule of a document; that signatures are judged rightly, `certs` tests.

use std::path::PathBuf;

use certs::{PrivateKey, Signer as _};
use certs_xml::{canonicalize, namespace::DS};

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

/// The keys in a document's own signature: whoever trusts them trusts anybody. For old files whose publisher is gone.
fn enclosed(octets: &[u8]) -> Vec<PublicKey> {
    let document = Document::read(octets, Limits::metadata(octets.len())).expect("reads");
    let info = document
        .root()
        .child(DS.uri(), "Signature")
        .and_then(|signature| signature.child(DS.uri(), "KeyInfo"));
    let certificates = crate::saml::key::certificates(info.expect("a signature with its certificate"));
    certificates
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
