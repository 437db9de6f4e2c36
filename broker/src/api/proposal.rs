//! Proposals of the organisation: looked at, approved, declined, withdrawn, published. One of another organisation is as one that there is not.

use axum::response::Response;
use http::header;
use metadata::{
    desk::{Awaiting, Proposal},
    revision::document_name,
};

use super::{
    answer::{
        Approved, Awaits, Decline, EntryChange, Finding, ProposalDetail, ProposalSummary, Proposals,
        Published, written,
    },
    discreet::Others,
    openapi,
    problem::{Kind, Problem},
    serve::{Call, json, lists, versioned},
};
use crate::{
    proposals::{self, Judged, ProposalFailed},
    registry_edit::Live,
};

/// More than these are not listed.
const MOST_LISTED: usize = 200;

/// GET `/v1/proposals`
pub(super) async fn list(call: Call) -> Result<Response, Problem> {
    let open = call.flag("open")?;
    let (live, organisation, actor) = (call.live().await?, &call.token()?.organisation, call.actor()?);
    proposals::reconcile(call.node.office(), &live).await?;
    let desk = call.node.desk.read(&**call.node.vault.store()).await?;
    let own = desk.proposals.values().rev().filter(|one| one.organisation == *organisation);
    let wanted = own.filter(|one| !open || one.is_open()).take(MOST_LISTED);
    Ok(json(200, &Proposals { proposals: wanted.map(|one| ProposalSummary::of(one, &actor)).collect() }))
}

/// The proposal of the path, if it is one of the asker's organisation.
async fn own(call: &Call) -> Result<Proposal, Problem> {
    let number = call.number()?;
    let desk = call.node.desk.read(&**call.node.vault.store()).await?;
    let own = desk
        .proposals
        .get(&number)
        .filter(|one| call.token().is_ok_and(|token| token.organisation == one.organisation));
    own.cloned().ok_or_else(|| Kind::NOT_FOUND.into())
}

/// The same, with everything that is known of it now, and what is live.
async fn judged(call: &Call) -> Result<(ProposalDetail, Judged, Live), Problem> {
    let number = own(call).await?.id;
    let live = call.live().await?;
    proposals::reconcile(call.node.office(), &live).await?;
    let judged = call.node.office().judged(&live, number).await?;
    let others = Others::than(&call.token()?.organisation, &live.registry);
    let (approvals, history) = ProposalDetail::happenings(&judged.proposal);
    let detail = if judged.proposal.is_open() {
        let names = judged.proposal.documents().map(str::to_owned).collect::<Vec<_>>();
        let documents = call.node.edits.documents(&**call.node.vault.store(), names).await?;
        let file: String = documents.values().map(|octets| String::from_utf8_lossy(octets)).collect();
        ProposalDetail {
            findings: Finding::all(&others.leave_out(judged.report.clone(), &file)),
            changes: EntryChange::all(&judged.words),
            holds: Finding::all(&others.leave_out(judged.holds.clone(), &file)),
            awaits: Awaits::of(&judged.awaiting),
            summary: ProposalSummary::of(&judged.proposal, &call.actor()?),
            base: judged.proposal.base,
            approvals,
            history,
        }
    } else {
        let kept = &judged.proposal;
        ProposalDetail {
            findings: Finding::all(&others.leave_out_kept(&kept.report.findings)),
            changes: Vec::new(),
            holds: Finding::all(&others.leave_out_kept(kept.holds.iter().map(|hold| &hold.0))),
            awaits: Awaits::Closed,
            summary: ProposalSummary::of(kept, &call.actor()?),
            base: kept.base,
            approvals,
            history,
        }
    };
    Ok((detail, judged, live))
}

/// The version of a proposal as it is shown.
fn etag(detail: &ProposalDetail) -> (String, String) {
    let body = written(detail);
    (format!("\"{}\"", document_name(body.as_bytes())), body)
}

