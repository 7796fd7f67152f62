//! The EXEC message: everything a transaction's frames depend on, but for the answers to their requests.
//!
//! Beats, in order:
//!
//! | part | beats |
//! |---|---|
//! | header: control, gas, fork table, environment | [`header::WORDS`] |
//! | blob hashes | `blobs` |
//! | accounts with their slots, the executing one first: see [`account`] | `state_beats` |
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
    /// Words of the header.
    pub const WORDS: usize = 17;
}

/// Byte offsets of the 32-bit fields of [`header::CONTROL`].
pub mod control {
    /// Bytes of code.
    pub const CODE_BYTES: usize = 0;
    /// Bytes of calldata.
    pub const CALLDATA_BYTES: usize = 4;
    /// Accounts, at least 1.
    pub const ACCOUNTS: usize = 8;
    /// Beats of the accounts with their slots.
    pub const STATE_BEATS: usize = 12;
    /// Precompiled contracts: addresses 1 to this.
    pub const PRECOMPILES: usize = 16;
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
    /// Address 0x100 is a precompiled contract (EIP-7951).
    pub const P256: u32 = 2;
    /// Init code is limited and metered (EIP-3860).
    pub const INIT_CODE: u32 = 4;
    /// SELFDESTRUCT destroys only what the transaction created (EIP-6780).
    pub const KEEP: u32 = 8;
}

/// The beats of an account: head, code word, balance if there is one, then the slots: those with a value
/// that start warm (key, value), those with a value that start cold (key, value), and warm ones without a
/// value (key). Here: byte offsets of the head's fields. The address is in its first 20 bytes.
pub mod account {
    /// Predicted slots that start warm, 16 bits.
    pub const SLOTS_WARM: usize = 20;
    /// Predicted slots that start cold, 16 bits.
    pub const SLOTS_COLD: usize = 22;
    /// Warm slots without a value, 16 bits.
    pub const SLOTS_NAMED: usize = 24;
    /// 8 bits: [`flag`].
    pub const FLAGS: usize = 26;

    /// Bits of [`FLAGS`]. `WARM` and `KNOWN` (of the code word) are those of [`crate::result::slot`].
    pub mod flag {
        pub use crate::result::slot::{KNOWN, WARM};
        /// The balance follows.
        pub const BALANCE: u32 = 16;
    }
}

/// The code word of an account: byte offsets of its fields.
pub mod code {
    /// Bus address of the code image, 64 bits. It stays until the message has ended.
    pub const IMAGE: usize = 0;
    /// Tag of the code image, 64 bits.
    pub const TAG: usize = 8;
    /// Bytes of code, 32 bits; 0: there is none, and no image.
    pub const BYTES: usize = 20;
    /// 32 bits: [`flag`].
    pub const FLAGS: usize = 24;
    /// 32 bits that are the host's own: it finds in a result which of its answers they are.
    pub const MARK: usize = 28;

    /// Bits of [`FLAGS`].
    pub mod flag {
        /// It has a nonce or code: the account is not empty, whatever its balance (EIP-161).
        pub const ALIVE: u32 = 1;
        /// Its code delegates (EIP-7702): bytes 0 to 19 are the address that it delegates to.
        pub const DELEGATED: u32 = 2;
        /// The transaction created it.
        pub const CREATED: u32 = 4;
        /// The transaction destroyed it: it is gone when the transaction ends.
        pub const DESTROYED: u32 = 8;
    }
}

/// Gas that does not depend on the fork, London to Osaka.
pub mod price {
    /// Access to a cold account, beyond the opcode's static gas (EIP-2929).
    pub const ACCOUNT_COLD: u64 = 2_500;
    /// A call with value (Yellow Paper, appendix G).
    pub const CALL_VALUE: u64 = 9_000;
    /// A call with value to an empty account (EIP-161).
    pub const NEW_ACCOUNT: u64 = 25_000;
    /// What the callee of a call with value is given.
    pub const STIPEND: u64 = 2_300;
    /// Access to a warm account: that to which another delegates (EIP-7702).
    pub const ACCOUNT_WARM: u64 = 100;
    /// A creation.
    pub const CREATE: u64 = 32_000;
    /// SELFDESTRUCT in favour of a cold account, beyond the opcode's static gas.
    pub const DESTROY_COLD: u64 = 2_600;
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

/// An account that the message tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Address, as a word.
    pub address: Word,
    /// It is warm.
    pub warm: bool,
    /// Its [`code`] word.
    pub code: Option<Word>,
    /// Its balance, wei.
    pub balance: Option<Word>,
    /// Predicted slots that start warm.
    pub slots_warm: Vec<Slot>,
    /// Predicted slots that start cold.
    pub slots_cold: Vec<Slot>,
    /// Warm slots without a value.
    pub slots_named: Vec<Word>,
}

