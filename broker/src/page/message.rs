//! What a relying party has to say to the person, as its words and not ours: named, set apart, quoted.

use broker_core::{identifier::Language, user_message::UserMessage};
use minijinja::{Value, context};

/// The relying party's words in the page's language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MessageView<'a> {
    /// The message, in all its languages.
    pub(crate) message: &'a UserMessage,
}

impl MessageView<'_> {
    /// For the template: lines, and the language that they are in where it is known.
    pub(super) fn content(self, language: &Language) -> Option<Value> {
        let (tag, text) = self.message.best(language)?;
        Some(context! {
            lang => tag.map(|tag| tag.as_str().to_owned()),
            lines => text.as_str().split('\n').map(str::to_owned).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use broker_core::{
        identifier::Language,
        user_message::{MessageText, UserMessage},
    };

    use super::MessageView;
    use crate::page::{Branding, NoticeView, Pages};

    #[test]
    fn what_a_service_has_to_say_stands_as_its_words_and_escaped() {
        let language = |tag: &str| Language::from_tag(tag).expect("a language");
        let text = |words| MessageText::new(words).expect("a text");
        let english = [(language("en"), text("Tom & \"Jerry\"\nsigned"))];
        let message = UserMessage::new(Some(text("Du ska 'signera' & spara")), english.into());
        let message = message.expect("a message");
        let pages = Pages::new(None, Branding::default()).expect("our own pages work");
        let shown = |tag: &str, message: Option<MessageView<'_>>| {
            let view = NoticeView {
                message,
                relying_party: "<Vård>",
                relying_party_organisation: None,
                organisation: "Granviks kommun",
                rows: &[],
                privacy_url: None,
                action: "/notice",
                hidden: &[],
            };
            pages.notice(&language(tag), &view).body
        };
        let view = Some(MessageView { message: &message });
        let swedish = shown("sv", view);
        for part in [
            "&lt;Vård&gt;",
            "hälsar:</figcaption>",
            "<blockquote dir=\"auto\"><q>Du ska ",
            "&amp; spara</q></blockquote>",
        ] {
            assert!(swedish.contains(part), "{part} in {swedish}");
        }
        let english = shown("en", view);
        for part in
            ["<blockquote dir=\"auto\" lang=\"en\"><q>Tom &amp; ", "<br>signed</q>", "says:</figcaption>"]
        {
            assert!(english.contains(part), "{part} in {english}");
        }
        assert!(!shown("sv", None).contains("figure"));
    }
}
