//! The split handler over a card in software, against revm's plain `transact`, over all forks: random
//! transactions of all kinds, several in flight in one thread.

mod soft;

#[path = "soft/programs.rs"]
mod programs;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use gatewei::card::Ended;
use gatewei::card::split::{
    AccountEffect, Begun, CodeId, Effects, InFlight, SlotEffect, Stale, begin,
};
use gatewei::card::{CardRunner, Flights, Landing, Place, Reason};
use programs::{Db, Rng, World, addr, block, push, transaction, world};
use revm::bytecode::opcode::*;
use revm::context::result::ExecutionResult;
use revm::context::{CfgEnv, ContextTr, TxEnv};
use revm::handler::MainnetContext;
use revm::interpreter::InstructionResult;
use revm::primitives::hardfork::SpecId::{self, *};
use revm::primitives::{Bytes, KECCAK_EMPTY, TxKind, U256};
use revm::state::{AccountStatus, Bytecode, EvmState};
use revm::{ExecuteEvm, MainBuilder};
use soft::Evm;
use soft::fake::{open, options};

type Results = VecDeque<(TxEnv, Result<ExecutionResult, String>)>;

/// A chain of transactions over one journal, with what plain revm makes of it.
struct Case {
    spec: SpecId,
    todo: Results,
    state: EvmState,
}

fn evm(db: Db, spec: SpecId) -> Evm<Db> {
    let mut cfg = CfgEnv::new_with_spec(spec);
    cfg.tx_gas_limit_cap = Some(u64::MAX);
    MainnetContext::new(db, spec)
        .with_cfg(cfg)
        .with_block(block())
        .build_mainnet()
}

fn case(r: &mut Rng, spec: SpecId) -> (Case, Evm<Db>) {
    let db = Db(Arc::new(world(r, spec)));
    let mut plain = evm(db.clone(), spec);
    let mut nonces: BTreeMap<_, _> = db.0.accounts.iter().map(|(a, i)| (*a, i.nonce)).collect();
    let mut todo = VecDeque::new();
    for _ in 0..1 + r.below(4) {
        let tx = transaction(r, spec, &nonces);
        let want = plain
            .transact_one(tx.clone())
            .map_err(|error| error.to_string());
        for (address, account) in &plain.ctx.journaled_state.state {
            nonces.insert(*address, account.info.nonce);
        }
        todo.push_back((tx, want));
    }
    (
        Case {
            spec,
            todo,
            state: plain.finalize(),
        },
        evm(db, spec),
    )
}

/// A state without what is only of use within a transaction: whether accounts and slots are warm. What only a
/// frame loaded that reverted is cold in revm's, and warm where a card ran the frames.
fn settled(mut state: EvmState) -> EvmState {
    for account in state.values_mut() {
        account.status -= AccountStatus::Cold;
        account
            .storage
            .values_mut()
            .for_each(|slot| slot.is_cold = false);
    }
    state
}

#[test]
fn a_split_transaction_is_a_transaction() {
    let (fake, _) = soft::card(2);
    let mut runner = CardRunner::new(open(&fake, options()));
    let mut r = Rng::new(7);
    let specs = [
        HOMESTEAD,
        SPURIOUS_DRAGON,
        ISTANBUL,
        BERLIN,
        LONDON,
        MERGE,
        SHANGHAI,
        CANCUN,
        PRAGUE,
        OSAKA,
        AMSTERDAM,
    ];
    let mut ready: VecDeque<_> = (0..200)
        .flat_map(|_| specs)
        .map(|s| case(&mut r, s))
        .collect();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut count = |name: String| *counts.entry(name).or_default() += 1;
    let mut flights = Flights::new(&mut runner);
    let mut landings = Vec::new();
    loop {
        while flights.has_room() {
            let Some((mut case, mut evm)) = ready.pop_front() else {
                break;
            };
            let Some((tx, want)) = case.todo.pop_front() else {
                let state = evm.finalize();
                assert_eq!(settled(case.state), settled(state), "{:?}", case.spec);
                continue;
            };
            landings.extend(flights.start(evm, tx, (case, want)));
            while let Some(landing) = landings.pop() {
                let Landing::Ended {
                    job: (case, want),
                    ended,
                    place,
                    ..
                } = landing
                else {
                    panic!("a world that nobody writes to went stale")
                };
                let got = ended.outcome.map_err(|error| error.to_string());
                assert_eq!(
                    want,
                    got,
                    "{:?} {place:?} {:?}",
                    case.spec,
                    ended.evm.ctx.tx()
                );
                count(match place {
                    Place::Nowhere => "nowhere".to_owned(),
                    Place::Card => "card".to_owned(),
                    Place::Cpu(reason) => reason.to_string(),
                });
                ready.push_front((case, ended.evm));
            }
        }
        if flights.is_empty() && ready.is_empty() {
            break;
        }
        flights.step(&mut landings);
        for landing in landings.drain(..) {
            let Landing::Ended {
                job: (case, want),
                ended,
                place,
                ..
            } = landing
            else {
                panic!("a world that nobody writes to went stale")
            };
            let got = ended.outcome.map_err(|error| error.to_string());
            assert_eq!(
                want,
                got,
                "{:?} {place:?} {:?}",
                case.spec,
                ended.evm.ctx.tx()
            );
            count(match place {
                Place::Nowhere => "nowhere".to_owned(),
                Place::Card => "card".to_owned(),
                Place::Cpu(reason) => reason.to_string(),
            });
            ready.push_front((case, ended.evm));
        }
    }
    drop(flights);
    println!("{counts:#?} {:?}", runner.card().counters());
    for name in [
        "nowhere",
        "card",
        "fork",
        "opcode:CREATE",
        "opcode:SELFDESTRUCT",
        "delegation",
    ] {
        assert!(
            counts.get(name).is_some_and(|count| *count > 10),
            "{name} hardly occurred"
        );
    }
    for name in [
        "unknown_read",
        "malformed_result",
        "deadline",
        "bad_completion",
        "host_failed",
    ] {
        assert!(!counts.contains_key(name), "{name}");
    }
}

