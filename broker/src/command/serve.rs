//! `sparvidd serve --config FILE`

use std::{path::Path, sync::Arc, time::Duration};

use certs::key_directory::KeyDirectory;

use super::Stopped;
use crate::{
    config::{Config, Severity},
    feed, route,
    server::{self, Bounds, Trusted},
    telemetry,
    wiring::{self, Node},
};

/// Runs the broker until it is told to stop.
pub(crate) fn run(path: &Path) -> Result<(), Stopped> {
    let config = Config::read(path).map_err(Stopped::could_not)?;
    telemetry::start(config.file.log.format, "info");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stopped::could_not(format!("the runtime cannot start: {error}")))?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> Result<(), Stopped> {
    let (_, warnings) = super::check::look(&config);
    for warning in warnings.iter().filter(|problem| problem.severity == Severity::Warning) {
        tracing::warn!(id = warning.id, "{} {}", warning.what, warning.fix);
    }
    let keys = KeyDirectory::open(&config.file.keys).map_err(Stopped::could_not)?;
    let tls = transport(&config)?;
    let opened = wiring::open_store(&config).await.map_err(Stopped::could_not)?;
    let listener = server::bind(config.file.listen).await.map_err(|error| {
        Stopped::could_not(format!("{} cannot be listened on: {error}", config.file.listen))
    })?;
    let limits = &config.file.limits;
    let bounds = Bounds {
        connections: limits.connections,
        header_timeout: Duration::from_secs(limits.header_seconds),
        request_timeout: Duration::from_secs(limits.request_seconds),
        connection_age: Duration::from_secs(limits.connection_seconds),
        connection_requests: limits.connection_requests,
        body_memory: limits.body_megabytes.saturating_mul(1024 * 1024),
    };
    let trusted = Trusted::new(config.file.proxy.trusted.iter().copied());
    let (issuer, listen) = (config.file.issuer.clone(), config.file.listen);
    let node = Node::new(config, keys, opened.store.clone()).map_err(Stopped::could_not)?;
    // Once before the first connection: a node with the keys of another cluster does not come up. A store that is away lets it come up all the same.
    node.refresh().await.map_err(Stopped::could_not)?;
    let stop = server::stop_signal();
    node.begin_rounds(&stop);
    tracing::info!(%issuer, %listen, "the broker is up");
    let refused = {
        let serving =
            server::serve(listener, route::router(node.clone()), tls, trusted, bounds, stop.clone());
        tokio::select! {
            () = serving => None,
            refused = follow(node, stop) => refused,
        }
    };
    drop(opened);
    if refused.is_none() {
        tracing::info!("the broker has stopped");
    }
    refused.map_or(Ok(()), |error| Err(Stopped::could_not(error)))
}

/// The transport configuration, where the broker ends TLS itself.
pub(super) fn transport(config: &Config) -> Result<Option<Arc<rustls::ServerConfig>>, Stopped> {
    let Some(section) = &config.file.tls else { return Ok(None) };
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|error| Stopped::could_not(format!("{} cannot be read: {error}", path.display())))
    };
    let (certificate, key) = (read(&section.certificate)?, read(&section.key)?);
    certs::tls::server(&certificate, &key).map(Some).map_err(Stopped::could_not)
}

/// Follows what may change while serving: the registry each second, and the token keys. Ends with what forbids this node to serve on; a stop it
/// waits out, since open requests end first.
pub(crate) async fn follow(node: Arc<Node>, mut stop: tokio::sync::watch::Receiver<bool>) -> Option<String> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let stopped = tokio::select! {
            _ = ticks.tick() => false,
            _ = stop.wait_for(|stopped| *stopped) => true,
        };
        if stopped {
            return std::future::pending().await;
        }
        if let Err(error) = node.refresh().await {
            return Some(error);
        }
        feed::Feed::tend(&node);
        node.throttle.tidy();
        node.api.tidy();
        node.given.tidy();
    }
}
