//! One multiplexed connection, made when it is needed and made again when it is lost, with a deadline on everything.
//!
//! The library's own reconnecting wrapper is not used: it keeps the outcome of a handshake that the server refused (a server that is still loading)
//! for ever, and keeps a connection whose peer went silent. Here each failure that is the connection's ends the connection.
//!
//! Neighbours: `redis/mod.rs` has the verbs.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use broker_core::port::StoreError;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisError,
    ScriptInvocation, TlsCertificates, Value, aio::MultiplexedConnection, io::tcp::TcpSettings,
};
use tokio::sync::Mutex;

use super::{OCTETS_PER_SECOND, OptionsError, RedisOptions};

/// After a connection could not be made, how long others fail at once instead of trying it each: as long as the try took, within these. So a server
/// that refuses is asked again soon, and one that is silent holds up one verb in a while and not all.
const PAUSE: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(1);
/// How many commands may wait to be sent.
const QUEUE: usize = 1024;

/// What the server answered.
pub(super) struct Answered {
    pub(super) value: Value,
    /// Whether this was the second try: the first may have had its effect.
    pub(super) again: bool,
}

#[derive(Default)]
struct Slot {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that one that was replaced already is not ended in place of its successor.
    generation: u64,
    /// Until when others fail at once, and with what.
    failed: Option<(Instant, StoreError)>,
}

/// The connection to one server.
pub(super) struct Connection {
    client: Client,
    at: String,
    connect_within: Duration,
    answer_within: Duration,
    slot: Mutex<Slot>,
}

impl Connection {
    pub(super) fn new(options: &RedisOptions) -> Result<Self, OptionsError> {
        let info = read_url(&options.url)?;
        let at = match info.addr() {
            ConnectionAddr::Unix(path) => path.display().to_string(),
            other => other.to_string(),
        };
        let is_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        let client = match (&options.certificate_authorities, is_tls) {
            (Some(path), true) => {
                let unusable =
                    |reason: String| OptionsError::CertificateAuthorities { path: path.clone(), reason };
                let root_cert = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
                if !root_cert.windows(10).any(|window| window == b"-----BEGIN") {
                    return Err(unusable("it has no certificate in PEM form".to_owned()));
                }
                let certificates = TlsCertificates { client_tls: None, root_cert: Some(root_cert) };
                Client::build_with_tls(info, certificates).map_err(|error| unusable(error.to_string()))?
            }
            (Some(path), false) => {
                return Err(OptionsError::CertificateAuthorities {
                    path: path.clone(),
                    reason: "the url is not rediss://, so nothing would be checked against them".to_owned(),
                });
            }
            (None, _) => Client::open(info).map_err(|error| OptionsError::Url(error.to_string()))?,
        };
        if is_tls && rustls::crypto::CryptoProvider::get_default().is_none() {
            // The library takes the process's default. An error means that another thread was faster.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        Ok(Self {
            client,
            at,
            connect_within: options.connect_within,
            answer_within: options.answer_within,
            slot: Mutex::default(),
        })
    }

    /// Where the server is, without credentials.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    pub(super) async fn run(&self, script: &ScriptInvocation<'_>) -> Result<Answered, StoreError> {
        self.twice(self.answer_within, async |mut connection| script.invoke_async(&mut connection).await)
            .await
    }

    /// Asks a single command that moves about `octets`.
    pub(super) async fn ask(&self, command: &Cmd, octets: usize) -> Result<Answered, StoreError> {
        let seconds = u64::try_from(octets / OCTETS_PER_SECOND).unwrap_or(u64::MAX);
        let within = self.answer_within.saturating_add(Duration::from_secs(seconds));
        self.twice(within, async |mut connection| command.query_async(&mut connection).await).await
    }

    async fn twice<F>(
        &self,
        within: Duration,
        ask: impl Fn(MultiplexedConnection) -> F,
    ) -> Result<Answered, StoreError>
    where
        F: Future<Output = Result<Value, RedisError>>,
    {
        for again in [false, true] {
            let (connection, generation) = self.connection().await?;
            let error = match tokio::time::timeout(within, ask(connection)).await {
                Ok(Ok(value)) => return Ok(Answered { value, again }),
                Ok(Err(error)) => error,
                Err(_) => {
                    // Late is not lost, but a peer that went silent looks the same. The next verb finds out on a new connection.
                    self.end(generation).await;
                    return Err(self.away(&format!("no answer within {within:?}")));
                }
            };
            let connections_own = error.is_io_error() || error.is_unrecoverable_error();
            if connections_own || !is_a_refusal(&error) {
                self.end(generation).await;
            }
            if again || !connections_own {
                return Err(self.failure(&error));
            }
        }
        Err(self.away("the connection was lost twice"))
    }

    async fn connection(&self) -> Result<(MultiplexedConnection, u64), StoreError> {
        // Others wait here while one connects, as long as that may take.
        let mut slot = self.slot.lock().await;
        if let Some(connection) = &slot.connection {
            return Ok((connection.clone(), slot.generation));
        }
        if let Some((until, error)) = &slot.failed
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        let began = Instant::now();
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let error = match tokio::time::timeout(self.connect_within, connecting).await {
            Ok(Ok(connection)) => {
                slot.generation = slot.generation.wrapping_add(1);
                slot.failed = None;
                slot.connection = Some(connection.clone());
                return Ok((connection, slot.generation));
            }
            // Nothing that a server says while it greets is unexpected enough to be more than away.
            Ok(Err(error)) => self.away(&error.to_string()),
            Err(_) => self.away(&format!("no connection within {:?}", self.connect_within)),
        };
        let pause = began.elapsed().clamp(*PAUSE.start(), *PAUSE.end());
        slot.failed = Some((Instant::now() + pause, error.clone()));
        Err(error)
    }

    async fn end(&self, generation: u64) {
        let mut slot = self.slot.lock().await;
        if slot.generation == generation {
            slot.connection = None;
        }
    }

    fn away(&self, why: &str) -> StoreError {
        StoreError::Away(format!("{}: {why}", self.at))
    }

    fn failure(&self, error: &RedisError) -> StoreError {
        if is_a_refusal(error) {
            StoreError::Unexpected(format!("{}: {error}", self.at))
        } else {
            self.away(&error.to_string())
        }
    }
}

