//! The targets, and how each is measured.

use std::{fmt, num::NonZeroUsize, sync::Arc, time::Duration};

use gatewei::{
    Block, Sequential,
    engine::{Activity, Timeline},
};
use gatewei_workloads::{KINDS, Params, generate};
use serde::Serialize;

use super::{
    super::Failure,
    interval::Interval,
    peak,
    sample::{Pairs, Sampling},
};

/// Blocks whose ratio counts in totals have more gas than this.
const LARGE: u64 = 10_000_000;
/// What a read of slow storage takes.
const LATENCY: Duration = Duration::from_micros(50);

/// What is measured.
pub(super) struct Bench {
    pub(super) blocks: Vec<Block>,
    pub(super) threads: NonZeroUsize,
    pub(super) rounds: usize,
    pub(super) shortest: Duration,
    pub(super) txs: usize,
}

/// What a figure is to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(figure) => write!(f, "≥ {figure:.2}"),
            Self::AtMost(figure) => write!(f, "≤ {figure:.2}"),
        }
    }
}

impl Target {
    /// Whether a figure may be on the right side.
    fn holds(self, interval: Interval) -> bool {
        match self {
            Self::AtLeast(figure) => interval.high >= figure,
            Self::AtMost(figure) => interval.low <= figure,
        }
    }
}

/// A target with its figure.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) interval: Interval,
    pub(super) target: Target,
    /// What the figure is of.
    pub(super) of: String,
    /// Parts of it that miss the target.
    pub(super) missed: usize,
}

/// A line as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Row<'l> {
    line: &'static str,
    #[serde(flatten)]
    interval: Interval,
    target: String,
    pass: bool,
    of: &'l str,
}

impl Line {
    pub(super) fn holds(&self) -> bool {
        self.missed == 0
    }

    pub(super) fn row(&self) -> Row<'_> {
        Row {
            line: self.name,
            interval: self.interval,
            target: self.target.to_string(),
            pass: self.holds(),
            of: &self.of,
        }
    }

    fn one(numbers: Vec<f64>, target: Target, of: String) -> Self {
        let interval = Interval::of(numbers);
        Self {
            name: "",
            interval,
            target,
            of,
            missed: usize::from(!target.holds(interval)),
        }
    }

    /// The worst of several, each of which is to be on the right side.
    fn worst(all: Vec<(String, Interval)>, target: Target) -> Result<Self, Failure> {
        let (count, missed) = (
            all.len(),
            all.iter().filter(|(_, each)| !target.holds(*each)).count(),
        );
        let worst = all.into_iter().min_by(|(_, a), (_, b)| match target {
            Target::AtLeast(_) => a.median.total_cmp(&b.median),
            Target::AtMost(_) => b.median.total_cmp(&a.median),
        });
        let (name, interval) = worst.ok_or_else(nothing)?;
        let of = format!("{name}, worst of {count}; {missed} miss");
        Ok(Self {
            name: "",
            interval,
            target,
            of,
            missed,
        })
    }
}

fn nothing() -> Failure {
    Failure::new(
        "there is no block to measure this with: these are measured on blocks above 10 Mgas",
    )
}

type Measure = fn(&Bench) -> Result<Line, Failure>;

/// All lines, by name.
pub(super) const ALL: &[(&str, Measure)] = &[
    ("lowest of real blocks", lowest_real),
    ("lowest of generated blocks", lowest_generated),
    ("total above 10 Mgas", total),
    ("total above 10 Mgas with lists", total_with_lists),
    ("share of the bound with lists", share_of_bound),
    ("independent AMM swaps", amm_pools),
    ("hot token or pool", hot),
    ("slow storage, total", slow),
    ("slow storage with lists, total", slow_with_lists),
    ("peak memory", memory),
    ("one thread", one_thread),
];

impl Bench {
    fn sampling(&self) -> Sampling {
        Sampling {
            threads: self.threads,
            rounds: self.rounds,
            shortest: self.shortest,
        }
    }

    fn large(&self) -> impl Iterator<Item = &Block> {
        self.blocks
            .iter()
            .filter(|block| block.header.gas_used > LARGE)
    }

    fn large_with_lists(&self) -> Result<Vec<Block>, Failure> {
        let mut blocks: Vec<_> = self.large().cloned().collect();
        for block in &mut blocks {
            block.load_access_list()?;
        }
        Ok(blocks)
    }

    fn generated(&self, kinds: &[&str]) -> Result<Vec<(String, Block)>, Failure> {
        let params = Params {
            txs: self.txs,
            ..Params::default()
        };
        let folder = std::env::temp_dir().join(format!("gatewei-bench-{}", std::process::id()));
        let make = |kind: &&str| -> Result<(String, Block), Failure> {
            gatewei_workloads::write(&generate(kind, &params)?, &folder)?;
            Ok(((*kind).to_owned(), Block::load(&folder)?))
        };
        let blocks = kinds.iter().map(make).collect();
        let _ = std::fs::remove_dir_all(&folder);
        blocks
    }
}

fn all_pairs<'b>(
    blocks: impl IntoIterator<Item = &'b Block>,
    sampling: Sampling,
) -> Result<Vec<Pairs>, Failure> {
    let pairs = blocks.into_iter().map(|block| sampling.pairs(block));
    pairs.collect()
}

