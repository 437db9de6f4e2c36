//! How sure a provider is of who signed in, and what we may say of it.
//!
//! A level is a URI and belongs to one vocabulary. Levels are ordered within a vocabulary, by the tables here; never across
//! (`docs/conflicts.md` 13: no implicit ordering, eIDAS levels are not translated to Swedish ones).

use std::fmt;

use serde::{Deserialize, Serialize};

/// An AuthnContextClassRef or acr value, exactly as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Assurance(String);

/// Vocabularies whose levels have an order, lowest first. A URI in none of them is comparable to itself alone.
const LADDERS: &[&[&str]] = &[
    &[
        "http://id.elegnamnden.se/loa/1.0/loa1",
        "http://id.elegnamnden.se/loa/1.0/loa2",
        "http://id.elegnamnden.se/loa/1.0/loa3",
        "http://id.elegnamnden.se/loa/1.0/loa4",
    ],
    &[
        "http://id.swedenconnect.se/loa/1.0/loa2-nonresident",
        "http://id.swedenconnect.se/loa/1.0/loa3-nonresident",
        "http://id.swedenconnect.se/loa/1.0/loa4-nonresident",
    ],
    &[
        "http://id.swedenconnect.se/loa/1.0/uncertified-loa2",
        "http://id.swedenconnect.se/loa/1.0/uncertified-loa3",
    ],
    &["http://id.sambi.se/loa/loa2", "http://id.sambi.se/loa/loa3", "http://id.sambi.se/loa/loa4"],
    &[
        "http://www.swamid.se/policy/assurance/al1",
        "http://www.swamid.se/policy/assurance/al2",
        "http://www.swamid.se/policy/assurance/al3",
    ],
];

/// What an unreviewed broker says instead (Sweden Connect, Tekniska anslutningsregler 1.2.3 and identifiers registry 3.1.1).
/// There is no uncertified level above 3, and none below 2: a level without a row does not leave at all.
const UNCERTIFIED: &[(&str, &str)] = &[
    ("http://id.elegnamnden.se/loa/1.0/loa2", "http://id.swedenconnect.se/loa/1.0/uncertified-loa2"),
    ("http://id.elegnamnden.se/loa/1.0/loa3", "http://id.swedenconnect.se/loa/1.0/uncertified-loa3"),
    ("http://id.elegnamnden.se/loa/1.0/loa4", "http://id.swedenconnect.se/loa/1.0/uncertified-loa3"),
];

