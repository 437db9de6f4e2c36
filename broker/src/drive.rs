//! The login's trips: which endpoint ends which step, in which order the core, a role and the store are asked (design section 5).
//!
//! Order at a return: find the cookie, read the login that it binds, verify the message, then one atomic take-and-finish. A login without
//! its cookie is never resumed.

mod elsewhere;
mod look_up;
mod place;
pub(crate) mod trial;
mod trip;
mod trouble;

use std::sync::Arc;

use axum::response::Response;
use broker_core::{
    failure::{Failure, FailureCode},
    identifier::{Language, ProviderId, Reference, RelyingPartyId},
    login::{
        AwaitingNotice, Context, Ended, Login, Next, NotReleased, Received, Release, Released, Suspended,
        Tombstone,
    },
    moment::Moment,
    organisation::OrganisationNumber,
    policy::{ProviderPolicy, RelyingPartyPolicy},
    release::Policy,
    request::AuthenticationRequest,
    result::OneTimeUse,
    role::{Completion, Downstream, Inbound, Outcome, Refusal, ReturnTo, Upstream},
    routing::{self, Peers},
};
use broker_oidc::op::{OidcOp, grant::Grant};
use broker_store::{
    record::{Binding, Handle, MarkKind, Place, RecordKind},
    vault::{Finished, Found, Mark, NewRecord},
};
use certs::keyring::Keyring;
use certs_proof::Verified;
use http::{HeaderMap, HeaderValue, header};
use metadata::Registry;

use crate::{
    config::Notice,
    cookie::{self, LoginCookie},
    endpoint::{
        choice,
        notice::{self, NoticeName},
        onward,
    },
    heavy_work::Lane,
    moment, respond,
    wiring::Node,
};

use place::{Origin, choice_place, notice_place, origin_place};
pub(crate) use place::{SpentCode, access_token_place, code_place};
pub(crate) use trouble::{Trouble, error_answer, goes_straight_back};
use trouble::{unkept, unkept_of};

/// One request to the broker, with everything that it may ask for fixed for its length.
pub(crate) struct Step<'n> {
    /// The node.
    pub(crate) node: &'n Arc<Node>,
    /// The registry as it stood when the request came.
    pub(crate) registry: Arc<Registry>,
    /// The token keys as they stood when the request came.
    pub(crate) keyring: Arc<Keyring>,
    /// When the request came.
    pub(crate) moment: Moment<'static>,
    /// The request's headers.
    pub(crate) headers: HeaderMap,
    /// The request is a form of ours, whose content policy Chromium applies to every redirect that follows.
    pub(crate) after_form: bool,
    /// Why no login may go on here and now.
    not_ready: Option<Failure>,
}

/// The largest answer of a provider, in octets of its form, that is looked into when the browser sends no cookie of ours: honest ones are a third of
/// it. A person without their cookie is shown the way back; a flood of large messages is not read for it.
const WITHOUT_COOKIE: usize = 64 * 1024;

type Stepped = Result<Response, Box<Trouble>>;

impl<'n> Step<'n> {
    /// Begins a step. While the registry is not confirmed no login goes on, since a suspension could be missed (design decision 7); what is known
    /// of the peers serves then for the way back alone.
    pub(crate) fn new(node: &'n Arc<Node>, headers: HeaderMap) -> Self {
        let moment = moment::moment();
        let (registry, stale) = match node.registry.confirmed(moment.now) {
            Ok(registry) => (registry, None),
            Err(failure) => (node.registry.any(), Some(failure)),
        };
        let (keyring, keyless) = match node.oidc_keys.current() {
            Ok(keyring) => (keyring, None),
            Err(failure) => (Arc::default(), Some(failure)),
        };
        Self { node, registry, keyring, moment, headers, after_form: false, not_ready: stale.or(keyless) }
    }

