//! The relying party's words to the person, for providers that show such (SC-UMSG): the `UserMessage` extension of an AuthnRequest.
//!
//! It is sent to providers alone whose metadata declares the entity category for it, and never with IsPassive, when nothing may be shown.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::{request::AuthenticationRequest, user_message::UserMessage};
use certs_xml::{
    NewElement,
    namespace::{SAMLP, UMSG, XML},
};
use metadata::SamlProvider;

/// The `Extensions` of the request, where there is something to say and somebody who shows it.
pub(super) fn extensions(request: &AuthenticationRequest, provider: &SamlProvider) -> Option<NewElement> {
    let message = request.message.as_ref().filter(|_| provider.shows_user_messages && !request.passive)?;
    Some(NewElement::new(SAMLP, "Extensions").with_child(element(message)))
}

fn element(message: &UserMessage) -> NewElement {
    let texts = message.texts().map(|(language, text)| {
        NewElement::new(UMSG, "Message")
            // The schema wants a language. Of a text for everybody none is known, and BCP 47 has a tag for that.
            .with_attribute_in(XML, "lang", language.map_or("und", |language| language.as_str()))
            .with_text(STANDARD.encode(text.as_str()))
    });
    NewElement::new(UMSG, "UserMessage").with_attribute("mimeType", "text/plain").with_children(texts)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use broker_core::{
        identifier::{Language, RelyingPartyId},
        request::AuthenticationRequest,
        user_message::{MessageText, UserMessage},
    };

    use super::extensions;
    use crate::sp::tests::provider;

    fn asked() -> AuthenticationRequest {
        let text = |words: &str| MessageText::new(words).expect("a text");
        let swedish = Language::from_tag("sv").expect("a tag");
        let message = UserMessage::new(Some(text("Hello")), BTreeMap::from([(swedish, text("Hallå"))]));
        AuthenticationRequest {
            message: Some(message.expect("a message")),
            ..AuthenticationRequest::new(RelyingPartyId::from("rp1"))
        }
    }

    #[test]
    fn a_provider_that_shows_messages_is_sent_every_text() {
        let mut provider = provider();
        provider.shows_user_messages = true;
        let written = extensions(&asked(), &provider).expect("an extension").to_canonical().expect("written");
        let written = String::from_utf8(written).expect("UTF-8");
        for part in [
            "<umsg:UserMessage xmlns:umsg=\"http://id.swedenconnect.se/authn/1.0/user-message/ns\" mimeType=\"text/plain\">",
            "<umsg:Message xml:lang=\"und\">SGVsbG8=</umsg:Message>",
            "<umsg:Message xml:lang=\"sv\">SGFsbMOl</umsg:Message>",
        ] {
            assert!(written.contains(part), "{written}");
        }
    }

    #[test]
    fn nobody_else_is_sent_any_and_nothing_is_said_in_silence() {
        let mut provider = provider();
        assert!(extensions(&asked(), &provider).is_none(), "not declared");
        provider.shows_user_messages = true;
        assert!(extensions(&AuthenticationRequest { passive: true, ..asked() }, &provider).is_none());
        assert!(extensions(&AuthenticationRequest { message: None, ..asked() }, &provider).is_none());
    }
}