/// eIDAS levels are always downgraded by a proxy, reviewed or not (registry 3.1.1: only the Swedish eIDAS node asserts them).
const UNCERTIFIED_EIDAS: &[(&str, &str)] = &[
    (
        "http://id.elegnamnden.se/loa/1.0/eidas-low",
        "http://id.swedenconnect.se/loa/1.0/uncertified-eidas-low",
    ),
    (
        "http://id.elegnamnden.se/loa/1.0/eidas-sub",
        "http://id.swedenconnect.se/loa/1.0/uncertified-eidas-sub",
    ),
    (
        "http://id.elegnamnden.se/loa/1.0/eidas-high",
        "http://id.swedenconnect.se/loa/1.0/uncertified-eidas-high",
    ),
    (
        "http://id.elegnamnden.se/loa/1.0/eidas-nf-low",
        "http://id.swedenconnect.se/loa/1.0/uncertified-eidas-low",
    ),
    (
        "http://id.elegnamnden.se/loa/1.0/eidas-nf-sub",
        "http://id.swedenconnect.se/loa/1.0/uncertified-eidas-sub",
    ),
    (
        "http://id.elegnamnden.se/loa/1.0/eidas-nf-high",
        "http://id.swedenconnect.se/loa/1.0/uncertified-eidas-high",
    ),
];

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
        LADDERS.iter().any(|ladder| {
            let place = |level: &Self| ladder.iter().position(|step| *step == level.0);
            matches!((place(self), place(ceiling)), (Some(own), Some(top)) if own <= top)
        })
    }

    /// Whether this is a level of a vocabulary that the broker knows the order of.
    #[must_use]
    pub fn is_known(&self) -> bool {
        LADDERS.iter().any(|ladder| ladder.contains(&self.0.as_str()))
            || UNCERTIFIED_EIDAS.iter().any(|(from, to)| *from == self.0 || *to == self.0)
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the broker says downstream of a level that it was told upstream: one direction, explicit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputMap {
    /// The broker's assertion function has been reviewed and approved; set by the federation operator alone.
    pub reviewed: bool,
}

impl OutputMap {
    /// The level that leaves, or `None` when nothing honest can be said.
    #[must_use]
    pub fn leaving(self, told: &Assurance) -> Option<Assurance> {
        let row = |table: &[(&str, &str)]| {
            table.iter().find(|(from, _)| *from == told.0).map(|(_, to)| Assurance::new(*to))
        };
        if let Some(downgraded) = row(UNCERTIFIED_EIDAS) {
            return Some(downgraded);
        }
        if self.reviewed {
            return Some(told.clone());
        }
        // Every approved level of Sweden Connect needs a review to leave as itself.
        if told.0.starts_with("http://id.elegnamnden.se/loa/") || told.0.ends_with("-nonresident") {
            return row(UNCERTIFIED);
        }
        Some(told.clone())
    }

    /// The levels that a provider may answer with so that one of `wanted` leaves: the inverse of [`OutputMap::leaving`].
    #[must_use]
    pub fn asking(self, wanted: &[Assurance]) -> Vec<Assurance> {
        let mut upstream: Vec<Assurance> = Vec::new();
        let candidates = LADDERS
            .iter()
            .flat_map(|ladder| ladder.iter().copied())
            .chain(UNCERTIFIED_EIDAS.iter().map(|(from, _)| *from))
            .map(Assurance::new)
            .chain(wanted.iter().cloned());
        for candidate in candidates {
            if self.leaving(&candidate).is_some_and(|leaves| wanted.contains(&leaves))
                && !upstream.contains(&candidate)
            {
                upstream.push(candidate);
            }
        }
        upstream
    }
}

#[cfg(test)]
mod tests {
    use super::{Assurance, OutputMap};

    const LOA2: &str = "http://id.elegnamnden.se/loa/1.0/loa2";
    const LOA3: &str = "http://id.elegnamnden.se/loa/1.0/loa3";
    const LOA4: &str = "http://id.elegnamnden.se/loa/1.0/loa4";
    const UNCERTIFIED3: &str = "http://id.swedenconnect.se/loa/1.0/uncertified-loa3";

    fn level(uri: &str) -> Assurance {
        Assurance::new(uri)
    }

    #[test]
    fn levels_are_ordered_within_a_vocabulary_only() {
        assert!(level(LOA2).is_within(&level(LOA3)));
        assert!(!level(LOA4).is_within(&level(LOA3)));
        assert!(!level("http://id.sambi.se/loa/loa2").is_within(&level(LOA3)));
        assert!(!level(UNCERTIFIED3).is_within(&level(LOA3)));
        assert!(level("urn:anything").is_within(&level("urn:anything")));
    }

    #[test]
    fn an_unreviewed_broker_never_says_a_certified_level() {
        let map = OutputMap { reviewed: false };
        assert_eq!(map.leaving(&level(LOA3)), Some(level(UNCERTIFIED3)));
        assert_eq!(map.leaving(&level(LOA4)), Some(level(UNCERTIFIED3)));
        assert_eq!(map.leaving(&level("http://id.elegnamnden.se/loa/1.0/loa1")), None);
        assert_eq!(map.leaving(&level("http://id.swedenconnect.se/loa/1.0/loa3-nonresident")), None);
        assert_eq!(OutputMap { reviewed: true }.leaving(&level(LOA3)), Some(level(LOA3)));
    }

    #[test]
    fn eidas_levels_are_downgraded_even_after_a_review() {
        let map = OutputMap { reviewed: true };
        assert_eq!(
            map.leaving(&level("http://id.elegnamnden.se/loa/1.0/eidas-nf-sub")),
            Some(level("http://id.swedenconnect.se/loa/1.0/uncertified-eidas-sub"))
        );
    }

    #[test]
    fn what_is_asked_upstream_can_leave_as_what_was_wanted() {
        let map = OutputMap { reviewed: false };
        let asked = map.asking(&[level(UNCERTIFIED3)]);
        assert!(
            asked.contains(&level(LOA3))
                && asked.contains(&level(LOA4))
                && asked.contains(&level(UNCERTIFIED3))
        );
        assert!(!asked.contains(&level(LOA2)));
        assert!(map.asking(&[level(LOA3)]).is_empty(), "an unreviewed broker cannot meet loa3");
    }
}
