//! Which page of which code is in which of 64 frames.

use gatewei_abi::layout::CODE_PAGES;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

/// A fully associative table of 64 frames.
#[derive(LogicBlock)]
pub struct CodeTable {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Forgets every page.
    pub clear: Signal<In, Bit>,
    /// Forgets all pages of the code whose page is `asked`.
    pub drop: Signal<In, Bit>,

    /// The page that is looked up: its number in the code, then the code's number.
    pub asked: Signal<In, Bits<14>>,
    /// It has a frame.
    pub known: Signal<Out, Bit>,
    /// This one.
    pub found: Signal<Out, Bits<6>>,

    /// Page of the access.
    pub page: Signal<In, Bits<14>>,
    /// The page behind it.
    pub behind: Signal<In, Bits<14>>,

    /// A frame.
    pub hand: Signal<In, Bits<6>>,
    /// It holds a page that the access of the cycle before may need.
    pub used: Signal<Out, Bit>,
    /// The frame loses its page.
    pub free: Signal<In, Bit>,
    /// The frame now holds `new`.
    pub put: Signal<In, Bit>,
    /// A page.
    pub new: Signal<In, Bits<14>>,

    valid: [DFF<Bit>; CODE_PAGES],
    tag: [DFF<Bits<14>>; CODE_PAGES],
    index: [Constant<Bits<6>>; CODE_PAGES],
    last: DFF<Bits<14>>,
    last_behind: DFF<Bits<14>>,
    /// The frame holds a page of the code whose page is looked up; and that page.
    same_code: [Signal<Local, Bit>; CODE_PAGES],
    same: [Signal<Local, Bit>; CODE_PAGES],
    /// What the frame `hand` holds.
    held: Signal<Local, Bits<14>>,
    holds: Signal<Local, Bit>,
}

impl Default for CodeTable {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            clear: Default::default(),
            drop: Default::default(),
            asked: Default::default(),
            known: Default::default(),
            found: Default::default(),
            page: Default::default(),
            behind: Default::default(),
            hand: Default::default(),
            used: Default::default(),
            free: Default::default(),
            put: Default::default(),
            new: Default::default(),
            last: Default::default(),
            last_behind: Default::default(),
            same_code: array_init::array_init(|_| Default::default()),
            same: array_init::array_init(|_| Default::default()),
            held: Default::default(),
            holds: Default::default(),
            valid: array_init::array_init(|_| Default::default()),
            tag: array_init::array_init(|_| Default::default()),
            index: array_init::array_init(|i| Constant::new((i as u64).into())),
        }
    }
}

impl Logic for CodeTable {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, last, last_behind);
        self.last.d.next = self.page.val();
        self.last_behind.d.next = self.behind.val();
        self.known.next = false;
        self.found.next = 0.into();
        self.held.next = 0.into();
        self.holds.next = false;
        // No page is in two frames: what the frames say of it is gathered without an order, which a tree of gates does.
        for i in 0..64 {
            self.same_code[i].next =
                self.tag[i].q.val().get_bits::<8>(0) == self.asked.val().get_bits::<8>(0);
            self.same[i].next = (self.valid[i].q.val() & self.same_code[i].val())
                & (self.tag[i].q.val().get_bits::<6>(8) == self.asked.val().get_bits::<6>(8));
            self.valid[i].clock.next = self.clock.val();
            self.valid[i].d.next = self.valid[i].q.val()
                & !(self.clear.val() | (self.drop.val() & self.same_code[i].val()));
            self.tag[i].clock.next = self.clock.val();
            self.tag[i].d.next = self.tag[i].q.val();
            if self.same[i].val() {
                self.known.next = true;
                self.found.next = self.found.val() | self.index[i].val();
            }
            if self.hand.val() == self.index[i].val() {
                self.held.next = self.held.val() | self.tag[i].q.val();
                self.holds.next = self.holds.val() | self.valid[i].q.val();
                if self.free.val() {
                    self.valid[i].d.next = false;
                }
                if self.put.val() {
                    self.valid[i].d.next = true;
                    self.tag[i].d.next = self.new.val();
                }
            }
        }
        self.used.next = self.holds.val()
            & ((self.held.val() == self.last.q.val())
                | (self.held.val() == self.last_behind.q.val()));
    }
}
