//! The top of a board whose PCIe is LitePCIe's.

use rust_hdl_core::prelude::*;

use super::{LiteBridge, Panel, Window};
use crate::card::{Card, Make};

/// A card at the user side of a core that `litepcie_gen` makes: ports that meet are called as there.
///
/// ```text
///  litepcie_core ─ mmap_axi_lite ─▶ Window ──▶ ╭──────╮
///                ◀─ mmap_slave_axi ─ LiteBridge │ Card │
///                ◀─ msi_irqs ────── Interrupts  ╰──────╯
/// ```
#[derive(LogicBlock)]
pub struct LiteCard<const LANES: usize, const ENGINES: usize> {
    /// Clock of everything, and of the core's user side.
    pub clock: Signal<In, Clock>,
    /// Holds the card in reset: the slot's reset, or a clock that is not steady yet. Asynchronous.
    pub hold: Signal<In, Bit>,
    /// LEDs: see [`Panel`].
    pub led: Signal<Out, Bits<8>>,

    /// AXI4-Lite AW channel: byte address in the BAR.
    pub mmap_axi_lite_awaddr: Signal<In, Bits<32>>,
    /// AXI4-Lite AW channel.
    pub mmap_axi_lite_awvalid: Signal<In, Bit>,
    /// AXI4-Lite AW channel.
    pub mmap_axi_lite_awready: Signal<Out, Bit>,
    /// AXI4-Lite W channel: data.
    pub mmap_axi_lite_wdata: Signal<In, Bits<32>>,
    /// AXI4-Lite W channel: byte strobes.
    pub mmap_axi_lite_wstrb: Signal<In, Bits<4>>,
    /// AXI4-Lite W channel.
    pub mmap_axi_lite_wvalid: Signal<In, Bit>,
    /// AXI4-Lite W channel.
    pub mmap_axi_lite_wready: Signal<Out, Bit>,
    /// AXI4-Lite B channel: OKAY.
    pub mmap_axi_lite_bresp: Signal<Out, Bits<2>>,
    /// AXI4-Lite B channel.
    pub mmap_axi_lite_bvalid: Signal<Out, Bit>,
    /// AXI4-Lite B channel.
    pub mmap_axi_lite_bready: Signal<In, Bit>,
    /// AXI4-Lite AR channel: byte address in the BAR.
    pub mmap_axi_lite_araddr: Signal<In, Bits<32>>,
    /// AXI4-Lite AR channel.
    pub mmap_axi_lite_arvalid: Signal<In, Bit>,
    /// AXI4-Lite AR channel.
    pub mmap_axi_lite_arready: Signal<Out, Bit>,
    /// AXI4-Lite R channel: data.
    pub mmap_axi_lite_rdata: Signal<Out, Bits<32>>,
    /// AXI4-Lite R channel: OKAY.
    pub mmap_axi_lite_rresp: Signal<Out, Bits<2>>,
    /// AXI4-Lite R channel.
    pub mmap_axi_lite_rvalid: Signal<Out, Bit>,
    /// AXI4-Lite R channel.
    pub mmap_axi_lite_rready: Signal<In, Bit>,

    /// AXI4 AR channel.
    pub mmap_slave_axi_arvalid: Signal<Out, Bit>,
    /// AXI4 AR channel.
    pub mmap_slave_axi_arready: Signal<In, Bit>,
    /// Bus address.
    pub mmap_slave_axi_araddr: Signal<Out, Bits<32>>,
    /// Beats less one.
    pub mmap_slave_axi_arlen: Signal<Out, Bits<8>>,
    /// AXI4 R channel.
    pub mmap_slave_axi_rvalid: Signal<In, Bit>,
    /// AXI4 R channel.
    pub mmap_slave_axi_rready: Signal<Out, Bit>,
    /// Half a beat.
    pub mmap_slave_axi_rdata: Signal<In, Bits<128>>,
    /// 0 is OKAY.
    pub mmap_slave_axi_rresp: Signal<In, Bits<2>>,
    /// AXI4 AW channel.
    pub mmap_slave_axi_awvalid: Signal<Out, Bit>,
    /// AXI4 AW channel.
    pub mmap_slave_axi_awready: Signal<In, Bit>,
    /// Bus address.
    pub mmap_slave_axi_awaddr: Signal<Out, Bits<32>>,
    /// Beats less one.
    pub mmap_slave_axi_awlen: Signal<Out, Bits<8>>,
    /// AXI4 W channel.
    pub mmap_slave_axi_wvalid: Signal<Out, Bit>,
    /// AXI4 W channel.
    pub mmap_slave_axi_wready: Signal<In, Bit>,
    /// Half a beat.
    pub mmap_slave_axi_wdata: Signal<Out, Bits<128>>,
    /// Second half.
    pub mmap_slave_axi_wlast: Signal<Out, Bit>,
    /// AXI4 B channel.
    pub mmap_slave_axi_bvalid: Signal<In, Bit>,
    /// AXI4 B channel.
    pub mmap_slave_axi_bready: Signal<Out, Bit>,
    /// 0 is OKAY.
    pub mmap_slave_axi_bresp: Signal<In, Bits<2>>,
    /// Interrupt lines: pulses.
    pub msi_irqs: Signal<Out, Bits<16>>,

