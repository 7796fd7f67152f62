//! 64 KiB of byte-addressed memory that reads or writes any 32 consecutive bytes in one cycle.
//!
//! Thirty-two banks of one byte: bank `k` holds the addresses congruent to `k`, so that 32 consecutive
//! bytes never meet in a bank. A rotator brings them in order. Words are in EVM order: the byte at the
//! lowest address is the most significant.
//!
//! The memory consists of frames of 4 KiB: bytes behind the end of a frame are in the frame that the user
//! names, which need not be the one that follows.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

use super::words::{Banks, Rotate, each_bank};
use crate::prim::Ram;

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
    reading: Rotate,
    writing: Rotate,
    zero: Signal<Local, Bits<5>>,
    wrow: Signal<Local, Bits<11>>,
    wbehind: Signal<Local, Bits<11>>,
    woff: Signal<Local, Bits<5>>,
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
            reading: Default::default(),
            writing: Default::default(),
            zero: Default::default(),
            wrow: Default::default(),
            wbehind: Default::default(),
            woff: Default::default(),
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

macro_rules! byte_ram_logic { ($($field:ident $bank:tt $low:tt $first:tt,)*) => {
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
        self.reading.a.next = self.gathered.val().into();
        self.reading.by.next = self.roff_q.q.val();
        self.rdata.next = self.reading.y.val();
        // Write: the data and the byte enables rotate the other way.
        self.wrow.next = self.waddr.val().get_bits::<11>(5);
        self.wbehind.next = self.wrow.val() + 1;
        if self.wrow.val().get_bits::<7>(0) == 127 {
            self.wbehind.next = bit_cast::<11, 4>(self.wnext.val()) << 7;
        }
        self.woff.next = self.waddr.val().get_bits::<5>(0);
        self.writing.a.next = self.wdata.val();
        self.zero.next = 0.into();
        self.writing.by.next = self.zero.val() - self.woff.val();
        self.scattered.next = self.writing.y.val();
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
each_bank!(byte_ram_logic);
