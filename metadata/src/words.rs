//! Names that people read, out of documents that others write.

/// More characters than this of a name are cut off.
const MOST_CHARACTERS: usize = 160;

/// A name as a page can show it: white space joined, no control characters, none that turn the direction of what follows (with
/// which a name could pass for another, Unicode Technical Report 36 section 2.9), not endless.
pub(crate) fn for_people(text: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    joined
        .chars()
        .filter(|letter| !letter.is_control() && !turns_direction(*letter))
        .take(MOST_CHARACTERS)
        .collect()
}

fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::for_people;

    #[test]
    fn a_name_cannot_hide_or_turn_letters() {
        assert_eq!(for_people("  Granviks\n\tkommun "), "Granviks kommun");
        assert_eq!(for_people("Gran\u{202e}vik\u{200b}s\u{1b}[31m"), "Granviks[31m");
        assert_eq!(for_people(&"å".repeat(500)).chars().count(), 160);
    }
}
