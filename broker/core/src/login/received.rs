//! A request was read, and its return address matched.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Context, Login, Routed};
use crate::{
    assurance::OutputMap,
    failure::{Failure, FailureCode},
    identifier::ProviderId,
    organisation::OrganisationNumber,
    policy::ProviderPolicy,
    routing::{self, Peers, Route},
};

/// A request that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received(());

/// The person is choosing a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitingChoice(());

/// What comes after [`Received`].
#[derive(Debug)]
pub enum Next {
    /// The provider is known.
    Routed(Login<Routed>),
    /// The person must choose.
    Choice(Login<AwaitingChoice>),
}

impl Login<Received> {
    /// Begins a login.
    #[must_use]
    pub fn begin(context: Context) -> Self {
        Self { context, state: Received(()) }
    }

    /// Picks the provider, or asks for the person's choice. A level that is demanded and that no provider of the login can give ends it here.
    ///
    /// # Errors
    /// With the context, so that the relying party can be told.
    pub fn route(self, peers: &dyn Peers, output_map: &OutputMap) -> Result<Next, (Failure, Box<Context>)> {
        let request = &self.context.request;
        let route = routing::route(request, peers).and_then(|route| {
            routing::attainable(request, &route, peers, output_map)?;
            Ok(route)
        });
        match route {
            Ok(Route::Provider(provider)) => Ok(Next::Routed(self.into(|_| Routed::to_voice(&provider)))),
            Ok(Route::Choice(_)) => Ok(Next::Choice(self.into(|_| AwaitingChoice(())))),
            Err(failure) => Err((failure, Box::new(self.context))),
        }
    }
}

impl AwaitingChoice {
    pub(super) fn again() -> Self {
        Self(())
    }
}

impl Login<AwaitingChoice> {
    /// The person chose. The choice is checked as if the relying party had named it. Without an organisation, a provider that speaks for several
    /// proves whichever it does.
    ///
    /// # Errors
    /// When that provider, for that organisation, is not one that this login may go to.
    pub fn chosen(
        self,
        provider: &ProviderId,
        organisation: Option<&OrganisationNumber>,
        peers: &dyn Peers,
    ) -> Result<Login<Routed>, Failure> {
        let offered = routing::offered(&self.context.request, peers)?;
        let is_meant = |open: &&Arc<ProviderPolicy>| {
            open.id == *provider && organisation.is_none_or(|number| open.organisation.number == *number)
        };
        let mut meant = offered.iter().filter(is_meant);
        let Some(first) = meant.next() else {
            // One that was offered a moment ago, and was suspended or closed since, is told for what it is.
            if let Some(known) = peers.provider(provider) {
                let number = organisation.unwrap_or(&known.organisation.number);
                peers.suspensions().allow_provider(&known.id, number)?;
                let voice = known.voice_of(number);
                let employer = voice.as_ref().map_or(&known.organisation, |voice| &voice.organisation);
                peers.connections().allow(employer, &self.context.request.relying_party)?;
            }
            return Err(Failure::new(
                FailureCode::ProviderNotAllowed,
                // What was asked for may be anything that somebody typed: it stays out of the log.
                "what was chosen is not among the providers of this login",
            ));
        };
        let one = meant.next().is_none();
        Ok(self.into(|_| if one { Routed::to_voice(first) } else { Routed::to(first.id.clone()) }))
    }
}
