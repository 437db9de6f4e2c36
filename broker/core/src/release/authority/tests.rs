//! Each rule, with a value that keeps it beside those that break it.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Rule, rule};
use crate::{
    assurance::Assurance,
    attribute::{AttributeName as A, Attributes},
    failure::FailureCode,
    release::tests::Case,
    subject::{SubjectCandidate, SubjectSource},
};

const PERSONAL: &str = "191212121212";
const COORDINATION: &str = "197010631237";
const ALL_GRANTED: &[A] = A::ALL;

/// A login in which `name` has `values`, to a relying party that may be given everything and asks for everything.
fn saying(values: &[(A, &str)], granted: &[A]) -> Case {
    let mut case = Case::genuine();
    Arc::make_mut(&mut case.provider.organisation).may_assert = granted.iter().copied().collect();
    case.relying_party.entitled = A::ALL.iter().copied().collect();
    let one = case.request.attributes[0].clone();
    case.request.attributes =
        A::ALL.iter().map(|name| crate::request::RequestedAttribute { name: *name, ..one.clone() }).collect();
    case.result.attributes = Attributes::new();
    for (name, value) in values {
        case.result.attributes.add(*name, *value);
    }
    case
}

fn leaves(case: Case, name: A) -> Result<Vec<String>, FailureCode> {
    case.run().map(|identity| identity.attributes.values(name).to_vec())
}

fn texts(values: &[&str]) -> Result<Vec<String>, FailureCode> {
    Ok(values.iter().map(|value| (*value).to_owned()).collect())
}

const OUTSIDE: Result<Vec<String>, FailureCode> = Err(FailureCode::AttributeOutsideAuthority);

#[test]
fn one_foreign_scope_among_several_fails_the_login() {
    let both = [(A::OrgAffiliation, "aa01@2021006883"), (A::OrgAffiliation, "aa01@granvik.example")];
    assert_eq!(
        leaves(saying(&both, &[]), A::OrgAffiliation),
        texts(&["aa01@2021006883", "aa01@granvik.example"])
    );
    let foreign = [(A::OrgAffiliation, "aa01@2021006883"), (A::OrgAffiliation, "aa01@5560160680")];
    assert_eq!(leaves(saying(&foreign, &[]), A::OrgAffiliation), OUTSIDE);
}

#[test]
fn subject_pairwise_and_principal_names_have_one_at() {
    for name in [A::SubjectId, A::PairwiseId, A::EduPersonPrincipalName] {
        assert_eq!(
            leaves(saying(&[(name, "aa01@Granvik.example")], &[]), name),
            texts(&["aa01@granvik.example"])
        );
        for foreign in ["aa01@region.example", "anna@granvik.example@granvik.example", "aa01"] {
            assert_eq!(leaves(saying(&[(name, foreign)], &[]), name), OUTSIDE, "{name} {foreign}");
        }
    }
}

#[test]
fn another_organisations_number_fails_the_login_and_its_name_is_replaced() {
    for own in ["2021006883", "202100-6883", "162021006883", "NTRSE-2021006883", "our number"] {
        assert_eq!(
            leaves(saying(&[(A::OrganisationNumber, own)], &[]), A::OrganisationNumber),
            texts(&["2021006883"]),
            "{own}"
        );
    }
    for other in ["5560160680", "556016-0680", "165560160680", "NTRSE-5560160680", "5560160681"] {
        let both = [(A::OrganisationNumber, "2021006883"), (A::OrganisationNumber, other)];
        assert_eq!(leaves(saying(&both, ALL_GRANTED), A::OrganisationNumber), OUTSIDE, "{other}");
    }
    let named = saying(&[(A::OrganisationName, "Another organisation")], ALL_GRANTED);
    assert_eq!(leaves(named, A::OrganisationName), texts(&[]), "the record here has no name");
}

#[test]
fn hsa_ids_lie_under_the_prefix() {
    for name in [A::EmployeeHsaId, A::CommissionHsaId, A::HealthCareProviderHsaId] {
        assert_eq!(leaves(saying(&[(name, "SE2021006883-AB12")], &[]), name), texts(&["SE2021006883-AB12"]));
        for foreign in ["SE2321000016-AB12", "SE2021006883-", "SE2021006883-A@B", "AB12"] {
            assert_eq!(leaves(saying(&[(name, foreign)], ALL_GRANTED), name), OUTSIDE, "{name} {foreign}");
        }
    }
}

#[test]
fn what_is_said_of_a_commission_needs_its_hsa_id() {
    for name in [A::CommissionName, A::CommissionPurpose, A::CommissionRight] {
        let alone = saying(&[(name, "Vård och behandling")], ALL_GRANTED);
        assert_eq!(leaves(alone, name), texts(&[]), "{name}");
        let ours = saying(&[(name, "Vård och behandling"), (A::CommissionHsaId, "SE2021006883-C1")], &[]);
        assert_eq!(leaves(ours, name), texts(&["Vård och behandling"]), "{name}");
        let theirs =
            saying(&[(name, "Vård och behandling"), (A::CommissionHsaId, "SE2321000016-C1")], ALL_GRANTED);
        assert_eq!(leaves(theirs, name), OUTSIDE, "{name}");
    }
}

