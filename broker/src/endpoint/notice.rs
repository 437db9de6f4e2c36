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
use http::{HeaderMap, StatusCode};

use super::{Largest, failure};
use crate::{
    config::Config,
    cookie::LoginCookie,
    drive::{Step, Trouble},
    page::{Field, MessageView, NoticeView, ViewRow},
    respond,
    wiring::Node,
};

/// What a notice is called. Its address carries the tag, which follows from the provider trip that it came of, so that a second post of the same
/// answer finds it again, and which opens nothing; its record stands under a handle that follows from the tag and the browser's cookie.
pub(crate) struct NoticeName {
    tag: String,
    handle: Handle,
}

impl NoticeName {
    /// The notice that comes of a provider trip. Each trip of a login has its own, so that no decision on one page releases what another shows.
    pub(crate) fn of_trip(node: &Node, cookie: &LoginCookie, trip: &Handle) -> Option<Self> {
        let digest = node.keys.node_secret().mac_key("notice tag").mac(trip.as_str().as_bytes());
        Self::of_tag(node, cookie, &URL_SAFE_NO_PAD.encode(digest.first_chunk::<6>()?))
    }

    /// The notice that an address names.
    pub(crate) fn of_tag(node: &Node, cookie: &LoginCookie, tag: &str) -> Option<Self> {
        let parts = [cookie.secret().as_str().as_bytes(), tag.as_bytes()];
        let digest = node.keys.node_secret().mac_key("notice handle").mac_parts(&parts);
        let handle = Handle::parse(&URL_SAFE_NO_PAD.encode(digest.first_chunk::<20>()?))?;
        (tag.len() == 8).then(|| Self { tag: tag.to_owned(), handle })
    }

    /// The name of its record.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Its address, for GET and POST.
    pub(crate) fn path(&self, cookie: &LoginCookie) -> String {
        format!("/login/{}/notice/{}", cookie.selector(), self.tag)
    }

    /// Proves that a decision was made on the page of this very notice: the login's cookie is sent with cross-site posts too, and this is not.
    pub(super) fn token(&self, node: &Node) -> String {
        URL_SAFE_NO_PAD
            .encode(node.keys.node_secret().mac_key("notice decision").mac(self.handle.as_str().as_bytes()))
    }

    /// Whether a decision was made on its page; in constant time.
    pub(crate) fn is_decided_by(&self, node: &Node, token: &str) -> bool {
        let key = node.keys.node_secret().mac_key("notice decision");
        URL_SAFE_NO_PAD
            .decode(token)
            .is_ok_and(|token| key.verify(self.handle.as_str().as_bytes(), &token).is_ok())
    }
}

/// GET
pub(crate) async fn show(
    State(node): State<Arc<Node>>,
    Path((login, tag)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    Step::new(&node, headers.clone())
        .show_notice(&login, &tag)
        .await
        .unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
}

/// POST
pub(crate) async fn decide(
    State(node): State<Arc<Node>>,
    Path((login, tag)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    let headers = request.headers().clone();
    let outcome = async {
        let (message, headers) = super::inbound(request, Largest::FORM)
            .await
            .map_err(|refused| Box::new(Trouble::new(refused)))?;
        let form = message.form.unwrap_or_default();
        let value = |wanted: &str| {
            form_urlencoded::parse(&form)
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        // Anything but a clear yes is a no.
        let accept = value("decision").as_deref() == Some("accept");
        let token = value("token").unwrap_or_default();
        Step::new(&node, headers).decide(&login, &tag, &token, accept).await
    }
    .await;
    outcome.unwrap_or_else(|trouble| failure::respond(&node, &headers, *trouble))
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
    name: &NoticeName,
) -> Response {
    let context = login.context();
    let language = &context.language;
    let identity = login.state().identity();
    let relying_party = step.registry.relying_party(&context.request.relying_party);
    let wanted = std::slice::from_ref(language);
    let rows: Vec<ViewRow> = rows::rows(identity, &context.request);
    let owner = relying_party.as_ref().and_then(|policy| policy.organisation.name.best(wanted));
    let employer = step.registry.organisation(&identity.organisation);
    let employer = employer.and_then(|record| record.name.best(wanted));
    let view = NoticeView {
        relying_party: &step.relying_party_name(&context.request.relying_party, language),
        relying_party_organisation: owner,
        message: context.request.message.as_ref().map(|message| MessageView { message }),
        organisation: employer.unwrap_or_else(|| identity.provider.as_str()),
        rows: &rows,
        privacy_url: relying_party.as_ref().and_then(|policy| policy.privacy_url.as_deref()),
        action: &name.path(cookie),
        hidden: &[Field { name: "token".to_owned(), value: name.token(step.node) }],
    };
    respond::html(StatusCode::OK, step.node.pages.notice(language, &view))
}
