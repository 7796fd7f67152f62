//! The link of boards without PCIe: [`gatewei_abi::serial`] in hardware, and the card behind it.
//!
//! ```text
//!  uart_rx ─▶ UartReceive ─▶ Deframe ─▶ ╭────────╮ ─ AXI4-Lite ─▶ ╭──────╮
//!                                       │ Bridge │                │ Card │
//!  uart_tx ◀─ UartSend ◀─── Enframe ◀── │ Outbox │ ◀─── AXI4 ───── │      │
//!                                       ╰────────╯                ╰──────╯
//! ```

mod bridge;
mod check;
mod deframe;
mod enframe;
mod outbox;
mod serial_card;
mod uart;

pub use bridge::Bridge;
pub use check::FrameCheck;
pub use deframe::Deframe;
pub use enframe::Enframe;
pub use outbox::Outbox;
pub use serial_card::SerialCard;
pub use uart::{UartReceive, UartSend};

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
