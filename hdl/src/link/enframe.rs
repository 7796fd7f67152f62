//! From frames to bytes of the line.

use gatewei_abi::serial::{CHECK_BYTES, ESCAPE, ESCAPED, FLAG};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::FrameCheck;

/// What goes out next.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Part {
    /// The flag in front, as soon as there is a byte.
    Begin,
    /// The bytes.
    Body,
    /// The check.
    Check,
    /// The flag behind.
    End,
}

/// Puts flags around a frame's bytes, escapes into them, and the check behind them.
#[derive(LogicBlock)]
pub struct Enframe {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Drops what has not gone out.
    pub reset: Signal<In, Bit>,
    /// There is a byte of a frame. It stays until `ready`.
    pub valid: Signal<In, Bit>,
    /// The byte is taken.
    pub ready: Signal<Out, Bit>,
    /// The byte.
    pub octet: Signal<In, Bits<8>>,
    /// It is the frame's last.
    pub last: Signal<In, Bit>,
    /// There is a byte for the line.
    pub line_valid: Signal<Out, Bit>,
    /// It is taken.
    pub line_ready: Signal<In, Bit>,
    /// The byte.
    pub line_octet: Signal<Out, Bits<8>>,

    part: DFF<Part>,
    escaped: DFF<Bit>,
    register: DFF<Bits<32>>,
    left: DFF<Bits<3>>,
    check: FrameCheck,
    plain: Signal<Local, Bits<8>>,
    special: Signal<Local, Bit>,
    goes: Signal<Local, Bit>,

    flag: Constant<Bits<8>>,
    escape: Constant<Bits<8>>,
    turn: Constant<Bits<8>>,
    fresh: Constant<Bits<32>>,
    check_bytes: Constant<Bits<3>>,
    one: Constant<Bits<3>>,
}

impl Default for Enframe {
    fn default() -> Self {
        block! {
            flag: Constant::new(u64::from(FLAG).into()),
            escape: Constant::new(u64::from(ESCAPE).into()),
            turn: Constant::new(u64::from(ESCAPED).into()),
            fresh: Constant::new(u64::from(u32::MAX).into()),
            check_bytes: Constant::new((CHECK_BYTES as u64).into()),
            one: Constant::new(1u64.into()),
            ; clock reset valid ready octet last line_valid line_ready line_octet part escaped register left check
            plain special goes
        }
    }
}

impl Logic for Enframe {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, part, escaped, register, left);
        self.plain.next = self.octet.val();
        if self.part.q.val() == Part::Check {
            self.plain.next = self.register.q.val().get_bits::<8>(0);
        }
        self.special.next =
            (self.plain.val() == self.flag.val()) | (self.plain.val() == self.escape.val());
        self.check.sum.next = self.register.q.val();
        self.check.octet.next = self.octet.val();

        self.ready.next = false;
        self.line_valid.next = false;
        self.line_octet.next = self.flag.val();
        // A byte of the frame, and not the escape in front of it, goes out in this cycle.
        self.goes.next = false;
        match self.part.q.val() {
            Part::Begin => {
                self.line_valid.next = self.valid.val();
                self.register.d.next = self.fresh.val();
                self.left.d.next = self.check_bytes.val();
                if self.valid.val() & self.line_ready.val() {
                    self.part.d.next = Part::Body;
                }
            }
            Part::Body => {
                self.line_valid.next = self.valid.val();
                self.goes.next = self.valid.val() & self.line_ready.val();
            }
            Part::Check => {
                self.line_valid.next = true;
                self.goes.next = self.line_ready.val();
            }
            Part::End => {
                self.line_valid.next = true;
                if self.line_ready.val() {
                    self.part.d.next = Part::Begin;
                }
            }
        }
        if (self.part.q.val() == Part::Body) | (self.part.q.val() == Part::Check) {
            self.line_octet.next = self.plain.val();
            if self.escaped.q.val() {
                self.line_octet.next = self.plain.val() ^ self.turn.val();
            } else if self.special.val() {
                self.line_octet.next = self.escape.val();
                if self.goes.val() {
                    self.escaped.d.next = true;
                }
                self.goes.next = false;
            }
        }
        if self.goes.val() {
            self.escaped.d.next = false;
            if self.part.q.val() == Part::Body {
                self.ready.next = true;
                self.register.d.next = self.check.after.val();
                if self.last.val() {
                    self.part.d.next = Part::Check;
                    self.register.d.next = !self.check.after.val();
                }
            } else {
                self.register.d.next = self.register.q.val() >> 8;
                self.left.d.next = self.left.q.val() - self.one.val();
                if self.left.q.val() == self.one.val() {
                    self.part.d.next = Part::End;
                }
            }
        }
        if self.reset.val() {
            self.part.d.next = Part::Begin;
            self.escaped.d.next = false;
        }
    }
}
