//! A queue pair's register block.

use gatewei_abi::layout::ALIGN;
use gatewei_abi::regs::{IRQ_ENABLE, queue};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::constant;

/// Bits of `IRQ` that exist: enable and vector.
const IRQ_MASK: u64 = IRQ_ENABLE as u64 | 0xffff;
/// Bits of `COALESCE` that exist: cycles and completions.
const COALESCE_MASK: u64 = 0xff_ffff;

/// The registers of `gatewei_abi::regs::queue`. `CONTROL`'s reset (`clear`) zeroes the doorbells, as it
/// zeroes the indices in the queue engine; the ring's place, size and vector stay.
#[derive(LogicBlock)]
pub struct QueueRegisters {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Power-on reset.
    pub reset: Signal<In, Bit>,
    /// The queue engine is in reset.
    pub clear: Signal<In, Bit>,
    /// Byte offset to read.
    pub offset: Signal<In, Bits<6>>,
    /// Its value in the same cycle; 0 where there is no register.
    pub value: Signal<Out, Bits<32>>,
    /// Write pulse.
    pub write: Signal<In, Bit>,
    /// Byte offset to write.
    pub write_offset: Signal<In, Bits<6>>,
    /// Data to write.
    pub write_data: Signal<In, Bits<32>>,
    /// Its bits that count.
    pub write_mask: Signal<In, Bits<32>>,

    /// Submission ring.
    pub sq_base: Signal<Out, Bits<64>>,
    /// Completion ring.
    pub cq_base: Signal<Out, Bits<64>>,
    /// log2 of the rings' entries.
    pub size: Signal<Out, Bits<4>>,
    /// Submissions made.
    pub sq_tail: Signal<Out, Bits<16>>,
    /// Completions consumed.
    pub cq_head: Signal<Out, Bits<16>>,
    /// MSI-X vector.
    pub irq_vector: Signal<Out, Bits<16>>,
    /// Interrupts are wanted.
    pub irq_enable: Signal<Out, Bit>,
    /// Completions that share an interrupt.
    pub irq_count: Signal<Out, Bits<8>>,
    /// Cycles that a completion awaits others.
    pub irq_time: Signal<Out, Bits<16>>,
    /// Submissions fetched.
    pub sq_head: Signal<In, Bits<16>>,
    /// Completions written.
    pub cq_tail: Signal<In, Bits<16>>,
    /// Bit 0 a read of the ring failed, bit 1 a write failed.
    pub error: Signal<In, Bits<2>>,

    sq_low: DFF<Bits<32>>,
    sq_high: DFF<Bits<32>>,
    cq_low: DFF<Bits<32>>,
    cq_high: DFF<Bits<32>>,
    log_size: DFF<Bits<4>>,
    tail: DFF<Bits<16>>,
    head: DFF<Bits<16>>,
    irq: DFF<Bits<32>>,
    coalesce: DFF<Bits<32>>,
    keep: Signal<Local, Bits<32>>,
    set: Signal<Local, Bits<32>>,
    wide_size: Signal<Local, Bits<32>>,
    wide_tail: Signal<Local, Bits<32>>,
    wide_head: Signal<Local, Bits<32>>,
    new_size: Signal<Local, Bits<32>>,
    new_tail: Signal<Local, Bits<32>>,
    new_head: Signal<Local, Bits<32>>,

    base_mask: Constant<Bits<32>>,
    irq_mask: Constant<Bits<32>>,
    coalesce_mask: Constant<Bits<32>>,
    sq_base_lo_at: Constant<Bits<6>>,
    sq_base_hi_at: Constant<Bits<6>>,
    cq_base_lo_at: Constant<Bits<6>>,
    cq_base_hi_at: Constant<Bits<6>>,
    size_at: Constant<Bits<6>>,
    sq_tail_at: Constant<Bits<6>>,
    cq_head_at: Constant<Bits<6>>,
    sq_head_at: Constant<Bits<6>>,
    cq_tail_at: Constant<Bits<6>>,
    irq_at: Constant<Bits<6>>,
    coalesce_at: Constant<Bits<6>>,
    error_at: Constant<Bits<6>>,
}

