//! A lane's register block: status and performance counters.

use gatewei_abi::regs::lane;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::constant;

/// The registers of `gatewei_abi::regs::lane`. Counters are 32 bits, wrap, and survive `CONTROL`'s reset.
#[derive(LogicBlock)]
pub struct LaneRegisters {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Power-on reset.
    pub reset: Signal<In, Bit>,
    /// Byte offset to read.
    pub offset: Signal<In, Bits<6>>,
    /// Its value in the same cycle; 0 where there is no register.
    pub value: Signal<Out, Bits<32>>,

    /// The lane has a message.
    pub busy: Signal<In, Bit>,
    /// The lane awaits an answer of the host.
    pub waiting: Signal<In, Bit>,
    /// The lane awaits a Keccak engine.
    pub stall_keccak: Signal<In, Bit>,
    /// The lane awaits the DMA.
    pub stall_dma: Signal<In, Bit>,
    /// The lane awaits its multi-cycle arithmetic unit.
    pub stall_arith: Signal<In, Bit>,
    /// Pulse: an opcode retires.
    pub retire: Signal<In, Bit>,
    /// Its program counter.
    pub retire_pc: Signal<In, Bits<32>>,
    /// Command id of the running message.
    pub running_id: Signal<In, Bits<32>>,
    /// Messages that wait in front of the lane.
    pub queued: Signal<In, Bits<8>>,
    /// Pulse: a message completed.
    pub message: Signal<In, Bit>,

    pc: DFF<Bits<32>>,
    busy_cycles: DFF<Bits<32>>,
    retired: DFF<Bits<32>>,
    host_cycles: DFF<Bits<32>>,
    keccak_cycles: DFF<Bits<32>>,
    dma_cycles: DFF<Bits<32>>,
    arith_cycles: DFF<Bits<32>>,
    messages: DFF<Bits<32>>,
    status: Signal<Local, Bits<32>>,

    one: Constant<Bits<32>>,
    busy_bit: Constant<Bits<32>>,
    waiting_bit: Constant<Bits<32>>,
    status_at: Constant<Bits<6>>,
    command_at: Constant<Bits<6>>,
    pc_at: Constant<Bits<6>>,
    busy_at: Constant<Bits<6>>,
    retired_at: Constant<Bits<6>>,
    stall_host_at: Constant<Bits<6>>,
    stall_keccak_at: Constant<Bits<6>>,
    stall_dma_at: Constant<Bits<6>>,
    stall_arith_at: Constant<Bits<6>>,
    messages_at: Constant<Bits<6>>,
}

impl Default for LaneRegisters {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            offset: Default::default(),
            value: Default::default(),
            busy: Default::default(),
            waiting: Default::default(),
            stall_keccak: Default::default(),
            stall_dma: Default::default(),
            stall_arith: Default::default(),
            retire: Default::default(),
            retire_pc: Default::default(),
            running_id: Default::default(),
            queued: Default::default(),
            message: Default::default(),
            pc: Default::default(),
            busy_cycles: Default::default(),
            retired: Default::default(),
            host_cycles: Default::default(),
            keccak_cycles: Default::default(),
            dma_cycles: Default::default(),
            arith_cycles: Default::default(),
            messages: Default::default(),
            status: Default::default(),
            one: constant(1),
            busy_bit: constant(1),
            waiting_bit: constant(2),
            status_at: constant(lane::STATUS.into()),
            command_at: constant(lane::COMMAND.into()),
            pc_at: constant(lane::PC.into()),
            busy_at: constant(lane::BUSY.into()),
            retired_at: constant(lane::RETIRED.into()),
            stall_host_at: constant(lane::STALL_HOST.into()),
            stall_keccak_at: constant(lane::STALL_KECCAK.into()),
            stall_dma_at: constant(lane::STALL_DMA.into()),
            stall_arith_at: constant(lane::STALL_ARITH.into()),
            messages_at: constant(lane::MESSAGES.into()),
        }
    }
}

impl Logic for LaneRegisters {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            pc,
            busy_cycles,
            retired,
            host_cycles,
            keccak_cycles,
            dma_cycles,
            arith_cycles,
            messages
        );
        if self.busy.val() {
            self.busy_cycles.d.next = self.busy_cycles.q.val() + self.one.val();
        }
        if self.waiting.val() {
            self.host_cycles.d.next = self.host_cycles.q.val() + self.one.val();
        }
        if self.stall_keccak.val() {
            self.keccak_cycles.d.next = self.keccak_cycles.q.val() + self.one.val();
        }
        if self.stall_dma.val() {
            self.dma_cycles.d.next = self.dma_cycles.q.val() + self.one.val();
        }
        if self.stall_arith.val() {
            self.arith_cycles.d.next = self.arith_cycles.q.val() + self.one.val();
        }
        if self.retire.val() {
            self.retired.d.next = self.retired.q.val() + self.one.val();
            self.pc.d.next = self.retire_pc.val();
        }
        if self.message.val() {
            self.messages.d.next = self.messages.q.val() + self.one.val();
        }

        self.status.next = bit_cast::<32, 8>(self.queued.val()) << 8;
        self.value.next = 0.into();
        if self.offset.val() == self.status_at.val() {
            self.value.next = self.status.val();
            if self.busy.val() & self.waiting.val() {
                self.value.next = self.status.val() | self.busy_bit.val() | self.waiting_bit.val();
            } else if self.busy.val() {
                self.value.next = self.status.val() | self.busy_bit.val();
            } else if self.waiting.val() {
                self.value.next = self.status.val() | self.waiting_bit.val();
            }
        }
        if self.offset.val() == self.command_at.val() {
            self.value.next = self.running_id.val();
        }
        if self.offset.val() == self.pc_at.val() {
            self.value.next = self.pc.q.val();
        }
        if self.offset.val() == self.busy_at.val() {
            self.value.next = self.busy_cycles.q.val();
        }
        if self.offset.val() == self.retired_at.val() {
            self.value.next = self.retired.q.val();
        }
        if self.offset.val() == self.stall_host_at.val() {
            self.value.next = self.host_cycles.q.val();
        }
        if self.offset.val() == self.stall_keccak_at.val() {
            self.value.next = self.keccak_cycles.q.val();
        }
        if self.offset.val() == self.stall_dma_at.val() {
            self.value.next = self.dma_cycles.q.val();
        }
        if self.offset.val() == self.stall_arith_at.val() {
            self.value.next = self.arith_cycles.q.val();
        }
        if self.offset.val() == self.messages_at.val() {
            self.value.next = self.messages.q.val();
        }

        if self.reset.val() {
            self.pc.d.next = 0.into();
            self.busy_cycles.d.next = 0.into();
            self.retired.d.next = 0.into();
            self.host_cycles.d.next = 0.into();
            self.keccak_cycles.d.next = 0.into();
            self.dma_cycles.d.next = 0.into();
            self.arith_cycles.d.next = 0.into();
            self.messages.d.next = 0.into();
        }
    }
}
