//! Whose rules a file is judged by. Federations disagree (docs/conflicts.md), so a rule says in which profiles it holds, and how bad a
//! breach is in each.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The rules of one federation or deployment profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// What this broker and any federation needs; always judged by.
    Base,
    /// SAML V2.0 Deployment Profile for Federation Interoperability 2.0 (Kantara).
    Saml2int,
    /// Sweden Connect: deployment profile, registry rules, entity categories.
    SwedenConnect,
    /// Internetstiftelsen's SAML WebSSO Technology Profile 1.0.0: Skolfederation, Sambi, Fedkom.
    Internetstiftelsen,
    /// SWAMID's SAML WebSSO technology profile.
    Swamid,
    /// The Swedish OpenID Connect Profile 1.0, with what Sweden Connect adds to it.
    SwedishOidc,
}

impl Profile {
    /// Every profile, the base first.
    pub const ALL: [Self; 6] = [
        Self::Base,
        Self::Saml2int,
        Self::SwedenConnect,
        Self::Internetstiftelsen,
        Self::Swamid,
        Self::SwedishOidc,
    ];

    /// The name that people choose it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Saml2int => "saml2int",
            Self::SwedenConnect => "sweden-connect",
            Self::Internetstiftelsen => "internetstiftelsen",
            Self::Swamid => "swamid",
            Self::SwedishOidc => "swedish-oidc",
        }
    }

    /// The profile of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Base => 1,
            Self::Saml2int => 2,
            Self::SwedenConnect => 4,
            Self::Internetstiftelsen => 8,
            Self::Swamid => 16,
            Self::SwedishOidc => 32,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            D::Error::custom(format!("there is no profile {name}; there are: {known}"))
        })
    }
}

/// A choice of profiles; the base is always among them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Profiles(u8);

impl Profiles {
    /// The base alone.
    pub const BASE: Self = Self(1);

    /// These and one more.
    #[must_use]
    pub const fn with(self, profile: Profile) -> Self {
        Self(self.0 | profile.bit())
    }

    /// Every profile at once: what breaks any of them.
    #[must_use]
    pub fn all() -> Self {
        Profile::ALL.into_iter().collect()
    }

    /// Whether it is chosen.
    #[must_use]
    pub const fn contains(self, profile: Profile) -> bool {
        self.0 & profile.bit() != 0
    }

    /// Those that are chosen, the base first.
    pub fn iter(self) -> impl Iterator<Item = Profile> {
        Profile::ALL.into_iter().filter(move |profile| self.contains(*profile))
    }
}

impl Default for Profiles {
    fn default() -> Self {
        Self::BASE
    }
}

impl FromIterator<Profile> for Profiles {
    fn from_iter<I: IntoIterator<Item = Profile>>(profiles: I) -> Self {
        profiles.into_iter().fold(Self::BASE, Self::with)
    }
}

impl fmt::Debug for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Profile, Profiles};

    #[test]
    fn every_profile_is_found_by_its_name_and_the_base_is_always_chosen() {
        for profile in Profile::ALL {
            assert_eq!(Profile::from_name(profile.name()), Some(profile));
            let chosen = Profiles::from_iter([profile]);
            assert!(chosen.contains(Profile::Base) && chosen.contains(profile));
        }
        assert_eq!(Profile::from_name("Base"), None);
        assert_eq!(Profiles::all().iter().count(), Profile::ALL.len());
        assert_eq!(Profiles::default().iter().collect::<Vec<_>>(), [Profile::Base]);
    }
}
