//! What the holder of a token may know and do about it, the organisation's record, and what anybody may read.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use metadata::desk::{Desk, TokenRefused};

use super::{
    answer::{OrganisationRecord, RotatedToken, TokenFacts},
    openapi,
    problem::{Kind, Problem},
    serve::{Call, json},
};
use crate::{desk::DeskFailed, moment, respond};

/// GET `/v1/token`
pub(super) async fn token(call: Call) -> Result<Response, Problem> {
    Ok(json(200, &TokenFacts::from(call.token()?)))
}

/// Why a token's holder could not change it.
enum Failed {
    Refused(TokenRefused),
    Desk(DeskFailed),
}

impl From<DeskFailed> for Failed {
    fn from(failed: DeskFailed) -> Self {
        Self::Desk(failed)
    }
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(refused) => refused.into(),
            Failed::Desk(failed) => failed.into(),
        }
    }
}

/// Changes the desk, and lets this node know it at once.
async fn changed<T>(
    call: &Call,
    mut work: impl FnMut(&mut Desk) -> Result<T, TokenRefused>,
) -> Result<T, Problem> {
    let store = &**call.node.vault.store();
    let done =
        call.node.desk.change(store, moment::now(), |desk| work(desk).map_err(Failed::Refused)).await?;
    // It is done. Where the store went away at this moment, the node reads it within its second.
    if let Err(error) = call.node.desk.refresh(store, moment::now).await {
        tracing::warn!(%error, "the desk could not be read after a change");
    }
    Ok(done)
}

/// POST `/v1/token/rotate`
pub(super) async fn rotate(call: Call) -> Result<Response, Problem> {
    let (presented, key) = (call.presented()?, &call.node.api.tokens);
    let fresh = changed(&call, |desk| desk.rotate_token(presented, key, moment::moment())).await?;
    let token = fresh.expose().to_owned();
    Ok(json(200, &RotatedToken { token, expires: call.token()?.expires.to_rfc3339() }))
}

/// DELETE `/v1/token`
pub(super) async fn revoke(call: Call) -> Result<Response, Problem> {
    let id = &call.token()?.id;
    changed(&call, |desk| desk.revoke_token(id, moment::now()).map(|_| ())).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// GET `/v1/organisation`
pub(super) async fn organisation(call: Call) -> Result<Response, Problem> {
    let registry =
        call.node.registry.confirmed(moment::now()).map_err(|failure| Kind::BUSY.because(failure.cause))?;
    let record = registry.organisation(&call.token()?.organisation).ok_or(Kind::NOT_FOUND)?;
    Ok(json(200, &OrganisationRecord::from(&**record)))
}

/// GET `/v1/openapi.json`
pub(super) async fn description(call: Call) -> Result<Response, Problem> {
    Ok(respond::document(openapi::JSON, openapi::document(&call.node.config.file.issuer), 300))
}

/// GET `/v1/problems/{name}`
pub(super) async fn problem(call: Call) -> Result<Response, Problem> {
    let name = call.in_path("name");
    let kind = Kind::ALL.iter().find(|kind| kind.name == name).ok_or(Kind::NOT_FOUND)?;
    Ok(json(200, &kind.explained(&call.node.config.file.issuer)))
}
