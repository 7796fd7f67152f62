//! The only hand-written Verilog: memories and the multiplier, each with its model in Rust.
//!
//! Everything else in this crate is logic in rust-hdl. A primitive here is written so that synthesis maps it
//! to block RAM or DSP cells; its Rust `update` is the model that the Verilog is checked against.

mod depth;
mod mul;
mod ram;
mod rom;
mod row_ram;

pub use mul::Mul;
pub use ram::Ram;
pub use rom::{LookupRom, Rom};
pub use row_ram::RowRam;
