//! Sockets: accept, TLS, bounds, and an orderly end.
//!
//! Own accept loop over `hyper-util`'s automatic HTTP/1.1 and HTTP/2, so that handshake and header timeouts, the cap on connections and
//! the drain at the end are ours to set.

mod body;
mod idle;
mod places;
mod proxy;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use body::Memory;
pub(crate) use body::{NotRead, body};
use http::{HeaderValue, Request, Version, header};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use idle::Idle;
use places::{Place, Places};
pub(crate) use proxy::Trusted;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{Notify, Semaphore, mpsc, watch},
};
use tokio_rustls::TlsAcceptor;
use tower::{Service, ServiceExt};

use crate::heavy_work::{SOURCE, Source};

/// How the server is bounded.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// Open connections.
    pub(crate) connections: usize,
    /// For the TLS handshake and for a request's headers.
    pub(crate) header_timeout: Duration,
    /// For the answer.
    pub(crate) request_timeout: Duration,
    /// For a connection, however much it is used: then its requests end and it is closed.
    pub(crate) connection_age: Duration,
    /// Requests over one connection, likewise.
    pub(crate) connection_requests: usize,
    /// Octets of all bodies that are read or worked on at a time.
    pub(crate) body_memory: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 1_000,
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            connection_age: Duration::from_secs(600),
            connection_requests: 10_000,
            body_memory: 64 * 1024 * 1024,
        }
    }
}

/// How long a newcomer for whom there is no place waits for one.
const NO_PLACE: Duration = Duration::from_secs(1);
/// Newcomers that wait for one at a time.
const WAITING: usize = 256;
/// A request's headers, in octets together and in number.
const HEADER_OCTETS: usize = 32 * 1024;
const HEADERS: usize = 100;
/// Requests that a browser or proxy sends over one HTTP/2 connection at a time.
const STREAMS: u32 = 64;
/// What an HTTP/2 sender may have under way unread: for a stream, and for a connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// Streams that were reset before they were looked at, and streams that we reset for a fault: more, and the connection ends (CVE-2023-44487 and its
/// kin).
const RESETS: usize = 20;

/// How long open requests may take to end after a stop was asked for.
const DRAIN: Duration = Duration::from_secs(10);

/// Opens a listening socket.
///
/// # Errors
/// When the address is taken, or not ours to take.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    #[expect(clippy::disallowed_methods, reason = "this is the edge that opens sockets")]
    TcpListener::bind(address).await
}

/// Serves until `stop` says so, then lets open requests end.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<ServerConfig>>,
    trusted: Trusted,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
) {
    let places = Places::new(bounds.connections);
    let memory = Memory::new(bounds.body_memory);
    let waiting = Arc::new(Semaphore::new(WAITING));
    // Each connection holds a sender: when all are gone, all connections are.
    let (open, mut all_ended) = mpsc::channel::<()>(1);
    let acceptor = tls.map(TlsAcceptor::from);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stopped| *stopped) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors or a connection that vanished: neither ends the server; do not spin on it.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if !trusted.admits(peer.ip()) {
            tracing::warn!(peer = %peer.ip(), "a connection from outside the trusted proxies was closed");
            continue;
        }
        let source = Source::of(peer.ip());
        let place = places.take(source);
        // Who must wait for a place waits aside: newcomers of one source keep no other source's from being accepted. Who may not even wait is closed.
        let turn = if place.is_some() { None } else { waiting.clone().try_acquire_owned().ok() };
        if place.is_none() && turn.is_none() {
            tracing::debug!("a connection found no place, nor one to wait, and was closed");
            continue;
        }
        let _ = stream.set_nodelay(true);
        let (router, acceptor, memory) = (router.clone(), acceptor.clone(), memory.clone());
        let (bounds, is_behind_proxy) = (bounds.clone(), trusted.is_any());
        let (places, stop, open) = (places.clone(), stop.clone(), open.clone());
        tokio::spawn(async move {
            let place = match place {
                Some(place) => Some(place),
                None => freed_place(&places, source).await,
            };
            drop(turn);
            let Some(place) = place else {
                tracing::debug!("a connection found no place and was closed");
                return;
            };
            let served = Served {
                router,
                peer: peer.ip(),
                is_behind_proxy,
                memory,
                bounds,
                place,
                requests: AtomicUsize::new(0),
                enough: Notify::new(),
            };
            match acceptor {
                None => connection(stream, served, stop).await,
                Some(acceptor) => {
                    let shaken = tokio::select! {
                        shaken = tokio::time::timeout(served.bounds.header_timeout, acceptor.accept(stream)) => shaken,
                        () = served.place.given_up() => return,
                    };
                    match shaken {
                        Ok(Ok(stream)) => connection(stream, served, stop).await,
                        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                        Err(_) => tracing::debug!("a TLS handshake took too long"),
                    }
                }
            }
            drop(open);
        });
    }
    drop((listener, open));
    if tokio::time::timeout(DRAIN, all_ended.recv()).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
}

