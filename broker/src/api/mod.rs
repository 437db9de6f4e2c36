//! The API for operators of providers and relying parties: metadata in, a report and a proposal out; never live without another person.
//!
//! Every address stands once, in [`operation::ALL`]: the router and the OpenAPI document are both made from it. A request is answered so: who asks
//! ([`authenticate`]), its parameters, its body within bounds, then its handler; whatever is refused on the way is a [`problem::Problem`].
//! No cookies and no CORS: a browser on another site's behalf gets nothing.
//!
//! | file | what |
//! |---|---|
//! | `operation.rs` | the table of addresses: what each needs, takes and answers |
//! | `openapi.rs` | that table as OpenAPI 3.1 |
//! | `serve.rs` | a request from its headers to its answer |
//! | `authenticate.rs` | tokens, and how often one may ask |
//! | `submission.rs` | `POST /metadata`: judged, told in words, proposed |
//! | `registered.rs` | what is registered of the organisation, and its revisions |
//! | `proposal.rs` | proposals: looked at, approved, declined, withdrawn, published |
//! | `own.rs` | the token itself, the organisation's record |
//! | `discreet.rs` | nothing about other organisations is told |
//! | `answer.rs`, `problem.rs` | what is answered |
//!
//! Neighbours: `proposals.rs` has the calls to the store, `metadata::desk` the rules, `operator/` the same for people with a browser.

mod answer;
mod authenticate;
mod discreet;
mod openapi;
mod operation;
mod own;
mod problem;
mod proposal;
mod registered;
mod serve;
mod submission;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    extract::{RawPathParams, Request, State},
    routing::{MethodFilter, MethodRouter},
};
use certs::{key_directory::KeyDirectory, mac::MacKey};

use crate::{config::ApiSection, wiring::Node};

/// What a node has for the API alone.
pub(crate) struct Api {
    tokens: MacKey,
    rates: authenticate::Rates,
}

impl Api {
    /// By the keys and the configuration of a node.
    pub(crate) fn new(keys: &KeyDirectory, section: &ApiSection) -> Self {
        Self { tokens: token_key(keys), rates: authenticate::Rates::new(section.requests_per_minute) }
    }

    /// Forgets who has not asked lately.
    pub(crate) fn tidy(&self) {
        self.rates.tidy();
    }
}

/// The key that tokens are hashed with.
pub(crate) fn token_key(keys: &KeyDirectory) -> MacKey {
    keys.registry_secret().mac_key("operator token")
}

/// Everything below `/api`.
pub(crate) fn router() -> Router<Arc<Node>> {
    let mut paths: BTreeMap<&'static str, MethodRouter<Arc<Node>>> = BTreeMap::new();
    for operation in operation::ALL {
        let handler = move |State(node): State<Arc<Node>>, parameters: RawPathParams, request: Request| async move {
            serve::serve(operation, node, &parameters, request).await
        };
        let Ok(method) = MethodFilter::try_from(operation.method()) else { continue };
        let path = paths.remove(operation.path).unwrap_or_default();
        paths.insert(operation.path, path.on(method, handler));
    }
    let mut router = Router::new();
    for (path, methods) in paths {
        router = router.route(path, methods.fallback(serve::wrong_method));
    }
    router.fallback(serve::not_found)
}
