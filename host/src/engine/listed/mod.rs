//! A block with an access list (EIP-7928), every transaction on the state that the list claims.
//!
//! No transaction waits for another, and none is committed: each is compared with what the list says that it does. If all
//! do that, then by induction each has run on the state that sequential execution gives it, and the list has the block's
//! changes. Whoever touches an account first makes its entry of them.
//!
//! ```text
//! list ──▶ Claims ──▶ ListedView ──▶ revm ──▶ Tally: as claimed? ──▶ entries of the block's changes
//!            ▲        any transaction,            │ no
//!        pre-state    on any thread               ▼
//!                                       nothing of it counts: `Left`, and the engine executes
//!                                       the block as any other, and names the difference
//! ```
//!
//! An account that destroys itself (before Cancun) loses slots that no list names. That it does, the list tells: its code
//! goes. Left to the others is an account that does so twice, or empties itself.

mod claims;
mod tally;
mod view;

use std::{
    mem::take,
    sync::atomic::{AtomicUsize, Ordering},
};

use alloy_eips::eip7928::{BlockAccessIndex, BlockAccessList};
use alloy_evm::{Evm as _, EvmFactory as _, eth::EthEvmFactory};
use parking_lot::Mutex;
use rayon::ThreadPool;
use revm::{
    context::result::{EVMError, ExecutionResult},
    database::State,
    database_interface::DBErrorMarker,
    primitives::hardfork::SpecId,
    state::bal::Bal,
};

use self::{claims::Claims, tally::Tally, view::ListedView};
use super::{
    ahead::Ahead,
    bundle::Bundle,
    cancel::Cancel,
    system,
    timeline::{Activity, Timeline, timed},
    used::Used,
};
use crate::{AccessList, Block, ByList, Outcome, PreStateError, Statistics, access_list::index};

/// Why a block was not executed by its access list alone.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, thiserror::Error,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Left {
    /// Something else was done than the list says.
    #[error("the access list differs from what was done")]
    Differs,
    /// An account destroyed itself in a way that the list does not tell, or twice.
    #[error("an account destroyed itself")]
    SelfDestruct,
    /// An account became empty, and so was deleted (EIP-161).
    #[error("an account became empty")]
    Deleted,
    /// An account has slots and neither code nor nonce (EIP-7610): they are gone when it changes.
    #[error("an account without code has storage")]
    Orphan,
    /// A transaction or the block is invalid, the pre-state cannot be read, or a system call fails.
    #[error("the block fails")]
    Failed,
    /// It was cancelled.
    #[error("the block was cancelled")]
    Cancelled,
}

impl DBErrorMarker for Left {}

impl From<PreStateError> for Left {
    fn from(_: PreStateError) -> Self {
        Self::Failed
    }
}

/// What was done in vain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vain {
    /// Why.
    pub left: Left,
    /// Transactions executed.
    pub executions: u64,
    /// Gas that they used.
    pub gas: u64,
}

/// Gas that a block must use for threads to be worth their coming and going.
const WORTH_GAS: u64 = 1_500_000;

/// Entries that a worker collects before it adds them to the block's, if nobody else does so just then.
const BATCH: usize = 64;

/// Whether a block gains by its list: it is large enough, or its reads wait, and what is empty is deleted (EIP-161).
pub(super) fn suits(block: &Block) -> bool {
    let limits = || block.tx_envs.iter().map(|tx| tx.gas_limit);
    let used = match block.header.gas_used {
        0 => limits().fold(0, u64::saturating_add),
        used => used,
    };
    let spec = block.environment.cfg_env.spec;
    (used >= WORTH_GAS || block.pre_state.waits())
        && block.tx_envs.len() > 1
        && spec.is_enabled_in(SpecId::SPURIOUS_DRAGON)
}

/// Executes a block by its list, on the calling thread and those of the pool.
///
/// # Errors
/// Why the list is not enough, and what that took; nothing has been done then.
pub(super) fn execute(
    block: &Block,
    list: &AccessList,
    pool: &ThreadPool,
    timeline: Option<&Timeline>,
    cancel: Option<&Cancel>,
) -> Result<Outcome, Vain> {
    // Before Cancun (EIP-6780), after which codes go where delegations end (EIP-7702).
    let destroys = !block.environment.cfg_env.spec.is_enabled_in(SpecId::CANCUN);
    let claims = Claims::new(list, destroys).map_err(|left| Vain {
        left,
        executions: 0,
        gas: 0,
    })?;
    let run = Run {
        block,
        list,
        claims: &claims,
        timeline,
        cancel,
        order: order(block),
        next: AtomicUsize::new(0),
        ahead: Ahead::of(block),
        bundle: Mutex::new(Bundle::with_room(list.accounts().len())),
        parts: Mutex::default(),
    };
    pool.in_place_scope(|scope| {
        let helpers = pool.current_num_threads().min(block.transactions.len());
        for _ in 0..helpers {
            scope.spawn(|_| run.work());
        }
        run.open();
        run.work();
    });
    let parts = take(&mut *run.parts.lock());
    let (executions, gas) = (parts.executions, parts.gas);
    timed(timeline, Activity::Close, || run.close(parts)).map_err(|left| Vain {
        left,
        executions,
        gas,
    })
}

/// The transactions, those first that may keep a worker busy when the others have nothing left to do: the gas limit of each
/// is at least this part of all that the block used.
fn order(block: &Block) -> Vec<usize> {
    const PART: u64 = 16;
    let limit = |tx: &usize| block.tx_envs[*tx].gas_limit;
    let least = block.header.gas_used / PART;
    let (mut order, rest): (Vec<_>, Vec<_>) =
        (0..block.tx_envs.len()).partition(|tx| limit(tx) >= least);
    order.sort_by_key(|tx| std::cmp::Reverse(limit(tx)));
    order.extend(rest);
    order
}

