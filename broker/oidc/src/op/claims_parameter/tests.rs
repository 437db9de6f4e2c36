//! Reading the parameter, and the destination rule of the Swedish profile 4.2.

use std::collections::BTreeSet;

use broker_core::attribute::AttributeName;
use proptest::prelude::*;

use serde_json::{Value, json};

use super::{Asked, ClaimsParameter, Placement, held};
use crate::{
    claims::{Claim, ClaimNames},
    scope::Scope,
};

fn placed(scopes: &[Scope], text: &str, entitled: &[AttributeName]) -> Asked {
    let parameter = ClaimsParameter::read(text).expect("readable");
    Placement::of(
        &scopes.iter().copied().collect(),
        &parameter,
        &ClaimNames::default(),
        &entitled.iter().copied().collect(),
    )
}

fn destinations(asked: &Asked) -> (BTreeSet<Claim>, BTreeSet<Claim>) {
    (asked.placement.id_token.keys().copied().collect(), asked.placement.userinfo.keys().copied().collect())
}

#[test]
fn without_the_parameter_the_scopes_own_rule_holds() {
    let (id_token, userinfo) = destinations(&placed(&[Scope::OpenId, Scope::NaturalPersonOrgId], "{}", &[]));
    assert_eq!(id_token, [Claim::OrgAffiliation].into());
    assert_eq!(
        userinfo,
        [Claim::Name, Claim::OrganisationName, Claim::OrganisationNumber, Claim::OrgAffiliation].into()
    );
}

