//! Names and logos for people (SAML Metadata Extensions for Login and Discovery User Interface 1.0).

use broker_core::{identifier::Language, organisation::LocalText};
use certs_xml::{
    Element,
    namespace::{MD, MDUI, XML},
};

use crate::{saml::trimmed, words::for_people};

/// What `mdui:UIInfo` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserInterface {
    /// What people know it by.
    pub display_name: LocalText,
    /// What it is.
    pub description: LocalText,
    /// Words that also find it, of all languages. `+` within one stands for a space (mdui 2.1.4).
    pub keywords: Vec<String>,
    /// Addresses of logos.
    pub logos: Vec<String>,
    /// Where the privacy notice is, in one of its languages.
    pub privacy_statement: Option<String>,
}

/// The user interface information of a role; empty when there is none.
pub(super) fn user_interface(role: Element<'_>) -> UserInterface {
    let Some(info) =
        role.child(MD.uri(), "Extensions").and_then(|extensions| extensions.child(MDUI.uri(), "UIInfo"))
    else {
        return UserInterface::default();
    };
    UserInterface {
        display_name: local_text(info, MDUI.uri(), "DisplayName"),
        description: local_text(info, MDUI.uri(), "Description"),
        keywords: info
            .children_named(MDUI.uri(), "Keywords")
            .filter_map(trimmed)
            .flat_map(str::split_whitespace)
            .map(|word| for_people(&word.replace('+', " ")))
            .take(200)
            .collect(),
        logos: info.children_named(MDUI.uri(), "Logo").filter_map(trimmed).map(str::to_owned).collect(),
        privacy_statement: info.child(MDUI.uri(), "PrivacyStatementURL").and_then(trimmed).map(str::to_owned),
    }
}

/// The children of one name, by their `xml:lang`. The first of a language stays; one without a language is passed over.
pub(super) fn local_text(parent: Element<'_>, namespace: &str, name: &str) -> LocalText {
    let mut text = LocalText::default();
    for child in parent.children_named(namespace, name) {
        let language = child.attribute_in(XML.uri(), "lang").and_then(Language::from_tag);
        if let (Some(language), Some(words)) = (language, trimmed(child)) {
            let words = for_people(words);
            if !words.is_empty() {
                text.0.entry(language).or_insert(words);
            }
        }
    }
    text
}
