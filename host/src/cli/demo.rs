//! `gatewei demo`: a generated block on every executor, compared.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process,
};

use clap::{Args, ValueEnum};
use gatewei::{Block, Checks, Executor, first_difference};
use gatewei_workloads::{Params, generate, write};

use super::{
    End, Failure,
    executors::{self, Kind},
    measure::{self, Measured, mgas_per_s},
    progress,
    report::{checks, fallbacks},
    table::{Align, Table, percent, rate, thousands, time},
};

/// Kind of traffic of the demonstration.
const KIND: &str = "mixed";

/// Runs a generated block on every executor and compares the results
///
/// Makes a block of mixed traffic (transfers, tokens, swaps), runs it on sequential revm, on all CPU threads and on the
/// card, prints one table, and says `identical` or names the first difference.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Number of transactions
    #[arg(long, value_name = "N", default_value_t = Params::default().txs)]
    txs: usize,
    /// Seed of the block
    #[arg(long, value_name = "S", default_value_t = Params::default().seed)]
    seed: u64,
    /// Which card [default: sim where this build has it, else none]
    #[arg(long, value_enum)]
    card: Option<Choice>,
}

/// The card of the demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// CPU executors only.
    None,
    /// The card's Verilog, simulated in this process.
    Sim,
}

/// Generates, runs, compares.
pub(super) fn demo(arguments: &Arguments) -> Result<End, Failure> {
    let kinds = match (arguments.card, executors::simulated_card()) {
        (Some(Choice::None), _) | (None, Err(_)) => vec![Kind::Sequential, Kind::Cpu],
        (Some(Choice::Sim), Err(why)) => return Err(Failure::new(why)),
        (_, Ok(())) => vec![Kind::Sequential, Kind::Cpu, Kind::Card],
    };
    let params = Params {
        txs: arguments.txs,
        seed: arguments.seed,
        contention: None,
    };
    let folder = Scratch::new();
    write(&generate(KIND, &params)?, folder.path())?;
    let block = Block::load(folder.path())?;
    let mut out = io::stdout();
    writeln!(
        out,
        "{KIND} block, seed {}: {} transactions, {} gas, rules of {}",
        arguments.seed,
        block.transactions.len(),
        thousands(block.header.gas_used),
        block.fork
    )?;
    let mut table = Table::new(&[
        ("executor", Align::Left),
        ("threads", Align::Right),
        ("txs", Align::Right),
        ("gas", Align::Right),
        ("time", Align::Right),
        ("Mgas/s", Align::Right),
        ("× sequential", Align::Right),
        ("again", Align::Right),
        ("header", Align::Left),
        ("cycles", Align::Right),
        ("CPI", Align::Right),
        ("offloaded", Align::Right),
        ("fallbacks", Align::Left),
    ]);
    let bar = progress::bar(kinds.len(), "executors");
    let mut reference: Option<Measured> = None;
    let mut complaints = Vec::new();
    for kind in kinds {
        let mut executor = executors::make(kind, &executors::Card::Sim, None, Default::default())?;
        bar.set_prefix(executor.name());
        // A CPU's first run also fills caches; the card's simulation takes its time, and its cycles hardly vary.
        let repeat = if kind == Kind::Card { 1 } else { 5 };
        let measured = measure::alone(executor.as_mut(), &block, repeat)?;
        let (checked, mismatches) = Checks::new(&block, &measured.outcome);
        for mismatch in mismatches {
            complaints.push(format!("{}: {mismatch:?}", executor.name()));
        }
        let first = reference.as_ref().unwrap_or(&measured);
        if let Some(difference) = first_difference(&first.outcome, &measured.outcome) {
            complaints.push(format!(
                "sequential and {} differ: {difference}",
                executor.name()
            ));
        }
        let mut cells = line(
            executor.as_ref(),
            &block,
            &measured,
            first.median(),
            &checked,
        );
        cells.extend(card(kind, &measured));
        table.row(cells);
        reference.get_or_insert(measured);
        bar.inc(1);
    }
    bar.finish_and_clear();
    write!(out, "\n{table}\n")?;
    if let (None, Err(why)) = (arguments.card, executors::simulated_card()) {
        writeln!(out, "The card was left out: {why}.")?;
    }
    for complaint in &complaints {
        writeln!(out, "{complaint}")?;
    }
    if complaints.is_empty() {
        writeln!(out, "identical")?;
        Ok(End::Good)
    } else {
        Ok(End::Bad)
    }
}

fn line(
    executor: &dyn Executor,
    block: &Block,
    measured: &Measured,
    sequential: f64,
    checked: &Checks,
) -> Vec<String> {
    let (gas, seconds) = (measured.outcome.result.gas_used, measured.median());
    vec![
        executor.name().to_owned(),
        executor.threads().to_string(),
        block.transactions.len().to_string(),
        thousands(gas),
        time(seconds),
        rate(mgas_per_s(gas, seconds)),
        format!("{:.4}", measure::ratio(sequential, seconds)),
        measured.outcome.statistics.reexecutions.to_string(),
        checks(checked),
    ]
}

/// Cells of the card; empty for other executors.
fn card(kind: Kind, measured: &Measured) -> Vec<String> {
    if kind != Kind::Card {
        return Vec::new();
    }
    let card = &measured.outcome.statistics.card;
    vec![
        thousands(card.cycles),
        format!("{:.2}", card.cpi()),
        percent(card.offloaded_share()),
        fallbacks(&card.fallbacks),
    ]
}

/// A folder for the block, which goes away with this.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        Self(env::temp_dir().join(format!("gatewei-demo-{}", process::id())))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left in the folder for temporary files: no reason to fail.
        let _ = fs::remove_dir_all(&self.0);
    }
}
