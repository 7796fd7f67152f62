//! The engine as its users see it.

use std::{num::NonZeroUsize, sync::Arc, thread};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{
    forecast,
    session::Session,
    timeline::Timeline,
    worker::{self, StopOnPanic},
};
use crate::{Block, ExecutionError, Executor, Outcome, Sequential, Verify};

/// Executes blocks on several threads. It keeps nothing between blocks but its threads, so that any
/// number of engines, of any chains, can work in one process, and one engine on several blocks at once.
#[derive(Clone, Debug)]
pub struct Engine {
    threads: NonZeroUsize,
    /// All threads but the caller's, with what their allocators keep. `None` if there are no others.
    pool: Option<Arc<ThreadPool>>,
    timeline: Option<Arc<Timeline>>,
}

/// Makes an [`Engine`].
#[derive(Clone, Debug, Default)]
pub struct EngineBuilder {
    threads: Option<NonZeroUsize>,
    timeline: Option<Arc<Timeline>>,
}

impl EngineBuilder {
    /// Number of threads, the caller's included. By default, as many as the machine has for this process.
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Records what the CPU workers do, for as long as the engine lives.
    pub fn timeline(mut self, timeline: Arc<Timeline>) -> Self {
        self.timeline = Some(timeline);
        self
    }

    /// The engine.
    pub fn build(self) -> Engine {
        let all = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let wanted = self.threads.unwrap_or_else(all);
        let others = wanted.get() - 1;
        let pool = ThreadPoolBuilder::new().num_threads(others);
        let pool = pool.thread_name(|index| format!("gatewei-{index}"));
        // Where the system has no more threads to give, the caller's does all the work, and says so.
        let pool = (others > 0).then(|| pool.build()).transpose();
        let pool = pool.unwrap_or_else(|error| {
            tracing::warn!(%error, wanted, "no threads for the engine: it executes on one");
            None
        });
        Engine {
            threads: if pool.is_some() {
                wanted
            } else {
                NonZeroUsize::MIN
            },
            pool: pool.map(Arc::new),
            timeline: self.timeline,
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
        self.work(block, Verify::None, worker::lead, worker::run)
    }

    /// Executes a block with a worker of another kind on the caller's thread, such as one that drives
    /// a card, beside CPU workers on the engine's other threads. What the worker says came from a card is computed
    /// again as far as `verify` has it.
    ///
    /// # Errors
    /// As [`Executor::execute`]. If the worker leaves early, the CPU workers complete the block; if
    /// there are none, the block ends with an internal fault.
    pub fn execute_with(
        &self,
        block: &Block,
        verify: Verify,
        worker: impl FnOnce(&Session<'_>),
    ) -> Result<Outcome, ExecutionError> {
        self.work(block, verify, worker, worker::lead)
    }

    fn work(
        &self,
        block: &Block,
        verify: Verify,
        worker: impl FnOnce(&Session<'_>),
        others: fn(&Session<'_>),
    ) -> Result<Outcome, ExecutionError> {
        let session = Session::new(block)?
            .verifying(verify)
            .recording(self.timeline.clone());
        let begin = || {
            let _guard = StopOnPanic(&session);
            worker(&session);
        };
        match &self.pool {
            None => begin(),
            Some(pool) => pool.in_place_scope(|scope| {
                let helpers = pool.current_num_threads().min(block.transactions.len());
                for _ in 0..helpers {
                    scope.spawn(|_| others(&session));
                }
                begin();
            }),
        }
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
