//! `/oidc/userinfo`: what an access token opens (OpenID Connect Core 5.3).

use std::sync::Arc;

use axum::{body::Body, extract::State, http::Request, response::Response};
use broker_core::failure::{Failure, FailureCode};
use broker_oidc::op::{
    grant::AccessGrant,
    userinfo::{UserinfoBody, UserinfoRefused, bearer_token},
};
use broker_store::{
    record::Handle,
    vault::{Found, VaultError},
};
use http::{HeaderValue, StatusCode, header};

use super::Largest;
use crate::{
    drive::access_token_place,
    heavy_work::{self, Lane},
    moment,
    wiring::Node,
};

/// GET and POST
pub(crate) async fn userinfo(State(node): State<Arc<Node>>, request: Request<Body>) -> Response {
    let outcome = read(&node, request).await;
    let mut response = match outcome {
        Ok(body) => {
            let mut response = Response::new(Body::from(body.body().to_owned()));
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static(body.content_type()));
            response
        }
        Err(refused) => {
            super::token::log(&refused.failure, None, None);
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status(&refused);
            if response.status() == StatusCode::SERVICE_UNAVAILABLE {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            if let Some(challenge) = refused.www_authenticate {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            response
        }
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The status of a refusal: that of the token, except that what may pass by waiting says so, and what cannot be read is the asker's fault.
fn status(refused: &UserinfoRefused) -> StatusCode {
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status != StatusCode::INTERNAL_SERVER_ERROR {
        return status;
    }
    match refused.failure.code {
        FailureCode::RequestMalformed => StatusCode::BAD_REQUEST,
        FailureCode::StoreAway | FailureCode::RegistryStale | FailureCode::Overloaded => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn read(node: &Arc<Node>, request: Request<Body>) -> Result<UserinfoBody, UserinfoRefused> {
    let (message, _) = super::inbound(request, Largest::FORM).await.map_err(UserinfoRefused::from)?;
    let moment = moment::moment();
    let registry = node.registry.confirmed(moment.now).map_err(UserinfoRefused::from)?;
    let keyring = node.oidc_keys.current().map_err(UserinfoRefused::from)?;
    let token = bearer_token(&message)?;
    let Some(token) = Handle::parse(&token) else {
        return Err(UserinfoRefused::invalid_token("this is no access token of ours"));
    };
    match node.vault.read::<AccessGrant, ()>(moment, access_token_place(&token)).await {
        Ok(Found::Live(grant)) => {
            // Signed for those who want it signed; plain JSON is no work.
            let heavy = registry
                .oidc_client(grant.relying_party())
                .and_then(|client| client.userinfo_algorithm)
                .is_some_and(heavy_work::is_heavy);
            let piece = node.clone();
            let answer = move || piece.op(&registry, &keyring).userinfo(&grant, moment);
            if heavy {
                node.work.run(Lane::UnderWay, answer).await.map_err(UserinfoRefused::from)?
            } else {
                answer()
            }
        }
        Ok(Found::Spent(()) | Found::Absent) | Err(VaultError::Corrupt) => {
            Err(UserinfoRefused::invalid_token("there is no such access token"))
        }
        Err(error) => Err(UserinfoRefused::from(Failure::new(FailureCode::StoreAway, error.to_string()))),
    }
}

#[cfg(test)]
mod tests {
    use broker_core::failure::{Failure, FailureCode};
    use broker_oidc::op::userinfo::UserinfoRefused;
    use http::StatusCode;

    use super::status;

    #[test]
    fn a_fault_that_may_pass_is_told_from_one_that_stays() {
        let of = |code: FailureCode| status(&UserinfoRefused::from(Failure::from(code)));
        assert_eq!(of(FailureCode::StoreAway), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(of(FailureCode::RegistryStale), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(of(FailureCode::RequestMalformed), StatusCode::BAD_REQUEST);
        assert_eq!(of(FailureCode::Internal), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(status(&UserinfoRefused::invalid_token("none")), StatusCode::UNAUTHORIZED);
    }
}
