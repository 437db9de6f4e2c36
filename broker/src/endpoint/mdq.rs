//! Metadata of the federation, for whoever asks: by entity (Metadata Query Protocol, draft-young-md-query and -saml), and all of it.

use std::{
    io::{Cursor, Read as _},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::body::{Frame, SizeHint};

use crate::{
    feed::{Document, Snapshot},
    moment,
    wiring::Node,
};

const MEDIA_TYPE: &str = "application/samlmetadata+xml";
/// Seconds that "there is none" may be remembered.
const NONE_KEPT: u32 = 60;
/// Octets that are inflated at a time.
const CHUNK: usize = 32 * 1024;
/// SAML Core 8.3.6: no entity ID is longer; encoded, each may be three octets a character.
const LONGEST: usize = 1024;

/// GET `/mdq/entities/{id}`
pub(crate) async fn entity(
    State(node): State<Arc<Node>>,
    asked: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let Some(snapshot) = feed(&node) else { return none() };
    let Ok(Path(asked)) = asked else {
        return plain(StatusCode::BAD_REQUEST, "The identifier is not percent-encoded UTF-8.");
    };
    let digest = asked.strip_prefix("{sha1}");
    let is_digest =
        |text: &str| text.len() == 40 && text.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'));
    if asked.is_empty() || asked.len() > LONGEST {
        return plain(StatusCode::BAD_REQUEST, "The identifier is empty or longer than an entity ID may be.");
    }
    if digest.is_some_and(|digest| !is_digest(digest)) || (digest.is_none() && asked.starts_with('{')) {
        return plain(
            StatusCode::BAD_REQUEST,
            "Ask by the entity ID, or by {sha1} and 40 lower-case hexadecimal digits.",
        );
    }
    let found = snapshot.entity(&asked, &node.registry.any(), moment::now());
    answer(found.as_deref(), &snapshot, &node, &headers)
}

/// GET `/mdq/entities`, `/metadata/all.xml`
pub(crate) async fn all(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    let Some(snapshot) = feed(&node) else { return none() };
    answer(snapshot.all.as_deref(), &snapshot, &node, &headers)
}

/// GET `/metadata/idps.xml`
pub(crate) async fn providers(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    let Some(snapshot) = feed(&node) else { return none() };
    answer(snapshot.providers.as_deref(), &snapshot, &node, &headers)
}

/// GET `/metadata/signing.crt`: the certificate of the key that signs metadata, PEM.
pub(crate) async fn signing_certificate(State(node): State<Arc<Node>>) -> Response {
    match node.keys.metadata_signing_certificate() {
        Some(pem) => crate::respond::document("application/x-pem-file", pem, 300),
        None => none(),
    }
}

/// GET `/metadata/next.crt`: that of the key that will sign next, while a rollover is under way.
pub(crate) async fn next_certificate(State(node): State<Arc<Node>>) -> Response {
    match node.keys.next_metadata_signing_certificate() {
        Some(pem) => crate::respond::document("application/x-pem-file", pem, 300),
        None => none(),
    }
}

/// What is published; `None`: this node publishes nothing.
fn feed(node: &Node) -> Option<Arc<Snapshot>> {
    node.config.file.publish.as_ref().filter(|section| section.feed)?;
    Some(node.feed.now())
}

fn answer(found: Option<&Document>, snapshot: &Snapshot, node: &Node, headers: &HeaderMap) -> Response {
    if !accepts(headers) {
        return plain(StatusCode::NOT_ACCEPTABLE, "There is this as application/samlmetadata+xml alone.");
    }
    let now = moment::now();
    let Some(document) = found.filter(|document| document.valid_until > now) else {
        if snapshot.is_whole {
            return none();
        }
        let mut later = plain(StatusCode::SERVICE_UNAVAILABLE, "The documents are being made.");
        later.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        return later;
    };
    let zipped = takes_gzip(headers);
    let tag = |zipped: bool| format!("\"{}{}\"", document.tag, if zipped { "-gzip" } else { "" });
    let cache = node.config.file.publish.as_ref().map_or(0, |section| i64::from(section.cache_seconds));
    let kept = cache.min(document.valid_until.since(now)).max(0);
    let unchanged = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == "*" || one == tag(true) || one == tag(false));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else if zipped {
        let mut response = Response::new(Body::from(document.compressed.clone()));
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response
    } else {
        Response::new(Body::new(Inflating {
            decoder: GzDecoder::new(Cursor::new(document.compressed.clone())),
            left: document.length,
        }))
    };
    let fields = [
        (header::CONTENT_TYPE, MEDIA_TYPE.to_owned()),
        (header::ETAG, tag(zipped)),
        (header::CACHE_CONTROL, format!("public, max-age={kept}")),
        (header::VARY, "Accept-Encoding".to_owned()),
    ];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn none() -> Response {
    plain(StatusCode::NOT_FOUND, "There is no such entity here.")
}

fn plain(status: StatusCode, words: &'static str) -> Response {
    let mut response = crate::respond::document("text/plain; charset=utf-8", words, NONE_KEPT);
    *response.status_mut() = status;
    if status != StatusCode::NOT_FOUND {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// The items of a list such as Accept, without those that are refused by a weight of zero (RFC 9110, section 12.4.2).
fn listed(headers: &HeaderMap, name: header::HeaderName) -> Vec<String> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|item| {
            let mut parts = item.split(';').map(|part| part.trim().to_ascii_lowercase());
            let name = parts.next()?;
            let refused = parts.any(|part| {
                part.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|weight| weight <= 0.0))
            });
            (!refused && !name.is_empty()).then_some(name)
        })
        .collect()
}

fn accepts(headers: &HeaderMap) -> bool {
    !headers.contains_key(header::ACCEPT)
        || listed(headers, header::ACCEPT)
            .iter()
            .any(|range| [MEDIA_TYPE, "application/*", "*/*"].contains(&range.as_str()))
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    listed(headers, header::ACCEPT_ENCODING).iter().any(|coding| coding == "gzip" || coding == "*")
}

/// A document that is inflated as fast as it is taken, and lies in memory compressed alone.
struct Inflating {
    decoder: GzDecoder<Cursor<Bytes>>,
    left: u64,
}

impl hyper::body::Body for Inflating {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut chunk = vec![0; CHUNK];
        Poll::Ready(match self.decoder.read(&mut chunk) {
            Ok(0) => Some(Err(std::io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => {
                chunk.truncate(read);
                self.left = self.left.saturating_sub(read as u64);
                Some(Ok(Frame::data(Bytes::from(chunk))))
            }
            Err(error) => Some(Err(error)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
