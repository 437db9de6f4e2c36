//! `sparvidd invite`: a link that opens the door for operators once; `invite list`, `invite revoke`

use std::path::PathBuf;

use broker_core::organisation::OrganisationNumber;
use clap::{Args, Subcommand, ValueHint};
use metadata::desk::{Invitation, Invited, MOST_DAYS, Right};

use super::{ConfigArgument, Lines, Stopped, Tone, block_on, edit::Edit, style};
use crate::{config::Config, desk::DeskFailed, moment::moment, operator};

/// Letters of a holder's name or of a purpose.
const LONGEST: usize = 100;

/// `invite`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Invite {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    new: New,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List invitations: who, for whom, until when, used or not.
    List(List),
    /// Close one at once, with the place that it opened.
    Revoke(Revoke),
}

/// A new invitation.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The organisation that the holder speaks for.
    #[arg(long, value_name = "NUMBER", required = true)]
    organisation: Option<String>,
    /// Who is invited, by the name that others are to see beside what they do.
    #[arg(long, value_name = "NAME", required = true)]
    holder: Option<String>,
    /// For how many days, 1 to 400.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_DAYS)))]
    days: u16,
    /// `propose`: hand in metadata. `publish`: also approve and publish what another person handed in.
    #[arg(long, default_value = "propose", value_parser = right)]
    right: Right,
    /// What it is for; the page shows it.
    #[arg(long = "for", value_name = "TEXT", default_value = "")]
    purpose: String,
    /// The configuration file (TOML; docs/configuration.md).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "SPARVIDD_CONFIG", required = true)]
    config: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Revoke {
    /// The invitation's id, as `invite list` shows it.
    id: String,
    #[command(flatten)]
    config: ConfigArgument,
}

fn right(text: &str) -> Result<Right, String> {
    match text {
        "propose" => Ok(Right::Propose),
        "publish" => Ok(Right::Publish),
        _ => Err("a right is `propose` or `publish`".to_owned()),
    }
}

/// Runs it.
pub(crate) fn run(invite: &Invite) -> Result<(), Stopped> {
    match &invite.what {
        Some(What::List(list)) => block_on(self::list(list))?,
        Some(What::Revoke(revoke)) => block_on(self::revoke(revoke))?,
        None => block_on(new(&invite.new))?,
    }
}

/// A text that a person wrote, on one line and not too long.
fn plain(what: &str, text: &str) -> Result<String, Stopped> {
    let text = text.trim();
    if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
        return Err(Stopped::could_not(format!("{what} is one line of at most {LONGEST} characters")));
    }
    Ok(text.to_owned())
}

async fn new(new: &New) -> Result<(), Stopped> {
    // Without a subcommand the grammar asks for all three.
    let (Some(number), Some(holder), Some(config)) = (&new.organisation, &new.holder, &new.config) else {
        return Err(Stopped::could_not("say --organisation, --holder and --config"));
    };
    let organisation = OrganisationNumber::parse(number).ok_or_else(|| {
        Stopped::could_not(format!("{number} is no organisation number: ten digits, the last a check digit"))
    })?;
    let holder = plain("--holder", holder)?;
    if holder.is_empty() {
        return Err(Stopped::could_not("--holder says who is invited: two people of one name count as one"));
    }
    let purpose = plain("--for", &new.purpose)?;
    let config = Config::read(config).map_err(Stopped::could_not)?;
    let key = {
        let keys = certs::KeyDirectory::open(&config.file.keys).map_err(Stopped::could_not)?;
        operator::invitation_key(&keys)
    };
    let address = config.at("/operator/invitation/");
    let edit = Edit::of(config).await?;
    if edit.registry().organisation(&organisation).is_none() {
        return Err(Stopped::refused(format!(
            "There is no record of the organisation {organisation}. Add it first: sparvidd organisation add FILE"
        )));
    }
    let wanted = Invited { organisation, holder, right: new.right, purpose, days: new.days };
    let (invitation, link) = Invitation::issue(wanted, &key, moment());
    edit.desk
        .change::<_, DeskFailed>(&*edit.store, moment().now, |desk| {
            desk.invitations.insert(invitation.id.clone(), invitation.clone());
            Ok(())
        })
        .await?;
    let url = format!("{address}{}", link.to_text());
    if new.json {
        return style::json(&serde_json::json!({
            "id": invitation.id,
            "organisation": invitation.organisation,
            "right": invitation.right,
            "expires": invitation.expires.to_rfc3339(),
            "link": url,
        }));
    }
    let mut lines = Lines::to_stdout();
    lines.say(Tone::Strong, format!("The invitation of {}, shown this once:", invitation.holder));
    lines.say(Tone::Accent, format!("  {url}"));
    lines.say(
        Tone::Quiet,
        format!(
            "It opens the page of {} in one browser, until {}. Give it to nobody else, and send it by a safe way.",
            invitation.organisation,
            invitation.expires.to_rfc3339()
        ),
    );
    lines.say(Tone::Quiet, format!("To close it: sparvidd invite revoke {}", invitation.id));
    Ok(())
}

