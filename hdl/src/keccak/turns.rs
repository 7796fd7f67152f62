//! Which message is at which round: the control beside the pipeline.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::round::IOTA;
use crate::arith::block;
use crate::prim::LookupRom;

/// Messages in the pipeline: as many as it has stages.
pub const SLOTS: usize = 5;

/// The rounds of the messages, which go round beside their states; a number is the stage that a register belongs to.
///
/// A message rests between its blocks (round 24) and when there is none (round 0); then its state goes through the pipeline
/// unchanged. A rest ends when a block of the message is there.
#[derive(LogicBlock)]
pub struct Turns {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Ends all messages.
    pub reset: Signal<In, Bit>,
    /// A block is there …
    pub full: Signal<In, Bit>,
    /// … for this message …
    pub full_slot: Signal<In, Bits<3>>,
    /// … whose last it is.
    pub full_last: Signal<In, Bit>,
    /// It is taken.
    pub taken: Signal<Out, Bit>,
    /// Stage 0 takes a block.
    pub take_0: Signal<Out, Bit>,
    /// So does stage 1.
    pub take_1: Signal<Out, Bit>,
    /// ι of the round before, for lane 0 of stage 0.
    pub iota_0: Signal<Out, Bits<64>>,
    /// The same for stage 1.
    pub iota_1: Signal<Out, Bits<64>>,
    /// Stage 2 computes a round.
    pub run_2: Signal<Out, Bit>,
    /// Stage 2 rests.
    pub rest_2: Signal<Out, Bit>,
    /// Behind stage 4 there is no message: its state is zero.
    pub clear_4: Signal<Out, Bit>,
    /// Behind stage 4 a message has its digest.
    pub finish_4: Signal<Out, Bit>,
    /// Which one.
    pub slot_4: Signal<Out, Bits<3>>,

    constants: LookupRom<5, Bits<64>>,
    round0: DFF<Bits<5>>,
    round1: DFF<Bits<5>>,
    next2: DFF<Bits<5>>,
    next3: DFF<Bits<5>>,
    next4: DFF<Bits<5>>,
    open0: DFF<Bit>,
    open1: DFF<Bit>,
    open2: DFF<Bit>,
    open3: DFF<Bit>,
    open4: DFF<Bit>,
    run0: DFF<Bit>,
    run1: DFF<Bit>,
    rest1: DFF<Bit>,
    run2: DFF<Bit>,
    rest2: DFF<Bit>,
    finish2: DFF<Bit>,
    finish3: DFF<Bit>,
    finish4: DFF<Bit>,
    idle3: DFF<Bit>,
    idle4: DFF<Bit>,
    busy3: DFF<Bit>,
    busy4: DFF<Bit>,
    take4: DFF<Bit>,
    take0: DFF<Bit>,
    take1: DFF<Bit>,
    iota4: DFF<Bits<64>>,
    iota0: DFF<Bits<64>>,
    iota1: DFF<Bits<64>>,
    slot3: DFF<Bits<3>>,
    slot4: DFF<Bits<3>>,

    ends: Signal<Local, Bit>,
    runs: Signal<Local, Bit>,
    hit: Signal<Local, Bit>,
    last_round: Constant<Bits<5>>,
    between: Constant<Bits<5>>,
    last_slot: Constant<Bits<3>>,
}

impl Default for Turns {
    fn default() -> Self {
        // A round brings in the constant of the one before; the first of a message has none.
        let constants = std::iter::once(0).chain(IOTA).map(Bits::from).collect();
        block! {
            constants: LookupRom::new(constants),
            last_round: Constant::new(23_u64.into()),
            between: Constant::new(24_u64.into()),
            last_slot: Constant::new((SLOTS as u64 - 1).into()),
            ; clock reset full full_slot full_last taken take_0 take_1 iota_0 iota_1 run_2 rest_2 clear_4 finish_4 slot_4
            round0 round1 next2 next3 next4 open0 open1 open2 open3 open4 run0 run1 rest1 run2 rest2 finish2 finish3 finish4
            idle3 idle4 busy3 busy4 take4 take0 take1 iota4 iota0 iota1 slot3 slot4 ends runs hit
        }
    }
}

