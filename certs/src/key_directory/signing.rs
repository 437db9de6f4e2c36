//! The rollover of a key that signs: the next one is published before it is used, and what was used stays published until no peer needs it.
//!
//! | step | files before | files after |
//! |---|---|---|
//! | [`make`] | `KEY` | and `KEY-next`, whose certificate is published, and which signs nothing |
//! | [`use_next`] | and `KEY-next` | `KEY` is what was next; of what was used the certificate stays, as `KEY-old.crt` |
//! | [`drop_old`] | and `KEY-old.crt` | `KEY` |
//!
//! After each step the directory goes to every node and each is started again. Neighbours: `decryption.rs` does the same for the key that peers
//! encrypt to; `key_directory.rs` opens what lies there.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{
    KeyDirectory, KeyFiles, METADATA_SIGNING, SAML_SIGNING,
    creation::{MESSAGE_RSA_BITS, METADATA_RSA_BITS},
    decryption::{RolloverRefused, at, needs, none_of, synced, write},
};
use crate::{
    algorithm::SignatureAlgorithm, certificate::Certificate, certificate::certificate_pem, pem,
    private_key::PrivateKey, signer::Signer as _,
};

/// Which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningKey {
    /// The one that signs SAML messages.
    Saml,
    /// The one that signs metadata.
    Metadata,
}

pub(super) const SAML_NEXT: KeyFiles =
    KeyFiles { key: "saml-signing-next.pem", certificate: "saml-signing-next.crt" };
pub(super) const SAML_OLD: &str = "saml-signing-old.crt";
pub(super) const METADATA_NEXT: KeyFiles =
    KeyFiles { key: "metadata-signing-next.pem", certificate: "metadata-signing-next.crt" };
const METADATA_OLD: &str = "metadata-signing-old.crt";

impl SigningKey {
    fn files(self) -> (KeyFiles, KeyFiles, &'static str, &'static str) {
        match self {
            Self::Saml => (SAML_SIGNING, SAML_NEXT, SAML_OLD, "SAML signing"),
            Self::Metadata => (METADATA_SIGNING, METADATA_NEXT, METADATA_OLD, "metadata signing"),
        }
    }
}

/// Makes the next key, of the kind of the present one, with a certificate in `name` that lasts `days` days.
///
/// # Errors
/// When a rollover of that key is under way, the directory does not open, or the system refuses something. Nothing existing is overwritten.
pub fn make(
    path: &Path,
    which: SigningKey,
    name: &str,
    now: SystemTime,
    days: u32,
) -> Result<KeyDirectory, RolloverRefused> {
    let (_, next, old, purpose) = which.files();
    none_of(path, &[next, KeyFiles { key: old, certificate: old }])?;
    let directory = KeyDirectory::open(path)?;
    let present = match which {
        SigningKey::Saml => directory.saml_signing(),
        SigningKey::Metadata => directory.metadata_signing(),
    };
    let bits = if which == SigningKey::Saml { MESSAGE_RSA_BITS } else { METADATA_RSA_BITS };
    let key = match present.algorithm() {
        SignatureAlgorithm::EcdsaSha256 => PrivateKey::generate_p256()?,
        _ => PrivateKey::generate_rsa(bits, SignatureAlgorithm::RsaSha256)?,
    };
    let certificate = key.self_signed_certificate(&format!("{name} {purpose}"), now, days)?;
    let written = write(&path.join(next.certificate), certificate_pem(&certificate).as_bytes())
        .and_then(|()| write(&path.join(next.key), key.to_pkcs8_pem()?.as_bytes()))
        .and_then(|()| synced(path));
    if written.is_err() {
        // Both are this step's own: neither was there before.
        for file in [next.key, next.certificate] {
            let _ = fs::remove_file(path.join(file));
        }
    }
    written?;
    Ok(KeyDirectory::open(path)?)
}

/// Signs with the next key from now on. The former one is gone after it; its certificate stays published. Taken again after an interruption, it
/// goes on where it was.
///
/// # Errors
/// When there is no next key, it was made less than `published_for` ago, or the system refuses something.
pub fn use_next(
    path: &Path,
    which: SigningKey,
    now: SystemTime,
    published_for: Duration,
) -> Result<KeyDirectory, RolloverRefused> {
    let (present, next, old, _) = which.files();
    needs(path, next.certificate, "make the next key first")?;
    let file = path.join(next.certificate);
    let text = fs::read_to_string(&file).map_err(at(&file))?;
    let der = pem::certificates(&text)?.into_iter().next().ok_or(crate::KeyError::Malformed)?;
    let since = Certificate::from_der(&der)?.not_before();
    let ready = since + published_for;
    if now < ready {
        let left = ready.duration_since(now).unwrap_or_default();
        return Err(RolloverRefused::TooSoon { path: file, hours: left.as_secs().div_ceil(3600) });
    }
    // The certificate of the former key is kept by a copy that is whole before anything moves; the next certificate goes last, so that its being
    // there says that the step is not at its end.
    if !path.join(old).exists() {
        let staged = path.join(format!("{old}.part"));
        let from = path.join(present.certificate);
        fs::copy(&from, &staged).map_err(at(&from))?;
        fs::rename(&staged, path.join(old)).map_err(at(&staged))?;
    }
    for (from, to) in [(next.key, present.key), (next.certificate, present.certificate)] {
        let (from, to) = (path.join(from), path.join(to));
        if from.exists() {
            fs::rename(&from, &to).map_err(at(&from))?;
        }
    }
    synced(path)?;
    Ok(KeyDirectory::open(path)?)
}

