//! Why a block cannot be printed.

use thiserror::Error;

/// Why a block cannot be printed as Verilog. Every message names the block and what to write instead.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EmitError {
    /// rust-hdl's own checks refuse the block.
    #[error("{block}: {detail}")]
    Check {
        /// Instance path of the block.
        block: String,
        /// What is wrong.
        detail: String,
    },
    /// The emitting thread failed.
    #[error("the emitting thread failed: {detail}")]
    Thread {
        /// What happened.
        detail: String,
    },
}
