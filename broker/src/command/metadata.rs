//! `sparvidd metadata add|lint|list|show|template|remove`

mod key_table;
mod lint;
mod propose;
pub(super) mod value;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::{
    assurance::AssuranceProfile, attribute::AttributeName, identifier::ProviderId,
    organisation::OrganisationNumber, subject::SubjectSource,
};
use clap::{Args, Subcommand, ValueHint};
use metadata::{
    addition::{self, Choices, Party, Prepared, Secrets, ShownSecret},
    lint::Report,
    oidc::Beginning,
    revision::{Change, Entry, EntryId, document_name},
    settings::OidcProfile,
};
use serde::Serialize;

use value::{assurance_profile, attribute, behind, narrowing, number, profile, subject_source};

use super::{
    ConfigArgument, Lines, Stopped, Tone, block_on,
    edit::{self, Author, Changes, DespiteHold, Edit},
    style,
};
use crate::{
    config::Config,
    moment::moment,
    outbound::{Outbound, Wanted},
};

/// The largest document that is fetched, in octets.
const LARGEST_DOCUMENT: usize = 16 * 1024 * 1024;

/// What to do with metadata.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "made once, from what was typed")]
pub(crate) enum Metadata {
    /// Add identity providers (SAML metadata, XML) and relying parties (OIDC client metadata, JSON), or renew them. All files or none. Live on every
    /// node within two seconds.
    #[command(
        after_help = "Whose a file is follows from its organisation number or its host; --organisation says it.\n\n\
        A relying party (RFC 7591 names; a file that is silent about signatures gets RS256. `sparvidd metadata template` writes one):\n  \
        { \"client_id\": \"https://journal.example\", \"client_name\": \"Journalen\",\n    \
          \"redirect_uris\": [\"https://journal.example/callback\"],\n    \
          \"token_endpoint_auth_method\": \"private_key_jwt\", \"jwks\": { \"keys\": [ … ] },\n    \
          \"scope\": \"openid https://id.oidc.se/scope/naturalPersonOrgId\" }"
    )]
    Add(Add),
    /// Judge files without adding them: what is wrong, where, why, and how to mend it. Needs no configuration. Exit code 0: no error; 1: errors;
    /// 2: a file could not be judged.
    Lint(lint::Lint),
    /// List providers and relying parties.
    List(List),
    /// Show one as it is registered.
    Show(Show),
    /// Print a relying party's file to begin with: ES256, the service-ID scope, everything that must be there.
    Template(Template),
    /// Take providers or relying parties out, by the file they were added with or by name.
    Remove(Remove),
}

/// `metadata add`
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Metadata files, or https addresses to fetch them from.
    #[arg(required = true, value_name = "FILE or URL", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArgument,
    #[command(flatten)]
    author: Author,
    /// Who answers for them, where the files do not say.
    #[arg(long, value_name = "NUMBER")]
    organisation: Option<String>,
    /// An organisation that a provider's people may belong to: each has its record, and each answer must prove one of them. Repeatable; a provider
    /// that speaks for its own organisation already keeps it.
    #[arg(long = "for", value_name = "NUMBER", value_parser = number)]
    speaks_for: Vec<OrganisationNumber>,
    /// An organisation that a provider's people may no longer belong to. Repeatable.
    #[arg(long = "not-for", value_name = "NUMBER", value_parser = number)]
    speaks_no_more_for: Vec<OrganisationNumber>,
    /// What a provider's subject identifiers are made from. Pinned when it joins.
    #[arg(long, value_name = "SOURCE", value_parser = subject_source)]
    subject_source: Option<SubjectSource>,
    /// What a relying party is called, where its file does not say.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Where sources disagree: `standard` (issuer alone as audience of client assertions) or `swedish` (the token endpoint too).
    #[arg(long, value_name = "PROFILE", value_parser = profile)]
    profile: Option<OidcProfile>,
    /// Hold a provider tighter than its organisation: `scopes`, `hsa_prefixes`, `may_assert` or `ceiling`, then `=` and all values with commas between;
    /// `none` takes every earlier narrowing away. Repeatable.
    #[arg(long = "narrow", value_name = "WHAT=VALUES")]
    narrow: Vec<String>,
    /// Whose words for assurance levels a relying party understands: `plain`, `sweden_connect`, `sambi` or `swamid`.
    #[arg(long, value_name = "PROFILE", value_parser = assurance_profile)]
    assurance_profile: Option<AssuranceProfile>,
    /// The relying party need not use PKCE. This and what else is said of a party stays until it is taken back: `=false`.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    waive_pkce: Option<bool>,
    /// What a relying party may be given at most, instead of what its scopes hold; always cut by its organisation's record. Repeatable.
    #[arg(long = "attribute", value_name = "NAME", value_parser = attribute)]
    attributes: Vec<AttributeName>,
    /// The only providers that a relying party takes logins from. Repeatable.
    #[arg(long = "only-from", value_name = "ENTITY_ID")]
    providers: Vec<String>,
    /// An essential attribute that is missing fails a relying party's login; otherwise it is left out.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    fail_on_missing_attribute: Option<bool>,
    /// Do not show a provider in the choice; it is reached by being named.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    hidden: Option<bool>,
    /// Tell a provider which relying party asks (Scoping/RequesterID).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    names_requesters: Option<bool>,
    /// A provider that this one asks in its turn, by the name that it has there: it can be named in its place, and this one is believed when it says
    /// that that one authenticated. Repeatable; `none` takes all of them away.
    #[arg(long, value_name = "ENTITY_ID")]
    behind: Vec<String>,
    /// The service provider of ours that always asks a provider, by its name in the configuration. Pinned where its people's identifiers are made for
    /// one service provider.
    #[arg(long, value_name = "NAME")]
    service_provider: Option<String>,
    /// Give a relying party a new secret even if it has one.
    #[arg(long)]
    renew_secret: bool,
    #[command(flatten)]
    hold: DespiteHold,
    /// Only report; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not make it live: put it on the desk, for another person to approve (sparvidd proposal).
    #[arg(long, conflicts_with = "dry_run")]
    propose: bool,
    /// Report as JSON, in Swedish and English.
    #[arg(long)]
    json: bool,
}

