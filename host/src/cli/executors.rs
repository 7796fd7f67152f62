//! Executors by name.

use std::num::{NonZeroU16, NonZeroUsize};
use std::thread::available_parallelism;

use clap::{Args, ValueEnum};
use gatewei::{
    Engine, Executor, Sequential, Verify,
    card::{CardExecutor, Control, Offload},
};
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

/// How much goes to a card, and how much of that the CPU does again.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Policy {
    /// Which first frames go to the card: all; those that end sooner there by the cost model; or none
    #[arg(long, value_enum, default_value = "all")]
    offload: OffloadName,
    /// Which of the card's results the CPU computes again before they count: all, none, or sample=N for one in N
    ///
    /// A block that does not fit its header after the card worked on it is always executed again on the CPU.
    #[arg(long, value_name = "WHICH", default_value = "none")]
    verify: Verify,
    /// Queue pairs of the card to use, each from a thread of its own; as many as it has lanes for, at most
    #[arg(long, value_name = "N", default_value = "1")]
    queues: NonZeroU16,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            offload: OffloadName::default(),
            verify: Verify::default(),
            queues: NonZeroU16::MIN,
        }
    }
}

/// [`Offload`] on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum OffloadName {
    #[default]
    All,
    Auto,
    None,
}

impl Policy {
    fn executor<T: Transport + 'static>(
        self,
        card: gatewei_driver::Card<T>,
        others: impl IntoIterator<Item = gatewei_driver::Card<T>>,
        threads: NonZeroUsize,
    ) -> Box<dyn Executor> {
        let executor = CardExecutor::new(card).with_pairs(others);
        self.apply(&executor.control());
        Box::new(executor.with_threads(threads))
    }

    fn apply(self, control: &Control) {
        control.set_verify(self.verify);
        control.set_offload(match self.offload {
            OffloadName::All => Offload::All,
            OffloadName::Auto => Offload::Auto,
            OffloadName::None => Offload::None,
        });
    }
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
    policy: Policy,
) -> Result<Box<dyn Executor>, Failure> {
    match kind {
        Kind::Sequential => Ok(Box::new(Sequential)),
        Kind::Cpu => {
            let threads = threads.unwrap_or_else(default_threads);
            Ok(Box::new(Engine::builder().threads(threads).build()))
        }
        Kind::Card => {
            let threads = threads.unwrap_or(NonZeroUsize::MIN);
            let (transport, options) = (transport(card)?, card.options());
            if policy.queues == NonZeroU16::MIN {
                let card = gatewei_driver::Card::open(transport, options)?;
                return Ok(policy.executor(card, [], threads));
            }
            let cards = gatewei_driver::share(transport, options, policy.queues.get())?;
            let mut cards = cards.into_iter();
            let first = cards
                .next()
                .ok_or_else(|| Failure::new("the card has no queue pair"))?;
            Ok(policy.executor(first, cards, threads))
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
