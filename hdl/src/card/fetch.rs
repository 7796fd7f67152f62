//! Reads submissions from their ring.

use gatewei_abi::command::Submission;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

use super::constant;

/// Beats of a submission.
const BEATS: u64 = (size_of::<Submission>() / gatewei_abi::BEAT) as u64;

const _: () = assert!(BEATS == 2, "the states read a low and a high beat");

/// Where a fetch stands.
#[derive(Clone, Copy, Debug, PartialEq, LogicState)]
pub enum FetchState {
    /// Nothing to do.
    Idle,
    /// The burst is asked for.
    Ask,
    /// The first beat comes.
    Low,
    /// The second beat comes.
    High,
    /// The submission waits to be dispatched.
    Hold,
}

/// Fetches one submission at a time while tail ≠ head, and offers it. `head` counts what was fetched: the
/// host may reuse those entries. A failed read stops the fetcher until reset.
#[derive(LogicBlock)]
pub struct Fetch {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the queue engine.
    pub reset: Signal<In, Bit>,
    /// Start new fetches.
    pub enable: Signal<In, Bit>,
    /// Ring, bus address, 64-byte aligned.
    pub base: Signal<In, Bits<64>>,
    /// Entries of the ring less one.
    pub mask: Signal<In, Bits<16>>,
    /// Submissions made, modulo 2^16.
    pub tail: Signal<In, Bits<16>>,
    /// Submissions fetched, modulo 2^16.
    pub head: Signal<Out, Bits<16>>,
    /// A read of the ring failed (until reset).
    pub failed: Signal<Out, Bit>,

    /// Asks for a burst.
    pub rd_valid: Signal<Out, Bit>,
    /// The request is taken.
    pub rd_ready: Signal<In, Bit>,
    /// Bus address.
    pub rd_addr: Signal<Out, Bits<64>>,
    /// Beats.
    pub rd_beats: Signal<Out, Bits<8>>,
    /// A beat is here.
    pub rdat_valid: Signal<In, Bit>,
    /// The beat is taken.
    pub rdat_ready: Signal<Out, Bit>,
    /// The beat.
    pub rdat_data: Signal<In, Bits<256>>,
    /// It came with an error.
    pub rdat_error: Signal<In, Bit>,

    /// A submission is offered.
    pub entry_valid: Signal<Out, Bit>,
    /// It is dispatched.
    pub entry_ready: Signal<In, Bit>,
    /// Its first beat.
    pub entry_low: Signal<Out, Bits<256>>,
    /// Its second beat.
    pub entry_high: Signal<Out, Bits<256>>,

    state: DFF<FetchState>,
    index: DFF<Bits<16>>,
    low: DFF<Bits<256>>,
    high: DFF<Bits<256>>,
    low_failed: DFF<Bit>,
    error: DFF<Bit>,
    entry: Signal<Local, Bits<16>>,
    beats: Constant<Bits<8>>,
    one: Constant<Bits<16>>,
}

impl Default for Fetch {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            enable: Default::default(),
            base: Default::default(),
            mask: Default::default(),
            tail: Default::default(),
            head: Default::default(),
            failed: Default::default(),
            rd_valid: Default::default(),
            rd_ready: Default::default(),
            rd_addr: Default::default(),
            rd_beats: Default::default(),
            rdat_valid: Default::default(),
            rdat_ready: Default::default(),
            rdat_data: Default::default(),
            rdat_error: Default::default(),
            entry_valid: Default::default(),
            entry_ready: Default::default(),
            entry_low: Default::default(),
            entry_high: Default::default(),
            state: Default::default(),
            index: Default::default(),
            low: Default::default(),
            high: Default::default(),
            low_failed: Default::default(),
            error: Default::default(),
            entry: Default::default(),
            beats: constant(BEATS),
            one: constant(1),
        }
    }
}

impl Logic for Fetch {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, index, low, high, low_failed, error);
        self.head.next = self.index.q.val();
        self.failed.next = self.error.q.val();
        self.entry.next = self.index.q.val() & self.mask.val();
        self.rd_addr.next = self.base.val() + (bit_cast::<64, 16>(self.entry.val()) << 6);
        self.rd_beats.next = self.beats.val();
        self.rd_valid.next = false;
        self.rdat_ready.next = false;
        self.entry_valid.next = false;
        self.entry_low.next = self.low.q.val();
        self.entry_high.next = self.high.q.val();
        match self.state.q.val() {
            FetchState::Idle => {
                if self.enable.val() & !self.error.q.val() & (self.tail.val() != self.index.q.val())
                {
                    self.state.d.next = FetchState::Ask;
                }
            }
            FetchState::Ask => {
                self.rd_valid.next = true;
                if self.rd_ready.val() {
                    self.state.d.next = FetchState::Low;
                }
            }
            FetchState::Low => {
                self.rdat_ready.next = true;
                if self.rdat_valid.val() {
                    self.low.d.next = self.rdat_data.val();
                    self.low_failed.d.next = self.rdat_error.val();
                    self.state.d.next = FetchState::High;
                }
            }
            FetchState::High => {
                self.rdat_ready.next = true;
                if self.rdat_valid.val() {
                    self.high.d.next = self.rdat_data.val();
                    if self.rdat_error.val() | self.low_failed.q.val() {
                        self.error.d.next = true;
                        self.state.d.next = FetchState::Idle;
                    } else {
                        self.index.d.next = self.index.q.val() + self.one.val();
                        self.state.d.next = FetchState::Hold;
                    }
                }
            }
            FetchState::Hold => {
                self.entry_valid.next = true;
                if self.entry_ready.val() {
                    self.state.d.next = FetchState::Idle;
                }
            }
            _ => {
                self.state.d.next = FetchState::Idle;
            }
        }
        if self.reset.val() {
            self.state.d.next = FetchState::Idle;
            self.index.d.next = 0.into();
            self.error.d.next = false;
        }
    }
}
