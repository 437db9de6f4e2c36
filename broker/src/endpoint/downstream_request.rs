//! `/oidc/authorize`: a relying party sends somebody to sign in (OpenID Connect Core 3.1.2.1).

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{Method, Request},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};

use super::{Largest, failure};
use crate::{
    drive::{Step, Trouble},
    wiring::Node,
};

/// GET and POST, both alike (OpenID Connect Core 3.1.2.1).
pub(crate) async fn authorize(State(node): State<Arc<Node>>, request: Request<Body>) -> Response {
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, POST")]).into_response();
    }
    let headers = request.headers().clone();
    let (message, headers) = match super::inbound(request, Largest::FORM).await {
        Ok(read) => read,
        Err(refused) => return failure::respond(&node, &headers, Trouble::new(refused)),
    };
    let mut step = Step::new(&node, headers.clone());
    match step.begin(&message).await {
        Ok(response) => response,
        Err(trouble) => failure::respond(&node, &headers, *trouble),
    }
}
