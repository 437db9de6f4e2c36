//! The line that a finding speaks of, as it stands in the file: for a terminal and for a page.

use crate::lint::report::Place;

/// The characters of a line that are shown at most. Exported metadata is often one line of many thousands.
const WIDTH: usize = 100;
/// The characters of a long line that are shown before the place.
const BEFORE: usize = 30;

/// A line of a file, cut to what can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The number of the line, from 1.
    pub line: u32,
    /// The character within the whole line, from 1.
    pub column: u32,
    /// The text, without control characters; `…` where something was cut off.
    pub text: String,
    /// The characters of `text` before the place.
    pub indent: usize,
}

/// The lines of a file.
#[derive(Debug)]
pub struct Lines<'a> {
    source: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Looks at the text of a file.
    #[must_use]
    pub fn of(source: &'a str) -> Self {
        let feeds = source.bytes().enumerate().filter(|(_, octet)| *octet == b'\n').map(|(at, _)| at + 1);
        Self { source, starts: std::iter::once(0).chain(feeds).collect() }
    }

    /// The line and column of a place; `None` for the file as a whole, and for what is not there.
    #[must_use]
    pub fn position(&self, place: &Place) -> Option<(u32, u32)> {
        match place {
            Place::File => None,
            Place::At { line, column } => Some((*line, *column)),
            Place::Pointer(pointer) if pointer.is_empty() => None,
            Place::Pointer(pointer) => {
                let offset = locate(self.source, pointer)?;
                let line = self.starts.partition_point(|start| *start <= offset);
                let start = self.starts.get(line.checked_sub(1)?)?;
                let column = self.source.get(*start..offset)?.chars().count() + 1;
                Some((u32::try_from(line).ok()?, u32::try_from(column).ok()?))
            }
        }
    }

    /// The line of a place.
    #[must_use]
    pub fn excerpt(&self, place: &Place) -> Option<Excerpt> {
        let (line, column) = self.position(place)?;
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied().unwrap_or(self.source.len());
        let whole = self.source.get(start..end)?.trim_end_matches(['\n', '\r']);
        let at = usize::try_from(column).ok()?.checked_sub(1)?;
        let mut shown: Vec<char> = Vec::with_capacity(WIDTH + 2);
        let from = if at < WIDTH - BEFORE { 0 } else { at - BEFORE };
        if from > 0 {
            shown.push('…');
        }
        let mut rest = whole.chars().skip(from);
        let harmless = |letter: char| match letter {
            '\t' => ' ',
            letter if letter.is_control() => '\u{FFFD}',
            letter => letter,
        };
        shown.extend(rest.by_ref().take(WIDTH).map(harmless));
        if rest.next().is_some() {
            shown.push('…');
        }
        let indent = at - from + usize::from(from > 0);
        Some(Excerpt { line, column, text: shown.into_iter().collect(), indent })
    }
}

/// The octet at which the value of a JSON pointer (RFC 6901) begins, or the name of a member. The text is JSON that was read before.
fn locate(source: &str, pointer: &str) -> Option<usize> {
    let mut at = skip_space(source, 0);
    for part in pointer.strip_prefix('/')?.split('/') {
        let part = part.replace("~1", "/").replace("~0", "~");
        at = member(source, at, &part)?;
    }
    Some(at)
}

fn octet(source: &str, at: usize) -> Option<u8> {
    source.as_bytes().get(at).copied()
}

fn skip_space(source: &str, mut at: usize) -> usize {
    while octet(source, at).is_some_and(|octet| octet.is_ascii_whitespace()) {
        at += 1;
    }
    at
}

/// The place of a member or an item of the value that begins at `at`.
fn member(source: &str, at: usize, wanted: &str) -> Option<usize> {
    let is_object = match octet(source, at)? {
        b'{' => true,
        b'[' => false,
        _ => return None,
    };
    let (mut at, mut index) = (skip_space(source, at + 1), 0_usize);
    loop {
        if matches!(octet(source, at)?, b'}' | b']') {
            return None;
        }
        let item = at;
        let mut found = !is_object && wanted.parse() == Ok(index);
        if is_object {
            let end = skip_value(source, at)?;
            let name: String = serde_json::from_str(source.get(at..end)?).ok()?;
            found = name == wanted;
            at = skip_space(source, end);
            if octet(source, at)? != b':' {
                return None;
            }
            at = skip_space(source, at + 1);
        }
        if found {
            return Some(at);
        }
        at = skip_space(source, skip_value(source, at)?);
        if octet(source, at)? == b',' {
            at = skip_space(source, at + 1);
        }
        index += 1;
        // Every turn moves on.
        if at <= item {
            return None;
        }
    }
}

/// The octet after the value that begins at `at`.
fn skip_value(source: &str, at: usize) -> Option<usize> {
    let (mut at, mut depth) = (at, 0_usize);
    loop {
        match octet(source, at)? {
            b'"' => {
                at += 1;
                loop {
                    match octet(source, at)? {
                        b'\\' => at += 2,
                        b'"' => break,
                        _ => at += 1,
                    }
                }
                at += 1;
            }
            b'{' | b'[' => {
                depth += 1;
                at += 1;
                continue;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            b',' | b':' => {
                at += 1;
                continue;
            }
            octet if octet.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => {
                while octet(source, at).is_some_and(|octet| {
                    !matches!(octet, b',' | b'}' | b']' | b':') && !octet.is_ascii_whitespace()
                }) {
                    at += 1;
                }
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Lines;
    use crate::lint::Place;

    #[test]
    fn a_pointer_leads_to_its_value() {
        let source = "{\n  \"a\": [1, {\"b~/\\\"\": \"x}\"}],\n  \"jwks\": {\"keys\": [ {} ]}\n}\n";
        let lines = Lines::of(source);
        let at = |pointer: &str| lines.position(&Place::Pointer(pointer.to_owned()));
        assert_eq!(at("/a"), Some((2, 8)));
        assert_eq!(at("/a/1/b~0~1\""), Some((2, 22)));
        assert_eq!(at("/jwks/keys/0"), Some((3, 22)));
        assert_eq!(at("/jwks/keys/1"), None);
        assert_eq!(at("/none"), None);
        assert_eq!(at(""), None);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place_and_shows_no_control_characters() {
        let source = format!("short\n{}X{}\n", "å".repeat(500), "b".repeat(500));
        let excerpt = Lines::of(&source).excerpt(&Place::At { line: 2, column: 501 }).expect("there");
        assert_eq!(excerpt.text.chars().nth(excerpt.indent), Some('X'));
        assert!(excerpt.text.starts_with('…') && excerpt.text.ends_with('…'));
        let short = Lines::of("\t\u{1b}[31m").excerpt(&Place::At { line: 1, column: 2 }).expect("there");
        assert_eq!((short.text.as_str(), short.indent), (" \u{FFFD}[31m", 1));
        assert_eq!(Lines::of("").excerpt(&Place::At { line: 9, column: 9 }), None);
    }

    proptest! {
        #[test]
        fn no_text_and_no_pointer_panic(source in "[{}\\[\\]\",: \\\\a1]{0,40}", pointer in "(/[a01~]{0,3}){0,4}") {
            let _ = Lines::of(&source).excerpt(&Place::Pointer(pointer));
        }
    }
}
