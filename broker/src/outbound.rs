//! The one client for every address that we call (design decision 12).
//!
//! What an address is was written by somebody else, so it may lead anywhere: to a service of this machine, into the operator's own network, to a
//! cloud's metadata. Therefore: https alone; the name is resolved here, addresses that are not public are left out unless the operator's
//! configuration has them, and the connection goes to the very address that was checked. A redirect is followed where the caller permits it, and is
//! checked like the first address. Size is bounded before and after decompression, time as a whole, and how many calls go on at once. There are no
//! cookies and no credentials.
//!
//! | file | what |
//! |---|---|
//! | `outbound/address.rs` | which addresses are public, and the operator's exceptions |
//! | `outbound/download.rs` | large bodies, written away as they come; questions that may be answered by "not changed" |

mod address;
mod download;

use std::{
    future::Future,
    io::{self, Read as _},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

pub(crate) use address::{Allowed, Network};
use bytes::Bytes;
pub(crate) use download::{Conditions, Downloaded};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Semaphore,
    task::AbortHandle,
};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::config::OutboundSection;

/// Calls at a time.
const AT_ONCE: usize = 8;
/// Addresses of a name that are tried.
const ADDRESSES: usize = 4;
/// For one address to answer a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The headers of an answer, in octets.
const HEADER_OCTETS: usize = 64 * 1024;

/// How names become addresses. A parameter, so that tests can let a name move.
pub(crate) trait Resolve: Send + Sync {
    /// The addresses of a name.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;
}

/// The machine's own resolver.
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// What is to be fetched, and how far the caller goes for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The absolute address.
    pub(crate) url: &'a str,
    /// The media types that are understood, for `Accept`.
    pub(crate) accept: &'static str,
    /// Octets of the body, as it comes and as it unfolds.
    pub(crate) largest: usize,
    /// Redirects that are followed.
    pub(crate) redirects: usize,
    /// For all of it: names, connections, redirects, the body.
    pub(crate) within: Duration,
}

/// Why nothing was fetched. It names hosts and addresses, and nothing that came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotFetched {
    /// It is no address that we call.
    #[error("{0} is no address to fetch from: https, a host, and neither user name nor password")]
    Address(String),
    /// It leads to where the operator has not said that it may.
    #[error(
        "{host} leads to {address}, which is not public; [outbound] allow can name the network that it is in"
    )]
    NotPublic {
        /// The host.
        host: String,
        /// Its first address that is not public.
        address: IpAddr,
    },
    /// The name has no address.
    #[error("{0} has no address")]
    Unresolved(String),
    /// Nobody answers there, or not over TLS.
    #[error("{host} cannot be reached: {cause}")]
    Unreachable {
        /// The host.
        host: String,
        /// The connection's or TLS's own words.
        cause: String,
    },
    /// Another status than 200.
    #[error("{host} answers with status {status}")]
    Status {
        /// The host.
        host: String,
        /// The status.
        status: u16,
    },
    /// A redirect where none is permitted, or one too many, or one that leads nowhere.
    #[error("{0} sends us on, and that is not followed")]
    Redirect(String),
    /// More than the caller takes, before or after decompression.
    #[error("{host} sends more than {largest} octets")]
    TooLarge {
        /// The host.
        host: String,
        /// The bound.
        largest: usize,
    },
    /// An encoding that was not asked for, or one that is broken.
    #[error("{0} sends something that cannot be unpacked")]
    Encoding(String),
    /// It took too long.
    #[error("{0} took too long")]
    TooSlow(String),
}

/// The client.
pub(crate) struct Outbound {
    tls: Arc<ClientConfig>,
    allowed: Allowed,
    resolver: Box<dyn Resolve>,
    slots: Semaphore,
}

impl Outbound {
    /// A client that trusts what `tls` trusts.
    pub(crate) fn new(tls: Arc<ClientConfig>, allowed: Allowed, resolver: Box<dyn Resolve>) -> Self {
        Self { tls, allowed, resolver, slots: Semaphore::new(AT_ONCE) }
    }

