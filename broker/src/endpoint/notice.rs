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
use http::{HeaderMap, StatusCode};

use super::failure;
use crate::{
    cookie::LoginCookie,
    drive::{Step, Trouble},
    page::{Field, NoticeView, ViewRow},
    respond,
    wiring::Node,
};

/// Where the notice of a login is.
pub(crate) fn path(selector: &str) -> String {
    format!("/login/{selector}/notice")
}

/// GET
pub(crate) async fn show(
    State(node): State<Arc<Node>>,
    Path(login): Path<String>,
    headers: HeaderMap,
) -> Response {
    let outcome = async { Step::new(&node, headers.clone())?.show_notice(&login).await }.await;
    outcome.unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
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
        Step::new(&node, headers)?.decide(&login, &token, accept).await
    }
    .await;
    outcome.unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
}

/// Proves that a decision was made on the page: the login's cookie is sent with cross-site posts too, and this is not.
fn token(node: &Node, cookie: &LoginCookie) -> String {
    let key = node.keys.node_secret().mac_key("notice decision");
    URL_SAFE_NO_PAD.encode(key.mac(cookie.secret().as_str().as_bytes()))
}

/// Whether the token is this login's, in constant time.
pub(crate) fn token_holds(node: &Node, cookie: &LoginCookie, presented: &str) -> bool {
    let key = node.keys.node_secret().mac_key("notice decision");
    URL_SAFE_NO_PAD
        .decode(presented)
        .is_ok_and(|presented| key.verify(cookie.secret().as_str().as_bytes(), &presented).is_ok())
}

/// The page.
pub(crate) fn page(step: &Step<'_>, login: &Login<AwaitingNotice>, cookie: &LoginCookie) -> Response {
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
        hidden: &[Field { name: "token".to_owned(), value: token(step.node, cookie) }],
    };
    respond::html(StatusCode::OK, step.node.pages.notice(language, &view))
}
