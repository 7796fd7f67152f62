//! The multi-cycle unit: multiplication, division, modular arithmetic, exponentiation.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::divide::Divide;
use super::multiply::Multiply;
use super::operands::Operands;
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
    /// Takes opcode and operands, which need not stay. Not while `busy`.
    pub start: Signal<In, Bit>,
    /// Opcode byte.
    pub op: Signal<In, Bits<8>>,
    /// Top of the stack.
    pub a: Signal<In, Bits<256>>,
    /// Second word of the stack.
    pub b: Signal<In, Bits<256>>,
    /// Third word of the stack.
    pub c: Signal<In, Bits<256>>,
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

    // Operands as taken.
    operands: Operands,
    a_q: DFF<Bits<256>>,
    carry_q: DFF<Bit>,
    b_q: DFF<Bits<256>>,
    divisor_q: DFF<Bits<256>>,
    negative_q: DFF<Bit>,
    // The divisor is 0, or the modulus 0 or 1: the result is 0.
    vanishes: Signal<Local, Bit>,

    // The result: 0 nothing, 1 the product, 2 register a, 3 quotient or remainder.
    source: DFF<Bits<2>>,
    high_first: Signal<Local, Bit>,
    divided: Signal<Local, Bits<256>>,
    divided_signed: Signal<Local, Bits<256>>,

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
            ; clock reset start op a b c busy done y multiplier divider power state operands op_q is_mul
            is_quotient is_remainder is_modular is_mulmod is_exp a_q carry_q b_q divisor_q negative_q vanishes source
            high_first divided divided_signed
        }
    }
}

impl Logic for Arith {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, state, op_q, a_q, carry_q, b_q, divisor_q, negative_q, source
        );
        self.multiplier.clock.next = self.clock.val();
        self.multiplier.reset.next = self.reset.val();
        self.divider.clock.next = self.clock.val();
        self.divider.reset.next = self.reset.val();
        self.power.clock.next = self.clock.val();
        self.power.reset.next = self.reset.val();

        self.operands.op.next = self.op.val();
        self.operands.a.next = self.a.val();
        self.operands.b.next = self.b.val();
        self.operands.c.next = self.c.val();

        // Decoding for all later cycles.
        self.is_mul.next = self.op_q.q.val() == self.mul.val();
        self.is_quotient.next =
            (self.op_q.q.val() == self.div.val()) || (self.op_q.q.val() == self.sdiv.val());
        self.is_remainder.next =
            (self.op_q.q.val() == self.mod_.val()) || (self.op_q.q.val() == self.smod.val());
        self.is_mulmod.next = self.op_q.q.val() == self.mulmod.val();
        self.is_modular.next = self.is_mulmod.val() || (self.op_q.q.val() == self.addmod.val());
        self.is_exp.next = self.op_q.q.val() == self.exp.val();
        self.vanishes.next = !self.divisor_q.q.val().get_bits::<255>(1).any()
            && (self.is_modular.val() || !self.divisor_q.q.val().get_bit(0));

        self.multiplier.start.next = false;
        self.multiplier.wide.next = self.is_mulmod.val();
        self.multiplier.square.next = self.is_exp.val() && self.power.square.val();
        self.multiplier.a.next = self.a_q.q.val();
        self.multiplier.b.next = self.b_q.q.val();
        self.divider.start.next = false;
        self.divider.keep.next = false;
        self.divider.carry.next = false;
        // The product of a MULMOD: the high half first, if there is one; its remainder goes in front of the low half.
        self.high_first.next =
            (self.state.q.val() == ArithState::Product) & self.multiplier.high.val().any();
        self.divider.n.next = self.a_q.q.val();
        if self.is_mulmod.val() {
            self.divider.n.next = self.multiplier.low.val();
            if self.high_first.val() {
                self.divider.n.next = self.multiplier.high.val();
            }
        }
        self.divider.d.next = self.divisor_q.q.val();
        self.power.start.next = false;
        self.power.base.next = self.b_q.q.val();
        self.power.value.next = self.a_q.q.val();
        self.power.exponent.next = self.divisor_q.q.val();
        self.power.multiplied.next = self.multiplier.done.val();

        self.done.next = false;
        match self.state.q.val() {
            ArithState::Idle => {
                if self.start.val() {
                    self.state.d.next = ArithState::Decide;
                    self.op_q.d.next = self.op.val();
                    self.a_q.d.next = self.operands.value.val();
                    self.carry_q.d.next = self.operands.carry.val();
                    self.b_q.d.next = self.operands.factor.val();
                    self.divisor_q.d.next = self.operands.divisor.val();
                    self.negative_q.d.next = self.operands.negative.val();
                }
            }
            ArithState::Decide => {
                self.state.d.next = ArithState::Finish;
                self.source.d.next = 0.into();
                if self.is_mul.val() {
                    self.source.d.next = 1.into();
                    self.multiplier.start.next = true;
                    self.state.d.next = ArithState::Product;
                } else if self.is_exp.val() {
                    self.source.d.next = 2.into();
                    self.power.start.next = true;
                    self.state.d.next = ArithState::Power;
                    if self.power.shortcut.val() {
                        self.a_q.d.next = self.power.direct.val();
                        self.state.d.next = ArithState::Finish;
                    }
                } else if self.vanishes.val() {
                    self.state.d.next = ArithState::Finish;
                } else if self.is_mulmod.val() {
                    self.source.d.next = 3.into();
                    self.multiplier.start.next = true;
                    self.state.d.next = ArithState::Product;
                } else if self.is_quotient.val() || self.is_remainder.val() || self.is_modular.val()
                {
                    self.source.d.next = 3.into();
                    self.divider.start.next = true;
                    self.divider.carry.next = self.carry_q.q.val();
                    self.state.d.next = ArithState::Division;
                }
            }
            ArithState::Product => {
                if self.multiplier.done.val() {
                    if self.is_mulmod.val() {
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
                if self.power.load.val() {
                    self.a_q.d.next = self.multiplier.low.val();
                }
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
        self.divided.next = self.divider.result.val();
        self.divided_signed.next = self.divided.val();
        if self.negative_q.q.val() {
            self.divided_signed.next = !self.divided.val();
        }
        match self.source.q.val().index() {
            0 => self.y.next = 0.into(),
            1 => self.y.next = self.multiplier.low.val(),
            2 => self.y.next = self.a_q.q.val(),
            _ => self.y.next = self.divided_signed.val() + self.negative_q.q.val(),
        }
    }
}
