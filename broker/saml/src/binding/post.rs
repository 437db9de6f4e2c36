//! HTTP-POST (SAML Bindings 3.5): a message in a field of a form that the browser posts. Sibling: `redirect.rs`.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::role::Outbound;
use certs::query_signature::MessageParameter;
use memchr::{memchr, memchr2};

use super::{BindingRefused, LARGEST_CARRIER, decoded, dense};

/// What a posted form held.
#[derive(Clone, PartialEq, Eq)]
pub struct PostMessage {
    /// The message's XML, as it came.
    pub xml: Vec<u8>,
    /// The RelayState, if one was given.
    pub relay_state: Option<String>,
}

impl std::fmt::Debug for PostMessage {
    /// The size alone: messages carry people's names.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PostMessage").field("octets", &self.xml.len()).finish_non_exhaustive()
    }
}

/// How much of a message's carrier [`beginning`] looks at, in octets: an honest start tag has some hundreds.
const BEGINNING: usize = 24 * 1024;

/// Reads the message `parameter` out of an `application/x-www-form-urlencoded` body, exactly as received.
///
/// # Errors
/// When the form is too large, when the parameter is missing or given twice, or when it is not Base64.
pub fn decode(form: &[u8], parameter: MessageParameter) -> Result<PostMessage, BindingRefused> {
    let (message, relay_state) = carriers(form, parameter)?;
    let relay_state = relay_state.map(|state| String::from_utf8_lossy(&unescaped(state)).into_owned());
    Ok(PostMessage { xml: decoded(&unescaped(message))?, relay_state })
}

/// How the XML of the message `parameter` begins, at a cost that does not grow with it. What comes after is not even known to be Base64.
///
/// # Errors
/// When the form is too large, when the parameter is missing or given twice, or when its beginning is not Base64.
pub fn beginning(form: &[u8], parameter: MessageParameter) -> Result<Vec<u8>, BindingRefused> {
    let (message, _) = carriers(form, parameter)?;
    let Some(beginning) = message.get(..BEGINNING) else { return decoded(&unescaped(message)) };
    // An escape that was cut through stays away.
    let cut = beginning.iter().rev().take(2).position(|octet| *octet == b'%').map_or(0, |at| at + 1);
    let text = unescaped(beginning.get(..beginning.len() - cut).unwrap_or_default());
    let text = dense(&text);
    decoded(text.get(..text.len() / 4 * 4).unwrap_or_default())
}

/// The values of the message and of the RelayState, as they were sent: escaped.
fn carriers(form: &[u8], parameter: MessageParameter) -> Result<(&[u8], Option<&[u8]>), BindingRefused> {
    if form.len() > LARGEST_CARRIER {
        return Err(BindingRefused::TooLarge);
    }
    let (mut message, mut relay_state) = (None, None);
    for (name, value) in fields(form) {
        let (slot, name) = match &*unescaped(name) {
            b"RelayState" => (&mut relay_state, "RelayState"),
            name if name == parameter.name().as_bytes() => (&mut message, parameter.name()),
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(BindingRefused::Twice(name));
        }
    }
    Ok((message.ok_or(BindingRefused::Missing(parameter.name()))?, relay_state))
}

/// The RelayState of a posted form, also where its message cannot be read. Given twice it is none.
#[must_use]
pub fn relay_state(form: &[u8]) -> Option<String> {
    if form.len() > LARGEST_CARRIER {
        return None;
    }
    let mut states = fields(form).filter(|(name, _)| *unescaped(name) == *b"RelayState");
    let (_, state) = states.next()?;
    states.next().is_none().then(|| String::from_utf8_lossy(&unescaped(state)).into_owned())
}

/// Names and values of a form, still escaped. `form_urlencoded` unescapes octet by octet, which made it the dearest part of reading a large answer.
fn fields(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = Some(form);
    let pairs = std::iter::from_fn(move || {
        let (pair, after) = split(rest?, b'&');
        rest = after;
        Some(pair)
    });
    pairs.filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = split(pair, b'=');
        (name, value.unwrap_or_default())
    })
}

/// Before and after the first such octet.
fn split(octets: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match memchr(at, octets).and_then(|found| octets.split_at_checked(found)) {
        Some((before, after)) => (before, after.get(1..)),
        None => (octets, None),
    }
}

/// What an escaped name or value stands for (URL Standard, application/x-www-form-urlencoded parsing).
fn unescaped(escaped: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr2(b'%', b'+', escaped) else { return Cow::Borrowed(escaped) };
    let mut octets = Vec::with_capacity(escaped.len());
    let (mut rest, mut next) = (escaped, Some(first));
    while let Some((before, from)) = next.and_then(|at| rest.split_at_checked(at)) {
        octets.extend_from_slice(before);
        let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (octet, length) = match from {
            [b'%', high, low, ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 3),
                _ => (b'%', 1),
            },
            [b'+', ..] => (b' ', 1),
            _ => (b'%', 1),
        };
        octets.push(octet);
        rest = from.get(length..).unwrap_or_default();
        next = memchr2(b'%', b'+', rest);
    }
    octets.extend_from_slice(rest);
    Cow::Owned(octets)
}

