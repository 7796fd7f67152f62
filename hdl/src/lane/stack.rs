//! The stacks of all open frames, 1,024 words together: the two topmost in registers, the rest in RAM.
//!
//! Element `k` counted from the bottom lies in RAM cell `k` unless it is one of the top two. The RAM
//! reads one word ahead, so that an opcode finds three operands: `top`, `second`, `third`.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

use crate::prim::Ram;

/// What an instruction does to the stack.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum StackOp {
    /// Nothing.
    None,
    /// Pushes the result.
    Push,
    /// Drops one word.
    Pop,
    /// Drops two words. `third` is right two cycles later; until then neither Pop2 nor a Swap or DUP beyond `second`.
    Pop2,
    /// Drops two words, pushes the result.
    Binary,
    /// Replaces the top with the result.
    Unary,
    /// Exchanges the top with the n-th word below it.
    Swap,
    /// Empties the stack.
    Clear,
    /// After two pushes of anything: these are dropped, what was below them stays in the RAM, and an empty
    /// stack begins above.
    Enter,
    /// Drops the stack, and goes on with two words of anything on the one below, which begins at
    /// `outer`: `Pop2` brings its own words back.
    Leave,
}

/// The stack.
#[derive(LogicBlock, Default)]
pub struct Stack {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Operation of this cycle, unless `stop`.
    pub plan: Signal<In, StackOp>,
    /// Nothing happens; but what was to be read ahead, is.
    pub stop: Signal<In, Bit>,
    /// The result to push.
    pub result: Signal<In, Bits<256>>,
    /// Read ahead for DUP and SWAP: the word `ahead` below the top stands in `third` a cycle later.
    /// 2 is the third operand.
    pub ahead: Signal<In, Bits<5>>,
    /// Swap distance, 1 to 16.
    pub distance: Signal<In, Bits<5>>,
    /// Top word.
    pub top: Signal<Out, Bits<256>>,
    /// Word below it.
    pub second: Signal<Out, Bits<256>>,
    /// The word read ahead.
    pub third: Signal<Out, Bits<256>>,
    /// It is the second word, which `second` shows: nothing was read ahead.
    pub late: Signal<Out, Bit>,
    /// Words on the stack, 0 to 1,024.
    pub depth: Signal<Out, Bits<11>>,
    /// Words on all stacks, 0 to 1,024.
    pub all: Signal<Out, Bits<11>>,
    /// Words below the stack.
    pub floor: Signal<Out, Bits<11>>,
    /// Words below the stack that `Leave` goes back to.
    pub outer: Signal<In, Bits<11>>,
    ram: Ram<10, 256>,
    s0: DFF<Bits<256>>,
    s1: DFF<Bits<256>>,
    count: DFF<Bits<11>>,
    base: DFF<Bits<11>>,
    op: Signal<Local, StackOp>,
    planned: Signal<Local, Bits<11>>,
    own: Signal<Local, Bits<11>>,
    /// The second word is to be refilled: it is what was read.
    stale: DFF<Bit>,
    refill: Signal<Local, Bit>,
    under: Signal<Local, Bits<256>>,
    depth_next: Signal<Local, Bits<11>>,
    /// The read met the write: the word written stands in for it.
    met: DFF<Bit>,
    written: DFF<Bits<256>>,
    lower: Signal<Local, Bits<256>>,
    below: Signal<Local, Bits<11>>,
    read_at: Signal<Local, Bits<11>>,
    write_at: Signal<Local, Bits<11>>,
}

impl Logic for Stack {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, s0, s1, count, base, stale, met, written);
        self.ram.clock.next = self.clock.val();
        self.top.next = self.s0.q.val();
        self.lower.next = self.ram.rdata.val();
        if self.met.q.val() {
            self.lower.next = self.written.q.val();
        }
        self.third.next = self.lower.val();
        self.late.next = self.stale.q.val();
        self.under.next = self.s1.q.val();
        if self.stale.q.val() {
            self.under.next = self.lower.val();
        }
        self.second.next = self.under.val();
        self.own.next = self.count.q.val() - self.base.q.val();
        self.depth.next = self.own.val();
        self.all.next = self.count.q.val();
        self.floor.next = self.base.q.val();

        self.op.next = self.plan.val();
        if self.stop.val() {
            self.op.next = StackOp::None;
        }
        // The address is that after what was to happen, whether or not that stops: a stack that stopped is read anew.
        self.planned.next = self.count.q.val();
        self.refill.next = false;
        match self.plan.val() {
            StackOp::Push => {
                self.planned.next = self.count.q.val() + 1;
            }
            StackOp::Pop => {
                self.planned.next = self.count.q.val() - 1;
                self.refill.next = self.stale.q.val();
            }
            StackOp::Pop2 => {
                self.planned.next = self.count.q.val() - 2;
                self.refill.next = true;
            }
            StackOp::Binary => {
                self.planned.next = self.count.q.val() - 1;
                self.refill.next = self.stale.q.val();
            }
            StackOp::Clear => {
                self.planned.next = 0.into();
            }
            StackOp::Enter => {
                self.planned.next = self.count.q.val() - 2;
            }
            StackOp::Leave => {
                self.planned.next = self.base.q.val() + 2;
            }
            _ => {}
        }
        self.depth_next.next = self.count.q.val();
        if !self.stop.val() {
            self.depth_next.next = self.planned.val();
        }
        self.ram.we.next = false;
        self.write_at.next = self.count.q.val() - 2;
        self.ram.wdata.next = self.under.val();
        self.below.next = bit_cast::<11, 5>(self.ahead.val()) + 1;
        self.s1.d.next = self.under.val();
        match self.op.val() {
            StackOp::None => {}
            StackOp::Push => {
                self.s0.d.next = self.result.val();
                self.s1.d.next = self.s0.q.val();
                self.ram.we.next = self.own.val() > 1;
            }
            StackOp::Pop => {
                self.s0.d.next = self.under.val();
                self.s1.d.next = self.lower.val();
            }
            StackOp::Pop2 => {
                self.s0.d.next = self.lower.val();
            }
            StackOp::Binary => {
                self.s0.d.next = self.result.val();
                self.s1.d.next = self.lower.val();
            }
            StackOp::Unary => {
                self.s0.d.next = self.result.val();
            }
            StackOp::Swap => {
                if self.distance.val() == 1 {
                    self.s0.d.next = self.under.val();
                    self.s1.d.next = self.s0.q.val();
                } else {
                    self.s0.d.next = self.lower.val();
                    self.ram.we.next = true;
                    self.ram.wdata.next = self.s0.q.val();
                    self.write_at.next =
                        (self.count.q.val() - 1) - bit_cast::<11, 5>(self.distance.val());
                }
            }
            StackOp::Clear => {
                self.base.d.next = 0.into();
            }
            StackOp::Enter => {
                self.base.d.next = self.count.q.val() - 2;
            }
            StackOp::Leave => {
                self.base.d.next = self.outer.val();
            }
        }
        self.count.d.next = self.depth_next.val();
        // The word to refill the second with is read instead of what was to be read ahead.
        self.stale.d.next = self.refill.val() & !self.stop.val();
        if self.refill.val() {
            self.below.next = 2.into();
        }
        self.read_at.next = self.planned.val() - self.below.val();
        self.ram.raddr.next = self.read_at.val().get_bits::<10>(0);
        self.ram.waddr.next = self.write_at.val().get_bits::<10>(0);
        self.met.d.next = self.ram.we.val() & (self.ram.waddr.val() == self.ram.raddr.val());
        self.written.d.next = self.ram.wdata.val();
    }
}
