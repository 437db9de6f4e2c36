use std::collections::BTreeMap;

use broker_core::{moment::Timestamp, organisation::OrganisationNumber, subject::SubjectSource};
use serde_json::{Map, Value};

use super::{Awaiting, DeskRefused, KEPT_CLOSED, KEPT_DAYS, MOST_OPEN_EACH, Wanted};
use crate::{
    desk::{Actor, Desk, HeldFor, ShownFinding, ShownReport, ShownWords, State},
    lint::Severity,
    revision::{Change, ChangeRefused, Entry, EntryId, Manifest, document_name},
    settings::{ProviderSettings, RelyingPartySettings},
};

const NOW: Timestamp = Timestamp(1_800_000_000);

fn number(text: &str) -> OrganisationNumber {
    OrganisationNumber::parse(text).expect("a number")
}

fn ours() -> OrganisationNumber {
    number("4120004249")
}

fn other() -> OrganisationNumber {
    number("2021006883")
}

fn operator(name: &str) -> Actor {
    Actor::Operator { name: name.to_owned() }
}

fn token(holder: &str) -> Actor {
    Actor::Token { id: format!("t-{holder}"), holder: holder.to_owned() }
}

fn client(name: &str, document: &str, of: OrganisationNumber) -> Change {
    Change::AddMetadata {
        id: EntryId::OidcClient(name.into()),
        entry: Box::new(Entry::OidcClient {
            document: document_name(document.as_bytes()),
            settings: RelyingPartySettings::of(of),
        }),
    }
}

/// Two organisations, one of them with a relying party.
fn live() -> Manifest {
    let record = |number: OrganisationNumber| Change::AddOrganisation {
        number,
        document: document_name(b"r"),
        logo: None,
    };
    [record(ours()), record(other()), client("tidbok", "1", ours()), client("annan", "1", other())]
        .into_iter()
        .try_fold(Manifest::default(), |manifest, change| manifest.with(change))
        .expect("a manifest")
}

fn wanted(author: Actor, change: Change) -> Wanted {
    Wanted {
        organisation: ours(),
        author,
        base: 7,
        changes: vec![change],
        documents: vec![document_name(b"2")],
        report: ShownReport::default(),
        holds: Vec::new(),
        note: String::new(),
    }
}

/// A desk with one proposal of Anna's.
fn proposed() -> (Desk, u64) {
    let mut desk = Desk::default();
    let id =
        desk.propose(wanted(token("Anna"), client("tidbok", "2", ours())), &live(), NOW).expect("proposed");
    (desk, id)
}

fn hold(rule: &str) -> HeldFor {
    let words = || ShownWords { what: "w".into(), why: "y".into(), fix: "f".into() };
    HeldFor(ShownFinding {
        rule: rule.to_owned(),
        severity: Severity::Error,
        sv: words(),
        en: words(),
        rest: Map::from_iter([("about".to_owned(), Value::from("x"))]),
    })
}

#[test]
fn another_person_approves_and_then_it_may_be_published() {
    let (mut desk, id) = proposed();
    let publish = |desk: &Desk, by: &Actor| desk.may_publish(id, by, &[], None, &live()).map(|one| one.id);
    assert_eq!(publish(&desk, &token("Bo")), Err(DeskRefused::NotApproved(id)));
    assert_eq!(desk.approve(id, &token("Bo"), &[], &live(), NOW), Ok(Awaiting::Nothing));
    assert_eq!(desk.proposals[&id].state, State::Approved);
    assert_eq!(publish(&desk, &token("Anna")), Ok(id), "anybody with the right, when it is approved");
    desk.published(id, &token("Bo"), 8, None, NOW).expect("published");
    assert_eq!(desk.proposals[&id].state, State::Published { revision: 8 });
    assert!(matches!(desk.published(id, &token("Bo"), 9, None, NOW), Err(DeskRefused::WrongState { .. })));
    assert!(matches!(publish(&desk, &token("Bo")), Err(DeskRefused::WrongState { .. })));
}

#[test]
fn nobody_approves_or_declines_their_own_by_whatever_way_they_come() {
    let (mut desk, id) = proposed();
    let before = desk.clone();
    for way in
        [token("Anna"), operator(" anna "), Actor::Invitation { id: "i".into(), holder: "ANNA".into() }]
    {
        assert!(matches!(desk.approve(id, &way, &[], &live(), NOW), Err(DeskRefused::OwnProposal(..))));
        assert!(matches!(desk.decline(id, &way, "no", NOW), Err(DeskRefused::OwnProposal(..))));
    }
    assert_eq!(desk, before, "what was refused changed nothing");
    assert!(desk.approve(id, &operator("Annika"), &[], &live(), NOW).is_ok());
}

#[test]
fn only_the_operators_own_command_publishes_alone() {
    let (desk, id) = proposed();
    assert!(desk.may_publish(id, &operator("Bo"), &[], None, &live()).is_ok());
    assert!(desk.may_publish(id, &operator("Anna"), &[], None, &live()).is_ok(), "also their own");
    assert_eq!(
        desk.may_publish(id, &token("Bo"), &[], None, &live()).map(drop),
        Err(DeskRefused::NotApproved(id))
    );
}

