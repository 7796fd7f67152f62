//! Which message is at which round: the control beside the pipeline.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::round::IOTA;
use crate::prim::LookupRom;

/// The rounds of four messages, which go round beside their states; a number is the stage that a register belongs to.
///
/// A message begins when a block is there and its place is free, runs for 24 passes, and takes its next block in the pass
/// behind them. Behind the last pass of its last block the state becomes zero, for the next message.
#[derive(LogicBlock)]
pub struct Turns {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Ends all messages.
    pub reset: Signal<In, Bit>,
    /// A block is there …
    pub full: Signal<In, Bit>,
    /// … for this message …
    pub full_slot: Signal<In, Bits<2>>,
    /// … whose last it is.
    pub full_last: Signal<In, Bit>,
    /// It is taken.
    pub taken: Signal<Out, Bit>,
    /// Stage 0 takes no block.
    pub skip_0: Signal<Out, Bit>,
    /// Nor does stage 1; in two copies.
    pub skip_1: [Signal<Out, Bit>; 2],
    /// ι of the round before, for lane 0 of stage 0.
    pub iota_0: Signal<Out, Bits<64>>,
    /// The same for stage 1.
    pub iota_1: Signal<Out, Bits<64>>,
    /// Behind stage 3 there is a message; else its state becomes zero. In two copies.
    pub keep_3: [Signal<Out, Bit>; 2],
    /// The opposite, in two copies.
    pub clear_3: [Signal<Out, Bit>; 2],
    /// Behind stage 3 a message has its digest.
    pub finish_3: Signal<Out, Bit>,
    /// Which one.
    pub slot_3: Signal<Out, Bits<2>>,
    /// One of its blocks was late.
    pub late_3: Signal<Out, Bit>,

    constants: LookupRom<5, Bits<64>>,
    round0: DFF<Bits<5>>,
    round1: DFF<Bits<5>>,
    next2: DFF<Bits<5>>,
    next3: DFF<Bits<5>>,
    // More blocks of the message are to come.
    open0: DFF<Bit>,
    open1: DFF<Bit>,
    open2: DFF<Bit>,
    open3: DFF<Bit>,
    late0: DFF<Bit>,
    late1: DFF<Bit>,
    late2: DFF<Bit>,
    late3: DFF<Bit>,
    // It computes a round.
    run0: DFF<Bit>,
    run1: DFF<Bit>,
    // It will do so in the next pass, too, without another block.
    goes2: DFF<Bit>,
    goes3: DFF<Bit>,
    // It takes a block in the next pass, if there is one.
    free2: DFF<Bit>,
    free3: DFF<Bit>,
    finish2: DFF<Bit>,
    finish3: DFF<Bit>,
    take3: DFF<Bit>,
    // What goes to a thousand places has copies, with and without a reset, so that yosys keeps them apart; and its
    // opposite, as the reset of a flip-flop is no LUT.
    keep3: [DFF<Bit>; 2],
    clear3: [DFF<Bit>; 2],
    skip0: DFF<Bit>,
    skip1: [DFF<Bit>; 2],
    iota3: DFF<Bits<64>>,
    iota0: DFF<Bits<64>>,
    iota1: DFF<Bits<64>>,
    slot2: DFF<Bits<2>>,
    slot3: DFF<Bits<2>>,

    ends: Signal<Local, Bit>,
    runs: Signal<Local, Bit>,
    last_round: Constant<Bits<5>>,
    between: Constant<Bits<5>>,
}

impl Default for Turns {
    fn default() -> Self {
        // A round brings in the constant of the one before; the first of a message has none.
        let constants = std::iter::once(0).chain(IOTA).map(Bits::from).collect();
        block! {
            constants: LookupRom::new(constants),
            skip_1: Default::default(), keep_3: Default::default(), clear_3: Default::default(),
            skip1: Default::default(), keep3: Default::default(), clear3: Default::default(),
            last_round: Constant::new(23_u64.into()),
            between: Constant::new(24_u64.into()),
            ; clock reset full full_slot full_last taken skip_0 iota_0 iota_1 finish_3 slot_3 late_3
            round0 round1 next2 next3 open0 open1 open2 open3 late0 late1 late2 late3 run0 run1 goes2 goes3 free2 free3
            finish2 finish3 take3 skip0 iota3 iota0 iota1 slot2 slot3 ends runs
        }
    }
}

