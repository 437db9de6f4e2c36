//! `POST /v1/metadata`: a file is judged, told in words, and proposed.

use axum::response::Response;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::subject::SubjectSource;
use http::{HeaderValue, header};
use metadata::{
    addition::{self, Choices, Prepared, Secrets},
    desk::{DeskRefused, ShownReport, Wanted},
    lint::{Profile, Profiles, Report},
};

use super::{
    answer::{EntryChange, Finding, MadeSecret, ProposalSummary, Submitted},
    discreet::Others,
    openapi,
    problem::{Kind, Problem},
    serve::{Call, json},
};
use crate::{
    heavy_work::Lane,
    journal::JournalFailed,
    moment,
    proposals::{self, ProposalFailed},
    registry_edit::EditFailed,
};

/// The longest note, in characters.
pub(super) const LONGEST_NOTE: usize = 2000;

/// POST `/v1/metadata`
pub(super) async fn submit(mut call: Call) -> Result<Response, Problem> {
    let choices = choices(&call)?;
    let (dry_run, note) = (call.flag("dry_run")?, note(&call)?);
    let octets = std::mem::take(&mut call.body);
    is_what_it_says(&octets, call.is_json)?;
    let organisation = call.token()?.organisation.clone();
    let live = call.live().await?;
    if live.registry.organisation(&organisation).is_none() {
        return Err(Kind::NOT_FOUND.because("the token's organisation is not registered any more"));
    }
    let piece = (call.node.clone(), live.registry.clone(), organisation.clone());
    let judged = move || {
        let (node, registry, organisation) = piece;
        let fresh = URL_SAFE_NO_PAD.encode(moment::moment().random::<32>());
        let secrets = Secrets { key: &node.client_secrets, fresh: &fresh };
        let prepared = addition::prepare(&octets, &choices, secrets, &registry, moment::now());
        let others = Others::than(&organisation, &registry);
        let file = String::from_utf8_lossy(&octets);
        let told = others.leave_out(prepared.report.clone(), &file);
        (prepared, told, others, file.into_owned())
    };
    let judged = call.node.work.run(Lane::Beginning, judged).await;
    let (prepared, told, others, file) = judged.map_err(|failure| Kind::BUSY.because(failure.cause))?;
    if prepared.report.has_errors() || prepared.changes.is_empty() {
        return Err(refused(&told));
    }
    // `prepare` was told whose it is; a second look costs nothing.
    if prepared.parties.iter().any(|party| party.organisation != organisation) {
        return Err(Kind::INTERNAL.because("a file was prepared for another organisation than the token's"));
    }
    let office = call.node.office();
    let brought = prepared.documents.iter().cloned().collect();
    let grounds = office.grounds(&live.registry, &prepared.changes, brought).await?;
    let (_, holds) = office.judge(&live.registry, &prepared.changes, &grounds)?;
    let words = proposals::words(live.registry.manifest(), &prepared.changes, &grounds);
    let mut submitted = Submitted {
        proposal: None,
        findings: Finding::all(&told),
        changes: EntryChange::all(&words),
        holds: Finding::all(&others.leave_out(holds.clone(), &file)),
        secret: None,
    };
    if dry_run {
        return Ok(json(200, &submitted));
    }
    let actor = call.actor()?;
    let same = call.node.desk.read(&**call.node.vault.store()).await?;
    let same = same.proposals.values().find(|proposal| {
        proposal.is_open() && proposal.author.is_same_person(&actor) && proposal.changes == prepared.changes
    });
    if let Some(same) = same {
        submitted.proposal = Some(ProposalSummary::of(same, &actor));
        return Ok(json(200, &submitted));
    }
    let Prepared { report, documents, changes, shown_secret, .. } = prepared;
    let wanted = Wanted {
        organisation,
        author: actor.clone(),
        base: live.registry.number(),
        changes,
        documents: documents.iter().map(|(name, _)| name.clone()).collect(),
        report: ShownReport::of(&report),
        holds: proposals::held(&holds),
        note,
    };
    let documents = documents.into_iter().map(|(_, octets)| octets).collect();
    let number = office.propose(&live, wanted, documents, false).await?;
    let desk = call.node.desk.read(&**call.node.vault.store()).await?;
    submitted.proposal = desk.proposals.get(&number).map(|proposal| ProposalSummary::of(proposal, &actor));
    submitted.secret = shown_secret
        .map(|made| MadeSecret { client_id: made.client_id.clone(), client_secret: made.secret.clone() });
    let mut response = json(201, &submitted);
    if let Ok(place) = HeaderValue::from_str(&call.node.config.at(&format!("/api/v1/proposals/{number}"))) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// A file that the rules refuse.
fn refused(report: &Report) -> Problem {
    Problem { findings: Finding::all(report), ..Kind::REFUSED.into() }
}

/// What the parameters say of it. Everything else is as it was, or the federation operator's to decide.
fn choices(call: &Call) -> Result<Choices, Problem> {
    let unknown = |name: &str, values: String| {
        Kind::PARAMETER.case(format!("{name} är en av {values}"), format!("{name} is one of {values}"))
    };
    let mut profiles: Profiles = call.node.config.file.federation.profiles();
    for name in call.all("profile") {
        let profile = Profile::from_name(name)
            .ok_or_else(|| unknown("profile", Profile::ALL.map(Profile::name).join(", ")))?;
        profiles = profiles.with(profile);
    }
    let subject_source = match call.one("subject_source")? {
        None => None,
        Some(key) => Some(openapi::sources().find(|source| source.key() == key).ok_or_else(|| {
            let keys: Vec<_> = openapi::sources().map(SubjectSource::key).collect();
            unknown("subject_source", keys.join(", "))
        })?),
    };
    let organisation = Some(call.token()?.organisation.clone());
    Ok(Choices { organisation, subject_source, profiles, ..Choices::default() })
}

fn note(call: &Call) -> Result<String, Problem> {
    let note = call.one("note")?.unwrap_or_default();
    if note.chars().count() > LONGEST_NOTE {
        return Err(Kind::PARAMETER.case(
            format!("note har högst {LONGEST_NOTE} tecken"),
            format!("note has at most {LONGEST_NOTE} characters"),
        ));
    }
    Ok(note
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect::<String>()
        .trim()
        .to_owned())
}

/// `addition::prepare` goes by how a file begins; who says JSON and sends XML has made a mistake that is best said at once.
fn is_what_it_says(octets: &[u8], is_json: bool) -> Result<(), Problem> {
    let start = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets).trim_ascii_start();
    match (is_json, start.first()) {
        (_, None) => Err(Kind::MALFORMED.case("Filen är tom.", "The file is empty.")),
        (true, Some(b'{')) => Ok(()),
        (true, Some(_)) => Err(Kind::MEDIA_TYPE.case(
            "Content-Type säger JSON, men filen är inte ett JSON-objekt.",
            "Content-Type says JSON, but the file is no JSON object.",
        )),
        (false, Some(b'{')) => Err(Kind::MEDIA_TYPE.case(
            "Content-Type säger XML, men filen är JSON.",
            "Content-Type says XML, but the file is JSON.",
        )),
        (false, Some(_)) => Ok(()),
    }
}

