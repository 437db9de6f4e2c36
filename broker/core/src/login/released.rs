//! What may leave is fixed, and the person has been shown it where they must be.

use crate::release::ReleasedIdentity;

/// What may leave. [`crate::role::Downstream::answer`] takes nothing less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    identity: ReleasedIdentity,
}

impl Released {
    pub(super) fn new(identity: ReleasedIdentity) -> Self {
        Self { identity }
    }

    /// Who, and what is said of them.
    #[must_use]
    pub fn identity(&self) -> &ReleasedIdentity {
        &self.identity
    }
}
