//! Logos of organisations, as we made them when the record was added. Nothing is fetched for a visitor (design decision 12).

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    response::Response,
};
use http::{HeaderMap, HeaderValue, header};

use super::page;
use crate::wiring::Node;

/// GET `/logo/{name}`: named by its content, so kept for ever. Only what is some organisation's logo now is served: other documents have addresses
/// of this form in the store, too.
pub(crate) async fn logo(
    State(node): State<Arc<Node>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(document) = name.strip_suffix(".png") else { return page::missing(&node, &headers) };
    let registry = node.registry.any();
    let logos = registry.organisations().filter_map(|record| record.logo.as_ref());
    let is_known = logos.into_iter().any(|logo| logo.document == document);
    let octets = if is_known { node.registry.document(&**node.vault.store(), document).await } else { None };
    let Some(octets) = octets else { return page::missing(&node, &headers) };
    let mut response = Response::new(Body::from(octets));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}
