//! The bounds, over real connections on this machine.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
};

use super::{Bounds, NO_PLACE, Trusted, bind, serve};

struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    ended: JoinHandle<()>,
}

async fn running(bounds: Bounds, trusted: Trusted) -> Running {
    let listener = bind(([127, 0, 0, 1], 0).into()).await.expect("a socket");
    let address = listener.local_addr().expect("an address");
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        "slow"
    };
    let long = || async { tokio::time::sleep(Duration::from_secs(10)).await };
    let router = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/slow", get(slow))
        .route("/long", get(long));
    let (stop, stopped) = watch::channel(false);
    let ended = tokio::spawn(serve(listener, router, None, trusted, bounds, stopped));
    Running { address, stop, ended }
}

fn brief() -> Bounds {
    Bounds {
        connections: 1,
        header_timeout: Duration::from_millis(150),
        request_timeout: Duration::from_secs(5),
        ..Bounds::default()
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    #[expect(clippy::disallowed_methods, reason = "the test's own connection to the server under test")]
    TcpStream::connect(address).await.expect("a connection")
}

/// What comes back until the connection ends.
async fn answer(stream: &mut TcpStream, request: &str) -> String {
    let _ = stream.write_all(request.as_bytes()).await;
    let mut read = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut read)).await;
    assert!(ended.is_ok(), "the connection ends");
    String::from_utf8_lossy(&read).into_owned()
}

const ASK: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_silent_connection_frees_its_place() {
    let server = running(brief(), Trusted::default()).await;
    let mut silent = connect(server.address).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let mut next = connect(server.address).await;
    assert!(
        answer(&mut next, ASK).await.ends_with("here"),
        "the next is served when the silent one was cut off"
    );
    assert_eq!(answer(&mut silent, "").await, "");
}

#[tokio::test]
async fn half_a_request_frees_its_place_and_a_slow_answer_is_waited_for() {
    let server = running(brief(), Trusted::default()).await;
    let mut half = connect(server.address).await;
    assert!(!answer(&mut half, "GET / HTTP/1.1\r\nHost: a\r\n").await.contains("here"));
    let mut slow = connect(server.address).await;
    let request = ASK.replace("GET /", "GET /slow");
    assert!(
        answer(&mut slow, &request).await.ends_with("slow"),
        "longer than the time for headers, and answered"
    );
}

#[tokio::test]
async fn a_stop_lets_open_requests_end_and_idle_connections_go() {
    let server = running(Bounds { connections: 10, ..brief() }, Trusted::default()).await;
    let mut slow = connect(server.address).await;
    slow.write_all(ASK.replace("GET /", "GET /slow").as_bytes()).await.expect("sent");
    let _idle = connect(server.address).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop.send(true).expect("the server listens");
    assert!(answer(&mut slow, "").await.ends_with("slow"));
    tokio::time::timeout(Duration::from_secs(5), server.ended)
        .await
        .expect("it ends")
        .expect("without a panic");
}

#[tokio::test]
async fn who_is_no_trusted_proxy_is_not_answered() {
    let stranger = running(brief(), Trusted::new(["192.0.2.1".parse().expect("an address")])).await;
    assert_eq!(answer(&mut connect(stranger.address).await, ASK).await, "");
    let proxy = running(brief(), Trusted::new(["127.0.0.1".parse().expect("an address")])).await;
    assert!(answer(&mut connect(proxy.address).await, ASK).await.ends_with("here"));
}

/// A connection from another address of this machine.
async fn connect_from(from: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("an address of this machine");
    socket.connect(to).await.expect("a connection")
}

#[tokio::test]
async fn one_address_shuts_no_other_out_even_with_requests_that_are_served() {
    let bounds = Bounds { connections: 3, header_timeout: Duration::from_secs(5), ..brief() };
    let server = running(bounds, Trusted::default()).await;
    let mut flood = Vec::new();
    for _ in 0..3 {
        let mut stream = connect_from([127, 0, 0, 2], server.address).await;
        stream.write_all(ASK.replace("GET /", "GET /slow").as_bytes()).await.expect("sent");
        flood.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(60)).await;
    let mut honest = connect_from([127, 0, 0, 3], server.address).await;
    assert!(answer(&mut honest, ASK).await.ends_with("here"));
    let mut served = 0;
    for mut stream in flood {
        served += usize::from(answer(&mut stream, "").await.ends_with("slow"));
    }
    assert_eq!(served, 2, "one of the flood gave up its place");
}

#[tokio::test]
async fn newcomers_of_one_address_that_wait_for_a_place_keep_no_other_waiting() {
    let bounds = Bounds { connections: 3, header_timeout: Duration::from_secs(5), ..brief() };
    let server = running(bounds, Trusted::default()).await;
    let mut flood = Vec::new();
    for _ in 0..12 {
        let mut stream = connect_from([127, 0, 0, 2], server.address).await;
        stream.write_all(ASK.replace("GET /", "GET /long").as_bytes()).await.expect("sent");
        // The first are served before the next come: none of them is idle any more.
        tokio::time::sleep(Duration::from_millis(20)).await;
        flood.push(stream);
    }
    let began = std::time::Instant::now();
    let mut honest = connect_from([127, 0, 0, 3], server.address).await;
    assert!(answer(&mut honest, ASK).await.ends_with("here"));
    assert!(began.elapsed() < NO_PLACE * 3, "not after each of the flood has waited: {:?}", began.elapsed());
}

#[tokio::test]
async fn a_connection_ends_after_its_requests_and_after_its_time() {
    let ask = ASK.replace("Connection: close\r\n", "");
    let bounds = Bounds { connection_requests: 2, header_timeout: Duration::from_secs(5), ..brief() };
    let server = running(bounds, Trusted::default()).await;
    let mut stream = connect(server.address).await;
    let began = std::time::Instant::now();
    let said = answer(&mut stream, &ask.repeat(2)).await;
    assert_eq!(said.matches("here").count(), 2, "answered, then closed");
    assert_eq!(
        said.to_lowercase().matches("connection: close").count(),
        1,
        "the last answer says so: {said}"
    );
    assert!(began.elapsed() < Duration::from_secs(4), "not by the time for headers");
    let bounds = Bounds {
        connection_age: Duration::from_millis(200),
        header_timeout: Duration::from_secs(5),
        ..brief()
    };
    let server = running(bounds, Trusted::default()).await;
    let mut stream = connect(server.address).await;
    let began = std::time::Instant::now();
    assert_eq!(answer(&mut stream, &ask).await.matches("here").count(), 1, "answered, then closed");
    assert!(began.elapsed() < Duration::from_secs(4), "not by the time for headers");
}

#[tokio::test]
async fn too_many_headers_and_too_large_ones_are_refused() {
    let server = running(Bounds { connections: 10, ..brief() }, Trusted::default()).await;
    let with = |headers: &str| ASK.replace("Host: a\r\n", &format!("Host: a\r\n{headers}"));
    let mut honest = connect(server.address).await;
    assert!(answer(&mut honest, &with(&"X: y\r\n".repeat(90))).await.ends_with("here"));
    for headers in ["X: y\r\n".repeat(200), format!("X: {}\r\n", "y".repeat(100_000))] {
        let mut stream = connect(server.address).await;
        let said = answer(&mut stream, &with(&headers)).await;
        assert!(!said.ends_with("here"), "{said}");
    }
}
