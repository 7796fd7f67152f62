//! The card's memory bus on one of twice its width.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use crate::card::MAX_IDS;

/// `AxSIZE` of a wide beat: 2^6 bytes.
const SIZE_WIDE: u64 = 6;
/// `AxBURST`: INCR.
const BURST_INCREMENT: u64 = 1;
const _: () = assert!(MAX_IDS == 16 && gatewei_abi::BEAT == 1 << 5);

/// From the card's AXI4 master of 256 bits to one of 512: two beats make one. An address stays what it is, so a burst
/// that starts in the upper half of a wide beat has an unaligned address, as the byte strobes say too. What crosses no
/// 4 KiB boundary before crosses none behind. Bursts of different requesters may come back in any order; a requester
/// has one read outstanding.
#[derive(LogicBlock)]
pub struct Widen {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Power-on reset, of the bus too.
    pub reset: Signal<In, Bit>,

    /// AXI4 AR channel.
    pub s_axi_arvalid: Signal<In, Bit>,
    /// AXI4 AR channel.
    pub s_axi_arready: Signal<Out, Bit>,
    /// Requester.
    pub s_axi_arid: Signal<In, Bits<4>>,
    /// Bus address, 32-byte aligned.
    pub s_axi_araddr: Signal<In, Bits<64>>,
    /// Beats less one.
    pub s_axi_arlen: Signal<In, Bits<8>>,
    /// AXI4 R channel.
    pub s_axi_rvalid: Signal<Out, Bit>,
    /// AXI4 R channel.
    pub s_axi_rready: Signal<In, Bit>,
    /// Requester.
    pub s_axi_rid: Signal<Out, Bits<4>>,
    /// Beat.
    pub s_axi_rdata: Signal<Out, Bits<256>>,
    /// The wide beat's response.
    pub s_axi_rresp: Signal<Out, Bits<2>>,
    /// Last beat of the burst.
    pub s_axi_rlast: Signal<Out, Bit>,
    /// AXI4 AW channel.
    pub s_axi_awvalid: Signal<In, Bit>,
    /// AXI4 AW channel.
    pub s_axi_awready: Signal<Out, Bit>,
    /// Requester.
    pub s_axi_awid: Signal<In, Bits<4>>,
    /// Bus address, 32-byte aligned.
    pub s_axi_awaddr: Signal<In, Bits<64>>,
    /// Beats less one.
    pub s_axi_awlen: Signal<In, Bits<8>>,
    /// AXI4 W channel.
    pub s_axi_wvalid: Signal<In, Bit>,
    /// AXI4 W channel.
    pub s_axi_wready: Signal<Out, Bit>,
    /// Beat.
    pub s_axi_wdata: Signal<In, Bits<256>>,
    /// Byte strobes.
    pub s_axi_wstrb: Signal<In, Bits<32>>,
    /// Last beat of the burst.
    pub s_axi_wlast: Signal<In, Bit>,
    /// AXI4 B channel.
    pub s_axi_bvalid: Signal<Out, Bit>,
    /// AXI4 B channel.
    pub s_axi_bready: Signal<In, Bit>,
    /// Requester.
    pub s_axi_bid: Signal<Out, Bits<4>>,
    /// Response.
    pub s_axi_bresp: Signal<Out, Bits<2>>,

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

    // Reads: whether a requester's next beat is an upper half, and beats less one that it awaits.
    upper: [DFF<Bit>; MAX_IDS],
    left: [DFF<Bits<8>>; MAX_IDS],
    // Writes: a burst whose beats come, which half is next, and the wide beat that is ready.
    open: DFF<Bit>,
    half: DFF<Bit>,
    ready: DFF<Bit>,
    low: DFF<Bits<256>>,
    high: DFF<Bits<256>>,
    low_strobe: DFF<Bits<32>>,
    high_strobe: DFF<Bits<32>>,
    last: DFF<Bit>,

