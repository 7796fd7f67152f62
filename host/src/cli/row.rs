//! The JSON object of an executed block. Its numbers are never null.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use gatewei::{
    Block, ByList, CardStatistics, Checks, ClassCycles, Conflict, Executor, Prediction,
    WrongResult, digest,
};
use serde::Serialize;

use super::bench::peak;
use super::measure::{Measured, Ratio, mgas_per_s};

/// Conflicts of a block that are told.
const CONFLICTS: usize = 10;

/// One block on one executor.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) block: u64,
    pub(super) fork: &'static str,
    pub(super) txs: usize,
    pub(super) gas_used: u64,
    pub(super) executor: &'static str,
    pub(super) threads: usize,
    pub(super) seconds: f64,
    pub(super) mgas_per_s: f64,
    pub(super) checks: Checks,
    pub(super) digest: B256,
    /// The most memory that this process has had so far.
    pub(super) peak_bytes: u64,
    pub(super) parallel: Parallel,
    pub(super) card: Card,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ratio: Option<Ratio>,
}

/// Executions of transactions.
#[derive(Debug, Serialize)]
pub(super) struct Parallel {
    pub(super) executions: u64,
    pub(super) reexecutions: u64,
    pub(super) blocked: u64,
    pub(super) wasted_gas: u64,
    pub(super) conflicts: Vec<Conflict>,
    pub(super) by_list: ByList,
}

/// The card's part.
#[derive(Debug, Serialize)]
pub(super) struct Card {
    pub(super) txs: u64,
    pub(super) gas: u64,
    pub(super) evm_gas: u64,
    pub(super) offloaded_share: f64,
    pub(super) offloaded_ops: f64,
    pub(super) kept: u64,
    pub(super) verified: u64,
    pub(super) wrong: Option<WrongResult>,
    pub(super) fallbacks: BTreeMap<String, u64>,
    pub(super) cycles: u64,
    pub(super) wait_cycles: u64,
    pub(super) page_cycles: u64,
    pub(super) retired: u64,
    pub(super) cpi: f64,
    pub(super) requests: u64,
    pub(super) prediction: Prediction,
    pub(super) cycles_by_class: BTreeMap<&'static str, ClassCycles>,
}

impl From<&CardStatistics> for Card {
    fn from(statistics: &CardStatistics) -> Self {
        Self {
            txs: statistics.txs,
            gas: statistics.gas,
            evm_gas: statistics.evm_gas,
            offloaded_share: statistics.offloaded_share(),
            offloaded_ops: statistics.offloaded_ops_share(),
            kept: statistics.kept,
            verified: statistics.verified,
            wrong: statistics.wrong.clone(),
            fallbacks: statistics.fallbacks.clone(),
            cycles: statistics.cycles,
            wait_cycles: statistics.wait_cycles,
            page_cycles: statistics.page_cycles,
            retired: statistics.retired,
            cpi: statistics.cpi(),
            requests: statistics.requests,
            prediction: statistics.prediction,
            cycles_by_class: statistics.cycles_by_class.clone(),
        }
    }
}

impl Row {
    /// The row of a measured block.
    pub(super) fn new(
        block: &Block,
        executor: &dyn Executor,
        measured: &Measured,
        checks: Checks,
        ratio: Option<Ratio>,
    ) -> Self {
        let outcome = &measured.outcome;
        let seconds = measured.median();
        Self {
            block: block.number(),
            fork: block.fork.name(),
            txs: block.transactions.len(),
            gas_used: outcome.result.gas_used,
            executor: executor.name(),
            threads: executor.threads(),
            seconds,
            mgas_per_s: mgas_per_s(outcome.result.gas_used, seconds),
            checks,
            digest: digest(outcome),
            peak_bytes: peak::own(),
            parallel: Parallel {
                executions: outcome.statistics.executions,
                reexecutions: outcome.statistics.reexecutions,
                blocked: outcome.statistics.blocked,
                wasted_gas: outcome.statistics.wasted_gas,
                conflicts: outcome
                    .statistics
                    .conflicts
                    .iter()
                    .take(CONFLICTS)
                    .copied()
                    .collect(),
                by_list: outcome.statistics.by_list,
            },
            card: Card::from(&outcome.statistics.card),
            ratio,
        }
    }
}
