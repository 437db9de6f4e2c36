//! `sparvidd suspend provider|key|relying-party|organisation|list` and `sparvidd resume …`: one person's act, live on every node within seconds.

use std::sync::Arc;

use broker_core::{
    identifier::{ProviderId, RelyingPartyId},
    suspension::KeyFingerprint,
};
use certs::PublicKey;
use clap::{Args, Subcommand};
use metadata::{
    Registry,
    revision::{Change, Suspension, Target},
};

use super::{
    ConfigArgument, Lines, Stopped, Tone, block_on,
    edit::{self, Changes, Edit, Signed},
    metadata::value,
    source, style,
};
use crate::{config::Config, moment};

/// What to suspend.
#[derive(Debug, Subcommand)]
pub(crate) enum Suspend {
    /// A provider: it takes no login, and what it said in logins under way counts for nothing.
    Provider(One),
    /// A key of a provider: it verifies nothing any more, whoever has it in metadata, now or later.
    Key(OneKey),
    /// A relying party: it starts no login, and its codes and tokens give nothing.
    RelyingParty(One),
    /// An organisation: all its providers and relying parties.
    Organisation(One),
    /// List what is suspended, since when, by whom and why.
    List(List),
}

/// What to take up again.
#[derive(Debug, Subcommand)]
pub(crate) enum Resume {
    /// A provider.
    Provider(Lift),
    /// A key.
    Key(LiftKey),
    /// A relying party.
    RelyingParty(Lift),
    /// An organisation.
    Organisation(Lift),
}

/// `suspend provider|relying-party|organisation`
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Entity ID, client_id or organisation number.
    name: String,
    #[command(flatten)]
    act: Act,
}

/// `suspend key`
#[derive(Debug, Args)]
pub(crate) struct OneKey {
    /// Entity ID of the provider whose key it is.
    name: String,
    /// The key, as `sparvidd metadata show` names it (its beginning is enough), or the SHA-256 fingerprint of its certificate. Needless where the
    /// provider has but one.
    #[arg(long, value_name = "FINGERPRINT")]
    key: Option<String>,
    /// Somebody else may have the key.
    #[arg(long)]
    compromised: bool,
    #[command(flatten)]
    act: Act,
}

/// `resume provider|relying-party|organisation`
#[derive(Debug, Args)]
pub(crate) struct Lift {
    /// Entity ID, client_id or organisation number.
    name: String,
    #[command(flatten)]
    act: Act,
}

/// `resume key`
#[derive(Debug, Args)]
pub(crate) struct LiftKey {
    /// The key's whole fingerprint, as `sparvidd suspend list` shows it.
    fingerprint: String,
    /// The key was marked compromised, and it is certain that it is not.
    #[arg(long)]
    was_not_compromised: bool,
    #[command(flatten)]
    act: Act,
}

