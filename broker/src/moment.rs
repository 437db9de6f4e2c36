//! The edge's clock and generator: the only place in the project that reads either.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use broker_core::moment::{Entropy, Moment, Timestamp};

/// The operating system's generator.
#[derive(Debug)]
pub(crate) struct SystemEntropy(SystemRandom);

static SYSTEM: std::sync::LazyLock<SystemEntropy> =
    std::sync::LazyLock::new(|| SystemEntropy(SystemRandom::new()));

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // Without randomness there is nothing safe to go on with: every secret of a login comes from here.
        self.0.fill(bytes).expect("the operating system gives random octets");
    }
}

/// The time, from the machine's clock.
pub(crate) fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the edge that owns the clock")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp(since.map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)))
}

/// The generator.
pub(crate) fn entropy() -> &'static dyn Entropy {
    &*SYSTEM
}

/// Now, with the generator.
pub(crate) fn moment() -> Moment<'static> {
    Moment { now: now(), entropy: entropy() }
}

/// The time in the standard library's own form, for certificates and key rings.
pub(crate) fn system_time() -> std::time::SystemTime {
    std::time::UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(now().0).unwrap_or_default())
}
