//! The sponge: absorbs a message in 32-byte chunks, pads it, permutes, gives the digest.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;
use seq_macro::seq;

use super::chunk::{ByteReverse, ChunkPad};
use super::round::{KeccakRound, Lanes};

/// What the engine does in a cycle.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum SpongeState {
    /// Takes chunks.
    Absorb,
    /// Computes rounds.
    Permute,
    /// Absorbs a block of padding alone, for a message that fills its last block.
    Pad,
}

/// Keccak-256 engine with `U` rounds a clock; `U` divides 24.
///
/// A message is a sequence of chunks: 32 bytes each but the last one, which has `last` set and 0 to 32 bytes. Chunks are absorbed in one cycle each; the one that lies across the end of a block
/// takes one in each block, and `ready` comes in its second. So a block of 136 bytes takes 5 + 24 / `U` cycles if
/// chunks are always there, and a message of n bytes, 0 < n < 136, takes ⌈n / 32⌉ + 24 / `U` cycles from its first
/// chunk to `done`. A multiple of 136 bytes takes one block more, of padding, with 1 + 24 / `U` cycles.
#[derive(LogicBlock)]
pub struct Keccak<const U: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Abandons the message.
    pub reset: Signal<In, Bit>,
    /// There is a chunk. It stays until `ready`.
    pub valid: Signal<In, Bit>,
    /// The chunk is taken in this cycle, if `valid`.
    pub ready: Signal<Out, Bit>,
    /// The chunk's bytes, the first at bits 255 to 248. Bytes beyond `bytes` do not matter.
    pub data: Signal<In, Bits<256>>,
    /// Bytes in the chunk; 32 in all but the last.
    pub bytes: Signal<In, Bits<6>>,
    /// The message ends with this chunk.
    pub last: Signal<In, Bit>,
    /// One cycle, when `digest` is new.
    pub done: Signal<Out, Bit>,
    /// The digest, first byte at bits 255 to 248, until the next `done`.
    pub digest: Signal<Out, Bits<256>>,

    state: DFF<SpongeState>,
    lanes: DFF<Lanes>,
    // The block, until the first round takes it in; then zero.
    block: [DFF<Bits<64>>; 17],
    // Where the chunk goes on: lane of the block, and words of it that the block before took.
    place: DFF<Bits<5>>,
    taken: DFF<Bits<3>>,
    round: DFF<Bits<5>>,
    // After the permutation: the message is over, or is but for its padding.
    final_q: DFF<Bit>,
    extra_q: DFF<Bit>,
    done_q: DFF<Bit>,
    digest_q: DFF<Bits<256>>,

    count: Signal<Local, Bits<6>>,
    pad: ChunkPad,
    word: [Signal<Local, Bits<64>>; 4],
    phase: Signal<Local, Bits<2>>,
    turned: [Signal<Local, Bits<64>>; 4],
    // Lanes from `place` up to `end` get words; the padding begins in lane `pad_lane`.
    end: Signal<Local, Bits<5>>,
    rest: Signal<Local, Bits<5>>,
    pad_lane: Signal<Local, Bits<5>>,
    finishes: Signal<Local, Bit>,
    fills: Signal<Local, Bit>,
    splits: Signal<Local, Bit>,
    padding: Signal<Local, Bit>,
    absorbs: Signal<Local, Bit>,
    absorbed: Signal<Local, Lanes>,

    rounds: [KeccakRound; U],
    permuted: Signal<Local, Lanes>,
    squeezed: Signal<Local, Bits<256>>,
    answer: ByteReverse,

    offset: [Constant<Bits<5>>; U],
    step: Constant<Bits<5>>,
    last_round: Constant<Bits<5>>,
    index: [Constant<Bits<5>>; 25],
    none: Constant<Lanes>,
    pad_end: Constant<Bits<64>>,
}

impl<const U: usize> Keccak<U> {
    const DIVIDES: () = assert!(U >= 1 && 24 % U == 0, "rounds per clock must divide 24");
}

impl<const U: usize> Default for Keccak<U> {
    fn default() -> Self {
        let () = Self::DIVIDES;
        block! {
            word: array_init::array_init(|_| Default::default()),
            turned: array_init::array_init(|_| Default::default()),
            block: array_init::array_init(|_| Default::default()),
            rounds: array_init::array_init(|_| Default::default()),
            offset: array_init::array_init(|i| Constant::new((i as u64).into())),
            step: Constant::new((U as u64).into()),
            last_round: Constant::new((24 - U as u64).into()),
            index: array_init::array_init(|i| Constant::new((i as u64).into())),
            none: Constant::new(Lanes::default()),
            pad_end: Constant::new(0x8000_0000_0000_0000_u64.into()),
            ; clock reset valid ready data bytes last done digest state lanes place taken round final_q extra_q done_q
            digest_q count pad phase end rest pad_lane finishes fills splits padding absorbs absorbed permuted squeezed answer
        }
    }
}

