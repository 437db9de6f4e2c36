//! Which members of the sources become providers, under whose record, and why the others do not (design decision 8).
//!
//! In this order: what is registered always wins, then the sources as they are configured; an entity ID that a higher one has is the higher's,
//! also while its copy there has expired or is withheld. An entity joins under an organisation's record alone: the operator's where there is one,
//! which always bounds; else one made of what the source's publisher has verified. Scopes of one organisation are never another's.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
    sync::{Arc, OnceLock},
};

use broker_core::{
    identifier::ProviderId,
    moment::Timestamp,
    organisation::{LocalText, Organisation, OrganisationNumber, SupportContact},
    policy::ProviderPolicy,
    suspension::Suspensions,
};

use super::{Brief, Held, Member, Members, Pins, SourceSettings, filter};
use crate::{
    address::WebAddress,
    peer::{ContactKind, SamlProvider},
    registry::{Registry, without_suspended_keys},
    revision::EntryId,
    saml,
    settings::ProviderSettings,
};

/// A source as it is now.
#[derive(Debug, Clone, Copy)]
pub struct InUse<'a> {
    /// What the operator decided.
    pub settings: &'a SourceSettings,
    /// The thumbprints of the keys that may have signed it.
    pub keys: &'a BTreeSet<String>,
    /// What it has.
    pub held: &'a Held,
    /// Its members.
    pub members: &'a Members,
}

/// Why a member is no provider here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loose {
    /// It is registered here, or a higher source has it.
    Higher,
    /// Its document breaks rules: their ids.
    Unfit(Vec<String>),
    /// What is kept of it is of another version, or lost.
    Unread,
    /// The key that signed it is not the source's any more.
    KeyTaken,
    /// It has no organisation number that the source vouches for, and no registered organisation owns its host.
    NoOrganisation,
    /// Its entity ID lies outside the domains of the record that bounds it.
    OutsideDomains(OrganisationNumber),
    /// Its entity ID, or a scope of it, is a registered organisation's that is not its own.
    OfAnother(String, OrganisationNumber),
    /// Two organisations claim this scope.
    Disputed(String),
    /// The filters do not let it pass any more; the source is read anew soon.
    Filtered,
}

impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Higher => f.write_str("it is registered here, or a source before this one has it"),
            Self::Unfit(rules) => write!(f, "its document breaks {}", rules.join(", ")),
            Self::Unread => f.write_str("what is kept of it cannot be read; the source will be read anew"),
            Self::KeyTaken => f.write_str("it was signed by a key that the source does not have any more"),
            Self::NoOrganisation => f.write_str(
                "nobody answers for it: no organisation number that this source vouches for, and no registered organisation owns its host",
            ),
            Self::OutsideDomains(number) => {
                write!(f, "its entity ID lies outside the domains in the record of {number}")
            }
            Self::OfAnother(what, number) => write!(f, "{what} belongs to the registered organisation {number}"),
            Self::Disputed(scope) => write!(f, "another organisation claims the scope {scope} too"),
            Self::Filtered => f.write_str("the filters as they are now do not let it pass"),
        }
    }
}

/// A member that is no provider here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithheldMember {
    /// Whose.
    pub source: String,
    /// Which.
    pub id: ProviderId,
    /// Why.
    pub why: Loose,
}

/// A provider out of a source. Its keys and endpoints are read when somebody first signs in there.
#[derive(Debug)]
pub struct Sourced {
    /// The source that it came from.
    pub source: Arc<str>,
    /// What the login needs to know.
    pub policy: Arc<ProviderPolicy>,
    document: Arc<[u8]>,
    settings: ProviderSettings,
    valid_until: Option<Timestamp>,
    suspensions: Arc<Suspensions>,
    provider: OnceLock<Option<Arc<SamlProvider>>>,
}

