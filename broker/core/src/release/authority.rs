//! What a provider may answer for. Each attribute has a rule; no rule, no release (design decision 8).
//!
//! | what | outside the record |
//! |---|---|
//! | scoped values, HSA-ids, subject identifiers, another organisation number | the login fails: an attack, or a fault that the provider must mend |
//! | mail elsewhere, numbers that are none, attributes that the record does not grant | dropped: it says nothing, and the login may do without |
//! | organisation name and number | replaced by the registry's |
//!
//! Neighbours: `crate::authority` says whose a value is, `crate::attribute::form` what it must look like.

use crate::{
    attribute::{
        AttributeName, Attributes,
        form::{NumberKind, kind_of_number},
    },
    failure::{Failure, FailureCode},
    policy::ProviderPolicy,
    result::AuthenticationResult,
    subject::SubjectSource,
};

/// How a value is bounded.
#[derive(Clone, Copy)]
enum Rule {
    /// Says nothing of who somebody is: any provider may say it of its own people.
    Descriptive,
    /// The part after the last `@` is one of the provider's scopes.
    Scoped {
        /// By its definition there is no other `@`.
        one_at: bool,
    },
    /// An HSA-id under one of the provider's prefixes.
    HsaId,
    /// Of a commission, which must be named by an HSA-id of the provider's in the same answer.
    OfCommission,
    /// An address in one of the organisation's domains.
    Mail,
    /// Never believed from an assertion: the registry knows.
    RegisteredName,
    /// The same, and another than the registered one is a lie.
    RegisteredNumber,
    /// A number of the Swedish state's, by its kind; only where the record grants that kind.
    Number,
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
        | A::TransactionIdentifier => Rule::Descriptive,
        A::OrgAffiliation => Rule::Scoped { one_at: false },
        A::SubjectId | A::PairwiseId | A::EduPersonPrincipalName => Rule::Scoped { one_at: true },
        A::EmployeeHsaId | A::CommissionHsaId | A::HealthCareProviderHsaId => Rule::HsaId,
        A::CommissionName | A::CommissionPurpose | A::CommissionRight => Rule::OfCommission,
        A::Mail => Rule::Mail,
        A::OrganisationName => Rule::RegisteredName,
        A::OrganisationNumber => Rule::RegisteredNumber,
        A::PersonalIdentityNumber
        | A::CoordinationNumber
        | A::PreviousPersonalIdentityNumber
        | A::MappedPersonalIdentityNumber => Rule::Number,
        A::Gender
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
        | A::EidasPersonIdentifier
        | A::EidasAddress
        | A::HealthCareProviderName
        | A::HealthCareProfessionalLicence
        | A::HealthCareProfessionalSpeciality
        | A::GroupPrescriptionCode
        | A::PersonalPrescriptionCode => Rule::ByRecord,
    }
}

/// Bounds a result by what its provider may say. Values leave as they were written, but for a scope and a domain, which have one spelling.
///
/// # Errors
/// [`FailureCode::AttributeOutsideAuthority`], naming the attribute and the organisation, never the value.
pub fn bound(
    mut result: AuthenticationResult,
    provider: &ProviderPolicy,
) -> Result<AuthenticationResult, Failure> {
    let authority = &provider.authority;
    let told = &result.attributes;
    let mut attributes = Attributes::new();
    for (name, values) in told.iter() {
        let outside = || outside(name.key(), provider);
        let kept = match rule(name) {
            Rule::Descriptive => values.to_vec(),
            Rule::Scoped { one_at } => values
                .iter()
                .map(|value| authority.scoped_value(value, one_at))
                .collect::<Option<_>>()
                .ok_or_else(outside)?,
            Rule::HsaId if values.iter().all(|value| authority.owns_hsa_id(value)) => values.to_vec(),
            Rule::HsaId => return Err(outside()),
            // A foreign commission has failed the login by its own rule; without one, nobody knows whose words these are.
            Rule::OfCommission if !told.values(AttributeName::CommissionHsaId).is_empty() => values.to_vec(),
            Rule::Mail => values.iter().filter_map(|value| authority.mail(value)).collect(),
            Rule::RegisteredNumber
                if values.iter().any(|value| is_another(value, provider.organisation.number.as_str())) =>
            {
                return Err(outside());
            }
            Rule::ByRecord if authority.may_assert(name) => values.to_vec(),
            Rule::OfCommission
            | Rule::RegisteredName
            | Rule::RegisteredNumber
            | Rule::ByRecord
            | Rule::Number => Vec::new(),
        };
        attributes.set(name, kept);
    }
    for (name, number) in numbers(&result) {
        if authority.may_assert(name) {
            attributes.set(name, vec![number]);
        }
    }
    attributes.set(AttributeName::OrganisationNumber, vec![provider.organisation.number.to_string()]);
    let registered = provider.organisation.name.best(&[]);
    attributes.set(AttributeName::OrganisationName, registered.into_iter().map(str::to_owned).collect());
    result.attributes = attributes;
    for subject in &mut result.subjects {
        let scoped = |one_at| authority.scoped_value(&subject.value, one_at);
        let within = match subject.source {
            SubjectSource::SubjectId | SubjectSource::PairwiseId => scoped(true),
            SubjectSource::OrgAffiliation => scoped(false),
            SubjectSource::EmployeeHsaId => {
                authority.owns_hsa_id(&subject.value).then(|| subject.value.clone())
            }
            // Unique within the provider by construction: the derivation is namespaced by it.
            SubjectSource::PersistentNameId | SubjectSource::OidcSub => Some(subject.value.clone()),
        };
        subject.value = within.ok_or_else(|| outside(subject.source.key(), provider))?;
    }
    Ok(result)
}

