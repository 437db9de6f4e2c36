//! The token request (RFC 6749 4.1.3), up to a proven relying party (RFC 6749 2.3, OpenID Connect Core 9).
//!
//! A relying party proves itself by exactly the method it is registered with. Two steps, so that neither can be left out:
//! [`OidcOp::token_request`] gives a [`TokenRequest`]; the edge marks its assertion as used, if it has one, and says whether it was the
//! first ([`TokenRequest::marked`]); only a [`RedeemableRequest`] can be exchanged.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::{
    failure::{Failure, FailureCode},
    identifier::RelyingPartyId,
    moment::Moment,
    result::OneTimeUse,
    role::Inbound,
};
use metadata::peer::{ClientAuthentication, OidcClient};
use serde_json::json;

use crate::{
    error_code,
    op::{
        OidcOp, client_assertion,
        parameters::{self, Parameters},
    },
};

/// A relying party that proved who it is. Made in this module alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatedClient {
    client_id: RelyingPartyId,
}

impl AuthenticatedClient {
    /// Who: what the record of its code is bound to.
    #[must_use]
    pub fn id(&self) -> &RelyingPartyId {
        &self.client_id
    }
}

/// A token request from a proven relying party, whose assertion may have been used before.
pub struct TokenRequest {
    request: RedeemableRequest,
    once: Option<OneTimeUse>,
}

impl TokenRequest {
    /// Who asks.
    #[must_use]
    pub fn client(&self) -> &AuthenticatedClient {
        &self.request.client
    }

    /// The mark that must be set before anything is redeemed; `None`: nothing to mark.
    #[must_use]
    pub fn once(&self) -> Option<&OneTimeUse> {
        self.once.as_ref()
    }

    /// Goes on, given whether the mark was not there before. Where there is nothing to mark, `first` does not matter.
    ///
    /// # Errors
    /// When the assertion was used before (RFC 7523 3: replay).
    pub fn marked(self, first: bool) -> Result<RedeemableRequest, TokenRefused> {
        if self.once.is_some() && !first {
            return Err(TokenRefused::new(
                FailureCode::RelyingPartyAuthenticationFailed,
                "the client assertion was used before",
            ));
        }
        Ok(self.request)
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest").field("request", &self.request).finish_non_exhaustive()
    }
}

/// A token request that may be exchanged, if the code is good.
pub struct RedeemableRequest {
    client: AuthenticatedClient,
    code: String,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) code_verifier: Option<String>,
}

impl RedeemableRequest {
    /// Who asks.
    #[must_use]
    pub fn client(&self) -> &AuthenticatedClient {
        &self.client
    }

    /// The code: the handle of the record to take.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl fmt::Debug for RedeemableRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedeemableRequest").field("client", &self.client).finish_non_exhaustive()
    }
}

/// An error response of the token endpoint (RFC 6749 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRefused {
    /// For the log.
    pub failure: Failure,
    /// HTTP status: 400, 401, or 5xx for faults of ours.
    pub status: u16,
    /// The JSON body.
    pub body: String,
    /// The WWW-Authenticate header, where the relying party used the Authorization header.
    pub www_authenticate: Option<&'static str>,
    /// The registered relying party in whose name the request came and that it did not prove to be; for limits and the log.
    pub claimed: Option<RelyingPartyId>,
}

impl TokenRefused {
    /// The response for a failure.
    #[must_use]
    pub fn new(code: FailureCode, cause: impl Into<String>) -> Self {
        Self::from(Failure::new(code, cause))
    }

    fn by_header(mut self) -> Self {
        if self.status == 401 {
            self.www_authenticate = Some("Basic realm=\"token\", charset=\"UTF-8\"");
        }
        self
    }
}

