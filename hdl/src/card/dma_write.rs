//! The write half of the DMA: AXI4 AW, W and B channels.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::{RoundRobin, array, constant, indices, queue_ids};

/// Takes single beats from the lanes (several outstanding) and two-beat bursts from the queue pairs, sends
/// addresses and data in the same order, and counts responses per requester.
///
/// `flush` works as in [`super::DmaRead`]. The second beat of a burst whose requester was reset goes out
/// without byte strobes, so that it changes nothing in host memory.
#[derive(LogicBlock)]
pub struct DmaWrite<const LANES: usize, const PAIRS: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Power-on reset, of the bus too.
    pub reset: Signal<In, Bit>,
    /// The requesters are in reset.
    pub flush: Signal<In, Bit>,
    /// A write is still outstanding.
    pub outstanding: Signal<Out, Bit>,

    /// A lane has a beat to write.
    pub lane_wr_valid: [Signal<In, Bit>; LANES],
    /// The beat is taken.
    pub lane_wr_ready: [Signal<Out, Bit>; LANES],
    /// Bus address, 32-byte aligned.
    pub lane_wr_addr: [Signal<In, Bits<64>>; LANES],
    /// The beat.
    pub lane_wr_data: [Signal<In, Bits<256>>; LANES],
    /// Every write of this lane has its response.
    pub lane_wr_idle: [Signal<Out, Bit>; LANES],
    /// A write of this lane failed since `lane_wr_clear`.
    pub lane_wr_error: [Signal<Out, Bit>; LANES],
    /// Clears the lane's error.
    pub lane_wr_clear: [Signal<In, Bit>; LANES],

    /// A queue pair has two beats to write; address and data stay until ready.
    pub queue_wr_valid: [Signal<In, Bit>; PAIRS],
    /// Both beats are taken.
    pub queue_wr_ready: [Signal<Out, Bit>; PAIRS],
    /// Bus address, 64-byte aligned.
    pub queue_wr_addr: [Signal<In, Bits<64>>; PAIRS],
    /// First beat.
    pub queue_wr_low: [Signal<In, Bits<256>>; PAIRS],
    /// Second beat.
    pub queue_wr_high: [Signal<In, Bits<256>>; PAIRS],
    /// Pulse: the oldest burst of this queue pair has its response.
    pub queue_wr_done: [Signal<Out, Bit>; PAIRS],
    /// With `queue_wr_done`: the response was an error.
    pub queue_wr_failed: [Signal<Out, Bit>; PAIRS],

    /// AXI4 AW channel.
    pub m_axi_awvalid: Signal<Out, Bit>,
    /// AXI4 AW channel.
    pub m_axi_awready: Signal<In, Bit>,
    /// Requester: lane index, or 15 less the index of a queue pair.
    pub m_axi_awid: Signal<Out, Bits<4>>,
    /// Bus address.
    pub m_axi_awaddr: Signal<Out, Bits<64>>,
    /// Beats less one.
    pub m_axi_awlen: Signal<Out, Bits<8>>,
    /// AXI4 W channel.
    pub m_axi_wvalid: Signal<Out, Bit>,
    /// AXI4 W channel.
    pub m_axi_wready: Signal<In, Bit>,
    /// Beat.
    pub m_axi_wdata: Signal<Out, Bits<256>>,
    /// Byte strobes.
    pub m_axi_wstrb: Signal<Out, Bits<32>>,
    /// Last beat of the burst.
    pub m_axi_wlast: Signal<Out, Bit>,
    /// AXI4 B channel.
    pub m_axi_bvalid: Signal<In, Bit>,
    /// AXI4 B channel: always ready.
    pub m_axi_bready: Signal<Out, Bit>,
    /// Requester.
    pub m_axi_bid: Signal<In, Bits<4>>,
    /// 0 is OKAY, everything else an error.
    pub m_axi_bresp: Signal<In, Bits<2>>,

    arbiter: RoundRobin<LANES>,
    queue_arbiter: RoundRobin<PAIRS>,
    addr_valid: DFF<Bit>,
    addr_id: DFF<Bits<4>>,
    addr: DFF<Bits<64>>,
    addr_two: DFF<Bit>,
    data_valid: DFF<Bit>,
    data: DFF<Bits<256>>,
    data_last: DFF<Bit>,
    data_keep: DFF<Bit>,
    second: DFF<Bit>,
    second_of: DFF<Bits<4>>,
    writes: [DFF<Bits<6>>; LANES],
    error: [DFF<Bit>; LANES],
    queue_writes: [DFF<Bits<6>>; PAIRS],
    queue_last: DFF<Bit>,
    draining: DFF<Bit>,

    busy: Signal<Local, Bit>,
    drain: Signal<Local, Bit>,
    addr_free: Signal<Local, Bit>,
    data_free: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    queue_chosen: Signal<Local, Bit>,
    lane_chosen: Signal<Local, Bit>,
    sent: [Signal<Local, Bit>; LANES],
    back: [Signal<Local, Bit>; LANES],
    queue_sent: [Signal<Local, Bit>; PAIRS],
    queue_back: [Signal<Local, Bit>; PAIRS],
    queue_ends: [Signal<Local, Bit>; PAIRS],

    number: [Constant<Bits<4>>; LANES],
    queue_number: [Constant<Bits<4>>; PAIRS],
    queue_id: [Constant<Bits<4>>; PAIRS],
    all_bytes: Constant<Bits<32>>,
    no_bytes: Constant<Bits<32>>,
    one: Constant<Bits<6>>,
}

