//! Which page is in which of sixteen frames.

use gatewei_abi::layout::PAGES;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

/// A fully associative table of sixteen frames, looked up for two accesses a cycle.
///
/// An access is up to 33 bytes from an address on, so it may cross into the page behind: `across`.
#[derive(LogicBlock)]
pub struct PageTable {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Forgets every page.
    pub clear: Signal<In, Bit>,

    /// Page of the first access.
    pub a: Signal<In, Bits<13>>,
    /// The page behind it.
    pub a_behind: Signal<In, Bits<13>>,
    /// It goes into the page behind.
    pub a_across: Signal<In, Bit>,
    /// Frame of the page.
    pub a_frame: Signal<Out, Bits<4>>,
    /// Frame of the page behind, if that has one.
    pub a_next: Signal<Out, Bits<4>>,
    /// All that the access needs is here.
    pub a_here: Signal<Out, Bit>,
    /// The page that it lacks; the page behind is behind.
    pub a_lacks: Signal<Out, Bits<13>>,
    /// Page of the second access.
    pub b: Signal<In, Bits<13>>,
    /// The page behind it.
    pub b_behind: Signal<In, Bits<13>>,
    /// It goes into the page behind.
    pub b_across: Signal<In, Bit>,
    /// Frame of the page.
    pub b_frame: Signal<Out, Bits<4>>,
    /// Frame of the page behind, if that has one.
    pub b_next: Signal<Out, Bits<4>>,
    /// All that the access needs is here.
    pub b_here: Signal<Out, Bit>,
    /// The page that it lacks.
    pub b_lacks: Signal<Out, Bits<13>>,

    /// A frame.
    pub hand: Signal<In, Bits<4>>,
    /// It holds a page.
    pub taken: Signal<Out, Bit>,
    /// Its page.
    pub page: Signal<Out, Bits<13>>,
    /// One of the accesses may need the page: two accesses never need all frames.
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
    a_hit: Signal<Local, Bit>,
    a_hit_next: Signal<Local, Bit>,
    b_hit: Signal<Local, Bit>,
    b_hit_next: Signal<Local, Bit>,
    old: Signal<Local, Bits<13>>,
}

impl Default for PageTable {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            clear: Default::default(),
            a: Default::default(),
            a_across: Default::default(),
            a_frame: Default::default(),
            a_next: Default::default(),
            a_here: Default::default(),
            a_lacks: Default::default(),
            b: Default::default(),
            b_across: Default::default(),
            b_frame: Default::default(),
            b_next: Default::default(),
            b_here: Default::default(),
            b_lacks: Default::default(),
            hand: Default::default(),
            taken: Default::default(),
            page: Default::default(),
            used: Default::default(),
            free: Default::default(),
            put: Default::default(),
            new: Default::default(),
            valid: Default::default(),
            tag: Default::default(),
            index: array_init::array_init(|i| Constant::new((i as u64).into())),
            a_behind: Default::default(),
            a_hit: Default::default(),
            a_hit_next: Default::default(),
            b_behind: Default::default(),
            b_hit: Default::default(),
            b_hit_next: Default::default(),
            old: Default::default(),
        }
    }
}

impl Logic for PageTable {
    #[hdl_gen]
    fn update(&mut self) {
        self.a_hit.next = false;
        self.a_hit_next.next = false;
        self.b_hit.next = false;
        self.b_hit_next.next = false;
        self.a_frame.next = 0.into();
        self.a_next.next = 0.into();
        self.b_frame.next = 0.into();
        self.b_next.next = 0.into();
        self.old.next = 0.into();
        self.taken.next = false;
        for i in 0..16 {
            self.valid[i].clock.next = self.clock.val();
            self.valid[i].d.next = self.valid[i].q.val() & !self.clear.val();
            self.tag[i].clock.next = self.clock.val();
            self.tag[i].d.next = self.tag[i].q.val();
            if self.valid[i].q.val() & (self.tag[i].q.val() == self.a.val()) {
                self.a_hit.next = true;
                self.a_frame.next = self.index[i].val();
            }
            if self.valid[i].q.val() & (self.tag[i].q.val() == self.a_behind.val()) {
                self.a_hit_next.next = true;
                self.a_next.next = self.index[i].val();
            }
            if self.valid[i].q.val() & (self.tag[i].q.val() == self.b.val()) {
                self.b_hit.next = true;
                self.b_frame.next = self.index[i].val();
            }
            if self.valid[i].q.val() & (self.tag[i].q.val() == self.b_behind.val()) {
                self.b_hit_next.next = true;
                self.b_next.next = self.index[i].val();
            }
            if self.hand.val() == self.index[i].val() {
                self.old.next = self.tag[i].q.val();
                self.taken.next = self.valid[i].q.val();
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
        self.used.next = ((self.old.val() == self.a.val())
            | (self.old.val() == self.a_behind.val()))
            | ((self.old.val() == self.b.val()) | (self.old.val() == self.b_behind.val()));
        self.a_here.next = self.a_hit.val() & (self.a_hit_next.val() | !self.a_across.val());
        self.a_lacks.next = self.a.val();
        if self.a_hit.val() {
            self.a_lacks.next = self.a_behind.val();
        }
        self.b_here.next = self.b_hit.val() & (self.b_hit_next.val() | !self.b_across.val());
        self.b_lacks.next = self.b.val();
        if self.b_hit.val() {
            self.b_lacks.next = self.b_behind.val();
        }
    }
}
