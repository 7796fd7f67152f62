//! The order of work inside one block: which transaction runs next, who waits for whom, what is committed.
//!
//! One cursor walks the block from the first transaction on. Whoever holds the right to commit
//! follows it: a transaction under the cursor that has run is validated against the *committed*
//! state; one that has not, or that turned out wrong, a leader executes at once, on the
//! committed state itself, just as sequential execution does. Meanwhile the other workers run what
//! lies ahead of the cursor, optimistically and in any order: Block-STM (Gelashvili et al., PPoPP
//! 2023) with an ordered commit.
//!
//! So a leader is never slower than sequential execution by more than it takes to look at what
//! others did for it, and the block always ends. All the rest (dependencies, groups, what is
//! left to the leader) only decides how much work is wasted.
//!
//! The scheduler knows nothing of the EVM: it hands out indices and takes back what became of
//! them. All decisions are made under one short lock, because the shortest transaction costs
//! more than ten of these.

mod group;
mod state;

use std::time::Duration;

use super::sync::{AtomicBool, Condvar, Mutex, MutexGuard, Ordering, SPINS, pause};
use state::{State, Status};

/// One run of one transaction, given to exactly one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// Index of the transaction in the block, from 0.
    pub tx: usize,
    /// How often this transaction was run before.
    pub incarnation: u32,
}

/// What a worker does. Some worker of a block must commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs attempts, and validates and commits those of all workers.
    Helper,
    /// As a helper, and can execute the transaction under the cursor on the committed state.
    Leader,
    /// Runs attempts only, beside a leader, so that the committed state stays in that one's cache.
    /// It and leaders, when they cannot go on from the cursor, leave transactions out that are
    /// cheap, that conflict even where they run in order, or that the leader reaches next.
    Runner,
}

/// What a worker does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Run this transaction, then report the attempt.
    Execute(Attempt),
    /// Walk on from the cursor. The worker holds the sole right to commit until
    /// it reports [`Scheduler::commit_ended`].
    Commit,
    /// Nothing can be done before another worker reports something.
    Wait,
    /// The block is complete or was given up.
    Done,
}

/// What the committing worker finds under the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// This transaction has run and can be validated.
    Ready(usize),
    /// This transaction is now the leader's, to be executed on the committed state.
    Take(usize),
    /// Another worker runs or will run the next transaction, or the block is complete.
    Empty,
}

/// What is known of a transaction before it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// A lower transaction on which this one certainly depends (it has the same sender, and thus the
    /// nonce before): this one is not handed out before that one has run. Ignored if it is not lower.
    pub after: Option<usize>,
    /// Number of a group, below the number of transactions, whose members are likely to
    /// conflict with each other (they call the same function). Once many of a group did, its members run in order.
    pub group: Option<usize>,
    /// How long it will take.
    pub cost: Cost,
}

/// How long a transaction takes, compared with taking it to another thread and back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cost {
    /// Much longer: worth it.
    #[default]
    Dear,
    /// Little longer: for a worker that finds nothing better.
    Cheap,
    /// No longer: it is the leader's.
    Trivial,
}

/// Counters of one block's schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Executions begun.
    pub executions: u64,
    /// Executions begun of a transaction that had run to its end before.
    pub reexecutions: u64,
    /// Attempts given up on the read of a value that was known to change.
    pub blocked: u64,
}

/// Shared by all workers of one block.
#[derive(Debug)]
pub struct Scheduler {
    state: Mutex<State>,
    /// Where workers sleep, by role.
    sleepers: [Condvar; Role::ALL.len()],
    /// See [`Scheduler::is_alone`].
    alone: AtomicBool,
}

impl Role {
    /// Those first that are woken first.
    const ALL: [Self; 3] = [Self::Leader, Self::Helper, Self::Runner];
}

impl Scheduler {
    /// A schedule for as many transactions as there are hints.
    pub fn new(hints: &[Hint]) -> Self {
        Self {
            state: Mutex::new(State::new(hints)),
            sleepers: Default::default(),
            alone: AtomicBool::new(false),
        }
    }

    /// The next thing to do, without waiting.
    pub fn poll(&self, role: Role) -> Task {
        self.state.lock().next(role)
    }

