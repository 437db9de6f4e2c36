//! How sure a provider is of who signed in, and what we may say of it.
//!
//! A level is a URI and belongs to one vocabulary. Levels are ordered within a vocabulary, by the table here; never across
//! (`docs/conflicts.md` 13: no implicit ordering, eIDAS levels are not translated to Swedish ones). What leaves for a level stands in
//! `output_map.rs`.

mod output_map;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::output_map::{AssuranceProfile, LevelRow, OutputMap, RowRefused};

/// An AuthnContextClassRef or acr value, exactly as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Assurance(String);

/// Levels that have an order among themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vocabulary {
    /// Reviewed by the Swedish authority (Sweden Connect identifiers 3.1.1).
    Swedish,
    /// The same, for holders without a Swedish number.
    Nonresident,
    /// Declared by the provider itself, or passed on by somebody who is not reviewed.
    Uncertified,
    /// Sambi and Inera.
    Sambi,
    /// SWAMID.
    Swamid,
    /// What the Swedish eIDAS node alone may say.
    EidasNode,
    /// The same, of notified schemes alone.
    EidasNodeNotified,
    /// What everybody else says of them.
    UncertifiedEidas,
    /// What is said between countries.
    Eidas,
    /// The same, of schemes that are not notified.
    EidasNotNotified,
}

impl Vocabulary {
    fn is_eidas(self) -> bool {
        match self {
            Self::EidasNode
            | Self::EidasNodeNotified
            | Self::UncertifiedEidas
            | Self::Eidas
            | Self::EidasNotNotified => true,
            Self::Swedish | Self::Nonresident | Self::Uncertified | Self::Sambi | Self::Swamid => false,
        }
    }
}

/// Every level that is known, with its vocabulary and its height there. A URI that is not here is comparable to itself alone.
const LEVELS: &[(&str, Vocabulary, u8)] = {
    use Vocabulary as V;
    &[
        ("http://id.elegnamnden.se/loa/1.0/loa1", V::Swedish, 1),
        ("http://id.elegnamnden.se/loa/1.0/loa2", V::Swedish, 2),
        ("http://id.elegnamnden.se/loa/1.0/loa3", V::Swedish, 3),
        ("http://id.elegnamnden.se/loa/1.0/loa4", V::Swedish, 4),
        ("http://id.swedenconnect.se/loa/1.0/loa2-nonresident", V::Nonresident, 2),
        ("http://id.swedenconnect.se/loa/1.0/loa3-nonresident", V::Nonresident, 3),
        ("http://id.swedenconnect.se/loa/1.0/loa4-nonresident", V::Nonresident, 4),
        ("http://id.swedenconnect.se/loa/1.0/uncertified-loa2", V::Uncertified, 2),
        ("http://id.swedenconnect.se/loa/1.0/uncertified-loa3", V::Uncertified, 3),
        ("http://id.sambi.se/loa/loa2", V::Sambi, 2),
        ("http://id.sambi.se/loa/loa3", V::Sambi, 3),
        ("http://id.sambi.se/loa/loa4", V::Sambi, 4),
        ("http://www.swamid.se/policy/assurance/al1", V::Swamid, 1),
        ("http://www.swamid.se/policy/assurance/al2", V::Swamid, 2),
        ("http://www.swamid.se/policy/assurance/al3", V::Swamid, 3),
        ("http://id.elegnamnden.se/loa/1.0/eidas-low", V::EidasNode, 1),
        ("http://id.elegnamnden.se/loa/1.0/eidas-sub", V::EidasNode, 2),
        ("http://id.elegnamnden.se/loa/1.0/eidas-high", V::EidasNode, 3),
        ("http://id.elegnamnden.se/loa/1.0/eidas-nf-low", V::EidasNodeNotified, 1),
        ("http://id.elegnamnden.se/loa/1.0/eidas-nf-sub", V::EidasNodeNotified, 2),
        ("http://id.elegnamnden.se/loa/1.0/eidas-nf-high", V::EidasNodeNotified, 3),
        ("http://id.swedenconnect.se/loa/1.0/uncertified-eidas-low", V::UncertifiedEidas, 1),
        ("http://id.swedenconnect.se/loa/1.0/uncertified-eidas-sub", V::UncertifiedEidas, 2),
        ("http://id.swedenconnect.se/loa/1.0/uncertified-eidas-high", V::UncertifiedEidas, 3),
        ("http://eidas.europa.eu/LoA/low", V::Eidas, 1),
        ("http://eidas.europa.eu/LoA/substantial", V::Eidas, 2),
        ("http://eidas.europa.eu/LoA/high", V::Eidas, 3),
        ("http://eidas.europa.eu/NotNotified/LoA/low", V::EidasNotNotified, 1),
        ("http://eidas.europa.eu/NotNotified/LoA/substantial", V::EidasNotNotified, 2),
        ("http://eidas.europa.eu/NotNotified/LoA/high", V::EidasNotNotified, 3),
    ]
};