#[test]
fn what_is_held_needs_two_other_people_who_have_seen_it() {
    let (mut desk, id) = proposed();
    let held = [hold("guard.key.only")];
    let more = |awaiting: Awaiting| match awaiting {
        Awaiting::SecondApproval { more, .. } => more,
        _ => 0,
    };
    assert_eq!(more(desk.approve(id, &token("Bo"), &held, &live(), NOW).expect("approved")), 1);
    assert_eq!(
        desk.approve(id, &operator("bo"), &held, &live(), NOW),
        Err(DeskRefused::ApprovedAlready(id, "bo".into())),
        "one person by two ways is one person"
    );
    let publish = |desk: &Desk, by: Actor, holds: &[HeldFor], why: Option<&str>| {
        desk.may_publish(id, &by, holds, why, &live()).map(drop)
    };
    assert_eq!(publish(&desk, token("Bo"), &held, None), Err(DeskRefused::Held { id, more: 1 }));
    assert_eq!(publish(&desk, token("Bo"), &held, Some("because")), Err(DeskRefused::Held { id, more: 1 }));
    assert_eq!(publish(&desk, operator("Bo"), &held, None), Err(DeskRefused::Held { id, more: 1 }));
    assert_eq!(publish(&desk, operator("Bo"), &held, Some(" ")), Err(DeskRefused::Held { id, more: 1 }));
    assert_eq!(publish(&desk, operator("Bo"), &held, Some("the key is lost")), Ok(()));
    assert_eq!(desk.approve(id, &operator("Cia"), &held, &live(), NOW), Ok(Awaiting::Nothing));
    assert_eq!(publish(&desk, token("Bo"), &held, None), Ok(()));
    // A hold that came later: nobody who approved has seen it.
    let later = [hold("guard.key.only"), hold("guard.scope.removed")];
    assert_eq!(publish(&desk, token("Bo"), &later, None), Err(DeskRefused::Held { id, more: 2 }));
    assert_eq!(more(desk.approve(id, &token("Bo"), &later, &live(), NOW).expect("again")), 1);
    assert_eq!(desk.approve(id, &token("Cia"), &later, &live(), NOW), Ok(Awaiting::Nothing));
    // One that went away asks for nothing.
    assert_eq!(publish(&desk, token("Bo"), &[], None), Ok(()));
}

#[test]
fn an_approval_before_there_was_a_hold_is_not_one_for_it() {
    let (mut desk, id) = proposed();
    desk.approve(id, &token("Bo"), &[], &live(), NOW).expect("approved");
    let held = [hold("guard.key.only")];
    assert_eq!(
        desk.may_publish(id, &token("Cia"), &held, None, &live()).map(drop),
        Err(DeskRefused::Held { id, more: 2 })
    );
}

#[test]
fn only_the_author_withdraws_and_a_reason_is_given_for_a_no() {
    let (mut desk, id) = proposed();
    assert_eq!(desk.withdraw(id, &token("Bo"), NOW), Err(DeskRefused::NotAuthor(id)));
    assert_eq!(desk.decline(id, &token("Bo"), "  ", NOW), Err(DeskRefused::NoReason));
    let mut declined = desk.clone();
    declined.decline(id, &token("Bo"), "the old key goes first", NOW).expect("declined");
    assert!(!declined.proposals[&id].is_open());
    desk.withdraw(id, &operator("ANNA"), NOW).expect("withdrawn");
    for closed in [&mut desk, &mut declined] {
        assert!(matches!(
            closed.approve(id, &token("Cia"), &[], &live(), NOW),
            Err(DeskRefused::WrongState { .. })
        ));
        assert!(matches!(closed.withdraw(id, &token("Anna"), NOW), Err(DeskRefused::WrongState { .. })));
        assert!(matches!(
            closed.may_publish(id, &operator("Cia"), &[], None, &live()),
            Err(DeskRefused::WrongState { .. })
        ));
    }
    assert_eq!(desk.withdraw(99, &token("Anna"), NOW), Err(DeskRefused::Unknown(99)));
}

#[test]
fn a_draft_is_its_authors_until_it_is_submitted() {
    let mut desk = Desk::default();
    let id = desk.draft(wanted(token("Anna"), client("tidbok", "2", ours())), &live(), NOW).expect("a draft");
    for refused in [
        desk.approve(id, &token("Bo"), &[], &live(), NOW).map(drop),
        desk.decline(id, &token("Bo"), "no", NOW),
        desk.may_publish(id, &operator("Bo"), &[], None, &live()).map(drop),
    ] {
        assert!(matches!(refused, Err(DeskRefused::WrongState { .. })), "{refused:?}");
    }
    assert_eq!(desk.submit(id, &token("Bo"), &live(), NOW), Err(DeskRefused::NotAuthor(id)));
    desk.submit(id, &token("Anna"), &live(), NOW).expect("submitted");
    assert!(matches!(desk.submit(id, &token("Anna"), &live(), NOW), Err(DeskRefused::WrongState { .. })));
    assert!(desk.approve(id, &token("Bo"), &[], &live(), NOW).is_ok());
}

