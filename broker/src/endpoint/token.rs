//! `/oidc/token`: a relying party redeems its code (OpenID Connect Core 3.1.3).

use std::sync::Arc;

use axum::{body::Body, extract::State, http::Request, response::Response};
use broker_core::{
    audit::{AuditLine, AuditOutcome},
    failure::{Failure, FailureCode},
    identifier::{Reference, RelyingPartyId},
    role::Inbound,
};
use broker_oidc::op::{
    OidcOp,
    grant::Grant,
    token_request::{TokenRefused, TokenRequest},
};
use broker_store::{
    record::{Handle, MarkKind},
    vault::{Finished, Found, Mark, NewRecord, VaultError},
};
use certs::keyring::Keyring;
use http::{HeaderValue, header};
use metadata::Registry;

use super::Largest;
use crate::{
    drive::{SpentCode, access_token_place, code_place},
    heavy_work::{self, Lane},
    moment, respond, telemetry,
    wiring::Node,
};

/// What was refused, and what is known of whose request it was.
struct Refused {
    answer: TokenRefused,
    relying_party: Option<RelyingPartyId>,
    reference: Option<Reference>,
}

impl From<TokenRefused> for Refused {
    fn from(answer: TokenRefused) -> Self {
        Self { answer, relying_party: None, reference: None }
    }
}

impl From<VaultError> for Refused {
    fn from(error: VaultError) -> Self {
        let code = match error {
            VaultError::Store(_) => FailureCode::StoreAway,
            // Octets that no node wrote there: no such code.
            VaultError::Corrupt => FailureCode::CodeInvalid,
            VaultError::Unfit(_) | VaultError::Occupied => FailureCode::Internal,
        };
        TokenRefused::new(code, error.to_string()).into()
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        TokenRefused::new(failure.code, failure.cause).into()
    }
}

