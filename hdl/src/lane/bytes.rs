//! Up to 64 KiB of byte-addressed memory that reads or writes any 32 consecutive bytes in one cycle.
//!
//! Rows of 32 bytes, the even ones in one RAM and the odd ones in another ([`Straddle`]); a rotator brings the bytes in
//! order. Words are in EVM order: the byte at the lowest address is the most significant.
//!
//! The memory consists of frames of 4 KiB: bytes behind the end of a frame are in the frame that the user
//! names, which need not be the one that follows.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

use super::stores::Stores;
use super::straddle::Straddle;
use super::words::{Banks, Rotate, each_bank};
use crate::prim::RowRam;

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

    even: RowRam<10>,
    odd: RowRam<10>,
    reads: Straddle,
    writes: Straddle,
    rrow: Signal<Local, Bits<11>>,
    roff: Signal<Local, Bits<5>>,
    roff_q: DFF<Bits<5>>,
    from_odd: DFF<Bits<32>>,
    gathered: Signal<Local, Banks>,
    reading: Rotate,
    writing: Rotate,
    zero: Signal<Local, Bits<5>>,
    wrow: Signal<Local, Bits<11>>,
    woff: Signal<Local, Bits<5>>,
    ones: Signal<Local, Bits<32>>,
    count: Signal<Local, Bits<32>>,
    mask: Signal<Local, Bits<32>>,
    mask1: Signal<Local, Bits<32>>,
    mask2: Signal<Local, Bits<32>>,
    mask3: Signal<Local, Bits<32>>,
    mask4: Signal<Local, Bits<32>>,
    mask5: Signal<Local, Bits<32>>,
}

impl ByteRam {
    /// A memory of 2^`bits` frames, at most 16; the other bits of a frame's number do not count.
    pub fn of(bits: usize) -> Self {
        block! {
            // Of the 2^7 rows of a frame, half are even.
            even: RowRam::of(bits + 6),
            odd: RowRam::of(bits + 6),
            ; clock raddr rnext rdata we waddr wnext wdata wcount reads writes rrow roff roff_q from_odd gathered
            reading writing zero wrow woff ones count mask mask1 mask2 mask3 mask4 mask5
        }
    }
}

impl Default for ByteRam {
    fn default() -> Self {
        Self::of(Stores::MOST.data_bits)
    }
}

macro_rules! byte_ram_logic { ($($field:ident $bank:tt $low:tt $first:tt,)*) => {
impl Logic for ByteRam {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, roff_q, from_odd);
        clock!(self, clock, even, odd);
        // Read.
        self.rrow.next = self.raddr.val().get_bits::<11>(5);
        self.roff.next = self.raddr.val().get_bits::<5>(0);
        self.roff_q.d.next = self.roff.val();
        self.reads.row.next = self.rrow.val();
        self.reads.offset.next = self.roff.val();
        self.reads.behind.next = self.rrow.val() + 1;
        if self.rrow.val().get_bits::<7>(0) == 127 {
            self.reads.behind.next = bit_cast::<11, 4>(self.rnext.val()) << 7;
        }
        self.even.raddr.next = self.reads.even.val();
        self.odd.raddr.next = self.reads.odd.val();
        self.from_odd.d.next = self.reads.in_odd.val();
        $(
            self.gathered.next.$field = self.even.rdata.val().get_bits::<8>($low);
            if self.from_odd.q.val().get_bit(31 - $bank) {
                self.gathered.next.$field = self.odd.rdata.val().get_bits::<8>($low);
            }
        )*
        self.reading.a.next = self.gathered.val().into();
        self.reading.by.next = self.roff_q.q.val();
        self.rdata.next = self.reading.y.val();
        // Write: the data and the byte enables rotate the other way.
        self.wrow.next = self.waddr.val().get_bits::<11>(5);
        self.woff.next = self.waddr.val().get_bits::<5>(0);
        self.writes.row.next = self.wrow.val();
        self.writes.offset.next = self.woff.val();
        self.writes.behind.next = self.wrow.val() + 1;
        if self.wrow.val().get_bits::<7>(0) == 127 {
            self.writes.behind.next = bit_cast::<11, 4>(self.wnext.val()) << 7;
        }
        self.writing.a.next = self.wdata.val();
        self.zero.next = 0.into();
        self.writing.by.next = self.zero.val() - self.woff.val();
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
        self.even.waddr.next = self.writes.even.val();
        self.odd.waddr.next = self.writes.odd.val();
        self.even.wdata.next = self.writing.y.val();
        self.odd.wdata.next = self.writing.y.val();
        self.even.we.next = 0.into();
        self.odd.we.next = 0.into();
        if self.we.val() {
            self.even.we.next = self.mask5.val() & !self.writes.in_odd.val();
            self.odd.we.next = self.mask5.val() & self.writes.in_odd.val();
        }
    }
}
}}
each_bank!(byte_ram_logic);
