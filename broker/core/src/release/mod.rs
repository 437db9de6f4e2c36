//! Between "proved" and "leaves": an ordered list of single-purpose steps. Default deny: what no step lets through does not leave.
//!
//! 1. [`organisation`]: which organisation the answer proves, of those that the provider speaks for;
//! 2. [`authority`]: what that organisation may not answer for fails the login or is dropped;
//! 3. [`assurance`]: asked for, registered, under the ceiling, and mapped to what we may say;
//! 4. [`attributes`]: requested *and* entitled, *and* agreed to by the employer ([`connection`]);
//! 5. [`subject_identifier`]: from the pinned source alone, and of somebody whom the relying party expects;
//! 6. [`passing_on`]: as far as the provider lets its word be repeated;
//! 7. [`notice`]: what the person is shown before anything leaves.
//!
//! [`account`] tells of a release that was only tried, why each attribute would leave or not.

pub mod account;
pub mod assurance;
pub mod attributes;
pub mod authority;
pub mod connection;
pub mod notice;
pub mod organisation;
pub mod passing_on;
pub mod subject_identifier;

use serde::{Deserialize, Serialize};

use crate::{
    assurance::{Assurance, OutputMap},
    attribute::{AttributeName, Attributes},
    connection::Connections,
    failure::Failure,
    identifier::ProviderId,
    moment::Timestamp,
    organisation::OrganisationNumber,
    policy::{ProviderPolicy, RelyingPartyPolicy},
    request::AuthenticationRequest,
    result::{AuthenticationResult, PassingOn},
    subject::{SubjectIdentifier, SubjectSecret},
    suspension::{Grounds, KeyFingerprint, Suspensions},
};

/// What may leave, to one relying party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedIdentity {
    /// Who it is, to this sector.
    pub subject: SubjectIdentifier,
    /// What is said of them.
    pub attributes: Attributes,
    /// What the provider said, and the relying party might have had, and did not keep its rule: names, for the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<AttributeName>,
    /// What the provider said, and the relying party asked for and is entitled to, and the employer has not agreed to: names, for the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_agreed: Vec<AttributeName>,
    /// At which level, after the output map.
    pub assurance: Option<Assurance>,
    /// The original time of authentication.
    pub authenticated_at: Timestamp,
    /// Until when the provider lets us rely on it.
    pub session_ends: Option<Timestamp>,
    /// The provider that answered us.
    pub provider: ProviderId,
    /// The organisation that it proved the person to belong to.
    pub organisation: OrganisationNumber,
    /// The key that verified it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyFingerprint>,
    /// Who authenticated: the provider, or one that is registered as standing behind it (`https://id.oidc.se/claim/authnProvider`).
    pub authenticated_by: ProviderId,
    /// Everybody who took part, the provider last (SAML AuthenticatingAuthority).
    pub authorities: Vec<String>,
    /// How far the relying party may pass it on.
    #[serde(default)]
    pub passing_on: PassingOn,
}

impl ReleasedIdentity {
    /// What it stands on, to be held against what is suspended whenever it is taken up again.
    #[must_use]
    pub fn grounds(&self) -> Grounds {
        Grounds { provider: self.provider.clone(), organisation: self.organisation.clone(), key: self.key }
    }
}

/// What the steps need besides the result.
#[derive(Clone, Copy)]
pub struct Policy<'a> {
    /// Who authenticated.
    pub provider: &'a ProviderPolicy,
    /// Who asked.
    pub relying_party: &'a RelyingPartyPolicy,
    /// What may be said of levels.
    pub output_map: &'a OutputMap,
    /// What subject identifiers are made with.
    pub subject_secret: &'a dyn SubjectSecret,
    /// What is suspended now: the organisation that is proven may be.
    pub suspensions: &'a Suspensions,
    /// What employers agreed to: that of the proven organisation counts.
    pub connections: &'a Connections,
}

/// Runs the list.
///
/// # Errors
/// The first step that says no.
pub fn release(
    result: AuthenticationResult,
    request: &AuthenticationRequest,
    policy: Policy<'_>,
) -> Result<ReleasedIdentity, Failure> {
    let policy = Policy { provider: organisation::proven(&result, policy.provider)?, ..policy };
    let told: Vec<AttributeName> = result.attributes.names().collect();
    let result = authority::bound(result, policy.provider)?;
    let assurance = assurance::leaving(&result, request, policy)?;
    let subject = subject_identifier::derive(&result, policy)?;
    subject_identifier::expected(&subject, request)?;
    let attributes = attributes::leaving(&result, request, policy)?;
    let passing_on = passing_on::allowed(result.passing_on, policy.relying_party)?;
    let might_leave = |name: AttributeName| {
        policy.relying_party.entitled.contains(&name)
            && request.attributes.iter().any(|wanted| wanted.name == name)
    };
    let dropped = told
        .into_iter()
        .filter(|name| might_leave(*name) && result.attributes.values(*name).is_empty())
        .collect();
    let not_agreed = result
        .attributes
        .names()
        .filter(|name| might_leave(*name) && !connection::agreed(*name, policy))
        .collect();
    Ok(ReleasedIdentity {
        subject,
        attributes,
        dropped,
        not_agreed,
        assurance,
        authenticated_at: result.authenticated_at,
        session_ends: result.session_ends,
        authenticated_by: passing_on::authenticated_by(&result.authorities, policy.provider),
        authorities: passing_on::authorities(result.authorities, &result.provider),
        provider: result.provider,
        organisation: policy.provider.organisation.number.clone(),
        key: result.key,
        passing_on,
    })
}

#[cfg(test)]
mod tests;
