use super::{AssuranceProfile as P, LevelRow, OutputMap, RowRefused};
use crate::assurance::{Assurance, LEVELS};

const LOA2: &str = "http://id.elegnamnden.se/loa/1.0/loa2";
const LOA3: &str = "http://id.elegnamnden.se/loa/1.0/loa3";
const LOA4: &str = "http://id.elegnamnden.se/loa/1.0/loa4";
const NONRESIDENT3: &str = "http://id.swedenconnect.se/loa/1.0/loa3-nonresident";
const UNCERTIFIED2: &str = "http://id.swedenconnect.se/loa/1.0/uncertified-loa2";
const UNCERTIFIED3: &str = "http://id.swedenconnect.se/loa/1.0/uncertified-loa3";
const SAMBI2: &str = "http://id.sambi.se/loa/loa2";
const SAMBI3: &str = "http://id.sambi.se/loa/loa3";
const AL2: &str = "http://www.swamid.se/policy/assurance/al2";
const EIDAS_HIGH: &str = "http://id.elegnamnden.se/loa/1.0/eidas-high";
const UNCERTIFIED_EIDAS_SUB: &str = "http://id.swedenconnect.se/loa/1.0/uncertified-eidas-sub";
const UNCERTIFIED_EIDAS_HIGH: &str = "http://id.swedenconnect.se/loa/1.0/uncertified-eidas-high";
const MFA: &str = "https://refeds.org/profile/mfa";

fn level(uri: &str) -> Assurance {
    Assurance::new(uri)
}

fn row(from: &str, to: &str, profile: Option<P>) -> LevelRow {
    LevelRow { from: level(from), to: level(to), profile }
}

fn leaves(map: &OutputMap, told: &str, profile: P) -> Option<String> {
    map.leaving(&level(told), profile).map(|level| level.as_str().to_owned())
}

#[test]
fn an_unreviewed_broker_never_says_a_reviewed_level() {
    let map = OutputMap::new(false);
    assert_eq!(leaves(&map, LOA3, P::Plain).as_deref(), Some(UNCERTIFIED3));
    assert_eq!(leaves(&map, LOA4, P::Plain).as_deref(), Some(UNCERTIFIED3));
    assert_eq!(leaves(&map, "http://id.elegnamnden.se/loa/1.0/loa1", P::Plain), None);
    assert_eq!(leaves(&map, NONRESIDENT3, P::Plain), None);
    for profile in P::ALL {
        for (told, ..) in LEVELS {
            let left = leaves(&map, told, *profile).unwrap_or_default();
            assert!(!left.starts_with("http://id.elegnamnden.se/"), "{told} leaves as {left}");
            assert!(!left.ends_with("-nonresident"), "{told} leaves as {left}");
        }
    }
    assert_eq!(leaves(&OutputMap::new(true), LOA3, P::Plain).as_deref(), Some(LOA3));
}

#[test]
fn eidas_levels_are_downgraded_even_after_a_review_and_never_become_others() {
    for reviewed in [false, true] {
        let map = OutputMap::new(reviewed);
        for profile in [P::Plain, P::SwedenConnect] {
            for told in
                ["http://id.elegnamnden.se/loa/1.0/eidas-nf-sub", "http://eidas.europa.eu/LoA/substantial"]
            {
                assert_eq!(leaves(&map, told, profile).as_deref(), Some(UNCERTIFIED_EIDAS_SUB), "{told}");
            }
        }
        for (told, vocabulary, _) in LEVELS.iter().filter(|(_, vocabulary, _)| vocabulary.is_eidas()) {
            for profile in P::ALL {
                let left = leaves(&map, told, *profile);
                assert!(
                    left.as_deref().is_none_or(|left| left.contains("/uncertified-eidas-")),
                    "{told} ({vocabulary:?}) leaves as {left:?}"
                );
            }
        }
    }
}

#[test]
fn a_profile_hears_its_own_vocabulary_alone() {
    let map = OutputMap::new(false);
    for (told, plain, sweden_connect, sambi, swamid) in [
        (LOA3, Some(UNCERTIFIED3), Some(UNCERTIFIED3), None, None),
        (UNCERTIFIED2, Some(UNCERTIFIED2), Some(UNCERTIFIED2), None, None),
        (SAMBI3, Some(SAMBI3), None, Some(SAMBI3), None),
        (AL2, Some(AL2), None, None, Some(AL2)),
        (MFA, Some(MFA), None, None, Some(MFA)),
        (EIDAS_HIGH, Some(UNCERTIFIED_EIDAS_HIGH), Some(UNCERTIFIED_EIDAS_HIGH), None, None),
    ] {
        let all =
            [P::Plain, P::SwedenConnect, P::Sambi, P::Swamid].map(|profile| leaves(&map, told, profile));
        assert_eq!(all.each_ref().map(Option::as_deref), [plain, sweden_connect, sambi, swamid], "{told}");
    }
}

