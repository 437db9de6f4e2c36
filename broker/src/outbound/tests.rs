//! The client against servers of this machine that do what they should not.

use std::{
    io::Write as _,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Allowed, NotFetched, Outbound, Resolve, Wanted};

/// Names that are whatever a test says, one answer after the other; the last one stays.
#[derive(Default)]
struct Names {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: Arc<AtomicUsize>,
}

impl Names {
    fn new(answers: &[&[&str]]) -> Self {
        let parsed = |all: &&[&str]| all.iter().map(|text| text.parse().expect("an address")).collect();
        Self { answers: Mutex::new(answers.iter().map(parsed).collect()), asked: Arc::default() }
    }
}

impl Resolve for Names {
    fn resolve<'a>(
        &'a self,
        _host: &'a str,
    ) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'a>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().expect("no panic while holding it");
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Box::pin(std::future::ready(Ok(answer)))
    }
}

/// A client whose every name is `addresses`, and that may call the networks of `allowed`.
fn client(addresses: &[&[&str]], allowed: &[&str]) -> Outbound {
    of(Names::new(addresses), allowed)
}

fn of(names: Names, allowed: &[&str]) -> Outbound {
    let tls = certs::tls::client(None).expect("a configuration");
    let allowed = allowed.iter().map(|text| text.parse().expect("a network")).collect();
    Outbound::new(tls, Allowed::new(allowed), Box::new(names))
}

fn wanted(url: &str) -> Wanted<'_> {
    Wanted { url, accept: "*/*", largest: 1_000, redirects: 3, within: Duration::from_secs(20) }
}

/// A server on this machine that answers each connection with the same octets; gives its port and how many came.
async fn server(answer: Vec<u8>) -> (u16, Arc<AtomicUsize>) {
    let listener = crate::server::bind(([127, 0, 0, 1], 0).into()).await.expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    let came = Arc::<AtomicUsize>::default();
    let counted = came.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, came)
}

fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n", body.len()).as_bytes(), body].concat()
}

