//! The engine's parts one by one: what a transaction costs beside its execution. Elements are transactions, reads or codes.

use std::{hint::black_box, path::Path};

use alloy_primitives::{Address, Bytes, U256, keccak256};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gatewei::{
    Block, Executor as _, PreState, Sequential,
    engine::{
        Attempt, Session, Task, WorkerEvm, WorkerResult,
        scheduler::{Cursor, Hint, Role, Scheduler},
    },
};
use gatewei_benches::block;
use gatewei_workloads::Params;
use revm::{DatabaseRef as _, ExecuteEvm as _};

/// As in the command, for every executor.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Transactions of a full block of mainnet.
const TXS: usize = 400;
/// Largest code of a contract (EIP-170), in bytes.
const CODE: usize = 24_576;
/// Sessions that are prepared at once.
const BATCH: BatchSize = BatchSize::NumIterations(64);

/// An execution that is not handed in.
type Held<'s> = (WorkerEvm<'s>, WorkerResult);

/// A generated block with its access list.
fn generated(kind: &str, txs: usize) -> Block {
    let params = Params {
        txs,
        ..Params::default()
    };
    let mut block = block(kind, &params, Path::new(env!("CARGO_TARGET_TMPDIR")))
        .unwrap_or_else(|error| panic!("the block of {kind} cannot be made: {error}"));
    block.list_accesses = true;
    block
}

/// Handing transactions out, taking them back and walking over them, by one worker.
fn scheduler(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scheduler");
    group.throughput(Throughput::Elements(TXS as u64));
    for (name, role) in [("speculation", Role::Helper), ("in order", Role::Leader)] {
        let work = |scheduler: Scheduler| {
            loop {
                match scheduler.poll(role) {
                    Task::Execute(attempt) => scheduler.executed(attempt),
                    Task::Commit => {
                        let mut cursor = scheduler.cursor(role);
                        while let Cursor::Ready(tx) | Cursor::Take(tx) = cursor {
                            cursor = scheduler.committed(tx, role);
                        }
                        scheduler.commit_ended();
                    }
                    Task::Wait => unreachable!("one worker never waits"),
                    Task::Done => return scheduler,
                }
            }
        };
        let hints = [Hint::default(); TXS];
        group.bench_function(name, |bencher| {
            bencher.iter_batched(|| Scheduler::new(&hints), work, BATCH);
        });
    }
    group.finish();
}

/// Executes all that a session hands out, on the state before the block.
fn speculate<'s>(session: &'s Session<'_>) -> Vec<Held<'s>> {
    let mut held = Vec::new();
    while let Task::Execute(attempt) = session.poll() {
        held.push(execute(session, attempt));
    }
    held
}

fn execute<'s>(session: &'s Session<'_>, attempt: Attempt) -> Held<'s> {
    let mut evm = session.evm();
    session.aim(&mut evm, attempt);
    let result = evm.transact(session.transaction(attempt).clone());
    (evm, result)
}

/// The slot and the balance that most transactions of a block change.
fn hottest(block: &Block) -> ((Address, U256), Address) {
    let outcome = Sequential
        .execute(block)
        .expect("a generated block is valid");
    let list = outcome.access_list.expect("it is wanted");
    let slots = list.iter().flat_map(|account| {
        let changed = account.storage_changes.iter();
        changed.map(|slot| (slot.changes.len(), (account.address, slot.slot)))
    });
    let slot = slots.max_by_key(|(changes, _)| *changes);
    let account = list.iter().max_by_key(|it| it.balance_changes.len());
    (
        slot.expect("it changes slots").1,
        account.expect("it changes balances").address,
    )
}

