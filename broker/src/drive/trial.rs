//! A test sign-in: a trip to a provider that ends at nobody but whoever runs it. No login is begun: there is no relying party's request, no return
//! address and no code, so that nothing of it can be answered to anybody. What comes of it is sealed for one browser, shown once, and written nowhere
//! else.
//!
//! A test of a draft uses the proposal's version of that one provider, made for this trip and again for its answer, and held by nothing else: every other
//! login, in this browser too, is by the live registry.
//!
//! Neighbours: `operator/test_sign_in.rs` has the pages; `broker-saml/sp` tells each check; `broker-core/release/account.rs` tells each attribute.

use std::{collections::BTreeSet, sync::Arc};

use axum::response::Response;
use broker_core::{
    assurance::{Assurance, AssuranceProfile},
    attribute::AttributeName,
    connection::Connections,
    failure::{Failure, FailureCode},
    identifier::{Language, ProviderId, Reference, RelyingPartyId},
    moment::Timestamp,
    organisation::{LocalText, Organisation, OrganisationNumber},
    policy::{Protocol, ProviderPolicy, RelyingPartyPolicy},
    release::{
        Policy,
        account::{Account, account},
    },
    request::{AuthenticationRequest, RequestedAttribute},
    result::AuthenticationResult,
    role::{Begun, Inbound, Upstream as _, upstream::Remembered},
    routing::{self, Peers as _},
};
use broker_saml::sp::{CheckStep, Verdict};
use broker_store::{
    record::{Binding, Handle, MarkKind, Place, RecordKind},
    vault::{Finished, Found, Mark, NewRecord},
};
use metadata::Registry;
use serde::{Deserialize, Serialize};

use super::{Step, Trouble, trouble::unkept};
use crate::{
    cookie::LoginCookie,
    endpoint::onward,
    heavy_work::Lane,
    operator::draft::{self, Draft},
    respond,
    wiring::Node,
};

/// How long a result waits to be looked at.
const KEPT_SECONDS: i64 = 600;
/// Values of one attribute that are kept, and characters of each.
const MOST_VALUES: usize = 4;
const LONGEST_VALUE: usize = 120;

/// What is released where no relying party is chosen: what services mostly ask for, and no number of the state's.
pub(crate) const DEFAULT_SET: [AttributeName; 10] = [
    AttributeName::DisplayName,
    AttributeName::GivenName,
    AttributeName::Surname,
    AttributeName::Mail,
    AttributeName::TelephoneNumber,
    AttributeName::OrganisationName,
    AttributeName::OrganisationNumber,
    AttributeName::OrganisationUnit,
    AttributeName::OrgAffiliation,
    AttributeName::EmployeeHsaId,
];

/// What a test is to be of.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Which provider.
    pub(crate) provider: ProviderId,
    /// Whose place it is begun in.
    pub(crate) organisation: OrganisationNumber,
    /// As it stands in a proposal; `None`: as it is registered.
    pub(crate) draft: Option<Draft>,
    /// For which relying party's needs; `None`: the default set.
    pub(crate) relying_party: Option<RelyingPartyId>,
    /// The language of its pages.
    pub(crate) language: Language,
    /// What binds the browser's place: the result is sealed under it.
    pub(crate) place: Handle,
}

/// A test whose browser is at the provider.
#[derive(Serialize, Deserialize)]
struct Trial {
    wanted: Wanted,
    reference: Reference,
    remembered: Remembered,
}

/// What came of a test.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct TrialResult {
    /// What it was of.
    pub(crate) wanted: Wanted,
    /// Its name in the log.
    pub(crate) reference: Reference,
    /// When it ended.
    pub(crate) at: Timestamp,
    /// Each check of a login, in order; none where none was reached.
    pub(crate) checks: Vec<ToldCheck>,
    /// Why a login would fail, by its code and in the words of the log.
    pub(crate) failure: Option<(FailureCode, String)>,
    /// The proposal is not any more what it was.
    pub(crate) draft_gone: bool,
    /// What was asserted; `None`: nobody was proven.
    pub(crate) asserted: Option<Asserted>,
}

/// One check.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ToldCheck {
    /// Its name.
    pub(crate) id: String,
    /// Where the rule comes from.
    pub(crate) spec: String,
    /// The rule.
    pub(crate) rule: String,
    /// `passed`, `failed`, `not_applicable` or `not_reached`.
    pub(crate) verdict: String,
    /// What the rule wants.
    pub(crate) expected: String,
    /// What there was.
    pub(crate) found: String,
}

