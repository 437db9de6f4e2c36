//! One of each page of the door for operators, filled with fictional names, as `sample.rs` has the others.

use broker_core::{identifier::Language, moment::Timestamp};
use minijinja::Error;

use super::{
    BoundRow, EntryView, EventView, FindingGroup, FindingView, HoldView, Html, InvitationView, KeyRow,
    LineRow, May, OperatorMessage, OperatorPage, Pages, PartyView, PlaceView, Problem, ProposalRow,
    ProposalView, ProviderCard, ReviewView, SecretView, ServiceCard, SubmitView, Verdict,
    operator_trial::{CheckRow, NamedValue, ReleaseRow, ToldRow, TrialFormView, TrialView},
};

const AT: Timestamp = Timestamp(1_795_336_200);

/// Every page, as [`super::sample::every_page`] has them.
pub(super) fn every_page(
    pages: &Pages,
    language: &Language,
    text: &str,
) -> Vec<(&'static str, Result<Html, Error>)> {
    let said = || text.to_owned();
    let draw = |page: OperatorPage<'_>| pages.try_operator(language, page);
    let mut drawn = vec![(
        "operator_invitation",
        draw(OperatorPage::Invitation(&InvitationView {
            organisation: said(),
            holder: said(),
            purpose: Some(said()),
            link: "abcdefgh".to_owned(),
            expires: AT,
        })),
    )];
    for message in OperatorMessage::ALL {
        drawn.push(("operator_message", draw(OperatorPage::Message(*message, Some("ABCD-EFGH")))));
    }
    for full in [true, false] {
        drawn.push(("operator_place", draw(OperatorPage::Place(&place(text, full)))));
        let problem = full.then(|| Problem { field: "url", text: said() });
        let submit = SubmitView {
            organisation: said(),
            token: "token".to_owned(),
            megabytes: 2,
            problem,
            url: said(),
            text: said(),
        };
        drawn.push(("operator_submit", draw(OperatorPage::Submit(&submit))));
        drawn.push(("operator_proposal", draw(OperatorPage::Proposal(&proposal(text, full)))));
    }
    for verdict in [Verdict::Refused, Verdict::Asks, Verdict::Good] {
        drawn.push(("operator_review", draw(OperatorPage::Review(&review(text, verdict)))));
    }
    for not_tried in [None, Some("over"), Some("other"), Some("bounds")] {
        drawn.push(("operator_try", draw(OperatorPage::TrialForm(&trial_form(text, not_tried)))));
    }
    for fate in ["leaves", "not_wanted", "not_kept", "not_agreed", "several", "outside", "login_failed"] {
        drawn.push(("operator_tried", draw(OperatorPage::Trial(&trial(text, fate)))));
    }
    drawn
}

fn trial_form(text: &str, not_tried: Option<&'static str>) -> TrialFormView {
    let said = || text.to_owned();
    let one = || NamedValue { value: said(), name: said() };
    TrialFormView {
        organisation: said(),
        token: "token".to_owned(),
        proposal: not_tried.map(|_| 12),
        provider: not_tried.map(|_| said()),
        not_tried,
        providers: vec![one(), one()],
        relying_parties: vec![one()],
        problem: not_tried.is_none().then(|| Problem { field: "", text: said() }),
    }
}

fn trial(text: &str, fate: &str) -> TrialView {
    let said = || text.to_owned();
    let check = |verdict: &str| CheckRow {
        id: "conditions.audience".to_owned(),
        spec: "SAML Core 2.5.1.4".to_owned(),
        rule: said(),
        verdict: verdict.to_owned(),
        expected: said(),
        found: said(),
    };
    let fails = fate != "leaves";
    TrialView {
        organisation: said(),
        provider: said(),
        proposal: fails.then_some(12),
        draft_gone: fate == "several",
        at: AT,
        reference: "ABCD-EFGH".to_owned(),
        passed: 40,
        code: fails.then(|| "provider.audience_mismatch".to_owned()),
        cause: (fate == "outside").then(said),
        mend: fails.then(said),
        broken: (fate == "login_failed").then(|| check("failed")),
        checks: vec![check("passed"), check("not_applicable"), check("not_reached")],
        proven: fate != "login_failed",
        proven_organisation: Some(said()),
        authenticated_at: Some(AT),
        level: Some(said()),
        level_leaving: (!fails).then(said),
        source: Some("subject_id".to_owned()),
        source_is_there: !fails,
        subject: (!fails).then(said),
        told: vec![ToldRow { name: said(), key: "mail", values: vec![said()], fate: fate.to_owned() }],
        unread: vec![said()],
        leaving: if fails { Vec::new() } else { vec![ReleaseRow { name: said(), values: vec![said()] }] },
        relying_party: fails.then(said),
    }
}