    /// A relying party asks.
    pub(crate) async fn begin(&mut self, message: &Inbound) -> Stepped {
        let op = self.node.op(&self.registry, &self.keyring);
        let received = op.receive(message, self.moment);
        if let Some(failure) = &self.not_ready {
            return Err(self.turned_away(failure, received));
        }
        let (request, return_to) = received.map_err(|refusal| Box::new(Trouble::from(refusal)))?;
        self.not_too_often(&request, &return_to)?;
        self.look_up_named(&request).await;
        let context = Context {
            reference: Reference::from_random(self.moment.random()),
            language: self.node.language(&request.languages, &self.headers),
            request,
            return_to,
            started: self.moment.now,
        };
        // Known before any trip: the notice is due at each login, and nothing may be shown (OIDC Core 3.1.2.6).
        if context.request.passive && self.node.config.file.federation.notice == Notice::EachLogin {
            let failure =
                Failure::new(FailureCode::InteractionRequired, "the notice is due and nothing may be shown");
            return Err(Box::new(Trouble::of(failure, &context)));
        }
        let next = Login::<Received>::begin(context).route(&*self.registry, self.node.output_map());
        match next {
            Err((failure, context)) => Err(Box::new(Trouble::of(failure, &context))),
            Ok(Next::Routed(login)) => {
                let cookie = self.new_cookie(login.context());
                self.send(login, &cookie, true).await
            }
            Ok(Next::Choice(login)) => {
                let context = login.context().clone();
                let cookie = self.new_cookie(&context);
                let page = choice::page(self, &context, &cookie, "");
                let place = choice_place(&cookie);
                let ends = self.node.login_ends(self.moment.now);
                let kept = self.node.vault.put(self.moment, place, &Suspended::Choice(login), ends).await;
                kept.map_err(unkept_of(&context))?;
                Ok(self.with_cookie(page, &cookie))
            }
        }
    }

    /// A request that came while no login may begin. Who asks is known by what this node knew last, so that the way back is there.
    fn turned_away(
        &self,
        failure: &Failure,
        received: Result<(AuthenticationRequest, ReturnTo), Box<Refusal>>,
    ) -> Box<Trouble> {
        let trouble = Trouble::new(failure.clone());
        Box::new(match received {
            Ok((request, return_to)) => Trouble {
                language: Some(self.node.language(&request.languages, &self.headers)),
                relying_party: Some(request.relying_party),
                return_to: Some(return_to),
                silent: request.passive,
                ..trouble
            },
            Err(refusal) if refusal.return_to.is_some() => refusal.into(),
            // A relying party that is unknown here may be known to a node that has read the registry.
            Err(_) => trouble,
        })
    }

    /// A browser that a service sends back to us at once begins login upon login: it is stopped, with a page, and costs no signature. So is a flood of
    /// requests without a cookie.
    fn not_too_often(
        &self,
        request: &AuthenticationRequest,
        return_to: &ReturnTo,
    ) -> Result<(), Box<Trouble>> {
        let https = self.node.config.is_https();
        let begun = LoginCookie::begun_lately(&self.headers, https, self.moment.now);
        let few =
            u32::try_from(begun).is_ok_and(|begun| begun < self.node.config.file.limits.begun_per_minute);
        let failure = if few {
            match self.node.throttle.begins(self.moment.now) {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            }
        } else {
            Failure::new(
                FailureCode::BrowserTooMany,
                "the browser began more logins within a minute than limits.begun_per_minute",
            )
        };
        Err(Box::new(Trouble {
            language: Some(self.node.language(&request.languages, &self.headers)),
            relying_party: Some(request.relying_party.clone()),
            return_to: Some(return_to.clone()),
            silent: request.passive,
            ..Trouble::new(failure)
        }))
    }

    /// The person looks for their organisation.
    pub(crate) async fn look(&self, selector: &str, query: &str) -> Stepped {
        let cookie = self.cookie(selector)?;
        let login = self.awaiting_choice(&cookie).await?;
        // A relying party that was suspended since, or whose last provider was, has no choice to show.
        let offered = routing::offered(&login.context().request, &*self.registry);
        offered.map_err(|failure| Box::new(Trouble::of(failure, login.context())))?;
        Ok(choice::page(self, login.context(), &cookie, query))
    }

    /// The person chose. The choice stays open, so that the way back from a provider leads to it.
    pub(crate) async fn choose(
        &self,
        selector: &str,
        provider: &ProviderId,
        organisation: Option<&OrganisationNumber>,
    ) -> Stepped {
        let cookie = self.cookie(selector)?;
        let login = self.awaiting_choice(&cookie).await?;
        let context = login.context().clone();
        let routed = login.chosen(provider, organisation, &*self.registry).map_err(|failure| {
            let trouble = Trouble::of(failure, &context);
            // Only a name of the registry's goes into the log: what stands in an address may be anything.
            Box::new(if self.registry.provider(provider).is_some() { trouble.at(provider) } else { trouble })
        })?;
        self.send(routed, &cookie, false).await
    }