    ar_half: Signal<Local, Bits<9>>,
    ar_wide: Signal<Local, Bits<9>>,
    now_upper: Signal<Local, Bit>,
    now_left: Signal<Local, Bits<8>>,
    ends: Signal<Local, Bit>,
    aw_half: Signal<Local, Bits<9>>,
    aw_wide: Signal<Local, Bits<9>>,
    takes: Signal<Local, Bit>,

    number: [Constant<Bits<4>>; MAX_IDS],
    size_wide: Constant<Bits<3>>,
    increment: Constant<Bits<2>>,
    one: Constant<Bits<8>>,
}

impl Default for Widen {
    fn default() -> Self {
        block! {
            upper: array_init::array_init(|_| DFF::default()),
            left: array_init::array_init(|_| DFF::default()),
            number: array_init::array_init(|i| Constant::new((i as u64).into())),
            size_wide: Constant::new(SIZE_WIDE.into()),
            increment: Constant::new(BURST_INCREMENT.into()),
            one: Constant::new(1u64.into()),
            ; clock reset s_axi_arvalid s_axi_arready s_axi_arid s_axi_araddr s_axi_arlen s_axi_rvalid s_axi_rready
            s_axi_rid s_axi_rdata s_axi_rresp s_axi_rlast s_axi_awvalid s_axi_awready s_axi_awid s_axi_awaddr s_axi_awlen
            s_axi_wvalid s_axi_wready s_axi_wdata s_axi_wstrb s_axi_wlast s_axi_bvalid s_axi_bready s_axi_bid s_axi_bresp
            m_axi_arvalid m_axi_arready m_axi_arid m_axi_araddr m_axi_arlen m_axi_arsize m_axi_arburst m_axi_rvalid
            m_axi_rready m_axi_rid m_axi_rdata m_axi_rresp m_axi_awvalid m_axi_awready m_axi_awid m_axi_awaddr m_axi_awlen
            m_axi_awsize m_axi_awburst m_axi_wvalid m_axi_wready m_axi_wdata m_axi_wstrb m_axi_wlast m_axi_bvalid
            m_axi_bready m_axi_bid m_axi_bresp open half ready low high low_strobe high_strobe last ar_half ar_wide
            now_upper now_left ends aw_half aw_wide takes
        }
    }
}

