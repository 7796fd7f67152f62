//! What a control word may wait for, or branch on.

// The derive of LogicState makes accessors without docs.
#![allow(missing_docs)]

use rust_hdl_core::prelude::*;

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
    /// An offset or length of 2^64 or more, or an expansion beyond the memory's segment.
    ExpandOdd,
    /// The slot table is ready.
    SlotReady,
    /// The slot is being found: known, warm, and used before.
    SlotHot,
    /// The slot is in the table: known, warm, and used before.
    SlotUsed,
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
    /// The top is negative.
    TopNegative,
    /// The opcode is SMOD.
    OpRemainder,
    /// The ALU's result is not zero.
    AluTrue,
    /// U, which is the top less a block's number, is −1 to −256: the top is the number of one of its ancestors.
    Recent,
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

impl Cond {
    /// It takes more than a register and a gate or two to tell: it is worked out in one cycle and used in the next.
    /// The others are known at once, as they must be where a port's handshake is the condition.
    pub const fn is_wide(self) -> bool {
        !matches!(
            self,
            Self::True
                | Self::Command
                | Self::Beat
                | Self::BeatOrDry
                | Self::Dry
                | Self::MoverIdle
                | Self::SlotReady
                | Self::SlotHit
                | Self::Inner
                | Self::Reply
                | Self::ReplyFailed
                | Self::Cancelled
                | Self::CompletionReady
                | Self::WriteReady
                | Self::WriteIdle
                | Self::Digest
                | Self::ArithDone
                | Self::ShiftDone
                | Self::TopNegative
                | Self::UAlive
                | Self::UDelegated
                | Self::UBalance
                | Self::UCreated
                | Self::UDestroyed
                | Self::UOk
                | Self::Transfers
                | Self::Readable
                | Self::Fetched
                | Self::CodeOpen
                | Self::CountZero
                | Self::Creating
                | Self::JournalFull
        )
    }
}
