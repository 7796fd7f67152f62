//! The reference: sequential revm under alloy-evm's own block executor, exactly as node software runs it.

use alloy_evm::{
    Evm as _, EvmFactory as _,
    block::{BlockExecutionError, BlockExecutionResult, BlockExecutor as _, BlockValidationError},
    eth::{EthBlockExecutor, EthEvmFactory},
};
use revm::{
    context_interface::result::EVMError,
    database::{State, states::bundle_state::BundleRetention},
    database_interface::bal::EvmDatabaseError,
    state::bal::Bal,
};

use crate::engine::{Activity, Cancel, Timeline, timed};
use crate::{Block, ExecutionError, Executor, Outcome, PreStateError, Receipts, Scope, Statistics};

/// Runs the transactions one after the other on the calling thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequential;

impl Sequential {
    /// As [`Executor::execute`], and records how long every transaction takes.
    ///
    /// # Errors
    /// As [`Executor::execute`].
    pub fn execute_recording(
        self,
        block: &Block,
        timeline: &Timeline,
    ) -> Result<Outcome, ExecutionError> {
        run(block, Some(timeline), None)
    }
}

impl Executor for Sequential {
    fn name(&self) -> &'static str {
        "sequential"
    }

    fn threads(&self) -> usize {
        1
    }

    fn execute(&mut self, block: &Block) -> Result<Outcome, ExecutionError> {
        run(block, None, None)
    }
}

/// Executes in order, recording it and looking whether it is wanted any more.
pub(crate) fn run(
    block: &Block,
    timeline: Option<&Timeline>,
    cancel: Option<&Cancel>,
) -> Result<Outcome, ExecutionError> {
    let mut state = State::builder()
        .with_database_ref(block.pre_state.as_ref())
        .with_bundle_update()
        .build();
    state.bal_state.bal_builder = block.wants_access_list().then(Bal::new);
    let evm = EthEvmFactory::default().create_evm(&mut state, block.environment.clone());
    let mut executor = EthBlockExecutor::new(evm, block.context(), block.chain.spec(), Receipts);
    if block.scope == Scope::Whole {
        executor
            .apply_pre_execution_changes()
            .map_err(|error| ExecutionError::block(block, "before the transactions", error))?;
    }
    for (index, (tx, env)) in block.transactions.iter().zip(&block.tx_envs).enumerate() {
        if cancel.is_some_and(Cancel::is_cancelled) {
            return Err(ExecutionError::cancelled(block));
        }
        executor.evm_mut().db_mut().bump_bal_index();
        timed(timeline, Activity::InOrder { tx: index }, || {
            executor.execute_transaction((env.clone(), tx))
        })
        .map_err(|error| place(block, index, error))?;
    }
    executor.evm_mut().db_mut().bump_bal_index();
    let result = match block.scope {
        Scope::Whole => {
            let (_, result) = executor
                .finish()
                .map_err(|error| ExecutionError::block(block, "after the transactions", error))?;
            result
        }
        Scope::Transactions => BlockExecutionResult {
            receipts: executor.receipts,
            requests: Default::default(),
            gas_used: executor.cumulative_tx_gas_used,
            blob_gas_used: executor.blob_gas_used,
        },
    };
    state.merge_transitions(BundleRetention::Reverts);
    let statistics = Statistics {
        executions: block.transactions.len() as u64,
        ..Statistics::default()
    };
    Ok(Outcome {
        result,
        state: state.take_bundle(),
        access_list: state.take_built_alloy_bal(),
        statistics,
    })
}

/// Gives an error of alloy-evm's executor its place in the block.
pub(crate) fn place(block: &Block, index: usize, error: BlockExecutionError) -> ExecutionError {
    match &error {
        BlockExecutionError::Validation(BlockValidationError::InvalidTx { error, .. }) => {
            if let Some(invalid) = error.as_invalid_tx_err() {
                return ExecutionError::invalid(block, index, invalid);
            }
        }
        BlockExecutionError::Validation(
            BlockValidationError::TransactionGasLimitMoreThanAvailableBlockGas {
                block_available_gas,
                ..
            },
        ) => return ExecutionError::block_gas(block, index, *block_available_gas),
        BlockExecutionError::Internal(internal) => {
            let database = internal.downcast_evm::<EVMError<EvmDatabaseError<PreStateError>>>();
            if let Some(EVMError::Database(EvmDatabaseError::Database(missing))) = database {
                return ExecutionError::pre_state(block, index, missing.clone());
            }
        }
        BlockExecutionError::Validation(_) => {}
    }
    ExecutionError::other(block, index, error.to_string())
}
