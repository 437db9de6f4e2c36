//! The choice of an organisation. Links, not forms, so that a content policy never stands in a provider's way (design decision 6).

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use broker_core::{
    identifier::ProviderId,
    login::Context,
    routing::{self, Route},
};
use http::{HeaderMap, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::failure;
use crate::{
    cookie::LoginCookie,
    drive::Step,
    page::{CHOICE_LIMIT, ChoiceRow, ChoiceView, SearchEntry, search},
    respond,
    wiring::Node,
};

/// What is searched for.
#[derive(Debug, Deserialize)]
pub(crate) struct Search {
    #[serde(default)]
    q: String,
}

/// What was chosen.
#[derive(Debug, Deserialize)]
pub(crate) struct Chosen {
    provider: String,
}

/// GET `/login/{login}?q=`
pub(crate) async fn look(
    State(node): State<Arc<Node>>,
    Path(login): Path<String>,
    Query(asked): Query<Search>,
    headers: HeaderMap,
) -> Response {
    let outcome = async { Step::new(&node, headers.clone())?.look(&login, &asked.q).await }.await;
    outcome.unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
}

/// GET `/login/{login}/choose?provider=`
pub(crate) async fn choose(
    State(node): State<Arc<Node>>,
    Path(login): Path<String>,
    Query(chosen): Query<Chosen>,
    headers: HeaderMap,
) -> Response {
    let provider = ProviderId::from(chosen.provider.as_str());
    let outcome = async { Step::new(&node, headers.clone())?.choose(&login, &provider).await }.await;
    outcome.unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
}

/// GET `/login/{login}/cancel`
pub(crate) async fn cancel(
    State(node): State<Arc<Node>>,
    Path(login): Path<String>,
    headers: HeaderMap,
) -> Response {
    let outcome = async { Step::new(&node, headers.clone())?.turn_back(&login).await }.await;
    outcome.unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
}

/// The page.
pub(crate) fn page(step: &Step<'_>, context: &Context, cookie: &LoginCookie, query: &str) -> Response {
    let language = &context.language;
    let offered = match routing::route(&context.request, &*step.registry) {
        Ok(Route::Choice(several)) => several,
        Ok(Route::Provider(only)) => vec![only],
        Err(_) => Vec::new(),
    };
    let entries: Vec<SearchEntry<'_>> = offered
        .iter()
        .map(|provider| SearchEntry {
            names: provider
                .display_name
                .best(std::slice::from_ref(language))
                .into_iter()
                .chain(provider.display_name.0.values().map(String::as_str))
                .chain(provider.organisation.name.0.values().map(String::as_str))
                .collect(),
            keywords: provider
                .keywords
                .iter()
                .map(String::as_str)
                .chain([provider.organisation.number.as_str()])
                .chain(provider.organisation.domains.iter().map(String::as_str))
                .collect(),
        })
        .collect();
    let found = search(query, &entries);
    let base = format!("/login/{}", cookie.selector());
    let rows: Vec<ChoiceRow> = found
        .iter()
        .take(CHOICE_LIMIT)
        .filter_map(|place| offered.get(*place))
        .map(|provider| {
            let name = step.provider_name(&provider.id, language);
            let organisation =
                provider.organisation.name.best(std::slice::from_ref(language)).unwrap_or_default();
            ChoiceRow {
                other_names: if organisation.is_empty() || organisation == name {
                    Vec::new()
                } else {
                    vec![organisation.to_owned()]
                },
                href: format!(
                    "{base}/choose?provider={}",
                    utf8_percent_encode(provider.id.as_str(), NON_ALPHANUMERIC)
                ),
                name,
            }
        })
        .collect();
    let view = ChoiceView {
        relying_party: &step.relying_party_name(&context.request.relying_party, language),
        organisations: &rows,
        query,
        total: found.len(),
        search_action: &base,
        hidden: &[],
        all_href: &base,
        cancel_href: &format!("{base}/cancel"),
    };
    respond::html(StatusCode::OK, step.node.pages.choice(language, &view))
}
