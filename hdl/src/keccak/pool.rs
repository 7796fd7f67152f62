//! The pool: lanes share Keccak engines, a message at a time.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

use super::Keccak;
use crate::card::RoundRobin;

/// `ENGINES` engines for `LANES` lanes (at most 15 each). A lane that offers a chunk and has no engine gets
/// a free one, in turn; it keeps it until the digest stands. A grant takes one cycle.
#[derive(LogicBlock)]
pub struct KeccakPool<const LANES: usize, const ENGINES: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset.
    pub reset: Signal<In, Bit>,
    /// A chunk is offered.
    pub kec_valid: [Signal<In, Bit>; LANES],
    /// It is taken.
    pub kec_ready: [Signal<Out, Bit>; LANES],
    /// The chunk, first byte most significant.
    pub kec_data: [Signal<In, Bits<256>>; LANES],
    /// Bytes of the chunk.
    pub kec_bytes: [Signal<In, Bits<6>>; LANES],
    /// It is the message's last.
    pub kec_last: [Signal<In, Bit>; LANES],
    /// The digest stands (a pulse).
    pub kec_done: [Signal<Out, Bit>; LANES],
    /// The digest, in the cycle of `kec_done`.
    pub kec_digest: [Signal<Out, Bits<256>>; LANES],
    engine: [Keccak<1>; ENGINES],
    arbiter: RoundRobin<LANES>,
    served: [DFF<Bit>; LANES],
    taken: [DFF<Bit>; ENGINES],
    owner: [DFF<Bits<4>>; ENGINES],
    free: Signal<Local, Bit>,
    chosen: Signal<Local, Bits<4>>,
    grants: Signal<Local, Bit>,
    lane_number: [Constant<Bits<4>>; LANES],
    engine_number: [Constant<Bits<4>>; ENGINES],
}

fn array<T: Default, const N: usize>() -> [T; N] {
    array_init::array_init(|_| T::default())
}

fn indices<const N: usize>() -> [Constant<Bits<4>>; N] {
    array_init::array_init(|i| Constant::new((i as u64).into()))
}

impl<const LANES: usize, const ENGINES: usize> Default for KeccakPool<LANES, ENGINES> {
    fn default() -> Self {
        const { assert!(LANES >= 1 && LANES <= 15 && ENGINES >= 1 && ENGINES <= 15) };
        Self {
            clock: Default::default(),
            reset: Default::default(),
            kec_valid: array(),
            kec_ready: array(),
            kec_data: array(),
            kec_bytes: array(),
            kec_last: array(),
            kec_done: array(),
            kec_digest: array(),
            engine: array(),
            arbiter: Default::default(),
            served: array(),
            taken: array(),
            owner: array(),
            free: Default::default(),
            chosen: Default::default(),
            grants: Default::default(),
            lane_number: indices(),
            engine_number: indices(),
        }
    }
}

impl<const LANES: usize, const ENGINES: usize> Logic for KeccakPool<LANES, ENGINES> {
    #[hdl_gen]
    fn update(&mut self) {
        self.arbiter.clock.next = self.clock.val();
        self.arbiter.reset.next = self.reset.val();
        for l in 0..LANES {
            self.served[l].clock.next = self.clock.val();
            self.served[l].d.next = self.served[l].q.val();
            self.arbiter.request[l].next = self.kec_valid[l].val() & !self.served[l].q.val();
            self.kec_ready[l].next = false;
            self.kec_done[l].next = false;
            self.kec_digest[l].next = 0.into();
        }
        self.free.next = false;
        self.chosen.next = 0.into();
        for e in 0..ENGINES {
            self.engine[e].clock.next = self.clock.val();
            self.engine[e].reset.next = self.reset.val();
            self.engine[e].valid.next = false;
            self.engine[e].data.next = 0.into();
            self.engine[e].bytes.next = 0.into();
            self.engine[e].last.next = false;
            self.taken[e].clock.next = self.clock.val();
            self.taken[e].d.next = self.taken[e].q.val();
            self.owner[e].clock.next = self.clock.val();
            self.owner[e].d.next = self.owner[e].q.val();
            if !self.taken[e].q.val() {
                self.free.next = true;
                self.chosen.next = self.engine_number[e].val();
            }
        }
        self.grants.next = self.free.val() & self.arbiter.any.val();
        self.arbiter.advance.next = self.grants.val();
        if self.grants.val() {
            for e in 0..ENGINES {
                if self.chosen.val() == self.engine_number[e].val() {
                    self.taken[e].d.next = true;
                    self.owner[e].d.next = self.arbiter.index.val();
                }
            }
            for l in 0..LANES {
                if self.arbiter.index.val() == self.lane_number[l].val() {
                    self.served[l].d.next = true;
                }
            }
        }
        for e in 0..ENGINES {
            for l in 0..LANES {
                if self.taken[e].q.val() & (self.owner[e].q.val() == self.lane_number[l].val()) {
                    // In the cycle of `done` the engine is the next lane's: this one has to ask again.
                    self.engine[e].valid.next =
                        self.kec_valid[l].val() & !self.engine[e].done.val();
                    self.engine[e].data.next = self.kec_data[l].val();
                    self.engine[e].bytes.next = self.kec_bytes[l].val();
                    self.engine[e].last.next = self.kec_last[l].val();
                    self.kec_ready[l].next =
                        self.engine[e].ready.val() & !self.engine[e].done.val();
                    self.kec_done[l].next = self.engine[e].done.val();
                    self.kec_digest[l].next = self.engine[e].digest.val();
                    if self.engine[e].done.val() {
                        self.taken[e].d.next = false;
                        self.served[l].d.next = false;
                    }
                }
            }
        }
        for e in 0..ENGINES {
            if self.reset.val() {
                self.taken[e].d.next = false;
            }
        }
        for l in 0..LANES {
            if self.reset.val() {
                self.served[l].d.next = false;
            }
        }
    }
}
