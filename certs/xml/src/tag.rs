//! One start tag taken apart, strictly: the pre-scan counts with it and the reader reads with it, so that the two cannot
//! disagree about what is a quote and what is an attribute.

use memchr::memchr;

use crate::{characters::is_space, refused::XmlFault};

/// The attributes of a start tag, as written.
pub(crate) struct TagScanner<'s> {
    source: &'s str,
    at: usize,
}

/// One piece of a start tag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'s> {
    /// An attribute or a namespace declaration: its name and its raw value, each with its offset in the source.
    Attribute { name: &'s str, name_at: usize, value: &'s str, value_at: usize },
    /// The tag ends; `next` is the offset after `>`.
    End { empty: bool, next: usize },
}

type Fault = (XmlFault, usize);

impl<'s> TagScanner<'s> {
    /// Begins at the octet after `<`; gives the element's name as written.
    pub(crate) fn begin(source: &'s str, at: usize) -> Result<(&'s str, Self), Fault> {
        let mut scanner = Self { source, at };
        let name = scanner.name("a tag without a name")?;
        Ok((name, scanner))
    }

    /// The next attribute, or the end of the tag.
    pub(crate) fn piece(&mut self) -> Result<Piece<'s>, Fault> {
        let before = self.at;
        self.skip_space();
        match self.octet()? {
            b'>' => Ok(Piece::End { empty: false, next: self.at + 1 }),
            b'/' => {
                self.at += 1;
                self.expect(b'>', "a slash inside a tag")?;
                Ok(Piece::End { empty: true, next: self.at })
            }
            _ if self.at == before => Err((XmlFault::Malformed("no space before an attribute"), self.at)),
            _ => self.attribute(),
        }
    }

    fn attribute(&mut self) -> Result<Piece<'s>, Fault> {
        let name_at = self.at;
        let name = self.name("an attribute without a name")?;
        self.skip_space();
        self.expect(b'=', "an attribute without a value")?;
        self.skip_space();
        let quote = self.octet()?;
        if !matches!(quote, b'"' | b'\'') {
            return Err((XmlFault::Malformed("an attribute value without quotes"), self.at));
        }
        let value_at = self.at + 1;
        let rest = self.rest(value_at);
        let length =
            memchr(quote, rest.as_bytes()).ok_or((XmlFault::Unfinished("an attribute value"), value_at))?;
        let value = &rest[..length];
        if let Some(at) = memchr(b'<', value.as_bytes()) {
            return Err((XmlFault::Malformed("'<' in an attribute value"), value_at + at));
        }
        self.at = value_at + length + 1;
        Ok(Piece::Attribute { name, name_at, value, value_at })
    }

    fn name(&mut self, missing: &'static str) -> Result<&'s str, Fault> {
        let rest = self.rest(self.at);
        let ends = |octet: u8| is_space(octet) || matches!(octet, b'=' | b'/' | b'>' | b'<' | b'"' | b'\'');
        let length = rest.bytes().position(ends).ok_or((XmlFault::Unfinished("a tag"), self.at))?;
        if length == 0 {
            return Err((XmlFault::Malformed(missing), self.at));
        }
        self.at += length;
        Ok(&rest[..length])
    }

    fn expect(&mut self, wanted: u8, otherwise: &'static str) -> Result<(), Fault> {
        if self.octet()? != wanted {
            return Err((XmlFault::Malformed(otherwise), self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn skip_space(&mut self) {
        while self.source.as_bytes().get(self.at).copied().is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn octet(&self) -> Result<u8, Fault> {
        self.source.as_bytes().get(self.at).copied().ok_or((XmlFault::Unfinished("a tag"), self.at))
    }

    fn rest(&self, at: usize) -> &'s str {
        self.source.get(at..).unwrap_or_default()
    }
}

/// Whether the attribute of this name is a namespace declaration; if so, the prefix that it declares (empty: the default).
pub(crate) fn declared_prefix(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("xmlns")?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix(':').filter(|prefix| !prefix.is_empty()) }
}
