//! `sparvidd organisation add|list|show`

use std::path::PathBuf;

use broker_core::organisation::{Organisation as Record, OrganisationNumber};
use clap::{Args, Subcommand, ValueHint};
use metadata::revision::{Change, document_name};
use serde::Serialize;

use super::{
    ConfigArgument, Lines, Stopped, Tone, block_on,
    edit::{self, Author, Changes, DespiteHold, Edit},
    style,
};

/// What to do with organisation records.
#[derive(Debug, Subcommand)]
pub(crate) enum Organisation {
    /// Add a record, or a new version of one. Live on every node within two seconds.
    #[command(after_help = "A record (TOML):\n  \
        number = \"4120004249\"\n  \
        name = { sv = \"Granviks kommun\", en = \"Granvik Municipality\" }\n  \
        domains = [\"granvik.example\"]                          # hosts and mail addresses lie within them\n  \
        scopes = [\"granvik.example\"]                           # right of the @ in scoped values\n  \
        hsa_prefixes = []                                      # such as \"SE4120004249-\"\n  \
        ceiling = [\"http://id.elegnamnden.se/loa/1.0/loa3\"]    # the highest level its providers may assert\n  \
        entitled = [\"display_name\", \"org_affiliation\"]         # what its services may be given\n  \
        may_assert = []                                        # beyond scope, HSA-id and mail, such as \"personal_identity_number\"\n  \
        support = { email = \"servicedesk@granvik.example\" }")]
    Add(Add),
    /// List the records.
    List(List),
    /// Show one record, and its peers.
    Show(Show),
}

/// `organisation add`
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Record files, TOML or JSON.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArgument,
    #[command(flatten)]
    author: Author,
    #[command(flatten)]
    hold: DespiteHold,
    /// Report as JSON, in Swedish and English.
    #[arg(long)]
    json: bool,
}

/// `organisation list`
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `organisation show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Organisation number.
    number: String,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    record: &'a Record,
    providers: Vec<String>,
    relying_parties: Vec<String>,
}

/// Runs it.
pub(crate) fn run(organisation: &Organisation) -> Result<(), Stopped> {
    match organisation {
        Organisation::Add(add) => block_on(self::add(add))?,
        Organisation::List(list) => block_on(self::list(list))?,
        Organisation::Show(show) => block_on(self::show(show))?,
    }
}

async fn add(add: &Add) -> Result<(), Stopped> {
    let mut records = Vec::new();
    let mut reports = Vec::new();
    for file in &add.files {
        let text = String::from_utf8(edit::read_file(file)?)
            .map_err(|_| Stopped::refused(format!("{} is not UTF-8", file.display())))?;
        let (record, report) = metadata::organisation::read(&text);
        records.extend(record);
        reports.push((file.display().to_string(), report));
    }
    let refused = style::reports(&reports, add.json)?;
    if refused {
        return Err(Stopped { message: super::unchanged(add.json), code: 1 });
    }
    let mut edit = Edit::open(&add.config.config).await?.signed(&add.author)?;
    edit.despite_hold(add.hold.reason()?);
    let (number, told) = put(&mut edit, &records).await?;
    if !add.json {
        let mut lines = Lines::to_stdout();
        for (name, renewed) in told {
            lines.say(Tone::Good, format!("{} {name}", if renewed { "Renewed" } else { "Added" }));
        }
        lines.say(Tone::Quiet, format!("Revision {number} is live on every node within two seconds."));
    }
    Ok(())
}

/// Puts records into the registry; tells each one's name and whether it was there.
///
/// # Errors
/// When the store is away, or a record cannot be written.
pub(crate) async fn put(edit: &mut Edit, records: &[Record]) -> Result<(u64, Vec<(String, bool)>), Stopped> {
    edit.change(|registry| {
        let mut changes = Changes::default();
        let mut told = Vec::new();
        for record in records {
            let document = metadata::organisation::document(record).map_err(Stopped::could_not)?;
            told.push((name_of(record), registry.organisation(&record.number).is_some()));
            changes.list.push(Change::AddOrganisation {
                number: record.number.clone(),
                document: document_name(&document),
            });
            changes.documents.push(document);
        }
        Ok((changes, told))
    })
    .await
}

async fn list(list: &List) -> Result<(), Stopped> {
    let edit = Edit::open(&list.config.config).await?;
    let records: Vec<&Record> = edit.registry().organisations().map(|record| &**record).collect();
    if list.json {
        return style::json(&records);
    }
    let mut lines = Lines::to_stdout();
    if records.is_empty() {
        lines.say(Tone::Plain, "No organisation is registered yet. Add one: sparvidd organisation add FILE");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = records
        .iter()
        .map(|record| {
            let providers = edit
                .registry()
                .saml_providers()
                .filter(|peer| peer.policy.organisation.number == record.number)
                .count();
            let services = edit
                .registry()
                .oidc_clients()
                .filter(|peer| peer.policy.organisation.number == record.number)
                .count();
            vec![record.number.to_string(), name_of(record), providers.to_string(), services.to_string()]
        })
        .collect();
    lines.table(&["number", "name", "providers", "services"], &rows);
    Ok(())
}

async fn show(show: &Show) -> Result<(), Stopped> {
    let number = OrganisationNumber::parse(&show.number).ok_or_else(|| {
        Stopped::could_not(format!(
            "{} is no organisation number: ten digits, the last a check digit",
            show.number
        ))
    })?;
    let edit = Edit::open(&show.config.config).await?;
    let record = edit.registry().organisation(&number).ok_or_else(|| {
        Stopped::refused(format!(
            "No organisation {number} is registered. sparvidd organisation list shows them."
        ))
    })?;
    let shown = Shown {
        record,
        providers: edit
            .registry()
            .saml_providers()
            .filter(|peer| peer.policy.organisation.number == number)
            .map(|peer| peer.policy.id.to_string())
            .collect(),
        relying_parties: edit
            .registry()
            .oidc_clients()
            .filter(|peer| peer.policy.organisation.number == number)
            .map(|peer| peer.client_id.to_string())
            .collect(),
    };
    if show.json {
        return style::json(&shown);
    }
    let mut lines = Lines::to_stdout();
    lines.say(Tone::Strong, format!("{}  {number}", name_of(record)));
    let text = toml::to_string_pretty(&shown.record).map_err(Stopped::could_not)?;
    lines.say(Tone::Plain, text.trim_end());
    lines.gap();
    for (heading, names) in [("Providers", &shown.providers), ("Services", &shown.relying_parties)] {
        lines.say(Tone::Quiet, heading);
        for name in names {
            lines.say(Tone::Plain, format!("  {name}"));
        }
        if names.is_empty() {
            lines.say(Tone::Plain, "  none");
        }
    }
    Ok(())
}

fn name_of(record: &Record) -> String {
    record.name.best(&[]).map_or_else(|| record.number.to_string(), str::to_owned)
}