    /// The person turns back at the choice.
    pub(crate) async fn turn_back(&self, selector: &str) -> Stepped {
        let cookie = self.cookie(selector)?;
        let login = self.awaiting_choice(&cookie).await?;
        let failure =
            Failure::new(FailureCode::NoticeDeclined, "the person turned back at the choice of organisation");
        Err(Box::new(Trouble::of(failure, login.context())))
    }

    async fn awaiting_choice(
        &self,
        cookie: &LoginCookie,
    ) -> Result<Login<broker_core::login::AwaitingChoice>, Box<Trouble>> {
        match self.read(choice_place(cookie), cookie).await? {
            Found::Live(Suspended::Choice(login)) => Ok(login),
            Found::Spent(tombstone) => Err(Box::new(Trouble::over(tombstone))),
            _ => Err(self.lost(FailureCode::LoginUnknown, cookie)),
        }
    }

    /// Reads what waits for this browser.
    async fn read(
        &self,
        place: Place<'_>,
        cookie: &LoginCookie,
    ) -> Result<Found<Suspended, Tombstone>, Box<Trouble>> {
        let read = self.node.vault.read::<Suspended, Tombstone>(self.moment, place).await;
        read.map_err(|error| self.lost(unkept(&error), cookie))
    }

    /// A login of which nothing is left but its cookie, and by that the way back.
    fn lost(&self, failure: impl Into<Failure>, cookie: &LoginCookie) -> Box<Trouble> {
        let relying_party = self.node.origins.asked(&self.registry, cookie);
        Box::new(Trouble { relying_party, ..Trouble::new(failure) })
    }

    /// A provider answers.
    ///
    /// What is cheap comes first: a cookie of ours, a login under it that this browser may end, how many answers it had. Only then is the message
    /// looked at, by the pool.
    pub(crate) async fn complete(&self, message: Inbound) -> Stepped {
        let octets = message.form.as_ref().map_or(0, Vec::len);
        if octets > WITHOUT_COOKIE && !LoginCookie::any(&self.headers, self.node.config.is_https()) {
            return Err(Box::new(Trouble::new(FailureCode::CookieMissing)));
        }
        let travelled = self.node.sp(&self.registry).handle(&message);
        let Some(travelled) = travelled.map_err(|failure| Box::new(Trouble::new(failure)))? else {
            return Err(Box::new(Trouble::new(FailureCode::Unsolicited)));
        };
        let Some((selector, handle)) = cookie::trip_of(&travelled) else {
            return Err(Box::new(Trouble::new(FailureCode::Unsolicited)));
        };
        let Some(cookie) = LoginCookie::of(&self.headers, selector, self.node.config.is_https()) else {
            return Err(self.without_cookie(&handle).await);
        };
        self.ready(&cookie)?;
        let place = Place {
            kind: RecordKind::Provider,
            handle: &handle,
            binding: Binding::Cookie(cookie.secret().as_str()),
        };
        let login = match self.read(place, &cookie).await? {
            Found::Live(Suspended::Provider(login)) => login,
            Found::Spent(tombstone) if tombstone.ended == Ended::Continued => {
                // The same browser posted again while the notice waits: the notice it is.
                return Ok(respond::see_other(&self.notice_of(&cookie, &handle)?.path(&cookie)));
            }
            Found::Spent(tombstone) => return Err(Box::new(Trouble::over(tombstone))),
            Found::Absent => {
                let trial = self.complete_trial(&message, &handle, &cookie).await?;
                return trial.ok_or_else(|| self.lost(FailureCode::LoginUnknown, &cookie));
            }
            Found::Live(_) => return Err(self.lost(FailureCode::LoginUnknown, &cookie)),
        };
        let provider = login.state().provider().clone();
        let organisation = login.state().organisation().cloned();
        let context = login.context().clone();
        let trouble = |failure: Failure| {
            Box::new(Trouble::of(failure, &context).at(&provider).about(organisation.as_ref()))
        };
        self.node.throttle.answer(handle.as_str(), self.moment.now).map_err(trouble)?;
        let verified = {
            let (node, registry, moment) = (self.node.clone(), self.registry.clone(), self.moment);
            let (provider, remembered) = (provider.clone(), login.state().remembered().clone());
            move || node.sp(&registry).complete(&message, &provider, &remembered, moment)
        };
        let completion =
            self.node.work.run(Lane::UnderWay, verified).await.map_err(trouble)?.map_err(trouble)?;
        let (result, once) = match completion {
            Completion::Done { result, once } => (*result, once),
            Completion::WishRefused(refusal) => return self.ask_again(login, refusal, place, &cookie).await,
            // No provider of this role is ever asked a second time; the OpenID role will bring the egress client with it.
            Completion::Fetch(_) => return Err(trouble(FailureCode::Internal.into())),
        };
        if let Some(key) = result.value().key {
            self.node.key_use.note(&provider, key, self.moment.now);
        }
        let released = self.release(login, result).map_err(|refused| {
            let NotReleased { failure, organisation: proven, .. } = *refused;
            Box::new(
                Trouble::of(failure, &context).at(&provider).about(proven.or(organisation.clone()).as_ref()),
            )
        })?;
        match released {
            Release::Elsewhere(elsewhere) => {
                Err(self.elsewhere(*elsewhere, &context, &provider, &cookie).await)
            }
            Release::Released(login) => {
                let answered = self.answer(login, place, Some(once)).await?;
                self.node.throttle.ended(handle.as_str());
                Ok(answered)
            }
            Release::Notice(login) => {
                // The notice has an address of its own, so that reload, back and forward never post the provider's answer again.
                let name = self.notice_of(&cookie, &handle)?;
                let ends = self.node.login_ends(self.moment.now);
                let waiting = NewRecord::new(notice_place(&name, &cookie), &Suspended::Notice(login), ends);
                let waiting = [waiting.map_err(|error| trouble(unkept(&error)))?];
                let kept =
                    self.finish(place, (&context, &provider), Ended::Continued, Some(&once), &waiting).await;
                if let Err(trouble) = kept {
                    // The same post twice in one instant: the other was faster, and its notice is for both.
                    let over = trouble.failure.code == FailureCode::LoginUsed;
                    let other = if over { Some(self.read(place, &cookie).await?) } else { None };
                    if !matches!(other, Some(Found::Spent(other)) if other.ended == Ended::Continued) {
                        return Err(trouble);
                    }
                }
                self.node.throttle.ended(handle.as_str());
                Ok(respond::see_other(&name.path(&cookie)))
            }
        }
    }

