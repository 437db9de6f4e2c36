//! HTTP for the demo's parties: a small caller, cookies, and the headers of their pages.
//!
//! The parties talk to the broker over loopback HTTP and in no other way. Names under `.localhost` are this machine (RFC 6761 section
//! 6.3); not every resolver knows that, so the caller connects to 127.0.0.1 itself and refuses every other host.

use std::{fmt, net::Ipv4Addr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use url::Url;

/// No answer of the broker is larger, in octets.
const LARGEST_ANSWER: usize = 256 * 1024;
/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// Its status.
    pub(super) status: StatusCode,
    /// Its media type without parameters, lower case; empty when it says none.
    pub(super) media_type: String,
    /// Its body.
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct CallFailed {
    /// What was called.
    url: String,
    /// What happened.
    what: String,
}

impl fmt::Display for CallFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.url, self.what)
    }
}

/// Fetches a document.
///
/// # Errors
/// When nobody answers in time, or with more than 256 KiB.
pub(super) async fn get(url: &str, authorization: Option<&str>) -> Result<Answer, CallFailed> {
    call(Method::GET, url, authorization, Bytes::new()).await
}

/// Posts a form.
///
/// # Errors
/// As [`get`].
pub(super) async fn post_form(url: &str, fields: &[(&str, &str)]) -> Result<Answer, CallFailed> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    call(Method::POST, url, None, Bytes::from(body)).await
}

async fn call(
    method: Method,
    url: &str,
    authorization: Option<&str>,
    body: Bytes,
) -> Result<Answer, CallFailed> {
    let failed = |what: String| CallFailed { url: url.to_owned(), what };
    let answer = exchange(method, url, authorization, body);
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(failed),
        Err(_) => Err(failed(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

async fn exchange(
    method: Method,
    url: &str,
    authorization: Option<&str>,
    body: Bytes,
) -> Result<Answer, String> {
    let parsed = Url::parse(url).map_err(|error| error.to_string())?;
    let host = parsed.host_str().unwrap_or_default();
    if parsed.scheme() != "http" || !(host == "localhost" || host.ends_with(".localhost")) {
        return Err("the demo calls http addresses under .localhost alone".to_owned());
    }
    let port = parsed.port().unwrap_or(80);
    #[expect(
        clippy::disallowed_methods,
        reason = "a demo party stands for another machine: it has a caller of its own"
    )]
    let stream = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    // Ends by itself when the answer is read and the sender dropped.
    tokio::spawn(connection);
    let target = &parsed[url::Position::BeforePath..url::Position::AfterQuery];
    let mut request =
        Request::builder().method(&method).uri(target).header(header::HOST, format!("{host}:{port}"));
    if method == Method::POST {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = response.status();
    let media_type = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase())
        .unwrap_or_default();
    let body = Limited::new(response.into_body(), LARGEST_ANSWER)
        .collect()
        .await
        .map_err(|error| error.to_string())?
        .to_bytes();
    Ok(Answer { status, media_type, body })
}

/// The value of a cookie that a request carries.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("xid=1; id=2;id2=3"));
        assert_eq!(super::cookie(&headers, "id").as_deref(), Some("2"));
        assert_eq!(super::cookie(&headers, "nothing"), None);
    }

    #[tokio::test]
    async fn nothing_outside_this_machine_is_called() {
        for url in
            ["http://example.org/", "https://broker.localhost/", "http://localhost.example/", "file:///etc"]
        {
            assert!(super::get(url, None).await.is_err(), "{url}");
        }
    }
}
