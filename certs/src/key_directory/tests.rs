//! The directory is made once, refuses what is wrong with it all at once, and shows nothing secret.

use std::{fs, os::unix::fs::PermissionsExt as _, time::SystemTime};

use super::*;
use crate::{certificate::Certificate, public_key::KeyKind};

const CREATION: Creation<'_> =
    Creation { name: "broker.example", signing_keys: SigningKeys::P256, certificate_days: 30 };

/// A fresh directory in a place that goes away with the first value.
fn made() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().expect("a place");
    let path = place.path().join("keys");
    KeyDirectory::init(&path, CREATION, SystemTime::UNIX_EPOCH).expect("made");
    (place, path)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).expect("a directory");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn problems(path: &Path) -> Vec<(String, Problem)> {
    let refused = KeyDirectory::open(path).expect_err("refused");
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    refused.problems.into_iter().map(|found| (name(&found.path), found.problem)).collect()
}

#[test]
fn what_was_made_opens_with_the_same_keys() {
    let (_place, path) = made();
    let opened = KeyDirectory::open(&path).expect("opened");
    assert_eq!(opened.fingerprints(), KeyDirectory::open(&path).expect("opened").fingerprints());
    assert_eq!(opened.fingerprints().len(), 6);
    assert_eq!(opened.saml_signing().public_key().kind(), KeyKind::P256);
    assert_eq!(opened.saml_decryption()[0].public_key().kind(), KeyKind::Rsa { bits: 2048 });
    let certificate =
        Certificate::from_der(opened.saml_signing().certificate_der().expect("one")).expect("read");
    assert_eq!(certificate.subject(), "CN=broker.example SAML signing");
    let certificate = Certificate::from_der(opened.saml_decryption_certificate()).expect("read");
    assert_eq!(certificate.public_key(), Ok(opened.saml_decryption()[0].public_key()));
}

#[test]
fn rsa_is_what_is_made_unless_asked_otherwise() {
    let place = tempfile::tempdir().expect("a place");
    let creation = Creation { signing_keys: SigningKeys::default(), ..CREATION };
    let made =
        KeyDirectory::init(&place.path().join("keys"), creation, SystemTime::UNIX_EPOCH).expect("made");
    assert_eq!(made.saml_signing().public_key().kind(), KeyKind::Rsa { bits: 2048 });
    assert_eq!(made.metadata_signing().public_key().kind(), KeyKind::Rsa { bits: 3072 });
}

#[test]
fn only_the_owner_may_use_it() {
    let (place, path) = made();
    assert_eq!(mode(&path), 0o700);
    assert_eq!(names(&path).len(), 9);
    for name in names(&path) {
        assert_eq!(mode(&path.join(&name)), 0o600, "{name}");
    }
    assert_eq!(names(place.path()), ["keys"]);
}

#[test]
fn nothing_that_exists_is_overwritten() {
    let (_place, path) = made();
    let before = fs::read(path.join(NODE_SECRET)).expect("read");
    let again = KeyDirectory::init(&path, CREATION, SystemTime::UNIX_EPOCH);
    assert!(matches!(again, Err(CreationRefused::Exists { .. })));
    let file = KeyDirectory::init(&path.join(NODE_SECRET), CREATION, SystemTime::UNIX_EPOCH);
    assert!(matches!(file, Err(CreationRefused::Exists { .. })));
    assert_eq!(fs::read(path.join(NODE_SECRET)).expect("read"), before);
}

#[test]
fn an_empty_directory_is_filled_in_place() {
    let place = tempfile::tempdir().expect("a place");
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).expect("set");
    KeyDirectory::init(place.path(), CREATION, SystemTime::UNIX_EPOCH).expect("made");
    assert_eq!(names(place.path()).len(), 9);
    assert_eq!(mode(place.path()), 0o700);
}

#[test]
fn an_interrupted_try_is_named_and_left_alone() {
    let place = tempfile::tempdir().expect("a place");
    let staging = place.path().join(".keys.new");
    fs::create_dir(&staging).expect("made");
    let refused = KeyDirectory::init(&place.path().join("keys"), CREATION, SystemTime::UNIX_EPOCH);
    assert!(matches!(refused, Err(CreationRefused::Interrupted { path }) if path == staging));
    assert!(staging.exists());
}

