//! The browser is away: at the provider, or reading the notice.

use certs_proof::Verified;
use serde::{Deserialize, Serialize};

use super::{Authenticated, Login, Released};
use crate::{
    failure::{Failure, FailureCode},
    identifier::ProviderId,
    moment::Timestamp,
    release::ReleasedIdentity,
    result::AuthenticationResult,
    role::upstream::Remembered,
};

/// The browser is at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitingProvider {
    provider: ProviderId,
    remembered: Remembered,
    sent: Timestamp,
}

impl AwaitingProvider {
    pub(super) fn new(provider: ProviderId, remembered: Remembered, sent: Timestamp) -> Self {
        Self { provider, remembered, sent }
    }

    /// Which provider.
    #[must_use]
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }

    /// What the role wanted to remember.
    #[must_use]
    pub fn remembered(&self) -> &Remembered {
        &self.remembered
    }
}

/// How much two clocks may differ when an authentication is compared with our request, in seconds (SC-DP 6.3.5).
const SKEW: i64 = 60;

impl Login<AwaitingProvider> {
    /// The provider proved somebody. Only a verified result gets here, and only that of the provider this login was sent to.
    ///
    /// # Errors
    /// When it is another provider's, or when the authentication is older than the request allows (SC-DP 6.3: ForceAuthn is proven by
    /// AuthnInstant; OIDC Core 3.1.2.1: max_age).
    pub fn authenticated(
        self,
        result: Verified<AuthenticationResult>,
    ) -> Result<Login<Authenticated>, (Failure, Box<Self>)> {
        let proven = result.value();
        if proven.provider != self.state.provider {
            let failure = Failure::new(
                FailureCode::IssuerMismatch,
                format!("sent to {}, answered by {}", self.state.provider, proven.provider),
            );
            return Err((failure, Box::new(self)));
        }
        let freshness = self.context.request.freshness;
        let age = self.state.sent.since(proven.authenticated_at);
        let allowed = match (freshness.force, freshness.max_age) {
            (true, _) => Some(0),
            (false, limit) => limit.map(i64::from),
        };
        if allowed.is_some_and(|limit| age > limit.saturating_add(SKEW)) {
            let failure = Failure::new(
                FailureCode::AuthenticationTooOld,
                format!(
                    "authenticated {age} s before our request; allowed {} s",
                    allowed.unwrap_or_default()
                ),
            );
            return Err((failure, Box::new(self)));
        }
        Ok(self.into(|_| Authenticated::new(result.into_value())))
    }
}

/// The person is reading what will be sent. What would be released is fixed: only that leaves, whatever the registry says later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitingNotice {
    identity: ReleasedIdentity,
}

impl AwaitingNotice {
    pub(super) fn new(identity: ReleasedIdentity) -> Self {
        Self { identity }
    }

    /// What would be released.
    #[must_use]
    pub fn identity(&self) -> &ReleasedIdentity {
        &self.identity
    }
}

impl Login<AwaitingNotice> {
    /// The person continues.
    #[must_use]
    pub fn accepted(self) -> Login<Released> {
        self.into(|state| Released::new(state.identity))
    }
}
