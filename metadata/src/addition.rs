//! A file that an operator adds: read, judged, and turned into changes of the manifest. No I/O: the process reads the file, shows the
//! report, and writes documents and manifest to the store when there is no error.
//!
//! Neighbours: `saml` and `oidc` read, `lint` judges, `revision` keeps.

mod again;

use std::{collections::BTreeSet, fmt, sync::Arc};

use broker_core::{
    assurance::AssuranceProfile,
    attribute::AttributeName,
    authority::{Authority, Narrowing},
    identifier::{ProviderId, RelyingPartyId},
    moment::Timestamp,
    organisation::{LocalText, Organisation, OrganisationNumber},
    subject::SubjectSource,
};
use certs::mac::MacKey;

use crate::{
    address::WebAddress,
    international::ascii,
    lint::{
        self, Profiles,
        oidc::{document as oidc_rule, key as key_rule},
        organisations as organisations_rule, registry as rule,
        report::{Finding, Place, Report},
        saml::across::Seen,
    },
    oidc::{self, Method, RegistrationFile, is_client_id},
    registry::Registry,
    revision::{Change, Entry, EntryId, document_name},
    saml::{self, IdentityProvider, MOST_OCTETS, MetadataFile},
    secret_hash::SecretHash,
    settings::{OidcProfile, ProviderSettings, RelyingPartySettings},
};

pub use again::check_again;

/// More parties than this in one file are not added by hand.
pub const MOST_ENTITIES: usize = 20;

/// What an operator may decide when adding a file. `None`: as it was, or as the file lets us know.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// Who answers for it.
    pub organisation: Option<OrganisationNumber>,
    /// What a provider's subject identifiers are made from.
    pub subject_source: Option<SubjectSource>,
    /// What a relying party is called here.
    pub client_id: Option<String>,
    /// Which rules a relying party lives by.
    pub profile: Option<OidcProfile>,
    /// How a provider is held tighter than its organisation, as a whole; an empty narrowing takes an earlier one away.
    pub narrowing: Option<Narrowing>,
    /// Whose words for levels a relying party understands.
    pub assurance_profile: Option<AssuranceProfile>,
    /// A relying party need not use PKCE.
    pub pkce_waived: Option<bool>,
    /// An essential attribute that is missing fails a relying party's login.
    pub fail_on_missing_attribute: Option<bool>,
    /// The attributes that a relying party may be given, within what its organisation is entitled to.
    pub attributes: Option<BTreeSet<AttributeName>>,
    /// The only providers that a relying party takes logins from.
    pub providers: Option<BTreeSet<ProviderId>>,
    /// Organisations that a provider's people may belong to, beside those of before.
    pub speaks_for: BTreeSet<OrganisationNumber>,
    /// Organisations that they may no longer belong to.
    pub speaks_no_more_for: BTreeSet<OrganisationNumber>,
    /// Exactly the organisations that they may belong to, whatever was before; empty: the one that answers for it. For what was decided earlier.
    pub speaks_for_exactly: Option<BTreeSet<OrganisationNumber>>,
    /// A provider is not shown in the provider choice.
    pub hidden: Option<bool>,
    /// A provider is told which relying party asks.
    pub names_requesters: Option<bool>,
    /// The providers that a provider asks in its turn.
    pub behind: Option<BTreeSet<ProviderId>>,
    /// The service provider of ours that always asks a provider.
    pub service_provider: Option<String>,
    /// A relying party gets a new secret even if it has one.
    pub renew_secret: bool,
    /// Whose rules the file is judged by, beside the base: an error of one of them refuses it.
    pub profiles: Profiles,
}

/// What secrets of relying parties are made and kept with.
#[derive(Clone, Copy)]
pub struct Secrets<'a> {
    /// The broker's own key for [`SecretHash`].
    pub key: &'a MacKey,
    /// A fresh random secret, used if one is needed.
    pub fresh: &'a str,
}

/// What adding the file would do. Nothing is done when the report has errors: then there are no changes.
#[derive(Debug)]
pub struct Prepared {
    /// What was found.
    pub report: Report,
    /// Documents to be put into the store first, with their names.
    pub documents: Vec<(String, Vec<u8>)>,
    /// Changes to the manifest, in order.
    pub changes: Vec<Change>,
    /// Who is added or renewed.
    pub parties: Vec<Party>,
    /// A secret that was made, to be shown once.
    pub shown_secret: Option<ShownSecret>,
}

