//! The authentication response, success or error (RFC 6749 4.1.2, OpenID Connect Core 3.1.2.5 and 3.1.2.6), always with `iss` (RFC 9207).

use broker_core::{
    failure::{Failure, FailureCode},
    role::{Outbound, Outcome, ReturnTo},
};
use form_urlencoded::Serializer;

use crate::{
    error_code,
    op::{
        OidcOp,
        carried::{Carried, ResponseMode},
    },
};

/// Says how it ended.
pub(crate) fn answer(
    op: &OidcOp<'_>,
    return_to: &ReturnTo,
    outcome: Outcome<'_>,
    grant: Option<&str>,
) -> Result<Outbound, Failure> {
    let carried = Carried::recall(return_to).ok_or_else(|| {
        Failure::new(FailureCode::Internal, "what was carried with the login is unreadable")
    })?;
    let mut fields: Vec<(String, String)> = Vec::with_capacity(4);
    let mut field = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
    match outcome {
        Outcome::Released(login) => {
            if login.context().return_to != *return_to || carried.refused.is_some() {
                return Err(Failure::new(
                    FailureCode::Internal,
                    "the login belongs to another return address",
                ));
            }
            let code = grant
                .ok_or_else(|| Failure::new(FailureCode::Internal, "the login has no code to answer with"))?;
            field("code", code);
        }
        Outcome::Failed(failure) => match &carried.refused {
            Some(refused) => {
                field("error", refused.error.as_str());
                field("error_description", &refused.description);
            }
            None => {
                let error = error_code::of_authorization(failure.code);
                field("error", error.as_str());
                field("error_description", error.meaning());
            }
        },
    }
    if let Some(state) = &carried.state {
        field("state", state);
    }
    field("iss", &op.settings.issuer);
    Ok(match carried.response_mode {
        ResponseMode::Query => Outbound::Redirect { url: with_query(return_to.address(), &fields) },
        ResponseMode::FormPost => Outbound::Post { action: return_to.address().to_owned(), fields },
    })
}

/// RFC 6749 3.1.2: a query that the address has already is kept.
fn with_query(address: &str, fields: &[(String, String)]) -> String {
    let separator = match address.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    let added = Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("{address}{separator}{added}")
}

#[cfg(test)]
mod tests;
