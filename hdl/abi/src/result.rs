//! The result buffer, as the card leaves it before a `DONE` or `TRAP` completion.
//!
//! | part | place |
//! |---|---|
//! | header | [`HEADER_BEATS`] beats at 0 |
//! | logs | from the header's end to `logs_end`, one record each: [`LogHead`], the account's address, topics, data |
//! | output | `output_offset`, `output_bytes` |
//! | entries of the slot table | `slots_offset`, `slots` records of three beats: [`SlotHead`], key, value |
//!
//! A trap leaves a header alone (its counters; the rest is meaningless).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{BEAT, Word};

/// Beats of the header.
pub const HEADER_BEATS: usize = 4;
/// Bytes of the header.
pub const HEADER_BYTES: usize = HEADER_BEATS * BEAT;
/// Beats of a slot record.
pub const SLOT_BEATS: usize = 3;

/// Header of a result.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Header {
    /// Gas left, raw at the frame's end (meaningless after a halt).
    pub gas_left: u64,
    /// Refund counter, raw at the frame's end.
    pub refund: i64,
    /// Cycles from taking the message to its end.
    pub cycles: u64,
    /// Of those, cycles in which the lane awaited the host.
    pub wait_cycles: u64,
    /// Opcodes retired, the failing one included.
    pub retired: u32,
    /// EVM memory, in words.
    pub memory_words: u32,
    /// Logs.
    pub logs: u32,
    /// Where the logs end, in bytes.
    pub logs_end: u32,
    /// Slot records.
    pub slots: u32,
    /// Where the slot records start, in bytes.
    pub slots_offset: u32,
    /// Output, in bytes.
    pub output_bytes: u32,
    /// Where the output starts, in bytes.
    pub output_offset: u32,
    /// Requests made.
    pub requests: u32,
    /// Of the cycles, those in which the lane awaited a page of code or data.
    pub page_cycles: u32,
    /// Reserved, zero.
    pub reserved: [u32; 6],
    /// Reserved, zero.
    pub reserved_beat: Word,
}

/// First beat of a log record.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct LogHead {
    /// Bytes of data.
    pub data_bytes: u32,
    /// Topics, 0 to 4.
    pub topics: u32,
    /// Reserved, zero.
    pub reserved: [u32; 6],
}

/// First beat of a slot record. Records stand in the order of the message's entries, then of first touch.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct SlotHead {
    /// Bits of [`slot`], and above them, from [`slot::KIND`] on, the entry's [`kind`].
    pub flags: u32,
    /// The account that it belongs to, as the index of that account's record.
    pub account: u32,
    /// Reserved, zero.
    pub reserved: [u32; 6],
}

/// Bits of [`SlotHead::flags`].
pub mod slot {
    /// The execution accessed it: it belongs to the read set.
    pub const USED: u32 = 1;
    /// The execution stored to it (perhaps the value it had); an account was touched (EIP-161).
    pub const WRITTEN: u32 = 2;
    /// It is warm at the end.
    pub const WARM: u32 = 4;
    /// Its value is known: predicted or answered.
    pub const KNOWN: u32 = 8;
    /// Lowest bit of the entry's kind.
    pub const KIND: u32 = 4;
}

/// What an entry of the slot table is.
pub mod kind {
    /// A storage slot.
    pub const STORAGE: u32 = 0;
    /// A slot of transient storage (EIP-1153).
    pub const TRANSIENT: u32 = 1;
    /// An account: its key is the address, its value [`crate::message::code`].
    pub const ACCOUNT: u32 = 2;
    /// A field of an account: its key is a [`super::field`].
    pub const FIELD: u32 = 3;
}

/// Keys of the fields of an account.
pub mod field {
    /// Balance, wei.
    pub const BALANCE: u8 = 0;
    /// Hash of its code, also where the account is empty.
    pub const CODE_HASH: u8 = 1;
    /// Nonce.
    pub const NONCE: u8 = 2;
}

const _: () = assert!(size_of::<Header>() == HEADER_BYTES);
const _: () = assert!(size_of::<LogHead>() == BEAT && size_of::<SlotHead>() == BEAT);
