//! Each rule of routing beside a request that it lets through.

use std::{collections::BTreeSet, sync::Arc};

use super::{Peers, Route, admissible, offered, route};
use crate::{
    assurance::{Assurance, AssuranceProfile, OutputMap},
    authority::Authority,
    connection::Connections,
    failure::FailureCode,
    identifier::{Language, ProviderId, Reference, RelyingPartyId},
    login::{Context, Login, Next, Received},
    moment::Timestamp,
    organisation::{LocalText, Organisation, OrganisationNumber, SupportContact},
    policy::{Protocol, ProviderPolicy, RelyingPartyPolicy},
    request::{AuthenticationRequest, Freshness, LoginHint, RequestedAssurance},
    role::{ReturnTo, upstream::Remembered},
    subject::SubjectSource,
    suspension::{Grounds, KeyFingerprint, Suspensions},
};

#[derive(Clone)]
struct Federation {
    providers: Vec<ProviderPolicy>,
    relying_party: RelyingPartyPolicy,
    suspensions: Suspensions,
    connections: Connections,
}

impl Peers for Federation {
    fn provider(&self, id: &ProviderId) -> Option<Arc<ProviderPolicy>> {
        self.providers.iter().find(|provider| provider.id == *id).cloned().map(Arc::new)
    }

    fn relying_party(&self, id: &RelyingPartyId) -> Option<Arc<RelyingPartyPolicy>> {
        (self.relying_party.id == *id).then(|| Arc::new(self.relying_party.clone()))
    }

    fn voices(&self) -> &[Arc<ProviderPolicy>] {
        let providers = self.providers.iter().cloned().map(Arc::new);
        let voices = providers.flat_map(|provider| provider.voices().cloned().collect::<Vec<_>>());
        // A test ends soon, and its memory with it.
        voices.collect::<Vec<_>>().leak()
    }

    fn suspensions(&self) -> &Suspensions {
        &self.suspensions
    }

    fn connections(&self) -> &Connections {
        &self.connections
    }
}

fn organisation() -> Arc<Organisation> {
    Arc::new(Organisation {
        number: OrganisationNumber::parse("2021006883").expect("a valid number"),
        name: LocalText::default(),
        domains: BTreeSet::new(),
        scopes: BTreeSet::new(),
        hsa_prefixes: BTreeSet::new(),
        ceiling: Vec::new(),
        entitled: BTreeSet::new(),
        may_assert: BTreeSet::new(),
        support: SupportContact::default(),
        aliases: BTreeSet::new(),
        logo: None,
        relying_parties: None,
    })
}

fn provider(id: &str) -> ProviderPolicy {
    ProviderPolicy {
        id: ProviderId::from(id),
        protocol: Protocol::Saml,
        organisation: organisation(),
        organisations: Vec::new(),
        authority: Authority::of(&organisation()),
        display_name: LocalText::default(),
        keywords: Vec::new(),
        subject_source: SubjectSource::SubjectId,
        assurance: Vec::new(),
        hidden: false,
        behind: BTreeSet::new(),
    }
}

fn federation() -> Federation {
    Federation {
        providers: vec![provider("a"), provider("b")],
        relying_party: RelyingPartyPolicy {
            id: RelyingPartyId::from("journal"),
            protocol: Protocol::Oidc,
            organisation: organisation(),
            display_name: LocalText::default(),
            entitled: BTreeSet::new(),
            sector: "2021006883|journal.example".into(),
            providers: None,
            start_url: None,
            privacy_url: None,
            assurance_profile: AssuranceProfile::Plain,
            fail_on_missing_attribute: false,
        },
        suspensions: Suspensions::default(),
        connections: Connections::default(),
    }
}

fn request(providers: &[&str], passive: bool) -> AuthenticationRequest {
    AuthenticationRequest {
        relying_party: RelyingPartyId::from("journal"),
        providers: providers.iter().copied().map(ProviderId::from).collect(),
        assurance: RequestedAssurance::default(),
        freshness: Freshness::default(),
        passive,
        attributes: Vec::new(),
        languages: Vec::new(),
        requesters: Vec::new(),
        hops_left: None,
        login_hint: None,
        expected_subject: None,
        message: None,
    }
}

