//! A manifest and its documents to a registry. What did not change since the last one is taken over as it is, so that one change
//! among ten thousand peers costs one parse.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use broker_core::{
    moment::Timestamp,
    organisation::{Organisation, OrganisationNumber},
};

use crate::{
    lint::{self, report::Report, rule::Severity},
    oidc::{self, RegistrationFile},
    peer::{OidcClient, SamlProvider},
    registry::Registry,
    revision::{Entry, EntryId, Manifest, document_name, suspension},
    saml::{self, IdentityProvider, MetadataFile},
    settings::{ProviderSettings, RelyingPartySettings},
};

/// A peer that is registered but not in the snapshot: its document no longer fits the organisation's record, or this version of the
/// program refuses what an earlier one took.
#[derive(Debug, Clone)]
pub struct Withheld {
    /// Which.
    pub id: EntryId,
    /// Why.
    pub report: Report,
}

/// Why there is no registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildFailed {
    /// The store does not have it.
    #[error("the document {document} of {entry} is missing")]
    DocumentMissing {
        /// Whose.
        entry: EntryId,
        /// Its name.
        document: String,
    },
    /// The store has something else under its name.
    #[error("the document {document} of {entry} has been altered")]
    DocumentAltered {
        /// Whose.
        entry: EntryId,
        /// Its name.
        document: String,
    },
    /// A record cannot be read.
    #[error("the record of {entry} cannot be read")]
    RecordUnreadable {
        /// Whose.
        entry: EntryId,
    },
}

/// What building needs at hand.
struct Builder<'a> {
    documents: &'a dyn Fn(&str) -> Option<&'a [u8]>,
    previous: Option<&'a Registry>,
    now: Timestamp,
    /// Files with several entities are read once.
    files: HashMap<String, Option<MetadataFile>>,
    withheld: Vec<Withheld>,
}

/// What the operator decided of a provider, with the records that it needs.
struct Settled<'s> {
    settings: &'s ProviderSettings,
    organisation: &'s Arc<Organisation>,
    speaks_for: Vec<Arc<Organisation>>,
}

impl Settled<'_> {
    /// Whether a provider was built with these very records.
    fn is_of(&self, known: &SamlProvider) -> bool {
        let voices = &known.policy.organisations;
        Arc::ptr_eq(&known.policy.organisation, self.organisation)
            && voices.len() == self.speaks_for.len()
            && voices.iter().zip(&self.speaks_for).all(|(voice, now)| Arc::ptr_eq(&voice.organisation, now))
    }
}

impl Registry {
    /// Builds the snapshot of a manifest. `documents` finds a document by its name; `previous` is what the node has now.
    ///
    /// A peer whose document no longer passes is left out and listed in [`Registry::withheld`]: one bad peer must not stop all.
    ///
    /// # Errors
    /// When a document is missing or altered, or a record cannot be read: then the last good registry stays.
    pub fn build<'a>(
        number: u64,
        manifest: &Manifest,
        documents: &'a dyn Fn(&str) -> Option<&'a [u8]>,
        previous: Option<&'a Self>,
        now: Timestamp,
    ) -> Result<Self, BuildFailed> {
        let mut builder = Builder { documents, previous, now, files: HashMap::new(), withheld: Vec::new() };
        let mut organisations: BTreeMap<OrganisationNumber, Arc<Organisation>> = BTreeMap::new();
        for (id, entry) in &manifest.entries {
            if let EntryId::Organisation(organisation) = id {
                organisations.insert(organisation.clone(), builder.organisation(id, entry, organisation)?);
            }
        }
        let (mut providers, mut clients) = (Vec::new(), Vec::new());
        for (id, entry) in &manifest.entries {
            let Some(organisation) = entry.organisation() else { continue };
            // Manifest::with keeps this from happening; a peer without a record is nobody's.
            let Some(organisation) = organisations.get(organisation) else {
                builder.withheld.push(Withheld { id: id.clone(), report: Report::new() });
                continue;
            };
            match (id, entry) {
                (EntryId::SamlProvider(_), Entry::SamlProvider { settings, .. }) => {
                    let speaks_for: Option<Vec<_>> = settings
                        .organisations
                        .iter()
                        .map(|number| organisations.get(number).cloned())
                        .collect();
                    let Some(speaks_for) = speaks_for else {
                        builder.withheld.push(Withheld { id: id.clone(), report: Report::new() });
                        continue;
                    };
                    let settled = Settled { settings, organisation, speaks_for };
                    providers.extend(builder.provider(id, entry, &settled)?);
                }
                (EntryId::OidcClient(_), Entry::OidcClient { settings, .. }) => {
                    clients.extend(builder.client(id, entry, settings, organisation)?);
                }
                _ => builder.withheld.push(Withheld { id: id.clone(), report: Report::new() }),
            }
        }
        let withheld = builder.withheld;
        let suspensions = suspension::suspensions(&manifest.suspensions);
        Ok(Self::assembled(number, suspensions, organisations.into_values(), providers, clients)
            .built_from(manifest.clone(), withheld))
    }
}

