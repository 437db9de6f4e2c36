//! Somebody is proven; nothing has been released.

use super::{AwaitingChoice, AwaitingNotice, Context, Login, Released};
use crate::{
    failure::{Failure, FailureCode},
    organisation::OrganisationNumber,
    release::{self, Policy},
    result::AuthenticationResult,
    role::Downstream,
    routing,
};

/// Somebody is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    result: AuthenticationResult,
    chosen: Option<OrganisationNumber>,
}

impl Authenticated {
    pub(super) fn new(result: AuthenticationResult, chosen: Option<OrganisationNumber>) -> Self {
        Self { result, chosen }
    }
}

/// What comes after [`Authenticated`].
#[derive(Debug)]
pub enum Release {
    /// Nothing needs to be shown.
    Released(Login<Released>),
    /// The person is shown what will be sent.
    Notice(Login<AwaitingNotice>),
    /// The person belongs to another organisation than the chosen one, and is asked.
    Elsewhere(Box<Elsewhere>),
}

/// The answer proves another organisation than the one that was chosen. Nothing of it is kept: the same request can begin again at the proven
/// organisation, when the person says so, and never by itself.
#[derive(Debug)]
pub struct Elsewhere {
    /// The same request, where a choice is made.
    pub login: Login<AwaitingChoice>,
    /// What was chosen.
    pub chosen: OrganisationNumber,
    /// What was proven.
    pub proven: OrganisationNumber,
    /// For the log.
    pub failure: Failure,
}

/// A release that did not come about.
#[derive(Debug)]
pub struct NotReleased {
    /// Why.
    pub failure: Failure,
    /// The organisation that was proven; `None`: none was.
    pub organisation: Option<OrganisationNumber>,
    /// Of the login.
    pub context: Box<Context>,
}

impl Login<Authenticated> {
    /// Runs the release steps; `role` then says whether what is left is enough in its own words. `notice`: the person has not yet been shown this (or is to be shown it each time).
    ///
    /// # Errors
    /// The first step that says no, or [`FailureCode::InteractionRequired`] when something is due to be shown and nothing may be.
    pub fn release(
        self,
        policy: Policy<'_>,
        role: &dyn Downstream,
        notice: bool,
    ) -> Result<Release, Box<NotReleased>> {
        let Self { context, state } = self;
        let Authenticated { result, chosen } = state;
        let failed = |failure, organisation, context| {
            Err(Box::new(NotReleased { failure, organisation, context: Box::new(context) }))
        };
        let provider = match release::organisation::proven(&result, policy.provider) {
            Ok(provider) => provider,
            Err(failure) => return failed(failure, None, context),
        };
        let proven = provider.organisation.number.clone();
        // Asked of the proven organisation: which one it would be was not known before.
        let standing = (policy.suspensions, policy.connections);
        if let Err(failure) = routing::admissible(provider, policy.relying_party, standing) {
            return failed(failure, Some(proven), context);
        }
        if let Some(chosen) = chosen.filter(|chosen| *chosen != proven) {
            let cause = format!("{chosen} was chosen, and {} proves {proven}", provider.id);
            if context.request.passive {
                let failure = Failure::new(FailureCode::InteractionRequired, cause);
                return failed(failure, Some(proven), context);
            }
            let failure = Failure::new(FailureCode::OrganisationNotChosen, cause);
            let login = Login { context, state: AwaitingChoice::again() };
            return Ok(Release::Elsewhere(Box::new(Elsewhere { login, chosen, proven, failure })));
        }
        let identity = match release::release(result, &context.request, Policy { provider, ..policy }) {
            Ok(identity) => identity,
            Err(failure) => return failed(failure, Some(proven), context),
        };
        if policy.relying_party.fail_on_missing_attribute {
            let missing = role.missing(&context.return_to, &identity);
            if !missing.is_empty() {
                let mut cause = format!("the answer would lack what is essential: {}", missing.join(", "));
                if !identity.not_agreed.is_empty() {
                    let names: Vec<&str> = identity.not_agreed.iter().map(|name| name.key()).collect();
                    cause = format!("{cause}; not agreed in the connection: {}", names.join(", "));
                }
                let failure = Failure::new(FailureCode::AttributeMissing, cause);
                return failed(failure, Some(proven), context);
            }
        }
        if !notice {
            return Ok(Release::Released(Login { context, state: Released::new(identity) }));
        }
        if context.request.passive {
            let failure =
                Failure::new(FailureCode::InteractionRequired, "the notice is due and nothing may be shown");
            return failed(failure, Some(proven), context);
        }
        Ok(Release::Notice(Login { context, state: AwaitingNotice::new(identity) }))
    }
}
