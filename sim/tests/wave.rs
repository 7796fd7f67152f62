//! `WAVE=file.fst` in a process of its own, since a model looks at the environment when it is made.
#![cfg(feature = "wave")]

use std::process::Command;

use gatewei_sim::{Options, SimCard};

/// Cycles that the child simulates, at 10 ns each.
const CYCLES: u64 = 500;

#[test]
fn simulate() {
    let mut card = SimCard::new(Options::default()).unwrap();
    card.run(CYCLES).unwrap();
}

#[test]
fn a_wave_file_covers_the_run() {
    let file = std::env::temp_dir().join(format!("gatewei-wave-{}.fst", std::process::id()));
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "simulate"])
        .env("WAVE", &file)
        .status()
        .unwrap();
    assert!(status.success());
    let wave = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    // The header block: type 0, its length, then first and last time, big-endian nanoseconds.
    let number = |at: usize| u64::from_be_bytes(wave[at..at + 8].try_into().unwrap());
    assert_eq!((wave[0], number(1)), (0, 329));
    let (first, last) = (number(9), number(17));
    assert!(
        first <= 10 && (CYCLES * 10..CYCLES * 10 + 200).contains(&last),
        "{first} {last}"
    );
    // More than the header and the names: values.
    assert!(wave.len() > 10_000, "{} bytes", wave.len());
}