fn state(invitation: &Invitation) -> &'static str {
    use metadata::desk::NotOpened;
    match (invitation.lasts(moment().now), invitation.used_at, &invitation.place_hash) {
        (Err(NotOpened::Revoked), ..) => "revoked",
        (Err(_), ..) => "run out",
        (Ok(()), None, _) => "not used yet",
        (Ok(()), Some(_), Some(_)) => "open",
        (Ok(()), Some(_), None) => "left",
    }
}

async fn list(list: &List) -> Result<(), Stopped> {
    let edit = Edit::open(&list.config.config).await?;
    let desk = edit.desk.read(&*edit.store).await?;
    let mut invitations: Vec<&Invitation> = desk.invitations.values().collect();
    invitations.sort_by_key(|invitation| std::cmp::Reverse(invitation.at));
    let word = |right| match right {
        Right::Propose => "propose",
        Right::Publish => "publish",
    };
    if list.json {
        let rows: Vec<_> = invitations
            .iter()
            .map(|one| {
                serde_json::json!({ "id": one.id, "organisation": one.organisation, "holder": one.holder,
                    "right": word(one.right), "for": one.purpose, "at": one.at.to_rfc3339(),
                    "expires": one.expires.to_rfc3339(), "state": state(one) })
            })
            .collect();
        return style::json(&rows);
    }
    let mut lines = Lines::to_stdout();
    if invitations.is_empty() {
        lines.say(
            Tone::Plain,
            "Nobody is invited. Invite somebody: sparvidd invite --organisation NUMBER --holder NAME",
        );
        return Ok(());
    }
    let rows: Vec<Vec<String>> = invitations
        .iter()
        .map(|one| {
            let until = one.expires.to_rfc3339();
            let day = until.get(..10).unwrap_or_default().to_owned();
            let number = one.organisation.to_string();
            vec![
                one.id.clone(),
                number,
                one.holder.clone(),
                word(one.right).to_owned(),
                day,
                state(one).to_owned(),
            ]
        })
        .collect();
    lines.table(&["id", "organisation", "holder", "right", "until", "state"], &rows);
    Ok(())
}

async fn revoke(revoke: &Revoke) -> Result<(), Stopped> {
    let edit = Edit::open(&revoke.config.config).await?;
    let now = moment().now;
    let holder = edit
        .desk
        .change::<_, Stopped>(&*edit.store, now, |desk| {
            let invitation = desk.invitations.get_mut(&revoke.id).ok_or_else(|| {
                Stopped::refused(format!(
                    "There is no invitation {}. sparvidd invite list shows all.",
                    revoke.id
                ))
            })?;
            invitation.revoked.get_or_insert(now);
            Ok(invitation.holder.clone())
        })
        .await?;
    Lines::to_stdout().say(
        Tone::Good,
        format!("The invitation of {holder} is closed, and so is the place that it opened."),
    );
    Ok(())
}
