//! Attributes as claims: the one table, and how values change on the way.
//!
//! Sources: OpenID Connect Core 5.1 (standard claims), the Swedish claims specification 2 (`https://id.oidc.se/claim/`), OpenID Connect
//! for Identity Assurance (`place_of_birth`, `nationalities`), RFC 8417 (`txn`), and Inera's names for health-care attributes. A claim
//! that is not in the table does not exist for us (OIDC Core 5.5: claims that are not understood are ignored).
//!
//! Neighbours: [`crate::scope`] says which claims a scope stands for; `op/claims_parameter.rs` reads the `claims` parameter.

use broker_core::{
    attribute::{AttributeName, Attributes},
    release::ReleasedIdentity,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::Form::{AcrLevel, AuthenticatingProvider, AuthenticationTime, OldCoordinationNumber};
use self::Form::{Address, Array, CoordinationNumber, Date, First, Gender, Locality, OneOrMany, Single};
use AttributeName as A;

/// How the values of attributes become the value of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The only value; several are ambiguous and give no claim.
    Single,
    /// The first value of the first attribute that has one.
    First,
    /// A string for one value, an array for several.
    OneOrMany,
    /// Always an array.
    Array,
    /// `male` or `female` (OIDC Core 5.1); anything else gives no claim.
    Gender,
    /// `YYYY-MM-DD` (OIDC Core 5.1).
    Date,
    /// The address object (OIDC Core 5.1.1).
    Address,
    /// An object with the locality alone.
    Locality,
    /// Only where there is no personal identity number (Swedish claims 3.2: one or the other).
    CoordinationNumber,
    /// An earlier number, where it is a coordination number.
    OldCoordinationNumber,
    /// The level that leaves.
    AcrLevel,
    /// The original time of authentication.
    AuthenticationTime,
    /// The provider whose signed message we verified.
    AuthenticatingProvider,
}

macro_rules! claims {
    ($($variant:ident, $name:literal, [$($attribute:ident),*], $form:ident, $doc:literal;)*) => {
        /// One claim that we can make.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Claim {
            $(#[doc = $doc] $variant,)*
        }

        impl Claim {
            /// Every claim.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The attributes that it is made from; empty for claims about the authentication itself.
            #[must_use]
            pub fn attributes(self) -> &'static [AttributeName] {
                match self { $(Self::$variant => &[$(A::$attribute),*],)* }
            }

            fn fixed_name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            fn form(self) -> Form {
                match self { $(Self::$variant => $form,)* }
            }
        }
    };
}

