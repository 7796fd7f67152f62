//! The engine for latency: a round of three LUTs in a row, and nothing else on its way.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::chunk::ByteReverse;
use super::fill::BlockFill;
use super::round::{IOTA, RHO};
use crate::prim::LookupRom;

/// Keccak-256 of a message after the other, a round a clock.
///
/// A round is θ's parity of five lanes, θ, and χ; the block and ι are χ's fourth input, so that a block is taken in behind
/// the last round of the one before, which waits for it, or behind a round of the state of zeros.
///
/// Messages are sent a word a cycle, 17 words a block; ⌊n / 8⌋ whole words and a last one with the n mod 8 bytes that are left,
/// also where these are none. From the last word to `done` it is 24 cycles of the permutation and six around them. Words of
/// the next block are taken meanwhile, so that long messages take 24 cycles a block.
#[derive(LogicBlock)]
pub struct KeccakFast {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Abandons the message.
    pub reset: Signal<In, Bit>,
    /// There is a word. It stays until `ready`.
    pub valid: Signal<In, Bit>,
    /// The word is taken in this cycle, if `valid`.
    pub ready: Signal<Out, Bit>,
    /// Eight bytes, the first at bits 63 to 56.
    pub data: Signal<In, Bits<64>>,
    /// The message ends in this word, which has `bytes` bytes.
    pub last: Signal<In, Bit>,
    /// Bytes of the last word, 0 to 7. Those behind them do not matter.
    pub bytes: Signal<In, Bits<3>>,
    /// One cycle, when `digest` is new.
    pub done: Signal<Out, Bit>,
    /// The digest, first byte at bits 255 to 248, until the next `done` or reset.
    pub digest: Signal<Out, Bits<256>>,

    fill: BlockFill,
    state: [DFF<Bits<64>>; 25],
    // What is added behind the round: ι, and the block.
    block: [DFF<Bits<64>>; 17],
    // The round of this cycle, 1 to 24; `none`: there is no message, `over`: it has its digest.
    round: DFF<Bits<5>>,
    // The round is computed, and does not wait for a block; the message is over.
    steps: DFF<Bit>,
    clears: DFF<Bit>,
    // More blocks of the message are to come.
    open: DFF<Bit>,
    more: DFF<Bit>,
    // A block is being taken: it is in `fill`, in `block`.
    take1: DFF<Bit>,
    join: DFF<Bit>,
    digest_q: [DFF<Bits<64>>; 4],
    done_q: DFF<Bit>,

    constants: LookupRom<5, Bits<64>>,
    takes: Signal<Local, Bit>,
    following: Signal<Local, Bits<5>>,
    parity: [Signal<Local, Bits<64>>; 5],
    theta: [Signal<Local, Bits<64>>; 25],
    turned: [Signal<Local, Bits<64>>; 25],
    chi: [Signal<Local, Bits<64>>; 25],
    squeezed: Signal<Local, Bits<256>>,
    answer: ByteReverse,
    left: [Constant<Bits<7>>; 25],
    right: [Constant<Bits<7>>; 25],
    none: Constant<Bits<5>>,
    over: Constant<Bits<5>>,
    last_round: Constant<Bits<5>>,
    // The first round in which a block may be taken that the last one waits for.
    ahead: Constant<Bits<5>>,
}

fn array<T: Default, const N: usize>() -> [T; N] {
    array_init::array_init(|_| T::default())
}

impl Default for KeccakFast {
    fn default() -> Self {
        block! {
            state: array(), block: array(), digest_q: array(), parity: array(), theta: array(), turned: array(), chi: array(),
            constants: LookupRom::new(std::iter::once(0).chain(IOTA).map(Bits::from).collect()),
            left: array_init::array_init(|i| Constant::new(RHO[i].into())),
            right: array_init::array_init(|i| Constant::new((64 - RHO[i]).into())),
            none: Constant::new(0_u64.into()),
            over: Constant::new(25_u64.into()),
            last_round: Constant::new(24_u64.into()),
            ahead: Constant::new(22_u64.into()),
            ; clock reset valid ready data last bytes done digest fill round steps clears open more take1 join done_q takes following
            squeezed answer
        }
    }
}

