//! How often one may ask: a relying party, a guesser at its name, a login. Never an address alone: a hospital sits behind one, and it weighs in only
//! where more logins begin than there is room for ([`beginnings`]).
//!
//! All of it is counted in this node's memory, bounded, and by what somebody has to hold: a proven name, or a login that is there. A limit here is
//! a fence against loops and floods, not a proof of anything; with several nodes each counts for itself.

mod beginnings;

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use broker_core::{
    failure::{Failure, FailureCode},
    identifier::RelyingPartyId,
    moment::Timestamp,
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::keyed::DefaultKeyedStateStore,
};

use self::beginnings::Beginnings;
use crate::{config::LimitsSection, heavy_work::Source};

/// How many logins' attempts are remembered, twice: this many that were tried lately and this many before those.
const REMEMBERED: usize = 50_000;

type Keyed<C> = RateLimiter<
    RelyingPartyId,
    DefaultKeyedStateStore<RelyingPartyId>,
    C,
    NoOpMiddleware<<C as Clock>::Instant>,
>;

/// The counters of a node.
pub(crate) struct Throttle<C: Clock = DefaultClock> {
    /// Requests of relying parties that proved who they are.
    proven: Keyed<C>,
    /// Requests that did not prove it, by the name that they gave.
    unproven: Keyed<C>,
    beginnings: Beginnings,
    answers: Mutex<Answers>,
    answers_per_login: u32,
    login_seconds: i64,
}

/// How many answers came for each trip to a provider. Two generations: when the young one is full or old it becomes the old one, so that memory is
/// bounded and nothing is looked through.
#[derive(Default)]
struct Answers {
    young: HashMap<String, u32>,
    old: HashMap<String, u32>,
    since: i64,
}

impl Throttle<DefaultClock> {
    /// By the configuration's limits.
    pub(crate) fn new(limits: &LimitsSection) -> Self {
        Self::by(limits, &DefaultClock::default())
    }
}

