//! The top of a board whose PCIe is a vendor's shell or bridge.

use rust_hdl_core::prelude::*;

use super::{Interrupts, Panel, Widen, Window};
use crate::card::{Card, Make};

/// A card at a shell that speaks AXI: registers by AXI4-Lite, host memory by AXI4 of 512 bits, interrupts one by one.
/// All in the card's clock: a board's top has the vendor's converters to the shell's.
///
/// ```text
///  shell ─ AXI4-Lite ─▶ Window ────▶ ╭──────╮
///        ◀─ AXI4 ───────── Widen ─── │ Card │
///        ◀─ irq ────── Interrupts ── ╰──────╯
/// ```
#[derive(LogicBlock)]
pub struct ShellCard<const LANES: usize, const ENGINES: usize, const PAIRS: usize> {
    /// Clock of everything.
    pub clock: Signal<In, Clock>,
    /// Holds the card in reset: the shell's reset, or a clock that is not steady yet. Asynchronous.
    pub hold: Signal<In, Bit>,
    /// LEDs: see [`Panel`].
    pub led: Signal<Out, Bits<8>>,

    /// AXI4-Lite AW channel: byte address in the BAR.
    pub s_axil_awaddr: Signal<In, Bits<32>>,
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
    /// AXI4-Lite AR channel: byte address in the BAR.
    pub s_axil_araddr: Signal<In, Bits<32>>,
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
    /// Requester.
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
    pub m_axi_rdata: Signal<In, Bits<512>>,
    /// 0 is OKAY, everything else an error.
    pub m_axi_rresp: Signal<In, Bits<2>>,
    /// AXI4 AW channel.
    pub m_axi_awvalid: Signal<Out, Bit>,
    /// AXI4 AW channel.
    pub m_axi_awready: Signal<In, Bit>,
    /// Requester.
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
    pub m_axi_wdata: Signal<Out, Bits<512>>,
    /// Byte strobes.
    pub m_axi_wstrb: Signal<Out, Bits<64>>,
    /// Last beat of the burst.
    pub m_axi_wlast: Signal<Out, Bit>,
    /// AXI4 B channel.
    pub m_axi_bvalid: Signal<In, Bit>,
    /// AXI4 B channel.
    pub m_axi_bready: Signal<Out, Bit>,
    /// Requester.
    pub m_axi_bid: Signal<In, Bits<4>>,
    /// 0 is OKAY, everything else an error.
    pub m_axi_bresp: Signal<In, Bits<2>>,

    /// Pulse: the shell is asked for an interrupt.
    pub irq_request: Signal<Out, Bit>,
    /// Its vector; it stays until `irq_done`.
    pub irq_vector: Signal<Out, Bits<4>>,
    /// Pulse: the shell has taken it.
    pub irq_done: Signal<In, Bit>,

    panel: Panel,
    read_window: Window,
    write_window: Window,
    widen: Widen,
    interrupts: Interrupts,
    card: Card<LANES, ENGINES, PAIRS>,
    no: Constant<Bits<1>>,
}

impl<const LANES: usize, const ENGINES: usize, const PAIRS: usize>
    ShellCard<LANES, ENGINES, PAIRS>
{
    /// A card at `clock_khz`.
    pub fn new(make: Make) -> Self {
        block! {
            card: Card::new(make),
            no: Constant::new(0u64.into()),
            ; clock hold led s_axil_awaddr s_axil_awvalid s_axil_awready s_axil_wdata s_axil_wstrb s_axil_wvalid
            s_axil_wready s_axil_bresp s_axil_bvalid s_axil_bready s_axil_araddr s_axil_arvalid s_axil_arready
            s_axil_rdata s_axil_rresp s_axil_rvalid s_axil_rready m_axi_arvalid m_axi_arready m_axi_arid m_axi_araddr
            m_axi_arlen m_axi_arsize m_axi_arburst m_axi_rvalid m_axi_rready m_axi_rid m_axi_rdata m_axi_rresp
            m_axi_awvalid m_axi_awready m_axi_awid m_axi_awaddr m_axi_awlen m_axi_awsize m_axi_awburst m_axi_wvalid
            m_axi_wready m_axi_wdata m_axi_wstrb m_axi_wlast m_axi_bvalid m_axi_bready m_axi_bid m_axi_bresp irq_request
            irq_vector irq_done panel read_window write_window widen interrupts
        }
    }
}