    /// The client of a configuration.
    ///
    /// # Errors
    /// A sentence for the operator, when the certificate authorities cannot be read.
    pub(crate) fn of(section: &OutboundSection) -> Result<Self, String> {
        let authorities = match &section.ca {
            None => None,
            Some(path) => {
                let unreadable = |error| format!("{} cannot be read: {error}", path.display());
                Some(std::fs::read_to_string(path).map_err(unreadable)?)
            }
        };
        let tls = certs::tls::client(authorities.as_deref()).map_err(|error| error.to_string())?;
        let allowed = section.allow.iter().map(|text| text.parse()).collect::<Result<Vec<Network>, _>>()?;
        Ok(Self::new(tls, Allowed::new(allowed), Box::new(SystemResolver)))
    }

    /// Fetches a body.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn fetch(&self, wanted: Wanted<'_>) -> Result<Vec<u8>, NotFetched> {
        let slow = || NotFetched::TooSlow(wanted.url.to_owned());
        let fetched = async {
            let _slot = self.slots.acquire().await.map_err(|_| slow())?;
            let opened = self.followed(wanted, Conditions::default()).await?;
            if opened.parts.status != StatusCode::OK {
                return Err(opened.status());
            }
            let octets = read(opened.body, wanted.largest, &opened.host).await?;
            unpacked(octets, &opened.parts.headers, wanted.largest, &opened.host)
        };
        tokio::time::timeout(wanted.within, fetched).await.map_err(|_| slow())?
    }

    async fn followed(
        &self,
        wanted: Wanted<'_>,
        conditions: Conditions<'_>,
    ) -> Result<Box<Opened>, NotFetched> {
        let mut url = Url::parse(wanted.url).map_err(|_| NotFetched::Address(wanted.url.to_owned()))?;
        let mut left = wanted.redirects;
        loop {
            match self.asked(&url, wanted, conditions).await? {
                Answer::Opened(opened) => return Ok(opened),
                Answer::Redirect(location) => {
                    let refused = || NotFetched::Redirect(url.to_string());
                    left = left.checked_sub(1).ok_or_else(refused)?;
                    let next = url.join(&location).map_err(|_| refused())?;
                    if url.scheme() == "https" && next.scheme() != "https" {
                        return Err(refused());
                    }
                    url = next;
                }
            }
        }
    }

    /// One request, to an address that was checked.
    async fn asked(
        &self,
        url: &Url,
        wanted: Wanted<'_>,
        conditions: Conditions<'_>,
    ) -> Result<Answer, NotFetched> {
        let place = self.place(url).await?;
        let host = place.host.clone();
        let unreachable = |cause: String| NotFetched::Unreachable { host: host.clone(), cause };
        let mut cause = String::new();
        let mut stream = None;
        for address in &place.addresses {
            match connected(*address).await {
                Ok(connected) => {
                    stream = Some(connected);
                    break;
                }
                Err(error) => cause = error.to_string(),
            }
        }
        let stream = stream.ok_or_else(|| unreachable(cause))?;
        if url.scheme() == "http" {
            return spoken(stream, url, wanted, conditions).await;
        }
        let name = ServerName::try_from(place.host.trim_matches(['[', ']']).to_owned())
            .map_err(|_| NotFetched::Address(url.to_string()))?;
        let stream = TlsConnector::from(self.tls.clone())
            .connect(name, stream)
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        spoken(stream, url, wanted, conditions).await
    }

    /// Where a URL leads: the addresses that we may connect to.
    async fn place(&self, url: &Url) -> Result<Place, NotFetched> {
        let no_address = || NotFetched::Address(url.to_string());
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        if has_credentials || !matches!(url.scheme(), "https" | "http") {
            return Err(no_address());
        }
        let port = url.port_or_known_default().ok_or_else(no_address)?;
        let (host, addresses) = match url.host().ok_or_else(no_address)? {
            Host::Ipv4(address) => (address.to_string(), vec![IpAddr::V4(address)]),
            Host::Ipv6(address) => (format!("[{address}]"), vec![IpAddr::V6(address)]),
            Host::Domain(name) => {
                let found = self.resolver.resolve(name).await;
                (name.to_owned(), found.map_err(|_| NotFetched::Unresolved(name.to_owned()))?)
            }
        };
        // What is connected to is what is checked here: nothing resolves the name again.
        let permitted = |address: &&IpAddr| {
            self.allowed.permits(**address)
                && (url.scheme() == "https" || address.to_canonical().is_loopback())
        };
        let addresses_there: Vec<SocketAddr> = addresses
            .iter()
            .filter(permitted)
            .take(ADDRESSES)
            .map(|address| SocketAddr::new(*address, port))
            .collect();
        if !addresses_there.is_empty() {
            return Ok(Place { host, addresses: addresses_there });
        }
        Err(match addresses.iter().find(|address| !self.allowed.permits(**address)) {
            Some(address) => NotFetched::NotPublic { host, address: *address },
            // Plain http to another machine.
            None if !addresses.is_empty() => no_address(),
            None => NotFetched::Unresolved(host),
        })
    }
}

