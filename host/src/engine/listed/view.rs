//! The state before a transaction, as the list claims it.

use alloy_eips::eip7928::BlockAccessIndex;
use alloy_primitives::{Address, B256, U256};
use revm::{Database, DatabaseRef as _, bytecode::Bytecode, state::AccountInfo};

use super::{Left, claims::Claims};
use crate::PreState;

/// The database of a worker's EVM.
pub(super) struct ListedView<'a> {
    pub(super) claims: &'a Claims<'a>,
    pub(super) pre_state: &'a PreState,
    /// What is said to be written before this index is seen.
    pub(super) index: BlockAccessIndex,
}

impl std::fmt::Debug for ListedView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListedView")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl Database for ListedView<'_> {
    type Error = Left;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Left> {
        self.claims.get(&address)?.info(self.pre_state, self.index)
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, Left> {
        // Code of this block's creations travels with the account, so this is the base's.
        Ok(self.pre_state.code_by_hash_ref(code_hash)?)
    }

    fn storage(&mut self, address: Address, key: U256) -> Result<U256, Left> {
        let claim = self.claims.get(&address)?;
        claim.value(self.pre_state, &key, self.index)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Left> {
        Ok(self.pre_state.block_hash_ref(number)?)
    }
}
