//! The EVM lane: runs one message from its first to its last opcode.
//!
//! A microcoded machine around a 256-bit datapath:
//!
//! ```text
//!            ┌─ code (ByteRam) ─▶ decode ─▶ sequencer (microcode ROM) ─▶ one control word a cycle
//!   host ────┤                                                            │
//!   beats    ├─ environment ─┐                                            ▼
//!            ├─ slot table ──┤   ┌─ ALU, shifter, arithmetic ─┐     gas meter, expansion,
//!            │               ├──▶│ result bus ──▶ stack       │     mover, slot table
//!   host ◀───┴ result writer ┴───┴─ data (ByteRam), Keccak ───┘
//!   host ◀──▶ pager ◀───────────────┘ EVM memory and calldata, 16 pages at a time
//! ```
//!
//! An opcode takes a fetch cycle, in which its byte is decoded and its operands are read ahead, and at
//! least one cycle of its routine. The first word of a routine *checks*: static gas, fork, static
//! frame, stack bounds, in revm's order. Whatever the lane lacks (a slot's value, a block hash, the
//! code) it asks of the host and goes on when answered; what it leaves to the CPU is a trap.

pub mod bytes;
pub mod check;
pub mod code;
pub mod code_table;
pub mod cost;
pub mod data;
pub mod decode;
pub mod frame;
pub mod gas;
pub mod microcode;
pub mod mover;
pub mod page_table;
pub mod pager;
pub mod reader;
pub mod route;
pub mod sequencer;
pub mod slot_entry;
pub mod slots;
pub mod stack;
pub mod words;

mod datapath;

pub use datapath::Lane;
