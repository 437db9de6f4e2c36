//! What the registry says of a peer, as far as the login needs to know it. `metadata` fills these in from records and documents.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    assurance::{Assurance, AssuranceProfile},
    attribute::AttributeName,
    authority::Authority,
    identifier::{ProviderId, RelyingPartyId},
    organisation::{LocalText, Organisation, OrganisationNumber},
    subject::SubjectSource,
};

/// A provider, as the login sees it.
#[derive(Debug, Clone)]
pub struct ProviderPolicy {
    /// Entity ID or issuer.
    pub id: ProviderId,
    /// Which role of ours talks to it.
    pub protocol: Protocol,
    /// Whom it speaks for; of a provider that speaks for several, who answers for it.
    pub organisation: Arc<Organisation>,
    /// The organisations that its people may belong to, where the operator has named them: this provider as it speaks for each, a **voice**, by
    /// number. A voice has no voices. Empty: it speaks for `organisation` alone, and the registry is the proof.
    pub organisations: Vec<Arc<ProviderPolicy>>,
    /// What it may say of people: the organisation's record, never more. A provider with voices may say nothing but levels by itself: what an
    /// answer may say is its voice's, once it has proven one.
    pub authority: Authority,
    /// What it is called in the provider choice.
    pub display_name: LocalText,
    /// Words that also find it in the provider choice.
    pub keywords: Vec<String>,
    /// What subject identifiers of its people are made from.
    pub subject_source: SubjectSource,
    /// The levels that it is registered for. What it asserts must be one of them and under its ceilings.
    pub assurance: Vec<Assurance>,
    /// Not shown in the provider choice (REFEDS hide-from-discovery); reachable by being named.
    pub hidden: bool,
    /// Providers that this one asks in its turn, a proxy as we are: they can be named in its place, and it is believed when it names them.
    pub behind: BTreeSet<ProviderId>,
}

impl ProviderPolicy {
    /// The provider as it speaks for each of its organisations: itself where it has no voices.
    pub fn voices(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Self>> {
        let itself = self.organisations.is_empty().then_some(self);
        itself.into_iter().chain(&self.organisations)
    }

    /// The provider as it speaks for one organisation; `None`: it does not.
    #[must_use]
    pub fn voice_of(self: &Arc<Self>, number: &OrganisationNumber) -> Option<&Arc<Self>> {
        self.voices().find(|voice| voice.organisation.number == *number)
    }
}

/// A relying party, as the login sees it.
#[derive(Debug, Clone)]
pub struct RelyingPartyPolicy {
    /// Entity ID or client_id.
    pub id: RelyingPartyId,
    /// Which role of ours talks to it.
    pub protocol: Protocol,
    /// Who answers for it.
    pub organisation: Arc<Organisation>,
    /// What the notice and the pages call it.
    pub display_name: LocalText,
    /// What it may be given: its own registration cut by the organisation's entitlement.
    pub entitled: BTreeSet<AttributeName>,
    /// All relying parties of one sector see the same subject identifier: organisation number + sector host.
    pub sector: String,
    /// Providers that it takes logins from; `None`: all.
    pub providers: Option<BTreeSet<ProviderId>>,
    /// Where a person starts over: the first button of an error page.
    pub start_url: Option<String>,
    /// Where its privacy notice is.
    pub privacy_url: Option<String>,
    /// Whose words for levels it understands.
    pub assurance_profile: AssuranceProfile,
    /// An essential attribute that is missing fails the login (Inera's rule); otherwise it is left out (OIDC Core).
    pub fail_on_missing_attribute: bool,
}

/// The two protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// SAML 2.0.
    Saml,
    /// OpenID Connect.
    Oidc,
}