    /// The next thing to do; sleeps while there is none. Never returns [`Task::Wait`].
    pub fn wait(&self, role: Role) -> Task {
        let mut state = self.state.lock();
        let mut spins = 0;
        loop {
            match state.next(role) {
                Task::Wait if spins < SPINS => {
                    spins += 1;
                    MutexGuard::unlocked(&mut state, pause);
                }
                Task::Wait => {
                    state.sleepers[role as usize] += 1;
                    self.sleepers[role as usize].wait(&mut state);
                    state.sleepers[role as usize] -= 1;
                }
                task => {
                    // What is left after this task is for the others.
                    self.wake(&mut state, 0);
                    return task;
                }
            }
        }
    }

    /// The attempt ran to its end and its writes are published.
    pub fn executed(&self, attempt: Attempt) {
        let mut state = self.state.lock();
        debug_assert_eq!(state.running(attempt.tx), Some(attempt.incarnation));
        state.has_ended(attempt.tx, Status::Executed);
        self.wake(&mut state, 1);
    }

    /// The attempt read a value that transaction `on` is about to write. It will be handed out
    /// again once `on` has run.
    pub fn blocked(&self, attempt: Attempt, on: usize) {
        let mut state = self.state.lock();
        state.counters.blocked += 1;
        state.put_back(attempt.tx, Some(on));
        self.wake(&mut state, 1);
    }

    /// The attempt was given up for no fault of its own: another worker may have the transaction.
    pub fn abandoned(&self, attempt: Attempt) {
        let mut state = self.state.lock();
        state.put_back(attempt.tx, None);
        // The caller may be about to leave: somebody else must hear of it.
        self.sleepers.iter().for_each(|sleepers| {
            sleepers.notify_one();
        });
    }

    /// What stands under the cursor. For the holder of [`Task::Commit`] only.
    pub fn cursor(&self, role: Role) -> Cursor {
        self.state.lock().cursor(role)
    }

    /// Whether nobody but the leader will execute anything of what is left.
    pub fn is_alone(&self) -> bool {
        self.alone.load(Ordering::Relaxed)
    }

    /// The leader has executed this transaction in this time: how long others of its group will take, it shows.
    pub fn took(&self, tx: usize, time: Duration) {
        self.state.lock().took(tx, time);
    }

    /// The transaction under the cursor is final. Tells what stands under the cursor now.
    /// For the holder of [`Task::Commit`] only.
    pub fn committed(&self, tx: usize, role: Role) -> Cursor {
        let mut state = self.state.lock();
        state.has_committed(tx);
        let cursor = state.cursor(role);
        if state.alone {
            self.alone.store(true, Ordering::Relaxed);
        } else {
            self.wake(&mut state, 0);
        }
        cursor
    }

    /// The transaction under the cursor read values that are not the final ones: it runs again,
    /// at once if the caller leads. For the holder of [`Task::Commit`] only.
    pub fn rejected(&self, tx: usize, role: Role) -> Cursor {
        let mut state = self.state.lock();
        state.was_wrong(tx);
        let cursor = state.cursor(role);
        self.wake(&mut state, 1);
        cursor
    }

    /// Gives back the right to commit. Transactions that ran meanwhile are committed by whoever
    /// asks for work next.
    pub fn commit_ended(&self) {
        let mut state = self.state.lock();
        state.committing = false;
        if state.finished() {
            self.wake_all();
        } else {
            self.wake(&mut state, 1);
        }
    }

    /// Gives the block up: every worker is told [`Task::Done`] from now on.
    pub fn stop(&self) {
        self.state.lock().stopped = true;
        self.wake_all();
    }

    /// Number of transactions that nobody has begun, but for those that wait for others.
    pub fn left(&self) -> usize {
        self.state.lock().left()
    }

    /// Counters so far.
    pub fn counters(&self) -> Counters {
        self.state.lock().counters
    }

    /// Wakes one sleeper if there is more to do than the `taken` tasks that the caller will take.
    /// Whoever reports something asks for work next: that is the contract of every worker.
    fn wake(&self, state: &mut State, taken: usize) {
        for role in Role::ALL {
            if state.sleepers[role as usize] > 0 && state.offers(role) > taken {
                self.sleepers[role as usize].notify_one();
                return;
            }
        }
        // The caller may be one that cannot commit.
        let leader = Role::Leader as usize;
        if state.sleepers[leader] > 0 && state.can_commit(Role::Leader) {
            self.sleepers[leader].notify_one();
        }
    }

    fn wake_all(&self) {
        self.sleepers.iter().for_each(|sleepers| {
            sleepers.notify_all();
        });
    }
}
