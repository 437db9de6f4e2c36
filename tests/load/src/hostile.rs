//! Senders who cost us as much as they can, while honest people sign in.
//!
//! Each comes from an address of its own kind (127.0.0.2), has a login of its own where that gets it further, and sends as fast as it is answered; or,
//! for comparison, as often as it did before, to a server that does nothing with it (`sink.rs`):
//!
//! | sender | what |
//! |---|---|
//! | attributes | an answer with 20,000 attributes on one element |
//! | nesting | an answer nested 10,000 deep |
//! | entities | an answer with entities that unfold to gigabytes |
//! | inflate | an answer that is DEFLATE of 200 MB |
//! | forged | a whole answer whose signature is another's, which costs a verification |
//! | large | a body of 50 MB |
//! | slow | two hundred connections that send an octet now and then |
//! | beginner | login upon login, each in a fresh browser, which costs a signature |

use std::{
    fmt::Write as _,
    io::Write as _,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::DeflateEncoder};
use tests::{
    browser::Form,
    federation::Federation,
    person::Person,
    walk::{Next, Walk},
    wire::Wire,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    runtime::Runtime,
    task::JoinHandle,
    time::Instant,
};

/// Where they come from.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Connections of one slow sender.
const SLOW: usize = 200;
/// The body of a large sender, in octets.
const LARGE: usize = 50 * 1024 * 1024;

/// What the senders' threads are called.
pub(crate) const THREADS: &str = "hostile";

/// Where they send, and how often.
#[derive(Debug)]
pub(crate) enum Target {
    /// To the federation's first node, as fast as they are answered.
    Node,
    /// To this port, each sender with so much time for a request.
    Sink(u16, Vec<Duration>),
}

/// What one sender has sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    requests: AtomicU64,
    octets: AtomicU64,
}

/// What a sender does.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Attributes,
    Nesting,
    Entities,
    Inflate,
    Forged,
    Large,
    Slow,
    Beginner,
}

const KINDS: [Kind; 8] = [
    Kind::Attributes,
    Kind::Large,
    Kind::Forged,
    Kind::Slow,
    Kind::Nesting,
    Kind::Beginner,
    Kind::Entities,
    Kind::Inflate,
];

/// Senders at work, until they are stopped.
pub(crate) struct Hostile {
    stop: Arc<AtomicBool>,
    sent: Arc<[Sent]>,
    senders: Vec<JoinHandle<()>>,
    threads: Runtime,
}

/// Threads that take only time that nobody else wants: the senders' own work would be done on machines of theirs, and must not be counted as
/// what they cost us.
fn threads_of_least_priority() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(THREADS)
        .on_thread_start(|| {
            let thread = std::fs::read_link("/proc/thread-self").ok();
            let id = thread.as_deref().and_then(|path| path.file_name()).map(std::ffi::OsStr::to_owned);
            let id = id.expect("Linux says which thread this is");
            let done = std::process::Command::new("renice").args(["-n", "19", "-p"]).arg(id).output();
            assert!(done.is_ok_and(|done| done.status.success()), "renice is there (util-linux)");
        })
        .enable_all()
        .build()
        .expect("the senders' threads start")
}

impl Hostile {
    /// Lets so many loose, of all kinds in turn.
    pub(crate) fn loose(federation: &Arc<Federation>, number: usize, target: &Target) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), (0..number).map(|_| Sent::default()).collect());
        let threads = threads_of_least_priority();
        let port = match target {
            Target::Node => federation.port(),
            Target::Sink(port, _) => *port,
        };
        let senders = (0..number)
            .map(|number| {
                let every = match target {
                    Target::Node => None,
                    Target::Sink(_, every) => every.get(number).copied(),
                };
                let sender = Sender {
                    federation: federation.clone(),
                    port,
                    stop: stop.clone(),
                    sent: Arc::clone(&sent),
                    number,
                    every,
                    began: Instant::now(),
                };
                let kind = KINDS[number % KINDS.len()];
                threads.spawn(async move { sender.run(kind).await })
            })
            .collect();
        Self { stop, sent, senders, threads }
    }

    /// How many requests and octets each has sent.
    pub(crate) fn sent(&self) -> Vec<(u64, u64)> {
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.sent.iter().map(|sent| (number(&sent.requests), number(&sent.octets))).collect()
    }

    /// Stops them.
    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.await.expect("a sender does not panic");
        }
        self.threads.shutdown_background();
    }
}

struct Sender {
    federation: Arc<Federation>,
    port: u16,
    stop: Arc<AtomicBool>,
    sent: Arc<[Sent]>,
    number: usize,
    /// How much time it has for a request, if not as little as it needs.
    every: Option<Duration>,
    began: Instant,
}

impl Sender {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Waits for the next request's time, and counts it.
    async fn turn(&self) {
        let before = self.sent[self.number].requests.fetch_add(1, Ordering::Relaxed);
        let Some(every) = self.every else { return };
        let due = self.began + every.mul_f64(before as f64);
        while self.goes_on() && Instant::now() < due {
            tokio::time::sleep_until(due.min(Instant::now() + Duration::from_millis(100))).await;
        }
    }

    fn count(&self, octets: usize) {
        self.sent[self.number].octets.fetch_add(octets as u64, Ordering::Relaxed);
    }

    async fn run(self, kind: Kind) {
        match kind {
            Kind::Large => self.large().await,
            Kind::Slow => self.slow().await,
            Kind::Beginner => self.begin().await,
            Kind::Attributes | Kind::Nesting | Kind::Entities | Kind::Inflate | Kind::Forged => {
                self.answers(kind).await;
            }
        }
    }