#[test]
fn a_mail_address_that_only_looks_like_ours_is_dropped() {
    let all = saying(
        &[
            (A::Mail, "anna@granvik.example"),
            (A::Mail, "\"a@granvik.example\"@evil.example"),
            (A::Mail, "anna@granvik.example@evil.example"),
            (A::Mail, "anna@granvik.example.evil.example"),
        ],
        ALL_GRANTED,
    );
    assert_eq!(leaves(all, A::Mail), texts(&["anna@granvik.example"]));
}

#[test]
fn a_number_leaves_as_what_it_is_and_only_where_its_kind_is_granted() {
    for written in [A::PersonalIdentityNumber, A::CoordinationNumber] {
        for (number, kind, other) in [
            (PERSONAL, A::PersonalIdentityNumber, A::CoordinationNumber),
            (COORDINATION, A::CoordinationNumber, A::PersonalIdentityNumber),
        ] {
            let run = |granted: &[A], asked| leaves(saying(&[(written, number)], granted), asked);
            assert_eq!(run(&[kind], kind), texts(&[number]), "{number} under {written}");
            assert_eq!(run(&[kind], other), texts(&[]), "{number} under {written}");
            assert_eq!(run(&[other], kind), texts(&[]), "{number} under {written}, not granted");
            assert_eq!(run(&[other], other), texts(&[]), "{number} under {written}, not granted");
        }
    }
}

#[test]
fn a_number_that_is_none_is_dropped_and_so_are_two() {
    let name = A::PersonalIdentityNumber;
    for none in ["19121212-1212", "1212121212", "191212121213", "191213121211", "Anna"] {
        let numbers = [(name, none), (A::PreviousPersonalIdentityNumber, none)];
        assert_eq!(leaves(saying(&numbers, ALL_GRANTED), name), texts(&[]), "{none}");
        assert_eq!(
            leaves(saying(&numbers, ALL_GRANTED), A::PreviousPersonalIdentityNumber),
            texts(&[]),
            "{none}"
        );
    }
    let two = [(A::PersonalIdentityNumber, PERSONAL), (A::PersonalIdentityNumber, COORDINATION)];
    for asked in [A::PersonalIdentityNumber, A::CoordinationNumber] {
        assert_eq!(leaves(saying(&two, ALL_GRANTED), asked), texts(&[]), "whose are they?");
    }
    let twice = [(A::PersonalIdentityNumber, PERSONAL), (A::CoordinationNumber, PERSONAL)];
    assert_eq!(leaves(saying(&twice, ALL_GRANTED), name), texts(&[PERSONAL]));
}

#[test]
fn no_number_leaves_with_a_nonresident_level() {
    let level = Assurance::new("http://id.swedenconnect.se/loa/1.0/loa3-nonresident");
    let numbers = [
        (A::PersonalIdentityNumber, PERSONAL),
        (A::PreviousPersonalIdentityNumber, COORDINATION),
        (A::MappedPersonalIdentityNumber, PERSONAL),
        (A::IdentityBinding, super::BINDINGS[0]),
    ];
    let names =
        [A::PersonalIdentityNumber, A::PreviousPersonalIdentityNumber, A::MappedPersonalIdentityNumber];
    for name in names {
        let mut case = saying(&numbers, ALL_GRANTED);
        case.provider.assurance.push(level.clone());
        Arc::make_mut(&mut case.provider.organisation).ceiling.push(level.clone());
        case.result.assurance = Some(level.clone());
        assert_eq!(leaves(case, name), texts(&[]), "{name}");
        assert_eq!(
            leaves(saying(&numbers, ALL_GRANTED), name).map(|values| values.len()),
            Ok(1),
            "{name}: the twin"
        );
    }
}

#[test]
fn a_mapped_number_needs_the_process_that_bound_it() {
    let name = A::MappedPersonalIdentityNumber;
    let [register, e_id] = super::BINDINGS;
    for (binding, bound) in [
        (register.to_owned(), true),
        (format!("{register};{e_id}"), true),
        (String::from("http://evil.example/process"), false),
        (format!("{register};http://evil.example/process"), false),
    ] {
        let case = saying(&[(name, PERSONAL), (A::IdentityBinding, &binding)], ALL_GRANTED);
        assert_eq!(leaves(case, name), texts(if bound { &[PERSONAL] } else { &[] }), "{binding}");
    }
    assert_eq!(leaves(saying(&[(name, PERSONAL)], ALL_GRANTED), name), texts(&[]));
}

