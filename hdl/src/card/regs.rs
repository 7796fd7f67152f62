//! The register file: an AXI4-Lite slave over every register of `gatewei_abi::regs`.

use gatewei_abi::layout::LANE_QUEUE;
use gatewei_abi::regs::{self, card};
use gatewei_abi::{ABI_VERSION, MAGIC};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::{DEFAULT_CLOCK_KHZ, LaneRegisters, QueueRegisters, array, constant};
use crate::lane::stores::Stores;

/// Bytes of a block's address space, and log2 of it: what the page of an address selects.
const PAGE_BITS: u32 = 6;

const _: () = assert!(
    regs::LANE_STRIDE == 1 << PAGE_BITS
        && regs::QUEUE_STRIDE == 1 << PAGE_BITS
        && regs::CARD.is_multiple_of(1 << PAGE_BITS)
        && regs::QUEUES.is_multiple_of(1 << PAGE_BITS)
        && regs::LANES.is_multiple_of(1 << PAGE_BITS)
        && regs::SPACE == 1 << 12
);

const _: () = assert!(regs::CONTROL_ENABLE == 1 << 0 && regs::CONTROL_RESET == 1 << 1);
/// `STATUS` of the card: an error of the queue is latched.
const STATUS_ERROR: u64 = 1 << 2;

/// What the identity registers say about a card beside its numbers of lanes and queue pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Keccak engines.
    pub engines: u8,
    /// What it is made with.
    pub make: Make,
}

/// What a card is made with, beside its numbers of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Make {
    /// Clock of the lanes in kHz.
    pub clock_khz: u32,
    /// Sizes of a lane's memories.
    pub stores: Stores,
    /// Where it comes from.
    pub origin: Origin,
}

impl Default for Make {
    fn default() -> Self {
        Self {
            clock_khz: DEFAULT_CLOCK_KHZ,
            stores: Stores::MOST,
            origin: Origin::default(),
        }
    }
}

/// What a card is for and was built from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Number of the board: [`gatewei_abi::board`].
    pub board: u16,
    /// The checkout had changes that the commit has not.
    pub changed: bool,
    /// First 32 bits of the git commit.
    pub commit: u32,
    /// When the commit was made, seconds since 1970.
    pub built: u32,
}

