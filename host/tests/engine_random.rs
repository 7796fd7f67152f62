//! The multicore engine against sequential revm on random, conflict-heavy blocks, under schedules
//! that follow from a seed: a failure repeats.

mod every;
mod parallel;
mod random;

use std::{num::NonZeroUsize, sync::Arc};

use alloy_eips::eip7928::{
    AccountChanges, BalanceChange, BlockAccessIndex, CodeChange, NonceChange, SlotChanges,
    StorageChange,
};
use alloy_primitives::U256;
use gatewei::{
    AccessList, Block, ByList, Checks, Engine, ExecutionError, Executor as _, Outcome, Sequential,
    access_list_difference,
    engine::{Attempt, Session, Task, WorkerResult},
};
use parallel::{Parallel, assert_same};
use random::{FORKS, Random};
use revm::ExecuteEvm as _;

/// Executes with `workers` simulated workers on this thread, whose steps are shuffled: a worker holds
/// its result for any number of steps of the others before it hands it in.
fn shuffled(block: &Block, workers: usize, seed: u64) -> Result<Outcome, ExecutionError> {
    let mut random = Random(seed);
    let session = Session::new(block)?;
    let mut evms: Vec<_> = (0..workers).map(|_| session.evm()).collect();
    // Some schedules have no leader, some have helpers beside leaders.
    let mut leaders: Vec<_> = (0..workers)
        .map(|at| (seed % 3 > at as u64 % 2).then(|| session.leader()))
        .collect();
    let mut held: Vec<Option<(Attempt, WorkerResult)>> = (0..workers).map(|_| None).collect();
    loop {
        let at = random.below(workers as u64) as usize;
        if let Some((attempt, result)) = held[at].take() {
            if random.below(50) == 0 {
                session.abandon(attempt);
            } else {
                session.submit(&mut evms[at], result, None);
            }
            continue;
        }
        let task = match leaders[at] {
            Some(_) => session.poll_leading(),
            None => session.poll(),
        };
        match task {
            Task::Execute(attempt) => {
                session.aim(&mut evms[at], attempt);
                let result = evms[at].transact(session.transaction(attempt).clone());
                held[at] = Some((attempt, result));
            }
            Task::Commit => match &mut leaders[at] {
                Some(leader) => session.lead(leader),
                None => session.commit(),
            },
            Task::Wait => assert!(
                held.iter().any(Option::is_some) || leaders.iter().any(Option::is_some),
                "nobody has anything to do"
            ),
            Task::Done => break,
        }
    }
    drop((evms, leaders));
    session.finish()
}

fn seeds(count: u64) -> u64 {
    // A longer run: GATEWEI_SOAK=100 multiplies the seeds.
    let factor = std::env::var("GATEWEI_SOAK")
        .ok()
        .and_then(|value| value.parse().ok());
    count * factor.unwrap_or(1u64)
}

#[test]
fn shuffled_schedules_give_the_sequential_result() {
    let (mut failed, mut again, mut blocked, mut conflicts) = (0, 0, 0, 0);
    for fork in FORKS {
        for seed in 0..seeds(12) {
            let mut block = random::block(seed, fork, 24);
            block.list_accesses = seed % 2 == 0;
            let expected = Sequential.execute(&block);
            failed += u64::from(expected.is_err());
            for (workers, schedule) in [(1, 0), (2, 1), (3, 2), (8, 3), (8, 4)] {
                let got = shuffled(&block, workers, seed << 8 | schedule);
                let what = format!("{:?}, seed {seed}, schedule {schedule}", fork.0);
                assert_same(&expected, &got, &what);
                if let Ok(outcome) = got {
                    again += outcome.statistics.reexecutions;
                    blocked += outcome.statistics.executions;
                    // Whatever was thrown away has a reason, and was executed again.
                    let reasons: u64 = outcome.statistics.conflicts.iter().map(|it| it.count).sum();
                    assert!(reasons <= outcome.statistics.reexecutions, "{what}");
                    conflicts += reasons;
                }
            }
        }
    }
    println!("{failed} blocks with an invalid transaction, {again} re-executions of {blocked}");
    assert!(
        failed > 0 && again > 100 && conflicts > 100,
        "the blocks are too tame: {failed} {again}"
    );
}

