//! The control word: one row of the microcode ROM, and the vocabulary of its fields.
//!
//! The datapath matches on these enums and the routines are written with them: one definition.

// The derive of LogicStruct makes accessors without docs.
#![allow(missing_docs)]

use rust_hdl_core::prelude::*;

pub use crate::lane::slots::SlotCmd;
pub use crate::lane::stack::StackOp;

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

/// Conditions.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Cond {
    /// Always.
    True,
    /// A command waits at the lane's port.
    Command,
    /// A beat of the host's stands at the DMA port.
    Beat,
    /// The mover rests.
    MoverIdle,
    /// The expansion unit is at work, refuses, or asks for more memory.
    ExpandSlow,
    /// The expansion unit is done.
    ExpandDone,
    /// An offset or length of 2^64 or more.
    ExpandInvalid,
    /// The expansion goes beyond the memory's segment.
    MemoryLimit,
    /// The slot table is ready.
    SlotReady,
    /// The slot is in the table.
    SlotHit,
    /// The slot is in the table and warm.
    SlotWarm,
    /// The slot is in the table and its value known.
    SlotKnown,
    /// The slot table is full.
    SlotFull,
    /// The host has answered (or the message is cancelled).
    Reply,
    /// The host could not answer.
    ReplyFailed,
    /// The message is cancelled.
    Cancelled,
    /// The completion port takes.
    CompletionReady,
    /// The write port takes.
    WriteReady,
    /// Every write has its response.
    WriteIdle,
    /// A DMA read or write failed.
    DmaError,
    /// The digest stands.
    Digest,
    /// The arithmetic unit is done.
    ArithDone,
    /// The shifter is done.
    ShiftDone,
    /// The ALU's result is not zero.
    AluTrue,
    /// U is zero.
    UZero,
    /// U is above 256.
    UAbove256,
    /// The length operand is 2^64 or more.
    LengthBig,
    /// Offset or length operand of RETURNDATACOPY is not zero.
    AnyReturnData,
    /// The 32 bytes at the top's offset lie in memory already, and have been read.
    WordRead,
    /// The 32 bytes at the top's offset lie in memory already, and on the chip.
    WordWritable,
    /// The byte at the top's offset lies in memory already, and on the chip.
    ByteWritable,
    /// What the data memory was asked for in the cycle before has been read.
    Readable,
    /// The pages at the top's offset are on the chip.
    Writable,
    /// The calldata at the top's offset has been read, or lies behind its end.
    CalldataRead,
    /// Too few words for the topics of a LOG.
    TopicsShort,
    /// The result buffer has no room for N bytes and a log's head.
    NoRoom,
    /// The counter is zero.
    CountZero,
    /// The counter has passed the slot table's last entry.
    CountEnd,
    /// The opcode has been read.
    Fetched,
    /// The message's code is open.
    CodeOpen,
    /// The message came without an address of its code.
    CodeMissing,
    /// The code is longer than the lane runs.
    CodeLong,
    /// The calldata is longer than its segment.
    CalldataLong,
    /// The message's header contradicts itself.
    BadMessage,
    /// Gas is no more than the call stipend.
    GasAtStipend,
    /// SSTORE: the new value is the present one.
    NewIsPresent,
    /// SSTORE: the present value is the original one.
    PresentIsOriginal,
    /// SSTORE: the original value is zero.
    OriginalZero,
    /// SSTORE: the present value is zero.
    PresentZero,
    /// SSTORE: the new value is zero.
    NewZero,
    /// SSTORE: the new value is the original one.
    NewIsOriginal,
    /// The balance is known.
    BalanceKnown,
    /// The top is the index of a blob hash.
    BlobInside,
}

/// What stands on the result bus.
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
    /// The message's code tag.
    CodeTag,
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
    /// T − top.
    TSubTop,
    /// T < top.
    TLtTop,
    /// top < second.
    TopLtSecond,
}

/// Starts of the multi-cycle units.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Unit {
    /// None.
    None,
    /// The arithmetic unit on top, second, third.
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
    /// Charges a field of the schedule.
    Charge,
    /// Adds a field of the schedule to the refund counter.
    Refund,
    /// Subtracts a field of the schedule from the refund counter.
    Unrefund,
}

/// Fields of the schedule, in the order of `gatewei_abi::message::Schedule`.
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
}

/// Where the flags and value of a slot command come from.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum SlotMode {
    /// `Find`: key = top. `Put`: marks used and warm.
    Touch,
    /// Transient key = top. `Put`: present = second.
    Transient,
    /// `Put`: present = second; used, warm, written.
    Store,
    /// `Put`/`Add` of an answer: original = present = U; known, used, warm. Key = top.
    Answer,
    /// `Add` from the message: key = T, value = beat; known, warm.
    MessageWarm,
    /// `Add` from the message: key = T, value = beat; known.
    MessageCold,
    /// `Add` from the message: key = T; warm.
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
    /// The memory that an expansion adds.
    Growth,
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
    /// Zeros to memory.
    ZeroMemory,
    /// Zeros to calldata.
    ZeroCalldata,
    /// Beats to the environment memory.
    BeatEnv,
    /// Beats to calldata.
    BeatCalldata,
}

/// Writes to EVM memory at the top's offset.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Store {
    /// None.
    None,
    /// The second word.
    Word,
    /// The second word's lowest byte.
    Byte,
}

/// Completions.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Post {
    /// None.
    None,
    /// Request of a storage slot.
    Storage,
    /// Request of the balance.
    Balance,
    /// Request of a block hash.
    BlockHash,
    /// Request of the code.
    Code,
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
    /// Warm slots of the message.
    Warm,
    /// Cold slots of the message.
    Cold,
    /// Named slots of the message.
    Named,
    /// Topics of the LOG.
    Topics,
}

/// What else a word can do.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Act {
    /// Nothing.
    None,
    /// Takes the command at the port and clears the frame.
    Accept,
    /// Starts reading the header.
    ReadHeader,
    /// Goes on reading: the rest of the message.
    ReadRest,
    /// The code store opens the message's code.
    CodeOpen,
    /// The code image lies where U says.
    CodeAddress,
    /// Memory has its new size.
    MemoryGrown,
    /// A log is complete.
    LogDone,
    /// The output starts here.
    MarkOutput,
    /// The slot records start here.
    MarkSlots,
    /// Writing starts again at the header.
    Rewind,
    /// The balance was read.
    BalanceUsed,
    /// U is the balance.
    BalanceFill,
    /// The frame ends with the status in `code`.
    Status,
    /// The message traps with the reason in `code`.
    TrapReason,
    /// The frame starts at program counter 0.
    Start,
    /// The message is over.
    Release,
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
    /// Target.
    pub target: Bits<9>,
    /// First word of an opcode: retires it, checks it, charges its static gas. Fires always.
    pub check: Bit,
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
    /// Its operands.
    pub slot_mode: SlotMode,
    /// Pointers.
    pub pointers: Pointers,
    /// Mover.
    pub mover: Move,
    /// Memory write.
    pub store: Store,
    /// Completion.
    pub post: Post,
    /// Loop counter.
    pub count: Count,
    /// Jumps to the top (JUMP, or JUMPI with a second that is not zero).
    pub jump: Bit,
    /// Writes the result bus as a beat of the result.
    pub emit: Bit,
    /// Takes a beat from the host.
    pub take: Bit,
    /// The environment memory reads the blob hash of the top.
    pub blob: Bit,
    /// Anything else.
    pub act: Act,
    /// Status or trap code.
    pub code: Bits<8>,
}
