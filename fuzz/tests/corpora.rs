//! All fuzz targets on their committed corpora, then on mutations of those for as long as there is time:
//! `GATEWEI_FUZZ` seconds a target (default 1), from `GATEWEI_SEED` on.

mod mutate;

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gatewei_fuzz::{TARGETS, Target};
use mutate::{Rng, mutate};

/// Longest that one input may take.
const LONGEST: Duration = Duration::from_secs(5);

fn number(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}"))
    })
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let read = |path| std::fs::read(path).expect("it can be read");
    paths.iter().map(read).collect()
}

fn run(&(name, target): &Target, data: &[u8]) {
    let hex = || -> String { data.iter().map(|byte| format!("{byte:02x}")).collect() };
    let time = || {
        let began = Instant::now();
        let fate = catch_unwind(|| target(data));
        assert!(fate.is_ok(), "{name} fails on {}", hex());
        began.elapsed()
    };
    // A machine may pause: what takes too long does so again.
    assert!(
        time() < LONGEST || time() < LONGEST,
        "{name} takes more than {LONGEST:?} for {}",
        hex()
    );
}

#[test]
fn targets_survive_their_corpora_and_what_grows_of_them() {
    let time = Duration::from_secs(number("GATEWEI_FUZZ", 1));
    for target in TARGETS {
        let corpus = corpus(target.0);
        assert!(!corpus.is_empty(), "{} has no corpus", target.0);
        corpus.iter().for_each(|data| run(target, data));
        let mut rng = Rng(number("GATEWEI_SEED", 1));
        let (began, mut inputs) = (Instant::now(), 0u64);
        while began.elapsed() < time || inputs < 1_000 {
            run(target, &mutate(&mut rng, &corpus));
            inputs += 1;
        }
        println!("{}: {} seeds, {inputs} mutations", target.0, corpus.len());
    }
}
