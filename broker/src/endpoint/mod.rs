//! One file per address: read the request, let [`crate::drive`] go one step, respond.
//!
//! | file | addresses |
//! |---|---|
//! | `downstream_request.rs` | `/oidc/authorize` |
//! | `choice.rs` | `/login/{login}`, `/login/{login}/choose`, `/login/{login}/cancel` |
//! | `provider_answer.rs` | `/saml/acs`, `/saml/{name}/acs` |
//! | `notice.rs` | `/login/{login}/notice` |
//! | `token.rs`, `userinfo.rs` | `/oidc/token`, `/oidc/userinfo` |
//! | `document.rs` | what we publish: discovery, keys, metadata |
//! | `mdq.rs` | `/mdq/entities`, `/metadata/...`: metadata of the federation |
//! | `failure.rs` | `/failed/{sealed}`, and how every failure becomes an answer |
//! | `logo.rs` | `/logo/{name}` |
//! | `page.rs` | `/`, assets, what is not there, whether the node is well |
//! | `onward.rs` | the ways on from an endpoint |

pub(crate) mod choice;
pub(crate) mod document;
pub(crate) mod downstream_request;
pub(crate) mod failure;
pub(crate) mod logo;
pub(crate) mod mdq;
pub(crate) mod notice;
pub(crate) mod onward;
pub(crate) mod page;
pub(crate) mod provider_answer;
pub(crate) mod token;
pub(crate) mod userinfo;

use axum::{
    body::Body,
    http::{Request, header},
};
use broker_core::{
    failure::{Failure, FailureCode},
    role::Inbound,
};
use http::HeaderMap;

use crate::server::{self, NotRead};

/// The largest body that an address takes, in octets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Largest(usize);

impl Largest {
    /// A provider's answer: a Response of 256 KB in base64 and form encoding.
    pub(crate) const ANSWER: Self = Self(600 * 1024);
    /// A token request: a client assertion with its certificates.
    pub(crate) const TOKEN: Self = Self(64 * 1024);
    /// Any other form: an authorization request with claims.
    pub(crate) const FORM: Self = Self(32 * 1024);
}

/// No query is longer: an authorization request with claims.
const LONGEST_QUERY: usize = 16 * 1024;

/// Reads a request's raw octets, within bounds: of size for the address, of time and of the server's memory for all ([`server::body`]).
pub(crate) async fn inbound(
    request: Request<Body>,
    largest: Largest,
) -> Result<(Inbound, HeaderMap), Failure> {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().map(str::to_owned);
    if query.as_ref().is_some_and(|query| query.len() > LONGEST_QUERY) {
        return Err(Failure::new(
            FailureCode::RequestMalformed,
            format!("the query is longer than {LONGEST_QUERY} octets"),
        ));
    }
    let form = if parts.method == http::Method::POST {
        let is_form = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
        let octets = server::body(body, largest.0).await.map_err(|not_read| {
            let code = match not_read {
                NotRead::NoRoom => FailureCode::Overloaded,
                NotRead::TooLarge(_) | NotRead::TooSlow | NotRead::Broken => FailureCode::RequestMalformed,
            };
            Failure::new(code, not_read.to_string())
        })?;
        // A POST may be empty, where all that it says stands in the Authorization header (OpenID Connect Core 5.3.1).
        if !is_form && !octets.is_empty() {
            return Err(Failure::new(
                FailureCode::RequestMalformed,
                "a POST must be application/x-www-form-urlencoded",
            ));
        }
        is_form.then_some(octets)
    } else {
        None
    };
    let authorization =
        parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let path = parts.uri.path().to_owned();
    Ok((Inbound { path, query, form, authorization }, parts.headers))
}

#[cfg(test)]
mod tests;
