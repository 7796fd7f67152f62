//! Finds and runs Verilator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;

/// Flags of every run. Every warning is on and an error, as in the lint: what is waived, the emitted file
/// itself waives. Two-state logic, so unknown values are plain zeros.
const FLAGS: &[&str] = &[
    "-Wall",
    "--cc",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--noassert",
    "--no-timing",
    "--output-split",
    "12000",
];

/// Flags of models that count what runs. A process that counts is not split, so that signals which share one look like a
/// loop.
const COVERAGE: &[&str] = &["--coverage-line", "--coverage-toggle", "-Wno-UNOPTFLAT"];

/// An installed Verilator.
pub struct Verilator {
    /// `VERILATOR_ROOT`: holds `bin/verilator_bin` and `include/`.
    pub root: PathBuf,
    /// What it calls itself: part of the cache keys.
    pub version: String,
    /// Whether models can write waves.
    pub wave: bool,
    /// Whether they count which lines run and which bits toggle.
    pub coverage: bool,
}

impl Verilator {
    /// The one that the environment names, else the checkout's own.
    pub fn find(out: &Path, wave: bool, coverage: bool) -> Result<Self, Failure> {
        println!("cargo:rerun-if-env-changed=VERILATOR_ROOT");
        let root = gatewei_hdl::tools::verilator_root()
            .map_err(|e| format!("{e}, or build without feature `sim`"))?;
        let root = root.canonicalize()?;
        println!(
            "cargo:rerun-if-changed={}",
            root.join("bin/verilator_bin").display()
        );
        let mut found = Self {
            root,
            version: String::new(),
            wave,
            coverage,
        };
        let output = found.command(out).arg("--version").output()?;
        found.version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(found)
    }

    /// All flags, for one block.
    pub fn flags(&self, prefix: &str, top: &str) -> Vec<String> {
        let mut flags: Vec<String> = FLAGS.iter().map(|f| (*f).to_owned()).collect();
        flags.extend([
            "--top-module".into(),
            top.into(),
            "--prefix".into(),
            prefix.into(),
        ]);
        if self.wave {
            flags.push("--trace-fst".into());
        }
        if self.coverage {
            flags.extend(COVERAGE.iter().map(|flag| (*flag).into()));
        }
        flags
    }

    /// Verilates `verilog` into `dir`; warnings are errors.
    pub fn run(&self, dir: &Path, prefix: &str, top: &str, verilog: &str) -> Result<(), Failure> {
        // Relative, so that the generated code does not depend on where it is made.
        let source = format!("{top}.v");
        fs::write(dir.join(&source), verilog)?;
        let output = self
            .command(dir)
            .args(self.flags(prefix, top))
            .args(["--Mdir", ".", &source])
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!(
            "Verilator refuses {}:\n{}",
            dir.join(source).display(),
            String::from_utf8_lossy(&output.stderr)
        )
        .into())
    }

    fn command(&self, dir: &Path) -> Command {
        let mut command = Command::new(self.root.join("bin/verilator_bin"));
        command.env("VERILATOR_ROOT", &self.root).current_dir(dir);
        command
    }
}
