//! The head: which document holds, numbered, under a MAC. The registry's names its manifest and the record of how that came to be; other heads
//! (the desk's) name one document. Each has a MAC key of its own, so that one copied to the place of another opens as nothing.

use broker_core::moment::Timestamp;
use certs::mac::MacKey;

use super::is_document_name;

/// Which document holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of the revision, from 1, one higher each time.
    pub number: u64,
    /// The name of the document: the registry's manifest, or whatever this head leads to.
    pub manifest: String,
    /// The name of the sealed record of the revision. `None`: a head that keeps no history, or one of version 1.
    pub record: Option<String>,
    /// When it was made.
    pub at: Timestamp,
}

/// The first line, which also keeps a MAC for this from being one for anything else.
const TITLE: &str = "sparvidd registry head 1";
/// The first line of one that names a record.
const TITLE_WITH_RECORD: &str = "sparvidd registry head 2";

impl Head {
    /// The head as it lies in the store: lines of text, the last the MAC of those before.
    #[must_use]
    pub fn seal(&self, key: &MacKey) -> Vec<u8> {
        let title = if self.record.is_some() { TITLE_WITH_RECORD } else { TITLE };
        let mut text = format!("{title}\n{}\n{}\n{}\n", self.number, self.manifest, self.at.0);
        if let Some(record) = &self.record {
            text.push_str(record);
            text.push('\n');
        }
        let mac: String = key.mac(text.as_bytes()).iter().map(|octet| format!("{octet:02x}")).collect();
        text.push_str(&mac);
        text.push('\n');
        text.into_bytes()
    }

    /// Reads what [`Head::seal`] wrote. Nothing of it is looked at before the MAC held.
    ///
    /// # Errors
    /// When it is not authentic, or not a head.
    pub fn open(octets: &[u8], key: &MacKey) -> Result<Self, HeadRefused> {
        // The MAC's line: 64 digits and a line feed.
        let split = octets.len().checked_sub(65).ok_or(HeadRefused::Unauthenticated)?;
        let (body, line) = octets.split_at_checked(split).ok_or(HeadRefused::Unauthenticated)?;
        let mac = line.strip_suffix(b"\n").and_then(hexadecimal).ok_or(HeadRefused::Unauthenticated)?;
        key.verify(body, &mac).map_err(|_| HeadRefused::Unauthenticated)?;
        let text = std::str::from_utf8(body).map_err(|_| HeadRefused::Malformed)?;
        let mut lines = text.lines();
        let mut next = || lines.next().ok_or(HeadRefused::Malformed);
        let has_record = match next()? {
            TITLE => false,
            TITLE_WITH_RECORD => true,
            _ => return Err(HeadRefused::Malformed),
        };
        let number = next()?.parse().map_err(|_| HeadRefused::Malformed)?;
        let manifest = next()?.to_owned();
        let at = Timestamp(next()?.parse().map_err(|_| HeadRefused::Malformed)?);
        let record = if has_record { Some(next()?.to_owned()) } else { None };
        let names = std::iter::once(&manifest).chain(&record);
        if lines.next().is_some() || !names.into_iter().all(|name| is_document_name(name)) {
            return Err(HeadRefused::Malformed);
        }
        Ok(Self { number, manifest, at, record })
    }

    /// Whether a node that has seen `known` may go over to this one: newer, or the very same.
    ///
    /// # Errors
    /// When it is older, or another with the same number.
    pub fn follows(&self, known: &Self) -> Result<(), HeadRefused> {
        if self.number < known.number {
            Err(HeadRefused::Older { known: known.number, offered: self.number })
        } else if self.number == known.number && self != known {
            Err(HeadRefused::Forked { number: self.number })
        } else {
            Ok(())
        }
    }
}

/// Why a head is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadRefused {
    /// Whoever wrote it does not have the key.
    #[error(
        "the head is not authentic: somebody without the registry key wrote it, or nodes have different keys"
    )]
    Unauthenticated,
    /// It is authentic and yet not a head: of another version of the program.
    #[error("the head is in a form that this version does not know")]
    Malformed,
    /// Somebody put an old one back.
    #[error("the head is older ({offered}) than one already seen ({known})")]
    Older {
        /// The number seen.
        known: u64,
        /// The number offered.
        offered: u64,
    },
    /// Two with one number.
    #[error("there are two heads with the number {number}")]
    Forked {
        /// The number.
        number: u64,
    },
}

fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(value(*high)? << 4 | value(*low)?),
            _ => None,
        })
        .collect()
}
