//! Which page is in which of sixteen frames.

use gatewei_abi::layout::PAGES;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

/// A fully associative table of sixteen frames.
///
/// Two accesses a cycle use it, each of up to 33 bytes, so that it may go into the page behind.
#[derive(LogicBlock)]
pub struct PageTable {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Forgets every page.
    pub clear: Signal<In, Bit>,

    /// The page that is looked up.
    pub asked: Signal<In, Bits<13>>,
    /// It has a frame.
    pub known: Signal<Out, Bit>,
    /// This one.
    pub found: Signal<Out, Bits<4>>,

    /// Page of the first access.
    pub a: Signal<In, Bits<13>>,
    /// The page behind it.
    pub a_behind: Signal<In, Bits<13>>,
    /// Page of the second access.
    pub b: Signal<In, Bits<13>>,
    /// The page behind it.
    pub b_behind: Signal<In, Bits<13>>,

    /// A frame.
    pub hand: Signal<In, Bits<4>>,
    /// It holds a page.
    pub taken: Signal<Out, Bit>,
    /// Its page.
    pub page: Signal<Out, Bits<13>>,
    /// One of the accesses of the cycle before may need the page: two accesses never need all frames.
    pub used: Signal<Out, Bit>,
    /// The frame loses its page.
    pub free: Signal<In, Bit>,
    /// The frame now holds `new`.
    pub put: Signal<In, Bit>,
    /// A page.
    pub new: Signal<In, Bits<13>>,

    valid: [DFF<Bit>; PAGES],
    tag: [DFF<Bits<13>>; PAGES],
    index: [Constant<Bits<4>>; PAGES],
    last_a: DFF<Bits<13>>,
    last_a_behind: DFF<Bits<13>>,
    last_b: DFF<Bits<13>>,
    last_b_behind: DFF<Bits<13>>,
    old: Signal<Local, Bits<13>>,
}

impl Default for PageTable {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            clear: Default::default(),
            asked: Default::default(),
            known: Default::default(),
            found: Default::default(),
            a: Default::default(),
            a_behind: Default::default(),
            b: Default::default(),
            b_behind: Default::default(),
            hand: Default::default(),
            taken: Default::default(),
            page: Default::default(),
            used: Default::default(),
            free: Default::default(),
            put: Default::default(),
            new: Default::default(),
            last_a: Default::default(),
            last_a_behind: Default::default(),
            last_b: Default::default(),
            last_b_behind: Default::default(),
            valid: Default::default(),
            tag: Default::default(),
            index: array_init::array_init(|i| Constant::new((i as u64).into())),
            old: Default::default(),
        }
    }
}

impl Logic for PageTable {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, last_a, last_a_behind, last_b, last_b_behind);
        // No page is in two frames: what the frames say of it is gathered without an order.
        self.known.next = false;
        self.found.next = 0.into();
        self.old.next = 0.into();
        self.taken.next = false;
        for i in 0..16 {
            self.valid[i].clock.next = self.clock.val();
            self.valid[i].d.next = self.valid[i].q.val() & !self.clear.val();
            self.tag[i].clock.next = self.clock.val();
            self.tag[i].d.next = self.tag[i].q.val();
            if self.valid[i].q.val() & (self.tag[i].q.val() == self.asked.val()) {
                self.known.next = true;
                self.found.next = self.found.val() | self.index[i].val();
            }
            if self.hand.val() == self.index[i].val() {
                self.old.next = self.old.val() | self.tag[i].q.val();
                self.taken.next = self.taken.val() | self.valid[i].q.val();
                if self.free.val() {
                    self.valid[i].d.next = false;
                }
                if self.put.val() {
                    self.valid[i].d.next = true;
                    self.tag[i].d.next = self.new.val();
                }
            }
        }
        self.page.next = self.old.val();
        self.last_a.d.next = self.a.val();
        self.last_a_behind.d.next = self.a_behind.val();
        self.last_b.d.next = self.b.val();
        self.last_b_behind.d.next = self.b_behind.val();
        self.used.next = ((self.old.val() == self.last_a.q.val())
            | (self.old.val() == self.last_a_behind.q.val()))
            | ((self.old.val() == self.last_b.q.val())
                | (self.old.val() == self.last_b_behind.q.val()));
    }
}
