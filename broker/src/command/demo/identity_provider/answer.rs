//! What the provider says of somebody, in its organisation's dialect, and how it says no.

use broker_core::{
    attribute::AttributeName,
    moment::{Moment, Timestamp},
    role::Outbound,
};
use broker_saml::{
    attributes::{SamlAttribute, saml_name},
    binding::post,
    idp::{AssertionToIssue, ErrorToIssue, NameIdToIssue, Signed},
    name_id::{PERSISTENT, TRANSIENT},
    status::{SecondLevel, TopLevel},
};
use certs::{query_signature::MessageParameter, xml_encryption::Encryption};

use super::{super::memory::random, IdentityProvider, SESSION_SECONDS, request::Asked};
use crate::command::demo::cast::{Dialect, Employee, Employer};

/// How long an answer may be presented, seconds.
const LIFETIME_SECONDS: i64 = 120;

/// Why there is no assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The person pressed Avbryt (`http://id.elegnamnden.se/status/1.0/cancel`, SC-REG 3.1.4).
    Cancelled,
    /// Nothing may be shown, and nobody is signed in.
    NoPassive,
    /// A new authentication was demanded and none was made.
    NotAnew,
    /// The person's e-ID has none of the levels that are wanted.
    Level,
}

impl Refusal {
    fn status(self) -> (TopLevel, SecondLevel) {
        match self {
            Self::Cancelled => (TopLevel::Responder, SecondLevel::Cancel),
            Self::NoPassive => (TopLevel::Responder, SecondLevel::NoPassive),
            Self::NotAnew => (TopLevel::Responder, SecondLevel::AuthnFailed),
            // SC-DP 5.4.4: a level that cannot be met is answered with Requester.
            Self::Level => (TopLevel::Requester, SecondLevel::NoAuthnContext),
        }
    }
}

/// What a provider of that dialect says of people, as its metadata declares.
pub(in crate::command::demo) fn offered(dialect: Dialect) -> &'static [AttributeName] {
    use AttributeName as A;
    match dialect {
        Dialect::Municipality => &[
            A::SubjectId,
            A::DisplayName,
            A::GivenName,
            A::Surname,
            A::Mail,
            A::OrgAffiliation,
            A::OrganisationName,
            A::OrganisationNumber,
            A::OrganisationUnit,
        ],
        Dialect::Region => {
            &[A::EmployeeHsaId, A::GivenName, A::Surname, A::DisplayName, A::Mail, A::OrgAffiliation]
        }
        Dialect::Agency => {
            &[A::DisplayName, A::Mail, A::OrgAffiliation, A::OrganisationName, A::OrganisationUnit]
        }
    }
}

impl IdentityProvider {
    /// The signed answer that somebody was authenticated at `since`; a refusal when their level will not do.
    pub(super) fn assertion(
        &self,
        asked: &Asked,
        employee: &Employee,
        since: Timestamp,
        moment: Moment<'_>,
    ) -> Result<Outbound, String> {
        if !asked.accepts(employee.level) {
            return self.refusal(asked, Refusal::Level, moment);
        }
        let assertion = AssertionToIssue {
            issuer: self.entity_id(),
            response_id: identifier(moment),
            assertion_id: identifier(moment),
            issued_at: moment.now,
            lifetime_seconds: LIFETIME_SECONDS,
            acs_url: asked.acs_url.clone(),
            in_response_to: asked.request_id.clone(),
            audience: asked.audience.clone(),
            name_id: self.name_id(asked, employee, moment),
            authenticated_at: since,
            authn_context: employee.level.to_owned(),
            authorities: Vec::new(),
            session_index: Some(identifier(moment)),
            session_ends: Some(since.plus(SESSION_SECONDS)),
            attributes: attributes(self.employer, employee),
            // What organisations do differs: the response alone, the assertion as well.
            signed: match self.employer.dialect {
                Dialect::Municipality | Dialect::Agency => Signed::Response,
                Dialect::Region => Signed::Both,
            },
        };
        let xml = match (&asked.encryption_key, self.employer.dialect) {
            (Some(key), Dialect::Region) => assertion
                .issue_encrypted(&self.key, key, Encryption::default())
                .map_err(|error| error.to_string())?,
            _ => assertion.issue(&self.key).map_err(|error| error.to_string())?,
        };
        Ok(posted(asked, &xml))
    }

    /// The signed answer that nobody was authenticated.
    pub(super) fn refusal(
        &self,
        asked: &Asked,
        refusal: Refusal,
        moment: Moment<'_>,
    ) -> Result<Outbound, String> {
        let (top_level, second_level) = refusal.status();
        let error = ErrorToIssue {
            issuer: self.entity_id(),
            response_id: identifier(moment),
            issued_at: moment.now,
            acs_url: asked.acs_url.clone(),
            in_response_to: asked.request_id.clone(),
            top_level,
            second_level: Some(second_level),
        };
        let xml = error.issue(&self.key).map_err(|error| error.to_string())?;
        Ok(posted(asked, &xml))
    }

