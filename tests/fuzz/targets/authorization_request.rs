//! The target `authorization_request` for the engine; its body is `fuzz::authorization_request`.
#![no_main]
#![allow(unsafe_code, reason = "the engine finds the target by an exported symbol")]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz::authorization_request::body(octets));
