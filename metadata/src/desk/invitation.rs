//! An invitation: a link that opens the door for operators once, and the place behind it. The link's secret is shown once; of it, and of what the
//! browser that used it keeps, there are keyed hashes.
//!
//! The link opens the place in the first browser that presses its button. There it opens it again for as long as the invitation lasts, since that
//! browser brings its own secret along; in any other it opens nothing.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::{
    moment::{Moment, Timestamp},
    organisation::OrganisationNumber,
};
use certs::mac::MacKey;
use serde::{Deserialize, Serialize};

use super::{Actor, Right};
use crate::secret_hash::SecretHash;

/// Random octets of an invitation's name.
const ID_OCTETS: usize = 6;
/// Characters of an invitation's name.
const ID_LENGTH: usize = 8;
/// Random octets of a link's secret: guessing one succeeds with at most 2^-160 (RFC 6749 section 10.10).
const SECRET_OCTETS: usize = 20;
/// Days that an invitation may last at most.
pub const MOST_DAYS: u16 = 400;
const DAY: i64 = 86_400;

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// Its name, which is no secret.
    pub id: String,
    /// For whom its holder speaks.
    pub organisation: OrganisationNumber,
    /// Who is invited.
    pub holder: String,
    /// What the holder may do.
    pub right: Right,
    /// What is kept of the secret.
    pub secret_hash: SecretHash,
    /// When it was issued.
    pub at: Timestamp,
    /// When it ends, used or not.
    pub expires: Timestamp,
    /// When it was used, if it was. It is not used twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// What is kept of the secret of the browser that used it; gone when the holder has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place_hash: Option<SecretHash>,
    /// When it was revoked, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// What it is for, in the operator's words; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub purpose: String,
}

/// Whom to invite.
#[derive(Debug, Clone)]
pub struct Invited {
    /// For whom the holder will speak.
    pub organisation: OrganisationNumber,
    /// Who is invited.
    pub holder: String,
    /// What the holder may do.
    pub right: Right,
    /// What it is for; may be empty.
    pub purpose: String,
    /// For how many days, 1 to [`MOST_DAYS`].
    pub days: u16,
}

/// What stands in the link: the invitation's name and its secret. Shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    id: String,
    secret: String,
}

impl Link {
    /// Reads what somebody sent. `None`: nothing that [`Invitation::issue`] made.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.split_at_checked(ID_LENGTH)?;
        let is_plain = |part: &str| {
            part.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
        };
        let good = is_plain(id)
            && is_plain(secret)
            && secret.len() == URL_SAFE_NO_PAD.encode([0; SECRET_OCTETS]).len();
        good.then(|| Self { id: id.to_owned(), secret: secret.to_owned() })
    }

    /// The invitation's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the link ends with. Whoever has it before the holder can open the place.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}{}", self.id, self.secret)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why an invitation opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// There is none of that name and secret.
    #[error("there is no such invitation")]
    Unknown,
    /// Another browser has used it, or its holder has left.
    #[error("the invitation has been used")]
    Used,
    /// Its days are over.
    #[error("the invitation has run out")]
    Expired,
    /// The operator took it back.
    #[error("the invitation is revoked")]
    Revoked,
}

impl Invitation {
    /// Makes one, and its link. `key` is the broker's own for what is kept of the secrets.
    #[must_use]
    pub fn issue(wanted: Invited, key: &MacKey, moment: Moment<'_>) -> (Self, Link) {
        let id = URL_SAFE_NO_PAD.encode(moment.random::<ID_OCTETS>());
        let secret = URL_SAFE_NO_PAD.encode(moment.random::<SECRET_OCTETS>());
        let days = i64::from(wanted.days.clamp(1, MOST_DAYS));
        let invitation = Self {
            secret_hash: SecretHash::of(key, &link_name(&id), &secret),
            id: id.clone(),
            organisation: wanted.organisation,
            holder: wanted.holder,
            right: wanted.right,
            at: moment.now,
            expires: moment.now.plus(days * DAY),
            used_at: None,
            place_hash: None,
            revoked: None,
            purpose: wanted.purpose,
        };
        (invitation, Link { id, secret })
    }

    /// Who its holder is, for what is done by it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Invitation { id: self.id.clone(), holder: self.holder.clone() }
    }

    /// Whether the link, in a browser that brings `place` along, opens the place now or can do so once.
    ///
    /// # Errors
    /// Why it does not. A link with a wrong secret is unknown, whatever the invitation of its name has become.
    pub fn would_open(
        &self,
        key: &MacKey,
        link: &Link,
        place: Option<&str>,
        now: Timestamp,
    ) -> Result<(), NotOpened> {
        let is_ours = link.id == self.id && self.secret_hash.verify(key, &link_name(&self.id), &link.secret);
        if !is_ours {
            return Err(NotOpened::Unknown);
        }
        self.lasts(now)?;
        match (self.used_at, place) {
            (None, _) => Ok(()),
            (Some(_), Some(place)) if self.is_place(key, place) => Ok(()),
            (Some(_), _) => Err(NotOpened::Used),
        }
    }

    /// Uses the link: from now on the place opens for the browser that keeps `place` alone. Using it again in that browser changes nothing.
    ///
    /// # Errors
    /// As [`Invitation::would_open`].
    pub fn open(&mut self, key: &MacKey, link: &Link, place: &str, now: Timestamp) -> Result<(), NotOpened> {
        self.would_open(key, link, Some(place), now)?;
        if self.used_at.is_none() {
            self.used_at = Some(now);
            self.place_hash = Some(SecretHash::of(key, &place_name(&self.id), place));
        }
        Ok(())
    }

    /// Whether the browser that keeps `place` is in it.
    ///
    /// # Errors
    /// Why it is not.
    pub fn admits(&self, key: &MacKey, place: &str, now: Timestamp) -> Result<(), NotOpened> {
        if !self.is_place(key, place) {
            return Err(NotOpened::Unknown);
        }
        self.lasts(now)
    }

    /// The holder leaves: nothing opens the place any more.
    pub fn leave(&mut self) {
        self.place_hash = None;
    }

    /// Whether anything can still be done by it.
    ///
    /// # Errors
    /// Why not.
    pub fn lasts(&self, now: Timestamp) -> Result<(), NotOpened> {
        if self.revoked.is_some() {
            Err(NotOpened::Revoked)
        } else if now >= self.expires {
            Err(NotOpened::Expired)
        } else {
            Ok(())
        }
    }

    fn is_place(&self, key: &MacKey, place: &str) -> bool {
        self.place_hash.as_ref().is_some_and(|hash| hash.verify(key, &place_name(&self.id), place))
    }
}

