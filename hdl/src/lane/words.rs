//! Words as 32 bytes: rotated, reversed, spread over banks.

// The derive of LogicStruct makes accessors without docs.
#![allow(missing_docs)]

use rust_hdl_core::prelude::*;
use seq_macro::seq;

seq!(N in 0..32 {
    /// A word by bank: `b31` is the most significant byte and bank 0.
    #[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
    pub struct Banks { #( pub b~N: Bits<8>, )* }
});

/// Calls a macro with a line for each bank: the field of [`Banks`], the bank's number, and the bit at which its
/// byte lies in a word in EVM order (first byte most significant) and in a beat (first byte least
/// significant). The kernel language cannot compute a field's name.
macro_rules! each_bank {
    ($go:ident) => {
        $go!(
            b31 0 248 0,
            b30 1 240 8,
            b29 2 232 16,
            b28 3 224 24,
            b27 4 216 32,
            b26 5 208 40,
            b25 6 200 48,
            b24 7 192 56,
            b23 8 184 64,
            b22 9 176 72,
            b21 10 168 80,
            b20 11 160 88,
            b19 12 152 96,
            b18 13 144 104,
            b17 14 136 112,
            b16 15 128 120,
            b15 16 120 128,
            b14 17 112 136,
            b13 18 104 144,
            b12 19 96 152,
            b11 20 88 160,
            b10 21 80 168,
            b9 22 72 176,
            b8 23 64 184,
            b7 24 56 192,
            b6 25 48 200,
            b5 26 40 208,
            b4 27 32 216,
            b3 28 24 224,
            b2 29 16 232,
            b1 30 8 240,
            b0 31 0 248,
        );
    };
}
pub(super) use each_bank;

/// Rotates a word by whole bytes, towards its most significant end.
#[derive(LogicBlock, Default)]
pub struct Rotate {
    /// Word.
    pub a: Signal<In, Bits<256>>,
    /// Bytes.
    pub by: Signal<In, Bits<5>>,
    /// The word rotated.
    pub y: Signal<Out, Bits<256>>,
    by1: Signal<Local, Bits<256>>,
    by2: Signal<Local, Bits<256>>,
    by4: Signal<Local, Bits<256>>,
    by8: Signal<Local, Bits<256>>,
}

impl Logic for Rotate {
    #[hdl_gen]
    fn update(&mut self) {
        self.by1.next = self.a.val();
        if self.by.val().get_bit(0) {
            self.by1.next = (self.a.val() << 8) | (self.a.val() >> 248);
        }
        self.by2.next = self.by1.val();
        if self.by.val().get_bit(1) {
            self.by2.next = (self.by1.val() << 16) | (self.by1.val() >> 240);
        }
        self.by4.next = self.by2.val();
        if self.by.val().get_bit(2) {
            self.by4.next = (self.by2.val() << 32) | (self.by2.val() >> 224);
        }
        self.by8.next = self.by4.val();
        if self.by.val().get_bit(3) {
            self.by8.next = (self.by4.val() << 64) | (self.by4.val() >> 192);
        }
        self.y.next = self.by8.val();
        if self.by.val().get_bit(4) {
            self.y.next = (self.by8.val() << 128) | (self.by8.val() >> 128);
        }
    }
}

/// Ones in the first bytes of a word, zeros behind: cheaper than a shift of 256 ones, by far.
#[derive(LogicBlock, Default)]
pub struct FirstBytes {
    /// How many bytes, 0 to 32.
    pub count: Signal<In, Bits<6>>,
    /// The mask.
    pub mask: Signal<Out, Bits<256>>,
    ones: Signal<Local, Bits<32>>,
    bits: Signal<Local, Bits<32>>,
    all: Signal<Local, Bits<8>>,
    none: Signal<Local, Bits<8>>,
    spread: Signal<Local, Banks>,
}

macro_rules! first_bytes_logic { ($($field:ident $bank:tt $low:tt $first:tt,)*) => {
impl Logic for FirstBytes {
    #[hdl_gen]
    fn update(&mut self) {
        self.ones.next = 0xffff_ffff_u64.into();
        self.bits.next = !(self.ones.val() >> bit_cast::<32, 6>(self.count.val()));
        self.none.next = 0.into();
        self.all.next = 255.into();
        $(
            self.spread.next.$field = self.none.val();
            if self.bits.val().get_bit(31 - $bank) {
                self.spread.next.$field = self.all.val();
            }
        )*
        self.mask.next = self.spread.val().into();
    }
}
}}
each_bank!(first_bytes_logic);

/// Reverses the bytes of a word: a beat of a byte string as an EVM word, and back.
#[derive(LogicBlock, Default)]
pub struct Reverse {
    /// Word.
    pub a: Signal<In, Bits<256>>,
    /// Its bytes in the opposite order.
    pub y: Signal<Out, Bits<256>>,
    turned: Signal<Local, Banks>,
}

macro_rules! reverse_logic { ($($field:ident $bank:tt $low:tt $first:tt,)*) => {
impl Logic for Reverse {
    #[hdl_gen]
    fn update(&mut self) {
        $( self.turned.next.$field = self.a.val().get_bits::<8>($first); )*
        self.y.next = self.turned.val().into();
    }
}
}}
each_bank!(reverse_logic);
