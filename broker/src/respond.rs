//! What leaves as HTTP: one set of security headers, and the two ways on from a page.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::{CONTROLS, utf8_percent_encode};

/// A page.
pub(crate) fn html(status: StatusCode, page: crate::page::Html) -> Response {
    let mut response = (status, page.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_str(&page.csp).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'")),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 303, so that a POST becomes a GET and no body follows (RFC 9700 section 4.12).
pub(crate) fn see_other(url: &str) -> Response {
    // What an address may not hold in a header, line ends above all, is encoded: nothing can end the header, and no browser minds.
    let address = utf8_percent_encode(url, CONTROLS).to_string();
    match HeaderValue::from_str(&address) {
        Ok(location) => {
            let mut response = StatusCode::SEE_OTHER.into_response();
            response.headers_mut().insert(header::LOCATION, location);
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A document for machines, cacheable for `seconds`; 0: not at all.
pub(crate) fn document(content_type: &'static str, body: impl Into<Body>, seconds: u32) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    let cache = if seconds == 0 { "no-store".to_owned() } else { format!("public, max-age={seconds}") };
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_str(&cache).unwrap_or(HeaderValue::from_static("no-store")),
    );
    response
}

/// JSON that nobody may keep (RFC 6749 section 5.1).
pub(crate) fn json_no_store(status: u16, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// Adds to every answer what keeps a page from being framed, sniffed or leaked by its address.
pub(crate) fn secure(mut response: Response, https: bool) -> Response {
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.entry(name).or_insert(value);
        }
    }
    if https {
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"));
    response
}

#[cfg(test)]
mod tests {
    use http::{StatusCode, header};

    use super::see_other;

    #[test]
    fn an_address_ends_no_header() {
        let location = |url: &str| {
            let response = see_other(url);
            assert_eq!(response.status(), StatusCode::SEE_OTHER);
            response.headers().get(header::LOCATION).expect("a location").to_str().expect("ASCII").to_owned()
        };
        assert_eq!(location("https://rp.example/cb?a=b%20c&code=x"), "https://rp.example/cb?a=b%20c&code=x");
        assert_eq!(
            location("https://rp.example/\r\nSet-Cookie: a=b"),
            "https://rp.example/%0D%0ASet-Cookie: a=b"
        );
        assert_eq!(location("https://rp.example/återkomst"), "https://rp.example/%C3%A5terkomst");
    }
}