impl Sourced {
    /// The provider; `None`: what is kept of it cannot be read.
    #[must_use]
    pub fn provider(&self) -> Option<&Arc<SamlProvider>> {
        let read = || {
            let brief = Brief::from_document(&self.document)?;
            let organisation = &self.policy.organisation;
            let provider =
                saml::saml_provider(&brief.identity_provider(true), &self.settings, organisation, &[]);
            let provider = Arc::new(SamlProvider {
                policy: Arc::clone(&self.policy),
                valid_until: self.valid_until,
                ..provider
            });
            Some(without_suspended_keys(provider, &self.suspensions))
        };
        self.provider.get_or_init(read).as_ref()
    }

    /// Until when it may be used.
    #[must_use]
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// What was decided about it.
    #[must_use]
    pub fn settings(&self) -> &ProviderSettings {
        &self.settings
    }
}

/// What the sources bring to a registry.
#[derive(Debug, Default)]
pub struct Joined {
    /// By entity ID.
    pub providers: HashMap<ProviderId, Arc<Sourced>>,
    /// Who did not join, in the order of the sources.
    pub withheld: Vec<WithheldMember>,
}

/// What joining needs at hand.
pub struct Joining<'a> {
    /// What is registered.
    pub registered: &'a Registry,
    /// The sources, in order of precedence.
    pub sources: &'a [InUse<'a>],
    /// What subject identifiers are made from.
    pub pins: &'a Pins,
    /// The octets of a brief, by name.
    pub briefs: &'a dyn Fn(&str) -> Option<Arc<[u8]>>,
    /// What joined before: what did not change is taken over.
    pub before: &'a Joined,
}

impl fmt::Debug for Joining<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joining").field("sources", &self.sources.len()).finish_non_exhaustive()
    }
}

/// A member that passed all that can be asked of it alone.
struct Candidate<'a> {
    source: usize,
    id: &'a ProviderId,
    member: &'a Member,
    document: Arc<[u8]>,
    brief: Brief,
    organisation: Arc<Organisation>,
    scopes: BTreeSet<String>,
}

