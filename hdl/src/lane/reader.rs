//! The reader: turns "n beats from here" into bursts of the host's memory.
//!
//! A burst has at most 128 beats and crosses no 4 KiB boundary (AXI4, A3.4.1).

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

/// The reader. Beats go past it; it counts them.
#[derive(LogicBlock, Default)]
pub struct Reader {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset.
    pub reset: Signal<In, Bit>,
    /// Goes to `address`.
    pub seek: Signal<In, Bit>,
    /// Bus address, 32-byte aligned.
    pub address: Signal<In, Bits<64>>,
    /// Reads `beats` beats from where it stands (or from `address`). Only when all earlier ones came.
    pub start: Signal<In, Bit>,
    /// Beats.
    pub beats: Signal<In, Bits<16>>,
    /// A beat was taken.
    pub took: Signal<In, Bit>,
    /// No beat is to come.
    pub dry: Signal<Out, Bit>,
    /// Burst request.
    pub rd_valid: Signal<Out, Bit>,
    /// The request is taken.
    pub rd_ready: Signal<In, Bit>,
    /// Address of the burst.
    pub rd_addr: Signal<Out, Bits<64>>,
    /// Beats of the burst, 1 to 128.
    pub rd_beats: Signal<Out, Bits<8>>,
    next: DFF<Bits<64>>,
    left: DFF<Bits<16>>,
    coming: DFF<Bits<8>>,
    row: Signal<Local, Bits<7>>,
    most: Signal<Local, Bits<16>>,
    room: Signal<Local, Bits<16>>,
    burst: Signal<Local, Bits<16>>,
    asks: Signal<Local, Bit>,
}

impl Logic for Reader {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, next, left, coming);
        self.row.next = self.next.q.val().get_bits::<7>(5);
        self.most.next = 128.into();
        self.room.next = self.most.val() - bit_cast::<16, 7>(self.row.val());
        self.burst.next = self.left.q.val();
        if self.left.q.val() > self.room.val() {
            self.burst.next = self.room.val();
        }
        self.asks.next = self.left.q.val().any() & !self.coming.q.val().any();
        self.dry.next = !self.left.q.val().any() & !self.coming.q.val().any();
        self.rd_valid.next = self.asks.val();
        self.rd_addr.next = self.next.q.val();
        self.rd_beats.next = self.burst.val().get_bits::<8>(0);
        if self.asks.val() & self.rd_ready.val() {
            self.coming.d.next = self.burst.val().get_bits::<8>(0);
            self.left.d.next = self.left.q.val() - self.burst.val();
            self.next.d.next = self.next.q.val() + (bit_cast::<64, 16>(self.burst.val()) << 5);
        }
        if self.took.val() {
            self.coming.d.next = self.coming.q.val() - 1;
        }
        if self.start.val() {
            self.left.d.next = self.beats.val();
        }
        if self.seek.val() {
            self.next.d.next = self.address.val();
        }
        if self.reset.val() {
            self.left.d.next = 0.into();
            self.coming.d.next = 0.into();
        }
    }
}