/// Reads of multi-version memory by the last transaction, after all others have run once.
fn reads(criterion: &mut Criterion) {
    let block = generated("erc20-hot", TXS);
    let ((token, slot), payee) = hottest(&block);
    let session = Session::new(&block).expect("a generated block begins");
    for (mut evm, result) in speculate(&session) {
        session.submit(&mut evm, result, None);
    }
    let mut evm = session.evm();
    let last = Attempt {
        tx: block.transactions.len() - 1,
        incarnation: 0,
    };
    session.aim(&mut evm, last);
    let view = &evm.ctx.journaled_state.database;
    let mut group = criterion.benchmark_group("multi-version read");
    group.throughput(Throughput::Elements(1));
    group.bench_function("slot that nobody wrote", |bencher| {
        bencher.iter(|| view.peek_storage(black_box(token), U256::MAX));
    });
    group.bench_function("slot with many versions", |bencher| {
        bencher.iter(|| view.peek_storage(black_box(token), slot));
    });
    group.bench_function("balance with many additions", |bencher| {
        bencher.iter(|| view.peek_account(black_box(payee)));
    });
    group.finish();
}

/// A session in which two transactions have run side by side. Where they conflict, the first one of them is committed already.
fn ran(block: &Block, conflict: bool) -> Session<'_> {
    let session = Session::new(block).expect("a generated block begins");
    // One comes before both: it makes the account that is paid the fees.
    if let Task::Execute(attempt) = session.poll() {
        let (mut evm, result) = execute(&session, attempt);
        session.submit(&mut evm, result, None);
        commit_ready(&session);
    }
    let held = speculate(&session);
    assert_eq!(held.len(), 2, "both are handed out");
    for (at, (mut evm, result)) in held.into_iter().enumerate() {
        session.submit(&mut evm, result, None);
        if conflict && at == 0 {
            commit_ready(&session);
        }
    }
    assert_eq!(session.poll(), Task::Commit);
    session
}

fn commit_ready(session: &Session<'_>) {
    assert_eq!(session.poll(), Task::Commit);
    session.commit();
}

/// Commits what can be. The session is given back, so that its end takes no part.
fn walk(session: Session<'_>) -> Session<'_> {
    session.commit();
    session
}

/// A result that read what is not so: found, and its writes marked.
fn validation(criterion: &mut Criterion) {
    let block = generated("amm-hot", 3);
    let stale = ran(&block, true);
    stale.commit();
    assert_eq!(stale.left(), 1, "the last transaction runs again");
    let mut group = criterion.benchmark_group("validation");
    group.throughput(Throughput::Elements(1));
    group.bench_function("stale result", |bencher| {
        bencher.iter_batched(|| ran(&block, true), walk, BATCH);
    });
    group.finish();
}

/// Two results that are right: validated and committed.
fn commit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("commit");
    group.throughput(Throughput::Elements(2));
    for kind in ["transfers", "erc20-independent"] {
        let block = generated(kind, 3);
        let right = ran(&block, false);
        right.commit();
        assert!(right.finish().is_ok(), "both are committed");
        group.bench_function(kind, |bencher| {
            bencher.iter_batched(|| ran(&block, false), walk, BATCH);
        });
    }
    group.finish();
}

/// Codes of the pre-state: each is analysed once, for all accounts that have it and all threads.
fn codes(criterion: &mut Criterion) {
    let code = Bytes::from(vec![0x5b; CODE]);
    let hash = keccak256(&code);
    let insert = |state: &mut PreState, account: u8| {
        let address = Address::with_last_byte(account);
        state.insert(address, U256::ZERO, 1, code.clone(), []);
    };
    let mut state = PreState::new();
    insert(&mut state, 0);
    let mut group = criterion.benchmark_group("code");
    group.throughput(Throughput::Elements(1));
    group.bench_function("new", |bencher| {
        bencher.iter(|| insert(&mut PreState::new(), 0));
    });
    group.bench_function("of another account", |bencher| {
        bencher.iter(|| insert(&mut state, 1));
    });
    group.bench_function("by its hash", |bencher| {
        bencher.iter(|| state.code_by_hash_ref(black_box(hash)));
    });
    group.finish();
}

criterion_group!(benches, scheduler, reads, validation, commit, codes);
criterion_main!(benches);
