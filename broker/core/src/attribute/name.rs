//! The closed list of attributes: one row each.

use serde::{Deserialize, Serialize};

macro_rules! attributes {
    ($($variant:ident, $key:literal, $multi:literal, $doc:literal;)*) => {
        /// One thing that can be said of a person.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum AttributeName {
            $(#[doc = $doc] #[serde(rename = $key)] $variant,)*
        }

        impl AttributeName {
            /// Every attribute there is.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable key used in configuration, in organisation records and in texts.
            #[must_use]
            pub fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)* }
            }

            /// The attribute of that key.
            #[must_use]
            pub fn from_key(key: &str) -> Option<Self> {
                match key { $($key => Some(Self::$variant),)* _ => None }
            }

            /// Whether more than one value means anything.
            #[must_use]
            pub fn is_multi_valued(self) -> bool {
                match self { $(Self::$variant => $multi,)* }
            }
        }
    };
}

attributes! {
    Surname, "surname", false, "Family name (sn).";
    GivenName, "given_name", false, "Given name.";
    MiddleName, "middle_name", false, "Middle name.";
    DisplayName, "display_name", false, "The name as the person or the employer wants it shown; may be anonymised.";
    Gender, "gender", false, "M, F or U.";
    PersonalIdentityNumber, "personal_identity_number", false, "Personnummer, 12 digits.";
    CoordinationNumber, "coordination_number", false, "Samordningsnummer, 12 digits; told apart from a personnummer by its day field.";
    PreviousPersonalIdentityNumber, "previous_personal_identity_number", false, "An earlier number.";
    DateOfBirth, "date_of_birth", false, "YYYY-MM-DD.";
    BirthName, "birth_name", false, "Full name at birth.";
    Street, "street", false, "Street address.";
    PostOfficeBox, "post_office_box", false, "Post office box.";
    PostalCode, "postal_code", false, "Postal code.";
    Locality, "locality", false, "Town.";
    Country, "country", false, "ISO 3166-1 alpha-2.";
    PlaceOfBirth, "place_of_birth", false, "Place of birth.";
    CountryOfCitizenship, "country_of_citizenship", true, "Citizenships.";
    CountryOfResidence, "country_of_residence", false, "Country of residence.";
    TelephoneNumber, "telephone_number", true, "Telephone numbers.";
    Mobile, "mobile", true, "Mobile telephone numbers.";
    Mail, "mail", true, "E-mail addresses.";
    OrganisationName, "organisation_name", false, "Registered name of the organisation; from the registry, never from an assertion.";
    OrganisationUnit, "organisation_unit", true, "Unit within the organisation.";
    OrganisationNumber, "organisation_number", false, "Organisationsnummer, 10 digits; from the registry, never from an assertion.";
    OrgAffiliation, "org_affiliation", true, "`personal-id@organisation-number`: the service identity.";
    TransactionIdentifier, "transaction_identifier", false, "The provider's name for this authentication.";
    AuthContextParams, "auth_context_params", false, "Key=value pairs about the authentication.";
    UserCertificate, "user_certificate", false, "Base64 X.509.";
    UserSignature, "user_signature", false, "Base64.";
    AuthServerSignature, "auth_server_signature", false, "Base64 evidence from the authentication server.";
    SignatureActivationData, "signature_activation_data", false, "Signature activation data.";
    SignMessageDigest, "sign_message_digest", false, "Digest of a message that was shown.";
    ProvisionalId, "provisional_id", false, "EIDAS prid.";
    ProvisionalIdPersistence, "provisional_id_persistence", false, "A, B or C.";
    IdentityBinding, "identity_binding", false, "How a mapped number was bound.";
    MappedPersonalIdentityNumber, "mapped_personal_identity_number", false, "A number mapped from eIDAS.";
    EidasPersonIdentifier, "eidas_person_identifier", false, "The identifier from the other country.";
    EidasAddress, "eidas_address", false, "The address from the other country.";
    EmployeeHsaId, "employee_hsa_id", true, "HSA-id of the employee.";
    CommissionHsaId, "commission_hsa_id", false, "HSA-id of the commission (medarbetaruppdrag).";
    CommissionName, "commission_name", false, "Name of the commission.";
    CommissionPurpose, "commission_purpose", false, "Purpose of the commission.";
    CommissionRight, "commission_right", true, "Rights of the commission.";
    HealthCareProviderHsaId, "health_care_provider_hsa_id", false, "HSA-id of the care provider (vårdgivare).";
    HealthCareProviderName, "health_care_provider_name", false, "Name of the care provider.";
    HealthCareProfessionalLicence, "health_care_professional_licence", true, "Licences.";
    HealthCareProfessionalSpeciality, "health_care_professional_speciality", true, "Specialities.";
    GroupPrescriptionCode, "group_prescription_code", true, "Group prescription codes.";
    PersonalPrescriptionCode, "personal_prescription_code", false, "Personal prescription code.";
    SubjectId, "subject_id", false, "SAML subject-id.";
    PairwiseId, "pairwise_id", false, "SAML pairwise-id.";
    EduPersonPrincipalName, "edu_person_principal_name", false, "EduPersonPrincipalName.";
}

impl std::fmt::Display for AttributeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.key())
    }
}
