//! What can end a frame between two of its opcodes' actions: revm's checks, in revm's order.

use gatewei_abi::status::{Status, Trap};
use rust_hdl_core::prelude::*;

use super::decode::{Ahead, Decoded};

/// The check of an opcode's first word, of a later charge, and of a fetch.
#[derive(LogicBlock)]
pub struct Check {
    /// An opcode's first word: all that it needs is checked.
    pub entry: Signal<In, Bit>,
    /// The opcode.
    pub instr: Signal<In, Decoded>,
    /// The fork has it.
    pub enabled: Signal<In, Bit>,
    /// The frame is static.
    pub is_static: Signal<In, Bit>,
    /// Words on the stack.
    pub depth: Signal<In, Bits<11>>,
    /// The stacks of all frames together leave no room.
    pub full: Signal<In, Bit>,
    /// Its length must be below 2^64.
    pub sized: Signal<In, Bit>,
    /// It is not.
    pub length_big: Signal<In, Bit>,
    /// A word charges gas beyond the static.
    pub charges: Signal<In, Bit>,
    /// It charges for memory.
    pub expands: Signal<In, Bit>,
    /// Gas does not cover the opcode's static gas.
    pub lacks: Signal<In, Bit>,
    /// Gas does not cover the word's charge.
    pub lacks_charge: Signal<In, Bit>,
    /// An opcode is being fetched, and no page is on its way.
    pub fetch: Signal<In, Bit>,
    /// The message is cancelled.
    pub cancelled: Signal<In, Bit>,
    /// A transfer has failed.
    pub dma_failed: Signal<In, Bit>,
    /// The fetch follows a jump to where no JUMPDEST is.
    pub astray: Signal<In, Bit>,

    /// The opcode goes on.
    pub passed: Signal<Out, Bit>,
    /// What the word does does not happen.
    pub stops: Signal<Out, Bit>,
    /// The frame halts.
    pub halts: Signal<Out, Bit>,
    /// With this status.
    pub status: Signal<Out, Bits<8>>,
    /// The message traps.
    pub traps: Signal<Out, Bit>,
    /// For this reason.
    pub reason: Signal<Out, Bits<8>>,

    ends: Signal<Local, Bit>,
    leaves: Signal<Local, Bit>,
    op: Signal<Local, Decoded>,
    ahead: Signal<Local, Ahead>,
    pops: Signal<Local, Bits<11>>,
    out_of_gas: Constant<Bits<8>>,
    memory_out_of_gas: Constant<Bits<8>>,
    not_found: Constant<Bits<8>>,
    not_activated: Constant<Bits<8>>,
    invalid_jump: Constant<Bits<8>>,
    underflow: Constant<Bits<8>>,
    overflow: Constant<Bits<8>>,
    static_violation: Constant<Bits<8>>,
    invalid_operand: Constant<Bits<8>>,
    trap_opcode: Constant<Bits<8>>,
    trap_stack: Constant<Bits<8>>,
    trap_cancelled: Constant<Bits<8>>,
    trap_dma: Constant<Bits<8>>,
}

impl Default for Check {
    fn default() -> Self {
        let status = |status: Status| Constant::new((status as u64).into());
        let trap = |trap: Trap| Constant::new((trap as u64).into());
        Self {
            entry: Default::default(),
            instr: Default::default(),
            enabled: Default::default(),
            is_static: Default::default(),
            depth: Default::default(),
            full: Default::default(),
            sized: Default::default(),
            length_big: Default::default(),
            charges: Default::default(),
            expands: Default::default(),
            lacks: Default::default(),
            lacks_charge: Default::default(),
            fetch: Default::default(),
            cancelled: Default::default(),
            dma_failed: Default::default(),
            astray: Default::default(),
            passed: Default::default(),
            stops: Default::default(),
            halts: Default::default(),
            status: Default::default(),
            traps: Default::default(),
            reason: Default::default(),
            ends: Default::default(),
            leaves: Default::default(),
            op: Default::default(),
            ahead: Default::default(),
            pops: Default::default(),
            out_of_gas: status(Status::OutOfGas),
            memory_out_of_gas: status(Status::MemoryOutOfGas),
            not_found: status(Status::OpcodeNotFound),
            not_activated: status(Status::NotActivated),
            invalid_jump: status(Status::InvalidJump),
            underflow: status(Status::StackUnderflow),
            overflow: status(Status::StackOverflow),
            static_violation: status(Status::StaticViolation),
            invalid_operand: status(Status::InvalidOperand),
            trap_opcode: trap(Trap::Opcode),
            trap_stack: trap(Trap::Stack),
            trap_cancelled: trap(Trap::Cancelled),
            trap_dma: trap(Trap::Dma),
        }
    }
}

impl Logic for Check {
    #[hdl_gen]
    fn update(&mut self) {
        self.op.next = self.instr.val();
        self.ahead.next = self.op.val().ahead;
        self.pops.next = bit_cast::<11, 5>(self.op.val().pops);
        self.passed.next = false;
        self.ends.next = false;
        self.leaves.next = false;
        self.status.next = self.out_of_gas.val();
        self.reason.next = self.trap_opcode.val();
        if self.entry.val() {
            self.ends.next = true;
            if (self.op.val().defined & self.enabled.val()) & self.op.val().trap {
                self.ends.next = false;
                self.leaves.next = true;
            } else if self.lacks.val() {
                self.status.next = self.out_of_gas.val();
            } else if !self.op.val().defined {
                self.status.next = self.not_found.val();
            } else if !self.enabled.val() {
                self.status.next = self.not_activated.val();
            } else if self.op.val().writes & self.is_static.val() {
                self.status.next = self.static_violation.val();
            } else if self.depth.val() < self.pops.val() {
                self.status.next = self.underflow.val();
                // revm reports a DUP that reaches below the stack as an overflow.
                if self.ahead.val() == Ahead::Dup {
                    self.status.next = self.overflow.val();
                }
            } else if self.op.val().grows & self.depth.val().get_bit(10) {
                self.status.next = self.overflow.val();
            } else if self.op.val().grows & self.full.val() {
                self.ends.next = false;
                self.leaves.next = true;
                self.reason.next = self.trap_stack.val();
            } else if self.sized.val() & self.length_big.val() {
                self.status.next = self.invalid_operand.val();
            } else {
                self.ends.next = false;
                self.passed.next = true;
            }
        }
        if self.charges.val() & self.lacks_charge.val() {
            self.ends.next = true;
            self.status.next = self.out_of_gas.val();
            if self.expands.val() {
                self.status.next = self.memory_out_of_gas.val();
            }
        }
        // A fetch does nothing that would have to be kept from happening.
        self.stops.next = self.ends.val() | self.leaves.val();
        self.halts.next = self.ends.val();
        self.traps.next = self.leaves.val();
        if self.fetch.val() {
            if self.cancelled.val() {
                self.traps.next = true;
                self.reason.next = self.trap_cancelled.val();
            } else if self.dma_failed.val() {
                self.traps.next = true;
                self.reason.next = self.trap_dma.val();
            } else if self.astray.val() {
                self.halts.next = true;
                self.status.next = self.invalid_jump.val();
            }
        }
    }
}
