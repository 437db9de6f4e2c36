//! Alarms of a node: what somebody must look at though logins go on. Each is in the log while it lasts and when it is over, and in `/health` while
//! it lasts.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use broker_core::moment::Timestamp;
use serde::Serialize;

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlarmKind {
    /// The registry's head, or what it names, is not to be believed: somebody has meddled with the store.
    Registry,
    /// The record of the newest revision is not to be believed, or is gone.
    History,
    /// The desk's head, or what it names, is not to be believed.
    Desk,
    /// What the sources have is not to be believed.
    Sources,
    /// A source could not be refreshed for half of its validity, or has expired: `sparvidd source list` says which, and why.
    SourceOld,
}

/// The alarms that last.
#[derive(Default)]
pub(crate) struct Alarms {
    /// Since when.
    lasting: Mutex<BTreeMap<AlarmKind, Timestamp>>,
}

impl Alarms {
    /// There is reason for an alarm. It is logged each time that somebody looked and found it.
    pub(crate) fn raise(&self, kind: AlarmKind, cause: &str, now: Timestamp) {
        let mut lasting = self.lasting.lock().unwrap_or_else(PoisonError::into_inner);
        lasting.entry(kind).or_insert(now);
        tracing::error!(alarm = ?kind, cause, "an alarm: somebody has to look at the store");
    }

    /// It was looked at, and there is no reason any more.
    pub(crate) fn clear(&self, kind: AlarmKind) {
        let mut lasting = self.lasting.lock().unwrap_or_else(PoisonError::into_inner);
        if lasting.remove(&kind).is_some() {
            tracing::warn!(alarm = ?kind, "an alarm is over");
        }
    }

    /// Whether there is one of that kind.
    pub(crate) fn is_raised(&self, kind: AlarmKind) -> bool {
        self.lasting.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&kind)
    }

    /// What lasts, and since when: for `/health`. The causes are in the log alone.
    pub(crate) fn lasting(&self) -> BTreeMap<AlarmKind, String> {
        let lasting = self.lasting.lock().unwrap_or_else(PoisonError::into_inner);
        lasting.iter().map(|(kind, since)| (*kind, since.to_rfc3339())).collect()
    }
}

#[cfg(test)]
mod tests {
    use broker_core::moment::Timestamp;

    use super::{AlarmKind, Alarms};

    #[test]
    fn an_alarm_lasts_from_its_beginning_until_it_is_over() {
        let alarms = Alarms::default();
        alarms.raise(AlarmKind::Desk, "a", Timestamp(0));
        alarms.raise(AlarmKind::Desk, "b", Timestamp(60));
        assert_eq!(alarms.lasting()[&AlarmKind::Desk], "1970-01-01T00:00:00Z");
        assert_eq!(serde_json::to_value(alarms.lasting()).expect("JSON")["desk"], "1970-01-01T00:00:00Z");
        alarms.clear(AlarmKind::Registry);
        assert_eq!(alarms.lasting().len(), 1);
        alarms.clear(AlarmKind::Desk);
        assert!(alarms.lasting().is_empty());
    }
}
