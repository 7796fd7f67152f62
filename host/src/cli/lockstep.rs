//! `gatewei lockstep`: random programs on a card and on revm, opcode by opcode.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::Args;
use gatewei::card::lockstep::ledger::{Count, Ledger, Missing, Sitting};
use gatewei::card::lockstep::{Divergence, Program, random, shrink};
use gatewei::card::{CardRunner, sim};
use gatewei_driver::{Deadlines, State};
use gatewei_sim::SimCard;
use serde::Serialize;

use super::{End, Failure, executors, progress};

/// Programs that a thread takes at a time, on a card of their own.
const CHUNK: u64 = 200;
/// Tries to make a program that differs smaller, and the time that they may take: a lane that hangs takes seconds each.
const TRIES: usize = 3_000;
const SHRINKING: Duration = Duration::from_secs(120);
/// Programs that differ are kept up to this many; then the run ends.
const ENOUGH: usize = 10;
/// A lane that makes no progress for so many cycles hangs.
const STALL_CYCLES: u64 = 1_000_000;
/// Between two writes of the ledger.
const SAVE: Duration = Duration::from_secs(30);

/// Runs random programs on the simulated card and on revm, and compares every opcode
///
/// Each program is some contracts that call and create each other. Compared are, before every opcode, the depth of the
/// frame, program counter, opcode, gas, stack depth, topmost word and memory size; and at the end the result, the logs
/// and the state. A program that differs is made small and written to a file, which is a regression test as soon as it
/// lies in host/tests/lockstep/regressions.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    gatewei lockstep --programs 1000\n  \
    gatewei lockstep --minutes 60 --jobs 2 --ledger host/lockstep.json\n  \
    gatewei lockstep .build/lockstep/program-542.json\n\n\
    With a ledger, a run goes on behind the last program of the runs before. Exit status 1 if a program differs.")]
pub(super) struct Arguments {
    /// Programs to compare, as this command writes them, instead of random ones
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Random programs [default: 1000, or as many as the time allows]
    #[arg(long, value_name = "N")]
    programs: Option<u64>,
    /// Number of the first one [default: 0, or behind those of the ledger]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Begin no programs after this many minutes
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// Cards at a time, each on a thread of its own [default: as many as there are threads]
    #[arg(long, value_name = "J")]
    jobs: Option<NonZeroUsize>,
    /// Counts are added to this file
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// What the ledger calls the sources
    #[arg(long, value_name = "NAME", default_value = "")]
    commit: String,
    /// Fail unless the ledger has each opcode so often, and each exceptional halt a hundredth of that
    #[arg(long, value_name = "N", requires = "ledger")]
    goal: Option<u64>,
    /// Where programs that differ are written to
    #[arg(long, value_name = "FOLDER", default_value = ".build/lockstep")]
    failures: PathBuf,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// What a run did.
#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    sitting: Sitting,
    cycles: u64,
    seconds: f64,
    differing: BTreeSet<String>,
    unexpected: Vec<String>,
    missing: Missing,
}

/// A program that differs.
struct Differing {
    name: String,
    program: Program,
    divergence: Divergence,
}

/// Surroundings of a card: mostly memory that answers at once, which is the fastest; every fourth card's hesitates.
fn surroundings(chunk: u64) -> gatewei_sim::Options {
    let default = gatewei_sim::Options::default();
    match chunk % 4 {
        0 => gatewei_sim::Options {
            read_latency: 20,
            jitter: 40,
            backpressure: 10,
            seed: chunk,
            ..default
        },
        _ => gatewei_sim::Options {
            read_latency: 1,
            write_latency: 1,
            jitter: 0,
            ..default
        },
    }
}

fn open(surroundings: gatewei_sim::Options) -> Result<CardRunner<SimCard>, sim::SimulationError> {
    let options = gatewei_driver::Options {
        deadlines: Deadlines {
            stall_cycles: STALL_CYCLES,
            ..Deadlines::default()
        },
        ..gatewei_driver::Options::default()
    };
    sim::open(surroundings, options)
}

/// Runs and compares.
pub(super) fn lockstep(arguments: &Arguments) -> Result<End, Failure> {
    executors::simulated_card().map_err(Failure::new)?;
    if arguments.files.is_empty() {
        random_programs(arguments)
    } else {
        files(&arguments.files)
    }
}

