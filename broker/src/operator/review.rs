//! A file that was given, judged: what is wrong beside its lines, what would change in words, and the button that hands it in. The page is made anew from
//! the file each time it is looked at, so that a reload loses nothing and says what holds now.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::Response,
};
use broker_core::subject::SubjectSource;
use http::{HeaderMap, StatusCode};
use metadata::{
    addition::{self, Choices, Prepared, Secrets},
    desk::{Proposal, ShownReport, Wanted},
    lint::{Finding, Report, Severity},
    revision::{Change, Entry, EntryId, difference::Sentence},
};

use super::{
    change,
    given::{self, Given, Opened},
    lines,
    visit::{self, Form, Instead, Visit},
};
use crate::{
    heavy_work::Lane,
    moment,
    page::{Argument, OperatorMessage, OperatorPage, PartyView, ReviewView, SecretView, Verdict},
    proposals::{self, ProposalFailed},
    registry_edit::Live,
    wiring::Node,
};

/// The rules that a question on the page answers, and the question.
const QUESTIONS: [(&str, &str); 2] = [
    ("registry.entity.subject_source_undecided", "subject_source"),
    ("oidc.registration.client_id_missing", "client_id"),
];
/// Characters of a message to whoever approves.
const LONGEST_NOTE: usize = 300;

/// What identities of a SAML provider's people can be made from.
const SOURCES: [SubjectSource; 5] = [
    SubjectSource::SubjectId,
    SubjectSource::PairwiseId,
    SubjectSource::PersistentNameId,
    SubjectSource::OrgAffiliation,
    SubjectSource::EmployeeHsaId,
];

/// GET `/operator/file/{given}`
pub(super) async fn show(
    State(node): State<Arc<Node>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let shown = async {
        let visit = Visit::of(&node, &headers).await?;
        let judged = judged(&node, &visit, &name).await?;
        Ok(visit.page(&node, StatusCode::OK, OperatorPage::Review(&judged.view(&node, &visit, &name))))
    };
    shown.await.unwrap_or_else(|instead: Instead| *instead)
}

