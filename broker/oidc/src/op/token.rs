//! A code becomes an ID token and an access token (RFC 6749 4.1.3 and 5.1, RFC 7636 4.6, OpenID Connect Core 2 and 3.1.3).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::{
    connection::Connection,
    failure::{Failure, FailureCode},
    moment::{Moment, Timestamp},
    organisation::{Organisation, OrganisationNumber},
};
use certs::{DigestAlgorithm, SignatureAlgorithm, jws};
use metadata::{Registry, peer::OidcClient};
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq as _;

use crate::op::{
    OidcOp,
    grant::{ACCESS_TOKEN_LIFETIME_SECONDS, AccessGrant, Grant},
    token_request::{RedeemableRequest, TokenRefused},
};

/// How long an ID token can be used, in seconds (Swedish profile 3.2.1: at most five minutes).
pub const ID_TOKEN_LIFETIME_SECONDS: i64 = 300;

/// A successful response. It is sent with `Cache-Control: no-store` (RFC 6749 5.1).
pub struct TokenResponse {
    /// The JSON body.
    pub body: String,
    /// What the edge stores under the access token before it answers.
    pub access: AccessGrant,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse").field("access", &self.access).finish_non_exhaustive()
    }
}

impl OidcOp<'_> {
    /// Exchanges a code. `grant` was taken, once, from under `request.code()`; `access_token` is a new unguessable handle.
    ///
    /// # Errors
    /// The response to send instead. The code is spent all the same: one that was tried with a wrong verifier is not to be tried again.
    pub fn exchange(
        &self,
        request: &RedeemableRequest,
        grant: &Grant,
        access_token: &str,
        moment: Moment<'_>,
    ) -> Result<TokenResponse, TokenRefused> {
        let client = self.redeemable(request, grant, moment.now)?;
        // A connection that was narrowed since the person signed in counts, too.
        let grant = &grant.clone().within(&self.connected(&grant.identity.organisation, client)?);
        let expires = expiry(moment.now, ACCESS_TOKEN_LIFETIME_SECONDS, grant.identity.session_ends)
            .ok_or_else(session_over)?;
        let id_token = self.id_token(client, grant, access_token, moment.now)?;
        let access = AccessGrant {
            client_id: grant.client_id.clone(),
            grounds: grant.identity.grounds(),
            subject: grant.identity.subject.as_str().to_owned(),
            attributes: grant.identity.attributes.names().collect(),
            claims: grant.carried.placement.userinfo(&grant.identity, &self.settings.claim_names),
            reference: grant.reference.clone(),
            expires,
        };
        let body = json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": expires.since(moment.now),
            "id_token": id_token,
            // RFC 6749 5.1: said since it may be less than what was asked for (unknown scopes are left out).
            "scope": grant.carried.scopes.join(" "),
        })
        .to_string();
        Ok(TokenResponse { body, access })
    }

    /// What to answer when nothing good stands under the code: unknown, expired, used, or bound to somebody else.
    #[must_use]
    pub fn code_refused(cause: &str) -> TokenRefused {
        TokenRefused::new(FailureCode::CodeInvalid, cause)
    }

    fn redeemable(
        &self,
        request: &RedeemableRequest,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<&OidcClient, TokenRefused> {
        // RFC 6749 4.1.3: the code was given to this relying party.
        if request.client().id() != &grant.client_id {
            return Err(Self::code_refused("the code was given to another relying party"));
        }
        if now >= grant.expires() || now < grant.issued.plus(-super::SKEW_SECONDS) {
            return Err(Self::code_refused("the code has expired"));
        }
        // RFC 6749 4.1.3: redirect_uri was in the authorization request, so it must be here, identical.
        if request.redirect_uri.as_deref() != Some(grant.redirect_uri.as_str()) {
            return Err(Self::code_refused("redirect_uri is not that of the authorization request"));
        }
        proof_key(grant.carried.code_challenge.as_deref(), request.code_verifier.as_deref())?;
        let client = self
            .registry
            .oidc_client(&grant.client_id)
            .ok_or_else(|| Self::code_refused("the relying party is no longer registered"))?;
        // A suspension since the person signed in counts: the code is good for nothing any more (RFC 6749 5.2, invalid_grant).
        self.registry.suspensions().allow(&grant.identity.grounds()).map_err(|failure| {
            let refused = Self::code_refused(&failure.cause);
            TokenRefused { failure, ..refused }
        })?;
        Ok(client)
    }

    /// What holds between the proven employer and the relying party now, which must be open: a connection that was closed since the person signed
    /// in ends the code (RFC 6749 5.2, invalid_grant).
    fn connected(
        &self,
        employer: &OrganisationNumber,
        client: &OidcClient,
    ) -> Result<Connection<'_>, TokenRefused> {
        connection(self.registry, employer, client).map_err(|failure| {
            let refused = Self::code_refused(&failure.cause);
            TokenRefused { failure, ..refused }
        })
    }

    fn id_token(
        &self,
        client: &OidcClient,
        grant: &Grant,
        access_token: &str,
        now: Timestamp,
    ) -> Result<String, TokenRefused> {
        let algorithm = client.id_token_algorithm;
        let expires =
            expiry(now, ID_TOKEN_LIFETIME_SECONDS, grant.identity.session_ends).ok_or_else(session_over)?;
        let claims = self.id_token_claims(grant, algorithm, access_token, (now, expires));
        Ok(self.signed(algorithm, claims)?)
    }

    /// OIDC Core 2 and 3.1.3.6; Swedish profile 3.2.1: `auth_time` always, of the original authentication.
    fn id_token_claims(
        &self,
        grant: &Grant,
        algorithm: SignatureAlgorithm,
        access_token: &str,
        (now, expires): (Timestamp, Timestamp),
    ) -> Map<String, Value> {
        let identity = &grant.identity;
        // What the protocol says comes last, so that no claim of a person can stand in its place.
        let mut claims = grant.carried.placement.id_token(identity, &self.settings.claim_names);
        let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        say("iss", Value::from(self.settings.issuer.as_str()));
        say("sub", Value::from(identity.subject.as_str()));
        say("aud", Value::from(grant.client_id.as_str()));
        say("iat", Value::from(now.0));
        say("exp", Value::from(expires.0));
        say("auth_time", Value::from(identity.authenticated_at.0));
        if let Some(nonce) = &grant.carried.nonce {
            say("nonce", Value::from(nonce.as_str()));
        }
        if let Some(level) = &identity.assurance {
            say("acr", Value::from(level.as_str()));
        }
        say("at_hash", Value::from(left_half_hash(algorithm, access_token)));
        claims
    }

    /// A JWT by our active key for an algorithm.
    pub(crate) fn signed(
        &self,
        algorithm: SignatureAlgorithm,
        claims: Map<String, Value>,
    ) -> Result<String, Failure> {
        let name = algorithm.jws_name().unwrap_or("an algorithm without a JWS name");
        let signer = self
            .keyring
            .active(algorithm)
            .ok_or_else(|| Failure::new(FailureCode::KeyMissing, format!("no active key signs {name}")))?;
        jws::sign_compact(signer.as_ref(), Some("JWT"), Value::Object(claims).to_string().as_bytes())
            .map_err(|_| Failure::new(FailureCode::KeyMissing, format!("the key for {name} did not sign")))
    }
}

