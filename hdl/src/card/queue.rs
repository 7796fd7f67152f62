//! The queue engine of one queue pair.

use rust_hdl_core::prelude::*;

use super::{Completions, Dispatch, Fetch, LaneQueue, array, constant};

/// Fetches submissions ([`Fetch`]), sends them to lanes ([`Dispatch`], [`LaneQueue`]) and writes what comes
/// back ([`Completions`]). Ring indices run freely modulo 2^16; a ring has `1 << size` entries. After a
/// failed read or write of a ring both directions stop until reset.
#[derive(LogicBlock)]
pub struct QueueEngine<const LANES: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset: power-on or `CONTROL`.
    pub reset: Signal<In, Bit>,
    /// `CONTROL`: queues run.
    pub enable: Signal<In, Bit>,

    /// Submission ring, bus address.
    pub sq_base: Signal<In, Bits<64>>,
    /// Completion ring, bus address.
    pub cq_base: Signal<In, Bits<64>>,
    /// log2 of the rings' entries.
    pub size: Signal<In, Bits<4>>,
    /// Submissions made.
    pub sq_tail: Signal<In, Bits<16>>,
    /// Completions consumed.
    pub cq_head: Signal<In, Bits<16>>,
    /// Interrupts are wanted.
    pub irq_enable: Signal<In, Bit>,
    /// MSI-X vector.
    pub irq_vector: Signal<In, Bits<16>>,
    /// Submissions fetched.
    pub sq_head: Signal<Out, Bits<16>>,
    /// Completions written.
    pub cq_tail: Signal<Out, Bits<16>>,
    /// Bit 0 a read of the ring failed, bit 1 a write failed; until reset.
    pub error: Signal<Out, Bits<2>>,
    /// Pulse: a submission was dropped.
    pub dropped: Signal<Out, Bit>,
    /// Pulse: raise an interrupt.
    pub msix_valid: Signal<Out, Bit>,
    /// Its vector.
    pub msix_vector: Signal<Out, Bits<16>>,

    /// Asks for a burst.
    pub rd_valid: Signal<Out, Bit>,
    /// The request is taken.
    pub rd_ready: Signal<In, Bit>,
    /// Bus address.
    pub rd_addr: Signal<Out, Bits<64>>,
    /// Beats.
    pub rd_beats: Signal<Out, Bits<8>>,
    /// A beat is here.
    pub rdat_valid: Signal<In, Bit>,
    /// The beat is taken.
    pub rdat_ready: Signal<Out, Bit>,
    /// The beat.
    pub rdat_data: Signal<In, Bits<256>>,
    /// It came with an error.
    pub rdat_error: Signal<In, Bit>,
    /// Two beats to write, held until ready.
    pub wr_valid: Signal<Out, Bit>,
    /// They are taken.
    pub wr_ready: Signal<In, Bit>,
    /// Bus address.
    pub wr_addr: Signal<Out, Bits<64>>,
    /// First beat.
    pub wr_low: Signal<Out, Bits<256>>,
    /// Second beat.
    pub wr_high: Signal<Out, Bits<256>>,
    /// Pulse: the oldest write has its response.
    pub wr_done: Signal<In, Bit>,
    /// With `wr_done`: it failed.
    pub wr_failed: Signal<In, Bit>,

    /// A command for the lane.
    pub cmd_valid: [Signal<Out, Bit>; LANES],
    /// The lane takes it.
    pub cmd_ready: [Signal<In, Bit>; LANES],
    /// Command id.
    pub cmd_id: [Signal<Out, Bits<32>>; LANES],
    /// Bus address of the message.
    pub cmd_address: [Signal<Out, Bits<64>>; LANES],
    /// Bus address of the result buffer.
    pub cmd_result: [Signal<Out, Bits<64>>; LANES],
    /// Bytes of the result buffer.
    pub cmd_capacity: [Signal<Out, Bits<32>>; LANES],
    /// Pulse: the lane abandons the running command if it is this one.
    pub cancel_valid: [Signal<Out, Bit>; LANES],
    /// The command to abandon.
    pub cancel_id: Signal<Out, Bits<32>>,
    /// Pulse: an answer of the host.
    pub reply_valid: [Signal<Out, Bit>; LANES],
    /// The lane awaited it (same cycle).
    pub reply_taken: [Signal<In, Bit>; LANES],
    /// The host could not answer.
    pub reply_failed: Signal<Out, Bit>,
    /// The request's tag.
    pub reply_tag: Signal<Out, Bits<32>>,
    /// The answer.
    pub reply_value: Signal<Out, Bits<256>>,
    /// The lane's completion, held until ready.
    pub cpl_valid: [Signal<In, Bit>; LANES],
    /// It is taken.
    pub cpl_ready: [Signal<Out, Bit>; LANES],
    /// Kind.
    pub cpl_kind: [Signal<In, Bits<8>>; LANES],
    /// Code.
    pub cpl_code: [Signal<In, Bits<8>>; LANES],
    /// Tag.
    pub cpl_tag: [Signal<In, Bits<32>>; LANES],
    /// Key.
    pub cpl_key: [Signal<In, Bits<256>>; LANES],
    /// Account that a request is about.
    pub cpl_account: [Signal<In, Bits<16>>; LANES],
    /// Command id.
    pub cpl_id: [Signal<In, Bits<32>>; LANES],

    /// Commands that wait in front of the lane.
    pub queued: [Signal<Out, Bits<8>>; LANES],
    /// Pulse: the lane completed a message.
    pub message: [Signal<Out, Bit>; LANES],

    fetch: Fetch,
    dispatch: Dispatch<LANES>,
    lane_queue: [LaneQueue; LANES],
    completions: Completions<LANES>,

    entries: Signal<Local, Bits<16>>,
    mask: Signal<Local, Bits<16>>,
    run: Signal<Local, Bit>,
    read_error: Signal<Local, Bits<2>>,
    write_error: Signal<Local, Bits<2>>,
    one: Constant<Bits<16>>,
    read_error_bit: Constant<Bits<2>>,
    write_error_bit: Constant<Bits<2>>,
}