impl<const LANES: usize, const PAIRS: usize> Default for DmaWrite<LANES, PAIRS> {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            flush: Default::default(),
            outstanding: Default::default(),
            lane_wr_valid: array(),
            lane_wr_ready: array(),
            lane_wr_addr: array(),
            lane_wr_data: array(),
            lane_wr_idle: array(),
            lane_wr_error: array(),
            lane_wr_clear: array(),
            queue_wr_valid: array(),
            queue_wr_ready: array(),
            queue_wr_addr: array(),
            queue_wr_low: array(),
            queue_wr_high: array(),
            queue_wr_done: array(),
            queue_wr_failed: array(),
            m_axi_awvalid: Default::default(),
            m_axi_awready: Default::default(),
            m_axi_awid: Default::default(),
            m_axi_awaddr: Default::default(),
            m_axi_awlen: Default::default(),
            m_axi_wvalid: Default::default(),
            m_axi_wready: Default::default(),
            m_axi_wdata: Default::default(),
            m_axi_wstrb: Default::default(),
            m_axi_wlast: Default::default(),
            m_axi_bvalid: Default::default(),
            m_axi_bready: Default::default(),
            m_axi_bid: Default::default(),
            m_axi_bresp: Default::default(),
            arbiter: Default::default(),
            queue_arbiter: Default::default(),
            addr_valid: Default::default(),
            addr_id: Default::default(),
            addr: Default::default(),
            addr_two: Default::default(),
            data_valid: Default::default(),
            data: Default::default(),
            data_last: Default::default(),
            data_keep: Default::default(),
            second: Default::default(),
            second_of: Default::default(),
            writes: array(),
            error: array(),
            queue_writes: array(),
            queue_last: Default::default(),
            draining: Default::default(),
            busy: Default::default(),
            drain: Default::default(),
            addr_free: Default::default(),
            data_free: Default::default(),
            accept: Default::default(),
            queue_chosen: Default::default(),
            lane_chosen: Default::default(),
            sent: array(),
            back: array(),
            queue_sent: array(),
            queue_back: array(),
            queue_ends: array(),
            number: indices(),
            queue_number: indices(),
            queue_id: queue_ids(),
            all_bytes: constant(0xffff_ffff),
            no_bytes: constant(0),
            one: constant(1),
        }
    }
}

