//! Block access lists (EIP-7928): every account and slot that a block touches, and every value that it gives them, by the
//! index of who does: 0 before the transactions, transaction `i` is `i + 1`, and the block's end comes after the last.
//!
//! A list is a claim. The engine executes with it and compares it with what was done: a wrong one costs time, and is
//! named in [`Checks`](crate::Checks), but never changes a result.

mod difference;

use alloy_eips::eip7928::{
    AccountChanges, BlockAccessIndex, BlockAccessList, CodeChange, validate_block_access_list,
};
use revm::state::AccountInfo;

use crate::block::analysed;

pub use difference::difference;

/// A list whose form is right: accounts, slots and indices in order, each once, none beyond the block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessList(BlockAccessList);

/// The index of transaction `tx`, counted from 0; that of the block's end for the number of transactions.
pub(crate) fn index(tx: usize) -> BlockAccessIndex {
    BlockAccessIndex::new(tx as u64 + 1)
}

/// The code that a change gives, with its hash, in an otherwise empty account.
pub(crate) fn code(change: &CodeChange) -> AccountInfo {
    let code = analysed(change.new_code.clone());
    AccountInfo {
        code_hash: code.hash_slow(),
        code: Some(code),
        ..AccountInfo::default()
    }
}

/// A list that no block of so many transactions can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no block access list (EIP-7928) of {transactions} transactions: {reason}")]
pub struct InvalidAccessList {
    /// Number of transactions of the block.
    pub transactions: usize,
    /// The first rule that it breaks, and where.
    pub reason: String,
}

impl AccessList {
    /// Takes a list for a block of so many transactions.
    ///
    /// # Errors
    /// An order, a duplicate or an index that EIP-7928 does not allow.
    pub fn new(list: BlockAccessList, transactions: usize) -> Result<Self, InvalidAccessList> {
        match validate_block_access_list(&list, transactions) {
            Ok(()) => Ok(Self(list)),
            Err(error) => Err(InvalidAccessList {
                transactions,
                reason: error.to_string(),
            }),
        }
    }

    /// Its accounts, ascending.
    pub fn accounts(&self) -> &[AccountChanges] {
        &self.0
    }
}