impl<const LANES: usize> Default for QueueEngine<LANES> {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            enable: Default::default(),
            sq_base: Default::default(),
            cq_base: Default::default(),
            size: Default::default(),
            sq_tail: Default::default(),
            cq_head: Default::default(),
            irq_enable: Default::default(),
            irq_vector: Default::default(),
            sq_head: Default::default(),
            cq_tail: Default::default(),
            error: Default::default(),
            dropped: Default::default(),
            msix_valid: Default::default(),
            msix_vector: Default::default(),
            rd_valid: Default::default(),
            rd_ready: Default::default(),
            rd_addr: Default::default(),
            rd_beats: Default::default(),
            rdat_valid: Default::default(),
            rdat_ready: Default::default(),
            rdat_data: Default::default(),
            rdat_error: Default::default(),
            wr_valid: Default::default(),
            wr_ready: Default::default(),
            wr_addr: Default::default(),
            wr_low: Default::default(),
            wr_high: Default::default(),
            wr_done: Default::default(),
            wr_failed: Default::default(),
            cmd_valid: array(),
            cmd_ready: array(),
            cmd_id: array(),
            cmd_address: array(),
            cmd_result: array(),
            cmd_capacity: array(),
            cancel_valid: array(),
            cancel_id: Default::default(),
            reply_valid: array(),
            reply_taken: array(),
            reply_failed: Default::default(),
            reply_tag: Default::default(),
            reply_value: Default::default(),
            cpl_valid: array(),
            cpl_ready: array(),
            cpl_kind: array(),
            cpl_code: array(),
            cpl_tag: array(),
            cpl_key: array(),
            cpl_account: array(),
            cpl_id: array(),
            queued: array(),
            message: array(),
            fetch: Default::default(),
            dispatch: Default::default(),
            lane_queue: array(),
            completions: Default::default(),
            entries: Default::default(),
            mask: Default::default(),
            run: Default::default(),
            read_error: Default::default(),
            write_error: Default::default(),
            one: constant(1),
            read_error_bit: constant(1),
            write_error_bit: constant(2),
        }
    }
}