/// The providers that it leads to, or why to none.
fn led_to(request: &AuthenticationRequest, peers: &Federation) -> Result<Vec<String>, FailureCode> {
    match route(request, peers).map_err(|failure| failure.code)? {
        Route::Provider(only) => Ok(vec![only.id.to_string()]),
        Route::Choice(several) => Ok(several.iter().map(|provider| provider.id.to_string()).collect()),
    }
}

fn number(text: &str) -> OrganisationNumber {
    OrganisationNumber::parse(text).expect("a valid number")
}

const GRANVIK: &str = "2120009903";
const FJORDEN: &str = "2321009900";

/// Provider `a` speaks for Granvik and Fjorden; `b` for itself.
fn shared() -> Federation {
    let mut peers = federation();
    peers.providers[0].organisations = [(GRANVIK, "granvik.example"), (FJORDEN, "fjorden.example")]
        .map(|(digits, domain)| {
            let record =
                Organisation { domains: [domain.to_owned()].into(), ..Organisation::of(number(digits)) };
            let organisation = Arc::new(record);
            Arc::new(ProviderPolicy { organisation, ..provider("a") })
        })
        .into();
    peers
}

/// What the choice offers: the provider and the organisation of each.
fn offered_by(request: &AuthenticationRequest, peers: &Federation) -> Vec<String> {
    let offered = offered(request, peers).expect("somebody");
    offered.iter().map(|voice| format!("{} {}", voice.id, voice.organisation.number)).collect()
}

/// The organisation that the answer must prove, where the login goes to one provider.
fn expected(request: AuthenticationRequest, peers: &Federation) -> Option<Option<String>> {
    match Login::<Received>::begin(context(request)).route(peers, &OutputMap::new(false)) {
        Ok(Next::Routed(routed)) => Some(routed.state().organisation().map(ToString::to_string)),
        _ => None,
    }
}

#[test]
fn a_choice_offers_each_organisation_of_a_provider() {
    let all = [format!("a {GRANVIK}"), format!("a {FJORDEN}"), "b 2021006883".to_owned()];
    assert_eq!(offered_by(&request(&[], false), &shared()), all);
    assert_eq!(
        offered_by(&request(&["a", "b"], false), &shared()),
        all,
        "and of one that is named beside another"
    );
    assert_eq!(offered_by(&request(&["a", "a"], false), &shared()), all[..2], "each once");
}

#[test]
fn a_provider_that_is_named_alone_proves_whichever_organisation_it_does() {
    assert_eq!(expected(request(&["a"], false), &shared()), Some(None));
    assert_eq!(expected(request(&["b"], false), &shared()), Some(Some("2021006883".to_owned())));
}

#[test]
fn a_hint_leads_to_the_organisation_that_owns_the_domain() {
    let hinted = |hint: &str| {
        let login_hint = Some(LoginHint::new(hint));
        expected(AuthenticationRequest { login_hint, ..request(&[], false) }, &shared())
    };
    assert_eq!(hinted("anna@fjorden.example"), Some(Some(FJORDEN.to_owned())));
    assert_eq!(hinted(GRANVIK), Some(Some(GRANVIK.to_owned())));
    assert_eq!(hinted("a"), Some(None), "the provider itself says no organisation");
    assert_eq!(hinted("anna@elsewhere.example"), None, "the person chooses");
}

#[test]
fn the_organisation_that_was_chosen_must_be_one_of_the_provider_s() {
    let chosen = |organisation: Option<&str>| {
        let begun = Login::<Received>::begin(context(request(&[], false)));
        let Ok(Next::Choice(login)) = begun.route(&shared(), &OutputMap::new(false)) else {
            panic!("a choice")
        };
        let organisation = organisation.map(number);
        let routed = login.chosen(&ProviderId::from("a"), organisation.as_ref(), &shared());
        routed
            .map(|login| login.state().organisation().map(ToString::to_string))
            .map_err(|failure| failure.code)
    };
    assert_eq!(chosen(Some(FJORDEN)), Ok(Some(FJORDEN.to_owned())));
    assert_eq!(chosen(None), Ok(None), "a link without one: whichever is proven");
    assert_eq!(chosen(Some("2021006883")), Err(FailureCode::ProviderNotAllowed));
}

