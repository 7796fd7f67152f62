//! What a session does with the scheduler and the memory.

use std::mem;

use alloy_primitives::Address;

use crate::{
    engine::{
        mv_memory::MvMemory,
        reads::Reads,
        scheduler::{Attempt, Counters, Cursor, Hint, Role, Scheduler, Task},
        sync::Mutex,
        view::View,
        write_set::{BalanceWrite, Final, Locations, Writes},
    },
    programs::{Before, Committed, Program, in_order, run},
};

/// Times that a transaction runs in vain before it is executed in order; a session is a little more patient.
const PATIENCE: u32 = 2;

/// What a worker may do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// It commits what it has not validated.
    NoValidation,
    /// It reports an attempt before its result is there.
    EarlyReport,
    /// It gives up a read of an estimate, and tells nobody.
    LostAttempt,
    /// It tries what runs in vain again for ever.
    Stubborn,
}

struct Ran {
    reads: Reads,
    writes: Writes,
}

#[derive(Default)]
struct Slot {
    ran: Option<Ran>,
    written: Locations,
    rejected: u32,
}

/// One block in execution.
pub struct Machine {
    programs: &'static [Program],
    defect: Option<Defect>,
    scheduler: Scheduler,
    memory: MvMemory,
    slots: Vec<Mutex<Slot>>,
    committed: Mutex<Committed>,
}

impl Machine {
    pub fn new(programs: &'static [Program], hints: &[Hint], defect: Option<Defect>) -> Self {
        Self {
            programs,
            defect,
            scheduler: Scheduler::new(hints),
            memory: MvMemory::new(),
            slots: programs.iter().map(|_| Mutex::default()).collect(),
            committed: Mutex::default(),
        }
    }

    /// Works until the block is complete.
    pub fn work(&self, role: Role) {
        loop {
            match self.scheduler.wait(role) {
                Task::Execute(attempt) => self.execute(attempt),
                Task::Commit => self.walk(role),
                Task::Wait => unreachable!("`wait` does not return this"),
                Task::Done => return,
            }
        }
    }

    /// As `Session::aim` and `Session::submit`.
    fn execute(&self, attempt: Attempt) {
        self.memory.catch_up();
        let tx = attempt.tx;
        let mut view = View::new(&Before, &self.memory);
        view.aim(attempt, Address::ZERO, false, false);
        let writes = match run(&self.programs[tx], tx, &mut view) {
            Ok(writes) => writes,
            Err(_) if self.defect == Some(Defect::LostAttempt) => return,
            Err(on) => {
                self.scheduler.blocked(attempt, on);
                // Whoever publishes what has been committed may be another one.
                loom::thread::yield_now();
                return;
            }
        };
        let reads = view.reads.freeze();
        if self.defect == Some(Defect::EarlyReport) {
            self.scheduler.executed(attempt);
        }
        let mut slot = self.slots[tx].lock();
        slot.written = self.memory.publish(tx + 1, &writes, &slot.written);
        slot.ran = Some(Ran { reads, writes });
        drop(slot);
        if self.defect != Some(Defect::EarlyReport) {
            self.scheduler.executed(attempt);
        }
    }

    /// As `Session::commit` and `Session::lead`.
    fn walk(&self, role: Role) {
        let mut committed = self.committed.lock();
        let mut cursor = self.scheduler.cursor(role);
        loop {
            cursor = match cursor {
                Cursor::Ready(tx) => match self.validate(&mut committed, tx) {
                    None => self.scheduler.committed(tx, role),
                    Some(times) if times < PATIENCE => self.scheduler.rejected(tx, role),
                    Some(_) if self.defect == Some(Defect::Stubborn) => {
                        self.scheduler.rejected(tx, role)
                    }
                    Some(_) => self.scheduler.rejected(tx, Role::Leader),
                },
                Cursor::Take(tx) => {
                    let writes = run(&self.programs[tx], tx, &mut *committed);
                    let mut writes = writes.expect("nobody waits");
                    committed.commit(tx, &mut writes);
                    self.memory.settle(Final::Writes {
                        version: tx + 1,
                        writes,
                        withdrawn: mem::take(&mut self.slots[tx].lock().written),
                    });
                    self.scheduler.committed(tx, role)
                }
                Cursor::Empty => break,
            };
        }
        drop(committed);
        self.scheduler.commit_ended();
    }

    /// Commits what has run, if what it has read is so. Else it tells how often that has been in vain.
    fn validate(&self, committed: &mut Committed, tx: usize) -> Option<u32> {
        let mut slot = self.slots[tx].lock();
        let ran = slot.ran.take();
        let Ran { reads, mut writes } = ran.expect("what was executed has a result");
        let validates = self.defect != Some(Defect::NoValidation);
        if validates && reads.conflict(&committed.cache).is_some() {
            self.memory.estimate(tx + 1, &slot.written);
            committed.rejected += 1;
            slot.rejected += 1;
            return Some(slot.rejected);
        }
        committed.commit(tx, &mut writes);
        for (address, write) in writes.accounts {
            if let BalanceWrite::Set(balance) = write.balance {
                self.memory.settle(Final::Balance {
                    version: tx + 1,
                    address,
                    balance,
                });
            }
        }
        None
    }

    /// What became of the block: the schedule's counters, what was committed in which order, and the values.
    pub fn check(&self) -> Counters {
        let counters = self.scheduler.counters();
        let committed = mem::take(&mut *self.committed.lock());
        let all = self.programs.len();
        assert_eq!(committed.order, (0..all).collect::<Vec<_>>(), "the order");
        let ended = all as u64 + committed.rejected + counters.blocked;
        assert_eq!(counters.executions, ended, "executions that came to no end");
        assert_eq!(committed.values(), in_order(self.programs), "the values");
        counters
    }
}
