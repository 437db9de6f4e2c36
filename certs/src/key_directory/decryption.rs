//! The rollover of the key that peers encrypt to, without an outage (SC-DP 2.1.1.2): two keys decrypt all the while, one is published.
//!
//! | step | files before | files after |
//! |---|---|---|
//! | [`make`] | `saml-decryption` | and `saml-decryption-next`, which decrypts and is not published |
//! | [`publish`] | and `saml-decryption-next` | `saml-decryption` is what was next, `saml-decryption-old` what was published |
//! | [`drop`] | and `saml-decryption-old` | `saml-decryption` |
//!
//! After each step the directory goes to every node and each is started again. What is published is always known to every node before a
//! peer can have read of it, and what was published stays until no peer has it. Neighbour: `key_directory.rs` opens what lies there.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{KeyDirectory, KeyFiles, OpenRefused, SAML_DECRYPTION, creation::MESSAGE_RSA_BITS};
use crate::{
    algorithm::SignatureAlgorithm,
    certificate::certificate_pem,
    private_key::{CertificateNotMade, PrivateKey},
    public_key::KeyError,
};

/// Decrypts already and is published next.
pub(super) const NEXT: KeyFiles =
    KeyFiles { key: "saml-decryption-next.pem", certificate: "saml-decryption-next.crt" };
/// Was published and still decrypts.
pub(super) const OLD: KeyFiles =
    KeyFiles { key: "saml-decryption-old.pem", certificate: "saml-decryption-old.crt" };

/// Why a step of the rollover was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RolloverRefused {
    /// Another rollover is under way.
    #[error("{path} is there: a rollover is under way; end it first")]
    UnderWay {
        /// The file that says so.
        path: PathBuf,
    },
    /// What the step works on is not there.
    #[error("{path} is not there: {missing}")]
    NotBegun {
        /// The file that would be needed.
        path: PathBuf,
        /// Which step comes first.
        missing: &'static str,
    },
    /// The next key was not published long enough.
    #[error(
        "{path} was made too lately: peers may not have it yet. Wait {hours} more hours, or use it at once and say why: --now REASON"
    )]
    TooSoon {
        /// The certificate of the next key.
        path: PathBuf,
        /// How long to wait.
        hours: u64,
    },
    /// The directory cannot be used.
    #[error(transparent)]
    Open(#[from] OpenRefused),
    /// A key could not be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A certificate could not be made.
    #[error(transparent)]
    Certificate(#[from] CertificateNotMade),
    /// The system refused.
    #[error("{path}: {source}")]
    System {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
}

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> RolloverRefused {
    let path = path.to_owned();
    |source| RolloverRefused::System { path, source }
}

/// Makes the next key, with a certificate in `name` that lasts `days` days.
///
/// # Errors
/// When a rollover is under way, the directory does not open, or the system refuses something. Nothing existing is overwritten.
pub fn make(path: &Path, name: &str, now: SystemTime, days: u32) -> Result<KeyDirectory, RolloverRefused> {
    none_of(path, &[NEXT, OLD])?;
    KeyDirectory::open(path)?;
    let key = PrivateKey::generate_rsa(MESSAGE_RSA_BITS, SignatureAlgorithm::RsaSha256)?;
    let certificate = key.self_signed_certificate(&format!("{name} SAML decryption"), now, days)?;
    let written = write(&path.join(NEXT.certificate), certificate_pem(&certificate).as_bytes())
        .and_then(|()| write(&path.join(NEXT.key), key.to_pkcs8_pem()?.as_bytes()))
        .and_then(|()| synced(path));
    if written.is_err() {
        // Both are this step's own: neither was there before.
        for file in [NEXT.key, NEXT.certificate] {
            let _ = fs::remove_file(path.join(file));
        }
    }
    written?;
    Ok(KeyDirectory::open(path)?)
}

/// Publishes the next key in place of the one that is published, which goes on decrypting. Taken again after an interruption, it goes on
/// where it was.
///
/// # Errors
/// When there is no next key, the one before it was not dropped, or the system refuses something.
pub fn publish(path: &Path) -> Result<KeyDirectory, RolloverRefused> {
    // Never after `make`, nor in the middle of this step: somebody has put a former key back.
    if [SAML_DECRYPTION, NEXT, OLD].iter().all(|files| path.join(files.key).exists()) {
        return Err(RolloverRefused::UnderWay { path: path.join(OLD.key) });
    }
    needs(path, NEXT.certificate, "make the next key first")?;
    // Files are moved one by one, the key of a pair before its certificate. The certificate of the next key goes last, so that its being
    // there says that the step is not at its end.
    for (from, to) in [
        (SAML_DECRYPTION.key, OLD.key),
        (SAML_DECRYPTION.certificate, OLD.certificate),
        (NEXT.key, SAML_DECRYPTION.key),
        (NEXT.certificate, SAML_DECRYPTION.certificate),
    ] {
        let (from, to) = (path.join(from), path.join(to));
        if from.exists() && !to.exists() {
            fs::rename(&from, &to).map_err(at(&from))?;
        }
    }
    synced(path)?;
    Ok(KeyDirectory::open(path)?)
}

/// Removes the key that was published before. What peers encrypt to it from now on cannot be read.
///
/// # Errors
/// When there is none, or the system refuses something.
pub fn drop(path: &Path) -> Result<KeyDirectory, RolloverRefused> {
    needs(path, OLD.key, "there is no former key")?;
    KeyDirectory::open(path)?;
    // The key last: while it is there the step can be taken again.
    for file in [OLD.certificate, OLD.key] {
        let file = path.join(file);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&file)(error)),
            _ => {}
        }
    }
    synced(path)?;
    Ok(KeyDirectory::open(path)?)
}