    fn release(
        &self,
        login: Login<broker_core::login::AwaitingProvider>,
        result: Verified<broker_core::result::AuthenticationResult>,
    ) -> Result<Release, Box<NotReleased>> {
        let (provider, organisation) =
            (login.state().provider().clone(), login.state().organisation().cloned());
        let refused = |failure, context: &Context| {
            Box::new(NotReleased { failure, organisation: None, context: Box::new(context.clone()) })
        };
        let login =
            login.authenticated(result).map_err(|(failure, login)| refused(failure, login.context()))?;
        let context = login.context();
        let peers = self.still_admissible((&provider, organisation.as_ref()), &context.request.relying_party);
        let (provider, relying_party) = peers.map_err(|failure| refused(*failure, context))?;
        let policy = Policy {
            provider: &provider,
            relying_party: &relying_party,
            output_map: self.node.output_map(),
            subject_secret: &self.node.subjects,
            suspensions: self.registry.suspensions(),
            connections: self.registry.connections(),
        };
        // The federation's rule, or the relying party's wish (prompt=consent).
        let notice = self.node.config.file.federation.notice == Notice::EachLogin
            || OidcOp::notice_asked(&context.return_to);
        login.release(policy, &self.node.op(&self.registry, &self.keyring), notice)
    }

    /// Both peers, looked up now and not when the login began: a suspension in between counts, of the provider and of the organisation that was
    /// chosen or proven.
    fn still_admissible(
        &self,
        (provider, organisation): (&ProviderId, Option<&OrganisationNumber>),
        relying_party: &RelyingPartyId,
    ) -> Result<(Arc<ProviderPolicy>, Arc<RelyingPartyPolicy>), Box<Failure>> {
        let left = |code| Box::new(Failure::new(code, "it left the registry during the login"));
        let relying_party = self
            .registry
            .relying_party(relying_party)
            .ok_or_else(|| left(FailureCode::RelyingPartyUnknown))?;
        let provider = self.registry.provider(provider).ok_or_else(|| left(FailureCode::ProviderUnknown))?;
        let standing = (self.registry.suspensions(), self.registry.connections());
        routing::admissible(&provider, &relying_party, standing).map_err(Box::new)?;
        if let Some(number) = organisation {
            let voice = provider.voice_of(number).ok_or_else(|| left(FailureCode::ProviderUnknown))?;
            routing::admissible(voice, &relying_party, standing).map_err(Box::new)?;
        }
        Ok((provider, relying_party))
    }

