//! Towards relying parties: OIDC OP (`broker-oidc/op`) and SAML IdP (`broker-saml/idp`).

use serde::{Deserialize, Serialize};

use crate::{
    failure::Failure,
    identifier::RelyingPartyId,
    login::{Login, Released},
    moment::Moment,
    release::ReleasedIdentity,
    request::AuthenticationRequest,
    role::{
        endpoint::{Inbound, Outbound},
        upstream::Remembered,
    },
};

/// Where the answer goes. It exists only after an asked address matched a registered one, octet by octet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnTo {
    relying_party: RelyingPartyId,
    address: String,
    remembered: Remembered,
}

impl ReturnTo {
    /// Matches an asked address against the registered ones: whole strings, no normalisation (OS-PROF 2.1.3, RFC 9700 2.1).
    /// `None`: there is nowhere to send anything, and the person must be shown a page.
    #[must_use]
    pub fn matched<'a>(
        relying_party: &RelyingPartyId,
        asked: &str,
        registered: impl IntoIterator<Item = &'a str>,
        remembered: Remembered,
    ) -> Option<Self> {
        registered.into_iter().any(|address| address == asked).then(|| Self {
            relying_party: relying_party.clone(),
            address: asked.to_owned(),
            remembered,
        })
    }

    /// Whose address it is.
    #[must_use]
    pub fn relying_party(&self) -> &RelyingPartyId {
        &self.relying_party
    }

    /// The address that matched.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the role wanted to remember (state, nonce, code challenge, RelayState).
    #[must_use]
    pub fn remembered(&self) -> &Remembered {
        &self.remembered
    }
}

/// A request that cannot become a login.
#[derive(Debug)]
pub struct Refusal {
    /// Why.
    pub failure: Failure,
    /// Where to say so; `None`: a page, since no address matched.
    pub return_to: Option<Box<ReturnTo>>,
    /// Who seems to ask, for the page and the log; unproven.
    pub relying_party: Option<RelyingPartyId>,
}

/// What the relying party is told.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// Somebody signed in, and this may leave.
    Released(&'a Login<Released>),
    /// Nobody did.
    Failed(&'a Failure),
}

/// What we play towards a relying party.
pub trait Downstream {
    /// Reads and checks a request.
    ///
    /// # Errors
    /// A refusal, addressable only when the return address matched.
    fn receive(
        &self,
        message: &Inbound,
        moment: Moment<'_>,
    ) -> Result<(AuthenticationRequest, ReturnTo), Box<Refusal>>;

    /// What the relying party said that it cannot do without, and would not get of this identity: names in the role's own words, where one may
    /// be made of several attributes or held to certain values. Never a value.
    fn missing(&self, return_to: &ReturnTo, identity: &ReleasedIdentity) -> Vec<String>;

    /// Says how it ended. Success: `grant` is the handle under which the edge has stored the role's grant (OIDC code); roles that
    /// answer with the assertion itself ignore it.
    ///
    /// # Errors
    /// When the answer cannot be made (key missing).
    fn answer(
        &self,
        return_to: &ReturnTo,
        outcome: Outcome<'_>,
        grant: Option<&str>,
        moment: Moment<'_>,
    ) -> Result<Outbound, Failure>;
}
