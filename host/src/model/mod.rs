//! A model of a card: what a block takes on a board, from what the simulated card is exact about.
//!
//! ```text
//! block ──▶ profile: every message once on the simulated card ──▶ graph: who reads what whom wrote
//!              │ cycles, requests, beats                              │
//!              ▼                                                      ▼
//! board, clock, link ──────────────▶ schedule: the engine's scheduler over N lanes, in cycles
//!                                      │ makespan, busy lanes, load of the link
//!                                      ▼
//!                              energy: watts × time
//! ```
//!
//! What is *simulated* here is exact for the Verilog: cycles of a message with its memory so far away, its requests, its
//! bytes. What is *modelled* is the card around it: when a message starts on which lane, what awaits what, what is run in
//! vain. What is *assumed* (clock, latency, watts of a card that nobody has measured) says so: every value has its
//! [`Source`].

mod access;
mod energy;
mod figures;
mod graph;
mod parts;
mod profile;
mod schedule;

pub use energy::{Power, rapl_joules};
pub use figures::{Assumptions, Figures, figures};
pub use graph::Graph;
pub use parts::{Board, BoardError, Known, Link, LinkKind, Manifest, Part, Source, boards, parts};
pub use profile::{Counted, Message, Moved, Place, Profile, Profiler, Spent};
pub use schedule::{Code, Cost, Load, Run, Setting, Stuck, schedule};
