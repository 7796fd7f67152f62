//! The multi-cycle unit: multiplication, division, modular arithmetic, exponentiation.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::divide::Divide;
use super::multiply::Multiply;
use super::power::Power;
use super::{ADDMOD, DIV, EXP, MUL, MULMOD, SDIV, SMOD, code};

/// What the unit does in a cycle.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum ArithState {
    /// Waits for `start`; the result stands.
    Idle,
    /// Sends the operands on their way.
    Decide,
    /// Awaits the product.
    Product,
    /// Awaits the remainder of the product's high half.
    HighHalf,
    /// Awaits the last division.
    Division,
    /// Exponentiates.
    Power,
    /// Shows `done` for a result that needed neither multiplier nor divider last.
    Finish,
}

/// Unit of MUL DIV SDIV MOD SMOD ADDMOD MULMOD EXP; any other opcode gives 0.
///
/// It knows no signs, and does not add: SDIV and SMOD divide magnitudes here, ADDMOD divides a sum of up to 257 bits. What
/// is before and behind that is the microcode's.
///
/// Cycles from `start` to `done`, with dm and dd the times of [`Multiply`] and [`Divide`]:
///
/// | opcode | cycles | worst |
/// |---|---|---|
/// | MUL | 1 + dm | 12 |
/// | DIV SDIV MOD SMOD | 1 + dd | 131 |
/// | ADDMOD | 1 + dd | 131 |
/// | MULMOD | 1 + dm + dd (+ dd if the product exceeds 256 bits) | 279 |
/// | EXP with one of the shortcuts of [`Power`] | 2 | 2 |
/// | EXP | [`Power`] | 24 a bit of the exponent below its highest + 11 |
/// | by zero (and modulo one) | 2 | 2 |
#[derive(LogicBlock)]
pub struct Arith {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Abandons the operation.
    pub reset: Signal<In, Bit>,
    /// Takes opcode, `a`, `carry` and, as a factor, `b`, which need not stay. Not while `busy`.
    pub start: Signal<In, Bit>,
    /// Opcode byte.
    pub op: Signal<In, Bits<8>>,
    /// First factor, dividend or base.
    pub a: Signal<In, Bits<256>>,
    /// `a` has a bit more. Only for ADDMOD.
    pub carry: Signal<In, Bit>,
    /// Second factor, with `start`; in the cycle behind it the divisor, modulus or exponent.
    pub b: Signal<In, Bits<256>>,
    /// From the cycle after `start` to that of `done`.
    pub busy: Signal<Out, Bit>,
    /// One cycle, when `y` is valid.
    pub done: Signal<Out, Bit>,
    /// The result, until the next `start`.
    pub y: Signal<Out, Bits<256>>,

    multiplier: Multiply,
    divider: Divide,
    power: Power,
    state: DFF<ArithState>,

    // The opcode, decoded after it was taken.
    op_q: DFF<Bits<8>>,
    is_mul: Signal<Local, Bit>,
    is_quotient: Signal<Local, Bit>,
    is_remainder: Signal<Local, Bit>,
    is_modular: Signal<Local, Bit>,
    is_mulmod: Signal<Local, Bit>,
    is_exp: Signal<Local, Bit>,

    // Operands as taken. The first one, and the accumulator of EXP, is in the divider's low half.
    b_q: DFF<Bits<256>>,
    divisor_q: DFF<Bits<256>>,
    // The divisor is 0, or the modulus 0 or 1: the result is 0.
    vanishes: Signal<Local, Bit>,

    // The result is 0, whatever the opcode.
    vanished: DFF<Bit>,
    // It is the divider's low half.
    in_low: Signal<Local, Bit>,
    high_first: Signal<Local, Bit>,

    mul: Constant<Bits<8>>,
    div: Constant<Bits<8>>,
    sdiv: Constant<Bits<8>>,
    mod_: Constant<Bits<8>>,
    smod: Constant<Bits<8>>,
    addmod: Constant<Bits<8>>,
    mulmod: Constant<Bits<8>>,
    exp: Constant<Bits<8>>,
}

impl Default for Arith {
    fn default() -> Self {
        block! {
            mul: code(MUL), div: code(DIV), sdiv: code(SDIV), mod_: code(super::MOD), smod: code(SMOD),
            addmod: code(ADDMOD), mulmod: code(MULMOD), exp: code(EXP),
            ; clock reset start op a carry b busy done y multiplier divider power state op_q is_mul is_quotient is_remainder
            is_modular is_mulmod is_exp b_q divisor_q vanishes vanished in_low high_first
        }
    }
}

