//! What the scheduler's lock guards.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    mem,
    time::Duration,
};

use super::{Attempt, Cost, Counters, Cursor, Hint, Role, Task, group::Group};

/// Transactions that workers leave between the cursor and themselves: so the leader finds one to
/// execute, in place of running into one that another worker is still executing.
const SPARE: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
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
    /// Under the cursor, executed by the leader.
    taken: bool,
    /// Counts as spare.
    spare: bool,
    /// Counts as queued.
    queued: bool,
    cost: Cost,
    group: Option<usize>,
    /// Transactions to be made ready when this one has run.
    dependents: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct State {
    entries: Vec<Entry>,
    groups: Vec<Group>,
    /// Ready transactions below `fresh`, the lowest first, but for those that are left to the leader.
    ready: BinaryHeap<Reverse<usize>>,
    /// Everything from here on was never looked at.
    fresh: usize,
    /// Cheap transactions below `fresh` for those who find nothing better, in ascending order.
    cheap: VecDeque<usize>,
    cursor: usize,
    /// Transactions that are left to the leader.
    spares: usize,
    /// Number of transactions that wait for the member of their group before them.
    queued: usize,
    /// Some worker never commits.
    runners: bool,
    /// See [`State::is_alone`].
    pub alone: bool,
    pub committing: bool,
    pub stopped: bool,
    /// Number of sleeping workers, by role.
    pub sleepers: [usize; Role::ALL.len()],
    pub counters: Counters,
}

