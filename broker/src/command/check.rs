//! `sparvidd check --config FILE`: every problem before the first start.

use std::path::PathBuf;

use certs::{certificate::Certificate, expiry, key_directory::KeyDirectory};
use clap::{Args, ValueHint};
use serde::Serialize;

use super::{Lines, Stopped, Tone, block_on, style};
use crate::{
    config::{Config, Problem, Problems, Severity},
    moment,
    page::{Branding, Pages},
    wiring::{self, Disagreement},
};

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The configuration file (TOML; docs/configuration.md).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "SPARVIDD_CONFIG")]
    config: PathBuf,
    /// Do not try to reach the store.
    #[arg(long)]
    offline: bool,
    /// Exit with 1 when there are warnings.
    #[arg(long)]
    strict: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    errors: usize,
    warnings: usize,
    problems: &'a [Problem],
    service_providers: Vec<ServiceProviderRow>,
}

/// One service provider of ours: what a provider's operator is to load.
#[derive(Serialize)]
struct ServiceProviderRow {
    name: String,
    entity_id: String,
    metadata: String,
    attributes: Vec<&'static str>,
}

/// Looks at everything and says all that is wrong.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Stopped> {
    let mut service_providers = Vec::new();
    let problems = match Config::read(&arguments.config) {
        Err(problems) => problems,
        Ok(config) => {
            let mut problems = Problems::new(&arguments.config, "");
            service_providers.extend(config.service_providers().into_iter().map(|one| ServiceProviderRow {
                metadata: config.at(&one.metadata_path),
                attributes: one.attributes.iter().map(|name| name.key()).collect(),
                name: one.name,
                entity_id: one.entity_id,
            }));
            let (keys, found) = look(&config);
            found.into_iter().for_each(|problem| problems.add(problem));
            if !arguments.offline {
                let found = block_on(look_at_store(&config, keys.as_ref()))?;
                found.into_iter().for_each(|problem| problems.add(problem));
                if let Some(keys) = &keys {
                    let found = block_on(super::source::look(&config, keys))?;
                    let warnings =
                        found.into_iter().map(|(what, fix)| Problem::warning("source.unusable", what, fix));
                    warnings.for_each(|problem| problems.add(problem));
                }
            }
            problems
        }
    };
    let count = |severity| problems.list().iter().filter(|problem| problem.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if arguments.json {
        style::json(&Report { errors, warnings, problems: problems.list(), service_providers })?;
    } else {
        let mut lines = Lines::to_stdout();
        if errors + warnings > 0 {
            lines.say(Tone::Plain, &problems);
            lines.gap();
        }
        if !service_providers.is_empty() {
            let rows: Vec<Vec<String>> = service_providers
                .into_iter()
                .map(|row| vec![row.name, row.entity_id, row.metadata])
                .collect();
            lines.table(&["service provider", "entity ID", "metadata"], &rows);
            lines.gap();
        }
        match (errors, warnings) {
            (0, 0) => lines.say(Tone::Good, format!("{}: nothing to mend.", arguments.config.display())),
            (0, _) => lines.say(
                Tone::Look,
                format!("{}: {warnings} to look at; the broker starts.", arguments.config.display()),
            ),
            _ => lines.say(
                Tone::Stop,
                format!("{}: {errors} to mend, {warnings} to look at.", arguments.config.display()),
            ),
        }
    }
    match (errors, warnings) {
        (0, 0) => Ok(()),
        (0, _) if !arguments.strict => Ok(()),
        (0, _) => Err(Stopped { message: String::new(), code: 1 }),
        _ => Err(Stopped { message: String::new(), code: 2 }),
    }
}

/// What the files that a configuration names show: keys, certificates, templates.
pub(super) fn look(config: &Config) -> (Option<KeyDirectory>, Vec<Problem>) {
    let mut problems = Vec::new();
    let keys = match KeyDirectory::open(&config.file.keys) {
        Ok(keys) => Some(keys),
        Err(refused) => {
            problems.extend(
                refused
                    .problems
                    .iter()
                    .map(|found| Problem::error("keys.unusable", found.to_string(), found.mend())),
            );
            None
        }
    };
    if let Some(section) = &config.file.tls {
        if let Err(stopped) = super::serve::transport(config) {
            problems.push(Problem::error(
                "tls.unusable",
                stopped.message,
                "Give a PEM chain, leaf first, and its key.",
            ));
        }
        if let Ok(text) = std::fs::read_to_string(&section.certificate)
            && let Ok(chain) = Certificate::all_from_pem(&text)
            && let Some(leaf) = chain.first()
        {
            let days = expiry::days_left(leaf.not_after(), moment::system_time());
            if days < 0 {
                problems.push(Problem::error(
                    "tls.expired",
                    format!("the transport certificate expired {} days ago", -days),
                    "Renew it.",
                ));
            } else if days <= 30 {
                problems.push(Problem::warning(
                    "tls.expires",
                    format!("the transport certificate expires in {days} days"),
                    "Renew it.",
                ));
            }
        }
    }
    let branding = Branding {
        federation_name: config.file.federation.name.clone(),
        accessibility_url: config.file.federation.accessibility_url.clone(),
        contact: config.file.federation.contact.clone(),
    };
    if let Err(refused) = Pages::new(config.file.pages.directory.as_deref(), branding) {
        problems.extend(refused.problems.into_iter().map(|what| {
            Problem::error(
                "pages.unusable",
                what,
                "Mend the file in [pages] directory, or take it away: ours is used then.",
            )
        }));
    }
    if config.file.federation.accessibility_url.is_none() {
        problems.push(Problem::warning(
            "federation.accessibility_url",
            "no accessibility statement is linked from the pages",
            "Public bodies must publish one (lag 2018:1937): set federation.accessibility_url.",
        ));
    }
    (keys, problems)
}

/// What only the store can show.
async fn look_at_store(config: &Config, keys: Option<&KeyDirectory>) -> Vec<Problem> {
    let store = match wiring::open_store_for_command(config).await {
        Ok(store) => store,
        Err(what) => return vec![Problem::error("store.unusable", what, "Start it, or mend [store] url.")],
    };
    if let Err(error) = store.health().await {
        return vec![Problem::error("store.away", error.to_string(), "Start it, or mend [store] url.")];
    }
    let Some(keys) = keys else { return Vec::new() };
    match wiring::agree_on_keys(&*store, keys, false).await {
        Ok(()) => Vec::new(),
        Err(Disagreement::Unknown(what)) => {
            vec![Problem::error("store.away", what, "Start it, or mend [store] url.")]
        }
        Err(Disagreement::Differs(what)) => {
            vec![Problem::error("keys.differ", what, "Until then this node does not start.")]
        }
    }
}
