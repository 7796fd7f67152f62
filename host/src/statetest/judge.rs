//! Runs a case and compares what came of it.

use alloy_primitives::{B256, Log, keccak256};

use super::{
    Case,
    exception::{self, UNDECODABLE},
    skip::skip,
};
use crate::{Block, Executor, Statistics, block::state_root};

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it must.
    Passed,
    /// Otherwise; with the difference.
    Failed(String),
    /// It was not run; with the reason.
    Skipped(String),
}

/// A case's end with what it came from.
#[derive(Clone, Debug)]
pub struct Report {
    /// How it ended.
    pub verdict: Verdict,
    /// State root after the transaction; zero when it was not run.
    pub state_root: B256,
    /// Hash of the logs; zero when it was not run.
    pub logs_hash: B256,
    /// Gas used; zero when the transaction was rejected or not run.
    pub gas_used: u64,
    /// How it was executed.
    pub statistics: Statistics,
}

impl Report {
    fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            state_root: B256::ZERO,
            logs_hash: B256::ZERO,
            gas_used: 0,
            statistics: Statistics::default(),
        }
    }
}

/// Runs a case on an executor, unless there is a reason to skip it.
pub fn judge(case: &Case, executor: &mut dyn Executor, with_skipped: bool) -> Report {
    let Some(block) = &case.block else {
        let reason = format!("no executor covers the fork {}", case.fork);
        return Report::new(Verdict::Skipped(reason));
    };
    if let Some(skip) = skip(case).filter(|_| !with_skipped) {
        return Report::new(Verdict::Skipped(skip.reason.to_owned()));
    }
    match block {
        Ok(block) => execute(case, block, executor),
        Err(reason) => rejected(case, UNDECODABLE, reason),
    }
}

fn execute(case: &Case, block: &Block, executor: &mut dyn Executor) -> Report {
    let outcome = match executor.execute(block) {
        Ok(outcome) => outcome,
        Err(error) => {
            return match exception::field(&error.fault) {
                Some(field) => rejected(case, field, &error.fault.to_string()),
                None => Report::new(Verdict::Failed(error.to_string())),
            };
        }
    };
    let logs: Vec<&Log> = outcome
        .result
        .receipts
        .iter()
        .flat_map(|receipt| &receipt.logs)
        .collect();
    let state_root = state_root(&case.pre_state, Some(&outcome.state));
    let mut report = Report {
        state_root,
        logs_hash: logs_hash(&logs),
        gas_used: outcome.result.gas_used,
        ..Report::new(Verdict::Passed)
    };
    report.statistics = outcome.statistics;
    if let Some(exception) = &case.expected.exception {
        let difference = format!("the transaction ran, but must be rejected with {exception}");
        report.verdict = Verdict::Failed(difference);
        return report;
    }
    compare(case, report)
}

/// A transaction that was rejected: it must be for an expected reason, and the state is as before.
fn rejected(case: &Case, field: &str, reason: &str) -> Report {
    let mut report = Report::new(Verdict::Passed);
    report.state_root = state_root(&case.pre_state, None);
    report.logs_hash = logs_hash(&[]);
    match &case.expected.exception {
        None => report.verdict = Verdict::Failed(format!("the transaction was rejected: {reason}")),
        Some(expected) if !exception::accepts(expected, field) => {
            let difference = format!("rejected with `{reason}`, but must be with {expected}");
            report.verdict = Verdict::Failed(difference);
        }
        Some(_) => return compare(case, report),
    }
    report
}

fn compare(case: &Case, mut report: Report) -> Report {
    let expected = &case.expected;
    let difference = if report.logs_hash != expected.logs_hash {
        Some(("logs hash", report.logs_hash, expected.logs_hash))
    } else if report.state_root != expected.state_root {
        Some(("state root", report.state_root, expected.state_root))
    } else {
        None
    };
    if let Some((what, got, wanted)) = difference {
        report.verdict = Verdict::Failed(format!("{what} is {got}, but must be {wanted}"));
    }
    report
}

fn logs_hash(logs: &[&Log]) -> B256 {
    let mut out = Vec::new();
    alloy_rlp::encode_list::<&Log, Log>(logs, &mut out);
    keccak256(out)
}