/// `metadata list`
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `metadata show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Entity ID or client_id.
    id: String,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `metadata remove`
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Files as they were added, entity IDs or client_ids.
    #[arg(required = true, value_name = "FILE or NAME")]
    names: Vec<String>,
    #[command(flatten)]
    config: ConfigArgument,
    #[command(flatten)]
    author: Author,
    #[command(flatten)]
    hold: DespiteHold,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `metadata template`
#[derive(Debug, Args)]
pub(crate) struct Template {
    /// What it shall be called here; best an https address of its own.
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// What people call it, in Swedish.
    #[arg(long)]
    name: String,
    /// Where answers go.
    #[arg(long, value_name = "URL")]
    redirect_uri: String,
    /// A file with its public keys (JWK Set), for private_key_jwt; without it a secret is made when the file is added.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    jwks: Option<PathBuf>,
}

/// Runs it.
pub(crate) fn run(metadata: &Metadata) -> Result<(), Stopped> {
    match metadata {
        Metadata::Add(add) => block_on(self::add(add))?,
        Metadata::Lint(lint) => block_on(lint::run(lint))?,
        Metadata::List(list) => block_on(self::list(list))?,
        Metadata::Show(show) => block_on(self::show(show))?,
        Metadata::Template(template) => self::template(template),
        Metadata::Remove(remove) => block_on(self::remove(remove))?,
    }
}

fn template(template: &Template) -> Result<(), Stopped> {
    let jwks = match &template.jwks {
        None => None,
        Some(path) => Some(
            serde_json::from_slice(&edit::read_file(path)?)
                .map_err(|error| Stopped::could_not(format!("{} is not JSON: {error}", path.display())))?,
        ),
    };
    style::json(&::metadata::oidc::template(&Beginning {
        client_id: &template.client_id,
        name: &template.name,
        redirect_uri: &template.redirect_uri,
        jwks,
    }))
}

async fn add(add: &Add) -> Result<(), Stopped> {
    let organisation = add.organisation.as_deref().map(number).transpose().map_err(Stopped::could_not)?;
    let config = Config::read(&add.config.config).map_err(Stopped::could_not)?;
    let choices = Choices {
        organisation,
        subject_source: add.subject_source,
        client_id: add.client_id.clone(),
        profile: add.profile,
        narrowing: narrowing(&add.narrow).map_err(Stopped::could_not)?,
        assurance_profile: add.assurance_profile,
        pkce_waived: add.waive_pkce,
        renew_secret: add.renew_secret,
        attributes: (!add.attributes.is_empty()).then(|| add.attributes.iter().copied().collect()),
        providers: (!add.providers.is_empty())
            .then(|| add.providers.iter().map(|id| ProviderId::from(id.as_str())).collect()),
        fail_on_missing_attribute: add.fail_on_missing_attribute,
        speaks_for: add.speaks_for.iter().cloned().collect(),
        speaks_for_exactly: None,
        speaks_no_more_for: add.speaks_no_more_for.iter().cloned().collect(),
        hidden: add.hidden,
        names_requesters: add.names_requesters,
        behind: behind(&add.behind).map_err(Stopped::could_not)?,
        service_provider: add.service_provider.clone(),
        profiles: config.file.federation.profiles(),
    };
    let mut files = Vec::new();
    for path in &add.files {
        let name = path.display().to_string();
        let octets = if is_address(&name) { fetched(&config, &name).await? } else { edit::read_file(path)? };
        files.push((name, octets));
    }
    let mut edit = Edit::of(config).await?.signed(&add.author)?;
    if let Some(name) = &add.service_provider
        && !edit.service_providers.contains(name)
    {
        return Err(Stopped::could_not(format!(
            "no service provider is called {name}; there are: {}",
            edit.service_providers.join(", ")
        )));
    }
    if add.propose {
        return propose::run(&edit, &files, &choices, add.json).await;
    }
    edit.despite_hold(add.hold.reason()?);
    let outcome = put(&mut edit, &files, &choices, add.dry_run).await?;
    let refused = style::reports(&outcome.reports, add.json)?;
    if refused {
        return Err(Stopped { message: super::unchanged(add.json), code: 1 });
    }
    if add.json {
        return Ok(());
    }
    let mut lines = Lines::to_stdout();
    for party in &outcome.parties {
        lines.say(Tone::Good, told(party));
        if party.speaks_for.len() > 1 || party.speaks_for.iter().any(|number| *number != party.organisation) {
            let numbers: Vec<&str> = party.speaks_for.iter().map(OrganisationNumber::as_str).collect();
            lines.say(Tone::Quiet, format!("  it speaks for {}", numbers.join(", ")));
        }
        if let Some(source) = party.subject_source {
            lines.say(
                Tone::Quiet,
                format!("  subject identifiers are made from {}; this is pinned", source.key()),
            );
        }
    }
    say_secrets(&mut lines, &outcome.secrets);
    match outcome.revision {
        None => lines.say(Tone::Quiet, "Nothing was changed (--dry-run)."),
        Some(number) => {
            lines.say(Tone::Quiet, format!("Revision {number} is live on every node within two seconds."))
        }
    }
    Ok(())
}

fn say_secrets(lines: &mut Lines, secrets: &[ShownSecret]) {
    for secret in secrets {
        lines.gap();
        lines.say(Tone::Strong, format!("The secret of {}, shown this once:", secret.client_id));
        lines.say(Tone::Accent, format!("  {}", secret.secret));
        lines.say(
            Tone::Quiet,
            "  Give it to the relying party by a safe way. Here only a keyed hash of it is kept.",
        );
    }
}

/// Whether what stands for a file is an address. Only an http one is, so that a mistyped scheme is looked for as a file and said to be missing.
fn is_address(name: &str) -> bool {
    ["https://", "http://"]
        .iter()
        .any(|scheme| name.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// A metadata document by its address. It is believed as far as a file that the operator had fetched over TLS: the organisation's record bounds it.
async fn fetched(config: &Config, url: &str) -> Result<Vec<u8>, Stopped> {
    let client = Outbound::of(&config.file.outbound).map_err(Stopped::could_not)?;
    let wanted = Wanted {
        url,
        accept: "application/samlmetadata+xml, application/xml;q=0.9, application/json;q=0.9, */*;q=0.1",
        largest: LARGEST_DOCUMENT,
        redirects: 3,
        within: Duration::from_secs(60),
    };
    client
        .fetch(wanted)
        .await
        .map_err(|refused| Stopped::could_not(format!("{refused}. Nothing was changed.")))
}

/// What adding did.
pub(crate) struct Added {
    /// What was found in each file.
    pub(crate) reports: Vec<(String, Report)>,
    /// Who was added; nobody when a report has an error.
    pub(crate) parties: Vec<Party>,
    /// Secrets that were made.
    pub(crate) secrets: Vec<ShownSecret>,
    /// The revision that is live now; `None`: nothing was changed.
    pub(crate) revision: Option<u64>,
}

/// Adds files to the registry, all or none.
///
/// # Errors
/// When the store is away, or the manifest refuses what the reports did not.
pub(crate) async fn put(
    edit: &mut Edit,
    files: &[(String, Vec<u8>)],
    choices: &Choices,
    dry_run: bool,
) -> Result<Added, Stopped> {
    let key = edit.client_secrets.clone();
    edit.dry_run(dry_run);
    let (number, (mut added, made)) = edit
        .change(|registry| {
            let mut changes = Changes::default();
            let mut added =
                Added { reports: Vec::new(), parties: Vec::new(), secrets: Vec::new(), revision: None };
            for (name, octets) in files {
                let fresh = URL_SAFE_NO_PAD.encode(moment().random::<32>());
                let prepared: Prepared = addition::prepare(
                    octets,
                    choices,
                    Secrets { key: &key, fresh: &fresh },
                    registry,
                    moment().now,
                );
                added.reports.push((name.clone(), prepared.report));
                added.parties.extend(prepared.parties);
                added.secrets.extend(prepared.shown_secret);
                changes.documents.extend(prepared.documents.into_iter().map(|(_, octets)| octets));
                changes.list.extend(prepared.changes);
            }
            if added.reports.iter().any(|(_, report)| report.has_errors()) {
                return Ok((Changes::default(), (added, false)));
            }
            Ok((changes, (added, !dry_run)))
        })
        .await?;
    added.revision = made.then_some(number);
    Ok(added)
}

fn told(party: &Party) -> String {
    let verb = if party.renewed { "Renewed" } else { "Added" };
    match party.display_name.best(&[]) {
        Some(name) => format!("{verb} {name}, {}, of {}", party.id, party.organisation),
        None => format!("{verb} {}, of {}", party.id, party.organisation),
    }
}

#[derive(Serialize)]
struct Row {
    kind: &'static str,
    id: String,
    name: String,
    organisation: String,
    state: &'static str,
}

async fn list(list: &List) -> Result<(), Stopped> {
    let edit = Edit::open(&list.config.config).await?;
    let registry = edit.registry();
    let providers = registry.providers_by_name().iter().map(|policy| Row {
        kind: "provider",
        id: policy.id.to_string(),
        name: policy.display_name.best(&[]).unwrap_or_default().to_owned(),
        organisation: policy.organisation.number.to_string(),
        state: if registry.saml_provider(&policy.id).is_some_and(|found| found.signing_keys.is_empty()) {
            "no usable key: takes no login"
        } else {
            state(registry.suspensions().allow_provider(&policy.id, &policy.organisation.number).is_err())
        },
    });
    let services = registry.oidc_clients().map(|client| Row {
        kind: "relying party",
        id: client.client_id.to_string(),
        name: client.policy.display_name.best(&[]).unwrap_or_default().to_owned(),
        organisation: client.policy.organisation.number.to_string(),
        state: state(registry.suspensions().allow_relying_party(&client.policy).is_err()),
    });
    let withheld = registry.withheld().iter().map(|withheld| Row {
        kind: "withheld",
        id: withheld.id.to_string(),
        name: String::new(),
        organisation: String::new(),
        state: "its document no longer passes",
    });
    let mut rows: Vec<Row> = providers.chain(services).chain(withheld).collect();
    rows.sort_by(|one, other| (one.kind, &one.name, &one.id).cmp(&(other.kind, &other.name, &other.id)));
    if list.json {
        return style::json(&rows);
    }
    let mut lines = Lines::to_stdout();
    if rows.is_empty() {
        lines.say(Tone::Plain, "Nobody is registered yet. Add somebody: sparvidd metadata add FILE");
        return Ok(());
    }
    let cells: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| vec![row.kind.to_owned(), row.name, row.organisation, row.id, row.state.to_owned()])
        .collect();
    lines.table(&["kind", "name", "organisation", "entity ID or client_id", "state"], &cells);
    Ok(())
}

fn state(suspended: bool) -> &'static str {
    if suspended { "suspended" } else { "live" }
}

/// The entry of that name, whatever its kind.
fn entry<'r>(registry: &'r metadata::Registry, name: &str) -> Option<(&'r EntryId, &'r Entry)> {
    registry.manifest().entries.iter().find(|(id, _)| match id {
        EntryId::Organisation(_) => false,
        EntryId::SamlProvider(provider) => provider.as_str() == name,
        EntryId::OidcClient(client) => client.as_str() == name,
    })
}

async fn show(show: &Show) -> Result<(), Stopped> {
    let edit = Edit::open(&show.config.config).await?;
    let (id, found) = entry(edit.registry(), &show.id).ok_or_else(|| {
        Stopped::refused(format!(
            "Nobody is registered as {}. sparvidd metadata list shows everybody.",
            show.id
        ))
    })?;
    let document = edit.document(found.document()).await?;
    let text = String::from_utf8_lossy(&document).into_owned();
    let keys = match id {
        EntryId::SamlProvider(id) => key_table::rows(id, &document, edit.registry(), &edit.key_use),
        _ => Vec::new(),
    };
    if show.json {
        return style::json(
            &serde_json::json!({ "id": id.to_string(), "entry": found, "keys": keys, "document": text }),
        );
    }
    let mut lines = Lines::to_stdout();
    lines.say(Tone::Strong, id);
    let mut settings = serde_json::to_value(found).map_err(Stopped::could_not)?;
    if let Some(secret) = settings.pointer_mut("/settings/secret") {
        *secret = "kept as a keyed hash".into();
    }
    lines.say(Tone::Quiet, serde_json::to_string_pretty(&settings).map_err(Stopped::could_not)?);
    lines.gap();
    if !keys.is_empty() {
        let cells: Vec<_> = keys.iter().map(key_table::Row::cells).collect();
        lines.table(&key_table::HEADINGS, &cells);
        lines.gap();
    }
    lines.say(Tone::Plain, text.trim_end());
    Ok(())
}

async fn remove(remove: &Remove) -> Result<(), Stopped> {
    let mut edit = Edit::open(&remove.config.config).await?.signed(&remove.author)?;
    edit.despite_hold(remove.hold.reason()?);
    let (number, removed) = edit
        .change(|registry| {
            let mut changes = Changes::default();
            let mut removed = Vec::new();
            for name in &remove.names {
                let ids = named(registry, name)?;
                if ids.is_empty() {
                    return Err(Stopped::refused(format!(
                        "Nothing is registered as {name}, or from a file like it. Nothing was changed. sparvidd metadata list shows everybody."
                    )));
                }
                for id in ids {
                    removed.push(id.to_string());
                    changes.list.push(Change::Remove { id });
                }
            }
            Ok((changes, removed))
        })
        .await?;
    if remove.json {
        return style::json(&serde_json::json!({ "removed": removed, "revision": number }));
    }
    let mut lines = Lines::to_stdout();
    for id in removed {
        lines.say(Tone::Good, format!("Removed {id}"));
    }
    lines.say(Tone::Quiet, format!("Revision {number} is live on every node within two seconds."));
    Ok(())
}

/// The entries of a name, or of a file: by its content, or by the names that it holds.
fn named(registry: &metadata::Registry, name: &str) -> Result<Vec<EntryId>, Stopped> {
    if let Some((id, _)) = entry(registry, name) {
        return Ok(vec![id.clone()]);
    }
    let path = Path::new(name);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let octets = edit::read_file(path)?;
    let digest = document_name(&octets);
    let by_content = registry.manifest().entries.iter().filter(|(_, entry)| entry.document() == digest);
    let mut ids: Vec<EntryId> = by_content.map(|(id, _)| id.clone()).collect();
    if ids.is_empty() {
        ids = addition::names(&octets)
            .into_iter()
            .filter(|id| registry.manifest().entries.contains_key(id))
            .collect();
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::Add;

    #[derive(Debug, Parser)]
    struct Words {
        #[command(flatten)]
        add: Add,
    }

    fn read(words: &[&str]) -> Add {
        Words::try_parse_from([&["add", "rp.json", "--config", "x.toml"], words].concat())
            .expect("words that are read")
            .add
    }

    #[test]
    fn what_was_waived_can_be_taken_back() {
        let said = |words: &[&str]| {
            let add = read(words);
            [add.waive_pkce, add.fail_on_missing_attribute, add.hidden, add.names_requesters]
        };
        assert_eq!(said(&[]), [None; 4], "what was decided earlier stays");
        let all = ["--waive-pkce", "--fail-on-missing-attribute", "--hidden", "--names-requesters"];
        assert_eq!(said(&all), [Some(true); 4]);
        let back = all.map(|word| format!("{word}=false"));
        assert_eq!(said(&back.each_ref().map(String::as_str)), [Some(false); 4]);
    }
}
