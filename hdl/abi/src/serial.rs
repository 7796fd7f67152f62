//! The serial link of boards without PCIe: frames on a UART that carry the same registers and the same
//! accesses to host memory.
//!
//! A frame is a packet of RFC 1662 (HDLC-like framing): [`FLAG`] on both sides, [`ESCAPE`] before bytes that are
//! flags or escapes, and the 32-bit frame check sequence in its last four bytes, least significant first. What
//! does not check is dropped, and every flag begins anew: that is how the two sides find each other again.
//!
//! Inside is a [`kind`], a sequence number, and what the kind asks for, little-endian:
//!
//! | from | kind | behind the number | answered by |
//! |---|---|---|---|
//! | host | [`READ`](kind::READ) | register offset (2 bytes) | `VALUE` |
//! | host | [`WRITE`](kind::WRITE) | register offset (2), value (4) | `VALUE` |
//! | host | [`RESET`](kind::RESET) | | `VALUE` |
//! | host | [`DATA`](kind::DATA) | beats (32 bytes each) | |
//! | host | [`DONE`](kind::DONE), [`FAULT`](kind::FAULT) | | |
//! | card | [`VALUE`](kind::VALUE) | value (4), zero for what is no read | |
//! | card | [`FETCH`](kind::FETCH) | bus address (8), beats (1) | `DATA`, `FAULT` |
//! | card | [`STORE`](kind::STORE) | bus address (8), byte strobes (4), a beat (32) | `DONE`, `FAULT` |
//! | card | [`INTERRUPT`](kind::INTERRUPT) | MSI-X vector (2) | |
//!
//! Each side asks one thing at a time, numbers what it asks, and asks again with the same number when no answer
//! comes; an answer has its question's number, and others are dropped. To do a thing twice does no harm: registers
//! are counts and levels, and the host does a `STORE` that it has done already no second time.

/// Begins and ends a frame.
pub const FLAG: u8 = 0x7e;
/// The next byte is the one sent, exclusive or [`ESCAPED`].
pub const ESCAPE: u8 = 0x7d;
/// What escaped bytes are altered by.
pub const ESCAPED: u8 = 0x20;

/// The frame check's polynomial, least significant bit first. The sequence starts from all ones, and its
/// complement is sent.
pub const CHECK_POLYNOMIAL: u32 = 0xedb8_8320;
/// What a frame that is whole leaves in the register, its own check included.
pub const CHECK_RESIDUE: u32 = 0xdebb_20e3;
/// Bytes of the frame check.
pub const CHECK_BYTES: usize = 4;

/// Bits per second of the boards that say nothing else. 8 data bits, no parity, 1 stop bit.
pub const BAUD: u32 = 1_000_000;
/// Most beats of a `FETCH`.
pub const BEATS: usize = 128;
/// Bytes of a kind and a sequence number.
pub const HEAD_BYTES: usize = 2;

/// What a frame is.
pub mod kind {
    /// Host: the value of a register.
    pub const READ: u8 = 0x01;
    /// Host: write a register.
    pub const WRITE: u8 = 0x02;
    /// Host: reset the card as power-on does, and drop what it has asked for.
    pub const RESET: u8 = 0x03;
    /// Host: the beats of a `FETCH`.
    pub const DATA: u8 = 0x04;
    /// Host: a `STORE` is in memory.
    pub const DONE: u8 = 0x05;
    /// Host: no such memory.
    pub const FAULT: u8 = 0x06;
    /// Card: a register's value, or that a write or a reset is done.
    pub const VALUE: u8 = 0x81;
    /// Card: read host memory.
    pub const FETCH: u8 = 0x82;
    /// Card: write a beat of host memory.
    pub const STORE: u8 = 0x83;
    /// Card: an interrupt. It may get lost, as interrupts do.
    pub const INTERRUPT: u8 = 0x84;
}

/// Bytes of a frame of this kind without its check; `DATA` by its `beats`, which others ignore. None where the
/// kind is unknown.
pub const fn length(kind: u8, beats: usize) -> Option<usize> {
    let body = match kind {
        kind::READ | kind::INTERRUPT => 2,
        kind::WRITE => 2 + 4,
        kind::RESET | kind::DONE | kind::FAULT => 0,
        kind::DATA => beats * crate::BEAT,
        kind::VALUE => 4,
        kind::FETCH => 8 + 1,
        kind::STORE => 8 + 4 + crate::BEAT,
        _ => return None,
    };
    Some(HEAD_BYTES + body)
}

/// The check register after one byte more.
pub const fn check(register: u32, byte: u8) -> u32 {
    let mut register = register ^ byte as u32;
    let mut bit = 0;
    while bit < 8 {
        register = (register >> 1)
            ^ if register & 1 == 1 {
                CHECK_POLYNOMIAL
            } else {
                0
            };
        bit += 1;
    }
    register
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_is_that_of_rfc_1662() {
        // The check value that catalogues of CRCs give for CRC-32/ISO-HDLC.
        let register = b"123456789".iter().fold(u32::MAX, |r, b| check(r, *b));
        assert_eq!(!register, 0xcbf4_3926);
        let whole = (!register).to_le_bytes();
        let residue = whole.iter().fold(register, |r, b| check(r, *b));
        assert_eq!(residue, CHECK_RESIDUE);
    }
}
