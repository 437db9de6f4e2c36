//! What we publish: the discovery document, our keys, our SAML metadata. They serve also while the store is away.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use broker_oidc::op::OidcOp;
use http::{HeaderMap, StatusCode, header};
use metadata::settings::MAIN_SERVICE_PROVIDER;

use super::page;
use crate::{moment, respond, wiring::Node};

/// Seconds that a document may be kept by whoever fetches it.
const KEPT: u32 = 300;

/// GET `/.well-known/openid-configuration`
pub(crate) async fn discovery(State(node): State<Arc<Node>>) -> Response {
    let registry = node.registry.any();
    // Before the keys are known the document lacks what depends on them: nobody is to keep that.
    let (keyring, kept) =
        node.oidc_keys.current().map_or_else(|_| (Arc::default(), 0), |keyring| (keyring, KEPT));
    let settings = node.op_settings_with_levels(&registry);
    let op = OidcOp { settings: &settings, ..node.op(&registry, &keyring) };
    respond::document("application/json", op.discovery_document(), kept)
}

/// GET `/oidc/jwks`
pub(crate) async fn jwks(State(node): State<Arc<Node>>) -> Response {
    let registry = node.registry.any();
    match node.oidc_keys.current() {
        Ok(keyring) => {
            respond::document("application/jwk-set+json", node.op(&registry, &keyring).jwks_document(), KEPT)
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response(),
    }
}

/// GET `/saml/metadata`: that of our main service provider.
pub(crate) async fn saml_metadata(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    metadata_of(&node, MAIN_SERVICE_PROVIDER, &headers)
}

/// GET `/saml/{name}/metadata`: that of another.
pub(crate) async fn named_saml_metadata(
    State(node): State<Arc<Node>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    // The main one has one address.
    if name == MAIN_SERVICE_PROVIDER {
        return page::missing(&node, &headers);
    }
    metadata_of(&node, &name, &headers)
}

fn metadata_of(node: &Node, name: &str, headers: &HeaderMap) -> Response {
    match node.own_metadata(name, moment::moment()) {
        Ok(Some(document)) => respond::document("application/samlmetadata+xml", document, KEPT),
        Ok(None) => page::missing(node, headers),
        Err(error) => {
            tracing::error!(%error, "our own SAML metadata could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
