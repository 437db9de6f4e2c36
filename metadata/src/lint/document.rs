//! Any file judged: which kind it is, who reads it, and what it is judged by.
//!
//! SAML metadata of one entity or many, a relying party's registration, an OpenID provider's discovery document, an organisation record.
//! The command line, the API, the page and refresh all come here, so that they say the same.

use std::io::Read;

use broker_core::{
    moment::Timestamp,
    organisation::{Organisation, OrganisationNumber},
};
use certs::PublicKey;
use certs_xml::{Element, namespace::MD};

use crate::{
    address::WebAddress,
    lint::{
        self, Profiles,
        registry::{ENTITY_TAKEN, ORGANISATION_UNKNOWN},
        report::{Finding, Place, Report},
        saml::across::Seen,
    },
    oidc::RegistrationFile,
    registry::Registry,
    revision::EntryId,
    saml::{IdentityProvider, MetadataFile, role},
    source::aggregate::{AggregateLimits, read_aggregate},
};

/// The octets of the largest file that is judged whole.
pub const MOST_OCTETS: usize = 64 * 1024 * 1024;

/// What a file is judged by.
#[derive(Clone, Copy)]
pub struct Measure<'a> {
    /// Whose rules.
    pub profiles: Profiles,
    /// The moment that dates are seen from.
    pub at: Timestamp,
    /// What is registered: then records bound what the file may claim, and keys are compared with those of others.
    pub registry: Option<&'a Registry>,
    /// The only keys that the file may be signed with; `None`: the signature is no ground for trust.
    pub signers: Option<&'a [PublicKey]>,
    /// The octets of the largest file.
    pub most_octets: usize,
}

impl<'a> Measure<'a> {
    /// By these profiles, at that moment, against nothing that is registered.
    #[must_use]
    pub fn new(profiles: Profiles, at: Timestamp) -> Self {
        Self { profiles, at, registry: None, signers: None, most_octets: MOST_OCTETS }
    }

    /// Also against what is registered.
    #[must_use]
    pub fn against(mut self, registry: &'a Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// The file must be signed with one of these keys.
    #[must_use]
    pub fn signed_by(mut self, keys: &'a [PublicKey]) -> Self {
        self.signers = Some(keys);
        self
    }

    /// Judges a file of any kind.
    pub fn document(&self, octets: &[u8]) -> Report {
        self.document_watched(octets, &mut |_, _| {})
    }

    /// Like [`Measure::document`], telling how many of its entities have been judged, of how many.
    pub fn document_watched(&self, octets: &[u8], watch: &mut dyn FnMut(usize, usize)) -> Report {
        let start = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets).trim_ascii_start();
        match start.first() {
            Some(b'{') => self.json(start),
            Some(first) if *first != b'<' && looks_like_toml(start) => record(start, self.profiles),
            _ => self.saml(octets, watch),
        }
    }

    fn json(&self, octets: &[u8]) -> Report {
        let has = |members: &serde_json::Value, name: &str| members.get(name).is_some();
        // What cannot be read is told by the reader of registrations.
        let members: serde_json::Value = serde_json::from_slice(octets).unwrap_or_default();
        let registration = has(&members, "redirect_uris") || has(&members, "client_id");
        if !registration && has(&members, "number") {
            return record(octets, self.profiles);
        }
        let mut report = Report::by(self.profiles);
        if !registration && (has(&members, "issuer") || has(&members, "authorization_endpoint")) {
            lint::oidc::discovery::check(octets, &mut report);
            return report;
        }
        if let Some(file) = RegistrationFile::read(octets, &mut report) {
            let owner = self.owner_of_registration(&file, &mut report);
            lint::oidc::check_into(&file.registration, owner, &mut report);
            lint::oidc::swedish::check(file.members(), &mut report);
            if let Some(secret) = file.secret() {
                lint::oidc::key::check_secret(secret, &mut report);
            }
        }
        report
    }

