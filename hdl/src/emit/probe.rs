//! Blocks that try the printer: patterns that rust-hdl's own printer gets wrong, and those that invite
//! lint warnings. They are in the catalog, so that the real Verilog of each is linted and simulated against Rust.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

/// Intermediate results whose width Verilog would choose differently. Two 8-bit inputs, so that all cases
/// can be tried.
#[derive(LogicBlock)]
#[allow(missing_docs)] // each output is named after the expression in `update`
pub struct Widths {
    pub a: Signal<In, Bits<8>>,
    pub b: Signal<In, Bits<8>>,
    pub wide_not: Signal<Out, Bits<16>>,
    pub wide_sum: Signal<Out, Bits<16>>,
    pub wraps: Signal<Out, Bit>,
    pub precedence: Signal<Out, Bit>,
    pub half_sum: Signal<Out, Bits<8>>,
    pub wrapped_less: Signal<Out, Bit>,
    pub narrow_sum: Signal<Out, Bits<4>>,
    pub middle_of_sum: Signal<Out, Bits<4>>,
    pub shift_by_sum: Signal<Out, Bits<8>>,
    pub computed_bit: Signal<Out, Bit>,
    pub computed_slice: Signal<Out, Bits<4>>,
    pub all_of_sum: Signal<Out, Bit>,
    pub signed_less: Signal<Out, Bit>,
    pub replaced: Signal<Out, Bits<8>>,
    pub plus_flag: Signal<Out, Bits<8>>,
    pub product: Signal<Out, Bits<32>>,
    pub counted: Signal<Out, Bits<8>>,
    pub past_top: Signal<Out, Bits<8>>,
    wide_a: Signal<Local, Bits<16>>,
    wide_b: Signal<Local, Bits<16>>,
    three: Constant<Bits<8>>,
}

impl Default for Widths {
    fn default() -> Self {
        Self {
            a: Signal::default(),
            b: Signal::default(),
            wide_not: Signal::default(),
            wide_sum: Signal::default(),
            wraps: Signal::default(),
            precedence: Signal::default(),
            half_sum: Signal::default(),
            wrapped_less: Signal::default(),
            narrow_sum: Signal::default(),
            middle_of_sum: Signal::default(),
            shift_by_sum: Signal::default(),
            computed_bit: Signal::default(),
            computed_slice: Signal::default(),
            all_of_sum: Signal::default(),
            signed_less: Signal::default(),
            replaced: Signal::default(),
            plus_flag: Signal::default(),
            product: Signal::default(),
            counted: Signal::default(),
            past_top: Signal::default(),
            wide_a: Signal::default(),
            wide_b: Signal::default(),
            three: Constant::new(3u64.into()),
        }
    }
}

impl Logic for Widths {
    #[hdl_gen]
    fn update(&mut self) {
        self.wide_not.next = bit_cast::<16, 8>(!self.a.val());
        self.wide_sum.next = bit_cast::<16, 8>(self.a.val() + self.b.val());
        self.wraps.next = (self.a.val() + 1) == 0;
        self.precedence.next = self.a.val() & self.b.val() == self.b.val();
        self.half_sum.next = (self.a.val() + self.b.val()) >> 1;
        self.wrapped_less.next = (self.a.val() - self.three.val()) < self.b.val();
        self.narrow_sum.next = bit_cast::<4, 8>(self.a.val() + self.b.val());
        self.middle_of_sum.next = (self.a.val() + self.b.val()).get_bits::<4>(2);
        self.shift_by_sum.next = self.a.val() << (self.b.val().get_bits::<2>(0) + 3);
        self.computed_bit.next = self.a.val().get_bit(self.b.val().get_bits::<3>(0).index());
        self.computed_slice.next = self
            .a
            .val()
            .get_bits::<4>(self.b.val().get_bits::<3>(0).index());
        self.all_of_sum.next = (self.a.val() + self.b.val()).all();
        self.signed_less.next = signed_cast(self.a.val()) < signed_cast(self.b.val());
        self.replaced.next = self.a.val().replace_bit(
            self.b.val().get_bits::<3>(0).index(),
            self.b.val().get_bit(7),
        );
        self.plus_flag.next = self.a.val() + self.b.val().get_bit(0);
        self.wide_a.next = bit_cast::<16, 8>(self.a.val());
        self.wide_b.next = bit_cast::<16, 8>(self.b.val());
        self.product.next = self.wide_a.val() * self.wide_b.val();
        // A chain of unfinished reads: the number of ones in a.
        self.counted.next = 0.into();
        for i in 0..8 {
            if self.a.val().get_bit(i) {
                self.counted.next = self.counted.val() + 1;
            }
        }
        self.past_top.next = self.a.val().get_bits::<8>(5);
    }
}