impl From<Failure> for TokenRefused {
    /// The description is fixed per code: the cause is for the log (an attacker learns nothing about which check failed).
    fn from(failure: Failure) -> Self {
        use error_code::ErrorCode as E;
        let error = error_code::of(failure.code);
        let status = match error {
            // RFC 6585 4. OAuth has no error for it: the nearest says that waiting helps.
            _ if failure.code == FailureCode::RelyingPartyTooMany => 429,
            E::InvalidClient => 401,
            E::ServerError => 500,
            E::TemporarilyUnavailable => 503,
            _ => 400,
        };
        let body = json!({ "error": error.as_str(), "error_description": error.meaning() }).to_string();
        Self { failure, status, body, www_authenticate: None, claimed: None }
    }
}

fn malformed(cause: impl Into<String>) -> TokenRefused {
    TokenRefused::new(FailureCode::RequestMalformed, cause)
}

fn unproven(cause: impl Into<String>) -> TokenRefused {
    TokenRefused::new(FailureCode::RelyingPartyAuthenticationFailed, cause)
}

/// What was presented as proof.
enum Presented<'p> {
    Basic { client_id: String, secret: String },
    Post { client_id: &'p str, secret: &'p str },
    Assertion { client_id: String, assertion: &'p str },
}

impl OidcOp<'_> {
    /// Reads a token request and authenticates the relying party.
    ///
    /// # Errors
    /// The response to send instead. It tells a wrong secret and an unknown relying party in the same words.
    pub fn token_request(&self, message: &Inbound, moment: Moment<'_>) -> Result<TokenRequest, TokenRefused> {
        let form = message.form.as_deref().ok_or_else(|| malformed("there is no form"))?;
        let parameters = Parameters::read(form).map_err(|unreadable| malformed(unreadable.to_string()))?;
        let refused = |refusal: TokenRefused| {
            if message.authorization.is_some() { refusal.by_header() } else { refusal }
        };
        if parameters.repeated().is_some() {
            return Err(malformed("a parameter stands more than once"));
        }
        let presented = presented(message, &parameters).map_err(refused)?;
        let (client, once) = self.authenticate(&presented, &parameters, moment).map_err(refused)?;
        match value(&parameters, "grant_type") {
            Some("authorization_code") => {}
            Some(_) => {
                return Err(TokenRefused::new(
                    FailureCode::GrantTypeUnsupported,
                    "grant_type is not authorization_code",
                ));
            }
            None => return Err(malformed("grant_type is missing")),
        }
        let code = value(&parameters, "code").ok_or_else(|| malformed("code is missing"))?;
        Ok(TokenRequest {
            request: RedeemableRequest {
                client,
                code: code.to_owned(),
                redirect_uri: value(&parameters, "redirect_uri").map(str::to_owned),
                code_verifier: value(&parameters, "code_verifier").map(str::to_owned),
            },
            once,
        })
    }

    fn authenticate(
        &self,
        presented: &Presented<'_>,
        parameters: &Parameters,
        moment: Moment<'_>,
    ) -> Result<(AuthenticatedClient, Option<OneTimeUse>), TokenRefused> {
        let client_id = match presented {
            Presented::Basic { client_id, .. } | Presented::Assertion { client_id, .. } => client_id.as_str(),
            Presented::Post { client_id, .. } => client_id,
        };
        // RFC 6749 2.3.1, RFC 7521 4.2: client_id in the body is optional beside those two, and then it must be the same.
        if value(parameters, "client_id").is_some_and(|named| named != client_id) {
            return Err(unproven("client_id in the form is not the one that was proven"));
        }
        let client = self
            .registry
            .oidc_client(&RelyingPartyId::new(client_id))
            .ok_or_else(|| unproven("no relying party is registered under the client_id"))?;
        let claimed = |refusal| TokenRefused { claimed: Some(client.client_id.clone()), ..refusal };
        let once = self.proven(client, presented, moment).map_err(claimed)?;
        self.registry
            .suspensions()
            .allow_relying_party(&client.policy)
            .map_err(|failure| unproven(failure.cause))?;
        Ok((AuthenticatedClient { client_id: client.client_id.clone() }, once))
    }

    /// Exactly the registered method: a relying party with a key never gets in with a secret, nor the other way round.
    fn proven(
        &self,
        client: &OidcClient,
        presented: &Presented<'_>,
        moment: Moment<'_>,
    ) -> Result<Option<OneTimeUse>, TokenRefused> {
        match (&client.authentication, presented) {
            (ClientAuthentication::ClientSecretBasic(hash), Presented::Basic { client_id, secret }) => {
                self.secret_held(hash.verify(self.client_secrets, client_id, secret))
            }
            (ClientAuthentication::ClientSecretPost(hash), Presented::Post { client_id, secret }) => {
                self.secret_held(hash.verify(self.client_secrets, client_id, secret))
            }
            (
                ClientAuthentication::PrivateKeyJwt { keys, algorithm },
                Presented::Assertion { assertion, .. },
            ) => client_assertion::check(assertion, client, keys, *algorithm, self.settings, moment.now)
                .map(Some)
                .map_err(unproven),
            (registered, _) => {
                Err(unproven(format!("the relying party is registered with {}", registered.method())))
            }
        }
    }

    fn secret_held(&self, held: bool) -> Result<Option<OneTimeUse>, TokenRefused> {
        if held { Ok(None) } else { Err(unproven("the client secret is another")) }
    }
}