pub(super) fn none_of(path: &Path, pairs: &[KeyFiles]) -> Result<(), RolloverRefused> {
    let files = pairs.iter().flat_map(|files| [files.key, files.certificate]).map(|file| path.join(file));
    match files.into_iter().find(|file| file.exists()) {
        Some(path) => Err(RolloverRefused::UnderWay { path }),
        None => Ok(()),
    }
}

pub(super) fn needs(path: &Path, file: &str, missing: &'static str) -> Result<(), RolloverRefused> {
    let path = path.join(file);
    if path.exists() { Ok(()) } else { Err(RolloverRefused::NotBegun { path, missing }) }
}

pub(super) fn write(path: &Path, octets: &[u8]) -> Result<(), RolloverRefused> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(octets)?;
            file.sync_all()
        })
        .map_err(at(path))
}

pub(super) fn synced(path: &Path) -> Result<(), RolloverRefused> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(at(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_directory::{Creation, SigningKeys};

    fn made() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().expect("a place");
        let path = place.path().join("keys");
        let creation =
            Creation { name: "broker.example", signing_keys: SigningKeys::P256, certificate_days: 30 };
        KeyDirectory::init(&path, creation, SystemTime::UNIX_EPOCH).expect("made");
        (place, path)
    }

    fn next(path: &Path) -> KeyDirectory {
        make(path, "broker.example", SystemTime::UNIX_EPOCH, 30).expect("made")
    }

    fn prints(directory: &KeyDirectory) -> Vec<String> {
        directory.saml_decryption().iter().map(|key| key.public_key().thumbprint().to_string()).collect()
    }

    #[test]
    fn a_rollover_has_three_steps_and_every_key_decrypts_until_it_is_dropped() {
        let (_place, path) = made();
        let before = prints(&KeyDirectory::open(&path).expect("opened"));
        let two = prints(&next(&path));
        assert_eq!((two.len(), &two[0]), (2, &before[0]), "the published one is first");
        let published = publish(&path).expect("published");
        assert_eq!(prints(&published), [two[1].clone(), two[0].clone()]);
        assert_eq!(published.saml_decryption()[0].public_key().thumbprint().to_string(), two[1]);
        assert_eq!(prints(&drop(&path).expect("dropped")), [two[1].clone()]);
        next(&path);
    }

    #[test]
    fn steps_out_of_order_change_nothing() {
        let (_place, path) = made();
        assert!(matches!(publish(&path), Err(RolloverRefused::NotBegun { .. })));
        assert!(matches!(drop(&path), Err(RolloverRefused::NotBegun { .. })));
        let two = prints(&next(&path));
        let again = make(&path, "broker.example", SystemTime::UNIX_EPOCH, 30);
        assert!(matches!(again, Err(RolloverRefused::UnderWay { .. })));
        assert!(matches!(drop(&path), Err(RolloverRefused::NotBegun { .. })));
        assert_eq!(prints(&KeyDirectory::open(&path).expect("opened")), two);
        publish(&path).expect("published");
        assert!(matches!(
            publish(&path),
            Err(RolloverRefused::UnderWay { .. } | RolloverRefused::NotBegun { .. })
        ));
        let again = make(&path, "broker.example", SystemTime::UNIX_EPOCH, 30);
        assert!(matches!(again, Err(RolloverRefused::UnderWay { .. })));
    }

    #[test]
    fn an_interrupted_step_is_finished_by_taking_it_again() {
        let moves = [
            (SAML_DECRYPTION.key, OLD.key),
            (SAML_DECRYPTION.certificate, OLD.certificate),
            (NEXT.key, SAML_DECRYPTION.key),
        ];
        for interrupted_after in 1..=moves.len() {
            let (_place, path) = made();
            let two = prints(&next(&path));
            for (from, to) in &moves[..interrupted_after] {
                fs::rename(path.join(from), path.join(to)).expect("moved");
            }
            assert!(KeyDirectory::open(&path).is_err(), "half a step does not open");
            let finished = publish(&path).expect("finished");
            assert_eq!(prints(&finished), [two[1].clone(), two[0].clone()], "{interrupted_after}");
        }
    }

    #[test]
    fn the_files_are_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_place, path) = made();
        next(&path);
        for file in [NEXT.key, NEXT.certificate] {
            let mode = fs::metadata(path.join(file)).expect("there").permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{file}");
        }
    }

    #[test]
    fn nodes_compare_the_published_key_and_show_the_others() {
        let (_place, path) = made();
        let before = KeyDirectory::open(&path).expect("opened");
        let after = next(&path);
        assert_eq!(
            before.fingerprints(),
            after.fingerprints(),
            "nodes with and without the next key serve together"
        );
        let further: Vec<_> = after.further_decryption_keys().into_iter().map(|print| print.item).collect();
        assert_eq!(further, [NEXT.key]);
        let published = publish(&path).expect("published");
        assert_ne!(published.fingerprints(), after.fingerprints());
        let further: Vec<_> =
            published.further_decryption_keys().into_iter().map(|print| print.item).collect();
        assert_eq!(further, [OLD.key]);
    }
}
