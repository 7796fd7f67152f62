//! Sends a submission where it belongs.

use core::mem::offset_of;

use gatewei_abi::command::{Submission, op};
use rust_hdl_core::prelude::*;

use super::{array, constant, indices};

// The slices of the entry below are those of the layout.
const _: () = assert!(
    offset_of!(Submission, op) == 0
        && offset_of!(Submission, failed) == 1
        && offset_of!(Submission, lane) == 2
        && offset_of!(Submission, command) == 4
        && offset_of!(Submission, address) == 8
        && offset_of!(Submission, result) == 16
        && offset_of!(Submission, capacity) == 24
        && offset_of!(Submission, tag) == 28
        && offset_of!(Submission, value) == 32
);

/// Decodes a submission, combinationally: `EXEC` into the lane's queue (or, where that is full, a trap),
/// `REPLY` past that queue to the lane, `CANCEL` to both. What fits nowhere is dropped and counted.
/// Only an `EXEC` to a full queue can wait, for its trap to be taken.
#[derive(LogicBlock)]
pub struct Dispatch<const LANES: usize> {
    /// A submission is here.
    pub entry_valid: Signal<In, Bit>,
    /// It is done with.
    pub entry_ready: Signal<Out, Bit>,
    /// Its first beat.
    pub entry_low: Signal<In, Bits<256>>,
    /// Its second beat.
    pub entry_high: Signal<In, Bits<256>>,

    /// `EXEC`: into the lane's queue.
    pub push: [Signal<Out, Bit>; LANES],
    /// The lane's queue has no room.
    pub full: [Signal<In, Bit>; LANES],
    /// `EXEC`: bus address of the message.
    pub address: Signal<Out, Bits<64>>,
    /// `EXEC`: bus address of the result buffer.
    pub result: Signal<Out, Bits<64>>,
    /// `EXEC`: bytes of the result buffer.
    pub capacity: Signal<Out, Bits<32>>,

    /// `REPLY`: pulse for the lane.
    pub reply_valid: [Signal<Out, Bit>; LANES],
    /// The lane awaited it.
    pub reply_taken: [Signal<In, Bit>; LANES],
    /// `REPLY`: the host could not answer.
    pub reply_failed: Signal<Out, Bit>,
    /// `REPLY`: the request's tag.
    pub reply_tag: Signal<Out, Bits<32>>,
    /// `REPLY`: the answer.
    pub reply_value: Signal<Out, Bits<256>>,

    /// `CANCEL`: pulse for the lane and its queue.
    pub cancel_valid: [Signal<Out, Bit>; LANES],

    /// An `EXEC` found its lane's queue full.
    pub trap_valid: Signal<Out, Bit>,
    /// Its completion is taken.
    pub trap_ready: Signal<In, Bit>,

    /// Command id of the submission.
    pub command: Signal<Out, Bits<32>>,
    /// Lane of the submission.
    pub lane: Signal<Out, Bits<16>>,
    /// Pulse: the submission was dropped.
    pub dropped: Signal<Out, Bit>,

    code: Signal<Local, Bits<8>>,
    failed: Signal<Local, Bits<8>>,
    which: Signal<Local, Bits<16>>,
    mine: [Signal<Local, Bit>; LANES],
    is_full: Signal<Local, Bit>,
    is_taken: Signal<Local, Bit>,
    in_range: Signal<Local, Bit>,

    exec: Constant<Bits<8>>,
    reply: Constant<Bits<8>>,
    cancel: Constant<Bits<8>>,
    number: [Constant<Bits<16>>; LANES],
}

impl<const LANES: usize> Default for Dispatch<LANES> {
    fn default() -> Self {
        Self {
            entry_valid: Default::default(),
            entry_ready: Default::default(),
            entry_low: Default::default(),
            entry_high: Default::default(),
            push: array(),
            full: array(),
            address: Default::default(),
            result: Default::default(),
            capacity: Default::default(),
            reply_valid: array(),
            reply_taken: array(),
            reply_failed: Default::default(),
            reply_tag: Default::default(),
            reply_value: Default::default(),
            cancel_valid: array(),
            trap_valid: Default::default(),
            trap_ready: Default::default(),
            command: Default::default(),
            lane: Default::default(),
            dropped: Default::default(),
            code: Default::default(),
            failed: Default::default(),
            which: Default::default(),
            mine: array(),
            is_full: Default::default(),
            is_taken: Default::default(),
            in_range: Default::default(),
            exec: constant(op::EXEC.into()),
            reply: constant(op::REPLY.into()),
            cancel: constant(op::CANCEL.into()),
            number: indices(),
        }
    }
}

impl<const LANES: usize> Logic for Dispatch<LANES> {
    #[hdl_gen]
    fn update(&mut self) {
        self.code.next = self.entry_low.val().get_bits::<8>(0);
        self.failed.next = self.entry_low.val().get_bits::<8>(8);
        self.which.next = self.entry_low.val().get_bits::<16>(16);
        self.command.next = self.entry_low.val().get_bits::<32>(32);
        self.address.next = self.entry_low.val().get_bits::<64>(64);
        self.result.next = self.entry_low.val().get_bits::<64>(128);
        self.capacity.next = self.entry_low.val().get_bits::<32>(192);
        self.reply_failed.next = self.failed.val().any();
        self.reply_tag.next = self.entry_low.val().get_bits::<32>(224);
        self.reply_value.next = self.entry_high.val();
        self.lane.next = self.which.val();

        self.in_range.next = false;
        self.is_full.next = false;
        self.is_taken.next = false;
        for i in 0..LANES {
            self.mine[i].next = self.entry_valid.val() & (self.which.val() == self.number[i].val());
            self.push[i].next = false;
            self.reply_valid[i].next = false;
            self.cancel_valid[i].next = false;
            if self.mine[i].val() {
                self.in_range.next = true;
                self.is_full.next = self.full[i].val();
                self.is_taken.next = self.reply_taken[i].val();
                if self.code.val() == self.exec.val() {
                    self.push[i].next = !self.full[i].val();
                }
                if self.code.val() == self.reply.val() {
                    self.reply_valid[i].next = true;
                }
                if self.code.val() == self.cancel.val() {
                    self.cancel_valid[i].next = true;
                }
            }
        }

        self.entry_ready.next = true;
        self.trap_valid.next = false;
        self.dropped.next = false;
        if self.in_range.val() & (self.code.val() == self.exec.val()) {
            self.trap_valid.next = self.is_full.val();
            self.entry_ready.next = !self.is_full.val() | self.trap_ready.val();
        } else if self.in_range.val() & (self.code.val() == self.reply.val()) {
            self.dropped.next = !self.is_taken.val();
        } else if self.in_range.val() & (self.code.val() == self.cancel.val()) {
            self.dropped.next = false;
        } else {
            self.dropped.next = self.entry_valid.val();
        }
    }
}