/// Whether the server is well and refuses this command. Its other errors (loading, read-only, out of memory, busy, no replicas, no permission yet)
/// pass by themselves or by an operator's hand: to a login they are a store that is away.
fn is_a_refusal(error: &RedisError) -> bool {
    !error.is_io_error()
        && !error.is_unrecoverable_error()
        && !matches!(
            error.code(),
            Some(
                "LOADING"
                    | "READONLY"
                    | "MASTERDOWN"
                    | "CLUSTERDOWN"
                    | "TRYAGAIN"
                    | "OOM"
                    | "BUSY"
                    | "NOREPLICAS"
                    | "NOAUTH"
                    | "NOPERM"
                    | "WRONGPASS"
                    | "MISCONF"
                    | "UNKILLABLE"
            )
        )
}

fn read_url(text: &str) -> Result<ConnectionInfo, OptionsError> {
    const KNOWN: &str = "use redis://HOST:PORT, rediss://HOST:PORT, or unix:/PATH";
    let refused = |why: &str| OptionsError::Url(format!("{why}; {KNOWN}"));
    let url = redis::parse_redis_url(text).ok_or_else(|| refused("it cannot be read"))?;
    if url.fragment().is_some() {
        return Err(refused("it has a part after #, and certificates are always checked"));
    }
    let permitted: &[&str] = if url.scheme().ends_with("unix") { &["db", "user", "pass"] } else { &[] };
    if let Some((name, _)) = url.query_pairs().find(|(name, _)| !permitted.contains(&name.as_ref())) {
        return Err(refused(&format!("it has the option \"{name}\", which is not known")));
    }
    // The library's texts say what is wrong and not what the URL was.
    let info = url.into_connection_info().map_err(|error| refused(&error.to_string()))?;
    let settings = TcpSettings::default().set_nodelay(true);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(Duration::from_secs(5));
    Ok(info.set_tcp_settings(settings))
}
