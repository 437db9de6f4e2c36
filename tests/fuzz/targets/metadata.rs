//! The target `metadata` for the engine; its body is `fuzz::metadata_file`.
#![no_main]
#![allow(unsafe_code, reason = "the engine finds the target by an exported symbol")]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz::metadata_file::body(octets));
