//! The card.

use rust_hdl_core::prelude::*;

use super::{Identity, MAX_IDS, MAX_PAIRS, Make, Shell, array};
use crate::keccak::KeccakPool;
use crate::lane::Lane;

/// Clock that a card reports when its board says nothing else, in kHz: that of the simulated card.
pub const DEFAULT_CLOCK_KHZ: u32 = 100_000;

/// The whole card: [`Shell`] with `PAIRS` queue pairs, and `LANES` lanes, wired. Outside it has one AXI4-Lite
/// slave (registers), one AXI4 master (host memory), an interrupt, and each lane's retire trace, which a
/// board leaves open.
#[derive(LogicBlock)]
pub struct Card<const LANES: usize, const ENGINES: usize, const PAIRS: usize> {
    /// Clock of everything.
    pub clock: Signal<In, Clock>,
    /// Power-on reset, synchronous.
    pub reset: Signal<In, Bit>,

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

    /// Trace: pulse, an opcode retires (it begins, as an inspector's `step`).
    pub trace_retire: [Signal<Out, Bit>; LANES],
    /// Trace: program counter.
    pub trace_pc: [Signal<Out, Bits<32>>; LANES],
    /// Trace: opcode.
    pub trace_op: [Signal<Out, Bits<8>>; LANES],
    /// Trace: gas before the opcode.
    pub trace_gas: [Signal<Out, Bits<64>>; LANES],
    /// Trace: words on the stack.
    pub trace_depth: [Signal<Out, Bits<11>>; LANES],
    /// Trace: top of the stack, 0 when empty.
    pub trace_top: [Signal<Out, Bits<256>>; LANES],
    /// Trace: memory size in words.
    pub trace_memory: [Signal<Out, Bits<32>>; LANES],
    /// Depth of its frame.
    pub trace_frame: [Signal<Out, Bits<11>>; LANES],
    /// A message runs.
    pub trace_busy: [Signal<Out, Bit>; LANES],
    /// It awaits the host.
    pub trace_wait: [Signal<Out, Bit>; LANES],
    /// It is a PUSH, and the jump behind it retires in the same cycle.
    pub trace_folds: [Signal<Out, Bit>; LANES],
    /// That jump's opcode.
    pub trace_jump: [Signal<Out, Bits<8>>; LANES],
    /// Where it goes.
    pub trace_destination: [Signal<Out, Bits<16>>; LANES],
    /// It awaits a page of code or data.
    pub trace_page: [Signal<Out, Bit>; LANES],
    /// Trace: command id of the running message.
    pub trace_id: [Signal<Out, Bits<32>>; LANES],

    shell: Shell<LANES, PAIRS>,
    lane: [Lane; LANES],
    pool: KeccakPool<LANES, ENGINES>,
}

impl<const LANES: usize, const ENGINES: usize, const PAIRS: usize> Card<LANES, ENGINES, PAIRS> {
    /// A card that is made so.
    pub fn new(make: Make) -> Self {
        const {
            assert!(LANES >= 1 && LANES + PAIRS <= MAX_IDS && ENGINES >= 1 && ENGINES <= 15);
            assert!(PAIRS >= 1 && PAIRS <= MAX_PAIRS);
        };
        let identity = Identity {
            engines: ENGINES as u8,
            make,
        };
        Self {
            clock: Default::default(),
            reset: Default::default(),
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
            trace_retire: array(),
            trace_pc: array(),
            trace_op: array(),
            trace_gas: array(),
            trace_depth: array(),
            trace_top: array(),
            trace_memory: array(),
            trace_frame: array(),
            trace_busy: array(),
            trace_wait: array(),
            trace_folds: array(),
            trace_jump: array(),
            trace_destination: array(),
            trace_page: array(),
            trace_id: array(),
            shell: Shell::new(identity),
            lane: array_init::array_init(|_| Lane::of(make.stores)),
            pool: Default::default(),
        }
    }
}

impl<const LANES: usize, const ENGINES: usize, const PAIRS: usize> Default
    for Card<LANES, ENGINES, PAIRS>
{
    fn default() -> Self {
        Self::new(Make::default())
    }
}

