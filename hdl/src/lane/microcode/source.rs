//! What a control word can put on the result bus.

// The derive of LogicState makes accessors without docs.
#![allow(missing_docs)]

use rust_hdl_core::prelude::*;

use super::word::AluMode;

/// What stands on the result bus. What is an operand of the ALU already comes through it, with the other operand zero: the bus
/// is as wide as a word, and each source of its own costs an input a bit.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Source {
    /// Zero.
    Zero,
    /// The ALU.
    Alu,
    /// The shifter.
    Shift,
    /// The arithmetic unit.
    Arith,
    /// The operand of a PUSH.
    Immediate,
    /// The word that DUP copies.
    Dup,
    /// The environment memory.
    Env,
    /// EVM memory.
    Memory,
    /// Calldata.
    Calldata,
    /// Register T.
    T,
    /// Register U.
    U,
    /// Top of the stack.
    Top,
    /// Second word of the stack.
    Second,
    /// The word read ahead.
    Third,
    /// Top of the stack as an address.
    Address,
    /// Register U as an address.
    UAddress,
    /// One.
    One,
    /// Code word of a contract that begins to be.
    Newborn,
    /// The code word in U as that of a destroyed account.
    UDestroyed,
    /// What a creation, or a deployment, is made of.
    CreateCall,
    /// Gas after the static charge.
    Gas,
    /// Program counter.
    Pc,
    /// Memory size in bytes.
    MemorySize,
    /// Code size in bytes.
    CodeSize,
    /// Calldata size in bytes.
    CalldataSize,
    /// The host's beat.
    Beat,
    /// The host's answer.
    Reply,
    /// The Keccak digest.
    Digest,
    /// Current slot's key.
    SlotKey,
    /// Current slot's value.
    SlotPresent,
    /// Head of a slot record.
    SlotHead,
    /// Head of a log record.
    LogHead,
    /// First beat of the result's header.
    Header0,
    /// Second beat.
    Header1,
    /// Third beat.
    Header2,
    /// The code tag.
    CodeTag,
    /// Code size in the current entry's code word, in bytes.
    SlotCodeBytes,
    /// Size of the return data in bytes.
    ReturnBytes,
    /// 1 if the frame ended well, else 0.
    Success,
    /// What the call pushes: 0 unless the frame succeeded, else 1, or T where it created a contract.
    Outcome,
    /// Words of the frame's record.
    FrameMachine,
    /// See `FrameMachine`.
    FrameInput,
    /// See `FrameMachine`.
    FrameBack,
    /// The current entry's flags and index, for the journal.
    JournalHead,
    /// What a precompiled contract is given.
    PrecompileCall,
}

impl Source {
    /// How the ALU brings it to the bus, if it does.
    pub const fn through_alu(self) -> Option<AluMode> {
        match self {
            Self::Top => Some(AluMode::Top),
            Self::Address => Some(AluMode::Address),
            Self::Second => Some(AluMode::Second),
            Self::T => Some(AluMode::T),
            Self::SlotPresent => Some(AluMode::Present),
            _ => None,
        }
    }
}