impl<C: Clock + Clone> Throttle<C> {
    fn by(limits: &LimitsSection, clock: &C) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let proven = Quota::per_second(at_least_one(limits.client_per_second))
            .allow_burst(at_least_one(limits.client_per_second.saturating_mul(2)));
        let unproven = Quota::per_minute(at_least_one(limits.guesses_per_minute));
        Self {
            proven: RateLimiter::new(proven, DefaultKeyedStateStore::default(), clock.clone()),
            unproven: RateLimiter::new(unproven, DefaultKeyedStateStore::default(), clock.clone()),
            beginnings: Beginnings::new(limits.begun_per_second),
            answers: Mutex::default(),
            answers_per_login: limits.answers_per_login,
            login_seconds: i64::try_from(limits.login_seconds).unwrap_or(i64::MAX),
        }
    }

    /// Counts a request of a relying party that proved who it is.
    ///
    /// # Errors
    /// `relying_party.too_many`.
    pub(crate) fn proven(&self, relying_party: &RelyingPartyId) -> Result<(), Failure> {
        self.proven.check_key(relying_party).map_err(|_| {
            Failure::new(
                FailureCode::RelyingPartyTooMany,
                "the relying party asks more often than limits.client_per_second",
            )
        })
    }

    /// Counts a request that did not prove whom it spoke for; `claimed` is a registered name, or `None`, which is a name as well. Whoever does
    /// prove it never passes here, so nobody is locked out by another's guesses.
    ///
    /// # Errors
    /// `relying_party.too_many`.
    pub(crate) fn unproven(&self, claimed: Option<&RelyingPartyId>) -> Result<(), Failure> {
        let nobody = RelyingPartyId::from("");
        self.unproven.check_key(claimed.unwrap_or(&nobody)).map_err(|_| {
            Failure::new(
                FailureCode::RelyingPartyTooMany,
                "more failed authentications than limits.guesses_per_minute",
            )
        })
    }

    /// Counts a login that is about to begin, by where its request came from.
    ///
    /// # Errors
    /// `broker.overloaded`.
    pub(crate) fn begins(&self, now: Timestamp) -> Result<(), Failure> {
        self.beginnings.count(Source::current(), now)
    }

    /// Counts an answer for a trip to a provider, before it is looked at. The trip must be known to be there, so that memory is not filled by
    /// whatever anybody makes up.
    ///
    /// # Errors
    /// `browser.too_many`.
    pub(crate) fn answer(&self, trip: &str, now: Timestamp) -> Result<(), Failure> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.young.len() >= REMEMBERED || now.0.saturating_sub(answers.since) > self.login_seconds {
            answers.old = std::mem::take(&mut answers.young);
            answers.since = now.0;
        }
        let before = answers.old.get(trip).copied().unwrap_or_default();
        let count = answers.young.entry(trip.to_owned()).or_default();
        *count = count.saturating_add(1);
        if before.saturating_add(*count) > self.answers_per_login {
            return Err(Failure::new(
                FailureCode::BrowserTooMany,
                "more answers came for one login than limits.answers_per_login",
            ));
        }
        Ok(())
    }

    /// Forgets a trip that has ended well.
    pub(crate) fn ended(&self, trip: &str) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.young.remove(trip);
        answers.old.remove(trip);
    }

    /// Forgets who has not asked lately. Names are registered ones, so there are never many; those that left the registry go here.
    pub(crate) fn tidy(&self) {
        self.proven.retain_recent();
        self.proven.shrink_to_fit();
        self.unproven.retain_recent();
        self.unproven.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use broker_core::{failure::FailureCode, identifier::RelyingPartyId, moment::Timestamp};
    use governor::clock::FakeRelativeClock;

    use super::{REMEMBERED, Throttle};
    use crate::config::LimitsSection;

    fn throttle() -> (Throttle<FakeRelativeClock>, FakeRelativeClock) {
        let limits = LimitsSection {
            client_per_second: 5,
            guesses_per_minute: 3,
            answers_per_login: 4,
            login_seconds: 600,
            ..LimitsSection::default()
        };
        let clock = FakeRelativeClock::default();
        (Throttle::by(&limits, &clock), clock)
    }

    #[test]
    fn a_relying_party_has_its_rate_and_a_burst_of_two_seconds() {
        let (throttle, clock) = throttle();
        let journal = RelyingPartyId::from("journal");
        for _ in 0..10 {
            assert!(throttle.proven(&journal).is_ok());
        }
        let refused = throttle.proven(&journal).expect_err("the burst is over");
        assert_eq!(refused.code, FailureCode::RelyingPartyTooMany);
        assert!(throttle.proven(&RelyingPartyId::from("another")).is_ok(), "it hinders nobody else");
        clock.advance(Duration::from_secs(1));
        for _ in 0..5 {
            assert!(throttle.proven(&journal).is_ok());
        }
        assert!(throttle.proven(&journal).is_err());
    }

    #[test]
    fn guesses_at_a_name_lock_nobody_out() {
        let (throttle, clock) = throttle();
        let journal = RelyingPartyId::from("journal");
        for _ in 0..3 {
            assert!(throttle.unproven(Some(&journal)).is_ok());
        }
        assert!(throttle.unproven(Some(&journal)).is_err());
        assert!(throttle.unproven(None).is_ok(), "names that nobody has are counted together, apart");
        assert!(throttle.proven(&journal).is_ok(), "whoever proves it is served");
        clock.advance(Duration::from_secs(20));
        assert!(throttle.unproven(Some(&journal)).is_ok());
        throttle.tidy();
        assert!(throttle.unproven(Some(&journal)).is_err(), "what is recent is not forgotten");
    }

    #[test]
    fn one_login_has_a_few_attempts_and_another_its_own() {
        let (throttle, _) = throttle();
        for _ in 0..4 {
            assert!(throttle.answer("one", Timestamp(10)).is_ok());
        }
        let refused = throttle.answer("one", Timestamp(10)).expect_err("too many");
        assert_eq!(refused.code, FailureCode::BrowserTooMany);
        assert!(throttle.answer("two", Timestamp(10)).is_ok());
        assert!(throttle.answer("one", Timestamp(10 + 601)).is_err(), "a generation later it is still known");
        throttle.ended("one");
        assert!(throttle.answer("one", Timestamp(10 + 602)).is_ok());
    }

    #[test]
    fn attempts_take_bounded_memory() {
        let (throttle, _) = throttle();
        for number in 0..2 * REMEMBERED + 10 {
            assert!(throttle.answer(&number.to_string(), Timestamp(0)).is_ok());
        }
        let answers = throttle.answers.lock().expect("no panic");
        assert!(answers.young.len() <= REMEMBERED && answers.old.len() <= REMEMBERED);
    }
}
