//! Whether the provider's word may be passed on to this relying party, and who is said to stand behind it.
//!
//! A proxy lives by what its provider allows (SAML Core 2.5.1.6, ProxyRestriction), whichever protocol the answer leaves by: what a provider
//! lets nobody repeat in SAML is not repeated as a token either.

use crate::{
    failure::{Failure, FailureCode},
    identifier::ProviderId,
    policy::{ProviderPolicy, RelyingPartyPolicy},
    result::PassingOn,
};

/// What the relying party may pass on in its turn: one hop less.
///
/// # Errors
/// [`FailureCode::ProxyRestricted`] when no hop is left, or when the relying party is not one of those that the provider names.
pub fn allowed(passing_on: PassingOn, relying_party: &RelyingPartyPolicy) -> Result<PassingOn, Failure> {
    let PassingOn { hops_left, audiences } = passing_on;
    let hops_left = match hops_left {
        None => None,
        Some(hops) => Some(hops.checked_sub(1).ok_or_else(|| {
            Failure::new(FailureCode::ProxyRestricted, "the provider lets nobody pass its answer on")
        })?),
    };
    if let Some(named) = &audiences
        && !named.iter().any(|audience| audience == relying_party.id.as_str())
    {
        return Err(Failure::new(
            FailureCode::ProxyRestricted,
            format!("{} is not among those that the answer may be passed on to", relying_party.id),
        ));
    }
    Ok(PassingOn { hops_left, audiences })
}

/// Everybody who took part: those whom the provider names, in its order, and the provider itself at the end, as each proxy does
/// (SAML Core 2.7.2.2).
#[must_use]
pub fn authorities(told: Vec<String>, provider: &ProviderId) -> Vec<String> {
    let mut all: Vec<String> = told.into_iter().filter(|name| name != provider.as_str()).collect();
    all.push(provider.as_str().to_owned());
    all
}

/// Who authenticated the person: the first of those whom the provider names and whom the federation operator has registered as standing behind
/// it; otherwise the provider. A name that nobody registered there is hearsay, and could be that of somebody else's provider.
#[must_use]
pub fn authenticated_by(told: &[String], provider: &ProviderPolicy) -> ProviderId {
    told.iter()
        .map(|name| ProviderId::from(name.as_str()))
        .find(|name| provider.behind.contains(name))
        .unwrap_or_else(|| provider.id.clone())
}
