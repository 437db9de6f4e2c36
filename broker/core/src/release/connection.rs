//! What the employer has agreed to let leave. Which employer that is, the answer proved; the connection is looked up anew at each release.

use super::Policy;
use crate::attribute::AttributeName;

/// Whether the proven employer lets an attribute leave to this relying party.
#[must_use]
pub fn agreed(name: AttributeName, policy: Policy<'_>) -> bool {
    policy.connections.between(&policy.provider.organisation, &policy.relying_party.id).lets_leave(name)
}
