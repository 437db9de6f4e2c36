//! The figures of a run.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use crate::raw::Raw;

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
