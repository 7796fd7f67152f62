//! One-cycle operations: addition, subtraction, comparison, bitwise logic.

use rust_hdl_core::prelude::*;

use super::{ADD, AND, EQ, GT, ISZERO, LT, NOT, OR, SGT, SLT, SUB, XOR, block, code};

/// Combinational unit of ADD SUB LT GT SLT SGT EQ ISZERO AND OR XOR NOT; any other opcode gives 0.
///
/// One carry chain serves addition, subtraction and every ordering: `a − b` borrows exactly when `a < b`.
#[derive(LogicBlock)]
pub struct Alu {
    /// Opcode byte.
    pub op: Signal<In, Bits<8>>,
    /// Top of the stack.
    pub a: Signal<In, Bits<256>>,
    /// Second word of the stack.
    pub b: Signal<In, Bits<256>>,
    /// The result.
    pub y: Signal<Out, Bits<256>>,

    is_add: Signal<Local, Bit>,
    is_sub: Signal<Local, Bit>,
    is_logic: Signal<Local, Bit>,
    logic_kind: Signal<Local, Bits<2>>,
    // The chain: a carry-in below both operands, a carry-out above them.
    left: Signal<Local, Bits<258>>,
    right: Signal<Local, Bits<258>>,
    addend: Signal<Local, Bits<256>>,
    carry_in: Signal<Local, Bits<1>>,
    chain: Signal<Local, Bits<258>>,
    sum: Signal<Local, Bits<256>>,
    logic: Signal<Local, Bits<256>>,
    difference: Signal<Local, Bits<256>>,
    equal: Signal<Local, Bit>,
    below: Signal<Local, Bit>,
    above: Signal<Local, Bit>,
    signs_differ: Signal<Local, Bit>,
    flag: Signal<Local, Bit>,

    add: Constant<Bits<8>>,
    sub: Constant<Bits<8>>,
    lt: Constant<Bits<8>>,
    gt: Constant<Bits<8>>,
    slt: Constant<Bits<8>>,
    sgt: Constant<Bits<8>>,
    eq: Constant<Bits<8>>,
    iszero: Constant<Bits<8>>,
    and: Constant<Bits<8>>,
    or: Constant<Bits<8>>,
    xor: Constant<Bits<8>>,
    not: Constant<Bits<8>>,
}

impl Default for Alu {
    fn default() -> Self {
        block! {
            add: code(ADD), sub: code(SUB), lt: code(LT), gt: code(GT), slt: code(SLT), sgt: code(SGT), eq: code(EQ),
            iszero: code(ISZERO), and: code(AND), or: code(OR), xor: code(XOR), not: code(NOT),
            ; op a b y is_add is_sub is_logic logic_kind left right addend carry_in chain sum logic difference
            equal below above signs_differ flag
        }
    }
}

impl Logic for Alu {
    #[hdl_gen]
    fn update(&mut self) {
        self.is_add.next = self.op.val() == self.add.val();
        self.is_sub.next = self.op.val() == self.sub.val();
        self.is_logic.next = (self.op.val() == self.and.val())
            || (self.op.val() == self.or.val())
            || (self.op.val() == self.xor.val())
            || (self.op.val() == self.not.val());

        // Everything but an addition subtracts: a + !b + 1.
        self.addend.next = !self.b.val();
        self.carry_in.next = 1.into();
        if self.is_add.val() {
            self.addend.next = self.b.val();
            self.carry_in.next = 0.into();
        }
        self.left.next = (bit_cast::<258, 256>(self.a.val()) << 1) | 1;
        self.right.next = (bit_cast::<258, 256>(self.addend.val()) << 1)
            | bit_cast::<258, 1>(self.carry_in.val());
        self.chain.next = self.left.val() + self.right.val();
        self.sum.next = self.chain.val().get_bits::<256>(1);

        self.difference.next = self.a.val() ^ self.b.val();
        self.equal.next = !self.difference.val().any();
        self.below.next = !self.chain.val().get_bit(257);
        self.above.next = self.chain.val().get_bit(257) && !self.equal.val();
        self.signs_differ.next = self.difference.val().get_bit(255);

        // Two select bits and two operand bits make one four-input function a bit.
        self.logic_kind.next = 0.into();
        if self.op.val() == self.or.val() {
            self.logic_kind.next = 1.into();
        }
        if self.op.val() == self.xor.val() {
            self.logic_kind.next = 2.into();
        }
        if self.op.val() == self.not.val() {
            self.logic_kind.next = 3.into();
        }
        match self.logic_kind.val().index() {
            0 => self.logic.next = self.a.val() & self.b.val(),
            1 => self.logic.next = self.a.val() | self.b.val(),
            2 => self.logic.next = self.difference.val(),
            _ => self.logic.next = !self.a.val(),
        }

        self.flag.next = false;
        if self.op.val() == self.lt.val() {
            self.flag.next = self.below.val();
        }
        if self.op.val() == self.gt.val() {
            self.flag.next = self.above.val();
        }
        // Where the signs differ the negative one is smaller, and unsigned order is the opposite.
        if self.op.val() == self.slt.val() {
            self.flag.next = self.below.val() ^ self.signs_differ.val();
        }
        if self.op.val() == self.sgt.val() {
            self.flag.next = self.above.val() ^ self.signs_differ.val();
        }
        if self.op.val() == self.eq.val() {
            self.flag.next = self.equal.val();
        }
        if self.op.val() == self.iszero.val() {
            self.flag.next = !self.a.val().any();
        }

        if self.is_add.val() || self.is_sub.val() {
            self.y.next = self.sum.val();
        } else if self.is_logic.val() {
            self.y.next = self.logic.val();
        } else if self.flag.val() {
            self.y.next = 1.into();
        } else {
            self.y.next = 0.into();
        }
    }
}
