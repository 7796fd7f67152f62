//! Length of a word in bytes.

use rust_hdl_core::prelude::*;

/// Combinational: how many bytes are left of a word without its leading zero bytes, 0 to 32.
#[derive(LogicBlock)]
pub struct ByteLength {
    /// The word.
    pub x: Signal<In, Bits<256>>,
    /// Its length in bytes.
    pub bytes: Signal<Out, Bits<6>>,

    used: [Signal<Local, Bit>; 32],
    // Groups of four bytes: whether one is used, and the highest.
    some: [Signal<Local, Bit>; 8],
    high: [Signal<Local, Bits<2>>; 8],
    top: Signal<Local, Bits<3>>,
    upper: Signal<Local, Bits<2>>,
    lower: Signal<Local, Bits<2>>,
    chosen: Signal<Local, Bits<2>>,
    last: Signal<Local, Bits<6>>,
}

impl Default for ByteLength {
    fn default() -> Self {
        block! {
            used: array_init::array_init(|_| Default::default()),
            some: array_init::array_init(|_| Default::default()),
            high: array_init::array_init(|_| Default::default()),
            ; x bytes top upper lower chosen last
        }
    }
}

impl Logic for ByteLength {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..32 {
            self.used[i].next = self.x.val().get_bits::<8>(i * 8).any();
        }
        for g in 0..8 {
            self.high[g].next = 0.into();
            if self.used[g * 4 + 3].val() {
                self.high[g].next = 3.into();
            } else if self.used[g * 4 + 2].val() {
                self.high[g].next = 2.into();
            } else if self.used[g * 4 + 1].val() {
                self.high[g].next = 1.into();
            }
            self.some[g].next = self.x.val().get_bits::<32>(g * 32).any();
        }
        self.upper.next = 0.into();
        if self.some[7].val() {
            self.upper.next = 3.into();
        } else if self.some[6].val() {
            self.upper.next = 2.into();
        } else if self.some[5].val() {
            self.upper.next = 1.into();
        }
        self.lower.next = 0.into();
        if self.some[3].val() {
            self.lower.next = 3.into();
        } else if self.some[2].val() {
            self.lower.next = 2.into();
        } else if self.some[1].val() {
            self.lower.next = 1.into();
        }
        self.top.next = bit_cast::<3, 2>(self.lower.val());
        if self.x.val().get_bits::<128>(128).any() {
            self.top.next = bit_cast::<3, 2>(self.upper.val()) | 4;
        }
        match self.top.val().index() {
            0 => self.chosen.next = self.high[0].val(),
            1 => self.chosen.next = self.high[1].val(),
            2 => self.chosen.next = self.high[2].val(),
            3 => self.chosen.next = self.high[3].val(),
            4 => self.chosen.next = self.high[4].val(),
            5 => self.chosen.next = self.high[5].val(),
            6 => self.chosen.next = self.high[6].val(),
            _ => self.chosen.next = self.high[7].val(),
        }
        self.last.next =
            (bit_cast::<6, 3>(self.top.val()) << 2) | bit_cast::<6, 2>(self.chosen.val());
        self.bytes.next = self.last.val() + self.x.val().any();
    }
}