/// One block in execution.
struct Run<'a> {
    block: &'a Block,
    list: &'a AccessList,
    claims: &'a Claims<'a>,
    timeline: Option<&'a Timeline>,
    cancel: Option<&'a Cancel>,
    /// In which order transactions are taken.
    order: Vec<usize>,
    /// The first of these that nobody has taken yet; beyond the last of them, copying the list.
    next: AtomicUsize,
    ahead: Ahead,
    bundle: Mutex<Bundle>,
    parts: Mutex<Parts<'a>>,
}

/// What workers have done.
#[derive(Default)]
struct Parts<'a> {
    tallies: Vec<Tally<'a>>,
    results: Vec<(usize, ExecutionResult)>,
    list: BlockAccessList,
    /// Transactions executed, and gas used by them: what was in vain, should it be.
    executions: u64,
    gas: u64,
    /// Why the first of them gave up.
    left: Option<Left>,
}

impl<'a> Run<'a> {
    fn view(&self, index: BlockAccessIndex) -> ListedView<'a> {
        ListedView {
            claims: self.claims,
            pre_state: &self.block.pre_state,
            index,
        }
    }

    fn tally(&self) -> Tally<'a> {
        Tally::new(self.claims, &self.block.pre_state)
    }

    /// What comes before the transactions.
    fn open(&self) {
        let opened = timed(self.timeline, Activity::Open, || {
            let (state, _) = system::open(self.block).map_err(|_| Left::Failed)?;
            self.system(BlockAccessIndex::PRE_EXECUTION, state)
        });
        match opened {
            Ok(tally) => self.parts.lock().tallies.push(tally),
            Err(left) => self.leave(left),
        }
    }

    /// What system calls did, which ended in `state`.
    fn system<DB>(&self, index: BlockAccessIndex, mut state: State<DB>) -> Result<Tally<'a>, Left> {
        let list = state.bal_state.bal_builder.take().unwrap_or_default();
        let changed = state.transition_state.take().unwrap_or_default();
        let mut tally = self.tally();
        tally.system(index, &list, changed)?;
        Ok(tally)
    }

    /// Gives up, and makes all others do so.
    fn leave(&self, left: Left) {
        tracing::debug!(block = self.block.number(), %left, "not by its access list alone");
        self.parts.lock().left.get_or_insert(left);
        self.next
            .store(self.block.transactions.len() + 1, Ordering::Relaxed);
    }

    /// Executes transactions until there are none, on any thread.
    fn work(&self) {
        self.ahead.read(self.block);
        let mut tally = self.tally();
        let mut results = Vec::new();
        let done = self.transactions(&mut tally, &mut results);
        let gas = results.iter().map(|(_, r)| r.tx_gas_used()).sum::<u64>();
        let mut parts = self.parts.lock();
        parts.executions += results.len() as u64;
        parts.gas += gas;
        if let Err(left) = done {
            drop(parts);
            return self.leave(left);
        }
        parts.tallies.push(tally);
        parts.results.extend(results);
    }

    fn transactions(
        &self,
        tally: &mut Tally<'a>,
        results: &mut Vec<(usize, ExecutionResult)>,
    ) -> Result<(), Left> {
        let view = self.view(BlockAccessIndex::PRE_EXECUTION);
        let mut evm = EthEvmFactory::default().create_evm(view, self.block.environment.clone());
        loop {
            let next = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(&tx) = self.order.get(next) else {
                if next == self.order.len() {
                    let list = self.list.accounts().to_vec();
                    self.parts.lock().list = list;
                }
                return Ok(());
            };
            let env = &self.block.tx_envs[tx];
            if self.cancel.is_some_and(Cancel::is_cancelled) {
                return Err(Left::Cancelled);
            }
            let activity = Activity::Execute { tx, incarnation: 0 };
            timed(self.timeline, activity, || {
                let index = index(tx);
                evm.db_mut().index = index;
                let output = evm.transact(env.clone()).map_err(|error| match error {
                    EVMError::Database(left) => left,
                    _ => Left::Failed,
                })?;
                results.push((tx, output.result));
                tally.transaction(index, &output.state)
            })?;
            if tally.settled.len() >= BATCH
                && let Some(mut bundle) = self.bundle.try_lock()
            {
                bundle.extend(tally.settled.drain(..));
            }
        }
    }

    /// What comes after the transactions, and the outcome.
    fn close(&self, mut parts: Parts<'a>) -> Result<Outcome, Left> {
        if let Some(left) = parts.left {
            return Err(left);
        }
        parts.results.sort_unstable_by_key(|(tx, _)| *tx);
        let mut used = Used::of(self.block);
        for (tx, result) in parts.results {
            used.check_block_gas(self.block, tx)
                .map_err(|_| Left::Failed)?;
            used.count(self.block, tx, result);
        }
        let end = index(self.block.transactions.len());
        let mut state = State::builder()
            .with_database(self.view(end))
            .with_bundle_update()
            .build();
        state.bal_state.bal_builder = Some(Bal::new());
        let result = system::close(self.block, &mut state, used).map_err(|_| Left::Failed)?;
        let mut all = self.system(end, state)?;
        for tally in parts.tallies {
            all.add(tally);
        }
        if !all.is_complete() {
            return Err(Left::Differs);
        }
        let mut bundle = take(&mut *self.bundle.lock());
        bundle.extend(all.settled);
        let statistics = Statistics {
            executions: self.block.transactions.len() as u64,
            by_list: ByList::Yes,
            ..Statistics::default()
        };
        Ok(Outcome {
            result,
            state: bundle.end(),
            access_list: Some(parts.list),
            statistics,
        })
    }
}
