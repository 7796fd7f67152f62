//! Messages that wait in front of a lane.

use gatewei_abi::layout::LANE_QUEUE;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::{array, constant, indices};

const _: () = assert!(LANE_QUEUE == 4, "the pointers have two bits and a round");

/// A FIFO of `LANE_QUEUE` commands. A cancel marks every waiting command with its id; a marked command is
/// not given to the lane but offered as cancelled when its turn comes.
///
/// In the cycle of a cancel nothing is handed over, so that a command is either still here to be marked or
/// already the lane's to abandon.
#[derive(LogicBlock)]
pub struct LaneQueue {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the queue engine.
    pub reset: Signal<In, Bit>,
    /// Adds a command; ignored when full.
    pub push: Signal<In, Bit>,
    /// Command id.
    pub push_id: Signal<In, Bits<32>>,
    /// Bus address of the message.
    pub push_address: Signal<In, Bits<64>>,
    /// Bus address of the result buffer.
    pub push_result: Signal<In, Bits<64>>,
    /// Bytes of the result buffer.
    pub push_capacity: Signal<In, Bits<32>>,
    /// No room.
    pub full: Signal<Out, Bit>,
    /// Commands that wait.
    pub queued: Signal<Out, Bits<8>>,

    /// Pulse: cancel a command.
    pub cancel_valid: Signal<In, Bit>,
    /// Its id.
    pub cancel_id: Signal<In, Bits<32>>,

    /// A command for the lane.
    pub cmd_valid: Signal<Out, Bit>,
    /// The lane takes it.
    pub cmd_ready: Signal<In, Bit>,
    /// Command id; that of the cancelled command, too.
    pub cmd_id: Signal<Out, Bits<32>>,
    /// Bus address of the message.
    pub cmd_address: Signal<Out, Bits<64>>,
    /// Bus address of the result buffer.
    pub cmd_result: Signal<Out, Bits<64>>,
    /// Bytes of the result buffer.
    pub cmd_capacity: Signal<Out, Bits<32>>,
    /// The command in front, `cmd_id`, was cancelled.
    pub cancelled_valid: Signal<Out, Bit>,
    /// Its completion is taken.
    pub cancelled_ready: Signal<In, Bit>,

    id: [DFF<Bits<32>>; LANE_QUEUE],
    address: [DFF<Bits<64>>; LANE_QUEUE],
    result: [DFF<Bits<64>>; LANE_QUEUE],
    capacity: [DFF<Bits<32>>; LANE_QUEUE],
    cancelled: [DFF<Bit>; LANE_QUEUE],
    write: DFF<Bits<3>>,
    read: DFF<Bits<3>>,

    count: Signal<Local, Bits<3>>,
    write_slot: Signal<Local, Bits<2>>,
    read_slot: Signal<Local, Bits<2>>,
    is_full: Signal<Local, Bit>,
    filled: Signal<Local, Bit>,
    front_cancelled: Signal<Local, Bit>,
    give: Signal<Local, Bit>,
    drop: Signal<Local, Bit>,

    slot: [Constant<Bits<2>>; LANE_QUEUE],
    depth: Constant<Bits<3>>,
    one: Constant<Bits<3>>,
}

impl Default for LaneQueue {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            push: Default::default(),
            push_id: Default::default(),
            push_address: Default::default(),
            push_result: Default::default(),
            push_capacity: Default::default(),
            full: Default::default(),
            queued: Default::default(),
            cancel_valid: Default::default(),
            cancel_id: Default::default(),
            cmd_valid: Default::default(),
            cmd_ready: Default::default(),
            cmd_id: Default::default(),
            cmd_address: Default::default(),
            cmd_result: Default::default(),
            cmd_capacity: Default::default(),
            cancelled_valid: Default::default(),
            cancelled_ready: Default::default(),
            id: array(),
            address: array(),
            result: array(),
            capacity: array(),
            cancelled: array(),
            write: Default::default(),
            read: Default::default(),
            count: Default::default(),
            write_slot: Default::default(),
            read_slot: Default::default(),
            is_full: Default::default(),
            filled: Default::default(),
            front_cancelled: Default::default(),
            give: Default::default(),
            drop: Default::default(),
            slot: indices(),
            depth: constant(LANE_QUEUE as u64),
            one: constant(1),
        }
    }
}

impl Logic for LaneQueue {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, write, read);
        self.count.next = self.write.q.val() - self.read.q.val();
        self.is_full.next = self.count.val() == self.depth.val();
        self.filled.next = self.write.q.val() != self.read.q.val();
        self.write_slot.next = self.write.q.val().get_bits::<2>(0);
        self.read_slot.next = self.read.q.val().get_bits::<2>(0);
        self.full.next = self.is_full.val();
        self.queued.next = bit_cast::<8, 3>(self.count.val());

        self.cmd_id.next = 0.into();
        self.cmd_address.next = 0.into();
        self.cmd_result.next = 0.into();
        self.cmd_capacity.next = 0.into();
        self.front_cancelled.next = false;
        for i in 0..LANE_QUEUE {
            self.id[i].clock.next = self.clock.val();
            self.id[i].d.next = self.id[i].q.val();
            self.address[i].clock.next = self.clock.val();
            self.address[i].d.next = self.address[i].q.val();
            self.result[i].clock.next = self.clock.val();
            self.result[i].d.next = self.result[i].q.val();
            self.capacity[i].clock.next = self.clock.val();
            self.capacity[i].d.next = self.capacity[i].q.val();
            self.cancelled[i].clock.next = self.clock.val();
            self.cancelled[i].d.next = self.cancelled[i].q.val();
            if self.cancel_valid.val() & (self.id[i].q.val() == self.cancel_id.val()) {
                self.cancelled[i].d.next = true;
            }
            if self.push.val() & !self.is_full.val() & (self.write_slot.val() == self.slot[i].val())
            {
                self.id[i].d.next = self.push_id.val();
                self.address[i].d.next = self.push_address.val();
                self.result[i].d.next = self.push_result.val();
                self.capacity[i].d.next = self.push_capacity.val();
                self.cancelled[i].d.next = false;
            }
            if self.read_slot.val() == self.slot[i].val() {
                self.cmd_id.next = self.id[i].q.val();
                self.cmd_address.next = self.address[i].q.val();
                self.cmd_result.next = self.result[i].q.val();
                self.cmd_capacity.next = self.capacity[i].q.val();
                self.front_cancelled.next = self.cancelled[i].q.val();
            }
        }

        self.give.next = self.filled.val() & !self.front_cancelled.val() & !self.cancel_valid.val();
        self.drop.next = self.filled.val() & self.front_cancelled.val();
        self.cmd_valid.next = self.give.val();
        self.cancelled_valid.next = self.drop.val();
        if self.push.val() & !self.is_full.val() {
            self.write.d.next = self.write.q.val() + self.one.val();
        }
        if (self.give.val() & self.cmd_ready.val()) | (self.drop.val() & self.cancelled_ready.val())
        {
            self.read.d.next = self.read.q.val() + self.one.val();
        }

        if self.reset.val() {
            self.write.d.next = 0.into();
            self.read.d.next = 0.into();
        }
    }
}
