//! Why a document was refused, and where: operators read these. Neighbours: `prescan.rs` and `reader.rs` make them.

use thiserror::Error;

/// A place in a document, both parts counted from 1. Columns count characters, not octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1. Lines end at a line feed.
    pub line: u32,
    /// The character within the line, from 1.
    pub column: u32,
}

impl Position {
    /// The place of octet `offset` of `source`. Linear in `offset`; never fails, a place beyond the end is the end.
    pub(crate) fn of(source: &[u8], offset: usize) -> Self {
        let before = source.get(..offset.min(source.len())).unwrap_or(source);
        let line_start = before.iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|&&octet| octet == b'\n').count() + 1;
        Self { line: saturated(line), column: saturated(characters(&before[line_start..]) + 1) }
    }
}

impl Position {
    /// The start of a document.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// This place of a piece that begins at `start`, as a place of the whole.
    #[must_use]
    pub fn within(self, start: Self) -> Self {
        let column = if self.line == 1 { self.column.saturating_add(start.column - 1) } else { self.column };
        Self { line: self.line.saturating_add(start.line - 1), column }
    }

    /// Where what follows `octets` begins, if they begin here.
    pub(crate) fn after(self, octets: &[u8]) -> Self {
        let feeds = memchr::memchr_iter(b'\n', octets).count();
        let last_line = memchr::memrchr(b'\n', octets).map_or(octets, |at| &octets[at + 1..]);
        let column = saturated(characters(last_line)).saturating_add(1);
        Self { line: saturated(feeds).saturating_add(1), column }.within(self)
    }
}

/// How many UTF-8 characters begin in `octets`.
pub(crate) fn characters(octets: &[u8]) -> usize {
    octets.iter().filter(|&&octet| octet & 0xC0 != 0x80).count()
}

pub(crate) fn saturated(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A document that is not read, with the first fault found and its place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{fault} (line {}, column {})", position.line, position.column)]
pub struct XmlRefused {
    /// What is wrong.
    pub fault: XmlFault,
    /// Where it is.
    pub position: Position,
}

impl XmlRefused {
    pub(crate) fn at(fault: XmlFault, source: &[u8], offset: usize) -> Self {
        Self { fault, position: Position::of(source, offset) }
    }

    /// The same, of a piece that begins at `start`, with its place in the whole.
    pub(crate) fn within(mut self, start: Position) -> Self {
        self.position = self.position.within(start);
        self
    }

    /// The stable identifier of the rule that was broken, for logs and reports.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.fault.rule()
    }
}

/// What can be wrong with a document, before anyone asks what it says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum XmlFault {
    /// Larger than [`crate::Limits::octets`].
    #[error("the document is larger than {limit} octets")]
    TooLarge {
        /// The bound that was passed.
        limit: usize,
    },
    /// One entity, or another piece of a file that is read in pieces, is larger than [`crate::stream::StreamLimits::piece`] allows.
    #[error("one element of the document, with what stands before it, is larger than {limit} octets")]
    PieceTooLarge {
        /// The bound that was passed.
        limit: usize,
    },
    /// Not UTF-8, by its octets or by its own declaration.
    #[error("the document is not UTF-8")]
    NotUtf8,
    /// A character that XML 1.0 (section 2.2) does not allow.
    #[error("a character that XML does not allow")]
    ForbiddenCharacter,
    /// A document type declaration: entities, external files and defaults are never read.
    #[error("a document type declaration (DOCTYPE) is not allowed")]
    DocumentType,
    /// A processing instruction, such as a style sheet.
    #[error("a processing instruction is not allowed")]
    ProcessingInstruction,
    /// An XML declaration with something else than version 1.0 in UTF-8.
    #[error("the XML declaration must say version 1.0")]
    Declaration,
    /// Deeper than [`crate::Limits::depth`].
    #[error("elements are nested deeper than {limit}")]
    TooDeep {
        /// The bound that was passed.
        limit: usize,
    },
    /// More than [`crate::Limits::attributes`] on one element.
    #[error("an element has more than {limit} attributes")]
    TooManyAttributes {
        /// The bound that was passed.
        limit: usize,
    },
    /// More than [`crate::Limits::namespaces`] on one element.
    #[error("an element has more than {limit} namespace declarations")]
    TooManyNamespaces {
        /// The bound that was passed.
        limit: usize,
    },
    /// More than [`crate::Limits::signatures`] in the document.
    #[error("the document has more than {limit} signatures")]
    TooManySignatures {
        /// The bound that was passed.
        limit: usize,
    },
    /// The document ends where something is still open.
    #[error("the document ends inside {0}")]
    Unfinished(&'static str),
    /// Not well-formed XML 1.0, with the piece that is not.
    #[error("not well-formed: {0}")]
    Malformed(&'static str),
    /// An end tag that does not end the open element.
    #[error("the end tag </{found}> does not match <{expected}>")]
    MismatchedEnd {
        /// The open element.
        expected: String,
        /// The end tag that came.
        found: String,
    },
    /// An entity other than the five that XML itself defines.
    #[error("the entity &{0}; is not one of the five that XML defines")]
    UnknownEntity(String),
    /// A prefix that nothing declares (Namespaces in XML 1.0, section 5).
    #[error("the prefix {0} is not declared")]
    UndeclaredPrefix(String),
    /// A declaration that Namespaces in XML 1.0 (section 3) forbids: reserved names, or an empty name for a prefix.
    #[error("the namespace declaration for {0} is not allowed")]
    ForbiddenNamespace(String),
    /// The same attribute twice, by its written or by its resolved name.
    #[error("the attribute {0} is given twice")]
    DuplicateAttribute(String),
    /// Two elements with one identifier (`ID`, `Id`, `id` or `xml:id`).
    #[error("the identifier {0} is used twice")]
    DuplicateId(String),
}

impl XmlFault {
    /// The stable identifier of the rule, `xml.` and a name.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "xml.size",
            Self::PieceTooLarge { .. } => "xml.piece_size",
            Self::NotUtf8 => "xml.utf8",
            Self::ForbiddenCharacter => "xml.character",
            Self::DocumentType => "xml.doctype",
            Self::ProcessingInstruction => "xml.processing_instruction",
            Self::Declaration => "xml.declaration",
            Self::TooDeep { .. } => "xml.depth",
            Self::TooManyAttributes { .. } => "xml.attribute_count",
            Self::TooManyNamespaces { .. } => "xml.namespace_count",
            Self::TooManySignatures { .. } => "xml.signature_count",
            Self::Unfinished(_) => "xml.unfinished",
            Self::Malformed(_) => "xml.well_formed",
            Self::MismatchedEnd { .. } => "xml.end_tag",
            Self::UnknownEntity(_) => "xml.entity",
            Self::UndeclaredPrefix(_) => "xml.prefix",
            Self::ForbiddenNamespace(_) => "xml.namespace",
            Self::DuplicateAttribute(_) => "xml.attribute_twice",
            Self::DuplicateId(_) => "xml.id_twice",
        }
    }
}
