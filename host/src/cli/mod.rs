//! Commands and their arguments.

mod archive;
mod bench;
mod card;
mod demo;
mod executors;
#[cfg(feature = "sim")]
mod lockstep;
mod log;
mod measure;
mod model;
mod progress;
mod report;
mod row;
mod run;
mod statetest;
mod table;
mod trace;
mod verify;
mod workload;

use std::{fmt, process::ExitCode};

use clap::{Parser, Subcommand};

/// Executes Ethereum blocks on sequential revm, on all CPU threads and on an FPGA card's EVM lanes, with one result.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    max_term_width = 100,
    after_help = "Start with:\n  \
        gatewei demo                      a generated block on every executor, compared\n  \
        gatewei workload --help           make blocks of your own\n  \
        gatewei run --help                run block directories, check them, measure\n  \
        gatewei card --help               find cards, test them, serve a simulated one\n\n\
        Exit status: 0 all is well; 1 a check failed, results differ or an input is bad; 2 wrong arguments."
)]
struct Arguments {
    #[command(flatten)]
    log: log::Arguments,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    BenchHost(bench::Arguments),
    Card(card::Arguments),
    Demo(demo::Arguments),
    #[cfg(feature = "sim")]
    Lockstep(lockstep::Arguments),
    Model(model::Arguments),
    Run(run::Arguments),
    Statetest(statetest::Arguments),
    Trace(trace::Arguments),
    Verify(verify::Arguments),
    Workload(workload::Arguments),
}

/// Whether everything that was asked for ended well. Failures that end a command early are errors instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It did.
    Good,
    /// A check failed, results differ, or an input was bad; it was said where it happened.
    Bad,
}

/// Something that ends a command.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Runs the command of this process.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let end = log::start(&arguments.log).and_then(|()| dispatch(arguments.command));
    match end {
        Ok(End::Good) => ExitCode::SUCCESS,
        Ok(End::Bad) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<End, Failure> {
    match command {
        Command::BenchHost(arguments) => bench::bench(&arguments),
        Command::Card(arguments) => card::card(&arguments),
        Command::Demo(arguments) => demo::demo(&arguments),
        #[cfg(feature = "sim")]
        Command::Lockstep(arguments) => lockstep::lockstep(&arguments),
        Command::Model(arguments) => model::model(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Statetest(arguments) => statetest::statetest(&arguments),
        Command::Trace(arguments) => trace::trace(&arguments),
        Command::Verify(arguments) => verify::verify(&arguments),
        Command::Workload(arguments) => workload::workload(&arguments),
    }
}
