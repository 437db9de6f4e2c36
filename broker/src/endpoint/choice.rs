//! The choice of an organisation. Links, not forms, so that a content policy never stands in a provider's way (design decision 6).

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use broker_core::{identifier::ProviderId, login::Context, routing};
use http::{HeaderMap, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::failure;
use crate::{
    cookie::LoginCookie,
    drive::Step,
    page::{CHOICE_LIMIT, ChoiceRow, ChoiceView, MessageView, SearchEntry, search},
    respond,
    wiring::Node,
};

/// No entity ID is longer (SAML Core 8.3.6), and nobody searches for more.
const LONGEST: usize = 1024;

/// GET `/login/{login}?q=`
pub(crate) async fn look(
    State(node): State<Arc<Node>>,
    Path(login): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let outcome = Step::new(&node, headers.clone()).look(&login, &first(query.as_deref(), "q")).await;
    outcome.unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
}

/// GET `/login/{login}/choose?provider=`
pub(crate) async fn choose(
    State(node): State<Arc<Node>>,
    Path(login): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let provider = ProviderId::from(first(query.as_deref(), "provider").as_str());
    let outcome = Step::new(&node, headers.clone()).choose(&login, &provider).await;
    outcome.unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
}

/// The first value of a parameter, at most [`LONGEST`] characters of it; empty when it is not there. Whatever somebody makes of the address, there
/// is a page.
fn first(query: Option<&str>, name: &str) -> String {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(candidate, _)| candidate == name)
        .map(|(_, value)| value.chars().take(LONGEST).collect())
        .unwrap_or_default()
}

/// GET `/login/{login}/cancel`
pub(crate) async fn cancel(
    State(node): State<Arc<Node>>,
    Path(login): Path<String>,
    headers: HeaderMap,
) -> Response {
    let outcome = Step::new(&node, headers.clone()).turn_back(&login).await;
    outcome.unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
}

/// The page.
pub(crate) fn page(step: &Step<'_>, context: &Context, cookie: &LoginCookie, query: &str) -> Response {
    let language = &context.language;
    let offered = routing::offered(&context.request, &*step.registry).unwrap_or_default();
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
        message: context.request.message.as_ref().map(|message| MessageView { message }),
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

#[cfg(test)]
mod tests {
    use super::{LONGEST, first};

    #[test]
    fn any_query_has_a_reading() {
        assert_eq!(first(Some("q=Granvik&q=b"), "q"), "Granvik");
        assert_eq!(first(Some("provider=https%3A%2F%2Fidp.example"), "provider"), "https://idp.example");
        for nothing in [None, Some(""), Some("q"), Some("&&="), Some("p=1")] {
            assert_eq!(first(nothing, "q"), "");
        }
        let long = format!("q={}", "%C3%A5".repeat(5_000));
        assert_eq!(first(Some(&long), "q").chars().count(), LONGEST);
        assert_eq!(first(Some("q=%ff"), "q"), "\u{fffd}");
    }
}
