//! The sponge: Keccak-256 with Ethereum's padding (0x01 … 0x80, rate 136 bytes).
//!
//! A chunk waits in a register while its 64-bit lanes go into the state, one a clock; the next chunk can
//! come while the state is permuted. A block of 136 bytes takes 17 clocks to absorb and 24 / U to permute.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;
use seq_macro::seq;

use super::round::{KeccakRound, Lanes};
use super::turn::Reverse64;

/// What the engine does.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Phase {
    /// Absorbs the chunk at hand, or waits for one.
    Absorb,
    /// Permutes between blocks.
    Permute,
    /// Permutes after the padding.
    Finish,
}

/// A Keccak-256 engine of `U` rounds a clock (1, 2, 3, 4, 6, 8, 12 or 24).
#[derive(LogicBlock)]
pub struct Keccak<const U: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset: forgets the message.
    pub reset: Signal<In, Bit>,
    /// A chunk is offered.
    pub valid: Signal<In, Bit>,
    /// It is taken.
    pub ready: Signal<Out, Bit>,
    /// The chunk, first byte most significant.
    pub data: Signal<In, Bits<256>>,
    /// Bytes of the chunk: 32, or 0 to 32 in the last one.
    pub bytes: Signal<In, Bits<6>>,
    /// It is the message's last.
    pub last: Signal<In, Bit>,
    /// The digest stands (a pulse).
    pub done: Signal<Out, Bit>,
    /// The digest, first byte most significant; stays until the next message's first chunk.
    pub digest: Signal<Out, Bits<256>>,
    rounds: [KeccakRound; U],
    chunk_order: Reverse64,
    digest_order: [Reverse64; 4],
    offset: [Constant<Bits<5>>; U],
    step: Constant<Bits<5>>,
    final_step: Constant<Bits<5>>,
    state: DFF<Lanes>,
    phase: DFF<Phase>,
    round: DFF<Bits<5>>,
    place: DFF<Bits<5>>,
    open: DFF<Bit>,
    chunk: DFF<Bits<256>>,
    left: DFF<Bits<6>>,
    ending: DFF<Bit>,
    full: DFF<Bit>,
    finished: DFF<Bit>,
    here: Signal<Local, Lanes>,
    empty: Signal<Local, Lanes>,
    word: Signal<Local, Bits<64>>,
    turned: Signal<Local, Bits<64>>,
    keep: Signal<Local, Bits<64>>,
    pad: Signal<Local, Bits<64>>,
    lane: Signal<Local, Bits<64>>,
    shift: Signal<Local, Bits<7>>,
    ones: Signal<Local, Bits<64>>,
    one: Signal<Local, Bits<64>>,
    partial: Signal<Local, Bit>,
    last_word: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    absorbs: Signal<Local, Bit>,
    r0: Signal<Local, Bits<64>>,
    r1: Signal<Local, Bits<64>>,
    r2: Signal<Local, Bits<64>>,
    r3: Signal<Local, Bits<64>>,
}

impl<const U: usize> Default for Keccak<U> {
    fn default() -> Self {
        const { assert!(U >= 1 && 24 % U == 0) };
        Self {
            clock: Default::default(),
            reset: Default::default(),
            valid: Default::default(),
            ready: Default::default(),
            data: Default::default(),
            bytes: Default::default(),
            last: Default::default(),
            done: Default::default(),
            digest: Default::default(),
            rounds: array_init::array_init(|_| Default::default()),
            chunk_order: Default::default(),
            digest_order: array_init::array_init(|_| Default::default()),
            offset: array_init::array_init(|i| Constant::new((i as u64).into())),
            step: Constant::new((U as u64).into()),
            final_step: Constant::new((24 - U as u64).into()),
            state: Default::default(),
            phase: Default::default(),
            round: Default::default(),
            place: Default::default(),
            open: Default::default(),
            chunk: Default::default(),
            left: Default::default(),
            ending: Default::default(),
            full: Default::default(),
            finished: Default::default(),
            here: Default::default(),
            empty: Default::default(),
            word: Default::default(),
            turned: Default::default(),
            keep: Default::default(),
            pad: Default::default(),
            lane: Default::default(),
            shift: Default::default(),
            ones: Default::default(),
            one: Default::default(),
            partial: Default::default(),
            last_word: Default::default(),
            accept: Default::default(),
            absorbs: Default::default(),
            r0: Default::default(),
            r1: Default::default(),
            r2: Default::default(),
            r3: Default::default(),
        }
    }
}

