//! The keys of a provider, as `sparvidd metadata show` prints them: which verifies, until when its certificate says it is valid, and when it last
//! verified a message here.

use std::{collections::BTreeSet, time::UNIX_EPOCH};

use broker_core::{identifier::ProviderId, moment::Timestamp, suspension::KeyFingerprint};
use metadata::{
    Registry,
    key_use::KeyUse,
    lint::Report,
    saml::{IdentityProvider, MOST_OCTETS, MetadataFile, key::KeyUse as Purpose},
};
use serde::Serialize;

/// One key.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// The SHA-256 of the public key.
    fingerprint: String,
    /// What its metadata says that it is for.
    purpose: &'static str,
    /// The last day of its certificate.
    certificate_until: Option<String>,
    /// The hour in which it last verified a message.
    last_used: Option<String>,
    /// The operator has suspended it.
    suspended: bool,
}

impl Row {
    /// The cells of a table.
    pub(super) fn cells(&self) -> Vec<String> {
        let none = || "–".to_owned();
        let used = match (&self.last_used, self.suspended, self.purpose) {
            (_, true, _) => "suspended".to_owned(),
            (Some(used), ..) => used.clone(),
            (None, _, "encryption") => none(),
            (None, ..) => "never".to_owned(),
        };
        vec![
            self.fingerprint.clone(),
            self.purpose.to_owned(),
            self.certificate_until.clone().unwrap_or_else(none),
            used,
        ]
    }
}

/// The headings of [`Row::cells`].
pub(super) const HEADINGS: [&str; 4] =
    ["key (SHA-256 of the public key)", "for", "certificate until", "last verified a message"];

/// The keys in a provider's document, each once, in its order.
pub(super) fn rows(id: &ProviderId, document: &[u8], registry: &Registry, seen: &KeyUse) -> Vec<Row> {
    let Ok(file) = MetadataFile::read(document, MOST_OCTETS) else { return Vec::new() };
    let read = file.entity(id.as_str()).and_then(|entity| IdentityProvider::read(entity, &mut Report::new()));
    let mut told = BTreeSet::new();
    let mut rows = Vec::new();
    for declared in read.iter().flat_map(|provider| &provider.keys).map(|key| &key.value) {
        let Ok(key) = &declared.key else { continue };
        let fingerprint = KeyFingerprint::new(*key.thumbprint().as_bytes());
        let purpose = match declared.usage {
            Purpose::Signing => "signing",
            Purpose::Encryption => "encryption",
            Purpose::Both => "signing and encryption",
        };
        if !told.insert((fingerprint, purpose)) {
            continue;
        }
        let until = declared.certificate.as_ref().and_then(|certificate| {
            let seconds = certificate.not_after().duration_since(UNIX_EPOCH).ok()?.as_secs();
            Some(Timestamp(i64::try_from(seconds).ok()?).to_rfc3339())
        });
        rows.push(Row {
            fingerprint: fingerprint.to_string(),
            purpose,
            certificate_until: until,
            last_used: declared
                .signs()
                .then(|| seen.last(id, fingerprint))
                .flatten()
                .map(|last| format!("{} (within the hour)", last.to_rfc3339())),
            suspended: registry.suspensions().keys.contains(&fingerprint),
        });
    }
    rows
}
