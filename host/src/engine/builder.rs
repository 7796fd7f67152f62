//! The engine as its users see it.

use std::{
    num::NonZeroUsize,
    sync::{Arc, OnceLock},
    thread,
};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{
    cancel::Cancel,
    commit::Feed,
    forecast::Forecast,
    listed::{self, Vain},
    session::Session,
    timeline::{Activity, Timeline, timed},
    worker::{self, StopOnPanic},
};
use crate::{Block, ByList, ExecutionError, Executor, Outcome, Verify, sequential};

/// Transactions in flight where reads wait, by default.
const IN_FLIGHT: NonZeroUsize = NonZeroUsize::new(32).expect("not zero");

/// Executes blocks on several threads. It keeps nothing between blocks but its threads, so that any
/// number of engines, of any chains, can work in one process, and one engine on several blocks at once.
#[derive(Clone, Debug)]
pub struct Engine {
    threads: NonZeroUsize,
    /// All threads but the caller's, with what their allocators keep. `None` if there are no others.
    pool: Option<Arc<ThreadPool>>,
    in_flight: NonZeroUsize,
    /// Made when a block comes whose state is slow to be read.
    crew: Arc<OnceLock<Option<ThreadPool>>>,
    timeline: Option<Arc<Timeline>>,
}

/// Makes an [`Engine`].
#[derive(Clone, Debug, Default)]
pub struct EngineBuilder {
    threads: Option<NonZeroUsize>,
    in_flight: Option<NonZeroUsize>,
    timeline: Option<Arc<Timeline>>,
}

impl EngineBuilder {
    /// Number of threads, the caller's included. By default, as many as the machine has for this process.
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Number of transactions in flight at once where reads of the state wait for a disk or a network
    /// ([`Source::waits`](crate::Source::waits)): threads that mostly wait, made when the first such block comes. 32 by
    /// default.
    pub fn in_flight(mut self, transactions: NonZeroUsize) -> Self {
        self.in_flight = Some(transactions);
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
            in_flight: self.in_flight.unwrap_or(IN_FLIGHT),
            crew: Arc::default(),
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
        self.serve(block, None, None)
    }

    /// As [`Engine::execute`], until somebody cancels it.
    ///
    /// # Errors
    /// As [`Executor::execute`], and [`Fault::Cancelled`](crate::Fault::Cancelled).
    pub fn execute_until(&self, block: &Block, cancel: &Cancel) -> Result<Outcome, ExecutionError> {
        self.serve(block, Some(cancel), None)
    }

    /// As [`Engine::execute_until`]; hands results on in order while it goes on. Executes in parallel even where that is
    /// not worth it.
    #[cfg(feature = "node")]
    pub(crate) fn feed(
        &self,
        block: &Block,
        cancel: &Cancel,
        feed: Feed,
    ) -> Result<Outcome, ExecutionError> {
        self.serve(block, Some(cancel), Some(feed))
    }

    fn serve(
        &self,
        block: &Block,
        cancel: Option<&Cancel>,
        feed: Option<Feed>,
    ) -> Result<Outcome, ExecutionError> {
        // Nothing to gain: then nothing must be lost either.
        let in_order = || sequential::run(block, self.timeline.as_deref(), cancel);
        if self.threads.get() == 1 && feed.is_none() {
            return in_order();
        }
        // Of a slow state everything is read once.
        let slow = block.pre_state.waits().then(|| Block {
            pre_state: Arc::new(block.pre_state.clone().cached()),
            ..block.clone()
        });
        let block = slow.as_ref().unwrap_or(block);
        let mut vain = None;
        if feed.is_none() {
            match self.by_list(block, cancel) {
                Some(Ok(outcome)) => return Ok(outcome),
                Some(Err(tried)) => vain = Some(tried),
                None => {}
            }
        }
        let looks = feed.is_some() || !Forecast::is_small(block);
        let outcome = match looks.then(|| Forecast::of(block)) {
            Some(forecast) if feed.is_some() || forecast.worth_threads => {
                self.share(block, forecast, cancel, feed)
            }
            _ => in_order(),
        };
        outcome.map(|mut outcome| {
            if let Some(vain) = vain {
                let statistics = &mut outcome.statistics;
                statistics.by_list = ByList::Left(vain.left);
                statistics.executions += vain.executions;
                statistics.wasted_gas += vain.gas;
            }
            outcome
        })
    }

    /// Executes by the block's access list, where it has one and gains by it.
    fn by_list(&self, block: &Block, cancel: Option<&Cancel>) -> Option<Result<Outcome, Vain>> {
        let (list, pool) = (block.access_list.as_ref()?, self.threads_for(block)?);
        let timeline = self.timeline.as_deref();
        listed::suits(block).then(|| listed::execute(block, list, pool, timeline, cancel))
    }

    /// Executes in parallel.
    fn share(
        &self,
        block: &Block,
        forecast: Forecast,
        cancel: Option<&Cancel>,
        feed: Option<Feed>,
    ) -> Result<Outcome, ExecutionError> {
        let workers = (worker::lead, worker::run as fn(&Session<'_>));
        let cancel = cancel.cloned();
        let open = || Ok(Session::with_forecast(block, forecast)?.serving(cancel, feed));
        self.work(block, open, self.threads_for(block), workers)
    }

    /// The threads beside the caller's that a block is executed on.
    fn threads_for(&self, block: &Block) -> Option<&ThreadPool> {
        if block.pre_state.waits() {
            self.crew()
        } else {
            self.pool.as_deref()
        }
    }

    /// Threads for attempts that mostly wait.
    fn crew(&self) -> Option<&ThreadPool> {
        let crew = self.crew.get_or_init(|| {
            let others = self.in_flight.get().max(self.threads.get()) - 1;
            let crew = ThreadPoolBuilder::new().num_threads(others);
            let crew = crew.thread_name(|index| format!("gatewei-wait-{index}"));
            (others > 0).then(|| crew.build().ok()).flatten()
        });
        crew.as_ref().or(self.pool.as_deref())
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
        let workers = (worker, worker::lead as fn(&Session<'_>));
        let open = || Ok(Session::new(block)?.verifying(verify));
        self.work(block, open, self.pool.as_deref(), workers)
    }

    fn work<'b>(
        &self,
        block: &'b Block,
        open: impl FnOnce() -> Result<Session<'b>, ExecutionError>,
        pool: Option<&ThreadPool>,
        (worker, others): (impl FnOnce(&Session<'_>), fn(&Session<'_>)),
    ) -> Result<Outcome, ExecutionError> {
        let timeline = self.timeline.as_deref();
        let session = timed(timeline, Activity::Open, open)?.recording(self.timeline.clone());
        let begin = || {
            let _guard = StopOnPanic(&session);
            worker(&session);
        };
        match pool {
            None => begin(),
            Some(pool) => pool.in_place_scope(|scope| {
                let helpers = pool.current_num_threads().min(block.transactions.len());
                for _ in 0..helpers {
                    scope.spawn(|_| others(&session));
                }
                begin();
            }),
        }
        let (outcome, remains) = timed(timeline, Activity::Close, || session.end(pool));
        if let Some(pool) = pool {
            pool.spawn(|| drop(remains));
        }
        outcome
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
