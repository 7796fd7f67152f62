//! All real blocks on the executors, against their headers.

mod common;

use gatewei::{Block, Checks, Executor, Sequential, block, digest};
use revm::primitives::hardfork::SpecId;

/// Number of blocks in the archive.
const BLOCKS: usize = 59;

#[test]
fn sequential_revm_reproduces_every_header() {
    let Some(folder) = common::data("mainnet") else {
        return;
    };
    let directories = block::find(&folder).expect("the folder has blocks");
    assert_eq!(directories.len(), BLOCKS);
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
