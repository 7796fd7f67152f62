//! From the words of a message to padded blocks, as fast as they come.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::feed::WordPad;

/// Collects a block of 17 lanes, a word a cycle, each in its place.
#[derive(LogicBlock)]
pub struct BlockFill {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Drops the block that is being collected.
    pub reset: Signal<In, Bit>,
    /// There is a word. It stays until `ready`.
    pub valid: Signal<In, Bit>,
    /// The word is taken in this cycle, if `valid`.
    pub ready: Signal<Out, Bit>,
    /// Eight bytes, the first at bits 63 to 56.
    pub data: Signal<In, Bits<64>>,
    /// The message ends in this word.
    pub last: Signal<In, Bit>,
    /// Bytes of the last word, 0 to 7.
    pub bytes: Signal<In, Bits<3>>,
    /// A block is complete, and in `lane` from the next cycle on.
    pub full: Signal<Out, Bit>,
    /// It is the message's last.
    pub full_last: Signal<Out, Bit>,
    /// It is being taken: in the next cycle `lane` is read, and zero afterwards.
    pub taken: Signal<In, Bit>,
    /// The block.
    pub lane: [Signal<Out, Bits<64>>; 17],

    count: DFF<Bits<5>>,
    full_q: DFF<Bit>,
    last_q: DFF<Bit>,
    taken_q: DFF<Bit>,
    word: DFF<Bits<64>>,
    place: DFF<Bits<5>>,
    moves: DFF<Bit>,
    lanes: [DFF<Bits<64>>; 17],

    pad: WordPad,
    accepts: Signal<Local, Bit>,
    index: [Constant<Bits<5>>; 17],
    final_word: Constant<Bits<5>>,
    stop: Constant<Bits<64>>,
}

impl Default for BlockFill {
    fn default() -> Self {
        block! {
            lane: array_init::array_init(|_| Default::default()),
            lanes: array_init::array_init(|_| Default::default()),
            index: array_init::array_init(|i| Constant::new((i as u64).into())),
            final_word: Constant::new(16_u64.into()),
            stop: Constant::new(0x8000_0000_0000_0000_u64.into()),
            ; clock reset valid ready data last bytes full full_last taken count full_q last_q taken_q word place moves pad
            accepts
        }
    }
}

impl Logic for BlockFill {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, count, full_q, last_q, taken_q, word, place, moves
        );
        self.accepts.next = self.valid.val() & !self.full_q.q.val();
        self.pad.data.next = self.data.val();
        self.pad.last.next = self.last.val();
        self.pad.bytes.next = self.bytes.val();
        self.word.d.next = self.pad.padded.val();
        self.place.d.next = self.count.q.val();
        self.moves.d.next = self.accepts.val();
        self.taken_q.d.next = self.taken.val();
        if self.taken.val() {
            self.full_q.d.next = false;
        }
        if self.accepts.val() {
            self.count.d.next = self.count.q.val() + 1;
            self.last_q.d.next = self.last.val();
            if self.last.val() | (self.count.q.val() == self.final_word.val()) {
                self.count.d.next = 0.into();
                self.full_q.d.next = true;
            }
        }
        for i in 0..17 {
            self.lanes[i].clock.next = self.clock.val();
            self.lanes[i].d.next = self.lanes[i].q.val();
            if self.moves.q.val() & (self.place.q.val() == self.index[i].val()) {
                self.lanes[i].d.next = self.word.q.val();
            }
            if self.taken_q.q.val() | self.reset.val() {
                self.lanes[i].d.next = 0.into();
            }
            self.lane[i].next = self.lanes[i].q.val();
        }
        for i in 16..17 {
            if self.last_q.q.val() {
                self.lane[i].next = self.lanes[i].q.val() ^ self.stop.val();
            }
        }
        self.ready.next = !self.full_q.q.val();
        self.full.next = self.full_q.q.val();
        self.full_last.next = self.last_q.q.val();
        if self.reset.val() {
            self.count.d.next = 0.into();
            self.full_q.d.next = false;
            self.moves.d.next = false;
        }
    }
}
