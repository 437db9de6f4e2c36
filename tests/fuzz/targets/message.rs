//! The target `message` for the engine; its body is `fuzz::message`.
#![no_main]
#![allow(unsafe_code, reason = "the engine finds the target by an exported symbol")]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz::message::body(octets));
