//! The door for operators: pages that need no account. An invitation opens a place, in one browser, where somebody gives a file, sees what is wrong
//! beside the line that it is wrong in, reads what would change, and hands it in for another person to approve.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | the addresses, and what every page of the door does first |
//! | `visit.rs` | who is here: the cookie, the form's proof, and what is said when nobody is |
//! | `invitation.rs` | `/operator/invitation/{link}`: one button, which opens the place |
//! | `place.rs` | `/operator`: what is registered, what is on its way, what the record allows; leaving |
//! | `give.rs` | `/operator/submit`: a file, an address or pasted text comes in |
//! | `given.rs` | a file that was given and not handed in: sealed, bound to the browser, gone after a day |
//! | `review.rs` | `/operator/file/{given}`: judged, in words, beside its lines; handed in |
//! | `lines.rs` | a file line by line, as much of it as something is said of |
//! | `change.rs` | what a change changes and why it is held, in words |
//! | `test_sign_in.rs` | `/operator/try`: a test sign-in at one's own provider, and what came of it |
//! | `draft.rs` | a provider as a proposal has it, for such a test |
//! | `proposal.rs` | `/operator/proposal/{number}`: how it goes; approved, declined, published, taken back |
//!
//! Neighbours: `page/operator.rs` draws; [`metadata::desk`] says what may happen; `proposals.rs` does it, for the command line and the API too.

mod change;
pub(crate) mod draft;
mod give;
mod given;
mod invitation;
mod lines;
mod place;
mod proposal;
mod review;
mod test_sign_in;
mod visit;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

pub(crate) use give::Counters;
use visit::{Instead, Visit};

use crate::{moment, proposals::ProposalFailed, registry_edit::Live, wiring::Node};

/// The octets of the largest file that is taken here.
const LARGEST_FILE: usize = 2 * 1024 * 1024;

/// The same in words.
const LARGEST_MEGABYTES: u64 = 2;

/// The label of the key that hashes what invitations are opened with.
const INVITATION_KEY: &str = "invitation";

/// The key that hashes what invitations are opened with.
pub(crate) fn invitation_key(keys: &certs::KeyDirectory) -> certs::MacKey {
    keys.registry_secret().mac_key(INVITATION_KEY)
}

/// The addresses of the door.
pub(crate) fn routes() -> Router<Arc<Node>> {
    Router::new()
        .route("/operator", get(place::show))
        .route("/operator/invitation/{link}", get(invitation::show))
        .route("/operator/invitation", post(invitation::open))
        .route("/operator/leave", post(place::leave))
        .route("/operator/submit", get(give::show).post(give::give))
        .route("/operator/file/{given}", get(review::show).post(review::act))
        .route("/operator/try", get(test_sign_in::show).post(test_sign_in::begin))
        .route("/operator/try/{result}", get(test_sign_in::result))
        .route("/operator/proposal/{number}", get(proposal::show).post(proposal::act))
}

/// The sources that name texts, for the test that no text is left over.
#[cfg(test)]
pub(crate) const SOURCES: &[&str] = &[
    include_str!("give.rs"),
    include_str!("lines.rs"),
    include_str!("proposal.rs"),
    include_str!("review.rs"),
    include_str!("test_sign_in.rs"),
];

/// What is live, read from the store.
async fn live(node: &Node, visit: &Visit) -> Result<Live, Instead> {
    let known = Some(node.registry.any()).filter(|known| known.number() > 0);
    let live = node.edits.read(&**node.vault.store(), known, moment::now()).await;
    live.map_err(|error| visit::away(node, &visit.language, &error, !error.is_refusal()))
}

/// The page for what a proposal met and that no press mends.
fn failed(node: &Node, visit: &Visit, failed: &ProposalFailed) -> Instead {
    let alarm = matches!(failed, ProposalFailed::Desk(desk) if desk.is_alarm());
    visit::away(node, &visit.language, failed, alarm)
}
