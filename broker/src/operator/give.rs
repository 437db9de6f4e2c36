//! A file comes in: chosen, dropped, pasted, or by its address. What is no file of text is told at once, by its field; what is one gets its own page.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, StatusCode, header};

use super::{
    LARGEST_FILE, LARGEST_MEGABYTES, given,
    visit::{self, Instead, Visit},
};
use crate::{
    outbound::{NotFetched, Outbound, Wanted},
    page::{Argument, OperatorMessage, OperatorPage, Problem, SubmitView},
    server::{self, NotRead},
    wiring::Node,
};

/// The largest form that is read. More than the largest file, so that whoever gives one that is somewhat too large gets a page that says so: a
/// connection that ends while a browser still sends shows the browser's own.
const LARGEST_FORM: usize = 4 * LARGEST_FILE;
/// More pasted text than this is not sent back with what is wrong with it.
const MOST_SENT_BACK: usize = 16 * 1024;
/// For a file to be fetched.
const FETCHED_WITHIN: Duration = Duration::from_secs(20);
/// Files that one place may give in a minute, and at once.
const EACH_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// How many files each place gave lately, on this node.
pub(crate) struct Counters(DefaultKeyedRateLimiter<String>);

impl Counters {
    /// Nobody has given any.
    pub(crate) fn new() -> Self {
        Self(RateLimiter::keyed(Quota::per_minute(EACH_MINUTE)))
    }

    /// Counts one; `false`: there are too many.
    fn counts(&self, invitation: &str) -> bool {
        self.0.check_key(&invitation.to_owned()).is_ok()
    }

    /// Forgets those that are quiet.
    pub(crate) fn tidy(&self) {
        self.0.retain_recent();
    }
}

/// GET `/operator/submit`
pub(super) async fn show(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    match Visit::of(&node, &headers).await {
        Ok(visit) => form(&node, &visit, StatusCode::OK, None, &Came::default()),
        Err(instead) => *instead,
    }
}

/// POST `/operator/submit`
pub(super) async fn give(State(node): State<Arc<Node>>, request: Request<Body>) -> Response {
    taken(&node, request).await.unwrap_or_else(|instead| *instead)
}

/// What a form brought.
#[derive(Default)]
struct Came {
    token: String,
    file: Vec<u8>,
    file_name: String,
    url: String,
    text: String,
}

async fn taken(node: &Node, request: Request<Body>) -> Result<Response, Instead> {
    let headers = request.headers().clone();
    let visit = Visit::of(node, &headers).await?;
    let refused = |field, key: &str, came: &Came| {
        let megabytes = i64::try_from(LARGEST_MEGABYTES).unwrap_or_default();
        let text =
            node.pages.operator_text(&visit.language, key, &[("megabytes", Argument::Number(megabytes))]);
        form(node, &visit, StatusCode::UNPROCESSABLE_ENTITY, Some(Problem { field, text }), came)
    };
    let none = Came::default();
    let octets = match server::body(request.into_body(), LARGEST_FORM).await {
        Ok(octets) => octets,
        Err(NotRead::TooLarge(_)) => return Ok(refused("file", "operator-give-large", &none)),
        Err(NotRead::NoRoom) => return Ok(refused("file", "operator-give-room", &none)),
        Err(NotRead::TooSlow | NotRead::Broken) => return Ok(refused("file", "operator-give-slow", &none)),
    };
    let Some(mut came) = parts(&headers, octets).await else {
        return Ok(refused("file", "operator-give-broken", &none));
    };
    if !visit.is_own_form(node, &headers, &came.token) {
        return Err(visit.message(node, OperatorMessage::Form));
    }
    let text = came.text.trim();
    let given = [!came.file.is_empty() || !came.file_name.is_empty(), !came.url.is_empty(), !text.is_empty()];
    match given.iter().filter(|given| **given).count() {
        0 => return Ok(refused("file", "operator-give-nothing", &came)),
        1 => {}
        _ => return Ok(refused("file", "operator-give-several", &came)),
    }
    if !node.given.counts(&visit.invitation.id) {
        return Ok(refused("file", "operator-give-room", &came));
    }
    let (field, name, octets) = if !came.url.is_empty() {
        match fetched(node, &came.url).await {
            Ok(octets) => ("url", came.url.clone(), octets),
            Err(not_fetched) => {
                let text = fetch_words(node, &visit, &came.url, &not_fetched);
                let problem = Problem { field: "url", text };
                return Ok(form(node, &visit, StatusCode::UNPROCESSABLE_ENTITY, Some(problem), &came));
            }
        }
    } else if text.is_empty() {
        ("file", came.file_name.clone(), std::mem::take(&mut came.file))
    } else {
        (
            "text",
            node.pages.operator_text(&visit.language, "operator-text-label", &[]),
            text.as_bytes().to_vec(),
        )
    };
    if let Err(key) = is_text(&octets) {
        return Ok(refused(field, key, &came));
    }
    let kept = given::keep(node, &visit, &name, &octets).await;
    let handle = kept.map_err(|error| visit::away(node, &visit.language, &error, false))?;
    Ok(visit.onward(node, &format!("/operator/file/{}", handle.as_str())))
}

