//! From bytes of the line to frames.

use gatewei_abi::serial::{CHECK_RESIDUE, ESCAPE, ESCAPED, FLAG};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::FrameCheck;

/// Takes flags and escapes out, and checks. The bytes of a frame come one by one, its check among them, and then
/// `over`, with `good` where the frame was whole: nothing of it counts before.
#[derive(LogicBlock)]
pub struct Deframe {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Forgets what has come of a frame.
    pub reset: Signal<In, Bit>,
    /// Pulse: a byte of the line.
    pub line_valid: Signal<In, Bit>,
    /// The byte.
    pub line_octet: Signal<In, Bits<8>>,
    /// Pulse: a byte of a frame.
    pub valid: Signal<Out, Bit>,
    /// The byte.
    pub octet: Signal<Out, Bits<8>>,
    /// Pulse: the frame ends here, and another begins.
    pub over: Signal<Out, Bit>,
    /// With `over`: it was whole.
    pub good: Signal<Out, Bit>,

    escaped: DFF<Bit>,
    register: DFF<Bits<32>>,
    check: FrameCheck,
    plain: Signal<Local, Bits<8>>,

    flag: Constant<Bits<8>>,
    escape: Constant<Bits<8>>,
    turn: Constant<Bits<8>>,
    fresh: Constant<Bits<32>>,
    residue: Constant<Bits<32>>,
}

impl Default for Deframe {
    fn default() -> Self {
        block! {
            flag: Constant::new(u64::from(FLAG).into()),
            escape: Constant::new(u64::from(ESCAPE).into()),
            turn: Constant::new(u64::from(ESCAPED).into()),
            fresh: Constant::new(u64::from(u32::MAX).into()),
            residue: Constant::new(u64::from(CHECK_RESIDUE).into()),
            ; clock reset line_valid line_octet valid octet over good escaped register check plain
        }
    }
}

impl Logic for Deframe {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, escaped, register);
        self.plain.next = self.line_octet.val();
        if self.escaped.q.val() {
            self.plain.next = self.line_octet.val() ^ self.turn.val();
        }
        self.check.sum.next = self.register.q.val();
        self.check.octet.next = self.plain.val();
        self.octet.next = self.plain.val();
        self.valid.next = false;
        self.over.next = false;
        self.good.next = false;
        if self.line_valid.val() {
            if self.line_octet.val() == self.flag.val() {
                // An escape before a flag is how a sender gives a frame up.
                self.over.next = true;
                self.good.next =
                    !self.escaped.q.val() & (self.register.q.val() == self.residue.val());
                self.escaped.d.next = false;
                self.register.d.next = self.fresh.val();
            } else if self.line_octet.val() == self.escape.val() {
                self.escaped.d.next = true;
            } else {
                self.valid.next = true;
                self.escaped.d.next = false;
                self.register.d.next = self.check.after.val();
            }
        }
        if self.reset.val() {
            self.escaped.d.next = false;
            self.register.d.next = self.fresh.val();
        }
    }
}