fn redirect(location: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

const HERE: &[&[&str]] = &[&["127.0.0.1"]];
const LOOPBACK: &[&str] = &["127.0.0.0/8"];

#[tokio::test]
async fn a_body_is_fetched_where_the_operator_allows_it_and_nowhere_else() {
    let (port, came) = server(ok("", b"here")).await;
    let url = format!("http://peer.example:{port}/metadata?a=b");
    let fetched = client(HERE, LOOPBACK).fetch(wanted(&url)).await;
    assert_eq!(fetched, Ok(b"here".to_vec()));
    let refused = client(HERE, &[]).fetch(wanted(&url)).await;
    assert!(matches!(refused, Err(NotFetched::NotPublic { .. })), "{refused:?}");
    assert_eq!(came.load(Ordering::SeqCst), 1, "nobody was called for the second");
}

#[tokio::test]
async fn an_address_in_the_url_is_checked_like_a_name() {
    let (port, came) = server(ok("", b"here")).await;
    let client = client(&[&["193.10.0.1"]], &[]);
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "127.1"] {
        let refused = client.fetch(wanted(&format!("https://{host}:{port}/"))).await;
        assert!(matches!(refused, Err(NotFetched::NotPublic { .. })), "{host}: {refused:?}");
    }
    assert_eq!(came.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn only_https_is_called_and_plain_http_on_this_machine() {
    let client = client(&[&["193.10.0.1"]], LOOPBACK);
    for url in [
        "http://peer.example/",
        "ftp://peer.example/",
        "file:///etc/hostname",
        "https://user@peer.example/",
        "https://user:secret@peer.example/",
        "data:,a",
        "peer.example",
        "",
    ] {
        let refused = client.fetch(wanted(url)).await;
        assert!(matches!(refused, Err(NotFetched::Address(_))), "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_address() {
    let (private, came) = server(ok("", b"secret")).await;
    // This machine is allowed at one address, and the redirect leads to another one of it.
    let (port, _) = server(redirect(&format!("http://127.0.0.2:{private}/"))).await;
    let refused = client(HERE, &["127.0.0.1"]).fetch(wanted(&format!("http://peer.example:{port}/"))).await;
    assert!(matches!(refused, Err(NotFetched::NotPublic { .. })), "{refused:?}");
    assert_eq!(came.load(Ordering::SeqCst), 0);
    // The genuine twin.
    let (port, _) = server(redirect(&format!("http://127.0.0.1:{private}/"))).await;
    let fetched = client(HERE, &["127.0.0.1"]).fetch(wanted(&format!("http://peer.example:{port}/"))).await;
    assert_eq!(fetched, Ok(b"secret".to_vec()));
}

#[tokio::test]
async fn redirects_are_followed_where_the_caller_permits_them_and_not_for_ever() {
    let (port, came) = server(redirect("/again")).await;
    let url = format!("http://peer.example:{port}/");
    let client = client(HERE, LOOPBACK);
    let refused = client.fetch(Wanted { redirects: 0, ..wanted(&url) }).await;
    assert!(matches!(refused, Err(NotFetched::Redirect(_))), "{refused:?}");
    assert_eq!(came.swap(0, Ordering::SeqCst), 1);
    assert!(matches!(client.fetch(wanted(&url)).await, Err(NotFetched::Redirect(_))));
    assert_eq!(came.load(Ordering::SeqCst), 4, "the first and three more");
}

#[tokio::test]
async fn a_name_that_moves_between_check_and_connection_gains_nothing() {
    let (port, came) = server(ok("", b"secret")).await;
    let names = Names::new(&[&["127.0.0.3"], &["127.0.0.1"]]);
    let asked = names.asked.clone();
    // 127.0.0.3 may be called and nobody listens there; a second look would find 127.0.0.1, where the secret is.
    let refused = of(names, LOOPBACK).fetch(wanted(&format!("http://peer.example:{port}/"))).await;
    assert!(matches!(refused, Err(NotFetched::Unreachable { .. })), "{refused:?}");
    assert_eq!((asked.load(Ordering::SeqCst), came.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn of_several_addresses_only_those_that_may_be_are_tried() {
    let (port, came) = server(ok("", b"here")).await;
    let url = format!("http://peer.example:{port}/");
    let mixed: &[&[&str]] = &[&["10.0.0.1", "fd00::1", "::1", "127.0.0.1"]];
    assert_eq!(client(mixed, &["127.0.0.1"]).fetch(wanted(&url)).await, Ok(b"here".to_vec()));
    let none = client(&[&["10.0.0.1", "fd00::1"]], &["127.0.0.1"]).fetch(wanted(&url)).await;
    assert!(matches!(none, Err(NotFetched::NotPublic { .. })), "{none:?}");
    assert_eq!(
        client(&[&[]], LOOPBACK).fetch(wanted(&url)).await,
        Err(NotFetched::Unresolved("peer.example".into()))
    );
    assert_eq!(came.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_body_is_bounded_as_it_comes() {
    let client = client(HERE, LOOPBACK);
    let (port, _) = server(ok("", &[b'a'; 1_000])).await;
    let whole = client.fetch(wanted(&format!("http://peer.example:{port}/"))).await;
    assert_eq!(whole.map(|body| body.len()), Ok(1_000));
    let (port, _) = server(ok("", &[b'a'; 1_001])).await;
    let refused = client.fetch(wanted(&format!("http://peer.example:{port}/"))).await;
    assert!(matches!(refused, Err(NotFetched::TooLarge { largest: 1_000, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_body_is_bounded_as_it_unfolds() {
    let packed = |octets: usize| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(&vec![b'a'; octets]).expect("memory takes it");
        packed.finish().expect("memory takes it")
    };
    let client = client(HERE, LOOPBACK);
    let (port, _) = server(ok("Content-Encoding: gzip\r\n", &packed(1_000))).await;
    let whole = client.fetch(wanted(&format!("http://peer.example:{port}/"))).await;
    assert_eq!(whole.map(|body| body.len()), Ok(1_000));
    let bomb = packed(500_000);
    assert!(bomb.len() < 1_000, "it passes the first bound");
    let (port, _) = server(ok("Content-Encoding: gzip\r\n", &bomb)).await;
    let refused = client.fetch(wanted(&format!("http://peer.example:{port}/"))).await;
    assert!(matches!(refused, Err(NotFetched::TooLarge { .. })), "{refused:?}");
    for headers in [
        "Content-Encoding: br\r\n",
        "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n",
        "Content-Encoding: gzip\r\n",
    ] {
        let (port, _) = server(ok(headers, b"not packed")).await;
        let refused = client.fetch(wanted(&format!("http://peer.example:{port}/"))).await;
        assert!(matches!(refused, Err(NotFetched::Encoding(_))), "{headers}: {refused:?}");
    }
}

#[tokio::test]
async fn a_slow_answer_is_given_up() {
    // The head promises more than ever comes.
    let listener = crate::server::bind(([127, 0, 0, 1], 0).into()).await.expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n").await;
            while stream.write_all(b"a").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    let url = format!("http://peer.example:{port}/");
    let slow = Wanted { within: Duration::from_millis(300), ..wanted(&url) };
    let refused = client(HERE, LOOPBACK).fetch(slow).await;
    assert!(matches!(refused, Err(NotFetched::TooSlow(_))), "{refused:?}");
}

#[tokio::test]
async fn another_status_and_a_server_without_tls_are_told() {
    let client = client(HERE, LOOPBACK);
    let (port, _) = server(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec()).await;
    let refused = client.fetch(wanted(&format!("http://peer.example:{port}/"))).await;
    assert_eq!(refused, Err(NotFetched::Status { host: "peer.example".into(), status: 404 }));
    let refused = client.fetch(wanted(&format!("https://peer.example:{port}/"))).await;
    assert!(matches!(refused, Err(NotFetched::Unreachable { .. })), "{refused:?}");
}
