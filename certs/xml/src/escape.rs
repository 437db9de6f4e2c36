//! Escapes in both directions: canonical form out (Canonical XML 1.0, section 2.3), references and line ends in (XML 1.0,
//! sections 2.11, 3.3.3 and 4.1). Neighbours: `reader.rs` reads with it, `canonical.rs` and `tree.rs` write with it.

use memchr::{memchr, memchr3};

use crate::{characters::is_allowed, refused::XmlFault};

/// Writes text content: `&`, `<`, `>` and carriage return as references, all else as it is.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    write(text, &TEXT, out);
}

/// Writes an attribute value, without its quotes: `&`, `<`, `"` and the white space that a reader would fold.
pub(crate) fn write_attribute_value(value: &str, out: &mut Vec<u8>) {
    write(value, &ATTRIBUTE_VALUE, out);
}

/// What stands for each octet; empty: the octet itself.
type References = [&'static str; 256];

static TEXT: References = {
    let mut references = [""; 256];
    references[b'&' as usize] = "&amp;";
    references[b'<' as usize] = "&lt;";
    references[b'>' as usize] = "&gt;";
    references[b'\r' as usize] = "&#xD;";
    references
};

static ATTRIBUTE_VALUE: References = {
    let mut references = [""; 256];
    references[b'&' as usize] = "&amp;";
    references[b'<' as usize] = "&lt;";
    references[b'"' as usize] = "&quot;";
    references[b'\t' as usize] = "&#x9;";
    references[b'\n' as usize] = "&#xA;";
    references[b'\r' as usize] = "&#xD;";
    references
};

/// From so many octets on, it is quicker to look for each special octet in all of them than at each octet once: certificates and logos.
const LONG: usize = 64;

/// Whether nothing stands for another in `octets`.
fn is_plain(octets: &[u8], references: &References) -> bool {
    let in_both = memchr3(b'&', b'<', b'\r', octets).is_none();
    if std::ptr::eq(references, &TEXT) {
        return in_both && memchr(b'>', octets).is_none();
    }
    in_both && memchr3(b'"', b'\t', b'\n', octets).is_none()
}

fn write(text: &str, references: &References, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    if rest.len() >= LONG && is_plain(rest, references) {
        out.extend_from_slice(rest);
        return;
    }
    while let Some((at, written)) = rest.iter().enumerate().find_map(|(at, &octet)| {
        let written = references.get(usize::from(octet)).copied().unwrap_or_default();
        (!written.is_empty()).then_some((at, written))
    }) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        out.extend_from_slice(written.as_bytes());
        rest = special.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Whether `raw` text reads as itself, so that no copy is needed.
pub(crate) fn is_plain_text(raw: &str) -> bool {
    memchr(b'\r', raw.as_bytes()).is_none()
}

/// Appends text with line ends normalised to a line feed (XML 1.0, section 2.11). References are events of their own.
pub(crate) fn read_text(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = memchr(b'\r', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        out.push('\n');
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    out.push_str(rest);
}

/// Whether an attribute value reads as itself.
pub(crate) fn is_plain_attribute(raw: &str) -> bool {
    memchr3(b'&', b'\r', b'\n', raw.as_bytes()).is_none() && memchr(b'\t', raw.as_bytes()).is_none()
}

/// Appends an attribute value: white space becomes spaces, references are resolved (XML 1.0, section 3.3.3).
/// The error carries the offset within `raw`.
pub(crate) fn read_attribute_value(raw: &str, out: &mut String) -> Result<(), (XmlFault, usize)> {
    let mut at = 0;
    while let Some(character) = raw.get(at..).and_then(|rest| rest.chars().next()) {
        match character {
            '&' => {
                let rest = raw.get(at + 1..).unwrap_or_default();
                let end = memchr(b';', rest.as_bytes())
                    .ok_or((XmlFault::Malformed("an ampersand that begins no reference"), at))?;
                read_reference(&rest[..end], out).map_err(|fault| (fault, at))?;
                at += end + 2;
                continue;
            }
            // A carriage return with its line feed is one line end, hence one space.
            '\r' if raw.as_bytes().get(at + 1) == Some(&b'\n') => {}
            '\t' | '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
        at += character.len_utf8();
    }
    Ok(())
}

/// Appends what the reference `&name;` stands for: a character, or one of the five entities of XML 1.0, section 4.6.
pub(crate) fn read_reference(name: &str, out: &mut String) -> Result<(), XmlFault> {
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => match name.strip_prefix('#') {
            Some(number) => numbered(number)?,
            None => return Err(XmlFault::UnknownEntity(name.chars().take(64).collect())),
        },
    };
    out.push(character);
    Ok(())
}

fn numbered(number: &str) -> Result<char, XmlFault> {
    const FAULT: XmlFault = XmlFault::Malformed("a character reference that is no number");
    let (digits, radix) = match number.strip_prefix('x') {
        Some(hexadecimal) => (hexadecimal, 16),
        None => (number, 10),
    };
    // `from_str_radix` would take a sign.
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(FAULT);
    }
    let code = u32::from_str_radix(digits, radix).map_err(|_| XmlFault::ForbiddenCharacter)?;
    char::from_u32(code).filter(|&character| is_allowed(character)).ok_or(XmlFault::ForbiddenCharacter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(raw: &str) -> Result<String, XmlFault> {
        let mut out = String::new();
        read_attribute_value(raw, &mut out).map(|()| out).map_err(|(fault, _)| fault)
    }

    #[test]
    fn attribute_white_space_is_folded_but_references_to_it_are_kept() {
        assert_eq!(attribute("a\tb\r\nc\rd\ne").unwrap(), "a b c d e");
        assert_eq!(attribute("&#9;&#10;&#xD;&#x20;").unwrap(), "\t\n\r ");
        assert_eq!(attribute("&lt;&amp;&gt;&quot;&apos;å&#229;").unwrap(), "<&>\"'åå");
    }

    #[test]
    fn references_beyond_the_five_and_impossible_characters_are_refused() {
        assert_eq!(attribute("&nbsp;"), Err(XmlFault::UnknownEntity("nbsp".into())));
        for number in ["&#0;", "&#xD800;", "&#xFFFF;", "&#x110000;", "&#99999999999;", "&#x8;"] {
            assert_eq!(attribute(number), Err(XmlFault::ForbiddenCharacter), "{number}");
        }
        for number in ["&#;", "&#x;", "&#+1;", "&#-1;", "&#xg;", "&#X41;", "& ", "&amp"] {
            assert!(
                matches!(attribute(number), Err(XmlFault::Malformed(_) | XmlFault::UnknownEntity(_))),
                "{number}"
            );
        }
    }

    #[test]
    fn text_line_ends_become_line_feeds() {
        let mut out = String::new();
        read_text("a\r\nb\rc\nd\r", &mut out);
        assert_eq!(out, "a\nb\nc\nd\n");
    }

    #[test]
    fn each_special_octet_is_seen_in_long_values_too() {
        for (special, in_text, in_value) in [
            ("&", "&amp;", "&amp;"),
            ("<", "&lt;", "&lt;"),
            (">", "&gt;", ">"),
            ("\"", "\"", "&quot;"),
            ("\t", "\t", "&#x9;"),
            ("\n", "\n", "&#xA;"),
            ("\r", "&#xD;", "&#xD;"),
            ("å", "å", "å"),
        ] {
            for place in [0, 1, 63, 64, 100] {
                let (before, after) = ("x".repeat(place), "y".repeat(100 - place));
                let (mut text, mut value) = (Vec::new(), Vec::new());
                write_text(&format!("{before}{special}{after}"), &mut text);
                write_attribute_value(&format!("{before}{special}{after}"), &mut value);
                assert_eq!(String::from_utf8(text).unwrap(), format!("{before}{in_text}{after}"));
                assert_eq!(String::from_utf8(value).unwrap(), format!("{before}{in_value}{after}"));
            }
        }
    }

    #[test]
    fn canonical_escapes_differ_between_text_and_attribute() {
        let (mut text, mut value) = (Vec::new(), Vec::new());
        write_text("<&>\"'\t\n\rå", &mut text);
        write_attribute_value("<&>\"'\t\n\rå", &mut value);
        assert_eq!(String::from_utf8(text).unwrap(), "&lt;&amp;&gt;\"'\t\n&#xD;å");
        assert_eq!(String::from_utf8(value).unwrap(), "&lt;&amp;>&quot;'&#x9;&#xA;&#xD;å");
    }
}