/// POST
pub(crate) async fn token(State(node): State<Arc<Node>>, request: Request<Body>) -> Response {
    match exchange(&node, request).await {
        Ok(body) => respond::json_no_store(200, body),
        Err(refused) => {
            log(&refused.answer.failure, refused.relying_party, refused.reference);
            let mut response = respond::json_no_store(refused.answer.status, refused.answer.body);
            if let Some(challenge) = refused.answer.www_authenticate {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            if matches!(refused.answer.status, 429 | 503) {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            response
        }
    }
}

/// The node with what it knew when the request came, so that a piece of work can take it along.
#[derive(Clone)]
struct Known {
    node: Arc<Node>,
    registry: Arc<Registry>,
    keyring: Arc<Keyring>,
}

impl Known {
    fn op(&self) -> OidcOp<'_> {
        self.node.op(&self.registry, &self.keyring)
    }
}

async fn exchange(node: &Arc<Node>, request: Request<Body>) -> Result<String, Refused> {
    let (message, _) = super::inbound(request, Largest::TOKEN).await?;
    let moment = moment::moment();
    let registry = node.registry.confirmed(moment.now)?;
    let keyring = node.oidc_keys.current()?;
    let known = Known { node: node.clone(), registry, keyring };
    let request = proven(&known, message).await?;
    let client = request.client().id().clone();
    let limited = node.throttle.proven(&client).map_err(Refused::from);
    let redeemed = match limited {
        Ok(()) => redeem(known, request).await,
        Err(refused) => Err(refused),
    };
    redeemed.map_err(|refused| Refused { relying_party: Some(client), ..refused })
}

/// Who asks. A secret is compared here; an assertion's signature is verified by the pool. Failures are counted apart, so that no guess of others
/// hinders who has the key.
async fn proven(known: &Known, message: Inbound) -> Result<TokenRequest, Refused> {
    let moment = moment::moment();
    let by_assertion = message.form.as_deref().is_some_and(carries_assertion);
    let outcome = if by_assertion {
        let piece = known.clone();
        known.node.work.run(Lane::UnderWay, move || piece.op().token_request(&message, moment)).await?
    } else {
        known.op().token_request(&message, moment)
    };
    outcome.map_err(|refused| {
        let claimed = refused.claimed.clone();
        let counted = match refused.failure.code {
            FailureCode::RelyingPartyAuthenticationFailed => known.node.throttle.unproven(claimed.as_ref()),
            _ => Ok(()),
        };
        let answer = counted.map_or_else(TokenRefused::from, |()| refused);
        Refused { relying_party: claimed, ..Refused::from(answer) }
    })
}

/// Whether a form has a client assertion, by the field's name as it is read later: however it was written.
fn carries_assertion(form: &[u8]) -> bool {
    form_urlencoded::parse(form).any(|(name, _)| name == "client_assertion")
}

async fn redeem(known: Known, request: TokenRequest) -> Result<String, Refused> {
    let (node, moment) = (&known.node, moment::moment());
    let first = match request.once() {
        None => true,
        Some(once) => {
            let mark = Mark { kind: MarkKind::ClientAssertion, name: &once.name, until: once.until };
            node.vault.insert_once(moment, mark).await?
        }
    };
    let request = request.marked(first)?;
    let Some(code) = Handle::parse(request.code()) else {
        return Err(OidcOp::code_refused("this is no code of ours").into());
    };
    let access_token = Handle::new(moment);
    let client = request.client().id().clone();
    let place = code_place(&code, &client);
    let spent = SpentCode { access_token: access_token.clone() };
    let grant = match node.vault.read::<Grant, SpentCode>(moment, place).await? {
        Found::Live(grant) => grant,
        Found::Spent(spent) => return Err(used_before(node, &spent).await?),
        Found::Absent => return Err(no_such_code()),
    };
    let reference = grant.reference().clone();
    let heavy = known
        .registry
        .oidc_client(&client)
        .is_some_and(|found| heavy_work::is_heavy(found.id_token_algorithm));
    let signed = {
        let (piece, access_token) = (known.clone(), access_token.clone());
        move || piece.op().exchange(&request, &grant, access_token.as_str(), moment)
    };
    let outcome = if heavy { node.work.run(Lane::UnderWay, signed).await? } else { signed() };
    let exchanged = match outcome {
        Ok(exchanged) => exchanged,
        Err(answer) => {
            if answer.status == 400 {
                // One attempt: whoever holds a code and not what belongs to it does not try again. A fault of ours costs nobody their code.
                node.vault.take::<Grant, SpentCode>(moment, place, &spent).await?;
            }
            return Err(Refused { reference: Some(reference), ..Refused::from(answer) });
        }
    };
    // The code goes and the access token comes as one: no failure in between leaves neither, and a token that is revoked below stood already.
    let opened =
        [NewRecord::new(access_token_place(&access_token), &exchanged.access, exchanged.access.expires())?];
    match node.vault.finish::<Grant, SpentCode>(moment, place, &spent, None, &opened).await? {
        Finished::Done(_) => Ok(exchanged.body),
        Finished::Spent(spent) => Err(used_before(node, &spent).await?),
        Finished::Absent | Finished::Replayed => Err(no_such_code()),
    }
}

/// Whoever comes second may be the rightful one: what the first was given ends too (RFC 6749 4.1.2).
async fn used_before(node: &Node, spent: &SpentCode) -> Result<Refused, VaultError> {
    node.vault.forget(access_token_place(&spent.access_token)).await?;
    Ok(OidcOp::code_refused("the code was used before; its access token is revoked").into())
}

fn no_such_code() -> Refused {
    OidcOp::code_refused("there is no such code for this relying party").into()
}

/// A refusal's line in the log.
pub(super) fn log(failure: &Failure, relying_party: Option<RelyingPartyId>, reference: Option<Reference>) {
    telemetry::audit(&AuditLine {
        reference: reference.unwrap_or_else(|| Reference::from_random(moment::moment().random())),
        outcome: AuditOutcome::Refused,
        code: Some(failure.code),
        cause: Some(failure.cause.clone()),
        relying_party,
        provider: None,
        organisation: None,
        released: Vec::new(),
        dropped: Vec::new(),
        not_agreed: Vec::new(),
        assurance: None,
    });
}

#[cfg(test)]
mod tests {
    use super::carries_assertion;

    #[test]
    fn an_assertion_is_seen_however_its_field_is_written() {
        for form in ["client_assertion=a", "code=a&client%5Fassertion=a", "%63lient_%61ssertion"] {
            assert!(carries_assertion(form.as_bytes()), "{form}");
        }
        for form in ["", "code=client_assertion", "client_assertion_type=a", "client_secret=a"] {
            assert!(!carries_assertion(form.as_bytes()), "{form}");
        }
    }
}
