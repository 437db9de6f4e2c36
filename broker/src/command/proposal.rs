//! `sparvidd proposal list|show|approve|decline|withdraw|publish`

use clap::{Args, Subcommand};
use metadata::{
    desk::{Actor, Awaiting, Event, Happened, Proposal as Lying, State},
    lint::Tongue,
};

use super::{
    ConfigArgument, Lines, Stopped, Tone, block_on,
    edit::{self, Edit},
    revision, style,
};
use crate::proposals;

/// What to do with proposals.
#[derive(Debug, Subcommand)]
pub(crate) enum Proposal {
    /// List proposals that wait; with --all also those that are closed.
    List(List),
    /// Show one: what it changes, what the rules say, why it is held, and what it still needs.
    Show(One),
    /// Approve somebody else's proposal. It is not live before it is published.
    Approve(Act),
    /// Say no to somebody else's proposal.
    Decline(Decline),
    /// Take your own proposal back.
    Withdraw(Act),
    /// Make a proposal live. This command may do it without an approval; for one that is held it must say why.
    Publish(Publish),
}

/// `proposal list`
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    config: ConfigArgument,
    /// Also closed ones.
    #[arg(long)]
    all: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `proposal show`
#[derive(Debug, Args)]
pub(crate) struct One {
    /// The proposal's number.
    number: u64,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `proposal approve|withdraw`
#[derive(Debug, Args)]
pub(crate) struct Act {
    /// The proposal's number.
    number: u64,
    #[command(flatten)]
    config: ConfigArgument,
    /// Who you are, for the history. Without it: the user of this machine who runs the command.
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
}

/// `proposal decline`
#[derive(Debug, Args)]
pub(crate) struct Decline {
    #[command(flatten)]
    act: Act,
    /// Why; its author reads it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// `proposal publish`
#[derive(Debug, Args)]
pub(crate) struct Publish {
    #[command(flatten)]
    act: Act,
    /// Publish it although it is held and not approved by two: why. It stands in the history.
    #[arg(long, value_name = "REASON")]
    despite_hold: Option<String>,
    /// What to write into the history beside it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

/// Runs it.
pub(crate) fn run(proposal: &Proposal) -> Result<(), Stopped> {
    match proposal {
        Proposal::List(list) => block_on(self::list(list))?,
        Proposal::Show(one) => block_on(show(one))?,
        Proposal::Approve(act) => block_on(approve(act))?,
        Proposal::Decline(decline) => block_on(self::decline(decline))?,
        Proposal::Withdraw(act) => block_on(withdraw(act))?,
        Proposal::Publish(publish) => block_on(self::publish(publish))?,
    }
}

fn state(proposal: &Lying) -> String {
    match &proposal.state {
        State::Draft => "draft".to_owned(),
        State::Validated if proposal.holds.is_empty() => "waits for approval".to_owned(),
        State::Validated => "held: waits for approval".to_owned(),
        State::Approved => "approved: waits to be published".to_owned(),
        State::Published { revision } => format!("published as revision {revision}"),
        State::Superseded { by } => format!("superseded by revision {by}"),
        State::Withdrawn => "withdrawn".to_owned(),
        State::Declined { .. } => "declined".to_owned(),
    }
}

async fn list(list: &List) -> Result<(), Stopped> {
    let edit = Edit::open(&list.config.config).await?;
    proposals::reconcile(edit.office(), &edit.live).await?;
    let desk = edit.desk.read(&*edit.store).await?;
    let shown: Vec<&Lying> =
        desk.proposals.values().rev().filter(|proposal| list.all || proposal.is_open()).collect();
    if list.json {
        let rows: Vec<_> = shown.iter().map(|proposal| for_scripts(proposal)).collect();
        return style::json(&rows);
    }
    let mut lines = Lines::to_stdout();
    if shown.is_empty() {
        lines.say(Tone::Plain, "No proposal waits.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = shown
        .iter()
        .map(|proposal| {
            vec![
                proposal.id.to_string(),
                proposal.at.to_rfc3339(),
                proposal.author.name().to_owned(),
                proposal.organisation.to_string(),
                proposal.before.keys().map(ToString::to_string).collect::<Vec<_>>().join(" "),
                state(proposal),
            ]
        })
        .collect();
    lines.table(&["proposal", "when", "who", "organisation", "what", "state"], &rows);
    Ok(())
}

/// A proposal for scripts: without settings, which hold hashes of secrets.
fn for_scripts(proposal: &Lying) -> serde_json::Value {
    serde_json::json!({
        "id": proposal.id,
        "organisation": proposal.organisation,
        "author": proposal.author,
        "at": proposal.at.to_rfc3339(),
        "base": proposal.base,
        "state": proposal.state,
        "entries": proposal.before.keys().collect::<Vec<_>>(),
        "documents": proposal.documents,
        "note": proposal.note,
        "report": proposal.report,
        "holds": proposal.holds,
        "approvals": proposal.approvals,
        "history": proposal.history,
    })
}

async fn show(one: &One) -> Result<(), Stopped> {
    let edit = Edit::open(&one.config.config).await?;
    proposals::reconcile(edit.office(), &edit.live).await?;
    let judged = edit.office().judged(&edit.live, one.number).await?;
    let proposal = &judged.proposal;
    if one.json {
        let mut shown = for_scripts(proposal);
        if proposal.is_open()
            && let Some(members) = shown.as_object_mut()
        {
            let now = |report: &metadata::lint::Report| serde_json::to_value(&report.findings);
            members.insert("report_now".to_owned(), now(&judged.report).map_err(Stopped::could_not)?);
            members.insert("holds_now".to_owned(), now(&judged.holds).map_err(Stopped::could_not)?);
            let words: Vec<_> = judged
                .words
                .iter()
                .map(|(id, words)| serde_json::json!({ "entry": id, "words": words }))
                .collect();
            members.insert("changes".to_owned(), words.into());
        }
        return style::json(&shown);
    }
    let mut lines = Lines::to_stdout();
    lines.say_parts(&[
        (Tone::Strong, &format!("Proposal {}", proposal.id)),
        (Tone::Quiet, &format!("  {}, against revision {}", proposal.at.to_rfc3339(), proposal.base)),
    ]);
    lines.say(Tone::Plain, format!("by {}, for {}", proposal.author.name(), proposal.organisation));
    lines.say(Tone::Accent, state(proposal));
    if !proposal.note.is_empty() {
        lines.say(Tone::Plain, format!("“{}”", proposal.note));
    }
    lines.gap();
    if proposal.is_open() && judged.is_fresh {
        lines.say(Tone::Quiet, "What it changes");
        for (id, words) in &judged.words {
            revision::say_words(&mut lines, id, words);
        }
        for (heading, report) in [("What the rules say", &judged.report), ("Why it is held", &judged.holds)] {
            let text = report.render("the document", edit::tongue());
            if !text.is_empty() {
                lines.gap();
                lines.say(Tone::Quiet, heading);
                lines.say(Tone::Look, text.trim_end());
            }
        }
        lines.gap();
        lines.say(Tone::Quiet, "What it needs");
        lines.say(Tone::Plain, format!("  {}", needs(&judged.awaiting)));
    }
    lines.gap();
    lines.say(Tone::Quiet, "What has happened");
    for event in &proposal.history {
        lines.say(Tone::Plain, format!("  {}", happened(event)));
    }
    Ok(())
}

fn needs(awaiting: &Awaiting) -> String {
    match awaiting {
        Awaiting::Nothing => "Nothing: it can be published.".to_owned(),
        Awaiting::Approval => "The approval of another person than its author.".to_owned(),
        Awaiting::SecondApproval { more, .. } => {
            format!("It is held: the approval of {more} more, other than its author, who have seen why.")
        }
    }
}

fn happened(event: &Event) -> String {
    let what = match &event.what {
        Happened::Made => "made".to_owned(),
        Happened::Validated => "submitted".to_owned(),
        Happened::Approved => "approved".to_owned(),
        Happened::Published { revision } => format!("published as revision {revision}"),
        Happened::PublishedDespiteHold { reason } => format!("published although it was held: {reason}"),
        Happened::Superseded { by } => format!("superseded by revision {by}"),
        Happened::Withdrawn => "withdrawn".to_owned(),
        Happened::Declined { reason } => format!("declined: {reason}"),
    };
    match &event.by {
        Some(by) => format!("{}  {what}, by {}", event.at.to_rfc3339(), by.name()),
        None => format!("{}  {what}", event.at.to_rfc3339()),
    }
}

/// Opens what is needed, and says who acts.
async fn acting(act: &Act) -> Result<(Edit, Actor), Stopped> {
    let by = edit::operator(act.name.as_deref())?;
    let edit = Edit::open(&act.config.config).await?;
    proposals::reconcile(edit.office(), &edit.live).await?;
    Ok((edit, by))
}

async fn approve(act: &Act) -> Result<(), Stopped> {
    let (edit, by) = acting(act).await?;
    let awaiting = edit.office().approve(&edit.live, act.number, &by).await?;
    let mut lines = Lines::to_stdout();
    lines.say(Tone::Good, format!("Approved proposal {} as {}.", act.number, by.name()));
    if awaiting == Awaiting::Nothing {
        lines.say(Tone::Plain, format!("Make it live: sparvidd proposal publish {}", act.number));
    } else {
        lines.say(Tone::Look, needs(&awaiting));
    }
    Ok(())
}

async fn decline(decline: &Decline) -> Result<(), Stopped> {
    let (edit, by) = acting(&decline.act).await?;
    edit.office().decline(decline.act.number, &by, &decline.reason).await?;
    Lines::to_stdout().say(Tone::Good, format!("Declined proposal {}.", decline.act.number));
    Ok(())
}

async fn withdraw(act: &Act) -> Result<(), Stopped> {
    let (edit, by) = acting(act).await?;
    edit.office().withdraw(act.number, &by).await?;
    Lines::to_stdout().say(Tone::Good, format!("Withdrew proposal {}.", act.number));
    Ok(())
}

async fn publish(publish: &Publish) -> Result<(), Stopped> {
    let (mut edit, by) = acting(&publish.act).await?;
    let number = publish.act.number;
    let judged = edit.office().judged(&edit.live, number).await?;
    let held = judged.holds.render("the document", Tongue::English);
    if !held.is_empty() && judged.proposal.is_open() {
        let mut lines = Lines::to_stderr();
        lines.say(Tone::Look, "It is held:");
        lines.say(Tone::Look, judged.holds.render("the document", edit::tongue()).trim_end());
        if publish.despite_hold.is_none() && judged.awaiting != Awaiting::Nothing {
            return Err(Stopped::refused(
                "Nothing was changed. Go by the steps above, have two others approve it, or say --despite-hold REASON.",
            ));
        }
    }
    let despite = publish.despite_hold.as_deref();
    let revision = {
        let mut live = std::mem::take(&mut edit.live);
        let done = edit.office().publish(&mut live, number, &by, despite, &publish.note).await;
        edit.live = live;
        done?
    };
    let mut lines = Lines::to_stdout();
    lines.say(Tone::Good, format!("Published proposal {number}."));
    lines.say(Tone::Quiet, format!("Revision {revision} is live on every node within two seconds."));
    Ok(())
}
