//! The target `client_assertion` for the engine; its body is `fuzz::client_assertion`.
#![no_main]
#![allow(unsafe_code, reason = "the engine finds the target by an exported symbol")]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz::client_assertion::body(octets));