#[test]
fn what_changed_meanwhile_supersedes_and_what_did_not_does_not() {
    let (mut desk, id) = proposed();
    let elsewhere = live().with(client("annan", "9", other())).expect("changed");
    assert!(desk.stale(&elsewhere).is_empty(), "somebody else's entry");
    let changed = live().with(client("tidbok", "3", ours())).expect("changed");
    assert_eq!(desk.approve(id, &token("Bo"), &[], &changed, NOW), Err(DeskRefused::Stale(id)));
    assert_eq!(
        desk.may_publish(id, &operator("Bo"), &[], None, &changed).map(drop),
        Err(DeskRefused::Stale(id))
    );
    let mut told = desk.clone();
    desk.supersede(&changed, 9, &BTreeMap::new(), NOW);
    assert_eq!(desk.proposals[&id].state, State::Superseded { by: 9 });
    // It was this very proposal that became live, and nobody could be told.
    told.supersede(&changed, 9, &BTreeMap::from([(id, 8)]), NOW);
    assert_eq!(told.proposals[&id].state, State::Published { revision: 8 });
}

#[test]
fn a_proposal_reaches_no_further_than_its_organisation() {
    let mut desk = Desk::default();
    let mut refused = |change: Change| desk.propose(wanted(token("Anna"), change), &live(), NOW).map(drop);
    let beyond = |name: &str| {
        Err(DeskRefused::OtherOrganisation { entry: EntryId::OidcClient(name.into()), organisation: ours() })
    };
    assert_eq!(refused(client("annan", "2", other())), beyond("annan"));
    assert_eq!(refused(client("annan", "2", ours())), beyond("annan"), "taken from somebody else");
    assert_eq!(refused(Change::Remove { id: EntryId::OidcClient("annan".into()) }), beyond("annan"));
    let document = document_name(b"r2");
    assert_eq!(
        refused(Change::AddOrganisation { number: ours(), document: document.clone(), logo: None }),
        Err(DeskRefused::Record)
    );
    assert_eq!(refused(Change::Remove { id: EntryId::Organisation(ours()) }), Err(DeskRefused::Record));
    assert_eq!(refused(client("tidbok", "1", ours())), Err(DeskRefused::NothingChanges));
    let absent = EntryId::OidcClient("nobody".into());
    assert_eq!(
        refused(Change::Remove { id: absent.clone() }),
        Err(DeskRefused::Change(ChangeRefused::Absent { id: absent }))
    );
    let provider = Change::AddMetadata {
        id: EntryId::OidcClient("tidbok".into()),
        entry: Box::new(Entry::SamlProvider {
            document,
            settings: ProviderSettings::of(ours(), SubjectSource::SubjectId),
        }),
    };
    assert!(matches!(refused(provider), Err(DeskRefused::Change(ChangeRefused::WrongKind { .. }))));
    assert!(refused(client("tidbok", "2", ours())).is_ok());
    assert!(desk.proposals.len() == 1 && desk.next == 1, "what was refused took no number");
}

#[test]
fn there_is_an_end_to_open_proposals_and_a_number_is_never_used_again() {
    let mut desk = Desk::default();
    let propose =
        |desk: &mut Desk| desk.propose(wanted(token("Anna"), client("tidbok", "2", ours())), &live(), NOW);
    for _ in 0..MOST_OPEN_EACH {
        propose(&mut desk).expect("proposed");
    }
    assert_eq!(propose(&mut desk), Err(DeskRefused::TooMany(MOST_OPEN_EACH)));
    let last = desk.next;
    desk.withdraw(last, &token("Anna"), NOW).expect("withdrawn");
    assert_eq!(propose(&mut desk), Ok(last + 1));
}

#[test]
fn closed_proposals_are_kept_while_they_are_young_or_among_the_newest() {
    let mut desk = Desk::default();
    for day in 0..KEPT_CLOSED as i64 + 10 {
        let at = NOW.plus(day);
        let id = desk
            .propose(wanted(token("Anna"), client("tidbok", "2", ours())), &live(), at)
            .expect("proposed");
        desk.withdraw(id, &token("Anna"), at).expect("withdrawn");
    }
    let open =
        desk.propose(wanted(token("Anna"), client("tidbok", "2", ours())), &live(), NOW).expect("proposed");
    assert!(desk.prune(NOW.plus(KEPT_DAYS * 86_400 - 1)).is_empty(), "all are young");
    let gone = desk.prune(NOW.plus((KEPT_DAYS + 2) * 86_400));
    assert_eq!(gone.iter().map(|one| one.id).max(), Some(10), "the oldest went");
    assert_eq!(gone.len(), 10);
    assert!(gone.iter().all(|one| one.documents == [document_name(b"2")]));
    assert!(desk.proposals[&open].is_open(), "an open one never goes");
    assert!(desk.prune(NOW.plus((KEPT_DAYS + 2) * 86_400)).is_empty());
}
