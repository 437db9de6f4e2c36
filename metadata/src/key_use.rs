//! When each key of each provider last verified a message, to the hour: what the rollover guard and the operator go by.
//!
//! It names providers and keys, and nobody. Nodes note it in memory and merge it now and then into one octet string under a head of its own in
//! the store, under a MAC: what somebody without the key wrote counts for nothing. Merging keeps the later hour of each key, so it does not
//! matter in which order nodes write, and an old copy that is put back is mended by the next node that writes.
//!
//! Neighbours: `revision::guard` and `revision::difference` read it; the process notes, reads and writes.

use std::collections::BTreeMap;

use broker_core::{identifier::ProviderId, moment::Timestamp, suspension::KeyFingerprint};
use certs::mac::MacKey;

/// The name of the head in the store.
pub const HEAD: &str = "key-use";

/// The seconds of "lately": a key that verified a message within these is in use.
pub const LATELY_SECONDS: i64 = 30 * 86_400;

/// What was not used for so long is forgotten, in seconds.
const FORGOTTEN_SECONDS: i64 = 400 * 86_400;

const HOUR: i64 = 3600;

/// The first line, which also keeps a MAC for this from being one for anything else.
const TITLE: &str = "sparvidd key use 1";

/// Which key of which provider verified a message, and when last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyUse(BTreeMap<ProviderId, BTreeMap<KeyFingerprint, i64>>);

impl KeyUse {
    /// Notes that a key verified a message. True when the hour is new for the key: only then is there something to write.
    pub fn note(&mut self, provider: &ProviderId, key: KeyFingerprint, at: Timestamp) -> bool {
        let hour = at.0.div_euclid(HOUR);
        // Most logins find the hour noted already; nothing is allocated for them.
        if let Some(known) = self.0.get_mut(provider).and_then(|keys| keys.get_mut(&key)) {
            let newer = hour > *known;
            *known = hour.max(*known);
            return newer;
        }
        self.0.entry(provider.clone()).or_default().insert(key, hour);
        true
    }

    /// The hour in which a key last verified a message: its beginning. `None`: never, as far as is known.
    #[must_use]
    pub fn last(&self, provider: &ProviderId, key: KeyFingerprint) -> Option<Timestamp> {
        self.0.get(provider)?.get(&key).map(|hour| Timestamp(hour.saturating_mul(HOUR)))
    }

    /// Whether a key verified a message within the last thirty days.
    #[must_use]
    pub fn is_lately(&self, provider: &ProviderId, key: KeyFingerprint, now: Timestamp) -> bool {
        // The hour may have ended after the thirty days began.
        self.last(provider, key).is_some_and(|last| now.since(last) <= LATELY_SECONDS + HOUR)
    }

    /// The keys of a provider that ever verified a message, each with its last hour.
    pub fn of(&self, provider: &ProviderId) -> impl Iterator<Item = (KeyFingerprint, Timestamp)> + '_ {
        self.0
            .get(provider)
            .into_iter()
            .flatten()
            .map(|(key, hour)| (*key, Timestamp(hour.saturating_mul(HOUR))))
    }

    /// Whether any key of the provider verified a message within the last thirty days.
    #[must_use]
    pub fn was_used_lately(&self, provider: &ProviderId, now: Timestamp) -> bool {
        self.0.get(provider).is_some_and(|keys| keys.keys().any(|key| self.is_lately(provider, *key, now)))
    }

    /// Takes over what another node noted: of each key the later hour. True when that changed anything.
    pub fn merge(&mut self, other: &Self) -> bool {
        let mut changed = false;
        for (provider, keys) in &other.0 {
            for (key, hour) in keys {
                changed |= self.note(provider, *key, Timestamp(hour.saturating_mul(HOUR)));
            }
        }
        changed
    }

    /// Forgets what is older than any decision that is made by it.
    pub fn forget_old(&mut self, now: Timestamp) {
        let oldest = now.plus(-FORGOTTEN_SECONDS).0.div_euclid(HOUR);
        for keys in self.0.values_mut() {
            keys.retain(|_, hour| *hour >= oldest);
        }
        self.0.retain(|_, keys| !keys.is_empty());
    }

    /// What lies in the store: a title, a line for each key, and the MAC of those.
    #[must_use]
    pub fn seal(&self, key: &MacKey) -> Vec<u8> {
        let mut text = format!("{TITLE}\n");
        for (provider, keys) in &self.0 {
            for (fingerprint, hour) in keys {
                // The provider comes last, as it may be any text; what ends a line is no part of an entity ID that is registered.
                if !provider.as_str().contains(['\n', '\r']) {
                    text.push_str(&format!("{fingerprint} {hour} {provider}\n"));
                }
            }
        }
        let mac = KeyFingerprint::new(key.mac(text.as_bytes()));
        text.push_str(&format!("{mac}\n"));
        text.into_bytes()
    }

    /// Reads what [`KeyUse::seal`] wrote. Nothing of it is looked at before the MAC held.
    ///
    /// # Errors
    /// When it is not authentic, or not of this form.
    pub fn open(octets: &[u8], key: &MacKey) -> Result<Self, KeyUseRefused> {
        let split = octets.len().checked_sub(65).ok_or(KeyUseRefused::Unauthenticated)?;
        let (body, line) = octets.split_at_checked(split).ok_or(KeyUseRefused::Unauthenticated)?;
        let mac = line
            .strip_suffix(b"\n")
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(decoded)
            .ok_or(KeyUseRefused::Unauthenticated)?;
        key.verify(body, &mac).map_err(|_| KeyUseRefused::Unauthenticated)?;
        let text = std::str::from_utf8(body).map_err(|_| KeyUseRefused::Malformed)?;
        let mut lines = text.lines();
        if lines.next() != Some(TITLE) {
            return Err(KeyUseRefused::Malformed);
        }
        let mut found = Self::default();
        for line in lines {
            let mut parts = line.splitn(3, ' ');
            let (Some(fingerprint), Some(hour), Some(provider)) = (
                parts.next().and_then(KeyFingerprint::parse),
                parts.next().and_then(|hour| hour.parse::<i64>().ok()),
                parts.next(),
            ) else {
                return Err(KeyUseRefused::Malformed);
            };
            found.0.entry(provider.into()).or_default().insert(fingerprint, hour);
        }
        Ok(found)
    }
}

