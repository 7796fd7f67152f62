//! The pages that were used last, and their frames: what a page table of many frames cannot tell within a cycle.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

/// Pages that it keeps.
const NEAR: usize = 8;

/// Eight pages with their frames, replaced in turn: a translation buffer for one access a cycle.
///
/// An access begins in `page` and may go into the page `behind`. `P` bits name a page, `F` bits a frame. What is not
/// here is looked up in the page table: its name stands in `asked` a cycle after the access, and the table's answer
/// comes with `put` in the cycle in which it stands. What an access finds here is here in the next cycle, too.
#[derive(LogicBlock)]
pub struct Near<const P: usize, const F: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Forgets every page; an answer in this cycle counts no more.
    pub clear: Signal<In, Bit>,

    /// Page of the access.
    pub page: Signal<In, Bits<P>>,
    /// The page behind it.
    pub behind: Signal<In, Bits<P>>,
    /// The access goes into the page behind.
    pub across: Signal<In, Bit>,
    /// All that the access needs is here.
    pub here: Signal<Out, Bit>,
    /// Frame of the page, if that is here.
    pub frame: Signal<Out, Bits<F>>,
    /// Frame of the page behind, if that is here.
    pub next_frame: Signal<Out, Bits<F>>,
    /// The page that is not here.
    pub lacks: Signal<Out, Bits<P>>,

    /// `asked` has this frame.
    pub put: Signal<In, Bit>,
    /// The page that was looked up.
    pub asked: Signal<In, Bits<P>>,
    /// Its frame.
    pub found: Signal<In, Bits<F>>,

    valid: [DFF<Bit>; NEAR],
    tag: [DFF<Bits<P>>; NEAR],
    place: [DFF<Bits<F>>; NEAR],
    turn: DFF<Bits<3>>,
    index: [Constant<Bits<3>>; NEAR],
    hit: Signal<Local, Bit>,
    hit_behind: Signal<Local, Bit>,
}

impl<const P: usize, const F: usize> Default for Near<P, F> {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            clear: Default::default(),
            page: Default::default(),
            behind: Default::default(),
            across: Default::default(),
            here: Default::default(),
            frame: Default::default(),
            next_frame: Default::default(),
            lacks: Default::default(),
            put: Default::default(),
            asked: Default::default(),
            found: Default::default(),
            valid: Default::default(),
            tag: Default::default(),
            place: Default::default(),
            turn: Default::default(),
            index: array_init::array_init(|i| Constant::new((i as u64).into())),
            hit: Default::default(),
            hit_behind: Default::default(),
        }
    }
}

impl<const P: usize, const F: usize> Logic for Near<P, F> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, turn);
        // A page is in one frame, however often it stands here: what is found is gathered without an order.
        self.hit.next = false;
        self.hit_behind.next = false;
        self.frame.next = 0.into();
        self.next_frame.next = 0.into();
        for i in 0..8 {
            self.valid[i].clock.next = self.clock.val();
            self.tag[i].clock.next = self.clock.val();
            self.place[i].clock.next = self.clock.val();
            self.valid[i].d.next = self.valid[i].q.val() & !self.clear.val();
            self.tag[i].d.next = self.tag[i].q.val();
            self.place[i].d.next = self.place[i].q.val();
            if self.valid[i].q.val() & (self.tag[i].q.val() == self.page.val()) {
                self.hit.next = true;
                self.frame.next = self.frame.val() | self.place[i].q.val();
            }
            if self.valid[i].q.val() & (self.tag[i].q.val() == self.behind.val()) {
                self.hit_behind.next = true;
                self.next_frame.next = self.next_frame.val() | self.place[i].q.val();
            }
            // A page that is used in this cycle stays for the next, which relies on it.
            if (self.put.val() & (self.turn.q.val() == self.index[i].val()))
                & !(self.valid[i].q.val()
                    & ((self.tag[i].q.val() == self.page.val())
                        | (self.tag[i].q.val() == self.behind.val())))
            {
                self.valid[i].d.next = !self.clear.val();
                self.tag[i].d.next = self.asked.val();
                self.place[i].d.next = self.found.val();
            }
        }
        if self.put.val() {
            self.turn.d.next = self.turn.q.val() + 1;
        }
        self.here.next = self.hit.val() & (self.hit_behind.val() | !self.across.val());
        self.lacks.next = self.page.val();
        if self.hit.val() {
            self.lacks.next = self.behind.val();
        }
    }
}
