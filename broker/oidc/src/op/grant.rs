//! What a code stands for, and what an access token stands for, while they lie sealed in the store.
//!
//! A [`Grant`] is made from a released login alone, so nothing can be granted that was not released.

use std::fmt;

use broker_core::{
    attribute::AttributeName,
    connection::Connection,
    failure::{Failure, FailureCode},
    identifier::{Reference, RelyingPartyId},
    login::{Login, Released},
    moment::Timestamp,
    release::ReleasedIdentity,
    suspension::Grounds,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::op::carried::Carried;

/// How long a code can be redeemed, in seconds (OWASP ASVS 10.4.3 at level 3: at most a minute).
pub const CODE_LIFETIME_SECONDS: i64 = 60;

/// How long an access token can be used, in seconds. It opens the userinfo endpoint alone, once or twice, right after the login.
pub const ACCESS_TOKEN_LIFETIME_SECONDS: i64 = 300;

/// What a code stands for. The edge stores it under the code, bound to the relying party, and takes it once.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    pub(crate) client_id: RelyingPartyId,
    pub(crate) redirect_uri: String,
    pub(crate) carried: Carried,
    pub(crate) identity: ReleasedIdentity,
    pub(crate) reference: Reference,
    pub(crate) issued: Timestamp,
}

impl Grant {
    /// Changes with every change of what is stored; a node refuses what it does not know.
    pub const VERSION: u16 = 4;

    /// What the code of this login will stand for.
    ///
    /// # Errors
    /// When the login did not begin with an OpenID Connect request that was accepted.
    pub fn of(login: &Login<Released>, now: Timestamp) -> Result<Self, Failure> {
        let context = login.context();
        let carried = Carried::recall(&context.return_to)
            .filter(|carried| carried.refused.is_none())
            .ok_or_else(|| Failure::new(FailureCode::Internal, "the login carries no accepted request"))?;
        Ok(Self {
            client_id: context.return_to.relying_party().clone(),
            redirect_uri: context.return_to.address().to_owned(),
            carried,
            identity: login.state().identity().clone(),
            reference: context.reference.clone(),
            issued: now,
        })
    }

    /// The same, with no attribute that the employer lets leave no longer.
    pub(crate) fn within(mut self, connection: &Connection<'_>) -> Self {
        self.identity.attributes = self.identity.attributes.filtered(|name, _| connection.lets_leave(name));
        self
    }

    /// Whom the code is for: what its record is bound to.
    #[must_use]
    pub fn relying_party(&self) -> &RelyingPartyId {
        &self.client_id
    }

    /// What finds the login in the log.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// When the code ends.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.issued.plus(CODE_LIFETIME_SECONDS)
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("client_id", &self.client_id)
            .field("reference", &self.reference)
            .field("issued", &self.issued)
            .finish_non_exhaustive()
    }
}

/// What an access token stands for: the userinfo claims and nothing that is not among them.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessGrant {
    pub(crate) client_id: RelyingPartyId,
    pub(crate) grounds: Grounds,
    pub(crate) subject: String,
    pub(crate) claims: Map<String, Value>,
    /// The attributes that the claims are made of: what the employer must still let leave.
    pub(crate) attributes: Vec<AttributeName>,
    pub(crate) reference: Reference,
    pub(crate) expires: Timestamp,
}

impl AccessGrant {
    /// Changes with every change of what is stored; a node refuses what it does not know.
    pub const VERSION: u16 = 3;

    /// Whose token it is.
    #[must_use]
    pub fn relying_party(&self) -> &RelyingPartyId {
        &self.client_id
    }

    /// What finds the login in the log.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// When the token ends.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.expires
    }
}

impl fmt::Debug for AccessGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessGrant")
            .field("client_id", &self.client_id)
            .field("reference", &self.reference)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
