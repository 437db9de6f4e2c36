//! What holds for the pages of the door for operators beside what holds for every page.

use std::collections::BTreeSet;

use super::every_page;
use crate::page::{
    tests::{HOSTILE, language, malformed, pages},
    text::{OPERATORS, message_keys},
};

#[test]
fn operators_texts_are_all_used_and_in_both_languages() {
    let sources: String = crate::page::TEMPLATES.iter().map(|(_, template)| *template).collect::<String>()
        + include_str!("../text.rs")
        + &crate::operator::SOURCES.concat();
    let mut seen: Vec<BTreeSet<String>> = Vec::new();
    for (tag, text) in OPERATORS {
        let keys: Vec<String> = message_keys(text);
        let unique: BTreeSet<String> = keys.iter().cloned().collect();
        assert_eq!(unique.len(), keys.len(), "a key stands twice in {tag}");
        for key in &unique {
            // Whole, or as the beginning of one whose end a view gives.
            let begins = key.rfind('-').and_then(|at| key.get(..=at)).unwrap_or_default();
            let known = sources.contains(&format!("\"{key}\""))
                || sources.contains(&format!("\"{begins}\" ~"))
                || key.starts_with("operator-message-")
                || key.starts_with("operator-entry-");
            assert!(known, "{key} in {tag} is used nowhere");
        }
        seen.push(unique);
    }
    assert_eq!(seen.first(), seen.get(1));
}

#[test]
fn what_a_file_says_is_text_on_every_page_for_operators() {
    let pages = pages();
    for (name, page) in every_page(&pages, &language("sv"), HOSTILE) {
        let page = page.expect("a sample page");
        assert_eq!(malformed(&page.body), None, "{name}: {}", page.body);
        for bad in ["<script>", "javascript:", "\u{202e}"] {
            assert!(!page.body.contains(bad), "{bad} in {name}: {}", page.body);
        }
        let has_words = name != "operator_message";
        assert_eq!(page.body.contains("&lt;script&gt;"), has_words, "{name}");
    }
}
