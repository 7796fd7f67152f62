//! From a rust-hdl block to Verilog.
//!
//! rust-hdl's own printer leaves widths to Verilog's context rules, which differ from Rust's: an
//! intermediate result may keep a carry that Rust drops. The printer here knows the declared width of
//! every signal and prints each expression so that it means in Verilog what it means in Rust, or refuses
//! with an [`EmitError`] that names block, signal and expression. On the way it finds latches, undriven
//! signals, reads before assignment and combinational loops.
//!
//! The steps: `tree` reads the block's scopes, `lower` and `infer` turn each `update` into statements
//! and expressions of known width, `flow` checks them, `schedule` cuts them into processes,
//! `module` and `print` write the text, and `assemble` keeps each distinct text once.
//!
//! Plain registers (`DFF`) are printed in place, as `always @(posedge clock) count_q <= count_d`.

mod assemble;
mod error;
mod flow;
mod infer;
mod ir;
mod lower;
mod module;
mod names;
mod nets;
mod print;
pub mod probe;
mod schedule;
mod tree;

use rust_hdl_core::prelude::*;

pub use error::EmitError;

/// One port of the top module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name in Verilog: as in Rust, with `_` between the parts of an interface.
    pub name: String,
    /// Width in bits, at least 1.
    pub width: usize,
    /// Driven from outside.
    pub input: bool,
}

/// A block as Verilog.
#[derive(Clone, Debug)]
pub struct Design {
    /// Name of the top module.
    pub top: String,
    /// The whole text (Verilog-2001): the top module and every module below it, each distinct body once.
    pub verilog: String,
    /// Ports of the top module in declaration order.
    pub ports: Vec<Port>,
    /// For every instance its path (`card.lane_0.alu`) and the module that it is an instance of.
    pub modules: Vec<(String, String)>,
}

/// Stack for building and walking a large block: blocks are plain values, and a 256-bit signal takes
/// about a kilobyte. The pages are mapped when they are touched.
const STACK: usize = 512 << 20;

/// Prints `block` as a module called `top`, with everything below it.
///
/// Inputs of the top are its ports; nothing has to be connected beforehand.
///
/// # Errors
/// An [`EmitError`] when the block cannot be printed exactly.
pub fn design<B: Block>(top: &str, block: B) -> Result<Design, EmitError> {
    let Some(node) = tree::read(top, &block) else {
        let what = "it is no block: derive LogicBlock".to_string();
        return Err(EmitError::Unsupported {
            block: top.into(),
            what,
        });
    };
    assemble::assemble(top, std::any::type_name::<B>(), &node)
}

/// Runs `build` on a thread with a stack large enough for any block of this crate.
///
/// # Errors
/// Those of `build`; [`EmitError::Thread`] when the thread cannot be started or panics.
pub fn on_large_stack(
    build: impl FnOnce() -> Result<Design, EmitError> + Send + 'static,
) -> Result<Design, EmitError> {
    std::thread::Builder::new()
        .name("emit".into())
        .stack_size(STACK)
        .spawn(build)
        .map_err(|e| EmitError::Thread {
            detail: e.to_string(),
        })?
        .join()
        .unwrap_or_else(|_| {
            Err(EmitError::Thread {
                detail: "it panicked".into(),
            })
        })
}
