use std::time::{Duration, SystemTime};

use broker_core::moment::Timestamp;
use certs::{
    AlgorithmPolicy, PrivateKey, PublicKey, Signer as _,
    xml_signature::{Profile, verify},
};
use certs_xml::{
    Document, Limits,
    namespace::{DS, MD, MDRPI},
};

use super::*;
use crate::source::aggregate::{AggregateLimits, read_aggregate};

const IDP: &str = include_str!("../saml/tests/idp.xml");
const ID: &str = "https://idp.granvik.example/saml";
const NOW: Timestamp = Timestamp(1_790_000_000);

fn key() -> PrivateKey {
    let key = PrivateKey::generate_p256().expect("generated");
    let from = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let certificate = key.self_signed_certificate("metadata", from, 3650).expect("made");
    key.with_certificate(certificate).expect("its own")
}

fn terms() -> Terms {
    Terms {
        valid_until: NOW.plus(4 * 86_400),
        cache_seconds: 3600,
        created: NOW,
        publisher: "https://sparvidd.example".into(),
        publication_id: "7".into(),
        registration_authority: Some("https://federation.example".into()),
    }
}

fn publish(octets: &str, key: &PrivateKey) -> Result<PublishedEntity, NotPublished> {
    published(octets.as_bytes(), ID, Role::IdentityProvider, &|_| false, &terms(), key)
}

fn read(octets: &[u8]) -> Document {
    Document::read(octets, Limits::metadata(1 << 20)).expect("well-formed")
}

#[test]
fn an_entity_is_published_under_our_signature_dates_and_authority() {
    let key = key();
    let made = publish(IDP, &key).expect("published");
    let document = read(&made.octets);
    let keys = [key.public_key().clone()];
    let _ = verify(document.root(), &keys, &AlgorithmPolicy::default(), Profile::Metadata).expect("signed");
    assert_eq!(document.root().attribute("validUntil"), Some(terms().valid_until.to_rfc3339().as_str()));
    assert_eq!(document.root().attribute("entityID"), Some(ID));
    let extensions = document.root().child(MD.uri(), "Extensions").expect("extensions");
    let registration = extensions.child(MDRPI.uri(), "RegistrationInfo").expect("registration");
    assert_eq!(registration.attribute("registrationAuthority"), Some("https://federation.example"));
    assert!(extensions.child(MDRPI.uri(), "PublicationInfo").is_some());
    let inside = PublishedEntity::unsigned(&made.octets, &made.about_document);
    let inside = read(&inside);
    assert!(inside.root().child(DS.uri(), "Signature").is_none());
    assert!(inside.elements().all(|element| !element.is(MDRPI.uri(), "PublicationInfo")));
    assert_eq!(publish(IDP, &key).expect("again").octets.len(), made.octets.len());
}

#[test]
fn an_octet_changed_after_signing_is_seen() {
    let key = key();
    let made = publish(IDP, &key).expect("published");
    let altered = String::from_utf8(made.octets).expect("UTF-8").replacen("granvik", "granvij", 1);
    let document = read(altered.as_bytes());
    let keys = [key.public_key().clone()];
    assert!(verify(document.root(), &keys, &AlgorithmPolicy::default(), Profile::Metadata).is_err());
}

#[test]
fn an_entity_without_extensions_of_its_own_has_ours() {
    let start = IDP.find("<md:Extensions>").expect("there");
    let end = IDP.find("</md:Extensions>").expect("there") + "</md:Extensions>".len();
    let made = publish(&format!("{}{}", &IDP[..start], &IDP[end..]), &key()).expect("published");
    let document = read(&made.octets);
    let names: Vec<_> = document.root().children().map(|child| child.local_name().to_owned()).collect();
    assert_eq!(
        names[..3],
        ["Signature", "Extensions", "IDPSSODescriptor"],
        "SAML Metadata 2.3.2: in this order"
    );
}

#[test]
fn a_role_that_nobody_judged_is_not_published() {
    let other = "<md:SPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"/>";
    let both = IDP.replacen("<md:IDPSSODescriptor", &format!("{other}<md:IDPSSODescriptor"), 1);
    let made = publish(&both, &key()).expect("published");
    assert!(read(&made.octets).root().child(MD.uri(), "SPSSODescriptor").is_none());
    let missing = published(IDP.as_bytes(), ID, Role::ServiceProvider, &|_| false, &terms(), &key());
    assert_eq!(missing, Err(NotPublished::NoSuchRole));
}

#[test]
fn a_suspended_key_is_not_published_and_one_without_keys_is_not_either() {
    let all = |_: &PublicKey| true;
    let none = published(IDP.as_bytes(), ID, Role::IdentityProvider, &all, &terms(), &key());
    assert_eq!(none, Err(NotPublished::NoKey));
}

#[test]
fn the_shorter_validity_holds_and_an_expired_entity_is_not_published() {
    let soon = IDP.replace("2030-01-01T00:00:00Z", &NOW.plus(60).to_rfc3339());
    assert_eq!(publish(&soon, &key()).expect("published").valid_until, NOW.plus(60));
    let over = IDP.replace("2030-01-01T00:00:00Z", &NOW.to_rfc3339());
    assert_eq!(publish(&over, &key()), Err(NotPublished::Expired));
}

#[test]
fn a_collection_is_read_by_our_own_reader_of_aggregates() {
    let key = key();
    let plain = IDP
        .replace("xmlns:md=", "xmlns=")
        .replace("<md:", "<")
        .replace("</md:", "</")
        .replace(ID, "https://default.example/saml");
    let second = published(
        plain.as_bytes(),
        "https://default.example/saml",
        Role::IdentityProvider,
        &|_| false,
        &terms(),
        &key,
    )
    .expect("published");
    let entities: Vec<Vec<u8>> = [publish(IDP, &key).expect("published"), second]
        .iter()
        .map(|made| PublishedEntity::unsigned(&made.octets, &made.about_document))
        .collect();
    let name = CollectionName { name: "https://sparvidd.example/all".into(), identifier: identifier(["a"]) };
    let mut out = Vec::new();
    collection(&name, &terms(), || entities.iter().cloned().map(Ok), &key, &mut out).expect("written");
    let trust = [key.public_key().clone()];
    let mut seen = 0;
    let read = read_aggregate(out.as_slice(), &trust, &AggregateLimits::default(), NOW, |_| {
        seen += 1;
        Ok(())
    })
    .expect("verified");
    assert_eq!((seen, read.entities, read.creation_instant), (2, 2, Some(NOW)));
    assert_eq!(read.valid_until, Some(terms().valid_until));
    let altered = String::from_utf8(out).expect("UTF-8").replacen("default.example", "defaulu.example", 1);
    assert!(
        read_aggregate(altered.as_bytes(), &trust, &AggregateLimits::default(), NOW, |_| Ok(())).is_err()
    );
}
