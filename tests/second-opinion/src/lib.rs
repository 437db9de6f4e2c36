//! Other implementations check what we sign, and we check what they sign (design section 11).
//!
//! Two judges that share no code with us or with each other: `bergshamra-dsig` (Rust throughout, RustCrypto) and `samael` on
//! libxmlsec1, libxml2 and OpenSSL. They need C libraries to build, so this package is outside `default-members`; all of it is
//! in `tests/second_opinion/`.
