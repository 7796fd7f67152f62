//! One program on a card and on revm, compared opcode by opcode; random programs; and the count of what was
//! compared.
//!
//! At every opcode of all frames: depth of the frame, program counter, opcode, gas, stack depth, topmost word, memory
//! size; at the end: result, logs, and all changed state. The first difference is shown with both sides and
//! the opcodes before it, and [`shrink()`] makes a program that differs a small one.

pub mod asm;
mod divergence;
pub mod ends;
pub mod ledger;
mod program;
pub mod random;
mod shrink;

use gatewei_driver::transport::Transport;

use super::trace::Step;

pub use divergence::{Difference, Divergence, End, first_difference};
pub use program::{CONTRACT, NUMBER, Other, Program, Report, SENDER};
pub use shrink::shrink;

/// A transport whose card tells what its lanes retire.
pub trait Traced: Transport {
    /// Forgets what was retired so far and records from now on.
    fn start_trace(&mut self);

    /// What was retired for a command since [`Traced::start_trace`].
    fn take_trace(&mut self, command: u32) -> Vec<Step>;
}
