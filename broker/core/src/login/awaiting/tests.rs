//! Freshness, and the second question.

use std::cell::RefCell;

use super::{AwaitingProvider, fresh_enough};
use crate::{
    assurance::Assurance,
    failure::{Failure, FailureCode},
    identifier::{Language, ProviderId, Reference, RelyingPartyId},
    login::{Context, Login, Routed},
    moment::{Entropy, Moment, Timestamp},
    request::{AuthenticationRequest, Freshness, RequestedAssurance},
    role::{Begun, Completion, Fetched, Inbound, Outbound, ReturnTo, Upstream, upstream::Remembered},
};

const SENT: Timestamp = Timestamp(1_700_000_000);

fn at(force: bool, max_age: Option<u32>, seconds_before: i64) -> Result<(), FailureCode> {
    fresh_enough(Freshness { force, max_age }, SENT, SENT.plus(-seconds_before))
        .map_err(|failure| failure.code)
}

const TOO_OLD: Result<(), FailureCode> = Err(FailureCode::AuthenticationTooOld);

#[test]
fn an_old_session_does_where_nothing_was_asked() {
    assert_eq!(at(false, None, 8 * 3600), Ok(()));
}

#[test]
fn force_takes_only_what_came_after_our_request() {
    assert_eq!(at(true, None, -30), Ok(()));
    assert_eq!(at(true, None, 60), Ok(()), "a clock that is a minute behind");
    assert_eq!(at(true, None, 61), TOO_OLD);
    assert_eq!(at(true, Some(3600), 61), TOO_OLD, "max_age does not soften force");
}

#[test]
fn max_age_takes_what_is_no_older() {
    assert_eq!(at(false, Some(300), 360), Ok(()));
    assert_eq!(at(false, Some(300), 361), TOO_OLD);
    assert_eq!(at(false, Some(u32::MAX), i64::from(u32::MAX)), Ok(()));
}

#[test]
fn no_time_overflows() {
    assert_eq!(
        fresh_enough(Freshness { force: true, max_age: None }, SENT, Timestamp(i64::MIN))
            .map_err(|failure| failure.code),
        TOO_OLD
    );
}

struct Zeros;
impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

const MOMENT: Moment<'static> = Moment { now: SENT, entropy: &Zeros };

/// A role that notes what it was asked to ask.
#[derive(Default)]
struct Noting(RefCell<Vec<AuthenticationRequest>>);

impl Upstream for Noting {
    fn begin(
        &self,
        request: &AuthenticationRequest,
        _: &ProviderId,
        _: &str,
        _: Moment<'_>,
    ) -> Result<Begun, Failure> {
        self.0.borrow_mut().push(request.clone());
        Ok(Begun {
            outbound: Outbound::Redirect { url: "https://idp.example/sso".into() },
            remembered: Remembered(String::new()),
        })
    }

    fn handle(&self, _: &Inbound) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    fn complete(
        &self,
        _: &Inbound,
        _: &ProviderId,
        _: &Remembered,
        _: Moment<'_>,
    ) -> Result<Completion, Failure> {
        Err(refusal())
    }

    fn resume(
        &self,
        _: &Fetched,
        _: &ProviderId,
        _: &Remembered,
        _: Moment<'_>,
    ) -> Result<Completion, Failure> {
        Err(refusal())
    }
}

fn refusal() -> Failure {
    FailureCode::ProviderNoAuthnContext.into()
}

fn at_provider(role: &Noting, assurance: RequestedAssurance) -> Login<AwaitingProvider> {
    let relying_party = RelyingPartyId::from("journal");
    let address = "https://journal.example/back";
    let return_to = ReturnTo::matched(&relying_party, address, [address], Remembered(String::new()));
    let context = Context {
        reference: Reference::from_random([0; 10]),
        request: AuthenticationRequest {
            assurance,
            passive: true,
            ..AuthenticationRequest::new(relying_party)
        },
        return_to: return_to.expect("the same"),
        started: SENT,
        language: Language::from_tag("sv").expect("a tag"),
    };
    sent(role, Login { context, state: Routed::to(ProviderId::from("https://idp.example")) })
}

fn sent(role: &Noting, login: Login<Routed>) -> Login<AwaitingProvider> {
    login.send(role, "handle", MOMENT).map_err(|(failure, _)| failure).expect("sent").0
}

fn wish(essential: bool, levels: &[&str]) -> RequestedAssurance {
    let levels = levels.iter().map(|level| Assurance::new(*level)).collect();
    RequestedAssurance { levels, essential, some: false }
}

#[test]
fn a_wish_that_is_refused_is_asked_again_once_and_without_levels() {
    let role = Noting::default();
    let login = at_provider(&role, wish(false, &["loa3"]));
    let provider = login.state().provider().clone();
    let again = login.ask_again(refusal()).map_err(|(failure, _)| failure).expect("asked again");
    assert_eq!(*again.state().provider(), provider, "the same provider");
    let login = sent(&role, again);
    let asked = role.0.borrow();
    assert_eq!(asked[0].assurance, wish(false, &["loa3"]));
    let unconditional =
        AuthenticationRequest { assurance: RequestedAssurance::default(), ..asked[0].clone() };
    assert_eq!(asked[1..], [unconditional], "nothing else changes, silence least of all");
    assert_eq!(login.context().request, asked[0], "what the relying party wished for is not forgotten");
    let (failure, _) = login.ask_again(refusal()).map(|_| ()).expect_err("once is enough");
    assert_eq!(failure, refusal());
}

#[test]
fn what_was_demanded_or_not_asked_is_not_asked_again() {
    for assurance in [wish(true, &["loa3"]), wish(false, &[]), wish(true, &[])] {
        let login = at_provider(&Noting::default(), assurance);
        let (failure, _) = login.ask_again(refusal()).map(|_| ()).expect_err("not asked again");
        assert_eq!(failure.code, FailureCode::ProviderNoAuthnContext);
    }
}
