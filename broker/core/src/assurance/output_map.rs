//! What the broker says downstream of a level that it was told upstream: one direction, explicit, per profile.
//!
//! Three tables decide, in this order: the rows that the federation operator wrote, the downgrades that Sweden Connect demands of whoever passes
//! a level on, and the vocabulary that the relying party's profile knows. What none of them names leaves as nothing.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Assurance, LEVELS, Vocabulary};

/// What an unreviewed broker says instead (Sweden Connect, Tekniska anslutningsregler 1.2.3 and identifiers registry 3.1.1).
/// There is no uncertified level above 3, and none below 2: a level without a row does not leave at all.
const UNCERTIFIED: &[(&str, &str)] = &[
    ("http://id.elegnamnden.se/loa/1.0/loa2", "http://id.swedenconnect.se/loa/1.0/uncertified-loa2"),
    ("http://id.elegnamnden.se/loa/1.0/loa3", "http://id.swedenconnect.se/loa/1.0/uncertified-loa3"),
    ("http://id.elegnamnden.se/loa/1.0/loa4", "http://id.swedenconnect.se/loa/1.0/uncertified-loa3"),
];

/// What anybody but the Swedish eIDAS node says of an eIDAS level of that height, reviewed or not (registry 3.1.1).
const UNCERTIFIED_EIDAS: [&str; 3] = [
    "http://id.swedenconnect.se/loa/1.0/uncertified-eidas-low",
    "http://id.swedenconnect.se/loa/1.0/uncertified-eidas-sub",
    "http://id.swedenconnect.se/loa/1.0/uncertified-eidas-high",
];

/// Whose words a relying party understands (`docs/conflicts.md` 13).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssuranceProfile {
    /// All vocabularies, each level in its own.
    #[default]
    Plain,
    /// Sweden Connect's levels alone.
    SwedenConnect,
    /// Those of Sambi and Inera alone.
    Sambi,
    /// Those of SWAMID, and words such as those of REFEDS that both records have.
    Swamid,
}

impl AssuranceProfile {
    /// Every profile.
    pub const ALL: &[Self] = &[Self::Plain, Self::SwedenConnect, Self::Sambi, Self::Swamid];

    /// The stable name, in configuration and settings.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::SwedenConnect => "sweden_connect",
            Self::Sambi => "sambi",
            Self::Swamid => "swamid",
        }
    }

    /// The profile of that name.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|profile| profile.key() == key)
    }

    fn knows(self, level: &Assurance) -> bool {
        use Vocabulary as V;
        match (self, level.place().map(|(vocabulary, _)| vocabulary)) {
            (Self::Plain, _) | (Self::Swamid, None) => true,
            (Self::SwedenConnect, Some(vocabulary)) => {
                matches!(vocabulary, V::Swedish | V::Nonresident | V::Uncertified | V::UncertifiedEidas)
            }
            (Self::Sambi, Some(vocabulary)) => vocabulary == V::Sambi,
            (Self::Swamid, Some(vocabulary)) => vocabulary == V::Swamid,
            (Self::SwedenConnect | Self::Sambi, None) => false,
        }
    }
}

/// A row that the federation operator wrote: `from` leaves as `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelRow {
    /// What the provider says.
    pub from: Assurance,
    /// What leaves for it.
    pub to: Assurance,
    /// Towards relying parties of this profile alone; `None`: of every profile that has no row of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<AssuranceProfile>,
}

/// Why a row is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowRefused {
    /// One of its levels is in no vocabulary.
    Unknown,
    /// It would say more than the provider said.
    Upwards,
    /// It leads between eIDAS and other levels, between residents and others, or into a vocabulary that others alone may use.
    Across,
    /// It would say a reviewed level while the broker is not reviewed.
    NotReviewed,
    /// The level has a row for that profile already.
    Twice,
}

impl fmt::Display for RowRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "one of its levels is in no vocabulary that the broker knows",
            Self::Upwards => "it says more than the provider said",
            Self::Across => "it leads between vocabularies that are not translatable, or into one that others alone may use",
            Self::NotReviewed => "it says a reviewed level, and the broker is not reviewed",
            Self::Twice => "that level has a row for that profile already",
        })
    }
}

/// What the broker says of levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputMap {
    reviewed: bool,
    rows: Arc<[LevelRow]>,
}

