//! The scheduler by itself, with a virtual machine of a few lines: whatever the order in which
//! workers take and report, the result is that of running the transactions in order, and the
//! block always ends.

use std::{collections::BTreeMap, sync::Mutex, thread};

use gatewei::engine::scheduler::{Attempt, Cursor, Hint, Scheduler, Task};
use proptest::{collection::vec, prelude::*, sample::Index};

/// Locations of the toy's memory.
const LOCATIONS: u8 = 6;

/// Reads `from` and, if it was `odd` as wanted, adds its value and one to `to`.
#[derive(Clone, Copy, Debug)]
struct Step {
    from: u8,
    odd: bool,
    to: u8,
}

type Program = Vec<Step>;
type Values = BTreeMap<u8, u64>;

/// Runs a program; `None` when a read is refused.
fn run(program: &Program, mut read: impl FnMut(u8) -> Option<u64>) -> Option<Values> {
    let mut written = Values::new();
    for step in program {
        let mut get = |location| match written.get(&location) {
            Some(value) => Some(*value),
            None => read(location),
        };
        let from = get(step.from)?;
        if (from % 2 == 1) == step.odd {
            let to = get(step.to)?;
            written.insert(
                step.to,
                to.wrapping_mul(3).wrapping_add(from).wrapping_add(1),
            );
        }
    }
    Some(written)
}

fn in_order(programs: &[Program]) -> Values {
    let mut state = Values::new();
    for program in programs {
        let written = run(program, |l| Some(state.get(&l).copied().unwrap_or(0)));
        state.extend(written.unwrap_or_default());
    }
    state
}

/// What one attempt read and wrote.
#[derive(Clone, Debug, Default)]
struct Ran {
    reads: Values,
    writes: Values,
}

#[derive(Default)]
struct Memory {
    /// By transaction: what its latest attempt wrote, and whether that will be written again.
    writes: BTreeMap<usize, (Values, bool)>,
    ran: BTreeMap<usize, Ran>,
    committed: Values,
    order: Vec<usize>,
}

struct Toy<'p> {
    programs: &'p [Program],
    scheduler: Scheduler,
    memory: Mutex<Memory>,
}

/// The result of an attempt: what it did, or the transaction whose write it must await.
type Result = std::result::Result<Ran, usize>;

impl<'p> Toy<'p> {
    fn new(programs: &'p [Program], hints: &[Hint]) -> Self {
        Self {
            programs,
            scheduler: Scheduler::new(hints),
            memory: Mutex::default(),
        }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().expect("no worker panics")
    }

    fn execute(&self, attempt: Attempt) -> Result {
        let mut reads = Values::new();
        let mut on = 0;
        let writes = run(&self.programs[attempt.tx], |location| {
            // Others write meanwhile: an attempt that saw two values could not be validated.
            if let Some(value) = reads.get(&location) {
                return Some(*value);
            }
            let memory = self.memory();
            let below = memory.writes.range(..attempt.tx).rev();
            let found = below
                .filter_map(|(tx, (values, estimate))| {
                    values.get(&location).map(|v| (*tx, *v, *estimate))
                })
                .next();
            let value = match found {
                Some((tx, _, true)) => {
                    on = tx;
                    return None;
                }
                Some((_, value, false)) => value,
                None => 0,
            };
            reads.insert(location, value);
            Some(value)
        });
        writes.map(|writes| Ran { reads, writes }).ok_or(on)
    }

    fn report(&self, attempt: Attempt, result: Result) {
        match result {
            Err(on) => self.scheduler.blocked(attempt, on),
            Ok(ran) => {
                let mut memory = self.memory();
                memory
                    .writes
                    .insert(attempt.tx, (ran.writes.clone(), false));
                memory.ran.insert(attempt.tx, ran);
                drop(memory);
                self.scheduler.executed(attempt);
            }
        }
    }

    fn commit(&self) {
        while let Cursor::Ready(tx) = self.scheduler.cursor() {
            let mut memory = self.memory();
            let ran = memory
                .ran
                .remove(&tx)
                .expect("what was executed has a result");
            let holds = ran.reads.iter().all(|(location, value)| {
                memory.committed.get(location).copied().unwrap_or(0) == *value
            });
            if holds {
                memory.committed.extend(ran.writes);
                memory.order.push(tx);
                drop(memory);
                self.scheduler.committed(tx);
            } else {
                memory
                    .writes
                    .entry(tx)
                    .and_modify(|(_, estimate)| *estimate = true);
                drop(memory);
                self.scheduler.rejected(tx);
            }
        }
        self.scheduler.commit_ended();
    }

