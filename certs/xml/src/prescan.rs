//! The linear look at the octets before anything is parsed: what no honest document needs is refused here, by counting.
//!
//! It walks from `<` to `<` once, allocates nothing, and reads no name further than to see a declaration or a signature.
//! Neighbours: `limits.rs` holds the bounds, `tag.rs` the syntax of a tag, `reader.rs` comes after.

use memchr::{memchr, memchr_iter, memmem};

use crate::{
    characters::is_space,
    limits::Limits,
    refused::{XmlFault, XmlRefused},
    tag::{Piece, TagScanner, declared_prefix},
};

/// The octets that may begin a UTF-8 file and mean nothing.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Refuses a document for what can be seen without parsing it: size, encoding, DOCTYPE, processing instructions, depth, and
/// the number of attributes, namespace declarations and signatures.
///
/// # Errors
/// The first fault, with its place.
pub fn prescan(octets: &[u8], limits: Limits) -> Result<(), XmlRefused> {
    text_of(octets, limits).map(|_| ())
}

/// [`prescan`], giving the text of the document, without a byte order mark.
pub(crate) fn text_of(octets: &[u8], limits: Limits) -> Result<&str, XmlRefused> {
    let limit = limits.effective_octets();
    if octets.len() > limit {
        // The place is the first octet too many; counting lines up to it stays linear in the bound.
        return Err(XmlRefused::at(XmlFault::TooLarge { limit }, octets, limit));
    }
    checked(octets.strip_prefix(BYTE_ORDER_MARK).unwrap_or(octets), limits, true)
}

/// The text of a piece that stood inside a document: nothing that only the start of a file may have.
pub(crate) fn text_of_piece(octets: &[u8], limits: Limits) -> Result<&str, XmlRefused> {
    let limit = limits.effective_octets();
    if octets.len() > limit {
        return Err(XmlRefused::at(XmlFault::TooLarge { limit }, octets, limit));
    }
    // Elsewhere it is a character like any other; at the start of what is read the tokenizer would swallow it.
    if octets.starts_with(BYTE_ORDER_MARK) {
        return Err(XmlRefused::at(XmlFault::Malformed("a byte order mark inside the document"), octets, 0));
    }
    checked(octets, limits, false)
}

/// How many octets of `head`, the start of a file without its byte order mark, the XML declaration takes.
pub(crate) fn declaration_length(head: &str) -> Result<usize, XmlRefused> {
    let scan = Scan { source: head, limits: Limits::metadata(head.len()), depth: 0, signatures: 0 };
    scan.declaration().map_err(|(fault, at)| XmlRefused::at(fault, head.as_bytes(), at))
}

fn checked(octets: &[u8], limits: Limits, from_start: bool) -> Result<&str, XmlRefused> {
    let text = std::str::from_utf8(octets)
        .map_err(|error| XmlRefused::at(XmlFault::NotUtf8, octets, error.valid_up_to()))?;
    let refuse = |(fault, at): (XmlFault, usize)| XmlRefused::at(fault, octets, at);
    characters(octets).map_err(refuse)?;
    Scan { source: text, limits, depth: 0, signatures: 0 }.run(from_start).map_err(refuse)?;
    Ok(text)
}

/// XML 1.0, section 2.2: no control characters but tab, line feed and carriage return; neither U+FFFE nor U+FFFF.
fn characters(octets: &[u8]) -> Result<(), (XmlFault, usize)> {
    let is_control = |octet: u8| octet < 0x20 && !matches!(octet, b'\t' | b'\n' | b'\r');
    // Without an early end the compiler can look at many octets at once; which one it was is asked only where there is one.
    let has_control = octets.iter().fold(false, |found, &octet| found | is_control(octet));
    let control = if has_control { octets.iter().position(|&octet| is_control(octet)) } else { None };
    let noncharacter =
        memchr_iter(0xEF, octets).find(|&at| matches!(octets.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])));
    match control.into_iter().chain(noncharacter).min() {
        Some(at) => Err((XmlFault::ForbiddenCharacter, at)),
        None => Ok(()),
    }
}

struct Scan<'s> {
    source: &'s str,
    limits: Limits,
    depth: usize,
    signatures: usize,
}