impl Default for QueueRegisters {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            clear: Default::default(),
            offset: Default::default(),
            value: Default::default(),
            write: Default::default(),
            write_offset: Default::default(),
            write_data: Default::default(),
            write_mask: Default::default(),
            sq_base: Default::default(),
            cq_base: Default::default(),
            size: Default::default(),
            sq_tail: Default::default(),
            cq_head: Default::default(),
            irq_vector: Default::default(),
            irq_enable: Default::default(),
            irq_count: Default::default(),
            irq_time: Default::default(),
            sq_head: Default::default(),
            cq_tail: Default::default(),
            error: Default::default(),
            sq_low: Default::default(),
            sq_high: Default::default(),
            cq_low: Default::default(),
            cq_high: Default::default(),
            log_size: Default::default(),
            tail: Default::default(),
            head: Default::default(),
            irq: Default::default(),
            coalesce: Default::default(),
            keep: Default::default(),
            set: Default::default(),
            wide_size: Default::default(),
            wide_tail: Default::default(),
            wide_head: Default::default(),
            new_size: Default::default(),
            new_tail: Default::default(),
            new_head: Default::default(),
            base_mask: constant(!(ALIGN as u64 - 1) & 0xffff_ffff),
            irq_mask: constant(IRQ_MASK),
            coalesce_mask: constant(COALESCE_MASK),
            sq_base_lo_at: constant(queue::SQ_BASE_LO.into()),
            sq_base_hi_at: constant(queue::SQ_BASE_HI.into()),
            cq_base_lo_at: constant(queue::CQ_BASE_LO.into()),
            cq_base_hi_at: constant(queue::CQ_BASE_HI.into()),
            size_at: constant(queue::SIZE.into()),
            sq_tail_at: constant(queue::SQ_TAIL.into()),
            cq_head_at: constant(queue::CQ_HEAD.into()),
            sq_head_at: constant(queue::SQ_HEAD.into()),
            cq_tail_at: constant(queue::CQ_TAIL.into()),
            irq_at: constant(queue::IRQ.into()),
            coalesce_at: constant(queue::COALESCE.into()),
            error_at: constant(queue::ERROR.into()),
        }
    }
}

