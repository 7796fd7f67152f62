//! The EXEC message: everything a frame's result depends on, but for the answers to its requests.
//!
//! Beats, in order:
//!
//! | part | beats |
//! |---|---|
//! | header: control, gas, fork table, environment | [`header::WORDS`] |
//! | blob hashes | `blobs` |
//! | predicted slots that start warm: key, value | 2 × `slots_warm` |
//! | predicted slots that start cold: key, value | 2 × `slots_cold` |
//! | warm slots without a value: key | `slots_named` |
//! | calldata | ⌈bytes / 32⌉ |
//!
//! The code image lies in a buffer of its own, so that messages share it. It consists of whole pages
//! of code, in groups of 256 bytes, each with a beat of JUMPDEST bits before it (bit `i` is byte `i` of the group);
//! zeros follow the code's end.

use alloc::vec;
use alloc::vec::Vec;

use crate::opcode::Fork;
use crate::{BEAT, Word, layout};

/// Words of the header. The lane's environment memory has the same indices.
pub mod header {
    /// Lengths and flags, see [`super::control`].
    pub const CONTROL: usize = 0;
    /// Gas limit, code address, code tag, spill area, see [`super::gas`].
    pub const GAS: usize = 1;
    /// Opcodes of the fork: bit `b` is opcode `b`.
    pub const OPCODES: usize = 2;
    /// Gas and refund constants of the fork, see [`super::Schedule`].
    pub const SCHEDULE: usize = 3;
    /// Executing account's address.
    pub const ADDRESS: usize = 4;
    /// Caller's address.
    pub const CALLER: usize = 5;
    /// Value of the call, wei.
    pub const CALLVALUE: usize = 6;
    /// Sender of the transaction.
    pub const ORIGIN: usize = 7;
    /// Effective gas price, wei.
    pub const GASPRICE: usize = 8;
    /// Fee recipient.
    pub const COINBASE: usize = 9;
    /// Unix time of the block, seconds.
    pub const TIMESTAMP: usize = 10;
    /// Block number.
    pub const NUMBER: usize = 11;
    /// Difficulty, or RANDAO from Paris on.
    pub const PREVRANDAO: usize = 12;
    /// Block gas limit.
    pub const GASLIMIT: usize = 13;
    /// Chain id.
    pub const CHAINID: usize = 14;
    /// Base fee, wei per gas.
    pub const BASEFEE: usize = 15;
    /// Blob base fee, wei per gas.
    pub const BLOBBASEFEE: usize = 16;
    /// Predicted balance of the executing account, wei (see [`super::flags::BALANCE`]).
    pub const BALANCE: usize = 17;
    /// Reserved: predicted nonce and code size of the executing account.
    pub const ACCOUNT: usize = 18;
    /// Reserved: predicted code hash of the executing account.
    pub const CODE_HASH: usize = 19;
    /// Words of the header.
    pub const WORDS: usize = 20;
}

/// Byte offsets of the 32-bit fields of [`header::CONTROL`].
pub mod control {
    /// Bytes of code.
    pub const CODE_BYTES: usize = 0;
    /// Bytes of calldata.
    pub const CALLDATA_BYTES: usize = 4;
    /// Predicted slots that start warm.
    pub const SLOTS_WARM: usize = 8;
    /// Predicted slots that start cold.
    pub const SLOTS_COLD: usize = 12;
    /// Warm slots without a value.
    pub const SLOTS_NAMED: usize = 16;
    /// Blob hashes.
    pub const BLOBS: usize = 20;
    /// [`super::flags`].
    pub const FLAGS: usize = 24;
}

/// Byte offsets of the 64-bit fields of [`header::GAS`].
pub mod gas {
    /// Gas limit of the frame.
    pub const LIMIT: usize = 0;
    /// Bus address of the code image; 0: the lane asks.
    pub const CODE: usize = 8;
    /// Tag of the code image: equal tags are equal code. 0 is never kept.
    pub const CODE_TAG: usize = 16;
    /// Bus address of the lane's spill area: [`crate::layout::SPILL_BYTES`] that no other lane uses.
    pub const SPILL: usize = 24;
}

/// Message flags.
pub mod flags {
    /// The frame is static: state changes halt.
    pub const STATIC: u32 = 1;
    /// [`super::header::BALANCE`] is predicted; else the lane asks.
    pub const BALANCE: u32 = 2;
}

/// Gas and refund constants of a fork, in the order of the eight 32-bit fields of
/// [`header::SCHEDULE`] (EIP-2200, EIP-2929, EIP-3529, EIP-160).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Schedule {
    /// SLOAD of a cold slot, beyond the opcode's static gas.
    pub sload_cold: u32,
    /// SSTORE, always.
    pub sstore_base: u32,
    /// SSTORE to a cold slot, in addition.
    pub sstore_cold: u32,
    /// SSTORE that makes an untouched zero slot non-zero, in addition; refunded when undone.
    pub sstore_set: u32,
    /// SSTORE that changes an untouched non-zero slot, in addition; refunded when undone.
    pub sstore_reset: u32,
    /// Refund for clearing a slot.
    pub clear_refund: u32,
    /// SSTORE needs more gas than this.
    pub stipend: u32,
    /// EXP, per byte of the exponent.
    pub exp_byte: u32,
}

impl Schedule {
    /// The constants of a fork. London to Osaka share them.
    pub const fn of(_fork: Fork) -> Self {
        Self {
            sload_cold: 2_000,
            sstore_base: 100,
            sstore_cold: 2_100,
            sstore_set: 19_900,
            sstore_reset: 2_800,
            clear_refund: 4_800,
            stipend: 2_300,
            exp_byte: 50,
        }
    }

