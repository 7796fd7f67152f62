//! Between the card and LitePCIe's generated core.

use gatewei_abi::BEAT;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::Interrupts;

/// Cycles that a read or an interrupt stays behind the write before it. The core answers a write when it has taken its
/// beats, and sends reads, and interrupts, on other ways than writes: within these cycles a write has left the core,
/// unless the link stands still meanwhile.
pub const SETTLE_CYCLES: u64 = 32;
/// AXI's SLVERR.
const SLAVE_ERROR: u64 = 2;
// A beat is two of the core's.
const _: () = assert!(BEAT == 2 * 128 / 8);

/// What becomes of a read.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum ReadState {
    /// None is wanted.
    Idle,
    /// It stays behind a write.
    Settle,
    /// The core is asked.
    Ask,
    /// Its beats come.
    Beats,
    /// The rest of its beats are errors.
    Fail,
}

/// What becomes of a write.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum WriteState {
    /// None is wanted.
    Idle,
    /// A beat is awaited.
    TakeBeat,
    /// The core is asked.
    Ask,
    /// It takes the beat's low half.
    Low,
    /// It takes the high half.
    High,
    /// It answers.
    Await,
    /// The beat is done with.
    Next,
    /// The response is offered.
    Respond,
}

/// From the card's AXI4 master to the AXI4 slave of a core that `litepcie_gen` makes with `mmap_slave_axi_full`, which
/// turns reads and writes into requests to host memory. That slave has 128 bits of data, 32 of address, one id, one
/// read and one write at a time; it does not look at byte strobes, never answers with an error, and where the host
/// gives no data does not answer at all. So a write goes beat by beat, without those that write nothing; an address
/// beyond 4 GiB, a beat with some of its bytes, and silence for `patience` cycles end as SLVERR. What comes after all
/// is swallowed.
#[derive(LogicBlock)]
pub struct LiteBridge {
    /// Clock of the card, and of the core's user side.
    pub clock: Signal<In, Clock>,
    /// Power-on reset.
    pub reset: Signal<In, Bit>,

    /// AXI4 AR channel.
    pub s_axi_arvalid: Signal<In, Bit>,
    /// AXI4 AR channel.
    pub s_axi_arready: Signal<Out, Bit>,
    /// Requester.
    pub s_axi_arid: Signal<In, Bits<4>>,
    /// Bus address.
    pub s_axi_araddr: Signal<In, Bits<64>>,
    /// Beats less one, at most 127.
    pub s_axi_arlen: Signal<In, Bits<8>>,
    /// AXI4 R channel.
    pub s_axi_rvalid: Signal<Out, Bit>,
    /// AXI4 R channel.
    pub s_axi_rready: Signal<In, Bit>,
    /// Requester.
    pub s_axi_rid: Signal<Out, Bits<4>>,
    /// Beat.
    pub s_axi_rdata: Signal<Out, Bits<256>>,
    /// OKAY or SLVERR.
    pub s_axi_rresp: Signal<Out, Bits<2>>,
    /// Last beat of the burst.
    pub s_axi_rlast: Signal<Out, Bit>,
    /// AXI4 AW channel.
    pub s_axi_awvalid: Signal<In, Bit>,
    /// AXI4 AW channel.
    pub s_axi_awready: Signal<Out, Bit>,
    /// Requester.
    pub s_axi_awid: Signal<In, Bits<4>>,
    /// Bus address.
    pub s_axi_awaddr: Signal<In, Bits<64>>,
    /// AXI4 W channel.
    pub s_axi_wvalid: Signal<In, Bit>,
    /// AXI4 W channel.
    pub s_axi_wready: Signal<Out, Bit>,
    /// Beat.
    pub s_axi_wdata: Signal<In, Bits<256>>,
    /// Byte strobes: all or none.
    pub s_axi_wstrb: Signal<In, Bits<32>>,
    /// Last beat of the burst.
    pub s_axi_wlast: Signal<In, Bit>,
    /// AXI4 B channel.
    pub s_axi_bvalid: Signal<Out, Bit>,
    /// AXI4 B channel.
    pub s_axi_bready: Signal<In, Bit>,
    /// Requester.
    pub s_axi_bid: Signal<Out, Bits<4>>,
    /// OKAY or SLVERR.
    pub s_axi_bresp: Signal<Out, Bits<2>>,