/// The fields of a form of several parts (RFC 7578), which is read whole already and bounded.
async fn parts(headers: &HeaderMap, octets: Vec<u8>) -> Option<Came> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let boundary = multer::parse_boundary(content_type).ok()?;
    let mut fields = multer::Multipart::new(Body::from(octets).into_data_stream(), boundary);
    let mut came = Came::default();
    // One of ours has four fields.
    for _ in 0..8 {
        let Some(field) = fields.next_field().await.ok()? else { return Some(came) };
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().unwrap_or_default().to_owned();
        let value = field.bytes().await.ok()?;
        let text = || String::from_utf8_lossy(&value).trim().to_owned();
        match name.as_str() {
            "token" => came.token = text(),
            "url" => came.url = text(),
            "text" => came.text = String::from_utf8_lossy(&value).into_owned(),
            // A browser sends an empty part without a name where no file was chosen.
            "file" => (came.file, came.file_name) = (value.to_vec(), file_name),
            _ => {}
        }
    }
    None
}

/// Whether octets are a file that a person could read; else the text that says why not.
fn is_text(octets: &[u8]) -> Result<(), &'static str> {
    if octets.trim_ascii().is_empty() {
        return Err("operator-give-empty");
    }
    if octets.len() > LARGEST_FILE {
        return Err("operator-give-large");
    }
    if octets.starts_with(&[0xFF, 0xFE]) || octets.starts_with(&[0xFE, 0xFF]) {
        return Err("operator-give-not-utf8");
    }
    // Archives, documents and pictures have octets that no text has, near their beginning.
    let beginning = octets.get(..octets.len().min(1024)).unwrap_or_default();
    if beginning.iter().any(|octet| matches!(octet, 0..=8 | 14..=26 | 28..=31)) {
        return Err("operator-give-binary");
    }
    std::str::from_utf8(octets).map(|_| ()).map_err(|_| "operator-give-not-utf8")
}

/// A file by its address, by the one client that calls out: the address is somebody's word, and may lead anywhere.
async fn fetched(node: &Node, url: &str) -> Result<Vec<u8>, NotFetched> {
    let client = Outbound::of(&node.config.file.outbound)
        .map_err(|cause| NotFetched::Unreachable { host: url.to_owned(), cause })?;
    client
        .fetch(Wanted {
            url,
            accept: "application/samlmetadata+xml, application/xml;q=0.9, application/json;q=0.9, */*;q=0.1",
            largest: LARGEST_FILE,
            redirects: 3,
            within: FETCHED_WITHIN,
        })
        .await
}

