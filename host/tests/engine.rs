//! The multicore engine against sequential revm on real blocks, and on the public state tests.

mod common;
mod node;
mod parallel;
mod serving;
mod shuffled;

use std::{convert::Infallible, num::NonZeroUsize, time::Instant};

use gatewei::{
    Block, ByList, Checks, Engine, Executor, Sequential, block, digest,
    statetest::{self, Options, Verdict},
};
use parallel::{Parallel, assert_same};

/// Number of blocks in the archive.
const BLOCKS: usize = 59;
/// Cases in the archive.
const CASES: u64 = 21_458;

#[test]
fn real_blocks_are_the_same_on_one_two_and_four_threads() {
    let Some(folder) = common::data("mainnet") else {
        return;
    };
    let directories = block::find(&folder).expect("the folder has blocks");
    assert_eq!(directories.len(), BLOCKS);
    let (mut txs, mut executions, mut again) = (0, 0, 0);
    for directory in directories {
        let block = Block::load(&directory).expect("a real block loads");
        let sequential = Sequential.execute(&block);
        for threads in [1, 2, 4] {
            let what = format!("block {} on {threads} threads", block.number());
            let outcome = Parallel::new(threads).execute(&block);
            assert_same(&sequential, &outcome, &what);
            let (Ok(sequential), Ok(outcome)) = (&sequential, &outcome) else {
                panic!("{what}: a real block is invalid");
            };
            let (checks, mismatches) = Checks::new(&block, outcome);
            assert!(checks.hold(), "{what}: {mismatches:?}");
            assert_eq!(digest(sequential), digest(outcome), "{what}");
            let counts = &outcome.statistics;
            assert!(counts.reexecutions == 0 || threads > 1, "{what}");
            txs += block.transactions.len() as u64;
            executions += counts.executions;
            again += counts.reexecutions;
        }
        // As a user calls it, with the shortcuts for small blocks.
        let threads = NonZeroUsize::new(2).expect("not zero");
        let outcome = Engine::builder().threads(threads).build().execute(&block);
        assert_same(&sequential, &outcome, &format!("block {}", block.number()));
    }
    println!("{txs} transactions, {executions} executions, {again} of them again");
    assert!(executions >= txs);
}

#[test]
fn real_blocks_with_access_lists_are_the_same_and_the_lists_right() {
    let Some(folder) = common::data("mainnet") else {
        return;
    };
    let (mut txs, mut again, mut again_without) = (0, 0, 0);
    let (mut followed, mut lefts) = (0, Vec::new());
    for directory in block::find(&folder).expect("the folder has blocks") {
        let mut block = Block::load(&directory).expect("a real block loads");
        let number = block.number();
        again_without += Parallel::new(2)
            .execute(&block)
            .map_or(0, |outcome| outcome.statistics.reexecutions);
        block.load_access_list().expect("it has a list");
        let sequential = Sequential.execute(&block);
        for threads in [1, 2, 4] {
            let what = format!("block {number} on {threads} threads with its list");
            let outcome = Parallel::new(threads).execute(&block);
            assert_same(&sequential, &outcome, &what);
            let outcome = outcome.expect("a real block is valid");
            let (checks, mismatches) = Checks::new(&block, &outcome);
            assert!(
                checks.hold() && checks.access_list == Some(true),
                "{what}: {mismatches:?}"
            );
            again += outcome.statistics.reexecutions;
            txs += block.transactions.len() as u64;
        }
        let threads = NonZeroUsize::new(2).expect("not zero");
        let outcome = Engine::builder().threads(threads).build().execute(&block);
        assert_same(
            &sequential,
            &outcome,
            &format!("block {number} with its list"),
        );
        match outcome.expect("a real block is valid").statistics.by_list {
            ByList::Yes => followed += 1,
            ByList::Left(left) => lefts.push((number, left)),
            ByList::No => {}
        }
    }
    println!("{txs} transactions, {again} executed again; without lists {again_without}");
    println!("{followed} blocks executed by their list alone, left {lefts:?}");
    assert!(followed >= 40 && lefts.len() <= 1, "{followed} {lefts:?}");
    // What a list does not tell: what became of an account that was destroyed.
    assert!(100 * again < txs, "{again} of {txs}");
}

#[test]
fn engines_do_not_disturb_each_other() {
    let Some(folder) = common::data("mainnet") else {
        return;
    };
    let load = |number: u64| Block::load(&folder.join(number.to_string())).expect("it loads");
    let blocks = [load(17_034_869), load(19_426_586), load(24_628_607)];
    let expected = blocks.each_ref().map(|block| Sequential.execute(block));
    let engine = Engine::builder().build();
    std::thread::scope(|scope| {
        for (block, expected) in blocks
            .iter()
            .zip(&expected)
            .chain(blocks.iter().zip(&expected))
        {
            let engine = &engine;
            scope.spawn(move || {
                let what = format!("block {}", block.number());
                assert_same(expected, &engine.execute(block), &what);
            });
        }
    });
}

#[test]
fn state_tests_pass_in_sessions() {
    let Some(folder) = common::data("statetests") else {
        return;
    };
    let files = statetest::find(&folder).expect("the folder has fixtures");
    let started = Instant::now();
    let options = Options {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        ..Options::default()
    };
    let Ok(summary) = statetest::run(
        &files,
        options,
        || Ok::<Box<dyn Executor>, Infallible>(Box::new(Parallel::new(1))),
        |report| match report {
            Ok((case, report)) => {
                if let Verdict::Failed(reason) = &report.verdict {
                    println!(
                        "FAILED {} {} {:?}: {reason}",
                        case.name, case.fork, case.indexes
                    );
                }
            }
            Err(error) => println!("FAILED {error}"),
        },
        || {},
    );
    println!("{summary:?} in {:.1} s", started.elapsed().as_secs_f64());
    let skipped: u64 = summary.skipped.values().sum();
    assert_eq!(summary.failed, 0);
    assert_eq!(summary.passed + skipped, CASES);
}