/// Somebody in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Its name.
    pub id: EntryId,
    /// What people know it by; may be empty.
    pub display_name: LocalText,
    /// Who answers for it.
    pub organisation: OrganisationNumber,
    /// For a provider: the organisations that its people may belong to.
    pub speaks_for: Vec<OrganisationNumber>,
    /// It was registered before.
    pub renewed: bool,
    /// For a provider: what subject identifiers of its people are made from, now or since it joined.
    pub subject_source: Option<SubjectSource>,
}

/// A new secret and whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct ShownSecret {
    /// Whose.
    pub client_id: String,
    /// The secret.
    pub secret: String,
}

impl fmt::Debug for ShownSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShownSecret").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Reads and judges a file against what `registry` has. A file that begins with `{` is a relying party's JSON, any other is SAML
/// metadata.
pub fn prepare(
    octets: &[u8],
    choices: &Choices,
    secrets: Secrets<'_>,
    registry: &Registry,
    now: Timestamp,
) -> Prepared {
    let mut prepared = Prepared {
        report: Report::by(choices.profiles),
        documents: Vec::new(),
        changes: Vec::new(),
        parties: Vec::new(),
        shown_secret: None,
    };
    let start = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets).trim_ascii_start();
    if start.starts_with(b"{") {
        relying_party(start, choices, secrets, registry, &mut prepared);
    } else {
        providers(octets, choices, registry, now, &mut prepared);
    }
    if prepared.report.has_errors() {
        prepared.documents.clear();
        prepared.changes.clear();
        prepared.shown_secret = None;
    }
    prepared
}

/// The names of the parties in a file, as far as it can be read: what to look for when it is to be taken out again.
#[must_use]
pub fn names(octets: &[u8]) -> Vec<EntryId> {
    let start = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets).trim_ascii_start();
    if start.starts_with(b"{") {
        let members: serde_json::Value = serde_json::from_slice(start).unwrap_or_default();
        let client = members.get("client_id").and_then(serde_json::Value::as_str);
        return client.map(|id| EntryId::OidcClient(id.into())).into_iter().collect();
    }
    let Ok(file) = MetadataFile::read(octets, MOST_OCTETS) else { return Vec::new() };
    file.entities()
        .filter_map(|entity| entity.attribute("entityID"))
        .map(|id| EntryId::SamlProvider(id.into()))
        .collect()
}

fn providers(octets: &[u8], choices: &Choices, registry: &Registry, now: Timestamp, prepared: &mut Prepared) {
    let file = match MetadataFile::read(octets, MOST_OCTETS) {
        Ok(file) => file,
        Err(report) => {
            prepared.report = report;
            return;
        }
    };
    file.check_signature(&mut prepared.report);
    let count = file.entities().count();
    if count == 0 || count > MOST_ENTITIES {
        let finding = if count == 0 {
            Finding::new(&lint::saml::document::NO_IDENTITY_PROVIDER, file.place())
        } else {
            Finding::new(&rule::TOO_MANY_ENTITIES, file.place())
                .found(count.to_string())
                .expected(MOST_ENTITIES.to_string())
        };
        prepared.report.add(finding);
        return;
    }
    let document = document_name(octets);
    let mut seen = Seen::of(Some(registry));
    for entity in file.entities() {
        let mut report = Report::by(choices.profiles);
        let about = entity.attribute("entityID").unwrap_or_default().to_owned();
        if let Some(provider) = IdentityProvider::read(entity, &mut report)
            && let Some((party, settings)) = provider_entry(&provider, choices, registry, now, &mut report)
        {
            prepared.changes.push(Change::AddMetadata {
                id: party.id.clone(),
                entry: Box::new(Entry::SamlProvider { document: document.clone(), settings }),
            });
            prepared.parties.push(party);
        }
        lint::saml::check_entity(entity, now, &mut report);
        seen.check(entity, &mut report);
        prepared.report.add_about(&about, report);
    }
    prepared.documents.push((document, octets.to_vec()));
}