impl<const LANES: usize, const PAIRS: usize> Logic for DmaWrite<LANES, PAIRS> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, addr_valid, addr_id, addr, addr_two, data_valid, data, data_last,
            data_keep, second, second_of, queue_last, draining
        );

        // Outstanding writes, and the flush that waits for them. A write counts from its acceptance.
        self.busy.next = self.addr_valid.q.val() | self.data_valid.q.val() | self.second.q.val();
        for p in 0..PAIRS {
            if self.queue_writes[p].q.val().any() {
                self.busy.next = true;
            }
        }
        for i in 0..LANES {
            if self.writes[i].q.val().any() {
                self.busy.next = true;
            }
        }
        self.outstanding.next = self.busy.val();
        self.drain.next = self.flush.val() | self.draining.q.val();
        self.draining.d.next = self.drain.val() & self.busy.val();

        // Choice of the next write. The queue pairs as a whole and the lanes as a whole take turns.
        self.addr_free.next = !self.addr_valid.q.val() | self.m_axi_awready.val();
        self.data_free.next = !self.data_valid.q.val() | self.m_axi_wready.val();
        self.accept.next =
            self.addr_free.val() & self.data_free.val() & !self.second.q.val() & !self.drain.val();
        self.arbiter.clock.next = self.clock.val();
        self.arbiter.reset.next = self.reset.val();
        for i in 0..LANES {
            self.arbiter.request[i].next =
                self.lane_wr_valid[i].val() & !self.writes[i].q.val().all();
        }
        self.queue_arbiter.clock.next = self.clock.val();
        self.queue_arbiter.reset.next = self.reset.val();
        for p in 0..PAIRS {
            self.queue_arbiter.request[p].next =
                self.queue_wr_valid[p].val() & !self.queue_writes[p].q.val().all();
        }
        self.queue_chosen.next = self.accept.val()
            & self.queue_arbiter.any.val()
            & !(self.queue_last.q.val() & self.arbiter.any.val());
        self.lane_chosen.next =
            self.accept.val() & self.arbiter.any.val() & !self.queue_chosen.val();
        self.arbiter.advance.next = self.lane_chosen.val();
        self.queue_arbiter.advance.next = self.queue_chosen.val();

        // AW and W registers.
        if self.m_axi_awready.val() {
            self.addr_valid.d.next = false;
        }
        if self.m_axi_wready.val() {
            self.data_valid.d.next = false;
        }
        for i in 0..LANES {
            self.sent[i].next =
                self.lane_chosen.val() & (self.arbiter.index.val() == self.number[i].val());
            self.lane_wr_ready[i].next = self.sent[i].val();
            if self.sent[i].val() {
                self.addr_id.d.next = self.number[i].val();
                self.addr.d.next = self.lane_wr_addr[i].val();
                self.data.d.next = self.lane_wr_data[i].val();
            }
        }
        if self.lane_chosen.val() {
            self.addr_valid.d.next = true;
            self.addr_two.d.next = false;
            self.data_valid.d.next = true;
            self.data_last.d.next = true;
            self.data_keep.d.next = true;
            self.queue_last.d.next = false;
        }
        if self.queue_chosen.val() {
            self.addr_valid.d.next = true;
            self.addr_two.d.next = true;
            self.data_valid.d.next = true;
            self.data_last.d.next = false;
            self.data_keep.d.next = true;
            self.second.d.next = true;
            self.queue_last.d.next = true;
        }
        if self.second.q.val() & self.data_free.val() {
            self.data_valid.d.next = true;
            self.data_last.d.next = true;
            self.data_keep.d.next = !self.drain.val();
            self.second.d.next = false;
        }
        // The second beat is of the pair that was chosen for the first.
        for p in 0..PAIRS {
            self.queue_sent[p].next = self.queue_chosen.val()
                & (self.queue_arbiter.index.val() == self.queue_number[p].val());
            self.queue_ends[p].next = self.second.q.val()
                & self.data_free.val()
                & (self.second_of.q.val() == self.queue_number[p].val());
            self.queue_wr_ready[p].next = self.queue_ends[p].val() & !self.drain.val();
            if self.queue_sent[p].val() {
                self.second_of.d.next = self.queue_number[p].val();
                self.addr_id.d.next = self.queue_id[p].val();
                self.addr.d.next = self.queue_wr_addr[p].val();
                self.data.d.next = self.queue_wr_low[p].val();
            }
            if self.queue_ends[p].val() {
                self.data.d.next = self.queue_wr_high[p].val();
            }
        }
        self.m_axi_awvalid.next = self.addr_valid.q.val();
        self.m_axi_awid.next = self.addr_id.q.val();
        self.m_axi_awaddr.next = self.addr.q.val();
        self.m_axi_awlen.next = 0.into();
        if self.addr_two.q.val() {
            self.m_axi_awlen.next = 1.into();
        }
        self.m_axi_wvalid.next = self.data_valid.q.val();
        self.m_axi_wdata.next = self.data.q.val();
        self.m_axi_wlast.next = self.data_last.q.val();
        self.m_axi_wstrb.next = self.no_bytes.val();
        if self.data_keep.q.val() {
            self.m_axi_wstrb.next = self.all_bytes.val();
        }

        // Responses.
        self.m_axi_bready.next = true;
        for i in 0..LANES {
            self.writes[i].clock.next = self.clock.val();
            self.writes[i].d.next = self.writes[i].q.val();
            self.error[i].clock.next = self.clock.val();
            self.error[i].d.next = self.error[i].q.val();
            self.back[i].next = self.m_axi_bvalid.val()
                & (self.m_axi_bid.val() == self.number[i].val())
                & self.writes[i].q.val().any();
            if self.sent[i].val() & !self.back[i].val() {
                self.writes[i].d.next = self.writes[i].q.val() + self.one.val();
            }
            if self.back[i].val() & !self.sent[i].val() {
                self.writes[i].d.next = self.writes[i].q.val() - self.one.val();
            }
            if self.lane_wr_clear[i].val() | self.drain.val() {
                self.error[i].d.next = false;
            }
            if self.back[i].val() & self.m_axi_bresp.val().any() & !self.drain.val() {
                self.error[i].d.next = true;
            }
            self.lane_wr_idle[i].next = !self.writes[i].q.val().any();
            self.lane_wr_error[i].next = self.error[i].q.val();
        }
        for p in 0..PAIRS {
            self.queue_writes[p].clock.next = self.clock.val();
            self.queue_writes[p].d.next = self.queue_writes[p].q.val();
            self.queue_back[p].next = self.m_axi_bvalid.val()
                & (self.m_axi_bid.val() == self.queue_id[p].val())
                & self.queue_writes[p].q.val().any();
            if self.queue_sent[p].val() & !self.queue_back[p].val() {
                self.queue_writes[p].d.next = self.queue_writes[p].q.val() + self.one.val();
            }
            if self.queue_back[p].val() & !self.queue_sent[p].val() {
                self.queue_writes[p].d.next = self.queue_writes[p].q.val() - self.one.val();
            }
            self.queue_wr_done[p].next = self.queue_back[p].val() & !self.drain.val();
            self.queue_wr_failed[p].next = self.m_axi_bresp.val().any();
        }

        if self.reset.val() {
            self.addr_valid.d.next = false;
            self.data_valid.d.next = false;
            self.second.d.next = false;
            self.queue_last.d.next = false;
            self.draining.d.next = false;
            for i in 0..LANES {
                self.writes[i].d.next = 0.into();
                self.error[i].d.next = false;
            }
            for p in 0..PAIRS {
                self.queue_writes[p].d.next = 0.into();
            }
        }
    }
}
