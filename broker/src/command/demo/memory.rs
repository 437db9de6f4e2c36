//! What a demo party remembers between two requests of a browser: a bounded number of things, each for a bounded time, in memory.

use std::{collections::VecDeque, sync::Mutex};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::moment::{Moment, Timestamp};

/// Things by random handle; the oldest goes when there is no more room.
pub(super) struct Memory<T> {
    kept: Mutex<VecDeque<Kept<T>>>,
    most: usize,
    seconds: i64,
}

struct Kept<T> {
    handle: String,
    until: Timestamp,
    thing: T,
}

impl<T: Clone> Memory<T> {
    /// Room for `most` things, each for `seconds`.
    pub(super) fn new(most: usize, seconds: i64) -> Self {
        Self { kept: Mutex::new(VecDeque::new()), most, seconds }
    }

    /// Keeps a thing; the handle is 256 random bits.
    pub(super) fn keep(&self, thing: T, moment: Moment<'_>) -> String {
        let handle = random(moment);
        self.with(moment.now, |kept, most| {
            while kept.len() >= most {
                kept.pop_front();
            }
            kept.push_back(Kept { handle: handle.clone(), until: moment.now.plus(self.seconds), thing });
        });
        handle
    }

    /// A copy of a thing.
    pub(super) fn find(&self, handle: &str, now: Timestamp) -> Option<T> {
        self.with(now, |kept, _| {
            kept.iter().find(|kept| kept.handle == handle).map(|kept| kept.thing.clone())
        })
    }

    /// A thing, which is then forgotten: two takers never both get it.
    pub(super) fn take(&self, handle: &str, now: Timestamp) -> Option<T> {
        self.with(now, |kept, _| {
            let at = kept.iter().position(|kept| kept.handle == handle)?;
            kept.remove(at).map(|kept| kept.thing)
        })
    }

    fn with<R>(&self, now: Timestamp, work: impl FnOnce(&mut VecDeque<Kept<T>>, usize) -> R) -> R {
        // What a panicking holder left is whole: every change is one push or one removal.
        let mut kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.retain(|kept| kept.until > now);
        work(&mut kept, self.most)
    }
}

/// 256 random bits, base64url.
pub(super) fn random(moment: Moment<'_>) -> String {
    URL_SAFE_NO_PAD.encode(moment.random::<32>())
}

#[cfg(test)]
mod tests {
    use super::Memory;
    use crate::moment;

    #[test]
    fn the_oldest_goes_first_and_nothing_outlives_its_time() {
        let memory = Memory::new(2, 10);
        let at = moment::moment();
        let [first, second, third] = [1, 2, 3].map(|thing| memory.keep(thing, at));
        assert_eq!(memory.find(&first, at.now), None);
        assert_eq!(memory.find(&second, at.now), Some(2));
        assert_eq!(memory.find(&third, at.now.plus(10)), None);
    }

    #[test]
    fn a_thing_is_taken_once() {
        let memory = Memory::new(2, 10);
        let at = moment::moment();
        let handle = memory.keep("x", at);
        assert_eq!(memory.take(&handle, at.now), Some("x"));
        assert_eq!(memory.take(&handle, at.now), None);
    }
}
