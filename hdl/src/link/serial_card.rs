//! The top of a board without PCIe.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::{Bridge, Deframe, Enframe, Line, UartReceive, UartSend};
use crate::arith::block;
use crate::card::{Card, Origin};

/// Cycles for which the card is held in reset once the board lets go.
const START_CYCLES: u64 = 15;

/// A card at a serial line, with everything that a board's pins need: a board adds its clock and its pads.
///
/// | LED | lit |
/// |---|---|
/// | 0 | blinks, once in 2^25 cycles: the clock runs |
/// | 1 | the host has been heard in the last 2^22 cycles |
/// | 2 | a frame is on its way to the host |
/// | 3 | lane 0 has a message |
/// | 4 | it awaits the host |
/// | 5 | out of reset |
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
    /// LEDs, as above; bits 7 and 6 are dark.
    pub led: Signal<Out, Bits<8>>,

    early: DFF<Bit>,
    free: DFF<Bit>,
    started: DFF<Bits<4>>,
    beats: DFF<Bits<25>>,
    heard: DFF<Bits<22>>,
    starting: Signal<Local, Bit>,

    receive: UartReceive,
    deframe: Deframe,
    bridge: Bridge,
    enframe: Enframe,
    send: UartSend,
    card: Card<LANES, ENGINES, 1>,

    start: Constant<Bits<4>>,
    one_start: Constant<Bits<4>>,
    one_beat: Constant<Bits<25>>,
    one_heard: Constant<Bits<22>>,
    full: Constant<Bits<22>>,
}

impl<const LANES: usize, const ENGINES: usize> SerialCard<LANES, ENGINES> {
    /// A card at `clock_khz` and this line.
    pub fn new(clock_khz: u32, origin: Origin, line: Line) -> Self {
        block! {
            receive: UartReceive::new(line.divider),
            bridge: Bridge::new(line.patience),
            send: UartSend::new(line.divider),
            card: Card::new(clock_khz, origin),
            start: Constant::new(START_CYCLES.into()),
            one_start: Constant::new(1u64.into()),
            one_beat: Constant::new(1u64.into()),
            one_heard: Constant::new(1u64.into()),
            full: Constant::new(((1u64 << 22) - 1).into()),
            ; clock hold uart_rx uart_tx led early free started beats heard starting deframe enframe
        }
    }
}

impl<const LANES: usize, const ENGINES: usize> Logic for SerialCard<LANES, ENGINES> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, early, free, started, beats, heard);
        // From power-on, when all registers are zero, until the board has let go for a while.
        self.early.d.next = !self.hold.val();
        self.free.d.next = self.early.q.val();
        self.starting.next = self.started.q.val() != self.start.val();
        if !self.free.q.val() {
            self.started.d.next = 0.into();
        } else if self.starting.val() {
            self.started.d.next = self.started.q.val() + self.one_start.val();
        }

        self.receive.clock.next = self.clock.val();
        self.receive.reset.next = self.starting.val();
        self.receive.line.next = self.uart_rx.val();
        self.deframe.clock.next = self.clock.val();
        self.deframe.reset.next = self.starting.val();
        self.deframe.line_valid.next = self.receive.valid.val();
        self.deframe.line_octet.next = self.receive.octet.val();
        self.bridge.clock.next = self.clock.val();
        self.bridge.reset.next = self.starting.val();
        self.bridge.valid.next = self.deframe.valid.val();
        self.bridge.octet.next = self.deframe.octet.val();
        self.bridge.over.next = self.deframe.over.val();
        self.bridge.good.next = self.deframe.good.val();
        self.enframe.clock.next = self.clock.val();
        self.enframe.reset.next = self.starting.val();
        self.enframe.valid.next = self.bridge.send_valid.val();
        self.enframe.octet.next = self.bridge.send_octet.val();
        self.enframe.last.next = self.bridge.send_last.val();
        self.bridge.send_ready.next = self.enframe.ready.val();
        self.send.clock.next = self.clock.val();
        self.send.reset.next = self.starting.val();
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

        self.beats.d.next = self.beats.q.val() + self.one_beat.val();
        if self.bridge.heard.val() {
            self.heard.d.next = self.full.val();
        } else if self.heard.q.val().any() {
            self.heard.d.next = self.heard.q.val() - self.one_heard.val();
        }
        self.led.next = bit_cast::<8, 1>(self.beats.q.val().get_bits::<1>(24));
        if self.heard.q.val().any() {
            self.led.next = self.led.val() | 2;
        }
        if self.bridge.send_valid.val() {
            self.led.next = self.led.val() | 4;
        }
        if self.card.trace_busy[0].val() {
            self.led.next = self.led.val() | 8;
        }
        if self.card.trace_wait[0].val() {
            self.led.next = self.led.val() | 16;
        }
        if !self.starting.val() {
            self.led.next = self.led.val() | 32;
        }
    }
}
