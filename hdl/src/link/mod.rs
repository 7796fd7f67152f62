//! A board's link to its host, and the card behind it. Without PCIe it is a serial line, [`gatewei_abi::serial`] in
//! hardware:
//!
//! ```text
//!  uart_rx ─▶ UartReceive ─▶ Deframe ─▶ ╭────────╮ ─ AXI4-Lite ─▶ ╭──────╮
//!                                       │ Bridge │                │ Card │
//!  uart_tx ◀─ UartSend ◀─── Enframe ◀── │ Outbox │ ◀─── AXI4 ───── │      │
//!                                       ╰────────╯                ╰──────╯
//! ```
//!
//! With PCIe it is [`LiteCard`], where LitePCIe's core is the PCIe side, or [`ShellCard`], where a vendor's shell or
//! bridge is.

mod bridge;
mod check;
mod deframe;
mod enframe;
mod interrupts;
mod irq_lines;
mod lite_bridge;
mod lite_card;
mod outbox;
mod panel;
mod serial_card;
mod shell_card;
mod uart;
mod widen;
mod window;

pub use bridge::Bridge;
pub use check::FrameCheck;
pub use deframe::Deframe;
pub use enframe::Enframe;
pub use interrupts::{Interrupts, VECTORS};
pub use irq_lines::IrqLines;
pub use lite_bridge::{LiteBridge, SETTLE_CYCLES};
pub use lite_card::LiteCard;
pub use outbox::Outbox;
pub use panel::Panel;
pub use serial_card::SerialCard;
pub use shell_card::ShellCard;
pub use uart::{UartReceive, UartSend};
pub use widen::Widen;
pub use window::Window;

use gatewei_abi::{BEAT, serial};

/// A serial line, in cycles of the card's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Cycles a bit.
    pub divider: u16,
    /// Cycles of silence after which the card asks again: 24 bits.
    pub patience: u32,
}

impl Line {
    /// The line of a board with these rates. A bit takes a whole number of cycles, so the rate may be a fiftieth
    /// off.
    ///
    /// # Errors
    /// Why there is no such line.
    pub fn at(clock_khz: u32, baud: u32) -> Result<Self, String> {
        let hertz = u64::from(clock_khz) * 1000;
        let divider = (hertz + u64::from(baud) / 2) / u64::from(baud.max(1));
        let off = hertz.abs_diff(divider * u64::from(baud));
        match u16::try_from(divider) {
            Ok(divider) if divider >= uart::LEAST_DIVIDER && off * 50 <= hertz => {
                // The longest frame, four times over: the host may take its time.
                let frame = (serial::BEATS * BEAT * 10) as u64 * u64::from(divider);
                Ok(Self {
                    divider,
                    patience: (4 * frame).min((1 << 24) - 1) as u32,
                })
            }
            _ => Err(format!(
                "{baud} bits/s cannot be made of a clock of {clock_khz} kHz: a bit takes 4 cycles or more, a whole number"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_take_a_whole_number_of_cycles_a_bit() {
        assert_eq!(Line::at(25_000, 115_200).map(|line| line.divider), Ok(217));
        assert_eq!(Line::at(48_000, 3_000_000).map(|line| line.divider), Ok(16));
        for (khz, baud) in [
            (25_000, 3_000_000),
            (9_000, 3_000_000),
            (25_000, 0),
            (100_000, 300),
        ] {
            assert!(Line::at(khz, baud).is_err(), "{khz} kHz, {baud}");
        }
    }
}
