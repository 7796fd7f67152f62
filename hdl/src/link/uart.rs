//! An asynchronous serial line: 8 data bits, no parity, 1 stop bit.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

/// Least clock cycles a bit: two for the synchroniser's uncertainty, and as many again.
pub const LEAST_DIVIDER: u16 = 4;

/// Bits on the line for a byte: start, data, stop.
const FRAME_BITS: u64 = 10;

/// Takes bytes off a line.
#[derive(LogicBlock)]
pub struct UartReceive {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Forgets a byte that is on its way.
    pub reset: Signal<In, Bit>,
    /// The line, asynchronous; high when idle.
    pub line: Signal<In, Bit>,
    /// Pulse: a byte with its stop bit has come.
    pub valid: Signal<Out, Bit>,
    /// The byte.
    pub octet: Signal<Out, Bits<8>>,

    early: DFF<Bit>,
    level: DFF<Bit>,
    busy: DFF<Bit>,
    count: DFF<Bits<16>>,
    index: DFF<Bits<4>>,
    shift: DFF<Bits<8>>,
    whole: DFF<Bit>,
    high: Signal<Local, Bits<8>>,

    bit_cycles: Constant<Bits<16>>,
    half_cycles: Constant<Bits<16>>,
    one: Constant<Bits<16>>,
    step: Constant<Bits<4>>,
    stop: Constant<Bits<4>>,
}

impl UartReceive {
    /// A receiver for `divider` clock cycles a bit, at least 4.
    pub fn new(divider: u16) -> Self {
        assert!(divider >= LEAST_DIVIDER, "a bit takes 4 cycles or more");
        block! {
            bit_cycles: Constant::new(u64::from(divider - 1).into()),
            // The start bit is seen late by a cycle or two: its middle is that much nearer.
            half_cycles: Constant::new(u64::from(divider / 2 - 1).into()),
            one: Constant::new(1u64.into()),
            step: Constant::new(1u64.into()),
            stop: Constant::new((FRAME_BITS - 1).into()),
            ; clock reset line valid octet early level busy count index shift whole high
        }
    }
}

impl Logic for UartReceive {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, early, level, busy, count, index, shift, whole);
        self.early.d.next = self.line.val();
        self.level.d.next = self.early.q.val();

        self.high.next = 0.into();
        if self.level.q.val() {
            self.high.next = 128.into();
        }
        self.whole.d.next = false;
        if self.busy.q.val() {
            self.count.d.next = self.count.q.val() - self.one.val();
            if !self.count.q.val().any() {
                self.count.d.next = self.bit_cycles.val();
                self.index.d.next = self.index.q.val() + self.step.val();
                if self.index.q.val() == self.stop.val() {
                    self.whole.d.next = self.level.q.val();
                    self.busy.d.next = false;
                } else if self.index.q.val().any() {
                    self.shift.d.next = (self.shift.q.val() >> 1) | self.high.val();
                } else if self.level.q.val() {
                    // No start bit but a spike.
                    self.busy.d.next = false;
                }
            }
        } else if !self.level.q.val() {
            self.busy.d.next = true;
            self.count.d.next = self.half_cycles.val();
            self.index.d.next = 0.into();
        }
        self.valid.next = self.whole.q.val();
        self.octet.next = self.shift.q.val();

        if self.reset.val() {
            self.early.d.next = true;
            self.level.d.next = true;
            self.busy.d.next = false;
            self.whole.d.next = false;
        }
    }
}

/// Puts bytes on a line.
#[derive(LogicBlock)]
pub struct UartSend {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Lets the line go idle at once.
    pub reset: Signal<In, Bit>,
    /// There is a byte.
    pub valid: Signal<In, Bit>,
    /// It is taken.
    pub ready: Signal<Out, Bit>,
    /// The byte.
    pub octet: Signal<In, Bits<8>>,
    /// The line.
    pub line: Signal<Out, Bit>,

    busy: DFF<Bit>,
    count: DFF<Bits<16>>,
    index: DFF<Bits<4>>,
    shift: DFF<Bits<10>>,
    low: DFF<Bit>,

    bit_cycles: Constant<Bits<16>>,
    one: Constant<Bits<16>>,
    step: Constant<Bits<4>>,
    last: Constant<Bits<4>>,
    stop_bit: Constant<Bits<10>>,
}

impl UartSend {
    /// A sender for `divider` clock cycles a bit.
    pub fn new(divider: u16) -> Self {
        assert!(divider >= LEAST_DIVIDER, "a bit takes 4 cycles or more");
        block! {
            bit_cycles: Constant::new(u64::from(divider - 1).into()),
            one: Constant::new(1u64.into()),
            step: Constant::new(1u64.into()),
            last: Constant::new((FRAME_BITS - 1).into()),
            stop_bit: Constant::new((1u64 << (FRAME_BITS - 1)).into()),
            ; clock reset valid ready octet line busy count index shift low
        }
    }
}

impl Logic for UartSend {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, busy, count, index, shift, low);
        self.ready.next = !self.busy.q.val();
        // A register of its own, so that the pad sees no glitch. Inverted: idle after power-on.
        self.low.d.next = self.busy.q.val() & !self.shift.q.val().get_bit(0);
        self.line.next = !self.low.q.val();
        if self.busy.q.val() {
            self.count.d.next = self.count.q.val() - self.one.val();
            if !self.count.q.val().any() {
                self.count.d.next = self.bit_cycles.val();
                self.shift.d.next = self.shift.q.val() >> 1;
                self.index.d.next = self.index.q.val() + self.step.val();
                if self.index.q.val() == self.last.val() {
                    self.busy.d.next = false;
                }
            }
        } else if self.valid.val() {
            self.busy.d.next = true;
            self.count.d.next = self.bit_cycles.val();
            self.index.d.next = 0.into();
            self.shift.d.next = (bit_cast::<10, 8>(self.octet.val()) << 1) | self.stop_bit.val();
        }
        if self.reset.val() {
            self.busy.d.next = false;
            self.low.d.next = false;
        }
    }
}