fn provider_entry(
    provider: &IdentityProvider,
    choices: &Choices,
    registry: &Registry,
    now: Timestamp,
    report: &mut Report,
) -> Option<(Party, ProviderSettings)> {
    let id = EntryId::SamlProvider(ProviderId::new(provider.entity_id.as_str()));
    let known = match registry.manifest().entries.get(&id) {
        Some(Entry::SamlProvider { settings, .. }) => Some(settings),
        _ => None,
    };
    let claim = Claim {
        id: &id,
        name: &provider.entity_id,
        chosen: choices.organisation.as_ref(),
        known: known.map(|settings| &settings.organisation),
        stated: provider
            .organisation_number
            .as_ref()
            .and_then(|number| OrganisationNumber::parse(&number.value)),
        address: Some(provider.entity_id.as_str()),
        place: provider.place.into(),
    };
    let organisation = claim.owner(registry, report)?;
    let speaks_for = speaks_for(known, choices, registry, provider.place.into(), report)?;
    let bounds = saml::bounds(organisation, &speaks_for);
    lint::saml::check_into(provider, Some(&bounds), now, report);
    let subject_source = match (known.map(|settings| settings.subject_source), choices.subject_source) {
        (Some(pinned), Some(chosen)) if pinned != chosen => {
            report.add(
                Finding::new(&rule::SOURCE_CHANGED, provider.place)
                    .found(chosen.key())
                    .expected(pinned.key()),
            );
            pinned
        }
        (Some(pinned), _) => pinned,
        (None, chosen) => match chosen.or_else(|| provider.natural_subject_source()) {
            Some(source) => source,
            None => {
                report.add(Finding::new(&rule::SOURCE_UNDECIDED, provider.role_place));
                return None;
            }
        },
    };
    let shown = provider.display_name();
    if let Some(name) = shown.best(&[])
        && let Some(other) = registry.providers_by_name().iter().find(|other| {
            other.organisation.number != organisation.number
                && other.display_name.0.values().any(|taken| taken.to_lowercase() == name.to_lowercase())
        })
    {
        report.add(
            Finding::new(&rule::NAME_TAKEN, provider.role_place).found(name).expected(other.id.as_str()),
        );
    }
    let mut settings =
        known.cloned().unwrap_or_else(|| ProviderSettings::of(organisation.number.clone(), subject_source));
    settings.organisations = speaks_for.iter().map(|record| record.number.clone()).collect();
    if let Some(chosen) = &choices.narrowing {
        settings.narrowing = narrowed(chosen, &bounds, provider.place.into(), report);
    }
    settings.hidden = choices.hidden.unwrap_or(settings.hidden);
    settings.names_requesters = choices.names_requesters.unwrap_or(settings.names_requesters);
    settings.behind = choices.behind.clone().unwrap_or(settings.behind);
    for name in &settings.behind {
        let other = registry.saml_provider(name);
        if other.is_some_and(|other| other.policy.organisation.number != organisation.number) {
            report.add(Finding::new(&rule::BEHIND_REGISTERED, provider.place).found(name.as_str()));
        }
    }
    // The other way round: a name that was nobody's when somebody was let speak for it.
    let in_front = registry.providers_by_name().iter().find(|other| {
        other.organisation.number != organisation.number
            && other.behind.iter().any(|name| name.as_str() == provider.entity_id)
    });
    if let Some(other) = in_front {
        report.add(
            Finding::new(&rule::NAMED_BEHIND, provider.place)
                .found(&provider.entity_id)
                .expected(other.id.as_str()),
        );
    }
    let asked_by = known.and_then(ProviderSettings::asked_by);
    settings.service_provider = choices.service_provider.clone().or(settings.service_provider);
    // It is written down when the provider joins, and stays.
    if subject_source.is_per_service_provider() {
        settings.service_provider = settings.asked_by().map(str::to_owned);
        if let (Some(pinned), Some(chosen)) = (asked_by, settings.service_provider.as_deref())
            && pinned != chosen
        {
            report.add(
                Finding::new(&rule::SERVICE_PROVIDER_CHANGED, provider.place).found(chosen).expected(pinned),
            );
        }
    }
    let party = Party {
        id,
        display_name: provider.display_name(),
        organisation: organisation.number.clone(),
        speaks_for: settings.speaks_for().cloned().collect(),
        renewed: known.is_some(),
        subject_source: Some(subject_source),
    };
    Some((party, settings))
}

/// The records of the organisations that the provider speaks for; none: the one that answers for it, alone.
///
/// What it spoke for stays until it is taken away: whoever adds a second organisation to a provider of one keeps the first.
fn speaks_for(
    known: Option<&ProviderSettings>,
    choices: &Choices,
    registry: &Registry,
    place: Place,
    report: &mut Report,
) -> Option<Vec<Arc<Organisation>>> {
    let mut numbers: BTreeSet<_> = if let Some(exactly) = &choices.speaks_for_exactly {
        exactly.clone()
    } else if choices.speaks_for.is_empty() && choices.speaks_no_more_for.is_empty() {
        known.map(|settings| settings.organisations.clone()).unwrap_or_default()
    } else {
        let before = known.into_iter().flat_map(ProviderSettings::speaks_for);
        before.chain(&choices.speaks_for).cloned().collect()
    };
    let alone = numbers.is_empty();
    for number in &choices.speaks_no_more_for {
        if !numbers.remove(number) {
            report
                .add(Finding::new(&organisations_rule::NOT_SPOKEN_FOR, place.clone()).found(number.as_str()));
        }
    }
    if numbers.is_empty() && !alone {
        report.add(Finding::new(&organisations_rule::NONE, place.clone()));
        return None;
    }
    let mut records: Vec<Arc<Organisation>> = Vec::new();
    for number in &numbers {
        match registry.organisation(number) {
            Some(record) => records.push(Arc::clone(record)),
            None => {
                report.add(Finding::new(&organisations_rule::UNKNOWN, place.clone()).found(number.as_str()))
            }
        }
    }
    for (at, record) in records.iter().enumerate() {
        for other in records.iter().skip(at + 1) {
            if let Some(shared) = shared(record, other) {
                let both = format!("{}, {}", record.number, other.number);
                report.add(
                    Finding::new(&organisations_rule::SHARED, place.clone()).found(shared).expected(both),
                );
            }
        }
    }
    (records.len() == numbers.len()).then_some(records)
}

