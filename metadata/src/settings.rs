//! What the operator decided about a peer, beside what its document says. It stands in the peer's entry in the manifest, so it is
//! under the same authentication as the document.
//!
//! Neighbours: `revision` keeps these; `saml` and `oidc` join them with a document.

use std::collections::BTreeSet;

use broker_core::{
    assurance::AssuranceProfile, attribute::AttributeName, authority::Narrowing, identifier::ProviderId,
    organisation::OrganisationNumber, subject::SubjectSource,
};
use serde::{Deserialize, Serialize};

use crate::secret_hash::SecretHash;

/// About a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// Who answers for it: whose machine it is.
    pub organisation: OrganisationNumber,
    /// The organisations that its people may belong to; empty: the one that answers for it, alone. Each has a record, and each answer must prove one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub organisations: BTreeSet<OrganisationNumber>,
    /// What subject identifiers of its people are made from: pinned when it joins, since another source would give everybody a
    /// new identity (design decision 10).
    pub subject_source: SubjectSource,
    /// Not shown in the provider choice, whatever the document says.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// How it is held tighter than its organisation.
    #[serde(default, skip_serializing_if = "Narrowing::is_none")]
    pub narrowing: Narrowing,
    /// It is told which relying party asks (Scoping/RequesterID, SAML Core 3.4.1.2). Off: a provider need not know where its people go.
    #[serde(default, skip_serializing_if = "is_false")]
    pub names_requesters: bool,
    /// Providers that it asks in its turn, by the names that it knows them by: they can be named in its place, and it is believed when it
    /// says that they authenticated.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub behind: BTreeSet<ProviderId>,
    /// The service provider of ours that always asks it, by name, where the operator chose one: [`ProviderSettings::asked_by`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_provider: Option<String>,
}

/// The name of the service provider of ours that is always there.
pub const MAIN_SERVICE_PROVIDER: &str = "main";

impl ProviderSettings {
    /// The service provider of ours that always asks this provider; `None`: the one that the login needs.
    ///
    /// Where people are known by an identifier that is made for one service provider, one must always ask: through another the same person
    /// would be somebody else at every service. It is the main one unless the operator chose.
    #[must_use]
    pub fn asked_by(&self) -> Option<&str> {
        let pinned = self.subject_source.is_per_service_provider().then_some(MAIN_SERVICE_PROVIDER);
        self.service_provider.as_deref().or(pinned)
    }

    /// The organisations that its people may belong to.
    pub fn speaks_for(&self) -> impl Iterator<Item = &OrganisationNumber> {
        let alone = self.organisations.is_empty().then_some(&self.organisation);
        alone.into_iter().chain(&self.organisations)
    }

    /// What holds when the operator says nothing but whose it is and what subject identifiers are made from.
    #[must_use]
    pub fn of(organisation: OrganisationNumber, subject_source: SubjectSource) -> Self {
        Self {
            organisation,
            organisations: BTreeSet::new(),
            subject_source,
            narrowing: Narrowing::default(),
            hidden: false,
            names_requesters: false,
            behind: BTreeSet::new(),
            service_provider: None,
        }
    }
}

/// About a relying party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelyingPartySettings {
    /// Who answers for it.
    pub organisation: OrganisationNumber,
    /// What is kept of its secret, when it authenticates with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretHash>,
    /// Which rules it lives by where sources disagree.
    #[serde(default)]
    pub profile: OidcProfile,
    /// Whose words for levels it understands (`docs/conflicts.md` 13).
    #[serde(default, skip_serializing_if = "is_default")]
    pub assurance_profile: AssuranceProfile,
    /// It need not use PKCE (`docs/conflicts.md` 9).
    #[serde(default, skip_serializing_if = "is_false")]
    pub pkce_waived: bool,
    /// An essential attribute that is missing fails the login (`docs/conflicts.md` 16).
    #[serde(default, skip_serializing_if = "is_false")]
    pub fail_on_missing_attribute: bool,
    /// The attributes that it may be given, where the operator says so; else those of its registered scopes. Always cut by what
    /// the organisation is entitled to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeSet<AttributeName>>,
    /// Providers that it takes logins from; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub providers: Option<BTreeSet<ProviderId>>,
}

impl RelyingPartySettings {
    /// What holds when the operator says nothing but whose it is.
    #[must_use]
    pub fn of(organisation: OrganisationNumber) -> Self {
        Self {
            organisation,
            secret: None,
            profile: OidcProfile::default(),
            assurance_profile: AssuranceProfile::default(),
            pkce_waived: false,
            fail_on_missing_attribute: false,
            attributes: None,
            providers: None,
        }
    }
}

/// Where sources disagree, which one holds for a relying party (`docs/conflicts.md`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OidcProfile {
    /// The strictest: client assertions name the issuer alone.
    #[default]
    Standard,
    /// OIDC Sweden: client assertions may name the token endpoint (3.1.1), userinfo answers are signed (4.1).
    Swedish,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_false(value: &bool) -> bool {
    !value
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