    /// Whether what the person was shown may still leave: neither the peers nor what the login stands on has been suspended since.
    fn still_standing(&self, login: &Login<AwaitingNotice>) -> Result<(), Box<Trouble>> {
        let (context, identity) = (login.context(), login.state().identity());
        let standing = self
            .still_admissible(
                (&identity.provider, Some(&identity.organisation)),
                &context.request.relying_party,
            )
            .and_then(|_| self.registry.suspensions().allow(&identity.grounds()).map_err(Box::new));
        standing.map_err(|failure| {
            let trouble = Trouble::of(*failure, context).at(&identity.provider);
            Box::new(trouble.about(Some(&identity.organisation)))
        })
    }

    fn notice_of(&self, cookie: &LoginCookie, trip: &Handle) -> Result<NoticeName, Box<Trouble>> {
        NoticeName::of_trip(self.node, cookie, trip).ok_or_else(|| self.lost(FailureCode::Internal, cookie))
    }

    /// Shows the notice that waits.
    pub(crate) async fn show_notice(&self, selector: &str, tag: &str) -> Stepped {
        let cookie = self.cookie(selector)?;
        let name = NoticeName::of_tag(self.node, &cookie, tag)
            .ok_or_else(|| self.lost(FailureCode::PageExpired, &cookie))?;
        let login = self.awaiting_notice(&cookie, &name).await?;
        self.still_standing(&login)?;
        Ok(notice::page(self, &login, &cookie, &name))
    }

    /// The person has read the notice. The page's token proves that the decision was made on it.
    pub(crate) async fn decide(mut self, selector: &str, tag: &str, token: &str, accept: bool) -> Stepped {
        self.after_form = true;
        let cookie = self.cookie(selector)?;
        if !notice::from_own_page(&self.headers, &self.node.config) {
            let failure =
                Failure::new(FailureCode::PageExpired, "the decision was sent by another site's page");
            return Err(self.lost(failure, &cookie));
        }
        let name = NoticeName::of_tag(self.node, &cookie, tag)
            .filter(|name| name.is_decided_by(self.node, token))
            .ok_or_else(|| self.lost(FailureCode::PageExpired, &cookie))?;
        let login = self.awaiting_notice(&cookie, &name).await?;
        let place = notice_place(&name, &cookie);
        let context = login.context().clone();
        let provider = login.state().identity().provider.clone();
        if accept {
            self.still_standing(&login)?;
            return self.answer(login.accepted(), place, None).await;
        }
        self.finish(place, (&context, &provider), Ended::Failed, None, &[]).await?;
        Err(Box::new(Trouble::of(FailureCode::NoticeDeclined, &context).at(&provider)))
    }

    async fn awaiting_notice(
        &self,
        cookie: &LoginCookie,
        name: &NoticeName,
    ) -> Result<Login<AwaitingNotice>, Box<Trouble>> {
        match self.read(notice_place(name, cookie), cookie).await? {
            Found::Live(Suspended::Notice(login)) => Ok(login),
            Found::Spent(tombstone) => Err(Box::new(Trouble::over(tombstone))),
            _ => Err(self.lost(FailureCode::LoginUnknown, cookie)),
        }
    }

    /// Ends the login at `place` and sends its code.
    async fn answer(&self, login: Login<Released>, place: Place<'_>, once: Option<OneTimeUse>) -> Stepped {
        let context = login.context().clone();
        let provider = login.state().identity().provider.clone();
        let op = self.node.op(&self.registry, &self.keyring);
        let trouble = |failure: Failure| Box::new(Trouble::of(failure, &context).at(&provider));
        let grant = Grant::of(&login, self.moment.now).map_err(trouble)?;
        let code = Handle::new(self.moment);
        let outbound = op
            .answer(&context.return_to, Outcome::Released(&login), Some(code.as_str()), self.moment)
            .map_err(trouble)?;
        let code_place = code_place(&code, &context.request.relying_party);
        let granted = NewRecord::new(code_place, &grant, grant.expires());
        let records = [granted.map_err(|error| trouble(unkept(&error)))?];
        self.finish(place, (&context, &provider), Ended::Answered, once.as_ref(), &records).await?;
        crate::telemetry::signed_in(&login);
        Ok(onward::answered(self, &outbound, &context))
    }

