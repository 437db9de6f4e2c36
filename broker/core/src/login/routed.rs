//! The provider is known; the browser is about to be sent there.

use super::{AwaitingProvider, Login};
use crate::{
    failure::Failure,
    identifier::ProviderId,
    moment::Moment,
    role::{Begun, Outbound, Upstream},
};

/// The provider is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    provider: ProviderId,
}

impl Routed {
    pub(super) fn to(provider: ProviderId) -> Self {
        Self { provider }
    }

    /// Where to.
    #[must_use]
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }
}

impl Login<Routed> {
    /// Builds the request to the provider.
    ///
    /// # Errors
    /// When the provider cannot be asked; the login is given back so that the relying party can be told.
    pub fn send(
        self,
        role: &dyn Upstream,
        handle: &str,
        moment: Moment<'_>,
    ) -> Result<(Login<AwaitingProvider>, Outbound), (Failure, Box<Self>)> {
        match role.begin(&self.context.request, &self.state.provider, handle, moment) {
            Ok(Begun { outbound, remembered }) => Ok((
                self.into(|state| AwaitingProvider::new(state.provider, remembered, moment.now)),
                outbound,
            )),
            Err(failure) => Err((failure, Box::new(self))),
        }
    }
}
