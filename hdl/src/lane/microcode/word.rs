//! The control word: one row of the microcode ROM, and the vocabulary of its fields.
//!
//! The datapath matches on these enums and the routines are written with them: one definition.

// The derive of LogicStruct makes accessors without docs.
#![allow(missing_docs)]

use gatewei_abi::layout;
use rust_hdl_core::prelude::*;

pub use super::act::Act;
pub use super::cond::Cond;
pub use super::source::Source;
pub use crate::lane::frame::{BACK, INPUT, MACHINE};
pub use crate::lane::slots::SlotCmd;
pub use crate::lane::stack::StackOp;

/// Word of the environment memory that a call keeps its value in.
pub const VALUE: usize = layout::ENV_WORDS;
/// The same for the callee's address.
pub const CALLEE: usize = layout::ENV_WORDS + 1;
/// The same for the code word of what it runs.
pub const CODE: usize = layout::ENV_WORDS + 2;
/// The same for the salt of a CREATE2.
pub const SALT: usize = layout::ENV_WORDS + 3;

/// Where the sequencer goes next, and whether the word's actions fire.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Seq {
    /// Fires; goes on.
    Next,
    /// Fires; goes to the target.
    Jump,
    /// Fires; goes to the target if the condition holds, else on.
    Branch,
    /// Stays until the condition holds; then fires and goes on.
    Wait,
    /// If the condition holds, fires and ends the opcode (the next fetch is under way); else goes to
    /// the target without firing.
    Finish,
    /// Fires; if the condition holds, goes to the target and remembers the next word; else goes on.
    Call,
    /// Fires; goes back to the word remembered.
    Return,
    /// Stays until the condition holds; then fires and goes to the routine of the fetched opcode.
    Dispatch,
}

/// Registers that take the result bus.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Latch {
    /// None.
    None,
    /// Register T.
    T,
    /// Register U.
    U,
}

/// Operands of the ALU.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum AluMode {
    /// The opcode's own operation on top and second.
    Opcode,
    /// top − T.
    TopSubT,
    /// top + second.
    TopAddSecond,
    /// −T.
    MinusT,
    /// top < T; the arithmetic unit takes it as the carry of the top.
    TopLtT,
    /// top < second.
    TopLtSecond,
    /// Current entry's value − T.
    PresentSubT,
    /// Current entry's value + T.
    PresentAddT,
    /// Current entry's value < T.
    PresentLtT,
    /// top, as it is.
    Top,
    /// top's low 160 bits.
    Address,
    /// second, as it is.
    Second,
    /// T, as it is.
    T,
    /// Current entry's value, as it is.
    Present,
}

/// Starts of the multi-cycle units.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Unit {
    /// None.
    None,
    /// The arithmetic unit on top and second, and what is the second in the next cycle.
    Arith,
    /// The shifter on top and second.
    Shift,
    /// Expansion for 32 bytes at the top.
    ExpandWord,
    /// Expansion for one byte at the top.
    ExpandByte,
    /// Expansion for the range (top, second).
    ExpandRange,
    /// Expansion for the copy destination (top, third).
    ExpandCopy,
    /// Expansion for the copy source (second, third).
    ExpandSource,
}

/// Gas and refund operations. A charge that gas does not cover halts the frame.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum GasOp {
    /// None.
    None,
    /// Charges the memory expansion (its shortage is `MemoryOutOfGas`).
    Expand,
    /// Charges 3 a word of the third operand's length.
    CopyWords,
    /// Charges 6 a word of the second operand's length.
    HashWords,
    /// Charges 8 a byte of the second operand's length and 375 a topic.
    Log,
    /// Charges the bytes of the exponent in the second operand.
    Exp,
    /// Charges a price.
    Charge,
    /// Charges what is granted to the frame called.
    Forward,
    /// Charges 2 a word of the second operand's length (EIP-3860).
    InitWords,
    /// Charges 200 a byte of the second operand's length.
    Deposit,
    /// Adds a price to the refund counter.
    Refund,
    /// Subtracts a price from the refund counter.
    Unrefund,
}

