//! A test sign-in at one's own provider, as it is registered or as a proposal has it: chosen here, shown here, once, in the browser that began it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Query, Request, State},
    response::Response,
};
use broker_core::{
    attribute::AttributeName,
    failure::{Failure, FailureCode},
    identifier::{ProviderId, RelyingPartyId},
    routing::{self, Peers as _},
};
use broker_store::{
    record::Handle,
    vault::{Found, VaultError},
};
use http::{HeaderMap, StatusCode};
use metadata::{
    Registry,
    desk::Proposal,
    revision::{Entry, EntryId},
};
use serde::Deserialize;

use super::{
    draft::{self, Draft, NotTried},
    place,
    visit::{self, Form, Instead, Visit},
};
use crate::{
    drive::{
        Step,
        trial::{self, TrialResult, Wanted},
    },
    moment,
    page::{
        CheckRow, NamedValue, OperatorMessage, OperatorPage, Problem, Reader, ReleaseRow, ToldRow,
        TrialFormView, TrialView,
    },
    wiring::Node,
};

/// Relying parties that one can choose among.
const MOST_RELYING_PARTIES: usize = 500;

/// What the page is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    proposal: Option<u64>,
}

/// What can be tried here.
struct Choice {
    providers: Vec<NamedValue>,
    relying_parties: Vec<NamedValue>,
    draft: Option<(ProviderId, Draft)>,
    not_tried: Option<NotTried>,
}

/// GET `/operator/try`
pub(super) async fn show(
    State(node): State<Arc<Node>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let shown = async {
        let visit = Visit::of(&node, &headers).await?;
        let choice = choice(&node, &visit, asked.proposal).await?;
        Ok(page(&node, &visit, &choice, StatusCode::OK, None))
    };
    shown.await.unwrap_or_else(|instead: Instead| *instead)
}

/// POST `/operator/try`
pub(super) async fn begin(State(node): State<Arc<Node>>, request: Request<Body>) -> Response {
    let headers = request.headers().clone();
    let begun = async {
        let (visit, form) = visit::sent(&node, request).await?;
        begun(&node, &visit, &form, headers).await
    };
    begun.await.unwrap_or_else(|instead: Instead| *instead)
}

async fn begun(
    node: &Arc<Node>,
    visit: &Visit,
    form: &Form,
    headers: HeaderMap,
) -> Result<Response, Instead> {
    let asked = Some(form.field("proposal")).filter(|number| !number.is_empty());
    let asked = asked.map(str::parse).transpose().map_err(|_| visit.message(node, OperatorMessage::Form))?;
    let choice = choice(node, visit, asked).await?;
    if choice.not_tried.is_some() {
        return Ok(page(node, visit, &choice, StatusCode::UNPROCESSABLE_ENTITY, None));
    }
    let (provider, draft) = match &choice.draft {
        Some((provider, draft)) => (provider.clone(), Some(draft.clone())),
        None => (ProviderId::from(form.field("provider")), None),
    };
    let relying_party = Some(form.field("relying_party")).filter(|id| !id.is_empty() && draft.is_none());
    let is_one = |list: &[NamedValue], id: &str| list.iter().any(|one| one.value == id);
    if draft.is_none() && !is_one(&choice.providers, provider.as_str())
        || relying_party.is_some_and(|id| !is_one(&choice.relying_parties, id))
    {
        return Err(visit.message(node, OperatorMessage::Form));
    }
    let wanted = Wanted {
        provider,
        organisation: visit.invitation.organisation.clone(),
        draft,
        relying_party: relying_party.map(RelyingPartyId::from),
        language: visit.language.clone(),
        place: visit.place(),
    };
    match Step::new(node, headers).begin_trial(wanted).await {
        Ok(response) => Ok(response),
        Err(failure) => {
            tracing::info!(
                code = failure.code.as_str(),
                cause = failure.cause,
                "a test sign-in did not begin"
            );
            let text = mend(node, visit, failure.code);
            let problem = Problem { field: "", text: format!("{text} ({})", failure.code.as_str()) };
            Ok(page(node, visit, &choice, StatusCode::UNPROCESSABLE_ENTITY, Some(problem)))
        }
    }
}

