//! Execution in order: the transaction under the cursor, on the committed state itself, as
//! sequential execution does it. There is nothing to be recorded or validated.

use std::mem;

use alloy_evm::{Evm as _, EvmFactory, eth::EthEvmFactory};
use revm::{
    context::{
        TxEnv,
        result::{EVMError, ResultAndState},
    },
    database_interface::bal::EvmDatabaseError,
    inspector::NoOpInspector,
    state::{Account, EvmState},
};

use super::{
    system::{self, BlockState},
    write_set::{AccountWrite, BalanceWrite, Writes},
};
use crate::{Block, PreStateError};

/// What executing a transaction in order gives.
pub(super) type Executed = Result<ResultAndState, EVMError<EvmDatabaseError<PreStateError>>>;

/// The EVM with which a worker leads: alloy-evm's own, as sequential execution uses it.
pub struct Leader<'b> {
    evm: <EthEvmFactory as EvmFactory>::Evm<BlockState<'b>, NoOpInspector>,
}

impl<'b> Leader<'b> {
    pub(super) fn new(block: &'b Block) -> Self {
        let evm =
            EthEvmFactory::default().create_evm(system::state(block), block.environment.clone());
        Self { evm }
    }

    /// Executes a transaction on `state`, which changes only by what it caches of the pre-state.
    pub(super) fn execute(&mut self, state: &mut BlockState<'b>, tx: &TxEnv) -> Executed {
        // The EVM owns its database and cannot be sent to another thread; the state must be able to.
        mem::swap(self.evm.db_mut(), state);
        let result = self.evm.transact(tx.clone());
        mem::swap(self.evm.db_mut(), state);
        result
    }
}

impl std::fmt::Debug for Leader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leader").finish_non_exhaustive()
    }
}

/// The writes of a transaction that was executed in order and ended in `state`: final values.
pub(super) fn writes(state: &EvmState, tx: &TxEnv) -> Writes {
    // Otherwise only creations set codes.
    let delegates = !tx.authorization_list.is_empty();
    let mut writes = Writes::default();
    for (address, account) in state.iter().filter(|(_, account)| account.is_touched()) {
        if let Some(write) = account_write(account, delegates) {
            writes.accounts.push((*address, write));
        }
        writes.add_slots(*address, account);
    }
    writes
}

fn account_write(account: &Account, delegates: bool) -> Option<AccountWrite> {
    let created = account.is_created();
    if account.is_selfdestructed() || (account.is_empty() && !created) {
        // EIP-161: touched and empty is deleted.
        return Some(AccountWrite::full(None, true));
    }
    if created || account.is_loaded_as_not_existing() {
        return Some(AccountWrite::full(Some(account.info.clone()), created));
    }
    if !account.is_changed() {
        return None;
    }
    Some(AccountWrite {
        deleted: false,
        claimed: false,
        code: delegates.then(|| account.info.clone()),
        nonce: Some(account.info.nonce),
        balance: BalanceWrite::Set(account.info.balance),
        wiped: false,
    })
}
