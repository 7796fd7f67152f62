//! How a message ends: in an EVM status, or in a trap that sends it back to the CPU.

macro_rules! codes {
    ($(#[$m:meta])* $name:ident { $($variant:ident = $value:literal, $text:literal, $doc:literal;)* }) => {
        $(#[$m])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $( #[doc = $doc] $variant = $value, )* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$( Self::$variant, )*];

            /// The variant with this code.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $( $value => Some(Self::$variant), )* _ => None }
            }

            /// Name in statistics and JSON.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $text, )* }
            }

            /// What it means.
            pub const fn doc(self) -> &'static str {
                match self { $( Self::$variant => $doc, )* }
            }
        }
    };
}

codes! {
    /// How the frame ended (the Yellow Paper's exceptional halts, with revm's finer reasons).
    Status {
        Stop = 1, "stop", "STOP, or the end of the code.";
        Return = 2, "return", "RETURN.";
        Revert = 3, "revert", "REVERT.";
        SelfDestruct = 4, "selfdestruct", "SELFDESTRUCT.";
        OutOfGas = 16, "out_of_gas", "Not enough gas for an opcode.";
        MemoryOutOfGas = 17, "memory_out_of_gas", "Not enough gas to expand memory.";
        InvalidOperand = 18, "invalid_operand", "An offset or length of 2^64 or more.";
        ReentrancySentry = 19, "reentrancy_sentry", "SSTORE with no more gas than the call stipend (EIP-2200).";
        OpcodeNotFound = 20, "opcode_not_found", "Undefined opcode.";
        InvalidOpcode = 21, "invalid_opcode", "INVALID (0xfe).";
        NotActivated = 22, "not_activated", "An opcode of a later fork.";
        InvalidJump = 23, "invalid_jump", "A jump to something that is no JUMPDEST.";
        StackUnderflow = 24, "stack_underflow", "Too few words on the stack.";
        StackOverflow = 25, "stack_overflow", "More than 1,024 words on the stack.";
        StaticViolation = 26, "static_violation", "A state change in a static frame.";
        OutOfOffset = 27, "out_of_offset", "RETURNDATACOPY beyond the return data.";
        InitCodeSize = 29, "init_code_size", "Init code of more than 49,152 bytes (EIP-3860).";
        StaticCallValue = 28, "static_call_value", "A CALL with value in a static frame.";
    }
}

impl Status {
    /// True for the exceptional halts: all gas is consumed and there is no output.
    pub const fn is_halt(self) -> bool {
        self as u8 >= 16
    }
}

codes! {
    /// Why the lane gave a message back. None of its effects count.
    Trap {
        Opcode = 1, "opcode", "An opcode that the lane leaves to the CPU; the tag names it.";
        Memory = 2, "memory_limit", "EVM memory beyond the lane's.";
        Slots = 3, "slot_table_full", "More distinct slots than the slot table holds.";
        Result = 4, "result_full", "Logs, slots and output beyond the result buffer.";
        Code = 5, "code_too_long", "Code longer than the code memory.";
        Calldata = 6, "calldata_too_long", "Calldata longer than the calldata memory.";
        Message = 7, "bad_message", "A malformed message.";
        Host = 8, "host_failed", "The host could not answer a request.";
        Cancelled = 9, "cancelled", "The host cancelled the message.";
        Dma = 10, "dma_error", "A DMA read or write of the message failed.";
        Queue = 11, "lane_queue_full", "The lane's queue was full when the message came.";
        Stack = 12, "stack_window", "Stacks of all open frames beyond the lane's stack memory.";
        Delegation = 13, "delegation", "An account that delegates to one that delegates, or EXTCODECOPY of one that delegates (EIP-7702).";
        Journal = 14, "journal_full", "More changes to take back than the journal holds.";
    }
}
