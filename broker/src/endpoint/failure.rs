//! How every failure becomes an answer: one line in the log, then straight back to the relying party, or a page with a way on.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use broker_core::{
    audit::{AuditLine, AuditOutcome},
    identifier::Reference,
    role::Outbound,
    routing::Peers,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    drive::{self, Trouble},
    failed::Failed,
    moment,
    page::{ErrorView, Field, PostFormView, http_status},
    respond, telemetry,
    wiring::Node,
};

/// Answers a failed step.
pub(crate) fn respond(node: &Node, headers: &HeaderMap, trouble: Trouble) -> Response {
    let moment = moment::moment();
    let reference = trouble.reference.clone().unwrap_or_else(|| Reference::from_random(moment.random()));
    telemetry::audit(&AuditLine {
        reference: reference.clone(),
        outcome: AuditOutcome::Refused,
        code: Some(trouble.failure.code),
        cause: Some(trouble.failure.cause.clone()),
        relying_party: trouble.relying_party.clone(),
        provider: trouble.provider.clone(),
        organisation: trouble.organisation.clone(),
        released: Vec::new(),
        dropped: Vec::new(),
        not_agreed: Vec::new(),
        assurance: None,
    });
    let answer = trouble
        .return_to
        .as_ref()
        .and_then(|return_to| drive::error_answer(node, return_to, &trouble.failure, moment));
    if let Some(answer) = &answer
        && drive::goes_straight_back(trouble.failure.code, trouble.silent)
        && let Some(response) = straight_back(node, headers, &trouble, answer)
    {
        return response;
    }
    let mut failed = Failed {
        code: trouble.failure.code,
        reference,
        at: moment.now,
        language: trouble.language,
        relying_party: trouble.relying_party,
        provider: trouble.provider,
        organisation: trouble.organisation,
        chosen: trouble.elsewhere.as_ref().map(|elsewhere| elsewhere.chosen.clone()),
        onward: trouble.elsewhere.map(|elsewhere| elsewhere.path),
        back: match answer {
            Some(Outbound::Redirect { url }) => Some(url),
            _ => None,
        },
    };
    let mut path = node.failed.path(&failed, moment);
    if path.as_ref().is_some_and(|path| path.len() > LONGEST_PATH) {
        // A state as long as is allowed: better the service's own start page than an address that a proxy cuts off.
        failed.back = None;
        path = node.failed.path(&failed, moment);
    }
    match path {
        Some(path) => respond::see_other(&path),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What common proxies take of an address, with room for the rest of the request's first line.
const LONGEST_PATH: usize = 6_000;

/// `None`: the address is none that a page may lead to.
fn straight_back(node: &Node, headers: &HeaderMap, trouble: &Trouble, answer: &Outbound) -> Option<Response> {
    let language = trouble.language.clone().unwrap_or_else(|| node.language(&[], headers));
    let registry = node.registry.any();
    let name = trouble
        .relying_party
        .as_ref()
        .and_then(|id| registry.relying_party(id))
        .and_then(|policy| policy.display_name.best(std::slice::from_ref(&language)).map(str::to_owned))
        .unwrap_or_default();
    let page = match answer {
        Outbound::Redirect { url }
            if trouble.failure.code == broker_core::failure::FailureCode::NoticeDeclined =>
        {
            // After the notice's form: see `onward::answered`.
            node.pages.onward(&language, &crate::page::OnwardView { href: url, destination_name: &name })
        }
        Outbound::Redirect { url } => return Some(respond::see_other(url)),
        Outbound::Post { action, fields } => {
            let fields: Vec<Field> = fields
                .iter()
                .map(|(name, value)| Field { name: name.clone(), value: value.clone() })
                .collect();
            node.pages
                .post_form(&language, &PostFormView { action, fields: &fields, destination_name: &name })
        }
    };
    page.ok().map(|page| respond::html(StatusCode::OK, page))
}

/// GET `/failed/{sealed}`
pub(crate) async fn page(
    State(node): State<Arc<Node>>,
    Path(sealed): Path<String>,
    headers: HeaderMap,
) -> Response {
    let moment = moment::moment();
    let Some(failed) = node.failed.open(&sealed, moment.now) else {
        return super::page::missing(&node, &headers);
    };
    let language = failed.language.clone().unwrap_or_else(|| node.language(&[], &headers));
    let wanted = std::slice::from_ref(&language);
    let registry = node.registry.any();
    let relying_party = failed.relying_party.as_ref().and_then(|id| registry.relying_party(id));
    let provider = failed.provider.as_ref().and_then(|id| registry.provider(id));
    let restart = failed
        .back
        .as_deref()
        .or_else(|| relying_party.as_ref().and_then(|policy| policy.start_url.as_deref()));
    // The organisation that was chosen or proven; before either, whoever answers for the provider.
    let record = |number: &Option<_>| number.as_ref().and_then(|number| registry.organisation(number));
    let organisation = record(&failed.organisation).or(provider.as_ref().map(|policy| &policy.organisation));
    let chosen = record(&failed.chosen).and_then(|record| record.name.best(wanted));
    let view = ErrorView {
        code: failed.code,
        reference: &failed.reference,
        relying_party: relying_party.as_ref().and_then(|policy| policy.display_name.best(wanted)),
        organisation: organisation.and_then(|record| record.name.best(wanted)),
        support: organisation.map(|record| &record.support),
        chosen,
        onward: failed.onward.as_deref(),
        restart,
        answers: failed.back.is_some(),
        at: failed.at,
    };
    let status = StatusCode::from_u16(http_status(failed.code)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = respond::html(status, node.pages.error(&language, &view));
    let wait = match status {
        StatusCode::SERVICE_UNAVAILABLE => Some("10"),
        // Logins are counted by the minute and the one before.
        StatusCode::TOO_MANY_REQUESTS => Some("120"),
        _ => None,
    };
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(wait));
    }
    response
}
