//! HTTP-POST (SAML Bindings 3.5): a message in a field of a form that the browser posts. Sibling: `redirect.rs`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::role::Outbound;
use certs::query_signature::MessageParameter;

use super::{BindingRefused, LARGEST_CARRIER, decoded};

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

/// Reads the message `parameter` out of an `application/x-www-form-urlencoded` body, exactly as received.
///
/// # Errors
/// When the form is too large, when the parameter is missing or given twice, or when it is not Base64.
pub fn decode(form: &[u8], parameter: MessageParameter) -> Result<PostMessage, BindingRefused> {
    if form.len() > LARGEST_CARRIER {
        return Err(BindingRefused::TooLarge);
    }
    let (mut message, mut relay_state) = (None, None);
    for (name, value) in form_urlencoded::parse(form) {
        let (slot, name) = match &*name {
            "RelayState" => (&mut relay_state, "RelayState"),
            name if name == parameter.name() => (&mut message, parameter.name()),
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(BindingRefused::Twice(name));
        }
    }
    let message = message.ok_or(BindingRefused::Missing(parameter.name()))?;
    Ok(PostMessage { xml: decoded(&message)?, relay_state: relay_state.map(String::from) })
}

/// The RelayState of a posted form, also where its message cannot be read. Given twice it is none.
#[must_use]
pub fn relay_state(form: &[u8]) -> Option<String> {
    if form.len() > LARGEST_CARRIER {
        return None;
    }
    let mut states = form_urlencoded::parse(form).filter(|(name, _)| name == "RelayState");
    let (_, state) = states.next()?;
    states.next().is_none().then(|| state.into_owned())
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

    #[test]
    fn sizes_are_capped() {
        let message = STANDARD.encode(vec![b'a'; super::super::LARGEST_MESSAGE + 1]);
        let form =
            form_urlencoded::Serializer::new(String::new()).append_pair("SAMLResponse", &message).finish();
        assert_eq!(decode(form.as_bytes(), RESPONSE), Err(BindingRefused::TooLarge));
        assert_eq!(decode(&vec![b'a'; LARGEST_CARRIER + 1], RESPONSE), Err(BindingRefused::TooLarge));
    }
}
