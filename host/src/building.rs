//! Building a block: an ordered pool of transactions, executed under a gas limit and a time budget. What cannot be valid in
//! its place is left out with its reason; the rest keeps its order.

use std::time::{Duration, Instant};

use alloy_evm::{
    Evm as _, EvmFactory as _,
    block::{BlockExecutionError, BlockExecutor as _, BlockValidationError},
    eth::{EthBlockExecutor, EthEvmFactory},
};
use revm::{
    database::{State, states::bundle_state::BundleRetention},
    state::bal::Bal,
};

use crate::{Block, ExecutionError, Outcome, Receipts, Statistics, access_list, sequential::place};

/// When building ends.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Limits {
    /// No transaction is begun after this time; none: no limit.
    pub time: Option<Duration>,
    /// No more transactions than these; none: no limit.
    pub transactions: Option<usize>,
}

impl Limits {
    /// No transaction is begun after this time.
    pub fn within(time: Duration) -> Self {
        Self {
            time: Some(time),
            ..Self::default()
        }
    }
}

/// A transaction that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Its index in the pool, from 0.
    pub index: usize,
    /// Why.
    pub reason: DropReason,
}

/// Why a transaction was left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DropReason {
    /// Its gas limit is more than the block has left.
    #[error("its gas limit is more than the {left} gas that is left in the block")]
    Gas {
        /// Gas that is left.
        left: u64,
    },
    /// It cannot be valid in this place.
    #[error("{0}")]
    Invalid(String),
    /// The time or the number of transactions was used up before it.
    #[error("the block was closed before it")]
    Closed,
}

/// A block that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// Indices in the pool of the transactions that are in, in order.
    pub included: Vec<usize>,
    /// Those that are not.
    pub dropped: Vec<Dropped>,
    /// The result of the block with the included transactions alone.
    pub outcome: Outcome,
}

/// Builds a block. `pool` is a block whose transactions are the pool, and whose header says under what it is built: number,
/// time, gas limit, beneficiary; what depends on the result is not looked at.
///
/// Every transaction is executed in its place on the calling thread: which of them are in depends on those before.
///
/// # Errors
/// Something that the pre-state lacks, or a system call that fails; never an invalid transaction.
pub fn build(pool: &Block, limits: Limits) -> Result<Built, ExecutionError> {
    let began = Instant::now();
    let mut state = State::builder()
        .with_database_ref(pool.pre_state.as_ref())
        .with_bundle_update()
        .build();
    state.bal_state.bal_builder = pool.wants_access_list().then(Bal::new);
    let evm = EthEvmFactory::default().create_evm(&mut state, pool.environment.clone());
    let mut executor = EthBlockExecutor::new(evm, pool.context(), pool.chain.spec(), Receipts);
    executor
        .apply_pre_execution_changes()
        .map_err(|error| ExecutionError::block(pool, "before the transactions", error))?;
    let (mut included, mut dropped) = (Vec::new(), Vec::new());
    for (index, (tx, env)) in pool.transactions.iter().zip(&pool.tx_envs).enumerate() {
        let late = limits.time.is_some_and(|time| began.elapsed() >= time);
        if late
            || limits
                .transactions
                .is_some_and(|most| included.len() >= most)
        {
            dropped.extend((index..pool.transactions.len()).map(|index| Dropped {
                index,
                reason: DropReason::Closed,
            }));
            break;
        }
        let place_in_list = access_list::index(included.len());
        executor.evm_mut().db_mut().set_bal_index(place_in_list);
        match executor.execute_transaction((env.clone(), tx)) {
            Ok(_) => included.push(index),
            Err(error) => match reason(&error) {
                Some(reason) => dropped.push(Dropped { index, reason }),
                None => return Err(place(pool, index, error)),
            },
        }
    }
    let last = access_list::index(included.len());
    executor.evm_mut().db_mut().set_bal_index(last);
    let (_, result) = executor
        .finish()
        .map_err(|error| ExecutionError::block(pool, "after the transactions", error))?;
    state.merge_transitions(BundleRetention::Reverts);
    let statistics = Statistics {
        executions: (included.len() + dropped.len()) as u64,
        ..Statistics::default()
    };
    Ok(Built {
        included,
        dropped,
        outcome: Outcome {
            result,
            state: state.take_bundle(),
            access_list: state.take_built_alloy_bal(),
            statistics,
        },
    })
}

/// Why a transaction is left out; none where the error is not its own.
fn reason(error: &BlockExecutionError) -> Option<DropReason> {
    match error {
        BlockExecutionError::Validation(
            BlockValidationError::TransactionGasLimitMoreThanAvailableBlockGas {
                block_available_gas,
                ..
            },
        ) => Some(DropReason::Gas {
            left: *block_available_gas,
        }),
        BlockExecutionError::Validation(BlockValidationError::InvalidTx { error, .. }) => error
            .as_invalid_tx_err()
            .map(|error| DropReason::Invalid(error.to_string())),
        _ => None,
    }
}
