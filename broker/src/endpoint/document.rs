//! What we publish: the discovery document, our keys, our SAML metadata. They serve also while the store is away.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use broker_oidc::op::OidcOp;
use http::{StatusCode, header};

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

/// GET `/saml/metadata`
pub(crate) async fn saml_metadata(State(node): State<Arc<Node>>) -> Response {
    match node.own_metadata(moment::moment()) {
        Ok(document) => respond::document("application/samlmetadata+xml", document, KEPT),
        Err(error) => {
            tracing::error!(%error, "our own SAML metadata could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