/// A scope that two records have, or a beginning of HSA-ids that is within one of the other's: it tells the two apart no more.
fn shared(one: &Organisation, other: &Organisation) -> Option<String> {
    let scope = one.scopes.iter().find(|scope| other.owns_scope(scope));
    let number = [(one, other), (other, one)]
        .into_iter()
        .find_map(|(a, b)| b.owns_scope(a.number.as_str()).then_some(a.number.as_str()));
    let within = |narrow: &Organisation, wide: &Organisation| {
        let begins =
            |prefix: &&String| wide.hsa_prefixes.iter().any(|start| prefix.starts_with(start.as_str()));
        narrow.hsa_prefixes.iter().find(begins).cloned()
    };
    scope
        .cloned()
        .or_else(|| number.map(str::to_owned))
        .or_else(|| within(one, other))
        .or_else(|| within(other, one))
}

/// The operator's narrowing in the record's spelling. What the record does not have cannot be narrowed to: a slip of the finger would else take
/// everything away.
fn narrowed(chosen: &Narrowing, organisation: &Organisation, place: Place, report: &mut Report) -> Narrowing {
    let scopes: Option<BTreeSet<String>> = chosen
        .scopes
        .as_ref()
        .map(|scopes| scopes.iter().map(|scope| ascii(scope).unwrap_or_else(|| scope.clone())).collect());
    let own = Authority::of(organisation);
    let mut outside = Vec::new();
    outside.extend(scopes.iter().flatten().filter(|scope| own.scope(scope).is_none()).cloned());
    outside
        .extend(chosen.hsa_prefixes.iter().flatten().filter(|prefix| !own.owns_hsa_prefix(prefix)).cloned());
    let names = chosen.may_assert.iter().flatten().filter(|name| !own.may_assert(**name));
    outside.extend(names.map(|name| name.key().to_owned()));
    let levels = chosen.ceiling.iter().flatten().filter(|level| !own.covers(level));
    outside.extend(levels.map(|level| level.as_str().to_owned()));
    for value in outside {
        report.add(
            Finding::new(&rule::NARROWING_OUTSIDE, place.clone())
                .found(value)
                .expected(organisation.number.as_str()),
        );
    }
    Narrowing { scopes, ..chosen.clone() }
}

