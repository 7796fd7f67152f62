//! The EVM lane: runs one message from its first to its last opcode, with all frames that it calls and creates.
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
//!   host ◀──▶ pager ◀───────────────┘ memory, calldata, return data, frames that wait, journal: 16 pages at a time
//! ```
//!
//! An opcode takes a fetch cycle, in which its byte is decoded and its operands are read ahead, and at
//! least one cycle of its routine. The first word of a routine *checks*: static gas, fork, static
//! frame, stack bounds, in revm's order. Whatever the lane lacks (a slot's value, a block hash, the
//! code) it asks of the host and goes on when answered; what it leaves to the CPU is a trap.
//!
//! What takes long to tell comes from registers, for the sake of the clock: a word with a wide condition or with a charge
//! that depends on operands stands for a cycle before it acts ([`microcode::word::Word`]'s `late`), and of the pages of code
//! and data those used last are found at once ([`near`]), others two cycles later.
//!
//! A call saves the frame's registers ([`frame`]) as a record in the data space and begins anew; stacks of waiting
//! frames stay below in the stack memory, their memories below in the memory segment. Whatever an inner frame
//! changes of the slot table, in which accounts, their fields and slots are, it first writes to the journal, which
//! is read backwards where the frame fails.

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
pub mod near;
pub mod page_table;
pub mod pager;
pub mod reader;
pub mod route;
pub mod sequencer;
pub mod slot_entry;
pub mod slots;
pub mod stack;
pub mod stores;
pub mod straddle;
pub mod words;

mod datapath;

pub use datapath::Lane;
