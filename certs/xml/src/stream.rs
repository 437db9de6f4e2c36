//! A file of any size, cut into pieces as it is read: nothing is held but the piece at hand.
//!
//! A piece is all from the end of the last one up to the end of a tag: white space or text, comments, and then a start tag, a whole
//! element, or an end tag. The pieces are the file, octet by octet. Where they are cut is decided with little understanding, and that
//! is enough: each piece is then read strictly, and one that was cut wrongly does not read.
//!
//! Neighbours: `reader.rs` reads pieces, `piece.rs` puts them into canonical form.

use std::io::{self, Read};

use memchr::{memchr, memchr3, memmem};
use thiserror::Error;

use crate::{
    characters::is_space,
    limits::Limits,
    prescan::{BYTE_ORDER_MARK, declaration_length},
    refused::{Position, XmlFault, XmlRefused},
};

/// So many octets are read at a time, at least, so that nobody makes us look at the same octets again and again by sending them singly.
const READ: usize = 64 * 1024;
/// The longest XML declaration: three short attributes.
const DECLARATION: usize = 256;

/// The bounds of a file that is read in pieces. Every bound is inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLimits {
    /// Octets of the whole file.
    pub octets: u64,
    /// Octets of one piece: an entity, and what stands before it.
    pub piece: usize,
    /// What holds within the pieces. Its `octets` are not looked at; its `depth` counts from the outermost element of the file.
    pub within: Limits,
}

impl StreamLimits {
    /// A metadata aggregate of at most `octets`, with at most 2 MiB for one entity.
    #[must_use]
    pub const fn metadata(octets: u64) -> Self {
        Self { octets, piece: 2 * 1024 * 1024, within: Limits::metadata(2 * 1024 * 1024) }
    }
}

/// Why a file was not read to its end.
#[derive(Debug, Error)]
pub enum StreamRefused {
    /// Reading failed.
    #[error("it cannot be read: {0}")]
    Input(#[from] io::Error),
    /// What was read is refused.
    #[error(transparent)]
    Xml(#[from] XmlRefused),
}

/// What a piece ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ahead {
    /// A start tag.
    Start {
        /// The name as written.
        name: String,
        /// Whether it is an empty-element tag.
        empty: bool,
    },
    /// An end tag.
    End {
        /// The name as written.
        name: String,
    },
    /// The end of the file.
    Nothing,
}

/// One piece that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'s> {
    /// Its octets.
    pub octets: &'s [u8],
    /// Where it begins.
    pub start: Position,
}

impl Piece<'_> {
    /// Gives a refusal of this piece its place in the file.
    #[must_use]
    pub fn placed(&self, refused: XmlRefused) -> XmlRefused {
        refused.within(self.start)
    }
}

/// A file that is read in pieces.
#[derive(Debug)]
pub struct Stream<R> {
    input: R,
    limits: StreamLimits,
    buffer: Vec<u8>,
    /// Where the piece at hand begins in `buffer`, and how far it is known to go.
    at: usize,
    end: usize,
    /// Octets read from `input`.
    read: u64,
    ended: bool,
    start: Position,
}

impl<R: Read> Stream<R> {
    /// Begins to read; takes the byte order mark and the XML declaration.
    ///
    /// # Errors
    /// When reading fails, and where the declaration says something else than XML 1.0 in UTF-8.
    pub fn begin(input: R, limits: StreamLimits) -> Result<Self, StreamRefused> {
        let mut stream = Self {
            input,
            limits,
            buffer: Vec::new(),
            at: 0,
            end: 0,
            read: 0,
            ended: false,
            start: Position::START,
        };
        while stream.buffer.len() < BYTE_ORDER_MARK.len() + DECLARATION && stream.more()? {}
        let mark = if stream.buffer.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        stream.at = mark;
        let rest = stream.buffer.get(mark..).unwrap_or_default();
        let rest = &rest[..rest.len().min(DECLARATION)];
        // Up to the first octet that is no ASCII: a declaration has none.
        let ascii = rest.iter().position(|octet| !octet.is_ascii()).unwrap_or(rest.len());
        let head = std::str::from_utf8(&rest[..ascii]).unwrap_or_default();
        let length = declaration_length(head)?;
        stream.end = mark + length;
        // A byte order mark is no character.
        let declared = rest.get(..length).unwrap_or_default();
        stream.start = stream.start.after(declared);
        stream.at = stream.end;
        Ok(stream)
    }

