//! The choice of an organisation. Links, not forms, so that a content policy never stands in a provider's way (design decision 6).

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use broker_core::{
    identifier::{Language, ProviderId},
    login::Context,
    organisation::OrganisationNumber,
    policy::ProviderPolicy,
    routing::{self, Peers},
};
use http::{HeaderMap, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::failure;
use crate::{
    choice_index,
    cookie::LoginCookie,
    drive::Step,
    page::{CHOICE_LIMIT, ChoiceRow, ChoiceView, MessageView, search},
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

/// GET `/login/{login}/choose?provider=&organisation=`
pub(crate) async fn choose(
    State(node): State<Arc<Node>>,
    Path(login): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let provider = ProviderId::from(first(query.as_deref(), "provider").as_str());
    let written = first(query.as_deref(), "organisation");
    let organisation = OrganisationNumber::parse(&written);
    // A number that is none leads to nobody, and not to whoever is proven.
    let provider = if written.is_empty() || organisation.is_some() { provider } else { ProviderId::from("") };
    let outcome = Step::new(&node, headers.clone()).choose(&login, &provider, organisation.as_ref()).await;
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

/// The link that chooses a provider, for one organisation where it speaks for several.
pub(crate) fn href(
    cookie: &LoginCookie,
    provider: &ProviderId,
    organisation: Option<&OrganisationNumber>,
) -> String {
    let provider = utf8_percent_encode(provider.as_str(), NON_ALPHANUMERIC);
    let organisation = organisation.map(|number| format!("&organisation={number}")).unwrap_or_default();
    format!("/login/{}/choose?provider={provider}{organisation}", cookie.selector())
}

/// What may be chosen and answers the query, best first: at most [`CHOICE_LIMIT`], and how many there are in all.
fn found(step: &Step<'_>, context: &Context, query: &str) -> (Vec<Arc<ProviderPolicy>>, usize) {
    let request = &context.request;
    if !request.providers.is_empty() {
        // Those that the relying party named are few.
        let offered = routing::offered(request, &*step.registry).unwrap_or_default();
        let entries: Vec<_> =
            offered.iter().map(|voice| choice_index::entry(voice, &context.language)).collect();
        let places = search(query, &entries);
        let rows = places.iter().take(CHOICE_LIMIT).filter_map(|place| offered.get(*place)).cloned();
        return (rows.collect(), places.len());
    }
    let Some(relying_party) = step.registry.relying_party(&request.relying_party) else {
        return (Vec::new(), 0);
    };
    let voices = step.registry.voices();
    let is_open = |place: usize| {
        voices.get(place).is_some_and(|voice| {
            !voice.hidden && routing::open_to(voice, &relying_party, &*step.registry).is_ok()
        })
    };
    let index = step.node.choices.of(&step.registry, &context.language);
    let places = index.search_among(query, is_open);
    let rows = places.iter().take(CHOICE_LIMIT).filter_map(|place| voices.get(*place)).cloned();
    (rows.collect(), places.len())
}

/// What a row is called.
fn called<'v>(voice: &'v ProviderPolicy, wanted: &[Language]) -> &'v str {
    voice.display_name.best(wanted).unwrap_or_else(|| voice.id.as_str())
}

/// The page.
pub(crate) fn page(step: &Step<'_>, context: &Context, cookie: &LoginCookie, query: &str) -> Response {
    let language = &context.language;
    let wanted = std::slice::from_ref(language);
    let (found, total) = found(step, context, query);
    let base = format!("/login/{}", cookie.selector());
    let rows: Vec<ChoiceRow> = found
        .iter()
        .map(|voice| {
            let name = called(voice, wanted).to_owned();
            let provider = step.registry.provider(&voice.id);
            let several = provider.as_ref().is_some_and(|provider| !provider.organisations.is_empty());
            // Of two ways into one organisation, whose machine it is tells them apart.
            let twice = several && found.iter().filter(|other| called(other, wanted) == name).count() > 1;
            let beside = if twice {
                provider.as_ref().and_then(|provider| provider.display_name.best(wanted))
            } else {
                voice.organisation.name.best(wanted)
            };
            let beside = beside.filter(|other| !other.is_empty() && *other != name);
            ChoiceRow {
                other_names: beside.into_iter().map(str::to_owned).collect(),
                href: href(cookie, &voice.id, several.then_some(&voice.organisation.number)),
                logo: voice.organisation.logo.clone(),
                name,
            }
        })
        .collect();
    let view = ChoiceView {
        relying_party: &step.relying_party_name(&context.request.relying_party, language),
        message: context.request.message.as_ref().map(|message| MessageView { message }),
        organisations: &rows,
        query,
        total,
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
