//! Who is registered, with which document and which settings, and how that may change.

use std::{collections::BTreeMap, fmt};

use broker_core::{
    identifier::{ProviderId, RelyingPartyId},
    organisation::OrganisationNumber,
};
use serde::{Deserialize, Serialize};

use super::{
    document_name, is_document_name,
    suspension::{Suspension, Target},
};
use crate::connection::{Connections, Decision};
use crate::settings::{ProviderSettings, RelyingPartySettings};

/// The name of an entry: the kind, a colon, and the exact name within the kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum EntryId {
    /// An organisation's record.
    Organisation(OrganisationNumber),
    /// A SAML identity provider.
    SamlProvider(ProviderId),
    /// An OpenID Connect relying party.
    OidcClient(RelyingPartyId),
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organisation(number) => write!(f, "organisation:{number}"),
            Self::SamlProvider(id) => write!(f, "saml-provider:{id}"),
            Self::OidcClient(id) => write!(f, "oidc-client:{id}"),
        }
    }
}

impl From<EntryId> for String {
    fn from(id: EntryId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for EntryId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("organisation", number)) => {
                OrganisationNumber::try_from(number.to_owned()).map(Self::Organisation)
            }
            Some(("saml-provider", id)) if !id.is_empty() => Ok(Self::SamlProvider(id.into())),
            Some(("oidc-client", id)) if !id.is_empty() => Ok(Self::OidcClient(id.into())),
            _ => Err(format!("{text:?} names no kind of entry")),
        }
    }
}

/// One entry. `document` is the name of the octets that it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// An organisation's record, as JSON.
    Organisation {
        /// The document.
        document: String,
        /// The document of its logo.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        logo: Option<String>,
    },
    /// A SAML identity provider, in a file of SAML metadata that may have others in it.
    SamlProvider {
        /// The document.
        document: String,
        /// What the operator decided.
        settings: ProviderSettings,
    },
    /// An OpenID Connect relying party, as JSON.
    OidcClient {
        /// The document.
        document: String,
        /// What the operator decided.
        settings: RelyingPartySettings,
    },
}

impl Entry {
    /// The name of its document.
    #[must_use]
    pub fn document(&self) -> &str {
        match self {
            Self::Organisation { document, .. }
            | Self::SamlProvider { document, .. }
            | Self::OidcClient { document, .. } => document,
        }
    }

    /// The names of all documents that it needs.
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        let logo = match self {
            Self::Organisation { logo, .. } => logo.as_deref(),
            Self::SamlProvider { .. } | Self::OidcClient { .. } => None,
        };
        [self.document()].into_iter().chain(logo)
    }

    /// The organisations that it needs records of, beside the one that answers for it.
    pub fn speaks_for(&self) -> impl Iterator<Item = &OrganisationNumber> {
        let settings = match self {
            Self::SamlProvider { settings, .. } => Some(settings),
            Self::Organisation { .. } | Self::OidcClient { .. } => None,
        };
        settings.into_iter().flat_map(ProviderSettings::speaks_for)
    }

    /// Who answers for it; `None` for a record itself.
    #[must_use]
    pub fn organisation(&self) -> Option<&OrganisationNumber> {
        match self {
            Self::Organisation { .. } => None,
            Self::SamlProvider { settings, .. } => Some(&settings.organisation),
            Self::OidcClient { settings, .. } => Some(&settings.organisation),
        }
    }

    /// A digest of the whole entry, document and settings: two entries have the same one when they are the same.
    #[must_use]
    pub fn digest(&self) -> String {
        // Plain data: it can always be written.
        document_name(&serde_json::to_vec(self).unwrap_or_default())
    }

    fn is_named_by(&self, id: &EntryId) -> bool {
        matches!(
            (self, id),
            (Self::Organisation { .. }, EntryId::Organisation(_))
                | (Self::SamlProvider { .. }, EntryId::SamlProvider(_))
                | (Self::OidcClient { .. }, EntryId::OidcClient(_))
        )
    }
}

