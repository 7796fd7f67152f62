//! 64 KiB of byte-addressed memory that reads or writes any 32 consecutive bytes in one cycle.
//!
//! Thirty-two banks of one byte: bank `k` holds the addresses congruent to `k`, so that 32 consecutive
//! bytes never meet in a bank. A rotator brings them in order. Words are in EVM order: the byte at the
//! lowest address is the most significant.
//!
//! The memory consists of frames of 4 KiB: bytes behind the end of a frame are in the frame that the user
//! names, which need not be the one that follows.

// The derive of LogicStruct makes accessors without docs.
#![allow(missing_docs)]

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;
use seq_macro::seq;

use crate::prim::Ram;

seq!(N in 0..32 {
    /// A word by bank: `b31` is the most significant byte and bank 0.
    #[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
    pub struct Banks { #( pub b~N: Bits<8>, )* }
});

/// Byte memory: one read port (data a cycle after the address) and one write port.
#[derive(LogicBlock)]
pub struct ByteRam {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Address of the first byte read.
    pub raddr: Signal<In, Bits<16>>,
    /// Frame of the bytes behind the end of `raddr`'s frame.
    pub rnext: Signal<In, Bits<4>>,
    /// The 32 bytes from `raddr` on, a cycle later.
    pub rdata: Signal<Out, Bits<256>>,
    /// Write enable.
    pub we: Signal<In, Bit>,
    /// Address of the first byte written.
    pub waddr: Signal<In, Bits<16>>,
    /// Frame of the bytes behind the end of `waddr`'s frame.
    pub wnext: Signal<In, Bits<4>>,
    /// The bytes to write, first byte most significant.
    pub wdata: Signal<In, Bits<256>>,
    /// How many of them, 0 to 32.
    pub wcount: Signal<In, Bits<6>>,

    bank: [Ram<11, 8>; 32],
    index: [Constant<Bits<5>>; 31],
    rrow: Signal<Local, Bits<11>>,
    rbehind: Signal<Local, Bits<11>>,
    roff: Signal<Local, Bits<5>>,
    roff_q: DFF<Bits<5>>,
    gathered: Signal<Local, Banks>,
    rot0: Signal<Local, Bits<256>>,
    rot1: Signal<Local, Bits<256>>,
    rot2: Signal<Local, Bits<256>>,
    rot3: Signal<Local, Bits<256>>,
    rot4: Signal<Local, Bits<256>>,
    wrow: Signal<Local, Bits<11>>,
    wbehind: Signal<Local, Bits<11>>,
    woff: Signal<Local, Bits<5>>,
    wrot1: Signal<Local, Bits<256>>,
    wrot2: Signal<Local, Bits<256>>,
    wrot3: Signal<Local, Bits<256>>,
    wrot4: Signal<Local, Bits<256>>,
    wrot5: Signal<Local, Bits<256>>,
    scattered: Signal<Local, Bits<256>>,
    ones: Signal<Local, Bits<32>>,
    count: Signal<Local, Bits<32>>,
    mask: Signal<Local, Bits<32>>,
    mask1: Signal<Local, Bits<32>>,
    mask2: Signal<Local, Bits<32>>,
    mask3: Signal<Local, Bits<32>>,
    mask4: Signal<Local, Bits<32>>,
    mask5: Signal<Local, Bits<32>>,
}

impl Default for ByteRam {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            raddr: Default::default(),
            rnext: Default::default(),
            rdata: Default::default(),
            we: Default::default(),
            waddr: Default::default(),
            wnext: Default::default(),
            wdata: Default::default(),
            wcount: Default::default(),
            bank: array_init::array_init(|_| Default::default()),
            index: array_init::array_init(|i| Constant::new((i as u64).into())),
            rrow: Default::default(),
            rbehind: Default::default(),
            roff: Default::default(),
            roff_q: Default::default(),
            gathered: Default::default(),
            rot0: Default::default(),
            rot1: Default::default(),
            rot2: Default::default(),
            rot3: Default::default(),
            rot4: Default::default(),
            wrow: Default::default(),
            wbehind: Default::default(),
            woff: Default::default(),
            wrot1: Default::default(),
            wrot2: Default::default(),
            wrot3: Default::default(),
            wrot4: Default::default(),
            wrot5: Default::default(),
            scattered: Default::default(),
            ones: Default::default(),
            count: Default::default(),
            mask: Default::default(),
            mask1: Default::default(),
            mask2: Default::default(),
            mask3: Default::default(),
            mask4: Default::default(),
            mask5: Default::default(),
        }
    }
}

