//! Round-robin arbiter.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::{array, indices};

/// Chooses one of `N` (at most 15) requesters, combinationally; the turn goes down the indices and wraps,
/// so that a requester waits for at most `N - 1` grants.
#[derive(LogicBlock)]
pub struct RoundRobin<const N: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Who asks.
    pub request: [Signal<In, Bit>; N],
    /// The choice of this cycle is used: the turn moves on.
    pub advance: Signal<In, Bit>,
    /// Somebody asks.
    pub any: Signal<Out, Bit>,
    /// The chosen requester, where `any`.
    pub index: Signal<Out, Bits<4>>,
    chosen: Signal<Local, Bits<4>>,
    last: DFF<Bits<4>>,
    number: [Constant<Bits<4>>; N],
}

impl<const N: usize> Default for RoundRobin<N> {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            request: array(),
            advance: Default::default(),
            any: Default::default(),
            index: Default::default(),
            chosen: Default::default(),
            last: Default::default(),
            number: indices(),
        }
    }
}

impl<const N: usize> Logic for RoundRobin<N> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, last);
        self.any.next = false;
        self.chosen.next = 0.into();
        // The highest requester, unless one stands below the last grant: then the highest of those.
        for i in 0..N {
            if self.request[i].val() {
                self.any.next = true;
                self.chosen.next = self.number[i].val();
            }
        }
        for i in 0..N {
            if self.request[i].val() & (self.number[i].val() < self.last.q.val()) {
                self.chosen.next = self.number[i].val();
            }
        }
        self.index.next = self.chosen.val();
        if self.advance.val() {
            self.last.d.next = self.chosen.val();
        }
        if self.reset.val() {
            self.last.d.next = 0.into();
        }
    }
}
