//! Control of EXP: square and multiply from the exponent's highest bit down.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::length::ByteLength;

/// What the control does in a cycle.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum PowerState {
    /// Waits for `start`.
    Idle,
    /// Looks for the highest bit of the exponent.
    Scan,
    /// Starts a squaring.
    Square,
    /// Awaits it.
    Squaring,
    /// Starts a multiplication with the base.
    Multiply,
    /// Awaits it.
    Multiplying,
}

/// Sequence of multiplications for `base` ^ `exponent`; the accumulator and the multiplier are outside.
///
/// `shortcut` answers in the cycle of `start`: an exponent of 0, a base of 0, and bases 2^k up to 256, which is what
/// compilers emit. Otherwise the accumulator begins as the base; up to 8 cycles find the highest bit of the exponent,
/// and each bit below it takes one multiplication or two, of at most 12 cycles. An accumulator of 0 ends it early.
#[derive(LogicBlock)]
pub struct Power {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Abandons the sequence.
    pub reset: Signal<In, Bit>,
    /// Begins.
    pub start: Signal<In, Bit>,
    /// Base; stays until `done`.
    pub base: Signal<In, Bits<256>>,
    /// Exponent, with `start`.
    pub exponent: Signal<In, Bits<256>>,
    /// The same, from the cycle behind `start` to `done`.
    pub kept: Signal<In, Bits<256>>,
    /// The accumulator.
    pub value: Signal<In, Bits<256>>,
    /// The multiplier is done.
    pub multiplied: Signal<In, Bit>,
    /// With `start`: the result is `direct`, and there is no sequence.
    pub shortcut: Signal<Out, Bit>,
    /// The result of a shortcut.
    pub direct: Signal<Out, Bits<256>>,
    /// Start the multiplier on the accumulator.
    pub multiply: Signal<Out, Bit>,
    /// Its second factor is the accumulator too; else it is the base.
    pub square: Signal<Out, Bit>,
    /// The accumulator takes the product.
    pub load: Signal<Out, Bit>,
    /// The accumulator holds the result from the next cycle on.
    pub done: Signal<Out, Bit>,

    state: DFF<PowerState>,
    index: DFF<Bits<8>>,
    bit: Signal<Local, Bit>,
    next_bit: Signal<Local, Bit>,
    length: ByteLength,
    first: Signal<Local, Bits<9>>,

    // Base 2^log: the result has the single bit log · exponent.
    simple: Signal<Local, Bit>,
    log: Signal<Local, Bits<4>>,
    factor: Signal<Local, Bits<12>>,
    position: Signal<Local, Bits<12>>,
    within: Signal<Local, Bit>,
    one: Constant<Bits<256>>,
}

impl Default for Power {
    fn default() -> Self {
        block! {
            one: Constant::new(1.into()),
            ; clock reset start base exponent kept value multiplied shortcut direct multiply square load done state index bit
            next_bit length first simple log factor position within
        }
    }
}

impl Logic for Power {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, index);

        self.simple.next = !self.base.val().get_bits::<247>(9).any();
        self.log.next = 0.into();
        match self.base.val().get_bits::<9>(0).index() {
            0x001 => self.log.next = 0.into(),
            0x002 => self.log.next = 1.into(),
            0x004 => self.log.next = 2.into(),
            0x008 => self.log.next = 3.into(),
            0x010 => self.log.next = 4.into(),
            0x020 => self.log.next = 5.into(),
            0x040 => self.log.next = 6.into(),
            0x080 => self.log.next = 7.into(),
            0x100 => self.log.next = 8.into(),
            _ => self.simple.next = false,
        }
        self.factor.next = bit_cast::<12, 8>(self.exponent.val().get_bits::<8>(0));
        self.position.next = 0.into();
        if self.log.val().get_bit(0) {
            self.position.next = self.position.val() + self.factor.val();
        }
        if self.log.val().get_bit(1) {
            self.position.next = self.position.val() + (self.factor.val() << 1);
        }
        if self.log.val().get_bit(2) {
            self.position.next = self.position.val() + (self.factor.val() << 2);
        }
        if self.log.val().get_bit(3) {
            self.position.next = self.position.val() + (self.factor.val() << 3);
        }
        self.length.x.next = self.exponent.val();
        // An exponent of 0 has the position 0, whatever the base.
        self.within.next = (self.length.bytes.val() <= 1)
            && self.simple.val()
            && !self.position.val().get_bits::<4>(8).any();
        self.direct.next = 0.into();
        if self.within.val()
            || !self.exponent.val().any()
            || (self.simple.val() && !self.log.val().any())
        {
            self.direct.next = self.one.val() << self.position.val().get_bits::<8>(0);
        }
        self.shortcut.next =
            self.simple.val() || !self.exponent.val().any() || !self.base.val().any();

        self.first.next = (bit_cast::<9, 6>(self.length.bytes.val()) << 3) - 1;
        self.bit.next = self.kept.val().get_bit(self.index.q.val().index());
        self.next_bit.next = false;
        self.multiply.next = false;
        self.square.next = false;
        self.load.next = false;
        self.done.next = false;
        match self.state.q.val() {
            PowerState::Idle => {
                self.index.d.next = self.first.val().get_bits::<8>(0);
                if self.start.val() && !self.shortcut.val() {
                    self.state.d.next = PowerState::Scan;
                }
            }
            PowerState::Scan => {
                if self.bit.val() {
                    self.next_bit.next = true;
                } else {
                    self.index.d.next = self.index.q.val() - 1;
                }
            }
            PowerState::Square => {
                self.square.next = true;
                if self.value.val().any() {
                    self.multiply.next = true;
                    self.state.d.next = PowerState::Squaring;
                } else {
                    self.done.next = true;
                    self.state.d.next = PowerState::Idle;
                }
            }
            PowerState::Squaring => {
                self.square.next = true;
                if self.multiplied.val() {
                    self.load.next = true;
                    self.state.d.next = PowerState::Multiply;
                    self.next_bit.next = !self.bit.val();
                }
            }
            PowerState::Multiply => {
                self.multiply.next = true;
                self.state.d.next = PowerState::Multiplying;
            }
            PowerState::Multiplying => {
                if self.multiplied.val() {
                    self.load.next = true;
                    self.next_bit.next = true;
                }
            }
        }
        // This bit is dealt with: on to the one below.
        if self.next_bit.val() {
            self.index.d.next = self.index.q.val() - 1;
            self.state.d.next = PowerState::Square;
            if !self.index.q.val().any() {
                self.done.next = true;
                self.state.d.next = PowerState::Idle;
            }
        }
        if self.reset.val() {
            self.state.d.next = PowerState::Idle;
        }
    }
}
