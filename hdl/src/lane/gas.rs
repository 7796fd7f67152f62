//! Gas and refunds.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

/// The gas counter and the refund counter of a frame.
#[derive(LogicBlock, Default)]
pub struct GasMeter {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Takes `limit`, clears the refund counter.
    pub load: Signal<In, Bit>,
    /// Gas limit of the frame.
    pub limit: Signal<In, Bits<64>>,
    /// Charges `cost` where gas covers it.
    pub charge: Signal<In, Bit>,
    /// The charge.
    pub cost: Signal<In, Bits<64>>,
    /// Adds `amount` to the refund counter.
    pub refund: Signal<In, Bit>,
    /// Subtracts `amount` from the refund counter.
    pub unrefund: Signal<In, Bit>,
    /// Refund.
    pub amount: Signal<In, Bits<64>>,
    /// Gas left.
    pub gas: Signal<Out, Bits<64>>,
    /// Gas left after the charge.
    pub after: Signal<Out, Bits<64>>,
    /// Gas does not cover the cost.
    pub lacks: Signal<Out, Bit>,
    /// Refund counter, two's complement.
    pub refunds: Signal<Out, Bits<64>>,
    left: DFF<Bits<64>>,
    back: DFF<Bits<64>>,
    difference: Signal<Local, Bits<64>>,
    missing: Signal<Local, Bit>,
}

impl Logic for GasMeter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, left, back);
        self.difference.next = self.left.q.val() - self.cost.val();
        self.missing.next = self.left.q.val() < self.cost.val();
        self.gas.next = self.left.q.val();
        self.after.next = self.difference.val();
        self.lacks.next = self.missing.val();
        self.refunds.next = self.back.q.val();
        if self.charge.val() & !self.missing.val() {
            self.left.d.next = self.difference.val();
        }
        if self.refund.val() {
            self.back.d.next = self.back.q.val() + self.amount.val();
        }
        if self.unrefund.val() {
            self.back.d.next = self.back.q.val() - self.amount.val();
        }
        if self.load.val() {
            self.left.d.next = self.limit.val();
            self.back.d.next = 0.into();
        }
    }
}
