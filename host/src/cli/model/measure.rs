//! What is not modelled: blocks on the simulated card, message by message, and on sequential revm.

use std::{env, fs, path::PathBuf, process, time::Instant};

use gatewei::model::{Known, Profile, Source, rapl_joules};
use gatewei::{Block, Sequential, block};
use gatewei_workloads::{Params, generate, write};
use indicatif::ProgressBar;

use super::super::{Failure, archive::Input, measure};
use super::Arguments;

/// Blocks as the simulated card has them.
pub(super) struct Measured {
    pub profiles: Vec<Profile>,
    pub txs: usize,
    pub gas: u64,
    /// What they are.
    pub what: String,
}

/// Sequential revm on this machine.
pub(super) struct Cpu {
    pub gas: u64,
    /// Of all blocks, the median of each.
    pub seconds: f64,
    pub blocks: usize,
    pub watts: Known<f64>,
}

impl Cpu {
    /// Executes blocks on one core.
    pub(super) fn measure(
        blocks: &[Block],
        repeat: usize,
        (chosen, assumed): (Option<f64>, Known<f64>),
    ) -> Result<Self, Failure> {
        let (mut gas, mut seconds) = (0, 0.0);
        let (began, joules) = (Instant::now(), rapl_joules());
        for block in blocks {
            let measured = measure::alone(&mut Sequential, block, repeat.max(1))?;
            gas += measured.outcome.result.gas_used;
            seconds += measured.median();
        }
        let elapsed = began.elapsed().as_secs_f64();
        let drawn = joules.zip(rapl_joules());
        let drawn = drawn.map(|(before, after)| (after - before) / elapsed);
        let watts = match (chosen, drawn) {
            (Some(watts), _) => Known::chosen(watts, "--cpu-watts"),
            // The counter wraps now and then.
            (None, Some(watts)) if watts > 0.0 => Known {
                value: watts,
                source: Source::Measured("RAPL, the whole package".into()),
            },
            (None, _) => assumed,
        };
        Ok(Self {
            gas,
            seconds,
            blocks: blocks.len(),
            watts,
        })
    }

    pub(super) fn mgas_per_s(&self) -> f64 {
        measure::mgas_per_s(self.gas, self.seconds)
    }

    pub(super) fn mgas_per_joule(&self) -> f64 {
        measure::ratio(self.mgas_per_s(), self.watts.value)
    }

    /// Mean time of a block, in seconds.
    pub(super) fn latency(&self) -> f64 {
        self.seconds / self.blocks.max(1) as f64
    }
}

/// The blocks of the paths, or a generated one.
pub(super) fn blocks(arguments: &Arguments, inputs: &[Input]) -> Result<Vec<Block>, Failure> {
    if inputs.is_empty() {
        let params = Params {
            txs: arguments.txs,
            seed: arguments.seed,
            contention: None,
        };
        let folder = Scratch(env::temp_dir().join(format!("gatewei-model-{}", process::id())));
        write(&generate(&arguments.kind, &params)?, &folder.0)?;
        return Ok(vec![Block::load(&folder.0)?]);
    }
    let mut blocks = Vec::new();
    for input in inputs {
        for directory in block::find(&input.folder())? {
            blocks.push(Block::load(&directory)?);
        }
    }
    Ok(blocks)
}

/// Runs every message of the blocks once on a simulated card whose host memory is so many cycles away.
#[cfg(feature = "sim")]
pub(super) fn profiles(
    blocks: &[Block],
    latency: u32,
    bar: &ProgressBar,
) -> Result<Measured, Failure> {
    let simulation = gatewei_sim::Options {
        read_latency: latency,
        write_latency: latency,
        ..Default::default()
    };
    let runner = gatewei::card::sim::open(simulation, Default::default())?;
    let mut profiler = gatewei::model::Profiler::new(runner);
    let mut profiles = Vec::new();
    for block in blocks {
        bar.set_prefix(block.number().to_string());
        profiles.push(profiler.profile(block)?);
        bar.inc(1);
    }
    let what = match blocks {
        [block] => format!("block {}, rules of {}", block.number(), block.fork),
        blocks => format!("{} blocks", blocks.len()),
    };
    Ok(Measured {
        txs: blocks.iter().map(|block| block.transactions.len()).sum(),
        gas: profiles.iter().map(|profile| profile.gas).sum(),
        profiles,
        what,
    })
}

#[cfg(not(feature = "sim"))]
pub(super) fn profiles(_: &[Block], _: u32, _: &ProgressBar) -> Result<Measured, Failure> {
    Err(Failure::new(super::super::executors::WITHOUT_CARD))
}

/// A folder for the block, which goes away with this.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left in the folder for temporary files: no reason to fail.
        let _ = fs::remove_dir_all(&self.0);
    }
}
