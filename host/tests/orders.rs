//! Scheduler and multi-version memory under every order of two threads (but for those with more switches between them than a
//! model says): all that is executed is committed once and in order, the result is that of one thread, nobody sleeps while
//! work is left. Each property has a defect that must break it.
//!
//! The engine's files are compiled here over loom's primitives; the session around them, which needs revm, is played by
//! `machine.rs`. `every/mod.rs` does the rest: the true session, step by step.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use gatewei::{Location, PreState};

#[allow(
    dead_code,
    unused_imports,
    clippy::duplicate_mod,
    reason = "the engine's, over other primitives"
)]
#[path = "orders/engine.rs"]
mod engine;
#[path = "orders/machine.rs"]
mod machine;
#[path = "orders/memory.rs"]
mod memory;
#[path = "orders/programs.rs"]
mod programs;

use engine::{
    scheduler::{Hint, Role, Scheduler, Task},
    sync::{UNHEARD, Unheard},
};
use machine::{Defect, Machine};
use programs::Program;

/// Who works: the model's own thread and another one.
type Roles = [Role; 2];

const HELPERS: Roles = [Role::Helper, Role::Helper];
const LEADERS: Roles = [Role::Leader, Role::Leader];
const LEADER_AND_RUNNER: Roles = [Role::Leader, Role::Runner];
const LEADER_AND_HELPER: Roles = [Role::Leader, Role::Helper];
const ALL: &[Roles] = &[HELPERS, LEADERS, LEADER_AND_RUNNER, LEADER_AND_HELPER];

const fn program(reads: &'static [u64], writes: &'static [u64]) -> Program {
    Program {
        reads,
        looks: false,
        writes,
        tips: false,
    }
}

/// Nothing in common.
const APART: &[Program] = &[program(&[0], &[0]), program(&[2], &[2])];
/// Each reads what the one before it has written.
const CHAIN: &[Program] = &[
    program(&[0], &[0]),
    program(&[0], &[2]),
    program(&[2, 3], &[4]),
];
/// The second writes elsewhere if it runs too early, and the third reads both places.
const MOVING: &[Program] = &[
    program(&[0], &[2]),
    program(&[2, 3], &[4]),
    program(&[4, 5], &[6]),
];
/// So long that somebody runs ahead of a leader.
const LONG: &[Program] = &[
    program(&[0], &[0]),
    program(&[0], &[2]),
    program(&[2, 3], &[4]),
    program(&[0, 4, 5], &[6]),
];
/// Two add to a balance, the third looks at it.
const TIPS: &[Program] = &[
    Program {
        tips: true,
        ..program(&[], &[0])
    },
    Program {
        tips: true,
        ..program(&[0, 1], &[])
    },
    Program {
        looks: true,
        ..program(&[], &[2])
    },
];

fn explore(switches: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches);
    builder.max_branches = 10_000;
    builder.check(model);
}

/// What happened in all orders together.
#[derive(Default)]
struct Totals {
    orders: AtomicU64,
    reexecuted: AtomicU64,
    blocked: AtomicU64,
}

/// All orders of a block, of whose first transactions something may be known.
fn execute(
    programs: &'static [Program],
    hints: &[Hint],
    roles: Roles,
    switches: usize,
    defect: Option<Defect>,
) -> Arc<Totals> {
    let totals = Arc::new(Totals::default());
    let sum = totals.clone();
    let mut hints = hints.to_vec();
    hints.resize(programs.len(), Hint::default());
    explore(switches, move || {
        let machine = Arc::new(Machine::new(programs, &hints, defect));
        let other = machine.clone();
        let worker = loom::thread::spawn(move || other.work(roles[1]));
        machine.work(roles[0]);
        worker.join().expect("it comes to an end");
        let counters = machine.check();
        sum.orders.fetch_add(1, Relaxed);
        sum.reexecuted.fetch_add(counters.reexecutions, Relaxed);
        sum.blocked.fetch_add(counters.blocked, Relaxed);
    });
    totals
}

