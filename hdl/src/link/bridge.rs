//! Between frames and buses: registers for the host, host memory for the card.

use gatewei_abi::BEAT;
use gatewei_abi::serial::{self, CHECK_BYTES, HEAD_BYTES, kind};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::Outbox;
use crate::prim::Ram;

/// Cycles that a `RESET` lasts.
const RESET_CYCLES: u64 = 16;
/// AXI's SLVERR.
const SLAVE_ERROR: u64 = 2;
// A beat is eight words of the buffer.
const _: () = assert!(BEAT == 8 * 4);

/// What becomes of a question about a register.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum RegisterState {
    /// None is asked.
    Idle,
    /// The read's address is offered.
    ReadAddress,
    /// Its value is awaited.
    ReadValue,
    /// The write's address is offered.
    WriteAddress,
    /// Its data are.
    WriteData,
    /// Its response is awaited.
    WriteDone,
    /// The card is held in reset.
    Reset,
    /// The answer waits for the line.
    Answer,
}

/// What becomes of an access to host memory.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum MemoryState {
    /// None is wanted.
    Idle,
    /// A write's beat is awaited.
    TakeBeat,
    /// The frame waits for the line.
    Ask,
    /// The host's answer is awaited.
    Await,
    /// A beat is put together from the buffer.
    Load,
    /// A read's beat is offered.
    Offer,
    /// A write's beat is in host memory.
    Stored,
    /// A write's response is offered.
    Respond,
}

/// The card's end of [`gatewei_abi::serial`]. One access to host memory is in progress at a time, reads and writes
/// in turn; a question of the host's that comes while another is open is dropped, and asked again.
#[derive(LogicBlock)]
pub struct Bridge {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Power-on reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: a byte of a frame from the host.
    pub valid: Signal<In, Bit>,
    /// The byte.
    pub octet: Signal<In, Bits<8>>,
    /// Pulse: the frame is over.
    pub over: Signal<In, Bit>,
    /// With `over`: it was whole.
    pub good: Signal<In, Bit>,
    /// There is a byte of a frame to the host.
    pub send_valid: Signal<Out, Bit>,
    /// It is taken.
    pub send_ready: Signal<In, Bit>,
    /// The byte.
    pub send_octet: Signal<Out, Bits<8>>,
    /// It is the frame's last.
    pub send_last: Signal<Out, Bit>,
    /// Resets the card.
    pub card_reset: Signal<Out, Bit>,
    /// Pulse: the host has asked or answered something.
    pub heard: Signal<Out, Bit>,

    /// AXI4-Lite AW channel: byte address.
    pub m_axil_awaddr: Signal<Out, Bits<12>>,
    /// AXI4-Lite AW channel.
    pub m_axil_awvalid: Signal<Out, Bit>,
    /// AXI4-Lite AW channel.
    pub m_axil_awready: Signal<In, Bit>,
    /// AXI4-Lite W channel: data.
    pub m_axil_wdata: Signal<Out, Bits<32>>,
    /// AXI4-Lite W channel: all of it.
    pub m_axil_wstrb: Signal<Out, Bits<4>>,
    /// AXI4-Lite W channel.
    pub m_axil_wvalid: Signal<Out, Bit>,
    /// AXI4-Lite W channel.
    pub m_axil_wready: Signal<In, Bit>,
    /// AXI4-Lite B channel.
    pub m_axil_bvalid: Signal<In, Bit>,
    /// AXI4-Lite B channel.
    pub m_axil_bready: Signal<Out, Bit>,
    /// AXI4-Lite AR channel: byte address.
    pub m_axil_araddr: Signal<Out, Bits<12>>,
    /// AXI4-Lite AR channel.
    pub m_axil_arvalid: Signal<Out, Bit>,
    /// AXI4-Lite AR channel.
    pub m_axil_arready: Signal<In, Bit>,
    /// AXI4-Lite R channel: data.
    pub m_axil_rdata: Signal<In, Bits<32>>,
    /// AXI4-Lite R channel.
    pub m_axil_rvalid: Signal<In, Bit>,
    /// AXI4-Lite R channel.
    pub m_axil_rready: Signal<Out, Bit>,

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
    /// OKAY, or SLVERR where the host has no such memory.
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
    /// OKAY, or SLVERR where the host has no such memory.
    pub s_axi_bresp: Signal<Out, Bits<2>>,

    /// Pulse: an interrupt.
    pub msix_valid: Signal<In, Bit>,
    /// Its vector.
    pub msix_vector: Signal<In, Bits<16>>,

