//! Rules for SAML metadata.
//!
//! Each file is a group of rules and the function that looks for their breaches. `document.rs` also has the rules whose breaches the
//! reader itself meets.
//!
//! | file | what |
//! |---|---|
//! | `document.rs`, `file.rs` | the file: can it be read, is it signed, how long does it hold |
//! | `key.rs`, `endpoint.rs`, `authority.rs`, `interface.rs` | an identity provider against the record of its organisation |
//! | `form.rs` | what the schema demands |
//! | `certificate.rs` | keys and algorithms of either role |
//! | `address.rs` | names and addresses of either role |
//! | `wording.rs`, `contact.rs` | what people read and see, the organisation, and whom to turn to |
//! | `category.rs` | entity attributes, levels, and what a service asks for |
//! | `across.rs` | what two entities must not share |
//!
//! [`check`] is what keeps a registered provider in or out, and stays narrow for that: the base, and what a login needs. [`check_entity`]
//! is all the rest, for what is added and for whoever asks.

pub(crate) mod across;
pub(crate) mod address;
pub(crate) mod authority;
pub(crate) mod category;
pub(crate) mod certificate;
pub(crate) mod contact;
pub(crate) mod document;
pub(crate) mod endpoint;
pub(crate) mod file;
pub(crate) mod form;
pub(crate) mod interface;
pub(crate) mod key;
pub(crate) mod wording;

use broker_core::{moment::Timestamp, organisation::Organisation};
use certs_xml::Element;

use crate::{
    lint::{report::Report, rule::Rule},
    saml::{IdentityProvider, role},
};

/// The roles that have rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `IDPSSODescriptor`.
    IdentityProvider,
    /// `SPSSODescriptor`.
    ServiceProvider,
}

impl Kind {
    /// Both, with the names of their elements.
    pub(crate) const ALL: [(Self, &'static str); 2] =
        [(Self::IdentityProvider, "IDPSSODescriptor"), (Self::ServiceProvider, "SPSSODescriptor")];
}

/// Judges an identity provider against the record of the organisation that answers for it, by the base.
pub fn check(provider: &IdentityProvider, organisation: &Organisation, now: Timestamp) -> Report {
    let mut report = Report::new();
    check_into(provider, Some(organisation), now, &mut report);
    report
}

/// Like [`check`], by the profiles of `report`; without a record, what it bounds is not judged.
pub fn check_into(
    provider: &IdentityProvider,
    organisation: Option<&Organisation>,
    now: Timestamp,
    report: &mut Report,
) {
    document::check(provider, now, report);
    key::check(provider, now, report);
    endpoint::check(provider, organisation, report);
    authority::check(provider, organisation, report);
    interface::check(provider, report);
}

/// Judges whatever an entity is by all that needs neither a record nor other entities and that [`check`] leaves out.
pub fn check_entity(entity: Element<'_>, at: Timestamp, report: &mut Report) {
    form::check(entity, report);
    certificate::check_entity(entity, report);
    address::check_name(entity, report);
    category::check_entity(entity, report);
    let mut plays = false;
    for (kind, name) in Kind::ALL {
        if let Some(role) = role(entity, name) {
            plays = true;
            certificate::check(role, kind, at, report);
            address::check(role, kind, report);
            wording::check(role, kind, report);
            category::check(entity, role, kind, report);
        }
    }
    // What is neither is nothing that people meet.
    if plays {
        wording::check_organisation(entity, report);
        contact::check(entity, report);
    }
}

pub(crate) fn rules() -> Vec<&'static Rule> {
    [
        document::RULES,
        file::RULES,
        key::RULES,
        endpoint::RULES,
        authority::RULES,
        interface::RULES,
        form::RULES,
        certificate::RULES,
        address::RULES,
        wording::RULES,
        contact::RULES,
        category::RULES,
        across::RULES,
    ]
    .concat()
}