impl<'a> Builder<'a> {
    /// The octets under a name, if they are the ones that the name says.
    fn document(&self, id: &EntryId, entry: &Entry) -> Result<&'a [u8], BuildFailed> {
        let document = entry.document();
        let octets = (self.documents)(document).ok_or_else(|| BuildFailed::DocumentMissing {
            entry: id.clone(),
            document: document.to_owned(),
        })?;
        if document_name(octets) != document {
            return Err(BuildFailed::DocumentAltered { entry: id.clone(), document: document.to_owned() });
        }
        Ok(octets)
    }

    fn is_unchanged(&self, id: &EntryId, entry: &Entry) -> bool {
        self.previous.is_some_and(|previous| previous.manifest().entries.get(id) == Some(entry))
    }

    fn organisation(
        &self,
        id: &EntryId,
        entry: &Entry,
        number: &OrganisationNumber,
    ) -> Result<Arc<Organisation>, BuildFailed> {
        if self.is_unchanged(id, entry)
            && let Some(known) = self.previous.and_then(|previous| previous.organisation(number))
        {
            return Ok(Arc::clone(known));
        }
        let octets = self.document(id, entry)?;
        serde_json::from_slice::<Organisation>(octets)
            .ok()
            .filter(|organisation| organisation.number == *number)
            .map(Arc::new)
            .ok_or_else(|| BuildFailed::RecordUnreadable { entry: id.clone() })
    }

    fn provider(
        &mut self,
        id: &EntryId,
        entry: &Entry,
        settled: &Settled<'_>,
    ) -> Result<Option<Arc<SamlProvider>>, BuildFailed> {
        let EntryId::SamlProvider(entity_id) = id else { return Ok(None) };
        if self.is_unchanged(id, entry)
            && let Some(known) = self.previous.and_then(|previous| previous.saml_provider(entity_id))
            && settled.is_of(known)
        {
            return Ok(Some(Arc::clone(known)));
        }
        if !self.files.contains_key(entry.document()) {
            let octets = self.document(id, entry)?;
            let file = MetadataFile::read(octets, saml::MOST_OCTETS).ok();
            self.files.insert(entry.document().to_owned(), file);
        }
        let mut report = Report::new();
        let read = self
            .files
            .get(entry.document())
            .and_then(Option::as_ref)
            .and_then(|file| file.entity(entity_id.as_str()))
            .and_then(|entity| IdentityProvider::read(entity, &mut report));
        let Some(read) = read else {
            self.withheld.push(Withheld { id: id.clone(), report });
            return Ok(None);
        };
        let Settled { settings, organisation, speaks_for } = settled;
        let bounds = saml::bounds(organisation, speaks_for);
        report.findings.extend(lint::saml::check(&read, &bounds, self.now).findings);
        // Time passes for what is registered: a provider past its validUntil, or with keys that have become too weak, stays known, and its role
        // refuses it by name where it must. Keys that cannot be used are not among its keys.
        let key = [
            &lint::saml::key::SIGNING_KEY_MISSING,
            &lint::saml::key::KEY_UNREADABLE,
            &lint::saml::key::KEY_WEAK,
        ];
        let borne = |id: &str| id == lint::saml::document::EXPIRED.id || key.iter().any(|rule| rule.id == id);
        if report
            .findings
            .iter()
            .any(|finding| finding.rule.severity == Severity::Error && !borne(finding.rule.id))
        {
            self.withheld.push(Withheld { id: id.clone(), report });
            return Ok(None);
        }
        Ok(Some(Arc::new(saml::saml_provider(&read, settings, organisation, speaks_for))))
    }

    fn client(
        &mut self,
        id: &EntryId,
        entry: &Entry,
        settings: &RelyingPartySettings,
        organisation: &Arc<Organisation>,
    ) -> Result<Option<Arc<OidcClient>>, BuildFailed> {
        let EntryId::OidcClient(client_id) = id else { return Ok(None) };
        if self.is_unchanged(id, entry)
            && let Some(known) = self.previous.and_then(|previous| previous.oidc_client(client_id))
            && Arc::ptr_eq(&known.policy.organisation, organisation)
        {
            return Ok(Some(Arc::clone(known)));
        }
        let octets = self.document(id, entry)?;
        let mut report = Report::new();
        let client = RegistrationFile::read(octets, &mut report).and_then(|file| {
            report.findings.extend(lint::oidc::check(&file.registration, organisation).findings);
            if report.has_errors() {
                return None;
            }
            oidc::oidc_client(client_id.as_str(), &file.registration, settings, organisation)
        });
        if client.is_none() {
            self.withheld.push(Withheld { id: id.clone(), report });
        }
        Ok(client.map(Arc::new))
    }
}
