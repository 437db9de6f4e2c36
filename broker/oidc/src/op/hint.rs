//! `login_hint` and `id_token_hint` (OpenID Connect Core 3.1.2.1).
//!
//! `login_hint` only ever chooses a provider (`broker-core/routing/login_hint.rs`); it is neither logged nor sent on. `id_token_hint` is an
//! ID token that we gave to this very relying party: the login must end with its subject, or fails. That it has expired does not matter,
//! since it says who is expected and proves nothing else.

use broker_core::{
    identifier::ProviderId,
    request::{ExpectedSubject, LoginHint},
};
use certs::{
    SignatureAlgorithm, Signer as _,
    jws::{self, Expectation, ExpectedType},
};
use metadata::peer::OidcClient;
use serde_json::Value;

use crate::{claims::Claim, op::OidcOp};

/// Octets of a `login_hint` that is looked at: no entity ID (SAML Core 8.3.6) and no mail address is longer.
const LONGEST_LOGIN_HINT: usize = 1024;

/// What an ID token of ours says.
pub(super) struct IdTokenHint {
    /// Whom it was about.
    pub(super) subject: ExpectedSubject,
    /// Who had authenticated them, where this relying party was told.
    pub(super) provider: Option<ProviderId>,
}

/// The hint as far as it may be of use: one that is too long names nothing.
pub(super) fn login_hint(received: Option<&str>) -> Option<LoginHint> {
    received.filter(|hint| hint.len() <= LONGEST_LOGIN_HINT).map(LoginHint::new)
}

/// Reads an ID token of ours: signed with a key of ours, also one that has retired since, by us, for this relying party. `None`: it is not
/// one.
pub(super) fn id_token_hint(op: &OidcOp<'_>, client: &OidcClient, token: &str) -> Option<IdTokenHint> {
    let algorithms: Vec<SignatureAlgorithm> =
        op.keyring.keys().iter().map(|entry| entry.signer.algorithm()).collect();
    let expectation = Expectation { algorithms: &algorithms, token_type: ExpectedType::Is("JWT") };
    let verified = jws::verify_compact(token, &op.keyring.published(), expectation).ok()?;
    let claims = verified.value().object()?;
    let said = |name: &str| claims.get(name).and_then(Value::as_str);
    let ours = said("iss") == Some(op.settings.issuer.as_str())
        && said("aud") == Some(client.client_id.as_str())
        // A signed userinfo answer is by us and for this relying party as well; only an ID token ends (OIDC Core 2 and 5.3.2).
        && claims.get("exp").is_some_and(Value::is_number)
        && claims.contains_key("auth_time");
    let subject = said("sub").filter(|_| ours)?.to_owned();
    let provider = said(Claim::AuthenticatingProvider.name(&op.settings.claim_names)).map(ProviderId::from);
    Some(IdTokenHint { subject: ExpectedSubject::one_of([subject]), provider })
}

#[cfg(test)]
mod tests;
