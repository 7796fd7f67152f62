//! One block in execution: what all workers of it share, and how a worker pulls its work.
//!
//! A worker loops over [`Session::wait`] (or [`Session::poll`], if it has executions in flight
//! that it must look after):
//!
//! * [`Task::Execute`]: aim an EVM of its own at the attempt with [`Session::aim`], execute
//!   [`Session::transaction`], and hand the result to [`Session::submit`], whatever it is. A
//!   worker may hold any number of attempts, each on an EVM of its own, and submit them in any
//!   order.
//! * [`Task::Commit`]: call [`Session::commit`].
//! * [`Task::Done`]: leave, dropping what is in flight.

use std::{
    sync::{Arc, Once},
    time::Instant,
};

use parking_lot::Mutex;
use rayon::ThreadPool;
use revm::{
    ExecuteEvm as _, MainBuilder, MainnetEvm,
    context::{
        TxEnv,
        result::{EVMError, ResultAndState},
    },
    database::CacheState,
    handler::MainnetContext,
};

use super::{
    ahead::Ahead,
    cancel::Cancel,
    commit::{Committer, Feed, Validated},
    forecast::Forecast,
    leader::Leader,
    mv_memory::MvMemory,
    observe,
    ran::Ran,
    scheduler::{Attempt, Counters, Cursor, Role, Scheduler, Task},
    seed::seeds,
    timeline::{Activity, Timeline, timed},
    view::{View, ViewError},
    write_set::{Final, Locations},
    writes::writes,
};
use crate::{Block, CardStatistics, ExecutionError, Outcome, PreState, PreStateError, Verify};

/// Database of a worker's EVM.
pub type WorkerView<'s> = View<'s, PreState>;
/// A worker's EVM: revm's mainnet EVM, with opcodes that report what they depend on.
pub type WorkerEvm<'s> = MainnetEvm<MainnetContext<WorkerView<'s>>>;
/// What a worker hands in: what `transact` and `finalize` give, or what the split handler does.
pub type WorkerResult = Result<ResultAndState, EVMError<ViewError<PreStateError>>>;

#[derive(Default)]
struct Slot {
    ran: Option<Ran>,
    /// Where the latest attempt wrote.
    written: Locations,
    /// Treat every read as a dependency: a lazy balance went out of range.
    exact: bool,
    /// How often it has run in vain.
    rejected: u32,
}

/// Times that a transaction runs in vain before whoever commits executes it in order: a block ends, whatever the workers
/// do.
const PATIENCE: u32 = 8;

/// One block in execution.
pub struct Session<'b> {
    block: &'b Block,
    scheduler: Scheduler,
    memory: MvMemory,
    /// What an access list claims has been published.
    seeded: Once,
    slots: Vec<Mutex<Slot>>,
    committer: Mutex<Committer<'b>>,
    verify: Verify,
    /// The access list of what is done is wanted.
    lists: bool,
    timeline: Option<Arc<Timeline>>,
    cancel: Option<Cancel>,
    ahead: Ahead,
}

impl<'b> Session<'b> {
    /// Starts a block: applies its pre-execution system calls.
    ///
    /// # Errors
    /// A system call that fails.
    pub fn new(block: &'b Block) -> Result<Self, ExecutionError> {
        Self::with_forecast(block, Forecast::of(block))
    }

    pub(super) fn with_forecast(
        block: &'b Block,
        forecast: Forecast,
    ) -> Result<Self, ExecutionError> {
        let memory = MvMemory::new();
        let committer = Committer::begin(block, &memory)?;
        let mut slots: Vec<Mutex<Slot>> = Vec::new();
        slots.resize_with(block.tx_envs.len(), Mutex::default);
        Ok(Self {
            block,
            scheduler: Scheduler::new(&forecast.hints),
            memory,
            seeded: Once::new(),
            slots,
            lists: committer.lists(),
            committer: Mutex::new(committer),
            verify: Verify::None,
            timeline: None,
            cancel: None,
            ahead: Ahead::of(block),
        })
    }