fn sum(pairs: &[Pairs], target: f64, of: &str) -> Result<Line, Failure> {
    let ratios = Pairs::total(pairs);
    if ratios.is_empty() {
        return Err(nothing());
    }
    let of = format!("{} {of}", pairs.len());
    Ok(Line::one(ratios, Target::AtLeast(target), of))
}

fn lowest<'b>(
    blocks: impl IntoIterator<Item = (String, &'b Block)>,
    sampling: Sampling,
    target: f64,
) -> Result<Line, Failure> {
    let each = blocks.into_iter().map(|(name, block)| {
        let ratios = sampling.pairs(block)?.ratios();
        Ok((name, Interval::of(ratios)))
    });
    let each: Result<Vec<_>, Failure> = each.collect();
    Line::worst(each?, Target::AtLeast(target))
}

fn lowest_real(bench: &Bench) -> Result<Line, Failure> {
    let blocks = bench.blocks.iter();
    let named = blocks.map(|block| (format!("block {}", block.number()), block));
    lowest(named, bench.sampling(), 0.98)
}

fn of_kinds(bench: &Bench, kinds: &[&str], target: f64) -> Result<Line, Failure> {
    let blocks = bench.generated(kinds)?;
    let named = blocks.iter().map(|(name, block)| (name.clone(), block));
    lowest(named, bench.sampling(), target)
}

fn lowest_generated(bench: &Bench) -> Result<Line, Failure> {
    let kinds: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
    of_kinds(bench, &kinds, 0.98)
}

fn amm_pools(bench: &Bench) -> Result<Line, Failure> {
    of_kinds(bench, &["amm-pools"], 1.95)
}

fn hot(bench: &Bench) -> Result<Line, Failure> {
    of_kinds(bench, &["amm-hot", "erc20-hot", "erc20-airdrop"], 1.0)
}

fn total(bench: &Bench) -> Result<Line, Failure> {
    let pairs = all_pairs(bench.large(), bench.sampling())?;
    sum(&pairs, 1.6, "blocks")
}

fn total_with_lists(bench: &Bench) -> Result<Line, Failure> {
    let pairs = all_pairs(&bench.large_with_lists()?, bench.sampling())?;
    sum(&pairs, 1.75, "blocks")
}

/// What so many threads can gain at most: work by the longest transaction.
fn bound(block: &Block, threads: usize) -> Result<f64, Failure> {
    const RUNS: usize = 5;
    let mut shortest = vec![Duration::MAX; block.transactions.len()];
    for _ in 0..RUNS {
        let timeline = Timeline::default();
        Sequential.execute_recording(block, &timeline)?;
        for span in timeline.spans() {
            if let Activity::InOrder { tx } = span.activity {
                shortest[tx] = shortest[tx].min(span.length);
            }
        }
    }
    let work: Duration = shortest.iter().sum();
    let longest = shortest.iter().max().copied().unwrap_or_default();
    Ok((work.as_secs_f64() / longest.as_secs_f64()).min(threads as f64))
}

fn share_of_bound(bench: &Bench) -> Result<Line, Failure> {
    let each = bench.large_with_lists()?;
    let each = each.iter().map(|block| {
        let bound = bound(block, bench.threads.get())?;
        let ratios = bench.sampling().pairs(block)?.ratios();
        let name = format!("block {} (bound {bound:.2})", block.number());
        Ok((name, Interval::of(ratios).over(bound)))
    });
    let each: Result<Vec<_>, Failure> = each.collect();
    Line::worst(each?, Target::AtLeast(0.95))
}

fn slowed<'b>(
    blocks: impl IntoIterator<Item = &'b Block>,
    bench: &Bench,
    target: f64,
) -> Result<Line, Failure> {
    let slow = blocks.into_iter().map(|block| Block {
        pre_state: Arc::new(block.pre_state.clone().delayed(LATENCY)),
        ..block.clone()
    });
    let slow: Vec<_> = slow.collect();
    let pairs = all_pairs(&slow, bench.sampling())?;
    sum(&pairs, target, "blocks, 50 µs a read")
}

fn slow(bench: &Bench) -> Result<Line, Failure> {
    slowed(bench.large(), bench, 5.0)
}

fn slow_with_lists(bench: &Bench) -> Result<Line, Failure> {
    slowed(&bench.large_with_lists()?, bench, 8.0)
}

/// Of the blocks with the most gas: a process that loads and executes each.
fn memory(bench: &Bench) -> Result<Line, Failure> {
    const BLOCKS: usize = 5;
    let mut blocks: Vec<_> = bench.large().collect();
    blocks.sort_by_key(|block| std::cmp::Reverse(block.header.gas_used));
    let each = blocks.iter().take(BLOCKS).map(|block| {
        let sequential = peak::of(&block.source, "sequential", 1)?;
        let cpu = peak::of(&block.source, "cpu", bench.threads.get())?;
        let name = format!("block {}", block.number());
        Ok((name, Interval::of(vec![cpu / sequential])))
    });
    let each: Result<Vec<_>, Failure> = each.collect();
    Line::worst(each?, Target::AtMost(2.0))
}

fn one_thread(bench: &Bench) -> Result<Line, Failure> {
    let sampling = Sampling {
        threads: NonZeroUsize::MIN,
        ..bench.sampling()
    };
    let pairs = all_pairs(&bench.blocks, sampling)?;
    sum(&pairs, 0.95, "blocks")
}