impl Logic for Turns {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, round0, round1, next2, next3, open0, open1, open2, open3, late0, late1,
            late2, late3, run0, run1, goes2, goes3, free2, free3, finish2, finish3, take3, skip0,
            iota3, iota0, iota1, slot2, slot3
        );
        // Stage 0.
        self.round1.d.next = self.round0.q.val();
        self.open1.d.next = self.open0.q.val();
        self.late1.d.next = self.late0.q.val();
        self.run1.d.next = self.run0.q.val();
        for i in 0..2 {
            self.skip1[i].clock.next = self.clock.val();
            self.skip1[i].d.next = self.skip0.q.val();
        }
        self.iota1.d.next = self.iota0.q.val();

        // Stage 1: what comes after this pass.
        self.ends.next = self.run1.q.val() & (self.round1.q.val() == self.last_round.val());
        self.next2.d.next = self.round1.q.val();
        if self.run1.q.val() {
            self.next2.d.next = self.round1.q.val() + 1;
            if self.round1.q.val() == self.between.val() {
                self.next2.d.next = 1.into();
            }
        }
        if !self.open1.q.val() & (self.ends.val() | !self.run1.q.val()) {
            self.next2.d.next = 0.into();
        }
        self.goes2.d.next = self.run1.q.val() & !self.ends.val();
        self.free2.d.next = !self.run1.q.val() | self.ends.val();
        self.finish2.d.next = self.ends.val() & !self.open1.q.val();
        self.open2.d.next = self.open1.q.val();
        self.late2.d.next = self.late1.q.val();

        // Stage 2: is there a block for it?
        self.take3.d.next =
            self.free2.q.val() & self.full.val() & (self.full_slot.val() == self.slot2.q.val());
        self.slot2.d.next = self.slot2.q.val() + 1;
        self.slot3.d.next = self.slot2.q.val();
        self.constants.addr.next = self.next2.q.val();
        self.iota3.d.next = self.constants.data.val();
        for i in 0..2 {
            self.keep3[i].clock.next = self.clock.val();
            self.keep3[i].d.next = self.goes2.q.val() | self.open2.q.val();
            self.clear3[i].clock.next = self.clock.val();
            self.clear3[i].d.next = !(self.goes2.q.val() | self.open2.q.val());
        }
        self.next3.d.next = self.next2.q.val();
        self.goes3.d.next = self.goes2.q.val();
        self.free3.d.next = self.free2.q.val();
        self.finish3.d.next = self.finish2.q.val();
        self.open3.d.next = self.open2.q.val();
        self.late3.d.next = self.late2.q.val();

        // Stage 3.
        self.runs.next = self.take3.q.val() | self.goes3.q.val();
        self.round0.d.next = self.next3.q.val();
        self.run0.d.next = self.runs.val();
        self.skip0.d.next = !self.take3.q.val();
        self.iota0.d.next = 0.into();
        if self.runs.val() {
            self.iota0.d.next = self.iota3.q.val();
        }
        self.open0.d.next = self.open3.q.val();
        self.late0.d.next =
            self.late3.q.val() | (self.open3.q.val() & self.free3.q.val() & !self.take3.q.val());
        if self.take3.q.val() {
            self.open0.d.next = !self.full_last.val();
            self.late0.d.next = self.late3.q.val() & self.open3.q.val();
        }

        self.taken.next = self.take3.q.val();
        self.skip_0.next = self.skip0.q.val();
        for i in 0..2 {
            self.skip_1[i].next = self.skip1[i].q.val();
            self.keep_3[i].next = self.keep3[i].q.val();
            self.clear_3[i].next = self.clear3[i].q.val();
        }
        self.iota_0.next = self.iota0.q.val();
        self.iota_1.next = self.iota1.q.val();
        self.finish_3.next = self.finish3.q.val();
        self.slot_3.next = self.slot3.q.val();
        self.late_3.next = self.late3.q.val();
        if self.reset.val() {
            // A place without a message makes its state zero, before a block can be there.
            self.open0.d.next = false;
            self.open1.d.next = false;
            self.open2.d.next = false;
            self.open3.d.next = false;
            self.run0.d.next = false;
            self.run1.d.next = false;
            self.goes2.d.next = false;
            self.goes3.d.next = false;
            self.finish2.d.next = false;
            self.finish3.d.next = false;
            self.take3.d.next = false;
            self.skip1[1].d.next = true;
            self.keep3[1].d.next = false;
            self.clear3[1].d.next = true;
        }
    }
}