impl Logic for QueueRegisters {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, sq_low, sq_high, cq_low, cq_high, log_size, tail, head, irq, coalesce
        );
        self.sq_base.next = (bit_cast::<64, 32>(self.sq_high.q.val()) << 32)
            | bit_cast::<64, 32>(self.sq_low.q.val());
        self.cq_base.next = (bit_cast::<64, 32>(self.cq_high.q.val()) << 32)
            | bit_cast::<64, 32>(self.cq_low.q.val());
        self.size.next = self.log_size.q.val();
        self.sq_tail.next = self.tail.q.val();
        self.cq_head.next = self.head.q.val();
        self.irq_vector.next = self.irq.q.val().get_bits::<16>(0);
        self.irq_enable.next = self.irq.q.val().get_bit(31);
        self.irq_time.next = self.coalesce.q.val().get_bits::<16>(0);
        self.irq_count.next = self.coalesce.q.val().get_bits::<8>(16);

        // Writes merge by byte strobe.
        self.keep.next = !self.write_mask.val();
        self.set.next = self.write_data.val() & self.write_mask.val();
        self.wide_size.next = bit_cast::<32, 4>(self.log_size.q.val());
        self.wide_tail.next = bit_cast::<32, 16>(self.tail.q.val());
        self.wide_head.next = bit_cast::<32, 16>(self.head.q.val());
        self.new_size.next = (self.wide_size.val() & self.keep.val()) | self.set.val();
        self.new_tail.next = (self.wide_tail.val() & self.keep.val()) | self.set.val();
        self.new_head.next = (self.wide_head.val() & self.keep.val()) | self.set.val();
        if self.write.val() {
            if self.write_offset.val() == self.sq_base_lo_at.val() {
                self.sq_low.d.next = ((self.sq_low.q.val() & self.keep.val()) | self.set.val())
                    & self.base_mask.val();
            }
            if self.write_offset.val() == self.sq_base_hi_at.val() {
                self.sq_high.d.next = (self.sq_high.q.val() & self.keep.val()) | self.set.val();
            }
            if self.write_offset.val() == self.cq_base_lo_at.val() {
                self.cq_low.d.next = ((self.cq_low.q.val() & self.keep.val()) | self.set.val())
                    & self.base_mask.val();
            }
            if self.write_offset.val() == self.cq_base_hi_at.val() {
                self.cq_high.d.next = (self.cq_high.q.val() & self.keep.val()) | self.set.val();
            }
            if self.write_offset.val() == self.size_at.val() {
                self.log_size.d.next = self.new_size.val().get_bits::<4>(0);
            }
            if self.write_offset.val() == self.sq_tail_at.val() {
                self.tail.d.next = self.new_tail.val().get_bits::<16>(0);
            }
            if self.write_offset.val() == self.cq_head_at.val() {
                self.head.d.next = self.new_head.val().get_bits::<16>(0);
            }
            if self.write_offset.val() == self.irq_at.val() {
                self.irq.d.next =
                    ((self.irq.q.val() & self.keep.val()) | self.set.val()) & self.irq_mask.val();
            }
            if self.write_offset.val() == self.coalesce_at.val() {
                self.coalesce.d.next = ((self.coalesce.q.val() & self.keep.val()) | self.set.val())
                    & self.coalesce_mask.val();
            }
        }

        self.value.next = 0.into();
        if self.offset.val() == self.sq_base_lo_at.val() {
            self.value.next = self.sq_low.q.val();
        }
        if self.offset.val() == self.sq_base_hi_at.val() {
            self.value.next = self.sq_high.q.val();
        }
        if self.offset.val() == self.cq_base_lo_at.val() {
            self.value.next = self.cq_low.q.val();
        }
        if self.offset.val() == self.cq_base_hi_at.val() {
            self.value.next = self.cq_high.q.val();
        }
        if self.offset.val() == self.size_at.val() {
            self.value.next = self.wide_size.val();
        }
        if self.offset.val() == self.sq_tail_at.val() {
            self.value.next = self.wide_tail.val();
        }
        if self.offset.val() == self.cq_head_at.val() {
            self.value.next = self.wide_head.val();
        }
        if self.offset.val() == self.sq_head_at.val() {
            self.value.next = bit_cast::<32, 16>(self.sq_head.val());
        }
        if self.offset.val() == self.cq_tail_at.val() {
            self.value.next = bit_cast::<32, 16>(self.cq_tail.val());
        }
        if self.offset.val() == self.irq_at.val() {
            self.value.next = self.irq.q.val();
        }
        if self.offset.val() == self.coalesce_at.val() {
            self.value.next = self.coalesce.q.val();
        }
        if self.offset.val() == self.error_at.val() {
            self.value.next = bit_cast::<32, 2>(self.error.val());
        }

        if self.clear.val() {
            self.tail.d.next = 0.into();
            self.head.d.next = 0.into();
        }
        if self.reset.val() {
            self.sq_low.d.next = 0.into();
            self.sq_high.d.next = 0.into();
            self.cq_low.d.next = 0.into();
            self.cq_high.d.next = 0.into();
            self.log_size.d.next = 0.into();
            self.tail.d.next = 0.into();
            self.head.d.next = 0.into();
            self.irq.d.next = 0.into();
            self.coalesce.d.next = 0.into();
        }
    }
}
