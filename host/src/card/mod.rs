//! First frames, with all that they call, on a card.
//!
//! ```text
//! transaction ─▶ split: begin ─▶ message ─▶ driver ═▶ card
//!                                   ▲ answers            │
//! result  ◀── split: finish ◀── effects ◀── driver ◀═════╯
//!         ◀── split: fallback ◀── trap, fault, deadline
//! ```
//!
//! revm keeps everything around the frames: validation, fees, refunds, receipts, and the rules of
//! creation. The card runs the frames, and what it cannot run ends on revm's own interpreter under a
//! counted, named reason ([`Reason`]).

mod answers;
mod apply;
mod control;
mod costs;
mod create;
mod effects;
mod executor;
mod flights;
mod foresight;
mod interpret;
pub mod lockstep;
pub mod message;
mod predictor;
mod reason;
#[cfg(feature = "sim")]
pub mod sim;
pub mod split;
mod teller;
mod templates;
pub mod trace;
mod worker;

pub use control::{Control, Offload};
pub use executor::{CardExecutor, Quarantine};
pub use flights::{CardRunner, Flights, Landing, Place};
pub use message::Unfit;
pub use predictor::{Call, Predictor};
pub use reason::Reason;
pub use split::{CardDatabase, CardEvm, Ended, Outcome, Work};
pub use worker::statistics;