/// AXI4-Lite slave, 12-bit addresses, 32-bit data. AW and W come independently; one read and one write are
/// in progress at a time; every response is OKAY. What is no register, an unaligned address included,
/// reads as 0 and ignores writes. Byte strobes are honoured.
#[derive(LogicBlock)]
pub struct RegisterFile<const LANES: usize, const PAIRS: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Power-on reset.
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

    /// `CONTROL`: queues run.
    pub enable: Signal<Out, Bit>,
    /// `CONTROL`: lanes and queues are held in reset.
    pub hold: Signal<Out, Bit>,
    /// A DMA read or write is outstanding.
    pub dma_outstanding: Signal<In, Bit>,
    /// Pulse: a submission was dropped.
    pub dropped: Signal<In, Bit>,

    /// Submission ring, bus address.
    pub sq_base: [Signal<Out, Bits<64>>; PAIRS],
    /// Completion ring, bus address.
    pub cq_base: [Signal<Out, Bits<64>>; PAIRS],
    /// log2 of the rings' entries.
    pub size: [Signal<Out, Bits<4>>; PAIRS],
    /// Submissions made.
    pub sq_tail: [Signal<Out, Bits<16>>; PAIRS],
    /// Completions consumed.
    pub cq_head: [Signal<Out, Bits<16>>; PAIRS],
    /// MSI-X vector.
    pub irq_vector: [Signal<Out, Bits<16>>; PAIRS],
    /// Interrupts are wanted.
    pub irq_enable: [Signal<Out, Bit>; PAIRS],
    /// Completions that share an interrupt.
    pub irq_count: [Signal<Out, Bits<8>>; PAIRS],
    /// Cycles that a completion awaits others to share its interrupt.
    pub irq_time: [Signal<Out, Bits<16>>; PAIRS],
    /// Submissions fetched.
    pub sq_head: [Signal<In, Bits<16>>; PAIRS],
    /// Completions written.
    pub cq_tail: [Signal<In, Bits<16>>; PAIRS],
    /// Bit 0 a read of the ring failed, bit 1 a write failed.
    pub queue_error: [Signal<In, Bits<2>>; PAIRS],

    /// The lane has a message.
    pub lane_busy: [Signal<In, Bit>; LANES],
    /// The lane awaits an answer of the host.
    pub lane_waiting: [Signal<In, Bit>; LANES],
    /// The lane awaits a Keccak engine.
    pub lane_stall_keccak: [Signal<In, Bit>; LANES],
    /// The lane awaits the DMA.
    pub lane_stall_dma: [Signal<In, Bit>; LANES],
    /// The lane awaits its multi-cycle arithmetic unit.
    pub lane_stall_arith: [Signal<In, Bit>; LANES],
    /// Pulse: an opcode retires.
    pub lane_retire: [Signal<In, Bit>; LANES],
    /// Its program counter.
    pub lane_retire_pc: [Signal<In, Bits<32>>; LANES],
    /// Command id of the running message.
    pub lane_running_id: [Signal<In, Bits<32>>; LANES],
    /// Messages that wait in front of the lane.
    pub lane_queued: [Signal<In, Bits<8>>; LANES],
    /// Pulse: the lane completed a message.
    pub lane_message: [Signal<In, Bit>; LANES],

    queue: [QueueRegisters; PAIRS],
    lane: [LaneRegisters; LANES],

    write_addr: DFF<Bits<12>>,
    write_addr_held: DFF<Bit>,
    write_data: DFF<Bits<32>>,
    write_strobe: DFF<Bits<4>>,
    write_data_held: DFF<Bit>,
    write_done: DFF<Bit>,
    read_data: DFF<Bits<32>>,
    read_done: DFF<Bit>,

    control_enable: DFF<Bit>,
    control_reset: DFF<Bit>,
    scratch: DFF<Bits<32>>,
    drops: DFF<Bits<32>>,
    cycles: DFF<Bits<64>>,
    cycles_high: DFF<Bits<32>>,

    commit: Signal<Local, Bit>,
    write_page: Signal<Local, Bits<6>>,
    write_offset: Signal<Local, Bits<6>>,
    part: [Signal<Local, Bits<32>>; 4],
    mask: Signal<Local, Bits<32>>,
    keep: Signal<Local, Bits<32>>,
    set: Signal<Local, Bits<32>>,
    enabled: Signal<Local, Bits<32>>,
    held: Signal<Local, Bits<32>>,
    control: Signal<Local, Bits<32>>,
    new_control: Signal<Local, Bits<32>>,
    take_read: Signal<Local, Bit>,
    read_page: Signal<Local, Bits<6>>,
    read_offset: Signal<Local, Bits<6>>,
    status_error: Signal<Local, Bits<32>>,
    status_dma: Signal<Local, Bits<32>>,
    value: Signal<Local, Bits<32>>,

    magic: Constant<Bits<32>>,
    version: Constant<Bits<32>>,
    caps: Constant<Bits<32>>,
    clock_khz: Constant<Bits<32>>,
    board: Constant<Bits<32>>,
    commit_id: Constant<Bits<32>>,
    built: Constant<Bits<32>>,
    slots: Constant<Bits<32>>,
    one: Constant<Bits<32>>,
    one_wide: Constant<Bits<64>>,
    enable_bit: Constant<Bits<32>>,
    reset_bit: Constant<Bits<32>>,
    error_bit: Constant<Bits<32>>,
    dma_bit: Constant<Bits<32>>,
    byte: [Constant<Bits<32>>; 4],
    card_page: Constant<Bits<6>>,
    queue_page: [Constant<Bits<6>>; PAIRS],
    lane_page: [Constant<Bits<6>>; LANES],
    magic_at: Constant<Bits<6>>,
    version_at: Constant<Bits<6>>,
    caps_at: Constant<Bits<6>>,
    clock_khz_at: Constant<Bits<6>>,
    board_at: Constant<Bits<6>>,
    commit_at: Constant<Bits<6>>,
    built_at: Constant<Bits<6>>,
    slots_at: Constant<Bits<6>>,
    control_at: Constant<Bits<6>>,
    status_at: Constant<Bits<6>>,
    cycles_lo_at: Constant<Bits<6>>,
    cycles_hi_at: Constant<Bits<6>>,
    scratch_at: Constant<Bits<6>>,
    dropped_at: Constant<Bits<6>>,
}