impl From<ProposalFailed> for Problem {
    fn from(failed: ProposalFailed) -> Self {
        match failed {
            ProposalFailed::Refused(refused) => refused.into(),
            // Whoever shows it leaves out what it says of others; what comes here has not been, and so says nothing but the rules' names.
            ProposalFailed::Rules(report) => {
                let rules: Vec<_> = report.findings.iter().map(|finding| finding.rule.id).collect();
                Kind::REFUSED.because(rules.join(" "))
            }
            ProposalFailed::Desk(failed) => failed.into(),
            ProposalFailed::Registry(failed) => failed.into(),
            ProposalFailed::Journal(failed) => failed.into(),
            ProposalFailed::Store(failed) => Kind::BUSY.because(failed),
            ProposalFailed::DocumentGone(name) => {
                Kind::INTERNAL.because(format!("the document {name} is gone"))
            }
        }
    }
}

impl From<EditFailed> for Problem {
    fn from(failed: EditFailed) -> Self {
        match &failed {
            EditFailed::Head(..) | EditFailed::Tampered(_) | EditFailed::Record(_) => {
                Self { is_alarm: true, ..Kind::BUSY.because(failed) }
            }
            EditFailed::Journal(JournalFailed::Unauthenticated(_)) => {
                Self { is_alarm: true, ..Kind::BUSY.because(failed) }
            }
            EditFailed::Change(refused) => {
                let said = refused.to_string();
                Self { cause: Some(said.clone()), ..Kind::STATE.of(said) }
            }
            EditFailed::Store(_) | EditFailed::Journal(_) | EditFailed::NotWritten(_) | EditFailed::Busy => {
                Kind::BUSY.because(failed)
            }
        }
    }
}

impl From<JournalFailed> for Problem {
    fn from(failed: JournalFailed) -> Self {
        let is_alarm = matches!(failed, JournalFailed::Unauthenticated(_));
        Self { is_alarm, ..Kind::BUSY.because(failed) }
    }
}

impl From<DeskRefused> for Problem {
    fn from(refused: DeskRefused) -> Self {
        let said = refused.to_string();
        match refused {
            DeskRefused::Unknown(_) => Kind::NOT_FOUND.into(),
            DeskRefused::WrongState { id, .. } => {
                Kind::STATE.case(format!("förslag {id} är avslutat, eller inte så långt"), said)
            }
            DeskRefused::OwnProposal(id, _) => Kind::OWN_PROPOSAL.of(id),
            DeskRefused::NotAuthor(id) => Kind::NOT_AUTHOR.of(id),
            DeskRefused::ApprovedAlready(id, _) => Kind::APPROVED_ALREADY.of(id),
            DeskRefused::NotApproved(id) => Kind::NOT_APPROVED.of(id),
            DeskRefused::Held { id, .. } => Kind::HELD.of(id),
            DeskRefused::Stale(id) => Kind::STALE.of(id),
            DeskRefused::NothingChanges => Kind::NOTHING_CHANGES.into(),
            DeskRefused::TooMany(most) => Kind::TOO_MANY_PROPOSALS.of(most),
            DeskRefused::NoReason => Kind::MALFORMED.case("Ange varför (reason).", "Say why (reason)."),
            // `prepare` has bounded it: the desk's own bound is the second one.
            DeskRefused::OtherOrganisation { .. } | DeskRefused::Record | DeskRefused::Suspension => {
                Kind::NOT_FOUND.because(said)
            }
            DeskRefused::Change(_) => Kind::STATE.of(said),
        }
    }
}