    fn result(self) -> (Values, Vec<usize>) {
        let memory = self.memory.into_inner().expect("no worker panics");
        (memory.committed, memory.order)
    }
}

fn steps() -> impl Strategy<Value = Program> {
    let step = (0..LOCATIONS, any::<bool>(), 0..LOCATIONS);
    vec(
        step.prop_map(|(from, odd, to)| Step { from, odd, to }),
        0..5,
    )
}

/// Programs, and hints that are right or wrong.
fn blocks() -> impl Strategy<Value = (Vec<Program>, Vec<Hint>)> {
    let after = proptest::option::weighted(0.2, any::<Index>());
    let group = proptest::option::of(0usize..3);
    vec((steps(), after, group), 0..24).prop_map(|all| {
        let hints = all.iter().enumerate().map(|(tx, (_, after, group))| Hint {
            after: after.filter(|_| tx > 0).map(|after| after.index(tx)),
            group: *group,
        });
        let hints = hints.collect();
        (
            all.into_iter().map(|(program, ..)| program).collect(),
            hints,
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Workers simulated on one thread: `picks` says who makes the next step.
    #[test]
    fn any_interleaving_gives_the_result_in_order(
        (programs, hints) in blocks(),
        workers in 1usize..6,
        picks in vec(any::<Index>(), 1..64),
    ) {
        let toy = Toy::new(&programs, &hints);
        let mut held: Vec<Option<(Attempt, Result)>> = vec![None; workers];
        let mut steps = 0usize;
        for pick in picks.iter().cycle() {
            steps += 1;
            prop_assert!(steps < 20_000, "the block does not end");
            // Rotated, so that a short cycle of picks cannot starve a worker.
            let worker = (pick.index(workers) + steps / picks.len()) % workers;
            if let Some((attempt, result)) = held[worker].take() {
                toy.report(attempt, result);
                continue;
            }
            match toy.scheduler.poll() {
                Task::Execute(attempt) => held[worker] = Some((attempt, toy.execute(attempt))),
                Task::Commit => toy.commit(),
                Task::Wait => prop_assert!(held.iter().any(Option::is_some), "nobody has work"),
                Task::Done => break,
            }
        }
        let (values, order) = toy.result();
        prop_assert_eq!(values, in_order(&programs));
        prop_assert_eq!(order, (0..programs.len()).collect::<Vec<_>>());
    }

    /// Workers on threads, which sleep and wake each other.
    #[test]
    fn threads_give_the_result_in_order((programs, hints) in blocks(), threads in 1usize..5) {
        let toy = Toy::new(&programs, &hints);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| loop {
                    match toy.scheduler.wait() {
                        Task::Execute(attempt) => toy.report(attempt, toy.execute(attempt)),
                        Task::Commit => toy.commit(),
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
    let Task::Execute(attempt) = scheduler.poll() else {
        panic!("there is work")
    };
    scheduler.stop();
    scheduler.executed(attempt);
    assert_eq!(scheduler.poll(), Task::Done);
    assert_eq!(scheduler.wait(), Task::Done);
}

#[test]
fn a_declared_dependency_is_not_handed_out_first() {
    let scheduler = Scheduler::new(&[
        Hint::default(),
        Hint {
            after: Some(0),
            group: None,
        },
    ]);
    let Task::Execute(first) = scheduler.poll() else {
        panic!("there is work")
    };
    assert_eq!(first.tx, 0);
    assert_eq!(scheduler.poll(), Task::Wait);
    scheduler.executed(first);
    assert_eq!(scheduler.poll(), Task::Commit);
    assert_eq!(
        scheduler.poll(),
        Task::Execute(Attempt {
            tx: 1,
            incarnation: 0
        })
    );
}

#[test]
fn a_group_that_conflicts_runs_in_order() {
    let hint = Hint {
        after: None,
        group: Some(0),
    };
    let scheduler = Scheduler::new(&[hint; 6]);
    let execute = || match scheduler.poll() {
        Task::Execute(attempt) => attempt,
        task => panic!("expected work, got {task:?}"),
    };
    let commit = |accept: &[bool]| {
        assert_eq!(scheduler.poll(), Task::Commit);
        for accept in accept {
            let Cursor::Ready(tx) = scheduler.cursor() else {
                panic!("nothing to commit")
            };
            if *accept {
                scheduler.committed(tx)
            } else {
                scheduler.rejected(tx)
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
    assert_eq!(scheduler.poll(), Task::Wait);
    scheduler.executed(third);
    commit(&[true]);
    assert_eq!(execute().tx, 3);
}