#[test]
fn an_organisation_that_is_suspended_closes_for_itself_alone() {
    let mut peers = shared();
    peers.suspensions.organisations.insert(number(GRANVIK));
    assert_eq!(offered_by(&request(&[], false), &peers), [format!("a {FJORDEN}"), "b 2021006883".to_owned()]);
    assert_eq!(expected(request(&["a"], false), &peers), Some(None), "the other still signs in");
    peers.suspensions.organisations.insert(number(FJORDEN));
    assert_eq!(led_to(&request(&["a"], false), &peers), Err(FailureCode::OrganisationSuspended));
    // Whoever answers for the machine takes all of it along.
    let mut peers = shared();
    Arc::make_mut(&mut peers.providers[0].organisation).number = number("2021009903");
    peers.suspensions.organisations.insert(number("2021009903"));
    assert_eq!(offered_by(&request(&[], false), &peers), ["b 2021006883"]);
}

#[test]
fn an_organisation_opens_the_relying_parties_that_its_people_may_reach() {
    let mut peers = shared();
    let open = |voice: &mut Arc<ProviderPolicy>, names: &[&str]| {
        let open = names.iter().copied().map(RelyingPartyId::from).collect();
        Arc::make_mut(&mut Arc::make_mut(voice).organisation).relying_parties = Some(open);
    };
    open(&mut peers.providers[0].organisations[0], &["journal"]);
    open(&mut peers.providers[0].organisations[1], &["another"]);
    assert_eq!(offered_by(&request(&[], false), &peers), [format!("a {GRANVIK}"), "b 2021006883".to_owned()]);
    open(&mut peers.providers[0].organisations[0], &[]);
    assert_eq!(led_to(&request(&["a"], false), &peers), Err(FailureCode::ConnectionClosed));
    let mut alone = federation();
    Arc::make_mut(&mut alone.providers[0].organisation).relying_parties = Some(BTreeSet::new());
    assert_eq!(led_to(&request(&["a"], false), &alone), Err(FailureCode::ConnectionClosed), "and one alone");
}

#[test]
fn a_named_provider_skips_the_choice_and_nothing_else_does() {
    let peers = federation();
    assert!(
        matches!(route(&request(&["b"], false), &peers), Ok(Route::Provider(only)) if only.id.as_str() == "b")
    );
    let alone = Federation { providers: vec![provider("a")], ..peers };
    assert!(matches!(route(&request(&[], false), &alone), Ok(Route::Choice(_))));
}

#[test]
fn silence_and_a_choice_do_not_go_together() {
    let peers = federation();
    assert_eq!(led_to(&request(&["a"], true), &peers), Ok(vec!["a".to_owned()]));
    assert_eq!(led_to(&request(&[], true), &peers), Err(FailureCode::InteractionRequired));
    assert_eq!(led_to(&request(&["a", "b"], true), &peers), Err(FailureCode::InteractionRequired));
}

#[test]
fn a_suspension_counts() {
    let mut peers = federation();
    peers.suspensions.providers.insert("a".into());
    assert_eq!(led_to(&request(&[], false), &peers), Ok(vec!["b".to_owned()]));
    assert_eq!(led_to(&request(&["a"], false), &peers), Err(FailureCode::ProviderSuspended));
    let mut peers = federation();
    peers.suspensions.relying_parties.insert(peers.relying_party.id.clone());
    assert_eq!(led_to(&request(&["a"], false), &peers), Err(FailureCode::RelyingPartySuspended));
    // An organisation's suspension is one of all its peers.
    let mut peers = federation();
    peers.suspensions.organisations.insert(organisation().number.clone());
    assert_eq!(led_to(&request(&["a"], false), &peers), Err(FailureCode::RelyingPartySuspended));
}

