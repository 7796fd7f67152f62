//! Byte order and padding of a 32-byte chunk.

use rust_hdl_core::prelude::*;
use seq_macro::seq;

use crate::arith::ByteLanes;

/// Combinational, and wires alone: the bytes of a word in the opposite order.
#[derive(LogicBlock)]
pub struct ByteReverse {
    /// The word.
    pub x: Signal<In, Bits<256>>,
    /// Its byte 31 is the word's byte 0.
    pub y: Signal<Out, Bits<256>>,

    byte: [Signal<Local, Bits<8>>; 32],
    reversed: Signal<Local, ByteLanes>,
}

impl Default for ByteReverse {
    fn default() -> Self {
        Self {
            x: Default::default(),
            y: Default::default(),
            byte: array_init::array_init(|_| Default::default()),
            reversed: Default::default(),
        }
    }
}

seq!(N in 0..32 {
impl Logic for ByteReverse {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..32 {
            self.byte[i].next = self.x.val().get_bits::<8>(248 - i * 8);
        }
        #( self.reversed.next.b~N = self.byte[N].val(); )*
        self.y.next = self.reversed.val().into();
    }
}
});

/// Combinational: a chunk cut at its end, with the first byte of the padding after it, as four lanes of the sponge.
#[derive(LogicBlock)]
pub struct ChunkPad {
    /// The chunk, its first byte at bits 255 to 248.
    pub data: Signal<In, Bits<256>>,
    /// How many of its bytes count, 0 to 32; after them come 0x01 and zeros. After 32 nothing comes.
    pub count: Signal<In, Bits<6>>,
    /// The chunk's bytes, the first one lowest.
    pub lanes: Signal<Out, Bits<256>>,

    ordered: ByteReverse,
    byte: [Signal<Local, Bits<8>>; 32],
    padded: Signal<Local, ByteLanes>,
    index: [Constant<Bits<6>>; 32],
}

impl Default for ChunkPad {
    fn default() -> Self {
        Self {
            data: Default::default(),
            count: Default::default(),
            lanes: Default::default(),
            ordered: Default::default(),
            byte: array_init::array_init(|_| Default::default()),
            padded: Default::default(),
            index: array_init::array_init(|i| Constant::new((i as u64).into())),
        }
    }
}

seq!(N in 0..32 {
impl Logic for ChunkPad {
    #[hdl_gen]
    fn update(&mut self) {
        self.ordered.x.next = self.data.val();
        for i in 0..32 {
            self.byte[i].next = 0.into();
            if self.index[i].val() < self.count.val() {
                self.byte[i].next = self.ordered.y.val().get_bits::<8>(i * 8);
            }
            if self.index[i].val() == self.count.val() {
                self.byte[i].next = 1.into();
            }
        }
        #( self.padded.next.b~N = self.byte[N].val(); )*
        self.lanes.next = self.padded.val().into();
    }
}
});
