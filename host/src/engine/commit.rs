//! The ordered end of the engine: validation against the committed state, and commit.
//!
//! Here lives revm's `State`, exactly as sequential execution has it. What a transaction has read
//! is compared with it, so that the result is sequential revm's by construction: multi-version
//! memory and scheduler can only make it late, not wrong.

use std::{mem, sync::mpsc::SyncSender};

use alloy_eips::eip7928::BlockAccessIndex;
use alloy_evm::block::BlockExecutionError;
use alloy_primitives::{U256, map::HashMap};
use rayon::ThreadPool;
use revm::{
    context::result::{EVMError, ExecutionResult, ResultAndState},
    database::CacheState,
    database_interface::bal::EvmDatabaseError,
    state::{AccountInfo, AccountStatus, EvmState, bal::Bal},
};

use super::{
    deferred::Deferred,
    leader::{self, Leader},
    mv_memory::MvMemory,
    ran::{Accessed, Changes, Ran, Slot, Touched, account},
    scheduler::Counters,
    second,
    system::{self, BlockState},
    used::Used,
    view::ViewError,
    write_set::{Final, Writes},
};
use crate::{
    Block, ByList, CardStatistics, Conflict, ExecutionError, Location, Outcome, PreStateError,
    Statistics, WrongResult, access_list::index, sequential::place,
};

/// What became of a transaction that has run.
pub(crate) enum Validated {
    /// Committed.
    Yes,
    /// Its result was wrong; the leader's, with these writes, is committed in its place.
    Replaced(Writes),
    /// It read what is not so: it must run again, with every read a dependency if `exact`.
    Stale { exact: bool },
    /// The block ends here with an error.
    Failed,
}

/// The committed part of a block.
pub(crate) struct Committer<'b> {
    block: &'b Block,
    state: BlockState<'b>,
    deferred: Deferred,
    used: Used,
    card: CardStatistics,
    conflicts: HashMap<Location, u64>,
    wasted_gas: u64,
    error: Option<ExecutionError>,
    feed: Option<Feed>,
}

/// Where results go in order, one by one, while the block runs. It takes only so many ahead of who reads them.
pub(crate) type Feed = SyncSender<ResultAndState>;

impl<'b> Committer<'b> {
    /// Applies the pre-execution system calls and publishes what they wrote as version 0.
    pub(crate) fn begin(block: &'b Block, memory: &MvMemory) -> Result<Self, ExecutionError> {
        let (state, writes) = system::open(block)?;
        memory.publish(0, &writes, &Default::default());
        Ok(Self {
            block,
            deferred: Deferred::of(&state),
            state,
            used: Used::of(block),
            card: CardStatistics::default(),
            conflicts: HashMap::default(),
            wasted_gas: 0,
            error: None,
            feed: None,
        })
    }

    pub(super) fn feeding(&mut self, feed: Option<Feed>) {
        self.feed = feed;
    }

    /// Hands a result on.
    fn hand_on(
        &self,
        result: &ExecutionResult,
        state: impl FnOnce() -> EvmState,
    ) -> Result<(), ExecutionError> {
        let Some(feed) = &self.feed else {
            return Ok(());
        };
        let sent = feed.send(ResultAndState::new(result.clone(), state()));
        sent.map_err(|_| ExecutionError::cancelled(self.block))
    }

    /// Whether the access list of what is committed is wanted.
    pub(crate) fn lists(&self) -> bool {
        self.state.bal_state.bal_builder.is_some()
    }

    /// Commits transaction `tx`, if what it has read is so. A `checker` executes it again, and its result is what is
    /// committed if they differ.
    pub(crate) fn commit(
        &mut self,
        tx: usize,
        ran: Ran,
        memory: &MvMemory,
        checker: Option<&mut Leader<'b>>,
    ) -> Validated {
        match self.try_commit(tx, ran, memory, checker) {
            Ok(committed) => committed,
            Err(error) => {
                self.fail(error);
                Validated::Failed
            }
        }
    }