    panel: Panel,
    read_window: Window,
    write_window: Window,
    bridge: LiteBridge,
    card: Card<LANES, ENGINES, 1>,
}

impl<const LANES: usize, const ENGINES: usize> LiteCard<LANES, ENGINES> {
    /// A card at `clock_khz`; the bridge gives a request up after `patience` cycles.
    pub fn new(make: Make, patience: u32) -> Self {
        block! {
            bridge: LiteBridge::new(patience),
            card: Card::new(make),
            ; clock hold led mmap_axi_lite_awaddr mmap_axi_lite_awvalid mmap_axi_lite_awready mmap_axi_lite_wdata
            mmap_axi_lite_wstrb mmap_axi_lite_wvalid mmap_axi_lite_wready mmap_axi_lite_bresp mmap_axi_lite_bvalid
            mmap_axi_lite_bready mmap_axi_lite_araddr mmap_axi_lite_arvalid mmap_axi_lite_arready mmap_axi_lite_rdata
            mmap_axi_lite_rresp mmap_axi_lite_rvalid mmap_axi_lite_rready mmap_slave_axi_arvalid mmap_slave_axi_arready
            mmap_slave_axi_araddr mmap_slave_axi_arlen mmap_slave_axi_rvalid mmap_slave_axi_rready mmap_slave_axi_rdata
            mmap_slave_axi_rresp mmap_slave_axi_awvalid mmap_slave_axi_awready mmap_slave_axi_awaddr mmap_slave_axi_awlen
            mmap_slave_axi_wvalid mmap_slave_axi_wready mmap_slave_axi_wdata mmap_slave_axi_wlast mmap_slave_axi_bvalid
            mmap_slave_axi_bready mmap_slave_axi_bresp msi_irqs panel read_window write_window
        }
    }
}

