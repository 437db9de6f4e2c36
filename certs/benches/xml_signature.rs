//! What a signed response of 9 KB costs: reading and verifying, then reading what was verified; and signing one of our own. Beside each, the
//! bare public-key operation, so that the difference is ours.

use std::hint::black_box;

use certs::{
    AlgorithmPolicy, PrivateKey, SignatureAlgorithm, Signer,
    xml_signature::{Profile, sign_enveloped, verify},
};
use certs_xml::{
    Document, Limits, NewElement,
    namespace::{SAML, SAMLP},
};
use criterion::{Criterion, criterion_group, criterion_main};

fn assertion() -> NewElement {
    let attributes = (0..35).map(|number| {
        NewElement::new(SAML, "Attribute")
            .with_attribute("Name", format!("urn:oid:1.2.752.29.4.{number}"))
            .with_attribute("NameFormat", "urn:oasis:names:tc:SAML:2.0:attrname-format:uri")
            .with_child(NewElement::new(SAML, "AttributeValue").with_text("Åsa Öberg, Härnösands kommun"))
    });
    let confirmation = NewElement::new(SAML, "SubjectConfirmation")
        .with_attribute("Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer")
        .with_child(
            NewElement::new(SAML, "SubjectConfirmationData")
                .with_attribute("InResponseTo", "_4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b")
                .with_attribute("Recipient", "https://broker.example.se/saml/acs")
                .with_attribute("NotOnOrAfter", "2026-01-01T12:05:00Z"),
        );
    NewElement::new(SAML, "Assertion")
        .with_attribute("ID", "_0f1e2d3c4b5a69788796a5b4c3d2e1f0")
        .with_attribute("IssueInstant", "2026-01-01T12:00:00Z")
        .with_attribute("Version", "2.0")
        .with_child(NewElement::new(SAML, "Issuer").with_text("https://idp.example.se/entity"))
        .with_child(
            NewElement::new(SAML, "Subject")
                .with_child(NewElement::new(SAML, "NameID").with_text("_6a5b4c3d2e1f"))
                .with_child(confirmation),
        )
        .with_child(NewElement::new(SAML, "AttributeStatement").with_children(attributes))
}

fn response(assertion: NewElement) -> NewElement {
    NewElement::new(SAMLP, "Response")
        .with_attribute("ID", "_a0b1c2d3e4f5")
        .with_attribute("Destination", "https://broker.example.se/saml/acs")
        .with_child(NewElement::new(SAML, "Issuer").with_text("https://idp.example.se/entity"))
        .with_child(assertion)
}

fn benchmarks(criterion: &mut Criterion) {
    let keys = [
        ("rsa-2048", PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("a key")),
        ("p-256", PrivateKey::generate_p256().expect("a key")),
    ];
    for (name, key) in &keys {
        let keys = [key.public_key().clone()];
        let policy = AlgorithmPolicy::default();
        let signed = sign_enveloped(response(assertion()), key).expect("it signs");
        let octets = signed.to_canonical().expect("it can be written");
        let mut group = criterion.benchmark_group(format!("{name}, response of {} octets", octets.len()));
        group.bench_function("verify", |bencher| {
            bencher.iter(|| {
                let document = Document::read(black_box(&octets), Limits::message()).expect("it reads");
                verify(document.root(), &keys, &policy, Profile::Message).expect("it verifies")
            });
        });
        group.bench_function("verify, and read what was signed", |bencher| {
            bencher.iter(|| {
                let document = Document::read(black_box(&octets), Limits::message()).expect("it reads");
                let signed = verify(document.root(), &keys, &policy, Profile::Message).expect("it verifies");
                signed.value().document().expect("it reads")
            });
        });
        group.bench_function("read alone", |bencher| {
            bencher.iter(|| Document::read(black_box(&octets), Limits::message()).expect("it reads"));
        });
        let signature = key.sign(&octets).expect("it signs");
        group.bench_function("bare verification", |bencher| {
            bencher.iter(|| keys[0].verify(key.algorithm(), black_box(&octets[..512]), &signature));
        });
        group.bench_function("sign and write", |bencher| {
            bencher.iter(|| {
                let signed = sign_enveloped(black_box(response(assertion())), key).expect("it signs");
                signed.to_canonical().expect("it can be written")
            });
        });
        group.bench_function("bare signature", |bencher| {
            bencher.iter(|| key.sign(black_box(&octets[..512])));
        });
        group.finish();
    }
}

criterion_group!(all, benchmarks);
criterion_main!(all);