/// GET `/v1/proposals/{number}`
pub(super) async fn read(call: Call) -> Result<Response, Problem> {
    let (detail, ..) = judged(&call).await?;
    let (etag, body) = etag(&detail);
    Ok(versioned(&call, &etag, openapi::JSON, body))
}

/// POST `/v1/proposals/{number}/approve`
pub(super) async fn approve(call: Call) -> Result<Response, Problem> {
    let (detail, judged, live) = judged(&call).await?;
    let (number, actor) = (judged.proposal.id, call.actor()?);
    if judged.proposal.author.is_same_person(&actor) {
        return Err(Kind::OWN_PROPOSAL.of(number));
    }
    let is_given = call.headers.contains_key(header::IF_MATCH);
    // What the ETag stands for is what this person has seen; for another reader it is another one only where `is_own` is.
    if is_given && !lists(&call.headers, &header::IF_MATCH, &etag(&detail).0) {
        return Err(Kind::PRECONDITION.into());
    }
    let any = call.headers.get(header::IF_MATCH).is_some_and(|value| value.as_bytes().trim_ascii() == b"*");
    if judged.proposal.is_open() && !judged.holds.findings.is_empty() && (!is_given || any) {
        return Err(Kind::SEE_HOLDS.of(number));
    }
    let awaiting =
        call.node.office().approve(&live, number, &actor).await.map_err(|failed| rules(failed, &detail))?;
    Ok(json(200, &Approved { awaits: Awaits::of(&awaiting) }))
}

/// What the rules of now refuse is told as the proposal itself tells it.
fn rules(failed: ProposalFailed, detail: &ProposalDetail) -> Problem {
    let by_rules = matches!(failed, ProposalFailed::Rules(_));
    let mut problem = Problem::from(failed);
    if by_rules {
        problem.findings.clone_from(&detail.findings);
    }
    problem
}

/// POST `/v1/proposals/{number}/decline`
pub(super) async fn decline(call: Call) -> Result<Response, Problem> {
    let decline: Decline = serde_json::from_slice(&call.body).map_err(|fault| {
        Kind::MALFORMED.case(
            format!("Innehållet är inte {{\"reason\": \"…\"}}: rad {}.", fault.line()),
            format!("The body is not {{\"reason\": \"…\"}}: line {}.", fault.line()),
        )
    })?;
    if decline.reason.trim().is_empty() || decline.reason.chars().count() > super::submission::LONGEST_NOTE {
        return Err(Kind::MALFORMED.case(
            format!("reason har 1 till {} tecken.", super::submission::LONGEST_NOTE),
            format!("reason has 1 to {} characters.", super::submission::LONGEST_NOTE),
        ));
    }
    let number = own(&call).await?.id;
    call.node.office().decline(number, &call.actor()?, &decline.reason).await?;
    Ok(json(200, &ProposalSummary::of(&own(&call).await?, &call.actor()?)))
}

/// POST `/v1/proposals/{number}/withdraw`
pub(super) async fn withdraw(call: Call) -> Result<Response, Problem> {
    let number = own(&call).await?.id;
    call.node.office().withdraw(number, &call.actor()?).await?;
    Ok(json(200, &ProposalSummary::of(&own(&call).await?, &call.actor()?)))
}

/// POST `/v1/proposals/{number}/publish`. Somebody else's alone: whoever made it does not also make it live.
pub(super) async fn publish(call: Call) -> Result<Response, Problem> {
    let (detail, judged, mut live) = judged(&call).await?;
    let (number, actor) = (judged.proposal.id, call.actor()?);
    if judged.proposal.author.is_same_person(&actor) {
        return Err(Kind::OWN_PROPOSAL.of(number));
    }
    if judged.proposal.is_open() && matches!(judged.awaiting, Awaiting::SecondApproval { .. }) {
        return Err(Kind::HELD.of(number));
    }
    let published = call.node.office().publish(&mut live, number, &actor, None, "").await;
    let revision = published.map_err(|failed| rules(failed, &detail))?;
    Ok(json(200, &Published { revision }))
}
