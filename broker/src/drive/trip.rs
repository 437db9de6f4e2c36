//! The way to a provider: asked for the first time, and once more without the levels that it refused.

use broker_core::{
    failure::Failure,
    identifier::ProviderId,
    login::{AwaitingProvider, Context, Ended, Login, Routed, Suspended},
    organisation::OrganisationNumber,
    role::Outbound,
};
use broker_store::{
    record::{Binding, Handle, Place, RecordKind},
    vault::{NewRecord, VaultError},
};
use certs::Signer as _;

use super::{Origin, Step, Stepped, Trouble, origin_place, unkept, unkept_of};
use crate::{
    cookie::LoginCookie,
    endpoint::onward,
    heavy_work::{self, Lane},
    telemetry,
};

/// A trip that begins: its request is signed, and nothing of it is kept yet.
struct Trip {
    handle: Handle,
    provider: ProviderId,
    organisation: Option<OrganisationNumber>,
    context: Context,
    waiting: Suspended,
    origin: Origin,
    outbound: Outbound,
}

impl Trip {
    /// What is to be kept of it, bound to the browser.
    fn records<'t>(
        &'t self,
        step: &Step<'_>,
        cookie: &'t LoginCookie,
    ) -> Result<[NewRecord<'t>; 2], VaultError> {
        let ends = step.node.login_ends(step.moment.now);
        let place = Place {
            kind: RecordKind::Provider,
            handle: &self.handle,
            binding: Binding::Cookie(cookie.secret().as_str()),
        };
        Ok([
            NewRecord::new(place, &self.waiting, ends)?,
            NewRecord::new(origin_place(&self.handle), &self.origin, ends)?,
        ])
    }
}

impl Step<'_> {
    /// Sends the browser to the provider.
    pub(super) async fn send(&self, login: Login<Routed>, cookie: &LoginCookie, new_cookie: bool) -> Stepped {
        let lane = if new_cookie { Lane::Beginning } else { Lane::UnderWay };
        let trip = self.signed(login, cookie, lane).await?;
        let kept = async {
            let records = trip.records(self, cookie)?;
            self.node.vault.put_all(self.moment, &records).await
        };
        kept.await.map_err(unkept_of(&trip.context))?;
        let response = self.depart(&trip);
        Ok(if new_cookie { self.with_cookie(response, cookie) } else { response })
    }

    /// The provider refused levels that were but wished for: it is asked once more, without them. The trip at `place` ends in the same
    /// operation of the store that begins the second one, so that it never has two.
    pub(super) async fn ask_again(
        &self,
        login: Login<AwaitingProvider>,
        refusal: Failure,
        place: Place<'_>,
        cookie: &LoginCookie,
    ) -> Stepped {
        let (context, provider) = (login.context().clone(), login.state().provider().clone());
        let organisation = login.state().organisation().cloned();
        let trouble = |failure: Failure| {
            Box::new(Trouble::of(failure, &context).at(&provider).about(organisation.as_ref()))
        };
        let cause = refusal.cause.clone();
        // A suspension since the first question counts.
        self.still_admissible((&provider, organisation.as_ref()), &context.request.relying_party)
            .map_err(|failure| trouble(*failure))?;
        let routed = login.ask_again(refusal).map_err(|(refusal, _)| trouble(refusal))?;
        let trip = self.signed(routed, cookie, Lane::UnderWay).await?;
        let records = trip.records(self, cookie).map_err(|error| trouble(unkept(&error)))?;
        self.finish(place, (&context, &provider), Ended::AskedAgain, None, &records).await?;
        self.node.throttle.ended(place.handle.as_str());
        telemetry::asked_again(&context, &provider, &cause);
        Ok(self.depart(&trip))
    }

    async fn signed(
        &self,
        login: Login<Routed>,
        cookie: &LoginCookie,
        lane: Lane,
    ) -> Result<Trip, Box<Trouble>> {
        let provider = login.state().provider().clone();
        let organisation = login.state().organisation().cloned();
        let context = login.context().clone();
        let trouble = |failure: Failure| {
            Box::new(Trouble::of(failure, &context).at(&provider).about(organisation.as_ref()))
        };
        let (handle, travels) = cookie.trip(self.moment);
        let signed = {
            let (node, registry, moment) = (self.node.clone(), self.registry.clone(), self.moment);
            move || login.send(&node.sp(&registry), &travels, moment).map_err(|(failure, _)| failure)
        };
        let (login, outbound) = if heavy_work::is_heavy(self.node.keys.saml_signing().algorithm()) {
            self.node.work.run(lane, signed).await.map_err(trouble)?
        } else {
            signed()
        }
        .map_err(trouble)?;
        let origin = Origin {
            relying_party: context.request.relying_party.clone(),
            language: context.language.clone(),
        };
        Ok(Trip {
            handle,
            provider,
            organisation,
            context,
            waiting: Suspended::Provider(login),
            origin,
            outbound,
        })
    }

    fn depart(&self, trip: &Trip) -> axum::response::Response {
        let language = &trip.context.language;
        let name = self.provider_name(&trip.provider, trip.organisation.as_ref(), language);
        onward::outbound(self, &trip.outbound, language, &name)
    }
}
