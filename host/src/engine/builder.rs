//! The engine as its users see it.

use std::{num::NonZeroUsize, thread};

use super::{
    forecast,
    session::Session,
    worker::{self, StopOnPanic},
};
use crate::{Block, ExecutionError, Executor, Outcome, Sequential};

/// Executes blocks on several threads. It keeps nothing between blocks, so that any number of
/// engines, of any chains, can work in one process, and one engine on several blocks at once.
#[derive(Clone, Debug)]
pub struct Engine {
    threads: NonZeroUsize,
}

/// Makes an [`Engine`].
#[derive(Clone, Debug, Default)]
pub struct EngineBuilder {
    threads: Option<NonZeroUsize>,
}

impl EngineBuilder {
    /// Number of threads, the caller's included. By default, as many as the machine has for this process.
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The engine.
    pub fn build(self) -> Engine {
        let all = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Engine {
            threads: self.threads.unwrap_or_else(all),
        }
    }
}

impl Engine {
    /// Starts to make an engine.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// Number of threads that execute, the caller's included.
    pub fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    /// Executes a block. The caller's thread works with the others and returns when the block is complete.
    ///
    /// # Errors
    /// As [`Executor::execute`]: the same error that sequential execution gives.
    pub fn execute(&self, block: &Block) -> Result<Outcome, ExecutionError> {
        // Nothing to gain: then nothing must be lost either.
        if self.threads.get() == 1 || !forecast::is_worth_threads(block) {
            return Sequential.execute(block);
        }
        self.work(block, worker::lead, worker::run)
    }

    /// Executes a block with a worker of another kind on the caller's thread, such as one that drives
    /// a card, beside CPU workers on the engine's other threads.
    ///
    /// # Errors
    /// As [`Executor::execute`]. If the worker leaves early, the CPU workers complete the block; if
    /// there are none, the block ends with an internal fault.
    pub fn execute_with(
        &self,
        block: &Block,
        worker: impl FnOnce(&Session<'_>),
    ) -> Result<Outcome, ExecutionError> {
        self.work(block, worker, worker::lead)
    }

    fn work(
        &self,
        block: &Block,
        worker: impl FnOnce(&Session<'_>),
        others: fn(&Session<'_>),
    ) -> Result<Outcome, ExecutionError> {
        let session = Session::new(block)?;
        let helpers = self
            .threads
            .get()
            .min(block.transactions.len())
            .saturating_sub(1);
        thread::scope(|scope| {
            for _ in 0..helpers {
                scope.spawn(|| others(&session));
            }
            let _guard = StopOnPanic(&session);
            worker(&session);
        });
        session.finish()
    }
}

impl Executor for Engine {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn threads(&self) -> usize {
        self.threads.get()
    }

    fn execute(&mut self, block: &Block) -> Result<Outcome, ExecutionError> {
        Engine::execute(self, block)
    }
}
