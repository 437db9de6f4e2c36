//! `sparvidd token issue|list|revoke`: who may use the API.

use broker_core::organisation::OrganisationNumber;
use clap::{Args, Subcommand};
use metadata::desk::{MOST_TOKEN_DAYS, NewToken, Right, TokenRefused};
use serde::Serialize;

use super::{
    ConfigArgument, Lines, Stopped, Tone, block_on,
    edit::{self, Edit},
    metadata::value,
    style,
};
use crate::{desk::DeskFailed, moment};

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Give somebody a token for the API. It is shown once; here a keyed hash of it is kept.
    Issue(Issue),
    /// List tokens: whose, for whom, with which right, and until when.
    List(List),
    /// Take a token back: it opens nothing any more on any node within two seconds.
    Revoke(Revoke),
}

/// `token issue`
#[derive(Debug, Args)]
pub(crate) struct Issue {
    /// The organisation that the token speaks for: its number.
    #[arg(long, value_name = "NUMBER", value_parser = value::number)]
    organisation: OrganisationNumber,
    /// propose: make proposals. publish: also approve and publish those of others.
    #[arg(long, value_name = "RIGHT", value_parser = right)]
    right: Right,
    /// Whose it is: the name by which two people are told apart.
    #[arg(long, value_name = "NAME")]
    holder: String,
    /// What the holder calls it, such as the machine that it is for.
    #[arg(long, value_name = "TEXT", default_value = "")]
    label: String,
    /// How many days it lasts.
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_TOKEN_DAYS)))]
    days: u32,
    /// Who gives it. Without it: the user of this machine who runs the command.
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON, the token with it.
    #[arg(long)]
    json: bool,
}

/// `token list`
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `token revoke`
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The token's id: twelve digits and letters, the middle of spv_ID_….
    id: String,
    #[command(flatten)]
    config: ConfigArgument,
}

fn right(text: &str) -> Result<Right, String> {
    let found = Right::ALL.into_iter().find(|right| right.name() == text);
    found.ok_or_else(|| "the rights are propose and publish".to_owned())
}

/// Why the desk was not changed.
enum Failed {
    Refused(TokenRefused),
    Desk(DeskFailed),
}

impl From<DeskFailed> for Failed {
    fn from(failed: DeskFailed) -> Self {
        Self::Desk(failed)
    }
}

impl From<Failed> for Stopped {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(refused) => Self::refused(refused),
            Failed::Desk(failed) => failed.into(),
        }
    }
}

/// Runs it.
pub(crate) fn run(token: &Token) -> Result<(), Stopped> {
    match token {
        Token::Issue(issue) => block_on(self::issue(issue))?,
        Token::List(list) => block_on(self::list(list))?,
        Token::Revoke(revoke) => block_on(self::revoke(revoke))?,
    }
}

async fn issue(issue: &Issue) -> Result<(), Stopped> {
    let by = edit::operator(issue.name.as_deref())?;
    let edit = Edit::open(&issue.config.config).await?;
    let number = &issue.organisation;
    if edit.registry().organisation(number).is_none() {
        return Err(Stopped::refused(format!(
            "No organisation {number} is registered. sparvidd organisation list shows them."
        )));
    }
    let wanted = NewToken {
        organisation: number.clone(),
        right: issue.right,
        holder: issue.holder.clone(),
        label: issue.label.clone(),
        days: issue.days,
        by,
    };
    let made = edit.desk.change(&*edit.store, moment::now(), |desk| {
        desk.issue_token(&wanted, &edit.tokens, moment::moment()).map_err(Failed::Refused)
    });
    let token = made.await?;
    let desk = edit.desk.read(&*edit.store).await?;
    let expires = desk.tokens.get(token.id()).map(|token| token.expires.to_rfc3339()).unwrap_or_default();
    if issue.json {
        return style::json(&serde_json::json!({
            "id": token.id(), "token": token.expose(), "expires": expires,
        }));
    }
    let mut lines = Lines::to_stdout();
    lines.say(Tone::Strong, format!("A token of {} for {number}, shown this once:", issue.holder.trim()));
    lines.say(Tone::Accent, format!("  {}", token.expose()));
    lines.say(
        Tone::Quiet,
        format!(
            "  Right: {}. Good until {expires}. Give it to its holder by a safe way; here only a keyed hash of it is kept.\n  \
             It opens the API on every node within two seconds. Take it back: sparvidd token revoke {}",
            issue.right.name(),
            token.id()
        ),
    );
    Ok(())
}

/// A token in a list: without its hash.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    organisation: String,
    right: Right,
    holder: String,
    label: String,
    issued: String,
    by: String,
    expires: String,
    state: &'static str,
}

async fn list(list: &List) -> Result<(), Stopped> {
    let edit = Edit::open(&list.config.config).await?;
    let desk = edit.desk.read(&*edit.store).await?;
    let now = moment::now();
    let mut rows: Vec<Row> = desk
        .tokens
        .values()
        .map(|token| Row {
            id: token.id.clone(),
            organisation: token.organisation.to_string(),
            right: token.right,
            holder: token.holder.clone(),
            label: token.label.clone(),
            issued: token.at.to_rfc3339(),
            by: token.by.name().to_owned(),
            expires: token.expires.to_rfc3339(),
            state: match token.revoked {
                Some(_) => "revoked",
                None if token.is_good(now) => "good",
                None => "expired",
            },
        })
        .collect();
    rows.sort_by(|one, other| {
        (&one.organisation, &one.holder, &one.issued).cmp(&(
            &other.organisation,
            &other.holder,
            &other.issued,
        ))
    });
    if list.json {
        return style::json(&rows);
    }
    let mut lines = Lines::to_stdout();
    if rows.is_empty() {
        lines.say(Tone::Plain, "Nobody has a token. Give one: sparvidd token issue --organisation NUMBER --right propose --holder NAME");
        return Ok(());
    }
    let cells: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let right = row.right.name().to_owned();
            vec![row.id, row.organisation, right, row.holder, row.label, row.expires, row.state.to_owned()]
        })
        .collect();
    lines.table(&["token", "organisation", "right", "holder", "label", "until", "state"], &cells);
    Ok(())
}

async fn revoke(revoke: &Revoke) -> Result<(), Stopped> {
    let edit = Edit::open(&revoke.config.config).await?;
    let now = moment::now();
    let revoked = edit.desk.change(&*edit.store, now, |desk| {
        desk.revoke_token(&revoke.id, now).map(|_| ()).map_err(Failed::Refused)
    });
    revoked.await.map_err(|failed| match failed {
        Failed::Refused(TokenRefused::Unknown) => Stopped::refused(format!(
            "There is no token {}. Nothing was changed. sparvidd token list shows them.",
            revoke.id
        )),
        other => other.into(),
    })?;
    let mut lines = Lines::to_stdout();
    lines.say(Tone::Good, format!("Revoked token {}", revoke.id));
    lines.say(Tone::Quiet, "It opens nothing any more on every node within two seconds.");
    Ok(())
}