#[test]
fn what_the_parameter_puts_in_the_id_token_stays_in_userinfo_when_a_scope_says_so() {
    let (id_token, userinfo) =
        destinations(&placed(&[Scope::Profile], r#"{"id_token":{"name":null,"email":null}}"#, &[]));
    assert_eq!(id_token, [Claim::Name, Claim::Email].into());
    assert!(userinfo.contains(&Claim::Name) && !userinfo.contains(&Claim::Email));
}

#[test]
fn what_the_parameter_puts_in_userinfo_is_not_in_the_id_token_whatever_the_scope_says() {
    let text = r#"{"userinfo":{"https://id.oidc.se/claim/orgAffiliation":{"essential":true}}}"#;
    let (id_token, userinfo) = destinations(&placed(&[Scope::NaturalPersonOrgId], text, &[]));
    assert!(!id_token.contains(&Claim::OrgAffiliation));
    assert!(userinfo.contains(&Claim::OrgAffiliation));
}

#[test]
fn who_authenticated_is_told_only_to_those_who_may_know_the_organisation() {
    let text = r#"{"id_token":{"https://id.oidc.se/claim/authnProvider":null}}"#;
    assert!(destinations(&placed(&[], text, &[])).0.is_empty());
    assert!(destinations(&placed(&[], text, &[AttributeName::Mail])).0.is_empty());
    assert_eq!(
        destinations(&placed(&[], text, &[AttributeName::OrganisationNumber])).0,
        [Claim::AuthenticatingProvider].into()
    );
}

#[test]
fn a_claim_with_several_sources_is_essential_by_none_of_them() {
    let asked =
        placed(&[], r#"{"userinfo":{"phone_number":{"essential":true},"name":{"essential":true}}}"#, &[]);
    let essential: Vec<_> = asked.attributes.iter().filter(|row| row.essential).map(|row| row.name).collect();
    assert_eq!(essential, [AttributeName::DisplayName]);
}

#[test]
fn a_name_that_stands_twice_and_other_shapes_are_refused() {
    for good in [
        "{}",
        r#"{"id_token":null}"#,
        r#"{"other":[1]}"#,
        r#"{"userinfo":{"name":{"essential":true,"later":1},"unheard_of":{"values":["a"]}}}"#,
    ] {
        assert!(ClaimsParameter::read(good).is_ok(), "{good}");
    }
    let many: Vec<String> = (0..101).map(|at| format!("\"c{at}\":null")).collect();
    for bad in [
        "",
        "null",
        "[]",
        r#"[{"name":null}]"#,
        r#"{"id_token":[]}"#,
        r#"{"id_token":{},"id_token":{}}"#,
        r#"{"id_token":{"name":null,"name":null}}"#,
        r#"{"id_token":{"name":{"essential":true,"essential":false}}}"#,
        r#"{"id_token":{"name":{"essential":"true"}}}"#,
        r#"{"id_token":{"name":{"values":"a"}}}"#,
        r#"{"id_token":{"name":{"values":[]}}}"#,
        r#"{"id_token":{"name":[true]}}"#,
        r#"{"id_token":{"name":"Anna"}}"#,
        "{} {}",
        &format!("{{\"userinfo\":{{{}}}}}", many.join(",")),
    ] {
        assert!(ClaimsParameter::read(bad).is_err(), "{bad}");
    }
}

fn wanted(asked: &Asked, name: AttributeName) -> Vec<(bool, Option<AttributeName>, Vec<&str>)> {
    asked
        .attributes
        .iter()
        .filter(|row| row.name == name)
        .map(|row| (row.essential, row.or, row.values.iter().map(String::as_str).collect()))
        .collect()
}

#[test]
fn each_wish_for_a_value_is_a_row_of_its_own() {
    let asked = placed(
        &[],
        r#"{"id_token":{"name":{"essential":true,"value":"Anna"}},"userinfo":{"name":null,"gender":{"values":["male"]}}}"#,
        &[],
    );
    assert_eq!(
        wanted(&asked, AttributeName::DisplayName),
        [(false, None, vec![]), (true, None, vec!["Anna"])]
    );
    assert_eq!(wanted(&asked, AttributeName::Gender), [(false, None, vec!["M", "m"])]);
}

#[test]
fn one_of_the_two_numbers_is_essential_by_the_scope() {
    let asked = placed(&[Scope::NaturalPersonNumber], "{}", &[]);
    assert_eq!(
        wanted(&asked, AttributeName::PersonalIdentityNumber),
        [(true, Some(AttributeName::CoordinationNumber), vec![])]
    );
    assert_eq!(wanted(&asked, AttributeName::CoordinationNumber), [(false, None, vec![])]);
}

#[test]
fn what_no_destination_takes_is_not_asked_for_by_the_scope_either() {
    let text = r#"{"id_token":{"https://id.oidc.se/claim/personalIdentityNumber":{"value":"191212121212"}}}"#;
    let asked = placed(&[Scope::NaturalPersonNumber], text, &[]);
    assert!(
        wanted(&asked, AttributeName::PersonalIdentityNumber)
            .iter()
            .all(|(_, _, values)| values == &["191212121212"])
    );
}

#[test]
fn a_value_that_will_not_do_is_not_delivered_there() {
    let only = |claim, value: Value, acceptable: &[Value]| held(claim, value, acceptable);
    let (one, two) = (json!("aa01@2021006883"), json!("bb02@2021006883"));
    assert_eq!(only(Claim::OrgAffiliation, one.clone(), std::slice::from_ref(&two)), None);
    assert_eq!(only(Claim::OrgAffiliation, one.clone(), &[two.clone(), one.clone()]), Some(one.clone()));
    assert_eq!(only(Claim::OrgAffiliation, json!([one, two]), std::slice::from_ref(&two)), Some(two));
    assert_eq!(only(Claim::Nationalities, json!(["SE", "NO"]), &[json!("NO")]), Some(json!(["NO"])));
    assert_eq!(only(Claim::Nationalities, json!(["SE"]), &[json!("NO")]), None);
    assert_eq!(only(Claim::Name, json!("3"), &[json!(3)]), None);
}

proptest! {
    #[test]
    fn no_text_panics(text in "[\\[\\]{}\":,a-z0-9 ]{0,60}") {
        let _ = ClaimsParameter::read(&text);
    }
}