/// What was asserted, and what would leave.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Asserted {
    /// The organisation that was proven.
    pub(crate) organisation: Option<OrganisationNumber>,
    /// When the person was authenticated.
    pub(crate) authenticated_at: Timestamp,
    /// The level that was told.
    pub(crate) level: Option<Assurance>,
    /// The level that would leave.
    pub(crate) level_leaving: Option<Assurance>,
    /// What the identifier is made from, by its key, and whether it was there.
    pub(crate) source: String,
    /// Whether it was there, once.
    pub(crate) source_is_there: bool,
    /// The identifier that the relying party would know the person by.
    pub(crate) subject: Option<String>,
    /// Attribute, values as they were told, and what became of it.
    pub(crate) told: Vec<(AttributeName, Vec<String>, String)>,
    /// Attribute and values that would leave.
    pub(crate) leaving: Vec<(AttributeName, Vec<String>)>,
    /// Names of attributes that no login reads.
    pub(crate) unread: Vec<String>,
}

/// Where a result stands.
pub(crate) fn result_place<'a>(name: &'a Handle, place: &'a str) -> Place<'a> {
    Place { kind: RecordKind::TrialResult, handle: name, binding: Binding::Cookie(place) }
}

fn trial_place<'a>(handle: &'a Handle, cookie: &'a LoginCookie) -> Place<'a> {
    Place { kind: RecordKind::Trial, handle, binding: Binding::Cookie(cookie.secret().as_str()) }
}