fn place(text: &str, full: bool) -> PlaceView {
    let said = || text.to_owned();
    let row =
        ProposalRow { number: 12, about: said(), state: "validated", revision: None, author: said(), at: AT };
    let key = KeyRow {
        usage: "signing",
        kind: "RSA 3072".to_owned(),
        fingerprint: "0123456789ab".to_owned(),
        expires: Some(AT),
        days: 12,
        urgent: true,
        signs: true,
        seen: Some(AT),
        compromised: true,
    };
    let spare = KeyRow {
        usage: "encryption",
        expires: None,
        urgent: false,
        signs: false,
        seen: None,
        compromised: false,
        ..key.clone()
    };
    let expired = KeyRow { usage: "both", days: -3, seen: None, compromised: false, ..key.clone() };
    let provider = ProviderCard {
        name: said(),
        id: said(),
        states: vec!["suspended", "hidden", "withheld", "no-key"],
        valid_until: Some(AT),
        keys: vec![key, spare, expired],
    };
    let service = |method| ServiceCard {
        name: said(),
        id: said(),
        states: vec!["withheld"],
        method,
        addresses: vec![said()],
    };
    let states = ["draft", "approved", "published", "superseded", "withdrawn", "declined"];
    PlaceView {
        organisation: said(),
        number: "2120009903".to_owned(),
        holder: said(),
        expires: AT,
        token: "token".to_owned(),
        open: if full { vec![row.clone()] } else { Vec::new() },
        closed: states
            .iter()
            .filter(|_| full)
            .map(|state| ProposalRow { state, revision: Some(7), ..row.clone() })
            .collect(),
        providers: if full { vec![provider] } else { Vec::new() },
        services: ["client_secret_basic", "client_secret_post", "private_key_jwt"]
            .into_iter()
            .filter(|_| full)
            .map(service)
            .collect(),
        bounds: ["domains", "scopes", "hsa", "ceiling"]
            .map(|what| BoundRow { what, allowed: if full { vec![said()] } else { Vec::new() } })
            .to_vec(),
    }
}

fn finding(text: &str, severity: &'static str, shown: bool) -> FindingView {
    let said = || text.to_owned();
    FindingView {
        id: format!("finding-{severity}"),
        severity,
        word: "fel",
        what: said(),
        why: said(),
        fix: said(),
        rule: "saml.idp.signing_key_missing".to_owned(),
        place: said(),
        about: Some(said()),
        shown,
    }
}

fn hold(text: &str) -> HoldView {
    HoldView { what: text.to_owned(), why: text.to_owned(), fix: format!("1. {text}\n2. {text}") }
}

fn review(text: &str, verdict: Verdict) -> ReviewView {
    let said = || text.to_owned();
    let asks = verdict == Verdict::Asks;
    let group = |severity, shown| FindingGroup {
        severity,
        count: 60,
        findings: vec![finding(text, severity, shown)],
        more: 59,
    };
    let line = LineRow { number: 12, text: said(), findings: vec![finding(text, "error", true)], skipped: 0 };
    let gap = LineRow { number: 0, text: String::new(), findings: Vec::new(), skipped: 11 };
    ReviewView {
        organisation: said(),
        token: "token".to_owned(),
        action: "/operator/file/x".to_owned(),
        verdict,
        errors: 60,
        file: said(),
        size: 12,
        at: AT,
        questions: if asks { vec!["client_id", "subject_source"] } else { Vec::new() },
        sources: vec![
            "subject_id",
            "pairwise_id",
            "persistent_name_id",
            "org_affiliation",
            "employee_hsa_id",
        ],
        subject_source: "subject_id",
        client_id: said(),
        note: said(),
        parties: [true, false]
            .map(|renewed| PartyView { name: said(), id: said(), renewed, sentences: vec![said()] })
            .to_vec(),
        holds: vec![hold(text)],
        groups: vec![group("error", true), group("warning", false), group("note", false)],
        lines: vec![gap, line],
        lines_shown: 1,
        lines_total: 12,
        problem: Some(Problem { field: "", text: said() }),
        report: said(),
    }
}

fn proposal(text: &str, full: bool) -> ProposalView {
    let said = || text.to_owned();
    ProposalView {
        organisation: said(),
        token: "token".to_owned(),
        action: "/operator/proposal/12".to_owned(),
        number: 12,
        state: if full { "validated" } else { "declined" },
        revision: None,
        reason: (!full).then(said),
        received: full,
        secret: full.then(|| SecretView { client_id: said(), secret: said() }),
        needed: usize::from(full),
        author: said(),
        at: AT,
        note: said(),
        entries: vec![EntryView { id: said(), sentences: vec![said()] }],
        holds: vec![hold(text)],
        findings: vec![finding(text, "warning", false)],
        may: May { withdraw: full, approve: full, publish: !full, decline: true, try_it: full },
        history: vec![EventView { at: AT, what: said(), by: Some(said()) }],
        problem: (!full).then(|| Problem { field: "reason", text: said() }),
    }
}

#[cfg(test)]
mod tests;