claims! {
    Name, "name", [DisplayName], Single, "The name as it is shown.";
    FamilyName, "family_name", [Surname], Single, "Family name.";
    GivenName, "given_name", [GivenName], Single, "Given name.";
    MiddleName, "middle_name", [MiddleName], Single, "Middle name.";
    Gender, "gender", [Gender], Gender, "`male` or `female`.";
    Birthdate, "birthdate", [DateOfBirth], Date, "Date of birth.";
    Email, "email", [Mail], First, "E-mail address. `email_verified` is never said: we have verified nothing.";
    PhoneNumber, "phone_number", [TelephoneNumber, Mobile], First, "Telephone number.";
    Address, "address", [Street, PostOfficeBox, PostalCode, Locality, Country], Address, "Postal address.";
    PlaceOfBirth, "place_of_birth", [PlaceOfBirth], Locality, "Place of birth.";
    Nationalities, "nationalities", [CountryOfCitizenship], Array, "Citizenships.";
    PersonalIdentityNumber, "https://id.oidc.se/claim/personalIdentityNumber", [PersonalIdentityNumber], Single, "Personnummer.";
    CoordinationNumber, "https://id.oidc.se/claim/coordinationNumber", [CoordinationNumber], CoordinationNumber, "Samordningsnummer.";
    PreviousCoordinationNumber, "https://id.oidc.se/claim/previousCoordinationNumber", [PreviousPersonalIdentityNumber], OldCoordinationNumber, "An earlier samordningsnummer.";
    OrganisationName, "https://id.oidc.se/claim/orgName", [OrganisationName], Single, "Name of the organisation.";
    OrganisationUnit, "https://id.oidc.se/claim/orgUnit", [OrganisationUnit], OneOrMany, "Unit within the organisation.";
    OrganisationNumber, "https://id.oidc.se/claim/orgNumber", [OrganisationNumber], Single, "Organisationsnummer.";
    OrgAffiliation, "https://id.oidc.se/claim/orgAffiliation", [OrgAffiliation], OneOrMany, "The service identity.";
    UserCertificate, "https://id.oidc.se/claim/userCertificate", [UserCertificate], Single, "Certificate of the person.";
    UserSignature, "https://id.oidc.se/claim/userSignature", [UserSignature], Single, "Signature by the person.";
    AuthenticationEvidence, "https://id.oidc.se/claim/authnEvidence", [AuthServerSignature], Single, "Evidence of the authentication.";
    EmployeeHsaId, "employeeHsaId", [EmployeeHsaId], OneOrMany, "HSA-id; its name can be configured.";
    CommissionHsaId, "commissionHsaId", [CommissionHsaId], Single, "HSA-id of the commission.";
    CommissionName, "commissionName", [CommissionName], Single, "Name of the commission.";
    CommissionPurpose, "commissionPurpose", [CommissionPurpose], Single, "Purpose of the commission.";
    CommissionRight, "commissionRight", [CommissionRight], Array, "Rights of the commission.";
    HealthCareProviderHsaId, "healthCareProviderHsaId", [HealthCareProviderHsaId], Single, "HSA-id of the care provider.";
    HealthCareProviderName, "healthCareProviderName", [HealthCareProviderName], Single, "Name of the care provider.";
    HealthCareProfessionalLicence, "healthcareProfessionalLicense", [HealthCareProfessionalLicence], Array, "Licences.";
    HealthCareProfessionalSpeciality, "healthCareProfessionalLicenceSpeciality", [HealthCareProfessionalSpeciality], Array, "Specialities.";
    GroupPrescriptionCode, "groupPrescriptionCode", [GroupPrescriptionCode], Array, "Group prescription codes.";
    PersonalPrescriptionCode, "personalPrescriptionCode", [PersonalPrescriptionCode], Single, "Personal prescription code.";
    Transaction, "txn", [TransactionIdentifier], Single, "The provider's name for this authentication.";
    Acr, "acr", [], AcrLevel, "The level that leaves; always in the ID token where there is one.";
    AuthTime, "auth_time", [], AuthenticationTime, "The original time of authentication; always in the ID token.";
    AuthenticatingProvider, "https://id.oidc.se/claim/authnProvider", [], AuthenticatingProvider, "Who authenticated.";
}

/// The claim names that a federation can choose: the Swedish profile has none for HSA-id, and its users have several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimNames {
    /// What the HSA-id of an employee is called; `employeeHsaId` (Inera) unless configured.
    pub employee_hsa_id: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self { employee_hsa_id: Claim::EmployeeHsaId.fixed_name().to_owned() }
    }
}

impl Claim {
    /// The claim's name on the wire.
    #[must_use]
    pub fn name(self, names: &ClaimNames) -> &str {
        match self {
            Self::EmployeeHsaId => &names.employee_hsa_id,
            other => other.fixed_name(),
        }
    }

    /// The claim of that name; `None` when we do not make such a claim.
    #[must_use]
    pub fn from_name(name: &str, names: &ClaimNames) -> Option<Self> {
        Self::ALL.iter().copied().find(|claim| claim.name(names) == name)
    }