/// GET `/operator/try/{result}`: shown once, and gone.
pub(super) async fn result(
    State(node): State<Arc<Node>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let shown = async {
        let visit = Visit::of(&node, &headers).await?;
        let gone = || visit.message(&node, OperatorMessage::Shown);
        let name = Handle::parse(&name).ok_or_else(gone)?;
        let place = trial::result_place(&name, visit.binding());
        match node.vault.take::<TrialResult, ()>(moment::moment(), place, &()).await {
            Ok(Found::Live(result)) if result.wanted.organisation == visit.invitation.organisation => {
                let view = view(&node, &visit, &result);
                Ok(visit.page(&node, StatusCode::OK, OperatorPage::Trial(&view)))
            }
            Ok(_) | Err(VaultError::Corrupt) => Err(gone()),
            Err(error) => Err(visit::away(&node, &visit.language, &error, false)),
        }
    };
    shown.await.unwrap_or_else(|instead: Instead| *instead)
}

/// Whether whoever is here may try a proposal: its author, as long as something can become of it.
pub(super) fn may_try(visit: &Visit, proposal: &Proposal) -> bool {
    proposal.organisation == visit.invitation.organisation
        && proposal.author.is_same_person(&visit.invitation.actor())
}

async fn choice(node: &Node, visit: &Visit, asked: Option<u64>) -> Result<Choice, Instead> {
    let mut choice =
        Choice { providers: Vec::new(), relying_parties: Vec::new(), draft: None, not_tried: None };
    let live = super::live(node, visit).await?;
    if let Some(number) = asked {
        let own = |proposal: &&Proposal| may_try(visit, proposal);
        let found = visit.desk.proposals.get(&number).filter(own);
        found.ok_or_else(|| visit.message(node, OperatorMessage::Gone))?;
        let judged = node.office().judged(&live, number).await;
        match draft::tried(&judged.map_err(|failed| super::failed(node, visit, &failed))?) {
            Ok(draft) => choice.draft = Some(draft),
            Err(not_tried) => choice.not_tried = Some(not_tried),
        }
        return Ok(choice);
    }
    let registry = &live.registry;
    let wanted = std::slice::from_ref(&visit.language);
    let organisation = Some(&visit.invitation.organisation);
    for (id, entry) in &registry.manifest().entries {
        if let (EntryId::SamlProvider(id), Entry::SamlProvider { .. }) = (id, entry)
            && entry.organisation() == organisation
            && let Some(provider) = registry.saml_provider(id)
        {
            let name = provider.policy.display_name.best(wanted).unwrap_or(id.as_str()).to_owned();
            choice.providers.push(NamedValue { value: id.to_string(), name });
        }
    }
    let own: Vec<_> = choice
        .providers
        .iter()
        .filter_map(|one| registry.provider(&ProviderId::from(one.value.as_str())))
        .collect();
    choice.relying_parties = registry
        .oidc_clients()
        .filter(|client| {
            let mut voices = own.iter().flat_map(|provider| provider.voices());
            voices.any(|voice| routing::open_to(voice, &client.policy, &**registry).is_ok())
        })
        .take(MOST_RELYING_PARTIES)
        .map(|client| NamedValue {
            value: client.client_id.to_string(),
            name: client.policy.display_name.best(wanted).unwrap_or(client.client_id.as_str()).to_owned(),
        })
        .collect();
    choice.relying_parties.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(choice)
}

fn page(
    node: &Node,
    visit: &Visit,
    choice: &Choice,
    status: StatusCode,
    problem: Option<Problem>,
) -> Response {
    let view = TrialFormView {
        organisation: place::organisation_name(node, visit),
        token: visit.token(node),
        proposal: choice.draft.as_ref().map(|(_, draft)| draft.proposal),
        provider: choice.draft.as_ref().map(|(provider, _)| provider.to_string()),
        not_tried: choice.not_tried.map(|not_tried| match not_tried {
            NotTried::Over => "over",
            NotTried::NotOneProvider => "other",
            NotTried::Bounds => "bounds",
        }),
        providers: choice.providers.clone(),
        relying_parties: choice.relying_parties.clone(),
        problem,
    };
    visit.page(node, status, OperatorPage::TrialForm(&view))
}