impl State {
    pub(super) fn new(hints: &[Hint]) -> Self {
        let entry = |hint: &Hint| Entry {
            status: Status::Ready,
            incarnation: 0,
            repeated: false,
            taken: false,
            spare: false,
            queued: false,
            cost: hint.cost,
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
        Self {
            entries,
            groups: vec![Group::default(); hints.len()],
            ready: BinaryHeap::new(),
            fresh: 0,
            cheap: VecDeque::new(),
            cursor: 0,
            spares: 0,
            queued: 0,
            runners: false,
            alone: false,
            committing: false,
            stopped: false,
            sleepers: [0; Role::ALL.len()],
            counters: Counters::default(),
        }
    }

    pub(super) fn next(&mut self, role: Role) -> Task {
        if self.stopped || self.finished() {
            return Task::Done;
        }
        if self.can_commit(role) {
            self.committing = true;
            return Task::Commit;
        }
        self.runners |= role == Role::Runner;
        if self.alone {
            return Task::Wait;
        }
        self.drop_stale();
        if let Some(Reverse(tx)) = self.ready.pop() {
            return self.hand_out(tx);
        }
        while self.fresh < self.entries.len() {
            let tx = self.fresh;
            self.fresh += 1;
            if self.entries[tx].status != Status::Ready {
                continue;
            }
            let cost = self.cost(tx);
            if role != Role::Helper && (self.spares < SPARE || cost != Cost::Dear) {
                self.leave(tx);
                if cost == Cost::Cheap {
                    self.cheap.push_back(tx);
                }
            } else if !self.queue_in_group(tx) {
                return self.hand_out(tx);
            }
        }
        match self.next_cheap() {
            Some(tx) => self.hand_out(tx),
            None => Task::Wait,
        }
    }

    /// What a transaction costs, by what is known of its group meanwhile.
    fn cost(&mut self, tx: usize) -> Cost {
        match self.group(tx) {
            Some(group) if group.is_brief() || group.is_lost() => Cost::Trivial,
            _ => self.entries[tx].cost,
        }
    }

    /// The leader executed a transaction in this time.
    pub(super) fn took(&mut self, tx: usize, time: Duration) {
        if let Some(group) = self.group(tx) {
            group.took(time);
        }
    }

    /// Nobody but the leader will execute anything that comes after this transaction: it is left to the leader, or
    /// runs in order. Once so, always so.
    fn is_alone(&mut self, tx: usize) -> bool {
        let left = self.queued + self.spares;
        self.runners && left > 0 && left + tx + 1 == self.entries.len() && self.cheap.is_empty()
    }

    /// A cheap transaction that the leader does not reach at once.
    fn next_cheap(&mut self) -> Option<usize> {
        while let Some(tx) = self.cheap.pop_front() {
            if tx > self.cursor + SPARE && self.entries[tx].status == Status::Ready {
                return Some(tx);
            }
        }
        None
    }

    /// What the holder of the right to commit does next.
    pub(super) fn cursor(&mut self, role: Role) -> Cursor {
        let tx = self.cursor;
        match self.entries.get(tx).map(|entry| entry.status) {
            _ if self.stopped => Cursor::Empty,
            Some(Status::Executed) => Cursor::Ready(tx),
            Some(Status::Ready | Status::Waiting) if role == Role::Leader => {
                self.fresh = self.fresh.max(tx + 1);
                self.pass(tx);
                self.hand_out(tx);
                self.entries[tx].taken = true;
                self.alone |= self.is_alone(tx);
                Cursor::Take(tx)
            }
            _ => Cursor::Empty,
        }
    }

    /// The incarnation of a transaction that is being executed.
    pub(super) fn running(&self, tx: usize) -> Option<u32> {
        let entry = &self.entries[tx];
        (entry.status == Status::Executing).then_some(entry.incarnation)
    }

    /// Everybody who waits for this transaction need not any longer.
    pub(super) fn has_ended(&mut self, tx: usize, status: Status) {
        self.entries[tx].status = status;
        for dependent in mem::take(&mut self.entries[tx].dependents) {
            if self.entries[dependent].status == Status::Waiting {
                self.make_ready(dependent);
            }
        }
    }

    /// An attempt came to nothing; it is tried again when `on` has run.
    pub(super) fn put_back(&mut self, tx: usize, on: Option<usize>) {
        self.entries[tx].incarnation += 1;
        // `on` may have run since: then there is nothing to wait for.
        match on.filter(|on| *on < tx && !self.has_run(*on)) {
            Some(on) => {
                self.entries[tx].status = Status::Waiting;
                self.entries[on].dependents.push(tx);
            }
            None => self.make_ready(tx),
        }
    }

    pub(super) fn has_committed(&mut self, tx: usize) {
        debug_assert_eq!(self.cursor, tx);
        let taken = self.entries[tx].taken;
        self.cursor += 1;
        self.has_ended(tx, Status::Committed);
        if let Some(group) = self.group(tx) {
            if taken {
                group.ran_in_order();
            } else {
                group.was_right();
            }
        }
    }

    /// The transaction under the cursor has run in vain.
    pub(super) fn was_wrong(&mut self, tx: usize) {
        let entry = &mut self.entries[tx];
        entry.incarnation += 1;
        entry.repeated = true;
        if let Some(group) = self.group(tx) {
            group.was_wrong();
        }
        self.make_ready(tx);
    }

    pub(super) fn finished(&self) -> bool {
        self.cursor == self.entries.len() && !self.committing
    }

    /// Number of transactions that are ready or were never looked at; some may be the leader's by now.
    pub(super) fn left(&self) -> usize {
        self.ready.len() + self.cheap.len() + self.entries.len() - self.fresh
    }

    /// How many workers of this role would find something now, as far as it matters: 2 means "two or more".
    /// Fresh transactions count although they may turn out to wait: a worker woken in vain sleeps again.
    pub(super) fn offers(&mut self, role: Role) -> usize {
        self.drop_stale();
        let commits = usize::from(self.can_commit(role));
        if self.alone {
            return commits;
        }
        commits
            + self.ready.len().min(2)
            + (self.entries.len() - self.fresh).min(2)
            + self.cheap.len().min(2)
    }

    /// Whether a worker of this role can go on from the cursor.
    pub(super) fn can_commit(&self, role: Role) -> bool {
        let entry = self.entries.get(self.cursor);
        !self.committing
            && role != Role::Runner
            && entry.is_some_and(|entry| match entry.status {
                Status::Executed => true,
                Status::Ready | Status::Waiting => role == Role::Leader,
                Status::Executing | Status::Committed => false,
            })
    }

    /// Takes off the heap what the leader has executed since.
    fn drop_stale(&mut self) {
        while let Some(Reverse(tx)) = self.ready.peek()
            && self.entries[*tx].status != Status::Ready
        {
            self.ready.pop();
        }
    }

    /// Lets a transaction of a hot group wait for the member before it, if that has not run yet.
    fn queue_in_group(&mut self, tx: usize) -> bool {
        let Some(group) = self.group(tx) else {
            return false;
        };
        let (hot, last) = (group.is_hot(), group.last);
        group.last = last.max(Some(tx));
        let Some(last) = last.filter(|last| hot && *last < tx) else {
            return false;
        };
        if self.has_run(last) {
            return false;
        }
        self.entries[tx].status = Status::Waiting;
        self.entries[tx].queued = true;
        self.queued += 1;
        self.entries[last].dependents.push(tx);
        true
    }

    /// Leaves a transaction to the leader, who reaches it in order.
    fn leave(&mut self, tx: usize) {
        self.spares += usize::from(!mem::replace(&mut self.entries[tx].spare, true));
        self.pass(tx);
    }

    /// The leader executes this transaction: later members of its group come after it.
    fn pass(&mut self, tx: usize) {
        if let Some(group) = self.group(tx) {
            group.last = group.last.max(Some(tx));
        }
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
        self.spares -= usize::from(mem::take(&mut entry.spare));
        self.queued -= usize::from(mem::take(&mut entry.queued));
        self.counters.executions += 1;
        self.counters.reexecutions += u64::from(entry.repeated);
        Task::Execute(Attempt {
            tx,
            incarnation: entry.incarnation,
        })
    }

    fn make_ready(&mut self, tx: usize) {
        let entry = &mut self.entries[tx];
        entry.status = Status::Ready;
        self.queued -= usize::from(mem::take(&mut entry.queued));
        // At or above `fresh` the scan will find it.
        if tx >= self.fresh {
            return;
        }
        if self.runners && self.cost(tx) == Cost::Trivial {
            self.leave(tx);
        } else {
            self.ready.push(Reverse(tx));
        }
    }
}
