//! Large bodies, written away as they come, and questions that may be answered by "not changed" (RFC 9110 13.1).

use std::io::{self, Write};

use http::{HeaderName, StatusCode, header};
use http_body_util::BodyExt as _;

use super::{NotFetched, Opened, Outbound, Wanted};

/// What is known of the last answer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Conditions<'a> {
    /// Its `ETag`.
    pub(crate) etag: Option<&'a str>,
    /// Its `Last-Modified`.
    pub(crate) last_modified: Option<&'a str>,
}

impl<'a> Conditions<'a> {
    pub(super) fn headers(self) -> impl Iterator<Item = (HeaderName, &'a str)> {
        let named = |name, value: Option<&'a str>| value.map(|value| (name, value));
        [named(header::IF_NONE_MATCH, self.etag), named(header::IF_MODIFIED_SINCE, self.last_modified)]
            .into_iter()
            .flatten()
    }
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Downloaded {
    /// It is what was known.
    NotModified,
    /// There is none: the responder knows nothing of that name.
    Absent,
    /// A body, written away.
    Body {
        /// Its `ETag`.
        etag: Option<String>,
        /// Its `Last-Modified`.
        last_modified: Option<String>,
    },
}

impl Outbound {
    /// Fetches a body into `to`, unpacked.
    ///
    /// # Errors
    /// Why there is none; what was written is then nothing.
    pub(crate) async fn download(
        &self,
        wanted: Wanted<'_>,
        conditions: Conditions<'_>,
        to: &mut (dyn Write + Send),
    ) -> Result<Downloaded, NotFetched> {
        let slow = || NotFetched::TooSlow(wanted.url.to_owned());
        let fetched = async {
            let _slot = self.slots.acquire().await.map_err(|_| slow())?;
            let mut opened = self.followed(wanted, conditions).await?;
            match opened.parts.status {
                StatusCode::OK => {}
                StatusCode::NOT_MODIFIED => return Ok(Downloaded::NotModified),
                StatusCode::NOT_FOUND => return Ok(Downloaded::Absent),
                _ => return Err(opened.status()),
            }
            written(&mut opened, wanted.largest, to).await?;
            let told = |name: HeaderName| {
                let value = opened.parts.headers.get(name)?.to_str().ok()?;
                (value.len() <= 512).then(|| value.to_owned())
            };
            Ok(Downloaded::Body { etag: told(header::ETAG), last_modified: told(header::LAST_MODIFIED) })
        };
        tokio::time::timeout(wanted.within, fetched).await.map_err(|_| slow())?
    }
}

async fn written(opened: &mut Opened, largest: usize, to: &mut (dyn Write + Send)) -> Result<(), NotFetched> {
    let host = opened.host.clone();
    let mut encodings = opened.parts.headers.get_all(header::CONTENT_ENCODING).iter();
    let encoding = encodings.next().map(|value| value.as_bytes().to_ascii_lowercase());
    let several = encodings.next().is_some();
    let bounded = Bounded { to, left: largest };
    let mut sink = match encoding.as_deref() {
        _ if several => return Err(NotFetched::Encoding(host)),
        None | Some(b"identity") => Sink::Plain(bounded),
        Some(b"gzip" | b"x-gzip") => Sink::Packed(Box::new(flate2::write::GzDecoder::new(bounded))),
        Some(_) => return Err(NotFetched::Encoding(host)),
    };
    let unwritten = |error: io::Error| match error.kind() {
        io::ErrorKind::FileTooLarge => NotFetched::TooLarge { host: host.clone(), largest },
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            NotFetched::Encoding(host.clone())
        }
        _ => NotFetched::Unreachable { host: host.clone(), cause: error.to_string() },
    };
    let mut arrived = 0_usize;
    while let Some(frame) = opened.body.frame().await {
        let frame = frame
            .map_err(|error| NotFetched::Unreachable { host: host.clone(), cause: error.to_string() })?;
        let Ok(data) = frame.into_data() else { continue };
        arrived = arrived.saturating_add(data.len());
        if arrived > largest {
            return Err(NotFetched::TooLarge { host: host.clone(), largest });
        }
        sink.write(&data).map_err(unwritten)?;
    }
    sink.finish().map_err(unwritten)
}

/// Lets no more through than it was told.
struct Bounded<'w> {
    to: &'w mut (dyn Write + Send),
    left: usize,
}

impl Write for Bounded<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(octets.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.to.write_all(octets)?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

enum Sink<'w> {
    Plain(Bounded<'w>),
    Packed(Box<flate2::write::GzDecoder<Bounded<'w>>>),
}

impl Sink<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(to) => to.write_all(octets),
            Self::Packed(to) => to.write_all(octets),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut to) => to.flush(),
            Self::Packed(to) => to.finish().and_then(|mut to| to.flush()),
        }
    }
}
