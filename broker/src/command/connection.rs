//! `sparvidd connection list|show|open|close|agree|reset|default|category|export`: which services an employer's staff may reach.

use std::collections::BTreeSet;

use broker_core::{
    attribute::AttributeName,
    connection::{Category, Terms},
    identifier::{Language, RelyingPartyId},
    organisation::{Organisation, OrganisationNumber},
};
use clap::{Args, Subcommand, ValueEnum};
use metadata::{
    Registry,
    connection::{
        Decided, Decision,
        export::kind,
        view::{self, View},
    },
    lint::Tongue,
    revision::Change,
};

use super::{
    ConfigArgument, Lines, Stopped, Tone, block_on,
    edit::{self, Author, Changes, Edit},
    metadata::value,
    style,
};
use crate::{
    connections::{self, Wanted, Wish},
    moment,
    page::{Branding, Pages},
};

/// What to do with connections.
#[derive(Debug, Subcommand)]
pub(crate) enum Connection {
    /// List an employer's connections: open or closed, and whether a service asks for more than was agreed.
    List(List),
    /// Show a connection: what is asked, why, what leaves, what is new. Without --organisation: that service's connections with every employer.
    Show(Show),
    /// Let staff reach a service. What was agreed before stays agreed; where nothing was, what the service asks for now is.
    Open(Act),
    /// Keep staff from a service. Logins under way end, too.
    Close(Act),
    /// Agree to what a service asks for now.
    Agree(Act),
    /// Take the employer's own word back: the defaults hold again.
    Reset(Act),
    /// Say what holds for services that nobody has decided about by name.
    Default(Default),
    /// Say which agreement category a service is of.
    Category(SetCategory),
    /// An employer's connections as a record of processing (GDPR article 30).
    Export(Export),
}

