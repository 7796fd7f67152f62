//! The mover: walks a byte range in chunks of up to 32 bytes, one in two cycles, or one a cycle where `streams`.
//!
//! It makes addresses and counts; the lane routes the data. Addresses stand for a cycle before their chunk is due, so
//! that a RAM source can answer and their pages be found; a stream source (host beats) says `src_valid`.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

/// States of the mover.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Walk {
    /// Nothing to do.
    Idle,
    /// A chunk's addresses are presented.
    Read,
    /// A chunk is presented until the destination takes it.
    Write,
}

/// The mover.
#[derive(LogicBlock, Default)]
pub struct Mover {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset.
    pub reset: Signal<In, Bit>,
    /// Begin (one cycle, only when idle).
    pub start: Signal<In, Bit>,
    /// From the last chunk to the first: for copies whose destination overlaps the source from above.
    pub back: Signal<In, Bit>,
    /// Present one empty chunk when the length is zero (a Keccak message needs an end).
    pub empty: Signal<In, Bit>,
    /// First source address.
    pub from: Signal<In, Bits<32>>,
    /// First destination address.
    pub to: Signal<In, Bits<32>>,
    /// Bytes.
    pub length: Signal<In, Bits<32>>,
    /// No address has to stand before its chunk is due.
    pub streams: Signal<In, Bit>,
    /// The source has the chunk.
    pub src_valid: Signal<In, Bit>,
    /// The destination takes the chunk.
    pub dst_ready: Signal<In, Bit>,
    /// At work.
    pub busy: Signal<Out, Bit>,
    /// Address for a RAM source in this cycle.
    pub read_addr: Signal<Out, Bits<32>>,
    /// A chunk is presented.
    pub valid: Signal<Out, Bit>,
    /// A chunk is due, whether or not source and destination are ready.
    pub due: Signal<Out, Bit>,
    /// The chunk is wanted from a stream source.
    pub wanted: Signal<Out, Bit>,
    /// Source address of the chunk.
    pub at: Signal<Out, Bits<32>>,
    /// Destination address of the chunk.
    pub to_addr: Signal<Out, Bits<32>>,
    /// Bytes in the chunk.
    pub bytes: Signal<Out, Bits<6>>,
    /// It is the last chunk.
    pub last: Signal<Out, Bit>,
    state: DFF<Walk>,
    src: DFF<Bits<32>>,
    dst: DFF<Bits<32>>,
    left: DFF<Bits<32>>,
    size: DFF<Bits<6>>,
    backward: DFF<Bit>,
    size32: Signal<Local, Bits<32>>,
    rest: Signal<Local, Bits<32>>,
    final_chunk: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    stepped: Signal<Local, Bits<32>>,
    less_one: Signal<Local, Bits<32>>,
    tail: Signal<Local, Bits<32>>,
    tail_size: Signal<Local, Bits<6>>,
}

impl Logic for Mover {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, src, dst, left, size, backward);
        self.size32.next = bit_cast::<32, 6>(self.size.q.val());
        self.rest.next = self.left.q.val() - self.size32.val();
        self.final_chunk.next = self.left.q.val() == self.size32.val();
        self.less_one.next = self.length.val() - 1;
        self.tail.next = self.less_one.val() & 0xffff_ffe0_u64;
        self.tail_size.next = bit_cast::<6, 32>(self.less_one.val() & 31);
        self.stepped.next = self.src.q.val() + 32;
        if self.backward.q.val() {
            self.stepped.next = self.src.q.val() - 32;
        }
        self.busy.next = true;
        self.valid.next = false;
        self.due.next = false;
        self.wanted.next = false;
        self.accept.next = false;
        self.read_addr.next = self.src.q.val();
        self.at.next = self.src.q.val();
        self.to_addr.next = self.dst.q.val();
        self.bytes.next = self.size.q.val();
        self.last.next = self.final_chunk.val();
        match self.state.q.val() {
            Walk::Idle => {
                self.busy.next = false;
                if self.start.val() {
                    self.src.d.next = self.from.val();
                    self.dst.d.next = self.to.val();
                    self.left.d.next = self.length.val();
                    self.backward.d.next = self.back.val();
                    self.size.d.next = 32.into();
                    if self.length.val() < 32 {
                        self.size.d.next = bit_cast::<6, 32>(self.length.val());
                    }
                    if self.back.val() {
                        self.src.d.next = self.from.val() + self.tail.val();
                        self.dst.d.next = self.to.val() + self.tail.val();
                        self.size.d.next = self.tail_size.val() + 1;
                    }
                    if (self.length.val() != 0) | self.empty.val() {
                        self.state.d.next = Walk::Read;
                    }
                }
            }
            Walk::Read => {
                self.state.d.next = Walk::Write;
            }
            Walk::Write => {
                self.due.next = true;
                self.wanted.next = self.dst_ready.val();
                self.valid.next = self.src_valid.val();
                self.accept.next = self.src_valid.val() & self.dst_ready.val();
                if self.accept.val() {
                    if !self.streams.val() {
                        self.state.d.next = Walk::Read;
                    }
                    self.src.d.next = self.stepped.val();
                    self.left.d.next = self.rest.val();
                    self.dst.d.next = self.dst.q.val() + 32;
                    self.size.d.next = 32.into();
                    if self.backward.q.val() {
                        self.dst.d.next = self.dst.q.val() - 32;
                    } else if self.rest.val() < 32 {
                        self.size.d.next = bit_cast::<6, 32>(self.rest.val());
                    }
                    if self.final_chunk.val() {
                        self.state.d.next = Walk::Idle;
                    }
                }
            }
            _ => {
                self.state.d.next = Walk::Idle;
            }
        }
        if self.reset.val() {
            self.state.d.next = Walk::Idle;
        }
    }
}
