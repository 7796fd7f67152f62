//! What the card says on its serial line, frame by frame.

use gatewei_abi::serial::{self, kind};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

/// Bits of the longest frame, a `STORE`, without its check.
const FRAME_BITS: usize = 46 * 8;

/// Chooses the next frame and gives its bytes, without its check: answers go before interrupts, and those before
/// questions about memory. What is wanted stays until it goes.
#[derive(LogicBlock)]
pub struct Outbox {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Drops everything.
    pub reset: Signal<In, Bit>,
    /// Drops an interrupt that has not gone.
    pub card_reset: Signal<In, Bit>,

    /// A `VALUE` is wanted.
    pub value_valid: Signal<In, Bit>,
    /// It goes.
    pub value_goes: Signal<Out, Bit>,
    /// Its number.
    pub value_number: Signal<In, Bits<8>>,
    /// What it says.
    pub value: Signal<In, Bits<32>>,

    /// Pulse: an `INTERRUPT` is wanted.
    pub msix_valid: Signal<In, Bit>,
    /// Its vector.
    pub msix_vector: Signal<In, Bits<16>>,

    /// A `FETCH` or a `STORE` is wanted.
    pub memory_valid: Signal<In, Bit>,
    /// It goes.
    pub memory_goes: Signal<Out, Bit>,
    /// Its number.
    pub memory_number: Signal<In, Bits<8>>,
    /// It is a `STORE`.
    pub store: Signal<In, Bit>,
    /// Bus address.
    pub address: Signal<In, Bits<64>>,
    /// Beats of a `FETCH`.
    pub beats: Signal<In, Bits<8>>,
    /// Byte strobes of a `STORE`.
    pub strobe: Signal<In, Bits<32>>,
    /// Its beat.
    pub beat: Signal<In, Bits<256>>,

    /// There is a byte.
    pub send_valid: Signal<Out, Bit>,
    /// It is taken.
    pub send_ready: Signal<In, Bit>,
    /// The byte.
    pub send_octet: Signal<Out, Bits<8>>,
    /// It is its frame's last.
    pub send_last: Signal<Out, Bit>,

    // The frame, its next byte in the lowest bits, and bytes left of it.
    frame: DFF<Bits<FRAME_BITS>>,
    left: DFF<Bits<6>>,
    interrupt: DFF<Bit>,
    vector: DFF<Bits<16>>,
    free: Signal<Local, Bit>,
    answers: Signal<Local, Bit>,
    interrupts: Signal<Local, Bit>,
    asks: Signal<Local, Bit>,

    kind_value: Constant<Bits<FRAME_BITS>>,
    kind_fetch: Constant<Bits<FRAME_BITS>>,
    kind_store: Constant<Bits<FRAME_BITS>>,
    kind_interrupt: Constant<Bits<FRAME_BITS>>,
    value_bytes: Constant<Bits<6>>,
    fetch_bytes: Constant<Bits<6>>,
    store_bytes: Constant<Bits<6>>,
    interrupt_bytes: Constant<Bits<6>>,
    one: Constant<Bits<6>>,
}

impl Default for Outbox {
    fn default() -> Self {
        let front = |kind: u8| Constant::new(u64::from(kind).into());
        let bytes = |kind| {
            let bytes = serial::length(kind, 0).expect("it is a kind");
            assert!(8 * bytes <= FRAME_BITS, "the longest frame is longer");
            Constant::new((bytes as u64).into())
        };
        block! {
            kind_value: front(kind::VALUE),
            kind_fetch: front(kind::FETCH),
            kind_store: front(kind::STORE),
            kind_interrupt: front(kind::INTERRUPT),
            value_bytes: bytes(kind::VALUE),
            fetch_bytes: bytes(kind::FETCH),
            store_bytes: bytes(kind::STORE),
            interrupt_bytes: bytes(kind::INTERRUPT),
            one: Constant::new(1u64.into()),
            ; clock reset card_reset value_valid value_goes value_number value msix_valid msix_vector memory_valid
            memory_goes memory_number store address beats strobe beat send_valid send_ready send_octet send_last frame
            left interrupt vector free answers interrupts asks
        }
    }
}

impl Logic for Outbox {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, frame, left, interrupt, vector);
        self.free.next = !self.left.q.val().any();
        self.answers.next = self.free.val() & self.value_valid.val();
        self.interrupts.next = self.free.val() & self.interrupt.q.val() & !self.value_valid.val();
        self.asks.next = self.free.val()
            & self.memory_valid.val()
            & !self.value_valid.val()
            & !self.interrupt.q.val();
        self.value_goes.next = self.answers.val();
        self.memory_goes.next = self.asks.val();

        self.send_valid.next = !self.free.val();
        self.send_octet.next = self.frame.q.val().get_bits::<8>(0);
        self.send_last.next = self.left.q.val() == self.one.val();
        if !self.free.val() & self.send_ready.val() {
            self.frame.d.next = self.frame.q.val() >> 8;
            self.left.d.next = self.left.q.val() - self.one.val();
        }
        if self.answers.val() {
            self.frame.d.next = self.kind_value.val()
                | (bit_cast::<FRAME_BITS, 8>(self.value_number.val()) << 8)
                | (bit_cast::<FRAME_BITS, 32>(self.value.val()) << 16);
            self.left.d.next = self.value_bytes.val();
        }
        if self.interrupts.val() {
            self.frame.d.next =
                self.kind_interrupt.val() | (bit_cast::<FRAME_BITS, 16>(self.vector.q.val()) << 16);
            self.left.d.next = self.interrupt_bytes.val();
            self.interrupt.d.next = false;
        }
        if self.asks.val() {
            if self.store.val() {
                self.frame.d.next = self.kind_store.val()
                    | (bit_cast::<FRAME_BITS, 8>(self.memory_number.val()) << 8)
                    | (bit_cast::<FRAME_BITS, 64>(self.address.val()) << 16)
                    | (bit_cast::<FRAME_BITS, 32>(self.strobe.val()) << 80)
                    | (bit_cast::<FRAME_BITS, 256>(self.beat.val()) << 112);
                self.left.d.next = self.store_bytes.val();
            } else {
                self.frame.d.next = self.kind_fetch.val()
                    | (bit_cast::<FRAME_BITS, 8>(self.memory_number.val()) << 8)
                    | (bit_cast::<FRAME_BITS, 64>(self.address.val()) << 16)
                    | (bit_cast::<FRAME_BITS, 8>(self.beats.val()) << 80);
                self.left.d.next = self.fetch_bytes.val();
            }
        }
        if self.msix_valid.val() {
            self.interrupt.d.next = true;
            self.vector.d.next = self.msix_vector.val();
        }
        if self.card_reset.val() {
            self.interrupt.d.next = false;
        }
        if self.reset.val() {
            self.left.d.next = 0.into();
            self.interrupt.d.next = false;
        }
    }
}
