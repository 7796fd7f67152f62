//! `cargo +nightly fuzz run --features libfuzzer blocks`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gatewei_fuzz::blocks(data));
