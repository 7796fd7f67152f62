//! What a block's execution gives: receipts, requests, state changes, counts.

use alloy_consensus::{EthereumReceipt, TxEnvelope, TxType};
use alloy_eips::eip7928::BlockAccessList;
use alloy_evm::{
    Evm,
    block::BlockExecutionResult,
    eth::receipt_builder::{ReceiptBuilder, ReceiptBuilderCtx},
};
use revm::database::BundleState;

use crate::Statistics;

/// A receipt without its bloom filter, which is made when it is asked for: that is no part of execution.
pub type Receipt = EthereumReceipt<TxType>;

/// The result of a block, the same bit for bit on every executor, and how it came about.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Receipts, requests (EIP-7685), gas and blob gas used.
    pub result: BlockExecutionResult<Receipt>,
    /// Changed accounts, slots and codes, with what a node needs to revert the block.
    pub state: BundleState,
    /// The access list (EIP-7928) of what was done, where the block came with one or one was asked for
    /// ([`Block::wants_access_list`](crate::Block::wants_access_list)).
    pub access_list: Option<BlockAccessList>,
    /// How it was executed; not part of the result.
    pub statistics: Statistics,
}

/// Builds [`Receipt`]s for alloy-evm's block executor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Receipts;

impl ReceiptBuilder for Receipts {
    type Transaction = TxEnvelope;
    type Receipt = Receipt;

    fn build_receipt<E: Evm>(&self, context: ReceiptBuilderCtx<'_, TxType, E>) -> Receipt {
        Receipt {
            tx_type: context.tx_type,
            success: context.result.is_success(),
            cumulative_gas_used: context.cumulative_gas_used,
            logs: context.result.into_logs(),
        }
    }
}
