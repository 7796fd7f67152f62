//! Start and LEDs of a board, whatever its link.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

/// Cycles for which the card is held in reset once the board lets go.
const START_CYCLES: u64 = 15;

/// What every board has: a start from power-on, and up to eight LEDs.
///
/// | LED | lit |
/// |---|---|
/// | 0 | blinks, once in 2^25 cycles: the clock runs |
/// | 1 | the host has been heard in the last 2^22 cycles |
/// | 2 | something is on its way to the host |
/// | 3 | lane 0 has a message |
/// | 4 | it awaits the host |
/// | 5 | out of reset |
#[derive(LogicBlock)]
pub struct Panel {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Holds the card in reset: a button, or a clock that is not steady yet. Asynchronous.
    pub hold: Signal<In, Bit>,
    /// Reset of everything else.
    pub starting: Signal<Out, Bit>,
    /// Pulse: the host has said something.
    pub heard: Signal<In, Bit>,
    /// Something is on its way to the host.
    pub sends: Signal<In, Bit>,
    /// Lane 0 has a message.
    pub busy: Signal<In, Bit>,
    /// It awaits the host.
    pub waits: Signal<In, Bit>,
    /// LEDs, as above; bits 7 and 6 are dark.
    pub led: Signal<Out, Bits<8>>,

    early: DFF<Bit>,
    free: DFF<Bit>,
    started: DFF<Bits<4>>,
    beats: DFF<Bits<25>>,
    hearing: DFF<Bits<22>>,
    held: Signal<Local, Bit>,

    start: Constant<Bits<4>>,
    one_start: Constant<Bits<4>>,
    one_beat: Constant<Bits<25>>,
    one_hearing: Constant<Bits<22>>,
    full: Constant<Bits<22>>,
}

impl Default for Panel {
    fn default() -> Self {
        block! {
            start: Constant::new(START_CYCLES.into()),
            one_start: Constant::new(1u64.into()),
            one_beat: Constant::new(1u64.into()),
            one_hearing: Constant::new(1u64.into()),
            full: Constant::new(((1u64 << 22) - 1).into()),
            ; clock hold starting heard sends busy waits led early free started beats hearing held
        }
    }
}

impl Logic for Panel {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, early, free, started, beats, hearing);
        // From power-on, when all registers are zero, until the board has let go for a while.
        self.early.d.next = !self.hold.val();
        self.free.d.next = self.early.q.val();
        self.held.next = self.started.q.val() != self.start.val();
        self.starting.next = self.held.val();
        if !self.free.q.val() {
            self.started.d.next = 0.into();
        } else if self.held.val() {
            self.started.d.next = self.started.q.val() + self.one_start.val();
        }

        self.beats.d.next = self.beats.q.val() + self.one_beat.val();
        if self.heard.val() {
            self.hearing.d.next = self.full.val();
        } else if self.hearing.q.val().any() {
            self.hearing.d.next = self.hearing.q.val() - self.one_hearing.val();
        }
        self.led.next = bit_cast::<8, 1>(self.beats.q.val().get_bits::<1>(24));
        if self.hearing.q.val().any() {
            self.led.next = self.led.val() | 2;
        }
        if self.sends.val() {
            self.led.next = self.led.val() | 4;
        }
        if self.busy.val() {
            self.led.next = self.led.val() | 8;
        }
        if self.waits.val() {
            self.led.next = self.led.val() | 16;
        }
        if !self.held.val() {
            self.led.next = self.led.val() | 32;
        }
    }
}
