//! Writes completions into their ring.

use core::mem::offset_of;

use gatewei_abi::command::{Completion, kind};
use gatewei_abi::status::Trap;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::{RoundRobin, array, constant, indices};

// The second beat below is composed after the layout.
const _: () = assert!(
    offset_of!(Completion, key) == 0
        && offset_of!(Completion, command) == 32
        && offset_of!(Completion, kind) == 36
        && offset_of!(Completion, code) == 37
        && offset_of!(Completion, lane) == 38
        && offset_of!(Completion, tag) == 40
        && offset_of!(Completion, sq_head) == 44
        && offset_of!(Completion, account) == 48
        && offset_of!(Completion, phase) == 60
);

/// Takes completions from the lanes in turn, from the lanes' queues (cancelled commands), and from the
/// dispatcher (commands that found no room), and writes them with their phase bit. Several writes may be
/// outstanding; the ring is never overrun. After the response of a write, `tail` counts it. Where interrupts
/// are enabled, the MSI-X vector is raised for `irq_count` written completions, or `irq_time` cycles after the
/// first of fewer. A failed write stops the writer until reset.
#[derive(LogicBlock)]
pub struct Completions<const LANES: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the queue engine.
    pub reset: Signal<In, Bit>,
    /// Take completions.
    pub enable: Signal<In, Bit>,
    /// Ring, bus address, 64-byte aligned.
    pub base: Signal<In, Bits<64>>,
    /// log2 of its entries.
    pub size: Signal<In, Bits<4>>,
    /// Entries less one.
    pub mask: Signal<In, Bits<16>>,
    /// Completions consumed, modulo 2^16.
    pub head: Signal<In, Bits<16>>,
    /// Completions written, modulo 2^16.
    pub tail: Signal<Out, Bits<16>>,
    /// Submissions fetched, as the completion tells.
    pub sq_head: Signal<In, Bits<16>>,
    /// A write of the ring failed (until reset).
    pub failed: Signal<Out, Bit>,

    /// A lane's completion, held until ready.
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
    /// Pulse: a message of this lane ended (done or trapped).
    pub message: [Signal<Out, Bit>; LANES],

    /// The lane's queue has a cancelled command in front.
    pub cancelled_valid: [Signal<In, Bit>; LANES],
    /// It is taken.
    pub cancelled_ready: [Signal<Out, Bit>; LANES],
    /// Its command id.
    pub cancelled_id: [Signal<In, Bits<32>>; LANES],

    /// A command found its lane's queue full.
    pub trap_valid: Signal<In, Bit>,
    /// It is taken.
    pub trap_ready: Signal<Out, Bit>,
    /// Its command id.
    pub trap_id: Signal<In, Bits<32>>,
    /// Its lane.
    pub trap_lane: Signal<In, Bits<16>>,

    /// Two beats to write.
    pub wr_valid: Signal<Out, Bit>,
    /// They are taken.
    pub wr_ready: Signal<In, Bit>,
    /// Bus address.
    pub wr_addr: Signal<Out, Bits<64>>,
    /// First beat.
    pub wr_low: Signal<Out, Bits<256>>,
    /// Second beat.
    pub wr_high: Signal<Out, Bits<256>>,
    /// Pulse: the oldest write has its response.
    pub wr_done: Signal<In, Bit>,
    /// With `wr_done`: it failed.
    pub wr_failed: Signal<In, Bit>,

    /// Interrupts are wanted.
    pub irq_enable: Signal<In, Bit>,
    /// Completions that share an interrupt; 0 and 1: none do.
    pub irq_count: Signal<In, Bits<8>>,
    /// Cycles that a completion awaits others to share its interrupt.
    pub irq_time: Signal<In, Bits<16>>,
    /// Pulse: raise the MSI-X vector.
    pub irq: Signal<Out, Bit>,

    arbiter: RoundRobin<LANES>,
    full: DFF<Bit>,
    low: DFF<Bits<256>>,
    high: DFF<Bits<256>>,
    issued: DFF<Bits<16>>,
    written: DFF<Bits<16>>,
    error: DFF<Bit>,
    trap_last: DFF<Bit>,
    untold: DFF<Bits<8>>,
    waited: DFF<Bits<16>>,

    used: Signal<Local, Bits<16>>,
    room: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    trap_chosen: Signal<Local, Bit>,
    lane_chosen: Signal<Local, Bit>,
    mine: [Signal<Local, Bit>; LANES],
    key: Signal<Local, Bits<256>>,
    account: Signal<Local, Bits<16>>,
    id: Signal<Local, Bits<32>>,
    kind: Signal<Local, Bits<8>>,
    code: Signal<Local, Bits<8>>,
    lane: Signal<Local, Bits<16>>,
    tag: Signal<Local, Bits<32>>,
    round: Signal<Local, Bits<16>>,
    phase: Signal<Local, Bits<256>>,
    entry: Signal<Local, Bits<16>>,
    told: Signal<Local, Bit>,
    news: Signal<Local, Bits<8>>,

    number: [Constant<Bits<4>>; LANES],
    lane_number: [Constant<Bits<16>>; LANES],
    one: Constant<Bits<16>>,
    one_untold: Constant<Bits<8>>,
    phase_bit: Constant<Bits<256>>,
    request: Constant<Bits<8>>,
    trap: Constant<Bits<8>>,
    trap_queue: Constant<Bits<8>>,
    trap_cancelled: Constant<Bits<8>>,
}

