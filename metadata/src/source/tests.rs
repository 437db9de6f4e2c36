use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use broker_core::{
    identifier::ProviderId, moment::Timestamp, organisation::Organisation, subject::SubjectSource,
};
use serde_json::json;

use super::{
    Brief, Counts, Filtered, Held, InUse, Index, Joined, Joining, Loose, Member, Members, Pins,
    SourceSettings, Times, may_follow,
};
use crate::{Registry, revision::document_name};

const GRANVIK: &str = "2120009903";
const FJORDEN: &str = "2321009900";
const KEY: &str = "aa";

/// A source with the members of some briefs.
struct Federation {
    settings: SourceSettings,
    held: Held,
    members: Members,
    briefs: HashMap<String, Arc<[u8]>>,
}

fn settings(name: &str, more: serde_json::Value) -> SourceSettings {
    let mut settings = json!({
        "name": name, "kind": "aggregate", "url": "https://md.example/", "keys": ["key.pem"],
        "vouches": { "organisation_number": true, "scopes": true, "subject_source": "subject_id" },
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        settings[key] = value.clone();
    }
    serde_json::from_value(settings).expect("settings")
}

fn brief(id: &str, number: Option<&str>, scopes: &[&str]) -> Brief {
    serde_json::from_value(json!({
        "entity_id": id, "roles": ["idp"], "organisation_number": number, "scopes": scopes,
        "scoped": !scopes.is_empty(), "keys": [], "registration_authority": "https://authority.example/",
        "single_sign_on": [{ "location": "https://idp.example/sso" }], "display_name": { "sv": id },
    }))
    .expect("a brief")
}

fn federation(name: &str, more: serde_json::Value, briefs: &[Brief]) -> Federation {
    let mut federation = Federation {
        settings: settings(name, more),
        held: Held {
            members: String::new(),
            settings: String::new(),
            key: Some(KEY.to_owned()),
            publisher: None,
            creation_instant: None,
            valid_until: Some(Timestamp(1_000)),
            cache_duration: None,
            at: Timestamp(0),
            etag: None,
            last_modified: None,
            counts: Counts::default(),
        },
        members: Members::default(),
        briefs: HashMap::new(),
    };
    for brief in briefs {
        let document = brief.to_document();
        let name = document_name(&document);
        let member = Member {
            seen: name.clone(),
            brief: Some(name.clone()),
            unfit: Vec::new(),
            valid_until: None,
            refresh_at: None,
            creation_instant: None,
            key: None,
        };
        federation.members.entries.insert(ProviderId::from(brief.entity_id.as_str()), member);
        federation.briefs.insert(name, Arc::from(document));
    }
    federation
}

fn joined_with(registered: &Registry, federations: &[Federation], pins: &Pins, keys: &[&str]) -> Joined {
    let keys: BTreeSet<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let sources: Vec<InUse<'_>> = federations
        .iter()
        .map(|one| InUse { settings: &one.settings, keys: &keys, held: &one.held, members: &one.members })
        .collect();
    let briefs = |name: &str| federations.iter().find_map(|one| one.briefs.get(name).cloned());
    Joining { registered, sources: &sources, pins, briefs: &briefs, before: &Joined::default() }.join()
}

fn joined(registered: &Registry, federations: &[Federation]) -> Joined {
    joined_with(registered, federations, &Pins::default(), &[KEY])
}

fn granvik() -> Registry {
    let record: Organisation = serde_json::from_value(json!({
        "number": GRANVIK, "name": { "sv": "Granviks kommun" }, "domains": ["granvik.example"],
        "scopes": ["granvik.example"],
    }))
    .expect("a record");
    Registry::from_peers([Arc::new(record)], [], [])
}

fn why(joined: &Joined, id: &str) -> Option<Loose> {
    joined.withheld.iter().find(|one| one.id.as_str() == id).map(|one| one.why.clone())
}

#[test]
fn a_member_joins_under_the_operators_record_or_one_of_what_is_vouched_for() {
    let own = "https://idp.granvik.example/";
    let other = "https://idp.fjorden.example/";
    let nobody = "https://idp.nobody.example/";
    let away = "https://elsewhere.example/";
    let federation = federation(
        "a",
        json!({}),
        &[
            brief(own, None, &["granvik.example", "more.example"]),
            brief(other, Some(FJORDEN), &["fjorden.example"]),
            brief(nobody, None, &["nobody.example"]),
            brief(away, Some(GRANVIK), &[]),
        ],
    );
    let joined = joined(&granvik(), &[federation]);
    let policy = |id: &str| joined.providers[&ProviderId::from(id)].policy.clone();
    assert_eq!(policy(own).organisation.number.as_str(), GRANVIK);
    // The record bounds: what it does not have is cut.
    assert!(policy(own).authority.scope("granvik.example").is_some());
    assert!(policy(own).authority.scope("more.example").is_none());
    assert_eq!(policy(other).organisation.number.as_str(), FJORDEN);
    assert!(policy(other).authority.scope("fjorden.example").is_some());
    assert_eq!(why(&joined, nobody), Some(Loose::NoOrganisation));
    assert!(matches!(why(&joined, away), Some(Loose::OutsideDomains(_))));
}

#[test]
fn nobody_speaks_for_another_organisation() {
    let registered = granvik();
    let (thief, squatter) = ("https://idp.thief.example/", "https://evil.granvik.example/");
    let first = federation(
        "a",
        json!({}),
        &[brief(thief, Some(FJORDEN), &["granvik.example"]), brief(squatter, Some(FJORDEN), &[])],
    );
    let joined = joined(&registered, &[first]);
    assert!(joined.providers.is_empty());
    for id in [thief, squatter] {
        assert!(matches!(why(&joined, id), Some(Loose::OfAnother(_, _))), "{id}");
    }
}

#[test]
fn a_scope_that_two_claim_is_the_higher_sources_and_within_one_source_nobodys() {
    let (one, two, three) = ("https://one.example/", "https://two.example/", "https://three.example/");
    let numbers = ["5560360793", FJORDEN];
    let higher = federation("a", json!({}), &[brief(one, Some(numbers[0]), &["x.example"])]);
    let lower = federation("b", json!({}), &[brief(two, Some(numbers[1]), &["x.example"])]);
    let joined_two = joined(&granvik(), &[higher, lower]);
    assert!(joined_two.providers.contains_key(&ProviderId::from(one)));
    assert_eq!(why(&joined_two, two), Some(Loose::Disputed("x.example".to_owned())));
    let both = federation(
        "a",
        json!({}),
        &[
            brief(one, Some(numbers[0]), &["x.example"]),
            brief(two, Some(numbers[1]), &["x.example"]),
            brief(three, Some(numbers[1]), &["y.example"]),
        ],
    );
    let joined_one = joined(&granvik(), &[both]);
    assert_eq!(joined_one.providers.keys().collect::<Vec<_>>(), [&ProviderId::from(three)]);
}

#[test]
fn an_entity_of_a_higher_source_is_the_highers_also_when_it_expired_or_its_key_was_taken() {
    let id = "https://idp.fjorden.example/";
    let entity = || [brief(id, Some(FJORDEN), &["fjorden.example"])];
    let mut higher = federation("a", json!({}), &entity());
    higher.held.valid_until = Some(Timestamp(1));
    let both = [higher, federation("b", json!({}), &entity())];
    let joined = joined(&granvik(), &both);
    let sourced = &joined.providers[&ProviderId::from(id)];
    assert_eq!((&*sourced.source, sourced.valid_until()), ("a", Some(Timestamp(1))));
    let without = joined_with(&granvik(), &both, &Pins::default(), &["bb"]);
    assert!(without.providers.is_empty());
    assert_eq!(without.withheld[0].why, Loose::KeyTaken);
    assert_eq!(without.withheld[1].why, Loose::Higher);
}

#[test]
fn what_people_are_known_by_is_pinned_at_first_sight() {
    let id = ProviderId::from("https://idp.fjorden.example/");
    let mut pins = Pins::default();
    pins.pin([&id], SubjectSource::SubjectId);
    pins.pin([&id], SubjectSource::PersistentNameId);
    assert_eq!(pins.0[&id], SubjectSource::SubjectId);
    let vouches =
        json!({ "organisation_number": true, "scopes": true, "subject_source": "persistent_name_id" });
    let moved = federation(
        "b",
        json!({ "vouches": vouches }),
        &[brief(id.as_str(), Some(FJORDEN), &["fjorden.example"])],
    );
    let joined = joined_with(&granvik(), &[moved], &pins, &[KEY]);
    assert_eq!(joined.providers[&id].policy.subject_source, SubjectSource::SubjectId);
}

#[test]
fn steps_keep_and_drop_in_order_and_count() {
    let filters = json!([
        { "keep": "registration-authority", "values": ["https://authority.example/"] },
        { "drop": "scope-domain", "values": ["fjorden.example"] },
        { "keep": "role", "values": ["idp"] },
    ]);
    let steps = settings("a", json!({ "filters": filters })).filters;
    let mut filtered = Filtered::of(&steps);
    assert!(filtered.keeps(&steps, &brief("https://a.example/", None, &["a.example"])));
    assert!(!filtered.keeps(&steps, &brief("https://b.example/", None, &["skola.fjorden.example"])));
    let mut elsewhere = brief("https://c.example/", None, &[]);
    elsewhere.registration_authority = None;
    assert!(!filtered.keeps(&steps, &elsewhere));
    assert_eq!(filtered.0, [1, 1, 0]);
}

#[test]
fn times_never_go_backwards() {
    let times = |made: Option<i64>, until: Option<i64>| Times {
        creation_instant: made.map(Timestamp),
        valid_until: until.map(Timestamp),
    };
    let held = times(Some(10), Some(100));
    assert!(may_follow(held, held).is_ok(), "the same again");
    assert!(may_follow(held, times(Some(11), Some(50))).is_ok(), "a publisher may shorten");
    assert!(may_follow(held, times(Some(9), Some(200))).is_err());
    assert!(may_follow(held, times(None, Some(99))).is_err());
    assert!(may_follow(times(None, Some(100)), times(None, Some(101))).is_ok());
}

#[test]
fn an_index_of_another_form_is_not_read() {
    let mut index = Index::new();
    assert_eq!(Index::from_document(&index.to_document().expect("written")), Ok(index.clone()));
    index.pins = Some("no name".to_owned());
    assert!(Index::from_document(&index.to_document().expect("written")).is_err());
    assert!(Index::from_document(b"{\"form\":2,\"sources\":{}}").is_err());
    let _: BTreeMap<String, Held> = index.sources;
}
