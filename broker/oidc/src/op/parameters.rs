//! Parameters of a query string or a form body, each at most once.
//!
//! RFC 6749 3.1 and 3.2: a parameter that stands more than once refuses the request, one without a value counts as omitted, and one
//! that is not understood is ignored. Octets that are not UTF-8 after decoding refuse the whole request: a lossy reading would return a
//! `state` that the relying party did not send.

use std::{borrow::Cow, collections::BTreeMap};

use percent_encoding::percent_decode;

/// Octets of one query or form. A `claims` parameter is long; nothing else is.
const LARGEST: usize = 32 * 1024;
/// Parameters in one request.
const MOST: usize = 64;

/// What stood in a request.
#[derive(Default)]
pub(crate) struct Parameters {
    found: BTreeMap<String, Found>,
}

enum Found {
    Once(String),
    Repeatedly,
}

/// Why nothing could be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// Longer than any honest request.
    #[error("the request is too long")]
    TooLong,
    /// More parameters than any honest request has.
    #[error("the request has too many parameters")]
    TooMany,
    /// Not UTF-8 once decoded.
    #[error("a parameter is not UTF-8")]
    NotText,
}

/// A parameter stood more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeated;

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` octets.
    pub(crate) fn read(octets: &[u8]) -> Result<Self, Unreadable> {
        if octets.len() > LARGEST {
            return Err(Unreadable::TooLong);
        }
        let mut found = BTreeMap::new();
        for (count, pair) in octets.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).enumerate() {
            if count >= MOST {
                return Err(Unreadable::TooMany);
            }
            let mut sides = pair.splitn(2, |byte| *byte == b'=');
            let name = decoded(sides.next().unwrap_or_default())?;
            let value = decoded(sides.next().unwrap_or_default())?;
            found
                .entry(name)
                .and_modify(|earlier| *earlier = Found::Repeatedly)
                .or_insert(Found::Once(value));
        }
        Ok(Self { found })
    }

    /// The parameter's value; `None` when it is not there or is empty.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Repeated> {
        match self.found.get(name) {
            None => Ok(None),
            Some(Found::Once(value)) => Ok(Some(value.as_str()).filter(|value| !value.is_empty())),
            Some(Found::Repeatedly) => Err(Repeated),
        }
    }

    /// Whether the parameter is there at all, once or more, empty or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.found.contains_key(name)
    }

    /// The name of a parameter that stands more than once. Names that we do not know count too: the request is then not the one that
    /// somebody else read.
    pub(crate) fn repeated(&self) -> Option<&str> {
        self.found.iter().find(|(_, value)| matches!(value, Found::Repeatedly)).map(|(name, _)| name.as_str())
    }
}

/// One side of a pair, or a half of Basic credentials (RFC 6749 appendix B): `+` is a space, `%xx` an octet.
pub(crate) fn decoded(encoded: &[u8]) -> Result<String, Unreadable> {
    let spaced: Cow<'_, [u8]> = if encoded.contains(&b'+') {
        Cow::Owned(encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect())
    } else {
        Cow::Borrowed(encoded)
    };
    percent_decode(&spaced).decode_utf8().map(Cow::into_owned).map_err(|_| Unreadable::NotText)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Parameters, Repeated, Unreadable};

    #[test]
    fn a_value_is_decoded_once() {
        let parameters = Parameters::read(b"state=a%2Bb+c%25&empty=&bare").expect("readable");
        assert_eq!(parameters.one("state"), Ok(Some("a+b c%")));
        assert_eq!(parameters.one("empty"), Ok(None));
        assert_eq!(parameters.one("bare"), Ok(None));
        assert!(parameters.has("bare") && !parameters.has("absent"));
    }

    #[test]
    fn a_repeated_parameter_has_no_value_whatever_it_says() {
        for text in ["a=1&a=1", "a=1&a=", "a&%61=2"] {
            let parameters = Parameters::read(text.as_bytes()).expect("readable");
            assert_eq!(parameters.one("a"), Err(Repeated), "{text}");
            assert_eq!(parameters.repeated(), Some("a"), "{text}");
        }
    }

    #[test]
    fn what_is_not_text_or_too_much_is_refused_whole() {
        assert_eq!(Parameters::read(b"state=%ff").err(), Some(Unreadable::NotText));
        assert_eq!(Parameters::read(&vec![b'a'; 40_000]).err(), Some(Unreadable::TooLong));
        let many: Vec<String> = (0..65).map(|at| format!("p{at}=1")).collect();
        assert_eq!(Parameters::read(many.join("&").as_bytes()).err(), Some(Unreadable::TooMany));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(parameters) = Parameters::read(&octets) {
                let _ = (parameters.one("a"), parameters.repeated());
            }
        }
    }
}