/// The form that carries `xml` to `action`.
#[must_use]
pub fn encode(action: &str, parameter: MessageParameter, xml: &[u8], relay_state: Option<&str>) -> Outbound {
    let mut fields = vec![(parameter.name().to_owned(), STANDARD.encode(xml))];
    if let Some(relay_state) = relay_state {
        fields.push(("RelayState".to_owned(), relay_state.to_owned()));
    }
    Outbound::Post { action: action.to_owned(), fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: MessageParameter = MessageParameter::Response;

    #[test]
    fn what_is_encoded_is_decoded() {
        let Outbound::Post { action, fields } = encode("https://a.example/", RESPONSE, b"<a/>", Some("r&="))
        else {
            panic!("a form");
        };
        assert_eq!(action, "https://a.example/");
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        assert_eq!(
            decode(form.as_bytes(), RESPONSE),
            Ok(PostMessage { xml: b"<a/>".to_vec(), relay_state: Some("r&=".to_owned()) })
        );
    }

    #[test]
    fn line_breaks_within_base64_are_tolerated_and_nothing_else_is() {
        assert!(decode(b"SAMLResponse=PGEv%0D%0A%20Pg%3D%3D", RESPONSE).is_ok());
        for bad in [
            &b"SAMLResponse=PGEvPg"[..],
            b"SAMLResponse=PGEvPg%3D",
            b"SAMLResponse=PGE_Pg%3D%3D",
            b"SAMLResponse=%FF",
        ] {
            assert_eq!(decode(bad, RESPONSE), Err(BindingRefused::NotBase64));
        }
    }

    #[test]
    fn a_parameter_given_twice_is_refused() {
        assert!(decode(b"SAMLResponse=PGEvPg%3D%3D&RelayState=a&other=1&other=2", RESPONSE).is_ok());
        assert_eq!(
            decode(b"SAMLResponse=PGEvPg%3D%3D&SAMLResponse=PGEvPg%3D%3D", RESPONSE),
            Err(BindingRefused::Twice("SAMLResponse"))
        );
        assert_eq!(
            decode(b"SAMLResponse=PGEvPg%3D%3D&RelayState=a&RelayState=a", RESPONSE),
            Err(BindingRefused::Twice("RelayState"))
        );
    }

    #[test]
    fn a_form_without_the_message_is_refused() {
        assert_eq!(
            decode(b"SAMLRequest=PGEvPg%3D%3D", RESPONSE),
            Err(BindingRefused::Missing("SAMLResponse"))
        );
    }

    proptest::proptest! {
        #[test]
        fn a_form_is_read_as_the_url_standard_says(form in "(SAMLResponse|RelayState|[a%+&=0-9A-Fg ]|%[0-9a-fA-F]{2}|å){0,40}") {
            let read: Vec<_> = fields(form.as_bytes())
                .map(|(name, value)| {
                    let text = |raw| String::from_utf8_lossy(&unescaped(raw)).into_owned();
                    (text(name), text(value))
                })
                .collect();
            let expected: Vec<_> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
            proptest::prop_assert_eq!(read, expected);
        }

        #[test]
        fn a_beginning_is_how_the_whole_begins(length in 0_usize..60_000, breaks in 0_usize..80) {
            // Lines of a few letters would make it larger than a message may be.
            let breaks = if breaks < 16 { 0 } else { breaks };
            let xml: Vec<u8> = (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap_or_default()).collect();
            let mut text = STANDARD.encode(&xml);
            if breaks > 0 {
                let lines: Vec<_> = text.as_bytes().chunks(breaks).map(String::from_utf8_lossy).collect();
                text = lines.join("\r\n");
            }
            let form = form_urlencoded::Serializer::new(String::new())
                .append_pair("RelayState", "a")
                .append_pair("SAMLResponse", &text)
                .finish();
            let beginning = beginning(form.as_bytes(), RESPONSE).expect("Base64");
            proptest::prop_assert!(xml.starts_with(&beginning));
            proptest::prop_assert!(beginning.len() == xml.len() || beginning.len() > 2_000);
        }
    }

    #[test]
    fn of_a_beginning_all_is_refused_but_what_comes_after() {
        let long = format!("SAMLResponse={}!", "PGE+".repeat(10_000).replace('+', "%2B"));
        assert!(beginning(long.as_bytes(), RESPONSE).is_ok_and(|xml| xml.starts_with(b"<a><a>")));
        assert_eq!(decode(long.as_bytes(), RESPONSE), Err(BindingRefused::NotBase64));
        assert_eq!(
            beginning(format!("{long}&SAMLResponse=").as_bytes(), RESPONSE),
            Err(BindingRefused::Twice("SAMLResponse"))
        );
        assert_eq!(beginning(b"SAMLResponse=%21", RESPONSE), Err(BindingRefused::NotBase64));
    }

    #[test]
    fn sizes_are_capped() {
        let message = STANDARD.encode(vec![b'a'; super::super::LARGEST_MESSAGE + 1]);
        let form =
            form_urlencoded::Serializer::new(String::new()).append_pair("SAMLResponse", &message).finish();
        assert_eq!(decode(form.as_bytes(), RESPONSE), Err(BindingRefused::TooLarge));
        assert_eq!(decode(&vec![b'a'; LARGEST_CARRIER + 1], RESPONSE), Err(BindingRefused::TooLarge));
    }
}
