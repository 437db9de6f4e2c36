//! `https://id.oidc.se/param/userMessage` (Swedish request parameters 2.1): what the relying party wants to say to the person on the way.
//!
//! A JSON object: `message`, and `message#sv` and the like for each language, each the Base64 of UTF-8; `mime_type`, `text/plain` when it
//! is not there. Nothing else is offered, and nothing else is shown: what a text may hold stands in `broker-core/user_message.rs`. A
//! message that breaks a rule refuses the request, since a relying party that believes its words were shown would act on it.

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use broker_core::{
    identifier::Language,
    user_message::{LONGEST, MessageRefused, MessageText, UserMessage},
};
use serde_json::Value;

use crate::op::unique::Unique;

/// The parameter's name.
pub(super) const PARAMETER: &str = "https://id.oidc.se/param/userMessage";
/// The only type that is shown.
pub(crate) const MIME_TYPE: &str = "text/plain";

/// Base64 of the longest text, with room for line ends that are cut: four octets a character at most.
const LONGEST_ENCODED: usize = LONGEST * 6;
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a message was refused, for the relying party's developer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// Not the object that it should be.
    #[error(
        "it is not a JSON object with the members message, message#language and mime_type, all of them strings"
    )]
    Shape,
    /// Another type than we show.
    #[error("mime_type is not {MIME_TYPE}")]
    MimeType,
    /// Not Base64 of UTF-8.
    #[error("a message is not the Base64 of UTF-8")]
    Encoding,
    /// A text that is not shown.
    #[error(transparent)]
    Text(#[from] MessageRefused),
}

/// Reads the parameter.
pub(super) fn read(received: &str) -> Result<UserMessage, Refused> {
    let Unique(members) = serde_json::from_str::<Unique<Value>>(received).map_err(|_| Refused::Shape)?;
    let mut untagged = None;
    let mut tagged = BTreeMap::new();
    for (name, value) in members {
        match (name.as_str(), value) {
            ("mime_type", Value::String(named)) if named.eq_ignore_ascii_case(MIME_TYPE) => {}
            ("mime_type", Value::String(_)) => return Err(Refused::MimeType),
            ("message", Value::String(encoded)) => untagged = Some(text(&encoded)?),
            ("message" | "mime_type", _) => return Err(Refused::Shape),
            (other, value) => {
                // Members that are not understood are ignored, as everywhere in a request.
                let Some(tag) = other.strip_prefix("message#") else { continue };
                let (Some(language), Value::String(encoded)) = (Language::from_tag(tag), value) else {
                    return Err(Refused::Shape);
                };
                // Two regions of one language: which of them is shown would be chance.
                if tagged.insert(language, text(&encoded)?).is_some() {
                    return Err(Refused::Shape);
                }
            }
        }
    }
    Ok(UserMessage::new(untagged, tagged)?)
}

fn text(encoded: &str) -> Result<MessageText, Refused> {
    if encoded.len() > LONGEST_ENCODED {
        return Err(MessageRefused::TooLong.into());
    }
    let octets = BASE64.decode(encoded).map_err(|_| Refused::Encoding)?;
    let text = String::from_utf8(octets).map_err(|_| Refused::Encoding)?;
    Ok(MessageText::new(&text)?)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use broker_core::{identifier::Language, user_message::MessageRefused};
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Refused, read};

    fn encoded(text: &str) -> String {
        STANDARD.encode(text)
    }

    #[test]
    fn each_language_has_its_text() {
        let message = json!({
            "message": encoded("Hello there"),
            "message#sv-SE": encoded("Hallå där").trim_end_matches('='),
            "mime_type": "text/plain",
            "later": 1,
        });
        let message = read(&message.to_string()).expect("a message");
        let shown = |tag| {
            let language = Language::from_tag(tag).expect("a tag");
            message.best(&language).expect("a text").1.as_str().to_owned()
        };
        assert_eq!((shown("sv").as_str(), shown("en").as_str()), ("Hallå där", "Hello there"));
    }

    #[test]
    fn what_is_not_the_specified_object_is_refused() {
        let hello = encoded("Hello");
        for (message, refused) in [
            ("[]".to_owned(), Refused::Shape),
            ("\"Hello\"".to_owned(), Refused::Shape),
            ("Hello".to_owned(), Refused::Shape),
            (json!({"message": 1}).to_string(), Refused::Shape),
            (json!({"message": null}).to_string(), Refused::Shape),
            (json!({"message": hello, "mime_type": 1}).to_string(), Refused::Shape),
            (json!({"message#": hello}).to_string(), Refused::Shape),
            (json!({"message#sv-SE": hello, "message#sv-FI": hello}).to_string(), Refused::Shape),
            (format!(r#"{{"message":"{hello}","message":"{hello}"}}"#), Refused::Shape),
            (json!({"message": hello, "mime_type": "text/markdown"}).to_string(), Refused::MimeType),
            (json!({"message": hello, "mime_type": "text/html"}).to_string(), Refused::MimeType),
            (json!({"message": "Hello there"}).to_string(), Refused::Encoding),
            (json!({"message": "/w=="}).to_string(), Refused::Encoding),
            (json!({}).to_string(), Refused::Text(MessageRefused::Empty)),
            (json!({"message": ""}).to_string(), Refused::Text(MessageRefused::Empty)),
            (json!({"message": "QUFB".repeat(5_000)}).to_string(), Refused::Text(MessageRefused::TooLong)),
        ] {
            assert_eq!(read(&message), Err(refused), "{message:.80}");
        }
    }

    #[test]
    fn one_bad_text_refuses_the_message() {
        for (text, refused) in [
            ("See https://evil.example", MessageRefused::Address),
            ("<b>Hello</b>", MessageRefused::Character),
            ("a\u{202e}b", MessageRefused::Character),
        ] {
            let message = json!({"message": encoded("Hello"), "message#sv": encoded(text)});
            assert_eq!(read(&message.to_string()), Err(Refused::Text(refused)));
        }
    }

    proptest! {
        #[test]
        fn nothing_received_panics(text in ".{0,80}", message in "[A-Za-z0-9+/=]{0,80}") {
            let _ = read(&text);
            let _ = read(&json!({"message": message, "message#sv": text}).to_string());
        }
    }
}
