//! Our service providers: one for each set of attributes (design decision 9).
//!
//! SAML metadata says once and for all what a service provider asks for, so a broker that were one would ask every employer for everything that
//! any service ever needs. We are several: the main one asks for no national number, another does, and each login takes the one that asks for
//! least (Tekniska anslutningsregler 3.4). The answer is for the one that asked and for no other.
//!
//! Neighbours: `metadata.rs` publishes each, `authn_request.rs` asks as one of them, `docs/decisions/0006` has the reasons.

use std::collections::BTreeSet;

use ::metadata::{SamlProvider, settings::MAIN_SERVICE_PROVIDER};
use broker_core::{
    attribute::AttributeName,
    failure::{Failure, FailureCode},
    policy::RelyingPartyPolicy,
    request::{AuthenticationRequest, RequestedAttribute},
    subject::SubjectSource,
};

use super::SpSettings;
use crate::attributes::saml_name;

/// One service provider of ours.
#[derive(Debug, Clone)]
pub struct SpEntity {
    /// What configuration, addresses and registrations call it.
    pub name: String,
    /// Entity ID, addresses and rules.
    pub settings: SpSettings,
    /// What it asks providers for.
    pub attributes: BTreeSet<AttributeName>,
    /// The entity categories that it is published with.
    pub categories: Vec<String>,
}

impl SpEntity {
    /// One of that name.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        settings: SpSettings,
        attributes: impl IntoIterator<Item = AttributeName>,
    ) -> Self {
        Self {
            name: name.into(),
            settings,
            attributes: attributes.into_iter().collect(),
            categories: Vec::new(),
        }
    }

    /// Whether it asks for an attribute, by the name that SAML has for it: either kind of personal number is one attribute there. What comes from the
    /// registry is never asked for.
    fn covers(&self, wanted: AttributeName) -> bool {
        let Some((wanted, _)) = saml_name(wanted).filter(|_| !FROM_REGISTRY.contains(&wanted)) else {
            return true;
        };
        self.attributes.iter().filter_map(|own| saml_name(*own)).any(|(own, _)| own == wanted)
    }
}

/// The attribute that a source of subject identifiers is; `None`: no attribute.
fn source_attribute(source: SubjectSource) -> Option<AttributeName> {
    match source {
        SubjectSource::SubjectId => Some(AttributeName::SubjectId),
        SubjectSource::PairwiseId => Some(AttributeName::PairwiseId),
        SubjectSource::OrgAffiliation => Some(AttributeName::OrgAffiliation),
        SubjectSource::EmployeeHsaId => Some(AttributeName::EmployeeHsaId),
        SubjectSource::PersistentNameId | SubjectSource::OidcSub => None,
    }
}

/// What is said of an organisation comes from the registry, never from an assertion (design decision 8).
const FROM_REGISTRY: [AttributeName; 2] =
    [AttributeName::OrganisationName, AttributeName::OrganisationNumber];

/// All of them. One is the main one.
#[derive(Debug, Clone)]
pub struct SpEntities {
    main: SpEntity,
    others: Vec<SpEntity>,
}

impl SpEntities {
    /// The main one alone.
    #[must_use]
    pub fn only(settings: SpSettings) -> Self {
        Self { main: SpEntity::new(MAIN_SERVICE_PROVIDER, settings, []), others: Vec::new() }
    }

    /// The main one, and others. Each learns the names of all and of `issuer`, so that none of them can stand behind a provider.
    #[must_use]
    pub fn new(main: SpEntity, others: Vec<SpEntity>, issuer: &str) -> Self {
        let mut entities = Self { main, others };
        let mut names: Vec<String> = entities.all().map(|entity| entity.settings.entity_id.clone()).collect();
        names.push(issuer.to_owned());
        for entity in std::iter::once(&mut entities.main).chain(&mut entities.others) {
            entity.settings.own_names.clone_from(&names);
        }
        entities
    }

    /// The main one.
    #[must_use]
    pub fn main(&self) -> &SpEntity {
        &self.main
    }

    /// Each, the main one first.
    pub fn all(&self) -> impl Iterator<Item = &SpEntity> {
        std::iter::once(&self.main).chain(&self.others)
    }

    /// The one of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&SpEntity> {
        self.all().find(|entity| entity.name == name)
    }

    /// The one of that entity ID.
    #[must_use]
    pub fn of_entity_id(&self, entity_id: &str) -> Option<&SpEntity> {
        self.all().find(|entity| entity.settings.entity_id == entity_id)
    }

    /// Which of them asks `provider` for this login: the one that asks for least among those that ask for all that the relying party wants *and*
    /// may be given; where none asks for all of it, the one that comes closest, what is essential first. What subject identifiers are made from
    /// comes before everything: without it no login ends.
    ///
    /// A provider that is pinned to one is always asked by that one.
    ///
    /// # Errors
    /// [`FailureCode::ProviderUnusable`] when the pinned one is not configured; [`FailureCode::AttributeMissing`] when it does not ask for an
    /// attribute without which the relying party takes no login.
    pub(super) fn choose(
        &self,
        request: &AuthenticationRequest,
        relying_party: Option<&RelyingPartyPolicy>,
        provider: &SamlProvider,
    ) -> Result<&SpEntity, Failure> {
        let wanted: Vec<_> = request
            .attributes
            .iter()
            .filter(|wanted| relying_party.is_some_and(|party| party.entitled.contains(&wanted.name)))
            .collect();
        let lacks = |entity: &SpEntity| {
            let asked = |wanted: &RequestedAttribute| {
                entity.covers(wanted.name) || wanted.or.is_some_and(|other| entity.covers(other))
            };
            let lacking = wanted.iter().filter(|wanted| !asked(wanted));
            let essential = lacking.clone().filter(|wanted| wanted.essential).count();
            (essential, lacking.count(), entity.attributes.len())
        };
        let source = source_attribute(provider.policy.subject_source);
        let knows_nobody = |entity: &SpEntity| source.is_some_and(|source| !entity.covers(source));
        let Some(pinned) = &provider.service_provider else {
            return Ok(self
                .all()
                .min_by_key(|entity| (knows_nobody(entity), lacks(entity)))
                .unwrap_or(&self.main));
        };
        let entity = self.named(pinned).ok_or_else(|| {
            Failure::new(
                FailureCode::ProviderUnusable,
                format!(
                    "{} is always asked by our service provider {pinned}, which is not configured",
                    provider.policy.id
                ),
            )
        })?;
        let fails = relying_party.is_some_and(|party| party.fail_on_missing_attribute);
        if fails && lacks(entity).0 > 0 {
            return Err(Failure::new(
                FailureCode::AttributeMissing,
                format!(
                    "{} is always asked by our service provider {pinned}, which does not ask for all that is essential",
                    provider.policy.id
                ),
            ));
        }
        Ok(entity)
    }
}

#[cfg(test)]
mod tests;
