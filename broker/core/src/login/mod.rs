//! The login: one type per state, and each transition consumes the last.
//!
//! ```text
//! Received -> Routed -> AwaitingProvider -> Authenticated -> Released
//!     \-> AwaitingChoice -^  \-> Routed (once)    \-> AwaitingNotice -^
//!                                                 \-> AwaitingChoice
//! ```
//! The provider is asked a second time where it refuses a level that was but wished for ([`Login::ask_again`]). Where it proves another organisation
//! than was chosen, the person is back at the choice ([`Elsewhere`]).
//!
//! Only the three awaiting states are ever stored ([`Suspended`]). [`crate::role::Downstream::answer`] takes `Login<Released>` alone, so
//! a login that skipped a step cannot be answered: it does not compile.

mod authenticated;
mod awaiting;
mod received;
mod released;
mod routed;
mod suspended;

pub use authenticated::{Authenticated, Elsewhere, NotReleased, Release};
pub use awaiting::{AwaitingNotice, AwaitingProvider, fresh_enough};
pub use received::{AwaitingChoice, Next, Received};
pub use released::Released;
pub use routed::Routed;
use serde::{Deserialize, Serialize};
pub use suspended::{Ended, Suspended, Tombstone};

use crate::{
    identifier::{Language, Reference},
    moment::Timestamp,
    request::AuthenticationRequest,
    role::ReturnTo,
};

/// One login in flight, in the state `S`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login<S> {
    context: Context,
    state: S,
}

/// What stays the same through a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// For people and the log; opens nothing.
    pub reference: Reference,
    /// What was asked for.
    pub request: AuthenticationRequest,
    /// Where the answer goes.
    pub return_to: ReturnTo,
    /// When it began.
    pub started: Timestamp,
    /// The language that the person's pages are in.
    pub language: Language,
}

impl<S> Login<S> {
    /// What stays the same through the login.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> &S {
        &self.state
    }

    fn into<T>(self, change: impl FnOnce(S) -> T) -> Login<T> {
        Login { context: self.context, state: change(self.state) }
    }
}