    // The frame that comes: bytes so far, and what stands in front.
    length: DFF<Bits<13>>,
    kind: DFF<Bits<8>>,
    number: DFF<Bits<8>>,
    args: DFF<Bits<48>>,
    data_word: DFF<Bits<32>>,

    register: DFF<RegisterState>,
    register_number: DFF<Bits<8>>,
    offset: DFF<Bits<12>>,
    value: DFF<Bits<32>>,
    hold: DFF<Bits<5>>,

    memory: DFF<MemoryState>,
    // The number of the access that is asked for, or will be next.
    asked: DFF<Bits<8>>,
    requester: DFF<Bits<4>>,
    address: DFF<Bits<64>>,
    // Beats of a read that are still to be given.
    left: DFF<Bits<8>>,
    store: DFF<Bit>,
    strobe: DFF<Bits<32>>,
    beat: DFF<Bits<256>>,
    last_beat: DFF<Bit>,
    failed: DFF<Bit>,
    stored_last: DFF<Bit>,
    timer: DFF<Bits<24>>,
    step: DFF<Bits<4>>,
    place: DFF<Bits<7>>,

    outbox: Outbox,
    // A read's beats, in words of four bytes.
    buffer: Ram<10, 32>,
    is_kind_data: Signal<Local, Bit>,
    awaiting: Signal<Local, Bit>,
    position: Signal<Local, Bits<13>>,
    slot_index: Signal<Local, Bits<11>>,
    accepts: Signal<Local, Bit>,
    body: Signal<Local, Bits<32>>,
    request: Signal<Local, Bit>,
    answers: Signal<Local, Bit>,
    frame_full: Signal<Local, Bit>,

    patience: Constant<Bits<24>>,
    kind_read: Constant<Bits<8>>,
    kind_write: Constant<Bits<8>>,
    kind_reset: Constant<Bits<8>>,
    kind_data: Constant<Bits<8>>,
    kind_done: Constant<Bits<8>>,
    kind_fault: Constant<Bits<8>>,
    // Bytes of frames that come, the check included.
    read_bytes: Constant<Bits<13>>,
    write_bytes: Constant<Bits<13>>,
    plain_bytes: Constant<Bits<13>>,
    head: Constant<Bits<13>>,
    args_end: Constant<Bits<13>>,
    most: Constant<Bits<13>>,
    reset_cycles: Constant<Bits<5>>,
    error: Constant<Bits<2>>,
    all: Constant<Bits<4>>,
    beat_bytes: Constant<Bits<64>>,
    words: Constant<Bits<4>>,
    one_step: Constant<Bits<4>>,
    one_beat: Constant<Bits<8>>,
    one_place: Constant<Bits<7>>,
    one: Constant<Bits<13>>,
    one_cycle: Constant<Bits<24>>,
    one_hold: Constant<Bits<5>>,
}

/// Bytes of a frame of this kind.
fn bytes(kind: u8) -> u64 {
    serial::length(kind, 0).expect("it is a kind") as u64
}

impl Bridge {
    /// A bridge that asks again when the line has been silent for `patience` cycles, of which a register of 24
    /// bits must be able to count.
    pub fn new(patience: u32) -> Self {
        assert!(patience < 1 << 24, "patience has 24 bits");
        let coming = |kind| Constant::new((bytes(kind) + CHECK_BYTES as u64).into());
        let code = |kind: u8| Constant::new(u64::from(kind).into());
        block! {
            patience: Constant::new(u64::from(patience).into()),
            kind_read: code(kind::READ),
            kind_write: code(kind::WRITE),
            kind_reset: code(kind::RESET),
            kind_data: code(kind::DATA),
            kind_done: code(kind::DONE),
            kind_fault: code(kind::FAULT),
            read_bytes: coming(kind::READ),
            write_bytes: coming(kind::WRITE),
            plain_bytes: coming(kind::DONE),
            head: Constant::new((HEAD_BYTES as u64).into()),
            args_end: Constant::new(bytes(kind::WRITE).into()),
            most: Constant::new(0x1fffu64.into()),
            reset_cycles: Constant::new(RESET_CYCLES.into()),
            error: Constant::new(SLAVE_ERROR.into()),
            all: Constant::new(15u64.into()),
            beat_bytes: Constant::new((BEAT as u64).into()),
            words: Constant::new((BEAT as u64 / 4).into()),
            one_step: Constant::new(1u64.into()),
            one_beat: Constant::new(1u64.into()),
            one_place: Constant::new(1u64.into()),
            one: Constant::new(1u64.into()),
            one_cycle: Constant::new(1u64.into()),
            one_hold: Constant::new(1u64.into()),
            ; clock reset valid octet over good send_valid send_ready send_octet send_last card_reset heard m_axil_awaddr m_axil_awvalid m_axil_awready m_axil_wdata m_axil_wstrb m_axil_wvalid m_axil_wready m_axil_bvalid m_axil_bready m_axil_araddr m_axil_arvalid m_axil_arready m_axil_rdata m_axil_rvalid m_axil_rready s_axi_arvalid s_axi_arready s_axi_arid s_axi_araddr s_axi_arlen s_axi_rvalid s_axi_rready s_axi_rid s_axi_rdata s_axi_rresp s_axi_rlast s_axi_awvalid s_axi_awready s_axi_awid s_axi_awaddr s_axi_wvalid s_axi_wready s_axi_wdata s_axi_wstrb s_axi_wlast s_axi_bvalid s_axi_bready s_axi_bid s_axi_bresp msix_valid msix_vector length kind number args data_word register register_number offset value hold memory asked requester address left store strobe beat last_beat failed stored_last timer step place outbox buffer is_kind_data awaiting position slot_index accepts body request answers frame_full
        }
    }
}

