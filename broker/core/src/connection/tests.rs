//! Each step of the order in which a connection is decided, beside one that it overrules.

use std::collections::{BTreeMap, BTreeSet};

use super::{Category, Connections, DecidedBy, Defaults, Terms};
use crate::{
    attribute::AttributeName as A,
    failure::FailureCode,
    identifier::RelyingPartyId,
    organisation::{Organisation, OrganisationNumber},
};

fn employer() -> Organisation {
    Organisation::of(OrganisationNumber::parse("2021006883").expect("a number"))
}

fn journal() -> RelyingPartyId {
    RelyingPartyId::from("journal")
}

fn care() -> Category {
    Category::parse("care").expect("a category")
}

fn terms(open: bool) -> Terms {
    Terms { open, attributes: None }
}

fn with_category() -> Connections {
    Connections { categories: BTreeMap::from([(journal(), care())]), ..Connections::default() }
}

fn found(connections: &Connections) -> (bool, DecidedBy) {
    let found = connections.between(&employer(), &journal());
    (found.open, found.by)
}

#[test]
fn where_nothing_is_said_it_is_open() {
    assert_eq!(found(&Connections::default()), (true, DecidedBy::Nobody));
    assert!(Connections::default().allow(&employer(), &journal()).is_ok());
}

#[test]
fn the_narrower_word_decides() {
    let mut connections = with_category();
    connections.federation.all = Some(terms(false));
    assert_eq!(found(&connections), (false, DecidedBy::Federation));
    connections.federation.categories.insert(care(), terms(true));
    assert_eq!(found(&connections), (true, DecidedBy::FederationCategory));
    let own = Defaults { all: Some(terms(false)), ..Defaults::default() };
    connections.defaults.insert(employer().number, own);
    assert_eq!(found(&connections), (false, DecidedBy::Employer));
    let own = connections.defaults.get_mut(&employer().number).expect("its defaults");
    own.categories.insert(care(), terms(true));
    assert_eq!(found(&connections), (true, DecidedBy::EmployerCategory));
    connections.agreements.entry(employer().number).or_default().insert(journal(), terms(false));
    assert_eq!(found(&connections), (false, DecidedBy::Agreement));
    let refused = connections.allow(&employer(), &journal()).expect_err("closed");
    assert_eq!(refused.code, FailureCode::ConnectionClosed);
    assert!(refused.cause.contains("2021006883") && refused.cause.contains("its own decision"));
}

#[test]
fn an_agreement_opens_nothing_that_the_record_closes() {
    let mut connections = Connections::default();
    connections.agreements.entry(employer().number).or_default().insert(journal(), terms(true));
    let of = |open: &[&str]| Organisation {
        relying_parties: Some(open.iter().copied().map(RelyingPartyId::from).collect()),
        ..employer()
    };
    assert!(!connections.between(&of(&["tidbok"]), &journal()).open);
    assert!(connections.between(&of(&["journal"]), &journal()).open);
}

#[test]
fn one_employers_word_says_nothing_of_another() {
    let other = OrganisationNumber::parse("2120009903").expect("a number");
    let mut connections = Connections::default();
    connections.agreements.entry(other).or_default().insert(journal(), terms(false));
    assert!(connections.between(&employer(), &journal()).open);
}

#[test]
fn a_category_counts_for_its_relying_parties_alone() {
    let mut connections = with_category();
    connections.federation.categories.insert(care(), terms(false));
    assert!(!connections.between(&employer(), &journal()).open);
    assert!(connections.between(&employer(), &"tidbok".into()).open);
}

#[test]
fn who_grew_is_told_what_it_was_told_before_until_somebody_agrees() {
    let mut connections = with_category();
    connections.before.insert(journal(), BTreeSet::from([A::DisplayName]));
    let lets =
        |connections: &Connections, name| connections.between(&employer(), &journal()).lets_leave(name);
    assert!(lets(&connections, A::DisplayName));
    assert!(!lets(&connections, A::Mail));
    // A default that names no attributes agrees to nothing new.
    connections.federation.all = Some(terms(true));
    assert!(!lets(&connections, A::Mail));
    // One that does agrees in advance.
    let most = Some(BTreeSet::from([A::DisplayName, A::Mail]));
    connections.federation.all = Some(Terms { open: true, attributes: most.clone() });
    assert!(lets(&connections, A::Mail));
    // And so does the employer.
    connections.federation.all = None;
    let agreed = Terms { open: true, attributes: most };
    connections.agreements.entry(employer().number).or_default().insert(journal(), agreed);
    assert!(lets(&connections, A::Mail));
    assert!(!lets(&connections, A::PersonalIdentityNumber));
}

#[test]
fn a_category_is_a_plain_name() {
    assert!(Category::parse("vard-och-omsorg").is_some());
    for bad in ["", "Vård", "a b", &"a".repeat(65)] {
        assert_eq!(Category::parse(bad), None, "{bad:?}");
    }
}
