//! A proposal: how it goes, and what whoever looks may do with it. Nobody approves what they handed in themselves.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Query, Request, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use metadata::{
    desk::{Awaiting, DeskRefused, Happened, Proposal, Right, State as ProposalState},
    lint::{Place, Severity},
};
use serde::Deserialize;

use super::{
    change, draft, lines, place, review,
    visit::{self, Form, Instead, Visit},
};
use crate::{
    page::{
        Argument, EntryView, EventView, FindingView, May, OperatorMessage, OperatorPage, Problem,
        ProposalView, SecretView,
    },
    proposals::{self, ProposalFailed},
    wiring::Node,
};

/// Characters of a reason.
const LONGEST_REASON: usize = 300;
/// Findings that are shown.
const MOST_FINDINGS: usize = 50;

/// The file that a proposal was made of, just now and in this browser.
#[derive(Debug, Default, Deserialize)]
pub(super) struct From {
    given: Option<String>,
}

/// GET `/operator/proposal/{number}`
pub(super) async fn show(
    State(node): State<Arc<Node>>,
    Path(number): Path<u64>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Response {
    let shown = async {
        let visit = Visit::of(&node, &headers).await?;
        let proposal = own(&node, &visit, number)?.clone();
        let mut secret = None;
        let mut received = false;
        if let Some(name) = from.given.as_deref()
            && proposal.author.is_same_person(&visit.invitation.actor())
        {
            received = proposal.state == ProposalState::Validated;
            secret = review::secret_of(&node, &visit, name, &proposal).await;
        }
        page(&node, &visit, &proposal, Shown { received, secret, problem: None }).await
    };
    shown.await.unwrap_or_else(|instead: Instead| *instead)
}

/// POST `/operator/proposal/{number}`
pub(super) async fn act(
    State(node): State<Arc<Node>>,
    Path(number): Path<u64>,
    request: Request<Body>,
) -> Response {
    let done = async {
        let (visit, form) = visit::sent(&node, request).await?;
        acted(&node, &visit, number, &form).await
    };
    done.await.unwrap_or_else(|instead: Instead| *instead)
}

/// A proposal of the visit's own organisation; of others there is none.
fn own<'v>(node: &Node, visit: &'v Visit, number: u64) -> Result<&'v Proposal, Instead> {
    let own = |proposal: &&Proposal| proposal.organisation == visit.invitation.organisation;
    let found = visit.desk.proposals.get(&number).filter(own);
    found.ok_or_else(|| visit.message(node, OperatorMessage::Gone))
}

