//! Operands of the multi-cycle unit: magnitudes, sums and divisors.

use rust_hdl_core::prelude::*;

use super::{ADDMOD, EXP, MULMOD, SDIV, SMOD, block, code};

/// Combinational: what the multi-cycle unit keeps of the stack's words for an opcode.
#[derive(LogicBlock)]
pub struct Operands {
    /// Opcode byte.
    pub op: Signal<In, Bits<8>>,
    /// Top of the stack.
    pub a: Signal<In, Bits<256>>,
    /// Second word of the stack.
    pub b: Signal<In, Bits<256>>,
    /// Third word of the stack.
    pub c: Signal<In, Bits<256>>,
    /// `a`; its magnitude for the signed opcodes; `a` + `b` modulo 2^256 for ADDMOD.
    pub value: Signal<Out, Bits<256>>,
    /// The sum for ADDMOD has a bit more.
    pub carry: Signal<Out, Bit>,
    /// Second factor: `b`; the base, which is `a`, for EXP.
    pub factor: Signal<Out, Bits<256>>,
    /// `b`, its magnitude for the signed opcodes, `c` for the modular ones.
    pub divisor: Signal<Out, Bits<256>>,
    /// The result of SDIV or SMOD is to be negated.
    pub negative: Signal<Out, Bit>,

    signed: Signal<Local, Bit>,
    modular: Signal<Local, Bit>,
    a_negative: Signal<Local, Bit>,
    b_negative: Signal<Local, Bit>,
    // One carry chain adds, or completes a negation.
    left: Signal<Local, Bits<257>>,
    right: Signal<Local, Bits<257>>,
    sum: Signal<Local, Bits<257>>,
    chosen: Signal<Local, Bits<256>>,
    flipped: Signal<Local, Bits<256>>,

    sdiv: Constant<Bits<8>>,
    smod: Constant<Bits<8>>,
    addmod: Constant<Bits<8>>,
    mulmod: Constant<Bits<8>>,
    exp: Constant<Bits<8>>,
}

impl Default for Operands {
    fn default() -> Self {
        block! {
            sdiv: code(SDIV), smod: code(SMOD), addmod: code(ADDMOD), mulmod: code(MULMOD), exp: code(EXP),
            ; op a b c value carry factor divisor negative signed modular a_negative b_negative left right sum chosen
            flipped
        }
    }
}

impl Logic for Operands {
    #[hdl_gen]
    fn update(&mut self) {
        self.signed.next = (self.op.val() == self.sdiv.val()) || (self.op.val() == self.smod.val());
        self.modular.next =
            (self.op.val() == self.addmod.val()) || (self.op.val() == self.mulmod.val());
        self.a_negative.next = self.signed.val() && self.a.val().get_bit(255);
        self.b_negative.next = self.signed.val() && self.b.val().get_bit(255);

        self.left.next = bit_cast::<257, 256>(self.a.val());
        if self.a_negative.val() {
            self.left.next = bit_cast::<257, 256>(!self.a.val());
        }
        self.right.next = 0.into();
        if self.op.val() == self.addmod.val() {
            self.right.next = bit_cast::<257, 256>(self.b.val());
        }
        self.sum.next = self.left.val() + self.right.val() + self.a_negative.val();
        self.value.next = self.sum.val().get_bits::<256>(0);
        self.carry.next = self.sum.val().get_bit(256) && self.modular.val();

        self.factor.next = self.b.val();
        if self.op.val() == self.exp.val() {
            self.factor.next = self.a.val();
        }

        self.chosen.next = self.b.val();
        if self.modular.val() {
            self.chosen.next = self.c.val();
        }
        self.flipped.next = self.chosen.val();
        if self.b_negative.val() {
            self.flipped.next = !self.chosen.val();
        }
        self.divisor.next = self.flipped.val() + self.b_negative.val();

        // A remainder has the dividend's sign.
        self.negative.next = self.a_negative.val();
        if self.op.val() == self.sdiv.val() {
            self.negative.next = self.a_negative.val() ^ self.b_negative.val();
        }
    }
}