impl<const LANES: usize, const ENGINES: usize, const PAIRS: usize> Logic
    for Card<LANES, ENGINES, PAIRS>
{
    #[hdl_gen]
    fn update(&mut self) {
        self.shell.clock.next = self.clock.val();
        self.shell.reset.next = self.reset.val();
        self.shell.s_axil_awaddr.next = self.s_axil_awaddr.val();
        self.shell.s_axil_awvalid.next = self.s_axil_awvalid.val();
        self.s_axil_awready.next = self.shell.s_axil_awready.val();
        self.shell.s_axil_wdata.next = self.s_axil_wdata.val();
        self.shell.s_axil_wstrb.next = self.s_axil_wstrb.val();
        self.shell.s_axil_wvalid.next = self.s_axil_wvalid.val();
        self.s_axil_wready.next = self.shell.s_axil_wready.val();
        self.s_axil_bresp.next = self.shell.s_axil_bresp.val();
        self.s_axil_bvalid.next = self.shell.s_axil_bvalid.val();
        self.shell.s_axil_bready.next = self.s_axil_bready.val();
        self.shell.s_axil_araddr.next = self.s_axil_araddr.val();
        self.shell.s_axil_arvalid.next = self.s_axil_arvalid.val();
        self.s_axil_arready.next = self.shell.s_axil_arready.val();
        self.s_axil_rdata.next = self.shell.s_axil_rdata.val();
        self.s_axil_rresp.next = self.shell.s_axil_rresp.val();
        self.s_axil_rvalid.next = self.shell.s_axil_rvalid.val();
        self.shell.s_axil_rready.next = self.s_axil_rready.val();
        self.m_axi_arvalid.next = self.shell.m_axi_arvalid.val();
        self.shell.m_axi_arready.next = self.m_axi_arready.val();
        self.m_axi_arid.next = self.shell.m_axi_arid.val();
        self.m_axi_araddr.next = self.shell.m_axi_araddr.val();
        self.m_axi_arlen.next = self.shell.m_axi_arlen.val();
        self.m_axi_arsize.next = self.shell.m_axi_arsize.val();
        self.m_axi_arburst.next = self.shell.m_axi_arburst.val();
        self.shell.m_axi_rvalid.next = self.m_axi_rvalid.val();
        self.m_axi_rready.next = self.shell.m_axi_rready.val();
        self.shell.m_axi_rid.next = self.m_axi_rid.val();
        self.shell.m_axi_rdata.next = self.m_axi_rdata.val();
        self.shell.m_axi_rresp.next = self.m_axi_rresp.val();
        self.shell.m_axi_rlast.next = self.m_axi_rlast.val();
        self.m_axi_awvalid.next = self.shell.m_axi_awvalid.val();
        self.shell.m_axi_awready.next = self.m_axi_awready.val();
        self.m_axi_awid.next = self.shell.m_axi_awid.val();
        self.m_axi_awaddr.next = self.shell.m_axi_awaddr.val();
        self.m_axi_awlen.next = self.shell.m_axi_awlen.val();
        self.m_axi_awsize.next = self.shell.m_axi_awsize.val();
        self.m_axi_awburst.next = self.shell.m_axi_awburst.val();
        self.m_axi_wvalid.next = self.shell.m_axi_wvalid.val();
        self.shell.m_axi_wready.next = self.m_axi_wready.val();
        self.m_axi_wdata.next = self.shell.m_axi_wdata.val();
        self.m_axi_wstrb.next = self.shell.m_axi_wstrb.val();
        self.m_axi_wlast.next = self.shell.m_axi_wlast.val();
        self.shell.m_axi_bvalid.next = self.m_axi_bvalid.val();
        self.m_axi_bready.next = self.shell.m_axi_bready.val();
        self.shell.m_axi_bid.next = self.m_axi_bid.val();
        self.shell.m_axi_bresp.next = self.m_axi_bresp.val();
        self.msix_valid.next = self.shell.msix_valid.val();
        self.msix_vector.next = self.shell.msix_vector.val();
        self.pool.clock.next = self.clock.val();
        self.pool.reset.next = self.shell.lane_reset.val();
        for i in 0..LANES {
            self.lane[i].clock.next = self.clock.val();
            self.lane[i].reset.next = self.shell.lane_reset.val();
            self.lane[i].cmd_valid.next = self.shell.cmd_valid[i].val();
            self.lane[i].cmd_id.next = self.shell.cmd_id[i].val();
            self.lane[i].cmd_address.next = self.shell.cmd_address[i].val();
            self.lane[i].cmd_result.next = self.shell.cmd_result[i].val();
            self.lane[i].cmd_capacity.next = self.shell.cmd_capacity[i].val();
            self.lane[i].cancel_valid.next = self.shell.cancel_valid[i].val();
            self.lane[i].reply_valid.next = self.shell.reply_valid[i].val();
            self.lane[i].cpl_ready.next = self.shell.cpl_ready[i].val();
            self.lane[i].rd_ready.next = self.shell.rd_ready[i].val();
            self.lane[i].rdat_valid.next = self.shell.rdat_valid[i].val();
            self.lane[i].wr_ready.next = self.shell.wr_ready[i].val();
            self.lane[i].wr_idle.next = self.shell.wr_idle[i].val();
            self.lane[i].wr_error.next = self.shell.wr_error[i].val();
            self.lane[i].cancel_id.next = self.shell.cancel_id.val();
            self.lane[i].reply_failed.next = self.shell.reply_failed.val();
            self.lane[i].reply_tag.next = self.shell.reply_tag.val();
            self.lane[i].reply_value.next = self.shell.reply_value.val();
            self.lane[i].rdat_data.next = self.shell.rdat_data.val();
            self.lane[i].rdat_error.next = self.shell.rdat_error.val();
            self.shell.cmd_ready[i].next = self.lane[i].cmd_ready.val();
            self.shell.reply_taken[i].next = self.lane[i].reply_taken.val();
            self.shell.cpl_valid[i].next = self.lane[i].cpl_valid.val();
            self.shell.cpl_kind[i].next = self.lane[i].cpl_kind.val();
            self.shell.cpl_code[i].next = self.lane[i].cpl_code.val();
            self.shell.cpl_tag[i].next = self.lane[i].cpl_tag.val();
            self.shell.cpl_key[i].next = self.lane[i].cpl_key.val();
            self.shell.cpl_account[i].next = self.lane[i].cpl_account.val();
            self.shell.cpl_id[i].next = self.lane[i].cpl_id.val();
            self.shell.rd_valid[i].next = self.lane[i].rd_valid.val();
            self.shell.rd_addr[i].next = self.lane[i].rd_addr.val();
            self.shell.rd_beats[i].next = self.lane[i].rd_beats.val();
            self.shell.rdat_ready[i].next = self.lane[i].rdat_ready.val();
            self.shell.wr_valid[i].next = self.lane[i].wr_valid.val();
            self.shell.wr_addr[i].next = self.lane[i].wr_addr.val();
            self.shell.wr_data[i].next = self.lane[i].wr_data.val();
            self.shell.wr_clear[i].next = self.lane[i].wr_clear.val();
            self.shell.busy[i].next = self.lane[i].busy.val();
            self.shell.waiting[i].next = self.lane[i].waiting.val();
            self.shell.stall_keccak[i].next = self.lane[i].stall_keccak.val();
            self.shell.stall_dma[i].next = self.lane[i].stall_dma.val();
            self.shell.stall_arith[i].next = self.lane[i].stall_arith.val();
            self.shell.retire[i].next = self.lane[i].retire.val();
            self.shell.retire_pc[i].next = self.lane[i].retire_pc.val();
            self.shell.running_id[i].next = self.lane[i].running_id.val();
            self.pool.kec_valid[i].next = self.lane[i].kec_valid.val();
            self.pool.kec_data[i].next = self.lane[i].kec_data.val();
            self.pool.kec_bytes[i].next = self.lane[i].kec_bytes.val();
            self.pool.kec_last[i].next = self.lane[i].kec_last.val();
            self.lane[i].kec_ready.next = self.pool.kec_ready[i].val();
            self.lane[i].kec_done.next = self.pool.kec_done[i].val();
            self.lane[i].kec_digest.next = self.pool.kec_digest[i].val();
            self.trace_retire[i].next = self.lane[i].retire.val();
            self.trace_pc[i].next = self.lane[i].retire_pc.val();
            self.trace_op[i].next = self.lane[i].retire_op.val();
            self.trace_gas[i].next = self.lane[i].retire_gas.val();
            self.trace_depth[i].next = self.lane[i].retire_depth.val();
            self.trace_top[i].next = self.lane[i].retire_top.val();
            self.trace_memory[i].next = self.lane[i].retire_memory.val();
            self.trace_frame[i].next = self.lane[i].retire_frame.val();
            self.trace_busy[i].next = self.lane[i].busy.val();
            self.trace_wait[i].next = self.lane[i].waiting.val();
            self.trace_folds[i].next = self.lane[i].retire_folds.val();
            self.trace_jump[i].next = self.lane[i].retire_jump.val();
            self.trace_destination[i].next = self.lane[i].retire_destination.val();
            self.trace_page[i].next = self.lane[i].paging.val();
            self.trace_id[i].next = self.lane[i].running_id.val();
        }
    }
}
