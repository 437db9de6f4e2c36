use std::time::{Duration, SystemTime};

use broker_core::{
    identifier::Language,
    moment::Timestamp,
    organisation::{LocalText, OrganisationNumber},
};
use certs::{
    AlgorithmPolicy, PrivateKey, Signer as _,
    xml_signature::{Profile, verify},
};
use certs_xml::{
    Document, Limits,
    namespace::{MD, MDORGEXT, MDUI, XML},
};

use super::{RequestedAttribute, ServiceProvider, Validity, service_provider};
use crate::peer::{Contact, ContactKind};

fn text(sv: &str, en: &str) -> LocalText {
    LocalText(
        [("sv", sv), ("en", en)]
            .into_iter()
            .filter_map(|(tag, words)| Some((Language::from_tag(tag)?, words.to_owned())))
            .collect(),
    )
}

fn key() -> PrivateKey {
    let key = PrivateKey::generate_p256().expect("generated");
    let from = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let certificate = key.self_signed_certificate("metadata", from, 3650).expect("made");
    key.with_certificate(certificate).expect("its own")
}

fn settings(certificate: &[u8]) -> ServiceProvider {
    ServiceProvider {
        entity_id: "https://sparvidd.example/saml/sp".into(),
        acs_url: "https://sparvidd.example/saml/acs".into(),
        signing_certificates: vec![certificate.to_vec()],
        encryption_certificates: vec![certificate.to_vec()],
        want_assertions_signed: false,
        display_name: text("Spårvidd & <vänner>", "Spårvidd"),
        description: text("Inloggning", "Login"),
        logos: vec![("https://sparvidd.example/logo.svg".into(), 64, 64)],
        privacy_statement: text("https://sparvidd.example/om", "https://sparvidd.example/about"),
        categories: vec!["http://id.swedenconnect.se/ec/1.0/loa3-orgid".into()],
        requested_attributes: vec![RequestedAttribute {
            name: "urn:oid:1.2.752.201.3.1".into(),
            friendly_name: Some("orgAffiliation".into()),
            is_required: false,
        }],
        organisation: (
            text("Operatören", "The operator"),
            text("Operatören", "The operator"),
            text("https://o.example/", "https://o.example/en"),
        ),
        organisation_number: OrganisationNumber::parse("2120001355"),
        contacts: vec![Contact {
            kind: ContactKind::Support,
            name: None,
            email: Some("hjalp@sparvidd.example".into()),
            telephone: None,
        }],
    }
}

#[test]
fn what_we_publish_is_signed_and_says_what_it_should() {
    let key = key();
    let validity = Validity { until: Some(Timestamp(1_800_000_000)), cache_seconds: Some(3600) };
    let settings = settings(key.certificate_der().expect("it has one"));
    let octets = service_provider(&settings, validity, &key).expect("published");
    assert_eq!(service_provider(&settings, validity, &key).map(|again| again.len()), Ok(octets.len()));
    let document = Document::read(&octets, Limits::metadata(octets.len())).expect("reads");
    let keys = [key.public_key().clone()];
    let held = verify(document.root(), &keys, &AlgorithmPolicy::default(), Profile::Metadata);
    assert!(held.is_ok(), "{held:?}");
    let root = document.root();
    assert_eq!(root.attribute("entityID"), Some("https://sparvidd.example/saml/sp"));
    assert_eq!(root.attribute("validUntil"), Some("2027-01-15T08:00:00Z"));
    assert_eq!(root.attribute("cacheDuration"), Some("PT3600S"));
    let role = root.child(MD.uri(), "SPSSODescriptor").expect("a role");
    assert_eq!(role.attribute("AuthnRequestsSigned"), Some("true"));
    let uses: Vec<_> =
        role.children_named(MD.uri(), "KeyDescriptor").filter_map(|key| key.attribute("use")).collect();
    assert_eq!(uses, ["signing", "encryption"]);
    let methods: Vec<Vec<_>> = role
        .children_named(MD.uri(), "KeyDescriptor")
        .map(|key| {
            let methods = key.children_named(MD.uri(), "EncryptionMethod");
            methods.filter_map(|method| method.attribute("Algorithm")).collect()
        })
        .collect();
    assert!(methods[0].is_empty(), "a key that signs decrypts nothing");
    assert_eq!(methods[1].len(), 7, "six ciphers, and the key transport that every schema knows");
    assert!(methods[1][..3].iter().all(|uri| uri.ends_with("-gcm")), "{methods:?}");
    assert_eq!(methods[1][6], "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p");
    let acs = role.child(MD.uri(), "AssertionConsumerService").expect("an ACS");
    assert_eq!((acs.attribute("index"), acs.attribute("isDefault")), (Some("0"), Some("true")));
    let service = role.child(MD.uri(), "AttributeConsumingService").expect("one");
    assert_eq!(service.children_named(MD.uri(), "ServiceName").count(), 2);
    assert!(
        document.elements().any(|element| element.is(MDORGEXT.uri(), "OrganizationNumber")
            && element.text() == Some("2120001355"))
    );
    assert!(document.elements().any(|element| {
        element.is(MDUI.uri(), "DisplayName")
            && element.attribute_in(XML.uri(), "lang") == Some("sv")
            && element.text() == Some("Spårvidd & <vänner>")
    }));
}

#[test]
fn the_children_stand_in_the_order_of_the_schema() {
    let key = key();
    let settings = settings(key.certificate_der().expect("it has one"));
    let octets =
        service_provider(&settings, Validity { until: None, cache_seconds: None }, &key).expect("published");
    let document = Document::read(&octets, Limits::metadata(octets.len())).expect("reads");
    let names: Vec<_> = document.root().children().map(|child| child.local_name()).collect();
    assert_eq!(names, ["Signature", "Extensions", "SPSSODescriptor", "Organization", "ContactPerson"]);
    let role: Vec<_> = document
        .root()
        .child(MD.uri(), "SPSSODescriptor")
        .into_iter()
        .flat_map(|role| role.children().map(|child| child.local_name()).collect::<Vec<_>>())
        .collect();
    assert_eq!(
        role,
        [
            "Extensions",
            "KeyDescriptor",
            "KeyDescriptor",
            "NameIDFormat",
            "NameIDFormat",
            "AssertionConsumerService",
            "AttributeConsumingService"
        ]
    );
    assert_eq!(document.root().attribute("validUntil"), None);
}
