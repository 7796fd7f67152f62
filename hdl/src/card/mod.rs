//! The card around its lanes: registers, queues, DMA, and the top that wires them.
//!
//! ```text
//!  AXI4-Lite ─▶ RegisterFile ─ rings, doorbells ─▶ QueueEngine ◀─ commands, replies, completions ─▶ lanes
//!                   ▲ counters                          │ ring reads and writes                       │
//!                   └───────────────────────────────────┴────────────▶ Dma ◀──────────────────────────┘
//!                                                                       ║ AXI4 (host memory)
//! ```

mod arbiter;
mod completions;
mod dispatch;
mod dma;
mod dma_read;
mod dma_write;
mod fetch;
mod lane_queue;
mod lane_regs;
mod queue;
mod queue_regs;
mod regs;
mod shell;
mod top;

pub use arbiter::RoundRobin;
pub use completions::Completions;
pub use dispatch::Dispatch;
pub use dma::Dma;
pub use dma_read::DmaRead;
pub use dma_write::DmaWrite;
pub use fetch::Fetch;
pub use lane_queue::LaneQueue;
pub use lane_regs::LaneRegisters;
pub use queue::QueueEngine;
pub use queue_regs::QueueRegisters;
pub use regs::{Identity, Make, Origin, RegisterFile};
pub use shell::Shell;
pub use top::{Card, DEFAULT_CLOCK_KHZ};

use gatewei_abi::regs as abi;
use rust_hdl_core::prelude::*;

/// AXI id of the first queue pair; those of others are below it. A lane's id is its index.
pub const QUEUE_ID: u64 = 15;
/// AXI ids (4 bits): most lanes and queue pairs of a card, together.
pub const MAX_IDS: usize = QUEUE_ID as usize + 1;
/// Most queue pairs: their register blocks end where the lanes' begin, and a command's id has 4 bits for them.
pub const MAX_PAIRS: usize = (abi::LANES - abi::QUEUES) as usize / abi::QUEUE_STRIDE as usize;

/// AXI ids of the queue pairs.
fn queue_ids<const PAIRS: usize>() -> [Constant<Bits<4>>; PAIRS] {
    array_init::array_init(|p| constant(QUEUE_ID - p as u64))
}

/// An array of fresh parts or ports.
fn array<T: Default, const N: usize>() -> [T; N] {
    array_init::array_init(|_| T::default())
}

/// The numbers 0 to N-1 as constants of `W` bits, to compare an index signal with.
fn indices<const W: usize, const N: usize>() -> [Constant<Bits<W>>; N] {
    array_init::array_init(|i| Constant::new((i as u64).into()))
}

/// A constant of `W` bits.
fn constant<const W: usize>(value: u64) -> Constant<Bits<W>> {
    Constant::new(value.into())
}