/// Changes, drops or adds entries of a list so that its form stays right.
fn lie(list: &mut Vec<AccountChanges>, transactions: u64, random: &mut Random) {
    let index = BlockAccessIndex::new(random.below(transactions + 2));
    let at = random.below(list.len() as u64) as usize;
    let account = &mut list[at];
    let value = U256::from(random.below(1_000));
    match random.below(8) {
        0 => drop(list.remove(at)),
        1 => account.balance_changes = vec![BalanceChange::new(index, value)],
        2 => account.nonce_changes = vec![NonceChange::new(index, random.below(5))],
        3 => account.code_changes = vec![CodeChange::new(index, vec![0xef, 1, 0].into())],
        4 => account.code_changes = vec![CodeChange::new(index, vec![0x5f, 0x5f, 0xfd].into())],
        5 => {
            account.storage_reads.clear();
            account.storage_changes.truncate(1);
        }
        6 => {
            let change = StorageChange::new(index, value);
            account.storage_changes =
                vec![SlotChanges::new(U256::from(random.below(3)), vec![change])];
            account.storage_reads.clear();
        }
        _ => {
            account.balance_changes.clear();
            account.nonce_changes.clear();
        }
    }
}

#[test]
fn lists_that_lie_change_no_result() {
    let (mut honest, mut lying, mut found) = (0, 0, 0);
    let (mut followed, mut refused, mut left, mut vain) = (0, 0, 0, 0);
    for fork in FORKS {
        for seed in 2_000..2_000 + seeds(12) {
            let mut block = random::block(seed, fork, 24);
            block.list_accesses = true;
            let expected = Sequential.execute(&block);
            let Some(list) = expected.as_ref().ok().and_then(|it| it.access_list.clone()) else {
                continue;
            };
            let mut random = Random(seed);
            for lies in [0, 1, 1, 5, 40] {
                let mut given = list.clone();
                (0..lies).for_each(|_| lie(&mut given, 24, &mut random));
                let what = format!("{:?}, seed {seed}, {lies} lies", fork.0);
                let differs = access_list_difference(&given, &list);
                block.access_list = Some(Arc::new(
                    AccessList::new(given, 24).expect("its form is right"),
                ));
                let got = shuffled(&block, 1 + (seed % 4) as usize, seed << 8 | lies);
                assert_same(&expected, &got, &what);
                let mut got = vec![got.expect("it is valid")];
                for threads in [2, 3] {
                    let threads = NonZeroUsize::new(threads).expect("not zero");
                    let engine = Engine::builder().threads(threads).build();
                    let outcome = engine.execute(&block);
                    assert_same(&expected, &outcome, &what);
                    let outcome = outcome.expect("it is valid");
                    match (outcome.statistics.by_list, differs.is_some()) {
                        (ByList::Yes, false) => followed += 1,
                        (ByList::Yes, true) => panic!("{what}: followed a list that lies"),
                        (ByList::Left(_), true) => {
                            refused += 1;
                            let statistics = &outcome.statistics;
                            let others = block.transactions.len() as u64 + statistics.reexecutions;
                            vain += statistics.executions.saturating_sub(others);
                        }
                        // An account that destroys itself twice; forks before EIP-161.
                        (ByList::Left(_) | ByList::No, _) => left += 1,
                    }
                    got.push(outcome);
                }
                for got in got {
                    let (checks, mismatches) = Checks::new(&block, &got);
                    assert_eq!(
                        checks.access_list,
                        Some(differs.is_none()),
                        "{what}: {mismatches:?}"
                    );
                    let again = got.statistics.reexecutions;
                    if lies == 0 {
                        honest += again;
                    } else {
                        lying += again;
                        found += u64::from(differs.is_some());
                    }
                }
            }
        }
    }
    println!("{honest} re-executions with true lists, {lying} with {found} wrong ones");
    println!(
        "followed {followed} lists, refused {refused}, and left {left} for other reasons, after {vain} executions in vain"
    );
    assert!(followed > 20 && refused > 50, "{followed} {refused} {left}");
    // What was tried is counted: some of a block of 24, or all of it.
    assert!(
        vain > refused,
        "{vain} executions in vain of {refused} lists"
    );
    assert!(found > 20 && lying > honest, "{honest} {lying} {found}");
}

#[test]
fn threads_give_the_sequential_result() {
    for fork in FORKS {
        for seed in 1_000..1_000 + seeds(8) {
            let block = random::block(seed, fork, 24);
            let expected = Sequential.execute(&block);
            for threads in [1, 2, 4, 8] {
                let what = format!("{:?}, seed {seed}, {threads} threads", fork.0);
                let got = Parallel::new(threads).execute(&block);
                assert_same(&expected, &got, &what);
            }
        }
    }
}
