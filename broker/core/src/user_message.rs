//! What a relying party may say to the person on our pages (Swedish request parameters 2.1, SC-UMSG).
//!
//! Our pages are where people learn to trust what stands there, so a message is plain words and nothing that leads away: a sentence of a
//! hundred words at most, in letters, digits and ordinary punctuation. What a text may hold is a list of what is allowed, not of what is
//! forbidden: control characters, direction overrides, invisible letters and markup are simply not on it. No text that is not like this
//! can be made.
//!
//! **No addresses.** A text is refused when it holds `//` or `@`, four numbers with dots between them, or a dot between a letter or digit
//! and two letters (`granvik.example`, also inside a longer word). That is wider than all the domains there are, and narrow enough for
//! Swedish: abbreviations such as `bl.a.`, `o.s.v.` and `m.m.` pass, `t.ex.` is excepted by name, and `kl. 10.30` and `2.5` are numbers.
//! A telephone number cannot be told from a case number and passes; the page therefore says whose words they are.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::identifier::Language;

/// Characters of one text.
pub const LONGEST: usize = 500;
/// Lines of one text.
pub const MOST_LINES: usize = 10;
/// Languages of one message, the one without a name aside.
pub const MOST_LANGUAGES: usize = 10;

/// Punctuation that a sentence needs, besides letters, digits, spaces and line ends.
const PUNCTUATION: &str = ".,:;!?'\"()-–—/+%&#=…’‘”“»«§€°";

/// Letters by Unicode's tables that nobody sees.
const INVISIBLE: [char; 6] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}', '\u{13441}', '\u{13442}'];

/// Why a text was refused. For the relying party's developer; none says what was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageRefused {
    /// Nothing to show.
    #[error("the message is empty")]
    Empty,
    /// Longer than a person reads on the way.
    #[error(
        "the message is longer than {LONGEST} characters or {MOST_LINES} lines, or in more than {MOST_LANGUAGES} languages"
    )]
    TooLong,
    /// Something that is not on the list.
    #[error("the message holds a character that is not a letter, a digit, a space or ordinary punctuation")]
    Character,
    /// Something that reads as an address.
    #[error("the message holds a link, an e-mail address or a domain name")]
    Address,
}

/// One text that may be shown. Debug leaves it out: it can be about the person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageText(String);

impl MessageText {
    /// Takes a text; spaces around it are cut, and `\r\n` becomes `\n`.
    ///
    /// # Errors
    /// The rule of this module that it breaks.
    pub fn new(received: &str) -> Result<Self, MessageRefused> {
        let text = received.replace("\r\n", "\n");
        let text = text.trim_matches([' ', '\n']);
        if text.is_empty() {
            return Err(MessageRefused::Empty);
        }
        if text.chars().count() > LONGEST || text.split('\n').count() > MOST_LINES {
            return Err(MessageRefused::TooLong);
        }
        if text.contains("//") || text.contains('@') {
            return Err(MessageRefused::Address);
        }
        if !text.chars().all(is_ordinary) {
            return Err(MessageRefused::Character);
        }
        if holds_a_host(text) {
            return Err(MessageRefused::Address);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageText(..)")
    }
}

impl TryFrom<String> for MessageText {
    type Error = MessageRefused;
    fn try_from(text: String) -> Result<Self, MessageRefused> {
        Self::new(&text)
    }
}

impl From<MessageText> for String {
    fn from(text: MessageText) -> Self {
        text.0
    }
}

fn is_ordinary(character: char) -> bool {
    match character {
        ' ' | '\n' => true,
        letter if letter.is_alphabetic() => !INVISIBLE.contains(&letter),
        other => is_digit(other) || PUNCTUATION.contains(other),
    }
}

/// The digits of everyday writing. Unicode has numbers that bring a full stop, a comma or brackets with them: a host could be spelt with those.
fn is_digit(character: char) -> bool {
    matches!(character, '0'..='9' | '²' | '³' | '½' | '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' | '\u{966}'..='\u{96f}')
}

/// Whether a dot stands as it does in a domain name or an address of four numbers. Dots of other scripts are not ordinary punctuation, so
/// they never get here.
fn holds_a_host(text: &str) -> bool {
    text.split(|character: char| !(character.is_alphanumeric() || matches!(character, '.' | '-'))).any(
        |word| {
            let labels: Vec<&str> = word.trim_matches('.').split('.').collect();
            let named = labels.windows(2).any(|pair| {
                let [left, right] = [pair[0], pair[1]];
                let mut first = right.chars();
                let letters = [first.next(), first.next()]
                    .into_iter()
                    .all(|letter| letter.is_some_and(char::is_alphabetic));
                !left.is_empty() && letters && !(left.eq_ignore_ascii_case("t") && right == "ex")
            });
            let numbered = labels.windows(4).any(|four| {
                four.iter()
                    .all(|label| !label.is_empty() && label.bytes().all(|digit| digit.is_ascii_digit()))
            });
            named || numbered || labels.iter().any(|label| label.starts_with("xn--"))
        },
    )
}

/// A message in the languages that the relying party wrote it in. There is at least one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserMessage {
    untagged: Option<MessageText>,
    tagged: BTreeMap<Language, MessageText>,
}

