//! `/saml/acs`: a provider answers through the browser (SAML Bindings 3.5, Profiles 4.1.4).

use std::sync::Arc;

use axum::{body::Body, extract::State, http::Request, response::Response};

use super::{Largest, failure};
use crate::{
    drive::{Step, Trouble},
    wiring::Node,
};

/// The assertion consumer service.
pub(crate) async fn acs(State(node): State<Arc<Node>>, request: Request<Body>) -> Response {
    let headers = request.headers().clone();
    let (message, headers) = match super::inbound(request, Largest::ANSWER).await {
        Ok(read) => read,
        Err(refused) => return failure::respond(&node, &headers, Trouble::new(refused)),
    };
    let step = Step::new(&node, headers.clone());
    match step.complete(message).await {
        Ok(response) => response,
        Err(trouble) => failure::respond(&node, &headers, *trouble),
    }
}