fn value<'p>(parameters: &'p Parameters, name: &str) -> Option<&'p str> {
    parameters.one(name).ok().flatten()
}

/// RFC 6749 2.3: not more than one method in a request.
fn presented<'p>(message: &Inbound, parameters: &'p Parameters) -> Result<Presented<'p>, TokenRefused> {
    let has = |name| value(parameters, name).is_some();
    let has_assertion = has("client_assertion") || has("client_assertion_type");
    match (&message.authorization, has("client_secret"), has_assertion) {
        (Some(header), false, false) => basic(header),
        (None, true, false) => {
            let client_id = value(parameters, "client_id").ok_or_else(|| unproven("client_id is missing"))?;
            let secret = value(parameters, "client_secret").unwrap_or_default();
            Ok(Presented::Post { client_id, secret })
        }
        (None, false, true) => {
            if value(parameters, "client_assertion_type") != Some(client_assertion::ASSERTION_TYPE) {
                return Err(unproven("client_assertion_type is not jwt-bearer"));
            }
            let assertion = value(parameters, "client_assertion")
                .ok_or_else(|| unproven("client_assertion is missing"))?;
            let client_id = client_assertion::claimed_subject(assertion)
                .ok_or_else(|| unproven("the assertion names no sub"))?;
            Ok(Presented::Assertion { client_id, assertion })
        }
        (None, false, false) => Err(unproven("nothing proves who the relying party is")),
        _ => Err(malformed("more than one method of authentication is used")),
    }
}

/// RFC 7617 2, with both halves encoded as RFC 6749 2.3.1 and appendix B say.
fn basic<'p>(header: &str) -> Result<Presented<'p>, TokenRefused> {
    let unreadable = || unproven("the Authorization header holds no Basic credentials");
    let (scheme, credentials) = header.split_once(' ').ok_or_else(unreadable)?;
    if !scheme.eq_ignore_ascii_case("Basic") || credentials.len() > 4096 {
        return Err(unreadable());
    }
    let decoded = STANDARD.decode(credentials.trim()).map_err(|_| unreadable())?;
    let colon = decoded.iter().position(|byte| *byte == b':').ok_or_else(unreadable)?;
    let (client_id, secret) = decoded.split_at_checked(colon).ok_or_else(unreadable)?;
    let secret = secret.strip_prefix(b":").ok_or_else(unreadable)?;
    let client_id = parameters::decoded(client_id).map_err(|_| unreadable())?;
    let secret = parameters::decoded(secret).map_err(|_| unreadable())?;
    Ok(Presented::Basic { client_id, secret })
}

#[cfg(test)]
mod tests;
