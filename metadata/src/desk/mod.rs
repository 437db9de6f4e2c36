//! The desk: everything between an author and the published registry. Proposals wait here for another person; tokens and invitations say who may
//! propose.
//!
//! | file | what |
//! |---|---|
//! | `proposal.rs` | a change that somebody wants, and its life until it is live or not wanted any more |
//! | `life.rs` | what may happen to a proposal, by whom, and what is said when it may not |
//! | `token.rs` | who may use the API, for which organisation, with which right |
//! | `invitation.rs` | who may come in by the door for operators |
//! | `shown.rs` | a report as it was shown, kept with a proposal |
//!
//! The whole desk is one sealed document under a numbered head of its own, as the registry is (design decision 7): who reads the store learns no
//! name, and who writes it makes no token. Nothing here does I/O; the process reads it, changes it and moves its head.
//!
//! Neighbours: [`crate::revision`] is what a published proposal becomes; [`crate::addition`] makes changes out of files.

mod invitation;
mod life;
mod proposal;
mod shown;
mod token;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use invitation::{Invitation, Invited, Link as InvitationLink, MOST_DAYS, NotOpened};
pub use life::{Awaiting, Closed, DeskRefused, KEPT_CLOSED, KEPT_DAYS, MOST_OPEN, MOST_OPEN_EACH, Wanted};
pub use proposal::{Approval, Event, Happened, HeldFor, Proposal, State};
pub use shown::{ShownFinding, ShownReport, ShownWords};
pub use token::{
    MOST_DAYS as MOST_TOKEN_DAYS, NewToken, NoToken, PresentedToken, Right, Token, TokenRefused,
};

/// Everything that lies on the desk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desk {
    /// The number of the last proposal that was made. The next one has one more; a number is never used again.
    #[serde(default)]
    pub next: u64,
    /// Proposals, by their number.
    #[serde(default)]
    pub proposals: BTreeMap<u64, Proposal>,
    /// Tokens, by their id, which is no secret.
    #[serde(default)]
    pub tokens: BTreeMap<String, Token>,
    /// Invitations, by their id, which is no secret.
    #[serde(default)]
    pub invitations: BTreeMap<String, Invitation>,
}

impl Desk {
    /// Reads what [`Desk::to_document`] wrote.
    ///
    /// # Errors
    /// When it is no desk of this version.
    pub fn from_document(octets: &[u8]) -> Result<Self, DeskUnreadable> {
        serde_json::from_slice(octets).map_err(|fault| DeskUnreadable(fault.to_string()))
    }

    /// The desk as a document: JSON, always in the same order.
    ///
    /// # Errors
    /// Never in practice: it is plain data.
    pub fn to_document(&self) -> Result<Vec<u8>, DeskUnreadable> {
        serde_json::to_vec(self).map_err(|fault| DeskUnreadable(fault.to_string()))
    }

    /// The names of all documents that proposals have, some perhaps more than once.
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        self.proposals.values().flat_map(Proposal::documents)
    }
}

/// The desk cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the desk: {0}")]
pub struct DeskUnreadable(String);

/// Who did something. Written into sealed documents only, never into a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Actor {
    /// The federation operator, by a local command.
    Operator {
        /// Who that was.
        name: String,
    },
    /// Somebody over the API.
    Token {
        /// The token.
        id: String,
        /// Whose it is.
        holder: String,
    },
    /// Somebody in the door for operators.
    Invitation {
        /// The invitation.
        id: String,
        /// Whose it is.
        holder: String,
    },
}

impl Actor {
    /// The person's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Operator { name } => name,
            Self::Token { holder, .. } | Self::Invitation { holder, .. } => holder,
        }
    }

    /// Whether the two are one person, as far as names tell: case and spaces make no other person, and neither does another way in.
    #[must_use]
    pub fn is_same_person(&self, other: &Self) -> bool {
        person(self.name()) == person(other.name())
    }
}

/// A name as it is compared.
fn person(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{Actor, Desk};

    #[test]
    fn case_spaces_and_another_way_in_make_no_other_person() {
        let operator = |name: &str| Actor::Operator { name: name.to_owned() };
        let token = Actor::Token { id: "a".into(), holder: "åsa  Lind ".into() };
        let invitation = Actor::Invitation { id: "a".into(), holder: "Bo Lind".into() };
        assert!(operator("Åsa Lind").is_same_person(&token));
        assert!(token.is_same_person(&operator(" ÅSA LIND")));
        assert!(!invitation.is_same_person(&token), "the same id is not the same person");
        assert!(!operator("Åsa").is_same_person(&token));
    }

    #[test]
    fn a_desk_survives_being_written_and_knows_no_strange_members() {
        let desk = Desk { next: 7, ..Desk::default() };
        let octets = desk.to_document().expect("written");
        assert_eq!(Desk::from_document(&octets), Ok(desk));
        assert!(Desk::from_document(br#"{"next":1,"strange":[]}"#).is_err());
        assert_eq!(Desk::from_document(b"{}"), Ok(Desk::default()));
    }
}