impl UserMessage {
    /// Puts a message together: the text without a language, and those with one.
    ///
    /// # Errors
    /// When there is no text, or one in too many languages.
    pub fn new(
        untagged: Option<MessageText>,
        tagged: BTreeMap<Language, MessageText>,
    ) -> Result<Self, MessageRefused> {
        match tagged.len() {
            0 if untagged.is_none() => Err(MessageRefused::Empty),
            count if count > MOST_LANGUAGES => Err(MessageRefused::TooLong),
            _ => Ok(Self { untagged, tagged }),
        }
    }

    /// The text for a page in `language`, and the language it is in, where that is known: the page's own, else the one without a name,
    /// else Swedish, English, any.
    #[must_use]
    pub fn best(&self, language: &Language) -> Option<(Option<&Language>, &MessageText)> {
        let named =
            |wanted: &Language| self.tagged.get_key_value(wanted).map(|(tag, text)| (Some(tag), text));
        named(language)
            .or_else(|| self.untagged.as_ref().map(|text| (None, text)))
            .or_else(|| {
                ["sv", "en"].iter().filter_map(|tag| Language::from_tag(tag)).find_map(|tag| named(&tag))
            })
            .or_else(|| self.tagged.iter().next().map(|(tag, text)| (Some(tag), text)))
    }

    /// Every text, the one without a language first.
    pub fn texts(&self) -> impl Iterator<Item = (Option<&Language>, &MessageText)> {
        let untagged = self.untagged.iter().map(|text| (None, text));
        untagged.chain(self.tagged.iter().map(|(tag, text)| (Some(tag), text)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{LONGEST, MessageRefused, MessageText, UserMessage};
    use crate::identifier::Language;

    fn refused(text: &str) -> Option<MessageRefused> {
        MessageText::new(text).err()
    }

    #[test]
    fn ordinary_sentences_pass() {
        for text in [
            "Du loggar in för att signera ärende 2026-1234.",
            "Möt oss kl. 10.30, t.ex. i entrén (plan 2).\nVälkommen!",
            "Bl.a. journaler, o.s.v. – m.m. 2.5 % & \"citat\"",
            "Πρόσβαση στο αρχείο. 登录",
            "Klart... nu. Version 1.2.3 av §5, 12 m²",
            "الرقم ١٢٣",
        ] {
            assert_eq!(refused(text), None, "{text}");
        }
        assert_eq!(MessageText::new(" a\r\nb\n").expect("a text").as_str(), "a\nb");
    }

    #[test]
    fn what_reads_as_an_address_is_refused() {
        for text in [
            "Se https://evil.example",
            "Se //evil",
            "Se evil.example",
            "Se EVIL.EXAMPLE/login!",
            "Se www.evil.se",
            "Se t.co/x",
            "Se t.exempel",
            "Se at.ex",
            "Se 10.0.0.1",
            "Skriv till hjalp@evil",
            "Se exämple.se",
            "Se xn--exmple-cua",
            "(evil.example)",
            "Hej.Du",
        ] {
            assert_eq!(refused(text), Some(MessageRefused::Address), "{text}");
        }
    }

    #[test]
    fn markup_controls_and_hidden_characters_are_refused() {
        for text in [
            "<b>Hej</b>",
            "[Hej](evil)",
            "*Hej*",
            "`Hej`",
            "a\tb",
            "a\0b",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "a\u{ad}b",
            "a\u{feff}b",
            "a\u{2028}b",
            "evil\u{ff0e}example",
            "evil\u{3002}example",
            "evil\u{2024}example",
            "a\u{3164}b",
            "a\u{13441}b",
            "Se evil\u{2488}com",
            "Se evil\u{1f100}com",
            "\u{2474}",
            "a\u{a0}b",
            "o\u{308}",
            "\u{1f4a9}",
            "a\rb",
        ] {
            assert_eq!(refused(text), Some(MessageRefused::Character), "{text:?}");
        }
    }

    #[test]
    fn a_text_is_bounded() {
        assert_eq!(refused(" \n "), Some(MessageRefused::Empty));
        assert_eq!(refused(&"å".repeat(LONGEST)), None);
        assert_eq!(refused(&"å".repeat(LONGEST + 1)), Some(MessageRefused::TooLong));
        assert_eq!(refused(&["a"; 11].join("\n")), Some(MessageRefused::TooLong));
    }

    #[test]
    fn a_stored_text_is_held_to_the_same_rules() {
        assert!(MessageText::try_from("Hej".to_owned()).is_ok());
        assert!(MessageText::try_from("evil.example".to_owned()).is_err());
    }

    #[test]
    fn the_text_in_the_pages_language_is_shown_and_else_the_one_for_all() {
        let text = |words: &str| MessageText::new(words).expect("a text");
        let tag = |tag: &str| Language::from_tag(tag).expect("a tag");
        let tagged = BTreeMap::from([(tag("sv"), text("Hej")), (tag("fi"), text("Hei"))]);
        let shown = |message: &UserMessage, language: &str| {
            let language = tag(language);
            let (tag, text) = message.best(&language).expect("a text");
            (tag.map(|tag| tag.as_str().to_owned()), text.as_str().to_owned())
        };
        let message = UserMessage::new(Some(text("Hi")), tagged.clone()).expect("a message");
        assert_eq!(shown(&message, "sv"), (Some("sv".into()), "Hej".into()));
        assert_eq!(shown(&message, "de"), (None, "Hi".into()));
        let message = UserMessage::new(None, tagged).expect("a message");
        assert_eq!(shown(&message, "de"), (Some("sv".into()), "Hej".into()));
        assert_eq!(UserMessage::new(None, BTreeMap::new()), Err(MessageRefused::Empty));
    }
}