    /// As the header word.
    pub fn word(self) -> Word {
        let fields = [
            self.sload_cold,
            self.sstore_base,
            self.sstore_cold,
            self.sstore_set,
            self.sstore_reset,
            self.clear_refund,
            self.stipend,
            self.exp_byte,
        ];
        let mut out = [0; BEAT];
        for (chunk, field) in out.chunks_exact_mut(4).zip(fields) {
            chunk.copy_from_slice(&field.to_le_bytes());
        }
        out
    }
}

/// A slot that the message predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Key.
    pub key: Word,
    /// Value at the frame's start.
    pub value: Word,
}

/// Why a message cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The code is longer than the lane's code memory; bytes.
    Code(usize),
    /// The calldata is longer than the lane's segment for it; bytes.
    Calldata(usize),
    /// More slots than the slot table holds.
    Slots(usize),
    /// More blob hashes than the environment memory holds.
    Blobs(usize),
}

/// A message before it is written.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// Environment words, by [`header`] index. The first four are written by [`Message::write`].
    pub env: [Word; header::WORDS],
    /// Fork.
    pub fork: Fork,
    /// Message flags.
    pub flags: u32,
    /// Gas limit of the frame.
    pub gas: u64,
    /// Bus address of the code image, or 0.
    pub code: u64,
    /// Tag of the code image.
    pub code_tag: u64,
    /// Bus address of the lane's spill area.
    pub spill: u64,
    /// Bytes of code.
    pub code_bytes: usize,
    /// Calldata.
    pub calldata: &'a [u8],
    /// Blob hashes, as words.
    pub blobs: &'a [Word],
    /// Predicted slots that start warm.
    pub slots_warm: &'a [Slot],
    /// Predicted slots that start cold.
    pub slots_cold: &'a [Slot],
    /// Warm slots without a value.
    pub slots_named: &'a [Word],
}

impl Message<'_> {
    /// The message as it lies in host memory.
    pub fn write(&self) -> Result<Vec<u8>, Unfit> {
        let slots = self.slots_warm.len() + self.slots_cold.len() + self.slots_named.len();
        if self.code_bytes > layout::CODE_BYTES {
            return Err(Unfit::Code(self.code_bytes));
        }
        if self.calldata.len() > layout::CALLDATA_BYTES {
            return Err(Unfit::Calldata(self.calldata.len()));
        }
        if slots > layout::SLOTS {
            return Err(Unfit::Slots(slots));
        }
        if self.blobs.len() > layout::ENV_WORDS - header::WORDS {
            return Err(Unfit::Blobs(self.blobs.len()));
        }
        let mut env = self.env;
        let fields = [
            self.code_bytes as u32,
            self.calldata.len() as u32,
            self.slots_warm.len() as u32,
            self.slots_cold.len() as u32,
            self.slots_named.len() as u32,
            self.blobs.len() as u32,
            self.flags,
            crate::ABI_VERSION,
        ];
        for (chunk, field) in env[header::CONTROL].chunks_exact_mut(4).zip(fields) {
            chunk.copy_from_slice(&field.to_le_bytes());
        }
        for (chunk, field) in env[header::GAS].chunks_exact_mut(8).zip([
            self.gas,
            self.code,
            self.code_tag,
            self.spill,
        ]) {
            chunk.copy_from_slice(&field.to_le_bytes());
        }
        env[header::OPCODES] = self.fork.opcodes();
        env[header::SCHEDULE] = Schedule::of(self.fork).word();

        let mut out = Vec::with_capacity(
            BEAT * (header::WORDS + self.blobs.len() + 2 * slots) + self.calldata.len() + BEAT,
        );
        for word in env.iter().chain(self.blobs) {
            out.extend_from_slice(word);
        }
        for slot in self.slots_warm.iter().chain(self.slots_cold) {
            out.extend_from_slice(&slot.key);
            out.extend_from_slice(&slot.value);
        }
        for key in self.slots_named {
            out.extend_from_slice(key);
        }
        out.extend_from_slice(self.calldata);
        out.resize(out.len().next_multiple_of(BEAT), 0);
        Ok(out)
    }
}

/// The code image of `code`, whose jump destinations are `is_jumpdest(offset)`.
pub fn code_image(code: &[u8], is_jumpdest: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut out = vec![0; code_image_bytes(code.len())];
    let groups = out.chunks_exact_mut(BEAT + layout::CODE_GROUP);
    let parts = code.chunks(layout::CODE_GROUP).enumerate();
    for (group, (index, part)) in groups.zip(parts) {
        let (marks, rows) = group.split_at_mut(BEAT);
        rows[..part.len()].copy_from_slice(part);
        let first = index * layout::CODE_GROUP;
        for at in (0..part.len()).filter(|at| is_jumpdest(first + at)) {
            marks[at / 8] |= 1 << (at % 8);
        }
    }
    out
}

/// Bytes of the image of so much code: whole pages.
pub const fn code_image_bytes(code_bytes: usize) -> usize {
    (code_bytes + layout::CODE_BEHIND).div_ceil(layout::PAGE_BYTES) * layout::CODE_PAGE_BEATS * BEAT
}

/// The code of an image, and which of its bytes are jump destinations: what a card sees.
pub fn code_of_image(image: &[u8], code_bytes: usize) -> (Vec<u8>, Vec<bool>) {
    let groups = image.chunks_exact(BEAT + layout::CODE_GROUP);
    let (mut code, mut jumpdests) = (Vec::new(), Vec::new());
    for (marks, rows) in groups.map(|group| group.split_at(BEAT)) {
        code.extend_from_slice(rows);
        jumpdests.extend((0..rows.len()).map(|at| marks[at / 8] >> (at % 8) & 1 == 1));
    }
    code.truncate(code_bytes);
    jumpdests.truncate(code_bytes);
    (code, jumpdests)
}
