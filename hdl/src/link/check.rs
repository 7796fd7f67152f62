//! The frame check sequence.

use gatewei_abi::serial::CHECK_POLYNOMIAL;
use rust_hdl_core::prelude::*;

/// The check register after one byte more: eight steps of RFC 1662's FCS-32 in a cycle. Combinational.
#[derive(LogicBlock)]
pub struct FrameCheck {
    /// The register.
    pub sum: Signal<In, Bits<32>>,
    /// The byte.
    pub octet: Signal<In, Bits<8>>,
    /// The register behind it.
    pub after: Signal<Out, Bits<32>>,

    step: [Signal<Local, Bits<32>>; 9],
    polynomial: Constant<Bits<32>>,
}

impl Default for FrameCheck {
    fn default() -> Self {
        block! {
            step: array_init::array_init(|_| Default::default()),
            polynomial: Constant::new(u64::from(CHECK_POLYNOMIAL).into()),
            ; sum octet after
        }
    }
}

impl Logic for FrameCheck {
    #[hdl_gen]
    fn update(&mut self) {
        self.step[0].next = self.sum.val() ^ bit_cast::<32, 8>(self.octet.val());
        for k in 0..8 {
            self.step[k + 1].next = self.step[k].val() >> 1;
            if self.step[k].val().get_bit(0) {
                self.step[k + 1].next = (self.step[k].val() >> 1) ^ self.polynomial.val();
            }
        }
        self.after.next = self.step[8].val();
    }
}
