//! Rollover rules, and what the wrapping keeps out.

use super::*;
use crate::jws::{self, Expectation, ExpectedType};

const ES256: SignatureAlgorithm = SignatureAlgorithm::EcdsaSha256;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn key(name: &str) -> Arc<PrivateKey> {
    Arc::new(PrivateKey::generate_p256().expect("generated").with_key_id(name))
}

fn secret(octet: u8) -> Secret {
    Secret::from_octets([octet; 32])
}

fn state(keyring: &Keyring, name: &str) -> Option<KeyState> {
    keyring.keys().iter().find(|entry| entry.signer.key_id() == name).map(|entry| entry.state)
}

fn rolled_over() -> Keyring {
    let mut keyring = Keyring::new();
    keyring.publish(key("old"), at(1)).expect("published");
    keyring.activate("old", at(2)).expect("activated");
    keyring.publish(key("new"), at(3)).expect("published");
    keyring
}

#[test]
fn a_published_key_is_seen_but_does_not_sign() {
    let keyring = rolled_over();
    assert_eq!(keyring.active(ES256).map(|key| key.key_id().to_owned()), Some("old".to_owned()));
    assert_eq!(keyring.published().keys().len(), 2);
    assert!(Keyring::new().active(ES256).is_none());
}

#[test]
fn activating_a_key_retires_the_one_before_which_stays_published() {
    let mut keyring = rolled_over();
    keyring.activate("new", at(4)).expect("activated");
    assert_eq!(keyring.active(ES256).map(|key| key.key_id().to_owned()), Some("new".to_owned()));
    assert_eq!(state(&keyring, "old"), Some(KeyState::Retired));
    assert_eq!(keyring.published().keys().len(), 2);
}

#[test]
fn activating_leaves_keys_of_other_algorithms_alone() {
    let mut keyring = rolled_over();
    let other = Arc::new(PrivateKey::generate_p384().expect("generated").with_key_id("other"));
    keyring.publish(other, at(5)).expect("published");
    keyring.activate("other", at(6)).expect("activated");
    assert_eq!(state(&keyring, "old"), Some(KeyState::Active));
}

#[test]
fn a_retired_key_never_comes_back_and_is_forgotten_in_time() {
    let mut keyring = rolled_over();
    keyring.activate("new", at(4)).expect("activated");
    assert_eq!(keyring.activate("old", at(5)), Err(KeyringRefused::NotPublished));
    keyring.forget_retired(at(3));
    assert_eq!(keyring.keys().len(), 2);
    keyring.forget_retired(at(4));
    assert_eq!(keyring.keys().len(), 1);
    assert_eq!(state(&keyring, "new"), Some(KeyState::Active));
}

#[test]
fn two_keys_of_one_name_are_refused() {
    let mut keyring = rolled_over();
    assert_eq!(keyring.publish(key("new"), at(5)), Err(KeyringRefused::SameName));
}

#[test]
fn a_wrapped_keyring_opens_to_the_same_keys() {
    let keyring = rolled_over();
    let wrapped = keyring.wrap(&secret(1), "oidc", 7).expect("wrapped");
    let opened = Keyring::unwrap(&wrapped, &secret(1), "oidc", 7).expect("opened");
    assert_eq!(opened.published(), keyring.published());
    assert_eq!(state(&opened, "old"), Some(KeyState::Active));
    assert_eq!(state(&opened, "new"), Some(KeyState::Published));
    assert_eq!(opened.keys()[1].since, at(3));
    let signer = opened.active(ES256).expect("active");
    let token = jws::sign_compact(signer.as_ref(), None, b"{}").expect("signed");
    let expectation = Expectation { algorithms: &[ES256], token_type: ExpectedType::Any };
    assert!(jws::verify_compact(&token, &keyring.published(), expectation).is_ok());
}

#[test]
fn another_secret_name_or_version_does_not_open_it() {
    let wrapped = rolled_over().wrap(&secret(1), "oidc", 7).expect("wrapped");
    let refused = Some(KeyringRefused::NotOurs);
    assert_eq!(Keyring::unwrap(&wrapped, &secret(2), "oidc", 7).err(), refused);
    assert_eq!(Keyring::unwrap(&wrapped, &secret(1), "other", 7).err(), refused);
    assert_eq!(Keyring::unwrap(&wrapped, &secret(1), "oidc", 6).err(), refused);
}

#[test]
fn a_changed_or_shortened_wrapping_does_not_open() {
    let wrapped = rolled_over().wrap(&secret(1), "oidc", 7).expect("wrapped");
    for place in [0, 1, 13, wrapped.len() / 2, wrapped.len() - 1] {
        let mut changed = wrapped.clone();
        changed[place] ^= 1;
        assert!(Keyring::unwrap(&changed, &secret(1), "oidc", 7).is_err(), "{place}");
    }
    for length in [0, 1, 12, 13, 28, wrapped.len() - 1] {
        assert!(Keyring::unwrap(&wrapped[..length], &secret(1), "oidc", 7).is_err(), "{length}");
    }
}

#[test]
fn a_wrapped_keyring_shows_no_key() {
    let keyring = rolled_over();
    let wrapped = keyring.wrap(&secret(1), "oidc", 7).expect("wrapped");
    let encoded = STANDARD.encode(keyring.keys()[0].signer.to_pkcs8_der().expect("encoded").as_slice());
    let needle = &encoded.as_bytes()[..16];
    assert!(!wrapped.windows(needle.len()).any(|window| window == needle));
}
