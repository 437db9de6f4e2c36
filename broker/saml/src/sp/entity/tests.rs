//! Which service provider of ours asks, and that the answer is for that one alone.

use std::sync::Arc;

use broker_core::{
    identifier::{ProviderId, RelyingPartyId},
    moment::Moment,
    organisation::LocalText,
    policy::{Protocol, ProviderPolicy},
    role::{Completion, Inbound, Outbound, Upstream},
    subject::SubjectSource,
};
use certs::query_signature::MessageParameter;
use metadata::{OidcClient, Registry, peer::ClientAuthentication};

use super::*;
use crate::{
    binding::post,
    idp::ReceivedAuthnRequest,
    sp::{
        SamlSp, SentRequest,
        tests::{ACS, Case, HANDLE, IDP, KEY, NOW, NoEntropy, SP, organisation, provider},
    },
};

use AttributeName as A;

const OTHER: &str = "https://broker.example/saml/pnr/metadata";
const OTHER_ACS: &str = "https://broker.example/saml/pnr/acs";
const ISSUER: &str = "https://broker.example";

fn entities() -> SpEntities {
    let main = SpEntity::new("main", SpSettings::new(SP, ACS), [A::DisplayName, A::Mail]);
    let other = SpEntity::new(
        "pnr",
        SpSettings::new(OTHER, OTHER_ACS),
        [A::DisplayName, A::Mail, A::PersonalIdentityNumber],
    );
    SpEntities::new(main, vec![other], ISSUER)
}

fn asking(attributes: &[(AttributeName, bool)]) -> AuthenticationRequest {
    AuthenticationRequest {
        attributes: attributes
            .iter()
            .map(|(name, essential)| RequestedAttribute::new(*name, *essential))
            .collect(),
        ..AuthenticationRequest::new(RelyingPartyId::from("rp1"))
    }
}

fn relying_party(entitled: &[AttributeName]) -> RelyingPartyPolicy {
    RelyingPartyPolicy {
        id: RelyingPartyId::from("rp1"),
        protocol: Protocol::Oidc,
        organisation: Arc::new(organisation()),
        display_name: LocalText::default(),
        entitled: entitled.iter().copied().collect(),
        sector: "s".into(),
        providers: None,
        start_url: None,
        privacy_url: None,
        fail_on_missing_attribute: false,
        assurance_profile: Default::default(),
    }
}

/// Which one is chosen, or why none.
fn chosen(
    wanted: &[(AttributeName, bool)],
    entitled: &[AttributeName],
    change: impl FnOnce(&mut SamlProvider, &mut RelyingPartyPolicy),
) -> Result<String, FailureCode> {
    let (mut provider, mut party) = (provider(), relying_party(entitled));
    change(&mut provider, &mut party);
    entities()
        .choose(&asking(wanted), Some(&party), &provider)
        .map(|entity| entity.name.clone())
        .map_err(|failure| failure.code)
}

#[test]
fn the_one_that_asks_for_least_is_taken() {
    let name = |wanted: &[(AttributeName, bool)], entitled: &[AttributeName]| {
        chosen(wanted, entitled, |_, _| ()).expect("one")
    };
    let all = [A::DisplayName, A::PersonalIdentityNumber, A::CoordinationNumber, A::UserCertificate];
    assert_eq!(name(&[], &all), "main");
    assert_eq!(name(&[(A::DisplayName, true)], &all), "main");
    assert_eq!(name(&[(A::PersonalIdentityNumber, false)], &all), "pnr");
    assert_eq!(name(&[(A::CoordinationNumber, false)], &all), "pnr", "one name in SAML");
    assert_eq!(name(&[(A::PersonalIdentityNumber, true)], &[A::DisplayName]), "main", "not entitled");
    assert_eq!(name(&[(A::UserCertificate, true)], &all), "main", "neither asks for it");
    assert_eq!(
        name(&[(A::UserCertificate, true), (A::PersonalIdentityNumber, false)], &all),
        "pnr",
        "the closest"
    );
    assert_eq!(name(&[(A::OrganisationNumber, true)], &[A::OrganisationNumber]), "main", "from the registry");
}

