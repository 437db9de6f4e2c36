//! Somebody is proven; nothing has been released.

use super::{AwaitingNotice, Login, Released};
use crate::{
    failure::{Failure, FailureCode},
    release::{self, Policy},
    result::AuthenticationResult,
    role::Downstream,
};

/// Somebody is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    result: AuthenticationResult,
}

impl Authenticated {
    pub(super) fn new(result: AuthenticationResult) -> Self {
        Self { result }
    }
}

/// What comes after [`Authenticated`].
#[derive(Debug)]
pub enum Release {
    /// Nothing needs to be shown.
    Released(Login<Released>),
    /// The person is shown what will be sent.
    Notice(Login<AwaitingNotice>),
}

impl Login<Authenticated> {
    /// Runs the release steps; `role` then says whether what is left is enough in its own words. `notice`: the person has not yet been shown this (or is to be shown it each time).
    ///
    /// # Errors
    /// The first step that says no, or [`FailureCode::InteractionRequired`] when the notice is due and nothing may be shown.
    pub fn release(
        self,
        policy: Policy<'_>,
        role: &dyn Downstream,
        notice: bool,
    ) -> Result<Release, (Failure, Box<super::Context>)> {
        let Self { context, state } = self;
        let identity = match release::release(state.result, &context.request, policy) {
            Ok(identity) => identity,
            Err(failure) => return Err((failure, Box::new(context))),
        };
        if policy.relying_party.fail_on_missing_attribute {
            let missing = role.missing(&context.return_to, &identity);
            if !missing.is_empty() {
                let cause = format!("the answer would lack what is essential: {}", missing.join(", "));
                return Err((Failure::new(FailureCode::AttributeMissing, cause), Box::new(context)));
            }
        }
        if !notice {
            return Ok(Release::Released(Login { context, state: Released::new(identity) }));
        }
        if context.request.passive {
            let failure =
                Failure::new(FailureCode::InteractionRequired, "the notice is due and nothing may be shown");
            return Err((failure, Box::new(context)));
        }
        Ok(Release::Notice(Login { context, state: AwaitingNotice::new(identity) }))
    }
}
