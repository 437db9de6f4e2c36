//! What a check reads: a captured message, and the provider that a metadata file describes.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use broker_saml::sp::inspect::Captured;
use certs::DecryptionKey;
use metadata::{
    SamlProvider,
    lint::Report,
    saml::{IdentityProvider, MetadataFile, unregistered_provider},
};

use super::{
    super::{Stopped, edit},
    report::plain,
};

/// The largest file that is looked at as a message, in octets: many times what a login takes, so that a login's own refusal shows.
const LARGEST_MESSAGE: u64 = 16 * 1024 * 1024;
/// The largest metadata file, in octets: larger than the largest aggregate there is.
const LARGEST_METADATA: usize = 256 * 1024 * 1024;
/// How many entities of a file are named in a refusal.
const NAMED: usize = 20;

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// When it cannot be read, is empty, or is larger than any message.
pub(super) fn message(path: &Path) -> Result<Vec<u8>, Stopped> {
    let name = if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() };
    let unreadable = |error: std::io::Error| Stopped::could_not(format!("{name} cannot be read: {error}"));
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(unreadable)?)
    };
    let mut octets = Vec::new();
    source.take(LARGEST_MESSAGE + 1).read_to_end(&mut octets).map_err(unreadable)?;
    if octets.trim_ascii().is_empty() {
        return Err(Stopped::could_not(format!(
            "{name} is empty: give the Response that the browser posted"
        )));
    }
    if octets.len() as u64 > LARGEST_MESSAGE {
        return Err(Stopped::could_not(format!("{name} is larger than any Response")));
    }
    Ok(octets)
}

/// The private keys in `paths`, each a PEM file.
///
/// # Errors
/// When one cannot be read, or holds no key that decrypts.
pub(super) fn decryption_keys(paths: &[PathBuf]) -> Result<Vec<DecryptionKey>, Stopped> {
    let read = |path: &PathBuf| {
        let refused = |error: &dyn std::fmt::Display| {
            Stopped::could_not(format!("{}: no decryption key: {error}", path.display()))
        };
        DecryptionKey::from_pkcs8_pem(edit::read_file(path)?).map_err(|error| refused(&error))
    };
    paths.iter().map(read).collect()
}

/// The provider of `path` that the message is to be held against: the only one there is, else the one that the message names.
///
/// # Errors
/// When the file cannot be read, holds no such provider, or the provider has no usable signing key.
pub(super) fn provider(path: &Path, captured: &Captured) -> Result<SamlProvider, Stopped> {
    let file = path.display().to_string();
    let octets = edit::read_file(path)?;
    let refused = |report: &Report| Stopped::could_not(report.render(&file, edit::tongue()));
    let metadata = MetadataFile::read(&octets, LARGEST_METADATA).map_err(|report| refused(&report))?;
    let mut report = Report::new();
    let providers: Vec<_> = metadata
        .entities()
        .filter_map(|entity| {
            // An aggregate holds services, too: what is no provider is passed over.
            let mut own = Report::new();
            let provider = IdentityProvider::read(entity, &mut own);
            report.findings.extend(own.findings);
            provider
        })
        .collect();
    let issuer = captured.issuer();
    let chosen = match (providers.as_slice(), &issuer) {
        ([], _) => return Err(refused(&report)),
        ([only], _) => only,
        (several, Some(issuer)) => {
            several.iter().find(|provider| provider.entity_id == *issuer).ok_or_else(|| {
                Stopped::could_not(format!(
                    "{file} has no identity provider {}.\n{}",
                    plain(issuer),
                    named(several)
                ))
            })?
        }
        // What cannot be read fails before any provider is asked for.
        ([first, ..], None) if !captured.is_readable() => first,
        (several, None) => {
            return Err(Stopped::could_not(format!(
                "The message names no Issuer, and {file} has several identity providers. Give the metadata of the one that sent it.\n{}",
                named(several)
            )));
        }
    };
    let provider = unregistered_provider(chosen).map_err(Stopped::could_not)?;
    if provider.signing_keys.is_empty() {
        let reasons: Vec<String> = chosen
            .keys
            .iter()
            .filter_map(|key| key.value.key.as_ref().err().map(ToString::to_string))
            .collect();
        let reasons =
            if reasons.is_empty() { "it has none for signatures".to_owned() } else { reasons.join("; ") };
        return Err(Stopped::could_not(format!(
            "{} has no signing key in {file} that may be used: {reasons}. No login is possible with it.",
            plain(&chosen.entity_id)
        )));
    }
    Ok(provider)
}

fn named(providers: &[IdentityProvider]) -> String {
    let mut text = format!("It has {}:", providers.len());
    for provider in providers.iter().take(NAMED) {
        text.push_str("\n  ");
        text.push_str(&plain(&provider.entity_id));
    }
    if providers.len() > NAMED {
        text.push_str("\n  …");
    }
    text
}