#[test]
fn every_problem_is_told_at_once_with_how_to_mend_it() {
    let (_place, path) = made();
    fs::remove_file(path.join(SUBJECT_SECRET)).expect("removed");
    fs::write(path.join(REGISTRY_SECRET), "c2hvcnQ=").expect("written");
    fs::set_permissions(path.join(NODE_SECRET), fs::Permissions::from_mode(0o640)).expect("set");
    fs::write(path.join(SAML_SIGNING.key), "no key").expect("written");
    fs::remove_file(path.join(SAML_DECRYPTION.certificate)).expect("removed");
    fs::copy(path.join(SAML_SIGNING.certificate), path.join(METADATA_SIGNING.certificate)).expect("copied");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
    let found = problems(&path);
    let found: Vec<_> = found.iter().map(|(name, problem)| (name.as_str(), problem)).collect();
    assert!(
        matches!(
            found.as_slice(),
            [
                ("keys", Problem::OpenToOthers { mode: 0o755, directory: true }),
                (NODE_SECRET, Problem::OpenToOthers { mode: 0o640, directory: false }),
                (SUBJECT_SECRET, Problem::Missing),
                (REGISTRY_SECRET, Problem::NotASecret),
                ("saml-signing.pem", Problem::NotAKey(_)),
                ("saml-decryption.crt", Problem::Missing),
                ("metadata-signing.crt", Problem::CertificateOfAnotherKey),
            ]
        ),
        "{found:?}"
    );
    let shown = KeyDirectory::open(&path).expect_err("refused").to_string();
    assert_eq!(shown.lines().count(), 7);
    assert!(shown.contains(&format!("chmod 600 {}", path.join(NODE_SECRET).display())), "{shown}");
    assert!(shown.contains(&format!("chmod 700 {}", path.display())), "{shown}");
}

#[test]
fn a_public_certificate_may_be_read_by_others() {
    let (_place, path) = made();
    fs::set_permissions(path.join(SAML_SIGNING.certificate), fs::Permissions::from_mode(0o644)).expect("set");
    assert!(KeyDirectory::open(&path).is_ok());
}

#[test]
fn two_secrets_that_are_one_are_refused() {
    let (_place, path) = made();
    fs::copy(path.join(NODE_SECRET), path.join(SUBJECT_SECRET)).expect("copied");
    let found = problems(&path);
    assert!(
        matches!(found.as_slice(), [(name, Problem::SameAs { other: NODE_SECRET })] if name == SUBJECT_SECRET),
        "{found:?}"
    );
}

#[test]
fn a_key_that_decrypts_signs_nothing() {
    for (files, beside) in [(SAML_SIGNING, None), (METADATA_SIGNING, Some(decryption::OLD))] {
        let (_place, path) = made();
        fs::copy(path.join(SAML_DECRYPTION.key), path.join(files.key)).expect("copied");
        fs::copy(path.join(SAML_DECRYPTION.certificate), path.join(files.certificate)).expect("copied");
        let found = problems(&path);
        assert!(
            matches!(found.as_slice(), [(name, Problem::AlsoSigns { other })]
                if name == SAML_DECRYPTION.key && *other == files.key),
            "{found:?}"
        );
        let Some(old) = beside else { continue };
        fs::copy(path.join(SAML_DECRYPTION.key), path.join(old.key)).expect("copied");
        fs::copy(path.join(SAML_DECRYPTION.certificate), path.join(old.certificate)).expect("copied");
        assert_eq!(problems(&path).len(), 2, "also while it is no longer published");
    }
}

#[test]
fn a_decryption_key_that_nobody_can_encrypt_to_is_refused() {
    let (_place, path) = made();
    fs::copy(path.join(SAML_SIGNING.key), path.join(SAML_DECRYPTION.key)).expect("copied");
    fs::copy(path.join(SAML_SIGNING.certificate), path.join(SAML_DECRYPTION.certificate)).expect("copied");
    assert!(matches!(problems(&path).as_slice(), [(_, Problem::NotForDecryption)]));
}

#[test]
fn no_directory_is_one_problem_not_ten() {
    let place = tempfile::tempdir().expect("a place");
    let missing = place.path().join("keys");
    assert!(matches!(problems(&missing).as_slice(), [(_, Problem::NoDirectory)]));
    fs::write(&missing, "").expect("written");
    assert!(matches!(problems(&missing).as_slice(), [(_, Problem::NoDirectory)]));
}

#[test]
fn a_file_too_long_is_not_read() {
    let (_place, path) = made();
    fs::write(path.join(NODE_SECRET), "A".repeat(70_000)).expect("written");
    assert!(matches!(problems(&path).as_slice(), [(_, Problem::TooLong)]));
}

#[test]
fn directories_made_apart_have_other_fingerprints() {
    let (_one, one) = made();
    let (_two, two) = made();
    let one = KeyDirectory::open(&one).expect("opened").fingerprints();
    let two = KeyDirectory::open(&two).expect("opened").fingerprints();
    for (one, two) in one.iter().zip(&two) {
        assert_eq!(one.item, two.item);
        assert_ne!(one.value, two.value, "{}", one.item);
    }
}

#[test]
fn nothing_shows_what_is_in_it() {
    let (_place, path) = made();
    let shown = format!("{:?}", KeyDirectory::open(&path).expect("opened"));
    for name in names(&path) {
        let text = fs::read_to_string(path.join(&name)).expect("read");
        for line in text.lines().filter(|line| !line.starts_with('-')) {
            assert!(!shown.contains(line), "{name}");
        }
    }
}
