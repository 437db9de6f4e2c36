//! What an employer wants of a connection, held against what is live, becomes a decision for the registry: the same for the command line, the API
//! and the page.
//!
//! Neighbours: `metadata::connection` has what is kept and seen; `registry_edit.rs` makes it live.

use std::collections::BTreeSet;

use broker_core::{
    attribute::AttributeName,
    connection::{DecidedBy, Terms},
    identifier::RelyingPartyId,
    moment::Timestamp,
    organisation::Organisation,
};
use metadata::{
    Registry,
    connection::{
        Decided, Decision,
        export::{Processing, ProcessingRecord},
        view::{self, View},
    },
};

use crate::registry_edit::RegistryFile;

/// The longest legal basis, in characters.
pub(crate) const LONGEST_BASIS: usize = 500;

/// What an employer wants of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// People may reach it. What was agreed before stays agreed, and nothing more; where nothing was, what is asked for is.
    Open,
    /// People may not.
    Close,
    /// What is asked for now may leave.
    Agree,
    /// Its own word is taken back: the defaults hold.
    Reset,
}

/// A wish with what belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// What.
    pub(crate) wish: Wish,
    /// Agreed to by name, where that was said: among what is asked for.
    pub(crate) attributes: Option<BTreeSet<AttributeName>>,
    /// The legal basis; `None`: as before.
    pub(crate) legal_basis: Option<String>,
}

/// Why a wish is not met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotDecided {
    /// Nobody has that name.
    #[error("{0} is not registered as a relying party")]
    Unknown(RelyingPartyId),
    /// The federation operator has said otherwise.
    #[error(
        "the record of {employer} lists the only relying parties that its people may reach, and {relying_party} is none of them; only the federation operator changes the record (relying_parties)"
    )]
    Record {
        /// Whose.
        employer: String,
        /// Which.
        relying_party: RelyingPartyId,
    },
    /// More than is asked for.
    #[error("{relying_party} does not ask for {}, or is not entitled to it; agree to what it asks for", .names.join(", "))]
    NotAsked {
        /// Which.
        relying_party: RelyingPartyId,
        /// What.
        names: Vec<&'static str>,
    },
    /// It says nothing, or too much.
    #[error("a legal basis has 1 to {LONGEST_BASIS} printable characters")]
    LegalBasis,
}

/// The decision that meets a wish.
///
/// # Errors
/// [`NotDecided`].
pub(crate) fn decide(
    registry: &Registry,
    employer: &Organisation,
    relying_party: &RelyingPartyId,
    wanted: &Wanted,
    (sealed_by, at): (&str, Timestamp),
) -> Result<Decision, NotDecided> {
    let seen = view::view(registry, employer, relying_party)
        .ok_or_else(|| NotDecided::Unknown(relying_party.clone()))?;
    if seen.decided_by == DecidedBy::Record && wanted.wish == Wish::Open {
        return Err(NotDecided::Record {
            employer: employer.number.to_string(),
            relying_party: relying_party.clone(),
        });
    }
    let decision = |decided| Decision::Agree {
        employer: employer.number.clone(),
        relying_party: relying_party.clone(),
        decided,
    };
    let own = registry
        .manifest()
        .connections
        .agreements
        .get(&employer.number)
        .and_then(|all| all.get(relying_party));
    let until_now = || seen.asks.difference(&seen.pending).copied().collect::<BTreeSet<_>>();
    let agreed_before = own.and_then(|own| own.terms.attributes.clone());
    let (open, attributes) = match wanted.wish {
        Wish::Reset => return Ok(decision(None)),
        Wish::Close => (false, agreed_before.unwrap_or_else(until_now)),
        // Opened for the first time: the employer has seen what is asked for.
        Wish::Open => (true, agreed_before.unwrap_or_else(|| seen.asks.clone())),
        Wish::Agree => (seen.open, seen.asks.clone()),
    };
    let attributes = match &wanted.attributes {
        Some(named) => {
            let names: Vec<&str> = named.difference(&seen.asks).map(|name| name.key()).collect();
            if !names.is_empty() {
                return Err(NotDecided::NotAsked { relying_party: relying_party.clone(), names });
            }
            named.clone()
        }
        None => attributes,
    };
    let legal_basis = match wanted.legal_basis.as_deref().map(str::trim) {
        None => own.and_then(|own| own.legal_basis.clone()),
        Some(text) => Some(basis(text)?),
    };
    let terms = Terms { open, attributes: Some(attributes) };
    // What changes nothing is no decision: when and by whom stay as they are.
    if let Some(own) = own.filter(|own| own.terms == terms && own.legal_basis == legal_basis) {
        return Ok(decision(Some(own.clone())));
    }
    Ok(decision(Some(Decided { terms, at, by: sealed_by.to_owned(), legal_basis })))
}

fn basis(text: &str) -> Result<String, NotDecided> {
    let fits = (1..=LONGEST_BASIS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(NotDecided::LegalBasis) }
}

/// Who decided about a connection, in readable form.
pub(crate) fn decided_by(file: &RegistryFile, seen: &View) -> Option<String> {
    seen.sealed_by.as_deref().and_then(|sealed| file.open_name(sealed))
}

/// The record of processing of an employer.
pub(crate) fn export(
    file: &RegistryFile,
    registry: &Registry,
    employer: &Organisation,
    now: Timestamp,
) -> ProcessingRecord {
    let connections = view::views(registry, employer)
        .into_iter()
        .map(|view| Processing { agreed_by: decided_by(file, &view), view })
        .collect();
    ProcessingRecord::new(employer, connections, (now, registry.number()))
}
