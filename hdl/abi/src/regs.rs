//! The register table (AXI4-Lite, 32-bit registers, 4 KiB of address space).
//!
//! One list makes the constants, the register file in hardware and the reference page.

/// Who may write a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    Ro,
    /// Read and write.
    Rw,
    /// Writing is the event (a doorbell); reading gives the last value.
    Doorbell,
}

/// One register of a block.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// Name, as in the constants below.
    pub name: &'static str,
    /// Byte offset inside its block.
    pub offset: u32,
    /// Access.
    pub access: Access,
    /// What it holds.
    pub doc: &'static str,
}

macro_rules! registers {
    ($(#[$m:meta])* $table:ident { $($name:ident = $offset:literal, $access:ident, $doc:literal;)* }) => {
        $( #[doc = $doc] pub const $name: u32 = $offset; )*
        $(#[$m])*
        pub const $table: &[Register] = &[
            $( Register { name: stringify!($name), offset: $offset, access: Access::$access, doc: $doc }, )*
        ];
    };
}

/// Identity, control and global counters.
pub mod card {
    use super::{Access, Register};
    registers! {
        /// Registers of the card block, at [`super::CARD`].
        TABLE {
            MAGIC = 0x00, Ro, "Identity: [`crate::MAGIC`].";
            VERSION = 0x04, Ro, "ABI version: [`crate::ABI_VERSION`].";
            CAPS = 0x08, Ro, "Bits 7:0 lanes, 15:8 Keccak engines, 23:16 messages that queue in front of a lane, 31:24 queue pairs.";
            CLOCK_KHZ = 0x0c, Ro, "Clock of the lanes in kHz.";
            CONTROL = 0x10, Rw, "Bit 0 enable (queues run), bit 1 reset (holds lanes and queues in reset while 1).";
            STATUS = 0x14, Ro, "Bit 0 enabled, bit 1 in reset, bit 2 a queue error is latched, bit 3 DMA outstanding.";
            CYCLES_LO = 0x18, Ro, "Heartbeat: clock cycles since power-on, low half. Reading it latches CYCLES_HI.";
            CYCLES_HI = 0x1c, Ro, "Heartbeat, high half, as latched by the last read of CYCLES_LO.";
            SCRATCH = 0x20, Rw, "Reads back what was written: a bus check.";
            DROPPED = 0x24, Ro, "Submissions dropped: unknown opcode, lane out of range, or a reply nobody awaited.";
            BOARD = 0x28, Ro, "Bits 15:0 the board ([`crate::board`]), bit 31 built from a changed checkout.";
            COMMIT = 0x2c, Ro, "First 32 bits of the git commit that it was built from; 0 where nobody says.";
            BUILT = 0x30, Ro, "When that commit was made, seconds since 1970; 0 where nobody says.";
            SLOTS = 0x34, Ro, "Entries of a lane's slot table, at most [`crate::layout::SLOTS`].";
        }
    }
}

/// One queue pair.
pub mod queue {
    use super::{Access, Register};
    registers! {
        /// Registers of a queue pair's block, at [`super::queue_base`].
        TABLE {
            SQ_BASE_LO = 0x00, Rw, "Submission ring, bus address, low half (64-byte aligned).";
            SQ_BASE_HI = 0x04, Rw, "Submission ring, bus address, high half.";
            CQ_BASE_LO = 0x08, Rw, "Completion ring, bus address, low half (64-byte aligned).";
            CQ_BASE_HI = 0x0c, Rw, "Completion ring, bus address, high half.";
            SIZE = 0x10, Rw, "Bits 3:0 log2 of the entries of both rings (1 to 12).";
            SQ_TAIL = 0x14, Doorbell, "Submission tail: free-running count of submissions made, modulo 2^16.";
            CQ_HEAD = 0x18, Doorbell, "Completion head: free-running count of completions consumed, modulo 2^16.";
            SQ_HEAD = 0x1c, Ro, "Submissions fetched, modulo 2^16.";
            CQ_TAIL = 0x20, Ro, "Completions written, modulo 2^16.";
            IRQ = 0x24, Rw, "Bits 15:0 MSI-X vector, bit 31 enable.";
            ERROR = 0x28, Ro, "Bit 0 a DMA read of the ring failed, bit 1 a DMA write failed. Cleared by reset.";
            COALESCE = 0x2c, Rw, "Bits 23:16 completions that share an interrupt (0 and 1: none do), bits 15:0 cycles that one awaits others.";
        }
    }
}

/// One lane's status and performance counters. Counters wrap at 2^32.
pub mod lane {
    use super::{Access, Register};
    registers! {
        /// Registers of a lane's block, at [`super::lane_base`].
        TABLE {
            STATUS = 0x00, Ro, "Bit 0 busy, bit 1 waiting for the host, bits 15:8 messages queued.";
            COMMAND = 0x04, Ro, "Command id of the running message.";
            PC = 0x08, Ro, "Program counter of the last retired opcode.";
            BUSY = 0x0c, Ro, "Cycles with a message.";
            RETIRED = 0x10, Ro, "Opcodes retired.";
            STALL_HOST = 0x14, Ro, "Cycles stalled for an answer of the host.";
            STALL_KECCAK = 0x18, Ro, "Cycles stalled for a Keccak engine.";
            STALL_DMA = 0x1c, Ro, "Cycles stalled for message loading or result writing.";
            STALL_ARITH = 0x20, Ro, "Cycles stalled for the multi-cycle arithmetic unit.";
            MESSAGES = 0x24, Ro, "Messages completed (done or trapped).";
        }
    }
}

/// Base of the card block.
pub const CARD: u32 = 0x000;
/// Base of the first queue pair's block.
pub const QUEUES: u32 = 0x100;
/// Distance between queue pair blocks.
pub const QUEUE_STRIDE: u32 = 0x40;
/// Base of the first lane's block.
pub const LANES: u32 = 0x400;
/// Distance between lane blocks.
pub const LANE_STRIDE: u32 = 0x40;
/// Bytes of register space.
pub const SPACE: u32 = 0x1000;

/// `CONTROL`: queues run.
pub const CONTROL_ENABLE: u32 = 1;
/// `CONTROL`: hold lanes and queues in reset.
pub const CONTROL_RESET: u32 = 2;
/// `IRQ`: interrupts enabled.
pub const IRQ_ENABLE: u32 = 1 << 31;
/// `BOARD`: built from a checkout with changes that no commit has.
pub const BOARD_CHANGED: u32 = 1 << 31;
/// `STATUS` of the card: queues run.
pub const STATUS_ENABLED: u32 = 1;
/// `STATUS` of the card: a queue error is latched.
pub const STATUS_QUEUE_ERROR: u32 = 1 << 2;
/// `STATUS` of the card: a read or a write is still outstanding.
pub const STATUS_DMA: u32 = 1 << 3;

/// Base of queue pair `q`'s block.
pub const fn queue_base(q: u32) -> u32 {
    QUEUES + q * QUEUE_STRIDE
}

/// Base of lane `l`'s block.
pub const fn lane_base(l: u32) -> u32 {
    LANES + l * LANE_STRIDE
}