impl Logic for Widen {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            open,
            half,
            ready,
            low,
            high,
            low_strobe,
            high_strobe,
            last
        );
        self.m_axi_arsize.next = self.size_wide.val();
        self.m_axi_arburst.next = self.increment.val();
        self.m_axi_awsize.next = self.size_wide.val();
        self.m_axi_awburst.next = self.increment.val();

        // Read addresses pass.
        self.ar_half.next = bit_cast::<9, 1>(self.s_axi_araddr.val().get_bits::<1>(5));
        self.ar_wide.next = (self.ar_half.val() + bit_cast::<9, 8>(self.s_axi_arlen.val())) >> 1;
        self.m_axi_arvalid.next = self.s_axi_arvalid.val();
        self.s_axi_arready.next = self.m_axi_arready.val();
        self.m_axi_arid.next = self.s_axi_arid.val();
        self.m_axi_araddr.next = self.s_axi_araddr.val();
        self.m_axi_arlen.next = self.ar_wide.val().get_bits::<8>(0);

        // A wide beat goes when its last half that the card wants has been taken.
        self.now_upper.next = false;
        self.now_left.next = 0.into();
        for i in 0..16 {
            self.upper[i].clock.next = self.clock.val();
            self.upper[i].d.next = self.upper[i].q.val();
            self.left[i].clock.next = self.clock.val();
            self.left[i].d.next = self.left[i].q.val();
            if self.m_axi_rid.val() == self.number[i].val() {
                self.now_upper.next = self.upper[i].q.val();
                self.now_left.next = self.left[i].q.val();
            }
        }
        self.ends.next = !self.now_left.val().any();
        self.s_axi_rvalid.next = self.m_axi_rvalid.val();
        self.s_axi_rid.next = self.m_axi_rid.val();
        self.s_axi_rresp.next = self.m_axi_rresp.val();
        self.s_axi_rlast.next = self.ends.val();
        self.s_axi_rdata.next = self.m_axi_rdata.val().get_bits::<256>(0);
        if self.now_upper.val() {
            self.s_axi_rdata.next = self.m_axi_rdata.val().get_bits::<256>(256);
        }
        self.m_axi_rready.next = self.s_axi_rready.val() & (self.now_upper.val() | self.ends.val());
        for i in 0..16 {
            if self.m_axi_rvalid.val()
                & self.s_axi_rready.val()
                & (self.m_axi_rid.val() == self.number[i].val())
            {
                self.upper[i].d.next = !self.upper[i].q.val();
                self.left[i].d.next = self.left[i].q.val() - self.one.val();
            }
            if self.s_axi_arvalid.val()
                & self.m_axi_arready.val()
                & (self.s_axi_arid.val() == self.number[i].val())
            {
                self.upper[i].d.next = self.s_axi_araddr.val().get_bit(5);
                self.left[i].d.next = self.s_axi_arlen.val();
            }
        }

        // Write addresses pass one by one: the next when the beats of the last have come.
        self.aw_half.next = bit_cast::<9, 1>(self.s_axi_awaddr.val().get_bits::<1>(5));
        self.aw_wide.next = (self.aw_half.val() + bit_cast::<9, 8>(self.s_axi_awlen.val())) >> 1;
        self.m_axi_awvalid.next = self.s_axi_awvalid.val() & !self.open.q.val();
        self.s_axi_awready.next = self.m_axi_awready.val() & !self.open.q.val();
        self.m_axi_awid.next = self.s_axi_awid.val();
        self.m_axi_awaddr.next = self.s_axi_awaddr.val();
        self.m_axi_awlen.next = self.aw_wide.val().get_bits::<8>(0);
        if self.s_axi_awvalid.val() & self.m_axi_awready.val() & !self.open.q.val() {
            self.open.d.next = true;
            self.half.d.next = self.s_axi_awaddr.val().get_bit(5);
        }

        // Two beats make a wide one.
        self.m_axi_wvalid.next = self.ready.q.val();
        self.m_axi_wdata.next = (bit_cast::<512, 256>(self.high.q.val()) << 256)
            | bit_cast::<512, 256>(self.low.q.val());
        self.m_axi_wstrb.next = (bit_cast::<64, 32>(self.high_strobe.q.val()) << 32)
            | bit_cast::<64, 32>(self.low_strobe.q.val());
        self.m_axi_wlast.next = self.last.q.val();
        self.takes.next = self.open.q.val() & (!self.ready.q.val() | self.m_axi_wready.val());
        self.s_axi_wready.next = self.takes.val();
        if self.ready.q.val() & self.m_axi_wready.val() {
            self.ready.d.next = false;
            self.low_strobe.d.next = 0.into();
            self.high_strobe.d.next = 0.into();
        }
        if self.takes.val() & self.s_axi_wvalid.val() {
            self.half.d.next = !self.half.q.val();
            self.ready.d.next = self.half.q.val() | self.s_axi_wlast.val();
            self.last.d.next = self.s_axi_wlast.val();
            if self.half.q.val() {
                self.high.d.next = self.s_axi_wdata.val();
                self.high_strobe.d.next = self.s_axi_wstrb.val();
            } else {
                self.low.d.next = self.s_axi_wdata.val();
                self.low_strobe.d.next = self.s_axi_wstrb.val();
            }
            if self.s_axi_wlast.val() {
                self.open.d.next = false;
            }
        }

        // Responses pass.
        self.s_axi_bvalid.next = self.m_axi_bvalid.val();
        self.m_axi_bready.next = self.s_axi_bready.val();
        self.s_axi_bid.next = self.m_axi_bid.val();
        self.s_axi_bresp.next = self.m_axi_bresp.val();

        if self.reset.val() {
            self.open.d.next = false;
            self.ready.d.next = false;
            self.low_strobe.d.next = 0.into();
            self.high_strobe.d.next = 0.into();
        }
    }
}
