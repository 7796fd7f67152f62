//! Executors by name.

use std::{num::NonZeroUsize, thread::available_parallelism};

use clap::ValueEnum;
use gatewei::{Engine, Executor, Sequential, card::CardExecutor};
use gatewei_driver::transport::Transport;

pub(super) use gatewei_driver::transport::Address as Card;

use super::Failure;

/// Who executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// Sequential revm on one thread: the reference.
    Sequential,
    /// revm on all threads, optimistically in parallel (Block-STM).
    Cpu,
    /// The first frame of every transaction, with all that it calls, on the card's EVM lanes, everything else as `cpu` does it.
    Card,
}

pub(super) const WITHOUT_CARD: &str = "this gatewei was built without the simulated card, which needs Verilator when it is built: \
     `make build` fetches Verilator and builds target/release/gatewei with the card";

/// Whether this build has the simulated card; else why not.
pub(super) fn simulated_card() -> Result<(), &'static str> {
    if cfg!(feature = "sim") {
        Ok(())
    } else {
        Err(WITHOUT_CARD)
    }
}

/// Threads to use when the user names no number.
pub(super) fn default_threads() -> NonZeroUsize {
    available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Makes an executor. Fails where this build has none.
pub(super) fn make(
    kind: Kind,
    card: &Card,
    threads: Option<NonZeroUsize>,
) -> Result<Box<dyn Executor>, Failure> {
    match kind {
        Kind::Sequential => Ok(Box::new(Sequential)),
        Kind::Cpu => {
            let threads = threads.unwrap_or_else(default_threads);
            Ok(Box::new(Engine::builder().threads(threads).build()))
        }
        Kind::Card => {
            let card = gatewei_driver::Card::open(transport(card)?, Default::default())?;
            Ok(Box::new(CardExecutor::new(card)))
        }
    }
}

/// Opens the way to a card.
pub(super) fn transport(card: &Card) -> Result<Box<dyn Transport>, Failure> {
    match card {
        Card::Sim => simulation(),
        card => Ok(card.open()?),
    }
}

#[cfg(feature = "sim")]
fn simulation() -> Result<Box<dyn Transport>, Failure> {
    Ok(Box::new(gatewei_sim::SimCard::new(Default::default())?))
}

#[cfg(not(feature = "sim"))]
fn simulation() -> Result<Box<dyn Transport>, Failure> {
    Err(Failure::new(WITHOUT_CARD))
}
