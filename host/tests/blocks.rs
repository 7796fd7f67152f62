//! All real blocks on the executors, against their headers.

mod common;

use std::{num::NonZeroUsize, path::PathBuf};

use gatewei::{
    Block, Checks, Engine, Executor, Sequential, block,
    building::{DropReason, Limits, build},
    digest, first_difference,
};
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

/// A block from its witness alone, with nothing else in the directory.
#[test]
fn a_block_with_a_complete_witness_verifies_alone() {
    let Some(folder) = common::data("mainnet") else {
        return;
    };
    let whole = folder.join("24628607");
    let alone = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("stateless");
    std::fs::create_dir_all(&alone).expect("it can be made");
    for file in ["block.json", "witness.json"] {
        std::fs::copy(whole.join(file), alone.join(file)).expect("it can be copied");
    }
    let block = Block::load(&whole).expect("it loads");
    let expected = Sequential.execute(&block).expect("it runs");
    let (checks, mismatches) = Checks::new(&block, &expected);
    assert_eq!(checks.state_root, Some(true), "{mismatches:?}");
    let block = Block::load_stateless(&alone).expect("it loads");
    let engine = Engine::builder().build();
    for outcome in [Sequential.execute(&block), engine.execute(&block)] {
        let outcome = outcome.expect("it runs");
        assert_eq!(digest(&expected), digest(&outcome));
        let (checks, mismatches) = Checks::new(&block, &outcome);
        assert!(
            checks.hold() && checks.state_root == Some(true),
            "{mismatches:?}"
        );
    }
    // A wrong state has another root.
    let mut wrong = Sequential.execute(&block).expect("it runs");
    let slots = wrong
        .state
        .state
        .values_mut()
        .flat_map(|account| account.storage.values_mut());
    let slot = slots
        .into_iter()
        .find(|slot| slot.is_changed())
        .expect("it stores");
    slot.present_value += alloy_primitives::U256::from(2);
    assert_eq!(Checks::new(&block, &wrong).0.state_root, Some(false));
    // What is missing is named, wherever it is missed; what nobody needs is not.
    let text = std::fs::read(alone.join("witness.json")).expect("it is there");
    let witness: serde_json::Value = serde_json::from_slice(&text).expect("it is JSON");
    let mut missed = 0;
    for part in ["state", "codes", "headers"] {
        let count = witness[part].as_array().map_or(0, Vec::len);
        for at in (0..count).step_by(1 + count / 6) {
            let mut less = witness.clone();
            less[part].as_array_mut().expect("a list").remove(at);
            std::fs::write(alone.join("witness.json"), less.to_string()).expect("it is written");
            let Ok(block) = Block::load_stateless(&alone) else {
                missed += 1;
                continue;
            };
            match (Sequential.execute(&block), engine.execute(&block)) {
                (Ok(outcome), Ok(_)) => {
                    let checks = Checks::new(&block, &outcome).0;
                    missed += usize::from(!checks.hold());
                }
                (Err(left), Err(right)) => {
                    assert_eq!(left, right);
                    missed += 1;
                }
                other => panic!("{part} {at}: {other:?}"),
            }
        }
    }
    assert!(missed >= 10, "{missed}");
}

/// A pool with transactions that cannot be valid where they stand.
#[test]
fn a_block_is_built_from_what_is_valid_in_the_pool() {
    let Some(folder) = common::data("mainnet") else {
        return;
    };
    let block = Block::load(&folder.join("24628607")).expect("it loads");
    let all = block.transactions.len();
    let whole = build(&block, Limits::default()).expect("it is built");
    assert_eq!((whole.included.len(), whole.dropped.len()), (all, 0));
    let expected = Sequential.execute(&block).expect("it runs");
    assert_eq!(first_difference(&expected, &whole.outcome), None);
    // The first transaction twice, a rich one, and the others: two are dropped with their reasons.
    let mut pool = block.clone();
    let mut rich = (pool.transactions[1].clone(), pool.tx_envs[1].clone());
    rich.1.gas_limit = pool.header.gas_limit + 1;
    pool.transactions.insert(1, pool.transactions[0].clone());
    pool.tx_envs.insert(1, pool.tx_envs[0].clone());
    pool.transactions.insert(2, rich.0);
    pool.tx_envs.insert(2, rich.1);
    pool.list_accesses = true;
    let built = build(&pool, Limits::default()).expect("it is built");
    assert_eq!(first_difference(&expected, &built.outcome), None);
    let dropped: Vec<_> = built
        .dropped
        .iter()
        .map(|it| (it.index, it.reason.to_string()))
        .collect();
    assert_eq!(dropped.len(), 2, "{dropped:?}");
    assert!(
        dropped[0].0 == 1 && dropped[0].1.contains("nonce"),
        "{dropped:?}"
    );
    assert!(
        dropped[1].0 == 2 && dropped[1].1.contains("gas"),
        "{dropped:?}"
    );
    // Its access list is that of the block without what was dropped.
    let mut block = block;
    block.load_access_list().expect("it has one");
    let list = block.access_list.as_ref().expect("it was loaded");
    assert_eq!(Some(list.accounts()), built.outcome.access_list.as_deref());
    let none = build(&pool, Limits::within(std::time::Duration::ZERO)).expect("it is built");
    assert!(none.included.is_empty() && none.dropped.len() == all + 2);
    assert!(
        none.dropped
            .iter()
            .all(|it| it.reason == DropReason::Closed)
    );
}