/// What the provider's operator is told of a failure.
fn mend(node: &Node, visit: &Visit, code: FailureCode) -> String {
    let service = node.pages.operator_text(&visit.language, "operator-try-service", &[]);
    let organisation = place::organisation_name(node, visit);
    node.pages.failure_text(&visit.language, code, Reader::ProviderOperator, &service, &organisation)
}

fn view(node: &Node, visit: &Visit, result: &TrialResult) -> TrialView {
    let registry: Arc<Registry> = node.registry.any();
    let wanted = std::slice::from_ref(&visit.language);
    let failure = result.failure.as_ref().map(|(code, cause)| Failure::new(*code, cause.clone()));
    let asserted = result.asserted.as_ref();
    let label = |name: AttributeName| node.pages.attribute_label(&visit.language, name);
    let relying_party = result.wanted.relying_party.as_ref().map(|id| {
        let known = registry.relying_party(id);
        known
            .and_then(|known| known.display_name.best(wanted).map(str::to_owned))
            .unwrap_or_else(|| id.to_string())
    });
    let proven = asserted.and_then(|asserted| asserted.organisation.as_ref()).map(|number| {
        let known = registry.organisation(number);
        let name = known.and_then(|known| known.name.best(wanted)).unwrap_or_default();
        format!("{name} ({number})").trim().to_owned()
    });
    let mut checks: Vec<CheckRow> = result
        .checks
        .iter()
        .map(|check| CheckRow {
            id: check.id.clone(),
            spec: check.spec.clone(),
            rule: check.rule.clone(),
            verdict: check.verdict.clone(),
            expected: check.expected.clone(),
            found: check.found.clone(),
        })
        .collect();
    let broken = checks.iter().position(|check| check.verdict == "failed").map(|at| checks.remove(at));
    let count = |verdict: &str| result.checks.iter().filter(|check| check.verdict == verdict).count();
    TrialView {
        organisation: place::organisation_name(node, visit),
        provider: result.wanted.provider.to_string(),
        proposal: result.wanted.draft.as_ref().map(|draft| draft.proposal),
        draft_gone: result.draft_gone,
        at: result.at,
        reference: result.reference.to_string(),
        passed: count("passed"),
        code: failure.as_ref().map(|failure| failure.code.as_str().to_owned()),
        cause: failure.as_ref().filter(|_| broken.is_none()).map(|failure| failure.cause.clone()),
        mend: failure.as_ref().map(|failure| mend(node, visit, failure.code)),
        broken,
        checks,
        proven: asserted.is_some(),
        proven_organisation: proven,
        authenticated_at: asserted.map(|asserted| asserted.authenticated_at),
        level: asserted.and_then(|asserted| asserted.level.as_ref()).map(|level| level.as_str().to_owned()),
        level_leaving: asserted
            .and_then(|asserted| asserted.level_leaving.as_ref())
            .map(|level| level.as_str().to_owned()),
        source: asserted.map(|asserted| asserted.source.clone()),
        source_is_there: asserted.is_some_and(|asserted| asserted.source_is_there),
        subject: asserted.and_then(|asserted| asserted.subject.clone()),
        told: asserted
            .map(|asserted| {
                let rows = asserted.told.iter().map(|(name, values, fate)| ToldRow {
                    name: label(*name),
                    key: name.key(),
                    values: values.clone(),
                    fate: fate.clone(),
                });
                rows.collect()
            })
            .unwrap_or_default(),
        unread: asserted.map(|asserted| asserted.unread.clone()).unwrap_or_default(),
        leaving: asserted
            .map(|asserted| {
                let rows = asserted.leaving.iter();
                rows.map(|(name, values)| ReleaseRow { name: label(*name), values: values.clone() }).collect()
            })
            .unwrap_or_default(),
        relying_party,
    }
}
