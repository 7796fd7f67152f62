//! Divider of 256-bit words: radix 4, restoring, with whole bytes skipped where the quotient has zeros.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::length::ByteLength;

/// What the divider does in a cycle.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum DivideState {
    /// Waits for `start`; the result stands.
    Idle,
    /// Counts the leading bytes to skip.
    Prepare,
    /// Shifts eight bytes, one byte or two bits of the dividend into the remainder.
    Run,
    /// Shows `done`.
    Finish,
}

/// `n` / `d` and `n` mod `d` for `d` ≠ 0.
///
/// The dividend is loaded first, or as the division starts, and stands in `low` until then. It may be longer than a
/// word: `keep` puts the remainder of the division before in front of `n`, and `carry` a single one. Both must be
/// below `d`.
///
/// With lengths in bytes ln and ld, of the 32 bytes of `n` those that cannot make a quotient digit are shifted by
/// without one: s = 32 − ln + min(ld − 1, ln), or none after `keep` or `carry`. From `start` to `done` it takes
/// 2 + ⌊s/8⌋ + s mod 8 + 4 · (32 − s) cycles: 130 at worst.
///
/// The quotient by a power of 256, d = 256^j, is a shift: 2 + ⌊s/8⌋ + s mod 8 cycles with s = 32 − j.
#[derive(LogicBlock)]
pub struct Divide {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Abandons a division.
    pub reset: Signal<In, Bit>,
    /// Takes `n`, `keep` and `carry`; not between `start` and `done`.
    pub load: Signal<In, Bit>,
    /// The dividend is remainder · 2^256 + `n`.
    pub keep: Signal<In, Bit>,
    /// The dividend is 2^256 + `n`. Not together with `keep`.
    pub carry: Signal<In, Bit>,
    /// Dividend.
    pub n: Signal<In, Bits<256>>,
    /// Divides what is loaded; allowed in the cycle of `load`, and in that of `done`.
    pub start: Signal<In, Bit>,
    /// The quotient is wanted, not the remainder; stays from `start` on.
    pub wants_quotient: Signal<In, Bit>,
    /// Divisor, not zero; stays from the cycle after `start` to `done`.
    pub d: Signal<In, Bits<256>>,
    /// One cycle, from which on the result stands until the next `load`.
    pub done: Signal<Out, Bit>,
    /// The quotient was shifted into `high`.
    pub shifted: Signal<Out, Bit>,
    /// What was loaded; the quotient's low 256 bits, unless `shifted`.
    pub low: Signal<Out, Bits<256>>,
    /// Zero or `carry` once loaded; the remainder, or the quotient if `shifted`.
    pub high: Signal<Out, Bits<256>>,

    state: DFF<DivideState>,
    // The dividend leaves at the top, quotient digits enter at the bottom.
    low_q: DFF<Bits<256>>,
    high_q: DFF<Bits<256>>,
    triple: DFF<Bits<259>>,
    // Bytes to shift without a digit, and bit pairs to shift in all.
    skip: DFF<Bits<6>>,
    left: DFF<Bits<8>>,
    whole: DFF<Bit>,
    // The quotient is what is shifted out of `low`.
    shifts: DFF<Bit>,

    ones: Signal<Local, Bits<32>>,
    others: Signal<Local, Bit>,
    power: Signal<Local, Bit>,
    shift_bytes: Signal<Local, Bits<6>>,
    n_length: ByteLength,
    d_length: ByteLength,
    preload: Signal<Local, Bits<6>>,
    spent: Signal<Local, Bits<8>>,
    single: Signal<Local, Bits<259>>,
    double: Signal<Local, Bits<259>>,
    partial: Signal<Local, Bits<259>>,
    less1: Signal<Local, Bits<259>>,
    less2: Signal<Local, Bits<259>>,
    less3: Signal<Local, Bits<259>>,
    digit: Signal<Local, Bits<2>>,
    rest: Signal<Local, Bits<256>>,
    bit: [Constant<Bits<32>>; 32],
}

impl Default for Divide {
    fn default() -> Self {
        block! {
            bit: array_init::array_init(|i| Constant::new((1u64 << i).into())),
            ; clock reset load keep carry n start wants_quotient d done shifted low high state low_q high_q triple skip
            left whole shifts ones others power shift_bytes n_length d_length preload spent single double partial less1 less2 less3 digit rest
        }
    }
}

