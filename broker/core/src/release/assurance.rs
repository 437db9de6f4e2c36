//! Which level leaves.

use crate::{
    assurance::Assurance,
    failure::{Failure, FailureCode},
    release::Policy,
    request::AuthenticationRequest,
    result::AuthenticationResult,
};

/// The level that leaves: registered for the provider, under its ceilings, through the output map, and one that the
/// relying party takes.
///
/// # Errors
/// [`FailureCode::AssuranceAboveCeiling`] when the provider says more than it is registered for; [`FailureCode::AssuranceTooLow`] when
/// an essential request is not met. A voluntary one never fails a login.
pub fn leaving(
    result: &AuthenticationResult,
    request: &AuthenticationRequest,
    policy: Policy<'_>,
) -> Result<Option<Assurance>, Failure> {
    let leaving = match &result.assurance {
        None => None,
        // Registered for no level at all: whatever it says proves none, and services that ask for none are not disturbed.
        Some(_) if policy.provider.assurance.is_empty() => None,
        Some(told) => {
            let provider = policy.provider;
            let registered = provider.assurance.contains(told);
            let under = provider.authority.covers(told);
            if registered && under {
                policy.output_map.leaving(told, policy.relying_party.assurance_profile)
            } else if told.is_known() {
                return Err(Failure::new(
                    FailureCode::AssuranceAboveCeiling,
                    format!(
                        "{} asserted {told}; registered: {}, under its ceilings: {}",
                        provider.id,
                        yes(registered),
                        yes(under)
                    ),
                ));
            } else {
                // A word of the provider's own (PasswordProtectedTransport, for one) proves no level: it leaves as nothing, unless the federation
                // operator has written that very word into both records.
                None
            }
        }
    };
    let wanted = &request.assurance;
    if wanted.essential && !leaving.as_ref().is_some_and(|level| wanted.levels.contains(level)) {
        return Err(Failure::new(
            FailureCode::AssuranceTooLow,
            format!(
                "wanted one of [{}], would leave as {}",
                wanted.levels.iter().map(Assurance::as_str).collect::<Vec<_>>().join(", "),
                leaving.as_ref().map_or("no level", Assurance::as_str)
            ),
        ));
    }
    Ok(leaving)
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}
