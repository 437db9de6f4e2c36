//! The target `redirect_query` for the engine; its body is `fuzz::redirect_query`.
#![no_main]
#![allow(unsafe_code, reason = "the engine finds the target by an exported symbol")]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz::redirect_query::body(octets));
