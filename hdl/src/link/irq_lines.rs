//! The far end of [`super::Interrupts`], in the clock of the PCIe core.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::VECTORS;

/// A line for each vector, as shells have them: pulses for those that count edges, levels until the acknowledgement
/// for those that do not.
#[derive(LogicBlock)]
pub struct IrqLines {
    /// Clock of the shell.
    pub clock: Signal<In, Clock>,
    /// Lets go of everything.
    pub reset: Signal<In, Bit>,
    /// Pulse: an interrupt is asked for.
    pub request: Signal<In, Bit>,
    /// Its vector.
    pub vector: Signal<In, Bits<4>>,
    /// The vector's line, in the cycle of `request` alone.
    pub pulses: Signal<Out, Bits<VECTORS>>,
    /// The vector's line, from the next cycle on until it is acknowledged.
    pub levels: Signal<Out, Bits<VECTORS>>,
    /// Pulses: the shell has sent it.
    pub acks: Signal<In, Bits<VECTORS>>,
    /// Pulse: one of them.
    pub done: Signal<Out, Bit>,

    level: DFF<Bits<VECTORS>>,
    line: Signal<Local, Bits<VECTORS>>,
    number: [Constant<Bits<4>>; VECTORS],
    bit: [Constant<Bits<VECTORS>>; VECTORS],
}

impl Default for IrqLines {
    fn default() -> Self {
        block! {
            number: array_init::array_init(|i| Constant::new((i as u64).into())),
            bit: array_init::array_init(|i| Constant::new((1u64 << i).into())),
            ; clock reset request vector pulses levels acks done level line
        }
    }
}

impl Logic for IrqLines {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, level);
        self.line.next = 0.into();
        for i in 0..16 {
            if self.request.val() & (self.vector.val() == self.number[i].val()) {
                self.line.next = self.bit[i].val();
            }
        }
        self.pulses.next = self.line.val();
        self.levels.next = self.level.q.val();
        self.done.next = self.acks.val().any();
        self.level.d.next = (self.level.q.val() & !self.acks.val()) | self.line.val();
        if self.reset.val() {
            self.level.d.next = 0.into();
        }
    }
}