/// What holds between an employer and a relying party, by the registry of the moment.
///
/// # Errors
/// When it is closed.
pub(crate) fn connection<'r>(
    registry: &'r Registry,
    employer: &OrganisationNumber,
    client: &OidcClient,
) -> Result<Connection<'r>, Failure> {
    let connections = registry.connections();
    let of = |employer: &Organisation| {
        connections.allow(employer, &client.client_id)?;
        Ok(connections.between(employer, &client.client_id))
    };
    match registry.organisation(employer) {
        Some(record) => of(record),
        // Of a provider that a source brought: its organisation has no record here, and so no list of its own.
        None => of(&Organisation::of(employer.clone())),
    }
}

/// When a token ends: after `lifetime` seconds, or where the provider's own limit comes first (SAML SessionNotOnOrAfter). `None`: that has passed,
/// and no token may outlive it.
fn expiry(now: Timestamp, lifetime: i64, session_ends: Option<Timestamp>) -> Option<Timestamp> {
    let latest = now.plus(lifetime);
    session_ends.map_or(Some(latest), |ends| (ends > now).then(|| ends.min(latest)))
}

fn session_over() -> TokenRefused {
    OidcOp::code_refused("the provider's session has ended")
}

/// OIDC Core 3.1.3.6: the left half of the access token's digest, by the digest of the signature's algorithm.
fn left_half_hash(algorithm: SignatureAlgorithm, access_token: &str) -> String {
    use SignatureAlgorithm as S;
    let digest = match algorithm {
        S::RsaSha1 | S::RsaSha256 | S::RsaPssSha256 | S::EcdsaSha256 => DigestAlgorithm::Sha256,
        S::RsaSha384 | S::RsaPssSha384 | S::EcdsaSha384 => DigestAlgorithm::Sha384,
        S::RsaSha512 | S::RsaPssSha512 | S::EcdsaSha512 => DigestAlgorithm::Sha512,
    }
    .digest(access_token.as_bytes());
    let (left, _) = digest.split_at(digest.len() / 2);
    URL_SAFE_NO_PAD.encode(left)
}

/// RFC 7636 4.6. A verifier without a challenge is refused as well: somebody took the challenge out (RFC 9700 4.8.2).
fn proof_key(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), TokenRefused> {
    let refused = |cause: &str| Err(TokenRefused::new(FailureCode::PkceMismatch, cause));
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => refused("code_verifier for a request that had no code_challenge"),
        (Some(_), None) => refused("code_verifier is missing"),
        (Some(challenge), Some(verifier)) => {
            // RFC 7636 4.1: 43 to 128 unreserved characters.
            let well_formed = (43..=128).contains(&verifier.len())
                && verifier
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'));
            if !well_formed {
                return refused("code_verifier is not 43 to 128 unreserved characters");
            }
            let computed = URL_SAFE_NO_PAD.encode(DigestAlgorithm::Sha256.digest(verifier.as_bytes()));
            if bool::from(computed.as_bytes().ct_eq(challenge.as_bytes())) {
                Ok(())
            } else {
                refused("code_verifier does not match the challenge")
            }
        }
    }
}

#[cfg(test)]
mod tests;
