//! Memories that have fewer words than their address could name.

use rust_hdl_core::prelude::*;

/// 2^`bits` words at an address of `A` bits: those at its top do not count.
#[derive(Clone, Copy, Debug)]
pub struct Depth<const A: usize> {
    bits: usize,
}

impl<const A: usize> Default for Depth<A> {
    fn default() -> Self {
        Self { bits: A }
    }
}

impl<const A: usize> Depth<A> {
    /// # Panics
    /// If an address has fewer bits.
    pub fn of(bits: usize) -> Self {
        assert!(0 < bits && bits <= A, "2^{bits} words at {A} bits");
        Self { bits }
    }

    /// log2 of the words.
    pub fn bits(self) -> usize {
        self.bits
    }

    /// The last word.
    pub fn last(self) -> usize {
        (1 << self.bits) - 1
    }

    /// What counts of an address.
    pub fn place(self, address: Bits<A>) -> Bits<A> {
        let spare = (A - self.bits) as u64;
        (address << spare) >> spare
    }

    /// The same of a port, in Verilog.
    pub fn at(self, port: &str) -> String {
        match self.bits {
            all if all == A => port.into(),
            bits => format!("{port}[{}:0]", bits - 1),
        }
    }
}
