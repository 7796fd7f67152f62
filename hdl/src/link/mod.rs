//! The link of boards without PCIe: [`gatewei_abi::serial`] in hardware, and the card behind it.
//!
//! ```text
//!  uart_rx ─▶ UartReceive ─▶ Deframe ─▶ ╭────────╮ ─ AXI4-Lite ─▶ ╭──────╮
//!                                       │ Bridge │                │ Card │
//!  uart_tx ◀─ UartSend ◀─── Enframe ◀── ╰────────╯ ◀─── AXI4 ───── ╰──────╯
//! ```

mod bridge;
mod check;
mod deframe;
mod enframe;
mod serial_card;
mod uart;

pub use bridge::Bridge;
pub use check::FrameCheck;
pub use deframe::Deframe;
pub use enframe::Enframe;
pub use serial_card::SerialCard;
pub use uart::{UartReceive, UartSend};
