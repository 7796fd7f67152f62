//! All fuzz targets on their committed corpora, then on mutations of those for as long as there is time:
//! `GATEWEI_FUZZ` seconds a target (default 1), from `GATEWEI_SEED` on.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gatewei_fuzz::{TARGETS, Target};

/// Longest that one input may take.
const LONGEST: Duration = Duration::from_secs(5);
/// Longest input that mutations make.
const MOST: usize = 4096;

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

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

/// Another input, from one or two of the corpus.
fn mutate(rng: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut data = corpus[rng.below(corpus.len())].clone();
    for _ in 0..=rng.below(6) {
        let at = rng.below(data.len());
        match rng.below(7) {
            0 if !data.is_empty() => data[at] ^= 1 << rng.below(8),
            1 if !data.is_empty() => data[at] = rng.next() as u8,
            2 => {
                let edges = [0, 1, 0x7f, 0x80, 0xff];
                let edge = edges[rng.below(edges.len())];
                let end = data.len().min(at + 1 + rng.below(8));
                data[at..end].fill(edge);
            }
            3 => data.truncate(at),
            4 => {
                let bytes: Vec<u8> = (0..rng.below(64)).map(|_| rng.next() as u8).collect();
                data.splice(at..at, bytes);
            }
            5 => {
                let other = &corpus[rng.below(corpus.len())];
                let from = rng.below(other.len());
                let to = (from + rng.below(256)).min(other.len());
                data.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                let end = data.len().min(at + rng.below(64));
                data.drain(at..end);
            }
        }
    }
    data.truncate(MOST);
    data
}

fn run(&(name, target): &Target, data: &[u8]) {
    let began = Instant::now();
    let fate = catch_unwind(|| target(data));
    let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(fate.is_ok(), "{name} fails on {hex}");
    assert!(
        began.elapsed() < LONGEST,
        "{name} takes {:?} for {hex}",
        began.elapsed()
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
