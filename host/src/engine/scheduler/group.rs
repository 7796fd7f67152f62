//! Transactions that are likely to conflict with each other, and to take the same time.

use std::time::Duration;

/// Above this, members run in order.
const HOT: u32 = 64;
/// Above this they are left to the leader: they conflict although they run in order, with others.
const LOST: u32 = 128;
/// What a result that was wrong adds, and one that was right takes off: one wrong result in four is the limit.
const WRONG: u32 = 48;
const RIGHT: u32 = 16;
/// Enough for three wrong results in a row.
const MAX: u32 = 3 * WRONG + RIGHT;

/// A transaction that takes no longer in order is the leader's: another thread's attempt at it takes twice the time, and
/// then its result must come over, and be validated and committed.
const BRIEF: Duration = Duration::from_micros(15);

/// How the transactions of a group get along.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    /// The highest member that was handed out or made to wait.
    pub last: Option<usize>,
    heat: u32,
    /// What a member takes in order.
    time: Option<Duration>,
}

impl Group {
    /// Too many results were wrong: one thread alone would have wasted less.
    pub(super) fn is_hot(&self) -> bool {
        self.heat > HOT
    }

    /// A result was wrong.
    pub(super) fn was_wrong(&mut self) {
        self.heat = (self.heat + WRONG).min(MAX);
    }

    /// A result of a speculation was right.
    pub(super) fn was_right(&mut self) {
        self.heat = self.heat.saturating_sub(RIGHT);
    }

    /// Running in order was not enough.
    pub(super) fn is_lost(&self) -> bool {
        self.heat > LOST
    }

    /// Members take hardly longer than to be handed over.
    pub(super) fn is_brief(&self) -> bool {
        self.time.is_some_and(|time| time <= BRIEF)
    }

    /// A member took this time in order. The first of them find nothing in the caches: what is shorter counts at once, what
    /// is longer by and by.
    pub(super) fn took(&mut self, time: Duration) {
        let known = self.time.get_or_insert(time);
        if time < *known {
            *known = time;
        } else {
            *known += (time - *known) / 8;
        }
    }

    /// A member ran in order. That says nothing about conflicts, but after many of these they are worth another try.
    pub(super) fn ran_in_order(&mut self) {
        self.heat = self.heat.saturating_sub(1);
    }
}
