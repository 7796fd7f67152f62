//! `gatewei statetest`: public state tests on an executor.

use std::{
    io::{self, Write as _},
    num::NonZeroUsize,
    path::PathBuf,
};

use alloy_primitives::B256;
use clap::Args;
use gatewei::{
    Fork,
    statetest::{self, Case, Options, Report, StateTestError, Summary, Verdict},
};
use serde::Serialize;

use super::{
    End, Failure,
    archive::Input,
    executors::{self, Card, Kind},
    progress,
    report::fallbacks,
    table::percent,
};

/// Runs public state tests: post-state root and logs hash must match
///
/// Fixtures are those of ethereum/tests (GeneralStateTests) and execution-spec-tests (state_tests). Every case is one
/// signed transaction on a small state under one fork.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    gatewei statetest GeneralStateTests --executor sequential\n  \
    gatewei statetest osaka --executor card --card sim --fork Osaka --json\n\n\
    With --json, one JSON object a case, then the summary. Exit status 1 if a case failed.")]
pub(super) struct Arguments {
    /// Fixtures (.json), folders of them, or archives (.tar.xz) of such folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Who executes
    #[arg(long, value_enum, default_value_t = Kind::Cpu)]
    executor: Kind,
    /// Which card the card executor uses: sim, vfio:0000:03:00.0, vfio-user:SOCKET, xdma:0
    #[arg(long, value_name = "ADDRESS", default_value_t = Card::Sim)]
    card: Card,
    /// Cases at a time, each on an executor of its own [default: as many as there are threads]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Only cases of this fork: Frontier to Osaka
    #[arg(long, value_name = "F")]
    fork: Option<String>,
    /// One JSON object a line instead of text
    #[arg(long)]
    json: bool,
}

/// A case on a line of its own.
#[derive(Serialize)]
struct Line<'a> {
    test: &'a str,
    file: String,
    fork: &'a str,
    d: usize,
    g: usize,
    v: usize,
    pass: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    state_root: B256,
    logs_hash: B256,
    gas_used: u64,
}

/// The last line.
#[derive(Serialize)]
struct Last<'a> {
    summary: &'a Summary,
}

/// Runs all cases.
pub(super) fn statetest(arguments: &Arguments) -> Result<End, Failure> {
    let fork = arguments
        .fork
        .as_deref()
        .map(str::parse::<Fork>)
        .transpose()?;
    let mut end = End::Good;
    let mut inputs = Vec::new();
    let mut files = Vec::new();
    for path in &arguments.paths {
        let found = Input::open(path).and_then(|input| {
            let found = statetest::find(input.path())?;
            inputs.push(input);
            Ok(found)
        });
        match found {
            Ok(found) => files.extend(found),
            Err(failure) => {
                eprintln!("error: {failure}");
                end = End::Bad;
            }
        }
    }
    let threads = arguments.threads.unwrap_or_else(executors::default_threads);
    let options = Options {
        fork,
        threads: threads.get(),
        with_skipped: false,
    };
    let bar = progress::bar(files.len(), "fixtures");
    let mut broken = None;
    let summary = statetest::run(
        &files,
        options,
        || {
            let threads = Some(NonZeroUsize::MIN);
            executors::make(
                arguments.executor,
                &arguments.card,
                threads,
                Default::default(),
            )
        },
        |report| {
            let printed = bar.suspend(|| print(arguments, report));
            if broken.is_none() {
                broken = printed.err();
            }
        },
        || bar.inc(1),
    )?;
    bar.finish_and_clear();
    if let Some(failure) = broken {
        return Err(failure);
    }
    let mut out = io::stdout();
    if arguments.json {
        writeln!(
            out,
            "{}",
            serde_json::to_string(&Last { summary: &summary })?
        )?;
    } else {
        let skipped: u64 = summary.skipped.values().sum();
        writeln!(
            out,
            "passed {}, failed {}, skipped {skipped}",
            summary.passed, summary.failed
        )?;
        for (reason, count) in &summary.skipped {
            writeln!(out, "  skipped {count}: {reason}")?;
        }
        if arguments.executor == Kind::Card {
            let share = percent(summary.offloaded_share);
            writeln!(
                out,
                "offloaded {share}, fallbacks: {}",
                fallbacks(&summary.fallbacks)
            )?;
        }
    }
    if summary.failed > 0 {
        end = End::Bad;
    }
    Ok(end)
}

fn print(
    arguments: &Arguments,
    report: Result<&(Case, Report), &StateTestError>,
) -> Result<(), Failure> {
    let (case, report) = match report {
        Ok(case) => case,
        Err(error) => {
            eprintln!("error: {error}");
            return Ok(());
        }
    };
    let (skipped, error) = match &report.verdict {
        Verdict::Passed => (None, None),
        Verdict::Failed(reason) => (None, Some(reason.as_str())),
        Verdict::Skipped(reason) => (Some(reason.as_str()), None),
    };
    let indexes = case.indexes;
    if arguments.json {
        let line = Line {
            test: &case.name,
            file: case.file.display().to_string(),
            fork: &case.fork,
            d: indexes.data,
            g: indexes.gas,
            v: indexes.value,
            pass: report.verdict == Verdict::Passed,
            skipped,
            error,
            state_root: report.state_root,
            logs_hash: report.logs_hash,
            gas_used: report.gas_used,
        };
        writeln!(io::stdout(), "{}", serde_json::to_string(&line)?)?;
    } else if let Some(error) = error {
        let (file, fork) = (case.file.display(), &case.fork);
        let (d, g, v) = (indexes.data, indexes.gas, indexes.value);
        writeln!(
            io::stdout(),
            "FAILED {file}: {} ({fork}, d {d}, g {g}, v {v}): {error}",
            case.name
        )?;
    }
    Ok(())
}
