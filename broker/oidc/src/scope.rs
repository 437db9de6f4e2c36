//! Scopes: which claims each stands for, where they are delivered, and which of them the relying party cannot do without.
//!
//! Sources: OpenID Connect Core 5.4 (standard scopes), the Swedish claims specification 3 (`https://id.oidc.se/scope/`). Scopes that are
//! not here are ignored (OIDC Core 3.1.2.1); `offline_access` is one of them, since no refresh token is ever issued.

use crate::claims::Claim;

/// A claim that a scope stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopedClaim {
    /// Which.
    pub claim: Claim,
    /// Delivered in the ID token as well as from the userinfo endpoint, where every scoped claim is.
    pub in_id_token: bool,
    /// The scope's definition calls it essential.
    pub essential: bool,
    /// The one that does as well where this one is essential.
    pub or: Option<Claim>,
}

const fn userinfo(claim: Claim) -> ScopedClaim {
    ScopedClaim { claim, in_id_token: false, essential: false, or: None }
}

const PROFILE: &[ScopedClaim] = &[
    userinfo(Claim::Name),
    userinfo(Claim::FamilyName),
    userinfo(Claim::GivenName),
    userinfo(Claim::MiddleName),
    userinfo(Claim::Gender),
    userinfo(Claim::Birthdate),
];

const NATURAL_PERSON_INFO: &[ScopedClaim] = &[
    userinfo(Claim::FamilyName),
    userinfo(Claim::GivenName),
    userinfo(Claim::MiddleName),
    userinfo(Claim::Name),
    userinfo(Claim::Birthdate),
];

/// Swedish claims 3.2: one of the two is essential, whichever the person has.
const NATURAL_PERSON_NUMBER: &[ScopedClaim] = &[
    ScopedClaim {
        claim: Claim::PersonalIdentityNumber,
        in_id_token: true,
        essential: true,
        or: Some(Claim::CoordinationNumber),
    },
    ScopedClaim { claim: Claim::CoordinationNumber, in_id_token: true, essential: false, or: None },
];

const NATURAL_PERSON_ORG_ID: &[ScopedClaim] = &[
    userinfo(Claim::Name),
    userinfo(Claim::OrganisationName),
    userinfo(Claim::OrganisationNumber),
    ScopedClaim { claim: Claim::OrgAffiliation, in_id_token: true, essential: true, or: None },
];

/// A scope that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// `openid`: an ID token at all.
    OpenId,
    /// `profile`.
    Profile,
    /// `email`.
    Email,
    /// `phone`.
    Phone,
    /// `address`.
    Address,
    /// Swedish claims 3.1.
    NaturalPersonInfo,
    /// Swedish claims 3.2.
    NaturalPersonNumber,
    /// Swedish claims 3.3: the service identity.
    NaturalPersonOrgId,
}

impl Scope {
    /// Every scope.
    pub const ALL: &[Self] = &[
        Self::OpenId,
        Self::Profile,
        Self::Email,
        Self::Phone,
        Self::Address,
        Self::NaturalPersonInfo,
        Self::NaturalPersonNumber,
        Self::NaturalPersonOrgId,
    ];

    /// The scope's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Address => "address",
            Self::NaturalPersonInfo => "https://id.oidc.se/scope/naturalPersonInfo",
            Self::NaturalPersonNumber => "https://id.oidc.se/scope/naturalPersonNumber",
            Self::NaturalPersonOrgId => "https://id.oidc.se/scope/naturalPersonOrgId",
        }
    }

    /// The scope of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.name() == name)
    }

    /// The claims that it stands for.
    #[must_use]
    pub fn claims(self) -> &'static [ScopedClaim] {
        match self {
            Self::OpenId => &[],
            Self::Profile => PROFILE,
            Self::Email => const { &[userinfo(Claim::Email)] },
            Self::Phone => const { &[userinfo(Claim::PhoneNumber)] },
            Self::Address => const { &[userinfo(Claim::Address)] },
            Self::NaturalPersonInfo => NATURAL_PERSON_INFO,
            Self::NaturalPersonNumber => NATURAL_PERSON_NUMBER,
            Self::NaturalPersonOrgId => NATURAL_PERSON_ORG_ID,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;
    use crate::claims::Claim;

    #[test]
    fn every_name_leads_back_to_its_scope() {
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.name()), Some(*scope));
        }
        for unknown in ["OpenID", "offline_access", "", "https://id.oidc.se/scope/sign"] {
            assert_eq!(Scope::from_name(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn the_service_identity_is_in_the_id_token_and_its_names_are_not() {
        let claims = Scope::NaturalPersonOrgId.claims();
        let in_id_token: Vec<_> = claims.iter().filter(|row| row.in_id_token).map(|row| row.claim).collect();
        assert_eq!(in_id_token, [Claim::OrgAffiliation]);
    }

    #[test]
    fn no_standard_scope_brings_a_number() {
        for scope in [Scope::OpenId, Scope::Profile, Scope::Email, Scope::Phone, Scope::Address] {
            assert!(scope.claims().iter().all(|row| {
                ![Claim::PersonalIdentityNumber, Claim::CoordinationNumber].contains(&row.claim)
            }));
        }
    }
}