#[test]
fn nobody_unknown_is_asked_for_a_number() {
    let chosen = entities()
        .choose(&asking(&[(A::PersonalIdentityNumber, true)]), None, &provider())
        .map(|entity| entity.name.clone());
    assert_eq!(chosen, Ok("main".to_owned()));
}

#[test]
fn a_pinned_provider_is_always_asked_by_the_same() {
    let number = [(A::PersonalIdentityNumber, true)];
    let entitled = [A::PersonalIdentityNumber];
    let pinned = |name: &'static str| {
        move |provider: &mut SamlProvider, _: &mut RelyingPartyPolicy| {
            provider.service_provider = Some(name.to_owned());
        }
    };
    assert_eq!(chosen(&number, &entitled, pinned("main")), Ok("main".into()));
    assert_eq!(chosen(&[], &entitled, pinned("pnr")), Ok("pnr".into()));
    assert_eq!(chosen(&[], &entitled, pinned("gone")), Err(FailureCode::ProviderUnusable));
    let failing = |provider: &mut SamlProvider, party: &mut RelyingPartyPolicy| {
        provider.service_provider = Some("main".to_owned());
        party.fail_on_missing_attribute = true;
    };
    assert_eq!(chosen(&number, &entitled, failing), Err(FailureCode::AttributeMissing));
    assert_eq!(chosen(&[(A::PersonalIdentityNumber, false)], &entitled, failing), Ok("main".into()));
}

#[test]
fn each_knows_the_names_of_all() {
    for entity in entities().all() {
        assert_eq!(entity.settings.own_names, [SP, OTHER, ISSUER]);
    }
}

fn with_role<T>(test: impl FnOnce(&SamlSp<'_>, Moment<'_>) -> T) -> T {
    let client = OidcClient {
        policy: Arc::new(relying_party(&[A::DisplayName, A::PersonalIdentityNumber])),
        client_id: RelyingPartyId::from("rp1"),
        redirect_uris: vec!["https://rp.example/".into()],
        authentication: ClientAuthentication::PrivateKeyJwt {
            keys: certs::JwkSet::from_json(b"{\"keys\":[]}").expect("a set"),
            algorithm: None,
        },
        id_token_algorithm: certs::SignatureAlgorithm::RsaSha256,
        userinfo_algorithm: None,
        scopes: ["openid".to_owned()].into(),
        accepts_token_endpoint_audience: false,
        pkce_required: true,
        default_max_age: None,
        default_acr_values: vec![],
        purpose: LocalText::default(),
        contacts: vec![],
    };
    let registry =
        Registry::from_peers([Arc::new(organisation())], [Arc::new(provider())], [Arc::new(client)]);
    let entities = entities();
    let role = SamlSp { entities: &entities, registry: &registry, signer: &*KEY, decryption: &[] };
    test(&role, Moment { now: NOW, entropy: &NoEntropy })
}

#[test]
fn the_one_that_is_chosen_asks_in_its_own_name() {
    let asked = |attributes: &[(AttributeName, bool)]| {
        with_role(|role, moment| {
            let begun =
                role.begin(&asking(attributes), &ProviderId::from(IDP), HANDLE, moment).expect("begun");
            let Outbound::Redirect { url } = begun.outbound else { panic!("a redirect") };
            let query = url.split_once('?').map(|(_, query)| query.to_owned());
            let message = Inbound { query, ..Inbound::default() };
            let read = ReceivedAuthnRequest::read(&message).expect("readable").unverified().clone();
            let sent = SentRequest::recall(&begun.remembered).expect("recalled");
            (read.issuer, read.acs_url.unwrap_or_default(), sent.entity_id)
        })
    };
    assert_eq!(asked(&[(A::DisplayName, true)]), (SP.into(), ACS.into(), SP.into()));
    assert_eq!(asked(&[(A::PersonalIdentityNumber, true)]), (OTHER.into(), OTHER_ACS.into(), OTHER.into()));
}

