//! `sparvidd keys init DIR`, `sparvidd keys show DIR`

use std::path::PathBuf;

use certs::key_directory::{Creation, DEFAULT_CERTIFICATE_DAYS, KeyDirectory, SigningKeys};
use clap::{Args, Subcommand, ValueHint};
use serde::Serialize;

use super::{ConfigArgument, Lines, Stopped, Tone, block_on, style};
use crate::{config::Config, moment, wiring};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make the directory of what cannot be made again: secrets and SAML keys. Nothing existing is ever overwritten.
    Init(Init),
    /// Show what can be shown: fingerprints to compare between nodes.
    Show(Show),
    /// Make this node's key directory the one that all nodes must have, after a key was replaced on purpose. Copy it to every node first; nodes with
    /// the former one do not start again.
    Accept(ConfigArgument),
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
        Keys::Accept(argument) => {
            let config = Config::read(&argument.config).map_err(Stopped::could_not)?;
            let keys = KeyDirectory::open(&config.file.keys).map_err(Stopped::could_not)?;
            let differed = block_on(async {
                let store = wiring::open_store_for_command(&config).await.map_err(Stopped::could_not)?;
                wiring::accept_keys(&*store, &keys).await.map_err(Stopped::could_not)
            })??;
            let mut lines = Lines::to_stdout();
            if differed.is_empty() {
                lines.say(Tone::Plain, "These are the keys that the store knows; nothing was changed.");
            } else {
                lines.say(Tone::Good, format!("Accepted: {}.", differed.join(", ")));
            }
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
