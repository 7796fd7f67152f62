//! Why a first frame ended on the CPU.

use gatewei_abi::opcode;
use gatewei_abi::status::Trap;
use gatewei_driver::{Fault, SubmitError};

use super::message::Unfit;

/// Why a first frame ended on the CPU. `Display` is the name in statistics and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The frame does not fit the card; it was never sent.
    Unfit(Unfit),
    /// The lane reached an opcode that it leaves to the CPU.
    Opcode(u8),
    /// The lane gave the message back for another reason.
    Trap(Trap),
    /// The card failed under it.
    Fault(Fault),
    /// The result claims reads that did not happen.
    UnknownRead,
    /// There was no memory for its code.
    NoMemory,
    /// Its results rested on values that had changed, time and again.
    Stale,
}

impl Reason {
    /// What a trap means.
    pub const fn of_trap(trap: Trap, opcode: u8) -> Self {
        match trap {
            Trap::Opcode => Self::Opcode(opcode),
            trap => Self::Trap(trap),
        }
    }

    /// What a refused message means.
    pub fn of_submit(error: &SubmitError) -> Self {
        match error {
            SubmitError::Unfit(unfit) => Self::Unfit((*unfit).into()),
            SubmitError::Dead(fault) | SubmitError::Failed(fault) => Self::Fault(*fault),
            SubmitError::NoCredit(_) | SubmitError::NoLane(_) => Self::Trap(Trap::Queue),
            SubmitError::Memory(_) | SubmitError::Bounds(_) => Self::NoMemory,
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Opcode(byte) if opcode::opcode(*byte).is_none() => {
                write!(f, "opcode:{byte:#04x}")
            }
            Self::Opcode(byte) => write!(f, "opcode:{}", opcode::name(*byte)),
            Self::Unfit(unfit) => f.write_str(unfit.name()),
            Self::Trap(trap) => f.write_str(trap.name()),
            Self::Fault(fault) => f.write_str(fault.name()),
            Self::UnknownRead => f.write_str("unknown_read"),
            Self::NoMemory => f.write_str("no_dma_memory"),
            Self::Stale => f.write_str("stale"),
        }
    }
}