/// Everything that is registered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// By name.
    pub entries: BTreeMap<EntryId, Entry>,
    /// What is suspended, each target once, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspensions: Vec<Suspension>,
    /// Which relying parties employers let their people reach.
    #[serde(default, skip_serializing_if = "Connections::is_empty")]
    pub connections: Connections,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// A new record, or a new version of one.
    AddOrganisation {
        /// Whose.
        number: OrganisationNumber,
        /// The document of the record.
        document: String,
        /// The document of its logo.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        logo: Option<String>,
    },
    /// A new peer, or a new document or new settings of one.
    AddMetadata {
        /// Its name.
        id: EntryId,
        /// What it shall be.
        entry: Box<Entry>,
    },
    /// An entry is taken out.
    Remove {
        /// Which.
        id: EntryId,
    },
    /// Something is suspended: one person's act.
    Suspend {
        /// What, by whom, and why.
        suspension: Box<Suspension>,
    },
    /// A suspension is lifted: never but by this.
    Resume {
        /// What was suspended.
        target: Target,
    },
    /// An employer or the federation decides about connections.
    Connection {
        /// What is decided.
        decision: Box<Decision>,
    },
}

impl Change {
    /// The entry that it is about; `None`: it is about a suspension, or about connections.
    #[must_use]
    pub fn entry(&self) -> Option<EntryId> {
        match self {
            Self::AddOrganisation { number, .. } => Some(EntryId::Organisation(number.clone())),
            Self::AddMetadata { id, .. } | Self::Remove { id } => Some(id.clone()),
            Self::Suspend { .. } | Self::Resume { .. } | Self::Connection { .. } => None,
        }
    }
}

impl Manifest {
    /// Reads what [`Manifest::to_document`] wrote.
    ///
    /// # Errors
    /// When it is no manifest of this version, or breaks what [`Manifest::with`] keeps.
    pub fn from_document(octets: &[u8]) -> Result<Self, ManifestUnreadable> {
        let manifest: Self =
            serde_json::from_slice(octets).map_err(|fault| ManifestUnreadable(fault.to_string()))?;
        for (id, entry) in &manifest.entries {
            if !entry.is_named_by(id) || !entry.documents().all(is_document_name) {
                return Err(ManifestUnreadable(format!("the entry {id} is not of its kind")));
            }
        }
        Ok(manifest)
    }

    /// The manifest as a document: JSON, always in the same order, so that equal manifests have equal names.
    ///
    /// # Errors
    /// Never in practice: a manifest is plain data.
    pub fn to_document(&self) -> Result<Vec<u8>, ManifestUnreadable> {
        serde_json::to_vec(self).map_err(|fault| ManifestUnreadable(fault.to_string()))
    }

    /// The name of [`Manifest::to_document`].
    ///
    /// # Errors
    /// As there.
    pub fn name(&self) -> Result<String, ManifestUnreadable> {
        Ok(document_name(&self.to_document()?))
    }

