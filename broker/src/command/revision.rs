//! `sparvidd revision list|show|diff|restore|prune`

use std::collections::HashMap;

use broker_core::organisation::OrganisationNumber;
use clap::{Args, Subcommand};
use metadata::{
    Registry,
    addition::check_again,
    lint::{Report, Tongue},
    revision::{Change, Entry, EntryChange, EntryId, Head, Manifest, Record, difference::Sentence},
};
use serde::Serialize;

use super::{
    ConfigArgument, Lines, Stopped, Tone, block_on,
    edit::{self, Author, Changes, DespiteHold, Edit},
    style,
};
use crate::{moment, proposals, prune};

/// What to do with revisions.
#[derive(Debug, Subcommand)]
pub(crate) enum Revision {
    /// List revisions, the newest first: when, who, and what.
    List(List),
    /// Show one: who made it, who approved it, and what it changed.
    Show(Show),
    /// What is different between two revisions.
    Diff(Diff),
    /// Bring an old revision back, as a new one. What the rules and organisation records of today refuse is left as it is, and said. A suspension
    /// stays, and so do the secrets of relying parties.
    Restore(Restore),
    /// Take away what is needed no more: revisions beyond the last 200 that are older than 400 days, long closed proposals, and what interrupted
    /// publications left. A publication does this by itself now and then.
    Prune(Prune),
}

/// `revision list`
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    config: ConfigArgument,
    /// How many at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    most: usize,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `revision show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The revision's number.
    number: u64,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `revision diff`
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// From this revision.
    from: u64,
    /// To this one.
    to: u64,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `revision restore`
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The revision to bring back.
    number: u64,
    /// Only this entry: an entity ID, a client_id or an organisation number. Repeatable.
    #[arg(long = "entry", value_name = "NAME")]
    entries: Vec<String>,
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

/// `revision prune`
#[derive(Debug, Args)]
pub(crate) struct Prune {
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(crate) fn run(revision: &Revision) -> Result<(), Stopped> {
    match revision {
        Revision::List(list) => block_on(self::list(list))?,
        Revision::Show(show) => block_on(self::show(show))?,
        Revision::Diff(diff) => block_on(self::diff(diff))?,
        Revision::Restore(restore) => block_on(self::restore(restore))?,
        Revision::Prune(prune) => block_on(self::prune(prune))?,
    }
}

/// A record for scripts: no hash of a secret.
#[derive(Serialize)]
struct Shown<'a> {
    number: u64,
    at: String,
    by: &'a metadata::desk::Actor,
    approvals: Vec<&'a str>,
    note: &'a str,
    proposal: Option<u64>,
    restores: Option<u64>,
    despite_hold: Option<&'a str>,
    changed: Vec<ShownChange>,
    other: Vec<&'a str>,
}

/// One entry that changed, for scripts and people.
#[derive(Serialize)]
struct ShownChange {
    entry: String,
    what: &'static str,
    parts: Vec<String>,
    before: Option<String>,
    after: Option<String>,
}

impl<'a> Shown<'a> {
    fn of(record: &'a Record) -> Self {
        Self {
            number: record.number,
            at: record.at.to_rfc3339(),
            by: &record.author,
            approvals: record.approvals.iter().map(|approval| approval.by.name()).collect(),
            note: &record.note,
            proposal: record.proposal,
            restores: record.restores,
            despite_hold: record.despite_hold.as_deref(),
            changed: record.changed.iter().map(ShownChange::of).collect(),
            other: record.other.iter().map(String::as_str).collect(),
        }
    }

    /// One line of what it did.
    fn summary(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        if let Some(restored) = self.restores {
            parts.push(format!("restores {restored}"));
        }
        for what in ["added", "changed", "removed"] {
            let names: Vec<&str> = self
                .changed
                .iter()
                .filter(|one| one.what == what)
                .map(|one| one.entry.split_once(':').map_or(one.entry.as_str(), |(_, name)| name))
                .collect();
            match names.as_slice() {
                [] => {}
                [one] => parts.push(format!("{what} {one}")),
                [one, rest @ ..] => parts.push(format!("{what} {one} and {} more", rest.len())),
            }
        }
        parts.extend(self.other.iter().map(|name| format!("{name} changed")));
        parts.join("; ")
    }
}