seq!(N in 0..17 {
impl<const U: usize> Logic for Keccak<U> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, lanes, place, taken, round, final_q, extra_q, done_q, digest_q);

        // The chunk as lanes of the sponge. Lane L of the block takes its word L + phase modulo 4.
        self.count.next = 32.into();
        if self.last.val() {
            self.count.next = self.bytes.val();
        }
        self.pad.data.next = self.data.val();
        self.pad.count.next = self.count.val();
        for w in 0..4 {
            self.word[w].next = self.pad.lanes.val().get_bits::<64>(w * 64);
        }
        self.phase.next = self.taken.q.val().get_bits::<2>(0) - self.place.q.val().get_bits::<2>(0);
        match self.phase.val().index() {
            0 => {
                self.turned[0].next = self.word[0].val();
                self.turned[1].next = self.word[1].val();
                self.turned[2].next = self.word[2].val();
                self.turned[3].next = self.word[3].val();
            }
            1 => {
                self.turned[0].next = self.word[1].val();
                self.turned[1].next = self.word[2].val();
                self.turned[2].next = self.word[3].val();
                self.turned[3].next = self.word[0].val();
            }
            2 => {
                self.turned[0].next = self.word[2].val();
                self.turned[1].next = self.word[3].val();
                self.turned[2].next = self.word[0].val();
                self.turned[3].next = self.word[1].val();
            }
            _ => {
                self.turned[0].next = self.word[3].val();
                self.turned[1].next = self.word[0].val();
                self.turned[2].next = self.word[1].val();
                self.turned[3].next = self.word[2].val();
            }
        }

        // What the chunk does to the block of 17 lanes. It begins as zeros, so that what is left alone takes no gates.
        self.rest.next = 4 - bit_cast::<5, 3>(self.taken.q.val());
        self.end.next = self.place.q.val() + self.rest.val();
        self.pad_lane.next = self.place.q.val() + bit_cast::<5, 3>(self.count.val().get_bits::<3>(3))
            - bit_cast::<5, 3>(self.taken.q.val());
        self.padding.next = self.state.q.val() == SpongeState::Pad;
        self.finishes.next = self.last.val() && (self.pad_lane.val() <= 16);
        self.fills.next = self.end.val() >= 17;
        self.splits.next = (self.end.val() > 17) && !self.finishes.val();
        self.absorbs.next = (self.state.q.val() == SpongeState::Absorb) & self.valid.val();
        for i in 0..17 {
            self.block[i].clock.next = self.clock.val();
            self.block[i].d.next = self.block[i].q.val();
            if self.absorbs.val()
                && (self.index[i].val() >= self.place.q.val())
                && (self.index[i].val() < self.end.val())
            {
                self.block[i].d.next = self.turned[i % 4].val();
            }
            // After a whole last chunk the padding begins in the next lane.
            if self.absorbs.val()
                && self.finishes.val()
                && self.count.val().get_bit(5)
                && (self.index[i].val() == self.end.val())
            {
                self.block[i].d.next = self.block[i].q.val() | 1;
            }
        }
        if self.padding.val() {
            self.block[0].d.next = self.block[0].q.val() | 1;
        }
        // No chunk before this one has reached the block's end.
        if self.padding.val() || (self.absorbs.val() && self.finishes.val()) {
            self.block[16].d.next = self.block[16].d.val() ^ self.pad_end.val();
        }
        for i in 0..17 {
            if (self.state.q.val() == SpongeState::Permute) | self.reset.val() {
                self.block[i].d.next = 0.into();
            }
        }
        self.absorbed.next = self.none.val();
        #( self.absorbed.next.l~N = self.block[N].q.val(); )*

        // The rounds of this clock, one after the other.
        self.rounds[0].a.next = self.lanes.q.val();
        self.rounds[0].block.next = self.absorbed.val();
        for k in 1..U {
            self.rounds[k].block.next = self.none.val();
            self.rounds[k].a.next = self.rounds[k - 1].y.val();
        }
        for k in 0..U {
            self.rounds[k].round.next = self.round.q.val() + self.offset[k].val();
        }
        for k in (U - 1)..U {
            self.permuted.next = self.rounds[k].y.val();
        }
        self.squeezed.next = bit_cast::<256, 64>(self.permuted.val().l0)
            | (bit_cast::<256, 64>(self.permuted.val().l1) << 64)
            | (bit_cast::<256, 64>(self.permuted.val().l2) << 128)
            | (bit_cast::<256, 64>(self.permuted.val().l3) << 192);
        self.answer.x.next = self.squeezed.val();

        self.ready.next = false;
        self.done_q.d.next = false;
        match self.state.q.val() {
            SpongeState::Absorb => {
                self.ready.next = !self.splits.val();
                if self.valid.val() {
                    self.place.d.next = self.end.val();
                    self.taken.d.next = 0.into();
                    if self.finishes.val() || self.fills.val() {
                        self.state.d.next = SpongeState::Permute;
                        self.place.d.next = 0.into();
                    }
                    // Of the chunk's four words, 21 − end fitted into this block.
                    if self.splits.val() {
                        self.taken.d.next = 5 - self.end.val().get_bits::<3>(0);
                    }
                    self.final_q.d.next = self.finishes.val();
                    self.extra_q.d.next = self.last.val() && !self.finishes.val() && !self.splits.val();
                }
            }
            SpongeState::Permute => {
                self.lanes.d.next = self.permuted.val();
                self.round.d.next = self.round.q.val() + self.step.val();
                if self.round.q.val() == self.last_round.val() {
                    self.round.d.next = 0.into();
                    self.state.d.next = SpongeState::Absorb;
                    if self.extra_q.q.val() {
                        self.state.d.next = SpongeState::Pad;
                    }
                    if self.final_q.q.val() {
                        self.digest_q.d.next = self.answer.y.val();
                        self.lanes.d.next = self.none.val();
                        self.done_q.d.next = true;
                    }
                }
            }
            SpongeState::Pad => {
                self.final_q.d.next = true;
                self.extra_q.d.next = false;
                self.state.d.next = SpongeState::Permute;
            }
        }
        if self.reset.val() {
            self.state.d.next = SpongeState::Absorb;
            self.lanes.d.next = self.none.val();
            self.place.d.next = 0.into();
            self.taken.d.next = 0.into();
            self.round.d.next = 0.into();
            self.final_q.d.next = false;
            self.extra_q.d.next = false;
            self.done_q.d.next = false;
        }

        self.done.next = self.done_q.q.val();
        self.digest.next = self.digest_q.q.val();
    }
}
});