fn relying_party(
    octets: &[u8],
    choices: &Choices,
    secrets: Secrets<'_>,
    registry: &Registry,
    prepared: &mut Prepared,
) {
    let report = &mut prepared.report;
    let Some(file) = RegistrationFile::read(octets, report) else {
        return;
    };
    let registration = &file.registration;
    let named = choices.client_id.clone().or_else(|| registration.client_id.clone());
    let Some(client_id) = named.filter(|name| {
        let good = is_client_id(name);
        if !good {
            report.add(Finding::new(&oidc_rule::CLIENT_ID, Place::File).found(name));
        }
        good
    }) else {
        if choices.client_id.is_none() && !report.has(oidc_rule::CLIENT_ID.id) {
            report.add(Finding::new(&oidc_rule::CLIENT_ID_MISSING, Place::Pointer("/client_id".to_owned())));
        }
        return;
    };
    let id = EntryId::OidcClient(RelyingPartyId::new(client_id.as_str()));
    let known = match registry.manifest().entries.get(&id) {
        Some(Entry::OidcClient { settings, .. }) => Some(settings),
        _ => None,
    };
    let claim = Claim {
        id: &id,
        name: &client_id,
        chosen: choices.organisation.as_ref(),
        known: known.map(|settings| &settings.organisation),
        stated: registration
            .organization_identifier
            .as_deref()
            .and_then(|written| written.rsplit([':', '/']).next())
            .and_then(OrganisationNumber::parse),
        address: registration.redirect_uris.first().map(String::as_str),
        place: Place::Pointer(String::new()),
    };
    let Some(organisation) = claim.owner(registry, report) else {
        return;
    };
    lint::oidc::check_into(registration, Some(organisation), report);
    lint::oidc::swedish::check(file.members(), report);
    let mut settings =
        known.cloned().unwrap_or_else(|| RelyingPartySettings::of(organisation.number.clone()));
    settings.profile = choices.profile.unwrap_or(settings.profile);
    settings.assurance_profile = choices.assurance_profile.unwrap_or(settings.assurance_profile);
    settings.pkce_waived = choices.pkce_waived.unwrap_or(settings.pkce_waived);
    settings.fail_on_missing_attribute =
        choices.fail_on_missing_attribute.unwrap_or(settings.fail_on_missing_attribute);
    settings.attributes = choices.attributes.clone().or(settings.attributes);
    settings.providers = choices.providers.clone().or(settings.providers);
    if let (Some(before), Some(after)) = (
        registry.oidc_client(&RelyingPartyId::new(client_id.as_str())),
        oidc::sector(registration, organisation),
    ) && before.policy.sector != after
    {
        report.add(
            Finding::new(&rule::SECTOR_CHANGED, Place::Pointer("/sector_identifier_uri".to_owned()))
                .found(host(&after))
                .expected(host(&before.policy.sector)),
        );
    }
    let hash = |secret: &str| SecretHash::of(secrets.key, &client_id, secret);
    if let Some(secret) = file.secret() {
        key_rule::check_secret(secret, report);
    }
    match (registration.method, file.secret()) {
        (Method::PrivateKeyJwt, _) => settings.secret = None,
        (Method::ClientSecretBasic | Method::ClientSecretPost, Some(secret)) => {
            settings.secret = Some(hash(secret));
        }
        (Method::ClientSecretBasic | Method::ClientSecretPost, None) => {
            if settings.secret.is_none() || choices.renew_secret {
                settings.secret = Some(hash(secrets.fresh));
                prepared.shown_secret =
                    Some(ShownSecret { client_id: client_id.clone(), secret: secrets.fresh.to_owned() });
            }
        }
    }
    let document = file.document();
    let name = document_name(&document);
    prepared.parties.push(Party {
        id: id.clone(),
        display_name: registration.name.clone(),
        organisation: organisation.number.clone(),
        speaks_for: Vec::new(),
        renewed: known.is_some(),
        subject_source: None,
    });
    prepared.changes.push(Change::AddMetadata {
        id,
        entry: Box::new(Entry::OidcClient { document: name.clone(), settings }),
    });
    prepared.documents.push((name, document));
}

/// The host in a sector.
fn host(sector: &str) -> &str {
    sector.split_once('/').map_or(sector, |(_, host)| host)
}

/// Who wants to be registered, and what there is to tell whose it is.
struct Claim<'a> {
    id: &'a EntryId,
    name: &'a str,
    chosen: Option<&'a OrganisationNumber>,
    known: Option<&'a OrganisationNumber>,
    stated: Option<OrganisationNumber>,
    address: Option<&'a str>,
    place: Place,
}

impl Claim<'_> {
    /// The organisation that answers: the operator's choice, else the one it is registered for, else the number in the file, else
    /// the only one that owns the host. A name that is registered for another organisation is never moved.
    fn owner<'r>(&self, registry: &'r Registry, report: &mut Report) -> Option<&'r Organisation> {
        let by_host = || {
            let address = self.address.and_then(WebAddress::parse)?;
            let mut owners =
                registry.organisations().filter(|organisation| organisation.owns_host(address.host()));
            let only = owners.next()?;
            owners.next().is_none().then(|| only.number.clone())
        };
        // What the file states comes before what is registered, so that a file of another organisation is refused for what it is.
        let number = self
            .chosen
            .cloned()
            .or_else(|| self.stated.clone())
            .or_else(|| self.known.cloned())
            .or_else(by_host);
        if let (Some(known), Some(number)) = (self.known, &number)
            && known != number
        {
            report.add(
                Finding::new(&rule::ENTITY_TAKEN, self.place.clone())
                    .found(self.name)
                    .expected(known.as_str()),
            );
            return None;
        }
        let owner = number.and_then(|number| registry.organisation(&number));
        if owner.is_none() {
            report.add(
                Finding::new(&rule::ORGANISATION_UNKNOWN, self.place.clone()).found(self.id.to_string()),
            );
        }
        owner.map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests;
