//! Multiplier of 256-bit words: one 64 × 64 bit multiplier over the limb pairs that matter.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use crate::prim::Mul;

/// `a` · `b`, low half or all of it, by columns of equal weight (product scanning).
///
/// One pair of 64-bit limbs is issued a cycle, from the cycle of `start` on; limbs above the highest that is not
/// zero are left out. `done` follows the last pair by two cycles, or by three where the last column leaves two limbs
/// that are wanted: 3 cycles after `start` for operands below 2^64, 11 at worst for the low half (10 pairs), 18 for the
/// whole product (16 pairs).
#[derive(LogicBlock)]
pub struct Multiply {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Abandons a multiplication.
    pub reset: Signal<In, Bit>,
    /// Begins. Operands and options stay until `done`.
    pub start: Signal<In, Bit>,
    /// Compute `high` too.
    pub wide: Signal<In, Bit>,
    /// Multiply `a` by itself in place of `b`.
    pub square: Signal<In, Bit>,
    /// First factor.
    pub a: Signal<In, Bits<256>>,
    /// Second factor.
    pub b: Signal<In, Bits<256>>,
    /// One cycle, from which on the product stands until the next `start`.
    pub done: Signal<Out, Bit>,
    /// Bits 255 to 0 of the product.
    pub low: Signal<Out, Bits<256>>,
    /// Bits 511 to 256 of the product, if `wide`; else undefined.
    pub high: Signal<Out, Bits<256>>,

    factor: Mul<64, 128>,
    right: Signal<Local, Bits<256>>,
    a_limb: [Signal<Local, Bits<64>>; 4],
    b_limb: [Signal<Local, Bits<64>>; 4],
    // Index of the highest limb that is not zero.
    a_last: Signal<Local, Bits<2>>,
    b_last: Signal<Local, Bits<2>>,
    // The pair being issued: limb `i` of a, limb `j` of b.
    running: DFF<Bit>,
    i: DFF<Bits<2>>,
    j: DFF<Bits<2>>,
    issue: Signal<Local, Bit>,
    column: Signal<Local, Bits<3>>,
    next_column: Signal<Local, Bits<3>>,
    last_column: Signal<Local, Bits<3>>,
    ends_column: Signal<Local, Bit>,
    ends_all: Signal<Local, Bit>,
    next_i: Signal<Local, Bits<3>>,
    // What is known of the product that the multiplier shows now.
    valid_q: DFF<Bit>,
    column_q: DFF<Bits<3>>,
    ends_column_q: DFF<Bit>,
    ends_all_q: DFF<Bit>,
    // The last column's second limb is due; its place.
    rest: Signal<Local, Bit>,
    rest_q: DFF<Bit>,
    rest_at: DFF<Bits<3>>,
    writes: Signal<Local, Bit>,
    at: Signal<Local, Bits<3>>,
    // Four products of 128 bits and what the column before handed on stay below 2^131.
    sum_q: DFF<Bits<132>>,
    sum: Signal<Local, Bits<132>>,
    limb: [DFF<Bits<64>>; 8],
    index: [Constant<Bits<3>>; 8],
    done_q: DFF<Bit>,
}

impl Default for Multiply {
    fn default() -> Self {
        block! {
            a_limb: array_init::array_init(|_| Default::default()),
            b_limb: array_init::array_init(|_| Default::default()),
            limb: array_init::array_init(|_| Default::default()),
            index: array_init::array_init(|i| Constant::new((i as u64).into())),
            ; clock reset start wide square a b done low high factor right a_last b_last running i j issue column
            next_column last_column ends_column ends_all next_i valid_q column_q ends_column_q ends_all_q sum_q sum
            rest rest_q rest_at writes at done_q
        }
    }
}

