//! The multicore engine: a block's transactions run at the same time, and the result is that of
//! running them one after the other.
//!
//! ```text
//!              ┌──────────── Session: one block ────────────┐
//! worker ──▶ scheduler: who runs next, who waits            │
//!   │          │                                            │
//!   ▼          ▼                                            │
//! revm on a View ──reads──▶ multi-version memory ──▶ pre-state
//!   │ result, reads            ▲                            │
//!   └──────────▶ publish ──────┘                            │
//!                  │ in order                               │
//!                  ▼                                        │
//!             Committer: validate against revm's State, commit, receipts
//! ```
//!
//! Workers are CPU threads here; a card is one more worker that pulls from the same [`Session`].

mod builder;
mod commit;
mod mv_memory;
mod observe;
mod reads;
pub mod scheduler;
mod session;
mod system;
mod versions;
mod view;
mod worker;
mod writes;

pub use builder::{Engine, EngineBuilder};
pub use scheduler::{Attempt, Counters, Hint, Task};
pub use session::{Session, WorkerEvm, WorkerResult, WorkerView};
pub use view::{Observe, View, ViewError};
