//! The read half of the DMA: AXI4 AR and R channels.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::{RoundRobin, array, constant, indices, queue_ids};

/// Takes bursts from the lanes and the queue pairs, at most one outstanding each, and routes the beats
/// back by id. Responses of different requesters may come in any order.
///
/// While `flush` is 1, and after it until the last beat has come back, no request is taken and beats are
/// swallowed: a requester that was reset in the middle of a burst never blocks the bus.
#[derive(LogicBlock)]
pub struct DmaRead<const LANES: usize, const PAIRS: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Power-on reset, of the bus too.
    pub reset: Signal<In, Bit>,
    /// The requesters are in reset.
    pub flush: Signal<In, Bit>,
    /// A read is still outstanding.
    pub outstanding: Signal<Out, Bit>,

    /// A lane asks for a burst.
    pub lane_rd_valid: [Signal<In, Bit>; LANES],
    /// The request is taken.
    pub lane_rd_ready: [Signal<Out, Bit>; LANES],
    /// Bus address, 32-byte aligned.
    pub lane_rd_addr: [Signal<In, Bits<64>>; LANES],
    /// Beats, 1 to 128; the burst crosses no 4 KiB boundary.
    pub lane_rd_beats: [Signal<In, Bits<8>>; LANES],
    /// A beat for this lane.
    pub lane_rdat_valid: [Signal<Out, Bit>; LANES],
    /// The lane takes the beat.
    pub lane_rdat_ready: [Signal<In, Bit>; LANES],

    /// A queue pair asks for a burst.
    pub queue_rd_valid: [Signal<In, Bit>; PAIRS],
    /// The request is taken.
    pub queue_rd_ready: [Signal<Out, Bit>; PAIRS],
    /// Bus address, 32-byte aligned.
    pub queue_rd_addr: [Signal<In, Bits<64>>; PAIRS],
    /// Beats.
    pub queue_rd_beats: [Signal<In, Bits<8>>; PAIRS],
    /// A beat for this queue pair.
    pub queue_rdat_valid: [Signal<Out, Bit>; PAIRS],
    /// The queue pair takes the beat.
    pub queue_rdat_ready: [Signal<In, Bit>; PAIRS],

    /// The beat, for whom it is.
    pub rdat_data: Signal<Out, Bits<256>>,
    /// The beat came with an error response.
    pub rdat_error: Signal<Out, Bit>,

    /// AXI4 AR channel.
    pub m_axi_arvalid: Signal<Out, Bit>,
    /// AXI4 AR channel.
    pub m_axi_arready: Signal<In, Bit>,
    /// Requester: lane index, or 15 less the index of a queue pair.
    pub m_axi_arid: Signal<Out, Bits<4>>,
    /// Bus address.
    pub m_axi_araddr: Signal<Out, Bits<64>>,
    /// Beats less one.
    pub m_axi_arlen: Signal<Out, Bits<8>>,
    /// AXI4 R channel.
    pub m_axi_rvalid: Signal<In, Bit>,
    /// AXI4 R channel.
    pub m_axi_rready: Signal<Out, Bit>,
    /// Requester.
    pub m_axi_rid: Signal<In, Bits<4>>,
    /// Beat.
    pub m_axi_rdata: Signal<In, Bits<256>>,
    /// 0 is OKAY, everything else an error.
    pub m_axi_rresp: Signal<In, Bits<2>>,
    /// Last beat of the burst.
    pub m_axi_rlast: Signal<In, Bit>,

    arbiter: RoundRobin<LANES>,
    queue_arbiter: RoundRobin<PAIRS>,
    request_valid: DFF<Bit>,
    request_id: DFF<Bits<4>>,
    request_addr: DFF<Bits<64>>,
    request_len: DFF<Bits<8>>,
    reading: [DFF<Bit>; LANES],
    queue_reading: [DFF<Bit>; PAIRS],
    queue_last: DFF<Bit>,
    draining: DFF<Bit>,

    busy: Signal<Local, Bit>,
    drain: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    queue_chosen: Signal<Local, Bit>,
    lane_chosen: Signal<Local, Bit>,
    beats: Signal<Local, Bits<8>>,
    take: Signal<Local, Bit>,

    number: [Constant<Bits<4>>; LANES],
    queue_number: [Constant<Bits<4>>; PAIRS],
    queue_id: [Constant<Bits<4>>; PAIRS],
    one: Constant<Bits<8>>,
}

