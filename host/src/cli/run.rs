//! `gatewei run`: block directories on an executor, checked against their headers.

use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alloy_primitives::{Address, map::AddressSet};
use clap::{Args, ValueEnum};
use gatewei::{
    Block, Checks, Engine, Executor, Mismatch, Sequential, block, engine::Timeline,
    first_difference,
};
use revm::primitives::hardfork::SpecId;

use super::{
    End, Failure,
    archive::Input,
    executors::{self, Card, Kind},
    measure, progress,
    report::{conflicts_table, rows_table},
    row::Row,
};

/// Runs blocks and checks them against their headers
///
/// A block directory has `block.json` (as eth_getBlockByNumber gives it, with full transactions), `prestate.json` (the
/// state it reads) and `block_hashes.json` (ancestors for BLOCKHASH). Times do not include loading files and recovering
/// senders. A block that fails does not keep the others from running.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    gatewei run mainnet/24628607                               check one block on all threads\n  \
    gatewei run mainnet --executor sequential --json           a JSON object a block\n  \
    gatewei run mainnet --compare sequential --repeat 5        how much faster than sequential\n  \
    gatewei run mainnet/19932148 --executor card --card sim    on the simulated card\n\n\
    Checks are true, false, or null where a field cannot be checked: receipts_root before Byzantium (4,370,000),\n\
    requests_hash before Prague, state_root where there is neither a witness nor the whole state. Exit status 1 if any is false.")]
pub(super) struct Arguments {
    /// Block directories, folders of them, or archives (.tar.xz) of such folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Who executes
    #[arg(long, value_enum, default_value_t = Kind::Cpu)]
    executor: Kind,
    /// Which card the card executor uses: sim, vfio:0000:03:00.0, vfio-user:SOCKET, xdma:0
    #[arg(long, value_name = "ADDRESS", default_value_t = Card::Sim)]
    card: Card,
    /// Threads; one of them drives a card, if there is one [default: all, and 1 with a card]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    #[command(flatten)]
    policy: executors::Policy,
    /// Executions of every block; the median time is told
    #[arg(long, value_name = "N", default_value = "1")]
    repeat: NonZeroUsize,
    /// Also execute on this executor, alternating; tell the ratio of times (above 1: faster) and compare the results
    #[arg(long, value_enum)]
    compare: Option<Reference>,
    /// Execute with the block's access list (`bal.json`, EIP-7928), and compare it with what is done
    #[arg(long)]
    bal: bool,
    /// Let every read of the state take this long, as from a disk: 50us, 1ms
    #[arg(long, value_name = "TIME", value_parser = latency)]
    state_latency: Option<Duration>,
    /// Also tell for what executions were thrown away: the accounts and slots that conflicted most
    #[arg(long)]
    conflicts: bool,
    /// Write what every worker did when, as a trace for Chrome or Perfetto (cpu executor)
    #[arg(long, value_name = "FILE")]
    timeline: Option<PathBuf>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

/// A time with its unit.
fn latency(text: &str) -> Result<Duration, String> {
    let units = [("us", 1), ("µs", 1), ("ms", 1_000)];
    let parsed = units.iter().find_map(|(unit, micros)| {
        let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
        Some(Duration::from_micros(*micros) * number)
    });
    parsed.ok_or_else(|| "a whole number of us or ms, such as 50us".to_owned())
}

/// What to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Reference {
    /// Sequential revm on one thread.
    Sequential,
}

