//! What is suspended, by whom and why. It stands in the manifest, so it is under the same authentication as all else, and every node follows it
//! within a second or two.
//!
//! One person's act suspends; nothing but another deliberate act lifts it: no new metadata, no restored revision, no source.

use std::fmt;

use broker_core::{
    identifier::{ProviderId, RelyingPartyId},
    moment::Timestamp,
    organisation::OrganisationNumber,
    suspension::{KeyFingerprint, Suspensions},
};
use serde::{Deserialize, Serialize};

/// What may be suspended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// A provider: it takes no login.
    Provider {
        /// Its name.
        provider: ProviderId,
    },
    /// A key. It verifies nothing for anybody, whoever has it in metadata, now or later.
    Key {
        /// Where it was found.
        provider: ProviderId,
        /// Which.
        fingerprint: KeyFingerprint,
    },
    /// A relying party: it starts no login, and gets nothing for codes and tokens.
    RelyingParty {
        /// Its name.
        relying_party: RelyingPartyId,
    },
    /// An organisation: all its providers and relying parties.
    Organisation {
        /// Its number.
        organisation: OrganisationNumber,
    },
}

impl Target {
    /// Whether a suspension of this and one of `other` are one. A key is the same wherever it is found.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Key { fingerprint: one, .. }, Self::Key { fingerprint: two, .. }) => one == two,
            _ => self == other,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider { provider } => write!(f, "provider {provider}"),
            Self::Key { provider, fingerprint } => write!(f, "key {fingerprint} of {provider}"),
            Self::RelyingParty { relying_party } => write!(f, "relying party {relying_party}"),
            Self::Organisation { organisation } => write!(f, "organisation {organisation}"),
        }
    }
}

/// One suspension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspension {
    /// What.
    pub target: Target,
    /// Since when.
    pub at: Timestamp,
    /// The operator who did it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// For a key: somebody else may have it. It is never taken back in passing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compromised: bool,
}

/// What the login asks for, out of the list.
pub(crate) fn suspensions(list: &[Suspension]) -> Suspensions {
    let mut found = Suspensions::default();
    for suspension in list {
        match &suspension.target {
            Target::Provider { provider } => {
                found.providers.insert(provider.clone());
            }
            Target::Key { fingerprint, .. } => {
                found.keys.insert(*fingerprint);
            }
            Target::RelyingParty { relying_party } => {
                found.relying_parties.insert(relying_party.clone());
            }
            Target::Organisation { organisation } => {
                found.organisations.insert(organisation.clone());
            }
        }
    }
    found
}