impl GasOp {
    /// It takes gas away: the charge is worked out a cycle before.
    pub const fn is_charge(self) -> bool {
        !matches!(self, Self::None | Self::Refund | Self::Unrefund)
    }
}

/// Prices: fields of the schedule (`gatewei_abi::message::Schedule`), then those that forks share.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Price {
    /// SLOAD of a cold slot.
    SloadCold,
    /// SSTORE, always.
    SstoreBase,
    /// SSTORE to a cold slot.
    SstoreCold,
    /// SSTORE from an original zero.
    SstoreSet,
    /// SSTORE over an original value.
    SstoreReset,
    /// Clearing a slot.
    Clear,
    /// Access to a cold account.
    AccountCold,
    /// A call with value.
    CallValue,
    /// A call with value to an empty account.
    NewAccount,
    /// Access to a warm account.
    AccountWarm,
    /// A creation.
    Create,
    /// SELFDESTRUCT in favour of a cold account.
    DestroyCold,
}

/// Keys of the slot table.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum SlotKey {
    /// As before.
    Keep,
    /// The executing account's storage slot at the top.
    Storage,
    /// Its transient slot at the top.
    Transient,
    /// Its balance.
    OwnBalance,
    /// Its nonce.
    OwnNonce,
    /// The other account's balance.
    PeerBalance,
    /// The other account's nonce.
    PeerNonce,
    /// The other account's code hash.
    PeerHash,
    /// The account whose address is T.
    Account,
    /// The other account's storage slot that is T.
    Message,
}

/// Value and flags of a slot command.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum SlotMode {
    /// `Put`: used.
    Use,
    /// `Put`: used, warm.
    Warm,
    /// `Put`: used, written (an account that was touched).
    Touch,
    /// `Put`: present = second; used, warm, written.
    Store,
    /// `Put`: present = U; used, written.
    StoreU,
    /// `Put`/`Add`: original = present = U; known, used.
    Answer,
    /// `Add`: original = present = 0; known, used.
    Zero,
    /// `Put` of a journal entry: present = U, flags = those in T; used.
    Restore,
    /// `Add` from the message: value = beat, flags = those of the head in U.
    MessageAccount,
    /// `Add` from the message: value = beat; known, warm.
    MessageWarm,
    /// `Add` from the message: value = beat; known.
    MessageCold,
    /// `Add` from the message: warm.
    MessageNamed,
}

/// Loads of the pointers: P (source), Q (destination), N (bytes).
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Pointers {
    /// Keep.
    None,
    /// A copy opcode: P = second, Q = top, N = third.
    Copy,
    /// A memory range: P = top, N = second.
    Range,
    /// The same, to the beginning of the return data: Q = 0.
    Output,
    /// Return data to where the call wants it, as far as both go.
    Returned,
    /// The call's calldata: P and N.
    Arguments,
    /// The precompiled contract's output that U tells: Q = 0, N in whole beats.
    Answer,
    /// The message's header.
    Header,
    /// Blob hashes, after the header.
    Blobs,
    /// Calldata that is loaded with the message.
    Calldata,
    /// Zeros behind the calldata, if all of it was loaded.
    CalldataPad,
    /// Slot records of the result: N only.
    SlotRecords,
}

/// Moves of the mover.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Move {
    /// None.
    None,
    /// Memory to the result buffer.
    MemoryOut,
    /// Memory to the Keccak engine.
    MemoryKeccak,
    /// Memory to memory, upwards.
    MemoryMemory,
    /// Memory to memory, downwards.
    MemoryMemoryBack,
    /// Calldata to memory.
    CalldataMemory,
    /// Code to memory.
    CodeMemory,
    /// Return data to memory.
    ReturnMemory,
    /// Memory to return data.
    MemoryReturn,
    /// Beats to return data.
    BeatReturn,
    /// Zeros to the memory that an expansion adds.
    ZeroMemory,
    /// Zeros to calldata.
    ZeroCalldata,
    /// Beats to the environment memory.
    BeatEnv,
    /// Beats to calldata.
    BeatCalldata,
}

