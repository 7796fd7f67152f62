//! The queue engine: all queue pairs, and the lanes' queues behind them.

use gatewei_abi::command::PAIR_SHIFT;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;

use super::{
    Completions, Dispatch, Fetch, LaneQueue, MAX_PAIRS, RoundRobin, array, constant, indices,
};

const _: () = assert!(PAIR_SHIFT == 12 && MAX_PAIRS <= 16, "slices of ids below");

/// Fetches submissions of each pair ([`Fetch`]), sends them to lanes in turn ([`Dispatch`], [`LaneQueue`]) and
/// writes what comes back ([`Completions`]). Any pair reaches any lane: a command's id names the pair to which
/// its completions go ([`gatewei_abi::command::PAIR_SHIFT`]). Ring indices run freely modulo 2^16; a ring has
/// `1 << size` entries. After a failed read or write of a ring both directions of its pair stop until reset.
#[derive(LogicBlock)]
pub struct QueueEngine<const LANES: usize, const PAIRS: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset: power-on or `CONTROL`.
    pub reset: Signal<In, Bit>,
    /// `CONTROL`: queues run.
    pub enable: Signal<In, Bit>,

    /// Submission ring, bus address.
    pub sq_base: [Signal<In, Bits<64>>; PAIRS],
    /// Completion ring, bus address.
    pub cq_base: [Signal<In, Bits<64>>; PAIRS],
    /// log2 of the rings' entries.
    pub size: [Signal<In, Bits<4>>; PAIRS],
    /// Submissions made.
    pub sq_tail: [Signal<In, Bits<16>>; PAIRS],
    /// Completions consumed.
    pub cq_head: [Signal<In, Bits<16>>; PAIRS],
    /// Interrupts are wanted.
    pub irq_enable: [Signal<In, Bit>; PAIRS],
    /// Completions that share an interrupt.
    pub irq_count: [Signal<In, Bits<8>>; PAIRS],
    /// Cycles that a completion awaits others to share its interrupt.
    pub irq_time: [Signal<In, Bits<16>>; PAIRS],
    /// MSI-X vector.
    pub irq_vector: [Signal<In, Bits<16>>; PAIRS],
    /// Submissions fetched.
    pub sq_head: [Signal<Out, Bits<16>>; PAIRS],
    /// Completions written.
    pub cq_tail: [Signal<Out, Bits<16>>; PAIRS],
    /// Bit 0 a read of the ring failed, bit 1 a write failed; until reset.
    pub error: [Signal<Out, Bits<2>>; PAIRS],
    /// Pulse: a submission was dropped.
    pub dropped: Signal<Out, Bit>,
    /// Pulse: raise an interrupt.
    pub msix_valid: Signal<Out, Bit>,
    /// Its vector.
    pub msix_vector: Signal<Out, Bits<16>>,

    /// Asks for a burst.
    pub rd_valid: [Signal<Out, Bit>; PAIRS],
    /// The request is taken.
    pub rd_ready: [Signal<In, Bit>; PAIRS],
    /// Bus address.
    pub rd_addr: [Signal<Out, Bits<64>>; PAIRS],
    /// Beats.
    pub rd_beats: [Signal<Out, Bits<8>>; PAIRS],
    /// A beat is here.
    pub rdat_valid: [Signal<In, Bit>; PAIRS],
    /// The beat is taken.
    pub rdat_ready: [Signal<Out, Bit>; PAIRS],
    /// The beat.
    pub rdat_data: Signal<In, Bits<256>>,
    /// It came with an error.
    pub rdat_error: Signal<In, Bit>,
    /// Two beats to write, held until ready.
    pub wr_valid: [Signal<Out, Bit>; PAIRS],
    /// They are taken.
    pub wr_ready: [Signal<In, Bit>; PAIRS],
    /// Bus address.
    pub wr_addr: [Signal<Out, Bits<64>>; PAIRS],
    /// First beat.
    pub wr_low: [Signal<Out, Bits<256>>; PAIRS],
    /// Second beat.
    pub wr_high: [Signal<Out, Bits<256>>; PAIRS],
    /// Pulse: the oldest write has its response.
    pub wr_done: [Signal<In, Bit>; PAIRS],
    /// With `wr_done`: it failed.
    pub wr_failed: [Signal<In, Bit>; PAIRS],

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

    fetch: [Fetch; PAIRS],
    turn: RoundRobin<PAIRS>,
    dispatch: Dispatch<LANES>,
    lane_queue: [LaneQueue; LANES],
    completions: [Completions<LANES>; PAIRS],
    interrupts: RoundRobin<PAIRS>,
    raised: [DFF<Bit>; PAIRS],

    entries: [Signal<Local, Bits<16>>; PAIRS],
    mask: [Signal<Local, Bits<16>>; PAIRS],
    run: [Signal<Local, Bit>; PAIRS],
    trap_pair: Signal<Local, Bits<4>>,
    cpl_pair: [Signal<Local, Bits<4>>; LANES],
    cancelled_pair: [Signal<Local, Bits<4>>; LANES],
    number: [Constant<Bits<4>>; PAIRS],
    one: Constant<Bits<16>>,
    read_error: Constant<Bits<2>>,
    write_error: Constant<Bits<2>>,
    both_errors: Constant<Bits<2>>,
}

