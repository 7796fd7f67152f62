//! A UART at a pin: bits of so many cycles.

use std::collections::VecDeque;

/// Bits of a byte on the line: start, data, stop.
const BITS: u32 = 10;

/// Takes bytes off a line that is looked at once a cycle.
#[derive(Debug)]
pub struct LineIn {
    divider: u32,
    /// Cycles since the start bit's edge; none between bytes.
    at: Option<u32>,
    bits: u16,
}

impl LineIn {
    /// A line with `divider` cycles a bit.
    pub const fn new(divider: u32) -> Self {
        Self {
            divider,
            at: None,
            bits: 0,
        }
    }

    /// Looks at the line; a byte where its stop bit has been seen. A byte without stop bit is dropped.
    pub fn sample(&mut self, level: bool) -> Option<u8> {
        let Some(at) = self.at else {
            if !level {
                (self.at, self.bits) = (Some(1), 0);
            }
            return None;
        };
        self.at = Some(at + 1);
        if at % self.divider != self.divider / 2 {
            return None;
        }
        let bit = at / self.divider;
        self.bits |= u16::from(level) << bit;
        if bit + 1 < BITS {
            return None;
        }
        self.at = None;
        level.then_some((self.bits >> 1) as u8)
    }
}

/// Puts bytes on a line.
#[derive(Debug)]
pub struct LineOut {
    divider: u32,
    waiting: VecDeque<u8>,
    /// Bits left of the byte on the line, and cycles left of the first of them.
    bits: u16,
    left: u32,
    cycles: u32,
}

impl LineOut {
    /// A line with `divider` cycles a bit.
    pub const fn new(divider: u32) -> Self {
        Self {
            divider,
            waiting: VecDeque::new(),
            bits: 0,
            left: 0,
            cycles: 0,
        }
    }

    /// A byte to send.
    pub fn push(&mut self, octet: u8) {
        self.waiting.push_back(octet);
    }

    /// Whether all is sent.
    pub fn is_idle(&self) -> bool {
        self.left == 0 && self.waiting.is_empty()
    }

    /// The line's level in this cycle.
    pub fn level(&mut self) -> bool {
        if self.left == 0 {
            let Some(octet) = self.waiting.pop_front() else {
                return true;
            };
            self.bits = u16::from(octet) << 1 | 1 << (BITS - 1);
            (self.left, self.cycles) = (BITS, self.divider);
        }
        let level = self.bits & 1 == 1;
        self.cycles -= 1;
        if self.cycles == 0 {
            self.bits >>= 1;
            self.left -= 1;
            self.cycles = self.divider;
        }
        level
    }
}