/// What comes of an answer for `audience` at `recipient`, posted to `path`, when the one of `asked_by` asked.
fn answered(asked_by: &str, audience: &str, recipient: &str, path: &str) -> Result<(), FailureCode> {
    let mut case = Case::genuine();
    case.issue.audience = audience.into();
    case.issue.acs_url = recipient.into();
    case.sent.entity_id = asked_by.into();
    let xml = case.written("", "");
    let Outbound::Post { fields, .. } =
        post::encode(recipient, MessageParameter::Response, xml.as_bytes(), None)
    else {
        panic!("a form");
    };
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    let message = Inbound { path: path.into(), form: Some(form.into_bytes()), ..Inbound::default() };
    with_role(|role, moment| {
        let remembered = case.sent.remember().expect("remembered");
        role.complete(&message, &ProviderId::from(IDP), &remembered, moment)
            .map(|completion| assert!(matches!(completion, Completion::Done { .. })))
            .map_err(|failure| failure.code)
    })
}

#[test]
fn an_answer_is_for_the_one_that_asked_and_no_other() {
    assert_eq!(answered(SP, SP, ACS, "/saml/acs"), Ok(()));
    assert_eq!(answered(OTHER, OTHER, OTHER_ACS, "/saml/pnr/acs"), Ok(()));
    assert_eq!(answered(SP, OTHER, ACS, "/saml/acs"), Err(FailureCode::AudienceMismatch));
    assert_eq!(answered(OTHER, SP, OTHER_ACS, "/saml/pnr/acs"), Err(FailureCode::AudienceMismatch));
    assert_eq!(answered(SP, SP, OTHER_ACS, "/saml/acs"), Err(FailureCode::DestinationMismatch));
    assert_eq!(answered(SP, SP, ACS, "/saml/pnr/acs"), Err(FailureCode::DestinationMismatch));
    assert_eq!(answered(OTHER, OTHER, OTHER_ACS, "/saml/acs"), Err(FailureCode::DestinationMismatch));
    assert_eq!(answered("https://gone.example", SP, ACS, "/saml/acs"), Err(FailureCode::LoginUnknown));
}

#[test]
fn what_people_are_known_by_comes_before_asking_for_least() {
    let main = SpEntity::new("main", SpSettings::new(SP, ACS), [A::DisplayName]);
    let known = [A::DisplayName, A::SubjectId, A::EmployeeHsaId];
    let other = SpEntity::new("known", SpSettings::new(OTHER, OTHER_ACS), known);
    let entities = SpEntities::new(main, vec![other], ISSUER);
    let chosen = |source| {
        let mut provider = provider();
        provider.policy = Arc::new(ProviderPolicy { subject_source: source, ..(*provider.policy).clone() });
        let party = relying_party(&[A::DisplayName]);
        let entity = entities.choose(&asking(&[(A::DisplayName, true)]), Some(&party), &provider);
        entity.expect("one").name.clone()
    };
    assert_eq!(chosen(SubjectSource::SubjectId), "known", "the main one would be told of nobody");
    assert_eq!(chosen(SubjectSource::EmployeeHsaId), "known");
    assert_eq!(chosen(SubjectSource::OidcSub), "main", "the twin: nothing more is needed");
}

#[test]
fn a_pseudonym_for_another_of_ours_is_made_for_us() {
    let mut case = Case::genuine();
    case.issue.name_id.sp_name_qualifier = Some(OTHER.to_owned());
    assert!(case.broken("", "").is_some());
    case.settings.own_names.push(OTHER.to_owned());
    assert_eq!(case.broken("", ""), None);
}

#[test]
fn only_what_is_made_for_one_service_provider_pins_a_provider() {
    let per_service_provider: Vec<_> =
        SubjectSource::ALL.iter().filter(|source| source.is_per_service_provider()).collect();
    assert_eq!(per_service_provider, [&SubjectSource::PairwiseId, &SubjectSource::PersistentNameId]);
    let policy = ProviderPolicy { behind: [].into(), ..(*provider().policy).clone() };
    assert!(!policy.subject_source.is_per_service_provider());
}
