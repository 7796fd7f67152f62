//! Why a block cannot be printed.

use thiserror::Error;

/// Why a block cannot be printed as Verilog.
///
/// Every message names the instance path of the block, the signal, and what to write instead. Signals and
/// expressions are given as in the Rust source, without `self.`, `.val()` and `.next`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EmitError {
    /// Two operands, or a target and its value, differ in width.
    #[error(
        "{block}: `{signal}`: in `{expression}`, {left} bits meet {right} bits; widen or cut one side with bit_cast"
    )]
    Width {
        /// Instance path of the block.
        block: String,
        /// Signal that is assigned.
        signal: String,
        /// Offending expression.
        expression: String,
        /// Bits on the left, or of the target.
        left: usize,
        /// Bits on the right, or of the value.
        right: usize,
    },
    /// An expression whose width follows from nothing.
    #[error(
        "{block}: `{signal}`: the width of `{expression}` cannot be inferred; name it in a sized Signal<Local, _> first"
    )]
    Unsized {
        /// Instance path of the block.
        block: String,
        /// Signal that is assigned.
        signal: String,
        /// Offending expression.
        expression: String,
    },
    /// A number that does not fit.
    #[error("{block}: `{signal}`: {value} in `{expression}` does not fit {width} bits")]
    Overflow {
        /// Instance path of the block.
        block: String,
        /// Signal that is assigned.
        signal: String,
        /// Offending expression.
        expression: String,
        /// The number.
        value: String,
        /// Bits that it has to fit.
        width: usize,
    },
    /// A name that is no signal, constant, loop variable or enum variant of the block.
    #[error(
        "{block}: `{signal}`: `{name}` is no signal, constant, loop variable or enum variant of this block; \
         take Rust constants and const generics through a Constant<Bits<_>> field"
    )]
    Unknown {
        /// Instance path of the block.
        block: String,
        /// Signal that is assigned.
        signal: String,
        /// The name.
        name: String,
    },
    /// Two enums of one name are visible in a block.
    #[error(
        "{block}: `{signal}`: two enums give `{name}` different codes; rename one of the two enum types"
    )]
    Ambiguous {
        /// Instance path of the block.
        block: String,
        /// Signal that is assigned.
        signal: String,
        /// Enum variant.
        name: String,
    },
    /// An array index that is not arithmetic on numbers and loop variables.
    #[error(
        "{block}: `{name}`: the index must be arithmetic on numbers and loop variables; for a const generic write \
         `for k in (N - 1)..N`, for a computed index a loop with a comparison"
    )]
    Index {
        /// Instance path of the block.
        block: String,
        /// The indexed name.
        name: String,
    },
    /// A signal that keeps its value on some path.
    #[error(
        "{block}: `{signal}` is not assigned on every path (a latch); give it a default at the top of update"
    )]
    Latch {
        /// Instance path of the block.
        block: String,
        /// The signal.
        signal: String,
    },
    /// A signal that nothing drives.
    #[error("{block}: `{signal}` is never assigned")]
    Undriven {
        /// Instance path of the block.
        block: String,
        /// The signal.
        signal: String,
    },
    /// An assignment to an input, a constant, or an output of a sub-block.
    #[error("{block}: `{signal}` is driven elsewhere and cannot be assigned here")]
    NotWritable {
        /// Instance path of the block.
        block: String,
        /// The signal.
        signal: String,
    },
    /// A signal that is read above its assignment, where Rust and hardware disagree.
    #[error(
        "{block}: `{reader}` reads `{signal}` before `{signal}` is assigned; move the assignment up"
    )]
    ReadBeforeWrite {
        /// Instance path of the block.
        block: String,
        /// The signal read.
        signal: String,
        /// The signal whose value it enters.
        reader: String,
    },
    /// Signals that depend on each other without a register between them.
    #[error(
        "{block}: combinational loop through {path}; put a register in it, or split a struct signal into its parts"
    )]
    Loop {
        /// Instance path of the block.
        block: String,
        /// The signals, joined by arrows.
        path: String,
    },
    /// A construct that has no translation.
    #[error("{block}: {what}")]
    Unsupported {
        /// Instance path of the block.
        block: String,
        /// What it is, and the way out.
        what: String,
    },
    /// The emitting thread failed.
    #[error("the emitting thread failed: {detail}")]
    Thread {
        /// What happened.
        detail: String,
    },
}
