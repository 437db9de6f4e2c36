//! The target `aggregate` for the engine; its body is `fuzz::aggregate`.
#![no_main]
#![allow(unsafe_code, reason = "the engine finds the target by an exported symbol")]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz::aggregate::body(octets));
