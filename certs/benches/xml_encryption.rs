//! What one encrypted assertion costs: a private-key operation, a cipher, and reading what comes out.

use std::hint::black_box;

use certs::{
    DecryptionKey, PrivateKey, SignatureAlgorithm, Signer as _,
    xml_encryption::{BlockCipher, Enclosing, Encryption, KeyTransport, decrypt, encrypt},
};
use certs_xml::{Document, Limits, NewElement, namespace::SAML};
use criterion::{Criterion, criterion_group, criterion_main};

/// As long as an assertion with ten attributes and a signature.
fn plaintext() -> String {
    let attributes: String = (0..10)
        .map(|number| format!("<saml:Attribute Name=\"urn:oid:{number}\"><saml:AttributeValue>{}</saml:AttributeValue></saml:Attribute>", "v".repeat(250)))
        .collect();
    format!(
        "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_a\">{attributes}</saml:Assertion>"
    )
}

fn holder(key: &PrivateKey, encryption: Encryption) -> Document {
    let data = encrypt(plaintext().as_bytes(), key.public_key(), encryption).expect("encrypted");
    let holder = NewElement::new(SAML, "EncryptedAssertion").with_child(data);
    Document::read(&holder.to_canonical().expect("writable"), Limits::message()).expect("reads")
}

fn benches(criterion: &mut Criterion) {
    for bits in [2048, 3072] {
        let key = PrivateKey::generate_rsa(bits, SignatureAlgorithm::RsaSha256).expect("a key");
        let encryption = Encryption { cipher: BlockCipher::Aes256Gcm, transport: KeyTransport::OaepMgf1p };
        let document = holder(&key, encryption);
        let keys = [DecryptionKey::from_private_key(&key).expect("RSA")];
        criterion.bench_function(&format!("decrypt_aes256_gcm_rsa_{bits}"), |bencher| {
            bencher.iter(|| {
                decrypt(black_box(document.root()), &keys, Enclosing::Unsigned, Limits::message())
                    .expect("it opens")
            });
        });
        let strangers = PrivateKey::generate_rsa(bits, SignatureAlgorithm::RsaSha256).expect("a key");
        let strangers = [DecryptionKey::from_private_key(&strangers).expect("RSA")];
        criterion.bench_function(&format!("decrypt_with_a_wrong_key_rsa_{bits}"), |bencher| {
            bencher.iter(|| {
                decrypt(black_box(document.root()), &strangers, Enclosing::Unsigned, Limits::message())
                    .expect_err("it does not open")
            });
        });
        criterion.bench_function(&format!("encrypt_aes256_gcm_rsa_{bits}"), |bencher| {
            let plaintext = plaintext();
            bencher.iter(|| {
                encrypt(black_box(plaintext.as_bytes()), key.public_key(), encryption).expect("encrypted")
            });
        });
    }
}

criterion_group!(all, benches);
criterion_main!(all);
