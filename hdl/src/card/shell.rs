//! Everything around the lanes.

use rust_hdl_core::prelude::*;

use super::{Dma, Identity, QueueEngine, RegisterFile, array};

/// The card without its lanes: registers, queue engine and DMA, wired. Its inner side are `LANES` lanes'
/// ports (see [`crate::lane`]), its outer side the card's.
#[derive(LogicBlock)]
pub struct Shell<const LANES: usize, const PAIRS: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Power-on reset.
    pub reset: Signal<In, Bit>,
    /// Reset of the lanes and what they share: power-on or `CONTROL`.
    pub lane_reset: Signal<Out, Bit>,
    /// AXI4-Lite AW channel: byte address.
    pub s_axil_awaddr: Signal<In, Bits<12>>,
    /// AXI4-Lite AW channel.
    pub s_axil_awvalid: Signal<In, Bit>,
    /// AXI4-Lite AW channel.
    pub s_axil_awready: Signal<Out, Bit>,
    /// AXI4-Lite W channel: data.
    pub s_axil_wdata: Signal<In, Bits<32>>,
    /// AXI4-Lite W channel: byte strobes.
    pub s_axil_wstrb: Signal<In, Bits<4>>,
    /// AXI4-Lite W channel.
    pub s_axil_wvalid: Signal<In, Bit>,
    /// AXI4-Lite W channel.
    pub s_axil_wready: Signal<Out, Bit>,
    /// AXI4-Lite B channel: OKAY.
    pub s_axil_bresp: Signal<Out, Bits<2>>,
    /// AXI4-Lite B channel.
    pub s_axil_bvalid: Signal<Out, Bit>,
    /// AXI4-Lite B channel.
    pub s_axil_bready: Signal<In, Bit>,
    /// AXI4-Lite AR channel: byte address.
    pub s_axil_araddr: Signal<In, Bits<12>>,
    /// AXI4-Lite AR channel.
    pub s_axil_arvalid: Signal<In, Bit>,
    /// AXI4-Lite AR channel.
    pub s_axil_arready: Signal<Out, Bit>,
    /// AXI4-Lite R channel: data.
    pub s_axil_rdata: Signal<Out, Bits<32>>,
    /// AXI4-Lite R channel: OKAY.
    pub s_axil_rresp: Signal<Out, Bits<2>>,
    /// AXI4-Lite R channel.
    pub s_axil_rvalid: Signal<Out, Bit>,
    /// AXI4-Lite R channel.
    pub s_axil_rready: Signal<In, Bit>,
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
    /// Pulse: raise an interrupt.
    pub msix_valid: Signal<Out, Bit>,
    /// Its vector.
    pub msix_vector: Signal<Out, Bits<16>>,
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
    /// A lane asks for a burst.
    pub rd_valid: [Signal<In, Bit>; LANES],
    /// The request is taken.
    pub rd_ready: [Signal<Out, Bit>; LANES],
    /// Bus address, 32-byte aligned.
    pub rd_addr: [Signal<In, Bits<64>>; LANES],
    /// Beats, 1 to 128; the burst crosses no 4 KiB boundary.
    pub rd_beats: [Signal<In, Bits<8>>; LANES],
    /// A beat for this lane.
    pub rdat_valid: [Signal<Out, Bit>; LANES],
    /// The lane takes the beat.
    pub rdat_ready: [Signal<In, Bit>; LANES],
    /// A lane has a beat to write.
    pub wr_valid: [Signal<In, Bit>; LANES],
    /// The beat is taken.
    pub wr_ready: [Signal<Out, Bit>; LANES],
    /// Bus address, 32-byte aligned.
    pub wr_addr: [Signal<In, Bits<64>>; LANES],
    /// The beat.
    pub wr_data: [Signal<In, Bits<256>>; LANES],
    /// Every write of this lane has its response.
    pub wr_idle: [Signal<Out, Bit>; LANES],
    /// A write of this lane failed since `lane_wr_clear`.
    pub wr_error: [Signal<Out, Bit>; LANES],
    /// Clears the lane's error.
    pub wr_clear: [Signal<In, Bit>; LANES],
    /// The beat, for whom it is.
    pub rdat_data: Signal<Out, Bits<256>>,
    /// The beat came with an error response.
    pub rdat_error: Signal<Out, Bit>,
    /// The lane has a message.
    pub busy: [Signal<In, Bit>; LANES],
    /// The lane awaits an answer of the host.
    pub waiting: [Signal<In, Bit>; LANES],
    /// The lane awaits a Keccak engine.
    pub stall_keccak: [Signal<In, Bit>; LANES],
    /// The lane awaits the DMA.
    pub stall_dma: [Signal<In, Bit>; LANES],
    /// The lane awaits its multi-cycle arithmetic unit.
    pub stall_arith: [Signal<In, Bit>; LANES],
    /// Pulse: an opcode retires.
    pub retire: [Signal<In, Bit>; LANES],
    /// Its program counter.
    pub retire_pc: [Signal<In, Bits<32>>; LANES],
    /// Command id of the running message.
    pub running_id: [Signal<In, Bits<32>>; LANES],

    registers: RegisterFile<LANES, PAIRS>,
    queue: QueueEngine<LANES, PAIRS>,
    dma: Dma<LANES, PAIRS>,
    hold: Signal<Local, Bit>,
}

