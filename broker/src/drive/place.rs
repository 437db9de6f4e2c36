//! Where the records of a login stand, and the two that are no login themselves.

use broker_core::identifier::{Language, RelyingPartyId};
use broker_store::record::{Binding, Handle, Place, RecordKind};
use serde::{Deserialize, Serialize};

use crate::{cookie::LoginCookie, endpoint::notice::NoticeName};

/// Which relying party a provider trip belongs to, under the trip's handle alone: so that a browser without its cookie can be shown the way
/// back to the service. It resumes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Origin {
    pub(super) relying_party: RelyingPartyId,
    pub(super) language: Language,
}

/// What is left of a code: enough to revoke what it was redeemed for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SpentCode {
    /// The access token that it gave.
    pub(crate) access_token: Handle,
}

/// Where a choice stands: under the cookie, which both names and binds it.
pub(super) fn choice_place(cookie: &LoginCookie) -> Place<'_> {
    Place {
        kind: RecordKind::Choice,
        handle: cookie.secret(),
        binding: Binding::Cookie(cookie.secret().as_str()),
    }
}

/// Where a notice stands, bound to the browser.
pub(super) fn notice_place<'a>(name: &'a NoticeName, cookie: &'a LoginCookie) -> Place<'a> {
    Place {
        kind: RecordKind::Notice,
        handle: name.handle(),
        binding: Binding::Cookie(cookie.secret().as_str()),
    }
}

pub(super) fn origin_place(handle: &Handle) -> Place<'_> {
    Place { kind: RecordKind::Origin, handle, binding: Binding::Nothing }
}

/// Where a code's grant stands.
pub(crate) fn code_place<'a>(code: &'a Handle, relying_party: &'a RelyingPartyId) -> Place<'a> {
    Place { kind: RecordKind::Code, handle: code, binding: Binding::RelyingParty(relying_party.as_str()) }
}

/// Where an access token's grant stands.
pub(crate) fn access_token_place(token: &Handle) -> Place<'_> {
    Place { kind: RecordKind::AccessToken, handle: token, binding: Binding::Key("") }
}