impl<const LANES: usize, const PAIRS: usize> Default for QueueEngine<LANES, PAIRS> {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            enable: Default::default(),
            sq_base: array(),
            cq_base: array(),
            size: array(),
            sq_tail: array(),
            cq_head: array(),
            irq_enable: array(),
            irq_count: array(),
            irq_time: array(),
            irq_vector: array(),
            sq_head: array(),
            cq_tail: array(),
            error: array(),
            dropped: Default::default(),
            msix_valid: Default::default(),
            msix_vector: Default::default(),
            rd_valid: array(),
            rd_ready: array(),
            rd_addr: array(),
            rd_beats: array(),
            rdat_valid: array(),
            rdat_ready: array(),
            rdat_data: Default::default(),
            rdat_error: Default::default(),
            wr_valid: array(),
            wr_ready: array(),
            wr_addr: array(),
            wr_low: array(),
            wr_high: array(),
            wr_done: array(),
            wr_failed: array(),
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
            fetch: array(),
            turn: Default::default(),
            dispatch: Default::default(),
            lane_queue: array(),
            completions: array(),
            interrupts: Default::default(),
            raised: array(),
            entries: array(),
            mask: array(),
            run: array(),
            trap_pair: Default::default(),
            cpl_pair: array(),
            cancelled_pair: array(),
            number: indices(),
            one: constant(1),
            read_error: constant(1),
            write_error: constant(2),
            both_errors: constant(3),
        }
    }
}

impl<const LANES: usize, const PAIRS: usize> Logic for QueueEngine<LANES, PAIRS> {
    #[hdl_gen]
    fn update(&mut self) {
        // Who speaks now. The turn goes on with every cycle, so that a pair whose trap finds no room in its ring
        // holds up no other.
        self.turn.clock.next = self.clock.val();
        self.turn.reset.next = self.reset.val();
        self.turn.advance.next = self.turn.any.val();
        self.dispatch.entry_valid.next = self.turn.any.val();
        self.dispatch.entry_low.next = 0.into();
        self.dispatch.entry_high.next = 0.into();
        self.dispatch.trap_ready.next = false;
        self.interrupts.clock.next = self.clock.val();
        self.interrupts.reset.next = self.reset.val();
        self.interrupts.advance.next = self.interrupts.any.val();
        self.msix_valid.next = self.interrupts.any.val();
        self.msix_vector.next = 0.into();

        // Whose a command is: what its id says, or the first pair's.
        self.trap_pair.next = 0.into();
        for p in 0..PAIRS {
            if self.dispatch.command.val().get_bits::<4>(12) == self.number[p].val() {
                self.trap_pair.next = self.number[p].val();
            }
        }
        for i in 0..LANES {
            self.cpl_pair[i].next = 0.into();
            self.cancelled_pair[i].next = 0.into();
            for p in 0..PAIRS {
                if self.cpl_id[i].val().get_bits::<4>(12) == self.number[p].val() {
                    self.cpl_pair[i].next = self.number[p].val();
                }
                if self.lane_queue[i].cmd_id.val().get_bits::<4>(12) == self.number[p].val() {
                    self.cancelled_pair[i].next = self.number[p].val();
                }
            }
        }

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
            self.cancel_valid[i].next = self.dispatch.cancel_valid[i].val();
            self.reply_valid[i].next = self.dispatch.reply_valid[i].val();
            self.dispatch.reply_taken[i].next = self.reply_taken[i].val();
            self.lane_queue[i].cancelled_ready.next = false;
            self.cpl_ready[i].next = false;
            self.message[i].next = false;
        }