    /// Where the next piece begins.
    #[must_use]
    pub fn position(&self) -> Position {
        self.start
    }

    /// Looks for the next tag, within or outside the outermost element. The piece at hand then goes up to its end; it is not taken yet.
    ///
    /// # Errors
    /// When reading fails, at what no document may hold, and past the bounds.
    pub fn look(&mut self, outside: bool) -> Result<Ahead, StreamRefused> {
        self.end = self.at;
        loop {
            if !self.find_open(outside)? {
                return Ok(Ahead::Nothing);
            }
            let markup = self.markup(outside)?;
            let tag = self.buffer.get(markup.length_before(self.end)..self.end).unwrap_or_default();
            match markup.kind {
                Kind::NoTag => {}
                Kind::Start { empty } => return Ok(Ahead::Start { name: name_of(tag), empty }),
                Kind::End => return Ok(Ahead::End { name: name_of(tag) }),
            }
        }
    }

    /// After [`Ahead::Start`] that is not empty: makes the piece go up to the end of that element.
    ///
    /// # Errors
    /// As [`Stream::look`].
    pub fn whole(&mut self) -> Result<(), StreamRefused> {
        let mut depth = 1_usize;
        while depth > 0 {
            if !self.find_open(false)? {
                return Err(self.refused(XmlFault::Unfinished("an element"), self.end));
            }
            match self.markup(false)?.kind {
                Kind::Start { empty: false } => depth += 1,
                Kind::End => depth -= 1,
                Kind::Start { empty: true } | Kind::NoTag => {}
            }
        }
        Ok(())
    }

    /// The piece at hand, which stays at hand.
    #[must_use]
    pub fn peek(&self) -> Piece<'_> {
        Piece { octets: self.buffer.get(self.at..self.end).unwrap_or_default(), start: self.start }
    }

    /// Takes the piece at hand.
    pub fn take(&mut self) -> Piece<'_> {
        let octets = self.buffer.get(self.at..self.end).unwrap_or_default();
        let start = self.start;
        self.start = start.after(octets);
        self.at = self.end;
        Piece { octets, start }
    }

    /// Makes the piece go up to the next `<`; `false` at the end of the file, and then it goes up to there.
    fn find_open(&mut self, outside: bool) -> Result<bool, StreamRefused> {
        loop {
            let rest = self.buffer.get(self.end..).unwrap_or_default();
            let found = memchr(b'<', rest);
            let text = &rest[..found.unwrap_or(rest.len())];
            if outside && let Some(at) = text.iter().position(|&octet| !is_space(octet)) {
                let at = self.end + at;
                return Err(self.refused(XmlFault::Malformed("text outside the outermost element"), at));
            }
            self.end += text.len();
            if found.is_some() {
                return Ok(true);
            }
            if !self.more()? {
                return Ok(false);
            }
        }
    }

    /// Takes the markup that begins where the piece ends into the piece.
    fn markup(&mut self, outside: bool) -> Result<Markup, StreamRefused> {
        loop {
            let rest = self.buffer.get(self.end..).unwrap_or_default();
            match markup_of(rest, outside, self.ended) {
                Ok(Some(markup)) => {
                    self.end += markup.length;
                    self.within_bounds(self.end)?;
                    return Ok(markup);
                }
                Ok(None) if self.more()? => {}
                Ok(None) => return Err(self.refused(XmlFault::Unfinished("markup"), self.end)),
                Err(fault) => return Err(self.refused(fault, self.end)),
            }
        }
    }

    /// Reads on; `false` at the end of the file. The piece at hand moves to the start of the buffer.
    fn more(&mut self) -> Result<bool, StreamRefused> {
        if self.ended {
            return Ok(false);
        }
        // Whoever asks for more has a piece at hand that goes beyond all that was read.
        self.within_bounds(self.buffer.len())?;
        self.buffer.drain(..self.at);
        self.end = self.end.saturating_sub(self.at);
        self.at = 0;
        let before = self.buffer.len();
        self.buffer.resize(before + READ, 0);
        let mut filled = before;
        while let Some(room) = self.buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.input.read(room) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => filled += count.min(room.len()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.truncate(before);
                    return Err(error.into());
                }
            }
        }
        self.buffer.truncate(filled);
        self.read += (filled - before) as u64;
        if self.read > self.limits.octets {
            let limit = usize::try_from(self.limits.octets).unwrap_or(usize::MAX);
            let end = self.buffer.len();
            return Err(self.refused(XmlFault::TooLarge { limit }, end));
        }
        Ok(filled > before)
    }

    fn within_bounds(&self, end: usize) -> Result<(), StreamRefused> {
        let limit = self.limits.piece;
        if end.saturating_sub(self.at) > limit {
            return Err(self.refused(XmlFault::PieceTooLarge { limit }, self.at));
        }
        Ok(())
    }

    fn refused(&self, fault: XmlFault, at: usize) -> StreamRefused {
        let before = self.buffer.get(self.at..at.max(self.at)).unwrap_or_default();
        XmlRefused { fault, position: self.start.after(before) }.into()
    }
}