    /// One atomic step in the store. What fails here is told to the relying party of the login, except that it is over: then it has been told.
    async fn finish(
        &self,
        place: Place<'_>,
        (context, provider): (&Context, &ProviderId),
        ended: Ended,
        once: Option<&OneTimeUse>,
        records: &[NewRecord<'_>],
    ) -> Result<(), Box<Trouble>> {
        let tombstone = Tombstone {
            reference: context.reference.clone(),
            relying_party: context.request.relying_party.clone(),
            language: context.language.clone(),
            ended,
        };
        let mark = once.map(|once| Mark { kind: MarkKind::Assertion, name: &once.name, until: once.until });
        let trouble = |failure: Failure| Box::new(Trouble::of(failure, context).at(provider));
        let finished = self
            .node
            .vault
            .finish::<Suspended, Tombstone>(self.moment, place, &tombstone, mark, records)
            .await;
        match finished.map_err(|error| trouble(unkept(&error)))? {
            Finished::Done(_) => Ok(()),
            Finished::Spent(tombstone) => Err(Box::new(Trouble::over(tombstone).at(provider))),
            Finished::Absent => Err(trouble(FailureCode::LoginUnknown.into())),
            Finished::Replayed => Err(trouble(FailureCode::Replayed.into())),
        }
    }

    /// The login's cookie, where a login may go on.
    fn cookie(&self, selector: &str) -> Result<LoginCookie, Box<Trouble>> {
        let cookie = LoginCookie::of(&self.headers, selector, self.node.config.is_https())
            .ok_or_else(|| Box::new(Trouble::new(FailureCode::CookieMissing)))?;
        self.ready(&cookie)?;
        Ok(cookie)
    }

    fn ready(&self, cookie: &LoginCookie) -> Result<(), Box<Trouble>> {
        self.not_ready.as_ref().map_or(Ok(()), |failure| Err(self.lost(failure.clone(), cookie)))
    }

    fn new_cookie(&self, context: &Context) -> LoginCookie {
        LoginCookie::new(self.moment, self.node.origins.tag(&context.request.relying_party))
    }

    /// The cookie did not come with the provider's answer: the way back to the service, and nothing more.
    async fn without_cookie(&self, handle: &Handle) -> Box<Trouble> {
        let mut trouble = Trouble::new(FailureCode::CookieMissing);
        match self.node.vault.read::<Origin, ()>(self.moment, origin_place(handle)).await {
            Ok(Found::Live(origin)) => {
                trouble.relying_party = Some(origin.relying_party);
                trouble.language = Some(origin.language);
            }
            Ok(_) => trouble = Trouble::new(FailureCode::LoginUnknown),
            Err(error) => trouble = error.into(),
        }
        Box::new(trouble)
    }

    fn with_cookie(&self, mut response: Response, cookie: &LoginCookie) -> Response {
        let set: Vec<HeaderValue> = cookie.set(&self.headers, self.node.config.is_https(), self.moment.now);
        for value in set {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
        response
    }

    /// What a provider is called; where it speaks for several organisations and one was chosen, what that one is.
    pub(crate) fn provider_name(
        &self,
        provider: &ProviderId,
        organisation: Option<&OrganisationNumber>,
        language: &Language,
    ) -> String {
        self.registry
            .provider(provider)
            .and_then(|policy| {
                let voice = organisation.and_then(|number| policy.voice_of(number)).unwrap_or(&policy);
                voice.display_name.best(std::slice::from_ref(language)).map(str::to_owned)
            })
            .unwrap_or_else(|| provider.to_string())
    }

    /// What a relying party is called.
    pub(crate) fn relying_party_name(&self, relying_party: &RelyingPartyId, language: &Language) -> String {
        self.registry
            .relying_party(relying_party)
            .and_then(|policy| policy.display_name.best(std::slice::from_ref(language)).map(str::to_owned))
            .unwrap_or_else(|| relying_party.to_string())
    }
}
