//! `sparvidd metadata add --propose`: the files as a proposal, for another person to approve.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use metadata::{
    addition::{self, Choices, Secrets},
    desk::{ShownReport, Wanted},
    lint::Report,
};

use super::{
    super::{Lines, Stopped, Tone, style, unchanged},
    say_secrets,
};
use crate::{command::edit::Edit, moment::moment, proposals};

/// Puts the files on the desk, all or none.
///
/// # Errors
/// When a rule refuses one, they are of several organisations, or the store is away.
pub(super) async fn run(
    edit: &Edit,
    files: &[(String, Vec<u8>)],
    choices: &Choices,
    json: bool,
) -> Result<(), Stopped> {
    let mut reports = Vec::new();
    let (mut parties, mut secrets, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut names, mut documents) = (Vec::new(), Vec::new());
    for (name, octets) in files {
        let fresh = URL_SAFE_NO_PAD.encode(moment().random::<32>());
        let made = Secrets { key: &edit.client_secrets, fresh: &fresh };
        let prepared = addition::prepare(octets, choices, made, edit.registry(), moment().now);
        reports.push((name.clone(), prepared.report));
        parties.extend(prepared.parties);
        secrets.extend(prepared.shown_secret);
        changes.extend(prepared.changes);
        for (name, octets) in prepared.documents {
            names.push(name);
            documents.push(octets);
        }
    }
    if style::reports(&reports, json)? {
        return Err(Stopped { message: unchanged(json), code: 1 });
    }
    let Some(organisation) = parties.first().map(|party| party.organisation.clone()) else {
        return Err(Stopped::refused("Nobody is in these files. Nothing was changed."));
    };
    if parties.iter().any(|party| party.organisation != organisation) {
        return Err(Stopped::refused(
            "A proposal is for one organisation, and these files are of several. Propose each organisation's by itself.",
        ));
    }
    let mut report = Report::new();
    for (_, one) in reports {
        report.findings.extend(one.findings);
    }
    let brought = names.iter().cloned().zip(documents.iter().cloned()).collect();
    let grounds = edit.office().grounds(edit.registry(), &changes, brought).await?;
    let (_, holds) = edit.office().judge(edit.registry(), &changes, &grounds)?;
    let wanted = Wanted {
        organisation,
        author: edit.signed.by.clone(),
        base: edit.registry().number(),
        changes,
        documents: names,
        report: ShownReport::of(&report),
        holds: proposals::held(&holds),
        note: edit.signed.note.clone(),
    };
    let id = edit.office().propose(&edit.live, wanted, documents, false).await?;
    if json {
        return Ok(());
    }
    let mut lines = Lines::to_stdout();
    lines.say(Tone::Good, format!("Proposal {id} waits for the approval of another person."));
    lines.say(
        Tone::Quiet,
        format!(
            "They look at it and approve it: sparvidd proposal show {id}, sparvidd proposal approve {id}"
        ),
    );
    say_secrets(&mut lines, &secrets);
    Ok(())
}
