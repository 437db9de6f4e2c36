//! Which level leaves.

use crate::{
    assurance::{Assurance, for_the_log},
    failure::{Failure, FailureCode},
    policy::ProviderPolicy,
    release::Policy,
    request::AuthenticationRequest,
    result::AuthenticationResult,
};

/// The level that leaves: registered for the provider, under its ceilings, through the output map, and one that the
/// relying party takes.
///
/// # Errors
/// [`FailureCode::AssuranceAboveCeiling`] when the provider says more than it is registered for; [`FailureCode::AssuranceTooLow`] when
/// an essential request is not met, be it for certain levels or for any. A voluntary one never fails a login.
pub fn leaving(
    result: &AuthenticationResult,
    request: &AuthenticationRequest,
    policy: Policy<'_>,
) -> Result<Option<Assurance>, Failure> {
    let leaving = match &result.assurance {
        Some(told) if counts(told, policy.provider)? => {
            policy.output_map.leaving(told, policy.relying_party.assurance_profile)
        }
        _ => None,
    };
    let wanted = &request.assurance;
    if wanted.essential && !leaving.as_ref().is_some_and(|level| wanted.levels.contains(level)) {
        return Err(Failure::new(
            FailureCode::AssuranceTooLow,
            format!(
                "wanted one of [{}], would leave as {}",
                for_the_log(&wanted.levels),
                leaving.as_ref().map_or("no level", Assurance::as_str)
            ),
        ));
    }
    if wanted.some && leaving.is_none() {
        return Err(Failure::new(FailureCode::AssuranceTooLow, "wanted a level, would leave as no level"));
    }
    Ok(leaving)
}

/// Whether a level that a provider told us proves anything: it is one that the provider is registered for and that its organisation's ceiling
/// allows. `false`: it proves no level. The SAML role asks as well, so that an operator sees the rule among those of the message.
///
/// # Errors
/// [`FailureCode::AssuranceAboveCeiling`] when it is a level, and not the provider's to give.
pub fn counts(told: &Assurance, provider: &ProviderPolicy) -> Result<bool, Failure> {
    // Registered for no level at all: whatever it says proves none, and services that ask for none are not disturbed.
    if provider.assurance.is_empty() {
        return Ok(false);
    }
    let registered = provider.assurance.contains(told);
    let under = provider.authority.covers(told);
    if registered && under {
        return Ok(true);
    }
    // A word of the provider's own (PasswordProtectedTransport, for one) proves no level: it leaves as nothing, unless the federation
    // operator has written that very word into both records.
    if !told.is_known() {
        return Ok(false);
    }
    Err(Failure::new(
        FailureCode::AssuranceAboveCeiling,
        format!(
            "{} asserted {told}; registered: {}, under its ceilings: {}",
            provider.id,
            yes(registered),
            yes(under)
        ),
    ))
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}