impl Account {
    /// Entries of the slot table that it takes.
    pub fn entries(&self) -> usize {
        let slots = self.slots_warm.len() + self.slots_cold.len() + self.slots_named.len();
        1 + usize::from(self.balance.is_some()) + slots
    }

    fn write(&self, place: Option<(u64, u64)>, out: &mut Vec<u8>) {
        let mut head = self.address;
        let counts = [&self.slots_warm, &self.slots_cold].map(Vec::len);
        let counts = [counts[0], counts[1], self.slots_named.len()];
        let at = [
            account::SLOTS_WARM,
            account::SLOTS_COLD,
            account::SLOTS_NAMED,
        ];
        for (count, at) in counts.into_iter().zip(at) {
            head[at..at + 2].copy_from_slice(&(count as u16).to_le_bytes());
        }
        let flag = |set: bool, flag: u32| if set { flag as u8 } else { 0 };
        head[account::FLAGS] = flag(self.warm, account::flag::WARM)
            | flag(self.code.is_some(), account::flag::KNOWN)
            | flag(self.balance.is_some(), account::flag::BALANCE);
        out.extend_from_slice(&head);
        let code = self.code.unwrap_or_default();
        let code = place.map_or(code, |(image, tag)| with_image(code, image, tag));
        out.extend_from_slice(&code);
        if let Some(balance) = &self.balance {
            out.extend_from_slice(balance);
        }
        for slot in self.slots_warm.iter().chain(&self.slots_cold) {
            out.extend_from_slice(&slot.key);
            out.extend_from_slice(&slot.value);
        }
        for key in &self.slots_named {
            out.extend_from_slice(key);
        }
    }
}

/// A [`code`] word. Image and tag are the driver's to fill in.
pub fn code_word(bytes: usize, flags: u32) -> Word {
    let mut out = [0; BEAT];
    out[code::BYTES..code::BYTES + 4].copy_from_slice(&(bytes as u32).to_le_bytes());
    out[code::FLAGS..code::FLAGS + 4].copy_from_slice(&flags.to_le_bytes());
    out
}

/// The [`code`] word `word` with the place of its image.
pub fn with_image(mut word: Word, image: u64, tag: u64) -> Word {
    word[code::IMAGE..code::IMAGE + 8].copy_from_slice(&image.to_le_bytes());
    word[code::TAG..code::TAG + 8].copy_from_slice(&tag.to_le_bytes());
    word
}

/// Why a message cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The code is longer than the lane's code memory; bytes.
    Code(usize),
    /// The calldata is longer than the lane's segment for it; bytes.
    Calldata(usize),
    /// More accounts, fields and slots than the slot table holds.
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
    /// Highest address of a precompiled contract, but for [`flags::P256`].
    pub precompiles: u32,
    /// Accounts, the executing one first. No address and no key of an account stands twice.
    pub accounts: &'a [Account],
}

impl Message<'_> {
    /// The message as it lies in host memory. `places` are bus address and tag of the accounts' code images, one
    /// by one; accounts beyond their end have none. `slots` are the entries of the lane's slot table.
    pub fn write(&self, places: &[Option<(u64, u64)>], slots: usize) -> Result<Vec<u8>, Unfit> {
        if self.code_bytes > layout::CODE_BYTES {
            return Err(Unfit::Code(self.code_bytes));
        }
        if self.calldata.len() > layout::CALLDATA_BYTES {
            return Err(Unfit::Calldata(self.calldata.len()));
        }
        let entries = self.accounts.iter().map(Account::entries).sum();
        if entries > slots {
            return Err(Unfit::Slots(entries));
        }
        if self.blobs.len() > layout::ENV_WORDS - header::WORDS {
            return Err(Unfit::Blobs(self.blobs.len()));
        }
        let mut state = Vec::with_capacity(BEAT * 3 * entries);
        for (index, account) in self.accounts.iter().enumerate() {
            account.write(places.get(index).copied().flatten(), &mut state);
        }
        let mut env = self.env;
        let fields = [
            self.code_bytes as u32,
            self.calldata.len() as u32,
            self.accounts.len() as u32,
            (state.len() / BEAT) as u32,
            self.precompiles,
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

        let words = BEAT * (header::WORDS + self.blobs.len());
        let mut out = Vec::with_capacity(words + state.len() + self.calldata.len() + BEAT);
        for word in env.iter().chain(self.blobs) {
            out.extend_from_slice(word);
        }
        out.extend_from_slice(&state);
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
    (code_bytes + layout::CODE_BEHIND).div_ceil(layout::CODE_PAGE_BYTES)
        * layout::CODE_PAGE_BEATS
        * BEAT
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
