//! Sockets: accept, TLS, bounds, and an orderly end.
//!
//! Own accept loop over `hyper-util`'s automatic HTTP/1.1 and HTTP/2, so that handshake and header timeouts, the cap on connections and
//! the drain at the end are ours to set.

mod idle;
mod proxy;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use http::{HeaderValue, Request, header};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use idle::Idle;
pub(crate) use proxy::Trusted;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tokio_rustls::TlsAcceptor;
use tower::{Service, ServiceExt};

/// How the server is bounded.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// Open connections.
    pub(crate) connections: usize,
    /// For the TLS handshake and for a request's headers.
    pub(crate) header_timeout: Duration,
    /// For the answer.
    pub(crate) request_timeout: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 1_000,
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
        }
    }
}

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
    let slots = Arc::new(Semaphore::new(bounds.connections));
    let graceful = GracefulShutdown::new();
    let acceptor = tls.map(TlsAcceptor::from);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            _ = stop.wait_for(|stopped| *stopped) => break,
        };
        let (stream, peer, slot) = match accepted {
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
        let _ = stream.set_nodelay(true);
        let service = Bounded { router: router.clone(), timeout: bounds.request_timeout };
        let watcher = graceful.watcher();
        let acceptor = acceptor.clone();
        let bounds = bounds.clone();
        tokio::spawn(async move {
            match acceptor {
                None => connection(stream, service, watcher, &bounds, slot).await,
                Some(acceptor) => {
                    match tokio::time::timeout(bounds.header_timeout, acceptor.accept(stream)).await {
                        Ok(Ok(stream)) => connection(stream, service, watcher, &bounds, slot).await,
                        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                        Err(_) => tracing::debug!("a TLS handshake took too long"),
                    }
                }
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
}

/// A connection, once there is room for one.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(tokio::net::TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, slot))
}

async fn connection<S>(
    stream: S,
    service: Bounded,
    watcher: hyper_util::server::graceful::Watcher,
    bounds: &Bounds,
    slot: OwnedSemaphorePermit,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header_timeout)
        .max_buf_size(64 * 1024);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(64).max_header_list_size(32 * 1024);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| service.clone().call(request));
    let stream = Idle::new(stream, bounds.header_timeout, bounds.header_timeout + bounds.request_timeout);
    let serving = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(serving).await {
        tracing::debug!(%error, "a connection ended badly");
    }
    drop(slot);
}

/// The router, with a bound on the time of each answer.
#[derive(Clone)]
struct Bounded {
    router: Router,
    timeout: Duration,
}

impl Bounded {
    async fn call(
        mut self,
        request: Request<Incoming>,
    ) -> Result<axum::response::Response, std::convert::Infallible> {
        let request = request.map(axum::body::Body::new);
        let answer = async {
            let router = ServiceExt::<Request<axum::body::Body>>::ready(&mut self.router).await?;
            router.call(request).await
        };
        if let Ok(response) = tokio::time::timeout(self.timeout, answer).await {
            return response;
        }
        tracing::error!(seconds = self.timeout.as_secs(), "an answer took too long and was given up");
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
