//! Rules for relying parties' JSON, and for the discovery documents of OpenID providers.
//!
//! `swedish.rs` has those of the Swedish profile, `discovery.rs` those for a provider's document. Each file is a group of rules and the one function that looks for their breaches; `document.rs` and `key.rs` also have those that
//! the reader itself meets.

pub(crate) mod address;
pub(crate) mod authority;
pub(crate) mod discovery;
pub(crate) mod document;
pub(crate) mod key;
pub(crate) mod swedish;

use broker_core::organisation::Organisation;

use crate::{
    lint::{report::Report, rule::Rule},
    oidc::Registration,
};

/// Judges a relying party against the record of the organisation that answers for it.
pub fn check(registration: &Registration, organisation: &Organisation) -> Report {
    let mut report = Report::new();
    check_into(registration, Some(organisation), &mut report);
    report
}

/// Like [`check`], by the profiles of `report`; without a record, what it bounds is not judged.
pub fn check_into(registration: &Registration, organisation: Option<&Organisation>, report: &mut Report) {
    document::check(registration, report);
    key::check(registration, report);
    address::check(registration, organisation, report);
    authority::check(registration, organisation, report);
}

pub(crate) fn rules() -> Vec<&'static Rule> {
    [document::RULES, key::RULES, address::RULES, authority::RULES, swedish::RULES, discovery::RULES].concat()
}
