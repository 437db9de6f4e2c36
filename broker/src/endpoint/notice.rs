//! The notice: who asks, what is sent, and why, before anything leaves.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    http::Request,
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::{
    login::{AwaitingNotice, Login},
    release::notice as rows,
    routing::Peers,
};
use broker_store::record::Handle;
use certs::mac::MacKey;
use http::{HeaderMap, StatusCode};

use super::failure;
use crate::{
    config::Config,
    cookie::LoginCookie,
    drive::{Step, Trouble},
    page::{Field, NoticeView, ViewRow},
    respond,
    wiring::Node,
};

/// Where a notice is.
pub(crate) fn path(cookie: &LoginCookie, trip: &str) -> String {
    format!("/login/{}/notice/{trip}", cookie.selector())
}

/// GET
pub(crate) async fn show(
    State(node): State<Arc<Node>>,
    Path((login, trip)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let outcome = Step::new(&node, headers.clone()).show_notice(&login, &trip).await;
    outcome.unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
}

/// POST
pub(crate) async fn decide(
    State(node): State<Arc<Node>>,
    Path((login, trip)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    let headers = request.headers().clone();
    let outcome = async {
        let (message, headers) =
            super::inbound(request).await.map_err(|refused| Box::new(Trouble::new(refused)))?;
        let form = message.form.unwrap_or_default();
        let value = |wanted: &str| {
            form_urlencoded::parse(&form)
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        // Anything but a clear yes is a no.
        let accept = value("decision").as_deref() == Some("accept");
        let token = value("token").unwrap_or_default();
        Step::new(&node, headers).decide(&login, &trip, &token, accept).await
    }
    .await;
    outcome.unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
}

/// Names a provider trip in the address of its notice: 48 bits that say nothing of the trip's handle, which stays out of addresses.
pub(crate) fn trip(node: &Node, handle: &Handle) -> String {
    let [a, b, c, d, e, f, ..] = key(node, "notice address").mac(handle.as_str().as_bytes());
    URL_SAFE_NO_PAD.encode([a, b, c, d, e, f])
}

/// The handle that a trip's notice stands under: of the address and the cookie, so that the address alone opens nothing.
pub(crate) fn handle(node: &Node, cookie: &LoginCookie, trip: &str) -> Handle {
    let mac = key(node, "notice handle").mac(&of_both(cookie, trip));
    let (octets, _) = mac.split_at(20);
    Handle::parse(&URL_SAFE_NO_PAD.encode(octets)).expect("20 octets in base64url are a handle")
}

/// Proves that a decision was made on the page of this very notice: the login's cookie is sent with cross-site posts too, and this is not.
fn token(node: &Node, cookie: &LoginCookie, trip: &str) -> String {
    URL_SAFE_NO_PAD.encode(key(node, "notice decision").mac(&of_both(cookie, trip)))
}

/// Whether the token is this notice's, in constant time.
pub(crate) fn token_holds(node: &Node, cookie: &LoginCookie, trip: &str, presented: &str) -> bool {
    URL_SAFE_NO_PAD
        .decode(presented)
        .is_ok_and(|code| key(node, "notice decision").verify(&of_both(cookie, trip), &code).is_ok())
}

fn key(node: &Node, label: &str) -> MacKey {
    node.keys.node_secret().mac_key(label)
}

/// The first has one length, so that nothing need stand between them.
fn of_both(cookie: &LoginCookie, trip: &str) -> Vec<u8> {
    [cookie.secret().as_str().as_bytes(), trip.as_bytes()].concat()
}

/// Whether a browser says that the form was sent by a page of ours, or says nothing. The token proves it; this is the second lock, for a token that
/// leaks. A page without a referrer sends `Origin: null` (Fetch 3.2), old browsers send neither header.
pub(crate) fn from_own_page(headers: &HeaderMap, config: &Config) -> bool {
    let said = |name: &str| headers.get(name).map(http::HeaderValue::as_bytes);
    let site = said("sec-fetch-site").is_none_or(|site| matches!(site, b"same-origin" | b"none"));
    let origin =
        said("origin").is_none_or(|origin| origin == b"null" || origin == config.origin().as_bytes());
    site && origin
}

/// The page.
pub(crate) fn page(
    step: &Step<'_>,
    login: &Login<AwaitingNotice>,
    cookie: &LoginCookie,
    trip: &str,
) -> Response {
    let context = login.context();
    let language = &context.language;
    let identity = login.state().identity();
    let relying_party = step.registry.relying_party(&context.request.relying_party);
    let provider = step.registry.provider(&identity.provider);
    let wanted = std::slice::from_ref(language);
    let rows: Vec<ViewRow> = rows::rows(identity, &context.request);
    let owner = relying_party.as_ref().and_then(|policy| policy.organisation.name.best(wanted));
    let employer = provider.as_ref().and_then(|policy| policy.organisation.name.best(wanted));
    let view = NoticeView {
        relying_party: &step.relying_party_name(&context.request.relying_party, language),
        relying_party_organisation: owner,
        organisation: employer.unwrap_or_else(|| identity.provider.as_str()),
        rows: &rows,
        privacy_url: relying_party.as_ref().and_then(|policy| policy.privacy_url.as_deref()),
        action: &path(cookie, trip),
        hidden: &[Field { name: "token".to_owned(), value: token(step.node, cookie, trip) }],
    };
    respond::html(StatusCode::OK, step.node.pages.notice(language, &view))
}
