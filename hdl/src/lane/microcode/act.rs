//! What a control word can do beside the fields that have a unit of their own.

// The derive of LogicState makes accessors without docs.
#![allow(missing_docs)]

use rust_hdl_core::prelude::*;

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
