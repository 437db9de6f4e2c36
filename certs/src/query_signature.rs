//! The detached signature of the SAML HTTP-Redirect binding (SAML 2.0 bindings, section 3.4.4.1).
//!
//! The signature is over the query's octets as they were sent, so [`RedirectQuery`] keeps them raw: nothing is decoded and
//! encoded again before the signature holds. Neighbours: `broker-saml`'s redirect binding deflates and inflates the message;
//! `xml_signature` shares its refusals.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs_proof::Verified;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

use crate::{
    AlgorithmPolicy, KeyThumbprint, PublicKey, SignatureAlgorithm, Signer, SigningFailed,
    xml_signature::{SignatureRefused, allowed_algorithm},
};

/// RFC 3986, section 2.3: everything but the unreserved characters is written as `%XX`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Which way the message goes; the name of its parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageParameter {
    /// `SAMLRequest`.
    Request,
    /// `SAMLResponse`.
    Response,
}

impl MessageParameter {
    /// The name of the parameter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "SAMLRequest",
            Self::Response => "SAMLResponse",
        }
    }
}

/// The query of a redirect with `message` (deflated, Base64) and no signature, to put after `?` or `&`.
#[must_use]
pub fn unsigned_query(parameter: MessageParameter, message: &str, relay_state: Option<&str>) -> String {
    let mut query = String::with_capacity(message.len() + 1024);
    append(&mut query, parameter.name(), message);
    // Section 3.4.4.1, step 2: without a RelayState there is no such parameter, also in what is signed.
    if let Some(relay_state) = relay_state {
        append(&mut query, "RelayState", relay_state);
    }
    query
}

/// The signed query of a redirect with `message` (deflated, Base64), to put after `?` or `&`.
///
/// # Errors
/// [`CannotSignQuery`] when the signer's algorithm has no XML name or the key does not answer.
pub fn signed_query(
    parameter: MessageParameter,
    message: &str,
    relay_state: Option<&str>,
    signer: &dyn Signer,
) -> Result<String, CannotSignQuery> {
    let algorithm = signer.algorithm();
    let uri =
        algorithm.xml_uri().filter(|_| !algorithm.is_sha1()).ok_or(CannotSignQuery::Algorithm(algorithm))?;
    let mut query = unsigned_query(parameter, message, relay_state);
    append(&mut query, "SigAlg", uri);
    let signature = signer.sign(query.as_bytes())?;
    append(&mut query, "Signature", &STANDARD.encode(signature));
    Ok(query)
}

fn append(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    query.extend(utf8_percent_encode(value, ESCAPED));
}

/// Why a query was not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CannotSignQuery {
    /// The algorithm has no name in XML signatures, or is one that we do not sign with.
    #[error("{0:?} is not for SAML redirects")]
    Algorithm(SignatureAlgorithm),
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] SigningFailed),
}

/// Why a query is not a SAML redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryRefused {
    /// Neither `SAMLRequest` nor `SAMLResponse`.
    #[error("the query holds no SAML message")]
    NoMessage,
    /// Both `SAMLRequest` and `SAMLResponse`.
    #[error("the query holds a request and a response")]
    TwoMessages,
    /// A parameter of the binding twice: two readers could choose differently.
    #[error("the query holds {0} twice")]
    Twice(&'static str),
    /// A parameter of the binding whose name is percent-encoded: two readers could see different queries.
    #[error("the query spells {0} in an unusual way")]
    Spelling(&'static str),
    /// `SAMLEncoding` names something else than DEFLATE (section 3.4.4.1).
    #[error("the query's SAMLEncoding is not known")]
    Encoding,
    /// A value is not UTF-8 behind its percent-encoding.
    #[error("the query's {0} is not UTF-8")]
    NotUtf8(&'static str),
    /// `SigAlg` without `Signature`, or the other way round.
    #[error("the query holds half a signature")]
    HalfSigned,
}

impl QueryRefused {
    /// The stable name of the rule, for logs and reports.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::NoMessage => "query.message_missing",
            Self::TwoMessages => "query.message_count",
            Self::Twice(_) => "query.parameter_twice",
            Self::Spelling(_) => "query.parameter_name",
            Self::Encoding => "query.encoding",
            Self::NotUtf8(_) => "query.utf8",
            Self::HalfSigned => "query.half_signed",
        }
    }
}