struct Place {
    host: String,
    addresses: Vec<SocketAddr>,
}

enum Answer {
    Opened(Box<Opened>),
    Redirect(String),
}

/// An answer whose body has not been read.
struct Opened {
    host: String,
    parts: http::response::Parts,
    body: Incoming,
    _connection: Connection,
}

impl Opened {
    fn status(&self) -> NotFetched {
        NotFetched::Status { host: self.host.clone(), status: self.parts.status.as_u16() }
    }
}

async fn connected(address: SocketAddr) -> io::Result<tokio::net::TcpStream> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that calls out")]
    let connecting = tokio::net::TcpStream::connect(address);
    tokio::time::timeout(CONNECT, connecting)
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "nobody answers"))?
}

/// Ends the connection's task when the answer has been read, or is given up.
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn spoken<S>(
    stream: S,
    url: &Url,
    wanted: Wanted<'_>,
    conditions: Conditions<'_>,
) -> Result<Answer, NotFetched>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let host = url.host_str().unwrap_or_default().to_owned();
    let unreachable =
        |error: hyper::Error| NotFetched::Unreachable { host: host.clone(), cause: error.to_string() };
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEADER_OCTETS);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
    let connection = Connection(tokio::spawn(connection).abort_handle());
    let mut request = Request::get(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(header::HOST, &url[url::Position::BeforeHost..url::Position::AfterPort])
        .header(header::ACCEPT, wanted.accept)
        .header(header::ACCEPT_ENCODING, "gzip")
        .header(header::USER_AGENT, concat!("sparvidd/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close");
    for (name, value) in conditions.headers() {
        request = request.header(name, value);
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|_| NotFetched::Address(url.to_string()))?;
    let response = sender.send_request(request).await.map_err(unreachable)?;
    let (parts, body) = response.into_parts();
    if parts.status.is_redirection() && parts.status != StatusCode::NOT_MODIFIED {
        let location = parts.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        return location
            .map(|location| Answer::Redirect(location.to_owned()))
            .ok_or(NotFetched::Redirect(host));
    }
    Ok(Answer::Opened(Box::new(Opened { host, parts, body, _connection: connection })))
}

async fn read(mut body: Incoming, largest: usize, host: &str) -> Result<Vec<u8>, NotFetched> {
    let mut octets = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| NotFetched::Unreachable { host: host.to_owned(), cause: error.to_string() })?;
        let Ok(data) = frame.into_data() else { continue };
        if octets.len() + data.len() > largest {
            return Err(NotFetched::TooLarge { host: host.to_owned(), largest });
        }
        octets.extend_from_slice(&data);
    }
    Ok(octets)
}

/// Undoes the one encoding that was asked for, up to the bound.
fn unpacked(octets: Vec<u8>, headers: &HeaderMap, largest: usize, host: &str) -> Result<Vec<u8>, NotFetched> {
    let broken = || NotFetched::Encoding(host.to_owned());
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let encoding = encodings.next().map(|value| value.as_bytes().to_ascii_lowercase());
    if encodings.next().is_some() {
        return Err(broken());
    }
    match encoding.as_deref() {
        None | Some(b"identity") => Ok(octets),
        Some(b"gzip" | b"x-gzip") => {
            let mut unpacked = Vec::new();
            let bound = u64::try_from(largest).unwrap_or(u64::MAX).saturating_add(1);
            let unpacking = flate2::read::GzDecoder::new(octets.as_slice());
            unpacking.take(bound).read_to_end(&mut unpacked).map_err(|_| broken())?;
            if unpacked.len() > largest {
                return Err(NotFetched::TooLarge { host: host.to_owned(), largest });
            }
            Ok(unpacked)
        }
        Some(_) => Err(broken()),
    }
}

#[cfg(test)]
mod tests;