impl Logic for Multiply {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            running,
            i,
            j,
            valid_q,
            column_q,
            ends_column_q,
            ends_all_q,
            sum_q,
            rest_q,
            rest_at,
            done_q
        );
        self.factor.clock.next = self.clock.val();
        for k in 0..8 {
            self.limb[k].clock.next = self.clock.val();
            self.limb[k].d.next = self.limb[k].q.val();
        }

        self.right.next = self.b.val();
        if self.square.val() {
            self.right.next = self.a.val();
        }
        for k in 0..4 {
            self.a_limb[k].next = self.a.val().get_bits::<64>(k * 64);
            self.b_limb[k].next = self.right.val().get_bits::<64>(k * 64);
        }
        self.a_last.next = 0.into();
        if self.a_limb[3].val().any() {
            self.a_last.next = 3.into();
        } else if self.a_limb[2].val().any() {
            self.a_last.next = 2.into();
        } else if self.a_limb[1].val().any() {
            self.a_last.next = 1.into();
        }
        self.b_last.next = 0.into();
        if self.b_limb[3].val().any() {
            self.b_last.next = 3.into();
        } else if self.b_limb[2].val().any() {
            self.b_last.next = 2.into();
        } else if self.b_limb[1].val().any() {
            self.b_last.next = 1.into();
        }

        match self.i.q.val().index() {
            0 => self.factor.a.next = self.a_limb[0].val(),
            1 => self.factor.a.next = self.a_limb[1].val(),
            2 => self.factor.a.next = self.a_limb[2].val(),
            _ => self.factor.a.next = self.a_limb[3].val(),
        }
        match self.j.q.val().index() {
            0 => self.factor.b.next = self.b_limb[0].val(),
            1 => self.factor.b.next = self.b_limb[1].val(),
            2 => self.factor.b.next = self.b_limb[2].val(),
            _ => self.factor.b.next = self.b_limb[3].val(),
        }

        // Order of the pairs: column by column, in a column by rising `i`.
        self.issue.next = self.start.val() || self.running.q.val();
        // Behind the last pair comes a product of nothing.
        if !self.issue.val() {
            self.factor.a.next = 0.into();
        }
        self.column.next = bit_cast::<3, 2>(self.i.q.val()) + bit_cast::<3, 2>(self.j.q.val());
        self.next_column.next = self.column.val() + 1;
        self.last_column.next =
            bit_cast::<3, 2>(self.a_last.val()) + bit_cast::<3, 2>(self.b_last.val());
        if !self.wide.val() && (self.last_column.val() > 3) {
            self.last_column.next = 3.into();
        }
        self.ends_column.next = (self.j.q.val() == 0) || (self.i.q.val() == self.a_last.val());
        self.ends_all.next =
            self.ends_column.val() && (self.column.val() == self.last_column.val());
        self.next_i.next = self.next_column.val() - bit_cast::<3, 2>(self.b_last.val());
        if self.issue.val() {
            self.running.d.next = !self.ends_all.val();
            if self.ends_all.val() {
                self.i.d.next = 0.into();
                self.j.d.next = 0.into();
            } else if !self.ends_column.val() {
                self.i.d.next = self.i.q.val() + 1;
                self.j.d.next = self.j.q.val() - 1;
            } else if self.next_column.val() <= bit_cast::<3, 2>(self.b_last.val()) {
                self.i.d.next = 0.into();
                self.j.d.next = self.next_column.val().get_bits::<2>(0);
            } else {
                self.i.d.next = self.next_i.val().get_bits::<2>(0);
                self.j.d.next = self.b_last.val();
            }
        }
        self.valid_q.d.next = self.issue.val();
        self.column_q.d.next = self.column.val();
        self.ends_column_q.d.next = self.ends_column.val();
        self.ends_all_q.d.next = self.ends_all.val();

        // A finished column leaves its low limb and hands on the rest, which is a limb of its own behind the last. A limb
        // has one source, so that it is registers alone.
        self.sum.next = self.sum_q.q.val() + bit_cast::<132, 128>(self.factor.p.val());
        self.rest.next = ((self.valid_q.q.val() & self.ends_all_q.q.val())
            & (self.column_q.q.val() != 7))
            & (self.wide.val() | (self.column_q.q.val() != 3));
        self.rest_q.d.next = self.rest.val();
        self.rest_at.d.next = self.column_q.q.val() + 1;
        self.writes.next =
            (self.valid_q.q.val() & self.ends_column_q.q.val()) | self.rest_q.q.val();
        self.at.next = self.column_q.q.val();
        if self.rest_q.q.val() {
            self.at.next = self.rest_at.q.val();
        }
        if self.valid_q.q.val() {
            self.sum_q.d.next = self.sum.val();
            if self.ends_column_q.q.val() {
                self.sum_q.d.next = self.sum.val() >> 64;
            }
        }
        for k in 0..8 {
            if self.writes.val() & (self.at.val() == self.index[k].val()) {
                self.limb[k].d.next = self.sum.val().get_bits::<64>(0);
            }
        }
        if self.start.val() {
            self.sum_q.d.next = 0.into();
            for k in 0..8 {
                self.limb[k].d.next = 0.into();
            }
        }
        self.done_q.d.next = ((self.valid_q.q.val() & self.ends_all_q.q.val()) & !self.rest.val())
            | self.rest_q.q.val();
        if self.reset.val() {
            self.running.d.next = false;
            self.i.d.next = 0.into();
            self.j.d.next = 0.into();
            self.valid_q.d.next = false;
            self.rest_q.d.next = false;
            self.done_q.d.next = false;
        }

        self.done.next = self.done_q.q.val();
        self.low.next = bit_cast::<256, 64>(self.limb[0].q.val())
            | (bit_cast::<256, 64>(self.limb[1].q.val()) << 64)
            | (bit_cast::<256, 64>(self.limb[2].q.val()) << 128)
            | (bit_cast::<256, 64>(self.limb[3].q.val()) << 192);
        self.high.next = bit_cast::<256, 64>(self.limb[4].q.val())
            | (bit_cast::<256, 64>(self.limb[5].q.val()) << 64)
            | (bit_cast::<256, 64>(self.limb[6].q.val()) << 128)
            | (bit_cast::<256, 64>(self.limb[7].q.val()) << 192);
    }
}
