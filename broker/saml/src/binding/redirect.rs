//! HTTP-Redirect (SAML Bindings 3.4): a message deflated into the query of a URL, with a detached signature.
//!
//! No Response travels so (SAML Profiles 4.1.2: an assertion never fits a query's limits or its logs); requests do. Sibling:
//! `post.rs`. The signature over the query is made and checked in `certs::query_signature`.

use std::{cell::RefCell, io::Read as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs::{
    Signer,
    query_signature::{CannotSignQuery, MessageParameter, signed_query},
};
use flate2::{Compress, Compression, FlushCompress, Status, read::DeflateDecoder};

use super::{BindingRefused, LARGEST_MESSAGE, decoded};

thread_local! {
    /// Making a compressor clears some hundred kilobytes; a request has one. So each thread keeps its own and begins anew.
    static COMPRESSOR: RefCell<Compress> = RefCell::new(Compress::new(Compression::default(), false));
}

/// Deflates a message and writes it as Base64 (SAML Bindings 3.4.4.1), not yet percent-encoded.
///
/// # Errors
/// Never in practice: the compressor writes to memory.
pub fn deflate(xml: &[u8]) -> Result<String, BindingRefused> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        // Room for octets that do not compress at all, so that one call is enough.
        let mut deflated = Vec::with_capacity(xml.len() + xml.len() / 100 + 64);
        match compressor.compress_vec(xml, &mut deflated, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => Ok(STANDARD.encode(deflated)),
            Ok(_) | Err(_) => Err(BindingRefused::NotDeflate),
        }
    })
}

/// Reads back what [`deflate`] wrote: Base64, then one DEFLATE stream of at most [`LARGEST_MESSAGE`] octets. Inflating stops at
/// that bound, so a small query cannot unfold into a large one (CVE-2025-25293 and its kin).
///
/// # Errors
/// When it is not Base64, not one complete stream, or larger than the bound.
pub fn inflate(message: &str) -> Result<Vec<u8>, BindingRefused> {
    let deflated = decoded(message.as_bytes())?;
    let mut decoder = DeflateDecoder::new(deflated.as_slice());
    let mut xml = Vec::new();
    let limit = LARGEST_MESSAGE as u64 + 1;
    decoder.by_ref().take(limit).read_to_end(&mut xml).map_err(|_| BindingRefused::NotDeflate)?;
    if xml.len() > LARGEST_MESSAGE {
        return Err(BindingRefused::TooLarge);
    }
    if decoder.total_in() != deflated.len() as u64 {
        return Err(BindingRefused::NotDeflate);
    }
    Ok(xml)
}

/// The URL that carries `xml` to `location`, signed. A query that `location` has already is kept.
///
/// # Errors
/// When the key does not sign, or its algorithm has no name in SAML.
pub fn encode(
    location: &str,
    parameter: MessageParameter,
    xml: &[u8],
    relay_state: Option<&str>,
    signer: &dyn Signer,
) -> Result<String, CannotEncode> {
    let query = signed_query(parameter, &deflate(xml)?, relay_state, signer)?;
    let joint = if location.contains('?') { '&' } else { '?' };
    Ok(format!("{location}{joint}{query}"))
}

/// Why there is no URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotEncode {
    /// The message cannot be deflated.
    #[error(transparent)]
    Deflate(#[from] BindingRefused),
    /// The query cannot be signed.
    #[error(transparent)]
    Sign(#[from] CannotSignQuery),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_unfolding_bomb_is_stopped_at_the_bound() {
        let exactly = deflate(&vec![b'a'; LARGEST_MESSAGE]).unwrap();
        assert_eq!(inflate(&exactly).map(|xml| xml.len()), Ok(LARGEST_MESSAGE));
        let bomb = deflate(&vec![b'a'; 64 * LARGEST_MESSAGE]).unwrap();
        assert!(bomb.len() < LARGEST_MESSAGE);
        assert_eq!(inflate(&bomb), Err(BindingRefused::TooLarge));
    }

    #[test]
    fn octets_after_the_stream_are_refused() {
        let mut octets = STANDARD.decode(deflate(b"<a/>").unwrap()).unwrap();
        assert!(inflate(&STANDARD.encode(&octets)).is_ok());
        octets.push(0);
        assert_eq!(inflate(&STANDARD.encode(&octets)), Err(BindingRefused::NotDeflate));
    }

    proptest! {
        #[test]
        fn what_is_deflated_is_inflated(octets in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(inflate(&deflate(&octets).unwrap()), Ok(octets));
        }

        #[test]
        fn nothing_panics(text in "[A-Za-z0-9+/]{0,400}={0,2}") {
            let _ = inflate(&text);
        }
    }
}
