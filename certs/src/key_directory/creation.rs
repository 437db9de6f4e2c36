//! Making the key directory: once, whole or not at all, over nothing.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{KeyDirectory, KeyFiles, METADATA_SIGNING, OpenRefused, SAML_DECRYPTION, SAML_SIGNING, SECRETS};
use crate::{
    algorithm::SignatureAlgorithm,
    certificate::certificate_pem,
    mac::{NoRandomness, Secret},
    private_key::{CertificateNotMade, PrivateKey},
    public_key::KeyError,
};

/// How long a certificate says it is valid unless told otherwise: ten years. In SAML it is only the key's envelope, and a date
/// in it that somebody does look at is an outage on that day.
pub const DEFAULT_CERTIFICATE_DAYS: u32 = 3650;

/// Metadata is signed seldom and its key is the hardest to replace, so it is the longer one.
pub(super) const METADATA_RSA_BITS: u32 = 3072;
pub(super) const MESSAGE_RSA_BITS: u32 = 2048;

/// The kind of the keys that sign. The one that decrypts is always RSA, since peers encrypt to nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SigningKeys {
    /// RSA: what every peer can check (SC-DP section 8, mandatory).
    #[default]
    Rsa,
    /// P-256: fourteen times faster to sign with; peers must know ECDSA.
    P256,
}

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct Creation<'c> {
    /// The name in the certificates, usually the host of the issuer. What each key is for is put after it.
    pub name: &'c str,
    /// The kind of the keys that sign.
    pub signing_keys: SigningKeys,
    /// How long the certificates say they are valid, from now.
    pub certificate_days: u32,
}

impl KeyDirectory {
    /// Makes the directory with new secrets and keys, and opens it. `path` must not exist, or be an empty directory (such as a
    /// new volume). Directory mode 0700, files 0600.
    ///
    /// Everything is written beside its place first and moved there last: an interruption leaves no half directory.
    ///
    /// # Errors
    /// When anything is at `path` already, or the system refuses something. Nothing existing is ever overwritten.
    pub fn init(path: &Path, creation: Creation<'_>, now: SystemTime) -> Result<Self, CreationRefused> {
        let place = Place::find(path)?;
        // Keys first: generating may fail, and then there is nothing to take away.
        let contents = contents(creation, now)?;
        DirBuilder::new().mode(0o700).create(&place.staging).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => CreationRefused::Interrupted { path: place.staging.clone() },
            _ => CreationRefused::at(&place.staging)(error),
        })?;
        let done = place.fill(&contents).and_then(|()| place.settle(path, &contents));
        if done.is_err() {
            // The directory is the one made above, so nothing of anybody else's goes; that it stays is said by the next try.
            let _ = fs::remove_dir_all(&place.staging);
        }
        done?;
        Self::open(path).map_err(CreationRefused::NotAsWritten)
    }
}

/// Why the directory was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreationRefused {
    /// Something is there already.
    #[error("{path} exists and is not an empty directory; keys are made once, so nothing was changed")]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// An earlier try was interrupted.
    #[error(
        "{path} is left from an interrupted try, or another is under way; if none is, remove it and try again"
    )]
    Interrupted {
        /// What is left.
        path: PathBuf,
    },
    /// The path cannot name a directory.
    #[error("{path} cannot name a directory")]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{path}: {source}")]
    System {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
    /// The system has no random numbers.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// A key could not be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A certificate could not be made.
    #[error(transparent)]
    Certificate(#[from] CertificateNotMade),
    /// What was written does not read as it was written.
    #[error("the directory was made, but does not open: {0}")]
    NotAsWritten(#[source] OpenRefused),
}

impl CreationRefused {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::System { path, source }
    }
}

type Contents = Vec<(&'static str, zeroize::Zeroizing<String>)>;

fn contents(creation: Creation<'_>, now: SystemTime) -> Result<Contents, CreationRefused> {
    let rsa = SignatureAlgorithm::RsaSha256;
    let signing = |bits| match creation.signing_keys {
        SigningKeys::Rsa => PrivateKey::generate_rsa(bits, rsa),
        SigningKeys::P256 => PrivateKey::generate_p256(),
    };
    let mut contents = Contents::new();
    for name in SECRETS {
        contents.push((name, Secret::generate()?.to_base64()));
    }
    let keys: [(KeyFiles, &str, PrivateKey); 3] = [
        (SAML_SIGNING, "SAML signing", signing(MESSAGE_RSA_BITS)?),
        (SAML_DECRYPTION, "SAML decryption", PrivateKey::generate_rsa(MESSAGE_RSA_BITS, rsa)?),
        (METADATA_SIGNING, "metadata signing", signing(METADATA_RSA_BITS)?),
    ];
    for (files, purpose, key) in keys {
        let name = format!("{} {purpose}", creation.name);
        let certificate = key.self_signed_certificate(&name, now, creation.certificate_days)?;
        contents.push((files.key, key.to_pkcs8_pem()?));
        contents.push((files.certificate, certificate_pem(&certificate).into()));
    }
    Ok(contents)
}

struct Place {
    staging: PathBuf,
    /// Whether the directory is there and empty: then the files move into it, else the whole directory moves.
    exists: bool,
}

impl Place {
    fn find(path: &Path) -> Result<Self, CreationRefused> {
        match fs::read_dir(path) {
            Ok(mut entries) => match entries.next() {
                None => Ok(Self { staging: path.join(".new"), exists: true }),
                Some(_) => Err(CreationRefused::Exists { path: path.to_owned() }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let name =
                    path.file_name().ok_or_else(|| CreationRefused::NoName { path: path.to_owned() })?;
                let mut staging = std::ffi::OsString::from(".");
                staging.push(name);
                staging.push(".new");
                Ok(Self { staging: path.with_file_name(staging), exists: false })
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(CreationRefused::Exists { path: path.to_owned() })
            }
            Err(error) => Err(CreationRefused::at(path)(error)),
        }
    }

    fn fill(&self, contents: &Contents) -> Result<(), CreationRefused> {
        for (name, text) in contents {
            let path = self.staging.join(name);
            let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).and_then(
                |mut file| {
                    file.write_all(text.trim_end().as_bytes())?;
                    file.write_all(b"\n")?;
                    file.sync_all()
                },
            );
            written.map_err(CreationRefused::at(&path))?;
        }
        sync_directory(&self.staging)
    }

    fn settle(&self, path: &Path, contents: &Contents) -> Result<(), CreationRefused> {
        if !self.exists {
            fs::rename(&self.staging, path).map_err(CreationRefused::at(path))?;
            let above = path.parent().filter(|above| !above.as_os_str().is_empty());
            return sync_directory(above.unwrap_or(Path::new(".")));
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(CreationRefused::at(path))?;
        for (name, _) in contents {
            let target = path.join(name);
            fs::rename(self.staging.join(name), &target).map_err(CreationRefused::at(&target))?;
        }
        fs::remove_dir(&self.staging).map_err(CreationRefused::at(&self.staging))?;
        sync_directory(path)
    }
}

fn sync_directory(path: &Path) -> Result<(), CreationRefused> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(CreationRefused::at(path))
}
