//! What counts as a key, and what a signature by it must be.

use std::time::SystemTime;

use super::*;
use crate::{private_key::PrivateKey, signer::Signer as _};

/// A certificate with an RSA key of 1024 bits and its key's signature over "old", made for this test.
const OLD_CERTIFICATE: &str = include_str!("old-certificate.pem");
const OLD_SIGNATURE: &[u8] = include_bytes!("old-signature.bin");

fn old_certificate() -> Vec<u8> {
    crate::pem::certificates(OLD_CERTIFICATE).expect("PEM").remove(0)
}

#[test]
fn one_key_has_one_thumbprint_in_every_envelope() {
    for key in [PrivateKey::generate_p384(), PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256)] {
        let key = key.expect("generated");
        let certificate = key.self_signed_certificate("one", SystemTime::UNIX_EPOCH, 1).expect("certificate");
        let in_certificate = PublicKey::from_certificate_der(&certificate).expect("read");
        let in_spki = PublicKey::from_spki_der(key.public_key().spki_der()).expect("read");
        assert_eq!(in_certificate, *key.public_key());
        assert_eq!(in_spki.thumbprint(), in_certificate.thumbprint());
        assert_eq!(in_spki.thumbprint().to_string().len(), 64);
    }
}

#[test]
fn components_make_the_key_that_they_came_from() {
    let rsa = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("generated");
    let (modulus, exponent) = rsa.public_key().rsa_components().expect("RSA");
    assert_eq!((modulus.len(), exponent.as_slice()), (256, &[1, 0, 1][..]));
    assert_eq!(PublicKey::from_rsa_components(&modulus, &exponent).as_ref(), Ok(rsa.public_key()));
    assert_eq!(rsa.public_key().ec_coordinates(), None);

    let ec = PrivateKey::generate_p521().expect("generated");
    let (x, y) = ec.public_key().ec_coordinates().expect("EC");
    let point = [&[4][..], &x, &y].concat();
    assert_eq!(PublicKey::from_ec_point(KeyKind::P521, &point).as_ref(), Ok(ec.public_key()));
    assert_eq!(ec.public_key().rsa_components(), None);
}

#[test]
fn a_point_off_the_curve_is_refused() {
    let key = PrivateKey::generate_p256().expect("generated");
    let (x, mut y) = key.public_key().ec_coordinates().expect("EC");
    y[31] ^= 1;
    let point = [&[4][..], &x, &y].concat();
    assert_eq!(PublicKey::from_ec_point(KeyKind::P256, &point), Err(KeyError::Malformed));
    assert_eq!(PublicKey::from_ec_point(KeyKind::P256, &[0]), Err(KeyError::Malformed));
}

#[test]
fn an_rsa_key_below_2048_bits_is_refused_unless_asked_for_by_name() {
    let certificate = old_certificate();
    assert_eq!(PublicKey::from_certificate_der(&certificate), Err(KeyError::RsaTooSmall { bits: 1024 }));
    let key = PublicKey::from_certificate_der_any_size(&certificate).expect("read");
    assert_eq!(key.kind(), KeyKind::Rsa { bits: 1024 });
    assert_eq!(key.verify(SignatureAlgorithm::RsaSha256, b"old", OLD_SIGNATURE), Ok(()));
    assert_eq!(key.verify(SignatureAlgorithm::RsaSha256, b"new", OLD_SIGNATURE), Err(BadSignature));
    assert_eq!(key.verify(SignatureAlgorithm::RsaSha1, b"old", OLD_SIGNATURE), Err(BadSignature));
}

#[test]
fn the_dates_of_a_certificate_do_not_matter() {
    let key = PrivateKey::generate_p256().expect("generated");
    let expired = key.self_signed_certificate("old", SystemTime::UNIX_EPOCH, 1).expect("certificate");
    assert!(PublicKey::from_certificate_der(&expired).is_ok());
}

#[test]
fn a_signature_holds_for_its_message_key_and_algorithm_only() {
    let key = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("generated");
    let other = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("generated");
    let signature = key.sign(b"message").expect("signed");
    let public = key.public_key();
    assert_eq!(public.verify(SignatureAlgorithm::RsaSha256, b"message", &signature), Ok(()));
    assert!(public.verify(SignatureAlgorithm::RsaSha256, b"massage", &signature).is_err());
    assert!(public.verify(SignatureAlgorithm::RsaSha512, b"message", &signature).is_err());
    assert!(public.verify(SignatureAlgorithm::RsaPssSha256, b"message", &signature).is_err());
    assert!(public.verify(SignatureAlgorithm::EcdsaSha256, b"message", &signature).is_err());
    assert!(other.public_key().verify(SignatureAlgorithm::RsaSha256, b"message", &signature).is_err());
}

#[test]
fn an_ecdsa_signature_is_of_fixed_form() {
    let key = PrivateKey::generate_p256().expect("generated");
    let signature = key.sign(b"message").expect("signed");
    assert_eq!(signature.len(), 64);
    let public = key.public_key();
    assert_eq!(public.verify(SignatureAlgorithm::EcdsaSha256, b"message", &signature), Ok(()));
    assert!(public.verify(SignatureAlgorithm::EcdsaSha256, b"message", &signature[..63]).is_err());
    assert!(public.verify(SignatureAlgorithm::EcdsaSha256, b"message", &[0; 64]).is_err());
    assert!(public.verify(SignatureAlgorithm::EcdsaSha256, b"message", b"").is_err());
}

#[test]
fn a_key_supports_the_algorithms_of_its_kind() {
    let ec = PrivateKey::generate_p384().expect("generated");
    for algorithm in SignatureAlgorithm::ALL {
        assert_eq!(ec.public_key().supports(algorithm), algorithm == SignatureAlgorithm::EcdsaSha384);
    }
    let rsa = PublicKey::from_certificate_der_any_size(&old_certificate()).expect("read");
    for algorithm in SignatureAlgorithm::ALL {
        assert_eq!(rsa.supports(algorithm), algorithm.is_rsa());
    }
}

#[test]
fn what_is_no_key_is_refused() {
    let key = PrivateKey::generate_p256().expect("generated");
    let mut trailing = key.public_key().spki_der().to_vec();
    trailing.push(0);
    assert_eq!(PublicKey::from_spki_der(&trailing), Err(KeyError::Malformed));
    assert_eq!(PublicKey::from_spki_der(b""), Err(KeyError::Malformed));
    assert_eq!(PublicKey::from_certificate_der(key.public_key().spki_der()), Err(KeyError::Malformed));
    // Ed25519, RFC 8410 section 10.1.
    let mut ed25519 = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    ed25519.extend([0x19; 32]);
    assert_eq!(PublicKey::from_spki_der(&ed25519), Err(KeyError::UnknownKind));
}

proptest::proptest! {
    #[test]
    fn reading_any_octets_ends(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = PublicKey::from_spki_der(&octets);
        let _ = PublicKey::from_certificate_der(&octets);
    }

    #[test]
    fn reading_a_damaged_certificate_ends(place in 0_usize..500, octet in proptest::num::u8::ANY) {
        let mut certificate = old_certificate();
        let place = place % certificate.len();
        certificate[place] = octet;
        if let Ok(key) = PublicKey::from_certificate_der_any_size(&certificate) {
            let _ = key.verify(SignatureAlgorithm::RsaSha256, b"old", OLD_SIGNATURE);
        }
    }
}
