//! `gatewei bench-host`: the CPU engine's speed against its targets.

mod interval;
mod lines;
pub(super) mod peak;
mod sample;

use std::{
    io::{self, Write as _},
    num::NonZeroUsize,
    path::PathBuf,
    time::Duration,
};

use clap::Args;
use gatewei::{Block, block};

use super::{End, Failure, archive::Input, progress, table};
use lines::{Bench, Line};

/// Measures the CPU engine against its targets
///
/// Every line of the result is a target with its figure and the 95 % interval of that. Figures are ratios to sequential revm
/// in the same process: above 1 is faster. Samples of both alternate, every sample of the engine is of a new engine, and is
/// at least as long as --sample. A target is missed if the whole interval is on its wrong side. On a machine that does other
/// work at the same time, the figures say little.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    gatewei bench-host ../shared/data/mainnet.tar.xz           all targets, some minutes\n  \
    gatewei bench-host mainnet --only total --repeat 21        some of them\n\n\
    Exit status 1 if a target is missed.")]
pub(super) struct Arguments {
    /// Block directories with access lists, folders of them, or archives (.tar.xz) of such folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Threads of the engine
    #[arg(long, value_name = "N", default_value = "2")]
    threads: NonZeroUsize,
    /// Samples of every block on every executor
    #[arg(long, value_name = "N", default_value = "9")]
    repeat: NonZeroUsize,
    /// Shortest sample: shorter blocks are executed several times
    #[arg(long, value_name = "MS", default_value_t = 50)]
    sample: u64,
    /// Transactions of generated blocks
    #[arg(long, value_name = "N", default_value_t = 1000)]
    txs: usize,
    /// Only lines whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

/// Measures.
pub(super) fn bench(arguments: &Arguments) -> Result<End, Failure> {
    gatewei::warm_up();
    let mut inputs = Vec::new();
    let mut blocks = Vec::new();
    for path in &arguments.paths {
        let input = Input::open(path)?;
        for directory in block::find(&input.folder())? {
            blocks.push(Block::load(&directory)?);
        }
        inputs.push(input);
    }
    let bench = Bench {
        blocks,
        threads: arguments.threads,
        rounds: arguments.repeat.get(),
        shortest: Duration::from_millis(arguments.sample),
        txs: arguments.txs,
    };
    let wanted = |name: &str| {
        let only = arguments.only.as_ref();
        only.is_none_or(|text| name.contains(text.as_str()))
    };
    let names: Vec<_> = lines::ALL.iter().filter(|(name, _)| wanted(name)).collect();
    let bar = progress::bar(names.len(), "lines");
    let mut lines: Vec<Line> = Vec::new();
    for (name, measure) in names {
        bar.set_prefix((*name).to_owned());
        let line = Line {
            name,
            ..measure(&bench)?
        };
        if arguments.json {
            let text = serde_json::to_string(&line.row())?;
            bar.suspend(|| writeln!(io::stdout(), "{text}"))?;
        }
        lines.push(line);
        bar.inc(1);
    }
    bar.finish_and_clear();
    if lines.is_empty() {
        return Err(Failure::new("no line has such a name"));
    }
    if !arguments.json {
        write!(io::stdout(), "{}", as_table(&lines))?;
    }
    Ok(match lines.iter().all(Line::holds) {
        true => End::Good,
        false => End::Bad,
    })
}

fn as_table(lines: &[Line]) -> table::Table {
    use table::Align::{Left, Right};
    let mut table = table::Table::new(&[
        ("line", Left),
        ("figure", Right),
        ("95 % interval", Right),
        ("target", Right),
        ("result", Left),
        ("of", Left),
    ]);
    for line in lines {
        let interval = line.interval;
        table.row([
            line.name.to_owned(),
            format!("{:.2}", interval.median),
            format!("{:.2} to {:.2}", interval.low, interval.high),
            line.target.to_string(),
            if line.holds() { "pass" } else { "MISS" }.to_owned(),
            line.of.clone(),
        ]);
    }
    table
}