impl OutputMap {
    /// The map without rows of the operator's. `reviewed`: the broker's assertion function has been reviewed and approved.
    #[must_use]
    pub fn new(reviewed: bool) -> Self {
        Self { reviewed, rows: Arc::new([]) }
    }

    /// The map with the operator's rows.
    ///
    /// # Errors
    /// The place of the first row that does not hold, and why.
    pub fn with_rows(reviewed: bool, rows: Vec<LevelRow>) -> Result<Self, (usize, RowRefused)> {
        for (at, row) in rows.iter().enumerate() {
            let before = rows.iter().take(at);
            if before.clone().any(|other| other.from == row.from && other.profile == row.profile) {
                return Err((at, RowRefused::Twice));
            }
            judged(row, reviewed).map_err(|refused| (at, refused))?;
        }
        Ok(Self { reviewed, rows: rows.into() })
    }

    /// The level that leaves towards a relying party of `profile`, or `None` when nothing honest can be said that it understands.
    #[must_use]
    pub fn leaving(&self, told: &Assurance, profile: AssuranceProfile) -> Option<Assurance> {
        let row = |wanted: Option<AssuranceProfile>| {
            self.rows.iter().find(|row| row.from == *told && row.profile == wanted).map(|row| row.to.clone())
        };
        row(Some(profile))
            .or_else(|| row(None))
            .or_else(|| self.by_rule(told))
            .filter(|level| profile.knows(level))
    }

    fn by_rule(&self, told: &Assurance) -> Option<Assurance> {
        use Vocabulary as V;
        match told.place() {
            Some((V::EidasNode | V::EidasNodeNotified | V::Eidas | V::EidasNotNotified, height)) => {
                UNCERTIFIED_EIDAS.get(usize::from(height).checked_sub(1)?).map(|uri| Assurance::new(*uri))
            }
            // Every approved level of Sweden Connect needs a review to leave as itself.
            Some((V::Swedish | V::Nonresident, _)) if !self.reviewed => {
                UNCERTIFIED.iter().find(|(from, _)| *from == told.as_str()).map(|(_, to)| Assurance::new(*to))
            }
            // Sambi and SWAMID have no words for "passed on by somebody unreviewed": the provider's own, under its record's ceiling.
            Some((
                V::Swedish | V::Nonresident | V::Uncertified | V::UncertifiedEidas | V::Sambi | V::Swamid,
                _,
            ))
            | None => Some(told.clone()),
        }
    }

    /// The levels that a provider may answer with so that one of `wanted` leaves: the inverse of [`OutputMap::leaving`].
    #[must_use]
    pub fn asking(&self, wanted: &[Assurance], profile: AssuranceProfile) -> Vec<Assurance> {
        let mut upstream: Vec<Assurance> = Vec::new();
        let candidates = LEVELS.iter().map(|(uri, ..)| Assurance::new(*uri)).chain(wanted.iter().cloned());
        for candidate in candidates {
            if self.leaving(&candidate, profile).is_some_and(|leaves| wanted.contains(&leaves))
                && !upstream.contains(&candidate)
            {
                upstream.push(candidate);
            }
        }
        upstream
    }
}

/// Nothing leads upwards, nothing between eIDAS and Swedish levels, and nothing into what others alone may say.
fn judged(row: &LevelRow, reviewed: bool) -> Result<(), RowRefused> {
    use Vocabulary as V;
    let (Some((from, height)), Some((to, top))) = (row.from.place(), row.to.place()) else {
        return Err(RowRefused::Unknown);
    };
    let may_lead = match to {
        V::EidasNode | V::EidasNodeNotified | V::Eidas | V::EidasNotNotified => false,
        V::UncertifiedEidas => from.is_eidas(),
        V::Nonresident => from == V::Nonresident,
        V::Swedish => from == V::Swedish,
        V::Uncertified => !from.is_eidas() && from != V::Nonresident,
        V::Sambi | V::Swamid => matches!(from, V::Swedish | V::Sambi | V::Swamid),
    };
    match () {
        () if from == V::Uncertified && to != V::Uncertified && !to.is_eidas() => Err(RowRefused::Upwards),
        () if !may_lead => Err(RowRefused::Across),
        () if top > height => Err(RowRefused::Upwards),
        () if !reviewed && matches!(to, V::Swedish | V::Nonresident) => Err(RowRefused::NotReviewed),
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests;
