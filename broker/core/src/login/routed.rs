//! The provider is known; the browser is about to be sent there.

use super::{AwaitingProvider, Login};
use crate::{
    failure::Failure,
    identifier::ProviderId,
    moment::Moment,
    organisation::OrganisationNumber,
    policy::ProviderPolicy,
    request::{AuthenticationRequest, RequestedAssurance},
    role::{Begun, Outbound, Upstream},
};

/// The provider is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    provider: ProviderId,
    /// The organisation that the answer must prove; `None`: whichever it proves.
    organisation: Option<OrganisationNumber>,
    again: bool,
}

impl Routed {
    /// To a provider, whichever of its organisations it proves.
    pub(super) fn to(provider: ProviderId) -> Self {
        Self { provider, organisation: None, again: false }
    }

    /// To a provider as it speaks for one organisation; to one with voices, whichever it proves.
    pub(super) fn to_voice(voice: &ProviderPolicy) -> Self {
        let organisation = voice.organisations.is_empty().then(|| voice.organisation.number.clone());
        Self { provider: voice.id.clone(), organisation, again: false }
    }

    pub(super) fn again(provider: ProviderId, organisation: Option<OrganisationNumber>) -> Self {
        Self { provider, organisation, again: true }
    }

    /// The organisation that was chosen with it.
    #[must_use]
    pub fn organisation(&self) -> Option<&OrganisationNumber> {
        self.organisation.as_ref()
    }

    /// Where to.
    #[must_use]
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }
}

impl Login<Routed> {
    /// Builds the request to the provider. One that is asked again hears nothing of levels.
    ///
    /// # Errors
    /// When the provider cannot be asked; the login is given back so that the relying party can be told.
    pub fn send(
        self,
        role: &dyn Upstream,
        handle: &str,
        moment: Moment<'_>,
    ) -> Result<(Login<AwaitingProvider>, Outbound), (Failure, Box<Self>)> {
        let begun = if self.state.again {
            let unconditional = AuthenticationRequest {
                assurance: RequestedAssurance::default(),
                ..self.context.request.clone()
            };
            role.begin(&unconditional, &self.state.provider, handle, moment)
        } else {
            role.begin(&self.context.request, &self.state.provider, handle, moment)
        };
        match begun {
            Ok(Begun { outbound, remembered }) => Ok((
                self.into(|Routed { provider, organisation, again }| {
                    AwaitingProvider::new((provider, organisation), remembered, moment.now, again)
                }),
                outbound,
            )),
            Err(failure) => Err((failure, Box::new(self))),
        }
    }
}