impl ShownChange {
    fn of(change: &EntryChange) -> Self {
        let what = match (&change.before, &change.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        let document = |entry: &Option<Entry>| entry.as_ref().map(|entry| entry.document().to_owned());
        Self {
            entry: change.id.to_string(),
            what,
            parts: parts(change),
            before: document(&change.before),
            after: document(&change.after),
        }
    }
}

/// Which parts of an entry that stays are different: the document, or settings by their names.
fn parts(change: &EntryChange) -> Vec<String> {
    let (Some(before), Some(after)) = (&change.before, &change.after) else { return Vec::new() };
    let mut parts = Vec::new();
    if before.document() != after.document() {
        parts.push("document".to_owned());
    }
    let settings = |entry: &Entry| {
        serde_json::to_value(entry)
            .ok()
            .and_then(|value| value.get("settings").and_then(|settings| settings.as_object().cloned()))
            .unwrap_or_default()
    };
    let (before, after) = (settings(before), settings(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    parts.extend(names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned());
    parts
}

/// What becomes of each entry, in words. A document that is not kept any more is said to be unreadable.
async fn in_words(edit: &Edit, changes: &[EntryChange]) -> Result<Vec<(EntryId, Vec<Sentence>)>, Stopped> {
    let entries = changes.iter().flat_map(|change| change.before.iter().chain(&change.after));
    let names: Vec<String> = entries.map(|entry| entry.document().to_owned()).collect();
    let contents = edit.file.documents(&*edit.store, names).await?;
    let find = |name: &str| contents.get(name).map(Vec::as_slice);
    Ok(changes
        .iter()
        .map(|change| (change.id.clone(), proposals::told(change, &find, &edit.key_use)))
        .collect())
}

/// Says what becomes of an entry to a person, in their language.
pub(super) fn say_words(lines: &mut Lines, id: &EntryId, words: &[Sentence]) {
    lines.say(Tone::Strong, format!("  {id}"));
    for sentence in words {
        let text = match edit::tongue() {
            Tongue::Swedish => &sentence.sv,
            Tongue::English => &sentence.en,
        };
        lines.say(Tone::Plain, format!("    {text}"));
    }
}

async fn list(list: &List) -> Result<(), Stopped> {
    let edit = Edit::open(&list.config.config).await?;
    let mut left = list.most;
    let history = edit
        .file
        .history(&*edit.store, edit.live.head.as_ref(), |_| {
            left = left.saturating_sub(1);
            left > 0
        })
        .await?;
    let shown: Vec<Shown<'_>> = history.records.iter().map(|(_, record)| Shown::of(record)).collect();
    if list.json {
        return style::json(&shown);
    }
    let mut lines = Lines::to_stdout();
    if shown.is_empty() {
        lines.say(Tone::Plain, "There is no history yet: it begins with the next change.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = shown
        .iter()
        .map(|one| {
            vec![
                one.number.to_string(),
                one.at.clone(),
                one.by.name().to_owned(),
                one.summary(),
                one.note.to_owned(),
            ]
        })
        .collect();
    lines.table(&["revision", "when", "who", "what", "note"], &rows);
    if history.is_cut {
        say_cut(&mut lines, &history.records, edit.live.head.as_ref());
    }
    Ok(())
}

/// Where history ends: as it should, or because somebody took it away.
fn say_cut(lines: &mut Lines, records: &[(metadata::revision::Link, Record)], head: Option<&Head>) {
    let Some((link, record)) = records.last() else {
        lines.say(
            Tone::Stop,
            "The record of the newest revision is gone from the store: somebody took it away.",
        );
        return;
    };
    let newest = head.map_or(0, |head| head.number);
    let oldest = moment::now().plus(-prune::KEPT_DAYS * 86_400);
    if newest.saturating_sub(link.number) + 1 < prune::KEPT_REVISIONS || record.at > oldest.plus(86_400) {
        let missing = link.number.saturating_sub(1);
        lines.say(
            Tone::Stop,
            format!("The record of revision {missing} is gone from the store before its time: somebody took it away."),
        );
    } else {
        lines.say(Tone::Quiet, "Older revisions are not kept.");
    }
}

/// The record of a revision.
async fn record(edit: &Edit, number: u64) -> Result<Record, Stopped> {
    let history =
        edit.file.history(&*edit.store, edit.live.head.as_ref(), |record| record.number > number).await?;
    match history.records.into_iter().next_back() {
        Some((link, record)) if link.number == number => Ok(record),
        _ => Err(Stopped::refused(format!(
            "There is no revision {number} any more, or not yet. sparvidd revision list shows those that there are."
        ))),
    }
}

async fn show(show: &Show) -> Result<(), Stopped> {
    let edit = Edit::open(&show.config.config).await?;
    let record = record(&edit, show.number).await?;
    let shown = Shown::of(&record);
    if show.json {
        return style::json(&shown);
    }
    let mut lines = Lines::to_stdout();
    lines.say_parts(&[
        (Tone::Strong, &format!("Revision {}", shown.number)),
        (Tone::Quiet, &format!("  {}", shown.at)),
    ]);
    lines.say(Tone::Plain, format!("by {}", shown.by.name()));
    if !shown.approvals.is_empty() {
        lines.say(Tone::Plain, format!("approved by {}", shown.approvals.join(", ")));
    }
    for (what, number) in [("proposal", shown.proposal), ("restores revision", shown.restores)] {
        if let Some(number) = number {
            lines.say(Tone::Plain, format!("{what} {number}"));
        }
    }
    if let Some(reason) = shown.despite_hold {
        lines.say(Tone::Look, format!("published although it was held: {reason}"));
    }
    if !shown.note.is_empty() {
        lines.say(Tone::Plain, format!("“{}”", shown.note));
    }
    lines.gap();
    for (id, words) in in_words(&edit, &record.changed).await? {
        say_words(&mut lines, &id, &words);
    }
    for name in &shown.other {
        lines.say(Tone::Look, format!("  changed {name}"));
    }
    Ok(())
}

async fn manifest_of(edit: &Edit, number: u64) -> Result<Manifest, Stopped> {
    let record = record(edit, number).await?;
    Ok(edit.file.manifest(&*edit.store, &record.manifest).await?)
}

async fn diff(diff: &Diff) -> Result<(), Stopped> {
    let edit = Edit::open(&diff.config.config).await?;
    let (from, to) = (manifest_of(&edit, diff.from).await?, manifest_of(&edit, diff.to).await?);
    let changes = EntryChange::between(&from, &to);
    let other = metadata::revision::other_changes(&from, &to);
    if diff.json {
        let changed: Vec<ShownChange> = changes.iter().map(ShownChange::of).collect();
        return style::json(&serde_json::json!({
            "from": diff.from, "to": diff.to, "changed": changed, "other": other,
        }));
    }
    let mut lines = Lines::to_stdout();
    for (id, words) in in_words(&edit, &changes).await? {
        say_words(&mut lines, &id, &words);
    }
    for name in &other {
        lines.say(Tone::Look, format!("  changed {name}"));
    }
    if changes.is_empty() && other.is_empty() {
        lines.say(Tone::Plain, "They are the same.");
    }
    Ok(())
}

/// What restoring did not bring back, and why.
#[derive(Serialize)]
struct NotRestored {
    entry: String,
    why: String,
    #[serde(flatten)]
    report: Report,
}

async fn restore(restore: &Restore) -> Result<(), Stopped> {
    let mut edit = Edit::open(&restore.config.config).await?.signed(&restore.author)?;
    edit.signed.restores = Some(restore.number);
    edit.despite_hold(restore.hold.reason()?);
    let target = manifest_of(&edit, restore.number).await?;
    let wanted: Vec<EntryChange> = EntryChange::between(edit.registry().manifest(), &target)
        .into_iter()
        .filter(|change| {
            restore.entries.is_empty() || restore.entries.iter().any(|name| is_named(&change.id, name))
        })
        .collect();
    if wanted.is_empty() {
        return Err(Stopped::refused(format!(
            "Nothing would change: what is live is as it was in revision {}{}. sparvidd revision list shows them.",
            restore.number,
            if restore.entries.is_empty() { "" } else { ", or was never registered by that name" }
        )));
    }
    let (changes, left) = possible(&edit, &wanted).await?;
    let read_at = edit.registry().number();
    let (before, list) = (read_at, changes.clone());
    let (number, ()) = edit
        .change(move |registry| {
            if registry.number() != read_at {
                return Err(Stopped::could_not(
                    "somebody else changed the registry at the same moment; nothing was changed. Try again.",
                ));
            }
            Ok((Changes { list: list.clone(), ..Changes::default() }, ()))
        })
        .await?;
    if restore.json {
        style::json(&serde_json::json!({
            "revision": number,
            "restored": changes.iter().map(name_of).collect::<Vec<_>>(),
            "not_restored": left,
        }))?;
    } else {
        let mut lines = Lines::to_stdout();
        for change in &changes {
            lines.say(Tone::Good, format!("Restored {}", name_of(change)));
        }
        for one in &left {
            lines.say(Tone::Stop, format!("Not restored: {}: {}", one.entry, one.why));
            let text = one.report.render(&one.entry, edit::tongue());
            if !text.is_empty() {
                lines.say(Tone::Plain, text.trim_end());
            }
        }
        if number > before {
            lines.say(Tone::Quiet, format!("Revision {number} is live on every node within two seconds."));
        }
    }
    if number == before {
        return Err(Stopped { message: super::unchanged(restore.json), code: 1 });
    }
    Ok(())
}

/// The changes that bring entries back, as far as today's rules, records and manifest take them: records first, so that their peers are judged by
/// what will hold.
async fn possible(edit: &Edit, wanted: &[EntryChange]) -> Result<(Vec<Change>, Vec<NotRestored>), Stopped> {
    let mut manifest = edit.registry().manifest().clone();
    let (mut changes, mut left) = (Vec::new(), Vec::new());
    let mut refuse = |change: &Change, why: String, report: Report| {
        left.push(NotRestored { entry: name_of(change), why, report });
    };
    let contents = documents(edit, wanted).await?;
    let find = |name: &str| contents.get(name).cloned();
    let steps: Vec<Change> = wanted.iter().map(change_of).collect();
    let is_record = |change: &Change| matches!(change.entry(), Some(EntryId::Organisation(_)));
    let is_removal = |change: &Change| matches!(change, Change::Remove { .. });
    let mut registry: Option<Registry> = None;
    // Records that come back, peers that come back, peers that go, records that go.
    for (record, removal) in [(true, false), (false, false), (false, true), (true, true)] {
        for change in
            steps.iter().filter(|change| is_record(change) == record && is_removal(change) == removal)
        {
            let against = registry.as_ref().unwrap_or(edit.registry());
            match check_again(
                std::slice::from_ref(change),
                &find,
                &edit.client_secrets,
                against,
                moment::now(),
            ) {
                Err(name) => {
                    refuse(change, format!("its document {name} is not kept any more"), Report::new())
                }
                Ok(report) if report.has_errors() => {
                    refuse(change, "the rules of today refuse it".to_owned(), report);
                }
                Ok(_) => match manifest.with(change.clone()) {
                    Err(error) => refuse(change, error.to_string(), Report::new()),
                    Ok(next) => {
                        manifest = next;
                        changes.push(change.clone());
                    }
                },
            }
        }
        if record && !removal && !changes.is_empty() {
            let find = |name: &str| contents.get(name).map(Vec::as_slice);
            let previous = Some(edit.registry());
            registry = Some(
                Registry::build(edit.registry().number(), &manifest, &find, previous, moment::now())
                    .map_err(Stopped::could_not)?,
            );
        }
    }
    Ok((changes, left))
}

/// All documents that may be looked at: of what comes back, and of what is live where a record comes back and its peers are judged anew.
async fn documents(edit: &Edit, wanted: &[EntryChange]) -> Result<HashMap<String, Vec<u8>>, Stopped> {
    let mut names: Vec<String> = wanted
        .iter()
        .filter_map(|change| change.after.as_ref())
        .flat_map(|entry| entry.documents().map(str::to_owned))
        .collect();
    if wanted.iter().any(|change| matches!(change.id, EntryId::Organisation(_))) {
        names.extend(edit.registry().manifest().documents().map(str::to_owned));
    }
    Ok(edit.file.documents(&*edit.store, names).await?)
}

/// The change that turns what is live (`before`) into what was (`after`). A secret of today stays; suspensions are no part of an entry, and
/// stay too.
fn change_of(change: &EntryChange) -> Change {
    let Some(mut entry) = change.after.clone() else { return Change::Remove { id: change.id.clone() } };
    if let (Entry::OidcClient { settings, .. }, Some(Entry::OidcClient { settings: live, .. })) =
        (&mut entry, &change.before)
    {
        // An old secret may be the very reason why there is a new one.
        settings.secret = live.secret.clone().or(settings.secret.take());
    }
    match (&change.id, entry) {
        (EntryId::Organisation(number), Entry::Organisation { document, logo }) => {
            Change::AddOrganisation { number: number.clone(), document, logo }
        }
        (id, entry) => Change::AddMetadata { id: id.clone(), entry: Box::new(entry) },
    }
}

/// The entry that a change is about, in words.
fn name_of(change: &Change) -> String {
    change.entry().map(|id| id.to_string()).unwrap_or_default()
}

/// Whether a person means this entry: by its whole name, or by the part after the kind.
fn is_named(id: &EntryId, name: &str) -> bool {
    id.to_string() == name
        || match id {
            EntryId::Organisation(number) => OrganisationNumber::parse(name).as_ref() == Some(number),
            EntryId::SamlProvider(provider) => provider.as_str() == name,
            EntryId::OidcClient(client) => client.as_str() == name,
        }
}

async fn prune(prune: &Prune) -> Result<(), Stopped> {
    let edit = Edit::open(&prune.config.config).await?;
    let pruned = prune::run(&*edit.store, &edit.file, &edit.desk, moment::now).await?;
    if prune.json {
        return style::json(&pruned);
    }
    let mut lines = Lines::to_stdout();
    lines.say(
        Tone::Plain,
        format!(
            "Taken away: {} revisions, {} closed proposals, {} interrupted publications; {} contents in all.",
            pruned.revisions, pruned.proposals, pruned.interrupted, pruned.contents
        ),
    );
    Ok(())
}
