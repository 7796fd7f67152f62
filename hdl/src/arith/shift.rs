//! Shifts, byte selection, sign extension and leading zeros.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;
use seq_macro::seq;

use super::{BYTE, CLZ, SAR, SHL, SHR, SIGNEXTEND, block, code};

seq!(N in 0..32 {
    /// A word as bytes, `b0` the least significant.
    #[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
    pub struct ByteLanes { #( pub b~N: Bits<8>, )* }
});

/// Unit of BYTE SHL SHR SAR SIGNEXTEND CLZ: `done` follows `start` by one cycle; any other opcode gives 0.
///
/// Every operation but CLZ is a rotation to the right, a mask that keeps some low or some high bits, and a filling of
/// the rest with zeros or the sign. Whole bytes rotate in the cycle of `start`, single bits in that of `done`. A
/// `start` in every cycle is allowed.
#[derive(LogicBlock)]
pub struct Shift {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Takes the operands; they need not stay.
    pub start: Signal<In, Bit>,
    /// Opcode byte.
    pub op: Signal<In, Bits<8>>,
    /// Top of the stack: the amount or index; for CLZ the value.
    pub a: Signal<In, Bits<256>>,
    /// Second word of the stack: the value.
    pub b: Signal<In, Bits<256>>,
    /// One cycle, when `y` is valid.
    pub done: Signal<Out, Bit>,
    /// The result, until the next `start`.
    pub y: Signal<Out, Bits<256>>,

    amount: Signal<Local, Bits<8>>,
    too_far: Signal<Local, Bit>,
    no_byte: Signal<Local, Bit>,
    rotation: Signal<Local, Bits<8>>,
    count: Signal<Local, Bits<9>>,
    up: Signal<Local, Bit>,
    fill: Signal<Local, Bit>,
    sign_at: Signal<Local, Bits<8>>,
    rotate8: Signal<Local, Bits<256>>,
    rotate16: Signal<Local, Bits<256>>,
    rotate32: Signal<Local, Bits<256>>,
    rotate64: Signal<Local, Bits<256>>,
    rotate128: Signal<Local, Bits<256>>,
    // CLZ: which 32-bit group holds the highest one, and that group.
    group: [Signal<Local, Bits<32>>; 8],
    used: [Signal<Local, Bit>; 8],
    top: Signal<Local, Bits<3>>,
    upper: Signal<Local, Bits<2>>,
    lower: Signal<Local, Bits<2>>,

    done_q: DFF<Bit>,
    word_q: DFF<Bits<256>>,
    bits_q: DFF<Bits<3>>,
    count_q: DFF<Bits<9>>,
    up_q: DFF<Bit>,
    fill_q: DFF<Bit>,
    clz_q: DFF<Bit>,
    empty_q: DFF<Bit>,
    top_q: DFF<Bits<3>>,
    group_q: DFF<Bits<32>>,

    rotate1: Signal<Local, Bits<256>>,
    rotate2: Signal<Local, Bits<256>>,
    rotate4: Signal<Local, Bits<256>>,
    whole: Signal<Local, Bits<6>>,
    part: Signal<Local, Bits<8>>,
    byte_mask: [Signal<Local, Bits<8>>; 32],
    mask: Signal<Local, ByteLanes>,
    keep: Signal<Local, Bits<256>>,
    rest: Signal<Local, Bits<256>>,
    half: Signal<Local, Bits<16>>,
    octet: Signal<Local, Bits<8>>,
    nibble: Signal<Local, Bits<4>>,
    pair: Signal<Local, Bits<2>>,
    zeros: Signal<Local, Bits<5>>,
    leading: Signal<Local, Bits<9>>,

    index: [Constant<Bits<6>>; 32],
    op_byte: Constant<Bits<8>>,
    op_shl: Constant<Bits<8>>,
    op_shr: Constant<Bits<8>>,
    op_sar: Constant<Bits<8>>,
    op_signextend: Constant<Bits<8>>,
    op_clz: Constant<Bits<8>>,
}

impl Default for Shift {
    fn default() -> Self {
        block! {
            group: array_init::array_init(|_| Default::default()),
            used: array_init::array_init(|_| Default::default()),
            byte_mask: array_init::array_init(|_| Default::default()),
            index: array_init::array_init(|i| Constant::new((i as u64).into())),
            op_byte: code(BYTE), op_shl: code(SHL), op_shr: code(SHR), op_sar: code(SAR),
            op_signextend: code(SIGNEXTEND), op_clz: code(CLZ),
            ; clock start op a b done y amount too_far no_byte rotation count up fill sign_at rotate8 rotate16 rotate32
            rotate64 rotate128 top upper lower done_q word_q bits_q count_q up_q fill_q clz_q empty_q top_q group_q
            rotate1 rotate2 rotate4 whole part mask keep rest half octet nibble pair zeros leading
        }
    }
}

seq!(N in 0..32 {
impl Logic for Shift {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, done_q, word_q, bits_q, count_q, up_q, fill_q, clz_q, empty_q, top_q, group_q);

        // What each opcode asks for: a rotation, how many bits it keeps, at which end, and the filling.
        self.amount.next = self.a.val().get_bits::<8>(0);
        self.too_far.next = self.a.val().get_bits::<248>(8).any();
        self.no_byte.next = self.a.val().get_bits::<251>(5).any();
        self.sign_at.next = (self.amount.val() << 3) | 7;
        self.rotation.next = 0.into();
        self.count.next = 0.into();
        self.up.next = false;
        self.fill.next = false;
        if self.op.val() == self.op_shl.val() {
            self.rotation.next = !self.amount.val() + 1;
            self.up.next = true;
            self.count.next = bit_cast::<9, 8>(self.amount.val());
            if self.too_far.val() {
                self.count.next = 256.into();
            }
        }
        if (self.op.val() == self.op_shr.val()) || (self.op.val() == self.op_sar.val()) {
            self.rotation.next = self.amount.val();
            self.fill.next = (self.op.val() == self.op_sar.val()) && self.b.val().get_bit(255);
            if !self.too_far.val() {
                self.count.next = 256 - bit_cast::<9, 8>(self.amount.val());
            }
        }
        if self.op.val() == self.op_byte.val() {
            self.rotation.next = !self.amount.val() << 3;
            if !self.no_byte.val() {
                self.count.next = 8.into();
            }
        }
        if self.op.val() == self.op_signextend.val() {
            self.count.next = 256.into();
            if !self.no_byte.val() {
                self.fill.next = self.b.val().get_bit(self.sign_at.val().index());
                self.count.next = bit_cast::<9, 8>(self.sign_at.val()) + 1;
            }
        }

        // Rotation by whole bytes.
        self.rotate8.next = self.b.val();
        if self.rotation.val().get_bit(3) {
            self.rotate8.next = (self.b.val() >> 8) | (self.b.val() << 248);
        }
        self.rotate16.next = self.rotate8.val();
        if self.rotation.val().get_bit(4) {
            self.rotate16.next = (self.rotate8.val() >> 16) | (self.rotate8.val() << 240);
        }
        self.rotate32.next = self.rotate16.val();
        if self.rotation.val().get_bit(5) {
            self.rotate32.next = (self.rotate16.val() >> 32) | (self.rotate16.val() << 224);
        }
        self.rotate64.next = self.rotate32.val();
        if self.rotation.val().get_bit(6) {
            self.rotate64.next = (self.rotate32.val() >> 64) | (self.rotate32.val() << 192);
        }
        self.rotate128.next = self.rotate64.val();
        if self.rotation.val().get_bit(7) {
            self.rotate128.next = (self.rotate64.val() >> 128) | (self.rotate64.val() << 128);
        }

        // The highest group that is not zero.
        for i in 0..8 {
            self.group[i].next = self.a.val().get_bits::<32>(i * 32);
            self.used[i].next = self.group[i].val().any();
        }
        self.upper.next = 0.into();
        if self.used[7].val() {
            self.upper.next = 3.into();
        } else if self.used[6].val() {
            self.upper.next = 2.into();
        } else if self.used[5].val() {
            self.upper.next = 1.into();
        }
        self.lower.next = 0.into();
        if self.used[3].val() {
            self.lower.next = 3.into();
        } else if self.used[2].val() {
            self.lower.next = 2.into();
        } else if self.used[1].val() {
            self.lower.next = 1.into();
        }
        self.top.next = bit_cast::<3, 2>(self.lower.val());
        if self.used[7].val() || self.used[6].val() || self.used[5].val() || self.used[4].val() {
            self.top.next = bit_cast::<3, 2>(self.upper.val()) | 4;
        }

        self.done_q.d.next = self.start.val();
        if self.start.val() {
            self.word_q.d.next = self.rotate128.val();
            self.bits_q.d.next = self.rotation.val().get_bits::<3>(0);
            self.count_q.d.next = self.count.val();
            self.up_q.d.next = self.up.val();
            self.fill_q.d.next = self.fill.val();
            self.clz_q.d.next = self.op.val() == self.op_clz.val();
            self.empty_q.d.next = !self.a.val().any();
            self.top_q.d.next = self.top.val();
            match self.top.val().index() {
                0 => self.group_q.d.next = self.group[0].val(),
                1 => self.group_q.d.next = self.group[1].val(),
                2 => self.group_q.d.next = self.group[2].val(),
                3 => self.group_q.d.next = self.group[3].val(),
                4 => self.group_q.d.next = self.group[4].val(),
                5 => self.group_q.d.next = self.group[5].val(),
                6 => self.group_q.d.next = self.group[6].val(),
                _ => self.group_q.d.next = self.group[7].val(),
            }
        }

        // Second cycle: rotation by single bits.
        self.rotate1.next = self.word_q.q.val();
        if self.bits_q.q.val().get_bit(0) {
            self.rotate1.next = (self.word_q.q.val() >> 1) | (self.word_q.q.val() << 255);
        }
        self.rotate2.next = self.rotate1.val();
        if self.bits_q.q.val().get_bit(1) {
            self.rotate2.next = (self.rotate1.val() >> 2) | (self.rotate1.val() << 254);
        }
        self.rotate4.next = self.rotate2.val();
        if self.bits_q.q.val().get_bit(2) {
            self.rotate4.next = (self.rotate2.val() >> 4) | (self.rotate2.val() << 252);
        }

        // The mask: `count` ones from the bottom, or everything but these.
        self.whole.next = self.count_q.q.val().get_bits::<6>(3);
        match self.count_q.q.val().get_bits::<3>(0).index() {
            0 => self.part.next = 0x00.into(),
            1 => self.part.next = 0x01.into(),
            2 => self.part.next = 0x03.into(),
            3 => self.part.next = 0x07.into(),
            4 => self.part.next = 0x0f.into(),
            5 => self.part.next = 0x1f.into(),
            6 => self.part.next = 0x3f.into(),
            _ => self.part.next = 0x7f.into(),
        }
        for i in 0..32 {
            self.byte_mask[i].next = 0.into();
            if self.index[i].val() < self.whole.val() {
                self.byte_mask[i].next = 0xff.into();
            }
            if self.index[i].val() == self.whole.val() {
                self.byte_mask[i].next = self.part.val();
            }
        }
        #( self.mask.next.b~N = self.byte_mask[N].val(); )*
        self.keep.next = self.mask.val().into();
        if self.up_q.q.val() {
            self.keep.next = !self.keep.val();
        }
        self.rest.next = 0.into();
        if self.fill_q.q.val() {
            self.rest.next = !self.keep.val();
        }

        // Leading zeros of the group by halving.
        self.zeros.next = 0.into();
        self.half.next = self.group_q.q.val().get_bits::<16>(16);
        if !self.half.val().any() {
            self.half.next = self.group_q.q.val().get_bits::<16>(0);
            self.zeros.next = self.zeros.val() | 16;
        }
        self.octet.next = self.half.val().get_bits::<8>(8);
        if !self.octet.val().any() {
            self.octet.next = self.half.val().get_bits::<8>(0);
            self.zeros.next = self.zeros.val() | 8;
        }
        self.nibble.next = self.octet.val().get_bits::<4>(4);
        if !self.nibble.val().any() {
            self.nibble.next = self.octet.val().get_bits::<4>(0);
            self.zeros.next = self.zeros.val() | 4;
        }
        self.pair.next = self.nibble.val().get_bits::<2>(2);
        if !self.pair.val().any() {
            self.pair.next = self.nibble.val().get_bits::<2>(0);
            self.zeros.next = self.zeros.val() | 2;
        }
        if !self.pair.val().get_bit(1) {
            self.zeros.next = self.zeros.val() | 1;
        }
        self.leading.next = 0.into();
        if self.clz_q.q.val() {
            self.leading.next = (bit_cast::<9, 3>(!self.top_q.q.val()) << 5) | bit_cast::<9, 5>(self.zeros.val());
            if self.empty_q.q.val() {
                self.leading.next = 256.into();
            }
        }

        self.done.next = self.done_q.q.val();
        self.y.next = (self.rotate4.val() & self.keep.val())
            | self.rest.val()
            | bit_cast::<256, 9>(self.leading.val());
    }
}
});
