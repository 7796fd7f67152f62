//! The multicore engine: a block's transactions run at the same time, and the result is that of
//! running them one after the other.
//!
//! ```text
//!              ┌──────────── Session: one block ────────────┐
//! worker ──▶ scheduler: who runs next, who waits, who leads │
//!   │          │                                            │
//!   ▼          ▼                                            │
//! revm on a View ──reads──▶ multi-version memory ──▶ pre-state
//!   │ result, reads            ▲           ▲                │
//!   └──────────▶ publish ──────┘           │ final values   │
//!                  │ in order              │                │
//!                  ▼                       │                │
//!             Committer: validates against revm's State, commits, receipts;
//!             a Leader executes on that State what nobody has run, or ran in vain
//! ```
//!
//! So the leading thread does what sequential execution does, and is spared what others did well. It is also spared the
//! making of the block's changes, which all threads do in the end (`deferred`), and others leave it what is not worth their
//! while (`scheduler`).
//!
//! A block that brings an access list has it easier (`listed`): no transaction waits for another, and none is committed.
//!
//! Workers are CPU threads here; a card is one more worker that pulls from the same [`Session`].

mod ahead;
mod builder;
mod bundle;
mod cancel;
mod commit;
mod deferred;
mod forecast;
mod leader;
mod listed;
mod mv_memory;
mod observe;
mod queue;
mod ran;
mod reads;
pub mod scheduler;
mod second;
mod seed;
mod session;
mod sync;
mod system;
mod timeline;
mod used;
mod versions;
mod view;
mod worker;
mod write_set;
mod writes;

#[cfg(test)]
mod tests;

pub use builder::{Engine, EngineBuilder};
pub use cancel::Cancel;
pub(crate) use forecast::Forecast;
pub use leader::Leader;
pub use listed::Left;
pub use queue::{Queue, Refused, Ticket};
pub(crate) use reads::ReadSet;
pub use scheduler::{Attempt, Cost, Counters, Hint, Role, Task};
pub use session::{Session, WorkerEvm, WorkerResult, WorkerView};
pub(crate) use timeline::timed;
pub use timeline::{Activity, Span, Timeline};
pub use view::{Base, Observe, View, ViewError};
pub(crate) use write_set::{BalanceWrite, Writes};
pub(crate) use writes::writes;
