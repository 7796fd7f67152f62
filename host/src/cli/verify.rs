//! `gatewei verify`: blocks from their witnesses alone.

use std::{
    io::{self, Write as _},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Instant,
};

use alloy_primitives::B256;
use clap::Args;
use gatewei::{Block, Checks, Executor, block};
use serde::Serialize;

use super::{
    End, Failure,
    archive::Input,
    executors::{self, Card, Kind},
    report,
    table::{Align, Table, thousands, time},
};

/// Executes and verifies blocks from `block.json` and `witness.json` alone
///
/// The witness (as debug_executionWitness gives it) proves the part of the state that the block needs. The parent's header
/// in it must have the block's parent hash; the transactions, withdrawals and hash of the block must be the header's; then
/// gas, receipts, logs, requests and the state root after the block are compared with the header.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  gatewei verify mainnet/24628607\n\n\
    Exit status 1 if anything is not the header's, or the witness lacks something.")]
pub(super) struct Arguments {
    /// Block directories, folders of them, or archives (.tar.xz) of such folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Who executes
    #[arg(long, value_enum, default_value_t = Kind::Cpu)]
    executor: Kind,
    /// Threads [default: all]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    block: u64,
    hash: B256,
    fork: &'static str,
    txs: usize,
    gas_used: u64,
    seconds: f64,
    checks: Checks,
    state_root: B256,
}

/// Verifies all blocks.
pub(super) fn verify(arguments: &Arguments) -> Result<End, Failure> {
    let policy = executors::Policy::default();
    let mut executor = executors::make(arguments.executor, &Card::Sim, arguments.threads, policy)?;
    let (mut end, mut rows) = (End::Good, Vec::new());
    for path in &arguments.paths {
        let input = Input::open(path)?;
        for directory in block::find(&input.folder())? {
            match one(&directory, executor.as_mut()) {
                Ok((row, complaints)) => {
                    for complaint in complaints {
                        eprintln!("error: {complaint}");
                        end = End::Bad;
                    }
                    if arguments.json {
                        writeln!(io::stdout(), "{}", serde_json::to_string(&row)?)?;
                    }
                    rows.push(row);
                }
                Err(failure) => {
                    eprintln!("error: {failure}");
                    end = End::Bad;
                }
            }
        }
    }
    if !arguments.json && !rows.is_empty() {
        write!(io::stdout(), "{}", table(&rows))?;
    }
    Ok(end)
}

fn one(directory: &Path, executor: &mut dyn Executor) -> Result<(Row, Vec<String>), Failure> {
    let block = Block::load_stateless(directory)?;
    let started = Instant::now();
    let outcome = executor.execute(&block)?;
    let (checks, mismatches) = Checks::new(&block, &outcome);
    let complaints = mismatches.iter().map(|mismatch| {
        let (field, header, result) = (mismatch.field, &mismatch.header, &mismatch.result);
        let path = block.path();
        format!(
            "{}: block {}: field `{field}`: the header has {header}, the execution gives {result}",
            path.display(),
            block.number()
        )
    });
    let complaints = complaints.collect();
    let row = Row {
        block: block.number(),
        hash: block.header.hash_slow(),
        fork: block.fork.name(),
        txs: block.transactions.len(),
        gas_used: outcome.result.gas_used,
        seconds: started.elapsed().as_secs_f64(),
        checks,
        state_root: block.header.state_root,
    };
    Ok((row, complaints))
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        ("block", Align::Right),
        ("fork", Align::Left),
        ("txs", Align::Right),
        ("gas", Align::Right),
        ("time", Align::Right),
        ("state root", Align::Left),
        ("checks", Align::Left),
    ]);
    for row in rows {
        table.row([
            row.block.to_string(),
            row.fork.to_owned(),
            row.txs.to_string(),
            thousands(row.gas_used),
            time(row.seconds),
            row.state_root.to_string(),
            report::checks(&row.checks),
        ]);
    }
    table
}
