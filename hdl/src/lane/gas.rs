//! Gas and refunds.

use gatewei_abi::message::price;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

use super::microcode::word::Act;

/// The gas counter of the executing frame, the refund counter of all frames, and the gas that passes from one
/// frame to another.
#[derive(LogicBlock)]
pub struct GasMeter {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// What this cycle's word does: `Start`, and the steps of a call.
    pub act: Signal<In, Act>,
    /// Gas limit of the first frame.
    pub limit: Signal<In, Bits<64>>,
    /// Gas that a call asks for.
    pub request: Signal<In, Bits<256>>,
    /// Gas of the frame that goes on, as it was when it called; or what a precompiled contract leaves.
    pub saved_gas: Signal<In, Bits<64>>,
    /// The refund counter at that time.
    pub saved_refund: Signal<In, Bits<64>>,
    /// What the frame did stands: it neither reverted nor halted.
    pub success: Signal<In, Bit>,
    /// The frame ended in an exceptional halt, which consumes its gas.
    pub halted: Signal<In, Bit>,
    /// Charges `cost` where gas covers it.
    pub charge: Signal<In, Bit>,
    /// The charge.
    pub cost: Signal<In, Bits<64>>,
    /// Is charged too: only where there is certainly gas for both (a jump that goes with its PUSH).
    pub also: Signal<In, Bits<4>>,
    /// Charges one, without anything else: only where there is gas (a JUMPDEST that is passed while it is fetched).
    pub one: Signal<In, Bit>,
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
    /// Gas that passes to another frame.
    pub granted: Signal<Out, Bits<64>>,
    left: DFF<Bits<64>>,
    back: DFF<Bits<64>>,
    grant: DFF<Bits<64>>,
    difference: Signal<Local, Bits<64>>,
    missing: Signal<Local, Bit>,
    most: Signal<Local, Bits<64>>,
    base: Signal<Local, Bits<64>>,
    sum: Signal<Local, Bits<64>>,
    stipend: Constant<Bits<64>>,
}

impl Default for GasMeter {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            act: Default::default(),
            limit: Default::default(),
            request: Default::default(),
            saved_gas: Default::default(),
            saved_refund: Default::default(),
            success: Default::default(),
            halted: Default::default(),
            charge: Default::default(),
            cost: Default::default(),
            also: Default::default(),
            one: Default::default(),
            refund: Default::default(),
            unrefund: Default::default(),
            amount: Default::default(),
            gas: Default::default(),
            after: Default::default(),
            lacks: Default::default(),
            refunds: Default::default(),
            granted: Default::default(),
            left: Default::default(),
            back: Default::default(),
            grant: Default::default(),
            difference: Default::default(),
            missing: Default::default(),
            most: Default::default(),
            base: Default::default(),
            sum: Default::default(),
            stipend: Constant::new(price::STIPEND.into()),
        }
    }
}

impl Logic for GasMeter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, left, back, grant);
        self.difference.next = self.left.q.val() - self.cost.val();
        self.missing.next = self.left.q.val() < self.cost.val();
        self.gas.next = self.left.q.val();
        self.after.next = self.difference.val();
        self.lacks.next = self.missing.val();
        self.refunds.next = self.back.q.val();
        self.granted.next = self.grant.q.val();
        // EIP-150: all but one 64th.
        self.most.next = self.left.q.val() - (self.left.q.val() >> 6);
        self.base.next = self.left.q.val();
        if self.act.val() == Act::LoadMachine {
            self.base.next = self.saved_gas.val();
        }
        if self.act.val() == Act::Stipend {
            self.base.next = self.stipend.val();
        }
        self.sum.next = self.base.val() + self.grant.q.val();
        if self.charge.val() & !self.missing.val() {
            self.left.d.next = self.difference.val() - bit_cast::<64, 4>(self.also.val());
        }
        if self.one.val() {
            self.left.d.next = self.left.q.val() - 1;
        }
        if self.refund.val() {
            self.back.d.next = self.back.q.val() + self.amount.val();
        }
        if self.unrefund.val() {
            self.back.d.next = self.back.q.val() - self.amount.val();
        }
        match self.act.val() {
            Act::Start => {
                self.left.d.next = self.limit.val();
                self.back.d.next = 0.into();
            }
            Act::Grant => {
                self.grant.d.next = self.request.val().get_bits::<64>(0);
                if self.request.val().get_bits::<192>(64).any() {
                    self.grant.d.next = 0xffff_ffff_ffff_ffff_u64.into();
                }
            }
            Act::Forward => {
                if self.grant.q.val() > self.most.val() {
                    self.grant.d.next = self.most.val();
                }
            }
            Act::GrantAll => {
                self.grant.d.next = 0xffff_ffff_ffff_ffff_u64.into();
            }
            Act::GrantNone => {
                self.grant.d.next = 0.into();
            }
            Act::Stipend => {
                self.grant.d.next = self.sum.val();
            }
            Act::Enter => {
                self.left.d.next = self.grant.q.val();
            }
            Act::AnswerGas => {
                self.grant.d.next = self.saved_gas.val();
            }
            Act::Refill => {
                self.left.d.next = self.sum.val();
            }
            Act::Leave => {
                self.grant.d.next = self.left.q.val();
                if self.halted.val() {
                    self.grant.d.next = 0.into();
                }
            }
            Act::LoadMachine => {
                self.left.d.next = self.sum.val();
                if !self.success.val() {
                    self.back.d.next = self.saved_refund.val();
                }
            }
            _ => {}
        }
    }
}