/// The same by several pairs of workers. Gives how often a transaction ran again, and waited.
fn all_orders(programs: &'static [Program], roles: &[Roles], switches: usize) -> (u64, u64) {
    let (mut reexecuted, mut blocked) = (0, 0);
    for roles in roles.iter().copied() {
        let totals = execute(programs, &[], roles, switches, None);
        let orders = totals.orders.load(Relaxed);
        println!("{roles:?}: {orders} orders");
        assert!(orders > 1);
        reexecuted += totals.reexecuted.load(Relaxed);
        blocked += totals.blocked.load(Relaxed);
    }
    (reexecuted, blocked)
}

#[test]
fn what_has_nothing_in_common_runs_once() {
    assert_eq!(all_orders(APART, ALL, 4), (0, 0));
}

#[test]
fn what_depends_on_each_other_is_in_order() {
    let (reexecuted, _) = all_orders(CHAIN, ALL, 3);
    assert!(reexecuted > 0, "no order made anything conflict");
}

#[test]
fn what_ran_ahead_of_a_leader_is_in_order() {
    for roles in [LEADERS, LEADER_AND_RUNNER] {
        let (reexecuted, _) = all_orders(LONG, &[roles], 3);
        assert!(reexecuted > 0, "no order made anything conflict");
    }
}

#[test]
fn a_read_of_what_is_about_to_change_is_tried_again() {
    let (reexecuted, blocked) = all_orders(MOVING, ALL, 3);
    assert!(reexecuted > 0 && blocked > 0, "no order met an estimate");
}

#[test]
fn what_is_added_blindly_is_seen_by_who_looks() {
    let (reexecuted, _) = all_orders(TIPS, ALL, 3);
    assert!(reexecuted > 0, "no order made anything conflict");
}

#[test]
fn a_declared_order_is_kept() {
    let after = Hint {
        after: Some(0),
        ..Hint::default()
    };
    let totals = execute(&CHAIN[..2], &[Hint::default(), after], HELPERS, 3, None);
    let (reexecuted, blocked) = (&totals.reexecuted, &totals.blocked);
    assert_eq!((reexecuted.load(Relaxed), blocked.load(Relaxed)), (0, 0));
}

#[test]
fn a_group_that_conflicts_comes_to_its_end() {
    let group = Hint {
        group: Some(0),
        ..Hint::default()
    };
    for roles in [HELPERS, LEADER_AND_RUNNER] {
        execute(LONG, &[group; 4], roles, 2, None);
    }
}

#[test]
fn a_stopped_block_lets_everybody_go() {
    explore(3, || {
        let scheduler = Arc::new(Scheduler::new(&[Hint::default()]));
        let Task::Execute(_) = scheduler.poll(Role::Helper) else {
            panic!("there is work")
        };
        let other = scheduler.clone();
        let sleeper = loom::thread::spawn(move || other.wait(Role::Helper));
        scheduler.stop();
        assert_eq!(sleeper.join().expect("it is woken"), Task::Done);
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn workers_that_nobody_wakes_are_found() {
    UNHEARD.set(Unheard::Work);
    execute(LONG, &[], LEADER_AND_RUNNER, 3, None);
}

#[test]
#[should_panic(expected = "deadlock")]
fn workers_that_nobody_tells_the_end_are_found() {
    UNHEARD.set(Unheard::End);
    execute(CHAIN, &[], HELPERS, 3, None);
}

#[test]
#[should_panic(expected = "the values")]
fn a_commit_without_validation_is_found() {
    let defect = Some(Defect::NoValidation);
    execute(CHAIN, &[], HELPERS, 3, defect);
}

#[test]
#[should_panic(expected = "what was executed has a result")]
fn a_report_before_its_result_is_found() {
    let defect = Some(Defect::EarlyReport);
    execute(APART, &[], HELPERS, 3, defect);
}

#[test]
#[should_panic(expected = "deadlock")]
fn an_attempt_that_is_lost_is_found() {
    let defect = Some(Defect::LostAttempt);
    execute(MOVING, &[], HELPERS, 3, defect);
}

/// The other worker has taken what is to be published, and sleeps: whoever waits for it by trying again never ends.
#[test]
#[should_panic(expected = "maximum number of branches")]
fn a_worker_that_tries_for_ever_is_found() {
    let defect = Some(Defect::Stubborn);
    execute(TIPS, &[], LEADER_AND_HELPER, 3, defect);
}