    /// AXI4 AR channel.
    pub m_axi_arvalid: Signal<Out, Bit>,
    /// AXI4 AR channel.
    pub m_axi_arready: Signal<In, Bit>,
    /// Bus address.
    pub m_axi_araddr: Signal<Out, Bits<32>>,
    /// Beats less one.
    pub m_axi_arlen: Signal<Out, Bits<8>>,
    /// AXI4 R channel.
    pub m_axi_rvalid: Signal<In, Bit>,
    /// AXI4 R channel.
    pub m_axi_rready: Signal<Out, Bit>,
    /// Half a beat.
    pub m_axi_rdata: Signal<In, Bits<128>>,
    /// 0 is OKAY.
    pub m_axi_rresp: Signal<In, Bits<2>>,
    /// AXI4 AW channel.
    pub m_axi_awvalid: Signal<Out, Bit>,
    /// AXI4 AW channel.
    pub m_axi_awready: Signal<In, Bit>,
    /// Bus address.
    pub m_axi_awaddr: Signal<Out, Bits<32>>,
    /// Beats less one: 1.
    pub m_axi_awlen: Signal<Out, Bits<8>>,
    /// AXI4 W channel.
    pub m_axi_wvalid: Signal<Out, Bit>,
    /// AXI4 W channel.
    pub m_axi_wready: Signal<In, Bit>,
    /// Half a beat.
    pub m_axi_wdata: Signal<Out, Bits<128>>,
    /// Second half.
    pub m_axi_wlast: Signal<Out, Bit>,
    /// AXI4 B channel.
    pub m_axi_bvalid: Signal<In, Bit>,
    /// AXI4 B channel.
    pub m_axi_bready: Signal<Out, Bit>,
    /// 0 is OKAY.
    pub m_axi_bresp: Signal<In, Bits<2>>,

    /// Pulse: the card raises an interrupt.
    pub msix_valid: Signal<In, Bit>,
    /// Its vector.
    pub msix_vector: Signal<In, Bits<16>>,
    /// The core's interrupt lines: pulses.
    pub msi_irqs: Signal<Out, Bits<16>>,

    read: DFF<ReadState>,
    reader: DFF<Bits<4>>,
    read_addr: DFF<Bits<32>>,
    left: DFF<Bits<8>>,
    low: DFF<Bits<128>>,
    low_bad: DFF<Bit>,
    half: DFF<Bit>,
    read_timer: DFF<Bits<24>>,
    wait: DFF<Bits<6>>,

    write: DFF<WriteState>,
    writer: DFF<Bits<4>>,
    write_addr: DFF<Bits<64>>,
    beat: DFF<Bits<256>>,
    last: DFF<Bit>,
    failed: DFF<Bit>,
    write_timer: DFF<Bits<24>>,
    unsettled: DFF<Bits<6>>,

    interrupts: Interrupts,
    ar_high: Signal<Local, Bits<32>>,
    aw_high: Signal<Local, Bits<32>>,
    late: Signal<Local, Bit>,
    stuck: Signal<Local, Bit>,
    pair: Signal<Local, Bits<256>>,

    settle: Constant<Bits<6>>,
    one_settle: Constant<Bits<6>>,
    patience: Constant<Bits<24>>,
    one_cycle: Constant<Bits<24>>,
    one: Constant<Bits<8>>,
    beat_bytes: Constant<Bits<64>>,
    error: Constant<Bits<2>>,
    yes: Constant<Bits<1>>,
}

impl LiteBridge {
    /// A bridge that gives a request up after `patience` cycles of silence (24 bits).
    pub fn new(patience: u32) -> Self {
        block! {
            settle: Constant::new(SETTLE_CYCLES.into()),
            one_settle: Constant::new(1u64.into()),
            patience: Constant::new(u64::from(patience).into()),
            one_cycle: Constant::new(1u64.into()),
            one: Constant::new(1u64.into()),
            beat_bytes: Constant::new((BEAT as u64).into()),
            error: Constant::new(SLAVE_ERROR.into()),
            yes: Constant::new(1u64.into()),
            ; clock reset s_axi_arvalid s_axi_arready s_axi_arid s_axi_araddr s_axi_arlen s_axi_rvalid s_axi_rready
            s_axi_rid s_axi_rdata s_axi_rresp s_axi_rlast s_axi_awvalid s_axi_awready s_axi_awid s_axi_awaddr s_axi_wvalid
            s_axi_wready s_axi_wdata s_axi_wstrb s_axi_wlast s_axi_bvalid s_axi_bready s_axi_bid s_axi_bresp m_axi_arvalid
            m_axi_arready m_axi_araddr m_axi_arlen m_axi_rvalid m_axi_rready m_axi_rdata m_axi_rresp m_axi_awvalid
            m_axi_awready m_axi_awaddr m_axi_awlen m_axi_wvalid m_axi_wready m_axi_wdata m_axi_wlast m_axi_bvalid
            m_axi_bready m_axi_bresp msix_valid msix_vector msi_irqs read reader read_addr left low low_bad half read_timer
            wait write writer write_addr beat last failed write_timer unsettled interrupts ar_high aw_high late stuck pair
        }
    }
}

