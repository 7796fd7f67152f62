//! The sequencer: reads the microcode, one word a cycle. Calls nest four deep.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

use super::microcode::Program;
use super::microcode::word::{Seq, Word};
use crate::prim::Rom;

/// The sequencer.
#[derive(LogicBlock)]
pub struct Sequencer {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset: goes to `idle`.
    pub reset: Signal<In, Bit>,
    /// The word's condition holds (`unless` not yet applied).
    pub cond: Signal<In, Bit>,
    /// Routine of the fetched opcode.
    pub entry: Signal<In, Bits<10>>,
    /// The word, if it ends its opcode, dispatches the next one too.
    pub chain: Signal<In, Bit>,
    /// The word was dispatched in vain: the opcode is to be fetched.
    pub retry: Signal<In, Bit>,
    /// The frame halts in this cycle.
    pub halt: Signal<In, Bit>,
    /// The message traps in this cycle.
    pub trap: Signal<In, Bit>,
    /// This cycle's word.
    pub word: Signal<Out, Word>,
    /// The word's actions fire (unless the frame halts or traps).
    pub fire: Signal<Out, Bit>,
    /// A late word stands for its first cycle: nothing of it counts yet.
    pub early: Signal<Out, Bit>,
    rom: Rom<10, Word>,
    here: DFF<Bits<10>>,
    /// The word has stood for a cycle.
    settled: DFF<Bit>,
    back: DFF<Bits<10>>,
    back2: DFF<Bits<10>>,
    back3: DFF<Bits<10>>,
    back4: DFF<Bits<10>>,
    current: Signal<Local, Word>,
    seq: Signal<Local, Seq>,
    holds: Signal<Local, Bit>,
    fires: Signal<Local, Bit>,
    waits: Signal<Local, Bit>,
    following: Signal<Local, Bits<10>>,
    address: Signal<Local, Bits<10>>,
    at_idle: Constant<Bits<10>>,
    at_fetch: Constant<Bits<10>>,
    at_halt: Constant<Bits<10>>,
    at_trap: Constant<Bits<10>>,
}

impl Sequencer {
    /// A sequencer for this program.
    pub fn new(program: &Program) -> Self {
        let at = |label| Constant::new((program.address(label) as u64).into());
        Self {
            clock: Default::default(),
            reset: Default::default(),
            cond: Default::default(),
            entry: Default::default(),
            chain: Default::default(),
            retry: Default::default(),
            halt: Default::default(),
            trap: Default::default(),
            word: Default::default(),
            fire: Default::default(),
            early: Default::default(),
            settled: Default::default(),
            waits: Default::default(),
            rom: Rom::new(program.words.clone()),
            here: Default::default(),
            back: Default::default(),
            back2: Default::default(),
            back3: Default::default(),
            back4: Default::default(),
            current: Default::default(),
            seq: Default::default(),
            holds: Default::default(),
            fires: Default::default(),
            following: Default::default(),
            address: Default::default(),
            at_idle: at("idle"),
            at_fetch: at("fetch"),
            at_halt: at("halt"),
            at_trap: at("trap"),
        }
    }
}

impl Logic for Sequencer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, here, settled, back, back2, back3, back4);
        self.rom.clock.next = self.clock.val();
        self.current.next = self.rom.data.val();
        self.word.next = self.current.val();
        self.seq.next = self.current.val().seq;
        self.holds.next = self.cond.val() ^ self.current.val().unless;
        self.following.next = self.here.q.val() + 1;
        self.waits.next = self.current.val().late & !self.settled.q.val();
        self.early.next = self.waits.val();
        self.settled.d.next = false;
        self.fires.next = true;
        self.address.next = self.following.val();
        match self.seq.val() {
            Seq::Next => {}
            Seq::Jump => {
                self.address.next = self.current.val().target;
            }
            Seq::Branch => {
                if self.holds.val() {
                    self.address.next = self.current.val().target;
                }
            }
            Seq::Wait => {
                self.fires.next = self.holds.val();
                if !self.holds.val() {
                    self.address.next = self.here.q.val();
                    self.settled.d.next = true;
                }
            }
            Seq::Finish => {
                self.fires.next = self.holds.val();
                self.address.next = self.current.val().target;
                if self.holds.val() {
                    self.address.next = self.at_fetch.val();
                    if self.chain.val() {
                        self.address.next = self.entry.val();
                    }
                }
            }
            Seq::Call => {
                if self.holds.val() {
                    self.address.next = self.current.val().target;
                    self.back.d.next = self.following.val();
                    self.back2.d.next = self.back.q.val();
                    self.back3.d.next = self.back2.q.val();
                    self.back4.d.next = self.back3.q.val();
                }
            }
            Seq::Return => {
                self.address.next = self.back.q.val();
                self.back.d.next = self.back2.q.val();
                self.back2.d.next = self.back3.q.val();
                self.back3.d.next = self.back4.q.val();
            }
            Seq::Dispatch => {
                self.fires.next = self.holds.val();
                self.address.next = self.here.q.val();
                if self.holds.val() {
                    self.address.next = self.entry.val();
                }
            }
        }
        if self.waits.val() {
            self.fires.next = false;
            self.address.next = self.here.q.val();
            self.settled.d.next = true;
            self.back.d.next = self.back.q.val();
            self.back2.d.next = self.back2.q.val();
            self.back3.d.next = self.back3.q.val();
            self.back4.d.next = self.back4.q.val();
        }
        if self.halt.val() {
            self.address.next = self.at_halt.val();
        }
        if self.trap.val() {
            self.address.next = self.at_trap.val();
        }
        if self.retry.val() {
            self.fires.next = false;
            self.settled.d.next = false;
            self.address.next = self.at_fetch.val();
        }
        if self.reset.val() {
            self.address.next = self.at_idle.val();
        }
        self.fire.next = self.fires.val();
        self.here.d.next = self.address.val();
        self.rom.addr.next = self.address.val();
    }
}