impl<const LANES: usize, const PAIRS: usize> Shell<LANES, PAIRS> {
    /// The shell of a card with this identity.
    pub fn new(identity: Identity) -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            lane_reset: Default::default(),
            s_axil_awaddr: Default::default(),
            s_axil_awvalid: Default::default(),
            s_axil_awready: Default::default(),
            s_axil_wdata: Default::default(),
            s_axil_wstrb: Default::default(),
            s_axil_wvalid: Default::default(),
            s_axil_wready: Default::default(),
            s_axil_bresp: Default::default(),
            s_axil_bvalid: Default::default(),
            s_axil_bready: Default::default(),
            s_axil_araddr: Default::default(),
            s_axil_arvalid: Default::default(),
            s_axil_arready: Default::default(),
            s_axil_rdata: Default::default(),
            s_axil_rresp: Default::default(),
            s_axil_rvalid: Default::default(),
            s_axil_rready: Default::default(),
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
            msix_valid: Default::default(),
            msix_vector: Default::default(),
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
            rd_valid: array(),
            rd_ready: array(),
            rd_addr: array(),
            rd_beats: array(),
            rdat_valid: array(),
            rdat_ready: array(),
            wr_valid: array(),
            wr_ready: array(),
            wr_addr: array(),
            wr_data: array(),
            wr_idle: array(),
            wr_error: array(),
            wr_clear: array(),
            rdat_data: Default::default(),
            rdat_error: Default::default(),
            busy: array(),
            waiting: array(),
            stall_keccak: array(),
            stall_dma: array(),
            stall_arith: array(),
            retire: array(),
            retire_pc: array(),
            running_id: array(),
            registers: RegisterFile::new(identity),
            queue: Default::default(),
            dma: Default::default(),
            hold: Default::default(),
        }
    }
}