impl<const LANES: usize, const PAIRS: usize> RegisterFile<LANES, PAIRS> {
    /// The register file of a card with this identity.
    pub fn new(identity: Identity) -> Self {
        let caps = LANES as u64
            | u64::from(identity.engines) << 8
            | (LANE_QUEUE as u64) << 16
            | (PAIRS as u64) << 24;
        let mut board = u32::from(identity.make.origin.board);
        if identity.make.origin.changed {
            board |= regs::BOARD_CHANGED;
        }
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
            enable: Default::default(),
            hold: Default::default(),
            dma_outstanding: Default::default(),
            dropped: Default::default(),
            sq_base: array(),
            cq_base: array(),
            size: array(),
            sq_tail: array(),
            cq_head: array(),
            irq_vector: array(),
            irq_enable: array(),
            irq_count: array(),
            irq_time: array(),
            sq_head: array(),
            cq_tail: array(),
            queue_error: array(),
            lane_busy: array(),
            lane_waiting: array(),
            lane_stall_keccak: array(),
            lane_stall_dma: array(),
            lane_stall_arith: array(),
            lane_retire: array(),
            lane_retire_pc: array(),
            lane_running_id: array(),
            lane_queued: array(),
            lane_message: array(),
            queue: array(),
            lane: array(),
            write_addr: Default::default(),
            write_addr_held: Default::default(),
            write_data: Default::default(),
            write_strobe: Default::default(),
            write_data_held: Default::default(),
            write_done: Default::default(),
            read_data: Default::default(),
            read_done: Default::default(),
            control_enable: Default::default(),
            control_reset: Default::default(),
            scratch: Default::default(),
            drops: Default::default(),
            cycles: Default::default(),
            cycles_high: Default::default(),
            commit: Default::default(),
            write_page: Default::default(),
            write_offset: Default::default(),
            part: array(),
            mask: Default::default(),
            keep: Default::default(),
            set: Default::default(),
            enabled: Default::default(),
            held: Default::default(),
            control: Default::default(),
            new_control: Default::default(),
            take_read: Default::default(),
            read_page: Default::default(),
            read_offset: Default::default(),
            status_error: Default::default(),
            status_dma: Default::default(),
            value: Default::default(),
            magic: constant(MAGIC.into()),
            version: constant(ABI_VERSION.into()),
            caps: constant(caps),
            clock_khz: constant(identity.make.clock_khz.into()),
            board: constant(board.into()),
            commit_id: constant(identity.make.origin.commit.into()),
            built: constant(identity.make.origin.built.into()),
            slots: constant(1 << identity.make.stores.slot_bits),
            one: constant(1),
            one_wide: constant(1),
            enable_bit: constant(regs::CONTROL_ENABLE.into()),
            reset_bit: constant(regs::CONTROL_RESET.into()),
            error_bit: constant(STATUS_ERROR),
            dma_bit: constant(regs::STATUS_DMA.into()),
            byte: array_init::array_init(|i| constant(0xff << (8 * i))),
            card_page: constant((regs::CARD >> PAGE_BITS).into()),
            queue_page: array_init::array_init(|p| {
                constant((regs::queue_base(p as u32) >> PAGE_BITS).into())
            }),
            lane_page: array_init::array_init(|i| {
                constant((regs::lane_base(i as u32) >> PAGE_BITS).into())
            }),
            magic_at: constant(card::MAGIC.into()),
            version_at: constant(card::VERSION.into()),
            caps_at: constant(card::CAPS.into()),
            clock_khz_at: constant(card::CLOCK_KHZ.into()),
            board_at: constant(card::BOARD.into()),
            commit_at: constant(card::COMMIT.into()),
            built_at: constant(card::BUILT.into()),
            slots_at: constant(card::SLOTS.into()),
            control_at: constant(card::CONTROL.into()),
            status_at: constant(card::STATUS.into()),
            cycles_lo_at: constant(card::CYCLES_LO.into()),
            cycles_hi_at: constant(card::CYCLES_HI.into()),
            scratch_at: constant(card::SCRATCH.into()),
            dropped_at: constant(card::DROPPED.into()),
        }
    }
}

