//! What the transactions of a block have used so far: gas, and receipts.

use alloy_consensus::Transaction as _;
use revm::context::{Block as _, Cfg as _, result::ExecutionResult};

use crate::{Block, ExecutionError, Receipt};

/// What the transactions of a block have used, and their receipts.
#[derive(Debug, Default)]
pub(super) struct Used {
    pub receipts: Vec<Receipt>,
    /// Gas after refunds, as receipts count it.
    pub gas: u64,
    /// EIP-8037's two dimensions of block gas.
    pub regular_gas: u64,
    pub state_gas: u64,
    pub blob_gas: u64,
}

impl Used {
    /// Nothing yet.
    pub(super) fn of(block: &Block) -> Self {
        Self {
            receipts: Vec::with_capacity(block.transactions.len()),
            ..Self::default()
        }
    }

    /// The check that `EthBlockExecutor::execute_transaction_without_commit` begins with.
    pub(super) fn check_block_gas(&self, block: &Block, tx: usize) -> Result<(), ExecutionError> {
        let environment = &block.environment;
        let amsterdam = environment.cfg_env.enable_amsterdam_eip8037;
        let used = if amsterdam {
            self.regular_gas
        } else {
            self.gas
        };
        let limit = environment.block_env.gas_limit();
        let wanted = block.tx_envs[tx].gas_limit;
        let available = limit.saturating_sub(used);
        if wanted.min(environment.cfg_env.tx_gas_limit_cap()) > available {
            return Err(ExecutionError::block_gas(block, tx, available));
        }
        let available = limit.saturating_sub(self.state_gas);
        if amsterdam && wanted > available {
            return Err(ExecutionError::block_gas(block, tx, available));
        }
        Ok(())
    }

    /// What `EthBlockExecutor::commit_transaction` does, but for the commit itself.
    pub(super) fn count(&mut self, block: &Block, tx: usize, result: ExecutionResult) {
        let gas = result.gas();
        self.regular_gas += gas.block_regular_gas_used();
        self.state_gas += gas.block_state_gas_used();
        self.gas += gas.tx_gas_used();
        let envelope = &block.transactions[tx];
        let blob_gas = envelope.blob_gas_used().unwrap_or_default();
        self.blob_gas = self.blob_gas.saturating_add(blob_gas);
        self.receipts.push(Receipt {
            tx_type: envelope.tx_type(),
            success: result.is_success(),
            cumulative_gas_used: self.gas,
            logs: result.into_logs(),
        });
    }
}
