//! Every kind of key, in one table. Both implementations and the sealed records take their names from here.
//!
//! | kind | key | value | lifetime | hash tag |
//! |---|---|---|---|---|
//! | record | `sv:record:{T}` | frame `V` + attempt of the put + sealed record | the record's | `T` |
//! | tombstone | the same key | frame `T` + attempt of the put + attempt of the take + sealed tombstone | what was left of the record's | `T` |
//! | answer | `sv:record:{T}:answer` | the value that was taken, for the same attempt alone | 15 s, or what was left | `T` |
//! | mark | `sv:once:{T}` | the attempt that set it | the mark's | `T` |
//! | head | `sv:head:{NAME}` | what the caller wrote | none | the name |
//! | content | `sv:kept:{HASH}` | octets whose SHA-256 is the name | none | the hash |
//!
//! `T` is 32 octets as base64url, derived under the nodes' secret ([`crate::record`]): it says nothing about what it names.
//!
//! On one primary (alone, or found by Sentinel) each verb is one script or one command. In a Cluster a script may touch one slot only:
//! `put` of one record, `read`, `take`, `forget`, `insert_once` and heads already stay in one slot by the hash tag; `finish`, a `put` of several
//! records, `keep` and `kept` of several contents do not, and need tags that are shared, before a Cluster can be offered.

use broker_core::port::StoreKey;

/// Prefix of records and their tombstones.
pub const RECORD: &str = "sv:record:";
/// Prefix of marks that can be set once.
pub const ONCE: &str = "sv:once:";
/// Prefix of heads.
pub const HEAD: &str = "sv:head:";
/// Prefix of kept contents.
pub const KEPT: &str = "sv:kept:";

/// The largest value of one record, as stored, in octets.
pub const MAX_VALUE: usize = 256 * 1024;
/// The largest head, in octets.
pub const MAX_HEAD: usize = 64 * 1024;
/// The largest single content, in octets.
pub const MAX_CONTENT: usize = 16 * 1024 * 1024;
/// The longest that a record or a mark may live, in seconds: a day. What lasts longer belongs in a head or a content.
pub const MAX_LIFETIME_SECONDS: i64 = 86_400;

/// The key of a record.
#[must_use]
pub fn record(tag: &str) -> StoreKey {
    StoreKey(format!("{RECORD}{{{tag}}}"))
}

/// The key of a mark.
#[must_use]
pub fn once(tag: &str) -> StoreKey {
    StoreKey(format!("{ONCE}{{{tag}}}"))
}

/// Where a taken value waits for a retry of the same attempt.
#[must_use]
pub fn answer(record: &StoreKey) -> String {
    format!("{}:answer", record.0)
}

/// The key of a head; `None` when the name is not 1 to 64 of `a-z 0-9 - . _`.
#[must_use]
pub fn head(name: &str) -> Option<String> {
    let permitted = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    ((1..=64).contains(&name.len()) && name.bytes().all(permitted)).then(|| format!("{HEAD}{{{name}}}"))
}

/// The key of a content; `None` when the name is not 64 lower-case hexadecimal digits.
#[must_use]
pub fn kept(name: &str) -> Option<String> {
    is_content_name(name).then(|| format!("{KEPT}{{{name}}}"))
}

/// Whether `name` can be the name of a content: the lower-case hexadecimal of a SHA-256.
#[must_use]
pub fn is_content_name(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The name that a content gives itself: its SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn content_name(content: &[u8]) -> String {
    use std::fmt::Write as _;

    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content);
    digest.as_ref().iter().fold(String::with_capacity(64), |mut name, octet| {
        // Writing into a String cannot fail.
        let _ = write!(name, "{octet:02x}");
        name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_named_by_its_sha_256() {
        // FIPS 180-4, the empty message and "abc".
        assert_eq!(content_name(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(content_name(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(is_content_name(&content_name(b"abc")));
        assert!(!is_content_name(&content_name(b"abc").to_uppercase()));
        assert!(!is_content_name("abc"));
    }

    #[test]
    fn a_head_name_cannot_leave_its_prefix() {
        assert_eq!(head("registry").as_deref(), Some("sv:head:{registry}"));
        for name in ["", "a}b", "a:b", "A", "å", &"a".repeat(65)] {
            assert_eq!(head(name), None, "{name}");
        }
    }
}