/// `connection list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// The employer's organisation number.
    #[arg(long, value_name = "NUMBER", value_parser = value::number)]
    organisation: OrganisationNumber,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `connection show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The service's client_id.
    relying_party: String,
    /// The employer's organisation number.
    #[arg(long, value_name = "NUMBER", value_parser = value::number)]
    organisation: Option<OrganisationNumber>,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `connection open|close|agree|reset`
#[derive(Debug, Args)]
pub(crate) struct Act {
    /// The service's client_id.
    relying_party: String,
    /// The employer's organisation number.
    #[arg(long, value_name = "NUMBER", value_parser = value::number)]
    organisation: OrganisationNumber,
    /// Agree to this attribute and the others named so, instead of all that is asked for.
    #[arg(long = "attribute", value_name = "NAME", value_parser = value::attribute)]
    attributes: Vec<AttributeName>,
    /// The legal basis, for the record of processing.
    #[arg(long, value_name = "TEXT")]
    legal_basis: Option<String>,
    #[command(flatten)]
    author: Author,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Open, closed, or nothing said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Word {
    Open,
    Closed,
    /// Nothing is said here: the next default holds.
    None,
}

/// `connection default`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whose").required(true).args(["organisation", "federation"]))]
pub(crate) struct Default {
    /// What holds.
    word: Word,
    /// For this employer.
    #[arg(long, value_name = "NUMBER", value_parser = value::number)]
    organisation: Option<OrganisationNumber>,
    /// For every employer that has no default of its own.
    #[arg(long)]
    federation: bool,
    /// For services of this category; without it: for all that no category decides.
    #[arg(long, value_name = "NAME", value_parser = category)]
    category: Option<Category>,
    /// The most that may leave, by attribute: agreed to in advance. Without any: what each service asked for before its registration changed.
    #[arg(long = "attribute", value_name = "NAME", value_parser = value::attribute)]
    attributes: Vec<AttributeName>,
    #[command(flatten)]
    author: Author,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `connection category`
#[derive(Debug, Args)]
pub(crate) struct SetCategory {
    /// The service's client_id.
    relying_party: String,
    /// Its category; without it: none.
    #[arg(value_parser = category)]
    category: Option<Category>,
    #[command(flatten)]
    author: Author,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Json,
    Csv,
    Html,
}

/// `connection export`
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The employer's organisation number.
    #[arg(long, value_name = "NUMBER", value_parser = value::number)]
    organisation: OrganisationNumber,
    /// In which form; JSON has both languages.
    #[arg(long, value_enum, default_value = "json")]
    form: Form,
    /// sv or en, for CSV and HTML; without it: the terminal's.
    #[arg(long, value_parser = ["sv", "en"])]
    language: Option<String>,
    #[command(flatten)]
    config: ConfigArgument,
}

fn category(text: &str) -> Result<Category, String> {
    Category::try_from(text.to_owned())
}

/// Runs it.
pub(crate) fn run(connection: &Connection) -> Result<(), Stopped> {
    match connection {
        Connection::List(list) => block_on(self::list(list))?,
        Connection::Show(show) => block_on(self::show(show))?,
        Connection::Open(act) => block_on(self::act(act, Wish::Open))?,
        Connection::Close(act) => block_on(self::act(act, Wish::Close))?,
        Connection::Agree(act) => block_on(self::act(act, Wish::Agree))?,
        Connection::Reset(act) => block_on(self::act(act, Wish::Reset))?,
        Connection::Default(default) => block_on(self::default(default))?,
        Connection::Category(set) => block_on(set_category(set))?,
        Connection::Export(export) => block_on(self::export(export))?,
    }
}

fn employer<'r>(registry: &'r Registry, number: &OrganisationNumber) -> Result<&'r Organisation, Stopped> {
    registry.organisation(number).map(AsRef::as_ref).ok_or_else(|| {
        Stopped::refused(format!(
            "No organisation {number} is registered. sparvidd organisation list shows them. Nothing was changed."
        ))
    })
}

fn keys(names: &BTreeSet<AttributeName>) -> String {
    names.iter().map(|name| name.key()).collect::<Vec<_>>().join(" ")
}

fn state(seen: &View) -> &'static str {
    if seen.open { "open" } else { "closed" }
}

/// A connection as JSON, with who decided.
fn as_json(edit: &Edit, seen: &View) -> serde_json::Value {
    let mut value = serde_json::json!(seen);
    if let Some(by) = connections::decided_by(&edit.file, seen) {
        value["by"] = serde_json::Value::from(by);
    }
    value
}

async fn list(list: &List) -> Result<(), Stopped> {
    let edit = Edit::open(&list.config.config).await?;
    let seen = view::views(edit.registry(), employer(edit.registry(), &list.organisation)?);
    if list.json {
        return style::json(&seen.iter().map(|one| as_json(&edit, one)).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = seen
        .iter()
        .map(|one| {
            vec![
                one.relying_party.to_string(),
                one.name.best(&[]).unwrap_or_default().to_owned(),
                state(one).to_owned(),
                kind(one.decided_by).en.to_owned(),
                keys(&one.leaves),
                keys(&one.pending),
            ]
        })
        .collect();
    let mut lines = Lines::to_stdout();
    lines.table(&["service", "name", "state", "by", "leaves", "asked, not agreed"], &rows);
    Ok(())
}

async fn show(show: &Show) -> Result<(), Stopped> {
    let edit = Edit::open(&show.config.config).await?;
    let registry = edit.registry();
    let id = RelyingPartyId::from(show.relying_party.as_str());
    let unknown = || Stopped::refused(format!("{id} is not registered as a relying party."));
    let mut lines = Lines::to_stdout();
    let Some(number) = &show.organisation else {
        let all: Vec<(&OrganisationNumber, View)> = registry
            .organisations()
            .filter_map(|record| Some((&record.number, view::view(registry, record, &id)?)))
            .collect();
        if all.is_empty() {
            return Err(unknown());
        }
        if show.json {
            let all: Vec<_> = all
                .iter()
                .map(|(number, one)| serde_json::json!({ "employer": number, "connection": as_json(&edit, one) }))
                .collect();
            return style::json(&all);
        }
        let rows: Vec<Vec<String>> = all
            .iter()
            .map(|(number, one)| {
                let by = kind(one.decided_by).en.to_owned();
                vec![number.to_string(), state(one).to_owned(), by, keys(&one.leaves), keys(&one.pending)]
            })
            .collect();
        lines.table(&["employer", "state", "by", "leaves", "asked, not agreed"], &rows);
        return Ok(());
    };
    let seen = view::view(registry, employer(registry, number)?, &id).ok_or_else(unknown)?;
    if show.json {
        return style::json(&as_json(&edit, &seen));
    }
    let tongue = edit::tongue();
    let language: Vec<Language> =
        Language::from_tag(if tongue == Tongue::Swedish { "sv" } else { "en" }).into_iter().collect();
    let text = |text: &broker_core::organisation::LocalText| text.best(&language).unwrap_or("-").to_owned();
    let label = labels(tongue)?;
    let named = |names: &BTreeSet<AttributeName>| {
        names.iter().map(|name| format!("{} ({})", label(*name), name.key())).collect::<Vec<_>>().join(", ")
    };
    lines.say(Tone::Strong, format!("{} ({id}), {}", text(&seen.name), text(&seen.organisation)));
    lines.say(Tone::Plain, format!("State:             {}, by {}", state(&seen), kind(seen.decided_by).en));
    if let Some(since) = seen.since {
        let by = connections::decided_by(&edit.file, &seen).unwrap_or_else(|| "somebody unknown".to_owned());
        lines.say(Tone::Plain, format!("Since:             {}, {by}", since.to_rfc3339()));
    }
    lines.say(Tone::Plain, format!("Why it asks:       {}", text(&seen.purpose)));
    lines.say(Tone::Plain, format!("Privacy notice:    {}", seen.privacy_url.as_deref().unwrap_or("-")));
    lines.say(
        Tone::Plain,
        format!("Category:          {}", seen.category.as_ref().map_or("-", Category::as_str)),
    );
    lines.say(Tone::Plain, format!("Levels:            {}", seen.levels.join(" ")));
    lines.say(Tone::Plain, format!("Asks for:          {}", named(&seen.asks)));
    lines.say(Tone::Plain, format!("Leaves:            {}", named(&seen.leaves)));
    if !seen.pending.is_empty() {
        lines.say(Tone::Look, format!("Not agreed to yet: {}", named(&seen.pending)));
    }
    Ok(())
}

/// What attributes are called in a language.
fn labels(tongue: Tongue) -> Result<impl Fn(AttributeName) -> String, Stopped> {
    let pages = Pages::new(None, Branding::default()).map_err(Stopped::could_not)?;
    let language = Language::from_tag(if tongue == Tongue::Swedish { "sv" } else { "en" })
        .ok_or_else(|| Stopped::could_not("no language"))?;
    Ok(move |name| pages.attribute_label(&language, name))
}

fn named(attributes: &[AttributeName]) -> Option<BTreeSet<AttributeName>> {
    (!attributes.is_empty()).then(|| attributes.iter().copied().collect())
}

async fn act(act: &Act, wish: Wish) -> Result<(), Stopped> {
    let mut edit = Edit::open(&act.config.config).await?.signed(&act.author)?;
    let by = edit.file.seal_name(edit.signed.by.name())?;
    let id = RelyingPartyId::from(act.relying_party.as_str());
    let wanted = Wanted { wish, attributes: named(&act.attributes), legal_basis: act.legal_basis.clone() };
    let (number, ()) = edit
        .change(|registry| {
            let record = employer(registry, &act.organisation)?;
            let decision = connections::decide(registry, record, &id, &wanted, (&by, moment::now()))
                .map_err(|refused| Stopped::refused(format!("{refused}. Nothing was changed.")))?;
            Ok((one(decision), ()))
        })
        .await?;
    let seen = view::view(edit.registry(), employer(edit.registry(), &act.organisation)?, &id)
        .ok_or_else(|| Stopped::could_not("the service is gone"))?;
    if act.json {
        return style::json(&serde_json::json!({ "revision": number, "connection": as_json(&edit, &seen) }));
    }
    let mut lines = Lines::to_stdout();
    lines.say(
        Tone::Good,
        format!("{id} is {} for {}, by {}.", state(&seen), act.organisation, kind(seen.decided_by).en),
    );
    lines.say(
        Tone::Plain,
        format!("Leaves: {}", if seen.leaves.is_empty() { "nothing".to_owned() } else { keys(&seen.leaves) }),
    );
    if !seen.pending.is_empty() {
        lines.say(Tone::Look, format!("Asked for and not agreed to: {}", keys(&seen.pending)));
    }
    lines.say(Tone::Quiet, format!("Revision {number} is live on every node within two seconds."));
    Ok(())
}

fn one(decision: Decision) -> Changes {
    Changes { list: vec![Change::Connection { decision: Box::new(decision) }], ..Changes::default() }
}

async fn default(default: &Default) -> Result<(), Stopped> {
    if default.word != Word::Open && !default.attributes.is_empty() {
        return Err(Stopped::could_not("--attribute belongs to open: what is closed lets nothing leave"));
    }
    let mut edit = Edit::open(&default.config.config).await?.signed(&default.author)?;
    let terms = match default.word {
        Word::None => None,
        word => Some(Terms { open: word == Word::Open, attributes: named(&default.attributes) }),
    };
    let (by, at) = (edit.file.seal_name(edit.signed.by.name())?, moment::now());
    let decided = terms.map(|terms| Decided { terms, at, by, legal_basis: None });
    let decision = Decision::Default {
        employer: default.organisation.clone(),
        category: default.category.clone(),
        decided,
    };
    let (number, ()) = edit.change(|_| Ok((one(decision.clone()), ()))).await?;
    done(number, default.json)
}

async fn set_category(set: &SetCategory) -> Result<(), Stopped> {
    let mut edit = Edit::open(&set.config.config).await?.signed(&set.author)?;
    let relying_party = RelyingPartyId::from(set.relying_party.as_str());
    let decision = Decision::Category { relying_party, category: set.category.clone() };
    let (number, ()) = edit.change(|_| Ok((one(decision.clone()), ()))).await?;
    done(number, set.json)
}

fn done(number: u64, json: bool) -> Result<(), Stopped> {
    if json {
        return style::json(&serde_json::json!({ "revision": number }));
    }
    Lines::to_stdout()
        .say(Tone::Good, format!("Revision {number} is live on every node within two seconds."));
    Ok(())
}

async fn export(export: &Export) -> Result<(), Stopped> {
    let edit = Edit::open(&export.config.config).await?;
    let record = employer(edit.registry(), &export.organisation)?;
    let record = connections::export(&edit.file, edit.registry(), record, moment::now());
    let tongue = match export.language.as_deref() {
        Some("sv") => Tongue::Swedish,
        Some(_) => Tongue::English,
        None => edit::tongue(),
    };
    let label = labels(tongue)?;
    let text = match export.form {
        Form::Json => return style::json(&record),
        Form::Csv => record.csv(tongue, &label),
        Form::Html => record.html(tongue, &label),
    };
    Lines::to_stdout().say(Tone::Plain, text.trim_end());
    Ok(())
}
