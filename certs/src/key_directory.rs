//! What cannot be made again lies in one directory, made once and backed up (design decision 11).
//!
//! | file | what | when it is lost |
//! |---|---|---|
//! | `node.secret` | seals logins and wraps rotating keys in the store | logins and sessions under way end |
//! | `subject.secret` | from which subject identifiers are made | every person becomes a stranger to every service |
//! | `registry.secret` | authenticates the head of the registry | the registry must be signed anew |
//! | `saml-signing.pem`, `.crt` | signs SAML messages | every peer must be told |
//! | `saml-decryption.pem`, `.crt` | opens what peers encrypt to us; published | every peer must be told |
//! | `saml-decryption-next.pem` or `-old.pem`, `.crt` | opens it too, during a rollover; see `decryption` | as above, if it is in use |
//! | `saml-signing-next.pem`, `metadata-signing-next.pem`, `.crt`, `-old.crt` | during a rollover of those; see `signing` | make another |
//! | `metadata-signing.pem`, `.crt` | signs our metadata | every peer that checks it must be told |
//!
//! The three secrets are drawn independently: none can be derived from another. Every node of a cluster has the same
//! directory; [`KeyDirectory::fingerprints`] lets a node notice that it has not. Making it is in `creation`.

mod creation;
pub mod decryption;
pub mod signing;