/// What the hashes are bound to: the kind of secret and the invitation, so that none is one for another.
fn link_name(id: &str) -> String {
    format!("invitation {id}")
}

fn place_name(id: &str) -> String {
    format!("place {id}")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use broker_core::{
        moment::{Entropy, Moment, Timestamp},
        organisation::OrganisationNumber,
    };
    use certs::mac::{MacKey, Secret};

    use super::{DAY, Invitation, Invited, Link, NotOpened};
    use crate::desk::Right;

    /// Octets that count up.
    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    const NOW: Timestamp = Timestamp(1_795_336_200);

    fn key() -> MacKey {
        Secret::from_octets([3; 32]).mac_key("invitation")
    }

    fn issued(days: u16) -> (Invitation, Link) {
        let wanted = Invited {
            organisation: OrganisationNumber::parse("2120009903").expect("a number"),
            holder: "Åsa Lind".to_owned(),
            right: Right::Propose,
            purpose: String::new(),
            days,
        };
        let entropy = Counting(AtomicU8::new(1));
        Invitation::issue(wanted, &key(), Moment { now: NOW, entropy: &entropy })
    }

    #[test]
    fn a_link_is_read_back_and_nothing_else_is_one() {
        let (_, link) = issued(14);
        let text = link.to_text();
        assert_eq!(Link::parse(&text), Some(link.clone()));
        let turned = text.replace(['-', '_'], "+");
        for bad in ["", "short", &text[1..], &format!("{text}x"), &turned.replacen('A', "+", 1), "ååååååååå"]
        {
            assert!(Link::parse(bad).is_none(), "{bad}");
        }
        assert!(!format!("{link:?}").contains(&text[8..]), "no secret is shown");
    }

    #[test]
    fn an_invitation_opens_once_and_again_for_the_same_browser_alone() {
        let (mut invitation, link) = issued(14);
        assert_eq!(invitation.would_open(&key(), &link, None, NOW), Ok(()));
        assert_eq!(invitation.admits(&key(), "one", NOW), Err(NotOpened::Unknown));
        assert_eq!(invitation.open(&key(), &link, "one", NOW), Ok(()));
        assert_eq!(invitation.admits(&key(), "one", NOW), Ok(()));
        let opened = invitation.clone();
        assert_eq!(invitation.open(&key(), &link, "one", NOW.plus(60)), Ok(()), "the same browser");
        assert_eq!(invitation, opened, "and nothing changed");
        assert_eq!(invitation.open(&key(), &link, "two", NOW), Err(NotOpened::Used));
        assert_eq!(invitation.would_open(&key(), &link, None, NOW), Err(NotOpened::Used));
        assert_eq!(invitation.admits(&key(), "two", NOW), Err(NotOpened::Unknown));
    }

    #[test]
    fn a_wrong_secret_is_unknown_whatever_has_become_of_the_invitation() {
        let (mut invitation, link) = issued(14);
        let mut text = link.to_text();
        text.replace_range(8..9, if text[8..].starts_with('A') { "B" } else { "A" });
        let wrong = Link::parse(&text).expect("the form of a link");
        assert_eq!(invitation.would_open(&key(), &wrong, None, NOW), Err(NotOpened::Unknown));
        invitation.revoked = Some(NOW);
        assert_eq!(invitation.would_open(&key(), &wrong, None, NOW), Err(NotOpened::Unknown));
        assert_eq!(invitation.would_open(&key(), &link, None, NOW), Err(NotOpened::Revoked));
        let other = Secret::from_octets([4; 32]).mac_key("invitation");
        assert_eq!(issued(14).0.would_open(&other, &link, None, NOW), Err(NotOpened::Unknown));
    }

    #[test]
    fn an_invitation_ends_by_its_days_by_revoking_and_by_leaving() {
        let (mut invitation, link) = issued(2);
        assert_eq!(invitation.open(&key(), &link, "one", NOW), Ok(()));
        assert_eq!(invitation.admits(&key(), "one", NOW.plus(2 * DAY - 1)), Ok(()));
        assert_eq!(invitation.admits(&key(), "one", NOW.plus(2 * DAY)), Err(NotOpened::Expired));
        let mut revoked = invitation.clone();
        revoked.revoked = Some(NOW);
        assert_eq!(revoked.admits(&key(), "one", NOW), Err(NotOpened::Revoked));
        invitation.leave();
        assert_eq!(invitation.admits(&key(), "one", NOW), Err(NotOpened::Unknown));
        assert_eq!(
            invitation.open(&key(), &link, "one", NOW),
            Err(NotOpened::Used),
            "not even where it was open"
        );
    }

    #[test]
    fn the_days_are_bounded() {
        assert_eq!(issued(0).0.expires, NOW.plus(DAY));
        assert_eq!(issued(u16::MAX).0.expires, NOW.plus(400 * DAY));
    }
}
