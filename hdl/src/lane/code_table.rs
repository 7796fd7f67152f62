//! Which page of which code is in which of 64 frames.

use gatewei_abi::layout::CODE_PAGES;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

/// A fully associative table of 64 frames, looked up for a page and the one behind it.
#[derive(LogicBlock)]
pub struct CodeTable {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Forgets every page.
    pub clear: Signal<In, Bit>,
    /// Forgets the pages of the code with this number.
    pub drop: Signal<In, Bit>,
    /// See `drop`.
    pub number: Signal<In, Bits<8>>,

    /// Page of the access: its number in the code, then the code's number.
    pub page: Signal<In, Bits<14>>,
    /// The page behind it.
    pub behind: Signal<In, Bits<14>>,
    /// The access goes into the page behind.
    pub across: Signal<In, Bit>,
    /// Frame of the page.
    pub frame: Signal<Out, Bits<6>>,
    /// Frame of the page behind, if that has one.
    pub frame_behind: Signal<Out, Bits<6>>,
    /// All that the access needs is here.
    pub here: Signal<Out, Bit>,
    /// The page that it lacks.
    pub lacks: Signal<Out, Bits<14>>,

    /// A frame.
    pub hand: Signal<In, Bits<6>>,
    /// It holds a page that the access may need.
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
    hit: Signal<Local, Bit>,
    hit_next: Signal<Local, Bit>,
}

impl Default for CodeTable {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            clear: Default::default(),
            drop: Default::default(),
            number: Default::default(),
            page: Default::default(),
            behind: Default::default(),
            across: Default::default(),
            frame: Default::default(),
            frame_behind: Default::default(),
            here: Default::default(),
            lacks: Default::default(),
            hand: Default::default(),
            used: Default::default(),
            free: Default::default(),
            put: Default::default(),
            new: Default::default(),
            valid: array_init::array_init(|_| Default::default()),
            tag: array_init::array_init(|_| Default::default()),
            index: array_init::array_init(|i| Constant::new((i as u64).into())),
            hit: Default::default(),
            hit_next: Default::default(),
        }
    }
}

impl Logic for CodeTable {
    #[hdl_gen]
    fn update(&mut self) {
        self.hit.next = false;
        self.hit_next.next = false;
        self.frame.next = 0.into();
        self.frame_behind.next = 0.into();
        self.used.next = false;
        for i in 0..64 {
            self.valid[i].clock.next = self.clock.val();
            self.valid[i].d.next = self.valid[i].q.val()
                & !(self.clear.val()
                    | (self.drop.val()
                        & (self.tag[i].q.val().get_bits::<8>(0) == self.number.val())));
            self.tag[i].clock.next = self.clock.val();
            self.tag[i].d.next = self.tag[i].q.val();
            if self.valid[i].q.val() & (self.tag[i].q.val() == self.page.val()) {
                self.hit.next = true;
                self.frame.next = self.index[i].val();
            }
            if self.valid[i].q.val() & (self.tag[i].q.val() == self.behind.val()) {
                self.hit_next.next = true;
                self.frame_behind.next = self.index[i].val();
            }
            if self.hand.val() == self.index[i].val() {
                self.used.next = self.valid[i].q.val()
                    & ((self.tag[i].q.val() == self.page.val())
                        | (self.tag[i].q.val() == self.behind.val()));
                if self.free.val() {
                    self.valid[i].d.next = false;
                }
                if self.put.val() {
                    self.valid[i].d.next = true;
                    self.tag[i].d.next = self.new.val();
                }
            }
        }
        self.here.next = self.hit.val() & (self.hit_next.val() | !self.across.val());
        self.lacks.next = self.page.val();
        if self.hit.val() {
            self.lacks.next = self.behind.val();
        }
    }
}
