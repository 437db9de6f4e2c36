//! Rules for relying parties' JSON.
//!
//! Each file is a group of rules and the one function that looks for their breaches; `document.rs` and `key.rs` also have those that
//! the reader itself meets.

pub(crate) mod address;
pub(crate) mod authority;
pub(crate) mod document;
pub(crate) mod key;

use broker_core::organisation::Organisation;

use crate::{
    lint::{report::Report, rule::Rule},
    oidc::Registration,
};

/// Judges a relying party against the record of the organisation that answers for it.
pub fn check(registration: &Registration, organisation: &Organisation) -> Report {
    let mut report = Report::new();
    document::check(registration, &mut report);
    key::check(registration, &mut report);
    address::check(registration, organisation, &mut report);
    authority::check(registration, organisation, &mut report);
    report
}

pub(crate) fn rules() -> Vec<&'static Rule> {
    [document::RULES, key::RULES, address::RULES, authority::RULES].concat()
}
