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
