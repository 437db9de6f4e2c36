//! Ordered, named steps that keep or drop entities. Each says how many it removed.

use serde::{Deserialize, Serialize};

use super::{Brief, settings::Step};
use crate::international::ascii;

/// What a step looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The entity ID.
    Entity,
    /// `idp`, `sp`, or another role that it has beside.
    Role,
    /// Who registered it (`mdrpi:registrationAuthority`).
    RegistrationAuthority,
    /// An entity category.
    EntityCategory,
    /// An assurance certification.
    AssuranceCertification,
    /// The organisation number.
    OrganisationNumber,
    /// A scope that is one of these domains or lies under one.
    ScopeDomain,
}

impl What {
    /// Its name in the configuration.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Entity => "entity",
            Self::Role => "role",
            Self::RegistrationAuthority => "registration-authority",
            Self::EntityCategory => "entity-category",
            Self::AssuranceCertification => "assurance-certification",
            Self::OrganisationNumber => "organisation-number",
            Self::ScopeDomain => "scope-domain",
        }
    }

    fn is_met(self, brief: &Brief, values: &[String]) -> bool {
        let any = |held: &[String]| held.iter().any(|one| values.contains(one));
        match self {
            Self::Entity => values.contains(&brief.entity_id),
            Self::Role => any(&brief.roles),
            Self::RegistrationAuthority => any(brief.registration_authority.as_slice()),
            Self::EntityCategory => any(&brief.categories),
            Self::AssuranceCertification => any(&brief.assurance),
            Self::OrganisationNumber => any(brief.organisation_number.as_slice()),
            Self::ScopeDomain => brief.scopes.iter().any(|scope| {
                values.iter().filter_map(|domain| ascii(domain)).any(|domain| {
                    *scope == domain
                        || scope.strip_suffix(domain.as_str()).is_some_and(|front| front.ends_with('.'))
                })
            }),
        }
    }
}

/// The place of the first step that removes an entity; `None`: it stays.
#[must_use]
pub(super) fn removed_by(steps: &[Step], brief: &Brief) -> Option<usize> {
    steps.iter().position(|step| match (step.keep, step.drop) {
        (Some(what), _) => !what.is_met(brief, &step.values),
        (None, Some(what)) => what.is_met(brief, &step.values),
        (None, None) => false,
    })
}

/// How many each step removed, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filtered(pub Vec<u64>);

impl Filtered {
    /// Of that many steps, none of which has removed anything.
    #[must_use]
    pub fn of(steps: &[Step]) -> Self {
        Self(vec![0; steps.len()])
    }

    /// Whether an entity stays; counts the step that removes it.
    pub fn keeps(&mut self, steps: &[Step], brief: &Brief) -> bool {
        let removed = removed_by(steps, brief);
        if let Some(count) = removed.and_then(|step| self.0.get_mut(step)) {
            *count += 1;
        }
        removed.is_none()
    }
}