seq!(N in 0..17 {
impl<const U: usize> Logic for Keccak<U> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, state, phase, round, place, open, chunk, left, ending, full, finished
        );
        self.here.next = self.state.q.val();
        #( self.empty.next.l~N = 0.into(); )*
        self.empty.next.l17 = 0.into();
        self.empty.next.l18 = 0.into();
        self.empty.next.l19 = 0.into();
        self.empty.next.l20 = 0.into();
        self.empty.next.l21 = 0.into();
        self.empty.next.l22 = 0.into();
        self.empty.next.l23 = 0.into();
        self.empty.next.l24 = 0.into();
        self.rounds[0].a.next = self.state.q.val();
        for k in 1..U {
            self.rounds[k].a.next = self.rounds[k - 1].y.val();
        }
        for k in 0..U {
            self.rounds[k].round.next = self.round.q.val() + self.offset[k].val();
        }

        // The lane at the head of the chunk, with the padding's first byte where the message ends.
        self.word.next = self.chunk.q.val().get_bits::<64>(192);
        self.chunk_order.a.next = self.word.val();
        self.turned.next = self.chunk_order.y.val();
        self.partial.next = self.left.q.val() < 8;
        self.shift.next = bit_cast::<7, 6>(self.left.q.val()) << 3;
        self.one.next = 1.into();
        self.ones.next = 0xffff_ffff_ffff_ffff_u64.into();
        self.keep.next = self.ones.val();
        self.pad.next = 0.into();
        self.last_word.next = self.ending.q.val() & self.partial.val();
        if self.partial.val() {
            self.keep.next = !(self.ones.val() << self.shift.val());
        }
        if self.last_word.val() {
            self.pad.next = self.one.val() << self.shift.val();
        }
        self.lane.next = (self.turned.val() & self.keep.val()) | self.pad.val();

        self.finished.d.next = false;
        self.absorbs.next = false;
        match self.phase.q.val() {
            Phase::Absorb => {
                self.absorbs.next = self.full.q.val();
            }
            Phase::Permute => {
                self.round.d.next = self.round.q.val() + self.step.val();
                for k in (U - 1)..U {
                    self.state.d.next = self.rounds[k].y.val();
                }
                if self.round.q.val() == self.final_step.val() {
                    self.phase.d.next = Phase::Absorb;
                }
            }
            Phase::Finish => {
                self.round.d.next = self.round.q.val() + self.step.val();
                for k in (U - 1)..U {
                    self.state.d.next = self.rounds[k].y.val();
                }
                if self.round.q.val() == self.final_step.val() {
                    self.phase.d.next = Phase::Absorb;
                    self.finished.d.next = true;
                    self.open.d.next = false;
                }
            }
        }
        if self.absorbs.val() {
            #(
                if self.place.q.val() == N {
                    self.state.d.next.l~N = self.here.val().l~N ^ self.lane.val();
                }
            )*
            self.place.d.next = self.place.q.val() + 1;
            self.chunk.d.next = self.chunk.q.val() << 64;
            self.left.d.next = self.left.q.val() - 8;
            if self.place.q.val() == 16 {
                self.place.d.next = 0.into();
                self.round.d.next = 0.into();
                self.phase.d.next = Phase::Permute;
            }
            if (self.left.q.val() == 8) & !self.ending.q.val() {
                self.full.d.next = false;
            }
            if self.last_word.val() {
                // The padding's last bit closes the block.
                if self.place.q.val() == 16 {
                    self.state.d.next.l16 =
                        (self.here.val().l16 ^ self.lane.val()) ^ (self.one.val() << 63);
                } else {
                    self.state.d.next.l16 = self.here.val().l16 ^ (self.one.val() << 63);
                }
                self.full.d.next = false;
                self.place.d.next = 0.into();
                self.round.d.next = 0.into();
                self.phase.d.next = Phase::Finish;
            }
        }

        // A new message begins with an empty state; it waits until the one before is finished.
        self.ready.next = !self.full.q.val() & (self.phase.q.val() != Phase::Finish);
        self.accept.next =
            (self.valid.val() & !self.full.q.val()) & (self.phase.q.val() != Phase::Finish);
        if self.accept.val() {
            self.chunk.d.next = self.data.val();
            self.left.d.next = self.bytes.val();
            self.ending.d.next = self.last.val();
            self.full.d.next = true;
            self.open.d.next = true;
            if !self.open.q.val() {
                self.state.d.next = self.empty.val();
            }
        }
        self.done.next = self.finished.q.val();
        self.digest_order[0].a.next = self.here.val().l0;
        self.digest_order[1].a.next = self.here.val().l1;
        self.digest_order[2].a.next = self.here.val().l2;
        self.digest_order[3].a.next = self.here.val().l3;
        self.r0.next = self.digest_order[0].y.val();
        self.r1.next = self.digest_order[1].y.val();
        self.r2.next = self.digest_order[2].y.val();
        self.r3.next = self.digest_order[3].y.val();
        self.digest.next = ((bit_cast::<256, 64>(self.r0.val()) << 192)
            | (bit_cast::<256, 64>(self.r1.val()) << 128))
            | ((bit_cast::<256, 64>(self.r2.val()) << 64) | bit_cast::<256, 64>(self.r3.val()));
        if self.reset.val() {
            self.phase.d.next = Phase::Absorb;
            self.full.d.next = false;
            self.open.d.next = false;
            self.place.d.next = 0.into();
            self.finished.d.next = false;
        }
    }
}
});