/// Publishes the former certificate no longer.
///
/// # Errors
/// When there is none, or the system refuses something.
pub fn drop_old(path: &Path, which: SigningKey) -> Result<KeyDirectory, RolloverRefused> {
    let (.., old, _) = which.files();
    needs(path, old, "there is no former certificate")?;
    KeyDirectory::open(path)?;
    let file = path.join(old);
    fs::remove_file(&file).map_err(at(&file))?;
    synced(path)?;
    Ok(KeyDirectory::open(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_directory::{Creation, SigningKeys};

    const WAIT: Duration = Duration::from_secs(86_400);

    fn made() -> (tempfile::TempDir, std::path::PathBuf, SystemTime) {
        let place = tempfile::tempdir().expect("a place");
        let path = place.path().join("keys");
        let creation = Creation { name: "b.example", signing_keys: SigningKeys::P256, certificate_days: 30 };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        KeyDirectory::init(&path, creation, now).expect("made");
        (place, path, now)
    }

    fn thumbprint(directory: &KeyDirectory, which: SigningKey) -> String {
        let key = match which {
            SigningKey::Saml => directory.saml_signing(),
            SigningKey::Metadata => directory.metadata_signing(),
        };
        key.public_key().thumbprint().to_string()
    }

    #[test]
    fn the_next_key_is_published_before_it_signs_and_the_former_stays_published() {
        let (_place, path, now) = made();
        let before = KeyDirectory::open(&path).expect("opened");
        let was = thumbprint(&before, SigningKey::Saml);
        assert_eq!(before.saml_signing_certificates().len(), 1);
        let next = make(&path, SigningKey::Saml, "b.example", now, 30).expect("made");
        assert_eq!(thumbprint(&next, SigningKey::Saml), was, "it signs nothing yet");
        assert_eq!(next.saml_signing_certificates().len(), 2);
        let used = use_next(&path, SigningKey::Saml, now + WAIT * 2, WAIT).expect("used");
        assert_ne!(thumbprint(&used, SigningKey::Saml), was);
        assert_eq!(used.saml_signing_certificates().len(), 2);
        let dropped = drop_old(&path, SigningKey::Saml).expect("dropped");
        assert_eq!(dropped.saml_signing_certificates().len(), 1);
        make(&path, SigningKey::Saml, "b.example", now, 30).expect("another");
    }

    #[test]
    fn a_key_that_was_not_published_long_enough_is_not_used_unless_asked_for() {
        let (_place, path, now) = made();
        make(&path, SigningKey::Metadata, "b.example", now, 30).expect("made");
        let refused = use_next(&path, SigningKey::Metadata, now + WAIT / 2, WAIT);
        assert!(matches!(refused, Err(RolloverRefused::TooSoon { .. })), "{refused:?}");
        use_next(&path, SigningKey::Metadata, now + WAIT / 2, Duration::ZERO).expect("used");
    }

    #[test]
    fn steps_out_of_order_change_nothing() {
        let (_place, path, now) = made();
        for which in [SigningKey::Saml, SigningKey::Metadata] {
            assert!(use_next(&path, which, now, WAIT).is_err());
            assert!(drop_old(&path, which).is_err());
            make(&path, which, "b.example", now, 30).expect("made");
            assert!(make(&path, which, "b.example", now, 30).is_err());
        }
    }

    #[test]
    fn an_interrupted_step_is_finished_by_taking_it_again() {
        let (_place, path, now) = made();
        make(&path, SigningKey::Saml, "b.example", now, 30).expect("made");
        fs::copy(path.join(SAML_SIGNING.certificate), path.join(SAML_OLD)).expect("copied");
        fs::rename(path.join(SAML_NEXT.key), path.join(SAML_SIGNING.key)).expect("moved");
        assert!(KeyDirectory::open(&path).is_err(), "half a step does not open");
        let used = use_next(&path, SigningKey::Saml, now + WAIT, WAIT).expect("finished");
        assert_eq!(used.saml_signing_certificates().len(), 2);
    }
}