async fn acted(node: &Arc<Node>, visit: &Visit, number: u64, form: &Form) -> Result<Response, Instead> {
    let proposal = own(node, visit, number)?.clone();
    let by = visit.invitation.actor();
    let office = node.office();
    let may_decide = visit.invitation.right == Right::Publish;
    let said = |key: &str, arguments: &[(&str, Argument<'_>)]| Problem {
        field: "",
        text: node.pages.operator_text(&visit.language, key, arguments),
    };
    let did = form.field("do");
    let outcome = match did {
        "withdraw" => office.withdraw(number, &by).await,
        "approve" | "decline" | "publish" if !may_decide => {
            return undone(node, visit, &proposal, said("operator-refused-right", &[])).await;
        }
        "approve" => office.approve(&super::live(node, visit).await?, number, &by).await.map(|_| ()),
        "decline" => {
            let reason: String = form.field("reason").chars().take(LONGEST_REASON).collect();
            office.decline(number, &by, &reason).await
        }
        "publish" => {
            let mut live = super::live(node, visit).await?;
            office.publish(&mut live, number, &by, None, "").await.map(|_| ())
        }
        _ => return Err(visit.message(node, OperatorMessage::Form)),
    };
    let problem = match outcome {
        Ok(()) => {
            tracing::info!(proposal = number, invitation = visit.invitation.id, did, "a proposal moved on");
            return Ok(visit.onward(node, &format!("/operator/proposal/{number}")));
        }
        Err(ProposalFailed::Refused(DeskRefused::NoReason)) => {
            let author = [("author", Argument::Text(proposal.author.name()))];
            Problem { field: "reason", ..said("operator-reason-missing", &author) }
        }
        Err(ProposalFailed::Refused(refused)) => refused_words(node, visit, &refused),
        Err(ProposalFailed::Rules(_)) => said("operator-refused-rules", &[]),
        Err(failed) => return Err(super::failed(node, visit, &failed)),
    };
    undone(node, visit, &proposal, problem).await
}

/// The page after a press that did nothing.
async fn undone(
    node: &Node,
    visit: &Visit,
    proposal: &Proposal,
    problem: Problem,
) -> Result<Response, Instead> {
    // What it has become meanwhile is shown, not what it was when the press came.
    let desk = visit::desk(node, &visit.language).await?;
    let proposal = desk.proposals.get(&proposal.id).unwrap_or(proposal);
    let mut response =
        page(node, visit, proposal, Shown { received: false, secret: None, problem: Some(problem) }).await?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// Why something does not happen, to a person.
pub(super) fn refused_words(node: &Node, visit: &Visit, refused: &DeskRefused) -> Problem {
    let why = refused.to_string();
    let (key, arguments): (&str, &[(&str, Argument<'_>)]) = match refused {
        DeskRefused::OwnProposal(..) => ("operator-refused-own", &[]),
        DeskRefused::WrongState { .. } | DeskRefused::Unknown(_) => ("operator-refused-state", &[]),
        DeskRefused::NothingChanges => ("operator-refused-nothing", &[]),
        DeskRefused::TooMany(_) => ("operator-refused-many", &[]),
        DeskRefused::Stale(_) => ("operator-refused-stale", &[]),
        DeskRefused::ApprovedAlready(..) => ("operator-refused-again", &[]),
        _ => ("operator-refused-registry", &[("why", Argument::Text(&why))]),
    };
    Problem { field: "", text: node.pages.operator_text(&visit.language, key, arguments) }
}

/// What a page of a proposal shows beside it.
struct Shown {
    received: bool,
    secret: Option<SecretView>,
    problem: Option<Problem>,
}

async fn page(node: &Node, visit: &Visit, proposal: &Proposal, shown: Shown) -> Result<Response, Instead> {
    let tongue = visit.tongue();
    // What changes is told while it can still change something; afterwards what is live is another.
    let live = super::live(node, visit).await?;
    let judged = node.office().judged(&live, proposal.id).await;
    let judged = judged.map_err(|failed| super::failed(node, visit, &failed))?;
    let entries = if proposal.is_open() {
        change::described(&judged.words, tongue)
    } else {
        let named = proposal.changes.iter().filter_map(change::entry_of);
        named.map(|id| EntryView { id: change::name_of(&id), sentences: Vec::new() }).collect()
    };
    let holds = if proposal.is_open() { proposals::held(&judged.holds) } else { proposal.holds.clone() };
    let actor = visit.invitation.actor();
    let is_own = proposal.author.is_same_person(&actor);
    let decides = proposal.is_open() && !is_own && visit.invitation.right == Right::Publish;
    let approved = proposal.approvals.iter().any(|approval| approval.by.is_same_person(&actor));
    let needed = match &judged.awaiting {
        _ if !proposal.is_open() => 0,
        Awaiting::Nothing => 0,
        Awaiting::Approval => 1,
        Awaiting::SecondApproval { more, .. } => *more,
    };
    let view = ProposalView {
        organisation: place::organisation_name(node, visit),
        token: visit.token(node),
        action: format!("/operator/proposal/{}", proposal.id),
        number: proposal.id,
        state: place::state(&proposal.state),
        revision: place::revision(&proposal.state),
        reason: match &proposal.state {
            ProposalState::Declined { reason } => Some(reason.clone()),
            _ => None,
        },
        received: shown.received,
        secret: shown.secret,
        needed,
        author: proposal.author.name().to_owned(),
        at: proposal.at,
        note: proposal.note.clone(),
        entries,
        holds: change::shown_holds(&holds, tongue),
        findings: findings(node, visit, proposal),
        may: May {
            withdraw: proposal.is_open() && is_own,
            approve: decides && !approved && judged.awaiting != Awaiting::Nothing,
            publish: decides && judged.awaiting == Awaiting::Nothing,
            decline: decides,
            try_it: proposal.is_open() && is_own && draft::tried(&judged).is_ok(),
        },
        history: proposal
            .history
            .iter()
            .map(|event| EventView {
                at: event.at,
                what: node.pages.operator_text(&visit.language, happened(&event.what), &[]),
                by: event.by.as_ref().map(|by| by.name().to_owned()),
            })
            .collect(),
        problem: shown.problem,
    };
    Ok(visit.page(node, StatusCode::OK, OperatorPage::Proposal(&view)))
}

fn happened(what: &Happened) -> &'static str {
    match what {
        Happened::Made => "operator-happened-made",
        Happened::Validated => "operator-happened-validated",
        Happened::Approved => "operator-happened-approved",
        Happened::Published { .. } => "operator-happened-published",
        Happened::PublishedDespiteHold { .. } => "operator-happened-published-despite",
        Happened::Superseded { .. } => "operator-happened-superseded",
        Happened::Withdrawn => "operator-happened-withdrawn",
        Happened::Declined { .. } => "operator-happened-declined",
    }
}

/// What was found when it was made, in the words of then.
fn findings(node: &Node, visit: &Visit, proposal: &Proposal) -> Vec<FindingView> {
    let tongue = visit.tongue();
    let words = |key: &str, arguments: &[(&str, Argument<'_>)]| {
        node.pages.operator_text(&visit.language, key, arguments)
    };
    let shown = proposal.report.findings.iter().take(MOST_FINDINGS).enumerate();
    shown
        .map(|(at, finding)| {
            let said = change::words(finding, tongue);
            let number = |name: &str| {
                let value = finding.rest.get("place")?.get(name)?.as_u64()?;
                u32::try_from(value).ok()
            };
            let place = match (number("line"), number("column")) {
                (Some(line), Some(column)) => Place::At { line, column },
                _ => Place::File,
            };
            FindingView {
                id: format!("finding-{}", at + 1),
                severity: lines::severity(finding.severity),
                word: Severity::word(finding.severity, tongue),
                what: said.what.clone(),
                why: said.why.clone(),
                fix: said.fix.clone(),
                rule: finding.rule.clone(),
                place: lines::place_words(lines::position("", &place), &words),
                about: finding
                    .rest
                    .get("about")
                    .and_then(|about| about.as_str())
                    .map(str::to_owned)
                    .filter(|_| proposal.changes.len() > 1),
                shown: false,
            }
        })
        .collect()
}
