//! User-space driver of the card: discovery, DMA memory, queues, command slots, deadlines, transports.
//!
//! It moves messages and knows nothing of the EVM: what a message says is the host's affair, what the
//! bytes on the rings mean is [`gatewei_abi`]'s. A [`transport::Transport`] is the only thing that
//! differs between a card in a slot, a simulated one, and a guest's.
//!
//! Nothing that the card says is believed: completions are copied out once and validated, every
//! offset of a result is checked before it is used, and a register that reads all ones makes the
//! driver look whether the card is still there.

mod bench;
mod card;
mod codes;
mod deadline;
pub mod discovery;
pub mod dma;
mod fault;
pub mod inject;
pub mod profile;
mod queue;
pub mod result;
mod selftest;
pub mod serial;
mod share;
mod slots;
mod sync;
mod traffic;
pub mod transport;
pub mod vfio_user;

pub use bench::{Bench, BenchError, bench};
pub use card::{
    Caps, Card, Counters, Creation, Event, LaneCounters, Options, Origin, PrecompileCall, State,
    Ticket, identify, origin,
};
pub use codes::Code;
pub use deadline::Deadlines;
pub use fault::{Fault, Lost, OpenError, SubmitError};
pub use selftest::{Check, Outcome, selftest};
pub use share::{Port, share};
pub use traffic::{Sizes, Traffic};
