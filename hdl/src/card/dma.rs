//! The card's AXI4 master.

use rust_hdl_core::prelude::*;

use super::{DmaRead, DmaWrite, array, constant};

/// `AxSIZE`: a beat is 2^5 bytes.
const SIZE_BEAT: u64 = gatewei_abi::BEAT.ilog2() as u64;
/// `AxBURST`: INCR.
const BURST_INCREMENT: u64 = 1;

/// Shares one AXI4 master (256-bit data, 64-bit addresses, 4-bit ids) between the lanes and the queue
/// pairs: [`DmaRead`] and [`DmaWrite`] side by side. The requester is the AXI id.
#[derive(LogicBlock)]
pub struct Dma<const LANES: usize, const PAIRS: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Power-on reset, of the bus too.
    pub reset: Signal<In, Bit>,
    /// The requesters are in reset: take nothing, swallow what comes back.
    pub flush: Signal<In, Bit>,
    /// A read or a write is still outstanding.
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
    /// log2 of the bytes of a beat.
    pub m_axi_arsize: Signal<Out, Bits<3>>,
    /// INCR.
    pub m_axi_arburst: Signal<Out, Bits<2>>,
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
    /// log2 of the bytes of a beat.
    pub m_axi_awsize: Signal<Out, Bits<3>>,
    /// INCR.
    pub m_axi_awburst: Signal<Out, Bits<2>>,
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

    read: DmaRead<LANES, PAIRS>,
    write: DmaWrite<LANES, PAIRS>,
    size_beat: Constant<Bits<3>>,
    increment: Constant<Bits<2>>,
}

impl<const LANES: usize, const PAIRS: usize> Default for Dma<LANES, PAIRS> {
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
            m_axi_arsize: Default::default(),
            m_axi_arburst: Default::default(),
            m_axi_rvalid: Default::default(),
            m_axi_rready: Default::default(),
            m_axi_rid: Default::default(),
            m_axi_rdata: Default::default(),
            m_axi_rresp: Default::default(),
            m_axi_rlast: Default::default(),
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
            m_axi_awsize: Default::default(),
            m_axi_awburst: Default::default(),
            m_axi_wvalid: Default::default(),
            m_axi_wready: Default::default(),
            m_axi_wdata: Default::default(),
            m_axi_wstrb: Default::default(),
            m_axi_wlast: Default::default(),
            m_axi_bvalid: Default::default(),
            m_axi_bready: Default::default(),
            m_axi_bid: Default::default(),
            m_axi_bresp: Default::default(),
            read: Default::default(),
            write: Default::default(),
            size_beat: constant(SIZE_BEAT),
            increment: constant(BURST_INCREMENT),
        }
    }
}