/// A place for a newcomer that found none, when one becomes free soon.
async fn freed_place(places: &Arc<Places>, source: Source) -> Option<Place> {
    let freed = async {
        loop {
            if let Some(place) = places.take(source) {
                return place;
            }
            places.freed().await;
        }
    };
    tokio::time::timeout(NO_PLACE, freed).await.ok()
}

async fn connection<S>(stream: S, served: Served, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    let bounds = served.bounds.clone();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header_timeout)
        .max_headers(HEADERS)
        .max_buf_size(2 * HEADER_OCTETS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEADER_OCTETS).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(64 * 1024)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS)
        .keep_alive_interval(bounds.header_timeout)
        .keep_alive_timeout(bounds.header_timeout);
    let served = Arc::new(served);
    let service = {
        let served = served.clone();
        hyper::service::service_fn(move |request: Request<Incoming>| served.clone().call(request))
    };
    let stream = Idle::new(stream, bounds.header_timeout, bounds.header_timeout + bounds.request_timeout);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service).into_owned());
    // First the peer is told that no more requests are taken; whoever then lingers is cut off.
    let mut life = pin!(tokio::time::sleep(bounds.connection_age));
    let mut is_ending = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended badly");
                }
                return;
            }
            () = served.place.given_up() => {
                tracing::debug!("a connection gave up its place to another source");
                return;
            }
            () = life.as_mut() => {
                if is_ending {
                    return;
                }
            }
            () = served.enough.notified(), if !is_ending => {}
            _ = stop.wait_for(|stopped| *stopped), if !is_ending => {}
        }
        is_ending = true;
        serving.as_mut().graceful_shutdown();
        life.as_mut().reset(tokio::time::Instant::now() + bounds.header_timeout + bounds.request_timeout);
    }
}

/// What serves a connection: the router, with a bound on the time and the memory of each answer.
struct Served {
    router: Router,
    peer: IpAddr,
    is_behind_proxy: bool,
    memory: Memory,
    bounds: Bounds,
    place: Place,
    requests: AtomicUsize,
    /// There were as many requests as there may be.
    enough: Notify,
}

impl Served {
    /// Where a request came from: what the proxy in front says, where there is one, else who connected.
    fn source(&self, request: &Request<Incoming>) -> Source {
        if self.is_behind_proxy {
            proxy::forwarded_for(request.headers()).map_or(self.place.source(), Source::of)
        } else {
            Source::of(self.peer)
        }
    }

    async fn call(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<axum::response::Response, std::convert::Infallible> {
        let _busy = self.place.busy();
        let is_last = self.requests.fetch_add(1, Ordering::Relaxed) + 1 >= self.bounds.connection_requests;
        // The last answer says so itself: whoever is told only by the end of the connection may have sent the next request already.
        let says_so = is_last && request.version() <= Version::HTTP_11;
        if is_last {
            self.enough.notify_one();
        }
        let source = self.source(&request);
        let request = request.map(axum::body::Body::new);
        let mut router = self.router.clone();
        let answer = async {
            let router = ServiceExt::<Request<axum::body::Body>>::ready(&mut router).await?;
            router.call(request).await
        };
        let answer = SOURCE.scope(source, self.memory.shared(answer));
        if let Ok(response) = tokio::time::timeout(self.bounds.request_timeout, answer).await {
            return response.map(|mut response| {
                if says_so {
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                response
            });
        }
        tracing::error!(
            seconds = self.bounds.request_timeout.as_secs(),
            "an answer took too long and was given up"
        );
        let mut response =
            axum::response::Response::new(axum::body::Body::from("The answer took too long.\n"));
        *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        Ok(response)
    }
}

/// Becomes true on SIGTERM or SIGINT.
pub(crate) fn stop_signal() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let _ = sender.send(true);
    });
    receiver
}

#[cfg(test)]
mod tests;
