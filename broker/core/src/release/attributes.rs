//! Which attributes leave: requested *and* entitled.

use crate::{
    attribute::Attributes,
    failure::{Failure, FailureCode},
    release::Policy,
    request::AuthenticationRequest,
    result::AuthenticationResult,
};

/// The attributes that leave: requested, entitled, and as many values as the attribute can have.
///
/// # Errors
/// [`FailureCode::AttributeMissing`] when the relying party's profile fails a login for an essential attribute that is not there.
pub fn leaving(
    result: &AuthenticationResult,
    request: &AuthenticationRequest,
    policy: Policy<'_>,
) -> Result<Attributes, Failure> {
    let attributes = result.attributes.clone().filtered(|name, values| {
        // Two values of what has one say nothing: which of the two people's numbers would it be?
        (name.is_multi_valued() || values.len() == 1)
            && request.attributes.iter().any(|wanted| wanted.name == name)
            && policy.relying_party.entitled.contains(&name)
    });
    if policy.relying_party.fail_on_missing_attribute {
        let missing: Vec<_> = request
            .attributes
            .iter()
            .filter(|wanted| wanted.essential && attributes.values(wanted.name).is_empty())
            .map(|wanted| wanted.name.key())
            .collect();
        if !missing.is_empty() {
            return Err(Failure::new(
                FailureCode::AttributeMissing,
                format!("{} did not send, or may not send: {}", policy.provider.id, missing.join(", ")),
            ));
        }
    }
    Ok(attributes)
}
