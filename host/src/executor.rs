//! What every executor has in common: blocks in, outcomes or named errors out.

use std::path::PathBuf;

use alloy_primitives::{Address, B256};
use revm::context_interface::result::InvalidTransaction;

use crate::{Block, Outcome, PreStateError};

/// Runs blocks. Sequential revm, the multicore engine and the card are executors; on the same block they give the same
/// receipts, requests and state, or fail with the same error.
pub trait Executor {
    /// Name on the command line: `sequential`, `cpu` or `card`.
    fn name(&self) -> &'static str;

    /// Threads that execute.
    fn threads(&self) -> usize;

    /// Executes a block on its pre-state, as a node does: system calls, transactions, requests, withdrawals, rewards; or
    /// the transactions alone if that is the block's [`Scope`](crate::Scope).
    ///
    /// # Errors
    /// The first transaction that cannot be valid, something that the pre-state lacks, or a system call that fails.
    fn execute(&mut self, block: &Block) -> Result<Outcome, ExecutionError>;
}

/// A block that cannot be executed, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: block {block}: {fault}")]
pub struct ExecutionError {
    /// The block's file.
    pub path: PathBuf,
    /// Number of the block.
    pub block: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// Why a block cannot be executed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A transaction that is invalid in its place.
    #[error(
        "transaction {index} ({hash}): field `{field}`: {reason}{}",
        absent(absent_sender)
    )]
    Transaction {
        /// Index in the block, from 0.
        index: usize,
        /// Its hash.
        hash: B256,
        /// Field of `block.json` that is at fault.
        field: &'static str,
        /// The rule that it breaks.
        reason: String,
        /// The sender, when `prestate.json` has no account of it.
        absent_sender: Option<Address>,
    },
    /// Something that a transaction reads is not in the block directory.
    #[error("transaction {index} ({hash}): {error}")]
    PreState {
        /// Index in the block, from 0.
        index: usize,
        /// Its hash.
        hash: B256,
        /// What is missing.
        error: PreStateError,
    },
    /// A system call, request or balance change of the block itself fails.
    #[error("{stage}: {reason}")]
    Block {
        /// Before or after the transactions.
        stage: &'static str,
        /// What went wrong.
        reason: String,
    },
    /// Its caller gave it up.
    #[error("cancelled")]
    Cancelled,
    /// An executor broke its own rules: a defect of this program.
    #[error("internal fault: {reason}; please report it with the block")]
    Internal {
        /// What happened.
        reason: String,
    },
}

fn absent(sender: &Option<Address>) -> String {
    sender.map_or_else(String::new, |sender| {
        format!("; `prestate.json` has no account {sender}, which is the sender")
    })
}

impl ExecutionError {
    /// A fault of a block.
    pub fn new(block: &Block, fault: Fault) -> Self {
        Self {
            path: block.path(),
            block: block.number(),
            fault,
        }
    }

    /// Index of the transaction that is at fault, if one is.
    pub fn transaction(&self) -> Option<usize> {
        match self.fault {
            Fault::Transaction { index, .. } | Fault::PreState { index, .. } => Some(index),
            Fault::Block { .. } | Fault::Cancelled | Fault::Internal { .. } => None,
        }
    }

    /// A transaction that revm finds invalid in its place in the block.
    pub fn invalid(block: &Block, index: usize, error: &InvalidTransaction) -> Self {
        Self::of_transaction(block, index, field(error), error.to_string())
    }

    /// A transaction whose gas limit is above what the transactions before it left of the block's (`available`).
    pub fn block_gas(block: &Block, index: usize, available: u64) -> Self {
        let limit = block.tx_envs.get(index).map_or(0, |tx| tx.gas_limit);
        let reason = format!("{limit} is more than the {available} gas that is left in the block");
        Self::of_transaction(block, index, "gas", reason)
    }

    /// Something that a transaction reads and the block directory lacks.
    pub fn pre_state(block: &Block, index: usize, error: PreStateError) -> Self {
        let hash = block.tx_hash(index);
        Self::new(block, Fault::PreState { index, hash, error })
    }

    /// A transaction that fails in a way that is neither its own fault nor the directory's.
    pub fn other(block: &Block, index: usize, reason: String) -> Self {
        Self::of_transaction(block, index, "transaction", reason)
    }

    /// A failure before or after the transactions.
    pub fn block(block: &Block, stage: &'static str, error: impl std::fmt::Display) -> Self {
        let reason = error.to_string();
        Self::new(block, Fault::Block { stage, reason })
    }

    /// An execution that was given up.
    pub(crate) fn cancelled(block: &Block) -> Self {
        Self::new(block, Fault::Cancelled)
    }

    /// A defect of an executor.
    pub fn internal(block: &Block, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::new(block, Fault::Internal { reason })
    }

    fn of_transaction(block: &Block, index: usize, field: &'static str, reason: String) -> Self {
        let sender = block.tx_envs.get(index).map(|tx| tx.caller);
        let absent = |sender: &Address| {
            block.pre_state.is_listed() && block.pre_state.account(sender).is_none()
        };
        let absent_sender = sender.filter(absent);
        let fault = Fault::Transaction {
            index,
            hash: block.tx_hash(index),
            field,
            reason,
            absent_sender,
        };
        Self::new(block, fault)
    }
}

/// Field of `block.json` that a validation error is about.
fn field(error: &InvalidTransaction) -> &'static str {
    use InvalidTransaction as Invalid;
    match error {
        Invalid::PriorityFeeGreaterThanMaxFee => "maxPriorityFeePerGas",
        Invalid::GasPriceLessThanBasefee => "gasPrice",
        Invalid::CallerGasLimitMoreThanBlock
        | Invalid::CallGasCostMoreThanGasLimit { .. }
        | Invalid::GasFloorMoreThanGasLimit { .. }
        | Invalid::TxGasLimitGreaterThanCap { .. } => "gas",
        Invalid::RejectCallerWithCode => "from",
        Invalid::LackOfFundForMaxFee { .. } | Invalid::OverflowPaymentInTransaction => "value",
        Invalid::NonceOverflowInTransaction
        | Invalid::NonceTooHigh { .. }
        | Invalid::NonceTooLow { .. } => "nonce",
        Invalid::CreateInitCodeSizeLimit => "input",
        Invalid::InvalidChainId | Invalid::MissingChainId => "chainId",
        Invalid::AccessListNotSupported => "accessList",
        Invalid::MaxFeePerBlobGasNotSupported | Invalid::BlobGasPriceGreaterThanMax { .. } => {
            "maxFeePerBlobGas"
        }
        Invalid::BlobVersionedHashesNotSupported
        | Invalid::EmptyBlobs
        | Invalid::TooManyBlobs { .. }
        | Invalid::BlobVersionNotSupported => "blobVersionedHashes",
        Invalid::BlobCreateTransaction | Invalid::Eip7873MissingTarget => "to",
        Invalid::AuthorizationListNotSupported
        | Invalid::AuthorizationListInvalidFields
        | Invalid::EmptyAuthorizationList => "authorizationList",
        Invalid::Eip2930NotSupported
        | Invalid::Eip1559NotSupported
        | Invalid::Eip4844NotSupported
        | Invalid::Eip7702NotSupported
        | Invalid::Eip7873NotSupported => "type",
        Invalid::Str(_) => "transaction",
    }
}
