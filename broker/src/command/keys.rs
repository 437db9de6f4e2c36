//! `sparvidd keys init DIR`, `sparvidd keys show DIR`

use std::path::PathBuf;

use certs::key_directory::{Creation, DEFAULT_CERTIFICATE_DAYS, KeyDirectory, SigningKeys};
use clap::{Args, Subcommand, ValueHint};
use serde::Serialize;

use super::{Lines, Stopped, Tone, style};
use crate::moment;

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make the directory of what cannot be made again: secrets and SAML keys. Nothing existing is ever overwritten.
    Init(Init),
    /// Show what can be shown: fingerprints to compare between nodes.
    Show(Show),
}

/// `keys init`
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where; must not exist, or be empty.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: PathBuf,
    /// The name in the certificates, usually the broker's host name.
    #[arg(long, default_value = "sparvidd", value_name = "NAME")]
    name: String,
    /// Sign with P-256 instead of RSA: cheaper for the broker; every provider must know ECDSA.
    #[arg(long)]
    ec: bool,
    /// How long the certificates say they are valid, days.
    #[arg(long, default_value_t = DEFAULT_CERTIFICATE_DAYS, value_name = "DAYS")]
    days: u32,
}

/// `keys show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The directory.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: PathBuf,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    item: &'static str,
    fingerprint: String,
}

/// Runs it.
pub(crate) fn run(keys: &Keys) -> Result<(), Stopped> {
    match keys {
        Keys::Init(init) => {
            let creation = Creation {
                name: &init.name,
                signing_keys: if init.ec { SigningKeys::P256 } else { SigningKeys::Rsa },
                certificate_days: init.days,
            };
            let made = KeyDirectory::init(&init.directory, creation, moment::system_time())
                .map_err(Stopped::refused)?;
            let mut lines = Lines::to_stdout();
            lines.say(Tone::Good, format!("Made {}.", init.directory.display()));
            table(&mut lines, &made);
            lines.gap();
            lines.say(Tone::Strong, "Back it up now, where only the federation operator reads it.");
            lines.say(
                Tone::Plain,
                "Every node uses the same copy. Without subject.secret every person would get a new subject identifier at every service.",
            );
            Ok(())
        }
        Keys::Show(show) => {
            let directory = KeyDirectory::open(&show.directory).map_err(Stopped::could_not)?;
            if show.json {
                return style::json(&rows(&directory));
            }
            table(&mut Lines::to_stdout(), &directory);
            Ok(())
        }
    }
}

fn rows(directory: &KeyDirectory) -> Vec<Row> {
    directory
        .fingerprints()
        .into_iter()
        .map(|print| Row { item: print.item, fingerprint: print.value })
        .collect()
}

fn table(lines: &mut Lines, directory: &KeyDirectory) {
    let rows: Vec<Vec<String>> =
        rows(directory).into_iter().map(|row| vec![row.item.to_owned(), row.fingerprint]).collect();
    lines.table(&["file", "fingerprint"], &rows);
}
