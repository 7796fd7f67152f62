//! Verilator's lint.

use std::path::PathBuf;
use std::process::Command;

use super::{ToolError, checkout, scratch};
use crate::emit::Design;

/// Folder of the Verilator to use: `VERILATOR_ROOT`, or `.tools/verilator` of the checkout.
///
/// # Errors
/// [`ToolError::Missing`] when there is no `bin/verilator_bin` in it.
pub fn verilator_root() -> Result<PathBuf, ToolError> {
    let root = match std::env::var_os("VERILATOR_ROOT") {
        Some(root) => PathBuf::from(root),
        None => checkout().join(".tools/verilator"),
    };
    let binary = root.join("bin/verilator_bin");
    if binary.is_file() {
        Ok(root)
    } else {
        Err(ToolError::Missing {
            tool: "Verilator",
            verb: "tools",
            looked: binary.display().to_string(),
        })
    }
}

/// Lints `design` with every warning on and each an error. The only rules that are off are those
/// that the emitted file itself turns off, with the reason.
///
/// # Errors
/// A [`ToolError`] with what Verilator says.
pub fn lint(design: &Design) -> Result<(), ToolError> {
    const TOOL: &str = "Verilator";
    let root = verilator_root()?;
    let folder = scratch(&design.top, "verilator")?;
    let file = folder.join(format!("{}.v", design.top));
    let run = || {
        std::fs::write(&file, &design.verilog)?;
        Command::new(root.join("bin/verilator_bin"))
            .env("VERILATOR_ROOT", &root)
            .args(["--lint-only", "-Wall", "--top-module", &design.top])
            .arg(&file)
            .output()
    };
    let output = run().map_err(|error| ToolError::Io { tool: TOOL, error })?;
    let _ = std::fs::remove_dir_all(&folder);
    let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
    if output.status.success() && said.is_empty() {
        Ok(())
    } else {
        Err(ToolError::Refused {
            block: design.top.clone(),
            tool: TOOL,
            output: said,
        })
    }
}
