//! `sparvidd organisation add|list|show`

use std::{path::PathBuf, time::Duration};

use broker_core::organisation::{Organisation as Record, OrganisationNumber};
use clap::{Args, Subcommand, ValueHint};
use metadata::{
    lint::Report,
    logo::PreparedLogo,
    organisation::{LogoSource, RecordFile},
    revision::{Change, document_name},
};
use serde::Serialize;

use super::{
    ConfigArgument, Lines, Stopped, Tone, block_on,
    edit::{self, Author, Changes, DespiteHold, Edit},
    style,
};
use crate::{
    config::{Config, OutboundSection},
    outbound::{Outbound, Wanted},
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
        support = { email = \"servicedesk@granvik.example\" }\n  \
        aliases = [\"GK\"]                                       # what else finds it in the choice of organisation\n  \
        logo = \"granvik.png\"                                   # a file beside this one, or an https address; PNG, JPEG, WebP or GIF\n  \
        relying_parties = [\"https://journal.example\"]          # the only services that its staff may reach; without this line: all")]
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
    let config = Config::read(&add.config.config).map_err(Stopped::could_not)?;
    let outbound = config.file.outbound.clone();
    let mut edit = Edit::of(config).await?.signed(&add.author)?;
    let mut records = Vec::new();
    let mut reports = Vec::new();
    for file in &add.files {
        let text = String::from_utf8(edit::read_file(file)?)
            .map_err(|_| Stopped::refused(format!("{} is not UTF-8", file.display())))?;
        let (read, report) = metadata::organisation::read_file(&text);
        reports.push((file.display().to_string(), report));
        let Some(RecordFile { organisation, logo }) = read else { continue };
        let mut new = NewRecord::from(organisation);
        if let Some(source) = logo {
            let (name, octets) = match &source {
                LogoSource::Kept(logo) => (logo.document.clone(), edit.document(&logo.document).await?),
                LogoSource::File(name) => {
                    let path = file.with_file_name(name);
                    (path.display().to_string(), edit::read_file(&path)?)
                }
                LogoSource::Address(url) => (url.clone(), fetched(&outbound, url).await?),
            };
            let mut report = Report::new();
            let prepared = tokio::task::spawn_blocking(move || {
                let prepared = metadata::logo::prepare(&octets, &mut report);
                (prepared, report)
            });
            let (prepared, report) = prepared.await.map_err(Stopped::could_not)?;
            reports.push((name, report));
            if let Some(PreparedLogo { logo, octets }) = prepared {
                new.record.logo = Some(logo);
                new.logo = Some(octets);
            }
        }
        records.push(new);
    }
    let refused = style::reports(&reports, add.json)?;
    if refused {
        return Err(Stopped { message: super::unchanged(add.json), code: 1 });
    }
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

/// A logo by its address, once. The egress client refuses addresses that are not public.
async fn fetched(section: &OutboundSection, url: &str) -> Result<Vec<u8>, Stopped> {
    let client = Outbound::of(section).map_err(Stopped::could_not)?;
    let wanted = Wanted {
        url,
        accept: "image/png, image/webp, image/jpeg, image/gif",
        largest: metadata::logo::MOST_OCTETS,
        redirects: 3,
        within: Duration::from_secs(30),
    };
    client
        .fetch(wanted)
        .await
        .map_err(|refused| Stopped::could_not(format!("{refused}. Nothing was changed.")))
}

/// A record to be put into the registry.
pub(crate) struct NewRecord {
    /// The record, which names its logo if it has one.
    record: Record,
    /// The octets of the logo.
    logo: Option<Vec<u8>>,
}

impl From<Record> for NewRecord {
    fn from(record: Record) -> Self {
        Self { record, logo: None }
    }
}

/// Puts records into the registry; tells each one's name and whether it was there.
///
/// # Errors
/// When the store is away, or a record cannot be written.
pub(crate) async fn put(
    edit: &mut Edit,
    records: &[NewRecord],
) -> Result<(u64, Vec<(String, bool)>), Stopped> {
    edit.change(|registry| {
        let mut changes = Changes::default();
        let mut told = Vec::new();
        for NewRecord { record, logo } in records {
            let document = metadata::organisation::document(record).map_err(Stopped::could_not)?;
            told.push((name_of(record), registry.organisation(&record.number).is_some()));
            changes.list.push(Change::AddOrganisation {
                number: record.number.clone(),
                document: document_name(&document),
                logo: record.logo.as_ref().map(|logo| logo.document.clone()),
            });
            changes.documents.push(document);
            changes.documents.extend(logo.clone());
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
                .filter(|peer| peer.policy.voice_of(&record.number).is_some())
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
            .filter(|peer| peer.policy.voice_of(&number).is_some())
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