#[test]
fn admissible_is_asked_of_both_sides() {
    let Federation { providers, relying_party, .. } = federation();
    let under = |provider: &ProviderPolicy, relying_party: &RelyingPartyPolicy, suspensions: &Suspensions| {
        admissible(provider, relying_party, (suspensions, &Connections::default()))
            .map_err(|failure| failure.code)
    };
    let answer = |provider: &ProviderPolicy, relying_party: &RelyingPartyPolicy| {
        under(provider, relying_party, &Suspensions::default())
    };
    assert_eq!(answer(&providers[0], &relying_party), Ok(()));
    let relying_parties = BTreeSet::from([relying_party.id.clone()]);
    let suspended = Suspensions { relying_parties, ..Suspensions::default() };
    assert_eq!(under(&providers[0], &relying_party, &suspended), Err(FailureCode::RelyingPartySuspended));
    let choosy = RelyingPartyPolicy {
        providers: Some(BTreeSet::from([ProviderId::from("b")])),
        ..relying_party.clone()
    };
    assert_eq!(answer(&providers[0], &choosy), Err(FailureCode::ProviderNotAllowed));
    assert_eq!(answer(&providers[1], &choosy), Ok(()));
    let suspended = Suspensions { providers: BTreeSet::from(["a".into()]), ..Suspensions::default() };
    assert_eq!(under(&providers[0], &relying_party, &suspended), Err(FailureCode::ProviderSuspended));
    assert_eq!(under(&providers[1], &relying_party, &suspended), Ok(()));
}

#[test]
fn what_stands_on_suspended_ground_does_not_leave() {
    let (good, bad) = (KeyFingerprint::new([1; 32]), KeyFingerprint::new([2; 32]));
    let grounds = |key| Grounds { provider: "a".into(), organisation: organisation().number.clone(), key };
    let code =
        |suspensions: &Suspensions, key| suspensions.allow(&grounds(key)).map_err(|failure| failure.code);
    let by_key = Suspensions { keys: BTreeSet::from([bad]), ..Suspensions::default() };
    assert_eq!(code(&by_key, Some(bad)), Err(FailureCode::KeySuspended));
    assert_eq!(code(&by_key, Some(good)), Ok(()));
    assert_eq!(code(&by_key, None), Ok(()));
    let organisations = BTreeSet::from([organisation().number.clone()]);
    let by_organisation = Suspensions { organisations, ..Suspensions::default() };
    assert_eq!(code(&by_organisation, Some(good)), Err(FailureCode::OrganisationSuspended));
    let by_provider = Suspensions { providers: BTreeSet::from(["a".into()]), ..Suspensions::default() };
    assert_eq!(code(&by_provider, Some(good)), Err(FailureCode::ProviderSuspended));
}

#[test]
fn a_hidden_provider_is_reached_by_name_alone() {
    let mut peers = federation();
    peers.providers[0].hidden = true;
    assert_eq!(led_to(&request(&[], false), &peers), Ok(vec!["b".to_owned()]));
    assert_eq!(led_to(&request(&["a"], false), &peers), Ok(vec!["a".to_owned()]));
}

#[test]
fn nobody_is_proxied_further_than_they_allow() {
    let peers = federation();
    let hops = |hops_left| AuthenticationRequest { hops_left, ..request(&["a"], false) };
    assert_eq!(led_to(&hops(Some(0)), &peers), Err(FailureCode::RequestNotSupported));
    assert_eq!(led_to(&hops(Some(1)), &peers), Ok(vec!["a".to_owned()]));
}

fn context(request: AuthenticationRequest) -> Context {
    let relying_party = RelyingPartyId::from("journal");
    let return_to = ReturnTo::matched(
        &relying_party,
        "https://rp.example/",
        ["https://rp.example/"],
        Remembered(String::new()),
    );
    Context {
        reference: Reference::from_random([0; 10]),
        request,
        return_to: return_to.expect("it matches"),
        started: Timestamp(0),
        language: Language::from_tag("sv").expect("a language"),
    }
}

#[test]
fn only_what_was_offered_can_be_chosen() {
    let mut peers = federation();
    peers.providers[1].hidden = true;
    let chosen = |id: &str| {
        let context = context(request(&[], false));
        let Ok(Next::Choice(login)) = Login::<Received>::begin(context).route(&peers, &OutputMap::new(false))
        else {
            panic!("a choice")
        };
        login.chosen(&ProviderId::from(id), None, &peers)
    };
    assert_eq!(chosen("a").expect("offered").state().provider().as_str(), "a");
    let refused = chosen("b").expect_err("hidden");
    assert_eq!(refused.code, FailureCode::ProviderNotAllowed);
    let refused = chosen("anna.alm@granvik.example").expect_err("unknown");
    assert!(!refused.cause.contains("anna"), "what was typed stays out of the log: {}", refused.cause);
}

