//! `cargo +nightly fuzz run --features libfuzzer witnesses`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gatewei_fuzz::witnesses(data));