impl<const LANES: usize, const PAIRS: usize> Default for DmaRead<LANES, PAIRS> {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            flush: Default::default(),
            outstanding: Default::default(),
            lane_rd_valid: array(),
            lane_rd_ready: array(),
            lane_rd_addr: array(),
            lane_rd_beats: array(),
            lane_rdat_valid: array(),
            lane_rdat_ready: array(),
            queue_rd_valid: array(),
            queue_rd_ready: array(),
            queue_rd_addr: array(),
            queue_rd_beats: array(),
            queue_rdat_valid: array(),
            queue_rdat_ready: array(),
            rdat_data: Default::default(),
            rdat_error: Default::default(),
            m_axi_arvalid: Default::default(),
            m_axi_arready: Default::default(),
            m_axi_arid: Default::default(),
            m_axi_araddr: Default::default(),
            m_axi_arlen: Default::default(),
            m_axi_rvalid: Default::default(),
            m_axi_rready: Default::default(),
            m_axi_rid: Default::default(),
            m_axi_rdata: Default::default(),
            m_axi_rresp: Default::default(),
            m_axi_rlast: Default::default(),
            arbiter: Default::default(),
            queue_arbiter: Default::default(),
            request_valid: Default::default(),
            request_id: Default::default(),
            request_addr: Default::default(),
            request_len: Default::default(),
            reading: array(),
            queue_reading: array(),
            queue_last: Default::default(),
            draining: Default::default(),
            busy: Default::default(),
            drain: Default::default(),
            accept: Default::default(),
            queue_chosen: Default::default(),
            lane_chosen: Default::default(),
            beats: Default::default(),
            take: Default::default(),
            number: indices(),
            queue_number: indices(),
            queue_id: queue_ids(),
            one: constant(1),
        }
    }
}