impl Joining<'_> {
    /// Decides on every member of every source.
    #[must_use]
    pub fn join(&self) -> Joined {
        let mut joined = Joined::default();
        let owners = Owners::of(self.registered);
        let mut claimed: HashSet<&ProviderId> = HashSet::new();
        let mut candidates = Vec::new();
        for (number, source) in self.sources.iter().enumerate() {
            for (id, member) in &source.members.entries {
                let is_registered =
                    self.registered.manifest().entries.contains_key(&EntryId::SamlProvider(id.clone()));
                let outcome = if is_registered || claimed.contains(id) {
                    Err(Loose::Higher)
                } else {
                    self.candidate(number, source, id, member, &owners)
                };
                match outcome {
                    Ok(candidate) => candidates.push(candidate),
                    Err(why) => joined.withheld.push(WithheldMember {
                        source: source.settings.name.clone(),
                        id: id.clone(),
                        why,
                    }),
                }
            }
            claimed.extend(source.members.entries.keys());
        }
        let disputed = disputed(&candidates);
        let suspensions = Arc::new(self.registered.suspensions().clone());
        let names: Vec<Arc<str>> =
            self.sources.iter().map(|source| Arc::from(source.settings.name.as_str())).collect();
        for (candidate, disputed) in candidates.into_iter().zip(disputed) {
            let (Some(source), Some(name)) =
                (self.sources.get(candidate.source), names.get(candidate.source))
            else {
                continue;
            };
            match disputed {
                Some(scope) => joined.withheld.push(WithheldMember {
                    source: name.to_string(),
                    id: candidate.id.clone(),
                    why: Loose::Disputed(scope),
                }),
                None => {
                    let id = candidate.id.clone();
                    joined.providers.insert(id, self.sourced(candidate, source, name, &suspensions));
                }
            }
        }
        joined
    }

    fn candidate<'a>(
        &self,
        number: usize,
        source: &InUse<'_>,
        id: &'a ProviderId,
        member: &'a Member,
        owners: &Owners,
    ) -> Result<Candidate<'a>, Loose> {
        let key = member.key.as_ref().or(source.held.key.as_ref());
        if !key.is_some_and(|key| source.keys.contains(key)) {
            return Err(Loose::KeyTaken);
        }
        let name = member.brief.as_ref().ok_or_else(|| Loose::Unfit(member.unfit.clone()))?;
        let document = (self.briefs)(name).ok_or(Loose::Unread)?;
        let brief = Brief::from_document(&document).ok_or(Loose::Unread)?;
        if brief.entity_id != id.as_str() {
            return Err(Loose::Unread);
        }
        if filter::removed_by(&source.settings.filters, &brief).is_some() {
            return Err(Loose::Filtered);
        }
        let organisation = self.organisation(source, &brief, owners)?;
        // A scope that the operator's own record does not have is cut; one that is another's is a claim that nobody should make.
        let scopes: BTreeSet<String> = brief.scopes.iter().cloned().collect();
        for scope in &scopes {
            if let Some(owner) = owners.of_scope(scope).filter(|owner| **owner != organisation.number) {
                return Err(Loose::OfAnother(scope.clone(), owner.clone()));
            }
        }
        Ok(Candidate { source: number, id, member, document, brief, organisation, scopes })
    }

    /// Who answers for an entity.
    fn organisation(
        &self,
        source: &InUse<'_>,
        brief: &Brief,
        owners: &Owners,
    ) -> Result<Arc<Organisation>, Loose> {
        let vouches = &source.settings.vouches;
        let stated = brief
            .organisation_number
            .as_deref()
            .filter(|_| vouches.organisation_number)
            .and_then(OrganisationNumber::parse);
        let address = WebAddress::parse(&brief.entity_id);
        let owner = address.as_ref().and_then(|address| owners.of_host(address.host()));
        let number = stated.or_else(|| owner.cloned()).ok_or(Loose::NoOrganisation)?;
        if let Some(owner) = owner.filter(|owner| **owner != number) {
            return Err(Loose::OfAnother(brief.entity_id.clone(), owner.clone()));
        }
        if let Some(record) = self.registered.organisation(&number) {
            let within = address.is_none_or(|address| record.owns_host(address.host()));
            return if within { Ok(Arc::clone(record)) } else { Err(Loose::OutsideDomains(number)) };
        }
        Ok(Arc::new(derived(number, source, brief)))
    }

    fn sourced(
        &self,
        candidate: Candidate<'_>,
        source: &InUse<'_>,
        name: &Arc<str>,
        suspensions: &Arc<Suspensions>,
    ) -> Arc<Sourced> {
        let Candidate { id, member, document, brief, organisation, .. } = candidate;
        let pinned = self.pins.0.get(id).copied();
        let subject_source = pinned.unwrap_or(source.settings.vouches.subject_source);
        let settings = ProviderSettings::of(organisation.number.clone(), subject_source);
        let valid_until =
            [source.held.valid_until, member.valid_until, brief.valid_until].into_iter().flatten().min();
        if let Some(known) = self.before.providers.get(id)
            && known.document == document
            && known.settings == settings
            && *known.policy.organisation == *organisation
        {
            if known.valid_until == valid_until && known.source == *name && known.suspensions == *suspensions
            {
                return Arc::clone(known);
            }
            return Arc::new(Sourced {
                source: Arc::clone(name),
                policy: Arc::clone(&known.policy),
                document: Arc::clone(&known.document),
                settings,
                valid_until,
                suspensions: Arc::clone(suspensions),
                provider: OnceLock::new(),
            });
        }
        let provider = saml::saml_provider(&brief.identity_provider(false), &settings, &organisation, &[]);
        Arc::new(Sourced {
            source: Arc::clone(name),
            policy: provider.policy,
            document,
            settings,
            valid_until,
            suspensions: Arc::clone(suspensions),
            provider: OnceLock::new(),
        })
    }
}

