//! `gatewei workload`: writes a generated block.

use std::path::PathBuf;

use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser},
};
use gatewei_workloads::{KINDS, Params, generate, write};

use super::{End, Failure};

/// Makes a block of one kind of traffic and writes it as a block directory
///
/// The block is a real one to every other command: signed transactions, a true header, and all the state that it reads.
/// The same arguments give the same bytes on every machine.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    gatewei workload erc20-independent --txs 1000 --seed 7 --out blocks/erc20\n  \
    gatewei run blocks --executor cpu --compare sequential --repeat 5")]
pub(super) struct Arguments {
    /// Kind of traffic
    #[arg(value_parser = kinds())]
    kind: String,
    /// Number of transactions
    #[arg(long, value_name = "N", default_value_t = Params::default().txs)]
    txs: usize,
    /// Seed of every choice: keys, addresses, amounts, order
    #[arg(long, value_name = "S", default_value_t = Params::default().seed)]
    seed: u64,
    /// Share of transactions that go to the kind's hot spot, 0 to 1 [default: the kind's own]
    #[arg(long, value_name = "SHARE")]
    contention: Option<f64>,
    /// Folder of the block; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

fn kinds() -> PossibleValuesParser {
    let kinds = KINDS.iter();
    PossibleValuesParser::new(kinds.map(|kind| PossibleValue::new(kind.name).help(kind.summary)))
}

/// Generates and writes.
pub(super) fn workload(arguments: &Arguments) -> Result<End, Failure> {
    let params = Params {
        txs: arguments.txs,
        seed: arguments.seed,
        contention: arguments.contention,
    };
    let block = generate(&arguments.kind, &params)?;
    write(&block, &arguments.out)?;
    println!(
        "{}: block {}, {} transactions, {} gas",
        arguments.out.display(),
        block.block.header.number,
        block.receipts.len(),
        block.block.header.gas_used
    );
    Ok(End::Good)
}