impl<const LANES: usize, const PAIRS: usize> Logic for DmaRead<LANES, PAIRS> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            request_valid,
            request_id,
            request_addr,
            request_len,
            queue_last,
            draining
        );

        // Outstanding reads, and the flush that waits for them.
        self.busy.next = self.request_valid.q.val();
        for p in 0..PAIRS {
            self.queue_reading[p].clock.next = self.clock.val();
            self.queue_reading[p].d.next = self.queue_reading[p].q.val();
            if self.queue_reading[p].q.val() {
                self.busy.next = true;
            }
        }
        for i in 0..LANES {
            self.reading[i].clock.next = self.clock.val();
            self.reading[i].d.next = self.reading[i].q.val();
            if self.reading[i].q.val() {
                self.busy.next = true;
            }
        }
        self.outstanding.next = self.busy.val();
        self.drain.next = self.flush.val() | self.draining.q.val();
        self.draining.d.next = self.drain.val() & self.busy.val();

        // Choice of the next request. The queue pairs as a whole and the lanes as a whole take turns.
        self.arbiter.clock.next = self.clock.val();
        self.arbiter.reset.next = self.reset.val();
        for i in 0..LANES {
            self.arbiter.request[i].next = self.lane_rd_valid[i].val() & !self.reading[i].q.val();
        }
        self.queue_arbiter.clock.next = self.clock.val();
        self.queue_arbiter.reset.next = self.reset.val();
        for p in 0..PAIRS {
            self.queue_arbiter.request[p].next =
                self.queue_rd_valid[p].val() & !self.queue_reading[p].q.val();
        }
        self.accept.next =
            !self.drain.val() & (!self.request_valid.q.val() | self.m_axi_arready.val());
        self.queue_chosen.next = self.accept.val()
            & self.queue_arbiter.any.val()
            & !(self.queue_last.q.val() & self.arbiter.any.val());
        self.lane_chosen.next =
            self.accept.val() & self.arbiter.any.val() & !self.queue_chosen.val();
        self.arbiter.advance.next = self.lane_chosen.val();
        self.queue_arbiter.advance.next = self.queue_chosen.val();

        // AR register.
        self.beats.next = 0.into();
        if self.m_axi_arready.val() {
            self.request_valid.d.next = false;
        }
        for i in 0..LANES {
            self.lane_rd_ready[i].next = false;
            if self.lane_chosen.val() & (self.arbiter.index.val() == self.number[i].val()) {
                self.lane_rd_ready[i].next = true;
                self.reading[i].d.next = true;
                self.request_valid.d.next = true;
                self.request_id.d.next = self.number[i].val();
                self.request_addr.d.next = self.lane_rd_addr[i].val();
                self.beats.next = self.lane_rd_beats[i].val();
                self.queue_last.d.next = false;
            }
        }
        for p in 0..PAIRS {
            self.queue_rd_ready[p].next = false;
            if self.queue_chosen.val()
                & (self.queue_arbiter.index.val() == self.queue_number[p].val())
            {
                self.queue_rd_ready[p].next = true;
                self.queue_reading[p].d.next = true;
                self.request_valid.d.next = true;
                self.request_id.d.next = self.queue_id[p].val();
                self.request_addr.d.next = self.queue_rd_addr[p].val();
                self.beats.next = self.queue_rd_beats[p].val();
                self.queue_last.d.next = true;
            }
        }
        if self.queue_chosen.val() | self.lane_chosen.val() {
            self.request_len.d.next = self.beats.val() - self.one.val();
        }
        self.m_axi_arvalid.next = self.request_valid.q.val();
        self.m_axi_arid.next = self.request_id.q.val();
        self.m_axi_araddr.next = self.request_addr.q.val();
        self.m_axi_arlen.next = self.request_len.q.val();

        // R routing. What nobody awaits is swallowed.
        self.take.next = true;
        for i in 0..LANES {
            self.lane_rdat_valid[i].next = false;
            if self.reading[i].q.val() & (self.m_axi_rid.val() == self.number[i].val()) {
                self.lane_rdat_valid[i].next = self.m_axi_rvalid.val() & !self.drain.val();
                self.take.next = self.lane_rdat_ready[i].val() | self.drain.val();
            }
        }
        for p in 0..PAIRS {
            self.queue_rdat_valid[p].next = false;
            if self.queue_reading[p].q.val() & (self.m_axi_rid.val() == self.queue_id[p].val()) {
                self.queue_rdat_valid[p].next = self.m_axi_rvalid.val() & !self.drain.val();
                self.take.next = self.queue_rdat_ready[p].val() | self.drain.val();
            }
        }
        self.m_axi_rready.next = self.take.val();
        self.rdat_data.next = self.m_axi_rdata.val();
        self.rdat_error.next = self.m_axi_rresp.val().any();
        if self.m_axi_rvalid.val() & self.take.val() & self.m_axi_rlast.val() {
            for i in 0..LANES {
                if self.m_axi_rid.val() == self.number[i].val() {
                    self.reading[i].d.next = false;
                }
            }
            for p in 0..PAIRS {
                if self.m_axi_rid.val() == self.queue_id[p].val() {
                    self.queue_reading[p].d.next = false;
                }
            }
        }

        if self.reset.val() {
            self.request_valid.d.next = false;
            self.queue_last.d.next = false;
            self.draining.d.next = false;
            for i in 0..LANES {
                self.reading[i].d.next = false;
            }
            for p in 0..PAIRS {
                self.queue_reading[p].d.next = false;
            }
        }
    }
}
