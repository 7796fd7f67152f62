//! What lanes spend their cycles on, as far as a transport can see it.

use std::ops::AddAssign;

/// Cycles of some opcodes, or of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// How many.
    pub count: u64,
    /// Their cycles: from an opcode's first to the next one's, or from a message's first to its first
    /// opcode's.
    pub cycles: u64,
    /// Of those, cycles in which the lane awaited the host.
    pub wait_cycles: u64,
    /// Of those, cycles in which it awaited a page of code or data that was not on the card.
    pub page_cycles: u64,
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.cycles += other.cycles;
        self.wait_cycles += other.wait_cycles;
        self.page_cycles += other.page_cycles;
    }
}

/// Cycles by opcode. Those of a message's end belong to its last opcode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// By opcode byte.
    pub opcodes: Box<[Spent; 256]>,
    /// Messages: loading them.
    pub messages: Spent,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            opcodes: Box::new([Spent::default(); 256]),
            messages: Spent::default(),
        }
    }
}
