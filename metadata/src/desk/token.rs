//! A token: who may use the API, for which organisation, with which right. The secret is shown once; a keyed hash of it is kept.
//!
//! What its holder is given is one word, `spv_ID_SECRET`: a beginning that scanners for leaked secrets find, the token's id, and a secret of 160 random
//! bits with eight check digits behind it, so that a word that was cut or mistyped is told from one that opens nothing.

use std::fmt;

use broker_core::{
    moment::{Moment, Timestamp},
    organisation::OrganisationNumber,
};
use certs::{DigestAlgorithm, mac::MacKey};
use serde::{Deserialize, Serialize};

use super::{Actor, Desk};
use crate::secret_hash::SecretHash;

/// What every token begins with.
pub(super) const PREFIX: &str = "spv_";
/// The longest that a token may last, in days.
pub const MOST_DAYS: u32 = 400;
/// Tokens of one organisation that can be good at a time.
pub(super) const MOST_EACH: usize = 20;
/// What is over, revoked or expired, is shown in lists for that many days.
pub(super) const KEPT_DAYS: i64 = 90;
/// The longest name of a holder, in characters.
pub(super) const LONGEST_NAME: usize = 200;

/// Octets of an id, of a secret, and of the check digits behind it.
const ID: usize = 6;
const SECRET: usize = 20;
const CHECK: usize = 4;
const DAY: i64 = 86_400;

/// What somebody may do for an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Make proposals, and withdraw one's own.
    Propose,
    /// Also approve, decline and publish proposals of others. Nobody publishes alone.
    Publish,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 2] = [Self::Propose, Self::Publish];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Propose => "propose",
            Self::Publish => "publish",
        }
    }
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its name, which is no secret.
    pub id: String,
    /// For whom it speaks.
    pub organisation: OrganisationNumber,
    /// What it may do.
    pub right: Right,
    /// Whose it is.
    pub holder: String,
    /// What the holder calls it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// What is kept of the secret.
    pub secret_hash: SecretHash,
    /// When it was issued.
    pub at: Timestamp,
    /// By whom: the federation operator.
    pub by: Actor,
    /// When it ends.
    pub expires: Timestamp,
    /// When its secret was last renewed by its holder, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated: Option<Timestamp>,
    /// When it was revoked, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
}

impl Token {
    /// Whether it still opens anything.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }

    /// Who acts with it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Token { id: self.id.clone(), holder: self.holder.clone() }
    }
}

/// A token as its holder has it. Shown once, by [`PresentedToken::expose`]; in no other way.
#[derive(Clone, PartialEq, Eq)]
pub struct PresentedToken {
    id: String,
    word: String,
}

impl PresentedToken {
    /// A fresh one.
    fn fresh(id: &str, moment: Moment<'_>) -> Self {
        let body = format!("{PREFIX}{id}_{}", hexadecimal(&moment.random::<SECRET>()));
        let word = format!("{body}{}", check_digits(&body));
        Self { id: id.to_owned(), word }
    }

    /// Reads what somebody presents.
    ///
    /// # Errors
    /// When it is no token, whole and without a slip.
    pub fn parse(word: &str) -> Result<Self, NoToken> {
        let (id, secret) = word.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(NoToken)?;
        let fits = |text: &str, octets: usize| {
            text.len() == 2 * octets
                && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        let (body, check) = word.split_at_checked(word.len().saturating_sub(2 * CHECK)).ok_or(NoToken)?;
        if fits(id, ID) && fits(secret, SECRET + CHECK) && check == check_digits(body) {
            Ok(Self { id: id.to_owned(), word: word.to_owned() })
        } else {
            Err(NoToken)
        }
    }

    /// Which token it says that it is.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The word itself, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.word
    }
}

impl fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedToken").field("id", &self.id).finish_non_exhaustive()
    }
}

/// It is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token is {PREFIX} and two words of hexadecimal digits, the last eight of which are check digits")]
pub struct NoToken;

/// The check digits of a token: the beginning of the SHA-256 of what stands before them.
fn check_digits(body: &str) -> String {
    hexadecimal(DigestAlgorithm::Sha256.digest(body.as_bytes()).get(..CHECK).unwrap_or_default())
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What the federation operator gives out.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// For whom it speaks. Whoever calls this has seen that there is such an organisation.
    pub organisation: OrganisationNumber,
    /// What it may do.
    pub right: Right,
    /// Whose it is.
    pub holder: String,
    /// What the holder calls it; may be empty.
    pub label: String,
    /// How long it lasts.
    pub days: u32,
    /// Who gives it.
    pub by: Actor,
}

