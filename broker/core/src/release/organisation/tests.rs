//! Each proof beside one that contradicts it.

use std::sync::Arc;

use super::proven;
use crate::{
    attribute::{AttributeName as A, Attributes},
    authority::Authority,
    failure::FailureCode,
    identifier::ProviderId,
    moment::Timestamp,
    organisation::{LocalText, Organisation, OrganisationNumber},
    policy::{Protocol, ProviderPolicy},
    result::{AuthenticationResult, PassingOn},
    subject::{SubjectCandidate, SubjectSource},
};

const GRANVIK: &str = "2120009903";
const FJORDEN: &str = "2321009900";
const UNPROVEN: Result<String, FailureCode> = Err(FailureCode::OrganisationUnproven);

fn record(number: &str, name: &str) -> Arc<Organisation> {
    Arc::new(Organisation {
        domains: [format!("{name}.example")].into(),
        scopes: [format!("{name}.example"), "gemensam.example".to_owned()].into(),
        hsa_prefixes: [format!("SE{number}-")].into(),
        ..Organisation::of(OrganisationNumber::parse(number).expect("a valid number"))
    })
}

fn voice(organisation: Arc<Organisation>) -> ProviderPolicy {
    ProviderPolicy {
        id: ProviderId::from("https://idp.example"),
        protocol: Protocol::Saml,
        authority: Authority::of(&organisation),
        organisation,
        organisations: Vec::new(),
        display_name: LocalText::default(),
        keywords: Vec::new(),
        subject_source: SubjectSource::PersistentNameId,
        assurance: Vec::new(),
        hidden: false,
        behind: [].into(),
    }
}

/// Speaks for Granvik and Fjorden.
fn provider() -> ProviderPolicy {
    let voices = [record(GRANVIK, "granvik"), record(FJORDEN, "fjorden")].map(voice).map(Arc::new).into();
    ProviderPolicy {
        organisations: voices,
        authority: Authority::default(),
        ..voice(record("2021006883", "inera"))
    }
}

fn answer(said: &[(A, &str)]) -> AuthenticationResult {
    let mut attributes = Attributes::new();
    for (name, value) in said {
        attributes.add(*name, *value);
    }
    AuthenticationResult {
        provider: ProviderId::from("https://idp.example"),
        subjects: vec![SubjectCandidate { source: SubjectSource::PersistentNameId, value: "x".into() }],
        attributes,
        assurance: None,
        authenticated_at: Timestamp(0),
        session_ends: None,
        authorities: Vec::new(),
        passing_on: PassingOn::default(),
        key: None,
    }
}

fn held(said: &[(A, &str)], provider: &ProviderPolicy) -> Result<String, FailureCode> {
    let proven = proven(&answer(said), provider).map_err(|failure| failure.code)?;
    Ok(proven.organisation.number.to_string())
}

#[test]
fn each_kind_of_proof_names_the_organisation() {
    for said in [
        (A::OrganisationNumber, "2321009900"),
        (A::OrganisationNumber, "232100-9900"),
        (A::OrgAffiliation, "vera@2321009900"),
        (A::OrgAffiliation, "vera@FJORDEN.example"),
        (A::SubjectId, "vera@fjorden.example"),
        (A::PairwiseId, "vera@fjorden.example"),
        (A::EduPersonPrincipalName, "vera@fjorden.example"),
        (A::EmployeeHsaId, "SE2321009900-AB1"),
        (A::CommissionHsaId, "SE2321009900-AB1"),
        (A::HealthCareProviderHsaId, "SE2321009900-AB1"),
    ] {
        assert_eq!(held(&[said], &provider()), Ok(FJORDEN.to_owned()), "{said:?}");
    }
}

