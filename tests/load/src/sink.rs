//! Where the senders send for comparison: a server that reads what the broker would have read, answers what it would have answered, and does nothing
//! else. What honest logins wait longer beside it is what the senders cost by using the same machine.
//!
//! It has two threads of ordinary priority, as the node has for connections. Its answers are the node's own, taken once before.

use std::{future::Future, io, net::Ipv4Addr, sync::Arc, time::Duration};

use tests::{federation::Federation, person::Person, walk::Walk, wire::Reply};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    runtime::Runtime,
};

/// What its threads are called.
pub(crate) const THREADS: &str = "sink";
/// The largest body that the assertion consumer service reads, in octets.
const LARGEST: usize = 600 * 1024;
/// How long it waits for a body that does not come.
const PATIENCE: Duration = Duration::from_secs(8);

/// The server, until it is dropped.
pub(crate) struct Sink {
    port: u16,
    threads: Option<Runtime>,
}

/// The node's answers, as they go over the wire.
struct Answers {
    begun: Vec<u8>,
    refused: Vec<u8>,
}

impl Sink {
    /// Starts it with answers of the federation's first node.
    ///
    /// # Errors
    /// When no port is to be had.
    pub(crate) async fn start(federation: &Federation) -> io::Result<Self> {
        let answers = Arc::new(Answers::of_node(federation).await);
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(THREADS)
            .enable_all()
            .build()?;
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let port = socket.local_addr()?.port();
        threads.spawn(async move {
            let listener = socket.listen(1024).expect("the port listens");
            while let Ok((stream, _)) = listener.accept().await {
                let answers = answers.clone();
                // A sender that hangs up is no fault.
                tokio::spawn(async move { drop(serve(stream, &answers).await) });
            }
        });
        Ok(Self { port, threads: Some(threads) })
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

impl Answers {
    async fn of_node(federation: &Federation) -> Self {
        let port = federation.port();
        let mut walk = Walk::new(federation, Person::numbered(900_000)).naming_the_provider();
        let page = walk.browser.open(port, &walk.attempt.path()).await;
        walk.arrive(port, &page).await;
        let refused = walk.browser.post(port, "/saml/acs", "SAMLResponse=%21").await;
        Self { begun: written(&page.reply), refused: written(&refused.reply) }
    }
}

fn written(reply: &Reply) -> Vec<u8> {
    let mut octets = format!("HTTP/1.1 {}\r\n", reply.status).into_bytes();
    for (name, value) in &reply.headers {
        if !matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection") {
            octets.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
    }
    octets.extend_from_slice(format!("content-length: {}\r\n\r\n", reply.body.len()).as_bytes());
    octets.extend_from_slice(&reply.body);
    octets
}

/// Answers request after request, until one has more than is read.
async fn serve(mut stream: TcpStream, answers: &Answers) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut read = Vec::with_capacity(64 * 1024);
    loop {
        let end = loop {
            if let Some(at) = read.windows(4).position(|end| end == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut read).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|length| length.trim().parse::<usize>().ok());
        let announced = length.unwrap_or(if head.contains("chunked") { usize::MAX } else { 0 });
        let body = announced.min(LARGEST);
        let came = read.len() - end;
        read.clear();
        let whole = within(PATIENCE, skip(&mut stream, body.saturating_sub(came))).await?;
        let answer = if head.starts_with("get") { &answers.begun } else { &answers.refused };
        stream.write_all(answer).await?;
        if !whole || announced > LARGEST {
            return stream.shutdown().await;
        }
    }
}

/// Whether it ended well in time.
async fn within(time: Duration, reading: impl Future<Output = io::Result<()>>) -> io::Result<bool> {
    tokio::time::timeout(time, reading).await.map_or(Ok(false), |read| read.map(|()| true))
}

async fn skip(stream: &mut TcpStream, mut left: usize) -> io::Result<()> {
    let mut piece = vec![0; 64 * 1024];
    while left > 0 {
        let most = left.min(piece.len());
        match stream.read(&mut piece[..most]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => left -= read,
        }
    }
    Ok(())
}
