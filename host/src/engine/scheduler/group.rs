//! Transactions that are likely to conflict with each other.

/// Above this, members run in order.
const HOT: u32 = 64;
/// What a result that was wrong adds, and one that was right takes off: one wrong result in four is the limit.
const WRONG: u32 = 48;
const RIGHT: u32 = 16;
/// Enough for two wrong results in a row.
const MAX: u32 = 2 * WRONG + RIGHT;

/// How the transactions of a group get along.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    /// The highest member that was handed out or made to wait.
    pub last: Option<usize>,
    heat: u32,
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

    /// A member ran in order. That says nothing about conflicts, but after many of these they are worth another try.
    pub(super) fn ran_in_order(&mut self) {
        self.heat = self.heat.saturating_sub(1);
    }
}
