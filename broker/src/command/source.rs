//! `sparvidd source list|show|refresh`: other federations' metadata.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use broker_core::moment::Timestamp;
use certs::key_directory::KeyDirectory;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use metadata::source::{Joined, SourceKind};
use serde_json::json;

use super::{ConfigArgument, Lines, Stopped, Tone, block_on, edit::Edit, style};
use crate::{
    config::Config,
    moment,
    source_watch::{Outcome, Progress, Source, Sources},
};

/// What to do with sources.
#[derive(Debug, Subcommand)]
pub(crate) enum Commands {
    /// List the sources, in order of precedence: how old each is, until when it holds, who joined.
    List(List),
    /// Show one source: what each step of its filters removed, and who is withheld, with reasons.
    Show(Show),
    /// Ask sources now.
    Refresh(Refresh),
}

/// `source list`
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `source show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its name in the configuration.
    name: String,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `source refresh`
#[derive(Debug, Args)]
pub(crate) struct Refresh {
    /// Its name in the configuration; none: all.
    name: Option<String>,
    #[command(flatten)]
    config: ConfigArgument,
}

/// The sources of a configuration, as they stand in the store.
struct Standing {
    sources: Sources,
    edit: Edit,
}

impl Standing {
    async fn open(argument: &ConfigArgument) -> Result<Self, Stopped> {
        let config = Config::read(&argument.config).map_err(Stopped::could_not)?;
        let keys = KeyDirectory::open(&config.file.keys).map_err(Stopped::could_not)?;
        let mut sources = Sources::new(&config, &keys).map_err(Stopped::could_not)?;
        // A node on this machine keeps its own copy; two writers of one folder would be in each other's way.
        sources.keep_no_copy();
        let edit = Edit::of(config).await?;
        sources.follow(&*edit.store).await.map_err(Stopped::could_not)?;
        Ok(Self { sources, edit })
    }

    fn source(&self, name: &str) -> Result<&Arc<Source>, Stopped> {
        self.sources.named(name).ok_or_else(|| {
            let names: Vec<&str> = self.sources.all().iter().map(|source| source.name()).collect();
            Stopped::refused(format!("no source is called {name}; there are: {}", names.join(", ")))
        })
    }
}

/// What the sources bring, for a command that names a provider or an organisation. A source that cannot be read stops nobody who suspends: what this
/// machine's disk knows counts then, and the second value says why.
pub(super) async fn joined_for(config: &Config, edit: &Edit) -> (Joined, Option<String>) {
    let opened = KeyDirectory::open(&config.file.keys)
        .map_err(|error| error.to_string())
        .and_then(|keys| Sources::new(config, &keys));
    let mut sources = match opened {
        Ok(sources) => sources,
        Err(error) => return (Joined::default(), Some(error)),
    };
    sources.keep_no_copy();
    let trouble = sources.follow(&*edit.store).await.err();
    (sources.join(edit.registry(), &Joined::default()), trouble)
}

/// Runs a command.
pub(crate) fn run(commands: &Commands) -> Result<(), Stopped> {
    match commands {
        Commands::List(list) => block_on(run_list(list))?,
        Commands::Show(show) => block_on(run_show(show))?,
        Commands::Refresh(refresh) => block_on(run_refresh(refresh))?,
    }
}

async fn run_list(list: &List) -> Result<(), Stopped> {
    let standing = Standing::open(&list.config).await?;
    let joined = standing.sources.join(standing.edit.registry(), &Joined::default());
    let duties = standing.sources.duties().read(&*standing.edit.store).await.map_err(Stopped::could_not)?;
    let states = standing.sources.states(moment::now());
    let known = standing.sources.known();
    let rows: Vec<_> = standing
        .sources
        .all()
        .iter()
        .map(|source| {
            let name = source.name();
            let held = known.index.sources.get(name);
            let duty = duties.get(name);
            let members = joined.providers.values().filter(|sourced| *sourced.source == *name).count();
            let withheld = joined.withheld.iter().filter(|one| one.source == name).count();
            json!({
                "name": name,
                "kind": source.settings.kind,
                "state": states.get(name),
                "read": held.map(|held| held.at.to_rfc3339()),
                "checked": duty.filter(|duty| duty.checked > 0).map(|duty| Timestamp(duty.checked).to_rfc3339()),
                "valid_until": held.and_then(|held| held.valid_until).map(Timestamp::to_rfc3339),
                "providers": members,
                "withheld": withheld,
                "problem": duty.map(|duty| duty.problem.as_str()).filter(|problem| !problem.is_empty()),
            })
        })
        .collect();
    if list.json {
        return style::json(&rows);
    }
    let mut lines = Lines::to_stdout();
    if rows.is_empty() {
        lines.say(Tone::Plain, "There is no source; [[source]] in the configuration names one.");
        return Ok(());
    }
    let columns = ["name", "state", "read", "valid_until", "providers", "withheld", "problem"];
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| columns.iter().map(|column| shown(&row[*column])).collect()).collect();
    let titles = ["source", "state", "read", "valid until", "providers", "withheld", "problem"];
    lines.table(&titles, &cells);
    Ok(())
}

fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "–".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

async fn run_show(show: &Show) -> Result<(), Stopped> {
    let standing = Standing::open(&show.config).await?;
    let source = standing.source(&show.name)?;
    let known = standing.sources.known();
    let joined = standing.sources.join(standing.edit.registry(), &Joined::default());
    let held = known.index.sources.get(source.name());
    let withheld: Vec<(String, String)> = joined
        .withheld
        .iter()
        .filter(|one| one.source == source.name())
        .map(|one| (one.id.to_string(), one.why.to_string()))
        .collect();
    let mut providers: Vec<(String, String, String)> = joined
        .providers
        .iter()
        .filter(|(_, sourced)| *sourced.source == *source.name())
        .map(|(id, sourced)| {
            let settings = sourced.settings();
            (id.to_string(), settings.organisation.to_string(), settings.subject_source.key().to_owned())
        })
        .collect();
    providers.sort();
    let steps: Vec<(String, u64)> = source
        .settings
        .filters
        .iter()
        .enumerate()
        .map(|(at, step)| {
            let removed = held.and_then(|held| held.counts.removed.get(at)).copied();
            (step.title(), removed.unwrap_or_default())
        })
        .collect();
    if show.json {
        return style::json(&json!({
            "name": source.name(),
            "held": held,
            "steps": steps.iter().map(|(step, removed)| json!({ "step": step, "removed": removed })).collect::<Vec<_>>(),
            "providers": providers.iter().map(|(id, organisation, subject_source)| json!({
                "id": id, "organisation": organisation, "subject_source": subject_source,
            })).collect::<Vec<_>>(),
            "withheld": withheld.iter().map(|(id, why)| json!({ "id": id, "why": why })).collect::<Vec<_>>(),
        }));
    }
    let mut lines = Lines::to_stdout();
    let Some(held) = held else {
        lines.say(Tone::Look, format!("{}: nothing has been read yet.", source.name()));
        return Ok(());
    };
    let until = held.valid_until.map_or_else(|| "not said".to_owned(), Timestamp::to_rfc3339);
    lines.say(Tone::Plain, format!("{}: read {}, valid until {until}.", source.name(), held.at));
    let counts = &held.counts;
    let mut rows = vec![vec!["entities in the document".to_owned(), counts.entities.to_string()]];
    rows.push(vec![
        "left out: no name of their own, or times that are none".to_owned(),
        counts.left_out.to_string(),
    ]);
    rows.push(vec!["removed: sign nobody in".to_owned(), counts.other_roles.to_string()]);
    rows.extend(
        steps.into_iter().map(|(step, removed)| vec![format!("removed: {step}"), removed.to_string()]),
    );
    rows.push(vec!["members".to_owned(), counts.members.to_string()]);
    rows.push(vec!["withheld".to_owned(), withheld.len().to_string()]);
    rows.push(vec!["providers".to_owned(), providers.len().to_string()]);
    lines.table(&["what", "how many"], &rows);
    if !providers.is_empty() {
        lines.gap();
        let rows: Vec<_> =
            providers.into_iter().map(|(id, number, source)| vec![id, number, source]).collect();
        lines.table(&["provider", "organisation", "subject source"], &rows);
    }
    if !withheld.is_empty() {
        lines.gap();
        let rows: Vec<_> = withheld.into_iter().map(|(id, why)| vec![id, why]).collect();
        lines.table(&["withheld", "why"], &rows);
    }
    Ok(())
}

async fn run_refresh(refresh: &Refresh) -> Result<(), Stopped> {
    let standing = Standing::open(&refresh.config).await?;
    let wanted: Vec<&Arc<Source>> = match &refresh.name {
        Some(name) => vec![standing.source(name)?],
        None => standing.sources.all().iter().collect(),
    };
    let mut lines = Lines::to_stdout();
    let mut failed = BTreeMap::new();
    for source in wanted {
        let bar = bar(source.name());
        let watched = bar.clone();
        let watcher: Arc<dyn Fn(Progress) + Send + Sync> = Arc::new(move |progress| match progress {
            Progress::Fetching => watched.set_message("fetching"),
            Progress::Read(entities) => {
                watched.set_message(format!("read {entities} entities, not verified yet"))
            }
            Progress::Kept(kept, total) => {
                watched.set_length(total);
                watched.set_position(kept);
                watched.set_message("verified; keeping what changed");
            }
        });
        let outcome = standing.sources.ask_if_due(source, &*standing.edit.store, true, &watcher).await;
        bar.finish_and_clear();
        let name = source.name();
        match outcome {
            Ok(None) => lines.say(Tone::Look, format!("{name}: a node is asking it just now.")),
            Ok(Some(Outcome::Unchanged { .. })) => lines.say(Tone::Good, format!("{name}: nothing new.")),
            Ok(Some(Outcome::Read { counts, difference, .. })) => {
                let joined = standing.sources.join(standing.edit.registry(), &Joined::default());
                let withheld = joined.withheld.iter().filter(|one| one.source == name).count();
                let said = format!(
                    "{name}: read and verified {} entities; {} members, of them {} new, {} changed; {} gone; {withheld} withheld.",
                    counts.entities, counts.members, difference.new, difference.changed, difference.gone
                );
                lines.say(Tone::Good, said);
            }
            Err(error) => _ = failed.insert(name.to_owned(), error),
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    let said: Vec<String> = failed
        .into_iter()
        .map(|(name, error)| {
            format!("{name}: {error}\nWhat it had is used until it expires (sparvidd source show {name}).")
        })
        .collect();
    Err(Stopped::refused(said.join("\n")))
}

/// A bar on a terminal; nothing elsewhere.
fn bar(name: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{prefix} {spinner} {wide_bar} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// What is wrong with sources before the first start: those that cannot be fetched, or that the keys do not verify.
pub(super) async fn look(config: &Config, keys: &KeyDirectory) -> Vec<(String, &'static str)> {
    let sources = match Sources::new(config, keys) {
        Ok(sources) => sources,
        Err(what) => return vec![(what, "Name a PEM file of certificates or public keys in `keys`.")],
    };
    let mut found = Vec::new();
    for source in sources.all().iter().filter(|source| source.settings.kind != SourceKind::Mdq) {
        if let Err(error) = sources.try_out(source).await {
            found.push((
                format!("the source {}: {error}", source.name()),
                "Check url and keys of the source; logins through it begin when it can be read.",
            ));
        }
    }
    found
}