impl<const LANES: usize, const ENGINES: usize> Logic for LiteCard<LANES, ENGINES> {
    #[hdl_gen]
    fn update(&mut self) {
        self.panel.clock.next = self.clock.val();
        self.panel.hold.next = self.hold.val();
        self.panel.heard.next = self.mmap_axi_lite_arvalid.val() | self.mmap_axi_lite_awvalid.val();
        self.panel.sends.next = self.bridge.m_axi_arvalid.val() | self.bridge.m_axi_awvalid.val();
        self.panel.busy.next = self.card.trace_busy[0].val();
        self.panel.waits.next = self.card.trace_wait[0].val();
        self.led.next = self.panel.led.val();
        self.bridge.clock.next = self.clock.val();
        self.bridge.reset.next = self.panel.starting.val();
        self.card.clock.next = self.clock.val();
        self.card.reset.next = self.panel.starting.val();

        self.write_window.address.next = self.mmap_axi_lite_awaddr.val();
        self.read_window.address.next = self.mmap_axi_lite_araddr.val();
        self.card.s_axil_awaddr.next = self.write_window.offset.val();
        self.card.s_axil_awvalid.next = self.mmap_axi_lite_awvalid.val();
        self.mmap_axi_lite_awready.next = self.card.s_axil_awready.val();
        self.card.s_axil_wdata.next = self.mmap_axi_lite_wdata.val();
        self.card.s_axil_wstrb.next = self.mmap_axi_lite_wstrb.val();
        self.card.s_axil_wvalid.next = self.mmap_axi_lite_wvalid.val();
        self.mmap_axi_lite_wready.next = self.card.s_axil_wready.val();
        self.mmap_axi_lite_bresp.next = self.card.s_axil_bresp.val();
        self.mmap_axi_lite_bvalid.next = self.card.s_axil_bvalid.val();
        self.card.s_axil_bready.next = self.mmap_axi_lite_bready.val();
        self.card.s_axil_araddr.next = self.read_window.offset.val();
        self.card.s_axil_arvalid.next = self.mmap_axi_lite_arvalid.val();
        self.mmap_axi_lite_arready.next = self.card.s_axil_arready.val();
        self.mmap_axi_lite_rdata.next = self.card.s_axil_rdata.val();
        self.mmap_axi_lite_rresp.next = self.card.s_axil_rresp.val();
        self.mmap_axi_lite_rvalid.next = self.card.s_axil_rvalid.val();
        self.card.s_axil_rready.next = self.mmap_axi_lite_rready.val();

        self.bridge.s_axi_arvalid.next = self.card.m_axi_arvalid.val();
        self.card.m_axi_arready.next = self.bridge.s_axi_arready.val();
        self.bridge.s_axi_arid.next = self.card.m_axi_arid.val();
        self.bridge.s_axi_araddr.next = self.card.m_axi_araddr.val();
        self.bridge.s_axi_arlen.next = self.card.m_axi_arlen.val();
        self.card.m_axi_rvalid.next = self.bridge.s_axi_rvalid.val();
        self.bridge.s_axi_rready.next = self.card.m_axi_rready.val();
        self.card.m_axi_rid.next = self.bridge.s_axi_rid.val();
        self.card.m_axi_rdata.next = self.bridge.s_axi_rdata.val();
        self.card.m_axi_rresp.next = self.bridge.s_axi_rresp.val();
        self.card.m_axi_rlast.next = self.bridge.s_axi_rlast.val();
        self.bridge.s_axi_awvalid.next = self.card.m_axi_awvalid.val();
        self.card.m_axi_awready.next = self.bridge.s_axi_awready.val();
        self.bridge.s_axi_awid.next = self.card.m_axi_awid.val();
        self.bridge.s_axi_awaddr.next = self.card.m_axi_awaddr.val();
        self.bridge.s_axi_wvalid.next = self.card.m_axi_wvalid.val();
        self.card.m_axi_wready.next = self.bridge.s_axi_wready.val();
        self.bridge.s_axi_wdata.next = self.card.m_axi_wdata.val();
        self.bridge.s_axi_wstrb.next = self.card.m_axi_wstrb.val();
        self.bridge.s_axi_wlast.next = self.card.m_axi_wlast.val();
        self.card.m_axi_bvalid.next = self.bridge.s_axi_bvalid.val();
        self.bridge.s_axi_bready.next = self.card.m_axi_bready.val();
        self.card.m_axi_bid.next = self.bridge.s_axi_bid.val();
        self.card.m_axi_bresp.next = self.bridge.s_axi_bresp.val();
        self.bridge.msix_valid.next = self.card.msix_valid.val();
        self.bridge.msix_vector.next = self.card.msix_vector.val();

        self.mmap_slave_axi_arvalid.next = self.bridge.m_axi_arvalid.val();
        self.bridge.m_axi_arready.next = self.mmap_slave_axi_arready.val();
        self.mmap_slave_axi_araddr.next = self.bridge.m_axi_araddr.val();
        self.mmap_slave_axi_arlen.next = self.bridge.m_axi_arlen.val();
        self.bridge.m_axi_rvalid.next = self.mmap_slave_axi_rvalid.val();
        self.mmap_slave_axi_rready.next = self.bridge.m_axi_rready.val();
        self.bridge.m_axi_rdata.next = self.mmap_slave_axi_rdata.val();
        self.bridge.m_axi_rresp.next = self.mmap_slave_axi_rresp.val();
        self.mmap_slave_axi_awvalid.next = self.bridge.m_axi_awvalid.val();
        self.bridge.m_axi_awready.next = self.mmap_slave_axi_awready.val();
        self.mmap_slave_axi_awaddr.next = self.bridge.m_axi_awaddr.val();
        self.mmap_slave_axi_awlen.next = self.bridge.m_axi_awlen.val();
        self.mmap_slave_axi_wvalid.next = self.bridge.m_axi_wvalid.val();
        self.bridge.m_axi_wready.next = self.mmap_slave_axi_wready.val();
        self.mmap_slave_axi_wdata.next = self.bridge.m_axi_wdata.val();
        self.mmap_slave_axi_wlast.next = self.bridge.m_axi_wlast.val();
        self.bridge.m_axi_bvalid.next = self.mmap_slave_axi_bvalid.val();
        self.mmap_slave_axi_bready.next = self.bridge.m_axi_bready.val();
        self.bridge.m_axi_bresp.next = self.mmap_slave_axi_bresp.val();
        self.msi_irqs.next = self.bridge.msi_irqs.val();
    }
}