#[test]
fn what_needs_the_records_word_leaves_with_it_alone() {
    let by_record = A::ALL.iter().filter(|name| matches!(rule(**name), Rule::ByRecord));
    let mut seen = 0;
    for name in by_record {
        assert_eq!(leaves(saying(&[(*name, "a word")], &[]), *name), texts(&[]), "{name}");
        assert_eq!(leaves(saying(&[(*name, "a word")], &[*name]), *name), texts(&["a word"]), "{name}");
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn what_is_dropped_is_named_where_it_might_have_left() {
    let said =
        [(A::PersonalIdentityNumber, PERSONAL), (A::Mail, "anna@evil.example"), (A::DisplayName, "Anna")];
    assert_eq!(saying(&said, &[]).run().expect("released").dropped, [A::PersonalIdentityNumber, A::Mail]);
    let mut case = saying(&said, &[]);
    case.relying_party.entitled.remove(&A::Mail);
    assert_eq!(
        case.run().expect("released").dropped,
        [A::PersonalIdentityNumber],
        "it could not have had the other"
    );
}

#[test]
fn a_provider_that_is_narrowed_says_less_than_its_organisation() {
    let mut case = saying(&[(A::OrgAffiliation, "aa01@2021006883")], &[]);
    case.narrowing.scopes = Some(["granvik.example".to_owned()].into());
    assert_eq!(leaves(case, A::OrgAffiliation), OUTSIDE);
    let mut case = saying(&[(A::DateOfBirth, "1912-12-12")], &[A::DateOfBirth]);
    case.narrowing.may_assert = Some([].into());
    assert_eq!(leaves(case, A::DateOfBirth), texts(&[]));
    let mut case = saying(&[], &[]);
    case.narrowing.ceiling = Some([Assurance::new("http://id.elegnamnden.se/loa/1.0/loa2")].into());
    assert_eq!(leaves(case, A::DisplayName), Err(FailureCode::AssuranceAboveCeiling));
}

#[test]
fn every_source_of_a_subject_is_bounded() {
    for (source, own, foreign) in [
        (SubjectSource::SubjectId, "aa01@granvik.example", "aa01@region.example"),
        (SubjectSource::PairwiseId, "aa01@granvik.example", "aa01@region.example"),
        (SubjectSource::OrgAffiliation, "aa01@2021006883", "aa01@5560160680"),
        (SubjectSource::EmployeeHsaId, "SE2021006883-A1", "SE2321000016-A1"),
    ] {
        let with = |value: &str| {
            let mut case = saying(&[], ALL_GRANTED);
            case.provider.subject_source = source;
            case.result.subjects = vec![SubjectCandidate { source, value: value.to_owned() }];
            leaves(case, A::DisplayName)
        };
        assert_eq!(with(own), texts(&[]), "{source:?}");
        assert_eq!(with(foreign), OUTSIDE, "{source:?}");
    }
}

/// Texts of the kind that an attacker would try: pieces of ours and of others' in any order.
fn tried() -> impl Strategy<Value = String> {
    let pieces = [
        "@",
        ".",
        "-",
        "%40",
        "\0",
        " ",
        "granvik.example",
        "GRANVIK",
        "region.example",
        "2021006883",
        "5560160680",
        "SE2021006883-",
        "SE2321000016-",
        "AB12",
        "xn--",
        "å",
        "\u{212a}",
        "\u{ff20}",
        "\"",
        "191212121212",
        "aa01",
        "evil",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..7).prop_map(|parts| parts.concat())
}

proptest! {
    /// No value that names somebody outside the record ever leaves, under whatever name it came.
    #[test]
    fn nothing_outside_the_record_leaves(
        values in prop::collection::vec((prop::sample::select(A::ALL.to_vec()), tried()), 0..5),
        granted in prop::collection::vec(prop::sample::select(A::ALL.to_vec()), 0..5),
    ) {
        let borrowed: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let Ok(identity) = saying(&borrowed, &granted).run() else { return Ok(()) };
        for (name, values) in identity.attributes.iter() {
            for value in values {
                let kept = match name {
                    A::OrgAffiliation | A::SubjectId | A::PairwiseId | A::EduPersonPrincipalName => {
                        value.ends_with("@granvik.example") || value.ends_with("@2021006883")
                    }
                    A::EmployeeHsaId | A::CommissionHsaId | A::HealthCareProviderHsaId => {
                        value.starts_with("SE2021006883-")
                    }
                    A::Mail => value.ends_with("@granvik.example") || value.ends_with(".granvik.example"),
                    A::OrganisationNumber => value == "2021006883",
                    A::OrganisationName => false,
                    A::PersonalIdentityNumber => value == PERSONAL && granted.contains(&name),
                    A::CommissionName | A::CommissionPurpose | A::CommissionRight => {
                        !identity.attributes.values(A::CommissionHsaId).is_empty()
                    }
                    other => match rule(other) {
                        Rule::Descriptive => true,
                        _ => granted.contains(&other),
                    },
                };
                prop_assert!(kept, "{name}: {value:?}");
            }
        }
    }
}
