//! `cargo +nightly fuzz run --features libfuzzer config_space`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gatewei_fuzz::config_space(data));