impl<const LANES: usize> Logic for QueueEngine<LANES> {
    #[hdl_gen]
    fn update(&mut self) {
        self.entries.next = self.one.val() << self.size.val();
        self.mask.next = self.entries.val() - self.one.val();
        self.read_error.next = 0.into();
        if self.fetch.failed.val() {
            self.read_error.next = self.read_error_bit.val();
        }
        self.write_error.next = 0.into();
        if self.completions.failed.val() {
            self.write_error.next = self.write_error_bit.val();
        }
        self.error.next = self.read_error.val() | self.write_error.val();
        self.run.next =
            self.enable.val() & !self.fetch.failed.val() & !self.completions.failed.val();

        self.fetch.clock.next = self.clock.val();
        self.fetch.reset.next = self.reset.val();
        self.fetch.enable.next = self.run.val();
        self.fetch.base.next = self.sq_base.val();
        self.fetch.mask.next = self.mask.val();
        self.fetch.tail.next = self.sq_tail.val();
        self.sq_head.next = self.fetch.head.val();
        self.rd_valid.next = self.fetch.rd_valid.val();
        self.fetch.rd_ready.next = self.rd_ready.val();
        self.rd_addr.next = self.fetch.rd_addr.val();
        self.rd_beats.next = self.fetch.rd_beats.val();
        self.fetch.rdat_valid.next = self.rdat_valid.val();
        self.rdat_ready.next = self.fetch.rdat_ready.val();
        self.fetch.rdat_data.next = self.rdat_data.val();
        self.fetch.rdat_error.next = self.rdat_error.val();

        self.dispatch.entry_valid.next = self.fetch.entry_valid.val();
        self.fetch.entry_ready.next = self.dispatch.entry_ready.val();
        self.dispatch.entry_low.next = self.fetch.entry_low.val();
        self.dispatch.entry_high.next = self.fetch.entry_high.val();
        self.reply_failed.next = self.dispatch.reply_failed.val();
        self.reply_tag.next = self.dispatch.reply_tag.val();
        self.reply_value.next = self.dispatch.reply_value.val();
        self.cancel_id.next = self.dispatch.command.val();
        self.dropped.next = self.dispatch.dropped.val();

        for i in 0..LANES {
            self.lane_queue[i].clock.next = self.clock.val();
            self.lane_queue[i].reset.next = self.reset.val();
            self.lane_queue[i].push.next = self.dispatch.push[i].val();
            self.lane_queue[i].push_id.next = self.dispatch.command.val();
            self.lane_queue[i].push_address.next = self.dispatch.address.val();
            self.lane_queue[i].push_result.next = self.dispatch.result.val();
            self.lane_queue[i].push_capacity.next = self.dispatch.capacity.val();
            self.dispatch.full[i].next = self.lane_queue[i].full.val();
            self.queued[i].next = self.lane_queue[i].queued.val();
            self.lane_queue[i].cancel_valid.next = self.dispatch.cancel_valid[i].val();
            self.lane_queue[i].cancel_id.next = self.dispatch.command.val();
            self.cmd_valid[i].next = self.lane_queue[i].cmd_valid.val();
            self.lane_queue[i].cmd_ready.next = self.cmd_ready[i].val();
            self.cmd_id[i].next = self.lane_queue[i].cmd_id.val();
            self.cmd_address[i].next = self.lane_queue[i].cmd_address.val();
            self.cmd_result[i].next = self.lane_queue[i].cmd_result.val();
            self.cmd_capacity[i].next = self.lane_queue[i].cmd_capacity.val();
            self.completions.cancelled_valid[i].next = self.lane_queue[i].cancelled_valid.val();
            self.lane_queue[i].cancelled_ready.next = self.completions.cancelled_ready[i].val();
            self.completions.cancelled_id[i].next = self.lane_queue[i].cmd_id.val();

            self.cancel_valid[i].next = self.dispatch.cancel_valid[i].val();
            self.reply_valid[i].next = self.dispatch.reply_valid[i].val();
            self.dispatch.reply_taken[i].next = self.reply_taken[i].val();

            self.completions.cpl_valid[i].next = self.cpl_valid[i].val();
            self.cpl_ready[i].next = self.completions.cpl_ready[i].val();
            self.completions.cpl_kind[i].next = self.cpl_kind[i].val();
            self.completions.cpl_code[i].next = self.cpl_code[i].val();
            self.completions.cpl_tag[i].next = self.cpl_tag[i].val();
            self.completions.cpl_key[i].next = self.cpl_key[i].val();
            self.completions.cpl_account[i].next = self.cpl_account[i].val();
            self.completions.cpl_id[i].next = self.cpl_id[i].val();
            self.message[i].next = self.completions.message[i].val();
        }

        self.completions.clock.next = self.clock.val();
        self.completions.reset.next = self.reset.val();
        self.completions.enable.next = self.run.val();
        self.completions.base.next = self.cq_base.val();
        self.completions.size.next = self.size.val();
        self.completions.mask.next = self.mask.val();
        self.completions.head.next = self.cq_head.val();
        self.cq_tail.next = self.completions.tail.val();
        self.completions.sq_head.next = self.fetch.head.val();
        self.completions.trap_valid.next = self.dispatch.trap_valid.val();
        self.dispatch.trap_ready.next = self.completions.trap_ready.val();
        self.completions.trap_id.next = self.dispatch.command.val();
        self.completions.trap_lane.next = self.dispatch.lane.val();
        self.wr_valid.next = self.completions.wr_valid.val();
        self.completions.wr_ready.next = self.wr_ready.val();
        self.wr_addr.next = self.completions.wr_addr.val();
        self.wr_low.next = self.completions.wr_low.val();
        self.wr_high.next = self.completions.wr_high.val();
        self.completions.wr_done.next = self.wr_done.val();
        self.completions.wr_failed.next = self.wr_failed.val();
        self.completions.irq_enable.next = self.irq_enable.val();
        self.msix_valid.next = self.completions.irq.val();
        self.msix_vector.next = self.irq_vector.val();
    }
}