    /// The claim's value out of what is released; `None` when there is nothing to say.
    #[must_use]
    pub fn value(self, identity: &ReleasedIdentity) -> Option<Value> {
        let attributes = &identity.attributes;
        let names = self.attributes();
        let all = || names.iter().flat_map(|name| attributes.values(*name));
        let single = || names.first().and_then(|name| attributes.single(*name));
        match self.form() {
            Single => single().map(Value::from),
            First => all().next().map(|value| Value::from(value.as_str())),
            OneOrMany => {
                let values: Vec<&String> = all().collect();
                match values.as_slice() {
                    [] => None,
                    [only] => Some(Value::from(only.as_str())),
                    several => Some(json!(several)),
                }
            }
            Array => {
                let values: Vec<&String> = all().collect();
                (!values.is_empty()).then(|| json!(values))
            }
            Gender => match single()? {
                "M" | "m" => Some(Value::from("male")),
                "F" | "f" => Some(Value::from("female")),
                _ => None,
            },
            Date => single().filter(|date| is_date(date)).map(Value::from),
            Address => address(attributes),
            Locality => single().map(|place| json!({ "locality": place })),
            CoordinationNumber => {
                let numbered = !attributes.values(A::PersonalIdentityNumber).is_empty();
                single().filter(|_| !numbered).map(Value::from)
            }
            OldCoordinationNumber => {
                single().filter(|number| is_coordination_number(number)).map(Value::from)
            }
            AcrLevel => identity.assurance.as_ref().map(|level| Value::from(level.as_str())),
            AuthenticationTime => Some(Value::from(identity.authenticated_at.0)),
            // Not the innermost name that the provider mentions: that one is hearsay, and a relying party may build on this claim.
            AuthenticatingProvider => Some(Value::from(identity.provider.as_str())),
        }
    }
}

impl Claim {
    /// Whether it is an array also where there is one value.
    pub(crate) fn is_always_a_list(self) -> bool {
        self.form() == Array
    }

    /// The values of this claim's attributes that could give it one of `acceptable`; empty: any, and the claim itself is looked at. Only
    /// a first sieve: what is no string becomes text that the claim is then not equal to.
    pub(crate) fn attribute_values(self, acceptable: &[Value]) -> Vec<String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match self.form() {
            Single | First | OneOrMany | Date | CoordinationNumber | OldCoordinationNumber => acceptable
                .iter()
                .flat_map(|value| match value {
                    Value::Array(several) => several.iter().map(text).collect(),
                    one => vec![text(one)],
                })
                .collect(),
            Gender => acceptable
                .iter()
                .flat_map(|value| match value.as_str() {
                    Some("male") => ["M", "m"].map(str::to_owned).to_vec(),
                    Some("female") => ["F", "f"].map(str::to_owned).to_vec(),
                    _ => vec![text(value)],
                })
                .collect(),
            Array | Address | Locality | AcrLevel | AuthenticationTime | AuthenticatingProvider => Vec::new(),
        }
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// Twelve digits whose day is 61 to 91: the day of birth plus 60.
fn is_coordination_number(number: &str) -> bool {
    number.len() == 12
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && number.get(6..8).and_then(|day| day.parse::<u8>().ok()).is_some_and(|day| (61..=91).contains(&day))
}

/// OIDC Core 5.1.1; street and post office box share `street_address`, on lines of their own.
fn address(attributes: &Attributes) -> Option<Value> {
    let street: Vec<&str> =
        [A::Street, A::PostOfficeBox].into_iter().filter_map(|name| attributes.single(name)).collect();
    let mut members = Map::new();
    if !street.is_empty() {
        members.insert("street_address".to_owned(), Value::from(street.join("\n")));
    }
    for (member, name) in [("postal_code", A::PostalCode), ("locality", A::Locality), ("country", A::Country)]
    {
        if let Some(value) = attributes.single(name) {
            members.insert(member.to_owned(), Value::from(value));
        }
    }
    (!members.is_empty()).then_some(Value::Object(members))
}

#[cfg(test)]
mod tests;