/// A world with one contract, and a call of it.
fn one(code: Vec<u8>) -> (World, TxEnv) {
    let mut world = World::default();
    world.put(addr(0), U256::from(u64::MAX), 0, Bytecode::default());
    world.put(addr(4), U256::ZERO, 1, Bytecode::new_raw(code.into()));
    let tx = TxEnv {
        caller: addr(0),
        kind: TxKind::Call(addr(4)),
        gas_limit: 200_000,
        gas_price: 10,
        ..TxEnv::default()
    };
    (world, tx)
}

fn frame(world: World, tx: TxEnv) -> InFlight<Db> {
    match begin(evm(Db(Arc::new(world)), OSAKA), tx) {
        Begun::Frame(inflight) => inflight,
        Begun::Ended(ended) => panic!("it has no frame: {:?}", ended.outcome),
    }
}

fn load_slot(key: u64) -> Vec<u8> {
    let mut code = Vec::new();
    push(&mut code, key);
    code.extend([SLOAD, POP, STOP]);
    code
}

#[test]
fn a_value_that_changed_meanwhile_makes_the_transaction_stale() {
    let slot = SlotEffect {
        key: U256::from(2),
        start: U256::from(1),
        stored: None,
    };
    let code = CodeId {
        hash: KECCAK_EMPTY,
        alive: false,
    };
    // The slot is 0, the contract has code, the other account 5 wei and no code.
    let stale = [
        AccountEffect {
            slots: vec![slot],
            ..account(4)
        },
        AccountEffect {
            code: Some(code),
            ..account(4)
        },
        AccountEffect {
            balance_used: Some(U256::from(4)),
            ..account(5)
        },
        AccountEffect {
            code: Some(CodeId {
                alive: true,
                ..code
            }),
            ..account(5)
        },
    ];
    for account in stale {
        let Err(stale) = finish(account.clone()) else {
            panic!("it does not hold: {account:?}")
        };
        let mut evm = stale.evm;
        let left = evm.finalize();
        assert!(
            left.values().all(|account| !account.is_touched()),
            "{left:?}"
        );
        assert_eq!(left[&addr(0)].info.nonce, 0);
    }
}

/// An account that was loaded.
fn account(n: u64) -> AccountEffect {
    AccountEffect {
        address: addr(n),
        ..AccountEffect::default()
    }
}

/// Ends a transaction of a world in which account 5 has 5 wei, with one account used.
fn finish(account: AccountEffect) -> Result<Ended<Db>, Box<Stale<Db>>> {
    let (mut world, tx) = one(load_slot(2));
    world.put(addr(5), U256::from(5), 0, Bytecode::default());
    frame(world, tx).finish(Effects {
        result: InstructionResult::Stop,
        output: Bytes::new(),
        gas_left: 1_000,
        refund: 0,
        logs: vec![],
        accounts: vec![account],
        ops: 4,
    })
}

