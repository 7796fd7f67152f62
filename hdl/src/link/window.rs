//! The registers in a larger address space.

use gatewei_abi::regs;
use rust_hdl_core::prelude::*;

/// An offset where no register is, and never will be: the last word of the last block.
const NOWHERE: u32 = regs::SPACE - 4;

/// Turns a byte address of a 32-bit bus into the card's: what lies beyond the registers is no register, rather than
/// another one.
#[derive(LogicBlock)]
pub struct Window {
    /// Byte address, from the start of the BAR.
    pub address: Signal<In, Bits<32>>,
    /// Byte address of the card's register bus.
    pub offset: Signal<Out, Bits<12>>,

    beyond: Signal<Local, Bits<20>>,
    nowhere: Constant<Bits<12>>,
}

impl Default for Window {
    fn default() -> Self {
        block! {
            nowhere: Constant::new(u64::from(NOWHERE).into()),
            ; address offset beyond
        }
    }
}

impl Logic for Window {
    #[hdl_gen]
    fn update(&mut self) {
        self.beyond.next = self.address.val().get_bits::<20>(12);
        self.offset.next = self.address.val().get_bits::<12>(0);
        if self.beyond.val().any() {
            self.offset.next = self.nowhere.val();
        }
    }
}