impl Logic for Arith {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, op_q, b_q, divisor_q, vanished);
        self.multiplier.clock.next = self.clock.val();
        self.multiplier.reset.next = self.reset.val();
        self.divider.clock.next = self.clock.val();
        self.divider.reset.next = self.reset.val();
        self.power.clock.next = self.clock.val();
        self.power.reset.next = self.reset.val();

        // Decoding for all later cycles.
        self.is_mul.next = self.op_q.q.val() == self.mul.val();
        self.is_quotient.next =
            (self.op_q.q.val() == self.div.val()) || (self.op_q.q.val() == self.sdiv.val());
        self.is_remainder.next =
            (self.op_q.q.val() == self.mod_.val()) || (self.op_q.q.val() == self.smod.val());
        self.is_mulmod.next = self.op_q.q.val() == self.mulmod.val();
        self.is_modular.next = self.is_mulmod.val() || (self.op_q.q.val() == self.addmod.val());
        self.is_exp.next = self.op_q.q.val() == self.exp.val();
        self.vanishes.next = !self.b.val().get_bits::<255>(1).any()
            && (self.is_modular.val() || !self.b.val().get_bit(0));

        self.multiplier.start.next = false;
        self.multiplier.wide.next = self.is_mulmod.val();
        self.multiplier.square.next = self.is_exp.val() && self.power.square.val();
        self.multiplier.a.next = self.divider.low.val();
        self.multiplier.b.next = self.b_q.q.val();
        self.divider.load.next = false;
        self.divider.start.next = false;
        self.divider.keep.next = false;
        self.divider.carry.next = self.carry.val() & (self.state.q.val() == ArithState::Idle);
        // The product of a MULMOD: the high half first, if there is one; its remainder goes in front of the low half.
        self.high_first.next =
            (self.state.q.val() == ArithState::Product) & self.multiplier.high.val().any();
        self.divider.n.next = self.multiplier.low.val();
        if self.high_first.val() {
            self.divider.n.next = self.multiplier.high.val();
        }
        if self.state.q.val() == ArithState::Idle {
            self.divider.n.next = self.a.val();
        }
        if self.state.q.val() == ArithState::Decide {
            self.divider.n.next = self.power.direct.val();
        }
        self.divider.d.next = self.divisor_q.q.val();
        self.power.start.next = false;
        self.power.base.next = self.b_q.q.val();
        self.power.value.next = self.divider.low.val();
        self.power.exponent.next = self.b.val();
        self.power.kept.next = self.divisor_q.q.val();
        self.power.multiplied.next = self.multiplier.done.val();

        self.done.next = false;
        match self.state.q.val() {
            ArithState::Idle => {
                if self.start.val() {
                    self.state.d.next = ArithState::Decide;
                    self.op_q.d.next = self.op.val();
                    self.divider.load.next = true;
                    self.b_q.d.next = self.b.val();
                    if self.op.val() == self.exp.val() {
                        self.b_q.d.next = self.a.val();
                    }
                }
            }
            ArithState::Decide => {
                self.divisor_q.d.next = self.b.val();
                self.state.d.next = ArithState::Finish;
                self.vanished.d.next = self.vanishes.val();
                if self.is_mul.val() {
                    self.multiplier.start.next = true;
                    self.state.d.next = ArithState::Product;
                } else if self.is_exp.val() {
                    self.power.start.next = true;
                    self.state.d.next = ArithState::Power;
                    if self.power.shortcut.val() {
                        self.divider.load.next = true;
                        self.state.d.next = ArithState::Finish;
                    }
                } else if self.vanishes.val() {
                    // The high half is zero, but for a carry.
                    self.divider.load.next = true;
                } else if self.is_mulmod.val() {
                    self.multiplier.start.next = true;
                    self.state.d.next = ArithState::Product;
                } else if self.is_quotient.val() || self.is_remainder.val() || self.is_modular.val()
                {
                    self.divider.start.next = true;
                    self.state.d.next = ArithState::Division;
                }
            }
            ArithState::Product => {
                if self.multiplier.done.val() {
                    if self.is_mulmod.val() {
                        self.divider.load.next = true;
                        self.divider.start.next = true;
                        self.state.d.next = ArithState::Division;
                        if self.high_first.val() {
                            self.state.d.next = ArithState::HighHalf;
                        }
                    } else {
                        self.done.next = true;
                        self.state.d.next = ArithState::Idle;
                    }
                }
            }
            ArithState::HighHalf => {
                if self.divider.done.val() {
                    self.divider.load.next = true;
                    self.divider.start.next = true;
                    self.divider.keep.next = true;
                    self.state.d.next = ArithState::Division;
                }
            }
            ArithState::Division => {
                if self.divider.done.val() {
                    self.done.next = true;
                    self.state.d.next = ArithState::Idle;
                }
            }
            ArithState::Power => {
                self.multiplier.start.next = self.power.multiply.val();
                self.divider.load.next = self.power.load.val();
                if self.power.done.val() {
                    self.state.d.next = ArithState::Finish;
                }
            }
            ArithState::Finish => {
                self.done.next = true;
                self.state.d.next = ArithState::Idle;
            }
        }
        if self.reset.val() {
            self.state.d.next = ArithState::Idle;
        }
        self.busy.next = self.state.q.val() != ArithState::Idle;

        self.divider.wants_quotient.next = self.is_quotient.val();
        // The divider's high half is zero until it divides.
        self.in_low.next = self.is_exp.val()
            | (self.is_quotient.val() & !(self.vanished.q.val() | self.divider.shifted.val()));
        self.y.next = self.divider.high.val();
        if self.in_low.val() {
            self.y.next = self.divider.low.val();
        }
        if self.is_mul.val() {
            self.y.next = self.multiplier.low.val();
        }
    }
}