/// States of [`Handshake`]; three, so that one code has no variant.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
enum Phase {
    Idle,
    Hold,
    Drain,
}

/// A request as a struct signal.
#[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
struct Request {
    tag: Bits<4>,
    last: Bit,
    data: Bits<11>,
}

/// A one-place buffer with valid and ready, whose answer depends on its input in the same cycle.
#[derive(LogicBlock, Default)]
struct Slot {
    clock: Signal<In, Clock>,
    reset: Signal<In, Bit>,
    in_valid: Signal<In, Bit>,
    in_ready: Signal<Out, Bit>,
    in_data: Signal<In, Request>,
    out_valid: Signal<Out, Bit>,
    out_ready: Signal<In, Bit>,
    out_data: Signal<Out, Request>,
    phase: DFF<Phase>,
    held: DFF<Request>,
}

impl Logic for Slot {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, phase, held);
        self.in_ready.next = false;
        self.out_valid.next = false;
        self.out_data.next = self.held.q.val();
        match self.phase.q.val() {
            Phase::Idle => {
                self.in_ready.next = true;
                if self.in_valid.val() {
                    self.held.d.next = self.in_data.val();
                    self.phase.d.next = Phase::Hold;
                }
            }
            Phase::Hold => {
                self.out_valid.next = true;
                // Refilled in the cycle in which it empties.
                self.in_ready.next = self.out_ready.val();
                if self.out_ready.val() {
                    self.phase.d.next = Phase::Idle;
                    if self.in_valid.val() {
                        self.held.d.next = self.in_data.val();
                        self.phase.d.next = Phase::Hold;
                    }
                    if self.held.q.val().last {
                        self.phase.d.next = Phase::Drain;
                        self.in_ready.next = false;
                    }
                }
            }
            Phase::Drain => {
                self.phase.d.next = Phase::Idle;
            }
        }
        if self.reset.val() {
            self.phase.d.next = Phase::Idle;
        }
    }
}

/// Two `Slot`s in a row: `ready` runs backwards through both in one cycle while `valid` runs forwards,
/// a false loop for any printer that puts a whole `update` into one process.
#[derive(LogicBlock, Default)]
#[allow(missing_docs)]
pub struct Handshake {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub in_valid: Signal<In, Bit>,
    pub in_ready: Signal<Out, Bit>,
    pub in_data: Signal<In, Bits<16>>,
    pub out_valid: Signal<Out, Bit>,
    pub out_ready: Signal<In, Bit>,
    pub out_data: Signal<Out, Bits<16>>,
    slot: [Slot; 2],
    taken: DFF<Bits<8>>,
    taken_now: Signal<Local, Bit>,
    pub taken_count: Signal<Out, Bits<8>>,
}

impl Logic for Handshake {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, taken);
        for i in 0..2 {
            self.slot[i].clock.next = self.clock.val();
            self.slot[i].reset.next = self.reset.val();
        }
        self.slot[0].in_valid.next = self.in_valid.val();
        self.slot[0].in_data.next.tag = self.in_data.val().get_bits::<4>(0);
        self.slot[0].in_data.next.last = self.in_data.val().get_bit(4);
        self.slot[0].in_data.next.data = self.in_data.val().get_bits::<11>(5);
        self.in_ready.next = self.slot[0].in_ready.val();
        for i in 1..2 {
            self.slot[i].in_valid.next = self.slot[i - 1].out_valid.val();
            self.slot[i].in_data.next = self.slot[i - 1].out_data.val();
            self.slot[i - 1].out_ready.next = self.slot[i].in_ready.val();
        }
        self.slot[1].out_ready.next = self.out_ready.val();
        self.out_valid.next = self.slot[1].out_valid.val();
        self.out_data.next = bit_cast::<16, 11>(self.slot[1].out_data.val().data) << 5
            | bit_cast::<16, 4>(self.slot[1].out_data.val().tag);
        self.taken_now.next = self.out_ready.val() & self.slot[1].out_valid.val();
        if self.taken_now.val() {
            self.taken.d.next = self.taken.q.val() + 1;
        }
        if self.reset.val() {
            self.taken.d.next = 0.into();
        }
        self.taken_count.next = self.taken.q.val();
    }
}