/// 64 hexadecimal digits, lower case, as octets.
fn decoded(digits: &str) -> Option<[u8; 32]> {
    let mut octets = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (octet, pair) in octets.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(octets)
}

/// Why what lies in the store is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyUseRefused {
    /// Whoever wrote it does not have the key.
    #[error(
        "the record of when keys were used is not authentic: somebody without the nodes' key wrote it, or nodes have different keys"
    )]
    Unauthenticated,
    /// It is authentic and yet not of this form: of another version of the program.
    #[error("the record of when keys were used is in a form that this version does not know")]
    Malformed,
}

#[cfg(test)]
mod tests {
    use broker_core::{identifier::ProviderId, moment::Timestamp, suspension::KeyFingerprint};
    use certs::mac::{MacKey, Secret};

    use super::{KeyUse, KeyUseRefused, LATELY_SECONDS};

    const NOW: Timestamp = Timestamp(1_795_305_600);

    fn mac(octet: u8) -> MacKey {
        Secret::from_octets([octet; 32]).mac_key("key use")
    }

    fn provider(name: &str) -> ProviderId {
        name.into()
    }

    fn key(octet: u8) -> KeyFingerprint {
        KeyFingerprint::new([octet; 32])
    }

    #[test]
    fn only_a_new_hour_is_something_to_write() {
        let mut seen = KeyUse::default();
        assert!(seen.note(&provider("a"), key(1), NOW));
        assert!(!seen.note(&provider("a"), key(1), NOW.plus(3599)));
        assert!(seen.note(&provider("a"), key(1), NOW.plus(3600)));
        assert!(!seen.note(&provider("a"), key(1), NOW), "what came late moves nothing back");
        assert_eq!(seen.last(&provider("a"), key(1)), Some(NOW.plus(3600)));
        assert_eq!(seen.last(&provider("a"), key(2)), None);
        assert_eq!(seen.last(&provider("b"), key(1)), None);
    }

    #[test]
    fn lately_is_thirty_days() {
        let mut seen = KeyUse::default();
        let _ = seen.note(&provider("a"), key(1), NOW);
        assert!(seen.was_used_lately(&provider("a"), NOW.plus(LATELY_SECONDS)));
        assert!(!seen.was_used_lately(&provider("a"), NOW.plus(LATELY_SECONDS + 7200)));
        assert!(!seen.was_used_lately(&provider("b"), NOW));
    }

    #[test]
    fn two_nodes_that_merge_agree_whatever_the_order() {
        let (mut one, mut other) = (KeyUse::default(), KeyUse::default());
        let _ = one.note(&provider("a"), key(1), NOW.plus(7200));
        let _ = one.note(&provider("b"), key(3), NOW);
        let _ = other.note(&provider("a"), key(1), NOW);
        let _ = other.note(&provider("a"), key(2), NOW);
        let (mut left, mut right) = (one.clone(), other.clone());
        assert!(left.merge(&other) && right.merge(&one));
        assert_eq!(left, right);
        assert!(!left.merge(&right), "nothing is new any more");
        assert_eq!(left.of(&provider("a")).count(), 2);
    }

    #[test]
    fn what_is_older_than_any_decision_is_forgotten() {
        let mut seen = KeyUse::default();
        let _ = seen.note(&provider("a"), key(1), NOW.plus(-500 * 86_400));
        let _ = seen.note(&provider("b"), key(2), NOW);
        seen.forget_old(NOW);
        assert_eq!((seen.of(&provider("a")).count(), seen.of(&provider("b")).count()), (0, 1));
    }

    #[test]
    fn only_what_was_sealed_with_the_key_and_not_altered_is_read() {
        let mut seen = KeyUse::default();
        let _ = seen.note(&provider("https://idp.granvik.example/saml space"), key(1), NOW);
        let sealed = seen.seal(&mac(1));
        assert_eq!(KeyUse::open(&sealed, &mac(1)), Ok(seen));
        assert_eq!(KeyUse::open(&sealed, &mac(2)), Err(KeyUseRefused::Unauthenticated));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(KeyUse::open(&changed, &mac(1)), Err(KeyUseRefused::Unauthenticated), "octet {at}");
        }
        assert_eq!(KeyUse::open(b"", &mac(1)), Err(KeyUseRefused::Unauthenticated));
        assert_eq!(KeyUse::open(&KeyUse::default().seal(&mac(1)), &mac(1)), Ok(KeyUse::default()));
    }
}