impl Assurance {
    /// Keeps the exact URI.
    pub fn new(uri: impl Into<String>) -> Self {
        Self(uri.into())
    }

    /// The exact URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this level is `ceiling` or, in the same vocabulary, below it.
    #[must_use]
    pub fn is_within(&self, ceiling: &Self) -> bool {
        if self == ceiling {
            return true;
        }
        matches!(
            (self.place(), ceiling.place()),
            (Some((own, height)), Some((others, top))) if own == others && height <= top
        )
    }

    /// Whether this is a level of a vocabulary that the broker knows the order of.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.place().is_some()
    }

    /// Whether the holder lacks a Swedish number, so that none may leave with it (Sweden Connect identifiers 3.1.1).
    #[must_use]
    pub fn is_nonresident(&self) -> bool {
        matches!(self.place(), Some((Vocabulary::Nonresident, _)))
    }

    fn place(&self) -> Option<(Vocabulary, u8)> {
        LEVELS.iter().find(|(uri, ..)| *uri == self.0).map(|(_, vocabulary, height)| (*vocabulary, *height))
    }
}

/// Levels for the log: those of the table by name, others by their number. What a relying party asks for passed through a browser and can be
/// anything, a person's number among it.
pub(crate) fn for_the_log(levels: &[Assurance]) -> String {
    let mut named: Vec<String> =
        levels.iter().filter(|level| level.is_known()).map(ToString::to_string).collect();
    let unknown = levels.len() - named.len();
    if unknown > 0 {
        named.push(format!("{unknown} that no vocabulary has"));
    }
    named.join(", ")
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Assurance, LEVELS, for_the_log};

    #[test]
    fn the_log_names_levels_of_the_table_alone() {
        let loa3 = "http://id.elegnamnden.se/loa/1.0/loa3";
        let levels = [loa3, "191212121212", "anna@granvik.example"].map(Assurance::new);
        assert_eq!(for_the_log(&levels), format!("{loa3}, 2 that no vocabulary has"));
        assert_eq!(for_the_log(&levels[..1]), loa3);
    }

    #[test]
    fn levels_are_ordered_within_a_vocabulary_only() {
        let level = |uri: &str| Assurance::new(uri);
        let (loa2, loa3) = ("http://id.elegnamnden.se/loa/1.0/loa2", "http://id.elegnamnden.se/loa/1.0/loa3");
        assert!(level(loa2).is_within(&level(loa3)));
        assert!(!level("http://id.elegnamnden.se/loa/1.0/loa4").is_within(&level(loa3)));
        for other in [
            "http://id.sambi.se/loa/loa2",
            "http://id.swedenconnect.se/loa/1.0/uncertified-loa2",
            "http://id.swedenconnect.se/loa/1.0/loa2-nonresident",
            "http://id.elegnamnden.se/loa/1.0/eidas-low",
            "http://www.swamid.se/policy/assurance/al1",
            "urn:anything",
        ] {
            assert!(!level(other).is_within(&level(loa3)), "{other}");
            assert!(level(other).is_within(&level(other)), "{other}");
        }
        assert!(level("urn:anything").is_within(&level("urn:anything")) && !level("urn:anything").is_known());
    }

    #[test]
    fn each_level_stands_once() {
        for (at, (uri, ..)) in LEVELS.iter().enumerate() {
            assert!(!LEVELS.iter().skip(at + 1).any(|(other, ..)| other == uri), "{uri}");
        }
    }
}