impl Logic for LiteBridge {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            read,
            reader,
            read_addr,
            left,
            low,
            low_bad,
            half,
            read_timer,
            wait,
            write,
            writer,
            write_addr,
            beat,
            last,
            failed,
            write_timer,
            unsettled
        );

        // Interrupts stay behind all writes.
        self.interrupts.clock.next = self.clock.val();
        self.interrupts.reset.next = self.reset.val();
        self.interrupts.msix_valid.next = self.msix_valid.val();
        self.interrupts.msix_vector.next = self.msix_vector.val();
        self.interrupts.hold.next = self.unsettled.q.val().any();
        self.interrupts.done.next = self.yes.val().any();
        self.msi_irqs.next = self.interrupts.lines.val();

        // Reads.
        self.ar_high.next = self.s_axi_araddr.val().get_bits::<32>(32);
        self.s_axi_arready.next = false;
        self.s_axi_rvalid.next = false;
        self.s_axi_rid.next = self.reader.q.val();
        self.s_axi_rlast.next = !self.left.q.val().any();
        self.s_axi_rresp.next = 0.into();
        self.pair.next = (bit_cast::<256, 128>(self.m_axi_rdata.val()) << 128)
            | bit_cast::<256, 128>(self.low.q.val());
        self.s_axi_rdata.next = self.pair.val();
        self.m_axi_arvalid.next = false;
        self.m_axi_araddr.next = self.read_addr.q.val();
        self.m_axi_arlen.next = (self.left.q.val() << 1) | self.one.val();
        // What comes late, of a read that was given up, is of no use.
        self.m_axi_rready.next = true;
        self.late.next = !self.read_timer.q.val().any();
        self.read_timer.d.next = self.read_timer.q.val() - self.one_cycle.val();
        match self.read.q.val() {
            ReadState::Idle => {
                self.half.d.next = false;
                self.low_bad.d.next = false;
                self.s_axi_arready.next = true;
                self.wait.d.next = self.unsettled.q.val();
                if self.s_axi_arvalid.val() {
                    self.reader.d.next = self.s_axi_arid.val();
                    self.read_addr.d.next = self.s_axi_araddr.val().get_bits::<32>(0);
                    self.left.d.next = self.s_axi_arlen.val();
                    self.read.d.next = ReadState::Settle;
                    if self.ar_high.val().any() {
                        self.read.d.next = ReadState::Fail;
                    }
                }
            }
            ReadState::Settle => {
                self.read_timer.d.next = self.patience.val();
                self.wait.d.next = self.wait.q.val() - self.one_settle.val();
                if !self.wait.q.val().any() {
                    self.read.d.next = ReadState::Ask;
                }
            }
            ReadState::Ask => {
                self.m_axi_arvalid.next = true;
                if self.m_axi_arready.val() {
                    self.read_timer.d.next = self.patience.val();
                    self.read.d.next = ReadState::Beats;
                } else if self.late.val() {
                    self.read.d.next = ReadState::Fail;
                }
            }
            ReadState::Beats => {
                if self.m_axi_rvalid.val() {
                    self.read_timer.d.next = self.patience.val();
                } else if self.late.val() {
                    self.read.d.next = ReadState::Fail;
                }
                if self.half.q.val() {
                    self.m_axi_rready.next = self.s_axi_rready.val();
                    self.s_axi_rvalid.next = self.m_axi_rvalid.val();
                    if self.low_bad.q.val() | self.m_axi_rresp.val().any() {
                        self.s_axi_rresp.next = self.error.val();
                    }
                    if self.m_axi_rvalid.val() & self.s_axi_rready.val() {
                        self.half.d.next = false;
                        self.left.d.next = self.left.q.val() - self.one.val();
                        if !self.left.q.val().any() {
                            self.read.d.next = ReadState::Idle;
                        }
                    }
                } else if self.m_axi_rvalid.val() {
                    self.low.d.next = self.m_axi_rdata.val();
                    self.low_bad.d.next = self.m_axi_rresp.val().any();
                    self.half.d.next = true;
                }
            }
            ReadState::Fail => {
                self.s_axi_rvalid.next = true;
                self.s_axi_rdata.next = 0.into();
                self.s_axi_rresp.next = self.error.val();
                if self.s_axi_rready.val() {
                    self.left.d.next = self.left.q.val() - self.one.val();
                    if !self.left.q.val().any() {
                        self.read.d.next = ReadState::Idle;
                    }
                }
            }
        }

        // Writes.
        self.aw_high.next = self.s_axi_awaddr.val().get_bits::<32>(32);
        self.s_axi_awready.next = false;
        self.s_axi_wready.next = false;
        self.s_axi_bvalid.next = false;
        self.s_axi_bid.next = self.writer.q.val();
        self.s_axi_bresp.next = 0.into();
        if self.failed.q.val() {
            self.s_axi_bresp.next = self.error.val();
        }
        self.m_axi_awvalid.next = false;
        self.m_axi_awaddr.next = self.write_addr.q.val().get_bits::<32>(0);
        self.m_axi_awlen.next = self.one.val();
        self.m_axi_wvalid.next = false;
        self.m_axi_wdata.next = self.beat.q.val().get_bits::<128>(0);
        self.m_axi_wlast.next = false;
        self.m_axi_bready.next = true;
        self.stuck.next = !self.write_timer.q.val().any();
        self.write_timer.d.next = self.write_timer.q.val() - self.one_cycle.val();
        if self.unsettled.q.val().any() {
            self.unsettled.d.next = self.unsettled.q.val() - self.one_settle.val();
        }
        match self.write.q.val() {
            WriteState::Idle => {
                self.s_axi_awready.next = true;
                self.failed.d.next = self.aw_high.val().any();
                if self.s_axi_awvalid.val() {
                    self.writer.d.next = self.s_axi_awid.val();
                    self.write_addr.d.next = self.s_axi_awaddr.val();
                    self.write.d.next = WriteState::TakeBeat;
                }
            }
            WriteState::TakeBeat => {
                self.s_axi_wready.next = true;
                self.write_timer.d.next = self.patience.val();
                if self.s_axi_wvalid.val() {
                    self.beat.d.next = self.s_axi_wdata.val();
                    self.last.d.next = self.s_axi_wlast.val();
                    self.write.d.next = WriteState::Next;
                    if self.s_axi_wstrb.val().all() {
                        if !self.failed.q.val() {
                            self.write.d.next = WriteState::Ask;
                        }
                    } else if self.s_axi_wstrb.val().any() {
                        self.failed.d.next = true;
                    }
                }
            }
            WriteState::Ask => {
                self.m_axi_awvalid.next = true;
                if self.m_axi_awready.val() {
                    self.write.d.next = WriteState::Low;
                } else if self.stuck.val() {
                    self.failed.d.next = true;
                    self.write.d.next = WriteState::Next;
                }
            }
            WriteState::Low => {
                self.m_axi_wvalid.next = true;
                if self.m_axi_wready.val() {
                    self.write.d.next = WriteState::High;
                } else if self.stuck.val() {
                    self.failed.d.next = true;
                    self.write.d.next = WriteState::Next;
                }
            }
            WriteState::High => {
                self.m_axi_wvalid.next = true;
                self.m_axi_wdata.next = self.beat.q.val().get_bits::<128>(128);
                self.m_axi_wlast.next = true;
                if self.m_axi_wready.val() {
                    self.write.d.next = WriteState::Await;
                } else if self.stuck.val() {
                    self.failed.d.next = true;
                    self.write.d.next = WriteState::Next;
                }
            }
            WriteState::Await => {
                if self.m_axi_bvalid.val() {
                    self.failed.d.next = self.failed.q.val() | self.m_axi_bresp.val().any();
                    self.unsettled.d.next = self.settle.val();
                    self.write.d.next = WriteState::Next;
                } else if self.stuck.val() {
                    self.failed.d.next = true;
                    self.write.d.next = WriteState::Next;
                }
            }
            WriteState::Next => {
                self.write_addr.d.next = self.write_addr.q.val() + self.beat_bytes.val();
                self.write.d.next = WriteState::TakeBeat;
                if self.last.q.val() {
                    self.write.d.next = WriteState::Respond;
                }
            }
            WriteState::Respond => {
                self.s_axi_bvalid.next = true;
                if self.s_axi_bready.val() {
                    self.write.d.next = WriteState::Idle;
                }
            }
        }

        if self.reset.val() {
            self.read.d.next = ReadState::Idle;
            self.write.d.next = WriteState::Idle;
            self.unsettled.d.next = 0.into();
        }
    }
}
