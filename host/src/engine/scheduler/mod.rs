//! The order of work inside one block: which transaction runs next, who waits for whom, what is committed.
//!
//! This is Block-STM (Gelashvili et al., PPoPP 2023) with an ordered commit. Transactions run
//! optimistically in any order. One cursor walks the block from the first transaction on: the
//! transaction under it is validated against the *committed* state, and either committed or sent
//! back to run once more. Everything below the cursor is final, so a transaction that runs while
//! it is under the cursor reads final values alone and its next validation succeeds: no
//! transaction is ever validated in vain twice at the cursor, and the block always ends.
//! All the rest (dependencies, chains, early checks) only decides how much work is wasted.
//!
//! The scheduler knows nothing of the EVM: it hands out indices and takes back what became of
//! them. All decisions are made under one short lock, because the shortest transaction costs
//! more than ten of these.

use std::{cmp::Reverse, collections::BinaryHeap, mem};

use parking_lot::{Condvar, Mutex};

/// One run of one transaction, given to exactly one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// Index of the transaction in the block, from 0.
    pub tx: usize,
    /// How often this transaction was run before.
    pub incarnation: u32,
}

/// What a worker does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Run this transaction, then report the attempt.
    Execute(Attempt),
    /// Validate and commit from the cursor on. The worker holds the sole right to commit until
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
    /// The next transaction has not run yet, or the block is complete.
    Empty,
}

/// What is known of a transaction before it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// A lower transaction on which this one certainly depends (it has the same sender, and thus the
    /// nonce before): this one is not handed out before that one has run. Ignored if it is not lower.
    pub after: Option<usize>,
    /// Number of a group, below the number of transactions, whose members are likely to
    /// conflict with each other (they call the same contract). Once many of a group did, its members run in order.
    pub group: Option<usize>,
}

/// Counters of one block's schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Attempts handed out.
    pub executions: u64,
    /// Attempts handed out for a transaction that had run to its end before.
    pub reexecutions: u64,
    /// Attempts given up on the read of a value that was known to change.
    pub blocked: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// May be handed out.
    Ready,
    /// Waits in the dependents of a lower transaction.
    Waiting,
    Executing,
    Executed,
    Committed,
}

#[derive(Debug)]
struct Entry {
    status: Status,
    incarnation: u32,
    /// Set when an earlier attempt ran to its end and turned out wrong.
    repeated: bool,
    group: Option<usize>,
    /// Transactions to be made ready when this one has run.
    dependents: Vec<usize>,
}

/// How the transactions of a group get along.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    /// The highest member that was handed out.
    last: Option<usize>,
    committed: u32,
    rejected: u32,
}

impl Group {
    /// More than a quarter of its results were wrong: one thread alone would have wasted less.
    /// As members that run in order commit, the group cools down and is tried in parallel again.
    fn is_hot(&self) -> bool {
        self.rejected >= 2 && self.rejected * 4 > self.committed + self.rejected
    }
}

#[derive(Debug)]
struct State {
    entries: Vec<Entry>,
    groups: Vec<Group>,
    /// Ready transactions below `fresh`, the lowest first.
    ready: BinaryHeap<Reverse<usize>>,
    /// Everything from here on was never looked at.
    fresh: usize,
    cursor: usize,
    committing: bool,
    stopped: bool,
    sleepers: usize,
    counters: Counters,
}

/// Shared by all workers of one block.
#[derive(Debug)]
pub struct Scheduler {
    state: Mutex<State>,
    changed: Condvar,
}

