//! `Verified<T>`: a value that a signature verifier vouches for.
//!
//! The type stands alone in this crate so that the login (`broker-core`) can demand it without knowing how signatures are
//! checked, and the verifiers (`certs`) can make it without knowing what a login is. The architecture test in
//! `tests/architecture.rs` fails when any crate but `certs` names [`Verified::vouched_for_by_a_verifier`].

#![doc(html_no_source)]

/// A value that came, whole, out of octets under a verified signature. There is no other way to hold one.
#[derive(Debug, Clone)]
#[must_use]
pub struct Verified<T> {
    value: T,
}

impl<T> Verified<T> {
    /// Only signature verifiers in `certs` call this, after the signature held over exactly the octets that `value` is.
    #[doc(hidden)]
    pub fn vouched_for_by_a_verifier(value: T) -> Self {
        Self { value }
    }

    /// What was verified.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Gives the value up, and the proof with it.
    pub fn into_value(self) -> T {
        self.value
    }

    /// Reads something out of the verified value. `read` sees nothing but what was verified, so its result is as well proven.
    pub fn map<U>(self, read: impl FnOnce(T) -> U) -> Verified<U> {
        Verified { value: read(self.value) }
    }

    /// Like [`Verified::map`], for a reading that can refuse.
    ///
    /// # Errors
    /// Whatever `read` refuses with.
    pub fn try_map<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Verified<U>, E> {
        Ok(Verified { value: read(self.value)? })
    }
}