/// Whether a text names another organisation than `own`.
fn is_another(text: &str, own: &str) -> bool {
    number_in(text).is_some_and(|number| number != own)
}

/// The organisation number that a text is. Hyphens, the `16` that authorities put in front, and ETSI's `NTRSE-` make no difference; a text without
/// ten digits names nobody.
pub(super) fn number_in(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let number = digits.strip_prefix("16").filter(|rest| rest.len() == 10).unwrap_or(&digits);
    (number.len() == 10).then(|| number.to_owned())
}

/// The numbers that can be believed, each under the name of its kind, whatever name it came under. Text that is no number is dropped, and so are two
/// current numbers of one person: whose would they be? With a non-resident level there is none at all (Sweden Connect identifiers 3.1.1).
fn numbers(result: &AuthenticationResult) -> Vec<(AttributeName, String)> {
    use AttributeName as A;
    if result.assurance.as_ref().is_some_and(crate::assurance::Assurance::is_nonresident) {
        return Vec::new();
    }
    let told = &result.attributes;
    let mut found = Vec::new();
    let mut current: Vec<&String> = [A::PersonalIdentityNumber, A::CoordinationNumber]
        .into_iter()
        .flat_map(|name| told.values(name))
        .filter(|value| kind_of_number(value).is_some())
        .collect();
    current.dedup();
    if let [number] = current.as_slice() {
        found.extend(kind_of_number(number).map(|kind| match kind {
            NumberKind::Personal => (A::PersonalIdentityNumber, (*number).clone()),
            NumberKind::Coordination => (A::CoordinationNumber, (*number).clone()),
        }));
    }
    for name in [A::PreviousPersonalIdentityNumber, A::MappedPersonalIdentityNumber] {
        let bound = name != A::MappedPersonalIdentityNumber || is_bound(told);
        found.extend(
            told.single(name)
                .filter(|number| bound && kind_of_number(number).is_some())
                .map(|number| (name, number.to_owned())),
        );
    }
    found
}

/// How a number was found for somebody who came with a foreign e-ID (Sweden Connect identifiers registry).
const BINDINGS: [&str; 2] = [
    "http://id.swedenconnect.se/id-binding/process/populationregister",
    "http://id.swedenconnect.se/id-binding/process/swedish-eid",
];

/// A mapped number counts only with the processes that bound it, each of them known (Sweden Connect attributes 3.1).
fn is_bound(told: &Attributes) -> bool {
    told.single(AttributeName::IdentityBinding)
        .is_some_and(|processes| processes.split(';').all(|process| BINDINGS.contains(&process.trim())))
}

fn outside(what: &str, provider: &ProviderPolicy) -> Failure {
    Failure::new(
        FailureCode::AttributeOutsideAuthority,
        format!("{} asserted {what} outside what {} answers for", provider.id, provider.organisation.number),
    )
}

#[cfg(test)]
mod tests;
