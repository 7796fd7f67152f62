//! Memory expansion: how many words an access needs, and what they cost.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::block;
use crate::prim::Mul;

/// What the unit does in a cycle.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum ExpandState {
    /// Waits for `start`; the result stands.
    Idle,
    /// Compares; done unless memory grows.
    Compare,
    /// Has both squares.
    Price,
    /// Shows `done`.
    Finish,
}

/// Expansion of memory for an access of `length` bytes at `offset`.
///
/// A memory of w words of 32 bytes has cost 3·w + ⌊w² / 512⌋ gas in all (Yellow Paper, appendix H); `cost` is the
/// difference. `done` follows `start` by one cycle, by three where memory grows.
#[derive(LogicBlock)]
pub struct Expand {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Takes the operands; they need not stay.
    pub start: Signal<In, Bit>,
    /// First byte of the access, modulo 2^64.
    pub offset: Signal<In, Bits<64>>,
    /// It is 2^64 or more.
    pub offset_far: Signal<In, Bit>,
    /// Bytes of the access, modulo 2^64; none touch no memory, wherever `offset` is.
    pub length: Signal<In, Bits<64>>,
    /// It is 2^64 or more.
    pub length_far: Signal<In, Bit>,
    /// Size of memory, in words of 32 bytes.
    pub words: Signal<In, Bits<32>>,
    /// One cycle, when the results are valid; they stay until the next `start`.
    pub done: Signal<Out, Bit>,
    /// Not `invalid`.
    pub ok: Signal<Out, Bit>,
    /// `length_far`, or `offset_far` and `length` is not 0: no gas could pay for it, whatever its cost (revm's
    /// `InvalidOperandOOG`).
    pub invalid: Signal<Out, Bit>,
    /// Size of memory after the access, in words: never less than `words`, as it was if `invalid`, and
    /// 2^32 − 1 where memory would need more.
    pub new_words: Signal<Out, Bits<32>>,
    /// Gas of the expansion; 2^64 − 1 where memory would need 2^32 words or more, 0 if `invalid`.
    pub cost: Signal<Out, Bits<64>>,

    state: DFF<ExpandState>,
    end_q: DFF<Bits<65>>,
    some_q: DFF<Bit>,
    invalid_q: DFF<Bit>,
    words_q: DFF<Bits<32>>,

    rounded: Signal<Local, Bits<66>>,
    needed: Signal<Local, Bits<61>>,
    needed32: Signal<Local, Bits<32>>,
    touches: Signal<Local, Bit>,
    huge: Signal<Local, Bit>,
    grows: Signal<Local, Bit>,

    // Squares: of the old size in the cycle of `start`, of the new one from then on.
    factor: Mul<32, 64>,
    operand: Signal<Local, Bits<32>>,
    quadratic_q: DFF<Bits<64>>,
    added: Signal<Local, Bits<64>>,
    linear: Signal<Local, Bits<64>>,
    cost_q: DFF<Bits<64>>,
    ones: Constant<Bits<64>>,
    most: Constant<Bits<32>>,
}

impl Default for Expand {
    fn default() -> Self {
        block! {
            ones: Constant::new(u64::MAX.into()),
            most: Constant::new(u64::from(u32::MAX).into()),
            ; clock start offset length words done ok invalid new_words cost offset_far length_far state end_q some_q
            invalid_q words_q rounded needed needed32 touches huge grows factor operand quadratic_q added linear cost_q
        }
    }
}

impl Logic for Expand {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            state,
            end_q,
            some_q,
            invalid_q,
            words_q,
            quadratic_q,
            cost_q
        );

        // Words needed, with the operands as taken.
        self.rounded.next = bit_cast::<66, 65>(self.end_q.q.val()) + 31;
        self.needed.next = self.rounded.val().get_bits::<61>(5);
        self.needed32.next = self.needed.val().get_bits::<32>(0);
        self.touches.next = self.some_q.q.val() && !self.invalid_q.q.val();
        self.huge.next = self.touches.val() && self.needed.val().get_bits::<29>(32).any();
        self.grows.next =
            self.touches.val() && !self.huge.val() && (self.needed32.val() > self.words_q.q.val());

        self.factor.clock.next = self.clock.val();
        self.operand.next = self.needed32.val();
        if self.start.val() {
            self.operand.next = self.words.val();
        }
        self.factor.a.next = self.operand.val();
        self.factor.b.next = self.operand.val();
        self.added.next = bit_cast::<64, 32>(self.needed32.val() - self.words_q.q.val());
        self.linear.next = (self.added.val() << 1) + self.added.val();

        self.done.next = false;
        match self.state.q.val() {
            ExpandState::Idle => {}
            ExpandState::Compare => {
                self.quadratic_q.d.next = self.factor.p.val() >> 9;
                self.state.d.next = ExpandState::Price;
                if !self.grows.val() {
                    self.done.next = true;
                    self.state.d.next = ExpandState::Idle;
                }
            }
            ExpandState::Price => {
                self.cost_q.d.next =
                    (self.factor.p.val() >> 9) - self.quadratic_q.q.val() + self.linear.val();
                self.state.d.next = ExpandState::Finish;
            }
            ExpandState::Finish => {
                self.done.next = true;
                self.state.d.next = ExpandState::Idle;
            }
        }

        if self.start.val() {
            self.state.d.next = ExpandState::Compare;
            self.end_q.d.next =
                bit_cast::<65, 64>(self.offset.val()) + bit_cast::<65, 64>(self.length.val());
            self.some_q.d.next = self.length_far.val() || self.length.val().any();
            self.invalid_q.d.next =
                self.length_far.val() || (self.offset_far.val() && self.length.val().any());
            self.words_q.d.next = self.words.val();
        }

        self.ok.next = !self.invalid_q.q.val();
        self.invalid.next = self.invalid_q.q.val();
        self.new_words.next = self.words_q.q.val();
        self.cost.next = 0.into();
        if self.huge.val() {
            self.new_words.next = self.most.val();
            self.cost.next = self.ones.val();
        }
        if self.grows.val() {
            self.new_words.next = self.needed32.val();
            self.cost.next = self.cost_q.q.val();
        }
    }
}