impl<const LANES: usize, const PAIRS: usize> Logic for Shell<LANES, PAIRS> {
    #[hdl_gen]
    fn update(&mut self) {
        self.hold.next = self.reset.val() | self.registers.hold.val();
        self.lane_reset.next = self.hold.val();
        self.registers.clock.next = self.clock.val();
        self.registers.reset.next = self.reset.val();
        self.queue.clock.next = self.clock.val();
        self.queue.reset.next = self.hold.val();
        self.dma.clock.next = self.clock.val();
        self.dma.reset.next = self.reset.val();
        self.registers.s_axil_awaddr.next = self.s_axil_awaddr.val();
        self.registers.s_axil_awvalid.next = self.s_axil_awvalid.val();
        self.s_axil_awready.next = self.registers.s_axil_awready.val();
        self.registers.s_axil_wdata.next = self.s_axil_wdata.val();
        self.registers.s_axil_wstrb.next = self.s_axil_wstrb.val();
        self.registers.s_axil_wvalid.next = self.s_axil_wvalid.val();
        self.s_axil_wready.next = self.registers.s_axil_wready.val();
        self.s_axil_bresp.next = self.registers.s_axil_bresp.val();
        self.s_axil_bvalid.next = self.registers.s_axil_bvalid.val();
        self.registers.s_axil_bready.next = self.s_axil_bready.val();
        self.registers.s_axil_araddr.next = self.s_axil_araddr.val();
        self.registers.s_axil_arvalid.next = self.s_axil_arvalid.val();
        self.s_axil_arready.next = self.registers.s_axil_arready.val();
        self.s_axil_rdata.next = self.registers.s_axil_rdata.val();
        self.s_axil_rresp.next = self.registers.s_axil_rresp.val();
        self.s_axil_rvalid.next = self.registers.s_axil_rvalid.val();
        self.registers.s_axil_rready.next = self.s_axil_rready.val();
        self.m_axi_arvalid.next = self.dma.m_axi_arvalid.val();
        self.dma.m_axi_arready.next = self.m_axi_arready.val();
        self.m_axi_arid.next = self.dma.m_axi_arid.val();
        self.m_axi_araddr.next = self.dma.m_axi_araddr.val();
        self.m_axi_arlen.next = self.dma.m_axi_arlen.val();
        self.m_axi_arsize.next = self.dma.m_axi_arsize.val();
        self.m_axi_arburst.next = self.dma.m_axi_arburst.val();
        self.dma.m_axi_rvalid.next = self.m_axi_rvalid.val();
        self.m_axi_rready.next = self.dma.m_axi_rready.val();
        self.dma.m_axi_rid.next = self.m_axi_rid.val();
        self.dma.m_axi_rdata.next = self.m_axi_rdata.val();
        self.dma.m_axi_rresp.next = self.m_axi_rresp.val();
        self.dma.m_axi_rlast.next = self.m_axi_rlast.val();
        self.m_axi_awvalid.next = self.dma.m_axi_awvalid.val();
        self.dma.m_axi_awready.next = self.m_axi_awready.val();
        self.m_axi_awid.next = self.dma.m_axi_awid.val();
        self.m_axi_awaddr.next = self.dma.m_axi_awaddr.val();
        self.m_axi_awlen.next = self.dma.m_axi_awlen.val();
        self.m_axi_awsize.next = self.dma.m_axi_awsize.val();
        self.m_axi_awburst.next = self.dma.m_axi_awburst.val();
        self.m_axi_wvalid.next = self.dma.m_axi_wvalid.val();
        self.dma.m_axi_wready.next = self.m_axi_wready.val();
        self.m_axi_wdata.next = self.dma.m_axi_wdata.val();
        self.m_axi_wstrb.next = self.dma.m_axi_wstrb.val();
        self.m_axi_wlast.next = self.dma.m_axi_wlast.val();
        self.dma.m_axi_bvalid.next = self.m_axi_bvalid.val();
        self.m_axi_bready.next = self.dma.m_axi_bready.val();
        self.dma.m_axi_bid.next = self.m_axi_bid.val();
        self.dma.m_axi_bresp.next = self.m_axi_bresp.val();
        self.msix_valid.next = self.queue.msix_valid.val();
        self.msix_vector.next = self.queue.msix_vector.val();
        self.cancel_id.next = self.queue.cancel_id.val();
        self.reply_failed.next = self.queue.reply_failed.val();
        self.reply_tag.next = self.queue.reply_tag.val();
        self.reply_value.next = self.queue.reply_value.val();
        self.rdat_data.next = self.dma.rdat_data.val();
        self.rdat_error.next = self.dma.rdat_error.val();
        self.queue.enable.next = self.registers.enable.val();
        self.registers.dropped.next = self.queue.dropped.val();
        self.registers.dma_outstanding.next = self.dma.outstanding.val();
        self.dma.flush.next = self.registers.hold.val();
        self.queue.rdat_data.next = self.dma.rdat_data.val();
        self.queue.rdat_error.next = self.dma.rdat_error.val();
        for p in 0..PAIRS {
            self.queue.sq_base[p].next = self.registers.sq_base[p].val();
            self.queue.cq_base[p].next = self.registers.cq_base[p].val();
            self.queue.size[p].next = self.registers.size[p].val();
            self.queue.sq_tail[p].next = self.registers.sq_tail[p].val();
            self.queue.cq_head[p].next = self.registers.cq_head[p].val();
            self.queue.irq_vector[p].next = self.registers.irq_vector[p].val();
            self.queue.irq_enable[p].next = self.registers.irq_enable[p].val();
            self.registers.sq_head[p].next = self.queue.sq_head[p].val();
            self.registers.cq_tail[p].next = self.queue.cq_tail[p].val();
            self.registers.queue_error[p].next = self.queue.error[p].val();
            self.dma.queue_rd_valid[p].next = self.queue.rd_valid[p].val();
            self.queue.rd_ready[p].next = self.dma.queue_rd_ready[p].val();
            self.dma.queue_rd_addr[p].next = self.queue.rd_addr[p].val();
            self.dma.queue_rd_beats[p].next = self.queue.rd_beats[p].val();
            self.queue.rdat_valid[p].next = self.dma.queue_rdat_valid[p].val();
            self.dma.queue_rdat_ready[p].next = self.queue.rdat_ready[p].val();
            self.dma.queue_wr_valid[p].next = self.queue.wr_valid[p].val();
            self.queue.wr_ready[p].next = self.dma.queue_wr_ready[p].val();
            self.dma.queue_wr_addr[p].next = self.queue.wr_addr[p].val();
            self.dma.queue_wr_low[p].next = self.queue.wr_low[p].val();
            self.dma.queue_wr_high[p].next = self.queue.wr_high[p].val();
            self.queue.wr_done[p].next = self.dma.queue_wr_done[p].val();
            self.queue.wr_failed[p].next = self.dma.queue_wr_failed[p].val();
            self.queue.irq_count[p].next = self.registers.irq_count[p].val();
            self.queue.irq_time[p].next = self.registers.irq_time[p].val();
        }
        for i in 0..LANES {
            self.cmd_valid[i].next = self.queue.cmd_valid[i].val();
            self.queue.cmd_ready[i].next = self.cmd_ready[i].val();
            self.cmd_id[i].next = self.queue.cmd_id[i].val();
            self.cmd_address[i].next = self.queue.cmd_address[i].val();
            self.cmd_result[i].next = self.queue.cmd_result[i].val();
            self.cmd_capacity[i].next = self.queue.cmd_capacity[i].val();
            self.cancel_valid[i].next = self.queue.cancel_valid[i].val();
            self.reply_valid[i].next = self.queue.reply_valid[i].val();
            self.queue.reply_taken[i].next = self.reply_taken[i].val();
            self.queue.cpl_valid[i].next = self.cpl_valid[i].val();
            self.cpl_ready[i].next = self.queue.cpl_ready[i].val();
            self.queue.cpl_kind[i].next = self.cpl_kind[i].val();
            self.queue.cpl_code[i].next = self.cpl_code[i].val();
            self.queue.cpl_tag[i].next = self.cpl_tag[i].val();
            self.queue.cpl_key[i].next = self.cpl_key[i].val();
            self.queue.cpl_account[i].next = self.cpl_account[i].val();
            self.queue.cpl_id[i].next = self.cpl_id[i].val();
            self.dma.lane_rd_valid[i].next = self.rd_valid[i].val();
            self.rd_ready[i].next = self.dma.lane_rd_ready[i].val();
            self.dma.lane_rd_addr[i].next = self.rd_addr[i].val();
            self.dma.lane_rd_beats[i].next = self.rd_beats[i].val();
            self.rdat_valid[i].next = self.dma.lane_rdat_valid[i].val();
            self.dma.lane_rdat_ready[i].next = self.rdat_ready[i].val();
            self.dma.lane_wr_valid[i].next = self.wr_valid[i].val();
            self.wr_ready[i].next = self.dma.lane_wr_ready[i].val();
            self.dma.lane_wr_addr[i].next = self.wr_addr[i].val();
            self.dma.lane_wr_data[i].next = self.wr_data[i].val();
            self.wr_idle[i].next = self.dma.lane_wr_idle[i].val();
            self.wr_error[i].next = self.dma.lane_wr_error[i].val();
            self.dma.lane_wr_clear[i].next = self.wr_clear[i].val();
            self.registers.lane_busy[i].next = self.busy[i].val();
            self.registers.lane_waiting[i].next = self.waiting[i].val();
            self.registers.lane_stall_keccak[i].next = self.stall_keccak[i].val();
            self.registers.lane_stall_dma[i].next = self.stall_dma[i].val();
            self.registers.lane_stall_arith[i].next = self.stall_arith[i].val();
            self.registers.lane_retire[i].next = self.retire[i].val();
            self.registers.lane_retire_pc[i].next = self.retire_pc[i].val();
            self.registers.lane_running_id[i].next = self.running_id[i].val();
            self.registers.lane_queued[i].next = self.queue.queued[i].val();
            self.registers.lane_message[i].next = self.queue.message[i].val();
        }
    }
}
