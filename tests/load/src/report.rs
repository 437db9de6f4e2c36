//! The figures of a run.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use crate::{
    hostile::{self, Hostile},
    process::own_threads,
    raw::Raw,
    sink,
};

/// What was measured.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) logins: usize,
    pub(crate) concurrency: usize,
    pub(crate) nodes: usize,
    pub(crate) keys: &'static str,
    pub(crate) store: &'static str,
    pub(crate) notice: bool,
    /// From the first login's beginning to the last one's end.
    pub(crate) elapsed: Duration,
    /// How long each login waited for the broker; sorted.
    pub(crate) waits: Vec<Duration>,
    /// Processor time of all nodes.
    pub(crate) broker: Duration,
    /// Commands to the store per login.
    pub(crate) trips: Option<f64>,
    /// Resident memory of each node: now, and at its height.
    pub(crate) memory: Vec<(u64, u64)>,
    pub(crate) raw: Raw,
    /// What hostile senders did meanwhile.
    pub(crate) senders: Option<Senders>,
}

/// What hostile senders did and took.
#[derive(Debug)]
pub(crate) struct Senders {
    requests: u64,
    octets: u64,
    /// Processor time of the threads that send.
    sending: Duration,
    /// Processor time of the sink, where they send there.
    sink: Duration,
}

impl Senders {
    /// Since they were let loose.
    pub(crate) fn now(hostile: &Hostile) -> Self {
        let sent = hostile.sent();
        Self {
            requests: sent.iter().map(|(requests, _)| requests).sum(),
            octets: sent.iter().map(|(_, octets)| octets).sum(),
            sending: own_threads(hostile::THREADS),
            sink: own_threads(sink::THREADS),
        }
    }

    /// Since an earlier look.
    pub(crate) fn since(self, before: &Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(before.requests),
            octets: self.octets.saturating_sub(before.octets),
            sending: self.sending.saturating_sub(before.sending),
            sink: self.sink.saturating_sub(before.sink),
        }
    }
}

/// Honest logins alone, beside senders to a server that does nothing, and beside the same senders to the node; for people.
pub(crate) fn comparison(alone: &Report, sink: &Report, node: &Report) -> String {
    let cores = |time: Duration, report: &Report| time.as_secs_f64() / report.elapsed.as_secs_f64();
    let of = |report: &Report, figure: &dyn Fn(&Senders) -> f64| report.senders.as_ref().map_or(0.0, figure);
    let mut text =
        format!("{:<36}{:>12}{:>12}{:>12}\n", "hostile senders send to", "nobody", "a sink", "the node");
    let mut row = |name: &str, figure: &dyn Fn(&Report) -> f64, digits: usize| {
        let [alone, sink, node] = [alone, sink, node].map(figure);
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{name:<36}{alone:>12.digits$}{sink:>12.digits$}{node:>12.digits$}");
    };
    row("wait for the broker, p50, ms", &|report| report.wait(50), 2);
    row("wait for the broker, p99, ms", &|report| report.wait(99), 2);
    row("p50, times what it was alone", &|report| report.wait(50) / alone.wait(50).max(0.001), 2);
    row("p99, times what it was alone", &|report| report.wait(99) / alone.wait(99).max(0.001), 2);
    row("p99, times what it was by the sink", &|report| report.wait(99) / sink.wait(99).max(0.001), 2);
    row("node, cores", &|report| cores(report.broker, report), 2);
    row("senders, cores", &|report| of(report, &|senders| cores(senders.sending, report)), 2);
    row("sink, cores", &|report| of(report, &|senders| cores(senders.sink, report)), 2);
    row(
        "hostile requests/s",
        &|report| of(report, &|senders| senders.requests as f64) / report.elapsed.as_secs_f64(),
        0,
    );
    row(
        "hostile MB/s",
        &|report| of(report, &|senders| megabytes(senders.octets)) / report.elapsed.as_secs_f64(),
        1,
    );
    // The height is of all the time since the start: by the sink, which comes last, it says nothing.
    let _ = writeln!(
        text,
        "{:<36}{:>12.1}{:>12}{:>12.1}",
        "memory of a node, at most, MB",
        megabytes(alone.peak()),
        "",
        megabytes(node.peak())
    );
    let more = milliseconds(node.broker.saturating_sub(alone.broker));
    let _ = write!(
        text,
        "a hostile request costs the node about {:.2} ms",
        more / of(node, &|senders| senders.requests as f64).max(1.0)
    );
    text
}

