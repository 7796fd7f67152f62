//! `cargo +nightly fuzz run --features libfuzzer completions`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gatewei_fuzz::completions(data));