/// Compares programs from files.
fn files(files: &[PathBuf]) -> Result<End, Failure> {
    let mut end = End::Good;
    for file in files {
        let shown = file.display();
        let bytes = fs::read(file).map_err(|error| Failure::new(format!("{shown}: {error}")))?;
        let program: Program = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::new(format!("{shown} is no program: {error}")))?;
        let mut out = io::stdout().lock();
        match program.compare(&mut open(surroundings(1))?) {
            Ok(report) => writeln!(out, "{shown}: {} opcodes, the same", report.steps.len())?,
            Err(divergence) => {
                end = End::Bad;
                writeln!(out, "{shown}: {divergence}")?;
            }
        }
    }
    Ok(end)
}

fn random_programs(arguments: &Arguments) -> Result<End, Failure> {
    let mut ledger = match &arguments.ledger {
        Some(path) => load(path)?,
        None => Ledger::default(),
    };
    let first = arguments.seed.unwrap_or_else(|| ledger.next());
    let unlimited = arguments.minutes.map_or(1_000, |_| u64::MAX - first);
    let last = first.saturating_add(arguments.programs.unwrap_or(unlimited));
    let begun = Instant::now();
    let until = arguments
        .minutes
        .map(|minutes| begun + Duration::from_secs(60 * minutes));
    let mut sitting = Sitting {
        commit: arguments.commit.clone(),
        first,
        ..Sitting::default()
    };
    sitting.hardware = open(surroundings(1))?
        .card()
        .transport()
        .fingerprint()
        .to_owned();

    let jobs = arguments.jobs.unwrap_or_else(executors::default_threads);
    let (chunks, stop) = (AtomicU64::new(0), AtomicU64::new(0));
    let (to, from) = mpsc::channel();
    let bar = progress::bar(last.saturating_sub(first) as usize, "programs");
    let mut count = Count::default();
    let mut found = Vec::<Differing>::new();
    let before = ledger.clone();
    std::thread::scope(|scope| -> Result<(), Failure> {
        for _ in 0..jobs.get() {
            let to = to.clone();
            scope.spawn(|| {
                let to = to;
                while stop.load(Ordering::Relaxed) == 0
                    && until.is_none_or(|until| Instant::now() < until)
                {
                    let chunk = chunks.fetch_add(1, Ordering::Relaxed);
                    let start = first + chunk * CHUNK;
                    if start >= last || to.send(run(start..last.min(start + CHUNK))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(to);
        let mut saved = Instant::now();
        for chunk in from {
            let chunk = chunk.inspect_err(|_| stop.store(1, Ordering::Relaxed))?;
            bar.inc(CHUNK);
            count.merge(chunk.0);
            for differing in &chunk.1 {
                bar.suspend(|| show(differing, &arguments.failures))?;
            }
            found.extend(chunk.1);
            if found.len() >= ENOUGH {
                stop.store(1, Ordering::Relaxed);
            }
            if let Some(path) = arguments.ledger.as_ref().filter(|_| saved.elapsed() > SAVE) {
                saved = Instant::now();
                let mut now = before.clone();
                now.add(sitting.clone(), &count);
                save(&now, path)?;
            }
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    ledger.add(sitting, &count);
    if let Some(path) = &arguments.ledger {
        save(&ledger, path)?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    report(arguments, &ledger, count, &found, seconds)
}

/// Compares some programs on a card of their own.
fn run(programs: std::ops::Range<u64>) -> Result<(Count, Vec<Differing>), Failure> {
    let surroundings = surroundings(programs.start / CHUNK);
    let mut card = open(surroundings)?;
    let mut count = Count::default();
    let mut found = Vec::new();
    for n in programs {
        if card.card().state() != State::Ready {
            card = open(surroundings)?;
        }
        let program = random::program(n);
        match program.compare(&mut card) {
            Ok(report) => count.add(&report),
            Err(_) => {
                count.programs += 1;
                count.differing += 1;
                let until = Instant::now() + SHRINKING;
                let program = shrink(program, TRIES, |program| {
                    if Instant::now() > until {
                        return false;
                    }
                    let Ok(mut card) = open(surroundings) else {
                        return false;
                    };
                    let end = program.compare(&mut card);
                    matches!(end, Err(ref divergence) if divergence.is_the_cards())
                });
                let Err(divergence) = program.compare(&mut open(surroundings)?) else {
                    return Err(Failure::new(format!("program {n} differs only once")));
                };
                let name = format!("program-{n}");
                found.push(Differing {
                    name,
                    program,
                    divergence,
                });
            }
        }
    }
    Ok((count, found))
}

fn load(path: &Path) -> Result<Ledger, Failure> {
    let ledger = Ledger::load(path);
    ledger.map_err(|error| Failure::new(format!("{} is no ledger: {error}", path.display())))
}

fn save(ledger: &Ledger, path: &Path) -> Result<(), Failure> {
    let saved = ledger.save(path);
    saved.map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
}

/// Says how a program differs, and writes it to a file.
fn show(differing: &Differing, folder: &Path) -> Result<(), Failure> {
    let path = folder.join(format!("{}.json", differing.name));
    fs::create_dir_all(folder)?;
    fs::write(
        &path,
        serde_json::to_string_pretty(&differing.program)? + "\n",
    )?;
    eprintln!(
        "{} differs; as small as it gets it is {}",
        differing.name,
        path.display()
    );
    eprintln!("{}\n", differing.divergence);
    Ok(())
}

/// Opcodes and ends of which there are fewest, to be shown.
const SHOWN: usize = 8;

/// Says what was done.
fn report(
    arguments: &Arguments,
    ledger: &Ledger,
    count: Count,
    found: &[Differing],
    seconds: f64,
) -> Result<End, Failure> {
    let goal = arguments.goal.unwrap_or(1);
    let missing = ledger.missing(goal, goal.div_ceil(100));
    let Some(sitting) = ledger.sittings.last() else {
        return Err(Failure::new("no run was counted"));
    };
    let short = arguments.goal.is_some() && missing != Missing::default();
    let bad = !found.is_empty() || !count.unexpected.is_empty() || short;
    let mut out = io::stdout().lock();
    if arguments.json {
        let summary = Summary {
            sitting: sitting.clone(),
            cycles: count.cycles,
            seconds,
            differing: found
                .iter()
                .map(|differing| differing.name.clone())
                .collect(),
            unexpected: count.unexpected,
            missing,
        };
        writeln!(out, "{}", serde_json::to_string(&summary)?)?;
    } else {
        let (opcodes, differ) = (sitting.opcodes, found.len());
        let rate = opcodes as f64 / seconds;
        let last = sitting.first + sitting.programs;
        writeln!(
            out,
            "programs {} to {last}: {opcodes} opcodes compared, {rate:.0} a second, {} cycles; {differ} programs differ",
            sitting.first, count.cycles
        )?;
        for (reason, n) in &sitting.given_back {
            writeln!(out, "  given back {n}: {reason}")?;
        }
        for end in &count.unexpected {
            writeln!(out, "  no rule ends a frame like this: {end}")?;
        }
        if arguments.ledger.is_some() {
            writeln!(
                out,
                "all runs together: {} opcodes compared",
                ledger.compared()
            )?;
        }
        let mut fewest: Vec<_> = ledger.opcodes.iter().map(|(name, n)| (n, name)).collect();
        fewest.sort();
        let fewest = fewest
            .iter()
            .take(SHOWN)
            .map(|(n, name)| format!("{name} {n}"));
        writeln!(out, "fewest: {}", fewest.collect::<Vec<_>>().join(", "))?;
        let cells = missing
            .cells
            .iter()
            .take(SHOWN)
            .cloned()
            .collect::<Vec<_>>();
        writeln!(
            out,
            "below the goal: {} opcodes, {} ends; never: {} of {} pairs of opcode and end ({}{})",
            missing.opcodes.len(),
            missing.ends.len(),
            missing.cells.len(),
            gatewei::card::lockstep::ends::all().count(),
            cells.join(", "),
            if missing.cells.len() > SHOWN {
                ", …"
            } else {
                ""
            }
        )?;
    }
    Ok(if bad { End::Bad } else { End::Good })
}
