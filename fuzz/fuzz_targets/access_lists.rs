//! `cargo +nightly fuzz run --features libfuzzer access_lists`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gatewei_fuzz::access_lists(data));
