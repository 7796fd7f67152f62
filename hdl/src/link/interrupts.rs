//! Interrupts on their way to a PCIe core.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

/// Vectors that are told apart.
pub const VECTORS: usize = gatewei_abi::pci::MSIX_VECTORS as usize;
const _: () = assert!(VECTORS == 1 << 4);

/// Remembers which vectors the card has raised and asks for one after the other, the lowest first. A vector that is
/// raised again before its turn is asked for once; vectors beyond the last are dropped.
#[derive(LogicBlock)]
pub struct Interrupts {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Forgets everything.
    pub reset: Signal<In, Bit>,
    /// Pulse: the card raises an interrupt.
    pub msix_valid: Signal<In, Bit>,
    /// Its vector.
    pub msix_vector: Signal<In, Bits<16>>,
    /// Nothing is asked for while this is 1.
    pub hold: Signal<In, Bit>,
    /// Pulse: the PCIe core is asked for `vector`.
    pub request: Signal<Out, Bit>,
    /// The vector; it stays until `done`.
    pub vector: Signal<Out, Bits<4>>,
    /// The same as a pulse on a line of its own.
    pub lines: Signal<Out, Bits<VECTORS>>,
    /// Pulse, not before `request`: the core has taken it.
    pub done: Signal<In, Bit>,

    pending: DFF<Bits<VECTORS>>,
    awaiting: DFF<Bit>,
    current: DFF<Bits<4>>,
    lowest: Signal<Local, Bits<4>>,
    line: Signal<Local, Bits<VECTORS>>,
    rest: Signal<Local, Bits<VECTORS>>,
    raised: Signal<Local, Bits<VECTORS>>,
    goes: Signal<Local, Bit>,

    number: [Constant<Bits<4>>; VECTORS],
    wide: [Constant<Bits<16>>; VECTORS],
    bit: [Constant<Bits<VECTORS>>; VECTORS],
}

impl Default for Interrupts {
    fn default() -> Self {
        block! {
            number: array_init::array_init(|i| Constant::new((i as u64).into())),
            wide: array_init::array_init(|i| Constant::new((i as u64).into())),
            bit: array_init::array_init(|i| Constant::new((1u64 << i).into())),
            ; clock reset msix_valid msix_vector hold request vector lines done pending awaiting current lowest line rest
            raised goes
        }
    }
}

impl Logic for Interrupts {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, pending, awaiting, current);
        self.lowest.next = 0.into();
        self.line.next = 0.into();
        for i in 0..16 {
            if self.pending.q.val().get_bit(15 - i) {
                self.lowest.next = self.number[15 - i].val();
                self.line.next = self.bit[15 - i].val();
            }
        }
        self.goes.next = self.pending.q.val().any() & !self.awaiting.q.val() & !self.hold.val();
        self.request.next = self.goes.val();
        self.vector.next = self.current.q.val();
        self.lines.next = 0.into();
        self.rest.next = self.pending.q.val();
        if self.done.val() {
            self.awaiting.d.next = false;
        }
        if self.goes.val() {
            self.vector.next = self.lowest.val();
            self.current.d.next = self.lowest.val();
            self.lines.next = self.line.val();
            self.rest.next = self.pending.q.val() & !self.line.val();
            self.awaiting.d.next = !self.done.val();
        }
        self.raised.next = 0.into();
        for i in 0..16 {
            if self.msix_valid.val() & (self.msix_vector.val() == self.wide[i].val()) {
                self.raised.next = self.bit[i].val();
            }
        }
        self.pending.d.next = self.rest.val() | self.raised.val();
        if self.reset.val() {
            self.pending.d.next = 0.into();
            self.awaiting.d.next = false;
        }
    }
}