/// Runs all blocks.
pub(super) fn run(arguments: &Arguments) -> Result<End, Failure> {
    let timeline = arguments
        .timeline
        .as_ref()
        .map(|_| Arc::new(Timeline::default()));
    let mut executor: Box<dyn Executor> = match (&timeline, arguments.executor) {
        (Some(timeline), Kind::Cpu) => {
            let threads = arguments.threads.unwrap_or_else(executors::default_threads);
            let engine = Engine::builder()
                .threads(threads)
                .timeline(timeline.clone());
            Box::new(engine.build())
        }
        (Some(_), _) => return Err(Failure::new("--timeline is for --executor cpu")),
        (None, kind) => {
            executors::make(kind, &arguments.card, arguments.threads, arguments.policy)?
        }
    };
    let mut reference = match arguments.compare {
        None => None,
        Some(Reference::Sequential) => Some(executors::make(
            Kind::Sequential,
            &arguments.card,
            None,
            arguments.policy,
        )?),
    };
    let mut end = End::Good;
    let mut inputs = Vec::new();
    let mut directories = Vec::new();
    for path in &arguments.paths {
        let found = Input::open(path).and_then(|input| {
            let found = block::find(&input.folder())?;
            inputs.push(input);
            Ok(found)
        });
        match found {
            Ok(found) => directories.extend(found),
            Err(failure) => {
                eprintln!("error: {failure}");
                end = End::Bad;
            }
        }
    }
    let bar = progress::bar(directories.len(), "blocks");
    let mut rows = Vec::new();
    let mut reference_seconds = 0.0;
    for directory in directories {
        bar.set_prefix(directory.display().to_string());
        let row = one(
            arguments,
            &directory,
            executor.as_mut(),
            reference.as_deref_mut(),
        );
        match row {
            Err(failure) => {
                bar.suspend(|| eprintln!("error: {failure}"));
                end = End::Bad;
            }
            Ok(done) => {
                if !done.complaints.is_empty() {
                    bar.suspend(|| {
                        done.complaints
                            .iter()
                            .for_each(|line| eprintln!("error: {line}"))
                    });
                    end = End::Bad;
                }
                reference_seconds += done.reference_seconds;
                if arguments.json {
                    let text = serde_json::to_string(&done.row)?;
                    bar.suspend(|| writeln!(io::stdout(), "{text}"))?;
                }
                rows.push(done.row);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let (Some(timeline), Some(path)) = (timeline, &arguments.timeline) {
        let failed =
            |error| Failure::new(format!("{}: cannot be written: {error}", path.display()));
        let file = File::create(path).map_err(failed)?;
        timeline.write(BufWriter::new(file)).map_err(failed)?;
    }
    if !arguments.json && !rows.is_empty() {
        write!(io::stdout(), "{}", rows_table(&rows, reference_seconds))?;
        if arguments.conflicts {
            write!(io::stdout(), "\n{}", conflicts_table(&rows))?;
        }
    }
    Ok(end)
}

/// A block that ran.
struct Done {
    row: Row,
    complaints: Vec<String>,
    reference_seconds: f64,
}

fn one(
    arguments: &Arguments,
    directory: &Path,
    executor: &mut dyn Executor,
    reference: Option<&mut (dyn Executor + 'static)>,
) -> Result<Done, Failure> {
    let mut block = Block::load(directory)?;
    if arguments.bal {
        block.load_access_list()?;
    }
    if let Some(latency) = arguments.state_latency {
        block.pre_state = Arc::new(block.pre_state.delayed(latency));
    }
    if block.spec().is_enabled_in(SpecId::CANCUN) {
        // The first use of the KZG precompile loads its set-up for a good part of a second: whether the block has one is
        // found out by running it. An error comes again below.
        let _ = Sequential.execute(&block);
    }
    let repeat = arguments.repeat.get();
    let mut complaints = Vec::new();
    let (measured, ratio, reference_seconds) = match reference {
        None => (measure::alone(executor, &block, repeat)?, None, 0.0),
        Some(reference) => {
            let (left, right, ratio) = measure::alternating(reference, executor, &block, repeat)?;
            if let Some(difference) = first_difference(&left.outcome, &right.outcome) {
                complaints.push(format!(
                    "{}: block {}: {} and {} differ: {difference}",
                    block.path().display(),
                    block.number(),
                    reference.name(),
                    executor.name()
                ));
            }
            (right, Some(ratio), left.median())
        }
    };
    if let Some(wrong) = &measured.outcome.statistics.card.wrong {
        complaints.push(format!(
            "{}: block {}: the card computed wrongly and is in quarantine; the result is the CPU's: {wrong}",
            block.path().display(),
            block.number()
        ));
    }
    let (checks, mismatches) = Checks::new(&block, &measured.outcome);
    for mismatch in &mismatches {
        complaints.push(complain(&block, mismatch));
    }
    if !mismatches.is_empty() {
        complaints.extend(absent_target(&block));
    }
    Ok(Done {
        row: Row::new(&block, executor, &measured, checks, ratio),
        complaints,
        reference_seconds,
    })
}

fn complain(block: &Block, mismatch: &Mismatch) -> String {
    let Mismatch {
        field,
        header,
        result,
    } = mismatch;
    format!(
        "{}: block {}: field `{field}`: the header has {header}, the execution gives {result}",
        block.path().display(),
        block.number()
    )
}

/// A first cause of wrong results: a contract that the pre-state does not have. An address that is called with data, is
/// in no account and was not made by the block itself is worth telling.
fn absent_target(block: &Block) -> Option<String> {
    let known: AddressSet = block
        .pre_state
        .accounts()
        .map(|(address, _)| *address)
        .collect();
    let is_precompile = |address: &Address| address.as_slice()[..18] == [0; 18];
    let called = block.tx_envs.iter().enumerate().find_map(|(index, tx)| {
        let to = tx.kind.to()?;
        let absent = !tx.data.is_empty() && !known.contains(to) && !is_precompile(to);
        absent.then_some((index, to))
    });
    let (index, to) = called?;
    Some(format!(
        "{}: block {}: transaction {index}: field `to`: calls {to} with data, and there is no such account: if it had \
         code before the block, `prestate.json` lacks it",
        block.source.join("prestate.json").display(),
        block.number()
    ))
}
