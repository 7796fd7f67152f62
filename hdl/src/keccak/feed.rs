//! From the words of messages to padded blocks.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;
use seq_macro::seq;

seq!(N in 0..8 {
    /// Eight bytes of a lane, byte 0 lowest.
    #[allow(missing_docs)]
    #[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
    pub struct LaneBytes { #( pub b~N: Bits<8>, )* }
});

/// Combinational: a word of a message as a lane of the sponge, with the first byte of the padding where it is the last.
#[derive(LogicBlock)]
pub struct WordPad {
    /// Eight bytes, the first at bits 63 to 56.
    pub data: Signal<In, Bits<64>>,
    /// The message ends in this word.
    pub last: Signal<In, Bit>,
    /// Bytes of the last word, 0 to 7. Those behind them do not matter.
    pub bytes: Signal<In, Bits<3>>,
    /// The bytes, the first one lowest, then 0x01 and zeros.
    pub padded: Signal<Out, Bits<64>>,

    size: Signal<Local, Bits<4>>,
    byte: [Signal<Local, Bits<8>>; 8],
    joined: Signal<Local, LaneBytes>,
    index: [Constant<Bits<4>>; 8],
    start: Constant<Bits<8>>,
}

impl Default for WordPad {
    fn default() -> Self {
        block! {
            byte: array_init::array_init(|_| Default::default()),
            index: array_init::array_init(|i| Constant::new((i as u64).into())),
            start: Constant::new(0x01_u64.into()),
            ; data last bytes padded size joined
        }
    }
}

seq!(N in 0..8 {
impl Logic for WordPad {
    #[hdl_gen]
    fn update(&mut self) {
        self.size.next = bit_cast::<4, 3>(self.bytes.val());
        for i in 0..8 {
            self.byte[i].next = self.data.val().get_bits::<8>(56 - 8 * i);
            if self.last.val() & (self.index[i].val() >= self.size.val()) {
                self.byte[i].next = 0.into();
            }
            if self.last.val() & (self.index[i].val() == self.size.val()) {
                self.byte[i].next = self.start.val();
            }
        }
        #( self.joined.next.b~N = self.byte[N].val(); )*
        self.padded.next = self.joined.val().into();
    }
}
});

/// Collects a block of 17 lanes, a word a cycle, pads it, and keeps the XOR of its lanes in each column.
///
/// A message of n bytes is ⌊n / 8⌋ whole words and a last one with the n mod 8 bytes that are left, also where these are
/// none: so the padding always begins in the last word, and nothing follows it. What the last word leaves of its block is
/// filled with zeros, a word a cycle.
#[derive(LogicBlock)]
pub struct BlockFeed {
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
    /// Bytes of the last word, 0 to 7. Those behind them do not matter.
    pub bytes: Signal<In, Bits<3>>,
    /// The message that the word belongs to; the same in all words of a block.
    pub slot: Signal<In, Bits<2>>,
    /// A block is complete, and in `lane` from the next cycle on.
    pub full: Signal<Out, Bit>,
    /// Its message.
    pub full_slot: Signal<Out, Bits<2>>,
    /// It is the message's last.
    pub full_last: Signal<Out, Bit>,
    /// It is being taken: `column` is read in the next cycle, `lane` in the one after it.
    pub taken: Signal<In, Bit>,
    /// The block.
    pub lane: [Signal<Out, Bits<64>>; 17],
    /// XOR of the lanes x, x + 5, x + 10, x + 15.
    pub column: [Signal<Out, Bits<64>>; 5],

    count: DFF<Bits<5>>,
    fills: DFF<Bit>,
    full_q: DFF<Bit>,
    slot_q: DFF<Bits<2>>,
    last_q: DFF<Bit>,
    word: DFF<Bits<64>>,
    // The word of the cycle before, and whether there is none five words earlier.
    moves: DFF<Bit>,
    early: DFF<Bit>,
    lanes: [DFF<Bits<64>>; 17],
    columns: [DFF<Bits<64>>; 5],

    accepts: Signal<Local, Bit>,
    goes: Signal<Local, Bit>,
    ends: Signal<Local, Bit>,
    pad: WordPad,
    older: Signal<Local, Bits<64>>,

    stop: Constant<Bits<64>>,
    final_word: Constant<Bits<5>>,
    columns_count: Constant<Bits<5>>,
}

impl Default for BlockFeed {
    fn default() -> Self {
        block! {
            lane: array_init::array_init(|_| Default::default()),
            column: array_init::array_init(|_| Default::default()),
            lanes: array_init::array_init(|_| Default::default()),
            columns: array_init::array_init(|_| Default::default()),
            stop: Constant::new(0x8000_0000_0000_0000_u64.into()),
            final_word: Constant::new(16_u64.into()),
            columns_count: Constant::new(5_u64.into()),
            ; clock reset valid ready data last bytes slot full full_slot full_last taken count fills full_q slot_q last_q
            word moves early accepts goes ends pad older
        }
    }
}

impl Logic for BlockFeed {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, count, fills, full_q, slot_q, last_q, word, moves, early
        );
        self.accepts.next = self.valid.val() & !self.fills.q.val() & !self.full_q.q.val();
        self.goes.next = self.accepts.val() | self.fills.q.val();
        self.ends.next = self.fills.q.val() | self.last.val();

        self.pad.data.next = self.data.val();
        self.pad.last.next = self.last.val();
        self.pad.bytes.next = self.bytes.val();
        self.word.d.next = self.pad.padded.val();
        if self.fills.q.val() {
            self.word.d.next = 0.into();
        }
        if self.ends.val() & (self.count.q.val() == self.final_word.val()) {
            self.word.d.next = self.word.d.val() ^ self.stop.val();
        }
        self.moves.d.next = self.goes.val();
        self.early.d.next = self.count.q.val() < self.columns_count.val();
        if self.taken.val() {
            self.full_q.d.next = false;
        }
        if self.goes.val() {
            self.count.d.next = self.count.q.val() + 1;
            self.fills.d.next = self.ends.val();
            if self.count.q.val() == self.final_word.val() {
                self.count.d.next = 0.into();
                self.fills.d.next = false;
                self.full_q.d.next = true;
                self.last_q.d.next = self.ends.val();
            }
        }
        if self.accepts.val() {
            self.slot_q.d.next = self.slot.val();
        }

        // The block moves down by a lane with each word; the columns go round.
        for i in 0..17 {
            self.lanes[i].clock.next = self.clock.val();
            self.lanes[i].d.next = self.lanes[i].q.val();
            self.lane[i].next = self.lanes[i].q.val();
        }
        for x in 0..5 {
            self.columns[x].clock.next = self.clock.val();
            self.columns[x].d.next = self.columns[x].q.val();
        }
        self.older.next = self.columns[0].q.val();
        if self.early.q.val() {
            self.older.next = 0.into();
        }
        if self.moves.q.val() {
            for i in 0..16 {
                self.lanes[i].d.next = self.lanes[i + 1].q.val();
            }
            for i in 16..17 {
                self.lanes[i].d.next = self.word.q.val();
            }
            for x in 0..4 {
                self.columns[x].d.next = self.columns[x + 1].q.val();
            }
            for x in 4..5 {
                self.columns[x].d.next = self.word.q.val() ^ self.older.val();
            }
        }
        // The last of 17 words belongs to column 1.
        for x in 0..5 {
            self.column[x].next = self.columns[(x + 3) % 5].q.val();
        }

        self.ready.next = !self.fills.q.val() & !self.full_q.q.val();
        self.full.next = self.full_q.q.val();
        self.full_slot.next = self.slot_q.q.val();
        self.full_last.next = self.last_q.q.val();
        if self.reset.val() {
            self.count.d.next = 0.into();
            self.fills.d.next = false;
            self.full_q.d.next = false;
            self.moves.d.next = false;
        }
    }
}
