//! Parallel EVM block execution on CPU threads and FPGA lanes.
//!
//! A [`Block`] goes in, an [`Outcome`] comes out: receipts, requests and state changes, bit for bit those of sequential
//! revm, whichever [`Executor`] ran it.

mod access_list;
pub mod block;
pub mod building;
pub mod card;
pub mod changes;
mod checks;
mod compare;
mod digest;
pub mod engine;
mod executor;
pub mod model;
#[cfg(feature = "node")]
pub mod node;
mod outcome;
mod sequential;
pub mod statetest;
mod statistics;
mod verify;
mod warm_up;
pub mod witness;

pub use access_list::{AccessList, InvalidAccessList, difference as access_list_difference};
pub use block::{Block, Chain, Fork, LoadError, PreState, PreStateError, Provider, Scope, Source};
pub use checks::{Checks, Mismatch};
pub use compare::{Difference, first_difference};
pub use digest::digest;
pub use engine::{Cancel, Engine, EngineBuilder};
pub use executor::{ExecutionError, Executor, Fault};
pub use outcome::{Outcome, Receipt, Receipts};
pub use sequential::Sequential;
pub use statistics::{
    ByList, CardStatistics, ClassCycles, Conflict, Location, Prediction, Statistics,
};
pub use verify::{UnknownVerify, Verify, WrongResult};
pub use warm_up::warm_up;
pub use witness::{Witness, WitnessError};

/// The README's example is compiled with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
