//! The engine for throughput: four messages interleaved in a pipeline of a round.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;

use super::chunk::ByteReverse;
use super::feed::BlockFeed;
use super::round::{IOTA, RHO};
use super::turns::Turns;

/// Keccak-256 of four messages at once, a permutation in every 24 cycles.
///
/// A round is four stages of one LUT4 each, and each stage has the state of another message:
///
/// | registers | from the stage before |
/// |---|---|
/// | `state` (0) | ρ, π and χ; zero where no message is |
/// | `column` (1) | θ: XOR of four lanes of a column |
/// | `parity` (2) | θ: with the fifth lane, the block's column, and ι of the round before |
/// | `theta` (3) | θ, with the block's lane |
///
/// Messages are sent a word a cycle, 17 words a block; ⌊n / 8⌋ whole words and a last one with the n mod 8 bytes that are left,
/// also where these are none. Each word comes with the number of its message, `slot`, the same for all words of a block. Blocks
/// of different slots may come in any order; one whose slot still computes is kept until that is done, and holds up those
/// behind it. The next message of a slot may follow its last block at once.
///
/// A block takes 17 cycles, however few of its words are sent, and at most five more until the next can come; its
/// permutation takes 24 × 4 cycles, and the next block of the slot, of the same message or another, can follow at once. So
/// a block of each slot in turn keeps all stages busy.
///
/// The pipeline keeps no state that waits: once a message has begun, its next block must be complete when the one before is
/// permuted, 94 cycles after that was taken (`ready` comes back). A message whose block comes later is of no use; `late`
/// says so with its digest, and it is to be sent again. None is late where blocks are sent without pauses in them and in the
/// order in which they are due, the first block of a slot's next message like another of the one before; and where a slot
/// that has nothing to send then begins again while no block is due within 44 cycles, the time of two.
#[derive(LogicBlock)]
pub struct KeccakPipe {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Abandons all messages.
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
    /// The word's message.
    pub slot: Signal<In, Bits<2>>,
    /// One cycle, when `digest` is new; at the earliest 19 cycles after the one before.
    pub done: Signal<Out, Bit>,
    /// Whose it is, with `done`.
    pub done_slot: Signal<Out, Bits<2>>,
    /// With `done`: a block of the message came too late, and the digest is wrong.
    pub late: Signal<Out, Bit>,
    /// The digest, first byte at bits 255 to 248, until the next `done`.
    pub digest: Signal<Out, Bits<256>>,

    feed: BlockFeed,
    turns: Turns,
    state: [DFF<Bits<64>>; 25],
    state1: [DFF<Bits<64>>; 25],
    state2: [DFF<Bits<64>>; 25],
    column: [DFF<Bits<64>>; 5],
    parity: [DFF<Bits<64>>; 5],
    // The block's column and lanes, with ι: zero where no block is taken in.
    block1: [DFF<Bits<64>>; 5],
    block2: [DFF<Bits<64>>; 17],
    theta: [DFF<Bits<64>>; 25],
    digest_q: [DFF<Bits<64>>; 4],
    done_q: DFF<Bit>,
    late_q: DFF<Bit>,
    slot_q: DFF<Bits<2>>,

    turned: [Signal<Local, Bits<64>>; 25],
    chi: [Signal<Local, Bits<64>>; 25],
    mask: [Signal<Local, Bits<64>>; 3],
    squeezed: Signal<Local, Bits<256>>,
    answer: ByteReverse,
    left: [Constant<Bits<7>>; 25],
    right: [Constant<Bits<7>>; 25],
    last_iota: Constant<Bits<64>>,
    none: Constant<Bits<64>>,
}

fn array<T: Default, const N: usize>() -> [T; N] {
    array_init::array_init(|_| T::default())
}

impl Default for KeccakPipe {
    fn default() -> Self {
        block! {
            state: array(), state1: array(), state2: array(), column: array(), parity: array(), block1: array(),
            block2: array(), theta: array(), digest_q: array(), turned: array(), chi: array(),
            mask: array(),
            left: array_init::array_init(|i| Constant::new(RHO[i].into())),
            right: array_init::array_init(|i| Constant::new((64 - RHO[i]).into())),
            last_iota: Constant::new(IOTA[23].into()),
            none: Constant::new(0_u64.into()),
            ; clock reset valid ready data last bytes slot done done_slot late digest feed turns done_q late_q slot_q squeezed
            answer
        }
    }
}