const ENCODING_DEFLATE: &str = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE";
const KNOWN: [&str; 6] = ["SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature", "SAMLEncoding"];

/// A redirect's query as it came, its SAML parameters found but not decoded. Other parameters are none of ours.
#[derive(Clone, Copy)]
pub struct RedirectQuery<'q> {
    parameter: MessageParameter,
    message: &'q str,
    relay_state: Option<&'q str>,
    signature: Option<(&'q str, &'q str)>,
}

impl std::fmt::Debug for RedirectQuery<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RedirectQuery")
            .field("parameter", &self.parameter)
            .field("is_signed", &self.is_signed())
            .finish_non_exhaustive()
    }
}

impl<'q> RedirectQuery<'q> {
    /// Finds the SAML parameters of `query`, which is all after the `?`, undecoded.
    ///
    /// # Errors
    /// One [`QueryRefused`] for each rule.
    pub fn read(query: &'q str) -> Result<Self, QueryRefused> {
        let mut values: [Option<&'q str>; 6] = [None; 6];
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = decoded(name).unwrap_or_default();
            let Some((known, slot)) = KNOWN.iter().zip(&mut values).find(|(known, _)| **known == decoded)
            else {
                continue;
            };
            if name != *known {
                return Err(QueryRefused::Spelling(known));
            }
            if slot.replace(value).is_some() {
                return Err(QueryRefused::Twice(known));
            }
        }
        let [request, response, relay_state, algorithm, signature, encoding] = values;
        let (parameter, message) = match (request, response) {
            (Some(request), None) => (MessageParameter::Request, request),
            (None, Some(response)) => (MessageParameter::Response, response),
            (None, None) => return Err(QueryRefused::NoMessage),
            (Some(_), Some(_)) => return Err(QueryRefused::TwoMessages),
        };
        if encoding.is_some_and(|encoding| decoded(encoding).as_deref() != Some(ENCODING_DEFLATE)) {
            return Err(QueryRefused::Encoding);
        }
        let signature = match (algorithm, signature) {
            (None, None) => None,
            (Some(algorithm), Some(signature)) => Some((algorithm, signature)),
            _ => return Err(QueryRefused::HalfSigned),
        };
        for (name, value) in [(parameter.name(), Some(message)), ("RelayState", relay_state)] {
            if value.is_some_and(|value| decoded(value).is_none()) {
                return Err(QueryRefused::NotUtf8(name));
            }
        }
        Ok(Self { parameter, message, relay_state, signature })
    }

    /// Whether the query claims to be signed.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.signature.is_some()
    }

    /// Which message it carries.
    #[must_use]
    pub fn parameter(&self) -> MessageParameter {
        self.parameter
    }

    /// The message, still deflated and Base64. Nobody vouches for it: needed unverified to learn who claims to have sent it.
    #[must_use]
    pub fn unverified_message(&self) -> Cow<'q, str> {
        decoded(self.message).unwrap_or_default()
    }

    /// The relay state. Nobody vouches for it.
    #[must_use]
    pub fn unverified_relay_state(&self) -> Option<Cow<'q, str>> {
        self.relay_state.and_then(decoded)
    }

    /// Verifies the signature over the octets as they came, with one of `keys`.
    ///
    /// # Errors
    /// [`SignatureRefused`]; from outside all look alike (design decision 13).
    pub fn verify(
        &self,
        keys: &[PublicKey],
        policy: &AlgorithmPolicy,
    ) -> Result<Verified<SignedQuery>, SignatureRefused> {
        let (raw_algorithm, raw_signature) = self.signature.ok_or(SignatureRefused::NoSignature)?;
        let algorithm = allowed_algorithm(&decoded(raw_algorithm).unwrap_or_default(), *policy)?;
        let signature = decoded(raw_signature).ok_or(SignatureRefused::NotBase64)?;
        // Some senders break the value into lines.
        let signature: Vec<u8> = signature.bytes().filter(|octet| !matches!(octet, b'\r' | b'\n')).collect();
        let signature = STANDARD.decode(signature).map_err(|_| SignatureRefused::NotBase64)?;
        // Section 3.4.4.1: message, relay state if any, algorithm, in this order, whatever the order of the query.
        let mut signed = format!("{}={}", self.parameter.name(), self.message);
        if let Some(relay_state) = self.relay_state {
            signed.push_str("&RelayState=");
            signed.push_str(relay_state);
        }
        signed.push_str("&SigAlg=");
        signed.push_str(raw_algorithm);
        let mut able = keys.iter().filter(|key| key.supports(algorithm)).peekable();
        if able.peek().is_none() {
            return Err(SignatureRefused::NoKey { algorithm });
        }
        let holds = |key: &&PublicKey| {
            let octets = signed.as_bytes();
            key.verify(algorithm, octets, &signature).is_ok()
                || fixed_length(&signature, key)
                    .is_some_and(|signature| key.verify(algorithm, octets, &signature).is_ok())
        };
        let key = able.find(holds).ok_or(SignatureRefused::SignatureMismatch)?;
        Ok(Verified::vouched_for_by_a_verifier(SignedQuery {
            parameter: self.parameter,
            message: self.unverified_message().into_owned(),
            relay_state: self.unverified_relay_state().map(Cow::into_owned),
            algorithm,
            key: key.thumbprint(),
        }))
    }
}

