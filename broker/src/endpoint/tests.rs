//! Every address of a node that has just started, as a browser and an attacker meet it: before anybody is registered.

use std::{path::Path, sync::Arc};

use axum::{Router, body::Body, response::Response};
use broker_core::{failure::FailureCode, identifier::RelyingPartyId};
use broker_store::{embedded, record::Handle};
use certs::key_directory::{Creation, KeyDirectory, SigningKeys};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use tower::ServiceExt;

use super::{
    LONGEST_QUERY, Largest, inbound,
    notice::{NoticeName, from_own_page},
};
use crate::{
    config::Config,
    cookie::LoginCookie,
    moment::{moment, now, system_time},
    route,
    wiring::Node,
};

const ISSUER: &str = "http://localhost:8080";

/// A node that has not looked at its store yet.
fn node(folder: &Path) -> Arc<Node> {
    let text = format!(
        "issuer = \"{ISSUER}\"\nlisten = \"127.0.0.1:8080\"\nkeys = \"keys\"\n\n[store]\nurl = \"embedded:registry.redb\"\n"
    );
    let config = Config::parse(&folder.join("sparvidd.toml"), &text).expect("a configuration");
    let creation = Creation { name: "localhost", signing_keys: SigningKeys::P256, certificate_days: 30 };
    let keys = KeyDirectory::init(&folder.join("keys"), creation, system_time()).expect("keys");
    let (store, _socket) =
        embedded::open_for_serve(&folder.join("registry.redb"), embedded::machine_clock()).expect("a store");
    Node::new(config, keys, store).expect("a node")
}

async fn ask(router: &Router, method: &str, address: &str, form: Option<&str>) -> Response {
    let request = Request::builder().method(method).uri(address);
    let request = match form {
        Some(form) => request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned())),
        None => request.body(Body::empty()),
    };
    router.clone().oneshot(request.expect("a request")).await.expect("an answer")
}

/// The failure whose page an answer leads to.
fn failure(node: &Node, answer: &Response) -> FailureCode {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let path = answer.headers()[header::LOCATION].to_str().expect("ASCII");
    let sealed = path.strip_prefix("/failed/").unwrap_or_else(|| panic!("{path} is no failure"));
    node.failed.open(sealed, now()).expect("our own seal").code
}