impl Scheduler {
    /// A schedule for as many transactions as there are hints.
    pub fn new(hints: &[Hint]) -> Self {
        let entry = |hint: &Hint| Entry {
            status: Status::Ready,
            incarnation: 0,
            repeated: false,
            group: hint.group.filter(|group| *group < hints.len()),
            dependents: Vec::new(),
        };
        let mut entries: Vec<Entry> = hints.iter().map(entry).collect();
        for (tx, hint) in hints.iter().enumerate() {
            if let Some(on) = hint.after.filter(|on| *on < tx) {
                entries[tx].status = Status::Waiting;
                entries[on].dependents.push(tx);
            }
        }
        let state = State {
            entries,
            groups: vec![Group::default(); hints.len()],
            ready: BinaryHeap::new(),
            fresh: 0,
            cursor: 0,
            committing: false,
            stopped: false,
            sleepers: 0,
            counters: Counters::default(),
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// The next thing to do, without waiting.
    pub fn poll(&self) -> Task {
        self.state.lock().next()
    }

    /// The next thing to do; sleeps while there is none. Never returns [`Task::Wait`].
    pub fn wait(&self) -> Task {
        let mut state = self.state.lock();
        loop {
            match state.next() {
                Task::Wait => {
                    state.sleepers += 1;
                    self.changed.wait(&mut state);
                    state.sleepers -= 1;
                }
                task => {
                    // What is left after this task is for the others.
                    if state.sleepers > 0 && state.offers() > 0 {
                        self.changed.notify_one();
                    }
                    return task;
                }
            }
        }
    }

    /// The attempt ran to its end and its writes are published.
    pub fn executed(&self, attempt: Attempt) {
        let mut state = self.state.lock();
        let entry = &mut state.entries[attempt.tx];
        debug_assert_eq!(
            (entry.status, entry.incarnation),
            (Status::Executing, attempt.incarnation)
        );
        entry.status = Status::Executed;
        let dependents = mem::take(&mut entry.dependents);
        state.release(dependents);
        self.wake(&state);
    }

    /// The attempt read a value that transaction `on` is about to write. It will be handed out
    /// again once `on` has run.
    pub fn blocked(&self, attempt: Attempt, on: usize) {
        let mut state = self.state.lock();
        state.counters.blocked += 1;
        state.entries[attempt.tx].incarnation += 1;
        // `on` may have finished since the read: then there is nothing to wait for.
        let open = on < attempt.tx && !state.has_run(on);
        if open {
            state.entries[attempt.tx].status = Status::Waiting;
            state.entries[on].dependents.push(attempt.tx);
        } else {
            state.make_ready(attempt.tx);
        }
        self.wake(&state);
    }

    /// The attempt was given up for no fault of its own: another worker may have the transaction.
    pub fn abandoned(&self, attempt: Attempt) {
        let mut state = self.state.lock();
        state.entries[attempt.tx].incarnation += 1;
        state.make_ready(attempt.tx);
        // The caller may be about to leave: somebody else must hear of it.
        self.changed.notify_one();
    }

    /// What stands under the cursor. For the holder of [`Task::Commit`] only.
    pub fn cursor(&self) -> Cursor {
        let state = self.state.lock();
        match state.entries.get(state.cursor) {
            Some(entry) if entry.status == Status::Executed && !state.stopped => {
                Cursor::Ready(state.cursor)
            }
            _ => Cursor::Empty,
        }
    }

    /// The transaction under the cursor is final. For the holder of [`Task::Commit`] only.
    pub fn committed(&self, tx: usize) {
        let mut state = self.state.lock();
        debug_assert_eq!(state.cursor, tx);
        state.entries[tx].status = Status::Committed;
        state.cursor += 1;
        if let Some(group) = state.group(tx) {
            group.committed += 1;
        }
    }

    /// The transaction under the cursor read values that are not the final ones: it runs again.
    /// For the holder of [`Task::Commit`] only.
    pub fn rejected(&self, tx: usize) {
        let mut state = self.state.lock();
        let entry = &mut state.entries[tx];
        entry.incarnation += 1;
        entry.repeated = true;
        if let Some(group) = state.group(tx) {
            group.rejected += 1;
        }
        state.make_ready(tx);
        self.wake(&state);
    }

    /// Gives back the right to commit. Transactions that ran meanwhile are committed by whoever
    /// asks for work next.
    pub fn commit_ended(&self) {
        let mut state = self.state.lock();
        state.committing = false;
        if state.finished() {
            self.changed.notify_all();
        } else {
            self.wake(&state);
        }
    }

    /// Gives the block up: every worker is told [`Task::Done`] from now on.
    pub fn stop(&self) {
        self.state.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Counters so far.
    pub fn counters(&self) -> Counters {
        self.state.lock().counters
    }

    /// Wakes one sleeper if there is more to do than the caller will take. Whoever reports
    /// something asks for work next: that is the contract of every worker.
    fn wake(&self, state: &State) {
        if state.sleepers > 0 && (state.stopped || state.offers() > 1) {
            self.changed.notify_one();
        }
    }
}

impl State {
    fn next(&mut self) -> Task {
        if self.stopped || self.finished() {
            return Task::Done;
        }
        if self.can_commit() {
            self.committing = true;
            return Task::Commit;
        }
        while let Some(Reverse(tx)) = self.ready.pop() {
            if self.entries[tx].status == Status::Ready {
                return self.hand_out(tx);
            }
        }
        while self.fresh < self.entries.len() {
            let tx = self.fresh;
            self.fresh += 1;
            if self.entries[tx].status == Status::Ready && !self.queue_in_group(tx) {
                return self.hand_out(tx);
            }
        }
        Task::Wait
    }

    /// Lets a transaction of a hot group wait for the member before it, if that has not run yet.
    fn queue_in_group(&mut self, tx: usize) -> bool {
        let Some(group) = self.group(tx) else {
            return false;
        };
        let (hot, last) = (group.is_hot(), group.last.replace(tx));
        let Some(last) = last.filter(|last| hot && *last < tx) else {
            return false;
        };
        if self.has_run(last) {
            return false;
        }
        self.entries[tx].status = Status::Waiting;
        self.entries[last].dependents.push(tx);
        true
    }

    fn group(&mut self, tx: usize) -> Option<&mut Group> {
        self.entries[tx].group.map(|group| &mut self.groups[group])
    }

    fn has_run(&self, tx: usize) -> bool {
        matches!(
            self.entries[tx].status,
            Status::Executed | Status::Committed
        )
    }

    fn hand_out(&mut self, tx: usize) -> Task {
        let entry = &mut self.entries[tx];
        entry.status = Status::Executing;
        self.counters.executions += 1;
        self.counters.reexecutions += u64::from(entry.repeated);
        Task::Execute(Attempt {
            tx,
            incarnation: entry.incarnation,
        })
    }

    fn make_ready(&mut self, tx: usize) {
        self.entries[tx].status = Status::Ready;
        // At or above `fresh` the scan will find it.
        if tx < self.fresh {
            self.ready.push(Reverse(tx));
        }
    }

    fn release(&mut self, dependents: Vec<usize>) {
        for tx in dependents {
            if self.entries[tx].status == Status::Waiting {
                self.make_ready(tx);
            }
        }
    }

    fn finished(&self) -> bool {
        self.cursor == self.entries.len() && !self.committing
    }

    fn can_commit(&self) -> bool {
        !self.committing
            && self
                .entries
                .get(self.cursor)
                .is_some_and(|e| e.status == Status::Executed)
    }

    /// How many workers would find something now, as far as it matters: 2 means "two or more".
    /// Fresh transactions count although they may turn out to wait: a worker woken in vain sleeps again.
    fn offers(&self) -> usize {
        usize::from(self.can_commit())
            + self.ready.len().min(2)
            + (self.entries.len() - self.fresh).min(2)
    }
}