impl Report {
    fn per_second(&self) -> f64 {
        count(self.logins) / self.elapsed.as_secs_f64()
    }

    fn per_login(&self) -> f64 {
        milliseconds(self.broker) / count(self.logins)
    }

    /// The wait that `percent` of the logins did not exceed, by the nearest rank.
    pub(crate) fn wait(&self, percent: usize) -> f64 {
        let rank = (self.waits.len() * percent).div_ceil(100).saturating_sub(1);
        self.waits.get(rank).copied().map_or(0.0, milliseconds)
    }

    /// The most memory that a node had, in octets.
    pub(crate) fn peak(&self) -> u64 {
        self.memory.iter().map(|(_, peak)| *peak).max().unwrap_or_default()
    }

    /// For scripts. Times in milliseconds, memory in octets.
    pub(crate) fn json(&self) -> Value {
        json!({
            "logins": self.logins,
            "concurrency": self.concurrency,
            "nodes": self.nodes,
            "keys": self.keys,
            "store": self.store,
            "notice": self.notice,
            "logins_per_second": self.per_second(),
            "wait_p50_ms": self.wait(50),
            "wait_p99_ms": self.wait(99),
            "broker_cpu_per_login_ms": self.per_login(),
            "store_trips_per_login": self.trips,
            "resident_octets": self.memory.iter().map(|(now, _)| now).collect::<Vec<_>>(),
            "resident_peak_octets": self.memory.iter().map(|(_, peak)| peak).collect::<Vec<_>>(),
            "raw_sign_ms": milliseconds(self.raw.sign),
            "raw_verify_ms": milliseconds(self.raw.verify),
            "raw_per_login_ms": milliseconds(self.raw.login()),
            "hostile_requests": self.senders.as_ref().map(|senders| senders.requests),
            "hostile_octets": self.senders.as_ref().map(|senders| senders.octets),
            "hostile_cpu_ms": self.senders.as_ref().map(|senders| milliseconds(senders.sending)),
            "sink_cpu_ms": self.senders.as_ref().map(|senders| milliseconds(senders.sink)),
        })
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let raw = milliseconds(self.raw.login());
        let mut rows = vec![
            (
                "logins",
                format!(
                    "{} ({} at a time, {} node(s), {}, {})",
                    self.logins, self.concurrency, self.nodes, self.keys, self.store
                ),
            ),
            ("logins/s", format!("{:.0}", self.per_second())),
            ("wait for the broker, p50", format!("{:.2} ms", self.wait(50))),
            ("wait for the broker, p99", format!("{:.2} ms", self.wait(99))),
            ("broker CPU per login", format!("{:.3} ms", self.per_login())),
            (
                "  signing and verifying, raw",
                format!(
                    "{raw:.3} ms (2 x {:.3} + {:.3})",
                    milliseconds(self.raw.sign),
                    milliseconds(self.raw.verify)
                ),
            ),
            ("  everything else", format!("{:.3} ms", self.per_login() - raw)),
        ];
        if let Some(trips) = self.trips {
            rows.push(("store round trips per login", format!("{trips:.2}")));
        }
        for (now, peak) in &self.memory {
            rows.push((
                "resident memory of a node",
                format!("{:.1} MB, at most {:.1} MB", megabytes(*now), megabytes(*peak)),
            ));
        }
        rows.into_iter().fold(String::new(), |mut text, (name, value)| {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{name:<32}{value}");
            text
        })
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn megabytes(octets: u64) -> f64 {
    count(usize::try_from(octets / 1024).unwrap_or(usize::MAX)) / 1024.0
}
