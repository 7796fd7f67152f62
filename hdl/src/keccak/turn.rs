//! Byte order: Keccak's lanes are little-endian, the EVM's words big-endian.

use rust_hdl_core::prelude::*;

/// Reverses the bytes of a 64-bit word.
#[derive(LogicBlock, Default)]
pub struct Reverse64 {
    /// Word.
    pub a: Signal<In, Bits<64>>,
    /// Its bytes in the opposite order.
    pub y: Signal<Out, Bits<64>>,
    pairs: Signal<Local, Bits<64>>,
    quads: Signal<Local, Bits<64>>,
}

impl Logic for Reverse64 {
    #[hdl_gen]
    fn update(&mut self) {
        // Swap neighbours, then pairs, then halves.
        self.pairs.next = ((self.a.val() << 8) & 0xff00_ff00_ff00_ff00_u64)
            | ((self.a.val() >> 8) & 0x00ff_00ff_00ff_00ff_u64);
        self.quads.next = ((self.pairs.val() << 16) & 0xffff_0000_ffff_0000_u64)
            | ((self.pairs.val() >> 16) & 0x0000_ffff_0000_ffff_u64);
        self.y.next = (self.quads.val() << 32) | (self.quads.val() >> 32);
    }
}