/// A piece of markup.
struct Markup {
    kind: Kind,
    /// In octets, from `<` to `>`.
    length: usize,
}

impl Markup {
    /// Where it begins, if it ends at `end`.
    fn length_before(&self, end: usize) -> usize {
        end.saturating_sub(self.length)
    }
}

/// What markup is.
enum Kind {
    /// A comment or a CDATA section.
    NoTag,
    /// A start tag.
    Start { empty: bool },
    /// An end tag.
    End,
}

/// The markup that `octets` begin with; `None` where more must be read to know.
fn markup_of(octets: &[u8], outside: bool, ended: bool) -> Result<Option<Markup>, XmlFault> {
    let no_tag = |skip: usize, with: &[u8]| {
        let body = octets.get(skip..)?;
        memmem::find(body, with)
            .map(|length| Markup { kind: Kind::NoTag, length: skip + length + with.len() })
    };
    Ok(match octets.get(1) {
        None => None,
        Some(b'?') => return Err(XmlFault::ProcessingInstruction),
        Some(b'!') if octets.starts_with(b"<!--") => no_tag(4, b"-->"),
        Some(b'!') if octets.starts_with(b"<![CDATA[") => {
            if outside {
                return Err(XmlFault::Malformed("text outside the outermost element"));
            }
            no_tag(9, b"]]>")
        }
        Some(b'!') if octets.get(2..9).is_some_and(|word| word.eq_ignore_ascii_case(b"DOCTYPE")) => {
            return Err(XmlFault::DocumentType);
        }
        Some(b'!') if octets.len() < 9 && !ended => None,
        Some(b'!') => return Err(XmlFault::Malformed("unknown markup")),
        Some(b'/') => memchr(b'>', octets).map(|at| Markup { kind: Kind::End, length: at + 1 }),
        Some(_) => tag_length(octets).map(|length| {
            let empty = octets.get(length.saturating_sub(2)) == Some(&b'/');
            Markup { kind: Kind::Start { empty }, length }
        }),
    })
}

/// The name in a tag, as written.
fn name_of(tag: &[u8]) -> String {
    let from = if tag.starts_with(b"</") { 2 } else { 1 };
    let rest = tag.get(from..).unwrap_or_default();
    let length = rest.iter().position(|&octet| is_space(octet) || matches!(octet, b'/' | b'>'));
    String::from_utf8_lossy(&rest[..length.unwrap_or(rest.len())]).into_owned()
}

/// The length of the tag that `octets` begin with, `>` included; a `>` within quotes does not end it. `None`: it does not end.
#[must_use]
pub fn tag_length(octets: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        let found = at + memchr3(b'>', b'"', b'\'', octets.get(at..)?)?;
        match *octets.get(found)? {
            b'>' => return Some(found + 1),
            quote => at = found + 1 + memchr(quote, octets.get(found + 1..)?)? + 1,
        }
    }
}
