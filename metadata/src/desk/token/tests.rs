use std::sync::atomic::{AtomicU8, Ordering};

use broker_core::{
    moment::{Entropy, Moment, Timestamp},
    organisation::OrganisationNumber,
};
use certs::mac::{MacKey, Secret};

use super::{
    KEPT_DAYS, MOST_DAYS, MOST_EACH, NewToken, NoToken, PREFIX, PresentedToken, Right, TokenRefused,
};
use crate::desk::{Actor, Desk};

const NOW: Timestamp = Timestamp(1_790_000_000);
const DAY: i64 = 86_400;

/// Octets that differ from call to call.
#[derive(Debug)]
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

static ENTROPY: Counting = Counting(AtomicU8::new(1));

fn at(now: Timestamp) -> Moment<'static> {
    Moment { now, entropy: &ENTROPY }
}

fn key(octet: u8) -> MacKey {
    Secret::from_octets([octet; 32]).mac_key("token")
}

fn wanted() -> NewToken {
    NewToken {
        organisation: OrganisationNumber::parse("2120009903").expect("a number"),
        right: Right::Propose,
        holder: "Åsa Lind".to_owned(),
        label: String::new(),
        days: 90,
        by: Actor::Operator { name: "the operator".to_owned() },
    }
}

fn issued() -> (Desk, PresentedToken) {
    let mut desk = Desk::default();
    let presented = desk.issue_token(&wanted(), &key(1), at(NOW)).expect("issued");
    (desk, presented)
}

#[test]
fn a_token_opens_with_its_secret_and_key_alone() {
    let (desk, presented) = issued();
    let token = desk.token(&presented, &key(1), NOW).expect("good");
    assert_eq!((token.holder.as_str(), token.right), ("Åsa Lind", Right::Propose));
    assert_eq!(token.actor(), Actor::Token { id: presented.id().to_owned(), holder: "Åsa Lind".to_owned() });
    assert_eq!(desk.token(&presented, &key(2), NOW), Err(TokenRefused::Unknown));
    // The same id with another secret, well-formed.
    let forged = PresentedToken::fresh(presented.id(), at(NOW));
    assert_eq!(desk.token(&forged, &key(1), NOW), Err(TokenRefused::Unknown));
    let stranger = PresentedToken::fresh("000000000000", at(NOW));
    assert_eq!(desk.token(&stranger, &key(1), NOW), Err(TokenRefused::Unknown));
}

#[test]
fn the_word_is_recognisable_and_a_slip_in_it_is_told() {
    let (_, presented) = issued();
    let word = presented.expose();
    assert!(word.starts_with(PREFIX) && word.len() == 65, "{word}");
    assert_eq!(PresentedToken::parse(word), Ok(presented.clone()));
    for at in 0..word.len() {
        let mut slipped = word.to_owned().into_bytes();
        slipped[at] = if slipped[at] == b'0' { b'1' } else { b'0' };
        let slipped = String::from_utf8(slipped).expect("ASCII");
        assert_eq!(PresentedToken::parse(&slipped), Err(NoToken), "{at}");
    }
    for bad in ["", "spv_", "spv__", &word[..64], &word.to_uppercase(), &format!("{word}0"), "spv_åäö_å"]
    {
        assert_eq!(PresentedToken::parse(bad), Err(NoToken), "{bad}");
    }
}

#[test]
fn neither_the_desk_nor_debug_has_the_secret() {
    let (desk, presented) = issued();
    let secret = presented.expose().rsplit('_').next().expect("a secret");
    let document = String::from_utf8(desk.to_document().expect("written")).expect("UTF-8");
    assert!(!document.contains(secret) && !format!("{desk:?}{presented:?}").contains(secret));
    assert!(document.contains(presented.id()));
}

#[test]
fn a_token_ends_when_it_was_said_to_and_when_it_is_revoked() {
    let (mut desk, presented) = issued();
    let ends = NOW.plus(90 * DAY);
    assert!(desk.token(&presented, &key(1), ends.plus(-1)).is_ok());
    assert_eq!(desk.token(&presented, &key(1), ends), Err(TokenRefused::Expired(ends)));
    desk.revoke_token(presented.id(), NOW.plus(5)).expect("there");
    desk.revoke_token(presented.id(), NOW.plus(9)).expect("there");
    assert_eq!(desk.token(&presented, &key(1), NOW.plus(6)), Err(TokenRefused::Revoked(NOW.plus(5))));
    assert_eq!(desk.revoke_token("none", NOW), Err(TokenRefused::Unknown));
}

#[test]
fn a_rotated_token_has_a_new_secret_and_the_same_end() {
    let (mut desk, old) = issued();
    let new = desk.rotate_token(&old, &key(1), at(NOW.plus(DAY))).expect("rotated");
    assert_eq!(new.id(), old.id());
    assert_eq!(desk.token(&old, &key(1), NOW.plus(DAY)), Err(TokenRefused::Unknown));
    assert_eq!(desk.token(&new, &key(1), NOW.plus(DAY)).expect("good").expires, NOW.plus(90 * DAY));
    assert_eq!(desk.rotate_token(&old, &key(1), at(NOW)), Err(TokenRefused::Unknown));
    let ended = desk.rotate_token(&new, &key(1), at(NOW.plus(90 * DAY)));
    assert_eq!(ended, Err(TokenRefused::Expired(NOW.plus(90 * DAY))));
}

#[test]
fn what_is_given_out_is_bounded() {
    let mut desk = Desk::default();
    let mut issue = |wanted: NewToken| desk.issue_token(&wanted, &key(1), at(NOW)).map(|_| ());
    for days in [0, MOST_DAYS + 1] {
        assert_eq!(issue(NewToken { days, ..wanted() }), Err(TokenRefused::Days));
    }
    for holder in ["", "  ", "a\nb", &"x".repeat(201)] {
        let refused = issue(NewToken { holder: holder.to_owned(), ..wanted() });
        assert_eq!(refused, Err(TokenRefused::Name("holder's name")), "{holder:?}");
    }
    let labelled = NewToken { label: "a\u{1b}b".to_owned(), ..wanted() };
    assert_eq!(issue(labelled), Err(TokenRefused::Name("label")));
    for _ in 0..MOST_EACH {
        assert_eq!(issue(NewToken { days: MOST_DAYS, ..wanted() }), Ok(()));
    }
    assert_eq!(issue(wanted()), Err(TokenRefused::TooMany));
    let other = OrganisationNumber::parse("2321009900").expect("a number");
    assert_eq!(issue(NewToken { organisation: other, ..wanted() }), Ok(()), "another has its own");
}

#[test]
fn what_is_over_for_long_is_forgotten_when_another_is_issued() {
    let (mut desk, old) = issued();
    let over = NOW.plus((90 + KEPT_DAYS) * DAY);
    desk.issue_token(&wanted(), &key(1), at(over.plus(-1))).expect("issued");
    assert!(desk.tokens.contains_key(old.id()));
    desk.issue_token(&wanted(), &key(1), at(over)).expect("issued");
    assert!(!desk.tokens.contains_key(old.id()) && desk.tokens.len() == 2);
}
