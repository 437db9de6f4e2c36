//! Which address goes to which endpoint.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
    routing::{any, get, post},
};

use crate::{
    api,
    endpoint::{
        choice, document, downstream_request, failure, logo, mdq, notice, page, provider_answer, token,
        userinfo,
    },
    operator, respond,
    wiring::Node,
};

/// The router of a node.
pub(crate) fn router(node: Arc<Node>) -> Router {
    let router = Router::new();
    let router = if node.config.file.api.enabled { router.nest("/api", api::router()) } else { router };
    router
        .route("/", get(page::start))
        .route("/oidc/authorize", any(downstream_request::authorize))
        .route("/login/{login}", get(choice::look))
        .route("/login/{login}/choose", get(choice::choose))
        .route("/login/{login}/cancel", get(choice::cancel))
        .route("/login/{login}/notice/{tag}", get(notice::show).post(notice::decide))
        .route("/saml/acs", post(provider_answer::acs))
        .route("/saml/{name}/acs", post(provider_answer::acs))
        .route("/saml/metadata", get(document::saml_metadata))
        .route("/saml/{name}/metadata", get(document::named_saml_metadata))
        .route("/mdq/entities", get(mdq::all))
        .route("/mdq/entities/", get(mdq::all))
        .route("/mdq/entities/{*id}", get(mdq::entity))
        .route("/metadata/all.xml", get(mdq::all))
        .route("/metadata/idps.xml", get(mdq::providers))
        .route("/metadata/signing.crt", get(mdq::signing_certificate))
        .route("/metadata/next.crt", get(mdq::next_certificate))
        .route("/oidc/token", post(token::token))
        .route("/oidc/userinfo", get(userinfo::userinfo).post(userinfo::userinfo))
        .route("/oidc/jwks", get(document::jwks))
        .route("/.well-known/openid-configuration", get(document::discovery))
        .route("/failed/{sealed}", get(failure::page))
        .route("/assets/{name}", get(page::asset))
        .merge(operator::routes())
        .route("/logo/{name}", get(logo::logo))
        .route("/health", get(page::health))
        .fallback(page::not_found)
        .method_not_allowed_fallback(page::wrong_method)
        .layer(middleware::from_fn_with_state(node.clone(), secured))
        .with_state(node)
}

async fn secured(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    respond::secure(next.run(request).await, node.config.is_https())
}
