//! Whether a newer document of a source may take an older one's place.

use broker_core::moment::Timestamp;

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
    #[error(
        "it is valid until {offered}, less long than the one that we have ({known}): somebody serves an old one"
    )]
    ValidUntil {
        /// Until when the one that we have is valid.
        known: Timestamp,
        /// Until when this is.
        offered: Timestamp,
    },
}

/// When a document was made, and until when it may be used, as far as it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// When the publisher made it.
    pub creation_instant: Option<Timestamp>,
    /// Until when it may be used.
    pub valid_until: Option<Timestamp>,
}

/// Whether a document may follow the one that is held: neither time goes backwards. A publisher that says when it makes its documents may shorten
/// their validity; of one that does not, a shorter validity is the only sign of an old document.
///
/// # Errors
/// Which of the two goes backwards.
pub fn may_follow(held: Times, offered: Times) -> Result<(), NotNewer> {
    match (held.creation_instant, offered.creation_instant) {
        (Some(known), Some(offered)) if offered < known => return Err(NotNewer::Created { known, offered }),
        (Some(known), Some(offered)) if offered > known => return Ok(()),
        _ => {}
    }
    match (held.valid_until, offered.valid_until) {
        (Some(known), Some(offered)) if offered < known => Err(NotNewer::ValidUntil { known, offered }),
        _ => Ok(()),
    }
}
