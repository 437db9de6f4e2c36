//! Whether a newer document of a source may take an older one's place.

use broker_core::moment::Timestamp;

use super::Held;

/// Why a document that verified is not taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotNewer {
    /// It was made before the one that we have.
    #[error("it was made at {offered}, before the one that we have ({known}): somebody serves an old one")]
    Created {
        /// When the one that we have was made.
        known: Timestamp,
        /// When this was.
        offered: Timestamp,
    },
    /// It ends before the one that we have.
    #[error("it is valid until {offered}, less long than the one that we have ({known}): somebody serves an old one")]
    ValidUntil {
        /// Until when the one that we have is valid.
        known: Timestamp,
        /// Until when this is.
        offered: Timestamp,
    },
}

/// Whether a document made at `creation_instant` and valid until `valid_until` may follow what is held: neither goes backwards. A publisher
/// that says when it makes its documents may shorten their validity; of one that does not, a shorter validity is the only sign of an old document.
///
/// # Errors
/// Which of the two goes backwards.
pub fn may_follow(
    held: &Held,
    creation_instant: Option<Timestamp>,
    valid_until: Option<Timestamp>,
) -> Result<(), NotNewer> {
    match (held.creation_instant, creation_instant) {
        (Some(known), Some(offered)) if offered < known => return Err(NotNewer::Created { known, offered }),
        (Some(known), Some(offered)) if offered > known => return Ok(()),
        _ => {}
    }
    match (held.valid_until, valid_until) {
        (Some(known), Some(offered)) if offered < known => Err(NotNewer::ValidUntil { known, offered }),
        _ => Ok(()),
    }
}
