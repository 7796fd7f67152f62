//! The card in rust-hdl, and the emitter that prints it as Verilog.
//!
//! A block is a Rust struct of signals and sub-blocks with a clocked or combinational `update`
//! (see the crate's `README.md` for the idioms). [`emit::design`] turns one into readable,
//! width-exact Verilog; [`catalog`] lists every block that is linted, synthesised and simulated on
//! its own; [`prim`] holds the only hand-written Verilog: memories and the multiplier.

/// A block with some fields given and the others at their default: a struct with constants cannot derive
/// `Default`.
macro_rules! block {
    ($($field:ident: $value:expr,)* ; $($rest:ident)*) => {
        Self { $($field: $value,)* $($rest: Default::default(),)* }
    };
}

pub mod arith;
pub mod bitstream;
pub mod card;
pub mod catalog;
pub mod emit;
pub mod keccak;
#[allow(
    clippy::collapsible_match,
    reason = "an arm of a hardware match has no guard"
)]
pub mod lane;
pub mod link;
pub mod prim;
pub mod tools;