        for p in 0..PAIRS {
            self.entries[p].next = self.one.val() << self.size[p].val();
            self.mask[p].next = self.entries[p].val() - self.one.val();
            self.error[p].next = 0.into();
            if self.fetch[p].failed.val() {
                self.error[p].next = self.read_error.val();
            }
            if self.completions[p].failed.val() {
                self.error[p].next = self.write_error.val();
            }
            if self.fetch[p].failed.val() & self.completions[p].failed.val() {
                self.error[p].next = self.both_errors.val();
            }
            self.run[p].next =
                self.enable.val() & !self.fetch[p].failed.val() & !self.completions[p].failed.val();

            self.fetch[p].clock.next = self.clock.val();
            self.fetch[p].reset.next = self.reset.val();
            self.fetch[p].enable.next = self.run[p].val();
            self.fetch[p].base.next = self.sq_base[p].val();
            self.fetch[p].mask.next = self.mask[p].val();
            self.fetch[p].tail.next = self.sq_tail[p].val();
            self.sq_head[p].next = self.fetch[p].head.val();
            self.rd_valid[p].next = self.fetch[p].rd_valid.val();
            self.fetch[p].rd_ready.next = self.rd_ready[p].val();
            self.rd_addr[p].next = self.fetch[p].rd_addr.val();
            self.rd_beats[p].next = self.fetch[p].rd_beats.val();
            self.fetch[p].rdat_valid.next = self.rdat_valid[p].val();
            self.rdat_ready[p].next = self.fetch[p].rdat_ready.val();
            self.fetch[p].rdat_data.next = self.rdat_data.val();
            self.fetch[p].rdat_error.next = self.rdat_error.val();

            self.turn.request[p].next = self.fetch[p].entry_valid.val();
            self.fetch[p].entry_ready.next = false;
            if self.turn.any.val() & (self.turn.index.val() == self.number[p].val()) {
                self.dispatch.entry_low.next = self.fetch[p].entry_low.val();
                self.dispatch.entry_high.next = self.fetch[p].entry_high.val();
                self.fetch[p].entry_ready.next = self.dispatch.entry_ready.val();
            }

            self.completions[p].clock.next = self.clock.val();
            self.completions[p].reset.next = self.reset.val();
            self.completions[p].enable.next = self.run[p].val();
            self.completions[p].base.next = self.cq_base[p].val();
            self.completions[p].size.next = self.size[p].val();
            self.completions[p].mask.next = self.mask[p].val();
            self.completions[p].head.next = self.cq_head[p].val();
            self.cq_tail[p].next = self.completions[p].tail.val();
            self.completions[p].sq_head.next = self.fetch[p].head.val();
            self.completions[p].trap_valid.next =
                self.dispatch.trap_valid.val() & (self.trap_pair.val() == self.number[p].val());
            if self.completions[p].trap_ready.val() {
                self.dispatch.trap_ready.next = true;
            }
            self.completions[p].trap_id.next = self.dispatch.command.val();
            self.completions[p].trap_lane.next = self.dispatch.lane.val();
            for i in 0..LANES {
                self.completions[p].cpl_valid[i].next =
                    self.cpl_valid[i].val() & (self.cpl_pair[i].val() == self.number[p].val());
                self.completions[p].cpl_kind[i].next = self.cpl_kind[i].val();
                self.completions[p].cpl_code[i].next = self.cpl_code[i].val();
                self.completions[p].cpl_tag[i].next = self.cpl_tag[i].val();
                self.completions[p].cpl_key[i].next = self.cpl_key[i].val();
                self.completions[p].cpl_account[i].next = self.cpl_account[i].val();
                self.completions[p].cpl_id[i].next = self.cpl_id[i].val();
                self.completions[p].cancelled_valid[i].next =
                    self.lane_queue[i].cancelled_valid.val()
                        & (self.cancelled_pair[i].val() == self.number[p].val());
                self.completions[p].cancelled_id[i].next = self.lane_queue[i].cmd_id.val();
                if self.completions[p].cpl_ready[i].val() {
                    self.cpl_ready[i].next = true;
                }
                if self.completions[p].cancelled_ready[i].val() {
                    self.lane_queue[i].cancelled_ready.next = true;
                }
                if self.completions[p].message[i].val() {
                    self.message[i].next = true;
                }
            }
            self.wr_valid[p].next = self.completions[p].wr_valid.val();
            self.completions[p].wr_ready.next = self.wr_ready[p].val();
            self.wr_addr[p].next = self.completions[p].wr_addr.val();
            self.wr_low[p].next = self.completions[p].wr_low.val();
            self.wr_high[p].next = self.completions[p].wr_high.val();
            self.completions[p].wr_done.next = self.wr_done[p].val();
            self.completions[p].wr_failed.next = self.wr_failed[p].val();
            self.completions[p].irq_enable.next = self.irq_enable[p].val();
            self.completions[p].irq_count.next = self.irq_count[p].val();
            self.completions[p].irq_time.next = self.irq_time[p].val();

            // Interrupts go out one in a cycle. One that waits stands for those that come meanwhile.
            self.raised[p].clock.next = self.clock.val();
            self.raised[p].d.next = self.raised[p].q.val();
            self.interrupts.request[p].next = self.raised[p].q.val();
            if self.interrupts.any.val() & (self.interrupts.index.val() == self.number[p].val()) {
                self.msix_vector.next = self.irq_vector[p].val();
                self.raised[p].d.next = false;
            }
            if self.completions[p].irq.val() {
                self.raised[p].d.next = true;
            }
            if self.reset.val() {
                self.raised[p].d.next = false;
            }
        }
    }
}