    /// A login of its own, as far as the provider; `None`: the broker takes none now.
    async fn at_provider<'f>(
        &self,
        federation: &'f Federation,
        wire: &Arc<Wire>,
    ) -> Option<(Walk<'f>, Form)> {
        let mut walk = Walk::new(federation, Person::numbered(900_000 + self.number))
            .over(wire.clone())
            .naming_the_provider();
        self.turn().await;
        let page = walk.browser.try_open(self.port, &walk.attempt.path()).await.ok()?;
        if !page.reply.header(http::header::LOCATION).contains("SAMLRequest") {
            return None;
        }
        walk.arrive(federation.port(), &page).await;
        match walk.next.clone() {
            Next::Assert(form) => Some((walk, form)),
            _ => None,
        }
    }

    /// Answers that are posted with the cookie of a login and name it, so that they get past what is cheap.
    async fn answers(&self, kind: Kind) {
        let federation = self.federation.clone();
        while self.goes_on() {
            let wire = Arc::new(Wire::from_address(ADDRESS));
            let Some((walk, genuine)) = self.at_provider(&federation, &wire).await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let id = walk.asked.as_ref().expect("the provider was asked").request.id.clone();
            let message = message(kind, &id, &genuine);
            let octets = message.len();
            let form = Form { fields: vec![("SAMLResponse".to_owned(), message)], ..genuine };
            for _ in 0..20 {
                self.turn().await;
                if !self.goes_on() || walk.browser.try_submit(self.port, &form).await.is_err() {
                    break;
                }
                self.count(octets);
            }
        }
    }

    async fn begin(&self) {
        let federation = self.federation.clone();
        let wire = Arc::new(Wire::from_address(ADDRESS));
        while self.goes_on() {
            let walk = Walk::new(&federation, Person::asa()).over(wire.clone()).naming_the_provider();
            self.turn().await;
            let _ = walk.browser.try_open(self.port, &walk.attempt.path()).await;
        }
    }

    async fn large(&self) {
        let piece = vec![b'a'; 64 * 1024];
        while self.goes_on() {
            self.turn().await;
            let Ok(mut stream) = tests::wire::stream(Some(ADDRESS), self.port).await else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let head = "POST /saml/acs HTTP/1.1\r\nHost: localhost\r\nCookie: login-AAAAAAAA=AAAAAAAAAAAAAAAAAAAAAAAAAAA.1.\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            let mut left = LARGE;
            while left > 0 && self.goes_on() {
                let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat();
                if stream.write_all(&chunk).await.is_err() {
                    break;
                }
                self.count(piece.len());
                left = left.saturating_sub(piece.len());
            }
        }
    }

    async fn slow(&self) {
        let mut open = Vec::new();
        while self.goes_on() {
            while open.len() < SLOW && self.goes_on() {
                let Ok(mut stream) = tests::wire::stream(Some(ADDRESS), self.port).await else { break };
                let head = "POST /saml/acs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\
                    Content-Type: application/x-www-form-urlencoded\r\n\r\n";
                self.turn().await;
                if stream.write_all(head.as_bytes()).await.is_ok() {
                    open.push(stream);
                }
            }
            let mut alive = Vec::with_capacity(open.len());
            for mut stream in open {
                let mut heard = [0; 1024];
                let ended = matches!(
                    tokio::time::timeout(Duration::from_micros(10), stream.read(&mut heard)).await,
                    Ok(Ok(0) | Err(_))
                );
                if !ended && stream.write_all(b"a").await.is_ok() {
                    alive.push(stream);
                }
            }
            open = alive;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

/// The message of a sender, in base64.
fn message(kind: Kind, in_response_to: &str, genuine: &Form) -> String {
    let open = format!(
        "<p:Response xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_a\" Version=\"2.0\" InResponseTo=\"{in_response_to}\">"
    );
    let inside = match kind {
        Kind::Attributes => {
            let attributes: String = (0..20_000).map(|number| format!(" a{number}=\"\"")).collect();
            format!("<a{attributes}/>")
        }
        Kind::Nesting => format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000)),
        Kind::Entities => {
            let mut entities = "<!ENTITY a0 \"aaaaaaaaaa\">".to_owned();
            for number in 1..12 {
                let before = format!("&a{};", number - 1).repeat(10);
                // Writing into a String cannot fail.
                let _ = write!(entities, "<!ENTITY a{number} \"{before}\">");
            }
            return STANDARD.encode(format!("<!DOCTYPE a [{entities}]>{open}&a11;</p:Response>"));
        }
        // A bomb where somebody inflates what comes by POST.
        Kind::Inflate => return STANDARD.encode(bomb()),
        Kind::Forged | Kind::Large | Kind::Slow | Kind::Beginner => {
            return forged(genuine);
        }
    };
    STANDARD.encode(format!("{open}{inside}</p:Response>"))
}

/// A genuine answer in which one letter of a value is another, so that everything is read, canonicalised and hashed before it is refused.
fn forged(genuine: &Form) -> String {
    let xml = STANDARD.decode(genuine.field("SAMLResponse")).expect("base64");
    let text = String::from_utf8(xml).expect("XML is text");
    let changed = text.replacen("SignatureValue>", "SignatureValue>AAAA", 1);
    STANDARD.encode(changed)
}

/// 200 MB of spaces, deflated.
fn bomb() -> Vec<u8> {
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    let spaces = vec![b' '; 1024 * 1024];
    for _ in 0..200 {
        deflated.write_all(&spaces).expect("memory takes it");
    }
    deflated.finish().expect("memory takes it")
}