#[test]
fn what_the_subject_identifier_is_made_from_is_a_proof() {
    for (source, value) in [
        (SubjectSource::SubjectId, "vera@fjorden.example"),
        (SubjectSource::PairwiseId, "vera@fjorden.example"),
        (SubjectSource::OrgAffiliation, "vera@2321009900"),
        (SubjectSource::EmployeeHsaId, "SE2321009900-AB1"),
    ] {
        let mut answer = answer(&[]);
        answer.subjects.push(SubjectCandidate { source, value: value.into() });
        let provider = provider();
        let proven = proven(&answer, &provider).expect("proven");
        assert_eq!(proven.organisation.number.as_str(), FJORDEN, "{source:?}");
    }
}

#[test]
fn nothing_said_proves_nothing() {
    for said in [
        &[][..],
        &[(A::Mail, "vera@fjorden.example")],
        &[(A::OrganisationName, "Region Fjorden")],
        &[(A::OrganisationNumber, "Fjorden")],
        &[(A::DisplayName, "Vera"), (A::TelephoneNumber, "0123")],
    ] {
        assert_eq!(held(said, &provider()), UNPROVEN, "{said:?}");
    }
}

#[test]
fn proofs_of_two_organisations_prove_none() {
    for said in [
        [(A::OrganisationNumber, GRANVIK), (A::SubjectId, "vera@fjorden.example")],
        [(A::OrgAffiliation, "vera@2120009903"), (A::OrganisationNumber, FJORDEN)],
        [(A::OrgAffiliation, "vera@2120009903"), (A::OrgAffiliation, "vera@2321009900")],
        [(A::EmployeeHsaId, "SE2321009900-AB1"), (A::OrgAffiliation, "vera@granvik.example")],
        [(A::EmployeeHsaId, "SE2321009900-AB1"), (A::CommissionHsaId, "SE2120009903-AB1")],
        // A reader that splits at the first @ must come to the same organisation.
        [(A::OrgAffiliation, "vera@2120009903@2321009900"), (A::OrganisationNumber, FJORDEN)],
    ] {
        assert_eq!(held(&said, &provider()), UNPROVEN, "{said:?}");
    }
}

#[test]
fn an_organisation_that_is_not_the_provider_s_is_never_proven() {
    for said in [
        (A::OrganisationNumber, "2021006883"),
        (A::OrganisationNumber, "5560160680"),
        (A::OrgAffiliation, "vera@inera.example"),
        (A::SubjectId, "vera@annan.example"),
        (A::EmployeeHsaId, "SE2021006883-AB1"),
    ] {
        assert_eq!(held(&[said], &provider()), UNPROVEN, "{said:?}");
        assert_eq!(
            held(&[said, (A::OrgAffiliation, "vera@2321009900")], &provider()),
            UNPROVEN,
            "{said:?} beside a proof"
        );
    }
}

#[test]
fn what_several_have_needs_a_proof_that_tells_them_apart() {
    let shared = (A::SubjectId, "vera@gemensam.example");
    assert_eq!(held(&[shared], &provider()), UNPROVEN);
    assert_eq!(held(&[shared, (A::OrganisationNumber, FJORDEN)], &provider()), Ok(FJORDEN.to_owned()));
}

#[test]
fn of_one_organisation_the_registry_is_the_proof() {
    let mut only = provider();
    only.organisations.truncate(1);
    assert_eq!(held(&[], &only), Ok(GRANVIK.to_owned()));
    assert_eq!(held(&[(A::OrganisationNumber, FJORDEN)], &only), UNPROVEN, "and what contradicts it fails");
    let alone = voice(record(GRANVIK, "granvik"));
    assert_eq!(held(&[], &alone), Ok(GRANVIK.to_owned()));
}

#[test]
fn the_cause_names_attributes_and_no_value() {
    let said = [(A::OrganisationNumber, GRANVIK), (A::SubjectId, "vera@fjorden.example")];
    let failure = proven(&answer(&said), &provider()).expect_err("contradictory");
    assert!(
        failure.cause.contains("subject_id") && failure.cause.contains("organisation_number"),
        "{failure}"
    );
    assert!(!failure.cause.contains("vera"), "{failure}");
}
