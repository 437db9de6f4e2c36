//! Which characters XML 1.0 (fifth edition) allows, and where. Neighbours: every reader here.

/// Section 2.2, production `Char`.
pub(crate) fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

/// Section 2.3, production `S`.
pub(crate) fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Section 2.3, production `NameStartChar` without the colon (Namespaces in XML, production `NCName`).
fn begins_name(character: char) -> bool {
    matches!(character,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

fn continues_name(character: char) -> bool {
    begins_name(character)
        || matches!(character, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Whether `name` is a name without a colon.
pub(crate) fn is_unprefixed_name(name: &str) -> bool {
    // Names are nearly always ASCII, and there are several in each tag.
    if let [first, rest @ ..] = name.as_bytes()
        && name.is_ascii()
    {
        return (first.is_ascii_alphabetic() || *first == b'_')
            && rest.iter().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.'));
    }
    let mut characters = name.chars();
    characters.next().is_some_and(begins_name) && characters.all(continues_name)
}

/// `prefix:local` or `local` taken apart; the prefix is empty where there is none. `None` if it is not a qualified name.
pub(crate) fn split_qualified(name: &str) -> Option<(&str, &str)> {
    match name.bytes().position(|octet| octet == b':').map(|at| (&name[..at], &name[at + 1..])) {
        None => is_unprefixed_name(name).then_some(("", name)),
        Some((prefix, local)) => {
            (is_unprefixed_name(prefix) && is_unprefixed_name(local)).then_some((prefix, local))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualified_names_have_one_colon_between_two_names() {
        assert_eq!(split_qualified("saml:Issuer"), Some(("saml", "Issuer")));
        assert_eq!(split_qualified("Ärende"), Some(("", "Ärende")));
        assert_eq!(split_qualified("a_b-1.c"), Some(("", "a_b-1.c")));
        for wrong in [
            "",
            "a:1b",
            "a\u{D7}:b",
            "a\u{7f}",
            "\u{B7}a",
            ":a",
            "a:",
            "a:b:c",
            "1a",
            "a b",
            "-a",
            "a<b",
            "a\u{D7}",
        ] {
            assert_eq!(split_qualified(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn control_characters_and_noncharacters_are_refused() {
        assert!(['\t', '\n', '\r', 'å', '\u{FFFD}', '\u{1F600}'].into_iter().all(is_allowed));
        assert!(!['\0', '\u{8}', '\u{B}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'].into_iter().any(is_allowed));
    }
}