fn fetch_words(node: &Node, visit: &Visit, url: &str, not_fetched: &NotFetched) -> String {
    // What the person wrote, so far as it names a host; nothing of what came, and no address inside anybody's network.
    let named = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = named.as_deref().unwrap_or(url);
    let mut arguments = vec![
        ("host", Argument::Text(host)),
        ("url", Argument::Text(url)),
        ("megabytes", Argument::Number(i64::try_from(LARGEST_MEGABYTES).unwrap_or_default())),
    ];
    let key = match not_fetched {
        NotFetched::Address(_) => "operator-fetch-address",
        NotFetched::NotPublic { .. } => "operator-fetch-not-public",
        NotFetched::Unresolved(_) => "operator-fetch-unresolved",
        NotFetched::Unreachable { .. } => "operator-fetch-unreachable",
        NotFetched::Status { status, .. } => {
            arguments.push(("status", Argument::Number(i64::from(*status))));
            "operator-fetch-status"
        }
        NotFetched::Redirect(_) => "operator-fetch-redirect",
        NotFetched::TooLarge { .. } => "operator-fetch-large",
        NotFetched::Encoding(_) => "operator-fetch-encoding",
        NotFetched::TooSlow(_) => "operator-fetch-slow",
    };
    node.pages.operator_text(&visit.language, key, &arguments)
}

fn form(node: &Node, visit: &Visit, status: StatusCode, problem: Option<Problem>, came: &Came) -> Response {
    let view = SubmitView {
        organisation: super::place::organisation_name(node, visit),
        token: visit.token(node),
        megabytes: LARGEST_MEGABYTES,
        problem,
        url: came.url.clone(),
        text: if came.text.len() <= MOST_SENT_BACK { came.text.clone() } else { String::new() },
    };
    visit.page(node, status, OperatorPage::Submit(&view))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::{LARGEST_FILE, is_text, parts};

    #[test]
    fn what_is_no_file_of_text_is_told_by_what_it_is() {
        assert_eq!(is_text(b"<md:EntityDescriptor/>"), Ok(()));
        assert_eq!(is_text("{\"client_name\": \"Örnen\"}\r\n\t".as_bytes()), Ok(()));
        assert_eq!(is_text(b" \n"), Err("operator-give-empty"));
        assert_eq!(is_text(b"PK\x03\x04 an archive"), Err("operator-give-binary"));
        assert_eq!(is_text(b"%PDF-1.7\n\x00\x01"), Err("operator-give-binary"));
        assert_eq!(is_text(b"<a>\xe5</a>"), Err("operator-give-not-utf8"));
        assert_eq!(is_text(b"\xff\xfe<\x00a\x00"), Err("operator-give-not-utf8"));
        assert_eq!(is_text(&vec![b'a'; LARGEST_FILE + 1]), Err("operator-give-large"));
        assert_eq!(is_text(&vec![b'a'; LARGEST_FILE]), Ok(()));
    }

    #[tokio::test]
    async fn a_form_of_several_parts_is_read_and_another_is_not() {
        let mut headers = HeaderMap::new();
        let typed = HeaderValue::from_static("multipart/form-data; boundary=X");
        headers.insert(header::CONTENT_TYPE, typed);
        let body = "--X\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc\r\n--X\r\nContent-Disposition: form-data; \
                    name=\"file\"; filename=\"idp.xml\"\r\nContent-Type: text/xml\r\n\r\n<a/>\r\n--X--\r\n";
        let came = parts(&headers, body.as_bytes().to_vec()).await.expect("a form");
        assert_eq!(
            (came.token.as_str(), came.file_name.as_str(), came.file.as_slice()),
            ("abc", "idp.xml", &b"<a/>"[..])
        );
        assert!(
            parts(&headers, b"--X\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc".to_vec())
                .await
                .is_none()
        );
        let many = "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n".repeat(9) + "--X--\r\n";
        assert!(parts(&headers, many.into_bytes()).await.is_none(), "nine fields");
        assert!(parts(&HeaderMap::new(), body.as_bytes().to_vec()).await.is_none(), "no type");
    }
}
