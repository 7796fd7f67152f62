//! Memory in small pieces all over the bus, so that every bit of an address is seen to change.

use std::sync::Arc;

use gatewei_driver::dma::{DmaBuffer, HeapMemory};
use gatewei_sim::host_memory::HostMemory;
use gatewei_sim::random::Random;

use super::NOWHERE;

/// Zeroed memory at a random multiple of `align`, which is at least its size.
pub fn map(memory: &mut HostMemory, random: &mut Random, bytes: usize, align: usize) -> DmaBuffer {
    assert!(bytes <= align && align.is_power_of_two());
    loop {
        let bus = random.bits() & !(align as u64 - 1);
        let heap = Arc::new(HeapMemory::new(bytes));
        if bus >> 32 != NOWHERE.into() && memory.regions.map_at(bus, heap.clone(), true) {
            return DmaBuffer::new(bus, heap);
        }
    }
}

/// Pieces of [`Spread::BYTES`] bytes by number.
#[derive(Clone)]
pub struct Spread(Vec<DmaBuffer>);

impl Spread {
    /// Bytes of a piece.
    pub const BYTES: usize = 64;

    pub fn new(memory: &mut HostMemory, random: &mut Random, pieces: usize) -> Self {
        let piece = |_| map(memory, random, Self::BYTES, Self::BYTES);
        Self((0..pieces).map(piece).collect())
    }

    /// The piece of a command.
    pub fn of(&self, command: u32) -> &DmaBuffer {
        &self.0[command as usize % self.0.len()]
    }

    /// All of them.
    pub fn pieces(&self) -> &[DmaBuffer] {
        &self.0
    }
}
