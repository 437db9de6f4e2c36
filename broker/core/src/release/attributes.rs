//! Which attributes leave: requested *and* entitled *and* agreed to, with a value that will do.

use crate::{
    attribute::Attributes,
    failure::{Failure, FailureCode},
    release::{Policy, connection},
    request::{AuthenticationRequest, RequestedAttribute},
    result::AuthenticationResult,
};

/// The attributes that leave: requested, entitled, agreed to by the employer, as many values as the attribute can have, and of those the ones that were asked for.
///
/// # Errors
/// [`FailureCode::AttributeMissing`] when the relying party's profile fails a login for an essential attribute that is not there.
pub fn leaving(
    result: &AuthenticationResult,
    request: &AuthenticationRequest,
    policy: Policy<'_>,
) -> Result<Attributes, Failure> {
    let mut attributes = result.attributes.clone().filtered(|name, values| {
        // Two values of what has one say nothing: which of the two people's numbers would it be?
        (name.is_multi_valued() || values.len() == 1)
            && request.attributes.iter().any(|wanted| wanted.name == name)
            && policy.relying_party.entitled.contains(&name)
            && connection::agreed(name, policy)
    });
    // OIDC Core 5.5.1: who asks for a certain value learns whether it is that one, and never what it is instead.
    for wanted in request.attributes.iter().filter(|wanted| !wanted.values.is_empty()) {
        let accepted = attributes
            .values(wanted.name)
            .iter()
            .filter(|value| request.attributes.iter().any(|row| row.name == wanted.name && row.takes(value)))
            .cloned()
            .collect();
        attributes.set(wanted.name, accepted);
    }
    if policy.relying_party.fail_on_missing_attribute {
        let missing: Vec<_> = request
            .attributes
            .iter()
            .filter(|wanted| wanted.essential && !is_met(wanted, &attributes))
            .map(|wanted| {
                let name = match wanted.or {
                    Some(or) => format!("{} or {or}", wanted.name),
                    None => wanted.name.to_string(),
                };
                let is_agreed = connection::agreed(wanted.name, policy);
                if is_agreed { name } else { format!("{name} (not agreed in the connection)") }
            })
            .collect();
        if !missing.is_empty() {
            return Err(Failure::new(
                FailureCode::AttributeMissing,
                format!(
                    "{} did not send, may not send, or sent with another value: {}",
                    policy.provider.id,
                    missing.join(", ")
                ),
            ));
        }
    }
    Ok(attributes)
}

/// Whether an essential wish is met: by a value that it takes, or by the attribute that does as well.
fn is_met(wanted: &RequestedAttribute, leaving: &Attributes) -> bool {
    leaving.values(wanted.name).iter().any(|value| wanted.takes(value))
        || wanted.or.is_some_and(|or| !leaving.values(or).is_empty())
}