impl<const LANES: usize, const PAIRS: usize> Logic for Dma<LANES, PAIRS> {
    #[hdl_gen]
    fn update(&mut self) {
        self.read.clock.next = self.clock.val();
        self.read.reset.next = self.reset.val();
        self.read.flush.next = self.flush.val();
        self.write.clock.next = self.clock.val();
        self.write.reset.next = self.reset.val();
        self.write.flush.next = self.flush.val();
        self.outstanding.next = self.read.outstanding.val() | self.write.outstanding.val();
        self.m_axi_arsize.next = self.size_beat.val();
        self.m_axi_arburst.next = self.increment.val();
        self.m_axi_awsize.next = self.size_beat.val();
        self.m_axi_awburst.next = self.increment.val();
        for i in 0..LANES {
            self.read.lane_rd_valid[i].next = self.lane_rd_valid[i].val();
            self.lane_rd_ready[i].next = self.read.lane_rd_ready[i].val();
            self.read.lane_rd_addr[i].next = self.lane_rd_addr[i].val();
            self.read.lane_rd_beats[i].next = self.lane_rd_beats[i].val();
            self.lane_rdat_valid[i].next = self.read.lane_rdat_valid[i].val();
            self.read.lane_rdat_ready[i].next = self.lane_rdat_ready[i].val();
        }
        for p in 0..PAIRS {
            self.read.queue_rd_valid[p].next = self.queue_rd_valid[p].val();
            self.queue_rd_ready[p].next = self.read.queue_rd_ready[p].val();
            self.read.queue_rd_addr[p].next = self.queue_rd_addr[p].val();
            self.read.queue_rd_beats[p].next = self.queue_rd_beats[p].val();
            self.queue_rdat_valid[p].next = self.read.queue_rdat_valid[p].val();
            self.read.queue_rdat_ready[p].next = self.queue_rdat_ready[p].val();
        }
        self.rdat_data.next = self.read.rdat_data.val();
        self.rdat_error.next = self.read.rdat_error.val();
        self.m_axi_arvalid.next = self.read.m_axi_arvalid.val();
        self.read.m_axi_arready.next = self.m_axi_arready.val();
        self.m_axi_arid.next = self.read.m_axi_arid.val();
        self.m_axi_araddr.next = self.read.m_axi_araddr.val();
        self.m_axi_arlen.next = self.read.m_axi_arlen.val();
        self.read.m_axi_rvalid.next = self.m_axi_rvalid.val();
        self.m_axi_rready.next = self.read.m_axi_rready.val();
        self.read.m_axi_rid.next = self.m_axi_rid.val();
        self.read.m_axi_rdata.next = self.m_axi_rdata.val();
        self.read.m_axi_rresp.next = self.m_axi_rresp.val();
        self.read.m_axi_rlast.next = self.m_axi_rlast.val();
        for i in 0..LANES {
            self.write.lane_wr_valid[i].next = self.lane_wr_valid[i].val();
            self.lane_wr_ready[i].next = self.write.lane_wr_ready[i].val();
            self.write.lane_wr_addr[i].next = self.lane_wr_addr[i].val();
            self.write.lane_wr_data[i].next = self.lane_wr_data[i].val();
            self.lane_wr_idle[i].next = self.write.lane_wr_idle[i].val();
            self.lane_wr_error[i].next = self.write.lane_wr_error[i].val();
            self.write.lane_wr_clear[i].next = self.lane_wr_clear[i].val();
        }
        for p in 0..PAIRS {
            self.write.queue_wr_valid[p].next = self.queue_wr_valid[p].val();
            self.queue_wr_ready[p].next = self.write.queue_wr_ready[p].val();
            self.write.queue_wr_addr[p].next = self.queue_wr_addr[p].val();
            self.write.queue_wr_low[p].next = self.queue_wr_low[p].val();
            self.write.queue_wr_high[p].next = self.queue_wr_high[p].val();
            self.queue_wr_done[p].next = self.write.queue_wr_done[p].val();
            self.queue_wr_failed[p].next = self.write.queue_wr_failed[p].val();
        }
        self.m_axi_awvalid.next = self.write.m_axi_awvalid.val();
        self.write.m_axi_awready.next = self.m_axi_awready.val();
        self.m_axi_awid.next = self.write.m_axi_awid.val();
        self.m_axi_awaddr.next = self.write.m_axi_awaddr.val();
        self.m_axi_awlen.next = self.write.m_axi_awlen.val();
        self.m_axi_wvalid.next = self.write.m_axi_wvalid.val();
        self.write.m_axi_wready.next = self.m_axi_wready.val();
        self.m_axi_wdata.next = self.write.m_axi_wdata.val();
        self.m_axi_wstrb.next = self.write.m_axi_wstrb.val();
        self.m_axi_wlast.next = self.write.m_axi_wlast.val();
        self.write.m_axi_bvalid.next = self.m_axi_bvalid.val();
        self.m_axi_bready.next = self.write.m_axi_bready.val();
        self.write.m_axi_bid.next = self.m_axi_bid.val();
        self.write.m_axi_bresp.next = self.m_axi_bresp.val();
    }
}
