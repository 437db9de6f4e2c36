//! The start page, assets, what is not there, and whether the node is well.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    moment,
    page::{StartLink, StartView},
    respond,
    wiring::Node,
};

/// GET `/`
pub(crate) async fn start(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    let links = [
        (StartLink::SamlMetadata, "/saml/metadata"),
        (StartLink::OpenIdConfiguration, "/.well-known/openid-configuration"),
        (StartLink::Keys, "/oidc/jwks"),
    ];
    let service_providers: Vec<_> = node
        .config
        .service_providers()
        .into_iter()
        .skip(1)
        .map(|one| (one.name, one.metadata_path))
        .collect();
    let language = node.language(&[], &headers);
    let view = StartView { links: &links, service_providers: &service_providers };
    respond::html(StatusCode::OK, node.pages.start(&language, &view))
}

/// GET `/assets/{name}`: named by content, so kept for ever.
pub(crate) async fn asset(State(node): State<Arc<Node>>, Path(name): Path<String>) -> Response {
    let Some(asset) = node.pages.asset(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = Response::new(Body::from(asset.bytes.clone()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}

/// Any other address.
pub(crate) async fn not_found(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    missing(&node, &headers)
}

/// An address of ours, asked for in a way that it is not for: somebody who types the address of a provider's answer sees a page, too.
pub(crate) async fn wrong_method(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    respond::html(StatusCode::METHOD_NOT_ALLOWED, node.pages.not_found(&node.language(&[], &headers)))
}

/// The page that says so.
pub(crate) fn missing(node: &Node, headers: &HeaderMap) -> Response {
    respond::html(StatusCode::NOT_FOUND, node.pages.not_found(&node.language(&[], headers)))
}

/// GET `/health`: 200 when a login could begin here, else 503, for a load balancer.
pub(crate) async fn health(State(node): State<Arc<Node>>) -> Response {
    let registry = node.registry.confirmed(moment::now());
    let keys = node.oidc_keys.current();
    let status =
        if registry.is_ok() && keys.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({
        "registry": registry.as_ref().map_or("stale", |_| "confirmed"),
        "revision": node.registry.any().number(),
        "desk": node.desk.confirmed(moment::now()).map_or("stale", |_| "confirmed"),
        "sources": node.sources.states(moment::now()),
        "alarms": node.alarms.lasting(),
        "keys": keys.as_ref().map_or("missing", |_| "present"),
    });
    respond::json_no_store(status.as_u16(), body.to_string())
}