/// Who does it, and why.
#[derive(Debug, Args)]
pub(crate) struct Act {
    /// Why: it stands in the registry, for whoever asks later.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who you are.
    #[arg(long = "as", value_name = "NAME")]
    by: String,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `suspend list`
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Runs `suspend`.
pub(crate) fn run(suspend: &Suspend) -> Result<(), Stopped> {
    let (act, compromised) = match suspend {
        Suspend::List(list) => return block_on(self::list(list))?,
        Suspend::Provider(one) | Suspend::RelyingParty(one) | Suspend::Organisation(one) => (&one.act, false),
        Suspend::Key(one) => (&one.act, one.compromised),
    };
    let (reason, by) = said(act)?;
    let target = |registry: &Registry| match suspend {
        Suspend::Provider(one) => provider(registry, &one.name),
        Suspend::RelyingParty(one) => relying_party(registry, &one.name),
        Suspend::Organisation(one) => organisation(registry, &one.name),
        Suspend::Key(one) => key(registry, &one.name, one.key.as_deref()),
        Suspend::List(_) => Err(Stopped::could_not("nothing is named")),
    };
    block_on(change(act, "Suspended", |registry| {
        let target = target(registry)?;
        let told = target.to_string();
        let left = closed_by(registry, &target);
        let suspension =
            Suspension { target, at: moment::now(), by: by.clone(), reason: reason.clone(), compromised };
        Ok((Change::Suspend { suspension: Box::new(suspension) }, told, left))
    }))?
}

/// Runs `resume`.
pub(crate) fn resume(resume: &Resume) -> Result<(), Stopped> {
    let act = match resume {
        Resume::Provider(lift) | Resume::RelyingParty(lift) | Resume::Organisation(lift) => &lift.act,
        Resume::Key(lift) => &lift.act,
    };
    let (reason, by) = said(act)?;
    block_on(change(act, "Resumed", |registry| {
        // By name alone: what was suspended may have been taken out since.
        let target = match resume {
            Resume::Provider(lift) => Target::Provider { provider: ProviderId::from(lift.name.as_str()) },
            Resume::RelyingParty(lift) => {
                Target::RelyingParty { relying_party: RelyingPartyId::from(lift.name.as_str()) }
            }
            Resume::Organisation(lift) => {
                Target::Organisation { organisation: value::number(&lift.name).map_err(Stopped::could_not)? }
            }
            Resume::Key(lift) => suspended_key(registry, lift)?,
        };
        let told = format!("{target}, by {by}: {reason}");
        Ok((Change::Resume { target }, told, None))
    }))?
}

/// A reason and a name that say something.
fn said(act: &Act) -> Result<(String, String), Stopped> {
    let clean = |what: &str, text: &str| {
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if joined.is_empty() || joined.chars().any(char::is_control) || joined.chars().count() > 500 {
            return Err(Stopped::could_not(format!("{what} must say something, in at most 500 characters")));
        }
        Ok(joined)
    };
    Ok((clean("--reason", &act.reason)?, clean("--as", &act.by)?))
}

async fn change(
    act: &Act,
    verb: &str,
    mut prepare: impl FnMut(&Registry) -> Result<(Change, String, Option<String>), Stopped>,
) -> Result<(), Stopped> {
    let config = Config::read(&act.config.config).map_err(Stopped::could_not)?;
    let mut edit = Edit::of(config.clone()).await?;
    let (reason, by) = said(act)?;
    edit.signed = Signed::by(edit::operator(Some(&by))?, reason);
    // Who is only in a source is closed as who is registered.
    let (joined, trouble) = source::joined_for(&config, &edit).await;
    let joined = Arc::new(joined);
    let (number, (told, note)) = edit
        .change(|registry| {
            let (change, told, note) = prepare(&registry.joined_by(Arc::clone(&joined)))?;
            Ok((Changes { list: vec![change], ..Changes::default() }, (told, note)))
        })
        .await?;
    if let Some(trouble) = trouble {
        tracing::warn!(%trouble, "what the sources have now is not known");
    }
    if act.json {
        return style::json(
            &serde_json::json!({ "done": verb.to_lowercase(), "target": told, "revision": number }),
        );
    }
    let mut lines = Lines::to_stdout();
    lines.say(Tone::Good, format!("{verb}: {told}"));
    if let Some(note) = note {
        lines.say(Tone::Look, note);
    }
    lines.say(Tone::Quiet, format!("Revision {number} is live on every node within two seconds."));
    Ok(())
}

fn unknown(name: &str) -> Stopped {
    Stopped::refused(format!(
        "Nobody is registered as {name}. sparvidd metadata list and sparvidd organisation list show everybody. Nothing was changed."
    ))
}

fn provider(registry: &Registry, name: &str) -> Result<Target, Stopped> {
    let provider = ProviderId::from(name);
    // A provider that is withheld can be suspended, too: its next document may let it in again.
    let id = metadata::revision::EntryId::SamlProvider(provider.clone());
    if registry.saml_provider(&provider).is_none() && !registry.manifest().entries.contains_key(&id) {
        return Err(unknown(name));
    }
    Ok(Target::Provider { provider })
}

fn relying_party(registry: &Registry, name: &str) -> Result<Target, Stopped> {
    let relying_party = RelyingPartyId::from(name);
    let id = metadata::revision::EntryId::OidcClient(relying_party.clone());
    if registry.oidc_client(&relying_party).is_none() && !registry.manifest().entries.contains_key(&id) {
        return Err(unknown(name));
    }
    Ok(Target::RelyingParty { relying_party })
}

fn organisation(registry: &Registry, name: &str) -> Result<Target, Stopped> {
    let organisation = value::number(name).map_err(Stopped::could_not)?;
    let of_a_source =
        || registry.joined().providers.values().any(|one| one.policy.organisation.number == organisation);
    if registry.organisation(&organisation).is_none() && !of_a_source() {
        return Err(unknown(name));
    }
    Ok(Target::Organisation { organisation })
}

fn fingerprint(key: &PublicKey) -> KeyFingerprint {
    KeyFingerprint::new(*key.thumbprint().as_bytes())
}

/// The keys of a provider that verify, then those that are suspended.
fn keys_of(registry: &Registry, provider: &ProviderId) -> Vec<KeyFingerprint> {
    registry
        .saml_provider(provider)
        .into_iter()
        .flat_map(|found| found.signing_keys.iter().chain(&found.suspended_keys))
        .map(fingerprint)
        .collect()
}

fn key(registry: &Registry, name: &str, wanted: Option<&str>) -> Result<Target, Stopped> {
    let Target::Provider { provider } = self::provider(registry, name)? else { return Err(unknown(name)) };
    let keys = keys_of(registry, &provider);
    let shown = || keys.iter().map(|key| format!("  {key}")).collect::<Vec<_>>().join("\n");
    let digits = wanted.map(|text| {
        text.chars().filter(|letter| !matches!(letter, ':' | ' ')).collect::<String>().to_ascii_lowercase()
    });
    let found: Vec<KeyFingerprint> = match &digits {
        None => keys.clone(),
        Some(digits) => keys.iter().copied().filter(|key| key.to_string().starts_with(digits)).collect(),
    };
    let fingerprint = match (&found[..], &digits) {
        ([only], _) => *only,
        // A key that is not in the metadata yet, or is so no longer, is known by its whole fingerprint.
        ([], Some(digits)) => KeyFingerprint::parse(digits).ok_or_else(|| {
            Stopped::refused(format!(
                "{name} has no such key. Its keys, by the SHA-256 of the public key:\n{}\nNothing was changed.",
                shown()
            ))
        })?,
        _ => {
            return Err(Stopped::refused(format!(
                "Say which key with --key. The keys of {name}, by the SHA-256 of the public key:\n{}\nNothing was changed.",
                shown()
            )));
        }
    };
    Ok(Target::Key { provider, fingerprint })
}

fn suspended_key(registry: &Registry, lift: &LiftKey) -> Result<Target, Stopped> {
    let wanted = KeyFingerprint::parse(&lift.fingerprint).ok_or_else(|| {
        Stopped::could_not(format!("{} is no fingerprint: 64 hexadecimal digits", lift.fingerprint))
    })?;
    let known = registry
        .manifest()
        .suspensions
        .iter()
        .find(|known| matches!(&known.target, Target::Key { fingerprint, .. } if *fingerprint == wanted));
    let known = known.ok_or_else(|| {
        Stopped::refused(format!("The key {wanted} is not suspended. Nothing was changed."))
    })?;
    if known.compromised && !lift.was_not_compromised {
        return Err(Stopped::refused(format!(
            "The key {wanted} was marked compromised by {}: {}. Whoever has it could sign as the provider. Let the provider make a new one. If the mark was a mistake: --was-not-compromised. Nothing was changed.",
            known.by, known.reason
        )));
    }
    Ok(known.target.clone())
}

/// What else the operator should know of a suspension.
fn closed_by(registry: &Registry, target: &Target) -> Option<String> {
    let Target::Key { fingerprint: wanted, .. } = target else { return None };
    let closed: Vec<&str> = registry
        .saml_providers()
        .filter(|provider| {
            provider.signing_keys.iter().any(|key| fingerprint(key) == *wanted)
                && provider.signing_keys.iter().all(|key| fingerprint(key) == *wanted)
        })
        .map(|provider| provider.policy.id.as_str())
        .collect();
    (!closed.is_empty()).then(|| {
        format!(
            "It was the only key of {}: nobody signs in there until new metadata with another key is added.",
            closed.join(", ")
        )
    })
}

async fn list(list: &List) -> Result<(), Stopped> {
    let edit = Edit::open(&list.config.config).await?;
    let found = &edit.registry().manifest().suspensions;
    if list.json {
        return style::json(found);
    }
    let mut lines = Lines::to_stdout();
    if found.is_empty() {
        lines.say(Tone::Plain, "Nothing is suspended.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|one| {
            let mark = if one.compromised { " (compromised)" } else { "" };
            vec![format!("{}{mark}", one.target), one.at.to_rfc3339(), one.by.clone(), one.reason.clone()]
        })
        .collect();
    lines.table(&["suspended", "since", "by", "reason"], &rows);
    Ok(())
}
