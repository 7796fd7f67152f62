//! `cargo +nightly fuzz run --features libfuzzer vfio_user`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gatewei_fuzz::vfio_user(data));
