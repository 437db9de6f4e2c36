//! How messages travel through a browser: `redirect.rs` (SAML Bindings 3.4) and `post.rs` (SAML Bindings 3.5).
//!
//! Sizes are capped before anything is decoded, and parameters given twice are refused: two readers could choose differently.
//! Neighbours: `certs::query_signature` signs and verifies queries; `sp` and `idp` say which message goes where.

pub mod post;
pub mod redirect;

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs::query_signature::QueryRefused;
use memchr::{memchr, memchr3};
use thiserror::Error;

/// The largest message that is read, in octets of XML; the reader's own limit (`certs_xml::Limits::message`) is the same.
pub const LARGEST_MESSAGE: usize = 256 * 1024;
/// The largest form or query that is looked at, in octets: a message in Base64, percent-encoded at worst, and some room.
pub const LARGEST_CARRIER: usize = 2 * LARGEST_MESSAGE;
/// The longest RelayState, in octets (SAML Bindings 3.4.3, 3.5.3).
pub const LONGEST_RELAY_STATE: usize = 80;

/// Why a form or a query gives no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BindingRefused {
    /// There is neither a form nor a query to read.
    #[error("there is no form to read a message from")]
    Nothing,
    /// The form or query is larger than [`LARGEST_CARRIER`], or the message larger than [`LARGEST_MESSAGE`].
    #[error("the message is larger than {LARGEST_MESSAGE} octets")]
    TooLarge,
    /// The parameter is not there.
    #[error("there is no parameter {0}")]
    Missing(&'static str),
    /// The parameter is there twice.
    #[error("the parameter {0} is given twice")]
    Twice(&'static str),
    /// The value is not Base64 (RFC 4648, section 4).
    #[error("the message is not Base64")]
    NotBase64,
    /// The value is not one complete DEFLATE stream (RFC 1951).
    #[error("the message is not DEFLATE")]
    NotDeflate,
    /// The query breaks a rule of the redirect binding.
    #[error(transparent)]
    Query(#[from] QueryRefused),
}

/// Base64 with line breaks and blanks between, as mail-minded encoders write it; otherwise strict, padding included.
fn decoded(text: &[u8]) -> Result<Vec<u8>, BindingRefused> {
    let octets = STANDARD.decode(dense(text)).map_err(|_| BindingRefused::NotBase64)?;
    if octets.len() > LARGEST_MESSAGE { Err(BindingRefused::TooLarge) } else { Ok(octets) }
}

/// Without blanks and line breaks.
fn dense(text: &[u8]) -> Cow<'_, [u8]> {
    let has_space = memchr3(b' ', b'\r', b'\n', text).is_some() || memchr(b'\t', text).is_some();
    if !has_space {
        return Cow::Borrowed(text);
    }
    let is_space = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    text.iter().copied().filter(|octet| !is_space(octet)).collect()
}
