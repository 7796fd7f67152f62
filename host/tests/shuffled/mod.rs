//! Schedules that a seed decides: several workers on one thread, so that a failure repeats.

use std::num::NonZeroUsize;

use gatewei::{
    Block, Engine, ExecutionError, Executor as _, Outcome, Sequential, Verify, block,
    engine::{Session, Task, WorkerEvm, WorkerResult},
};
use revm::ExecuteEvm as _;

use crate::{common, parallel::assert_same};

/// Numbers of workers.
const WORKERS: [usize; 5] = [1, 2, 3, 4, 8];

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
struct Seed(u64);

impl Seed {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

struct Worker<'s> {
    evm: WorkerEvm<'s>,
    /// Executed, not handed in yet.
    held: Option<WorkerResult>,
}

/// The first worker leads, the others run ahead; whose turn it is, the seed decides.
fn work(session: &Session<'_>, workers: usize, mut seed: Seed) {
    let mut leader = session.leader();
    let make = |_| Worker {
        evm: session.evm(),
        held: None,
    };
    let mut workers: Vec<Worker<'_>> = (0..workers).map(make).collect();
    loop {
        let turn = seed.below(workers.len());
        let worker = &mut workers[turn];
        if let Some(result) = worker.held.take() {
            session.submit(&mut worker.evm, result, None);
            continue;
        }
        let task = if turn == 0 {
            session.poll_leading()
        } else {
            session.poll_running()
        };
        match task {
            Task::Execute(attempt) => {
                session.aim(&mut worker.evm, attempt);
                let tx = session.transaction(attempt).clone();
                worker.held = Some(worker.evm.transact(tx));
            }
            Task::Commit => session.lead(&mut leader),
            Task::Wait => {}
            Task::Done => return,
        }
    }
}

pub fn execute(block: &Block, workers: usize, seed: u64) -> Result<Outcome, ExecutionError> {
    let engine = Engine::builder().threads(NonZeroUsize::MIN).build();
    engine.execute_with(block, Verify::None, |session| {
        work(session, workers, Seed(seed));
    })
}

/// All real blocks under this many schedules for every number of workers.
fn real_blocks(schedules: u64, with_lists: bool) {
    let Some(folder) = common::data("mainnet") else {
        return;
    };
    let (mut again, mut blocked) = (0, 0);
    for directory in block::find(&folder).expect("the folder has blocks") {
        let mut block = Block::load(&directory).expect("a real block loads");
        if with_lists {
            block.load_access_list().expect("it has a list");
        }
        let sequential = Sequential.execute(&block);
        for workers in WORKERS {
            for seed in 0..schedules {
                let what = format!("block {}, {workers} workers, seed {seed}", block.number());
                let outcome = execute(&block, workers, seed);
                assert_same(&sequential, &outcome, &what);
                let counts = outcome.expect("a real block is valid").statistics;
                again += counts.reexecutions;
                blocked += counts.blocked;
            }
        }
    }
    println!("{again} executed again, {blocked} blocked");
    assert!(again > 0, "no schedule made anything conflict");
}

#[test]
fn real_blocks_are_the_same_under_shuffled_schedules() {
    real_blocks(1, false);
}

#[test]
#[ignore = "some minutes: part of `make soak`"]
fn real_blocks_are_the_same_under_fifty_shuffled_schedules() {
    real_blocks(50, false);
    real_blocks(10, true);
}

#[test]
fn a_schedule_repeats() {
    let Some(folder) = common::data("mainnet") else {
        return;
    };
    let block = Block::load(&folder.join("19426586")).expect("it loads");
    let counts = |seed| {
        let outcome = execute(&block, 4, seed).expect("it is valid");
        let counts = outcome.statistics;
        (counts.executions, counts.reexecutions, counts.blocked)
    };
    assert_eq!(counts(7), counts(7));
    assert!((0..8).any(|seed| counts(seed) != counts(7)));
}