#[test]
fn a_provider_behind_another_is_reached_through_it() {
    let mut peers = federation();
    peers.providers[1].behind = BTreeSet::from([ProviderId::from("inner"), ProviderId::from("a")]);
    assert_eq!(led_to(&request(&["inner"], true), &peers), Ok(vec!["b".into()]));
    assert_eq!(led_to(&request(&["inner", "b"], true), &peers), Ok(vec!["b".into()]), "once");
    assert_eq!(
        led_to(&request(&["a"], true), &peers),
        Ok(vec!["a".into()]),
        "its own registration comes first"
    );
    assert_eq!(led_to(&request(&["elsewhere"], true), &peers), Err(FailureCode::ProviderUnknown));
}

/// Two organisations with a provider each, and a third provider that only shares the second one's organisation.
fn owners() -> Federation {
    let mut peers = federation();
    let own = |provider: &mut ProviderPolicy, number: &str, domain: &str| {
        let organisation = Arc::make_mut(&mut provider.organisation);
        organisation.number = OrganisationNumber::parse(number).expect("a valid number");
        organisation.domains.insert(domain.to_owned());
        organisation.scopes.insert(format!("scope.of.{domain}"));
    };
    own(&mut peers.providers[0], "2021006883", "granvik.example");
    own(&mut peers.providers[1], "5560160680", "norrsken.example");
    peers
}

fn hinted(hint: &str, peers: &Federation) -> Vec<String> {
    let request = AuthenticationRequest { login_hint: Some(LoginHint::new(hint)), ..request(&[], false) };
    led_to(&request, peers).expect("a route")
}

#[test]
fn a_hint_that_names_one_provider_skips_the_choice() {
    let peers = owners();
    for hint in [
        "a",
        " a ",
        "granvik.example",
        "anna@granvik.example",
        "\"anna@evil.example\"@granvik.example",
        "anna@skola.granvik.example",
        "GRANVIK.example",
        "anna@scope.of.granvik.example",
        "2021006883",
        "202100-6883",
        "aa01@2021006883",
    ] {
        assert_eq!(hinted(hint, &peers), ["a"], "{hint}");
    }
}

#[test]
fn a_hint_that_names_none_or_several_leaves_the_choice_as_it_is() {
    let peers = owners();
    for hint in
        ["", "anna", "@", "anna@", "evilgranvik.example", "example", "a@b@other.example", "2021006884", "A"]
    {
        assert_eq!(hinted(hint, &peers), ["a", "b"], "{hint}");
    }
    let mut shared = owners();
    Arc::make_mut(&mut shared.providers[1].organisation).domains.insert("granvik.example".to_owned());
    assert_eq!(hinted("anna@granvik.example", &shared), ["a", "b"], "two organisations could be meant");
    let mut twice = owners();
    twice.providers[1].organisation = twice.providers[0].organisation.clone();
    assert_eq!(hinted("2021006883", &twice), ["a", "b"], "two providers of one organisation");
    assert_eq!(hinted("a", &twice), ["a"]);
}

#[test]
fn a_hint_that_names_who_stands_behind_one_provider_leads_to_that_one() {
    let mut peers = federation();
    let inner = BTreeSet::from([ProviderId::from("https://inner.example")]);
    peers.providers[1].behind.clone_from(&inner);
    assert_eq!(hinted("https://inner.example", &peers), ["b"]);
    peers.providers[0].behind = inner;
    assert_eq!(hinted("https://inner.example", &peers), ["a", "b"], "two could be meant");
}

