//! The userinfo endpoint (OpenID Connect Core 5.3, RFC 6750).
//!
//! The Swedish profile (4.1) wants the response signed; relying parties say so in their registration, and the others get plain JSON as
//! OIDC Core 5.3.2 has it.

use broker_core::{
    failure::{Failure, FailureCode},
    moment::Moment,
    role::Inbound,
};
use serde_json::{Map, Value};

use crate::op::{OidcOp, grant::AccessGrant, parameters::Parameters};

/// Longer than any handle of ours.
const LONGEST_TOKEN: usize = 512;

/// A successful response, with its content type.
#[derive(Clone, PartialEq, Eq)]
pub enum UserinfoBody {
    /// `application/json`.
    Json(String),
    /// `application/jwt`.
    Jwt(String),
}

impl UserinfoBody {
    /// The Content-Type header.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/json",
            Self::Jwt(_) => "application/jwt",
        }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &str {
        match self {
            Self::Json(body) | Self::Jwt(body) => body,
        }
    }
}

impl std::fmt::Debug for UserinfoBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserinfoBody").field("content_type", &self.content_type()).finish_non_exhaustive()
    }
}

/// An error response (RFC 6750 3): a status and a WWW-Authenticate header, and nothing in the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserinfoRefused {
    /// For the log.
    pub failure: Failure,
    /// HTTP status.
    pub status: u16,
    /// The WWW-Authenticate header; `None` for faults of ours.
    pub www_authenticate: Option<&'static str>,
}

impl UserinfoRefused {
    /// No token at all: RFC 6750 3.1 says to name no error then.
    fn absent() -> Self {
        Self {
            failure: Failure::new(FailureCode::TokenInvalid, "there is no access token"),
            status: 401,
            www_authenticate: Some("Bearer"),
        }
    }

    fn malformed(cause: &str) -> Self {
        Self {
            failure: Failure::new(FailureCode::RequestMalformed, cause),
            status: 400,
            www_authenticate: Some("Bearer error=\"invalid_request\""),
        }
    }

    /// What to answer when nothing good stands under the token.
    #[must_use]
    pub fn invalid_token(cause: &str) -> Self {
        Self {
            failure: Failure::new(FailureCode::TokenInvalid, cause),
            status: 401,
            www_authenticate: Some("Bearer error=\"invalid_token\""),
        }
    }
}

impl From<Failure> for UserinfoRefused {
    fn from(failure: Failure) -> Self {
        Self { failure, status: 500, www_authenticate: None }
    }
}

/// The access token of a request: in the Authorization header (RFC 6750 2.1) or in a form (2.2), never in both and never in the query
/// (RFC 9700 4.3.2).
///
/// # Errors
/// The response to send instead.
pub fn bearer_token(message: &Inbound) -> Result<String, UserinfoRefused> {
    let in_query = message
        .query
        .as_deref()
        .is_some_and(|query| Parameters::read(query.as_bytes()).is_ok_and(|query| query.has("access_token")));
    if in_query {
        return Err(UserinfoRefused::malformed("the access token stands in the query"));
    }
    let in_form = match message.form.as_deref() {
        Some(form) => {
            let form =
                Parameters::read(form).map_err(|_| UserinfoRefused::malformed("the form cannot be read"))?;
            form.one("access_token")
                .map_err(|_| UserinfoRefused::malformed("access_token stands more than once"))?
                .map(str::to_owned)
        }
        None => None,
    };
    let in_header = match message.authorization.as_deref().map(|header| header.split_once(' ')) {
        Some(Some((scheme, token))) if scheme.eq_ignore_ascii_case("Bearer") => Some(token.trim().to_owned()),
        Some(_) => return Err(UserinfoRefused::absent()),
        None => None,
    };
    let token = match (in_header, in_form) {
        (Some(_), Some(_)) => return Err(UserinfoRefused::malformed("two access tokens are presented")),
        (Some(token), None) | (None, Some(token)) => token,
        (None, None) => return Err(UserinfoRefused::absent()),
    };
    // RFC 6750 2.1: b64token.
    let well_formed = !token.is_empty()
        && token.len() <= LONGEST_TOKEN
        && token.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
        });
    if well_formed {
        Ok(token)
    } else {
        Err(UserinfoRefused::invalid_token("the access token is none of ours"))
    }
}

impl OidcOp<'_> {
    /// The response to a token under which `grant` stood.
    ///
    /// # Errors
    /// The response to send instead.
    pub fn userinfo(&self, grant: &AccessGrant, moment: Moment<'_>) -> Result<UserinfoBody, UserinfoRefused> {
        if moment.now >= grant.expires {
            return Err(UserinfoRefused::invalid_token("the access token has expired"));
        }
        let client = self
            .registry
            .oidc_client(&grant.client_id)
            .ok_or_else(|| UserinfoRefused::invalid_token("the relying party is gone"))?;
        let suspensions = self.registry.suspensions();
        suspensions
            .allow_relying_party(&client.policy)
            .and_then(|()| suspensions.allow(&grant.grounds))
            .map_err(|failure| UserinfoRefused { failure, ..UserinfoRefused::invalid_token("suspended") })?;
        // So does a connection that was closed, or narrowed to less than the claims are made of.
        let connection = super::token::connection(self.registry, &grant.grounds.organisation, client)
            .map_err(|failure| UserinfoRefused { failure, ..UserinfoRefused::invalid_token("closed") })?;
        if !grant.attributes.iter().all(|name| connection.lets_leave(*name)) {
            return Err(UserinfoRefused::invalid_token(
                "the employer has narrowed the connection since the person signed in",
            ));
        }
        let mut claims: Map<String, Value> = grant.claims.clone();
        claims.insert("sub".to_owned(), Value::from(grant.subject.as_str()));
        let Some(algorithm) = client.userinfo_algorithm else {
            return Ok(UserinfoBody::Json(Value::Object(claims).to_string()));
        };
        // OIDC Core 5.3.2: a signed response names its issuer and audience. There is no exp: nobody can take it for an ID token.
        claims.insert("iss".to_owned(), Value::from(self.settings.issuer.as_str()));
        claims.insert("aud".to_owned(), Value::from(grant.client_id.as_str()));
        claims.insert("iat".to_owned(), Value::from(moment.now.0));
        Ok(UserinfoBody::Jwt(self.signed(algorithm, claims)?))
    }
}

#[cfg(test)]
mod tests;
