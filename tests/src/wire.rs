//! HTTP/1.1 to ports of the loopback address, over connections that are kept. Nothing is followed and nothing is remembered here.

use std::{
    collections::HashMap,
    fmt, io,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header::HeaderName};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpSocket, TcpStream};

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Reply {
    /// A header's text; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Why there was no answer.
#[derive(Debug)]
pub enum NoReply {
    /// No connection.
    Connect(io::Error),
    /// The connection ended before the answer did.
    Http(hyper::Error),
}

impl fmt::Display for NoReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(f, "no connection: {error}"),
            Self::Http(error) => write!(f, "no answer: {error}"),
        }
    }
}

/// Connections that are kept, by port.
#[derive(Default)]
pub struct Wire {
    from: Option<IpAddr>,
    idle: Mutex<HashMap<u16, Vec<SendRequest<Full<Bytes>>>>>,
    waited: AtomicU64,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire(..)")
    }
}

impl Wire {
    /// With no connection yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, whose connections come from an address of their own, such as 127.0.0.2.
    #[must_use]
    pub fn from_address(address: IpAddr) -> Self {
        Self { from: Some(address), ..Self::default() }
    }

    /// Sends a request to a port and reads the answer whole.
    ///
    /// # Errors
    /// When nobody listens there, or the answer does not arrive.
    pub async fn send(&self, port: u16, request: Request<Full<Bytes>>) -> Result<Reply, NoReply> {
        let began = Instant::now();
        let outcome = self.sent(port, request).await;
        let nanoseconds = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.waited.fetch_add(nanoseconds, Ordering::Relaxed);
        outcome
    }

    /// How long all answers together were waited for.
    #[must_use]
    pub fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited.load(Ordering::Relaxed))
    }

    async fn sent(&self, port: u16, mut request: Request<Full<Bytes>>) -> Result<Reply, NoReply> {
        loop {
            let (mut connection, fresh) = match self.kept(port) {
                Some(connection) => (connection, false),
                None => (connect(self.from, port).await?, true),
            };
            if connection.ready().await.is_err() && !fresh {
                continue;
            }
            match connection.try_send_request(request).await {
                Ok(response) => {
                    let (parts, body) = response.into_parts();
                    let body = body.collect().await.map_err(NoReply::Http)?.to_bytes();
                    self.keep(port, connection);
                    return Ok(Reply { status: parts.status, headers: parts.headers, body });
                }
                // A kept connection that ended in silence: the request was not sent and goes out on another.
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) if !fresh => request = unsent,
                    _ => return Err(NoReply::Http(failed.into_error())),
                },
            }
        }
    }

    fn kept(&self, port: u16) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.idle.lock().expect("no panic while holding it");
        let connections = idle.get_mut(&port)?;
        while let Some(connection) = connections.pop() {
            if !connection.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    fn keep(&self, port: u16, connection: SendRequest<Full<Bytes>>) {
        self.idle.lock().expect("no panic while holding it").entry(port).or_default().push(connection);
    }
}

async fn connect(from: Option<IpAddr>, port: u16) -> Result<SendRequest<Full<Bytes>>, NoReply> {
    let stream = stream(from, port).await.map_err(NoReply::Connect)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(NoReply::Http)?;
    tokio::spawn(connection);
    Ok(sender)
}

/// A bare connection to a port of the loopback address, from an address of this machine where one is given.
///
/// # Errors
/// When there is none to be had.
pub async fn stream(from: Option<IpAddr>, port: u16) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(from) = from {
        socket.bind((from, 0).into())?;
    }
    let stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}
