//! A virtual machine of a few lines, with the memory and the validation that the scheduler expects.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use gatewei::engine::scheduler::{Attempt, Cost, Cursor, Hint, Role, Scheduler};
use proptest::{collection::vec, prelude::*, sample::Index};

/// Locations of the toy's memory.
const LOCATIONS: u8 = 6;

/// Reads `from` and, if it was `odd` as wanted, adds its value and one to `to`.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    from: u8,
    odd: bool,
    to: u8,
}

pub type Program = Vec<Step>;
pub type Values = BTreeMap<u8, u64>;

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

pub fn in_order(programs: &[Program]) -> Values {
    let mut state = Values::new();
    for program in programs {
        let written = run(program, |l| Some(state.get(&l).copied().unwrap_or(0)));
        state.extend(written.unwrap_or_default());
    }
    state
}

/// What one attempt read and wrote.
#[derive(Clone, Debug, Default)]
pub struct Ran {
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

pub struct Toy<'p> {
    programs: &'p [Program],
    pub scheduler: Scheduler,
    memory: Mutex<Memory>,
}

/// The result of an attempt: what it did, or the transaction whose write it must await.
pub type Result = std::result::Result<Ran, usize>;

impl<'p> Toy<'p> {
    pub fn new(programs: &'p [Program], hints: &[Hint]) -> Self {
        Self {
            programs,
            scheduler: Scheduler::new(hints),
            memory: Mutex::default(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no worker panics")
    }

    pub fn execute(&self, attempt: Attempt) -> Result {
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

    pub fn report(&self, attempt: Attempt, result: Result) {
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

    /// Walks on from the cursor.
    pub fn commit(&self, role: Role) {
        let mut cursor = self.scheduler.cursor(role);
        loop {
            cursor = match cursor {
                Cursor::Empty => break,
                Cursor::Take(tx) => {
                    assert_eq!(role, Role::Leader);
                    let mut memory = self.memory();
                    let committed = &memory.committed;
                    let written = run(&self.programs[tx], |l| {
                        Some(committed.get(&l).copied().unwrap_or(0))
                    });
                    let written = written.expect("no read is refused");
                    memory.writes.insert(tx, (written.clone(), false));
                    memory.committed.extend(written);
                    memory.order.push(tx);
                    drop(memory);
                    // Some are short and some are long.
                    let time = Duration::from_micros(10 * (tx as u64 % 4));
                    self.scheduler.took(tx, time);
                    self.scheduler.committed(tx, role)
                }
                Cursor::Ready(tx) => self.validate(tx, role),
            };
        }
        self.scheduler.commit_ended();
    }

    fn validate(&self, tx: usize, role: Role) -> Cursor {
        let mut memory = self.memory();
        let ran = memory.ran.remove(&tx);
        let ran = ran.expect("what was executed has a result");
        let holds = ran.reads.iter().all(|(location, value)| {
            memory.committed.get(location).copied().unwrap_or(0) == *value
        });
        if holds {
            memory.committed.extend(ran.writes);
            memory.order.push(tx);
            drop(memory);
            return self.scheduler.committed(tx, role);
        }
        let written = memory.writes.entry(tx);
        written.and_modify(|(_, estimate)| *estimate = true);
        drop(memory);
        self.scheduler.rejected(tx, role)
    }

    pub fn result(self) -> (Values, Vec<usize>) {
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
pub fn blocks() -> impl Strategy<Value = (Vec<Program>, Vec<Hint>)> {
    let after = proptest::option::weighted(0.2, any::<Index>());
    let group = proptest::option::of(0usize..3);
    let cost = prop_oneof![8 => Just(Cost::Dear), 1 => Just(Cost::Cheap), 1 => Just(Cost::Trivial)];
    vec((steps(), after, group, cost), 0..24).prop_map(|all| {
        let hint = |(tx, (_, after, group, cost)): (usize, &(_, Option<Index>, _, _))| Hint {
            after: after.filter(|_| tx > 0).map(|after| after.index(tx)),
            group: *group,
            cost: *cost,
        };
        let hints = all.iter().enumerate().map(hint);
        let hints = hints.collect();
        (
            all.into_iter().map(|(program, ..)| program).collect(),
            hints,
        )
    })
}
