//! Who the person is to this relying party: from the provider's pinned source alone.

use crate::{
    failure::{Failure, FailureCode},
    release::Policy,
    request::AuthenticationRequest,
    result::AuthenticationResult,
    subject::{self, SubjectIdentifier},
};

/// The identifier.
///
/// # Errors
/// [`FailureCode::SubjectMissing`] when the pinned source gave no value, or more than one: there is no silent fall-back.
pub fn derive(result: &AuthenticationResult, policy: Policy<'_>) -> Result<SubjectIdentifier, Failure> {
    let pinned = policy.provider.subject_source;
    let mut candidates = result.subjects.iter().filter(|candidate| candidate.source == pinned);
    match (candidates.next(), candidates.next()) {
        (Some(candidate), None) if !candidate.value.trim().is_empty() => Ok(subject::derive(
            policy.subject_secret,
            &policy.provider.id,
            candidate,
            &policy.relying_party.sector,
        )),
        (Some(_), Some(_)) => Err(Failure::new(
            FailureCode::SubjectMissing,
            format!("{} sent more than one {}", policy.provider.id, pinned.key()),
        )),
        _ => Err(Failure::new(
            FailureCode::SubjectMissing,
            format!(
                "{} sent no {}, which its subject identifiers are made from",
                policy.provider.id,
                pinned.key()
            ),
        )),
    }
}

/// Whether it is somebody whom the relying party expects (OIDC Core 3.1.2.1 `id_token_hint`, 5.5.1 `sub`): nobody else's login may be
/// answered with success.
///
/// # Errors
/// [`FailureCode::SubjectMismatch`]; the cause names neither of the two.
pub fn expected(identifier: &SubjectIdentifier, request: &AuthenticationRequest) -> Result<(), Failure> {
    match &request.expected_subject {
        Some(expected) if !expected.is_met_by(identifier.as_str()) => Err(Failure::new(
            FailureCode::SubjectMismatch,
            "the person who signed in is not the one whom the relying party asked for",
        )),
        _ => Ok(()),
    }
}