/// For each candidate, a scope that a candidate of another organisation claims too: one of an earlier source keeps it, two of one source both
/// lose, since nobody here can know whose it is.
fn disputed(candidates: &[Candidate<'_>]) -> Vec<Option<String>> {
    let mut claims: BTreeMap<&str, BTreeMap<usize, BTreeSet<&OrganisationNumber>>> = BTreeMap::new();
    for candidate in candidates {
        for scope in &candidate.scopes {
            let by_source = claims.entry(scope).or_default();
            by_source.entry(candidate.source).or_default().insert(&candidate.organisation.number);
        }
    }
    let is_lost = |candidate: &Candidate<'_>, scope: &str| {
        claims.get(scope).is_some_and(|by_source| {
            by_source
                .range(..=candidate.source)
                .any(|(_, numbers)| numbers.iter().any(|number| **number != candidate.organisation.number))
        })
    };
    candidates
        .iter()
        .map(|candidate| candidate.scopes.iter().find(|scope| is_lost(candidate, scope)).cloned())
        .collect()
}

/// The record of an organisation that the operator has none of: what the source's publisher verified, and nothing else.
fn derived(number: OrganisationNumber, source: &InUse<'_>, brief: &Brief) -> Organisation {
    let vouches = &source.settings.vouches;
    let scopes: BTreeSet<String> =
        if vouches.scopes { brief.scopes.iter().cloned().collect() } else { BTreeSet::new() };
    let is_domain = |scope: &&String| scope.contains('.') && OrganisationNumber::parse(scope).is_none();
    let support = brief.contacts.iter().find(|contact| contact.kind == ContactKind::Support);
    let name =
        if brief.organisation_name.is_empty() { &brief.display_name } else { &brief.organisation_name };
    Organisation {
        number,
        name: LocalText(name.0.clone()),
        domains: scopes.iter().filter(is_domain).cloned().collect(),
        scopes,
        hsa_prefixes: BTreeSet::new(),
        ceiling: vouches.ceiling.clone(),
        entitled: BTreeSet::new(),
        may_assert: vouches.may_assert.iter().copied().collect(),
        support: SupportContact {
            email: support.and_then(|contact| contact.email.clone()),
            telephone: support.and_then(|contact| contact.telephone.clone()),
            url: None,
        },
        aliases: BTreeSet::new(),
        logo: None,
        relying_parties: None,
    }
}

/// Whose the domains and scopes of registered organisations are: asked ten thousand times, so not by walking through all records.
struct Owners {
    /// Of a domain that two records have, nobody is the one owner.
    domains: HashMap<String, Option<OrganisationNumber>>,
    scopes: HashMap<String, OrganisationNumber>,
}

impl Owners {
    fn of(registered: &Registry) -> Self {
        let mut owners = Self { domains: HashMap::new(), scopes: HashMap::new() };
        for record in registered.organisations() {
            for domain in &record.domains {
                owners
                    .domains
                    .entry(domain.clone())
                    .and_modify(|owner| *owner = None)
                    .or_insert_with(|| Some(record.number.clone()));
            }
            for scope in record.scopes.iter().cloned().chain([record.number.to_string()]) {
                owners.scopes.insert(scope, record.number.clone());
            }
        }
        owners
    }

    /// The only organisation that a host is, or lies under a domain of.
    fn of_host(&self, host: &str) -> Option<&OrganisationNumber> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let mut rest = host.as_str();
        loop {
            if let Some(owner) = self.domains.get(rest) {
                return owner.as_ref();
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// The organisation whose scope it is, or under whose domain it lies.
    fn of_scope(&self, scope: &str) -> Option<&OrganisationNumber> {
        let scope = scope.to_ascii_lowercase();
        self.scopes.get(&scope).or_else(|| self.of_host(&scope))
    }
}