use std::{
    fmt,
    fs::File,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use zeroize::Zeroizing;

use crate::{
    certificate::certificate_pem,
    decryption_key::DecryptionKey,
    mac::Secret,
    pem,
    private_key::PrivateKey,
    public_key::{KeyError, PublicKey},
    signer::Signer as _,
};

pub use creation::{Creation, CreationRefused, DEFAULT_CERTIFICATE_DAYS, SigningKeys};

const NODE_SECRET: &str = "node.secret";
const SUBJECT_SECRET: &str = "subject.secret";
const REGISTRY_SECRET: &str = "registry.secret";
const SECRETS: [&str; 3] = [NODE_SECRET, SUBJECT_SECRET, REGISTRY_SECRET];

const SAML_SIGNING: KeyFiles = KeyFiles { key: "saml-signing.pem", certificate: "saml-signing.crt" };
const SAML_DECRYPTION: KeyFiles = KeyFiles { key: "saml-decryption.pem", certificate: "saml-decryption.crt" };
const METADATA_SIGNING: KeyFiles =
    KeyFiles { key: "metadata-signing.pem", certificate: "metadata-signing.crt" };

/// No file of the directory is longer, in octets.
const LARGEST_FILE: u64 = 64 * 1024;

#[derive(Clone, Copy)]
struct KeyFiles {
    key: &'static str,
    certificate: &'static str,
}

/// The opened directory: every secret and key, read and parsed.
pub struct KeyDirectory {
    path: PathBuf,
    node_secret: Secret,
    subject_secret: Secret,
    registry_secret: Secret,
    saml_signing: Arc<PrivateKey>,
    /// The published one first.
    saml_decryption: Vec<DecryptionKey>,
    /// The files of those that are not published.
    further_decryption: Vec<&'static str>,
    metadata_signing: Arc<PrivateKey>,
    /// Certificates that are published beside that of the key that signs messages, DER.
    further_signing: Vec<Vec<u8>>,
    /// The certificate of the key that will sign metadata, DER.
    next_metadata: Option<Vec<u8>>,
}

impl KeyDirectory {
    /// Opens a directory that [`KeyDirectory::init`] made.
    ///
    /// # Errors
    /// When anything is missing, broken, or readable by others than its owner: all of it, not the first.
    pub fn open(path: &Path) -> Result<Self, OpenRefused> {
        let mut reading = Reading { path, problems: Vec::new() };
        reading.check_directory();
        if !reading.problems.is_empty() && !path.is_dir() {
            return Err(reading.refuse());
        }
        let node_secret = reading.secret(NODE_SECRET);
        let subject_secret = reading.secret(SUBJECT_SECRET);
        let registry_secret = reading.secret(REGISTRY_SECRET);
        reading.check_independence([&node_secret, &subject_secret, &registry_secret]);
        let saml_signing = reading.key(SAML_SIGNING);
        let saml_decryption = reading.decryption_key(SAML_DECRYPTION);
        let mut further = Vec::new();
        for files in [decryption::NEXT, decryption::OLD] {
            if path.join(files.key).exists() || path.join(files.certificate).exists() {
                further.extend(reading.decryption_key(files).map(|key| (files.key, key)));
            }
        }
        let metadata_signing = reading.key(METADATA_SIGNING);
        let mut next = |files: KeyFiles| {
            let is_there = path.join(files.key).exists() || path.join(files.certificate).exists();
            is_there.then(|| reading.key(files)).flatten()
        };
        let next_saml = next(signing::SAML_NEXT);
        let next_metadata = next(signing::METADATA_NEXT);
        let old_saml =
            path.join(signing::SAML_OLD).exists().then(|| reading.certificate(signing::SAML_OLD)).flatten();
        let signing = [(SAML_SIGNING.key, &saml_signing), (METADATA_SIGNING.key, &metadata_signing)];
        let decryption = saml_decryption.iter().map(|key| (SAML_DECRYPTION.key, key));
        reading.check_separation(decryption.chain(further.iter().map(|(file, key)| (*file, key))), signing);
        // A key can be read and still have a problem, such as permissions; then it is not used.
        let (
            true,
            Some(node_secret),
            Some(subject_secret),
            Some(registry_secret),
            Some(saml_signing),
            Some(saml_decryption),
            Some(metadata_signing),
        ) = (
            reading.problems.is_empty(),
            node_secret,
            subject_secret,
            registry_secret,
            saml_signing,
            saml_decryption,
            metadata_signing,
        )
        else {
            return Err(reading.refuse());
        };
        Ok(Self {
            path: path.to_owned(),
            node_secret,
            subject_secret,
            registry_secret,
            saml_signing: Arc::new(saml_signing),
            further_decryption: further.iter().map(|(file, _)| *file).collect(),
            saml_decryption: std::iter::once(saml_decryption)
                .chain(further.into_iter().map(|(_, key)| key))
                .collect(),
            metadata_signing: Arc::new(metadata_signing),
            further_signing: next_saml
                .and_then(|key| key.certificate_der().map(<[u8]>::to_vec))
                .into_iter()
                .chain(old_saml)
                .collect(),
            next_metadata: next_metadata.and_then(|key| key.certificate_der().map(<[u8]>::to_vec)),
        })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From which what lies in the store is sealed.
    pub fn node_secret(&self) -> &Secret {
        &self.node_secret
    }

    /// From which subject identifiers are made.
    pub fn subject_secret(&self) -> &Secret {
        &self.subject_secret
    }

    /// From which the registry's head is authenticated.
    pub fn registry_secret(&self) -> &Secret {
        &self.registry_secret
    }

    /// The key that signs SAML messages, with its certificate.
    pub fn saml_signing(&self) -> &Arc<PrivateKey> {
        &self.saml_signing
    }

    /// The keys that open what peers encrypt to us: the published one first, then the one of a rollover that is under way.
    pub fn saml_decryption(&self) -> &[DecryptionKey] {
        &self.saml_decryption
    }

    /// The certificate that peers encrypt to, DER: the one to publish (SC-DP 2.1.1.2).
    pub fn saml_decryption_certificate(&self) -> &[u8] {
        self.saml_decryption.first().and_then(DecryptionKey::certificate_der).unwrap_or_default()
    }

    /// The key that signs our metadata, with its certificate.
    pub fn metadata_signing(&self) -> &Arc<PrivateKey> {
        &self.metadata_signing
    }

    /// The certificates of the keys that our messages may be signed with, DER: that of the one that signs first, then those of a rollover.
    pub fn saml_signing_certificates(&self) -> Vec<Vec<u8>> {
        let present = self.saml_signing.certificate_der().map(<[u8]>::to_vec);
        present.into_iter().chain(self.further_signing.iter().cloned()).collect()
    }

    /// The certificate of the key that signs metadata, PEM.
    pub fn metadata_signing_certificate(&self) -> Option<String> {
        self.metadata_signing.certificate_der().map(certificate_pem)
    }

    /// The certificate of the key that will sign metadata, PEM, while a rollover is under way.
    pub fn next_metadata_signing_certificate(&self) -> Option<String> {
        self.next_metadata.as_deref().map(certificate_pem)
    }

    /// What can be shown and compared of each secret and key. Nodes whose lists differ must not serve together.
    ///
    /// Certificates are not in it: one may be renewed, node by node, around a key that stays. Nor is a decryption key that is not
    /// published: it comes and goes node by node.
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        let of_key = |key: &PublicKey| key.thumbprint().to_string();
        vec![
            Fingerprint { item: NODE_SECRET, value: self.node_secret.fingerprint() },
            Fingerprint { item: SUBJECT_SECRET, value: self.subject_secret.fingerprint() },
            Fingerprint { item: REGISTRY_SECRET, value: self.registry_secret.fingerprint() },
            Fingerprint { item: SAML_SIGNING.key, value: of_key(self.saml_signing.public_key()) },
            Fingerprint {
                item: SAML_DECRYPTION.key,
                value: self.saml_decryption.first().map(|key| of_key(key.public_key())).unwrap_or_default(),
            },
            Fingerprint { item: METADATA_SIGNING.key, value: of_key(self.metadata_signing.public_key()) },
        ]
    }

    /// The fingerprints of decryption keys that are not published, during a rollover. Nodes may differ in them for a while.
    pub fn further_decryption_keys(&self) -> Vec<Fingerprint> {
        let keys = self.saml_decryption.iter().skip(1);
        self.further_decryption
            .iter()
            .zip(keys)
            .map(|(item, key)| Fingerprint { item, value: key.public_key().thumbprint().to_string() })
            .collect()
    }
}

impl fmt::Debug for KeyDirectory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KeyDirectory")
            .field("path", &self.path)
            .field("fingerprints", &self.fingerprints())
            .finish_non_exhaustive()
    }
}