/// POST `/operator/file/{given}`
pub(super) async fn act(
    State(node): State<Arc<Node>>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Response {
    let done = async {
        let (visit, form) = visit::sent(&node, request).await?;
        match form.field("do") {
            "submit" => handed_in(&node, &visit, &name, &form).await,
            _ => answered(&node, &visit, &name, &form).await,
        }
    };
    done.await.unwrap_or_else(|instead: Instead| *instead)
}

/// A file with what came of judging it.
struct Judged {
    given: Given,
    octets: Vec<u8>,
    prepared: Prepared,
    live: Live,
    held: Report,
    words: Vec<(EntryId, Vec<Sentence>)>,
}

/// The file of a name.
async fn opened(node: &Node, visit: &Visit, name: &str) -> Result<Opened, Instead> {
    let opened = given::open(node, visit, name).await;
    let opened = opened.map_err(|error| visit::away(node, &visit.language, &error, false))?;
    opened.ok_or_else(|| visit.message(node, OperatorMessage::Gone))
}

async fn judged(node: &Arc<Node>, visit: &Visit, name: &str) -> Result<Judged, Instead> {
    let Opened { given, octets } = opened(node, visit, name).await?;
    let live = super::live(node, visit).await?;
    let choices = choices(node, visit, &given);
    let (piece, registry, fresh) = (node.clone(), live.registry.clone(), given.fresh.clone());
    let work = move || {
        let secrets = Secrets { key: &piece.client_secrets, fresh: &fresh };
        let prepared = addition::prepare(&octets, &choices, secrets, &registry, moment::now());
        (octets, prepared)
    };
    let (octets, prepared) = node
        .work
        .run(Lane::Beginning, work)
        .await
        .map_err(|failure| visit::away(node, &visit.language, &failure, false))?;
    let brought = prepared.documents.iter().cloned().collect();
    let failed = |failed| super::failed(node, visit, &failed);
    let grounds = node.office().grounds(&live.registry, &prepared.changes, brought).await.map_err(failed)?;
    let (_, held) = node.office().judge(&live.registry, &prepared.changes, &grounds).map_err(failed)?;
    let words = proposals::words(live.registry.manifest(), &prepared.changes, &grounds);
    Ok(Judged { given, octets, prepared, live, held, words })
}

/// Bounded by the invitation's organisation, whatever the file says.
fn choices(node: &Node, visit: &Visit, given: &Given) -> Choices {
    Choices {
        organisation: Some(visit.invitation.organisation.clone()),
        subject_source: given.subject_source,
        client_id: given.client_id.clone(),
        profiles: node.config.file.federation.profiles(),
        ..Choices::default()
    }
}

impl Judged {
    /// The findings that are told, and the questions that stand for the others.
    fn told(&self) -> (Vec<&Finding>, Vec<&'static str>) {
        let mut questions = Vec::new();
        let told = self.prepared.report.findings.iter().filter(|finding| {
            let question = QUESTIONS.iter().find(|(rule, _)| *rule == finding.rule.id);
            if let Some((_, question)) = question
                && !questions.contains(question)
            {
                questions.push(*question);
            }
            question.is_none()
        });
        (told.collect(), questions)
    }

    fn view(&self, node: &Node, visit: &Visit, name: &str) -> ReviewView {
        let tongue = visit.tongue();
        let (findings, questions) = self.told();
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        let verdict = match (errors, questions.is_empty()) {
            (0, true) => Verdict::Good,
            (0, false) => Verdict::Asks,
            _ => Verdict::Refused,
        };
        let words = |key: &str, arguments: &[(&str, Argument<'_>)]| {
            node.pages.operator_text(&visit.language, key, arguments)
        };
        let source = String::from_utf8_lossy(&self.octets);
        let told = lines::told(&source, &findings, tongue, &words);
        let described = change::described(&self.words, tongue);
        let wanted = std::slice::from_ref(&visit.language);
        let parties = self.prepared.parties.iter().map(|party| {
            let id = change::name_of(&party.id);
            PartyView {
                name: party.display_name.best(wanted).unwrap_or(&id).to_owned(),
                renewed: party.renewed,
                sentences: described
                    .iter()
                    .find(|entry| entry.id == id)
                    .map(|entry| entry.sentences.clone())
                    .unwrap_or_default(),
                id,
            }
        });
        ReviewView {
            organisation: super::place::organisation_name(node, visit),
            token: visit.token(node),
            action: format!("/operator/file/{name}"),
            verdict,
            errors,
            file: self.given.name.clone(),
            size: self.octets.len().div_ceil(1000),
            at: visit.now(),
            questions,
            sources: SOURCES.iter().map(|source| source.key()).collect(),
            subject_source: self.given.subject_source.map_or("", SubjectSource::key),
            client_id: self.given.client_id.clone().unwrap_or_default(),
            note: String::new(),
            parties: parties.collect(),
            holds: change::holds(&self.held, tongue),
            groups: told.groups,
            lines: told.lines,
            lines_shown: told.shown,
            lines_total: told.total,
            problem: None,
            report: self.prepared.report.render(&self.given.name, tongue),
        }
    }
}

/// Answers to questions: the same file, judged with them.
async fn answered(node: &Arc<Node>, visit: &Visit, name: &str, form: &Form) -> Result<Response, Instead> {
    let Opened { mut given, .. } = opened(node, visit, name).await?;
    let client_id: String = form.field("client_id").chars().take(200).collect();
    given.client_id = Some(client_id).filter(|name| !name.is_empty()).or(given.client_id);
    let source = SOURCES.into_iter().find(|source| source.key() == form.field("subject_source"));
    given.subject_source = source.or(given.subject_source);
    let kept = given::answer(node, visit, &given).await;
    let handle = kept.map_err(|error| visit::away(node, &visit.language, &error, false))?;
    Ok(visit.onward(node, &format!("/operator/file/{}", handle.as_str())))
}

/// The file becomes a proposal. Handing in the same again, by a reload or a second press, leads to the same proposal.
async fn handed_in(node: &Arc<Node>, visit: &Visit, name: &str, form: &Form) -> Result<Response, Instead> {
    let judged = judged(node, visit, name).await?;
    if judged.prepared.report.has_errors() {
        let view = judged.view(node, visit, name);
        return Ok(visit.page(node, StatusCode::UNPROCESSABLE_ENTITY, OperatorPage::Review(&view)));
    }
    let author = visit.invitation.actor();
    let changes = &judged.prepared.changes;
    let same = visit
        .desk
        .proposals
        .values()
        .find(|proposal| proposal.is_open() && proposal.author == author && proposal.changes == *changes);
    if let Some(same) = same {
        return Ok(visit.onward(node, &format!("/operator/proposal/{}?given={name}", same.id)));
    }
    let wanted = Wanted {
        organisation: visit.invitation.organisation.clone(),
        author,
        base: judged.live.registry.number(),
        changes: changes.clone(),
        documents: judged.prepared.documents.iter().map(|(name, _)| name.clone()).collect(),
        report: ShownReport::of(&judged.prepared.report),
        holds: proposals::held(&judged.held),
        note: form.field("note").chars().filter(|letter| !letter.is_control()).take(LONGEST_NOTE).collect(),
    };
    let documents = judged.prepared.documents.iter().map(|(_, octets)| octets.clone()).collect();
    match node.office().propose(&judged.live, wanted, documents, false).await {
        Ok(number) => {
            tracing::info!(proposal = number, invitation = visit.invitation.id, "a proposal was handed in");
            Ok(visit.onward(node, &format!("/operator/proposal/{number}?given={name}")))
        }
        Err(ProposalFailed::Refused(refused)) => {
            let mut view = judged.view(node, visit, name);
            view.problem = Some(super::proposal::refused_words(node, visit, &refused));
            Ok(visit.page(node, StatusCode::UNPROCESSABLE_ENTITY, OperatorPage::Review(&view)))
        }
        Err(failed) => Err(super::failed(node, visit, &failed)),
    }
}

/// The secret that was made with a proposal, for whoever gave its file and has it in this browser: the proposal has a keyed hash of it, and the file's
/// record the secret.
pub(super) async fn secret_of(
    node: &Node,
    visit: &Visit,
    name: &str,
    proposal: &Proposal,
) -> Option<SecretView> {
    let Opened { given, .. } = given::open(node, visit, name).await.ok()??;
    proposal.changes.iter().find_map(|change| {
        let Change::AddMetadata { id, entry } = change else { return None };
        let Entry::OidcClient { settings, .. } = &**entry else { return None };
        let client_id = change::name_of(id);
        let hash = settings.secret.as_ref()?;
        hash.verify(&node.client_secrets, &client_id, &given.fresh)
            .then(|| SecretView { client_id, secret: given.fresh.clone() })
    })
}