    fn owner_of_registration(
        &self,
        file: &RegistrationFile,
        report: &mut Report,
    ) -> Option<&'a Organisation> {
        let registration = &file.registration;
        let stated = registration
            .organization_identifier
            .as_deref()
            .and_then(|written| written.rsplit([':', '/']).next())
            .and_then(OrganisationNumber::parse);
        let id = registration.client_id.clone().unwrap_or_default();
        let address = registration.redirect_uris.first().map(String::as_str);
        self.owner(&EntryId::OidcClient(id.as_str().into()), stated, address, Place::File, report)
    }

    fn saml(&self, octets: &[u8], watch: &mut dyn FnMut(usize, usize)) -> Report {
        let mut report = Report::by(self.profiles);
        let file = match MetadataFile::read(octets, self.most_octets) {
            Ok(file) => file,
            Err(refused) => {
                refused.findings.into_iter().for_each(|finding| report.add(finding));
                return report;
            }
        };
        file.check_signature_by(self.signers, &mut report);
        lint::saml::file::check(file.root(), self.at, &mut report);
        lint::saml::form::check_groups(file.root(), &mut report);
        let several = file.root().is(MD.uri(), "EntitiesDescriptor");
        let mut entities = self.entities();
        let count = file.entities().count();
        for (index, entity) in file.entities().enumerate() {
            watch(index, count);
            let mut found = entities.judge(entity);
            if several {
                // How long the whole file holds is told once.
                let root = Place::from(file.root().position());
                found.findings.retain(|finding| finding.place != root);
                report.add_about(entity.attribute("entityID").unwrap_or_default(), found);
            } else {
                report.findings.extend(found.findings);
            }
        }
        if count == 0 {
            report.add(Finding::new(&lint::saml::file::NO_ENTITY, file.place()));
        }
        report
    }

    /// Judges an aggregate while it is read, in bounded memory: for files too large to be judged whole. It must be signed by one of the
    /// signers; where it is refused, that is all there is to say, since nothing in it is then worth a look. Findings stand where their
    /// entity begins.
    pub fn aggregate(&self, input: impl Read) -> Report {
        let mut report = Report::by(self.profiles);
        let limits = AggregateLimits {
            max_validity_seconds: i64::MAX,
            require_valid_until: false,
            ..AggregateLimits::default()
        };
        let mut entities = self.entities();
        let read = read_aggregate(input, self.signers.unwrap_or_default(), &limits, self.at, |entity| {
            let entity = entity.unproven();
            let mut found = match MetadataFile::read(&entity.octets, self.most_octets) {
                Ok(file) => entities.judge(file.root()),
                Err(refused) => refused,
            };
            for finding in &mut found.findings {
                finding.place = entity.place.into();
            }
            report.add_about(&entity.entity_id, found);
            Ok(())
        });
        match read {
            Ok(aggregate) => lint::saml::file::check_validity(aggregate.valid_until, self.at, &mut report),
            Err(refused) => {
                report = Report::by(self.profiles);
                let finding = Finding::new(&lint::saml::file::SIGNATURE_UNTRUSTED, Place::File);
                report.add(finding.found(refused.to_string()));
            }
        }
        report
    }

    /// Judges entities one by one, as they come out of an aggregate that is too large to lie in memory.
    #[must_use]
    pub fn entities(self) -> Entities<'a> {
        Entities { measure: self, seen: Seen::of(self.registry) }
    }

    /// Who answers for a party: as stated, else as registered, else the only organisation that owns the host.
    fn owner(
        &self,
        id: &EntryId,
        stated: Option<OrganisationNumber>,
        address: Option<&str>,
        place: Place,
        report: &mut Report,
    ) -> Option<&'a Organisation> {
        let registry = self.registry?;
        let known = registry.manifest().entries.get(id).and_then(crate::revision::Entry::organisation);
        if let (Some(known), Some(stated)) = (known, &stated)
            && known != stated
        {
            report.add(Finding::new(&ENTITY_TAKEN, place).found(id.to_string()).expected(known.as_str()));
            return None;
        }
        let by_host = || {
            let address = WebAddress::parse(address?)?;
            let mut owners = registry.organisations().filter(|owner| owner.owns_host(address.host()));
            let only = owners.next()?;
            owners.next().is_none().then(|| only.number.clone())
        };
        let number = stated.or_else(|| known.cloned()).or_else(by_host);
        let owner = number.and_then(|number| registry.organisation(&number));
        if owner.is_none() {
            report.add(Finding::new(&ORGANISATION_UNKNOWN, place).found(id.to_string()));
        }
        owner.map(AsRef::as_ref)
    }
}

/// Entities judged one after the other; remembers what they must not share.
pub struct Entities<'a> {
    measure: Measure<'a>,
    seen: Seen,
}

impl Entities<'_> {
    /// Judges the next one.
    pub fn judge(&mut self, entity: Element<'_>) -> Report {
        let measure = &self.measure;
        let mut report = Report::by(measure.profiles);
        let is_provider = role(entity, "IDPSSODescriptor").is_some();
        if is_provider {
            if let Some(provider) = IdentityProvider::read(entity, &mut report) {
                let stated = provider
                    .organisation_number
                    .as_ref()
                    .and_then(|number| OrganisationNumber::parse(&number.value));
                let id = EntryId::SamlProvider(provider.entity_id.as_str().into());
                let address = Some(provider.entity_id.as_str());
                let owner = measure.owner(&id, stated, address, provider.place.into(), &mut report);
                lint::saml::check_into(&provider, owner, measure.at, &mut report);
            }
        } else {
            lint::saml::document::check_name(entity, &mut report);
            lint::saml::document::check_until(entity, measure.at, &mut report);
        }
        lint::saml::check_entity(entity, measure.at, &mut report);
        self.seen.check(entity, &mut report);
        report
    }
}

/// Judges a file of any kind by these profiles (the base is always among them), as seen at that moment.
pub fn document(octets: &[u8], profiles: Profiles, at: Timestamp) -> Report {
    Measure::new(profiles, at).document(octets)
}

fn record(octets: &[u8], profiles: Profiles) -> Report {
    let mut report = Report::by(profiles);
    match std::str::from_utf8(octets) {
        Ok(text) => {
            for finding in crate::organisation::read(text).1.findings {
                report.add(finding);
            }
        }
        Err(fault) => {
            let finding = Finding::new(&lint::record::UNREADABLE, Place::File);
            report.add(finding.found(fault.to_string()));
        }
    }
    report
}

/// Whether the first line that says something is a key or a table of TOML.
fn looks_like_toml(octets: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(octets) else { return false };
    let said = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    said.is_some_and(|line| {
        line.starts_with('[')
            || line.split_once('=').is_some_and(|(key, _)| {
                key.trim().chars().all(|letter| letter.is_alphanumeric() || "_-.\"".contains(letter))
            })
    })
}