/// The fingerprint of one secret or key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// The name of its file.
    pub item: &'static str,
    /// Hexadecimal. For a secret a derivation of its own; for a key the SHA-256 of its SubjectPublicKeyInfo.
    pub value: String,
}

/// The directory cannot be used. Shows every problem, a line each, with how to mend it.
#[derive(Debug)]
pub struct OpenRefused {
    /// What is wrong, in the order of the files.
    pub problems: Vec<FileProblem>,
}

impl fmt::Display for OpenRefused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for OpenRefused {}

/// One thing that is wrong.
#[derive(Debug)]
pub struct FileProblem {
    /// The file, or the directory itself.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

impl FileProblem {
    /// What to do about it.
    pub fn mend(&self) -> String {
        let path = self.path.display();
        match &self.problem {
            Problem::NoDirectory => {
                format!("make it once with `sparvidd keys init {path}`, or mount the one of the other nodes")
            }
            Problem::OpenToOthers { directory: true, .. } => format!("chmod 700 {path}"),
            Problem::OpenToOthers { directory: false, .. } => format!("chmod 600 {path}"),
            Problem::Unreadable(_) => "let the user that the broker runs as read it".to_owned(),
            Problem::SameAs { .. } => {
                "restore both from the backup; if no person has signed in yet, make the directory anew"
                    .to_owned()
            }
            Problem::CertificateOfAnotherKey | Problem::NotACertificate(_) => {
                "put the certificate of the key beside it back".to_owned()
            }
            Problem::NotForDecryption => "put an RSA key there".to_owned(),
            Problem::AlsoSigns { .. } => {
                "put an RSA key of its own there, with its certificate; then give the peers the new metadata"
                    .to_owned()
            }
            Problem::Missing | Problem::TooLong | Problem::NotASecret | Problem::NotAKey(_) => {
                "restore it from the backup of the directory, or copy it from another node".to_owned()
            }
        }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}; {}", self.path.display(), self.problem, self.mend())
    }
}