impl Scan<'_> {
    fn run(&mut self, from_start: bool) -> Result<(), (XmlFault, usize)> {
        let mut at = if from_start { self.declaration()? } else { 0 };
        while let Some(open) = memchr(b'<', self.from(at)).map(|found| at + found) {
            at = self.markup(open)?;
        }
        if self.depth > 0 {
            return Err((XmlFault::Unfinished("an element"), self.source.len()));
        }
        Ok(())
    }

    /// The XML declaration, where there is one (XML 1.0, section 2.8). Gives the offset after it.
    fn declaration(&self) -> Result<usize, (XmlFault, usize)> {
        let Some(rest) =
            self.source.strip_prefix("<?xml").filter(|rest| rest.bytes().next().is_some_and(is_space))
        else {
            return Ok(0);
        };
        let length = rest.find("?>").ok_or((XmlFault::Unfinished("the XML declaration"), 0))?;
        // The same syntax as attributes, so that the same scanner reads it: `<xml a="b">`.
        let written = format!("xml{}>", &rest[..length]);
        let (_, mut scanner) = TagScanner::begin(&written, 0).map_err(|_| (XmlFault::Declaration, 0))?;
        let mut expected = ["version", "encoding", "standalone"].iter();
        let mut first = true;
        loop {
            let (name, value) = match scanner.piece().map_err(|_| (XmlFault::Declaration, 0))? {
                Piece::Attribute { name, value, .. } => (name, value),
                Piece::End { empty: false, next } if next == written.len() => break,
                Piece::End { .. } => return Err((XmlFault::Declaration, 0)),
            };
            if !expected.any(|known| *known == name) || (first && name != "version") {
                return Err((XmlFault::Declaration, 0));
            }
            first = false;
            match name {
                "version" if value != "1.0" => return Err((XmlFault::Declaration, 0)),
                "encoding" if !value.eq_ignore_ascii_case("utf-8") => return Err((XmlFault::NotUtf8, 0)),
                "standalone" if !matches!(value, "yes" | "no") => return Err((XmlFault::Declaration, 0)),
                _ => {}
            }
        }
        if first {
            return Err((XmlFault::Declaration, 0));
        }
        Ok("<?xml".len() + length + "?>".len())
    }

    /// One piece of markup that begins at `open`; gives the offset after it.
    fn markup(&mut self, open: usize) -> Result<usize, (XmlFault, usize)> {
        let rest = self.from(open);
        match rest.get(1) {
            Some(b'?') => Err((XmlFault::ProcessingInstruction, open)),
            Some(b'!') if rest.starts_with(b"<!--") => self.after(open, 4, b"-->", "a comment"),
            Some(b'!') if rest.starts_with(b"<![CDATA[") => self.after(open, 9, b"]]>", "a CDATA section"),
            Some(b'!') if rest.get(2..9).is_some_and(|word| word.eq_ignore_ascii_case(b"DOCTYPE")) => {
                Err((XmlFault::DocumentType, open))
            }
            Some(b'!') => Err((XmlFault::Malformed("unknown markup"), open)),
            Some(b'/') => {
                let next = memchr(b'>', self.from(open))
                    .map(|length| open + length + 1)
                    .ok_or((XmlFault::Unfinished("an end tag"), open))?;
                self.depth = self
                    .depth
                    .checked_sub(1)
                    .ok_or((XmlFault::Malformed("an end tag that ends nothing"), open))?;
                Ok(next)
            }
            _ => self.start_tag(open),
        }
    }

    fn start_tag(&mut self, open: usize) -> Result<usize, (XmlFault, usize)> {
        let limits = self.limits;
        let (name, mut scanner) = TagScanner::begin(self.source, open + 1)?;
        if self.depth >= limits.depth {
            return Err((XmlFault::TooDeep { limit: limits.depth }, open));
        }
        if name.strip_suffix("Signature").is_some_and(|before| before.is_empty() || before.ends_with(':')) {
            self.signatures += 1;
            if self.signatures > limits.signatures {
                return Err((XmlFault::TooManySignatures { limit: limits.signatures }, open));
            }
        }
        let (mut attributes, mut namespaces) = (0, 0);
        loop {
            match scanner.piece()? {
                Piece::Attribute { name, name_at, .. } if declared_prefix(name).is_some() => {
                    namespaces += 1;
                    if namespaces > limits.namespaces {
                        return Err((XmlFault::TooManyNamespaces { limit: limits.namespaces }, name_at));
                    }
                }
                Piece::Attribute { name_at, .. } => {
                    attributes += 1;
                    if attributes > limits.attributes {
                        return Err((XmlFault::TooManyAttributes { limit: limits.attributes }, name_at));
                    }
                }
                Piece::End { empty, next } => {
                    self.depth += usize::from(!empty);
                    return Ok(next);
                }
            }
        }
    }

    fn after(
        &self,
        open: usize,
        skip: usize,
        end: &[u8],
        what: &'static str,
    ) -> Result<usize, (XmlFault, usize)> {
        let body = open + skip;
        memmem::find(self.from(body), end)
            .map(|length| body + length + end.len())
            .ok_or((XmlFault::Unfinished(what), open))
    }

    fn from(&self, at: usize) -> &[u8] {
        self.source.as_bytes().get(at..).unwrap_or_default()
    }
}
