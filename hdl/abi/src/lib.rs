//! The card's binary interface, defined once: registers, rings, messages, results, opcodes.
//!
//! `hdl` builds the card from these tables, `driver` and `host` speak them, and the reference page
//! `hdl/abi/REFERENCE.md` is generated from them (`gatewei-hdl docs`).
//!
//! **Byte order.** The card's unit is the *beat*: 32 bytes, the width of its AXI4 data bus. Numbers are
//! little-endian, so that a beat read as one 256-bit integer *is* the EVM word, and a field at byte
//! offset `o` is bits `8·o` and up. Byte strings (code, calldata, output, log data) lie in memory as
//! they are; the last beat of one is padded with zeros.
#![no_std]

extern crate alloc;

pub mod board;
pub mod command;
pub mod docs;
pub mod layout;
pub mod message;
pub mod opcode;
pub mod pci;
pub mod regs;
pub mod result;
pub mod serial;
pub mod status;

/// `"gwei"` read as a big-endian number: the identity that opening a card checks first.
pub const MAGIC: u32 = 0x6777_6569;
/// Version of everything in this crate. A card with another one is refused.
pub const ABI_VERSION: u32 = 7;

/// Bytes in a beat: the width of the card's data bus and of an EVM word.
pub const BEAT: usize = 32;

/// A 256-bit word as it lies in host memory (little-endian).
pub type Word = [u8; BEAT];

/// A word from a number.
pub const fn word(value: u64) -> Word {
    let mut out = [0; BEAT];
    let bytes = value.to_le_bytes();
    let mut i = 0;
    while i < 8 {
        out[i] = bytes[i];
        i += 1;
    }
    out
}

/// A word from a 20-byte address, as the `ADDRESS` opcode would push it.
pub const fn word_of_address(address: &[u8; 20]) -> Word {
    let mut out = [0; BEAT];
    let mut i = 0;
    while i < 20 {
        out[i] = address[19 - i];
        i += 1;
    }
    out
}
