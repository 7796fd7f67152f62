//! What a block does outside of its transactions, by alloy-evm's own executor: system calls before
//! (EIP-4788, EIP-2935), and after them requests (EIP-6110, 7002, 7251), withdrawals (EIP-4895),
//! rewards and the DAO's irregular change.

use alloy_evm::{
    Database, EvmFactory as _,
    block::{BlockExecutionResult, BlockExecutor as _},
    eth::{EthBlockExecutor, EthEvmFactory, spec::EthSpec},
};
use revm::{database::State, database_interface::WrapDatabaseRef, state::bal::Bal};

use super::{
    used::Used,
    write_set::{AccountWrite, Writes},
};
use crate::{Block, ExecutionError, PreState, Receipt, Receipts, Scope, access_list::index};

/// The committed state: revm's own, over the block's pre-state.
pub(super) type BlockState<'b> = State<WrapDatabaseRef<&'b PreState>>;
type BlockExecutor<'b, 's, DB> = EthBlockExecutor<
    'b,
    <EthEvmFactory as alloy_evm::EvmFactory>::Evm<
        &'s mut State<DB>,
        revm::inspector::NoOpInspector,
    >,
    &'b EthSpec,
    Receipts,
>;

/// A block's pre-state.
pub(super) fn state(block: &Block) -> BlockState<'_> {
    State::builder()
        .with_database(WrapDatabaseRef(&*block.pre_state))
        .with_bundle_update()
        .build()
}

/// The same, and its access list is built from what is committed to it, if that is wanted.
pub(super) fn listing_state(block: &Block) -> BlockState<'_> {
    let mut state = state(block);
    state.bal_state.bal_builder = block.wants_access_list().then(Bal::new);
    state
}

/// A block's state at its start, its pre-execution system calls applied, and what these wrote.
pub(super) fn open(block: &Block) -> Result<(BlockState<'_>, Writes), ExecutionError> {
    let mut state = listing_state(block);
    if block.scope == Scope::Whole {
        executor(block, &mut state)
            .apply_pre_execution_changes()
            .map_err(|error| ExecutionError::block(block, "before the transactions", error))?;
    }
    let writes = written(&state);
    Ok((state, writes))
}

/// A block's end, after its last transaction.
pub(super) fn close<DB: Database>(
    block: &Block,
    state: &mut State<DB>,
    used: Used,
) -> Result<BlockExecutionResult<Receipt>, ExecutionError> {
    if block.scope == Scope::Transactions {
        return Ok(BlockExecutionResult {
            receipts: used.receipts,
            requests: Default::default(),
            gas_used: used.gas,
            blob_gas_used: used.blob_gas,
        });
    }
    state.set_bal_index(index(block.transactions.len()));
    let mut executor = executor(block, state);
    executor.receipts = used.receipts;
    executor.cumulative_tx_gas_used = used.gas;
    executor.block_regular_gas_used = used.regular_gas;
    executor.block_state_gas_used = used.state_gas;
    executor.blob_gas_used = used.blob_gas;
    let (_, result) = executor
        .finish()
        .map_err(|error| ExecutionError::block(block, "after the transactions", error))?;
    Ok(result)
}

fn executor<'b, 's, DB: Database>(
    block: &'b Block,
    state: &'s mut State<DB>,
) -> BlockExecutor<'b, 's, DB> {
    let evm = EthEvmFactory::default().create_evm(state, block.environment.clone());
    EthBlockExecutor::new(evm, block.context(), block.chain.spec(), Receipts)
}

/// Everything that differs from the pre-state.
fn written(state: &BlockState<'_>) -> Writes {
    let mut writes = Writes::default();
    for (address, account) in &state.cache.accounts {
        if account.status.is_not_modified() {
            continue;
        }
        let wiped = account.status.is_storage_known();
        writes
            .accounts
            .push((*address, AccountWrite::full(account.account_info(), wiped)));
        let slots = account.account.iter().flat_map(|account| &account.storage);
        writes
            .slots
            .extend(slots.map(|(key, value)| ((*address, *key), *value)));
    }
    writes
}