#[tokio::test]
async fn a_node_that_has_not_read_the_registry_does_not_say_that_nobody_is_registered() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    let router = route::router(node.clone());
    let request = "/oidc/authorize?client_id=journal&redirect_uri=https%3A%2F%2Frp.example%2F&response_type=code&scope=openid";
    let answer = ask(&router, "GET", request, None).await;
    assert_eq!(failure(&node, &answer), FailureCode::RegistryStale);
    let page = answer.headers()[header::LOCATION].to_str().expect("ASCII").to_owned();
    let page = ask(&router, "GET", &page, None).await;
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(ask(&router, "GET", "/health", None).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    // The genuine twin: it has looked, and there is nobody.
    node.refresh().await.expect("its own keys");
    assert_eq!(failure(&node, &ask(&router, "GET", request, None).await), FailureCode::RelyingPartyUnknown);
    assert_eq!(ask(&router, "GET", "/health", None).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn documents_serve_while_the_store_is_unread_and_nobody_keeps_half_of_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    let router = route::router(node.clone());
    let kept =
        |answer: &Response| answer.headers()[header::CACHE_CONTROL].to_str().expect("ASCII").to_owned();
    let discovery = ask(&router, "GET", "/.well-known/openid-configuration", None).await;
    assert_eq!((discovery.status(), kept(&discovery).as_str()), (StatusCode::OK, "no-store"));
    assert_eq!(ask(&router, "GET", "/saml/metadata", None).await.status(), StatusCode::OK);
    assert_eq!(ask(&router, "GET", "/oidc/jwks", None).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    node.refresh().await.expect("its own keys");
    let discovery = ask(&router, "GET", "/.well-known/openid-configuration", None).await;
    assert_eq!((discovery.status(), kept(&discovery).as_str()), (StatusCode::OK, "public, max-age=300"));
    assert_eq!(ask(&router, "GET", "/oidc/jwks", None).await.status(), StatusCode::OK);
}

/// `<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"/>`
const ANSWERS_NOTHING: &str =
    "SAMLResponse=PHA6UmVzcG9uc2UgeG1sbnM6cD0idXJuOm9hc2lzOm5hbWVzOnRjOlNBTUw6Mi4wOnByb3RvY29sIi8%2B";

#[tokio::test]
async fn no_address_ends_in_a_blank_page_and_each_answer_is_guarded() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    node.refresh().await.expect("its own keys");
    let router = route::router(node.clone());
    let missing = FailureCode::CookieMissing;
    for (method, address, form, expected) in [
        ("GET", "/login/AAAAAAAA", None, missing),
        ("GET", "/login/AAAAAAAA?q=a&q=b", None, missing),
        ("GET", "/login/AAAAAAAA/choose", None, missing),
        ("GET", "/login/%C3%A5/choose?provider=", None, missing),
        ("GET", "/login/AAAAAAAA/cancel", None, missing),
        ("GET", "/login/AAAAAAAA/notice/AAAAAAAA", None, missing),
        ("POST", "/login/AAAAAAAA/notice/AAAAAAAA", Some("decision=accept&token=AAAA"), missing),
        ("POST", "/saml/acs", Some("SAMLResponse=AAAA"), FailureCode::MessageMalformed),
        ("POST", "/saml/acs", Some(ANSWERS_NOTHING), FailureCode::Unsolicited),
        ("POST", "/saml/other/acs", Some(ANSWERS_NOTHING), FailureCode::Unsolicited),
        ("POST", "/saml/acs", None, FailureCode::MessageMalformed),
        ("POST", "/oidc/authorize", Some("client_id=%FF"), FailureCode::RequestMalformed),
    ] {
        let answer = ask(&router, method, address, form).await;
        assert_eq!(failure(&node, &answer), expected, "{method} {address}");
    }
    for (method, address, status) in [
        ("GET", "/", StatusCode::OK),
        ("GET", "/nowhere", StatusCode::NOT_FOUND),
        ("GET", "/failed/AAAA", StatusCode::NOT_FOUND),
        ("GET", "/saml/acs", StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "/", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let answer = ask(&router, method, address, None).await;
        assert_eq!(answer.status(), status, "{method} {address}");
        let headers = answer.headers().clone();
        assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8", "{method} {address}");
        assert_eq!(headers[header::X_FRAME_OPTIONS], "DENY");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        assert!(String::from_utf8_lossy(&body).contains("<h1"), "{method} {address}");
    }
}

#[tokio::test]
async fn the_machines_endpoints_refuse_with_the_status_that_fits() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    let router = route::router(node.clone());
    let token = "grant_type=authorization_code&code=x&client_id=a&client_secret=b";
    assert_eq!(
        ask(&router, "POST", "/oidc/token", Some(token)).await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(ask(&router, "GET", "/oidc/userinfo", None).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    node.refresh().await.expect("its own keys");
    assert_eq!(ask(&router, "POST", "/oidc/token", Some(token)).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&router, "POST", "/oidc/token", None).await.status(), StatusCode::BAD_REQUEST);
    for method in ["GET", "POST"] {
        let answer = ask(&router, method, "/oidc/userinfo", None).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{method}");
        assert!(answer.headers().contains_key(header::WWW_AUTHENTICATE));
    }
}

#[tokio::test]
async fn a_decision_is_on_one_notice_in_one_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    let tag = || node.origins.tag(&RelyingPartyId::from("journal"));
    let (own, other) = (LoginCookie::new(moment(), tag()), LoginCookie::new(moment(), tag()));
    let (trip, later) = (Handle::new(moment()), Handle::new(moment()));
    let name = |cookie, trip| NoticeName::of_trip(&node, cookie, trip).expect("a name");
    let shown = name(&own, &trip);
    let token = shown.token(&node);
    assert!(shown.is_decided_by(&node, &token));
    assert!(name(&own, &trip).is_decided_by(&node, &token), "the same notice, found again");
    assert!(!name(&own, &later).is_decided_by(&node, &token), "another notice of the same login");
    assert!(!name(&other, &trip).is_decided_by(&node, &token), "another browser");
    for forged in ["", "AAAA", "å", token.get(1..).unwrap_or_default()] {
        assert!(!shown.is_decided_by(&node, forged));
    }
    let path = shown.path(&own);
    assert!(
        !path.contains(trip.as_str()) && !path.contains(own.secret().as_str()),
        "handles stay out of addresses"
    );
    for tag in ["", "short", "ååååå", "much-too-long"] {
        assert!(NoticeName::of_tag(&node, &own, tag).is_none(), "{tag}");
    }
}

#[tokio::test]
async fn a_decision_from_another_sites_page_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = node(folder.path()).config.clone();
    let sent = |pairs: &[(&'static str, &'static str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        from_own_page(&headers, &config)
    };
    assert!(sent(&[]), "an old browser says nothing");
    assert!(
        sent(&[("sec-fetch-site", "same-origin"), ("origin", "null")]),
        "as Chromium and Firefox send it"
    );
    assert!(sent(&[("origin", ISSUER)]));
    assert!(sent(&[("sec-fetch-site", "none")]), "sent again by the person");
    for bad in ["cross-site", "same-site", "anything"] {
        assert!(!sent(&[("sec-fetch-site", bad)]), "{bad}");
    }
    for bad in ["https://evil.example", "http://localhost", "http://localhost:8080.evil.example"] {
        assert!(!sent(&[("origin", bad)]), "{bad}");
    }
}

const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

async fn read(
    method: &str,
    address: &str,
    content_type: &str,
    body: Vec<u8>,
) -> Result<(bool, Option<usize>), FailureCode> {
    let mut request = Request::builder().method(method).uri(address);
    if !content_type.is_empty() {
        request = request.header("content-type", content_type);
    }
    let request = request.body(Body::from(body)).expect("a request");
    let read = inbound(request, Largest::ANSWER).await.map_err(|failure| failure.code)?.0;
    Ok((read.query.is_some(), read.form.map(|form| form.len())))
}

#[tokio::test]
async fn a_form_is_read_and_nothing_else() {
    assert_eq!(read("POST", "/", FORM, b"a=1".to_vec()).await, Ok((false, Some(3))));
    assert_eq!(
        read("POST", "/", "application/json", b"{}".to_vec()).await,
        Err(FailureCode::RequestMalformed)
    );
    assert_eq!(read("POST", "/", "", b"a=1".to_vec()).await, Err(FailureCode::RequestMalformed));
    assert_eq!(read("POST", "/", "", Vec::new()).await, Ok((false, None)), "an empty one says nothing wrong");
    assert_eq!(read("GET", "/?a=1", "", b"a=1".to_vec()).await, Ok((true, None)));
}

#[tokio::test]
async fn what_is_read_is_bounded() {
    assert_eq!(
        read("POST", "/", FORM, vec![b'a'; Largest::ANSWER.0]).await,
        Ok((false, Some(Largest::ANSWER.0)))
    );
    assert_eq!(
        read("POST", "/", FORM, vec![b'a'; Largest::ANSWER.0 + 1]).await,
        Err(FailureCode::RequestMalformed)
    );
    let query = |length| format!("/?{}", "a".repeat(length));
    assert_eq!(read("GET", &query(LONGEST_QUERY), "", Vec::new()).await, Ok((true, None)));
    assert_eq!(
        read("GET", &query(LONGEST_QUERY + 1), "", Vec::new()).await,
        Err(FailureCode::RequestMalformed)
    );
}