impl Logic for Divide {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, state, low_q, high_q, triple, skip, left, whole, shifts
        );

        // How far the dividend moves before the first digit that can be other than zero.
        self.n_length.x.next = self.low_q.q.val();
        self.d_length.x.next = self.d.val();
        self.preload.next = self.d_length.bytes.val() - 1;
        if self.n_length.bytes.val() < self.preload.val() {
            self.preload.next = self.n_length.bytes.val();
        }

        // A power of 256 has a single one, at the bottom of a byte.
        self.ones.next = 0.into();
        self.others.next = false;
        for i in 0..32 {
            if self.d.val().get_bits::<1>(i * 8) == 1 {
                self.ones.next = self.ones.val() | self.bit[i].val();
            }
            if self.d.val().get_bits::<7>(i * 8 + 1).any() {
                self.others.next = true;
            }
        }
        self.power.next = !self.others.val() & !(self.ones.val() & (self.ones.val() - 1)).any();
        self.shift_bytes.next = 33 - self.d_length.bytes.val();

        // One digit: the remainder, four times larger, less the largest multiple of the divisor that fits.
        self.single.next = bit_cast::<259, 256>(self.d.val());
        self.double.next = self.single.val() << 1;
        self.partial.next = (bit_cast::<259, 256>(self.high_q.q.val()) << 2)
            | bit_cast::<259, 2>(self.low_q.q.val().get_bits::<2>(254));
        self.less1.next = self.partial.val() - self.single.val();
        self.less2.next = self.partial.val() - self.double.val();
        self.less3.next = self.partial.val() - self.triple.q.val();
        if !self.less3.val().get_bit(258) {
            self.digit.next = 3.into();
            self.rest.next = self.less3.val().get_bits::<256>(0);
        } else if !self.less2.val().get_bit(258) {
            self.digit.next = 2.into();
            self.rest.next = self.less2.val().get_bits::<256>(0);
        } else if !self.less1.val().get_bit(258) {
            self.digit.next = 1.into();
            self.rest.next = self.less1.val().get_bits::<256>(0);
        } else {
            self.digit.next = 0.into();
            self.rest.next = self.partial.val().get_bits::<256>(0);
        }

        self.spent.next = 1.into();
        match self.state.q.val() {
            DivideState::Idle => {}
            DivideState::Prepare => {
                self.state.d.next = DivideState::Run;
                self.triple.d.next = self.single.val() + self.double.val();
                self.skip.d.next = 0.into();
                if self.whole.q.val() {
                    self.skip.d.next = 32 - self.n_length.bytes.val() + self.preload.val();
                    if self.wants_quotient.val() & self.power.val() {
                        self.skip.d.next = self.shift_bytes.val();
                        self.left.d.next = bit_cast::<8, 6>(self.shift_bytes.val()) << 2;
                        self.shifts.d.next = true;
                    }
                }
            }
            DivideState::Run => {
                if self.skip.q.val() >= 8 {
                    self.spent.next = 32.into();
                    self.skip.d.next = self.skip.q.val() - 8;
                    self.high_q.d.next = (self.high_q.q.val() << 64)
                        | bit_cast::<256, 64>(self.low_q.q.val().get_bits::<64>(192));
                    self.low_q.d.next = self.low_q.q.val() << 64;
                } else if self.skip.q.val().any() {
                    self.spent.next = 4.into();
                    self.skip.d.next = self.skip.q.val() - 1;
                    self.high_q.d.next = (self.high_q.q.val() << 8)
                        | bit_cast::<256, 8>(self.low_q.q.val().get_bits::<8>(248));
                    self.low_q.d.next = self.low_q.q.val() << 8;
                } else {
                    self.high_q.d.next = self.rest.val();
                    self.low_q.d.next =
                        (self.low_q.q.val() << 2) | bit_cast::<256, 2>(self.digit.val());
                }
                self.left.d.next = self.left.q.val() - self.spent.val();
                if self.left.q.val() == self.spent.val() {
                    self.state.d.next = DivideState::Finish;
                }
            }
            DivideState::Finish => {
                self.state.d.next = DivideState::Idle;
            }
        }
        if self.start.val() {
            self.state.d.next = DivideState::Prepare;
            self.left.d.next = 128.into();
            self.shifts.d.next = false;
        }
        if self.load.val() {
            self.low_q.d.next = self.n.val();
            self.whole.d.next = !self.keep.val() && !self.carry.val();
            if !self.keep.val() {
                self.high_q.d.next = 0.into();
                if self.carry.val() {
                    self.high_q.d.next = 1.into();
                }
            }
        }
        if self.reset.val() {
            self.state.d.next = DivideState::Idle;
        }

        self.done.next = self.state.q.val() == DivideState::Finish;
        self.shifted.next = self.shifts.q.val();
        self.low.next = self.low_q.q.val();
        self.high.next = self.high_q.q.val();
    }
}
