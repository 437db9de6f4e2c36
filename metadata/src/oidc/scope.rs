//! The scopes that relying parties may register, and the attributes that each stands for.
//!
//! Sources: OIDC Core 5.4; OIDC Sweden, claims and scopes specification 3; Sweden Connect claims specification. Where each claim
//! goes (ID token or userinfo) is the business of `broker-oidc/scope.rs`.

use broker_core::attribute::AttributeName as A;

/// `openid`, which every request must carry.
pub const OPENID: &str = "openid";

/// Every scope with what it stands for.
pub const SCOPES: &[(&str, &[A])] = &[
    (OPENID, &[]),
    ("profile", &[A::Surname, A::GivenName, A::MiddleName, A::DisplayName, A::Gender, A::DateOfBirth]),
    ("email", &[A::Mail]),
    ("phone", &[A::TelephoneNumber, A::Mobile]),
    ("address", &[A::Street, A::PostOfficeBox, A::PostalCode, A::Locality, A::Country]),
    (
        "https://id.oidc.se/scope/naturalPersonInfo",
        &[A::Surname, A::GivenName, A::MiddleName, A::DisplayName, A::DateOfBirth],
    ),
    ("https://id.oidc.se/scope/naturalPersonNumber", &[A::PersonalIdentityNumber, A::CoordinationNumber]),
    (
        "https://id.oidc.se/scope/naturalPersonOrgId",
        &[A::DisplayName, A::OrganisationName, A::OrganisationNumber, A::OrgAffiliation],
    ),
    (
        "https://id.swedenconnect.se/scope/eidasNaturalPersonIdentity",
        &[A::ProvisionalId, A::ProvisionalIdPersistence, A::EidasPersonIdentifier],
    ),
    (
        "https://id.swedenconnect.se/scope/eidasSwedishIdentity",
        &[A::MappedPersonalIdentityNumber, A::IdentityBinding],
    ),
];

/// What a scope stands for; `None`: there is no such scope.
#[must_use]
pub fn attributes(scope: &str) -> Option<&'static [A]> {
    SCOPES.iter().find(|(name, _)| *name == scope).map(|(_, attributes)| *attributes)
}
