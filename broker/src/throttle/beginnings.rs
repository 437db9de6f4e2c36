//! How many logins begin in a second, of all together. Each leaves a record for as long as a login may take, so that a flood of requests that
//! cost their sender nothing would fill the store.
//!
//! While there is room nobody is counted against. In a second after one that had too many, those who began most give way, down to the level at
//! which all fit: whoever stays under it, a hospital behind one address among many, is not touched.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use broker_core::{
    failure::{Failure, FailureCode},
    moment::Timestamp,
};

use crate::heavy_work::Source;

/// How many sources are told apart in a second; the rest are one.
const TOLD_APART: usize = 20_000;

/// The counter of a node.
pub(super) struct Beginnings {
    /// How many there is room for in a second.
    room: u32,
    second: Mutex<Second>,
}

#[derive(Default)]
struct Second {
    at: i64,
    /// How many each source asked for in this second, those that were refused included.
    asked: HashMap<Source, u32>,
    /// What one source may begin in this second; `None`: as many as it likes.
    level: Option<u32>,
}

impl Beginnings {
    pub(super) fn new(room: u32) -> Self {
        Self { room, second: Mutex::default() }
    }

    /// Counts a login that is about to begin.
    ///
    /// # Errors
    /// `broker.overloaded`, when there is no room and this source takes more than its share.
    pub(super) fn count(&self, source: Source, now: Timestamp) -> Result<(), Failure> {
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        if second.at != now.0 {
            let follows = now.0.checked_sub(1) == Some(second.at);
            second.level = if follows { level(&second.asked, self.room) } else { None };
            second.asked.clear();
            second.at = now.0;
        }
        let known = second.asked.contains_key(&source) || second.asked.len() < TOLD_APART;
        let source = if known { source } else { Source::NOBODY };
        let asked = second.asked.entry(source).or_default();
        *asked = asked.saturating_add(1);
        let asked = *asked;
        if second.level.is_some_and(|level| asked > level) {
            return Err(Failure::new(
                FailureCode::Overloaded,
                "more logins begin than limits.begun_per_second, and most of them come from there",
            ));
        }
        Ok(())
    }
}

/// The level at which all that was asked fits: who asked for less gets all of it, and the others share what is left. `None` where there is
/// room for all.
fn level(asked: &HashMap<Source, u32>, room: u32) -> Option<u32> {
    let all: u64 = asked.values().map(|asked| u64::from(*asked)).sum();
    if all <= u64::from(room) {
        return None;
    }
    let mut counts: Vec<u32> = asked.values().copied().collect();
    counts.sort_unstable();
    let mut left = room;
    let mut sharing = u32::try_from(counts.len()).unwrap_or(u32::MAX);
    for count in counts {
        let share = left / sharing.max(1);
        if count > share {
            return Some(share.max(1));
        }
        left -= count;
        sharing -= 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use broker_core::{failure::FailureCode, moment::Timestamp};

    use super::{Beginnings, TOLD_APART};
    use crate::heavy_work::Source;

    fn source(number: u32) -> Source {
        Source::of(IpAddr::V4(Ipv4Addr::from(number)))
    }

    /// How many of `asked` begin.
    fn begun(beginnings: &Beginnings, from: u32, asked: u32, second: i64) -> u32 {
        let begins = |_: &u32| beginnings.count(source(from), Timestamp(second)).is_ok();
        u32::try_from((0..asked).filter(begins).count()).expect("few")
    }

    #[test]
    fn while_there_is_room_nobody_is_counted_against() {
        let beginnings = Beginnings::new(100);
        for second in 0..3 {
            assert_eq!(begun(&beginnings, 1, 100, second), 100, "all from one address");
        }
    }

    #[test]
    fn a_flood_gives_way_and_no_other() {
        let beginnings = Beginnings::new(100);
        assert_eq!(begun(&beginnings, 1, 5_000, 1), 5_000, "the second in which it begins");
        assert_eq!(begun(&beginnings, 2, 40, 1), 40);
        for second in 2..5 {
            assert_eq!(begun(&beginnings, 1, 5_000, second), 60, "what the hospital leaves");
            assert_eq!(begun(&beginnings, 2, 40, second), 40, "a hospital");
        }
        assert_eq!(begun(&beginnings, 1, 10, 6), 10, "a quiet second ends it");
        assert_eq!(begun(&beginnings, 1, 90, 7), 90);
    }

    #[test]
    fn many_floods_share_and_each_source_has_one_at_least() {
        let beginnings = Beginnings::new(10);
        for from in 0..30 {
            let _ = begun(&beginnings, from, 5, 1);
        }
        let all: u32 = (0..30).map(|from| begun(&beginnings, from, 5, 2)).sum();
        assert_eq!(all, 30);
    }

    #[test]
    fn those_beyond_what_is_told_apart_are_one() {
        let beginnings = Beginnings::new(10);
        for from in 0..u32::try_from(TOLD_APART).expect("it fits") + 500 {
            let _ = beginnings.count(source(from), Timestamp(1));
        }
        let refused =
            beginnings.count(source(1), Timestamp(2)).and(beginnings.count(source(1), Timestamp(2)));
        assert_eq!(refused.expect_err("its share is one").code, FailureCode::Overloaded);
        assert!(beginnings.second.lock().expect("no panic").asked.len() <= TOLD_APART + 1);
    }
}
