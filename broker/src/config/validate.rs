//! What must hold between keys.

use broker_core::assurance::OutputMap;
use url::{Host, Url};

use super::{File, Problem, Problems};
use crate::outbound::Network;

/// Checks what a type cannot say, and takes the issuer apart.
pub(super) fn origin(file: &File, problems: &mut Problems) -> Option<Url> {
    store_url(file, problems);
    limits(file, problems);
    outbound(file, problems);
    sources(file, problems);
    let Ok(origin) = Url::parse(&file.issuer) else {
        problems.add_about(
            "issuer",
            Problem::error(
                "config.issuer_not_url",
                format!("`{}` is not a URL", file.issuer),
                "Write the public address of the broker, such as https://login.example.se",
            ),
        );
        return None;
    };
    if file.issuer.ends_with('/')
        || origin.query().is_some()
        || origin.fragment().is_some()
        || origin.path() != "/"
    {
        problems.add_about(
            "issuer",
            Problem::error(
                "config.issuer_form",
                "the issuer must be scheme, host and port alone, without a slash at the end",
                format!("Write {}", origin.origin().ascii_serialization()),
            ),
        );
    }
    match origin.scheme() {
        "https" if file.tls.is_none() && file.proxy.trusted.is_empty() => problems.add_about(
            "issuer",
            Problem::error(
                "config.tls_missing",
                "the issuer is https, and nobody ends TLS",
                "Give [tls] certificate and key, or name the proxy that ends TLS in [proxy] trusted.",
            ),
        ),
        "https" => {}
        "http" if is_loopback(&origin) => {}
        _ => problems.add_about(
            "issuer",
            Problem::error(
                "config.issuer_not_https",
                "plain http is for a loopback issuer alone (localhost, *.localhost, 127.0.0.1, [::1])",
                "Use https, with [tls] here or a proxy named in [proxy] trusted.",
            ),
        ),
    }
    if file.saml.skew_seconds > 300 {
        problems.add_about(
            "skew_seconds",
            Problem::error(
                "config.skew",
                format!("{} s of clock difference is too much", file.saml.skew_seconds),
                "60 s is what Sweden Connect allows; other federations allow at most 300.",
            ),
        );
    }
    Some(origin)
}

/// What may be said of levels; `None` with a problem when a row of `[[federation.level]]` does not hold.
pub(super) fn output_map(file: &File, problems: &mut Problems) -> Option<OutputMap> {
    let section = &file.federation;
    match OutputMap::with_rows(section.reviewed, section.level.clone()) {
        Ok(map) => Some(map),
        Err((at, refused)) => {
            let row =
                section.level.get(at).map(|row| format!("{} to {}", row.from, row.to)).unwrap_or_default();
            problems.add_about(
                "[federation.level]",
                Problem::error(
                    "config.level",
                    format!("row {} of [[federation.level]], {row}: {refused}", at + 1),
                    "A row may only lead to the same or a lower level of a vocabulary that may be used; docs/authority.md says which.",
                ),
            );
            None
        }
    }
}

fn store_url(file: &File, problems: &mut Problems) {
    let url = &file.store.url;
    let known = url.split_once(':').is_some_and(|(scheme, rest)| match scheme {
        "redis" | "rediss" => rest.starts_with("//") && rest.len() > 2,
        "unix" | "embedded" => !rest.is_empty() && !rest.ends_with('/'),
        _ => false,
    });
    if !known {
        problems.add_about(
            "url",
            Problem::error(
                "config.store_url",
                format!("`{}` is no store", redact(url)),
                "Write redis://HOST:PORT/0, rediss://HOST:PORT/0, unix:/PATH/TO/SOCKET or embedded:PATH.",
            ),
        );
    }
    if url.starts_with("redis://") && !redis_is_loopback(url) {
        problems.add_about(
            "url",
            Problem::warning(
                "config.redis_plain",
                "Redis is spoken to without TLS over a network",
                "Use rediss://, or a tunnel. Records are sealed, but whoever is between can deny service.",
            ),
        );
    }
}

fn outbound(file: &File, problems: &mut Problems) {
    for network in &file.outbound.allow {
        if let Err(unreadable) = network.parse::<Network>() {
            problems.add_about(
                "allow",
                Problem::error(
                    "config.outbound_allow",
                    unreadable,
                    "Name the networks of your own that metadata is fetched from, such as [\"10.0.0.0/8\"].",
                ),
            );
        }
    }
}

fn sources(file: &File, problems: &mut Problems) {
    let mut add = |what: String, fix: &str| {
        problems.add_about("[source]", Problem::error("config.source", what, fix));
    };
    for (number, source) in file.source.iter().enumerate() {
        for (what, fix) in source.faults() {
            add(what, fix);
        }
        if file.source.iter().skip(number + 1).any(|other| other.name == source.name) {
            add(format!("two sources are called {}", source.name), "Give each a name of its own.");
        }
    }
}

fn limits(file: &File, problems: &mut Problems) {
    let limits = &file.limits;
    let bounds = [
        ("connections", limits.connections as u64, 16, 1_000_000),
        ("header_seconds", limits.header_seconds, 1, 120),
        ("request_seconds", limits.request_seconds, 1, 300),
        ("login_seconds", limits.login_seconds, 60, 7_200),
        ("connection_seconds", limits.connection_seconds, 10, 86_400),
        ("connection_requests", limits.connection_requests as u64, 10, 10_000_000),
        ("body_megabytes", limits.body_megabytes as u64, 4, 65_536),
        ("work_queue", limits.work_queue as u64, 1, 100_000),
        ("work_milliseconds", limits.work_milliseconds, 10, 60_000),
        ("client_per_second", limits.client_per_second.into(), 1, 1_000_000),
        ("guesses_per_minute", limits.guesses_per_minute.into(), 1, 1_000_000),
        // A browser keeps the cookies of twenty logins: what is above that is never reached.
        ("begun_per_minute", limits.begun_per_minute.into(), 3, 20),
        ("begun_per_second", limits.begun_per_second.into(), 1, 1_000_000),
        ("answers_per_login", limits.answers_per_login.into(), 1, 1_000),
    ];
    for (key, value, least, most) in bounds {
        if !(least..=most).contains(&value) {
            problems.add_about(
                key,
                Problem::error(
                    "config.limit",
                    format!("limits.{key} is {value}"),
                    format!("Choose {least} to {most}."),
                ),
            );
        }
    }
}

/// Whether an address can only be this machine (RFC 6761 6.3 for names under localhost).
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn redis_is_loopback(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| match url.host_str() {
        Some(host) => {
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        None => false,
    })
}

/// A store URL may carry a password.
fn redact(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://…{}", &url[..scheme], &url[at..]),
        _ => url.to_owned(),
    }
}