impl Logic for Bridge {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            length,
            kind,
            number,
            args,
            data_word,
            register,
            register_number,
            offset,
            value,
            hold,
            memory,
            asked,
            requester,
            address,
            left,
            store,
            strobe,
            beat,
            last_beat,
            failed,
            stored_last,
            timer,
            step,
            place
        );
        self.buffer.clock.next = self.clock.val();

        // The frame that goes.
        self.outbox.clock.next = self.clock.val();
        self.outbox.reset.next = self.reset.val();
        self.card_reset.next = self.reset.val() | (self.register.q.val() == RegisterState::Reset);
        self.outbox.card_reset.next = self.card_reset.val();
        self.outbox.value_valid.next = self.register.q.val() == RegisterState::Answer;
        self.outbox.value_number.next = self.register_number.q.val();
        self.outbox.value.next = self.value.q.val();
        self.outbox.msix_valid.next = self.msix_valid.val();
        self.outbox.msix_vector.next = self.msix_vector.val();
        self.outbox.memory_valid.next = self.memory.q.val() == MemoryState::Ask;
        self.outbox.memory_number.next = self.asked.q.val();
        self.outbox.store.next = self.store.q.val();
        self.outbox.address.next = self.address.q.val();
        self.outbox.beats.next = self.left.q.val();
        self.outbox.strobe.next = self.strobe.q.val();
        self.outbox.beat.next = self.beat.q.val();
        self.send_valid.next = self.outbox.send_valid.val();
        self.send_octet.next = self.outbox.send_octet.val();
        self.send_last.next = self.outbox.send_last.val();
        self.outbox.send_ready.next = self.send_ready.val();

        // The frame that comes.
        self.awaiting.next = self.memory.q.val() == MemoryState::Await;
        self.body.next =
            (self.data_word.q.val() >> 8) | (bit_cast::<32, 8>(self.octet.val()) << 24);
        self.position.next = self.length.q.val() - self.head.val();
        self.slot_index.next = self.position.val().get_bits::<11>(2);
        self.is_kind_data.next = self.kind.q.val() == self.kind_data.val();
        self.accepts.next = self.awaiting.val()
            & !self.store.q.val()
            & self.is_kind_data.val()
            & (self.number.q.val() == self.asked.q.val())
            & (self.length.q.val() >= self.head.val())
            & (self.slot_index.val() < (bit_cast::<11, 8>(self.left.q.val()) << 3))
            & self.position.val().get_bit(0)
            & self.position.val().get_bit(1);
        self.buffer.waddr.next = self.slot_index.val().get_bits::<10>(0);
        self.buffer.wdata.next = self.body.val();
        self.buffer.we.next = self.valid.val() & self.accepts.val();
        if self.valid.val() {
            if self.length.q.val() != self.most.val() {
                self.length.d.next = self.length.q.val() + self.one.val();
            }
            self.data_word.d.next = self.body.val();
            if !self.length.q.val().any() {
                self.kind.d.next = self.octet.val();
            } else if self.length.q.val() == self.one.val() {
                self.number.d.next = self.octet.val();
            } else if self.length.q.val() < self.args_end.val() {
                self.args.d.next =
                    (self.args.q.val() >> 8) | (bit_cast::<48, 8>(self.octet.val()) << 40);
            }
        }
        if self.over.val() {
            self.length.d.next = 0.into();
        }

        // Questions about registers. Arguments of a read are followed by its check: both fill the six bytes.
        self.request.next = self.good.val() & (self.register.q.val() == RegisterState::Idle);
        self.heard.next = false;
        self.m_axil_araddr.next = self.offset.q.val();
        self.m_axil_awaddr.next = self.offset.q.val();
        self.m_axil_wdata.next = self.value.q.val();
        self.m_axil_wstrb.next = self.all.val();
        self.m_axil_arvalid.next = false;
        self.m_axil_awvalid.next = false;
        self.m_axil_wvalid.next = false;
        self.m_axil_rready.next = false;
        self.m_axil_bready.next = false;
        match self.register.q.val() {
            RegisterState::Idle => {}
            RegisterState::ReadAddress => {
                self.m_axil_arvalid.next = true;
                if self.m_axil_arready.val() {
                    self.register.d.next = RegisterState::ReadValue;
                }
            }
            RegisterState::ReadValue => {
                self.m_axil_rready.next = true;
                if self.m_axil_rvalid.val() {
                    self.value.d.next = self.m_axil_rdata.val();
                    self.register.d.next = RegisterState::Answer;
                }
            }
            RegisterState::WriteAddress => {
                self.m_axil_awvalid.next = true;
                if self.m_axil_awready.val() {
                    self.register.d.next = RegisterState::WriteData;
                }
            }
            RegisterState::WriteData => {
                self.m_axil_wvalid.next = true;
                if self.m_axil_wready.val() {
                    self.register.d.next = RegisterState::WriteDone;
                }
            }
            RegisterState::WriteDone => {
                self.m_axil_bready.next = true;
                if self.m_axil_bvalid.val() {
                    self.value.d.next = 0.into();
                    self.register.d.next = RegisterState::Answer;
                }
            }
            RegisterState::Reset => {
                self.hold.d.next = self.hold.q.val() - self.one_hold.val();
                if !self.hold.q.val().any() {
                    self.value.d.next = 0.into();
                    self.register.d.next = RegisterState::Answer;
                }
            }
            RegisterState::Answer => {
                if self.outbox.value_goes.val() {
                    self.register.d.next = RegisterState::Idle;
                }
            }
        }
        if self.request.val() {
            self.register_number.d.next = self.number.q.val();
            self.offset.d.next = self.args.q.val().get_bits::<12>(0);
            self.value.d.next = self.args.q.val().get_bits::<32>(16);
            self.hold.d.next = self.reset_cycles.val();
            if (self.kind.q.val() == self.kind_read.val())
                & (self.length.q.val() == self.read_bytes.val())
            {
                self.register.d.next = RegisterState::ReadAddress;
                self.heard.next = true;
            }
            if (self.kind.q.val() == self.kind_write.val())
                & (self.length.q.val() == self.write_bytes.val())
            {
                self.register.d.next = RegisterState::WriteAddress;
                self.heard.next = true;
            }
            if (self.kind.q.val() == self.kind_reset.val())
                & (self.length.q.val() == self.plain_bytes.val())
            {
                self.register.d.next = RegisterState::Reset;
                self.heard.next = true;
            }
        }

        // Accesses to host memory.
        self.frame_full.next = self.length.q.val()
            == ((bit_cast::<13, 8>(self.left.q.val()) << 5) + self.plain_bytes.val());
        self.answers.next =
            self.good.val() & self.awaiting.val() & (self.number.q.val() == self.asked.q.val());
        self.s_axi_arready.next = false;
        self.s_axi_awready.next = false;
        self.s_axi_wready.next = false;
        self.s_axi_rvalid.next = false;
        self.s_axi_bvalid.next = false;
        self.s_axi_rid.next = self.requester.q.val();
        self.s_axi_bid.next = self.requester.q.val();
        self.s_axi_rdata.next = self.beat.q.val();
        self.s_axi_rlast.next = self.left.q.val() == self.one_beat.val();
        self.s_axi_rresp.next = 0.into();
        self.s_axi_bresp.next = 0.into();
        if self.failed.q.val() {
            self.s_axi_rresp.next = self.error.val();
            self.s_axi_bresp.next = self.error.val();
        }
        self.buffer.raddr.next = (bit_cast::<10, 7>(self.place.q.val()) << 3)
            | bit_cast::<10, 3>(self.step.q.val().get_bits::<3>(0));
        match self.memory.q.val() {
            MemoryState::Idle => {
                self.failed.d.next = false;
                self.place.d.next = 0.into();
                if self.s_axi_awvalid.val() & !(self.stored_last.q.val() & self.s_axi_arvalid.val())
                {
                    self.s_axi_awready.next = true;
                    self.requester.d.next = self.s_axi_awid.val();
                    self.address.d.next = self.s_axi_awaddr.val();
                    self.store.d.next = true;
                    self.stored_last.d.next = true;
                    self.memory.d.next = MemoryState::TakeBeat;
                } else if self.s_axi_arvalid.val() {
                    self.s_axi_arready.next = true;
                    self.requester.d.next = self.s_axi_arid.val();
                    self.address.d.next = self.s_axi_araddr.val();
                    self.left.d.next = self.s_axi_arlen.val() + self.one_beat.val();
                    self.store.d.next = false;
                    self.stored_last.d.next = false;
                    self.memory.d.next = MemoryState::Ask;
                }
            }
            MemoryState::TakeBeat => {
                self.s_axi_wready.next = true;
                if self.s_axi_wvalid.val() {
                    self.beat.d.next = self.s_axi_wdata.val();
                    self.strobe.d.next = self.s_axi_wstrb.val();
                    self.last_beat.d.next = self.s_axi_wlast.val();
                    self.memory.d.next = MemoryState::Ask;
                }
            }
            MemoryState::Ask => {
                self.timer.d.next = self.patience.val();
                if self.outbox.memory_goes.val() {
                    self.memory.d.next = MemoryState::Await;
                }
            }
            MemoryState::Await => {
                // Silence is counted from the end of the question on, and from each byte that comes.
                self.timer.d.next = self.timer.q.val() - self.one_cycle.val();
                if self.valid.val() | self.outbox.send_valid.val() {
                    self.timer.d.next = self.patience.val();
                } else if !self.timer.q.val().any() {
                    self.memory.d.next = MemoryState::Ask;
                }
                self.step.d.next = 0.into();
                if self.answers.val() {
                    if self.is_kind_data.val() & !self.store.q.val() & self.frame_full.val() {
                        self.memory.d.next = MemoryState::Load;
                        self.asked.d.next = self.asked.q.val() + self.one_beat.val();
                        self.heard.next = true;
                    }
                    if self.length.q.val() == self.plain_bytes.val() {
                        if (self.kind.q.val() == self.kind_done.val()) & self.store.q.val() {
                            self.memory.d.next = MemoryState::Stored;
                            self.asked.d.next = self.asked.q.val() + self.one_beat.val();
                            self.heard.next = true;
                        }
                        if self.kind.q.val() == self.kind_fault.val() {
                            self.failed.d.next = true;
                            self.memory.d.next = MemoryState::Offer;
                            if self.store.q.val() {
                                self.memory.d.next = MemoryState::Stored;
                            }
                            self.asked.d.next = self.asked.q.val() + self.one_beat.val();
                            self.heard.next = true;
                        }
                    }
                }
            }
            MemoryState::Load => {
                self.step.d.next = self.step.q.val() + self.one_step.val();
                if self.step.q.val().any() {
                    self.beat.d.next = (self.beat.q.val() >> 32)
                        | (bit_cast::<256, 32>(self.buffer.rdata.val()) << 224);
                }
                if self.step.q.val() == self.words.val() {
                    self.memory.d.next = MemoryState::Offer;
                }
            }
            MemoryState::Offer => {
                self.s_axi_rvalid.next = true;
                self.step.d.next = 0.into();
                if self.s_axi_rready.val() {
                    self.left.d.next = self.left.q.val() - self.one_beat.val();
                    self.place.d.next = self.place.q.val() + self.one_place.val();
                    if self.left.q.val() == self.one_beat.val() {
                        self.memory.d.next = MemoryState::Idle;
                    } else if !self.failed.q.val() {
                        self.memory.d.next = MemoryState::Load;
                    }
                }
            }
            MemoryState::Stored => {
                self.address.d.next = self.address.q.val() + self.beat_bytes.val();
                self.memory.d.next = MemoryState::TakeBeat;
                if self.last_beat.q.val() {
                    self.memory.d.next = MemoryState::Respond;
                }
            }
            MemoryState::Respond => {
                self.s_axi_bvalid.next = true;
                if self.s_axi_bready.val() {
                    self.memory.d.next = MemoryState::Idle;
                }
            }
        }

        if self.card_reset.val() {
            self.memory.d.next = MemoryState::Idle;
        }
        if self.reset.val() {
            self.length.d.next = 0.into();
            self.register.d.next = RegisterState::Idle;
            self.stored_last.d.next = false;
        }
    }
}
