//! Who asks, and how often they may.

use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, header};
use metadata::desk::{Desk, PresentedToken, Right, Token, TokenRefused};

use super::{
    operation::{Needs, Operation},
    problem::{Kind, Problem},
};
use crate::{desk::DeskFailed, moment, wiring::Node};

/// Tokens that are not good, a minute, under one id; those of no id that there is count together.
const GUESSES_A_MINUTE: u32 = 30;

/// How often one may ask: by the token that was proven, and apart from it by the id that somebody claims, so that guesses hinder no holder.
pub(super) struct Rates {
    proven: DefaultKeyedRateLimiter<String>,
    guessed: DefaultKeyedRateLimiter<String>,
}

impl Rates {
    pub(super) fn new(requests_per_minute: u32) -> Self {
        let a_minute = |number| Quota::per_minute(NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN));
        Self {
            proven: RateLimiter::keyed(a_minute(requests_per_minute)),
            guessed: RateLimiter::keyed(a_minute(GUESSES_A_MINUTE)),
        }
    }

    pub(super) fn tidy(&self) {
        for limiter in [&self.proven, &self.guessed] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    fn counted(limiter: &DefaultKeyedRateLimiter<String>, id: &str) -> Result<(), Problem> {
        limiter.check_key(&id.to_owned()).map_err(|_| Kind::TOO_MANY.into())
    }
}

/// Whose token the request has. For what can change something the desk is read anew first: a token that was revoked on another node a moment
/// ago changes nothing here. A node that has not confirmed the desk for 30 s lets nobody in.
///
/// # Errors
/// The problem.
pub(super) async fn who(
    node: &Node,
    operation: &Operation,
    headers: &HeaderMap,
) -> Result<(Token, PresentedToken), Problem> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return Err(Kind::TOKEN_MISSING.into());
    };
    let word = value.to_str().ok().and_then(|value| value.split_once(' '));
    let presented = word
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .and_then(|(_, word)| PresentedToken::parse(word.trim()).ok());
    let Some(presented) = presented else {
        Rates::counted(&node.api.rates.guessed, "")?;
        return Err(Kind::TOKEN_UNKNOWN.into());
    };
    let mut token = known(node, &presented)?;
    if operation.writes() {
        node.desk.refresh(&**node.vault.store(), moment::now).await?;
        token = known(node, &presented)?;
    }
    Rates::counted(&node.api.rates.proven, &token.id)?;
    if operation.needs == Needs::Publish && token.right < Right::Publish {
        return Err(Kind::RIGHT.into());
    }
    Ok((token, presented))
}

/// The token, as this node last confirmed it.
fn known(node: &Node, presented: &PresentedToken) -> Result<Token, Problem> {
    let now = moment::now();
    let desk: &Desk = &*node.desk.confirmed(now)?;
    match desk.token(presented, &node.api.tokens, now) {
        Ok(token) => Ok(token.clone()),
        Err(refused) => {
            let claimed = if desk.tokens.contains_key(presented.id()) { presented.id() } else { "" };
            Rates::counted(&node.api.rates.guessed, claimed)?;
            Err(refused.into())
        }
    }
}

impl From<TokenRefused> for Problem {
    fn from(refused: TokenRefused) -> Self {
        match refused {
            TokenRefused::Unknown => Kind::TOKEN_UNKNOWN.into(),
            TokenRefused::Expired(at) => Kind::TOKEN_EXPIRED.of(at.to_rfc3339()),
            TokenRefused::Revoked(at) => Kind::TOKEN_REVOKED.of(at.to_rfc3339()),
            TokenRefused::Days | TokenRefused::Name(_) | TokenRefused::TooMany => {
                Kind::INTERNAL.because(refused)
            }
        }
    }
}

impl From<DeskFailed> for Problem {
    fn from(failed: DeskFailed) -> Self {
        let is_alarm = failed.is_alarm();
        Self { is_alarm, ..Kind::BUSY.because(failed) }
    }
}