impl<const LANES: usize> Default for Completions<LANES> {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            enable: Default::default(),
            base: Default::default(),
            size: Default::default(),
            mask: Default::default(),
            head: Default::default(),
            tail: Default::default(),
            sq_head: Default::default(),
            failed: Default::default(),
            cpl_valid: array(),
            cpl_ready: array(),
            cpl_kind: array(),
            cpl_code: array(),
            cpl_tag: array(),
            cpl_key: array(),
            cpl_account: array(),
            cpl_id: array(),
            message: array(),
            cancelled_valid: array(),
            cancelled_ready: array(),
            cancelled_id: array(),
            trap_valid: Default::default(),
            trap_ready: Default::default(),
            trap_id: Default::default(),
            trap_lane: Default::default(),
            wr_valid: Default::default(),
            wr_ready: Default::default(),
            wr_addr: Default::default(),
            wr_low: Default::default(),
            wr_high: Default::default(),
            wr_done: Default::default(),
            wr_failed: Default::default(),
            irq_enable: Default::default(),
            irq_count: Default::default(),
            irq_time: Default::default(),
            irq: Default::default(),
            arbiter: Default::default(),
            full: Default::default(),
            low: Default::default(),
            high: Default::default(),
            issued: Default::default(),
            written: Default::default(),
            error: Default::default(),
            trap_last: Default::default(),
            untold: Default::default(),
            waited: Default::default(),
            used: Default::default(),
            room: Default::default(),
            accept: Default::default(),
            trap_chosen: Default::default(),
            lane_chosen: Default::default(),
            mine: array(),
            key: Default::default(),
            account: Default::default(),
            id: Default::default(),
            kind: Default::default(),
            code: Default::default(),
            lane: Default::default(),
            tag: Default::default(),
            round: Default::default(),
            phase: Default::default(),
            entry: Default::default(),
            told: Default::default(),
            news: Default::default(),
            number: indices(),
            lane_number: indices(),
            one: constant(1),
            one_untold: constant(1),
            phase_bit: Constant::new(Bits::<256>::from(1) << 224),
            request: constant(kind::REQUEST.into()),
            trap: constant(kind::TRAP.into()),
            trap_queue: constant(Trap::Queue as u64),
            trap_cancelled: constant(Trap::Cancelled as u64),
        }
    }
}

