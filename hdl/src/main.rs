//! `gatewei-hdl`: lists, emits, lints and synthesises the hardware blocks, and writes the reference page.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gatewei_hdl::catalog::{Entry, blocks};
use gatewei_hdl::emit::{Design, EmitError};
use gatewei_hdl::tools::{Budgets, Family, ToolError, lint, synth};
use thiserror::Error;

/// The card's hardware blocks: from rust-hdl to checked Verilog.
#[derive(Parser)]
#[command(name = "gatewei-hdl", version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Print the name of every block, parts before wholes.
    List,
    /// Write each block as <BLOCK>.v, with <BLOCK>.modules: the module of every instance.
    Emit {
        /// Blocks; all of them when none is given.
        blocks: Vec<String>,
        /// Folder to write to; it is made when missing.
        #[arg(long, default_value = ".build/verilog")]
        out: PathBuf,
    },
    /// Check each block with Verilator: all warnings on, each of them an error.
    Lint {
        /// Blocks; all of them when none is given.
        blocks: Vec<String>,
    },
    /// Map each block with yosys and print its size; a latch or a memory in flip-flops is an error.
    Synth {
        /// Blocks; all of them when none is given.
        blocks: Vec<String>,
        /// Device family to map to.
        #[arg(long, value_enum, default_value_t = Family::Ecp5)]
        family: Family,
        /// One JSON object a line in place of the table.
        #[arg(long)]
        json: bool,
        /// What exceeds hdl/budgets.json is an error too.
        #[arg(long)]
        budgets: bool,
    },
    /// Write hdl/abi/REFERENCE.md from the tables of the card's interface.
    Docs {
        /// Only compare; fail when the page is stale.
        #[arg(long)]
        check: bool,
    },
}

/// Why a command failed.
#[derive(Debug, Error)]
enum CliError {
    #[error("there is no block `{0}`; `gatewei-hdl list` names them")]
    NoBlock(String),
    #[error("{block}: {error}")]
    Emit {
        block: &'static str,
        error: EmitError,
    },
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error("cannot write {path}: {error}")]
    Write {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{0} is stale; run `gatewei-hdl docs`")]
    Stale(PathBuf),
    #[error("{failed} of {all} blocks failed")]
    Failed { failed: usize, all: usize },
}

fn main() -> ExitCode {
    match run(Cli::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::List => {
            blocks().iter().for_each(|entry| println!("{}", entry.name));
            Ok(())
        }
        Verb::Emit { blocks, out } => {
            std::fs::create_dir_all(&out).map_err(|error| CliError::Write {
                path: out.clone(),
                error,
            })?;
            each(&blocks, |entry, design| {
                let file = out.join(format!("{}.v", entry.name));
                write(file.clone(), &design.verilog)?;
                let map: String = design
                    .modules
                    .iter()
                    .map(|(i, m)| format!("{i} {m}\n"))
                    .collect();
                write(out.join(format!("{}.modules", entry.name)), &map)?;
                println!("{}", file.display());
                Ok(())
            })
        }
        Verb::Lint { blocks } => each(&blocks, |entry, design| {
            lint(design)?;
            println!("{}: clean", entry.name);
            Ok(())
        }),
        Verb::Synth {
            blocks,
            family,
            json,
            budgets,
        } => {
            let budgets = match budgets {
                true => Budgets::recorded()?,
                false => Budgets::default(),
            };
            if !json {
                println!("{}", family.header());
            }
            each(&blocks, |_, design| {
                let area = synth(design, family)?;
                println!("{}", if json { area.json() } else { area.row() });
                area.check(&budgets).map_err(CliError::from)
            })
        }
        Verb::Docs { check } => docs(check),
    }
}

/// Emits each chosen block and runs `action` on it; goes on after a failure and counts it.
fn each(
    names: &[String],
    action: impl Fn(&Entry, &Design) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let all = blocks();
    let chosen: Vec<&Entry> = if names.is_empty() {
        all.iter().collect()
    } else {
        let find = |name: &String| {
            all.iter()
                .find(|e| e.name == *name)
                .ok_or_else(|| CliError::NoBlock(name.clone()))
        };
        names.iter().map(find).collect::<Result<_, _>>()?
    };
    let mut failed = 0;
    for entry in &chosen {
        let result = (entry.design)()
            .map_err(|error| CliError::Emit {
                block: entry.name,
                error,
            })
            .and_then(|design| action(entry, &design));
        match result {
            // Without its tool, no block would fare better.
            Err(CliError::Tool(error @ ToolError::Missing { .. })) => return Err(error.into()),
            Err(error) => {
                eprintln!("error: {error}");
                failed += 1;
            }
            Ok(()) => {}
        }
    }
    if failed > 0 {
        Err(CliError::Failed {
            failed,
            all: chosen.len(),
        })
    } else {
        Ok(())
    }
}

fn write(path: PathBuf, text: &str) -> Result<(), CliError> {
    std::fs::write(&path, text).map_err(|error| CliError::Write { path, error })
}

fn docs(check: bool) -> Result<(), CliError> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("abi/REFERENCE.md");
    let fresh = gatewei_abi::docs::reference();
    if !check {
        write(path.clone(), &fresh)?;
        println!("{}", path.display());
        return Ok(());
    }
    match std::fs::read_to_string(&path) {
        Ok(text) if text == fresh => Ok(()),
        _ => Err(CliError::Stale(path)),
    }
}
