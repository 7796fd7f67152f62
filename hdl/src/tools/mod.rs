//! Outside tools on emitted Verilog: Verilator's lint and yosys' synthesis.
//!
//! Both are found below `.tools/` of the checkout, where `make tools` and `make synth` put them; `VERILATOR_ROOT` and `PATH`
//! may name others.

mod area;
mod program;
mod verilator;
mod yosys;

use std::path::PathBuf;

use thiserror::Error;

pub(crate) use area::logic_delay;
pub use area::{Area, Budgets, Family};
pub(crate) use program::Program;
pub use verilator::{lint, verilator_root};
pub(crate) use yosys::map;
pub use yosys::synth;

/// Why a tool's verdict is missing or bad.
#[derive(Debug, Error)]
pub enum ToolError {
    /// The tool is not installed.
    #[error("{tool} not found (looked for {looked}); run `make {verb}`")]
    Missing {
        /// Name of the tool.
        tool: &'static str,
        /// Where it was looked for.
        looked: String,
        /// The verb of the Makefile that fetches it.
        verb: &'static str,
    },
    /// The tool could not be run or its files not be written.
    #[error("{tool}: {error}")]
    Io {
        /// Name of the tool.
        tool: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file of budgets cannot be used.
    #[error("{path}: {error}", path = .path.display())]
    Budgets {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        error: String,
    },
    /// The tool refused the design.
    #[error("{block}: {tool} refuses it:\n{output}")]
    Refused {
        /// The block.
        block: String,
        /// Name of the tool.
        tool: &'static str,
        /// What it printed.
        output: String,
    },
    /// The design maps to something that the card must not contain.
    #[error("{block}: {what}")]
    Mapping {
        /// The block.
        block: String,
        /// What it maps to.
        what: String,
    },
}

/// Root of the checkout.
pub(crate) fn checkout() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map_or(manifest.clone(), PathBuf::from)
}

/// A fresh private folder for the files of one run.
pub(crate) fn scratch(block: &str, tool: &'static str) -> Result<PathBuf, ToolError> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!(
        "gatewei-hdl-{}-{run}-{tool}-{block}",
        std::process::id()
    ));
    std::fs::create_dir_all(&path).map_err(|error| ToolError::Io { tool, error })?;
    Ok(path)
}
