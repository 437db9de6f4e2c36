//! One validator for everything that comes from outside: rules in small files, each with a stable name, how bad it is, where it
//! comes from, and what, why and how in Swedish and English.
//!
//! | file | what |
//! |---|---|
//! | `profile.rs` | whose rules a file is judged by |
//! | `rule.rs`, `report.rs` | what a rule is; what was found, rendered for people and for scripts |
//! | `rules_document.rs` | `docs/rules.md`, written from the rules |
//! | `excerpt.rs`, `sarif.rs` | the line that a finding speaks of; reports for build services |
//! | `document.rs` | any file: what kind it is and which rules meet it |
//! | `saml/` | rules for SAML metadata, a small group in each file |
//! | `oidc/` | rules for relying parties' JSON |
//! | `guard.rs` | rules of the rollover guard: what is held for a second approval |
//! | `record.rs`, `logo.rs` | rules for organisation records and their logos |
//! | `registry.rs`, `organisations.rs` | rules between a file and what is registered already; for the organisations that a provider speaks for |
//!
//! An error refuses the file; a warning or a note never does. Neighbours: `saml`, `oidc` and `organisation` read and call these.

mod document;
pub mod excerpt;
pub(crate) mod guard;
pub(crate) mod logo;
pub mod oidc;
pub(crate) mod organisations;
pub mod profile;
pub(crate) mod record;
pub(crate) mod registry;
pub mod report;
pub mod rule;
mod rules_document;
pub mod saml;
pub mod sarif;

pub use document::{Entities, MOST_OCTETS, Measure, document};
pub use profile::{Profile, Profiles};
pub use report::{Finding, Place, Report};
pub use rule::{Rule, Severity, Text, Tongue};
pub use rules_document::rules_document;

/// Every rule there is, for the table in the documentation, in the order of their names.
#[must_use]
pub fn all_rules() -> Vec<&'static Rule> {
    let mut rules: Vec<_> = [
        saml::rules(),
        oidc::rules(),
        record::RULES.to_vec(),
        logo::RULES.to_vec(),
        registry::RULES.to_vec(),
        organisations::RULES.to_vec(),
        guard::RULES.to_vec(),
    ]
    .into_iter()
    .flatten()
    .collect();
    rules.sort_by_key(|rule| rule.id);
    rules
}

#[cfg(test)]
mod tests;