impl<const LANES: usize, const PAIRS: usize> Logic for RegisterFile<LANES, PAIRS> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            write_addr,
            write_addr_held,
            write_data,
            write_strobe,
            write_data_held,
            write_done,
            read_data,
            read_done,
            control_enable,
            control_reset,
            scratch,
            drops,
            cycles,
            cycles_high
        );

        // Write channels: address and data are held until both are there.
        self.s_axil_awready.next = !self.write_addr_held.q.val();
        self.s_axil_wready.next = !self.write_data_held.q.val();
        self.s_axil_bvalid.next = self.write_done.q.val();
        self.s_axil_bresp.next = 0.into();
        if self.s_axil_awvalid.val() & !self.write_addr_held.q.val() {
            self.write_addr.d.next = self.s_axil_awaddr.val();
            self.write_addr_held.d.next = true;
        }
        if self.s_axil_wvalid.val() & !self.write_data_held.q.val() {
            self.write_data.d.next = self.s_axil_wdata.val();
            self.write_strobe.d.next = self.s_axil_wstrb.val();
            self.write_data_held.d.next = true;
        }
        if self.s_axil_bready.val() {
            self.write_done.d.next = false;
        }
        self.commit.next =
            self.write_addr_held.q.val() & self.write_data_held.q.val() & !self.write_done.q.val();
        if self.commit.val() {
            self.write_addr_held.d.next = false;
            self.write_data_held.d.next = false;
            self.write_done.d.next = true;
        }
        for i in 0..4 {
            self.part[i].next = 0.into();
            if self.write_strobe.q.val().get_bit(i) {
                self.part[i].next = self.byte[i].val();
            }
        }
        self.mask.next =
            self.part[0].val() | self.part[1].val() | self.part[2].val() | self.part[3].val();
        self.keep.next = !self.mask.val();
        self.set.next = self.write_data.q.val() & self.mask.val();
        self.write_page.next = self.write_addr.q.val().get_bits::<6>(6);
        self.write_offset.next = self.write_addr.q.val().get_bits::<6>(0);
        self.read_page.next = self.s_axil_araddr.val().get_bits::<6>(6);
        self.read_offset.next = self.s_axil_araddr.val().get_bits::<6>(0);

        // Card block.
        self.enabled.next = 0.into();
        if self.control_enable.q.val() {
            self.enabled.next = self.enable_bit.val();
        }
        self.held.next = 0.into();
        if self.control_reset.q.val() {
            self.held.next = self.reset_bit.val();
        }
        self.control.next = self.enabled.val() | self.held.val();
        self.new_control.next = (self.control.val() & self.keep.val()) | self.set.val();
        if self.commit.val() & (self.write_page.val() == self.card_page.val()) {
            if self.write_offset.val() == self.control_at.val() {
                self.control_enable.d.next = self.new_control.val().get_bit(0);
                self.control_reset.d.next = self.new_control.val().get_bit(1);
            }
            if self.write_offset.val() == self.scratch_at.val() {
                self.scratch.d.next = (self.scratch.q.val() & self.keep.val()) | self.set.val();
            }
        }
        self.enable.next = self.control_enable.q.val();
        self.hold.next = self.control_reset.q.val();
        self.cycles.d.next = self.cycles.q.val() + self.one_wide.val();
        if self.dropped.val() {
            self.drops.d.next = self.drops.q.val() + self.one.val();
        }

        // Queue pair blocks.
        for p in 0..PAIRS {
            self.queue[p].clock.next = self.clock.val();
            self.queue[p].reset.next = self.reset.val();
            self.queue[p].clear.next = self.control_reset.q.val();
            self.queue[p].offset.next = self.read_offset.val();
            self.queue[p].write.next =
                self.commit.val() & (self.write_page.val() == self.queue_page[p].val());
            self.queue[p].write_offset.next = self.write_offset.val();
            self.queue[p].write_data.next = self.write_data.q.val();
            self.queue[p].write_mask.next = self.mask.val();
            self.queue[p].sq_head.next = self.sq_head[p].val();
            self.queue[p].cq_tail.next = self.cq_tail[p].val();
            self.queue[p].error.next = self.queue_error[p].val();
            self.sq_base[p].next = self.queue[p].sq_base.val();
            self.cq_base[p].next = self.queue[p].cq_base.val();
            self.size[p].next = self.queue[p].size.val();
            self.sq_tail[p].next = self.queue[p].sq_tail.val();
            self.cq_head[p].next = self.queue[p].cq_head.val();
            self.irq_vector[p].next = self.queue[p].irq_vector.val();
            self.irq_enable[p].next = self.queue[p].irq_enable.val();
            self.irq_count[p].next = self.queue[p].irq_count.val();
            self.irq_time[p].next = self.queue[p].irq_time.val();
        }

        // Lane blocks.
        for i in 0..LANES {
            self.lane[i].clock.next = self.clock.val();
            self.lane[i].reset.next = self.reset.val();
            self.lane[i].offset.next = self.read_offset.val();
            self.lane[i].busy.next = self.lane_busy[i].val();
            self.lane[i].waiting.next = self.lane_waiting[i].val();
            self.lane[i].stall_keccak.next = self.lane_stall_keccak[i].val();
            self.lane[i].stall_dma.next = self.lane_stall_dma[i].val();
            self.lane[i].stall_arith.next = self.lane_stall_arith[i].val();
            self.lane[i].retire.next = self.lane_retire[i].val();
            self.lane[i].retire_pc.next = self.lane_retire_pc[i].val();
            self.lane[i].running_id.next = self.lane_running_id[i].val();
            self.lane[i].queued.next = self.lane_queued[i].val();
            self.lane[i].message.next = self.lane_message[i].val();
        }

        // Read channels.
        self.s_axil_arready.next = !self.read_done.q.val();
        self.s_axil_rvalid.next = self.read_done.q.val();
        self.s_axil_rdata.next = self.read_data.q.val();
        self.s_axil_rresp.next = 0.into();
        self.take_read.next = self.s_axil_arvalid.val() & !self.read_done.q.val();
        if self.s_axil_rready.val() {
            self.read_done.d.next = false;
        }
        self.status_error.next = 0.into();
        for p in 0..PAIRS {
            if self.queue_error[p].val().any() {
                self.status_error.next = self.error_bit.val();
            }
        }
        self.status_dma.next = 0.into();
        if self.dma_outstanding.val() {
            self.status_dma.next = self.dma_bit.val();
        }
        self.value.next = 0.into();
        if self.read_page.val() == self.card_page.val() {
            if self.read_offset.val() == self.magic_at.val() {
                self.value.next = self.magic.val();
            }
            if self.read_offset.val() == self.version_at.val() {
                self.value.next = self.version.val();
            }
            if self.read_offset.val() == self.caps_at.val() {
                self.value.next = self.caps.val();
            }
            if self.read_offset.val() == self.clock_khz_at.val() {
                self.value.next = self.clock_khz.val();
            }
            if self.read_offset.val() == self.board_at.val() {
                self.value.next = self.board.val();
            }
            if self.read_offset.val() == self.commit_at.val() {
                self.value.next = self.commit_id.val();
            }
            if self.read_offset.val() == self.built_at.val() {
                self.value.next = self.built.val();
            }
            if self.read_offset.val() == self.slots_at.val() {
                self.value.next = self.slots.val();
            }
            if self.read_offset.val() == self.control_at.val() {
                self.value.next = self.control.val();
            }
            if self.read_offset.val() == self.status_at.val() {
                self.value.next =
                    self.control.val() | self.status_error.val() | self.status_dma.val();
            }
            if self.read_offset.val() == self.cycles_lo_at.val() {
                self.value.next = self.cycles.q.val().get_bits::<32>(0);
                if self.take_read.val() {
                    self.cycles_high.d.next = self.cycles.q.val().get_bits::<32>(32);
                }
            }
            if self.read_offset.val() == self.cycles_hi_at.val() {
                self.value.next = self.cycles_high.q.val();
            }
            if self.read_offset.val() == self.scratch_at.val() {
                self.value.next = self.scratch.q.val();
            }
            if self.read_offset.val() == self.dropped_at.val() {
                self.value.next = self.drops.q.val();
            }
        }
        for p in 0..PAIRS {
            if self.read_page.val() == self.queue_page[p].val() {
                self.value.next = self.queue[p].value.val();
            }
        }
        for i in 0..LANES {
            if self.read_page.val() == self.lane_page[i].val() {
                self.value.next = self.lane[i].value.val();
            }
        }
        if self.take_read.val() {
            self.read_done.d.next = true;
            self.read_data.d.next = self.value.val();
        }

        if self.reset.val() {
            self.write_addr_held.d.next = false;
            self.write_data_held.d.next = false;
            self.write_done.d.next = false;
            self.read_done.d.next = false;
            self.control_enable.d.next = false;
            self.control_reset.d.next = false;
            self.scratch.d.next = 0.into();
            self.drops.d.next = 0.into();
            self.cycles.d.next = 0.into();
            self.cycles_high.d.next = 0.into();
        }
    }
}