impl Logic for KeccakFast {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, round, steps, clears, open, more, take1, join, done_q
        );
        self.fill.clock.next = self.clock.val();
        self.fill.reset.next = self.reset.val();
        self.fill.valid.next = self.valid.val();
        self.fill.data.next = self.data.val();
        self.fill.last.next = self.last.val();
        self.fill.bytes.next = self.bytes.val();
        self.ready.next = self.fill.ready.val();

        // A block is taken two cycles before the round that it joins.
        self.takes.next = self.fill.full.val()
            & !self.take1.q.val()
            & !self.join.q.val()
            & (((self.round.q.val() >= self.ahead.val()) & self.open.q.val())
                | (self.round.q.val() >= self.last_round.val())
                | (self.round.q.val() == self.none.val()));
        self.fill.taken.next = self.takes.val();
        self.take1.d.next = self.takes.val();
        self.join.d.next = self.take1.q.val();

        // The round of the next cycle, and whether it waits.
        self.following.next = self.round.q.val();
        if self.steps.q.val() {
            self.following.next = self.round.q.val() + 1;
            if (self.round.q.val() == self.last_round.val()) & self.open.q.val() {
                self.following.next = 1.into();
            }
            if self.round.q.val() == self.over.val() {
                self.following.next = self.none.val();
            }
        }
        self.round.d.next = self.following.val();
        self.steps.d.next = self.take1.q.val()
            | !(((self.following.val() == self.last_round.val()) & self.open.q.val())
                | (self.following.val() == self.none.val()));
        self.clears.d.next = self.following.val() == self.over.val();
        // The round that a block joins belongs to the block before.
        if self.take1.q.val() {
            self.more.d.next = !self.fill.full_last.val();
        }
        if self.join.q.val() {
            self.open.d.next = self.more.q.val();
        }
        self.done_q.d.next = self.round.q.val() == self.over.val();

        for x in 0..5 {
            self.parity[x].next = self.state[x].q.val()
                ^ self.state[x + 5].q.val()
                ^ self.state[x + 10].q.val()
                ^ self.state[x + 15].q.val()
                ^ self.state[x + 20].q.val();
        }
        for i in 0..25 {
            self.theta[i].next = self.state[i].q.val()
                ^ self.parity[(i + 4) % 5].val()
                ^ ((self.parity[(i + 1) % 5].val() << 1) | (self.parity[(i + 1) % 5].val() >> 63));
        }
        for y in 0..5 {
            for x in 0..5 {
                self.turned[y + 5 * ((2 * x + 3 * y) % 5)].next = (self.theta[x + 5 * y].val()
                    << self.left[x + 5 * y].val())
                    | (self.theta[x + 5 * y].val() >> self.right[x + 5 * y].val());
            }
        }
        for y in 0..5 {
            for x in 0..5 {
                self.chi[x + 5 * y].next = self.turned[x + 5 * y].val()
                    ^ (!self.turned[(x + 1) % 5 + 5 * y].val()
                        & self.turned[(x + 2) % 5 + 5 * y].val());
            }
        }
        for i in 0..25 {
            self.state[i].clock.next = self.clock.val();
            self.state[i].d.next = self.state[i].q.val();
        }
        for i in 0..17 {
            self.block[i].clock.next = self.clock.val();
            self.block[i].d.next = 0.into();
            if self.take1.q.val() {
                self.block[i].d.next = self.fill.lane[i].val();
            }
            if self.steps.q.val() {
                self.state[i].d.next = self.chi[i].val() ^ self.block[i].q.val();
            }
        }
        self.constants.addr.next = self.following.val();
        self.block[0].d.next = self.block[0].d.val() ^ self.constants.data.val();
        for i in 17..25 {
            if self.steps.q.val() {
                self.state[i].d.next = self.chi[i].val();
            }
        }
        for i in 0..4 {
            self.digest_q[i].clock.next = self.clock.val();
            self.digest_q[i].d.next = self.digest_q[i].q.val();
            if self.clears.q.val() {
                self.digest_q[i].d.next = self.state[i].q.val();
            }
        }
        for i in 0..25 {
            if self.clears.q.val() {
                self.state[i].d.next = 0.into();
            }
        }
        if self.reset.val() {
            self.round.d.next = self.none.val();
            self.steps.d.next = false;
            self.clears.d.next = true;
            self.open.d.next = false;
            self.take1.d.next = false;
            self.join.d.next = false;
            self.done_q.d.next = false;
        }
        self.squeezed.next = bit_cast::<256, 64>(self.digest_q[0].q.val())
            | (bit_cast::<256, 64>(self.digest_q[1].q.val()) << 64)
            | (bit_cast::<256, 64>(self.digest_q[2].q.val()) << 128)
            | (bit_cast::<256, 64>(self.digest_q[3].q.val()) << 192);
        self.answer.x.next = self.squeezed.val();
        self.digest.next = self.answer.y.val();
        self.done.next = self.done_q.q.val();
    }
}
