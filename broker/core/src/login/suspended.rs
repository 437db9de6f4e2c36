//! What is stored of a login, sealed by `broker-store`, and what is left when it is over.

use serde::{Deserialize, Serialize};

use super::{AwaitingChoice, AwaitingNotice, AwaitingProvider, Context, Login};
use crate::identifier::{Language, Reference, RelyingPartyId};

/// A login that waits for the browser. The version stands in the record's associated data.
#[expect(clippy::large_enum_variant, reason = "one lives for one request, and is never moved in bulk")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Suspended {
    /// For the choice of a provider.
    Choice(Login<AwaitingChoice>),
    /// For the provider's answer.
    Provider(Login<AwaitingProvider>),
    /// For the person's reading of the notice.
    Notice(Login<AwaitingNotice>),
}

impl Suspended {
    /// Changes with every change of what is stored; a node refuses what it does not know.
    pub const VERSION: u16 = 5;

    /// What stays the same through the login.
    #[must_use]
    pub fn context(&self) -> &Context {
        match self {
            Self::Choice(login) => login.context(),
            Self::Provider(login) => login.context(),
            Self::Notice(login) => login.context(),
        }
    }
}

/// What stands where a login was: no identity, only what a page needs that continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// For people and the log.
    pub reference: Reference,
    /// Who asked.
    pub relying_party: RelyingPartyId,
    /// The language of the pages.
    pub language: Language,
    /// How it ended, as far as this step is concerned.
    pub ended: Ended,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// It went on to the next step.
    Continued,
    /// The provider was asked once more, in a trip of its own.
    AskedAgain,
    /// The answer went to the relying party.
    Answered,
    /// The login failed.
    Failed,
}