impl Step<'_> {
    /// Sends the browser to the provider.
    ///
    /// # Errors
    /// Why not, for the page that it was asked on.
    pub(crate) async fn begin_trial(&mut self, wanted: Wanted) -> Result<Response, Failure> {
        self.after_form = true;
        if let Some(failure) = &self.not_ready {
            return Err(failure.clone());
        }
        self.begins_seldom()?;
        let registry = self.registry_for(&wanted).await?.ok_or_else(draft_gone)?;
        let provider = registry.provider(&wanted.provider).ok_or(FailureCode::ProviderUnknown)?;
        let relying_party = party(self.node, &self.registry, &wanted)?;
        let provider = reaching(provider, &wanted);
        let unbounded = Connections::default();
        let connections = self.connections(&wanted, &unbounded);
        routing::admissible(&provider, &relying_party, (self.registry.suspensions(), connections))?;
        let reference = Reference::from_random(self.moment.random());
        let cookie = LoginCookie::new(self.moment, self.node.origins.tag(&relying_party.id));
        let (handle, travels) = cookie.trip(self.moment);
        let Begun { outbound, remembered } = {
            let (node, moment, id) = (self.node.clone(), self.moment, wanted.provider.clone());
            let request = request(&relying_party);
            let signed = move || node.sp(&registry).begin(&request, &id, &travels, moment);
            self.node.work.run(Lane::Beginning, signed).await??
        };
        let name = provider.display_name.best(std::slice::from_ref(&wanted.language));
        let name = name.unwrap_or(provider.id.as_str()).to_owned();
        let language = wanted.language.clone();
        tracing::info!(
            reference = reference.as_str(),
            provider = wanted.provider.as_str(),
            proposal = wanted.draft.as_ref().map(|draft| draft.proposal),
            preview = wanted.draft.is_some(),
            "a test sign-in begins"
        );
        let trial = Trial { wanted, reference, remembered };
        let ends = self.node.login_ends(self.moment.now);
        let kept = self.node.vault.put(self.moment, trial_place(&handle, &cookie), &trial, ends).await;
        kept.map_err(|error| unkept(&error))?;
        Ok(self.with_cookie(onward::outbound(self, &outbound, &language, &name), &cookie))
    }

    /// As any login: a browser, or an address, begins only so many.
    fn begins_seldom(&self) -> Result<(), Failure> {
        let begun = LoginCookie::begun_lately(&self.headers, self.node.config.is_https(), self.moment.now);
        if u32::try_from(begun).is_ok_and(|begun| begun < self.node.config.file.limits.begun_per_minute) {
            return self.node.throttle.begins(self.moment.now);
        }
        Err(Failure::new(
            FailureCode::BrowserTooMany,
            "the browser began more logins within a minute than limits.begun_per_minute",
        ))
    }

    /// What employers agreed to counts for a registered relying party.
    fn connections<'c>(&'c self, wanted: &Wanted, unbounded: &'c Connections) -> &'c Connections {
        if wanted.relying_party.is_some() { self.registry.connections() } else { unbounded }
    }

    /// The registry that a test is by; `None`: the proposal is not any more what it was.
    async fn registry_for(&self, wanted: &Wanted) -> Result<Option<Arc<Registry>>, Failure> {
        match &wanted.draft {
            None => Ok(Some(self.registry.clone())),
            Some(draft) => draft::registry(self.node, draft, &wanted.provider, self.moment.now).await,
        }
    }

    /// A provider's answer whose trip is no login's: a test's, if this browser began one. `None`: it did not.
    pub(super) async fn complete_trial(
        &self,
        message: &Inbound,
        handle: &Handle,
        cookie: &LoginCookie,
    ) -> Result<Option<Response>, Box<Trouble>> {
        let place = trial_place(handle, cookie);
        let trial = match self.node.vault.read::<Trial, ()>(self.moment, place).await {
            Ok(Found::Live(trial)) => trial,
            // The same post again: its result has a page of its own, and is shown once.
            Ok(Found::Spent(())) => return Ok(Some(respond::see_other("/operator/try"))),
            Ok(Found::Absent) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let trouble = |failure: Failure| {
            Box::new(
                Trouble {
                    language: Some(trial.wanted.language.clone()),
                    reference: Some(trial.reference.clone()),
                    ..Trouble::new(failure)
                }
                .at(&trial.wanted.provider),
            )
        };
        self.node.throttle.answer(handle.as_str(), self.moment.now).map_err(trouble)?;
        let (result, mark) = self.told(&trial, message).await.map_err(trouble)?;
        let name = Handle::new(self.moment);
        let ends = self.moment.now.plus(KEPT_SECONDS);
        let kept = NewRecord::new(result_place(&name, trial.wanted.place.as_str()), &result, ends);
        let records = [kept.map_err(|error| trouble(unkept(&error)))?];
        let mark =
            mark.as_ref().map(|once| Mark { kind: MarkKind::Assertion, name: &once.name, until: once.until });
        let finished = self.node.vault.finish::<Trial, ()>(self.moment, place, &(), mark, &records).await;
        self.node.throttle.ended(handle.as_str());
        match finished.map_err(|error| trouble(unkept(&error)))? {
            Finished::Done(_) => {}
            Finished::Spent(()) => return Ok(Some(respond::see_other("/operator/try"))),
            Finished::Absent => return Err(trouble(FailureCode::LoginUnknown.into())),
            Finished::Replayed => return Err(trouble(FailureCode::Replayed.into())),
        }
        let code = result.failure.as_ref().map_or("", |(code, _)| code.as_str());
        let cause = result.failure.as_ref().map_or("", |(_, cause)| cause.as_str());
        tracing::info!(
            reference = trial.reference.as_str(),
            provider = trial.wanted.provider.as_str(),
            preview = trial.wanted.draft.is_some(),
            code,
            cause,
            "a test sign-in ended"
        );
        Ok(Some(respond::see_other(&format!("/operator/try/{}", name.as_str()))))
    }

    /// What is to be told of an answer.
    async fn told(
        &self,
        trial: &Trial,
        message: &Inbound,
    ) -> Result<(TrialResult, Option<broker_core::result::OneTimeUse>), Failure> {
        let wanted = &trial.wanted;
        let mut result = TrialResult {
            wanted: wanted.clone(),
            reference: trial.reference.clone(),
            at: self.moment.now,
            checks: Vec::new(),
            failure: None,
            draft_gone: false,
            asserted: None,
        };
        if let Some(failure) = &self.not_ready {
            return Err(failure.clone());
        }
        let Some(registry) = self.registry_for(wanted).await? else {
            result.draft_gone = true;
            return Ok((result, None));
        };
        let unbounded = Connections::default();
        let connections = self.connections(wanted, &unbounded);
        // A suspension since the question counts, as it does for a login.
        let admitted = registry
            .provider(&wanted.provider)
            .ok_or_else(|| Failure::from(FailureCode::ProviderUnknown))
            .and_then(|provider| {
                let relying_party = party(self.node, &self.registry, wanted)?;
                let provider = reaching(provider, wanted);
                routing::admissible(&provider, &relying_party, (self.registry.suspensions(), connections))?;
                Ok((provider, relying_party))
            });
        let (provider, relying_party) = match admitted {
            Ok(admitted) => admitted,
            Err(failure) => {
                result.failure = Some((failure.code, failure.cause));
                return Ok((result, None));
            }
        };
        let checked = {
            let (node, moment, message) = (self.node.clone(), self.moment, message.clone());
            let (id, remembered) = (wanted.provider.clone(), trial.remembered.clone());
            move || node.sp(&registry).tell(&message, &id, &remembered, moment)
        };
        let (run, unread) = match self.node.work.run(Lane::UnderWay, checked).await? {
            Ok(run) => run,
            Err(failure) => {
                result.failure = Some((failure.code, failure.cause));
                return Ok((result, None));
            }
        };
        result.checks = run.steps.iter().map(told_check).collect();
        let (proven, once) = match run.result {
            Ok(proven) => proven,
            Err(failure) => {
                result.failure = Some((failure.code, failure.cause));
                return Ok((result, None));
            }
        };
        let proven = proven.into_value();
        // A draft's key has verified nothing that counts: it is not registered.
        if let (Some(key), None) = (proven.key, &wanted.draft) {
            self.node.key_use.note(&wanted.provider, key, self.moment.now);
        }
        let policy = Policy {
            provider: &provider,
            relying_party: &relying_party,
            output_map: self.node.output_map(),
            subject_secret: &self.node.subjects,
            suspensions: self.registry.suspensions(),
            connections,
        };
        let account = account(&proven, &request(&relying_party), policy);
        result.failure = account.outcome.as_ref().err().map(|failure| (failure.code, failure.cause.clone()));
        result.asserted = Some(asserted(&proven, account, provider.subject_source.key(), unread));
        Ok((result, Some(once)))
    }
}