    fn name_id(&self, asked: &Asked, employee: &Employee, moment: Moment<'_>) -> NameIdToIssue {
        match self.employer.dialect {
            Dialect::Municipality | Dialect::Region => NameIdToIssue {
                format: TRANSIENT.to_owned(),
                value: identifier(moment),
                sp_name_qualifier: None,
            },
            Dialect::Agency => {
                // SAML Core 8.3.7: the same for one person towards one service provider, and no hint of who it is.
                let named = format!("{}:{}{}", asked.audience.len(), asked.audience, employee.id);
                let value = self
                    .pseudonyms
                    .mac(named.as_bytes())
                    .iter()
                    .map(|octet| format!("{octet:02x}"))
                    .collect();
                NameIdToIssue {
                    format: PERSISTENT.to_owned(),
                    value,
                    sp_name_qualifier: Some(asked.audience.clone()),
                }
            }
        }
    }
}

fn posted(asked: &Asked, xml: &[u8]) -> Outbound {
    post::encode(&asked.acs_url, MessageParameter::Response, xml, asked.relay_state.as_deref())
}

/// An xs:ID that nobody guesses.
fn identifier(moment: Moment<'_>) -> String {
    format!("_{}", random(moment))
}

/// What the employer says of somebody.
fn attributes(employer: &Employer, employee: &Employee) -> Vec<SamlAttribute> {
    offered(employer.dialect)
        .iter()
        .filter_map(|name| {
            let value = value(*name, employer, employee).filter(|value| !value.is_empty())?;
            let (standard, friendly) = saml_name(*name)?;
            let (name, friendly) = regional_name(*name, employer.dialect).unwrap_or((standard, friendly));
            Some(SamlAttribute {
                name: name.to_owned(),
                friendly_name: Some(friendly.to_owned()),
                values: vec![value],
            })
        })
        .collect()
}

/// Sambi's names (attribute specification 1.5), which a region uses where there is one.
fn regional_name(name: AttributeName, dialect: Dialect) -> Option<(&'static str, &'static str)> {
    if dialect != Dialect::Region {
        return None;
    }
    match name {
        AttributeName::EmployeeHsaId => Some(("http://sambi.se/attributes/1/employeeHsaId", "employeeHsaId")),
        AttributeName::GivenName => Some(("http://sambi.se/attributes/1/givenName", "givenName")),
        AttributeName::Surname => Some(("http://sambi.se/attributes/1/surname", "surname")),
        AttributeName::OrgAffiliation => Some(("urn:orgAffiliation", "orgAffiliation")),
        _ => None,
    }
}

fn value(name: AttributeName, employer: &Employer, employee: &Employee) -> Option<String> {
    use AttributeName as A;
    let value = match name {
        A::SubjectId => format!("{}@{}", employee.id, employer.mail_domain),
        A::DisplayName => employee.display_name.to_owned(),
        A::GivenName => employee.given_name.to_owned(),
        A::Surname => employee.surname.to_owned(),
        // A protected person's address would give the name away.
        A::Mail if employee.is_protected() => format!("rattsenheten@{}", employer.mail_domain),
        A::Mail => format!("{}@{}", employee.id, employer.mail_domain),
        A::OrgAffiliation => format!("{}@{}", employee.id, employer.number),
        A::OrganisationName => employer.name.sv.to_owned(),
        A::OrganisationNumber => employer.number.to_owned(),
        A::OrganisationUnit => employee.unit.to_owned(),
        A::EmployeeHsaId => {
            let place = employer.employees.iter().position(|other| other.id == employee.id)?;
            format!("{}{:04}", employer.hsa_prefix?, 1001 + place)
        }
        _ => return None,
    };
    Some(value)
}

#[cfg(test)]
mod tests {
    use broker_core::attribute::AttributeName;
    use broker_saml::attributes::from_saml_name;

    use super::attributes;
    use crate::command::demo::cast::EMPLOYERS;

    #[test]
    fn every_name_is_one_that_the_broker_knows() {
        for employer in EMPLOYERS {
            for employee in employer.employees {
                for attribute in attributes(employer, employee) {
                    assert!(from_saml_name(&attribute.name).is_some(), "{}", attribute.name);
                }
            }
        }
    }

    #[test]
    fn a_protected_person_is_not_named_anywhere() {
        let protected: Vec<_> = EMPLOYERS
            .into_iter()
            .flat_map(|employer| employer.employees.iter().map(move |employee| (employer, employee)))
            .filter(|(_, employee)| employee.is_protected())
            .collect();
        assert!(!protected.is_empty());
        for (employer, employee) in protected {
            let said = attributes(employer, employee);
            for name in [AttributeName::GivenName, AttributeName::Surname] {
                assert!(said.iter().all(|attribute| from_saml_name(&attribute.name) != Some(name)));
            }
        }
    }
}