/// What a key signed, decoded from the octets that it signed.
#[derive(Clone)]
pub struct SignedQuery {
    parameter: MessageParameter,
    message: String,
    relay_state: Option<String>,
    algorithm: SignatureAlgorithm,
    key: KeyThumbprint,
}

impl SignedQuery {
    /// Which message it is.
    #[must_use]
    pub fn parameter(&self) -> MessageParameter {
        self.parameter
    }

    /// The message, still deflated and Base64.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The relay state.
    #[must_use]
    pub fn relay_state(&self) -> Option<&str> {
        self.relay_state.as_deref()
    }

    /// The algorithm of the signature.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The key that signed.
    #[must_use]
    pub fn key(&self) -> KeyThumbprint {
        self.key
    }
}

impl std::fmt::Debug for SignedQuery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SignedQuery")
            .field("parameter", &self.parameter)
            .field("algorithm", &self.algorithm)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// An ECDSA signature in the ASN.1 form of RFC 3279, section 2.2.3, as the `r || s` that `key` verifies. Section 3.4.4.1 refers
/// to the algorithms of XML Signature, which are `r || s` and what we send; but senders that sign this binding with a plain
/// cryptographic library send ASN.1, and the two cannot be taken for each other.
fn fixed_length(der: &[u8], key: &PublicKey) -> Option<Vec<u8>> {
    let length = key.kind().coordinate_octets()?;
    let (sequence, rest) = der_element(der, 0x30)?;
    let (r, remaining) = der_element(sequence, 0x02)?;
    let (s, end) = der_element(remaining, 0x02)?;
    if !rest.is_empty() || !end.is_empty() {
        return None;
    }
    let mut fixed = Vec::with_capacity(2 * length);
    for number in [r, s] {
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        fixed.resize(fixed.len() + length.checked_sub(number.len())?, 0);
        fixed.extend_from_slice(number);
    }
    Some(fixed)
}

/// The content of the DER element with that tag that `octets` begin with, and what follows it. At most 255 octets long.
fn der_element(octets: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match octets.strip_prefix(&[tag])? {
        [0x81, length @ 0x80..=0xFF, rest @ ..] => (length, rest),
        [length @ 0x00..=0x7F, rest @ ..] => (length, rest),
        _ => return None,
    };
    rest.split_at_checked(usize::from(*length))
}

/// A value of a query: `+` is a space, `%XX` an octet. `None` if that is not UTF-8.
fn decoded(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.bytes().any(|octet| matches!(octet, b'+' | b'%')) {
        return Some(Cow::Borrowed(raw));
    }
    let spaced = raw.replace('+', " ");
    let text = percent_encoding::percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(Cow::Owned(text.into_owned()))
}

#[cfg(test)]
mod tests;
