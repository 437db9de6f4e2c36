//! What strangers send, bent at random: fuzz targets, their corpus, and a plain test that replays it.
//!
//! | target | what it is given | what holds beyond "nothing panics" |
//! |---|---|---|
//! | `message` | a posted SAML Response, or one to be signed first | what is accepted stands in octets that were signed |
//! | `metadata` | SAML metadata | what is added without errors can be put into a registry |
//! | `aggregate` | a signed metadata file, or one to be signed first | read piece by piece and read whole, it is the same |
//! | `redirect_query` | a query with an AuthnRequest, or one to be signed first | what verifies is what was signed |
//! | `client_metadata` | a relying party's JSON | as `metadata`; what is kept holds no secret |
//! | `client_assertion` | a token request with an assertion, or one to be signed first | who is let in proved it, for us and for now |
//! | `authorization_request` | an OpenID Connect authentication request | nobody is sent to an address that is not registered |
//!
//! Each body is a plain function here; `targets/` ties it to the engine (feature `libfuzzer`), `run` builds that with instrumented
//! code on a stable compiler, and `tests/replay.rs` replays `corpus/` and bends it a little without an engine. The first octet of an
//! input often says how the rest is meant, in a letter, so that inputs stay readable.
//!
//! Nobody can guess a signature, so most targets can also sign what they are given with the peer's own key: that is the way to
//! everything behind the signature. Neighbour: `tests/second-opinion`, which bends signed messages with an eye to their structure.

pub mod aggregate;
pub mod authorization_request;
pub mod client_assertion;
pub mod client_metadata;
pub mod message;
pub mod metadata_file;
pub mod redirect_query;
pub mod scene;
pub mod seeds;
mod sign;
mod xml;

/// The body of a target: it panics when something that must hold does not.
pub type Body = fn(&[u8]);

/// Every target, by the name of its executable and of its folder in `corpus/`.
pub const TARGETS: [(&str, Body); 7] = [
    ("message", message::body),
    ("metadata", metadata_file::body),
    ("aggregate", aggregate::body),
    ("redirect_query", redirect_query::body),
    ("client_metadata", client_metadata::body),
    ("client_assertion", client_assertion::body),
    ("authorization_request", authorization_request::body),
];

/// Splits an input into the letter that says how it is meant and the rest; any octet counts as one of `letters`.
fn meant<'i>(octets: &'i [u8], letters: &[u8]) -> Option<(u8, &'i [u8])> {
    let (first, rest) = octets.split_first()?;
    let letter = letters.iter().find(|letter| *letter == first);
    letter.or_else(|| letters.get(usize::from(*first) % letters.len())).map(|letter| (*letter, rest))
}
