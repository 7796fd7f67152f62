//! The control word: one row of the microcode ROM, and the vocabulary of its fields.
//!
//! The datapath matches on these enums and the routines are written with them: one definition.

// The derive of LogicStruct makes accessors without docs.
#![allow(missing_docs)]

use gatewei_abi::layout;
use rust_hdl_core::prelude::*;

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
    /// The slot is in the table and was stored to; the account was touched.
    SlotWritten,
    /// The account is in the table and warm, or precompiled.
    AccountWarm,
    /// T is the address of a precompiled contract.
    Precompile,
    /// T is the address of RIPEMD-160.
    Ripemd,
    /// An inner frame executes.
    Inner,
    /// An inner frame executes, and the slot is not warm.
    InnerCold,
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
    /// The code word in U says: nonce or code.
    UAlive,
    /// The code word in U says: delegated.
    UDelegated,
    /// The code word in U says: no code.
    UCodeless,
    /// The account's head in U says: with balance.
    UBalance,
    /// The length operand is 2^64 or more.
    LengthBig,
    /// RETURNDATACOPY (second, third) goes beyond the return data.
    BeyondReturn,
    /// The call is a CALL.
    OpCall,
    /// The call is a CALLCODE.
    OpCallCode,
    /// The call is a DELEGATECALL.
    OpDelegate,
    /// The call is a CALL or a STATICCALL.
    OpAsCallee,
    /// The top is the value of a CALL, not zero, in a static frame.
    StaticValue,
    /// The call has a value.
    Transfers,
    /// So many frames wait that none may be called.
    TooDeep,
    /// The stacks have no room for a call.
    StackHigh,
    /// The frame ended with STOP or RETURN.
    Success,
    /// The journal is where it was when the frame was called.
    JournalMark,
    /// The journal is full.
    JournalFull,
    /// The account called is the one that calls.
    PeerIsSelf,
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
    /// The result buffer has no room for N bytes twice and a log's head.
    NoRoomTwice,
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
    /// All accounts of the message have been taken.
    AccountsDone,
    /// The accounts of the message were longer or shorter than it says.
    StateOdd,
    /// A beat stands, or none will come.
    BeatOrDry,
    /// No beat will come.
    Dry,
    /// The code word in U says: created by the transaction.
    UCreated,
    /// The code word in U says: destroyed by the transaction.
    UDestroyed,
    /// The word in U begins with 0xef (EIP-3541).
    UBeginsEf,
    /// The opcode is a CREATE2.
    OpSalted,
    /// Init code is limited and metered, and there is more of it than allowed.
    InitCodeBig,
    /// Init code is metered.
    InitCodeMetered,
    /// The second operand is more than a code may have.
    CodeBig,
    /// The second operand is zero.
    SecondZero,
    /// The frame executes init code of a CREATE or CREATE2.
    Creating,
    /// The current entry's value is the last nonce.
    NonceLast,
    /// The executing account goes with SELFDESTRUCT: the code word in U says created, or the fork says all.
    Destroys,
    /// The init code is longer than the lane runs.
    InitCodeLong,
    /// The answer in U says: the precompiled contract succeeded.
    UOk,
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
    /// Current entry's value − T.
    PresentSubT,
    /// Current entry's value + T.
    PresentAddT,
    /// Current entry's value < T.
    PresentLtT,
    /// Current entry's value + 1.
    PresentPlusOne,
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
    /// Return data to memory.
    ReturnMemory,
    /// Memory to return data.
    MemoryReturn,
    /// Beats to return data.
    BeatReturn,
    /// Zeros to memory.
    ZeroMemory,
    /// Zeros to calldata.
    ZeroCalldata,
    /// Beats to the environment memory.
    BeatEnv,
    /// Beats to calldata.
    BeatCalldata,
}

/// Writes to the data space, where [`Space`] says.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Store {
    /// None.
    None,
    /// The second word.
    Word,
    /// The second word's lowest byte.
    Byte,
    /// The result bus.
    Bus,
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
    /// The message's accounts come.
    FirstAccount,
    /// An account of the message is complete.
    AccountDone,
    /// The first frame's code and calldata.
    FirstFrame,
    /// The current entry is the account that others are about.
    Peer,
    /// The top is the gas that a call asks for.
    Grant,
    /// The top is the value of a call.
    Value,
    /// There is no value.
    NoValue,
    /// Top and second are a call's calldata.
    Arguments,
    /// Top and second are where its return data goes.
    Returns,
    /// As much as there is.
    GrantAll,
    /// None at all.
    GrantNone,
    /// Gas for the frame called: all but one 64th at most (EIP-150).
    Forward,
    /// And the stipend.
    Stipend,
    /// The frame called did not run: its gas comes back.
    Refill,
    /// Journal and logs stand where the frame called begins.
    Mark,
    /// The frame called is the current one.
    Enter,
    /// It executes from program counter 0.
    Begin,
    /// Code is that of the code word in U.
    LoadCode,
    /// Code is the init code that U tells; there is no calldata.
    LoadInit,
    /// The frame has ended: its caller is the current one.
    Leave,
    /// U is a word of the current frame's record.
    LoadBack,
    /// See `LoadBack`.
    LoadMachine,
    /// See `LoadBack`.
    LoadInput,
    /// The frame goes on behind its call.
    Resume,
    /// There is no return data.
    NoReturn,
    /// N bytes are returned.
    Returned,
    /// Starts reading the output that U tells, as the return data.
    ReadAnswer,
    /// The gas that U tells comes back.
    AnswerGas,
    /// An entry of the journal is complete.
    JournalNext,
    /// The journal is one entry shorter.
    JournalBack,
    /// Logs of the frame that ended are dropped.
    LogsBack,
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
    pub target: Bits<10>,
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
