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

/// Where the notice of a login is.
fn path(selector: &str) -> String {
    format!("/login/{selector}/notice")
}

/// GET
pub(crate) async fn show(
    State(node): State<Arc<Node>>,
    Path(login): Path<String>,
    headers: HeaderMap,
) -> Response {
    Step::new(&node, headers.clone())
        .past_notice(&login)
        .unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
}

/// POST
pub(crate) async fn decide(
    State(node): State<Arc<Node>>,
    Path(login): Path<String>,
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
        Step::new(&node, headers).decide(&login, &token, accept).await
    }
    .await;
    outcome.unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
}

/// Proves that a decision was made on the page of this very notice: the login's cookie is sent with cross-site posts too, and this is not. The
/// notice's handle, which its provider has seen, and a code of ours over it and the cookie, which nobody has.
fn token(node: &Node, cookie: &LoginCookie, handle: &Handle) -> String {
    format!("{}.{}", handle.as_str(), URL_SAFE_NO_PAD.encode(key(node).mac(&signed(cookie, handle))))
}

/// The notice that a decision is on, if the token is this login's; in constant time.
pub(crate) fn handle_of(node: &Node, cookie: &LoginCookie, presented: &str) -> Option<Handle> {
    let (handle, code) = presented.split_once('.')?;
    let handle = Handle::parse(handle)?;
    let code = URL_SAFE_NO_PAD.decode(code).ok()?;
    key(node).verify(&signed(cookie, &handle), &code).ok()?;
    Some(handle)
}

fn key(node: &Node) -> MacKey {
    node.keys.node_secret().mac_key("notice decision")
}

/// Both have one length, so that they need none before them.
fn signed(cookie: &LoginCookie, handle: &Handle) -> Vec<u8> {
    [cookie.secret().as_str().as_bytes(), handle.as_str().as_bytes()].concat()
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
    handle: &Handle,
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
        action: &path(cookie.selector()),
        hidden: &[Field { name: "token".to_owned(), value: token(step.node, cookie, handle) }],
    };
    respond::html(StatusCode::OK, step.node.pages.notice(language, &view))
}
