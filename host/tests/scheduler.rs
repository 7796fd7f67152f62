//! The scheduler by itself, with a virtual machine of a few lines: whatever the order in which
//! workers take and report, the result is that of running the transactions in order, and the
//! block always ends.

mod toy;

use std::{thread, time::Duration};

use gatewei::engine::scheduler::{Attempt, Cursor, Hint, Role, Scheduler, Task};
use proptest::{collection::vec, prelude::*, sample::Index};
use toy::{Result, Toy, blocks, in_order};

/// Workers of a block.
fn roles() -> impl Strategy<Value = Vec<Role>> {
    let role = prop_oneof![Just(Role::Helper), Just(Role::Leader), Just(Role::Runner)];
    (any::<bool>(), vec(role, 0..5)).prop_map(|(leads, mut roles)| {
        // Beside runners there is always one that leads.
        let leads = leads || roles.contains(&Role::Runner);
        roles.push(if leads { Role::Leader } else { Role::Helper });
        roles
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Workers simulated on one thread: `picks` says who makes the next step.
    #[test]
    fn any_interleaving_gives_the_result_in_order(
        (programs, hints) in blocks(),
        roles in roles(),
        picks in vec(any::<Index>(), 1..64),
    ) {
        let toy = Toy::new(&programs, &hints);
        let mut held: Vec<Option<(Attempt, Result)>> = vec![None; roles.len()];
        let mut steps = 0usize;
        for pick in picks.iter().cycle() {
            steps += 1;
            prop_assert!(steps < 20_000, "the block does not end");
            // Rotated, so that a short cycle of picks cannot starve a worker.
            let worker = (pick.index(roles.len()) + steps / picks.len()) % roles.len();
            if let Some((attempt, result)) = held[worker].take() {
                toy.report(attempt, result);
                continue;
            }
            let role = roles[worker];
            match toy.scheduler.poll(role) {
                Task::Execute(attempt) => held[worker] = Some((attempt, toy.execute(attempt))),
                Task::Commit => toy.commit(role),
                // What is left may be a leader's.
                Task::Wait => prop_assert!(
                    held.iter().any(Option::is_some)
                        || role != Role::Leader && roles.contains(&Role::Leader),
                    "nobody has work"
                ),
                Task::Done => break,
            }
        }
        let (values, order) = toy.result();
        prop_assert_eq!(values, in_order(&programs));
        prop_assert_eq!(order, (0..programs.len()).collect::<Vec<_>>());
    }

    /// Workers on threads, which sleep and wake each other.
    #[test]
    fn threads_give_the_result_in_order((programs, hints) in blocks(), roles in roles()) {
        let toy = Toy::new(&programs, &hints);
        thread::scope(|scope| {
            for role in roles {
                let toy = &toy;
                scope.spawn(move || loop {
                    match toy.scheduler.wait(role) {
                        Task::Execute(attempt) => toy.report(attempt, toy.execute(attempt)),
                        Task::Commit => toy.commit(role),
                        Task::Wait => unreachable!("`wait` does not return this"),
                        Task::Done => break,
                    }
                });
            }
        });
        let (values, order) = toy.result();
        prop_assert_eq!(values, in_order(&programs));
        prop_assert_eq!(order, (0..programs.len()).collect::<Vec<_>>());
    }
}

#[test]
fn a_stopped_block_is_done_for_everybody() {
    let scheduler = Scheduler::new(&[Hint::default(); 2]);
    let Task::Execute(attempt) = scheduler.poll(Role::Helper) else {
        panic!("there is work")
    };
    scheduler.stop();
    scheduler.executed(attempt);
    assert_eq!(scheduler.poll(Role::Helper), Task::Done);
    assert_eq!(scheduler.wait(Role::Helper), Task::Done);
}

#[test]
fn a_declared_dependency_is_not_handed_out_first() {
    let scheduler = Scheduler::new(&[
        Hint::default(),
        Hint {
            after: Some(0),
            ..Hint::default()
        },
    ]);
    let Task::Execute(first) = scheduler.poll(Role::Helper) else {
        panic!("there is work")
    };
    assert_eq!(first.tx, 0);
    assert_eq!(scheduler.poll(Role::Helper), Task::Wait);
    scheduler.executed(first);
    assert_eq!(scheduler.poll(Role::Helper), Task::Commit);
    assert_eq!(
        scheduler.poll(Role::Helper),
        Task::Execute(Attempt {
            tx: 1,
            incarnation: 0
        })
    );
}

#[test]
fn a_group_that_conflicts_runs_in_order() {
    let hint = Hint {
        group: Some(0),
        ..Hint::default()
    };
    let scheduler = Scheduler::new(&[hint; 6]);
    let execute = || match scheduler.poll(Role::Helper) {
        Task::Execute(attempt) => attempt,
        task => panic!("expected work, got {task:?}"),
    };
    let commit = |accept: &[bool]| {
        assert_eq!(scheduler.poll(Role::Helper), Task::Commit);
        for accept in accept {
            let Cursor::Ready(tx) = scheduler.cursor(Role::Helper) else {
                panic!("nothing to commit")
            };
            if *accept {
                scheduler.committed(tx, Role::Helper);
            } else {
                scheduler.rejected(tx, Role::Helper);
            }
        }
        scheduler.commit_ended();
    };
    let first = [execute(), execute(), execute()];
    first
        .into_iter()
        .for_each(|attempt| scheduler.executed(attempt));
    commit(&[true, false]);
    scheduler.executed(execute());
    commit(&[true, false]);
    let third = execute();
    assert_eq!((third.tx, third.incarnation), (2, 1));
    // Two of four were wrong: the next member waits for this one.
    assert_eq!(scheduler.poll(Role::Helper), Task::Wait);
    scheduler.executed(third);
    commit(&[true]);
    assert_eq!(execute().tx, 3);
}

#[test]
fn a_leader_takes_what_nobody_runs_and_leaves_it_the_next() {
    let scheduler = Scheduler::new(&[Hint::default(); 4]);
    let execute = |tx, incarnation| Task::Execute(Attempt { tx, incarnation });
    assert_eq!(scheduler.poll(Role::Leader), Task::Commit);
    assert_eq!(scheduler.cursor(Role::Leader), Cursor::Take(0));
    // Two are left for the leader to go on with.
    assert_eq!(scheduler.poll(Role::Runner), execute(3, 0));
    assert_eq!(scheduler.poll(Role::Runner), Task::Wait);
    assert_eq!(scheduler.committed(0, Role::Leader), Cursor::Take(1));
    assert_eq!(scheduler.committed(1, Role::Leader), Cursor::Take(2));
    assert_eq!(scheduler.committed(2, Role::Leader), Cursor::Empty);
    scheduler.commit_ended();
    let ahead = Attempt {
        tx: 3,
        incarnation: 0,
    };
    scheduler.executed(ahead);
    assert_eq!(scheduler.poll(Role::Runner), Task::Wait);
    assert_eq!(scheduler.poll(Role::Leader), Task::Commit);
    assert_eq!(scheduler.cursor(Role::Leader), Cursor::Ready(3));
    // What turns out wrong is executed in order at once.
    assert_eq!(scheduler.rejected(3, Role::Leader), Cursor::Take(3));
    assert_eq!(scheduler.committed(3, Role::Leader), Cursor::Empty);
    scheduler.commit_ended();
    assert_eq!(scheduler.poll(Role::Leader), Task::Done);
    let counters = scheduler.counters();
    assert_eq!((counters.executions, counters.reexecutions), (5, 1));
}

/// A block of one group, beside whose leader a runner works, and of which the leader has executed the first transaction.
fn with_a_runner(txs: usize, time: Duration) -> Scheduler {
    let hint = Hint {
        group: Some(0),
        ..Hint::default()
    };
    let scheduler = Scheduler::new(&vec![hint; txs]);
    assert_eq!(scheduler.poll(Role::Leader), Task::Commit);
    assert_eq!(scheduler.cursor(Role::Leader), Cursor::Take(0));
    scheduler.took(0, time);
    scheduler
}

#[test]
fn what_is_brief_is_left_to_the_leader() {
    let scheduler = with_a_runner(8, Duration::from_micros(2));
    assert_eq!(scheduler.poll(Role::Runner), Task::Wait);
    let mut next = scheduler.committed(0, Role::Leader);
    for tx in 1..8 {
        assert_eq!(next, Cursor::Take(tx));
        assert!(scheduler.is_alone() || tx == 1);
        next = scheduler.committed(tx, Role::Leader);
    }
    assert_eq!(next, Cursor::Empty);

    let scheduler = with_a_runner(8, Duration::from_millis(2));
    let Task::Execute(attempt) = scheduler.poll(Role::Runner) else {
        panic!("it is worth another thread's while");
    };
    assert_eq!(attempt.tx, 3);
}

#[test]
fn a_group_that_conflicts_with_others_is_left_to_the_leader() {
    let scheduler = with_a_runner(200, Duration::from_millis(2));
    let mut wrong = 0;
    let mut next = scheduler.committed(0, Role::Leader);
    while next != Cursor::Empty {
        // Whatever the runner executes is wrong, in order or not.
        if let Task::Execute(attempt) = scheduler.poll(Role::Runner) {
            scheduler.executed(attempt);
        }
        next = match next {
            Cursor::Take(tx) => scheduler.committed(tx, Role::Leader),
            Cursor::Ready(tx) => {
                wrong += 1;
                scheduler.rejected(tx, Role::Leader)
            }
            Cursor::Empty => break,
        };
    }
    assert!(
        (3..12).contains(&wrong),
        "{wrong} of 200 were tried in vain"
    );
}