    /// Records what its CPU workers do.
    pub fn recording(mut self, timeline: Option<Arc<Timeline>>) -> Self {
        self.timeline = timeline;
        self
    }

    /// Ends when it is told to, and hands its results on.
    pub(super) fn serving(mut self, cancel: Option<Cancel>, feed: Option<Feed>) -> Self {
        self.cancel = cancel;
        self.committer.get_mut().feeding(feed);
        self
    }

    /// Reads ahead from a slow pre-state, with all others who do.
    pub(super) fn read_ahead(&self) {
        self.ahead.read(self.block);
    }

    pub(super) fn timeline(&self) -> Option<&Timeline> {
        self.timeline.as_deref()
    }

    /// Computes results that came from a card again before they are committed.
    pub fn verifying(mut self, verify: Verify) -> Self {
        self.verify = verify;
        self
    }

    /// The block.
    pub fn block(&self) -> &'b Block {
        self.block
    }

    /// The transaction of an attempt, as revm takes it.
    pub fn transaction(&self, attempt: Attempt) -> &'b TxEnv {
        &self.block.tx_envs[attempt.tx]
    }

    /// A new EVM for a worker. Costs some 40 µs: make as many as there will be attempts in flight
    /// and use them again.
    pub fn evm(&self) -> WorkerEvm<'_> {
        let environment = &self.block.environment;
        let view = View::new(&*self.block.pre_state, &self.memory);
        let mut evm = MainnetContext::new(view, environment.cfg_env.spec)
            .with_cfg(environment.cfg_env.clone())
            .with_block(environment.block_env.clone())
            .build_mainnet();
        observe::install(&mut evm.instruction);
        evm
    }

    /// What a worker needs that executes on the committed state: the transactions that all others
    /// have left out, or got wrong.
    pub fn leader(&self) -> Leader<'b> {
        Leader::new(self.block)
    }

    /// Publishes what an access list claims, on the thread that first needs it.
    fn seed(&self) {
        let Some(list) = &self.block.access_list else {
            return;
        };
        let seeds = seeds(list, self.slots.len());
        for (tx, (slot, writes)) in self.slots.iter().zip(seeds).enumerate() {
            let mut slot = slot.lock();
            slot.written = self.memory.publish(tx + 1, &writes, &slot.written);
        }
    }

    /// Points the EVM at an attempt: its journal is emptied and its database shows what the attempt
    /// may see.
    pub fn aim(&self, evm: &mut WorkerEvm<'_>, attempt: Attempt) {
        // An account left in the journal would be read without being recorded.
        if !evm.ctx.journaled_state.state.is_empty() {
            evm.finalize();
        }
        self.seeded.call_once(|| self.seed());
        self.memory.catch_up();
        let tx = self.transaction(attempt);
        // The address of a creation comes from a nonce, and an authorisation checks one (EIP-7702).
        let all_nonces = tx.kind.is_create() || !tx.authorization_list.is_empty();
        let exact = self.slots[attempt.tx].lock().exact;
        evm.ctx
            .journaled_state
            .database
            .aim(attempt, tx.caller, all_nonces, exact);
    }

    /// The next task, or [`Task::Wait`] at once.
    pub fn poll(&self) -> Task {
        self.scheduler.poll(Role::Helper)
    }

    /// The next task of a worker that can lead, or [`Task::Wait`] at once.
    pub fn poll_leading(&self) -> Task {
        self.scheduler.poll(Role::Leader)
    }

    /// The next attempt of a worker that never commits, beside one that leads, or [`Task::Wait`] at once.
    pub fn poll_running(&self) -> Task {
        self.scheduler.poll(Role::Runner)
    }

    /// The next task; sleeps until there is one.
    pub fn wait(&self) -> Task {
        self.scheduler.wait(Role::Helper)
    }

    /// The next task of a worker that can lead; sleeps until there is one.
    pub fn wait_leading(&self) -> Task {
        self.scheduler.wait(Role::Leader)
    }

    /// The next attempt for a worker that never commits, beside one that leads; sleeps until there is one.
    /// [`Task::Execute`] or [`Task::Done`].
    pub(crate) fn wait_running(&self) -> Task {
        self.scheduler.wait(Role::Runner)
    }

    /// Takes the result of the attempt that the EVM is aimed at. The worker then asks for work
    /// again, at once or when the next of its executions in flight ends.
    ///
    /// `card` is what this attempt adds to the card's statistics of the block, if it is committed.
    pub fn submit(
        &self,
        evm: &mut WorkerEvm<'_>,
        result: WorkerResult,
        card: Option<Box<CardStatistics>>,
    ) {
        let view = &mut evm.ctx.journaled_state.database;
        let attempt = view.attempt();
        let reads = &mut view.reads;
        if let Err(EVMError::Database(ViewError::Blocked(on))) = result {
            // What the previous attempt wrote stays an estimate.
            self.scheduler.blocked(attempt, on);
            return;
        }
        let changes = match &result {
            Ok(outcome) => writes(&outcome.state, reads),
            Err(_) => Default::default(),
        };
        let ran = Ran::new(result, reads, card, self.lists);
        {
            let mut slot = self.slots[attempt.tx].lock();
            slot.written = self.memory.publish(attempt.tx + 1, &changes, &slot.written);
            slot.ran = Some(ran);
        }
        self.scheduler.executed(attempt);
    }

    /// Gives an attempt back unfinished, such as one that a card has lost. A worker that leaves
    /// before [`Task::Done`] does this for everything it has in flight.
    pub fn abandon(&self, attempt: Attempt) {
        self.scheduler.abandoned(attempt);
    }

    /// Validates and commits transactions in order, as far as they have run. Only after
    /// [`Task::Commit`] from [`Session::poll`] or [`Session::wait`].
    pub fn commit(&self) {
        self.walk(None);
    }

    /// As [`Session::commit`], and executes in order what nobody has run. Only after
    /// [`Task::Commit`] from [`Session::poll_leading`] or [`Session::wait_leading`].
    pub fn lead(&self, leader: &mut Leader<'b>) {
        self.walk(Some(leader));
    }

    fn walk(&self, leader: Option<&mut Leader<'b>>) {
        let role = match leader {
            Some(_) => Role::Leader,
            None => Role::Helper,
        };
        let mut committer = self.committer.lock();
        let mut cursor = self.scheduler.cursor(role);
        let mut leader = Lead {
            own: leader,
            spare: None,
        };
        loop {
            if self.cancel.as_ref().is_some_and(Cancel::is_cancelled) {
                committer.fail(ExecutionError::cancelled(self.block));
                self.scheduler.stop();
                break;
            }
            let committed = match cursor {
                Cursor::Ready(tx) => timed(self.timeline(), Activity::Commit { tx }, || {
                    self.validate(&mut committer, tx, &mut leader)
                }),
                Cursor::Take(tx) => timed(self.timeline(), Activity::InOrder { tx }, || {
                    self.execute(&mut committer, tx, leader.get(self.block))
                }),
                Cursor::Empty => break,
            };
            cursor = match committed {
                Committed::Yes(tx) => self.scheduler.committed(tx, role),
                Committed::Stale(tx) => self.scheduler.rejected(tx, role),
                Committed::Hopeless(tx) => self.scheduler.rejected(tx, Role::Leader),
                Committed::Failed => {
                    self.scheduler.stop();
                    break;
                }
            };
        }
        drop(committer);
        self.scheduler.commit_ended();
    }

    /// Commits a transaction that has run, if what it has read is so.
    fn validate(
        &self,
        committer: &mut Committer<'b>,
        tx: usize,
        leader: &mut Lead<'_, 'b>,
    ) -> Committed {
        let mut slot = self.slots[tx].lock();
        let Some(ran) = slot.ran.take() else {
            let reason = "an executed transaction has no result";
            committer.fail(ExecutionError::internal(self.block, reason));
            return Committed::Failed;
        };
        let on_card = ran.card.as_ref().is_some_and(|card| card.txs > 0);
        let doubted = on_card && self.verify.selects(self.block.number(), tx);
        let checker = doubted.then(|| leader.get(self.block));
        match committer.commit(tx, ran, &self.memory, checker) {
            Validated::Yes => Committed::Yes(tx),
            Validated::Replaced(writes) => {
                self.memory.settle(Final::Writes {
                    version: tx + 1,
                    writes,
                    withdrawn: std::mem::take(&mut slot.written),
                });
                Committed::Yes(tx)
            }
            Validated::Stale { exact } => {
                slot.exact |= exact;
                self.memory.estimate(tx + 1, &slot.written);
                slot.rejected += 1;
                if slot.rejected < PATIENCE {
                    Committed::Stale(tx)
                } else {
                    Committed::Hopeless(tx)
                }
            }
            Validated::Failed => Committed::Failed,
        }
    }

    fn execute(
        &self,
        committer: &mut Committer<'b>,
        tx: usize,
        leader: &mut Leader<'b>,
    ) -> Committed {
        let told = !self.scheduler.is_alone();
        let from = told.then(Instant::now);
        let Some(writes) = committer.execute(tx, leader, told) else {
            return Committed::Failed;
        };
        let Some(from) = from else {
            return Committed::Yes(tx);
        };
        self.scheduler.took(tx, from.elapsed());
        let withdrawn = std::mem::take(&mut self.slots[tx].lock().written);
        if !(writes.is_empty() && withdrawn.is_empty()) {
            self.memory.settle(Final::Writes {
                version: tx + 1,
                writes,
                withdrawn,
            });
        }
        Committed::Yes(tx)
    }

    /// Gives the block up without a reason of its own: a worker has come to grief.
    pub(crate) fn stop(&self) {
        self.scheduler.stop();
    }

    /// Gives the block up; [`Session::finish`] then returns `error`, unless there was one before.
    pub fn fail(&self, error: ExecutionError) {
        self.committer.lock().fail(error);
        self.scheduler.stop();
    }

    /// Number of transactions that nobody has begun.
    pub fn left(&self) -> usize {
        self.scheduler.left()
    }

    /// Counters of the schedule so far.
    pub fn counters(&self) -> Counters {
        self.scheduler.counters()
    }

    /// Ends the block after its last transaction: requests, withdrawals, rewards.
    ///
    /// # Errors
    /// The first invalid transaction, something the pre-state lacks, a failing system call, or a
    /// session whose workers left before the block was complete.
    pub fn finish(self) -> Result<Outcome, ExecutionError> {
        self.end(None).0
    }

    /// As [`Session::finish`], with what is left of the session: to be thrown away where nobody waits for it.
    pub(super) fn end(
        self,
        pool: Option<&ThreadPool>,
    ) -> (Result<Outcome, ExecutionError>, Remains) {
        let counters = self.scheduler.counters();
        let mut committer = self.committer.into_inner();
        let outcome = committer.finish(counters, pool);
        let remains = Remains {
            _memory: self.memory,
            _slots: self.slots,
            _cache: committer.take_cache(),
        };
        (outcome, remains)
    }
}

/// What a block leaves behind: some hundred thousand pieces of memory.
pub(super) struct Remains {
    _memory: MvMemory,
    _slots: Vec<Mutex<Slot>>,
    _cache: CacheState,
}

/// Who executes in order: the worker's own leader, or one that is made when it is needed, which is seldom.
struct Lead<'l, 'b> {
    own: Option<&'l mut Leader<'b>>,
    spare: Option<Leader<'b>>,
}

impl<'b> Lead<'_, 'b> {
    fn get(&mut self, block: &'b Block) -> &mut Leader<'b> {
        match &mut self.own {
            Some(own) => own,
            None => self.spare.get_or_insert_with(|| Leader::new(block)),
        }
    }
}

/// What became of the transaction under the cursor.
enum Committed {
    Yes(usize),
    /// It read what is not so: it must run again.
    Stale(usize),
    /// It did so time and again.
    Hopeless(usize),
    /// The block ends here with an error, which the committer keeps.
    Failed,
}
