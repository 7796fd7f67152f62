//! The top of a board without PCIe.

use rust_hdl_core::prelude::*;

use super::{Bridge, Deframe, Enframe, Line, Panel, UartReceive, UartSend};
use crate::card::{Card, Make};

/// A card at a serial line, with everything that a board's pins need: a board adds its clock and its pads.
#[derive(LogicBlock)]
pub struct SerialCard<const LANES: usize, const ENGINES: usize> {
    /// Clock of everything.
    pub clock: Signal<In, Clock>,
    /// Holds the card in reset: a button, or a clock that is not steady yet. Asynchronous.
    pub hold: Signal<In, Bit>,
    /// Line from the host; high when idle.
    pub uart_rx: Signal<In, Bit>,
    /// Line to the host.
    pub uart_tx: Signal<Out, Bit>,
    /// LEDs: see [`Panel`].
    pub led: Signal<Out, Bits<8>>,

    panel: Panel,
    receive: UartReceive,
    deframe: Deframe,
    bridge: Bridge,
    enframe: Enframe,
    send: UartSend,
    card: Card<LANES, ENGINES, 1>,
}

impl<const LANES: usize, const ENGINES: usize> SerialCard<LANES, ENGINES> {
    /// A card at `clock_khz` and this line.
    pub fn new(make: Make, line: Line) -> Self {
        block! {
            receive: UartReceive::new(line.divider),
            bridge: Bridge::new(line.patience),
            send: UartSend::new(line.divider),
            card: Card::new(make),
            ; clock hold uart_rx uart_tx led panel deframe enframe
        }
    }
}

impl<const LANES: usize, const ENGINES: usize> Logic for SerialCard<LANES, ENGINES> {
    #[hdl_gen]
    fn update(&mut self) {
        self.panel.clock.next = self.clock.val();
        self.panel.hold.next = self.hold.val();
        self.panel.heard.next = self.bridge.heard.val();
        self.panel.sends.next = self.bridge.send_valid.val();
        self.panel.busy.next = self.card.trace_busy[0].val();
        self.panel.waits.next = self.card.trace_wait[0].val();
        self.led.next = self.panel.led.val();

        self.receive.clock.next = self.clock.val();
        self.receive.reset.next = self.panel.starting.val();
        self.receive.line.next = self.uart_rx.val();
        self.deframe.clock.next = self.clock.val();
        self.deframe.reset.next = self.panel.starting.val();
        self.deframe.line_valid.next = self.receive.valid.val();
        self.deframe.line_octet.next = self.receive.octet.val();
        self.bridge.clock.next = self.clock.val();
        self.bridge.reset.next = self.panel.starting.val();
        self.bridge.valid.next = self.deframe.valid.val();
        self.bridge.octet.next = self.deframe.octet.val();
        self.bridge.over.next = self.deframe.over.val();
        self.bridge.good.next = self.deframe.good.val();
        self.enframe.clock.next = self.clock.val();
        self.enframe.reset.next = self.panel.starting.val();
        self.enframe.valid.next = self.bridge.send_valid.val();
        self.enframe.octet.next = self.bridge.send_octet.val();
        self.enframe.last.next = self.bridge.send_last.val();
        self.bridge.send_ready.next = self.enframe.ready.val();
        self.send.clock.next = self.clock.val();
        self.send.reset.next = self.panel.starting.val();
        self.send.valid.next = self.enframe.line_valid.val();
        self.send.octet.next = self.enframe.line_octet.val();
        self.enframe.line_ready.next = self.send.ready.val();
        self.uart_tx.next = self.send.line.val();

        self.card.clock.next = self.clock.val();
        self.card.reset.next = self.bridge.card_reset.val();
        self.card.s_axil_awaddr.next = self.bridge.m_axil_awaddr.val();
        self.card.s_axil_awvalid.next = self.bridge.m_axil_awvalid.val();
        self.bridge.m_axil_awready.next = self.card.s_axil_awready.val();
        self.card.s_axil_wdata.next = self.bridge.m_axil_wdata.val();
        self.card.s_axil_wstrb.next = self.bridge.m_axil_wstrb.val();
        self.card.s_axil_wvalid.next = self.bridge.m_axil_wvalid.val();
        self.bridge.m_axil_wready.next = self.card.s_axil_wready.val();
        self.bridge.m_axil_bvalid.next = self.card.s_axil_bvalid.val();
        self.card.s_axil_bready.next = self.bridge.m_axil_bready.val();
        self.card.s_axil_araddr.next = self.bridge.m_axil_araddr.val();
        self.card.s_axil_arvalid.next = self.bridge.m_axil_arvalid.val();
        self.bridge.m_axil_arready.next = self.card.s_axil_arready.val();
        self.bridge.m_axil_rdata.next = self.card.s_axil_rdata.val();
        self.bridge.m_axil_rvalid.next = self.card.s_axil_rvalid.val();
        self.card.s_axil_rready.next = self.bridge.m_axil_rready.val();
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
    }
}
