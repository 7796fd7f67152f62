//! `gatewei model`: what a block would take on a card that is not there.

mod assume;
mod measure;
mod plot;
mod report;

use std::{
    io::{self, Write as _},
    num::NonZeroU16,
    path::PathBuf,
};

use clap::Args;
use gatewei::model::{Figures, figures};
use gatewei_abi::regs;

use self::{assume::Chosen, measure::Cpu, report::Row};
use super::{End, Failure, archive::Input, executors, progress};

/// Lanes for which the register map has room.
const MOST_LANES: u16 = ((regs::SPACE - regs::LANES) / regs::LANE_STRIDE) as u16;

/// Models throughput, latency, link load and energy of blocks on a card
///
/// Every message of the blocks runs once on the simulated card, which gives its cycles, requests and bytes; the engine's
/// own scheduler then plays the block on as many lanes as you like, with the block's dependencies. All that is assumed is
/// printed first, with its source. Beside it stands sequential revm, measured on this machine in the same run.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    gatewei model                                             a generated block on the default part\n  \
    gatewei model --part xcu55c --mhz 250 mainnet/24628607    a real block, another part, a clock that you assume\n  \
    gatewei model --board ulx3s-85f --lanes 1                 with the clock and the serial line of its board.toml\n  \
    gatewei model --lanes 1,2,4,8,16 --plot lanes.svg --json\n\n\
    Left out: contention for Keccak engines and for the card's memory port, what codes push out of a lane's store when lanes\n\
    are many, the host's watts while it drives a card, and a clock that falls as a part fills up.")]
pub(super) struct Arguments {
    /// Block directories, folders of them, or archives (.tar.xz) of such folders [default: a generated block]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    chosen: Chosen,
    /// Numbers of lanes
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,2,4,8", value_parser = lanes)]
    lanes: Vec<NonZeroU16>,
    /// Transactions of the generated block
    #[arg(long, value_name = "N", default_value_t = 200)]
    txs: usize,
    /// Seed of the generated block
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Kind of traffic of the generated block: see `gatewei workload --help`
    #[arg(long, value_name = "KIND", default_value = "mixed")]
    kind: String,
    /// Executions of every block on sequential revm; the median time counts
    #[arg(long, value_name = "N", default_value_t = 5)]
    repeat: usize,
    /// Write a plot of Mgas/s and Mgas/J against lanes
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
}

fn lanes(text: &str) -> Result<NonZeroU16, String> {
    let number: u16 = text
        .trim()
        .parse()
        .map_err(|_| "numbers of lanes, such as 1,2,4".to_owned())?;
    match NonZeroU16::new(number) {
        None => Err("a card has at least one lane".into()),
        Some(_) if number > MOST_LANES => Err(format!(
            "a card has registers for {MOST_LANES} lanes at most"
        )),
        Some(lanes) => Ok(lanes),
    }
}

/// Models blocks.
pub(super) fn model(arguments: &Arguments) -> Result<End, Failure> {
    executors::simulated_card().map_err(Failure::new)?;
    let mut inputs = Vec::new();
    for path in &arguments.paths {
        inputs.push(Input::open(path)?);
    }
    let mut assumed = arguments.chosen.assume()?;
    let blocks = measure::blocks(arguments, &inputs)?;
    let cpu = Cpu::measure(&blocks, arguments.repeat, arguments.chosen.cpu_watts())?;
    assumed.assumptions.cpu_mgas_per_s = cpu.mgas_per_s();
    let bar = progress::bar(blocks.len(), "blocks simulated");
    let measured = measure::profiles(&blocks, assumed.assumptions.latency_cycles(), &bar)?;
    bar.finish_and_clear();
    let mut lanes = arguments.lanes.clone();
    lanes.sort_unstable();
    lanes.dedup();
    let rows = lanes
        .into_iter()
        .map(|lanes| {
            let all: Result<Vec<Figures>, _> = measured
                .profiles
                .iter()
                .map(|profile| figures(profile, &assumed.assumptions, lanes))
                .collect();
            Ok(Row::new(&assumed, &measured, lanes, all?))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    if let Some(path) = &arguments.plot {
        let svg = plot::svg(&assumed.title, &rows, &cpu);
        std::fs::write(path, svg).map_err(|error| {
            Failure::new(format!("{}: cannot be written: {error}", path.display()))
        })?;
    }
    let mut out = io::stdout();
    if arguments.json {
        let object = report::json(&assumed, &measured, &rows, &cpu);
        writeln!(out, "{}", serde_json::to_string(&object)?)?;
    } else {
        write!(out, "{}", report::text(&assumed, &measured, &rows, &cpu))?;
    }
    Ok(End::Good)
}