/// What can be wrong with a file of the directory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is no such directory.
    #[error("there is no such directory")]
    NoDirectory,
    /// The file is not there.
    #[error("the file is missing")]
    Missing,
    /// Group or others may do something with it.
    #[error("others than its owner may use it (mode {mode:03o})")]
    OpenToOthers {
        /// Its permission bits.
        mode: u32,
        /// Whether it is the directory itself.
        directory: bool,
    },
    /// The system does not let us read it.
    #[error("it cannot be read ({0})")]
    Unreadable(#[source] std::io::Error),
    /// It is longer than anything that belongs here.
    #[error("it is longer than {LARGEST_FILE} octets")]
    TooLong,
    /// It does not hold 32 octets in base64.
    #[error("it does not hold a secret (32 octets in base64)")]
    NotASecret,
    /// Two secrets are one, so that each would tell the other.
    #[error("it holds the same secret as {other}")]
    SameAs {
        /// The other file.
        other: &'static str,
    },
    /// A key that decrypts is one that signs.
    #[error("it holds the same key as {other}, and no key may both decrypt and sign")]
    AlsoSigns {
        /// The file of the key that signs.
        other: &'static str,
    },
    /// It does not hold a key that we can use.
    #[error("it does not hold a private key: {0}")]
    NotAKey(#[source] KeyError),
    /// It does not hold a certificate.
    #[error("it does not hold a certificate: {0}")]
    NotACertificate(#[source] KeyError),
    /// The certificate is of another key.
    #[error("the certificate is for another key")]
    CertificateOfAnotherKey,
    /// Nobody can encrypt to such a key.
    #[error("it holds a key that nobody can encrypt to")]
    NotForDecryption,
}

struct Reading<'p> {
    path: &'p Path,
    problems: Vec<FileProblem>,
}

impl Reading<'_> {
    fn report(&mut self, file: &str, problem: Problem) {
        self.problems.push(FileProblem { path: self.path.join(file), problem });
    }

    fn refuse(self) -> OpenRefused {
        OpenRefused { problems: self.problems }
    }

    fn check_directory(&mut self) {
        let problem = match std::fs::metadata(self.path) {
            Ok(metadata) if metadata.is_dir() => {
                let mode = metadata.permissions().mode() & 0o777;
                (mode & 0o077 != 0).then_some(Problem::OpenToOthers { mode, directory: true })
            }
            Ok(_) => Some(Problem::NoDirectory),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(Problem::NoDirectory),
            Err(error) => Some(Problem::Unreadable(error)),
        };
        if let Some(problem) = problem {
            self.problems.push(FileProblem { path: self.path.to_owned(), problem });
        }
    }

    /// The text of a file, wiped when dropped. A private one that others may read is reported and still read, so that all
    /// that is wrong is found at once.
    fn text(&mut self, name: &'static str, private: bool) -> Option<Zeroizing<String>> {
        match read(&self.path.join(name)) {
            Ok((text, mode)) => {
                if private && mode & 0o077 != 0 {
                    self.report(name, Problem::OpenToOthers { mode, directory: false });
                }
                Some(text)
            }
            Err(problem) => {
                self.report(name, problem);
                None
            }
        }
    }

    fn secret(&mut self, name: &'static str) -> Option<Secret> {
        let text = self.text(name, true)?;
        let secret = Secret::from_base64(&text);
        if secret.is_none() {
            self.report(name, Problem::NotASecret);
        }
        secret
    }

    fn check_independence(&mut self, secrets: [&Option<Secret>; 3]) {
        for (later, name) in SECRETS.iter().enumerate() {
            for (earlier, other) in SECRETS.iter().enumerate().take(later) {
                let pair = (secrets.get(later), secrets.get(earlier));
                if let (Some(Some(one)), Some(Some(two))) = pair
                    && one == two
                {
                    self.report(name, Problem::SameAs { other });
                }
            }
        }
    }

    /// No key both decrypts and signs: whoever can make us decrypt could make it sign (`decryption_key`).
    fn check_separation<'k>(
        &mut self,
        decryption: impl Iterator<Item = (&'static str, &'k DecryptionKey)>,
        signing: [(&'static str, &Option<PrivateKey>); 2],
    ) {
        for (file, key) in decryption {
            for (other, signs) in &signing {
                if signs.as_ref().is_some_and(|signs| signs.public_key() == key.public_key()) {
                    self.report(file, Problem::AlsoSigns { other });
                }
            }
        }
    }

    fn decryption_key(&mut self, files: KeyFiles) -> Option<DecryptionKey> {
        let key = self.key(files)?;
        match DecryptionKey::from_private_key(&key) {
            Ok(key) => Some(key),
            Err(_) => {
                self.report(files.key, Problem::NotForDecryption);
                None
            }
        }
    }

    fn certificate(&mut self, file: &'static str) -> Option<Vec<u8>> {
        let text = self.text(file, false)?;
        match pem::certificates(&text).map(|certificates| certificates.into_iter().next()) {
            Ok(first) => first,
            Err(error) => {
                self.report(file, Problem::NotACertificate(error));
                None
            }
        }
    }

    fn key(&mut self, files: KeyFiles) -> Option<PrivateKey> {
        let key = self.text(files.key, true).and_then(|text| {
            PrivateKey::from_pkcs8_pem_any_kind(&text)
                .map_err(|error| self.report(files.key, Problem::NotAKey(error)))
                .ok()
        });
        let certificate = self.certificate(files.certificate);
        match key?.with_certificate(certificate?) {
            Ok(key) => Some(key),
            Err(KeyError::CertificateMismatch) => {
                self.report(files.certificate, Problem::CertificateOfAnotherKey);
                None
            }
            Err(error) => {
                self.report(files.certificate, Problem::NotACertificate(error));
                None
            }
        }
    }
}

/// Reads a file and its permission bits, both through one handle, so that they belong together.
fn read(path: &Path) -> Result<(Zeroizing<String>, u32), Problem> {
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Problem::Missing,
        _ => Problem::Unreadable(error),
    })?;
    let metadata = file.metadata().map_err(Problem::Unreadable)?;
    if metadata.len() > LARGEST_FILE {
        return Err(Problem::TooLong);
    }
    // Room for everything at once, so that no half-read copy is left behind by growing.
    let room = usize::try_from(metadata.len()).map_err(|_| Problem::TooLong)?.saturating_add(1);
    let mut text = Zeroizing::new(String::with_capacity(room));
    file.take(LARGEST_FILE).read_to_string(&mut text).map_err(Problem::Unreadable)?;
    Ok((text, metadata.permissions().mode() & 0o777))
}

#[cfg(test)]
mod tests;