/// Why a token is not given, changed or believed. Only who has the secret of a token is told that it is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// No token of that secret.
    #[error("there is no such token")]
    Unknown,
    /// It was good until then.
    #[error("the token expired at {}", .0.to_rfc3339())]
    Expired(Timestamp),
    /// It was taken back.
    #[error("the token was revoked at {}", .0.to_rfc3339())]
    Revoked(Timestamp),
    /// It shall last too long, or not at all.
    #[error("a token lasts from 1 to {MOST_DAYS} days")]
    Days,
    /// A name is missing, overlong, or has control characters.
    #[error("the {0} has at most {LONGEST_NAME} printable characters, and a holder has a name")]
    Name(&'static str),
    /// There are enough.
    #[error("the organisation has {MOST_EACH} good tokens already: revoke one first (sparvidd token list)")]
    TooMany,
}

impl Desk {
    /// Gives out a token. The word in it is shown to whoever asked, and not kept.
    ///
    /// # Errors
    /// [`TokenRefused`]; then none was given.
    pub fn issue_token(
        &mut self,
        wanted: &NewToken,
        key: &MacKey,
        moment: Moment<'_>,
    ) -> Result<PresentedToken, TokenRefused> {
        let now = moment.now;
        let (holder, label) = (wanted.holder.trim(), wanted.label.trim());
        if holder.is_empty() || !is_name(holder) {
            return Err(TokenRefused::Name("holder's name"));
        }
        if !is_name(label) {
            return Err(TokenRefused::Name("label"));
        }
        if !(1..=MOST_DAYS).contains(&wanted.days) {
            return Err(TokenRefused::Days);
        }
        let good = |token: &&Token| token.organisation == wanted.organisation && token.is_good(now);
        if self.tokens.values().filter(good).count() >= MOST_EACH {
            return Err(TokenRefused::TooMany);
        }
        self.forget_old_tokens(now);
        let mut id = hexadecimal(&moment.random::<ID>());
        // 48 bits: taken about never, and then another is.
        while self.tokens.contains_key(&id) {
            id = hexadecimal(&moment.random::<ID>());
        }
        let presented = PresentedToken::fresh(&id, moment);
        let token = Token {
            id: id.clone(),
            organisation: wanted.organisation.clone(),
            right: wanted.right,
            holder: holder.to_owned(),
            label: label.to_owned(),
            secret_hash: SecretHash::of(key, &id, presented.expose()),
            at: now,
            by: wanted.by.clone(),
            expires: now.plus(i64::from(wanted.days) * DAY),
            rotated: None,
            revoked: None,
        };
        self.tokens.insert(id, token);
        Ok(presented)
    }

    /// The good token that somebody presents. The comparison takes the same time whether there is a token of that id or not.
    ///
    /// # Errors
    /// [`TokenRefused`].
    pub fn token(
        &self,
        presented: &PresentedToken,
        key: &MacKey,
        now: Timestamp,
    ) -> Result<&Token, TokenRefused> {
        let Some(token) = self.tokens.get(presented.id()) else {
            // The work that a wrong secret would have been.
            let _ = SecretHash::of(key, presented.id(), presented.expose());
            return Err(TokenRefused::Unknown);
        };
        if !token.secret_hash.verify(key, presented.id(), presented.expose()) {
            return Err(TokenRefused::Unknown);
        }
        match token.revoked {
            Some(at) => Err(TokenRefused::Revoked(at)),
            None if token.is_good(now) => Ok(token),
            None => Err(TokenRefused::Expired(token.expires)),
        }
    }

    /// Takes a token back. One that was revoked stays so, since when it was.
    ///
    /// # Errors
    /// When there is none of that id.
    pub fn revoke_token(&mut self, id: &str, now: Timestamp) -> Result<&Token, TokenRefused> {
        let token = self.tokens.get_mut(id).ok_or(TokenRefused::Unknown)?;
        token.revoked.get_or_insert(now);
        Ok(token)
    }

    /// Gives a token a new secret; the old one opens nothing from now on. It ends when it would have: nobody makes their own right longer.
    ///
    /// # Errors
    /// When the presented one is not good.
    pub fn rotate_token(
        &mut self,
        presented: &PresentedToken,
        key: &MacKey,
        moment: Moment<'_>,
    ) -> Result<PresentedToken, TokenRefused> {
        let id = self.token(presented, key, moment.now)?.id.clone();
        let fresh = PresentedToken::fresh(&id, moment);
        let token = self.tokens.get_mut(&id).ok_or(TokenRefused::Unknown)?;
        token.secret_hash = SecretHash::of(key, &id, fresh.expose());
        token.rotated = Some(moment.now);
        Ok(fresh)
    }

    /// What is over for long is not listed any more.
    fn forget_old_tokens(&mut self, now: Timestamp) {
        let oldest = now.plus(-KEPT_DAYS * DAY);
        self.tokens.retain(|_, token| token.revoked.unwrap_or(token.expires).min(token.expires) > oldest);
    }
}

fn is_name(text: &str) -> bool {
    text.chars().count() <= LONGEST_NAME && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests;
