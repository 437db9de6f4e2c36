//! The names of peers and logins, each a type of its own so that none is taken for another.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Keeps the exact string: identifiers are compared octet by octet.
            pub fn new(exact: impl Into<Arc<str>>) -> Self {
                Self(exact.into())
            }

            /// The exact string.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(exact: &str) -> Self {
                Self::new(exact)
            }
        }
    };
}

name!(
    /// An identity provider: a SAML entity ID or an OpenID issuer, exactly as registered.
    ProviderId
);
name!(
    /// A relying party: a SAML entity ID or an OIDC client_id, exactly as registered.
    RelyingPartyId
);

/// What a person reads to the help desk, and what finds the login in the log: `K7QF-2M9X-4T`. It opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(String);

impl Reference {
    /// Letters and digits that are not mistaken for each other when read aloud (Crockford's base 32 alphabet).
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// A new reference out of 50 random bits.
    #[must_use]
    pub fn from_random(random: [u8; 10]) -> Self {
        let mut text = String::with_capacity(12);
        for (index, byte) in random.iter().enumerate() {
            if index == 4 || index == 8 {
                text.push('-');
            }
            text.push(char::from(Self::ALPHABET[usize::from(byte & 31)]));
        }
        Self(text)
    }

    /// As printed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads back what a URL or a person gives; `None` unless it has exactly the printed form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == 12
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 9 => byte == b'-',
                _ => Self::ALPHABET.contains(&byte),
            });
        well_formed.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A language of the pages, the first subtag alone: `sv`, `en`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Language(String);

impl Language {
    /// The primary subtag of a BCP 47 tag, in lower case; `None` when it is not one.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?;
        ((2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_alphabetic()))
            .then(|| Self(primary.to_ascii_lowercase()))
    }

    /// The subtag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Language, Reference};

    #[test]
    fn a_reference_survives_being_read_back() {
        let reference = Reference::from_random([255, 0, 7, 31, 9, 64, 200, 13, 77, 1]);
        assert_eq!(Reference::parse(reference.as_str()), Some(reference));
        assert_eq!(Reference::parse("<script>-abc"), None);
        assert_eq!(Reference::parse(""), None);
    }

    #[test]
    fn a_language_is_its_primary_subtag() {
        assert_eq!(
            Language::from_tag("sv-SE").map(|language| language.as_str().to_owned()).as_deref(),
            Some("sv")
        );
        assert_eq!(Language::from_tag("*"), None);
    }
}