#[test]
fn what_is_only_added_to_may_have_changed() {
    let balance = |start: u64, end: u64| Some((U256::from(start), U256::from(end)));
    for (moved, want, touched) in [((9, 10), 6, true), ((9, 9), 5, false), ((9, 5), 1, true)] {
        let account = AccountEffect {
            balance: balance(moved.0, moved.1),
            ..account(5)
        };
        let Ok(mut ended) = finish(account) else {
            panic!("nothing depends on the balance")
        };
        let state = ended.evm.finalize();
        let left = &state[&addr(5)];
        assert_eq!(left.info.balance, U256::from(want));
        assert_eq!(left.is_touched(), touched);
    }
    // A slot that a frame stored to that reverted: nothing of it is left, not even a touched account.
    let slot = SlotEffect {
        key: U256::from(3),
        start: U256::ZERO,
        stored: Some(U256::ZERO),
    };
    let account = AccountEffect {
        slots: vec![slot],
        ..account(5)
    };
    let Ok(mut ended) = finish(account) else {
        panic!("the slot is 0")
    };
    assert!(!ended.evm.finalize()[&addr(5)].is_touched());
}

#[test]
fn predictions_answer_instead_of_requests_and_leave_no_trace() {
    let mut code = Vec::new();
    // Loads slot 2, or slot 4 when called with data.
    code.extend([CALLDATASIZE, ISZERO, ISZERO]);
    push(&mut code, 2);
    code.extend([MUL]);
    push(&mut code, 2);
    code.extend([ADD, SLOAD, POP, STOP]);
    let (world, tx) = one(code);
    let db = Db(Arc::new(world));
    let (fake, _) = soft::card(1);
    let mut runner = CardRunner::new(open(&fake, options()));
    let mut requests = Vec::new();
    for data in [0, 0, 4, 4, 0] {
        let tx = TxEnv {
            data: vec![0; data].into(),
            ..tx.clone()
        };
        let (mut ended, place, cost) = runner.run_one(evm(db.clone(), OSAKA), tx.clone());
        assert_eq!(place, Place::Card);
        requests.push(cost.requests);
        let want = evm(db.clone(), OSAKA).transact(tx).unwrap();
        assert_eq!(ended.outcome.unwrap(), want.result);
        assert_eq!(
            ended.evm.finalize(),
            want.state,
            "a wrong guess is not loaded"
        );
    }
    // Both calls have the selector 0: the first of each kind of data is guessed wrong.
    assert_eq!(requests, [1, 0, 1, 0, 1]);
}

#[test]
fn gas_is_that_of_the_first_frame_and_what_it_calls() {
    let call = |to: u8, gas: u64| {
        let mut code = Vec::new();
        (0..5).for_each(|_| push(&mut code, 0));
        push(&mut code, to.into());
        push(&mut code, gas);
        code.extend([CALL, POP]);
        code
    };
    let gas_of = |code: Vec<u8>| {
        let (mut world, tx) = one(code);
        world.put(
            addr(5),
            U256::ZERO,
            1,
            Bytecode::new_raw(Bytes::from_static(&[INVALID])),
        );
        let inflight = frame(world, tx);
        inflight.fallback().work
    };
    let empty = gas_of(vec![PUSH0, POP, STOP]);
    assert_eq!((empty.gas, empty.ops), (4, 3));
    // The identity precompile (0x4) takes 15 gas of its own.
    let precompile = gas_of(call(4, 5_000));
    assert_eq!((precompile.gas, precompile.ops), (7 * 3 + 2 + 100 + 15, 10));
    // All that was given to a frame that halts is burnt.
    let halts = gas_of(call(0xa5, 5_000));
    assert_eq!((halts.gas, halts.ops), (7 * 3 + 2 + 2_600 + 5_000, 11));
    assert_eq!(
        gas_of(vec![PUSH0, INVALID]).gas,
        0,
        "of a first frame that halts, none counts"
    );
}

#[test]
fn what_is_stale_time_and_again_runs_on_the_cpu() {
    let (world, tx) = one(load_slot(2));
    let db = Db(Arc::new(world));
    let want = evm(db.clone(), OSAKA).transact(tx.clone()).unwrap();
    let (fake, _) = soft::card(1);
    let mut runner = CardRunner::new(open(&fake, options()));
    for (times, at_last) in [
        (1, Place::Card),
        (7, Place::Card),
        (8, Place::Cpu(Reason::Stale)),
    ] {
        let mut landings = Vec::new();
        let mut flights = Flights::new(&mut runner);
        landings.extend(flights.start_again(None, evm(db.clone(), OSAKA), tx.clone(), (), times));
        while landings.is_empty() {
            flights.step(&mut landings);
        }
        let Some(Landing::Ended {
            mut ended, place, ..
        }) = landings.pop()
        else {
            panic!("nobody writes to this world");
        };
        assert_eq!(place, at_last, "stale {times} times");
        assert_eq!(ended.outcome.unwrap(), want.result);
        assert_eq!(ended.evm.finalize(), want.state);
    }
}