    /// The names of all documents that it needs, some perhaps more than once.
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        self.entries.values().flat_map(Entry::documents)
    }

    /// The manifest after a change; this one stays as it is.
    ///
    /// # Errors
    /// When the change would give people new identities, move a name to another organisation, or leave a peer without a record.
    pub fn with(&self, change: Change) -> Result<Self, ChangeRefused> {
        let mut next = self.clone();
        match change {
            Change::AddOrganisation { number, document, logo } => {
                next.entries.insert(EntryId::Organisation(number), Entry::Organisation { document, logo });
            }
            Change::AddMetadata { id, entry } => {
                self.may_become(&id, &entry)?;
                next.entries.insert(id, *entry);
            }
            Change::Remove { id } => {
                if let EntryId::Organisation(number) = &id
                    && let Some((peer, _)) = self.entries.iter().find(|(_, entry)| {
                        entry.organisation() == Some(number)
                            || entry.speaks_for().any(|other| other == number)
                    })
                {
                    return Err(ChangeRefused::StillAnswering { peer: peer.clone() });
                }
                if next.entries.remove(&id).is_none() {
                    return Err(ChangeRefused::Absent { id });
                }
            }
            Change::Suspend { suspension } => match self.suspension_of(&suspension.target) {
                // A key that is suspended may turn out to be compromised; nothing else changes what stands.
                Some(at)
                    if suspension.compromised
                        && !self.suspensions.get(at).is_some_and(|known| known.compromised) =>
                {
                    if let Some(known) = next.suspensions.get_mut(at) {
                        *known = *suspension;
                    }
                }
                Some(_) => return Err(ChangeRefused::SuspendedAlready { target: suspension.target }),
                None => {
                    next.suspensions.push(*suspension);
                    next.suspensions.sort_by(|one, other| one.target.cmp(&other.target));
                }
            },
            Change::Resume { target } => match self.suspension_of(&target) {
                Some(at) => {
                    next.suspensions.remove(at);
                }
                None => return Err(ChangeRefused::NotSuspended { target }),
            },
            Change::Connection { decision } => {
                self.may_be_decided(&decision)?;
                next.connections.decide(*decision);
            }
        }
        Ok(next)
    }

    /// Who agrees has a record, and what is agreed about is registered.
    fn may_be_decided(&self, decision: &Decision) -> Result<(), ChangeRefused> {
        let (employer, relying_party) = match decision {
            Decision::Agree { employer, relying_party, .. } => (Some(employer), Some(relying_party)),
            Decision::Default { employer, .. } => (employer.as_ref(), None),
            Decision::Category { relying_party, .. } => (None, Some(relying_party)),
        };
        if let Some(number) = employer
            && !self.entries.contains_key(&EntryId::Organisation(number.clone()))
        {
            return Err(ChangeRefused::OrganisationUnknown { number: number.clone() });
        }
        match relying_party.map(|id| EntryId::OidcClient(id.clone())) {
            Some(id) if !self.entries.contains_key(&id) => Err(ChangeRefused::Absent { id }),
            _ => Ok(()),
        }
    }

    /// Where the suspension of a target stands among [`Manifest::suspensions`].
    fn suspension_of(&self, target: &Target) -> Option<usize> {
        self.suspensions.iter().position(|known| known.target.is(target))
    }

    fn may_become(&self, id: &EntryId, entry: &Entry) -> Result<(), ChangeRefused> {
        let Some(organisation) = entry.organisation().filter(|_| entry.is_named_by(id)) else {
            return Err(ChangeRefused::WrongKind { id: id.clone() });
        };
        for number in [organisation].into_iter().chain(entry.speaks_for()) {
            if !self.entries.contains_key(&EntryId::Organisation(number.clone())) {
                return Err(ChangeRefused::OrganisationUnknown { number: number.clone() });
            }
        }
        let Some(known) = self.entries.get(id) else {
            return Ok(());
        };
        if let Some(owner) = known.organisation().filter(|owner| *owner != organisation) {
            return Err(ChangeRefused::Taken { id: id.clone(), owner: owner.clone() });
        }
        if let (Entry::SamlProvider { settings: before, .. }, Entry::SamlProvider { settings: after, .. }) =
            (known, entry)
            && before.subject_source != after.subject_source
        {
            return Err(ChangeRefused::SubjectSource { id: id.clone() });
        }
        if let (Entry::SamlProvider { settings: before, .. }, Entry::SamlProvider { settings: after, .. }) =
            (known, entry)
            && before.subject_source.is_per_service_provider()
            && before.asked_by() != after.asked_by()
        {
            return Err(ChangeRefused::ServiceProvider { id: id.clone() });
        }
        Ok(())
    }
}

/// A manifest cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the manifest of the registry: {0}")]
pub struct ManifestUnreadable(String);

/// Why a change is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// The name belongs to somebody else.
    #[error("{id} is registered for the organisation {owner} and does not move")]
    Taken {
        /// The name.
        id: EntryId,
        /// Whose it is.
        owner: OrganisationNumber,
    },
    /// Everybody would get a new identity.
    #[error(
        "what subject identifiers are made from is pinned for {id}; remove it first if everybody is to get a new identity"
    )]
    SubjectSource {
        /// The provider.
        id: EntryId,
    },
    /// Everybody would get a new identity.
    #[error(
        "which service provider asks {id} is pinned, since its people's identifiers are made for that one; remove it first if everybody is to get a new identity"
    )]
    ServiceProvider {
        /// The provider.
        id: EntryId,
    },
    /// There is no record.
    #[error("there is no record of the organisation {number}")]
    OrganisationUnknown {
        /// The number.
        number: OrganisationNumber,
    },
    /// A record is needed.
    #[error("the organisation still answers for {peer}, or has it speak for its people; change that first")]
    StillAnswering {
        /// One of its peers.
        peer: EntryId,
    },
    /// There is nothing to remove.
    #[error("{id} is not registered")]
    Absent {
        /// The name.
        id: EntryId,
    },
    /// There is a suspension, and it stays as it is.
    #[error("the {target} is suspended already")]
    SuspendedAlready {
        /// What.
        target: Target,
    },
    /// There is nothing to lift.
    #[error("the {target} is not suspended")]
    NotSuspended {
        /// What.
        target: Target,
    },
    /// The name and the entry do not belong together.
    #[error("the entry is not of the kind that {id} names")]
    WrongKind {
        /// The name.
        id: EntryId,
    },
}