/// Writes of the result bus to the data space.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Store {
    /// None.
    None,
    /// At the top's offset.
    Operand,
    /// Its lowest byte, at the top's offset.
    Byte,
    /// Where [`Space`] says.
    Word,
}

/// Where in the data space a word reads and writes.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Space {
    /// At the top's offset, in EVM memory or calldata.
    Operand,
    /// Word `code` of the frame's record.
    Record,
    /// Word `code` of the journal's next entry.
    Journal,
}

/// Completions.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Post {
    /// None.
    None,
    /// Request of what the slot table was asked for.
    Slot,
    /// Request of a block hash.
    BlockHash,
    /// Request of the code.
    Code,
    /// Request of a precompiled contract.
    Precompile,
    /// Request of a creation.
    Create,
    /// Request of a deployment.
    Deploy,
    /// Request of the hash of a created code.
    CodeHash,
    /// The message is done.
    Done,
    /// The message trapped.
    Trap,
}

/// Operations on the loop counter.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Count {
    /// Keep.
    None,
    /// Zero.
    Zero,
    /// One more.
    Up,
    /// One less.
    Down,
    /// Warm slots of the account whose head is in U.
    Warm,
    /// Cold slots of it.
    Cold,
    /// Named slots of it.
    Named,
    /// The entry that the journal's head in T names.
    Journal,
    /// Topics of the LOG.
    Topics,
}

/// One control word.
#[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
pub struct Word {
    /// Sequencing.
    pub seq: Seq,
    /// Condition.
    pub cond: Cond,
    /// The condition is to be false.
    pub unless: Bit,
    /// Stands for a cycle before it does anything, so that its condition and its charge come from registers.
    pub late: Bit,
    /// Target.
    pub target: Bits<10>,
    /// First word of an opcode: retires it, checks it, charges its static gas.
    pub check: Bit,
    /// The opcode's length operand must be below 2^64: part of the check.
    pub sized: Bit,
    /// Ends an opcode after which the next one may be dispatched at once.
    pub chain: Bit,
    /// Result bus.
    pub source: Source,
    /// Register that takes it.
    pub latch: Latch,
    /// Stack.
    pub stack: StackOp,
    /// ALU operands.
    pub alu: AluMode,
    /// Unit to start.
    pub unit: Unit,
    /// Gas.
    pub gas: GasOp,
    /// Field of the schedule.
    pub price: Price,
    /// Slot table.
    pub slot: SlotCmd,
    /// Its key from now on.
    pub slot_key: SlotKey,
    /// Value and flags.
    pub slot_mode: SlotMode,
    /// Pointers.
    pub pointers: Pointers,
    /// Mover.
    pub mover: Move,
    /// Write to the data space.
    pub store: Store,
    /// Where it reads and writes.
    pub space: Space,
    /// Completion.
    pub post: Post,
    /// Loop counter.
    pub count: Count,
    /// Jumps to the top (JUMP, or JUMPI with a second that is not zero).
    pub jump: Bit,
    /// Writes the result bus as a beat of the result.
    pub emit: Bit,
    /// Takes a beat of the message's accounts.
    pub take: Bit,
    /// Takes any beat.
    pub drain: Bit,
    /// The environment memory reads the blob hash of the top.
    pub blob: Bit,
    /// The environment memory reads word `code`, for the next step.
    pub env_read: Bit,
    /// The result bus is word `code` of the environment memory.
    pub env_write: Bit,
    /// Anything else.
    pub act: Act,
    /// Status, trap code, or index of a word.
    pub code: Bits<8>,
}