#[test]
fn a_hint_never_widens_what_is_admissible() {
    let mut peers = owners();
    peers.suspensions.providers.insert("a".into());
    assert_eq!(hinted("a", &peers), ["b"], "the choice of those that are left");
    let mut peers = owners();
    peers.providers[0].hidden = true;
    assert_eq!(hinted("a", &peers), ["b"]);
    let mut peers = owners();
    peers.relying_party.providers = Some(BTreeSet::from([ProviderId::from("b")]));
    assert_eq!(hinted("anna@granvik.example", &peers), ["b"]);
    let named = AuthenticationRequest { login_hint: Some(LoginHint::new("a")), ..request(&["b"], false) };
    assert_eq!(led_to(&named, &owners()), Ok(vec!["b".into()]), "what is named counts more");
}

#[test]
fn a_silent_request_goes_where_its_hint_leads() {
    let with = |hint: &str| {
        let request = AuthenticationRequest { login_hint: Some(LoginHint::new(hint)), ..request(&[], true) };
        led_to(&request, &owners())
    };
    assert_eq!(with("a"), Ok(vec!["a".into()]));
    assert_eq!(with("nobody"), Err(FailureCode::InteractionRequired));
}

/// What comes of a demand for a level, where two providers are registered for loa3 under a ceiling.
fn demanded(
    level: &str,
    profile: AssuranceProfile,
    essential: bool,
    ceiling: &str,
) -> Result<(), FailureCode> {
    let mut peers = federation();
    let loa3 = Assurance::new("http://id.elegnamnden.se/loa/1.0/loa3");
    for provider in &mut peers.providers {
        provider.assurance = vec![loa3.clone()];
        let mut organisation = (*provider.organisation).clone();
        organisation.ceiling = vec![Assurance::new(ceiling)];
        provider.authority = Authority::of(&organisation);
    }
    peers.relying_party.assurance_profile = profile;
    let mut request = request(&[], false);
    request.assurance = RequestedAssurance { levels: vec![Assurance::new(level)], essential, some: false };
    let routed = Login::<Received>::begin(context(request)).route(&peers, &OutputMap::new(false));
    routed.map(|_| ()).map_err(|(failure, _)| failure.code)
}

#[test]
fn nobody_is_sent_for_some_level_to_providers_that_have_none() {
    let led = |assurance: Vec<Assurance>| {
        let mut peers = federation();
        for provider in &mut peers.providers {
            provider.assurance.clone_from(&assurance);
            let mut organisation = (*provider.organisation).clone();
            organisation.ceiling = vec![Assurance::new("http://id.elegnamnden.se/loa/1.0/loa3")];
            provider.authority = Authority::of(&organisation);
        }
        let mut request = request(&[], false);
        request.assurance.some = true;
        let routed = Login::<Received>::begin(context(request)).route(&peers, &OutputMap::new(false));
        routed.map(|_| ()).map_err(|(failure, _)| failure.code)
    };
    let level = |name: &str| vec![Assurance::new(format!("http://id.elegnamnden.se/loa/1.0/{name}"))];
    assert_eq!(led(level("loa3")), Ok(()));
    assert_eq!(led(level("loa4")), Err(FailureCode::AssuranceTooLow), "above the ceiling");
    assert_eq!(led(Vec::new()), Err(FailureCode::AssuranceTooLow));
}

#[test]
fn a_level_that_nobody_can_give_is_refused_before_anybody_is_asked() {
    use AssuranceProfile as P;
    let loa3 = "http://id.elegnamnden.se/loa/1.0/loa3";
    let uncertified = "http://id.swedenconnect.se/loa/1.0/uncertified-loa3";
    let refused = Err(FailureCode::AssuranceTooLow);
    assert_eq!(demanded(uncertified, P::Plain, true, loa3), Ok(()));
    assert_eq!(demanded(loa3, P::Plain, true, loa3), refused, "not reviewed");
    assert_eq!(demanded("http://id.sambi.se/loa/loa3", P::Plain, true, loa3), refused, "nobody has it");
    assert_eq!(demanded(uncertified, P::Sambi, true, loa3), refused, "the profile does not know it");
    let loa2 = "http://id.elegnamnden.se/loa/1.0/loa2";
    assert_eq!(demanded(uncertified, P::Plain, true, loa2), refused, "above the ceiling");
    assert_eq!(demanded(loa3, P::Plain, false, loa3), Ok(()), "a wish never fails a login");
}