    /// Executes transaction `tx` in order and commits it. Gives what it wrote, or nothing where nobody is `told`; `None` if
    /// the block ends here with an error.
    pub(crate) fn execute(
        &mut self,
        tx: usize,
        leader: &mut Leader<'b>,
        told: bool,
    ) -> Option<Writes> {
        let env = &self.block.tx_envs[tx];
        let executed = self.used.check_block_gas(self.block, tx).and_then(|()| {
            let executed = leader.execute(&mut self.state, env);
            let output = executed.map_err(|error| self.evm_error(tx, error))?;
            self.hand_on(&output.result, || output.state.clone())?;
            Ok(output)
        });
        match executed {
            Ok(output) => {
                let writes = told.then(|| leader::writes(&output.state, env));
                self.used.count(self.block, tx, output.result);
                self.commit_in_order(tx, output.state);
                Some(writes.unwrap_or_default())
            }
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    fn try_commit(
        &mut self,
        tx: usize,
        mut ran: Ran,
        memory: &MvMemory,
        checker: Option<&mut Leader<'b>>,
    ) -> Result<Validated, ExecutionError> {
        // As sequential execution: a transaction that does not fit is not even executed.
        self.used.check_block_gas(self.block, tx)?;
        if let Some(conflict) = ran.reads.conflict(&self.state.cache) {
            *self.conflicts.entry(conflict).or_default() += 1;
            self.wasted_gas += ran.result.as_ref().map_or(0, ExecutionResult::tx_gas_used);
            return Ok(Validated::Stale { exact: false });
        }
        let result = ran
            .result
            .map_err(|error| self.transaction_error(tx, error))?;
        let mut changes = ran.changes;
        // Who else looks at the accounts.
        let with_codes = checker.is_some() || self.feed.is_some() || self.lists();
        let mut increased = Vec::new();
        for account in changes.accounts() {
            // Loads it into the state's cache, where sequential execution has it by now.
            let truth = self
                .state
                .load_cache_account(account.address)
                .map_err(|error| ExecutionError::pre_state(self.block, tx, error))?;
            let truth = truth.account.as_ref().map(|account| &account.info);
            if account.status.contains(AccountStatus::SelfDestructed) {
                continue;
            }
            // It was read without its code (see `Base`), and the hash still is the same.
            if with_codes && account.info.code.is_none() {
                account.info.code = truth.and_then(|info| info.code.clone());
            }
            if account.any_nonce {
                account.info.nonce = truth.map_or(0, |info| info.nonce);
            }
            if let Some(given) = account.given {
                let now = truth.map_or(U256::ZERO, |info| info.balance);
                let credit = account.info.balance.wrapping_sub(given);
                // Sequential execution may well see no overflow, or handle it: let it decide.
                let Some(balance) = now.checked_add(credit) else {
                    return Ok(Validated::Stale { exact: true });
                };
                account.info.balance = balance;
                if !credit.is_zero() {
                    increased.push((account.address, balance));
                }
            }
        }
        if let Some(checker) = checker {
            let wrong = self.check(tx, &result, &changes, checker)?;
            if let Some(card) = &mut ran.card {
                card.verified += 1;
            }
            if let Some((truth, wrong)) = wrong {
                if let Some(mut card) = ran.card {
                    card.was_wrong(wrong);
                    self.card.add(&card);
                }
                self.hand_on(&truth.result, || truth.state.clone())?;
                let writes = leader::writes(&truth.state, &self.block.tx_envs[tx]);
                self.used.count(self.block, tx, truth.result);
                self.commit_in_order(tx, truth.state);
                return Ok(Validated::Replaced(writes));
            }
        }
        self.hand_on(&result, || changes.clone().into_accounts())?;
        self.used.count(self.block, tx, result);
        // The builder would take what attempts do not carry for changes: it is told apart.
        let mut list = self.state.bal_state.bal_builder.take();
        if let Some(list) = &mut list {
            enlist(list, index(tx), &self.state, &changes, &ran.accessed);
        }
        changes.into_each(|touched, slots| {
            let Touched {
                address,
                mut info,
                status,
                ..
            } = touched;
            if self.deferred.takes(&address, status, &info) {
                self.deferred
                    .change(&mut self.state.cache, address, info, slots);
            } else {
                if info.code.is_none() {
                    let truth = self.state.cache.accounts.get(&address);
                    let truth = truth.and_then(|cached| cached.account.as_ref());
                    info.code = truth.and_then(|account| account.info.code.clone());
                }
                self.deferred
                    .commit(&mut self.state, address, account(info, status, slots));
            }
        });
        self.state.bal_state.bal_builder = list;
        if let Some(card) = ran.card {
            self.card.add(&card);
        }
        for (address, balance) in increased {
            memory.settle(Final::Balance {
                version: tx + 1,
                address,
                balance,
            });
        }
        Ok(Validated::Yes)
    }

    /// Commits what executing transaction `tx` on the committed state gave.
    fn commit_in_order(&mut self, tx: usize, state: EvmState) {
        if self.lists() {
            // Not put off: the builder of the list looks at what is committed.
            self.state.set_bal_index(index(tx));
            for (address, account) in state {
                self.deferred.commit(&mut self.state, address, account);
            }
            return;
        }
        for (address, mut account) in state {
            if !account.is_touched() {
                continue;
            }
            if self.deferred.takes(&address, account.status, &account.info) {
                let info = mem::take(&mut account.info);
                let slots = Slot::changed(&account);
                self.deferred
                    .change(&mut self.state.cache, address, info, slots);
            } else {
                self.deferred.commit(&mut self.state, address, account);
            }
        }
    }

    /// Executes transaction `tx` again. Gives the right result, and what was wrong, if it is not the one given.
    fn check(
        &mut self,
        tx: usize,
        result: &ExecutionResult,
        changes: &Changes,
        checker: &mut Leader<'b>,
    ) -> Result<Option<(ResultAndState, WrongResult)>, ExecutionError> {
        let truth = checker
            .execute(&mut self.state, &self.block.tx_envs[tx])
            .map_err(|error| self.evm_error(tx, error))?;
        let difference = second::difference(&truth, result, changes);
        Ok(difference.map(|difference| {
            let transaction = Some(tx);
            tracing::error!(
                block = self.block.number(),
                tx,
                difference,
                "a wrong result"
            );
            (
                truth,
                WrongResult {
                    transaction,
                    difference,
                },
            )
        }))
    }

    fn transaction_error(
        &self,
        tx: usize,
        error: EVMError<ViewError<PreStateError>>,
    ) -> ExecutionError {
        // Through alloy-evm's error, so that it reads exactly as sequential execution's.
        let error = match error {
            EVMError::Database(ViewError::Base(error)) => {
                EVMError::Database(EvmDatabaseError::Database(error))
            }
            EVMError::Database(error @ ViewError::Blocked(_)) => {
                EVMError::Custom(error.to_string())
            }
            EVMError::Transaction(error) => EVMError::Transaction(error),
            EVMError::Header(error) => EVMError::Header(error),
            EVMError::Custom(error) => EVMError::Custom(error),
            EVMError::CustomAny(error) => EVMError::CustomAny(error),
        };
        self.evm_error(tx, error)
    }

    fn evm_error(
        &self,
        tx: usize,
        error: EVMError<EvmDatabaseError<PreStateError>>,
    ) -> ExecutionError {
        let error = BlockExecutionError::evm(error, self.block.tx_hash(tx));
        place(self.block, tx, error)
    }

    /// Ends the block with an error, unless it has ended with one before.
    pub(crate) fn fail(&mut self, error: ExecutionError) {
        self.error.get_or_insert(error);
    }

    /// The committed state as it was cached: nobody needs it after the end.
    pub(crate) fn take_cache(&mut self) -> CacheState {
        mem::take(&mut self.state.cache)
    }

    /// Requests, withdrawals and rewards; then the state changes of the whole block.
    pub(crate) fn finish(
        &mut self,
        counters: Counters,
        pool: Option<&ThreadPool>,
    ) -> Result<Outcome, ExecutionError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let (done, all) = (self.used.receipts.len(), self.block.transactions.len());
        if done != all {
            let reason = format!("the workers left after {done} of {all} transactions");
            return Err(ExecutionError::internal(self.block, reason));
        }
        let used = mem::take(&mut self.used);
        let result = system::close(self.block, &mut self.state, used)?;
        let state = mem::take(&mut self.deferred).settle(&mut self.state, pool);
        let access_list = self.state.take_built_alloy_bal();
        let statistics = Statistics {
            executions: counters.executions,
            reexecutions: counters.reexecutions,
            blocked: counters.blocked,
            wasted_gas: self.wasted_gas,
            conflicts: Conflict::sorted(mem::take(&mut self.conflicts)),
            by_list: ByList::No,
            card: mem::take(&mut self.card),
        };
        Ok(Outcome {
            result,
            state,
            access_list,
            statistics,
        })
    }
}

/// Adds what an attempt accessed and changes in `state`, before it does. As revm's own builder does it.
fn enlist(
    list: &mut Bal,
    index: BlockAccessIndex,
    state: &BlockState<'_>,
    changes: &Changes,
    accessed: &Accessed,
) {
    for (address, slots) in accessed.each() {
        let storage = &mut list.accounts.entry(address).or_default().storage.storage;
        for slot in slots {
            let writes = storage.entry(slot.key).or_default();
            writes.update(index, &slot.original, slot.present);
        }
    }
    for (touched, _) in changes.each() {
        let account = list.accounts.entry(touched.address).or_default();
        let cached = state.cache.accounts.get(&touched.address);
        let before = cached.and_then(|cached| cached.account_info());
        let gone = touched.status.contains(AccountStatus::SelfDestructedLocal);
        let after = if gone {
            &AccountInfo::default()
        } else {
            &touched.info
        };
        let before = before.unwrap_or_default();
        account.account_info.update(index, &before, after);
    }
}
