//! What the public-key operations of a login cost with nothing around them, on this machine, in this run.

use std::{hint::black_box, time::Duration};

use certs::{PrivateKey, Signer as _};

use crate::process::own_thread;

/// About as much as is signed: a message of 1 KiB.
const MESSAGE: &[u8] = &[b'm'; 1024];
const ROUNDS: u32 = 400;

/// What one operation costs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw {
    /// A signature.
    pub(crate) sign: Duration,
    /// Its verification.
    pub(crate) verify: Duration,
}

impl Raw {
    /// What a login needs: the AuthnRequest and the ID token are signed, the Response is verified. The relying party proves itself by a secret.
    pub(crate) fn login(&self) -> Duration {
        self.sign * 2 + self.verify
    }
}

/// Measures a key. Processor time of this thread, so that others on the machine do not count.
pub(crate) fn measured(key: &PrivateKey) -> Raw {
    let signature = key.sign(MESSAGE).expect("the key signs");
    let sign = each(|| drop(black_box(key.sign(black_box(MESSAGE)))));
    let verify = each(|| {
        let outcome = key.public_key().verify(key.algorithm(), black_box(MESSAGE), black_box(&signature));
        assert!(outcome.is_ok(), "its own signature verifies");
    });
    Raw { sign, verify }
}

fn each(operation: impl Fn()) -> Duration {
    for _ in 0..ROUNDS / 10 {
        operation();
    }
    let before = own_thread();
    for _ in 0..ROUNDS {
        operation();
    }
    own_thread().saturating_sub(before) / ROUNDS
}
