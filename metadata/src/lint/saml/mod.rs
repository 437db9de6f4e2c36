//! Rules for SAML metadata of identity providers.
//!
//! Each file is a group of rules and the one function that looks for their breaches. `document.rs` has the rules whose breaches the
//! reader itself meets.

pub(crate) mod authority;
pub(crate) mod document;
pub(crate) mod endpoint;
pub(crate) mod interface;
pub(crate) mod key;

use broker_core::{moment::Timestamp, organisation::Organisation};

use crate::{
    lint::{report::Report, rule::Rule},
    saml::IdentityProvider,
};

/// Judges an identity provider against the record of the organisation that answers for it.
pub fn check(provider: &IdentityProvider, organisation: &Organisation, now: Timestamp) -> Report {
    let mut report = Report::new();
    document::check(provider, now, &mut report);
    key::check(provider, now, &mut report);
    endpoint::check(provider, organisation, &mut report);
    authority::check(provider, organisation, &mut report);
    interface::check(provider, &mut report);
    report
}

pub(crate) fn rules() -> Vec<&'static Rule> {
    [document::RULES, key::RULES, endpoint::RULES, authority::RULES, interface::RULES].concat()
}