impl Logic for KeccakPipe {
    #[hdl_gen]
    fn update(&mut self) {
        self.feed.clock.next = self.clock.val();
        self.feed.reset.next = self.reset.val();
        self.feed.valid.next = self.valid.val();
        self.feed.data.next = self.data.val();
        self.feed.last.next = self.last.val();
        self.feed.bytes.next = self.bytes.val();
        self.feed.slot.next = self.slot.val();
        self.ready.next = self.feed.ready.val();
        self.turns.clock.next = self.clock.val();
        self.turns.reset.next = self.reset.val();
        self.turns.full.next = self.feed.full.val();
        self.turns.full_slot.next = self.feed.full_slot.val();
        self.turns.full_last.next = self.feed.full_last.val();
        self.feed.taken.next = self.turns.taken.val();

        // Stage 0 to 1.
        for i in 0..25 {
            self.state1[i].clock.next = self.clock.val();
            self.state1[i].d.next = self.state[i].q.val();
        }
        for x in 0..5 {
            self.column[x].clock.next = self.clock.val();
            self.column[x].d.next = self.state[x].q.val()
                ^ self.state[x + 5].q.val()
                ^ self.state[x + 10].q.val()
                ^ self.state[x + 15].q.val();
            self.block1[x].clock.next = self.clock.val();
            self.block1[x].d.next = self.feed.column[x].val();
            if self.turns.skip_0.val() {
                self.block1[x].d.next = 0.into();
            }
        }
        self.block1[0].d.next = self.block1[0].d.val() ^ self.turns.iota_0.val();

        // Stage 1 to 2.
        for i in 0..25 {
            self.state2[i].clock.next = self.clock.val();
            self.state2[i].d.next = self.state1[i].q.val();
        }
        for x in 0..5 {
            self.parity[x].clock.next = self.clock.val();
            self.parity[x].d.next =
                self.column[x].q.val() ^ self.state1[x + 20].q.val() ^ self.block1[x].q.val();
        }
        for i in 0..17 {
            self.block2[i].clock.next = self.clock.val();
            self.block2[i].d.next = self.feed.lane[i].val();
            if self.turns.skip_1[i % 2].val() {
                self.block2[i].d.next = 0.into();
            }
        }
        self.block2[0].d.next = self.block2[0].d.val() ^ self.turns.iota_1.val();

        // Stage 2 to 3.
        for i in 0..25 {
            self.theta[i].clock.next = self.clock.val();
        }
        for i in 0..17 {
            self.theta[i].d.next = self.state2[i].q.val()
                ^ self.block2[i].q.val()
                ^ self.parity[(i + 4) % 5].q.val()
                ^ ((self.parity[(i + 1) % 5].q.val() << 1)
                    | (self.parity[(i + 1) % 5].q.val() >> 63));
        }
        for i in 17..25 {
            self.theta[i].d.next = self.state2[i].q.val()
                ^ self.parity[(i + 4) % 5].q.val()
                ^ ((self.parity[(i + 1) % 5].q.val() << 1)
                    | (self.parity[(i + 1) % 5].q.val() >> 63));
        }

        // Stage 3 to 0.
        for y in 0..5 {
            for x in 0..5 {
                self.turned[y + 5 * ((2 * x + 3 * y) % 5)].next = (self.theta[x + 5 * y].q.val()
                    << self.left[x + 5 * y].val())
                    | (self.theta[x + 5 * y].q.val() >> self.right[x + 5 * y].val());
            }
        }
        for y in 0..5 {
            for x in 0..5 {
                self.chi[x + 5 * y].next = self.turned[x + 5 * y].val()
                    ^ (!self.turned[(x + 1) % 5 + 5 * y].val()
                        & self.turned[(x + 2) % 5 + 5 * y].val());
            }
        }
        // An input of χ's LUTs. Where the choice is of zero, yosys takes the reset of the flip-flops, which is one for all eight
        // of a tile: the tiles of `state` then have no room for any others, and the wires become longer.
        for m in 0..2 {
            self.mask[m].next = self.none.val();
            if self.turns.keep_3[m].val() {
                self.mask[m].next = !self.none.val();
            }
        }
        self.mask[2].next = !self.none.val();
        if self.turns.clear_3[0].val() {
            self.mask[2].next = self.none.val();
        }
        for i in 0..25 {
            self.state[i].clock.next = self.clock.val();
            self.state[i].d.next = self.chi[i].val() & self.mask[i / 5 % 3].val();
        }
        // These lanes are the digest as well, and share its LUTs.
        for i in 0..4 {
            self.state[i].d.next = self.chi[i].val();
            if self.turns.clear_3[1].val() {
                self.state[i].d.next = 0.into();
            }
        }

        // Behind the last round: no other brings its ι in.
        for i in 0..4 {
            self.digest_q[i].clock.next = self.clock.val();
            self.digest_q[i].d.next = self.digest_q[i].q.val();
            if self.turns.finish_3.val() {
                self.digest_q[i].d.next = self.chi[i].val();
            }
        }
        if self.turns.finish_3.val() {
            self.digest_q[0].d.next = self.chi[0].val() ^ self.last_iota.val();
        }
        self.done_q.clock.next = self.clock.val();
        self.done_q.d.next = self.turns.finish_3.val() & !self.reset.val();
        self.late_q.clock.next = self.clock.val();
        self.late_q.d.next = self.turns.late_3.val();
        self.slot_q.clock.next = self.clock.val();
        self.slot_q.d.next = self.turns.slot_3.val();
        self.squeezed.next = bit_cast::<256, 64>(self.digest_q[0].q.val())
            | (bit_cast::<256, 64>(self.digest_q[1].q.val()) << 64)
            | (bit_cast::<256, 64>(self.digest_q[2].q.val()) << 128)
            | (bit_cast::<256, 64>(self.digest_q[3].q.val()) << 192);
        self.answer.x.next = self.squeezed.val();
        self.digest.next = self.answer.y.val();
        self.done.next = self.done_q.q.val();
        self.done_slot.next = self.slot_q.q.val();
        self.late.next = self.late_q.q.val();
    }
}
