//! Keys survive their texts, sign what verifies, and do not show.

use super::*;
use crate::{certificate::Certificate, public_key::SMALLEST_RSA_BITS};

fn every_kind() -> Vec<PrivateKey> {
    use SignatureAlgorithm as A;
    let mut keys = vec![
        PrivateKey::generate_p256().expect("generated"),
        PrivateKey::generate_p384().expect("generated"),
        PrivateKey::generate_p521().expect("generated"),
    ];
    let rsa = PrivateKey::generate_rsa(2048, A::RsaSha256).expect("generated");
    let pkcs8 = rsa.to_pkcs8_der().expect("encoded");
    for algorithm in [A::RsaSha384, A::RsaSha512, A::RsaPssSha256, A::RsaPssSha384, A::RsaPssSha512] {
        keys.push(PrivateKey::from_pkcs8_der(&pkcs8, algorithm).expect("read"));
    }
    keys.push(rsa);
    keys
}

#[test]
fn every_algorithm_signs_what_verifies() {
    for key in every_kind() {
        let signature = key.sign(b"message").expect("signed");
        assert_eq!(key.public_key().verify(key.algorithm(), b"message", &signature), Ok(()), "{key:?}");
        assert!(key.public_key().verify(key.algorithm(), b"massage", &signature).is_err(), "{key:?}");
    }
}

#[test]
fn a_key_survives_its_pem() {
    for key in every_kind() {
        let pem = key.to_pkcs8_pem().expect("encoded");
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        let read = PrivateKey::from_pkcs8_pem(&pem, key.algorithm()).expect("read");
        assert_eq!(read.public_key(), key.public_key());
        assert_eq!(read.key_id(), key.key_id());
        let any = PrivateKey::from_pkcs8_pem_any_kind(&pem).expect("read");
        assert_eq!(any.public_key(), key.public_key());
    }
}

#[test]
fn an_algorithm_of_another_kind_of_key_is_refused() {
    let pem = PrivateKey::generate_p256().expect("generated").to_pkcs8_pem().expect("encoded");
    assert!(PrivateKey::from_pkcs8_pem(&pem, SignatureAlgorithm::EcdsaSha256).is_ok());
    assert!(PrivateKey::from_pkcs8_pem(&pem, SignatureAlgorithm::EcdsaSha384).is_err());
    assert!(PrivateKey::from_pkcs8_pem(&pem, SignatureAlgorithm::RsaSha256).is_err());
}

#[test]
fn nothing_is_signed_with_sha1() {
    let pkcs8 = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256)
        .and_then(|key| key.to_pkcs8_der())
        .expect("generated");
    assert_eq!(
        PrivateKey::from_pkcs8_der(&pkcs8, SignatureAlgorithm::RsaSha1).err(),
        Some(KeyError::NeverSignedWith { algorithm: SignatureAlgorithm::RsaSha1 })
    );
}

#[test]
fn a_small_rsa_key_is_neither_made_nor_read() {
    assert_eq!(
        PrivateKey::generate_rsa(1024, SignatureAlgorithm::RsaSha256).err(),
        Some(KeyError::RsaTooSmall { bits: 1024 })
    );
    assert_eq!(SMALLEST_RSA_BITS, 2048);
}

#[test]
fn a_certificate_belongs_to_its_own_key() {
    let key = PrivateKey::generate_p256().expect("generated");
    let other = PrivateKey::generate_p256().expect("generated");
    let certificate = key.self_signed_certificate("a", SystemTime::UNIX_EPOCH, 1).expect("made");
    assert_eq!(other.with_certificate(certificate.clone()).err(), Some(KeyError::CertificateMismatch));
    let key = key.with_certificate(certificate.clone()).expect("joined");
    assert_eq!(key.certificate_der(), Some(certificate.as_slice()));
}

#[test]
fn every_kind_of_key_gets_a_certificate() {
    for key in every_kind() {
        let der = key.self_signed_certificate("a", SystemTime::UNIX_EPOCH, 1).expect("made");
        let certificate = Certificate::from_der(&der).expect("read");
        assert_eq!(certificate.public_key(), Ok(key.public_key()), "{key:?}");
    }
}

#[test]
fn a_pem_of_something_else_is_named() {
    let key = PrivateKey::generate_p256().expect("generated");
    let pem = key.to_pkcs8_pem().expect("encoded").replace("PRIVATE KEY", "EC PRIVATE KEY");
    assert_eq!(
        PrivateKey::from_pkcs8_pem_any_kind(&pem).err(),
        Some(KeyError::Pem { expected: "PRIVATE KEY", found: Some("EC PRIVATE KEY") })
    );
    assert!(matches!(PrivateKey::from_pkcs8_pem_any_kind("").err(), Some(KeyError::Pem { .. })));
}

#[test]
fn nothing_shows_a_private_key() {
    for key in every_kind() {
        let shown = format!("{key:?}");
        let secret = key.to_pkcs8_pem().expect("encoded");
        for line in secret.lines().filter(|line| !line.starts_with('-')) {
            assert!(!shown.contains(line));
        }
        assert!(shown.starts_with("PrivateKey { algorithm: ") && shown.ends_with(", .. }"), "{shown}");
    }
}
