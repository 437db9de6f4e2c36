//! Which key of which provider verified a message, as this node saw it: noted in memory at each login, and merged into what all nodes know once a
//! minute, when an hour is new for a key. The rollover guard and the operator go by it (`metadata::key_use`).

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use broker_core::{
    identifier::ProviderId,
    moment::Timestamp,
    port::{HeadMoved, Store},
    suspension::KeyFingerprint,
};
use certs::mac::MacKey;
use metadata::key_use::{HEAD, KeyUse, KeyUseRefused};

/// Seconds between two writes of one node.
const BETWEEN_WRITES: i64 = 60;
/// How often another node may be faster before this one waits for the next minute.
const ATTEMPTS: usize = 5;

/// What this node noted.
pub(crate) struct KeyUseNotes {
    mac: MacKey,
    noted: Mutex<Noted>,
    /// When this node last looked at whether there is something to write.
    written: AtomicI64,
}

#[derive(Default)]
struct Noted {
    /// What was noted since the node came up.
    seen: KeyUse,
    /// Counts what is new; equal to `written`: nothing is.
    news: u64,
    written: u64,
}

impl KeyUseNotes {
    /// Nothing noted yet.
    pub(crate) fn new(mac: MacKey) -> Self {
        Self { mac, noted: Mutex::default(), written: AtomicI64::new(i64::MIN) }
    }

    /// A message was verified.
    pub(crate) fn note(&self, provider: &ProviderId, key: KeyFingerprint, now: Timestamp) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.seen.note(provider, key, now) {
            noted.news = noted.news.wrapping_add(1);
        }
    }

    /// Writes what is new, at most once a minute.
    ///
    /// # Errors
    /// A sentence for the log; what is new stays so.
    pub(crate) async fn write_if_due(&self, store: &dyn Store, now: Timestamp) -> Result<(), String> {
        let last = self.written.load(Ordering::Acquire);
        // A clock that was set back must not silence a node for long.
        if (0..BETWEEN_WRITES).contains(&now.since(Timestamp(last))) {
            return Ok(());
        }
        let (seen, news) = {
            let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            if noted.news == noted.written {
                return Ok(());
            }
            (noted.seen.clone(), noted.news)
        };
        self.written.store(now.0, Ordering::Release);
        for _ in 0..ATTEMPTS {
            let there = store.head(HEAD).await.map_err(|error| error.to_string())?;
            let mut merged = seen.clone();
            match read(there.as_deref(), &self.mac) {
                Ok(known) => _ = merged.merge(&known),
                Err(error) => {
                    tracing::error!(%error, alarm = "key_use_refused", "what nodes wrote of keys' use is not used")
                }
            }
            merged.forget_old(now);
            let sealed = merged.seal(&self.mac);
            let moved =
                store.move_head(HEAD, there.as_deref(), &sealed).await.map_err(|error| error.to_string())?;
            if moved == HeadMoved::Moved {
                let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
                noted.written = news;
                return Ok(());
            }
        }
        Err("other nodes wrote when keys were used at the same time, again and again".to_owned())
    }
}

/// What lies in the store, read.
///
/// # Errors
/// When it is not authentic.
pub(crate) fn read(head: Option<&[u8]>, mac: &MacKey) -> Result<KeyUse, KeyUseRefused> {
    head.map_or_else(|| Ok(KeyUse::default()), |octets| KeyUse::open(octets, mac))
}

#[cfg(test)]
mod tests {
    use broker_core::{moment::Timestamp, port::Store as _, suspension::KeyFingerprint};
    use broker_store::embedded;
    use certs::mac::{MacKey, Secret};
    use metadata::key_use::HEAD;

    use super::{BETWEEN_WRITES, KeyUseNotes, read};

    const NOW: Timestamp = Timestamp(1_795_305_600);

    fn mac() -> MacKey {
        Secret::from_octets([1; 32]).mac_key("key use")
    }

    fn key(octet: u8) -> KeyFingerprint {
        KeyFingerprint::new([octet; 32])
    }

    #[tokio::test]
    async fn nodes_merge_what_they_noted_at_most_once_a_minute_and_drop_what_others_forged() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, _socket) =
            embedded::open_for_serve(&folder.path().join("registry.redb"), embedded::machine_clock())
                .expect("a store");
        let store = &*store;
        let (one, other) = (KeyUseNotes::new(mac()), KeyUseNotes::new(mac()));
        one.note(&"a".into(), key(1), NOW);
        other.note(&"a".into(), key(2), NOW);
        for notes in [&one, &other] {
            notes.write_if_due(store, NOW).await.expect("written");
        }
        let known = |head: Option<Vec<u8>>| read(head.as_deref(), &mac()).expect("authentic");
        let seen = known(store.head(HEAD).await.expect("read"));
        assert_eq!(seen.of(&"a".into()).count(), 2, "both nodes' notes are there");

        one.note(&"a".into(), key(3), NOW);
        one.write_if_due(store, NOW.plus(BETWEEN_WRITES - 1)).await.expect("not yet");
        let seen = known(store.head(HEAD).await.expect("read"));
        assert_eq!(seen.of(&"a".into()).count(), 2, "a minute has not passed");
        one.write_if_due(store, NOW.plus(BETWEEN_WRITES)).await.expect("written");
        let there = store.head(HEAD).await.expect("read");
        assert_eq!(known(there.clone()).of(&"a".into()).count(), 3);

        let _ = store.move_head(HEAD, there.as_deref(), b"forged").await.expect("moved");
        one.note(&"a".into(), key(1), NOW.plus(7200));
        one.write_if_due(store, NOW.plus(7200)).await.expect("written");
        let seen = known(store.head(HEAD).await.expect("read"));
        assert_eq!(seen.of(&"a".into()).count(), 2, "what this node knows stands again");
    }
}