// Bank k holds byte (31 - k) of a struct that counts from the least significant byte; the pairs are
// listed because the kernel language cannot compute a field's name.
macro_rules! byte_ram_logic { ($($field:ident $bank:tt $low:tt,)*) => {
impl Logic for ByteRam {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, roff_q);
        // Read: banks before the offset hold bytes of the next row.
        self.rrow.next = self.raddr.val().get_bits::<11>(5);
        self.rbehind.next = self.rrow.val() + 1;
        if self.rrow.val().get_bits::<7>(0) == 127 {
            self.rbehind.next = bit_cast::<11, 4>(self.rnext.val()) << 7;
        }
        self.roff.next = self.raddr.val().get_bits::<5>(0);
        self.roff_q.d.next = self.roff.val();
        for i in 0..32 {
            self.bank[i].clock.next = self.clock.val();
            self.bank[i].raddr.next = self.rrow.val();
        }
        for i in 0..31 {
            if self.index[i].val() < self.roff.val() {
                self.bank[i].raddr.next = self.rbehind.val();
            }
        }
        $( self.gathered.next.$field = self.bank[$bank].rdata.val(); )*
        self.rot0.next = self.gathered.val().into();
        self.rot1.next = self.rot0.val();
        if self.roff_q.q.val().get_bit(0) {
            self.rot1.next = (self.rot0.val() << 8) | (self.rot0.val() >> 248);
        }
        self.rot2.next = self.rot1.val();
        if self.roff_q.q.val().get_bit(1) {
            self.rot2.next = (self.rot1.val() << 16) | (self.rot1.val() >> 240);
        }
        self.rot3.next = self.rot2.val();
        if self.roff_q.q.val().get_bit(2) {
            self.rot3.next = (self.rot2.val() << 32) | (self.rot2.val() >> 224);
        }
        self.rot4.next = self.rot3.val();
        if self.roff_q.q.val().get_bit(3) {
            self.rot4.next = (self.rot3.val() << 64) | (self.rot3.val() >> 192);
        }
        self.rdata.next = self.rot4.val();
        if self.roff_q.q.val().get_bit(4) {
            self.rdata.next = (self.rot4.val() << 128) | (self.rot4.val() >> 128);
        }
        // Write: the data and the byte enables rotate the other way.
        self.wrow.next = self.waddr.val().get_bits::<11>(5);
        self.wbehind.next = self.wrow.val() + 1;
        if self.wrow.val().get_bits::<7>(0) == 127 {
            self.wbehind.next = bit_cast::<11, 4>(self.wnext.val()) << 7;
        }
        self.woff.next = self.waddr.val().get_bits::<5>(0);
        self.wrot1.next = self.wdata.val();
        if self.woff.val().get_bit(0) {
            self.wrot1.next = (self.wdata.val() >> 8) | (self.wdata.val() << 248);
        }
        self.wrot2.next = self.wrot1.val();
        if self.woff.val().get_bit(1) {
            self.wrot2.next = (self.wrot1.val() >> 16) | (self.wrot1.val() << 240);
        }
        self.wrot3.next = self.wrot2.val();
        if self.woff.val().get_bit(2) {
            self.wrot3.next = (self.wrot2.val() >> 32) | (self.wrot2.val() << 224);
        }
        self.wrot4.next = self.wrot3.val();
        if self.woff.val().get_bit(3) {
            self.wrot4.next = (self.wrot3.val() >> 64) | (self.wrot3.val() << 192);
        }
        self.wrot5.next = self.wrot4.val();
        if self.woff.val().get_bit(4) {
            self.wrot5.next = (self.wrot4.val() >> 128) | (self.wrot4.val() << 128);
        }
        self.scattered.next = self.wrot5.val();
        self.ones.next = 0xffff_ffff_u64.into();
        self.count.next = bit_cast::<32, 6>(self.wcount.val());
        self.mask.next = !(self.ones.val() >> self.count.val());
        self.mask1.next = self.mask.val();
        if self.woff.val().get_bit(0) {
            self.mask1.next = (self.mask.val() >> 1) | (self.mask.val() << 31);
        }
        self.mask2.next = self.mask1.val();
        if self.woff.val().get_bit(1) {
            self.mask2.next = (self.mask1.val() >> 2) | (self.mask1.val() << 30);
        }
        self.mask3.next = self.mask2.val();
        if self.woff.val().get_bit(2) {
            self.mask3.next = (self.mask2.val() >> 4) | (self.mask2.val() << 28);
        }
        self.mask4.next = self.mask3.val();
        if self.woff.val().get_bit(3) {
            self.mask4.next = (self.mask3.val() >> 8) | (self.mask3.val() << 24);
        }
        self.mask5.next = self.mask4.val();
        if self.woff.val().get_bit(4) {
            self.mask5.next = (self.mask4.val() >> 16) | (self.mask4.val() << 16);
        }
        for i in 0..32 {
            self.bank[i].waddr.next = self.wrow.val();
        }
        for i in 0..31 {
            if self.index[i].val() < self.woff.val() {
                self.bank[i].waddr.next = self.wbehind.val();
            }
        }
        $(
            self.bank[$bank].wdata.next = self.scattered.val().get_bits::<8>($low);
            self.bank[$bank].we.next = self.we.val() & self.mask5.val().get_bit(31 - $bank);
        )*
    }
}
}}
byte_ram_logic!(
    b31 0 248,
    b30 1 240,
    b29 2 232,
    b28 3 224,
    b27 4 216,
    b26 5 208,
    b25 6 200,
    b24 7 192,
    b23 8 184,
    b22 9 176,
    b21 10 168,
    b20 11 160,
    b19 12 152,
    b18 13 144,
    b17 14 136,
    b16 15 128,
    b15 16 120,
    b14 17 112,
    b13 18 104,
    b12 19 96,
    b11 20 88,
    b10 21 80,
    b9 22 72,
    b8 23 64,
    b7 24 56,
    b6 25 48,
    b5 26 40,
    b4 27 32,
    b3 28 24,
    b2 29 16,
    b1 30 8,
    b0 31 0,
);

/// Reverses the bytes of a word: a beat of a byte string as an EVM word, and back.
#[derive(LogicBlock, Default)]
pub struct Reverse {
    /// Word.
    pub a: Signal<In, Bits<256>>,
    /// Its bytes in the opposite order.
    pub y: Signal<Out, Bits<256>>,
    turned: Signal<Local, Banks>,
}

macro_rules! reverse_logic { ($($field:ident $from:tt,)*) => {
impl Logic for Reverse {
    #[hdl_gen]
    fn update(&mut self) {
        $( self.turned.next.$field = self.a.val().get_bits::<8>($from); )*
        self.y.next = self.turned.val().into();
    }
}
}}
reverse_logic!(
    b0 248,
    b1 240,
    b2 232,
    b3 224,
    b4 216,
    b5 208,
    b6 200,
    b7 192,
    b8 184,
    b9 176,
    b10 168,
    b11 160,
    b12 152,
    b13 144,
    b14 136,
    b15 128,
    b16 120,
    b17 112,
    b18 104,
    b19 96,
    b20 88,
    b21 80,
    b22 72,
    b23 64,
    b24 56,
    b25 48,
    b26 40,
    b27 32,
    b28 24,
    b29 16,
    b30 8,
    b31 0,
);
