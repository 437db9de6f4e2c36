//! The clock and the generator of the harness: the one place here that reads them.

use std::time::SystemTime;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::moment::Timestamp;

/// Now.
#[must_use]
pub fn system_time() -> SystemTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests stand outside of the process whose clock is a parameter"
    )]
    SystemTime::now()
}

/// Now, in seconds.
#[must_use]
pub fn now() -> Timestamp {
    let since = system_time().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970");
    Timestamp(i64::try_from(since.as_secs()).expect("a clock before the end of time"))
}

/// Fresh random octets.
#[must_use]
pub fn octets<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    SystemRandom::new().fill(&mut octets).expect("the system gives randomness");
    octets
}

/// A fresh random text of 32 characters of base64url.
#[must_use]
pub fn text() -> String {
    URL_SAFE_NO_PAD.encode(octets::<24>())
}

/// A fresh `xs:ID`.
#[must_use]
pub fn xml_id() -> String {
    format!("_{}", text())
}
