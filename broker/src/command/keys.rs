//! `sparvidd keys init DIR`, `sparvidd keys show DIR`, `sparvidd keys accept`, `sparvidd keys decryption make|publish|drop DIR`,
//! `sparvidd keys signing make|use|drop saml|metadata DIR`

use std::{path::PathBuf, time::Duration};

use certs::key_directory::{
    Creation, DEFAULT_CERTIFICATE_DAYS, KeyDirectory, SigningKeys, decryption, signing,
};
use clap::{Args, Subcommand, ValueHint};
use serde::Serialize;

use super::{ConfigArgument, Lines, Stopped, Tone, block_on, style};
use crate::{config::Config, moment, own_metadata, wiring};

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
    /// Replace the key that providers encrypt to, without an outage: three steps, days apart.
    #[command(subcommand)]
    Decryption(Decryption),
    /// Replace a key that signs, without an outage: the next one is published first, and used when every peer has it.
    #[command(subcommand)]
    Signing(Signing),
}

/// `keys signing`
#[derive(Debug, Subcommand)]
pub(crate) enum Signing {
    /// First: make the next key. Its certificate is published, and it signs nothing yet.
    Make(MakeSigning),
    /// Second, when every peer has its certificate: sign with it. The former key is gone; its certificate stays published.
    Use(UseSigning),
    /// Third, when no message of the former key is under way any more: publish its certificate no longer.
    Drop(WhichSigning),
}

/// A key that signs.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Signs {
    /// SAML messages.
    Saml,
    /// Metadata.
    Metadata,
}

/// A key that signs, and the directory it is in.
#[derive(Debug, Args)]
pub(crate) struct WhichSigning {
    /// What the key signs.
    #[arg(value_name = "KEY")]
    key: Signs,
    /// The directory.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: PathBuf,
}

/// `keys signing make`
#[derive(Debug, Args)]
pub(crate) struct MakeSigning {
    #[command(flatten)]
    which: WhichSigning,
    /// The name in the certificate, usually the broker's host name.
    #[arg(long, default_value = "sparvidd", value_name = "NAME")]
    name: String,
    /// How long the certificate says it is valid, days.
    #[arg(long, default_value_t = DEFAULT_CERTIFICATE_DAYS, value_name = "DAYS")]
    days: u32,
}

/// `keys signing use`
#[derive(Debug, Args)]
pub(crate) struct UseSigning {
    #[command(flatten)]
    which: WhichSigning,
    /// Do not wait until copies of the former metadata have run out, for this reason: peers that have not fetched the new one refuse us until they do.
    #[arg(long, value_name = "REASON")]
    now: Option<String>,
}

impl WhichSigning {
    fn key(&self) -> signing::SigningKey {
        match self.key {
            Signs::Saml => signing::SigningKey::Saml,
            Signs::Metadata => signing::SigningKey::Metadata,
        }
    }
}

/// `keys decryption`
#[derive(Debug, Subcommand)]
pub(crate) enum Decryption {
    /// First: make the next key. It decrypts, and is not published yet.
    Make(MakeDecryption),
    /// Second, when every node has the next key: publish it. The former one goes on decrypting.
    Publish(Directory),
    /// Third, when no provider has the old metadata any more: remove the former key.
    Drop(Directory),
}

/// A key directory.
#[derive(Debug, Args)]
pub(crate) struct Directory {
    /// The directory.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: PathBuf,
}