impl<const LANES: usize> Logic for Completions<LANES> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, full, low, high, issued, written, error, trap_last, untold, waited
        );

        // Room in the ring is counted for what was issued, not only for what is written.
        self.used.next = self.issued.q.val() - self.head.val();
        self.room.next = self.used.val() <= self.mask.val();
        self.accept.next =
            self.enable.val() & self.room.val() & !self.full.q.val() & !self.error.q.val();

        // Choice. The dispatcher and the lanes as a whole take turns.
        self.arbiter.clock.next = self.clock.val();
        self.arbiter.reset.next = self.reset.val();
        for i in 0..LANES {
            self.arbiter.request[i].next = self.cpl_valid[i].val() | self.cancelled_valid[i].val();
        }
        self.trap_chosen.next = self.accept.val()
            & self.trap_valid.val()
            & !(self.trap_last.q.val() & self.arbiter.any.val());
        self.lane_chosen.next =
            self.accept.val() & self.arbiter.any.val() & !self.trap_chosen.val();
        self.arbiter.advance.next = self.lane_chosen.val();
        self.trap_ready.next = self.trap_chosen.val();

        // What is taken. A lane's own completion goes before a cancelled command's.
        self.key.next = 0.into();
        self.account.next = 0.into();
        self.tag.next = 0.into();
        self.kind.next = self.trap.val();
        self.code.next = self.trap_queue.val();
        self.id.next = self.trap_id.val();
        self.lane.next = self.trap_lane.val();
        for i in 0..LANES {
            self.mine[i].next =
                self.lane_chosen.val() & (self.arbiter.index.val() == self.number[i].val());
            self.cpl_ready[i].next = false;
            self.cancelled_ready[i].next = false;
            self.message[i].next = false;
            if self.mine[i].val() {
                self.lane.next = self.lane_number[i].val();
                if self.cpl_valid[i].val() {
                    self.cpl_ready[i].next = true;
                    self.message[i].next = self.cpl_kind[i].val() != self.request.val();
                    self.kind.next = self.cpl_kind[i].val();
                    self.code.next = self.cpl_code[i].val();
                    self.tag.next = self.cpl_tag[i].val();
                    self.key.next = self.cpl_key[i].val();
                    self.account.next = self.cpl_account[i].val();
                    self.id.next = self.cpl_id[i].val();
                } else {
                    self.cancelled_ready[i].next = true;
                    self.code.next = self.trap_cancelled.val();
                    self.id.next = self.cancelled_id[i].val();
                }
            }
        }

        // Composition.
        self.round.next = self.issued.q.val() >> self.size.val();
        self.phase.next = self.phase_bit.val();
        if self.round.val().get_bit(0) {
            self.phase.next = 0.into();
        }
        if self.trap_chosen.val() | self.lane_chosen.val() {
            self.full.d.next = true;
            self.trap_last.d.next = self.trap_chosen.val();
            self.low.d.next = self.key.val();
            self.high.d.next = bit_cast::<256, 32>(self.id.val())
                | (bit_cast::<256, 8>(self.kind.val()) << 32)
                | (bit_cast::<256, 8>(self.code.val()) << 40)
                | (bit_cast::<256, 16>(self.lane.val()) << 48)
                | (bit_cast::<256, 32>(self.tag.val()) << 64)
                | (bit_cast::<256, 16>(self.sq_head.val()) << 96)
                | (bit_cast::<256, 16>(self.account.val()) << 128)
                | self.phase.val();
        }

        // Write.
        self.entry.next = self.issued.q.val() & self.mask.val();
        self.wr_valid.next = self.full.q.val();
        self.wr_addr.next = self.base.val() + (bit_cast::<64, 16>(self.entry.val()) << 6);
        self.wr_low.next = self.low.q.val();
        self.wr_high.next = self.high.q.val();
        if self.full.q.val() & self.wr_ready.val() {
            self.full.d.next = false;
            self.issued.d.next = self.issued.q.val() + self.one.val();
        }

        // Responses.
        self.told.next = false;
        if self.wr_done.val() & !self.error.q.val() {
            if self.wr_failed.val() {
                self.error.d.next = true;
            } else {
                self.written.d.next = self.written.q.val() + self.one.val();
                self.told.next = self.irq_enable.val();
            }
        }

        // Interrupts. `untold` completions wait for theirs since `waited` cycles.
        self.news.next = self.untold.q.val();
        if self.told.val() {
            self.news.next = self.untold.q.val() + self.one_untold.val();
        }
        self.untold.d.next = self.news.val();
        self.waited.d.next = 0.into();
        if self.untold.q.val().any() {
            self.waited.d.next = self.waited.q.val() + self.one.val();
        }
        self.irq.next = self.news.val().any()
            & ((self.news.val() >= self.irq_count.val())
                | (self.waited.q.val() >= self.irq_time.val()));
        if self.irq.val() | !self.irq_enable.val() {
            self.untold.d.next = 0.into();
            self.waited.d.next = 0.into();
        }
        self.tail.next = self.written.q.val();
        self.failed.next = self.error.q.val();

        if self.reset.val() {
            self.full.d.next = false;
            self.issued.d.next = 0.into();
            self.written.d.next = 0.into();
            self.error.d.next = false;
            self.trap_last.d.next = false;
            self.untold.d.next = 0.into();
            self.waited.d.next = 0.into();
        }
    }
}
