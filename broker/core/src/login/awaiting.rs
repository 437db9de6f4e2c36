//! The browser is away: at the provider, or reading the notice.

use certs_proof::Verified;
use serde::{Deserialize, Serialize};

use super::{Authenticated, Login, Released, Routed};
use crate::{
    failure::{Failure, FailureCode},
    identifier::ProviderId,
    moment::Timestamp,
    organisation::OrganisationNumber,
    release::ReleasedIdentity,
    request::Freshness,
    result::AuthenticationResult,
    role::upstream::Remembered,
};

/// The browser is at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitingProvider {
    provider: ProviderId,
    /// The organisation that was chosen with it; `None`: whichever the answer proves.
    organisation: Option<OrganisationNumber>,
    remembered: Remembered,
    sent: Timestamp,
    /// It was asked for the second time, without levels.
    again: bool,
}

impl AwaitingProvider {
    pub(super) fn new(
        (provider, organisation): (ProviderId, Option<OrganisationNumber>),
        remembered: Remembered,
        sent: Timestamp,
        again: bool,
    ) -> Self {
        Self { provider, organisation, remembered, sent, again }
    }

    /// Which provider.
    #[must_use]
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }

    /// The organisation that was chosen with it; `None`: whichever the answer proves.
    #[must_use]
    pub fn organisation(&self) -> Option<&OrganisationNumber> {
        self.organisation.as_ref()
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
        let asked = &self.context.request;
        if let Err(failure) = fresh_enough(asked.freshness, self.state.sent, proven.authenticated_at) {
            // In silence the provider was not asked for a new authentication where an old one might have done: it did nothing wrong, and
            // the person would have to sign in (OIDC Core 3.1.2.6, login_required).
            let failure = if asked.passive && !asked.freshness.force {
                Failure::new(FailureCode::ProviderNoPassive, failure.cause)
            } else {
                failure
            };
            return Err((failure, Box::new(self)));
        }
        Ok(self.into(|state| Authenticated::new(result.into_value(), state.organisation)))
    }

    /// The provider said no, and the levels that it was asked for were but a wish: it is asked once more, without them (OIDC Core 5.5.1.1:
    /// a voluntary level fails no login). Once, since the login remembers it; and never where a level is demanded.
    ///
    /// The refusal may be unsigned, so anybody may have written it who knows the trip's handle and can make this very browser post it. What that
    /// gains: the person is asked a second time, by the same provider. No level is believed that was not proven, and who only wished for one reads
    /// which one came.
    ///
    /// # Errors
    /// `refusal`, where there is nothing to ask again without.
    pub fn ask_again(self, refusal: Failure) -> Result<Login<Routed>, (Failure, Box<Self>)> {
        let wanted = &self.context.request.assurance;
        if self.state.again || wanted.essential || wanted.levels.is_empty() {
            return Err((refusal, Box::new(self)));
        }
        Ok(self.into(|state| Routed::again(state.provider, state.organisation)))
    }
}

/// Whether an authentication is as fresh as was asked for. Its age is counted from when we sent the browser away: what the person then
/// takes to sign in and to read is not held against them, and with `force` (or a `max_age`, which asks the provider for force as well) an older
/// session is seen for what it is. A role may ask as well, to say of its own message where the rule was broken.
///
/// # Errors
/// [`FailureCode::AuthenticationTooOld`].
pub fn fresh_enough(
    freshness: Freshness,
    sent: Timestamp,
    authenticated_at: Timestamp,
) -> Result<(), Failure> {
    let allowed = match freshness {
        Freshness { force: true, .. } => 0,
        Freshness { force: false, max_age: Some(seconds) } => i64::from(seconds),
        Freshness { force: false, max_age: None } => return Ok(()),
    };
    let age = sent.since(authenticated_at);
    if age > allowed.saturating_add(SKEW) {
        return Err(Failure::new(
            FailureCode::AuthenticationTooOld,
            format!("authenticated {age} s before our request; allowed {allowed} s"),
        ));
    }
    Ok(())
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

#[cfg(test)]
mod tests;