impl<const LANES: usize, const ENGINES: usize, const PAIRS: usize> Logic
    for ShellCard<LANES, ENGINES, PAIRS>
{
    #[hdl_gen]
    fn update(&mut self) {
        self.panel.clock.next = self.clock.val();
        self.panel.hold.next = self.hold.val();
        self.panel.heard.next = self.s_axil_arvalid.val() | self.s_axil_awvalid.val();
        self.panel.sends.next = self.card.m_axi_arvalid.val() | self.card.m_axi_awvalid.val();
        self.panel.busy.next = self.card.trace_busy[0].val();
        self.panel.waits.next = self.card.trace_wait[0].val();
        self.led.next = self.panel.led.val();
        self.widen.clock.next = self.clock.val();
        self.widen.reset.next = self.panel.starting.val();
        self.interrupts.clock.next = self.clock.val();
        self.interrupts.reset.next = self.panel.starting.val();
        self.card.clock.next = self.clock.val();
        self.card.reset.next = self.panel.starting.val();

        self.write_window.address.next = self.s_axil_awaddr.val();
        self.read_window.address.next = self.s_axil_araddr.val();
        self.card.s_axil_awaddr.next = self.write_window.offset.val();
        self.card.s_axil_awvalid.next = self.s_axil_awvalid.val();
        self.s_axil_awready.next = self.card.s_axil_awready.val();
        self.card.s_axil_wdata.next = self.s_axil_wdata.val();
        self.card.s_axil_wstrb.next = self.s_axil_wstrb.val();
        self.card.s_axil_wvalid.next = self.s_axil_wvalid.val();
        self.s_axil_wready.next = self.card.s_axil_wready.val();
        self.s_axil_bresp.next = self.card.s_axil_bresp.val();
        self.s_axil_bvalid.next = self.card.s_axil_bvalid.val();
        self.card.s_axil_bready.next = self.s_axil_bready.val();
        self.card.s_axil_araddr.next = self.read_window.offset.val();
        self.card.s_axil_arvalid.next = self.s_axil_arvalid.val();
        self.s_axil_arready.next = self.card.s_axil_arready.val();
        self.s_axil_rdata.next = self.card.s_axil_rdata.val();
        self.s_axil_rresp.next = self.card.s_axil_rresp.val();
        self.s_axil_rvalid.next = self.card.s_axil_rvalid.val();
        self.card.s_axil_rready.next = self.s_axil_rready.val();

        self.widen.s_axi_arvalid.next = self.card.m_axi_arvalid.val();
        self.card.m_axi_arready.next = self.widen.s_axi_arready.val();
        self.widen.s_axi_arid.next = self.card.m_axi_arid.val();
        self.widen.s_axi_araddr.next = self.card.m_axi_araddr.val();
        self.widen.s_axi_arlen.next = self.card.m_axi_arlen.val();
        self.card.m_axi_rvalid.next = self.widen.s_axi_rvalid.val();
        self.widen.s_axi_rready.next = self.card.m_axi_rready.val();
        self.card.m_axi_rid.next = self.widen.s_axi_rid.val();
        self.card.m_axi_rdata.next = self.widen.s_axi_rdata.val();
        self.card.m_axi_rresp.next = self.widen.s_axi_rresp.val();
        self.card.m_axi_rlast.next = self.widen.s_axi_rlast.val();
        self.widen.s_axi_awvalid.next = self.card.m_axi_awvalid.val();
        self.card.m_axi_awready.next = self.widen.s_axi_awready.val();
        self.widen.s_axi_awid.next = self.card.m_axi_awid.val();
        self.widen.s_axi_awaddr.next = self.card.m_axi_awaddr.val();
        self.widen.s_axi_awlen.next = self.card.m_axi_awlen.val();
        self.widen.s_axi_wvalid.next = self.card.m_axi_wvalid.val();
        self.card.m_axi_wready.next = self.widen.s_axi_wready.val();
        self.widen.s_axi_wdata.next = self.card.m_axi_wdata.val();
        self.widen.s_axi_wstrb.next = self.card.m_axi_wstrb.val();
        self.widen.s_axi_wlast.next = self.card.m_axi_wlast.val();
        self.card.m_axi_bvalid.next = self.widen.s_axi_bvalid.val();
        self.widen.s_axi_bready.next = self.card.m_axi_bready.val();
        self.card.m_axi_bid.next = self.widen.s_axi_bid.val();
        self.card.m_axi_bresp.next = self.widen.s_axi_bresp.val();
        self.m_axi_arvalid.next = self.widen.m_axi_arvalid.val();
        self.widen.m_axi_arready.next = self.m_axi_arready.val();
        self.m_axi_arid.next = self.widen.m_axi_arid.val();
        self.m_axi_araddr.next = self.widen.m_axi_araddr.val();
        self.m_axi_arlen.next = self.widen.m_axi_arlen.val();
        self.m_axi_arsize.next = self.widen.m_axi_arsize.val();
        self.m_axi_arburst.next = self.widen.m_axi_arburst.val();
        self.widen.m_axi_rvalid.next = self.m_axi_rvalid.val();
        self.m_axi_rready.next = self.widen.m_axi_rready.val();
        self.widen.m_axi_rid.next = self.m_axi_rid.val();
        self.widen.m_axi_rdata.next = self.m_axi_rdata.val();
        self.widen.m_axi_rresp.next = self.m_axi_rresp.val();
        self.m_axi_awvalid.next = self.widen.m_axi_awvalid.val();
        self.widen.m_axi_awready.next = self.m_axi_awready.val();
        self.m_axi_awid.next = self.widen.m_axi_awid.val();
        self.m_axi_awaddr.next = self.widen.m_axi_awaddr.val();
        self.m_axi_awlen.next = self.widen.m_axi_awlen.val();
        self.m_axi_awsize.next = self.widen.m_axi_awsize.val();
        self.m_axi_awburst.next = self.widen.m_axi_awburst.val();
        self.m_axi_wvalid.next = self.widen.m_axi_wvalid.val();
        self.widen.m_axi_wready.next = self.m_axi_wready.val();
        self.m_axi_wdata.next = self.widen.m_axi_wdata.val();
        self.m_axi_wstrb.next = self.widen.m_axi_wstrb.val();
        self.m_axi_wlast.next = self.widen.m_axi_wlast.val();
        self.widen.m_axi_bvalid.next = self.m_axi_bvalid.val();
        self.m_axi_bready.next = self.widen.m_axi_bready.val();
        self.widen.m_axi_bid.next = self.m_axi_bid.val();
        self.widen.m_axi_bresp.next = self.m_axi_bresp.val();

        self.interrupts.msix_valid.next = self.card.msix_valid.val();
        self.interrupts.msix_vector.next = self.card.msix_vector.val();
        self.interrupts.hold.next = self.no.val().any();
        self.irq_request.next = self.interrupts.request.val();
        self.irq_vector.next = self.interrupts.vector.val();
        self.interrupts.done.next = self.irq_done.val();
    }
}
