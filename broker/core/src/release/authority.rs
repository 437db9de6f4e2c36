//! What an organisation may answer for. Each identity-bearing attribute has a rule; no rule, no release (design decision 8).

use crate::{
    attribute::AttributeName,
    failure::{Failure, FailureCode},
    organisation::Organisation,
    policy::ProviderPolicy,
    result::AuthenticationResult,
    subject::SubjectSource,
};

/// How a value is bounded.
enum Rule {
    /// Says nothing of who somebody is: any provider may say it of its own people.
    Descriptive,
    /// The part after the last `@` is one of the organisation's scopes or its number.
    Scoped,
    /// An HSA-id under one of the organisation's prefixes.
    HsaId,
    /// An address in one of the organisation's domains.
    Mail,
    /// Never believed from an assertion: the registry knows.
    FromRegistry,
    /// Only where the federation operator has written it into the organisation's record.
    ByRecord,
}

fn rule(name: AttributeName) -> Rule {
    use AttributeName as A;
    match name {
        A::Surname
        | A::GivenName
        | A::MiddleName
        | A::DisplayName
        | A::OrganisationUnit
        | A::TelephoneNumber
        | A::Mobile
        | A::TransactionIdentifier
        | A::CommissionName
        | A::CommissionPurpose
        | A::CommissionRight => Rule::Descriptive,
        A::OrgAffiliation | A::SubjectId | A::PairwiseId | A::EduPersonPrincipalName => Rule::Scoped,
        A::EmployeeHsaId | A::CommissionHsaId | A::HealthCareProviderHsaId => Rule::HsaId,
        A::Mail => Rule::Mail,
        A::OrganisationName | A::OrganisationNumber => Rule::FromRegistry,
        A::Gender
        | A::PersonalIdentityNumber
        | A::CoordinationNumber
        | A::PreviousPersonalIdentityNumber
        | A::DateOfBirth
        | A::BirthName
        | A::Street
        | A::PostOfficeBox
        | A::PostalCode
        | A::Locality
        | A::Country
        | A::PlaceOfBirth
        | A::CountryOfCitizenship
        | A::CountryOfResidence
        | A::AuthContextParams
        | A::UserCertificate
        | A::UserSignature
        | A::AuthServerSignature
        | A::SignatureActivationData
        | A::SignMessageDigest
        | A::ProvisionalId
        | A::ProvisionalIdPersistence
        | A::IdentityBinding
        | A::MappedPersonalIdentityNumber
        | A::EidasPersonIdentifier
        | A::EidasAddress
        | A::HealthCareProviderName
        | A::HealthCareProfessionalLicence
        | A::HealthCareProfessionalSpeciality
        | A::GroupPrescriptionCode
        | A::PersonalPrescriptionCode => Rule::ByRecord,
    }
}

/// Bounds a result by the record of the provider's organisation.
///
/// A scoped value, an HSA-id or a subject under somebody else's name fails the login: it is either an attack or a fault that the
/// provider must mend. A mail address elsewhere, or an attribute that the record does not grant, is only dropped.
///
/// # Errors
/// [`FailureCode::AttributeOutsideAuthority`], naming the attribute and the organisation, never the value.
pub fn bound(
    mut result: AuthenticationResult,
    provider: &ProviderPolicy,
) -> Result<AuthenticationResult, Failure> {
    let organisation = &*provider.organisation;
    for (name, values) in result.attributes.iter() {
        let within = match rule(name) {
            Rule::Scoped => values.iter().all(|value| scope_is_owned(value, organisation)),
            Rule::HsaId => values.iter().all(|value| organisation.owns_hsa_id(value)),
            Rule::Descriptive | Rule::Mail | Rule::FromRegistry | Rule::ByRecord => true,
        };
        if !within {
            return Err(outside(name.key(), provider));
        }
    }
    for subject in &result.subjects {
        let within = match subject.source {
            SubjectSource::SubjectId | SubjectSource::PairwiseId | SubjectSource::OrgAffiliation => {
                scope_is_owned(&subject.value, organisation)
            }
            SubjectSource::EmployeeHsaId => organisation.owns_hsa_id(&subject.value),
            // Unique within the provider by construction: the derivation is namespaced by it.
            SubjectSource::PersistentNameId | SubjectSource::OidcSub => true,
        };
        if !within {
            return Err(outside(subject.source.key(), provider));
        }
    }
    let mail: Vec<String> = result
        .attributes
        .values(AttributeName::Mail)
        .iter()
        .filter(|address| address.rsplit_once('@').is_some_and(|(_, domain)| organisation.owns_host(domain)))
        .cloned()
        .collect();
    result.attributes.set(AttributeName::Mail, mail);
    result.attributes = result.attributes.filtered(|name, _| match rule(name) {
        Rule::Descriptive | Rule::Scoped | Rule::HsaId | Rule::Mail => true,
        Rule::FromRegistry => false,
        Rule::ByRecord => organisation.may_assert.contains(&name),
    });
    result.attributes.add(AttributeName::OrganisationNumber, organisation.number.as_str());
    if let Some(name) = organisation.name.best(&[]) {
        result.attributes.add(AttributeName::OrganisationName, name);
    }
    Ok(result)
}

/// The scope is what follows the last `@` (Sweden Connect attributes 3.1.3): `a@b@c` is scoped by `c`.
fn scope_is_owned(value: &str, organisation: &Organisation) -> bool {
    value.rsplit_once('@').is_some_and(|(local, scope)| !local.is_empty() && organisation.owns_scope(scope))
}

fn outside(what: &str, provider: &ProviderPolicy) -> Failure {
    Failure::new(
        FailureCode::AttributeOutsideAuthority,
        format!("{} asserted {what} outside what {} answers for", provider.id, provider.organisation.number),
    )
}
