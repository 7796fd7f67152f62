//! `gatewei-hdl`: lists, emits, lints and synthesises the hardware blocks, and writes the reference page.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gatewei_hdl::bitstream::{self, BitstreamError, Board, Outcome, Wish};
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
        /// Clock to map for, MHz: a slower one takes less room.
        #[arg(long, default_value_t = 16.0, value_parser = clock)]
        mhz: f64,
        /// One JSON object a line in place of the table.
        #[arg(long)]
        json: bool,
        /// What exceeds its budget of hdl/budgets.json is an error too, and goals are compared.
        #[arg(long)]
        budgets: bool,
    },
    /// Place and route blocks on their own: their speed and size on an ECP5.
    Route {
        /// Blocks.
        #[arg(required = true)]
        blocks: Vec<String>,
        /// nextpnr's options for the part.
        #[arg(long, default_value = "--85k --package CABGA381 --speed 6")]
        part: String,
        /// Clock to aim at, MHz.
        #[arg(long, default_value_t = 100.0, value_parser = clock)]
        mhz: f64,
        /// nextpnr's seed.
        #[arg(long, default_value_t = 1)]
        seed: u32,
        /// Do it twice and fail unless both give the same bits.
        #[arg(long)]
        twice: bool,
        /// What is slower than its floor of hdl/budgets.json is an error, and goals are compared.
        #[arg(long)]
        budgets: bool,
    },
    /// Build the bitstream of a board, with its manifest: bitstreams/<BOARD>/board.toml says what it is. For a board
    /// with a Xilinx part: Verilog, constraints and Tcl for the vendor's tools, checked and mapped by yosys.
    Bitstream {
        /// The board; the folder's name.
        board: String,
        /// Lanes, in place of the board's own number.
        #[arg(long)]
        lanes: Option<u8>,
        /// nextpnr's seed.
        #[arg(long, default_value_t = 1)]
        seed: u32,
        /// Seeds to try, one after the other, until timing is met.
        #[arg(long, default_value_t = 1)]
        seeds: u32,
        /// Folder to write to; .build/bitstream/<BOARD> when none is given.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Write hdl/abi/REFERENCE.md from the tables of the card's interface.
    Docs {
        /// Only compare; fail when the page is stale.
        #[arg(long)]
        check: bool,
    },
}

/// A clock in MHz.
fn clock(text: &str) -> Result<f64, String> {
    let mhz: f64 = text.parse().map_err(|_| "it is no number")?;
    if mhz.is_finite() && mhz > 0.0 {
        Ok(mhz)
    } else {
        Err("a clock is above 0 MHz".into())
    }
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
    #[error(transparent)]
    Bitstream(#[from] BitstreamError),
    #[error("{0}: the same seed gave other bits")]
    Differs(String),
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
            mhz,
            json,
            budgets,
        } => {
            let budgets = recorded(budgets)?;
            if !json {
                println!("{}", family.header());
            }
            each(&blocks, |_, design| {
                let area = synth(design, family, mhz)?;
                let line = if json {
                    area.json(&budgets)
                } else {
                    area.row(&budgets)
                };
                println!("{line}");
                area.check(&budgets).map_err(CliError::from)
            })
        }
        Verb::Route {
            blocks,
            part,
            mhz,
            seed,
            twice,
            budgets,
        } => {
            let budgets = recorded(budgets)?;
            let part: Vec<&str> = part.split_whitespace().collect();
            println!(
                "{:<20}{:>10}{:>10}{:>10}{:>10}{:>10}",
                "block", "MHz", "COMB", "FF", "DP16KD", "MULT18"
            );
            each(&blocks, |entry, design| {
                let (routed, bits) = bitstream::route(design, mhz, seed, &part)?;
                let cells = |name: &str| {
                    let cell = routed.cells.iter().find(|(cell, ..)| cell == name);
                    cell.map_or(0, |(_, used, _)| *used)
                };
                let mhz = routed.timing.reached;
                let compared = budgets.routed(entry.name, mhz);
                println!(
                    "{:<20}{mhz:>10.1}{:>10}{:>10}{:>10}{:>10}{}",
                    entry.name,
                    cells("TRELLIS_COMB"),
                    cells("TRELLIS_FF"),
                    cells("DP16KD"),
                    cells("MULT18X18D"),
                    compared.as_deref().unwrap_or_default()
                );
                compared?;
                if twice && bitstream::route(design, mhz, seed, &part)?.1 != bits {
                    return Err(CliError::Differs(entry.name.into()));
                }
                Ok(())
            })
        }
        Verb::Bitstream {
            board,
            lanes,
            seed,
            seeds,
            out,
        } => {
            let board = Board::load(&board)?;
            let out = out.unwrap_or_else(|| PathBuf::from(".build/bitstream").join(&board.name));
            let mut wish = Wish { lanes, seed, out };
            let manifest = loop {
                match bitstream::build(&board, &wish) {
                    Err(missed @ BitstreamError::Timing { .. }) if wish.seed + 1 < seed + seeds => {
                        eprintln!("bitstream: seed {}: {missed}", wish.seed);
                        wish.seed += 1;
                    }
                    built => break built?,
                }
            };
            print!("{}", manifest.text());
            match &manifest.outcome {
                Outcome::Bitstream { file, .. } => println!("# {}", wish.out.join(file).display()),
                Outcome::Project { how, .. } => {
                    println!("# No bitstream: that step is the vendor's, and is not run here.");
                    println!("# Next, in {}: {how}", wish.out.display());
                }
            }
            Ok(())
        }
        Verb::Docs { check } => docs(check),
    }
}

/// The recorded budgets where they are asked for, else none.
fn recorded(asked: bool) -> Result<Budgets, ToolError> {
    match asked {
        true => Budgets::recorded(),
        false => Ok(Budgets::default()),
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
