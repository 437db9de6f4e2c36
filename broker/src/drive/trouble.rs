//! A step that did not go on, and where its failure goes.

use broker_core::{
    failure::{Failure, FailureCode},
    identifier::{Language, ProviderId, Reference, RelyingPartyId},
    login::{Context, Ended, Tombstone},
    moment::Moment,
    organisation::OrganisationNumber,
    role::{Downstream, Outbound, Outcome, Refusal, ReturnTo},
};
use broker_store::vault::VaultError;

use crate::wiring::Node;

/// Where a request can begin again that was proven to be another organisation's.
pub(crate) struct Elsewhere {
    /// The organisation that was chosen, and is not the person's.
    pub(crate) chosen: OrganisationNumber,
    /// The path that goes on with the proven one.
    pub(crate) path: String,
}

/// A step that did not go on: what went wrong, and what is known of the login.
pub(crate) struct Trouble {
    /// What went wrong.
    pub(crate) failure: Failure,
    /// The login's reference; a new one when there is no login.
    pub(crate) reference: Option<Reference>,
    /// The language of its pages.
    pub(crate) language: Option<Language>,
    /// Who asked.
    pub(crate) relying_party: Option<RelyingPartyId>,
    /// Who was asked.
    pub(crate) provider: Option<ProviderId>,
    /// The organisation that was chosen with it, or that it proved.
    pub(crate) organisation: Option<OrganisationNumber>,
    /// The same request can begin again at the organisation that was proven.
    pub(crate) elsewhere: Option<Elsewhere>,
    /// Where the relying party takes its answer.
    pub(crate) return_to: Option<ReturnTo>,
    /// Nothing may be shown.
    pub(crate) silent: bool,
}

impl Trouble {
    /// Of nothing that is known.
    pub(crate) fn new(failure: impl Into<Failure>) -> Self {
        Self {
            failure: failure.into(),
            reference: None,
            language: None,
            relying_party: None,
            provider: None,
            organisation: None,
            elsewhere: None,
            return_to: None,
            silent: false,
        }
    }

    /// Of a login.
    pub(crate) fn of(failure: impl Into<Failure>, context: &Context) -> Self {
        Self {
            failure: failure.into(),
            reference: Some(context.reference.clone()),
            language: Some(context.language.clone()),
            relying_party: Some(context.request.relying_party.clone()),
            provider: None,
            organisation: None,
            elsewhere: None,
            return_to: Some(context.return_to.clone()),
            silent: context.request.passive,
        }
    }

    /// Of a login that is over, or of a step that is while the login goes on.
    pub(super) fn over(tombstone: Tombstone) -> Self {
        let code = match tombstone.ended {
            // A refusal that is posted again, while the same browser is at the provider for the second time.
            Ended::AskedAgain => FailureCode::PageExpired,
            Ended::Continued | Ended::Answered | Ended::Failed => FailureCode::LoginUsed,
        };
        Self {
            reference: Some(tombstone.reference),
            language: Some(tombstone.language),
            relying_party: Some(tombstone.relying_party),
            ..Self::new(code)
        }
    }

    pub(super) fn at(mut self, provider: &ProviderId) -> Self {
        self.provider = Some(provider.clone());
        self
    }

    pub(super) fn about(mut self, organisation: Option<&OrganisationNumber>) -> Self {
        self.organisation = organisation.cloned();
        self
    }
}

impl From<VaultError> for Trouble {
    fn from(error: VaultError) -> Self {
        Self::new(unkept(&error))
    }
}

/// What a failed verb of the store means to a login.
pub(super) fn unkept(error: &VaultError) -> Failure {
    let code = match error {
        VaultError::Store(_) => FailureCode::StoreAway,
        // Octets that no node wrote here open nothing: as if there were none.
        VaultError::Corrupt => FailureCode::LoginUnknown,
        VaultError::Unfit(_) | VaultError::Occupied => FailureCode::Internal,
    };
    Failure::new(code, error.to_string())
}

/// The same, where the login is known: its relying party can be told.
pub(super) fn unkept_of(context: &Context) -> impl Fn(VaultError) -> Box<Trouble> {
    move |error| Box::new(Trouble::of(unkept(&error), context))
}

impl From<Box<Refusal>> for Trouble {
    fn from(refusal: Box<Refusal>) -> Self {
        Self {
            relying_party: refusal.relying_party,
            return_to: refusal.return_to.map(|address| *address),
            ..Self::new(refusal.failure)
        }
    }
}

impl From<VaultError> for Box<Trouble> {
    fn from(error: VaultError) -> Self {
        Box::new(error.into())
    }
}

/// Whether a failure goes straight back to the relying party: the person has been told by somebody already, has decided themselves, or
/// the relying party alone can mend it. Everything else is shown first, with the way back on it.
pub(crate) fn goes_straight_back(code: FailureCode, silent: bool) -> bool {
    use broker_core::failure::Family;
    silent
        || matches!(code.family(), Family::RelyingParty | Family::ProviderRefused)
            && code != FailureCode::RelyingPartySuspended
        || matches!(code, FailureCode::NoticeDeclined | FailureCode::InteractionRequired)
}

/// The error answer to a relying party, where it can be addressed.
pub(crate) fn error_answer(
    node: &Node,
    return_to: &ReturnTo,
    failure: &Failure,
    moment: Moment<'_>,
) -> Option<Outbound> {
    let registry = node.registry.any();
    let keyring = node.oidc_keys.current().unwrap_or_default();
    node.op(&registry, &keyring).answer(return_to, Outcome::Failed(failure), None, moment).ok()
}
