//! All real blocks on the executors, against their headers.

mod common;

use std::{num::NonZeroUsize, path::PathBuf};

use gatewei::{Block, Checks, Engine, Executor, Sequential, block, digest, first_difference};
use revm::primitives::hardfork::SpecId;

/// Number of blocks in the archive.
const BLOCKS: usize = 59;

fn directories() -> Option<Vec<PathBuf>> {
    let folder = common::data("mainnet")?;
    let directories = block::find(&folder).expect("the folder has blocks");
    assert_eq!(directories.len(), BLOCKS);
    Some(directories)
}

#[test]
fn sequential_revm_reproduces_every_header() {
    let Some(directories) = directories() else {
        return;
    };
    let mut faults = Vec::new();
    let mut forks = std::collections::BTreeSet::new();
    for directory in directories {
        let block = Block::load(&directory).expect("a real block loads");
        let outcome = Sequential.execute(&block).expect("a real block runs");
        let (checks, mismatches) = Checks::new(&block, &outcome);
        let spec = block.spec();
        let checkable = [
            checks.gas_used.is_some(),
            checks.logs_bloom.is_some(),
            checks.receipts_root.is_some() == spec.is_enabled_in(SpecId::BYZANTIUM),
            checks.requests_hash.is_some() == spec.is_enabled_in(SpecId::PRAGUE),
        ];
        if !checks.hold() || checkable.contains(&false) {
            faults.push(format!("{}: {checks:?} {mismatches:?}", block.number()));
        }
        let again = Sequential.execute(&block).expect("a real block runs twice");
        assert_eq!(digest(&outcome), digest(&again), "{}", block.number());
        forks.insert(block.fork);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    println!("forks: {forks:?}");
    assert!(
        forks.len() >= 12,
        "the blocks are of too few forks: {forks:?}"
    );
}

/// The engine on more threads than there are cores too: then threads are taken away in the middle of everything.
#[test]
fn the_engine_gives_the_same_on_every_number_of_threads() {
    let Some(directories) = directories() else {
        return;
    };
    for directory in directories {
        let block = Block::load(&directory).expect("a real block loads");
        let expected = Sequential.execute(&block).expect("a real block runs");
        for threads in [1, 2, 4] {
            let threads = NonZeroUsize::new(threads).expect("it is not zero");
            let engine = Engine::builder().threads(threads).build();
            let outcome = engine.execute(&block).expect("a real block runs");
            let place = format!("{} on {threads} threads", block.number());
            assert_eq!(first_difference(&expected, &outcome), None, "{place}");
            assert_eq!(digest(&expected), digest(&outcome), "{place}");
            assert_eq!(expected.state, outcome.state, "{place}");
            let (checks, mismatches) = Checks::new(&block, &outcome);
            assert!(checks.hold(), "{place}: {mismatches:?}");
        }
    }
}
