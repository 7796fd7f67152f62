//! 32 bytes that begin anywhere in a row of 32: the end of that row and the beginning of the row behind it.
//!
//! Even rows are in one RAM and odd rows in another, so that both rows are at hand in one cycle.

use rust_hdl_core::prelude::*;

/// Where such bytes are.
#[derive(LogicBlock, Default)]
pub struct Straddle {
    /// Row of the first byte.
    pub row: Signal<In, Bits<11>>,
    /// Place of the first byte in its row.
    pub offset: Signal<In, Bits<5>>,
    /// Row behind: the next one where `row` is even, any even one where it is odd.
    pub behind: Signal<In, Bits<11>>,
    /// Address of the even RAM.
    pub even: Signal<Out, Bits<10>>,
    /// Address of the odd RAM.
    pub odd: Signal<Out, Bits<10>>,
    /// A bit for each place in a row, the first one most significant: its byte is in the odd RAM.
    pub in_odd: Signal<Out, Bits<32>>,
    ones: Signal<Local, Bits<32>>,
    late: Signal<Local, Bits<32>>,
}

impl Logic for Straddle {
    #[hdl_gen]
    fn update(&mut self) {
        self.ones.next = 0xffff_ffff_u64.into();
        // Places before the first byte's are those of the row behind.
        self.late.next = !(self.ones.val() >> bit_cast::<32, 5>(self.offset.val()));
        // Behind an even row is the odd one at the same address.
        self.odd.next = self.row.val().get_bits::<10>(1);
        self.even.next = self.row.val().get_bits::<10>(1);
        self.in_odd.next = self.late.val();
        if self.row.val().get_bit(0) {
            self.even.next = self.behind.val().get_bits::<10>(1);
            self.in_odd.next = !self.late.val();
        }
    }
}
