//! Which organisation an answer proves. One provider may speak for many; whose person it is, its answer says, and not what was clicked (design
//! decision 8).
//!
//! | proof | names |
//! |---|---|
//! | organisation number | the organisation of that number |
//! | a scoped value: `orgAffiliation`, `subject-id`, `pairwise-id`, `eduPersonPrincipalName` | those whose scope it has |
//! | an HSA-id of employee, commission or care provider | those whose prefix it has |
//!
//! Mail is none: people keep an address when they move. What is left when every proof has been held to every organisation must be one.
//!
//! Neighbours: `super::authority` then bounds the answer by what that one organisation's voice may say.

use super::authority::number_in;
use crate::{
    attribute::AttributeName,
    failure::{Failure, FailureCode},
    policy::ProviderPolicy,
    result::AuthenticationResult,
    subject::SubjectSource,
};

/// The organisations that are left, and what was said so far.
struct Left<'p> {
    voices: Vec<&'p ProviderPolicy>,
    proofs: Vec<&'static str>,
}

impl Left<'_> {
    fn held_to(&mut self, proof: &'static str, names: impl Fn(&ProviderPolicy) -> bool) {
        self.voices.retain(|voice| names(voice));
        if !self.proofs.contains(&proof) {
            self.proofs.push(proof);
        }
    }
}

/// The provider as it speaks for the organisation that the answer proves. Of a provider without voices that is itself: the registry is the proof,
/// and what contradicts it fails by the rule of each attribute.
///
/// # Errors
/// [`FailureCode::OrganisationUnproven`] when nothing is proven, or more than one thing; the cause names the attributes and no value.
pub fn proven<'p>(
    result: &AuthenticationResult,
    provider: &'p ProviderPolicy,
) -> Result<&'p ProviderPolicy, Failure> {
    if provider.organisations.is_empty() {
        return Ok(provider);
    }
    let voices = provider.organisations.iter().map(AsRef::as_ref).collect();
    let mut left = Left { voices, proofs: Vec::new() };
    for (name, values) in result.attributes.iter() {
        for value in values {
            hold(&mut left, name, value);
        }
    }
    for subject in &result.subjects {
        match subject.source {
            SubjectSource::SubjectId => hold(&mut left, AttributeName::SubjectId, &subject.value),
            SubjectSource::PairwiseId => hold(&mut left, AttributeName::PairwiseId, &subject.value),
            SubjectSource::OrgAffiliation => hold(&mut left, AttributeName::OrgAffiliation, &subject.value),
            SubjectSource::EmployeeHsaId => hold(&mut left, AttributeName::EmployeeHsaId, &subject.value),
            // Opaque: they say nothing of whose person it is.
            SubjectSource::PersistentNameId | SubjectSource::OidcSub => {}
        }
    }
    match left.voices.as_slice() {
        [only] if !left.proofs.is_empty() || provider.organisations.len() == 1 => Ok(only),
        _ => Err(unproven(provider, &left)),
    }
}

fn hold(left: &mut Left<'_>, name: AttributeName, value: &str) {
    use AttributeName as A;
    match name {
        A::OrganisationNumber => {
            // A text without ten digits names nobody.
            if let Some(number) = number_in(value) {
                left.held_to(name.key(), |voice| voice.organisation.number.as_str() == number);
            }
        }
        A::OrgAffiliation => {
            left.held_to(name.key(), |voice| voice.authority.scoped_value(value, false).is_some());
        }
        A::SubjectId | A::PairwiseId | A::EduPersonPrincipalName => {
            left.held_to(name.key(), |voice| voice.authority.scoped_value(value, true).is_some());
        }
        A::EmployeeHsaId | A::CommissionHsaId | A::HealthCareProviderHsaId => {
            left.held_to(name.key(), |voice| voice.authority.owns_hsa_id(value));
        }
        _ => {}
    }
}

fn unproven(provider: &ProviderPolicy, left: &Left<'_>) -> Failure {
    let among = format!("the {} organisations that {} speaks for", provider.organisations.len(), provider.id);
    let cause = match (left.proofs.as_slice(), left.voices.len()) {
        ([], _) => {
            format!("the answer says nothing of which of {among}: no organisation number, scope or HSA-id")
        }
        (proofs, 0) => format!("{} name no one of {among} together", proofs.join(", ")),
        (proofs, several) => format!("{} fit {several} of {among}", proofs.join(", ")),
    };
    Failure::new(FailureCode::OrganisationUnproven, cause)
}

#[cfg(test)]
mod tests;
