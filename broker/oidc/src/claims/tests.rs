//! Attributes become claims; each rule with its twin.

use std::collections::BTreeSet;

use broker_core::{
    assurance::Assurance,
    attribute::{AttributeName, Attributes},
    identifier::ProviderId,
    moment::Timestamp,
    organisation::OrganisationNumber,
    release::ReleasedIdentity,
};
use serde_json::{Value, json};

use super::{Claim, ClaimNames};

fn value(claim: Claim, attributes: &[(AttributeName, &str)]) -> Option<Value> {
    let mut held = Attributes::new();
    for (name, value) in attributes {
        held.add(*name, *value);
    }
    let identity = ReleasedIdentity {
        subject: serde_json::from_value(json!("abc")).expect("a subject"),
        attributes: held,
        dropped: Vec::new(),
        not_agreed: Vec::new(),
        assurance: Some(Assurance::new("http://id.swedenconnect.se/loa/1.0/uncertified-loa3")),
        authenticated_at: Timestamp(1_000),
        session_ends: None,
        provider: ProviderId::from("https://idp.granvik.example"),
        organisation: OrganisationNumber::parse("2021006883").expect("a number"),
        key: None,
        authenticated_by: "https://idp.granvik.example".into(),
        authorities: vec!["https://elsewhere.example".into()],
        passing_on: broker_core::result::PassingOn::default(),
    };
    claim.value(&identity)
}

#[test]
fn every_name_leads_back_to_its_claim_and_none_is_the_protocols() {
    let names = ClaimNames::default();
    let all: BTreeSet<_> = Claim::ALL.iter().map(|claim| claim.name(&names)).collect();
    assert_eq!(all.len(), Claim::ALL.len());
    for claim in Claim::ALL {
        assert_eq!(Claim::from_name(claim.name(&names), &names), Some(*claim));
    }
    for protocol in ["iss", "sub", "aud", "exp", "iat", "nonce", "at_hash", "azp", "amr"] {
        assert_eq!(Claim::from_name(protocol, &names), None, "{protocol}");
    }
}

#[test]
fn the_hsa_id_is_called_what_the_federation_calls_it() {
    let names = ClaimNames { employee_hsa_id: "urn:example:hsaid".into() };
    assert_eq!(Claim::from_name("urn:example:hsaid", &names), Some(Claim::EmployeeHsaId));
    assert_eq!(Claim::from_name("employeeHsaId", &names), None);
}

#[test]
fn gender_is_mapped_and_unspecified_is_left_out() {
    for (told, said) in [("M", Some("male")), ("f", Some("female")), ("U", None), ("male", None), ("", None)]
    {
        assert_eq!(value(Claim::Gender, &[(AttributeName::Gender, told)]), said.map(Value::from), "{told}");
    }
}

#[test]
fn a_coordination_number_is_told_only_without_a_personal_number() {
    let both = [
        (AttributeName::CoordinationNumber, "197010632391"),
        (AttributeName::PersonalIdentityNumber, "191212121212"),
    ];
    assert_eq!(value(Claim::CoordinationNumber, &both[..1]), Some(json!("197010632391")));
    assert_eq!(value(Claim::CoordinationNumber, &both), None);
    assert_eq!(value(Claim::PersonalIdentityNumber, &both), Some(json!("191212121212")));
}

#[test]
fn an_earlier_number_is_told_only_when_it_is_a_coordination_number() {
    let previous = |number| {
        value(Claim::PreviousCoordinationNumber, &[(AttributeName::PreviousPersonalIdentityNumber, number)])
    };
    assert_eq!(previous("197010632391"), Some(json!("197010632391")));
    assert_eq!(previous("191212121212"), None);
    assert_eq!(previous("1970106å2391"), None);
}

#[test]
fn mail_is_its_first_value_and_is_never_said_to_be_verified() {
    let mails = [(AttributeName::Mail, "a@granvik.example"), (AttributeName::Mail, "b@granvik.example")];
    assert_eq!(value(Claim::Email, &mails), Some(json!("a@granvik.example")));
    assert!(Claim::from_name("email_verified", &ClaimNames::default()).is_none());
}

#[test]
fn a_telephone_number_is_the_mobile_where_there_is_no_other() {
    let numbers = [(AttributeName::Mobile, "+46701"), (AttributeName::TelephoneNumber, "+468")];
    assert_eq!(value(Claim::PhoneNumber, &numbers), Some(json!("+468")));
    assert_eq!(value(Claim::PhoneNumber, &numbers[..1]), Some(json!("+46701")));
}

#[test]
fn an_address_is_an_object_of_what_there_is() {
    let address = [
        (AttributeName::Street, "Storgatan 1"),
        (AttributeName::PostOfficeBox, "Box 2"),
        (AttributeName::PostalCode, "12345"),
        (AttributeName::Locality, "Granvik"),
        (AttributeName::Country, "SE"),
    ];
    assert_eq!(
        value(Claim::Address, &address),
        Some(json!({
            "street_address": "Storgatan 1\nBox 2", "postal_code": "12345", "locality": "Granvik", "country": "SE"
        }))
    );
    assert_eq!(value(Claim::Address, &[]), None);
}

#[test]
fn several_affiliations_are_an_array_and_one_is_a_string() {
    let two =
        [(AttributeName::OrgAffiliation, "a@2021006883"), (AttributeName::OrgAffiliation, "b@2021006883")];
    assert_eq!(value(Claim::OrgAffiliation, &two[..1]), Some(json!("a@2021006883")));
    assert_eq!(value(Claim::OrgAffiliation, &two), Some(json!(["a@2021006883", "b@2021006883"])));
}

#[test]
fn a_name_that_is_told_twice_is_not_told() {
    let two = [(AttributeName::DisplayName, "Anna"), (AttributeName::DisplayName, "Beda")];
    assert_eq!(value(Claim::Name, &two), None);
    assert_eq!(value(Claim::Name, &two[..1]), Some(json!("Anna")));
}

#[test]
fn a_date_of_birth_has_the_form_of_oidc_core_5_1() {
    let born = |date| value(Claim::Birthdate, &[(AttributeName::DateOfBirth, date)]);
    assert_eq!(born("1912-12-12"), Some(json!("1912-12-12")));
    assert_eq!(born("19121212"), None);
    assert_eq!(born("12/12/1912"), None);
}

#[test]
fn who_authenticated_is_the_provider_that_we_verified() {
    assert_eq!(value(Claim::AuthenticatingProvider, &[]), Some(json!("https://idp.granvik.example")));
}