impl Logic for Turns {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, round0, round1, next2, next3, next4, open0, open1, open2, open3, open4,
            run0, run1, rest1, run2, rest2, finish2, finish3, finish4, idle3, idle4, busy3, busy4,
            take4, take0, take1, iota4, iota0, iota1, slot3, slot4
        );
        // Stage 0.
        self.round1.d.next = self.round0.q.val();
        self.open1.d.next = self.open0.q.val();
        self.run1.d.next = self.run0.q.val();
        self.rest1.d.next = !self.run0.q.val();
        self.take1.d.next = self.take0.q.val();
        self.iota1.d.next = self.iota0.q.val();

        // Stage 1: the round after this one.
        self.ends.next = self.run1.q.val() & (self.round1.q.val() == self.last_round.val());
        self.next2.d.next = self.round1.q.val();
        if self.run1.q.val() {
            self.next2.d.next = self.round1.q.val() + 1;
            if self.round1.q.val() == self.between.val() {
                self.next2.d.next = 1.into();
            }
        }
        if self.ends.val() & !self.open1.q.val() {
            self.next2.d.next = 0.into();
        }
        self.finish2.d.next = self.ends.val() & !self.open1.q.val();
        self.open2.d.next = self.open1.q.val();
        self.run2.d.next = self.run1.q.val();
        self.rest2.d.next = self.rest1.q.val();

        // Stage 2.
        self.next3.d.next = self.next2.q.val();
        self.open3.d.next = self.open2.q.val();
        self.finish3.d.next = self.finish2.q.val();
        self.idle3.d.next = self.next2.q.val() == 0;
        self.busy3.d.next = (self.next2.q.val() != 0) & (self.next2.q.val() != self.between.val());

        // Stage 3: is there a block for it?
        self.next4.d.next = self.next3.q.val();
        self.open4.d.next = self.open3.q.val();
        self.finish4.d.next = self.finish3.q.val();
        self.idle4.d.next = self.idle3.q.val();
        self.busy4.d.next = self.busy3.q.val();
        self.constants.addr.next = self.next3.q.val();
        self.iota4.d.next = self.constants.data.val();
        self.hit.next = self.full.val() & (self.full_slot.val() == self.slot3.q.val());
        self.take4.d.next = self.hit.val() & !self.busy3.q.val();
        self.slot3.d.next = self.slot3.q.val() + 1;
        if self.slot3.q.val() == self.last_slot.val() {
            self.slot3.d.next = 0.into();
        }
        self.slot4.d.next = self.slot3.q.val();

        // Stage 4.
        self.runs.next = self.take4.q.val() | self.busy4.q.val();
        self.round0.d.next = self.next4.q.val();
        self.open0.d.next = self.open4.q.val();
        if self.take4.q.val() {
            self.open0.d.next = !self.full_last.val();
        }
        self.run0.d.next = self.runs.val();
        self.take0.d.next = self.take4.q.val();
        self.iota0.d.next = 0.into();
        if self.runs.val() {
            self.iota0.d.next = self.iota4.q.val();
        }

        self.taken.next = self.take4.q.val();
        self.take_0.next = self.take0.q.val();
        self.take_1.next = self.take1.q.val();
        self.iota_0.next = self.iota0.q.val();
        self.iota_1.next = self.iota1.q.val();
        self.run_2.next = self.run2.q.val();
        self.rest_2.next = self.rest2.q.val();
        self.clear_4.next = self.idle4.q.val();
        self.finish_4.next = self.finish4.q.val();
        self.slot_4.next = self.slot4.q.val();
        if self.reset.val() {
            // With the round goes the state: behind stage 4 it is cleared.
            self.round0.d.next = 0.into();
            self.round1.d.next = 0.into();
            self.next2.d.next = 0.into();
            self.next3.d.next = 0.into();
            self.next4.d.next = 0.into();
            self.run0.d.next = false;
            self.run1.d.next = false;
            self.rest1.d.next = true;
            self.run2.d.next = false;
            self.rest2.d.next = true;
            self.finish2.d.next = false;
            self.finish3.d.next = false;
            self.finish4.d.next = false;
            self.busy3.d.next = false;
            self.busy4.d.next = false;
            self.idle3.d.next = true;
            self.idle4.d.next = true;
            self.take4.d.next = false;
            self.take0.d.next = false;
            self.take1.d.next = false;
            self.slot3.d.next = 0.into();
        }
    }
}