fn draft_gone() -> Failure {
    Failure::new(FailureCode::ProviderUnknown, "the proposal is not any more what it was")
}

/// The provider, for a test of no relying party not closed by the list of those that its people may reach: nothing leaves.
fn reaching(provider: Arc<ProviderPolicy>, wanted: &Wanted) -> Arc<ProviderPolicy> {
    let open = |policy: &ProviderPolicy| {
        let organisation = Organisation { relying_parties: None, ..(*policy.organisation).clone() };
        ProviderPolicy { organisation: Arc::new(organisation), ..policy.clone() }
    };
    if wanted.relying_party.is_some() {
        return provider;
    }
    let organisations = provider.organisations.iter().map(|voice| Arc::new(open(voice))).collect();
    Arc::new(ProviderPolicy { organisations, ..open(&provider) })
}

/// The relying party whose needs a test is held to: the built-in one, or a registered one, which is not asked and hears nothing.
fn party(node: &Node, registry: &Registry, wanted: &Wanted) -> Result<Arc<RelyingPartyPolicy>, Failure> {
    if let Some(id) = &wanted.relying_party {
        return registry.relying_party(id).ok_or_else(|| FailureCode::RelyingPartyUnknown.into());
    }
    let organisation =
        registry.organisation(&wanted.organisation).ok_or(FailureCode::OrganisationUnproven)?;
    Ok(Arc::new(RelyingPartyPolicy {
        id: RelyingPartyId::from(format!("{}/operator/try", node.config.file.issuer).as_str()),
        protocol: Protocol::Oidc,
        organisation: organisation.clone(),
        display_name: LocalText::default(),
        entitled: DEFAULT_SET.into_iter().collect::<BTreeSet<_>>(),
        sector: format!("{} operator/try", wanted.organisation),
        providers: None,
        start_url: None,
        privacy_url: None,
        assurance_profile: AssuranceProfile::default(),
        fail_on_missing_attribute: false,
    }))
}

/// All that it may be given, none of it demanded.
fn request(relying_party: &RelyingPartyPolicy) -> AuthenticationRequest {
    let attributes = relying_party.entitled.iter().map(|name| RequestedAttribute::new(*name, false));
    AuthenticationRequest {
        attributes: attributes.collect(),
        ..AuthenticationRequest::new(relying_party.id.clone())
    }
}

fn told_check(step: &CheckStep) -> ToldCheck {
    let verdict = match step.verdict {
        Verdict::Passed => "passed",
        Verdict::Failed(_) => "failed",
        Verdict::NotApplicable => "not_applicable",
        Verdict::NotReached => "not_reached",
    };
    ToldCheck {
        id: step.id.as_str().to_owned(),
        spec: step.id.spec().to_owned(),
        rule: step.id.rule().to_owned(),
        verdict: verdict.to_owned(),
        expected: step.expected.clone().into_owned(),
        found: step.found.clone(),
    }
}

fn asserted(proven: &AuthenticationResult, account: Account, source: &str, unread: Vec<String>) -> Asserted {
    let bounded = |values: &[String]| -> Vec<String> {
        values.iter().take(MOST_VALUES).map(|value| value.chars().take(LONGEST_VALUE).collect()).collect()
    };
    let candidates = proven.subjects.iter().filter(|candidate| candidate.source.key() == source);
    let released = account.outcome.as_ref().ok();
    Asserted {
        organisation: account.organisation,
        authenticated_at: proven.authenticated_at,
        level: proven.assurance.clone(),
        level_leaving: account.level,
        source: source.to_owned(),
        source_is_there: candidates.count() == 1,
        subject: released.map(|identity| identity.subject.as_str().to_owned()),
        told: account
            .told
            .into_iter()
            .map(|(name, fate)| (name, bounded(proven.attributes.values(name)), fate.key().to_owned()))
            .collect(),
        leaving: released
            .map(|identity| {
                identity.attributes.iter().map(|(name, values)| (name, bounded(values))).collect()
            })
            .unwrap_or_default(),
        unread: unread
            .into_iter()
            .take(MOST_VALUES * 5)
            .map(|name| name.chars().take(LONGEST_VALUE).collect())
            .collect(),
    }
}
