//! What became of each attribute, told: for the test sign-in, in which a provider's operator sees why something would leave and something would not.
//!
//! It asks the very steps that a login runs, and decides nothing itself. Neighbours: the list in `super`.

use super::{Policy, ReleasedIdentity, assurance, authority, organisation};
use crate::{
    assurance::Assurance,
    attribute::{AttributeName, Attributes},
    failure::Failure,
    organisation::OrganisationNumber,
    request::AuthenticationRequest,
    result::AuthenticationResult,
};

/// What became of one attribute that was told, or that the registry adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It leaves.
    Leaves,
    /// The relying party does not ask for it, or is not entitled to it.
    NotWanted,
    /// The organisation's record does not let the provider say it, or no value has the form that it must have.
    NotKept,
    /// The employer has not agreed to it.
    NotAgreed,
    /// Two values of what has one: neither leaves.
    Several,
    /// It is outside what the organisation answers for: no login with it succeeds.
    Outside,
    /// The login failed for another reason, so that nothing leaves.
    LoginFailed,
}

impl Fate {
    /// The stable name in texts.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Leaves => "leaves",
            Self::NotWanted => "not_wanted",
            Self::NotKept => "not_kept",
            Self::NotAgreed => "not_agreed",
            Self::Several => "several",
            Self::Outside => "outside",
            Self::LoginFailed => "login_failed",
        }
    }
}

/// A release that was tried, with the reasons.
#[derive(Debug)]
pub struct Account {
    /// What was told, and what became of it.
    pub told: Vec<(AttributeName, Fate)>,
    /// The organisation that was proven.
    pub organisation: Option<OrganisationNumber>,
    /// The level that would leave, were one asked for.
    pub level: Option<Assurance>,
    /// What would leave, or the step that says no.
    pub outcome: Result<ReleasedIdentity, Failure>,
}

/// Runs the release, and says of each attribute what became of it.
#[must_use]
pub fn account(
    result: &AuthenticationResult,
    request: &AuthenticationRequest,
    policy: Policy<'_>,
) -> Account {
    let outcome = super::release(result.clone(), request, policy);
    let voice = organisation::proven(result, policy.provider);
    let bound = voice.as_ref().ok().and_then(|voice| authority::bound(result.clone(), voice).ok());
    let told = result.attributes.names().map(|name| {
        let is_outside =
            || voice.as_ref().is_ok_and(|voice| authority::bound(alone(result, name), voice).is_err());
        let fate = match (&outcome, &bound) {
            (Ok(identity), _) if !identity.attributes.values(name).is_empty() => Fate::Leaves,
            (_, Some(bound)) if bound.attributes.values(name).is_empty() => Fate::NotKept,
            (Ok(_), Some(bound)) if !name.is_multi_valued() && bound.attributes.values(name).len() > 1 => {
                Fate::Several
            }
            (Ok(identity), _) if identity.not_agreed.contains(&name) => Fate::NotAgreed,
            (Ok(_), _) => Fate::NotWanted,
            (Err(_), None) if is_outside() => Fate::Outside,
            (Err(_), _) => Fate::LoginFailed,
        };
        (name, fate)
    });
    let told = told.collect();
    let level = match (&voice, &result.assurance) {
        (Ok(voice), Some(level)) if assurance::counts(level, voice).is_ok_and(|counts| counts) => {
            policy.output_map.leaving(level, policy.relying_party.assurance_profile)
        }
        _ => None,
    };
    Account { told, organisation: voice.ok().map(|voice| voice.organisation.number.clone()), level, outcome }
}

/// The same answer with one attribute alone.
fn alone(result: &AuthenticationResult, name: AttributeName) -> AuthenticationResult {
    let mut attributes = Attributes::new();
    attributes.set(name, result.attributes.values(name).to_vec());
    AuthenticationResult { attributes, subjects: Vec::new(), ..result.clone() }
}
