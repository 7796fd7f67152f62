//! Which page of which code is in which of 64 frames.

use gatewei_abi::layout::CODE_PAGES;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

use crate::prim::Ram;

/// Frames that a page may be in.
const WAYS: usize = 4;

const _: () = assert!(CODE_PAGES == 16 * WAYS);

/// A table of 16 sets of four frames, or of fewer sets: the frame number is that of the set, then that of the way.
///
/// A page is named by its number in the code, then by the code's number; its set is made of both numbers, so that
/// pages one behind the other are in different sets. Names are in RAM that is read a cycle before it is looked at.
#[derive(LogicBlock)]
pub struct CodeTable {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Forgets every page.
    pub clear: Signal<In, Bit>,

    /// The page whose set is looked at in the next cycle, unless `sweep`.
    pub look: Signal<In, Bits<14>>,
    /// The set behind this one is looked at in the next cycle.
    pub sweep: Signal<In, Bit>,
    /// It is the first one instead.
    pub first: Signal<In, Bit>,
    /// This is the last one.
    pub last: Signal<Out, Bit>,

    /// A page of the set.
    pub asked: Signal<In, Bits<14>>,
    /// It has a frame.
    pub known: Signal<Out, Bit>,
    /// This one.
    pub found: Signal<Out, Bits<6>>,
    /// The set's pages of this code are forgotten.
    pub drop: Signal<In, Bit>,
    /// A code's number.
    pub code: Signal<In, Bits<8>>,

    /// Page of the access.
    pub page: Signal<In, Bits<14>>,
    /// The page behind it.
    pub behind: Signal<In, Bits<14>>,

    /// A way.
    pub hand: Signal<In, Bits<2>>,
    /// The set's frame of it.
    pub frame: Signal<Out, Bits<6>>,
    /// It holds a page that the access of the cycle before may need.
    pub used: Signal<Out, Bit>,
    /// The frame loses its page.
    pub free: Signal<In, Bit>,
    /// The frame now holds `new`, whose set this is; what is looked at in the next cycle is not told.
    pub put: Signal<In, Bit>,
    /// A page.
    pub new: Signal<In, Bits<14>>,

    tag: [Ram<4, 14>; WAYS],
    valid: [DFF<Bits<16>>; WAYS],
    index: [Constant<Bits<2>>; WAYS],
    set: DFF<Bits<4>>,
    last_page: DFF<Bits<14>>,
    last_behind: DFF<Bits<14>>,
    next_set: Signal<Local, Bits<4>>,
    here: Signal<Local, Bits<16>>,
    way: Signal<Local, Bits<2>>,
    /// A way's page counts.
    holds: [Signal<Local, Bit>; WAYS],
    one: Constant<Bits<16>>,
    last_set: Constant<Bits<4>>,
}

impl CodeTable {
    /// A table of 2^`bits` frames, 32 or 64.
    pub fn of(bits: usize) -> Self {
        block! {
            tag: array_init::array_init(|_| Default::default()),
            valid: array_init::array_init(|_| Default::default()),
            index: array_init::array_init(|i| Constant::new((i as u64).into())),
            holds: array_init::array_init(|_| Default::default()),
            one: Constant::new(1u64.into()),
            last_set: Constant::new(((1u64 << bits) / WAYS as u64 - 1).into()),
            ; clock clear look sweep first last asked known found drop code page behind hand frame used free put new
            set last_page last_behind next_set here way
        }
    }
}

impl Default for CodeTable {
    fn default() -> Self {
        Self::of(CODE_PAGES.ilog2() as usize)
    }
}

impl Logic for CodeTable {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, set, last_page, last_behind);
        self.last_page.d.next = self.page.val();
        self.last_behind.d.next = self.behind.val();

        self.next_set.next = (self.look.val().get_bits::<4>(8) ^ self.look.val().get_bits::<4>(0))
            & self.last_set.val();
        if self.sweep.val() {
            self.next_set.next = self.set.q.val() + 1;
        }
        if self.first.val() {
            self.next_set.next = 0.into();
        }
        self.set.d.next = self.next_set.val();
        self.last.next = self.set.q.val() == self.last_set.val();
        self.here.next = self.one.val() << bit_cast::<16, 4>(self.set.q.val());

        // No page is in two frames: what the ways say of it is gathered without an order.
        self.known.next = false;
        self.way.next = 0.into();
        self.used.next = false;
        for i in 0..4 {
            self.tag[i].clock.next = self.clock.val();
            self.tag[i].raddr.next = self.next_set.val();
            self.tag[i].waddr.next = self.set.q.val();
            self.tag[i].wdata.next = self.new.val();
            self.tag[i].we.next = false;
            self.valid[i].clock.next = self.clock.val();
            self.valid[i].d.next = self.valid[i].q.val();
            self.holds[i].next = (self.valid[i].q.val() & self.here.val()).any();
            if self.holds[i].val() & (self.tag[i].rdata.val() == self.asked.val()) {
                self.known.next = true;
                self.way.next = self.way.val() | self.index[i].val();
            }
            if self.drop.val() & (self.tag[i].rdata.val().get_bits::<8>(0) == self.code.val()) {
                self.valid[i].d.next = self.valid[i].q.val() & !self.here.val();
            }
            if self.hand.val() == self.index[i].val() {
                if self.holds[i].val()
                    & ((self.tag[i].rdata.val() == self.last_page.q.val())
                        | (self.tag[i].rdata.val() == self.last_behind.q.val()))
                {
                    self.used.next = true;
                }
                if self.free.val() {
                    self.valid[i].d.next = self.valid[i].q.val() & !self.here.val();
                }
                if self.put.val() {
                    self.valid[i].d.next = self.valid[i].q.val() | self.here.val();
                    self.tag[i].we.next = true;
                }
            }
            if self.clear.val() {
                self.valid[i].d.next = 0.into();
            }
        }
        self.found.next =
            (bit_cast::<6, 4>(self.set.q.val()) << 2) | bit_cast::<6, 2>(self.way.val());
        self.frame.next =
            (bit_cast::<6, 4>(self.set.q.val()) << 2) | bit_cast::<6, 2>(self.hand.val());
    }
}
