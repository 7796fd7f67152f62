//! `cargo +nightly fuzz run --features libfuzzer results`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gatewei_fuzz::results(data));