/// `keys decryption make`
#[derive(Debug, Args)]
pub(crate) struct MakeDecryption {
    /// The directory.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: PathBuf,
    /// The name in the certificate, usually the broker's host name.
    #[arg(long, default_value = "sparvidd", value_name = "NAME")]
    name: String,
    /// How long the certificate says it is valid, days.
    #[arg(long, default_value_t = DEFAULT_CERTIFICATE_DAYS, value_name = "DAYS")]
    days: u32,
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
        Keys::Decryption(step) => rollover(step),
        Keys::Signing(step) => signing_rollover(step),
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

/// One step of the rollover, and what comes next.
fn rollover(step: &Decryption) -> Result<(), Stopped> {
    let (directory, done, then) = match step {
        Decryption::Make(made) => (
            decryption::make(&made.directory, &made.name, moment::system_time(), made.days),
            "Made the next decryption key.",
            "Copy the directory to every node and start each again. Then: sparvidd keys decryption publish",
        ),
        Decryption::Publish(place) => (
            decryption::publish(&place.directory),
            "The next key is the one to publish; the former one goes on decrypting.",
            "Copy the directory to every node, run sparvidd keys accept once, start each node again. When every provider has loaded our new metadata (its copies last two weeks): sparvidd keys decryption drop",
        ),
        Decryption::Drop(place) => (
            decryption::drop(&place.directory),
            "Removed the former decryption key.",
            "Copy the directory to every node and start each again.",
        ),
    };
    let directory = directory.map_err(Stopped::refused)?;
    let mut lines = Lines::to_stdout();
    lines.say(Tone::Good, done);
    table(&mut lines, &directory);
    lines.gap();
    lines.say(Tone::Plain, then);
    Ok(())
}

/// One step of the rollover of a key that signs, and what comes next.
fn signing_rollover(step: &Signing) -> Result<(), Stopped> {
    let now = moment::system_time();
    let (directory, done, then) = match step {
        Signing::Make(made) => (
            signing::make(&made.which.directory, made.which.key(), &made.name, now, made.days),
            "Made the next key. It signs nothing yet.".to_owned(),
            match made.which.key {
                Signs::Saml => {
                    "Copy the directory to every node and start each again: our metadata then has both certificates. When every copy without the next one has run out (two weeks): sparvidd keys signing use saml"
                }
                Signs::Metadata => {
                    "Copy the directory to every node and start each again: the next certificate is then at /metadata/next.crt. Tell everybody who checks our metadata to trust it too. Two weeks later at the earliest: sparvidd keys signing use metadata"
                }
            },
        ),
        Signing::Use(used) => {
            let days = Duration::from_secs(u64::try_from(own_metadata::VALID_DAYS).unwrap_or(0) * 86_400);
            let wait = days + Duration::from_secs(u64::from(own_metadata::CACHE_SECONDS));
            let reason = used.now.as_deref().map(str::trim);
            if reason == Some("") {
                return Err(Stopped::refused(
                    "--now takes a reason: it is written in your operating log by you alone.",
                ));
            }
            let wait = if reason.is_some() { Duration::ZERO } else { wait };
            let done = match reason {
                Some(reason) => format!("The next key signs from now on, without the wait: {reason}"),
                None => "The next key signs from now on.".to_owned(),
            };
            (
                signing::use_next(&used.which.directory, used.which.key(), now, wait),
                done,
                "Copy the directory to every node, run sparvidd keys accept once, start each node again. When all have: sparvidd keys signing drop",
            )
        }
        Signing::Drop(which) => (
            signing::drop_old(&which.directory, which.key()),
            "The former certificate is published no longer.".to_owned(),
            "Copy the directory to every node and start each again.",
        ),
    };
    let directory = directory.map_err(Stopped::refused)?;
    let mut lines = Lines::to_stdout();
    lines.say(Tone::Good, done);
    table(&mut lines, &directory);
    lines.gap();
    lines.say(Tone::Plain, then);
    Ok(())
}

fn rows(directory: &KeyDirectory) -> Vec<Row> {
    directory
        .fingerprints()
        .into_iter()
        .chain(directory.further_decryption_keys())
        .map(|print| Row { item: print.item, fingerprint: print.value })
        .collect()
}

fn table(lines: &mut Lines, directory: &KeyDirectory) {
    let rows: Vec<Vec<String>> =
        rows(directory).into_iter().map(|row| vec![row.item.to_owned(), row.fingerprint]).collect();
    lines.table(&["file", "fingerprint"], &rows);
}
