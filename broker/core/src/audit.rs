//! The one line that each login leaves: what happened to whom as far as organisations go, and nothing of the person.

use serde::Serialize;

use crate::{
    failure::FailureCode,
    identifier::{ProviderId, Reference, RelyingPartyId},
    organisation::OrganisationNumber,
};

/// The line. It has no field that a personal datum could stand in.
#[derive(Debug, Clone, Serialize)]
pub struct AuditLine {
    /// What a page shows and the log is searched for.
    pub reference: Reference,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// The failure's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<FailureCode>,
    /// What was expected and what was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relying_party: Option<RelyingPartyId>,
    /// Who was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
    /// The organisation that was chosen or proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<OrganisationNumber>,
    /// Names of the attributes that left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub released: Vec<&'static str>,
    /// Names of the attributes that the provider said and that did not keep their rule, of those that might have left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<&'static str>,
    /// Names of the attributes that the employer's connection with the relying party held back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_agreed: Vec<&'static str>,
    /// The level that left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assurance: Option<String>,
}

/// How a login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// An answer with somebody's identity went to the relying party.
    SignedIn,
    /// It was refused, by anybody.
    Refused,
}