#[test]
fn a_row_of_the_operators_comes_first_and_that_of_the_profile_before_it() {
    let rows = vec![
        row(LOA3, SAMBI3, Some(P::Sambi)),
        row(LOA3, UNCERTIFIED2, None),
        row(SAMBI3, UNCERTIFIED3, Some(P::SwedenConnect)),
    ];
    let map = OutputMap::with_rows(false, rows).expect("rows that hold");
    assert_eq!(leaves(&map, LOA3, P::Sambi).as_deref(), Some(SAMBI3));
    assert_eq!(leaves(&map, LOA3, P::SwedenConnect).as_deref(), Some(UNCERTIFIED2));
    assert_eq!(leaves(&map, SAMBI3, P::SwedenConnect).as_deref(), Some(UNCERTIFIED3));
    assert_eq!(leaves(&map, SAMBI3, P::Plain).as_deref(), Some(SAMBI3));
    // The inverse follows.
    assert_eq!(map.asking(&[level(SAMBI3)], P::Sambi), [level(LOA3), level(SAMBI3)]);
    assert!(map.asking(&[level(SAMBI3)], P::SwedenConnect).is_empty());
}

#[test]
fn no_row_leads_upwards_or_across() {
    for (from, to, reviewed, refused) in [
        ("urn:x", LOA3, true, RowRefused::Unknown),
        (LOA3, MFA, true, RowRefused::Unknown),
        (LOA2, LOA3, true, RowRefused::Upwards),
        (LOA2, SAMBI3, true, RowRefused::Upwards),
        (UNCERTIFIED3, LOA3, true, RowRefused::Upwards),
        (UNCERTIFIED3, SAMBI2, true, RowRefused::Upwards),
        (UNCERTIFIED2, UNCERTIFIED3, true, RowRefused::Upwards),
        (SAMBI2, UNCERTIFIED3, true, RowRefused::Upwards),
        (UNCERTIFIED_EIDAS_SUB, UNCERTIFIED_EIDAS_HIGH, true, RowRefused::Upwards),
        (EIDAS_HIGH, LOA3, true, RowRefused::Across),
        (EIDAS_HIGH, UNCERTIFIED3, true, RowRefused::Across),
        (EIDAS_HIGH, SAMBI2, true, RowRefused::Across),
        (EIDAS_HIGH, EIDAS_HIGH, true, RowRefused::Across),
        (LOA4, UNCERTIFIED_EIDAS_SUB, true, RowRefused::Across),
        (SAMBI3, LOA3, true, RowRefused::Across),
        (NONRESIDENT3, LOA3, true, RowRefused::Across),
        (NONRESIDENT3, UNCERTIFIED3, true, RowRefused::Across),
        (LOA3, NONRESIDENT3, true, RowRefused::Across),
        (LOA3, LOA2, false, RowRefused::NotReviewed),
    ] {
        let judged = OutputMap::with_rows(
            reviewed,
            vec![row(LOA3, UNCERTIFIED2, None), row(from, to, Some(P::Plain))],
        );
        assert_eq!(judged, Err((1, refused)), "{from} to {to}");
    }
    assert!(OutputMap::with_rows(true, vec![row(LOA3, LOA2, None)]).is_ok(), "the twin, after a review");
    let twice = vec![row(LOA3, UNCERTIFIED2, None), row(LOA3, UNCERTIFIED3, None)];
    assert_eq!(OutputMap::with_rows(true, twice), Err((1, RowRefused::Twice)));
}

#[test]
fn what_is_asked_upstream_can_leave_as_what_was_wanted() {
    let map = OutputMap::new(false);
    let asked = map.asking(&[level(UNCERTIFIED3)], P::Plain);
    assert_eq!(asked, [level(LOA3), level(LOA4), level(UNCERTIFIED3)]);
    assert!(map.asking(&[level(LOA3)], P::Plain).is_empty(), "an unreviewed broker cannot meet loa3");
    assert!(map.asking(&[level(SAMBI3)], P::SwedenConnect).is_empty());
    for profile in P::ALL {
        for (wanted, ..) in LEVELS {
            for upstream in map.asking(&[level(wanted)], *profile) {
                assert_eq!(leaves(&map, upstream.as_str(), *profile).as_deref(), Some(*wanted));
            }
        }
    }
}
